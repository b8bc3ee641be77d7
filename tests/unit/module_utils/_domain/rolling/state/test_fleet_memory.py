# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a host counts as removed, and what a run knows of it then."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.fleet_memory import (
    MOST_LOOKS,
    FleetMemory,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.observed import (
    ClusterView,
    HostView,
    ObservedFleet,
    VmView,
)
from tests.unit.module_utils._domain.rolling.builders import NOW, entry, host, vm, vm_entry

OFF: dict[str, Any] = {"power_state": "poweredOff"}
REBOOTING = entry("rebooting", asked=NOW - 60, text="")
WORKING = host(entry=REBOOTING)
CLUSTER = ClusterView(moid="gpu", name="GPU cluster")


def fleet(*hosts: HostView, vms: tuple[VmView, ...] = ()) -> ObservedFleet:
    return ObservedFleet(me="me", run_id="run", hosts=hosts, vms=vms, clusters=(CLUSTER,))


def seen(*hosts: HostView, vms: tuple[VmView, ...] = (), now: float = NOW) -> FleetMemory:
    return FleetMemory().after_look(fleet(*hosts, vms=vms), now)


@pytest.mark.parametrize(
    ("before", "shown", "missing"),
    [
        ([WORKING], [WORKING], set()),
        ([WORKING], [], {"esx-1"}),
        ([WORKING, host("esx-2")], [WORKING], set()),  # it was not in progress
        ([host(entry=entry("done"))], [], set()),
        ([host(entry=entry("failed"))], [], set()),
        ([host()], [], set()),
    ],
)
def test_only_a_host_in_progress_is_missed(before: list[HostView], shown: list[HostView], missing: set[str]) -> None:
    assert seen(*before).missing(shown) == missing


@pytest.mark.parametrize(
    ("searches", "removed"),
    [
        ([], set()),
        ([False], {"esx-1"}),
        ([True], set()),
        ([True, False], {"esx-1"}),
        ([True] * MOST_LOOKS, set()),
        ([True] * (MOST_LOOKS + 1), {"esx-1"}),  # it was moved, and is not searched for ever
    ],
)
def test_when_a_missing_host_counts_as_removed(searches: list[bool], removed: set[str]) -> None:
    memory = seen(WORKING)
    for exists in searches:
        memory = memory.after_search({"esx-1": exists})
    assert memory.removed == removed
    assert memory.missing([]) == {"esx-1"} - removed, "it is not searched again"
    assert {gone.view.name for gone in memory.gone([])} == removed


def test_what_is_known_of_a_host_that_was_removed() -> None:
    stopped = (vm("db", "esx-1", entry=vm_entry(), **OFF), vm("web", "esx-2", entry=vm_entry(), **OFF))
    memory = seen(WORKING, host("esx-2"), vms=stopped).after_search({"esx-1": False})
    (gone,) = memory.gone([stopped[1]])
    assert (gone.view.name, gone.cluster, gone.entry.step) == ("esx-1", "GPU cluster", "rebooting")
    assert (gone.off, gone.lost) == (("web",), ("db",))


def test_the_last_host_is_removed() -> None:
    (gone,) = seen(WORKING).without_any_host().gone([])
    assert gone.view.name == "esx-1"


@pytest.mark.parametrize("now", [host(entry=REBOOTING), host(entry=entry("done")), host()])
def test_a_host_that_is_shown_is_not_removed(now: HostView) -> None:
    memory = seen(WORKING).after_search({"esx-1": False}).after_look(fleet(now), NOW)
    assert memory.gone([]) == ()
    assert memory.missing([now]) == frozenset()


def test_a_vm_that_runs_again_is_forgotten() -> None:
    memory = seen(WORKING, vms=(vm("db", entry=vm_entry(), **OFF),))
    assert memory.lost_vms([]) == {"db": "db"}
    assert memory.after_look(fleet(WORKING, vms=(vm("db", **OFF),)), NOW).lost_vms([]) == {"db": "db"}
    assert memory.after_look(fleet(WORKING, vms=(vm("db"),)), NOW).lost_vms([]) == {}


def test_since_when_a_host_does_not_respond() -> None:
    silent = host(connection_state="notResponding")
    memory = seen(silent).after_look(fleet(silent), NOW + 60)
    assert memory.silent == {"esx-1": NOW}
    assert memory.after_look(fleet(), NOW + 90).silent == {"esx-1": NOW}
    assert memory.after_look(fleet(host()), NOW + 90).silent == {}
    assert seen(host(connection_state="disconnected")).silent == {}, "a person disconnected it"
