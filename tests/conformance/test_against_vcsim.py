# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same calls to our simulator and to vcsim. Every difference is listed here with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from simulator import Simulator
from tests.conformance import script


@dataclass(frozen=True)
class Difference:
    """What each says, and why ours is as it is."""

    ours: Any
    vcsim: Any
    reason: str


DIFFERENCES: dict[str, Difference] = {
    "paging_cancelled": Difference(
        "InvalidArgument", "fault:MethodNotFound", "vcsim has no CancelRetrievePropertiesEx; the API has"
    ),
    "page_size_zero": Difference(
        "InvalidArgument", "none", "API reference, RetrieveOptions.maxObjects: a value of 0 or less is illegal"
    ),
    "nothing_selected": Difference(
        True, False, "API reference, RetrievePropertiesEx: the result is unset when nothing was found"
    ),
    "bad_path": Difference(
        "InvalidProperty", "none", "API reference, RetrieveProperties: InvalidProperty for a path that does not exist"
    ),
    "bad_nested_path": Difference("InvalidProperty", "none", "as bad_path"),
    "bad_filter": Difference("InvalidProperty", "none", "API reference, CreateFilter: the spec is checked"),
    "updates": Difference(
        [
            [["enter", ["config.hardware.memoryMB", "runtime.powerState"]]],
            [["modify", ["config.hardware.memoryMB"]]],
            True,
        ],
        [[["enter", ["config.hardware.memoryMB", "runtime.powerState"]]], None, True],
        "vcsim only sees changes while a client waits; a version stands for everything since then",
    ),
    "unknown_version": Difference(
        "InvalidCollectorVersion", "none", "API reference, WaitForUpdatesEx: a version that was never given is refused"
    ),
    "host_by_name": Difference(True, False, "vcsim's FindByDnsName looks at VMs only"),
    "stale_change_version": Difference(
        "ConcurrentAccess", "none", "API reference, VirtualMachineConfigSpec.changeVersion: a mismatch is refused"
    ),
    "lock_memory": Difference(
        [True, True, True, False],
        [True, False, False, False],
        "API reference, memoryReservationLockedToMax: the reservation equals the memory size while it is set",
    ),
    "locked_and_lowered": Difference(
        "InvalidArgument",
        "none",
        "seen on vCenter: 'A specified parameter was not correct: spec.memoryAllocation.reservation'",
    ),
    "remove_unknown_device": Difference(
        "DeviceNotFound", "none", "the fault of the API for a device that is not there"
    ),
    "passthrough_device": Difference(
        [2, True, 0], [2, False, 0], "seen on 8.0.3: passthrough devices have keys 13000 to 13127"
    ),
    "duplicate_keys": Difference(
        "GenericVmConfigFault", "none", "seen on vCenter: 'Cannot add multiple devices using the same device key'"
    ),
    "config_option": Difference(
        ["vmx-19", [16]],
        'not an answer of this API: Required field "recommendedDiskController" not provided (not @optional)',
        "vcsim's option list leaves a required field out, so pyVmomi cannot read it; 16 is what a 9.x host said",
    ),
    "maintenance": Difference(
        ["success", True, "InvalidState", "success", False, "InvalidState"],
        ["success", True, "none", "success", False, "none"],
        "API reference, EnterMaintenanceMode_Task: InvalidState when the host is in maintenance mode already",
    ),
    "maintenance_moves_a_running_vm": Difference(
        ["none", False], ["none", True], "vcsim sets the flag and leaves running VMs where they are"
    ),
    "reboot_outside_maintenance": Difference(
        "InvalidState", "MethodNotFound", "vcsim has no RebootHost_Task; the API refuses it outside maintenance mode"
    ),
    "passthrough_list": Difference([True, True], [False, True], "vcsim's hosts have no passthrough information"),
    "passthrough_refresh": Difference(
        "none", "ManagedObjectNotFound", "vcsim's pciPassthruSystem reference leads nowhere"
    ),
    "task_info": Difference(
        ["VirtualMachine.powerOn", True, True, False, True, True],
        ["VirtualMachine.powerOn", False, True, False, True, True],
        "vcsim gives the reference as entityName; the API gives the entity's name",
    ),
}


@pytest.fixture(scope="module")
def theirs(vcsim: Any) -> dict[str, Any]:
    return script.run(vcsim)


def test_both_answer_alike_but_for_what_is_listed(ours: Any, theirs: dict[str, Any], sim: Simulator) -> None:
    answers = script.run(ours)
    found = {name: (answers[name], theirs[name]) for name in script.STEPS if answers[name] != theirs[name]}
    listed = {name: (item.ours, item.vcsim) for name, item in DIFFERENCES.items()}
    assert found == listed
    assert sim.internal_errors == []


def test_enough_answers_are_alike(theirs: dict[str, Any]) -> None:
    """The comparison would prove little if most of it were exceptions."""
    assert len(theirs) - len(DIFFERENCES) >= 35


def test_every_difference_names_a_step_and_a_reason() -> None:
    assert set(DIFFERENCES) <= set(script.STEPS)
    assert all(len(item.reason) > 10 for item in DIFFERENCES.values())


def test_running_twice_gives_the_same_answers(ours: Any) -> None:
    """The script leaves the inventory as it found it, and the simulator does not depend on what came before."""
    assert script.run(ours) == script.run(ours)
