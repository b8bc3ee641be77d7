# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each kind of device of a VM must do alike: come, stay, be predicted, go, be mixed with the others, meet its limit, survive a refused
write, and be refused where the API is too old for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from simulator.api import versions
from simulator.rules.vm import devices as device_rules
from tests.unit.modules.harness import Lab
from tests.unit.modules.vm_pci_device.unit_labs import DVX, DVX_CLASSES, GROUP, QUARTER, T4

VF, PORT, NETWORK = "8086:154c", "0000:3b:00.1", "data"
WIDE = {"pciPassthru.use64bitMMIO": "TRUE", "pciPassthru.64bitMMIOSizeGB": "256"}


def site(**vm: Any) -> Lab:
    """A host that has all kinds of devices, each for a few VMs, and a VM."""
    nic = {"card": "x710", "at": "3b", "uplinks": {1: "vSwitch1"}}
    host = {
        "name": "esx-1",
        "memory_gb": 512,
        "cards": [nic, {"card": "a100", "at": "5e"}, {"card": "a100", "at": "86"}]
        + [{"card": "t4", "at": at, "enabled": True} for at in ("af", "b1")],
        "switches": {"vSwitch1": [NETWORK]},
        "states": {PORT: {"virtual_functions": 4}},
        "shared_gpus": {"a100": {"mode": "mixedSize"}},
        "device_groups": [{"name": GROUP, "parts": [{"vgpu": QUARTER}, {"vgpu": QUARTER}]}],
        "dvx_classes": DVX_CLASSES,
    }
    machine = {"name": "vm-1", "host": "esx-1", "memory_gb": 8, "version": 20, "extra": WIDE, **vm}
    clusters = [{"name": "c", "hosts": [host], "vms": [machine]}]
    return Lab.load({"kind": "vcenter", "version": "8.0.3", "datacenters": [{"name": "D", "clusters": clusters}]})


@dataclass(frozen=True, kw_only=True)
class Kind:
    """``option``: one device as the module's options. ``found``: what the simulator calls its devices, and their number. ``too_many``: more
    than the VM or its host can have, and the error code. ``since``: the API version that it needs, and an older one; None: every one."""

    option: dict[str, Any]
    found: Counter[str]
    too_many: dict[str, Any]
    code: str
    since: tuple[str, str] | None = None
    more: dict[str, Any] = field(default_factory=dict)
    module: str = "vm_pci_device"


def card(entry: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"devices": [{**entry, **more}]}


MODEL, FUNCTION = {"match": T4}, {"match": VF, "virtual_function": True}
DVX_DEVICE = {"dvx": {"class": DVX, "parameters": {"mode": "1"}}}
KINDS = {
    "fixed": Kind(
        option=card(MODEL),
        more={"backing": "fixed"},
        found=Counter(fixed=1),
        too_many=card(MODEL, count=3),
        code="no_free_device",
    ),
    "dynamic": Kind(
        option=card(MODEL),
        more={"backing": "dynamic"},
        found=Counter(dynamic=1),
        too_many=card(MODEL, count=3),
        code="no_free_device",
        since=("7.0", "6.7"),
    ),
    "virtual function": Kind(
        option=card(FUNCTION), found=Counter(fixed=1), too_many=card(FUNCTION, count=5), code="no_free_device"
    ),
    "SR-IOV adapter": Kind(
        module="vm_sriov_network",
        option={"sriov_networks": [{"network": NETWORK}]},
        found=Counter(sriov=1),
        too_many={"sriov_networks": [{"network": NETWORK}] * 5, "power": "on"},
        code="no_free_virtual_function",
        since=("5.5", "5.1"),
    ),
    "vGPU": Kind(
        option=card({"vgpu": QUARTER}),
        found=Counter(vgpu=1),
        too_many=card({"vgpu": QUARTER}, count=9),
        code="too_many_devices",
        since=("6.0", "5.5"),
    ),
    "group": Kind(
        option=card({"group": GROUP}),
        found=Counter(vgpu=2),
        too_many=card({"group": GROUP}, count=5),
        code="too_many_devices",
        since=("8.0.0.1", "7.0.3.0"),
    ),
    "DVX": Kind(
        option=card(DVX_DEVICE),
        found=Counter(dvx=1),
        too_many=card(DVX_DEVICE, count=129),
        code="too_many_devices",
        since=("8.0.0.1", "7.0.3.0"),
    ),
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def run(lab: Lab, kind: Kind, **more: Any) -> dict[str, Any]:
    return lab.run(kind.module, vm=["vm-1"], **{**kind.option, **kind.more, **more})


def held(lab: Lab) -> Counter[str]:
    return Counter(device_rules.kinds(lab.sim.find("VirtualMachine", "vm-1").devices))


@each_kind
def test_it_comes_stays_and_goes_as_predicted(kind: str) -> None:
    lab, one = site(), KINDS[kind]
    for state, there in (("present", one.found), ("absent", Counter())):
        before = held(lab)
        checked = run(lab, one, state=state, check=True)
        assert (held(lab), lab.writes().count("ReconfigVM_Task")) == (before, 0)
        made = run(lab, one, state=state)
        assert (made["changed"], made["changes"]) == (True, checked["changes"])
        assert held(lab) == there
        assert lab.writes() == ["ReconfigVM_Task"]
        assert not run(lab, one, state=state)["changed"]
        lab.sim.journal.clear()


@each_kind
def test_exactly_without_it_removes_it(kind: str) -> None:
    lab, one = site(), KINDS[kind]
    run(lab, one)
    empty: dict[str, Any] = {key: [] for key in one.option}
    lab.run(
        one.module,
        vm=["vm-1"],
        **{**empty, "state": "exactly"},
        **({"kinds": "all"} if one.module == "vm_pci_device" else {}),
    )
    assert held(lab) == Counter()


@each_kind
def test_it_stays_as_it_is_beside_all_other_kinds(kind: str) -> None:
    lab, one = site(), KINDS[kind]
    run(lab, one)
    keys = {device.key for device in lab.sim.find("VirtualMachine", "vm-1").devices}
    everything = {
        "devices": [
            *(
                entry
                for each in KINDS.values()
                for entry in each.option.get("devices", ())
                if each is not KINDS["dynamic"]
            )
        ],
        "sriov_networks": KINDS["SR-IOV adapter"].option["sriov_networks"],
    }
    lab.sim.journal.clear()
    checked = lab.run("vm_pci_device", vm=["vm-1"], check=True, **everything)
    made = lab.run("vm_pci_device", vm=["vm-1"], **everything)
    assert made["changes"] == checked["changes"]
    assert lab.writes() == ["ReconfigVM_Task"]
    assert keys <= {device.key for device in lab.sim.find("VirtualMachine", "vm-1").devices}
    assert sum(held(lab).values()) == 7
    assert not lab.run("vm_pci_device", vm=["vm-1"], **everything)["changed"]


@each_kind
def test_more_than_there_can_be_is_refused_before_anything_is_written(kind: str) -> None:
    lab, one = site(), KINDS[kind]
    result = run(lab, one, **one.too_many, fails=True)
    assert (result["error_code"], lab.writes()) == (one.code, [])


@each_kind
def test_a_write_that_is_refused_leaves_the_vm_running_as_it_was(kind: str) -> None:
    lab, one = site(power="on"), KINDS[kind]
    lab.sim.clock.advance(120)
    lab.sim.faults.add(method="ReconfigVM_Task", fault="InvalidDeviceSpec", times=2, in_task=True)
    result = run(lab, one, power="cycle", fails=True)
    assert result["error_code"]
    assert (held(lab), lab.sim.find("VirtualMachine", "vm-1").is_on) == (Counter(), True)
    lab.sim.faults.clear()
    lab.sim.clock.advance(120)
    assert run(lab, one, power="cycle")["changed"]
    assert held(lab) == one.found


@pytest.mark.parametrize("kind", [name for name, one in KINDS.items() if one.since])
def test_a_session_that_is_too_old_for_it_is_named_before_the_vm_is_stopped(kind: str) -> None:
    lab, one = site(power="on"), KINDS[kind]
    assert one.since is not None
    since, older = one.since
    lab.api_version = next(
        each for each in versions.supported(lab.sim.api_version) if versions.version_id(each) == older
    )
    lab.sim.clock.advance(120)
    result = run(lab, one, power="cycle", fails=True)
    refused = {blocker["code"]: blocker["message"] for blocker in result["vms"][0]["blockers"]}
    assert lab.writes() == []
    assert f"this needs API version {since}" in refused["library_too_old"]


@pytest.mark.parametrize("kind", ["vGPU", "group", "DVX"])
def test_what_only_follows_from_an_old_api_is_not_advised(kind: str) -> None:
    """The hosts seem to offer nothing of the kind: "use a group that is offered" and "upgrade the hardware version" would mislead."""
    lab, one = site(), KINDS[kind]
    assert one.since is not None
    lab.api_version = next(
        each for each in versions.supported(lab.sim.api_version) if versions.version_id(each) == one.since[1]
    )
    result = run(lab, one, fails=True)
    assert [blocker["code"] for blocker in result["vms"][0]["blockers"]] == ["library_too_old"]


def test_absent_names_a_device_whose_type_the_session_does_not_know() -> None:
    lab = site()
    lab.run("vm_pci_device", vm=["vm-1"], **KINDS["DVX"].option)
    lab.api_version = next(
        each for each in versions.supported(lab.sim.api_version) if versions.version_id(each) == "7.0.3.0"
    )
    result = lab.run("vm_pci_device", vm=["vm-1"], devices=[{"match": T4}], state="absent")
    (warning,) = result["vms"][0]["warnings"]
    assert "PCI device 0 (unknown), whose type this session does not know" in warning
