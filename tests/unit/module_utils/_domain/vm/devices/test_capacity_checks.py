# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VM is powered on only where one host has all its devices, and a VM with less choice comes first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import Host, Sriov
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.networks import HostNetworks, Network
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.vms import SriovBacking, VmDevice
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.devices.plan import (
    needs_networks,
    plan_vm_devices,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.offers import (
    HostOffer,
    KindLimits,
    Offer,
    Offers,
    SharingGpu,
    VgpuProfile,
)
from tests.unit.module_utils._domain.vm.builders import (
    A100,
    NIC,
    T4,
    WINDOW,
    card,
    codes,
    desired,
    esx,
    guest,
    observed,
)

PROFILE = "grid_a100-10c"
QUARTER = VgpuProfile(name=PROFILE, sharing="timeSliced", memory_gb=10, card_gb=40, model=A100)
CONTROL = Network(moid="net-1", name="control", key="net-1", switch="vSwitch1")
PLACES = {
    "networks": HostNetworks(networks=(CONTROL,), nics={"vmnic3": "0000:3b:00.1"}, uplinks={"vSwitch1": ("vmnic3",)}),
    "without": HostNetworks(),
    "doubt": HostNetworks(unread=("net-1",)),
}


def host(name: str, *kinds: str, **fields: Any) -> Host:
    """``t4``: two cards to pass through. ``vf``: two virtual functions. Each host has a GPU that provides vGPUs if its offer has them."""
    devices = [card("5e:00.0", A100, enabled=False, active=False)]
    devices += [card("af:00.0", T4), card("b1:00.0", T4)] if "t4" in kinds else []
    number = 2 if "vf" in kinds else 0
    sriov = Sriov(capable=True, enabled=bool(number), active=bool(number), requested=number, current=number, maximum=8)
    devices.append(card("3b:00.1", NIC, enabled=False, active=False, sriov=sriov))
    return esx(name, *devices, drs_places_vms=True, **fields)


def known(vms: Any, hosts: dict[str, tuple[str, ...]], networks: dict[str, str] | None = None, **fields: Any) -> Any:
    made = [host(name, *kinds, **fields) for name, kinds in hosts.items()]
    offer = HostOffer(profiles=frozenset({PROFILE}), gpus=(SharingGpu(address="0000:5e:00.0"),))
    offers = Offers(
        clusters={"domain-c1": Offer(offered=frozenset({PROFILE}), known={PROFILE: QUARTER})},
        hosts={f"host-{name}": offer if "vgpu" in kinds else HostOffer() for name, kinds in hosts.items()},
        limits={vm.moid: KindLimits(vgpus=8, backings=frozenset({"vgpu"})) for vm in vms},
    )
    shown = {f"host-{name}": PLACES[word] for name, word in (networks or {}).items()}
    return observed(vms, made, offers=offers, networks=shown)


def vm_with(*devices: VmDevice, name: str = "train-01", **fields: Any) -> Any:
    values: dict[str, Any] = {"hardware_version": 20, "extra_config": WINDOW, "power_state": "poweredOff"}
    return guest(name, *devices, **{**values, **fields})


def adapter(address: str | None = None) -> VmDevice:
    backing = SriovBacking(physical_function=address, automatic=address is None, network="net-1")
    return VmDevice(key=13000, label="SR-IOV network adapter 1", backing=backing)


UNITS, CARDS = {"vgpu": PROFILE}, {"match": T4, "count": 2}


@pytest.mark.parametrize("address", [None, "0000:3b:00.1"])
@pytest.mark.parametrize(
    ("other", "networks", "refused"),
    [
        (("vgpu",), "networks", True),
        (("vgpu", "vf"), "networks", False),
        (("vgpu", "vf"), "without", True),
        (("vgpu", "vf"), "doubt", False),
        (("vgpu",), "", False),
    ],
)
def test_vgpus_and_virtual_functions_are_of_one_host(
    other: tuple[str, ...], networks: str, refused: bool, address: str | None
) -> None:
    """``networks`` empty: they were not read, so whether the adapter works there is unknown."""
    vm = vm_with(adapter(address))
    shown = {"esx-01": "networks", **({"esx-02": networks} if networks else {})}
    seen = known([vm], {"esx-01": ("vf",), "esx-02": other}, shown)
    plan = plan_vm_devices(seen, [desired(vm, UNITS, power="on")])
    (target,) = plan.targets
    assert codes(target) == (["no_free_device"] if refused else [])
    assert needs_networks(plan) == (frozenset() if networks else {vm.moid})
    if refused:
        (blocker,) = target.blockers
        functions = "virtual functions for its SR-IOV network adapters"
        assert blocker.message == (
            f"train-01 needs 1 x {PROFILE}, {functions} on one host, but no host where it may run has them all free now"
        )
        assert blocker.candidates == (
            f"esx-01: does not have free: 1 x {PROFILE}",
            f"esx-02: does not have free: {functions}",
        )


@pytest.mark.parametrize(
    ("hosts", "refused"),
    [
        ({"esx-01": ("t4",), "esx-02": ("vgpu",)}, True),
        ({"esx-01": ("t4",), "esx-02": ("vgpu", "t4")}, False),
        ({"esx-01": ("t4", "vgpu"), "esx-02": ()}, False),
    ],
)
def test_cards_and_vgpus_are_of_one_host(hosts: dict[str, tuple[str, ...]], refused: bool) -> None:
    vm = vm_with()
    (target,) = plan_vm_devices(known([vm], hosts), [desired(vm, CARDS, UNITS, power="on", backing="dynamic")]).targets
    assert codes(target) == (["no_free_device"] if refused else [])


def test_a_host_in_maintenance_mode_is_named_with_that_reason() -> None:
    vm = vm_with()
    seen = known([vm], {"esx-01": ("t4", "vgpu"), "esx-02": ("t4",), "esx-03": ("vgpu",)})
    hosts = tuple(replace(one, in_maintenance_mode=one.name == "esx-01") for one in seen.hosts)
    entry = desired(vm, CARDS, UNITS, power="on", backing="dynamic")
    (target,) = plan_vm_devices(replace(seen, hosts=hosts), [entry]).targets
    assert target.blockers[-1].candidates == (
        "esx-01: in maintenance mode",
        f"esx-02: does not have free: 1 x {PROFILE}",
        "esx-03: does not have free: 2 x 10de:1eb8",
    )


def test_a_vm_that_has_no_choice_comes_before_one_that_has() -> None:
    """Both need one kind that both hosts have. In the order of their names, the first would get the host that the second one needs."""
    first, second = vm_with(name="a"), vm_with(name="b")
    entries = [
        desired(first, CARDS, power="on", backing="dynamic"),
        desired(second, CARDS, UNITS, power="on", backing="dynamic"),
    ]
    seen = known([first, second], {"esx-01": ("t4", "vgpu"), "esx-02": ("t4",)})
    targets = plan_vm_devices(seen, entries).targets
    assert [codes(target) for target in targets] == [[], []]
    assert [target.waits_for for target in targets] == [{second.moid}, frozenset()]


@pytest.mark.parametrize(
    ("hosts", "counts", "waiting"),
    [
        pytest.param({"esx-01": ("t4",), "esx-02": ("t4",)}, (1, 1, 2), ["a", "b"], id="it needs more"),
        pytest.param({"esx-01": ("t4",), "esx-02": ("t4",)}, (2, 2), [], id="they are alike"),
        pytest.param({"esx-01": ("t4",), "esx-02": ()}, (1, 1), [], id="there is one host only"),
        pytest.param(
            {"esx-01": ("t4",), "esx-02": ("t4",)}, (1, 2), [], id="a host is left wherever the other one starts"
        ),
        pytest.param({"esx-01": ("t4",), "esx-02": ("vgpu",)}, (1, 1), [], id="enough for both"),
    ],
)
def test_a_vm_waits_only_where_drs_could_take_what_another_one_needs(
    hosts: dict[str, tuple[str, ...]], counts: tuple[int, ...], waiting: list[str]
) -> None:
    vms = [vm_with(name=name) for name in "abc"[: len(counts)]]
    entries = [
        desired(vm, {"match": T4, "count": count}, power="on", backing="dynamic")
        for vm, count in zip(vms, counts, strict=True)
    ]
    targets = plan_vm_devices(known(vms, hosts), entries).targets
    assert [codes(target) for target in targets] == [[] for _vm in vms]
    assert [target.target for target in targets if target.waits_for] == waiting
