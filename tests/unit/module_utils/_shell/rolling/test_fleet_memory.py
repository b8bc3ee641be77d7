# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run has seen and the server no longer shows, also across slices."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.observed import HostView
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.fleet_memory import (
    MOST_LOOKS,
    FleetMemory,
)
from tests.unit.module_utils._domain.rolling.builders import NOW, entry, host, vm, vm_entry

OFF: dict[str, Any] = {"power_state": "poweredOff"}
REBOOTING = entry("rebooting", asked=NOW - 60, text="")
CLUSTERS = {"gpu": "GPU cluster"}


def seen(*hosts: HostView, vms: tuple[Any, ...] = (), now: float = NOW) -> FleetMemory:
    memory = FleetMemory()
    look(memory, *hosts, vms=vms, now=now)
    return memory


def look(memory: FleetMemory, *hosts: HostView, vms: tuple[Any, ...] = (), now: float = NOW) -> None:
    entries = {view.moid: (view, view.entry) for view in hosts if view.entry is not None}
    memory.see(entries, hosts, vms, CLUSTERS, now)


def passed_on(memory: FleetMemory) -> FleetMemory:
    """As Ansible passes it to the next slice."""
    return FleetMemory.of(json.loads(json.dumps(memory.record())))


def test_a_host_in_progress_that_does_not_exist_any_more_is_gone() -> None:
    stopped = (vm("db", "esx-1", entry=vm_entry(), **OFF), vm("web", "esx-2", entry=vm_entry(), **OFF))
    memory = seen(host(entry=REBOOTING), host("esx-2"), vms=stopped)
    for known in (memory, passed_on(memory)):
        assert known.missing([host("esx-2")], lambda moid: False) is False
        (gone,) = known.gone([stopped[1]])
        assert (gone.view.name, gone.cluster, gone.entry.step) == ("esx-1", "GPU cluster", "rebooting")
        assert (gone.off, gone.lost) == (("web",), ("db",))
        assert passed_on(known).gone([])[0].view.name == "esx-1", "a later slice reports it, too"


def test_a_host_that_exists_and_is_not_shown_is_looked_for_and_not_for_ever() -> None:
    memory = seen(host(entry=REBOOTING))
    for _unused in range(MOST_LOOKS):
        assert memory.missing([], lambda moid: True) is True
        assert memory.gone([]) == ()
    assert memory.missing([], lambda moid: True) is False
    assert len(memory.gone([])) == 1


def test_it_is_asked_about_once() -> None:
    memory, asked = seen(host(entry=REBOOTING)), list[str]()
    for _unused in range(3):
        memory.missing([], lambda moid: bool(asked.append(moid)))
    assert asked == ["esx-1"]


def test_a_host_that_is_done_may_be_removed() -> None:
    memory = seen(host(entry=REBOOTING))
    look(memory, host(entry=entry("done")))
    assert memory.missing([], lambda moid: False) is False
    assert memory.gone([]) == ()


def test_a_host_that_is_shown_again_is_not_gone() -> None:
    memory = seen(host(entry=REBOOTING))
    memory.missing([], lambda moid: False)
    look(memory, host(entry=REBOOTING))
    assert memory.gone([]) == ()


def test_a_vm_that_runs_again_is_forgotten() -> None:
    memory = seen(host(entry=REBOOTING), vms=(vm("db", entry=vm_entry(), **OFF),))
    assert memory.lost_vms([]) == {"db": "db"}
    look(memory, host(entry=REBOOTING), vms=(vm("db"),))
    assert memory.lost_vms([]) == {}


def test_since_when_a_host_does_not_respond() -> None:
    silent = host(connection_state="notResponding")
    memory = seen(silent)
    look(memory, silent, now=NOW + 60)
    assert passed_on(memory).silent == {"esx-1": NOW}
    look(memory, host(), now=NOW + 90)
    assert memory.silent == {}
    assert seen(host(connection_state="disconnected")).silent == {}, "a person disconnected it"


def test_what_cannot_be_read_is_left_out() -> None:
    assert FleetMemory.of({}).record() == {"hosts": {}, "vms": {}, "silent": {}, "gone": []}
    broken = {"hosts": {"host-1": ["esx-1", "gpu", "dp1 broken"]}, "gone": ["host-1"]}
    assert FleetMemory.of(broken).hosts == {}
