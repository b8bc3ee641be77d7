# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change of a host that is lost, and no event shows why: the message names the run that has the host or the lock of its cluster."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.codec import encode
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import Entry, Lock
from tests.unit.modules.harness import Lab
from tests.unit.modules.recheck.meanwhile import FREE_NVME, HOST, before_the_first_write, device

OPTANE = {"match": {"address": FREE_NVME, "vendor_id": "8086", "device_id": "2700"}}
OWNER = "alice@bastion-7:4711:2f0062:e694b8"


def lock(now: float, **given: Any) -> Lock:
    return Lock(
        **{"owner": OWNER, "run_id": "136c818c", "scope": "9c616d6c", "since": now, "beat": now, "ttl": 300.0, **given}
    )


def entry(now: float, **given: Any) -> Entry:
    return Entry(**{"step": "rebooting", "run_id": "136c818c", "at": now, "started": now, **given})


def lost(*values: tuple[str, str, Any]) -> tuple[dict[str, Any], list[str]]:
    """``values``: type, name, and what the journal says of the object. Returns the result, and the methods that were called."""
    lab = Lab.load("three_hosts")
    manager = lab.sim.stub().connect().content.customFieldsManager
    now = lab.sim.clock.now().timestamp()

    def meanwhile(sim: Any) -> None:
        device(FREE_NVME, passthruCapable=False)(sim)
        keys = {item.name: item.key for item in manager.field or ()}
        for kind, name, value in values:
            for attribute, text in encode(value(now)).items():
                if attribute not in keys:
                    keys[attribute] = manager.AddCustomFieldDef(attribute).key
                manager.SetField(sim.find(kind, name).ref, keys[attribute], text)
        lab.sim.journal.clear()

    with before_the_first_write(lab, meanwhile):
        result = lab.run("host_passthrough", fails=True, hosts=[HOST], devices=[OPTANE])
    assert result["error_code"] == "changed_meanwhile"
    return result, [call.method for call in lab.sim.journal.calls]


@pytest.mark.parametrize(
    ("values", "clause"),
    [
        (
            [("ClusterComputeResource", "compute", lock)],
            "A rolling reboot has the lock of the cluster (by alice@bastion-7, since 2026-",
        ),
        (
            [("ClusterComputeResource", "compute", lock), ("HostSystem", HOST, entry)],
            "The host is rebooting (by alice@bastion-7, since 2026-",
        ),
        (
            [("HostSystem", HOST, lambda now: lock(now, purpose="maintenance"))],
            "host_maintenance works on the host (by alice@bastion-7, since 2026-",
        ),
    ],
)
def test_who_works_on_the_host_is_named_with_the_time(values: list[Any], clause: str) -> None:
    result, _calls = lost(*values)
    assert clause in result["msg"]


@pytest.mark.parametrize("values", [[], [("ClusterComputeResource", "compute", lambda now: lock(now - 3600))]])
def test_without_a_live_lock_nobody_is_named(values: list[Any]) -> None:
    result, _calls = lost(*values)
    assert "alice" not in result["msg"]
    assert "(by " not in result["msg"]


def test_it_costs_one_read_after_the_events() -> None:
    def after_events(calls: list[str]) -> list[str]:
        return [name for name in calls[calls.index("QueryEvents") + 1 :] if name != "Logout"]

    _result, without = lost()
    _result, locked = lost(("ClusterComputeResource", "compute", lock))
    reads = ("RetrievePropertiesEx", "RetrieveProperties")
    assert (
        sum(name in reads for name in after_events(without)) == sum(name in reads for name in after_events(locked)) == 1
    )
