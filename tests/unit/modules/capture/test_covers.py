# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The capture has everything that plans, drifts, prechecks and rolling reboots read: the list is what these runs ask of the simulator.

So a property or a method that they begin to use fails here until it is captured, or said to be computed by the twin.
"""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.capture.paths import ALARMS, COMPUTED
from simulator.core.journal import READS
from tests.unit.modules.capture.twins import RUN_OWN, asked, capture, intent_of, runs
from tests.unit.modules.harness import Lab

LABS = ("mixed", "nfv", "nvlink", "roll_12", "standalone_67", "three_hosts", "v80", "vgpu")
SESSION = frozenset(
    """
    RetrieveServiceContent Login Logout Fetch CreateContainerView DestroyView RetrieveProperties RetrievePropertiesEx
    ContinueRetrievePropertiesEx CreatePropertyCollector DestroyPropertyCollector CreateFilter DestroyPropertyFilter WaitForUpdatesEx
    CancelWaitForUpdates
    """.split()
)
"""Methods that open a session, or read properties: the properties are compared themselves."""
RECORDED = frozenset({"RetrieveDiskPartitionInfo", "QueryOptions"})
"""Methods whose answers are in the capture."""
AUTOMATION = frozenset(
    """
    Rest.Login Rest.Logout ComputePolicies.List ComputePolicies.TagUsage Tagging.ListCategories Tagging.GetCategory
    Tagging.ListTagsForCategory Tagging.GetTag Tagging.ListAttachedObjectsOnTags
    """.split()
)
"""Reads over the Automation API: all of tags and compute policies is in the capture."""
BY_RUN = {"recentTask": "tasks of this moment"}
"""Properties that the twin has of itself: path -> what they show."""


def rolled(lab: Lab, intent: dict[str, Any]) -> None:
    """A real rolling reboot with VMs that are shut down, and the changes of VMs that follow."""
    lab.run("host_passthrough", targets=intent["targets"], apply="reboot", on_missing="skip")
    lab.run("host_rolling_reboot", targets=intent["targets"], pinned_vms="shutdown_then_power_off", on_missing="skip")
    lab._main("vm_pci_device", {**lab.credentials(), "vms": intent["vms"], "_ansible_check_mode": False})


@pytest.mark.parametrize(
    "name", [name if name in LABS[:2] else pytest.param(name, marks=pytest.mark.slow) for name in LABS]
)
def test_everything_that_runs_read_is_captured(name: str) -> None:
    lab = Lab.load(name)
    intent = intent_of(lab)
    raw = capture(lab).raw
    with asked() as found:
        runs(lab, intent)
        if name == "three_hosts":
            rolled(lab, intent)
    known = {kind: set(paths) for kind, paths in raw["paths"].items()}
    # Read for alarms that are triggered; a rolling reboot triggers some.
    known |= {kind.__name__.rpartition(".")[2]: set(paths) for kind, paths in ALARMS.items()}
    lacking = {
        (kind, path)
        for kind, _moid, path in found.values
        if kind not in RUN_OWN
        and path not in BY_RUN
        and not _has(known.get(kind) or known.get(BASES.get(kind, "")), path)
    }
    assert lacking == set(), "read by a run, and not in the capture: add it to _vsphere/capture/paths.py"
    reads = {method for method in found.methods if not _writes(method)}
    apart = {method for method in lab.sim.journal.counters.methods if "." in method}
    assert apart <= AUTOMATION, "read over the Automation API or Redfish, and neither captured nor said to be computed"
    assert reads - SESSION - RECORDED - set(COMPUTED) == set(), (
        "asked by a run, neither captured nor said to be computed"
    )


BASES = {
    "VirtualApp": "ResourcePool",
    "OpaqueNetwork": "Network",
    "VmwareDistributedVirtualSwitch": "DistributedVirtualSwitch",
}


def _has(paths: set[str] | None, path: str) -> bool:
    """Whether a path, a part of it or all of its parts is captured: `config.product` has `config.product.version`."""
    return any(path == one or path.startswith((f"{one}.", f"{one}[")) for one in paths or ())


def _writes(method: str) -> bool:
    return method not in READS
