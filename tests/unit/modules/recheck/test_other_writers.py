# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs that contradict each other: the one that loses names the other."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.modules.harness import Lab
from tests.unit.modules.recheck.meanwhile import VM, before_the_first_write

A100 = {"match": "10de:20f1"}
ATTACH: dict[str, Any] = {"vm": [VM], "devices": [A100], "backing": "fixed", "mmio": {}}


def detached_meanwhile(user: str | None, **trouble: Any) -> dict[str, Any]:
    """A run attaches a second device while another run detaches all devices. ``trouble``: a fault of the server from then on."""
    lab = Lab.load("three_hosts")
    lab.run("host_passthrough", cluster=["compute"], devices=[A100])
    lab.run("vm_pci_device", **ATTACH)

    def detach(_sim: Any) -> None:
        mine, lab.user = lab.user, user
        try:
            lab.run("vm_pci_device", vm=[VM], devices=[A100], state="absent")
        finally:
            lab.user = mine
        if trouble:
            lab.sim.faults.add(**trouble)

    wanted = {**ATTACH, "devices": [{**A100, "count": 2}]}
    with before_the_first_write(lab, detach):
        return lab.run("vm_pci_device", fails=True, **wanted)


def test_another_user_is_named_with_the_time() -> None:
    result = detached_meanwhile("vmadmin@vsphere.local")
    assert result["error_code"] == "changed_meanwhile"
    assert "vmadmin@vsphere.local reconfigured it at " in result["msg"]


def test_another_run_with_the_same_account_is_told_from_this_one() -> None:
    result = detached_meanwhile(None)
    assert "another run with the same account (administrator@vsphere.local) reconfigured it at " in result["msg"]


@pytest.mark.parametrize(
    "trouble",
    [
        {"method": "QueryEvents", "fault": "NoPermission"},
        {"method": "QueryEvents", "fault": "SystemError"},
        {"method": "QueryEvents", "drop": "before"},
        {"method": "CurrentTime", "drop": "before"},
    ],
    ids=str,
)
def test_the_failure_stays_what_it_is_where_the_events_cannot_be_read(trouble: dict[str, Any]) -> None:
    result = detached_meanwhile("vmadmin@vsphere.local", **trouble)
    assert result["error_code"] == "changed_meanwhile"
    assert "reconfigured it" not in result["msg"]


def test_it_costs_calls_only_where_something_failed() -> None:
    lab = Lab.load("three_hosts")
    lab.run("host_passthrough", cluster=["compute"], devices=[A100])
    lab.sim.journal.clear()
    lab.run("vm_pci_device", **ATTACH)
    assert "QueryEvents" not in [call.method for call in lab.sim.journal.calls]
