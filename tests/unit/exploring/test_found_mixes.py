# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the random search over all kinds of devices found, each as small as it gets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.exploring.mixed_run import MixedSite, opened
from tests.unit.exploring.random_mixes import Mix
from tests.unit.modules.harness import Lab

T4 = {"match": "10de:1eb8"}
WINDOW = {"pciPassthru.use64bitMMIO": "TRUE", "pciPassthru.64bitMMIOSizeGB": "256"}


@contextmanager
def site(
    host: dict[str, Any],
    knobs: dict[str, Any] | None = None,
    machines: tuple[dict[str, Any], ...] = (),
    others: tuple[dict[str, Any], ...] = (),
    drs: Any = "fullyAutomated",
    **intent: Any,
) -> Iterator[MixedSite]:
    cluster = {
        "name": "c",
        "drs": drs,
        "hosts": [{"name": "esx.lab", **host}, *others],
        "vms": [{"host": "esx.lab", **vm} for vm in machines],
    }
    lab = {"kind": "vcenter", "version": "8.0.3", "knobs": knobs or {}}
    lab["datacenters"] = [{"name": "DC1", "clusters": [cluster]}]
    usual: dict[str, Any] = {"number": "", "targets": [], "graphics": [], "vms": [], "on_missing": "fail"}
    with opened(Mix(lab=lab, **{**usual, **intent}), Lab.load(lab)) as made:
        yield made


def test_a_host_whose_graphics_alone_are_desired_is_not_rebooted_for_its_card() -> None:
    """The policy needs no reboot. The second run rebooted for the card that waits, which nobody desires, and drift had said in sync."""
    graphics = [{"cluster": ["c"], "assignment_policy": "consolidation"}]
    cards = ["a100", {"card": "t4", "enabled": True, "active": False}]
    with site({"cards": cards, "shared_gpus": ["a100"]}, graphics=graphics) as found:
        plan, made = found.plan(), found.site()
        assert made.changes("reboot") == plan.changes("reboot") == []
        assert found.drift()["settled"]
        assert not found.site().changed


def test_virtual_functions_that_never_come_require_no_reboot_of_a_run_that_does_not_want_them() -> None:
    """Two of six exist. Nobody desires a number, so they are no reason: the roles said that a reboot is required, and none followed."""
    host = {"cards": ["x710", "t4"], "states": {"0000:3b:00.1": {"virtual_functions": 2}}}
    more = [{"hosts": ["esx.lab"], "devices": [{"vmnic": "vmnic3", "virtual_functions": 6}]}]
    with site(host, targets=[{"cluster": ["c"], "devices": [T4]}], before=more) as found:
        plan, made = found.plan(), found.site()
        for run in (plan, made, found.site()):
            assert run.phases["enable"]["reboot_required"] == []
            assert run.phases["reboot"]["owing"] == []
        assert plan.changes("enable") == made.changes("enable") != []
        assert found.drift()["settled"]


@pytest.mark.parametrize(("kind", "refused"), [("shared", True), ("sharedDirect", False)])
def test_a_vm_with_vgpus_that_its_entry_does_not_name_is_powered_on_only_where_a_gpu_provides_them(
    kind: str, refused: bool
) -> None:
    """Nothing provides the vGPU. The plan said that the VM is powered on, and the power-on failed (NoCompatibleHost)."""
    host = {
        "cards": ["a100", {"card": "t4", "enabled": True}],
        "shared_gpus": {"a100": {"type": kind}},
    }
    vm = {"name": "vm", "memory_gb": 4, "version": 20, "locked": True, "devices": [{"vgpu": "grid_a100-10c"}]}
    wanted = [{"name": "vm", "devices": [T4], "power": "on", "mmio": {}}]
    with site(host, machines=(vm,), vms=wanted) as found:
        plan, made = found.plan(), found.site()
        assert (bool(plan.trouble), bool(made.trouble)) == (refused, refused)
        assert made.changes("attach") == plan.changes("attach")
        assert found.drift()["settled"] is not refused
        assert not found.site().changed
        assert (found.lab.writes() == []) is refused


PAIR = "Nvidia:2@grid_a100-40c%NVLink"
SHARED: dict[str, Any] = {
    "cards": ["a100", {"card": "a100", "at": "86"}],
    "shared_gpus": {"a100": {"type": "sharedDirect"}},
}
GROUPS = [{"name": PAIR, "parts": [{"vgpu": "grid_a100-40c"}, {"vgpu": "grid_a100-40c"}]}]


@pytest.mark.parametrize("named", [True, False], ids=["named", "kept"])
@pytest.mark.parametrize(("drs", "refused"), [(False, True), ("fullyAutomated", False)])
def test_a_vm_is_powered_on_with_a_group_only_where_a_host_offers_it(drs: Any, refused: bool, named: bool) -> None:
    """The group was looked up in the cluster. Only the other host offers it, and DRS is off: the VM was stopped and could not start."""
    vm: dict[str, Any] = {"name": "vm", "memory_gb": 4, "version": 20, "locked": True}
    wanted: dict[str, Any] = {"name": "vm", "devices": [{"group": PAIR}], "power": "on", "mmio": {}}
    if named:
        vm |= {"power": "on"}
        wanted |= {"power": "cycle", "allow_power_off": True}
    else:
        vm |= {"devices": [{"group": PAIR}]}
        wanted |= {"devices": [], "sriov_networks": [], "state": "exactly"}
    other = {"name": "other.lab", **SHARED, "device_groups": GROUPS}
    here = {**SHARED, "device_groups": GROUPS}
    with site(here, machines=(vm,), others=(other,), drs=drs, vms=[wanted]) as found:
        host = found.lab.sim.find("HostSystem", "esx.lab")
        host.spec = replace(host.spec, groups=())
        plan, made = found.plan(), found.site()
        assert (bool(plan.trouble), bool(made.trouble)) == (refused, refused)
        assert (found.lab.writes() == []) is refused
        if refused:
            told = made.phases["attach"]
            assert told["error_code"] == "unknown_group"
            assert f"offers 1 x {PAIR} (esx.lab). DRS of c is off, so the VM starts on esx.lab" in told["msg"]
        else:
            assert found.places()["vm"] == "other.lab"
        assert not found.site().changed


def test_a_group_whose_only_host_is_in_maintenance_mode_is_refused_before_the_vm_is_stopped() -> None:
    vm = {"name": "vm", "memory_gb": 4, "version": 20, "locked": True, "power": "on"}
    wanted = [{"name": "vm", "devices": [{"group": PAIR}], "power": "cycle", "allow_power_off": True, "mmio": {}}]
    other = {"name": "other.lab", **SHARED, "device_groups": GROUPS, "maintenance": True}
    with site(SHARED, machines=(vm,), others=(other,), vms=wanted) as found:
        plan, made = found.plan(), found.site()
        assert plan.trouble == made.trouble == "refused"
        assert made.phases["attach"]["error_code"] == "no_free_device"
        assert "no host has them free now (other.lab)" in made.phases["attach"]["msg"]
        assert found.lab.writes() == []


CONTROL = {"card": "x710", "at": "3b", "uplinks": {1: "vSwitch1"}}
FUNCTIONS: dict[str, Any] = {
    "cards": [CONTROL, "a100"],
    "switches": {"vSwitch1": ["control"]},
    "states": {"0000:3b:00.1": {"virtual_functions": 2}},
}
"""A host with virtual functions. Its GPUs provide no vGPUs."""
NOT_FREE = "no host where it may run has them all free now"


@pytest.mark.parametrize("adapter", ["auto", "vmnic3"])
@pytest.mark.parametrize("on", [True, False], ids=["running", "off"])
@pytest.mark.parametrize("both", [False, True], ids=["apart", "together"])
def test_a_vm_with_an_adapter_gets_vgpus_only_where_one_host_has_both(both: bool, on: bool, adapter: str) -> None:
    """One host had the vGPUs, the other one the virtual functions, and the VM was stopped and could not start."""
    vm: dict[str, Any] = {"name": "vm", "memory_gb": 4, "version": 20, "locked": True}
    vm |= {"devices": [{"sriov": adapter, "network": "control"}], "extra": WINDOW}
    wanted = {"name": "vm", "devices": [{"vgpu": "grid_a100-10c"}], "power": "cycle" if on else "on", "mmio": {}}
    wanted |= {"allow_power_off": True} if on else {}
    other = {"name": "other.lab", "cards": [CONTROL, "a100"], "shared_gpus": {"a100": {"type": "sharedDirect"}}}
    other |= {"switches": {"vSwitch1": ["control"]}}
    if both:
        other |= {"states": FUNCTIONS["states"]}
    with site(FUNCTIONS, machines=({**vm, "power": "on" if on else "off"},), others=(other,), vms=[wanted]) as found:
        plan, made = found.plan(), found.site()
        assert (bool(plan.trouble), bool(made.trouble)) == (not both, not both), made.told
        assert plan.changes("attach") == made.changes("attach")
        if both:
            assert found.places()["vm"] == "other.lab"
        else:
            assert found.lab.writes() == []
            told = made.phases["attach"]
            assert told["error_code"] == "no_free_device"
            assert (
                f"needs 1 x grid_a100-10c, virtual functions for its SR-IOV network adapters on one host, but {NOT_FREE}"
                in told["msg"]
            )
        assert not found.site().changed


@pytest.mark.parametrize("both", [False, True], ids=["apart", "together"])
def test_a_vm_gets_a_card_and_a_vgpu_only_where_one_host_has_both(both: bool) -> None:
    vm = {"name": "vm", "memory_gb": 4, "version": 20, "locked": True, "power": "on"}
    devices = [T4, {"vgpu": "grid_a100-10c"}]
    wanted = {"name": "vm", "devices": devices, "power": "cycle", "allow_power_off": True, "mmio": {}}
    wanted |= {"backing": "dynamic"}
    card = {"card": "t4", "enabled": True}
    other: dict[str, Any] = {"name": "other.lab", **SHARED}
    if both:
        other |= {"cards": [*SHARED["cards"], card]}
    with site({"cards": [card]}, machines=(vm,), others=(other,), vms=[wanted]) as found:
        plan, made = found.plan(), found.site()
        assert (bool(plan.trouble), bool(made.trouble)) == (not both, not both), made.told
        if both:
            assert found.places()["vm"] == "other.lab"
        else:
            assert found.lab.writes() == []
            assert f"needs 1 x 10de:1eb8, 1 x grid_a100-10c on one host, but {NOT_FREE}" in made.phases["attach"]["msg"]


@pytest.mark.parametrize("at_once", [1, 4])
def test_drs_does_not_give_a_vm_the_cards_of_the_only_host_of_another_one(at_once: int) -> None:
    """The plan had placed the VM with two cards first. The other one was powered on first, and DRS chose the host with two cards for it."""
    card = {"card": "t4", "enabled": True}
    vm = {"memory_gb": 4, "version": 20, "locked": True, "extra": WINDOW}
    machines = ({**vm, "name": "a"}, {**vm, "name": "b", "host": "other.lab"})
    wanted = {"power": "on", "mmio": {}, "backing": "dynamic"}
    entries = [
        {**wanted, "name": "a", "devices": [T4]},
        {**wanted, "name": "b", "devices": [{**T4, "count": 2}]},
    ]
    others = ({"name": "other.lab", "cards": [card]},)
    with site({"cards": [card, {**card, "at": "86"}]}, machines=machines, others=others, vms=entries) as found:
        planned = found._attach(check=True)
        made = found._attach(check=False, max_concurrent=at_once)
        assert not made.get("failed"), made
        assert made["changes"] == planned["changes"]
        assert found.places() == {"a": "other.lab", "b": "esx.lab"}
