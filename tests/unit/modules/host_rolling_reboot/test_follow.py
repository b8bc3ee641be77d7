# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is renamed or moved while a rolling reboot lasts is the same object in its next slice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.run_owner import make_owner
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.slices import slices
from tests.unit.modules.host_rolling_reboot.lab import MODULE, Roll

pytestmark = pytest.mark.slow


def in_slices(roll: Roll, between: Callable[[Any], None], **more: Any) -> dict[str, Any]:
    """A run in slices of two minutes; something happens after the first one."""
    parts = []

    def call(asked: dict[str, Any], first: bool) -> dict[str, Any]:
        return roll.lab._main(MODULE, {**roll.lab.credentials(), **asked})

    whole: dict[str, Any] = {}
    for part, so_far in slices({**roll.options, **more, "run_id": make_owner()}, 120, call):
        if not parts:
            assert part["ended"] is False, "the run was over before anything could happen"
            between(roll.lab.sim)
        parts.append(part)
        whole = so_far
    return whole


def renamed(kind: str, name: str, to: str) -> Callable[[Any], None]:
    return lambda sim: sim.find(kind, name).set("name", to)


@pytest.mark.parametrize("what", ["cluster", "host"])
def test_a_cluster_and_a_host_that_are_renamed_are_rebooted_to_the_end(what: str) -> None:
    roll = Roll.of(cluster=["compute"])
    between = {
        "cluster": renamed("ClusterComputeResource", "compute", "gpu-east"),
        "host": renamed("HostSystem", "esx-03.lab", "esx-99.lab"),
    }[what]
    result = in_slices(roll, between)
    assert not result.get("failed"), result["msg"]
    assert sum(roll.reboots().values()) == 3


def test_a_vm_that_must_never_be_stopped_is_protected_under_its_new_name() -> None:
    """It is renamed after the first slice; by its name alone nothing would protect it any more."""
    roll = Roll.pinned(pinned_vms="shutdown")
    result = in_slices(
        roll, renamed("VirtualMachine", "train-02", "payroll"), never_stop=["train-02"], max_failures="100%"
    )
    told = [entry for entry in roll.lab.sim.journal.calls if entry.method in ("ShutdownGuest", "PowerOffVM_Task")]
    vm = roll.lab.sim.find("VirtualMachine", "payroll")
    assert str(vm.get("runtime.powerState")) == "poweredOn"
    assert vm.moid not in {entry.moid for entry in told}
    assert result["failed"]


def test_a_host_that_leaves_its_cluster_during_the_run_is_still_one_of_its_hosts() -> None:
    roll = Roll.of(cluster=["compute"])
    result = in_slices(roll, lambda sim: None)
    assert set(result["resolved"]["hosts"]) == {host["moid"] for host in result["hosts"]}
    assert result["resolved"]["cluster"] == {
        name: roll.lab.sim.find("ClusterComputeResource", "compute").moid for name in result["resolved"]["cluster"]
    }
