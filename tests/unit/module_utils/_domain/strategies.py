# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts and devices for tests: short builders, and hypothesis strategies that make odd ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.facts import Gap, Listing
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.overrides import full_form
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.passthrough import DesiredPassthrough
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.selector import (
    DesiredDevice,
    Selector,
    parse_desired_devices,
    refuse_contradictions,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import (
    DeviceUser,
    Disk,
    Host,
    HostCapabilities,
    HostDevice,
    HostFabric,
    PhysicalNic,
    Sriov,
    StorageAdapter,
    Switch,
)

A100 = MappingProxyType({"vendor_id": "10de", "device_id": "20f1", "class_id": "0302", "name": "NVIDIA A100-PCIE-40GB"})
A40 = MappingProxyType({"vendor_id": "10de", "device_id": "2235", "class_id": "0302", "name": "NVIDIA A40"})
AUDIO = MappingProxyType({"vendor_id": "10de", "device_id": "10f0", "class_id": "0403", "name": "GA100 Audio"})
X710 = MappingProxyType(
    {"vendor_id": "8086", "device_id": "1572", "class_id": "0200", "name": "Ethernet Controller X710 for 10GbE SFP+"}
)
NVME = MappingProxyType({"vendor_id": "144d", "device_id": "a808", "class_id": "0108", "name": "NVMe SSD PM983"})
USB = MappingProxyType(
    {"vendor_id": "8086", "device_id": "a1af", "class_id": "0c03", "name": "USB 3.0 xHCI Controller"}
)
ASPEED = MappingProxyType(
    {"vendor_id": "1a03", "device_id": "2000", "class_id": "0300", "name": "ASPEED Graphics Family"}
)
FPGA = MappingProxyType({"vendor_id": "10ee", "device_id": "903f", "class_id": "0580", "name": "Alveo U250"})
BRIDGE = MappingProxyType(
    {"vendor_id": "8086", "device_id": "2030", "class_id": "0604", "name": "PCI Express Root Port A"}
)
MODELS = (A100, A40, AUDIO, X710, NVME, USB, ASPEED, FPGA)

OFF = MappingProxyType({"capable": True})
PENDING_ENABLE = MappingProxyType({"capable": True, "enabled": True})
ACTIVE = MappingProxyType({"capable": True, "enabled": True, "active": True})
PENDING_DISABLE = MappingProxyType({"capable": True, "active": True})
UNAVAILABLE: dict[str, bool] = {}
STALE = MappingProxyType({"enabled": True})
REBINDS = HostCapabilities(rebind_without_reboot=True, hardware_labels=True, assignable_hardware=True)

EMPTY_FABRIC = HostFabric(boot_disk_known=True, boots_from_usb=False)
"""A host read deeply that lives on none of its devices."""


def device(address: str, model: Mapping[str, str] = A100, state: Mapping[str, bool] = OFF, **more: Any) -> HostDevice:
    return HostDevice(address=address, **{**model, **state, **more})


def host(*devices: HostDevice, name: str = "esx-01", fabric: HostFabric | None = EMPTY_FABRIC, **more: Any) -> Host:
    given = {"moid": f"host-{name}", "capabilities": REBINDS, **more}
    return Host(name=name, devices=devices, fabric=fabric, **given)


def desired(*hosts: Host, devices: list[Any], **more: Any) -> DesiredPassthrough:
    """The same devices wished on each host."""
    return DesiredPassthrough(devices={each.moid: parse_desired_devices(devices) for each in hosts}, **more)


# --- strategies -------------------------------------------------------------------------------------------------------

_flags = st.sampled_from([OFF] * 6 + [ACTIVE] * 3 + [PENDING_ENABLE, PENDING_DISABLE, UNAVAILABLE, STALE])
_labels = st.sampled_from([None, None, None, "left", "right"])
hex_ids = st.integers(0, 0xFFFF).map(lambda number: f"{number:04x}")


@st.composite
def addresses(draw: st.DrawFn, *, domains: int = 0xFFFF) -> str:
    parts = draw(st.tuples(st.integers(0, domains), st.integers(0, 255), st.integers(0, 31), st.integers(0, 7)))
    return "{:04x}:{:02x}:{:02x}.{}".format(*parts)


@st.composite
def device_lists(draw: st.DrawFn) -> tuple[HostDevice, ...]:
    """Up to five cards of one or two functions each, behind up to two bridges, in any state, in any order."""
    bridges = ["0000:00:01.0", "0000:00:02.0"]
    models = st.sampled_from(draw(st.lists(st.sampled_from(MODELS), min_size=1, max_size=3)))
    devices = [device(address, BRIDGE, UNAVAILABLE, dependent_device=address) for address in bridges]
    for number in range(draw(st.sampled_from([5, 4, 3, 2, 1, 0]))):
        bridge = draw(st.sampled_from(bridges))
        functions = [f"0000:{0x3B + number:02x}:00.{index}" for index in range(draw(st.integers(1, 2)))]
        for address in functions:
            made = device(
                address,
                draw(models),
                draw(_flags),
                parent_bridge=bridge,
                dependent_device=draw(
                    st.sampled_from([None, address, address, address, functions[0], functions[-1], bridge])
                ),
                label=draw(_labels),
                slot=draw(st.sampled_from([None, str(number)])),
                sriov=draw(st.sampled_from([None] * 7 + [Sriov(capable=True, enabled=True, requested=8)])),
            )
            devices.append(made)
    return tuple(draw(st.permutations(devices)))


@st.composite
def fabrics(draw: st.DrawFn, devices: tuple[HostDevice, ...]) -> HostFabric:
    """What such a host might live on: any of its NICs as uplinks, any of its storage with a disk in any use."""
    nics = [d for d in devices if d.class_id == X710["class_id"]]
    pnics = tuple(PhysicalNic(device=f"vmnic{number}", address=d.address) for number, d in enumerate(nics))
    services = st.sampled_from([(), ("management",), ("management", "vmotion"), ("vsan",), ("storage",)])
    switches = tuple(
        Switch(
            name=f"vSwitch{number}",
            uplinks=tuple(nic.device for nic in pnics if draw(st.booleans())),
            services=frozenset(draw(services)),
        )
        for number in range(draw(st.integers(0, 2)))
    )
    storage = [d for d in devices if d.class_id == NVME["class_id"]]
    disks = tuple(
        Disk(
            name=f"naa.{number}",
            local=draw(st.sampled_from([True, False, None])),
            partitioned=draw(st.sampled_from([True, False, None])),
            uses=draw(st.sampled_from([(), (), ("holds datastore fast01",)])),
            is_boot=draw(st.booleans()),
        )
        for number in range(len(storage))
    )
    adapters = tuple(
        StorageAdapter(device=f"vmhba{number}", address=d.address, driver="nvme_pcie", disks=(f"naa.{number}",))
        for number, d in enumerate(storage)
    )
    gaps = st.sampled_from([(), (), (Gap(path="config.some.path"),)])
    return HostFabric(
        nics=Listing(pnics, gaps=draw(gaps)),
        switches=Listing(switches, gaps=draw(gaps)),
        adapters=Listing(adapters, gaps=draw(gaps)),
        disks=Listing(disks, gaps=draw(gaps)),
        boot_disk_known=any(disk.is_boot for disk in disks),
        boots_from_usb=draw(st.sampled_from([None, False, True])),
        vsan_esa=draw(st.booleans()),
    )


@st.composite
def hosts(draw: st.DrawFn, *, name: str = "esx-01") -> Host:
    devices = draw(device_lists())
    used = draw(st.sets(st.sampled_from([d.address for d in devices]), max_size=2)) if devices else set()
    users = {a: (DeviceUser(vm="train-01", moid="vm-1", powered_on=draw(st.booleans()), fixed=True),) for a in used}
    return host(
        *devices,
        name=name,
        fabric=draw(st.one_of(st.just(EMPTY_FABRIC), st.none(), fabrics(devices))),
        capabilities=HostCapabilities(
            rebind_without_reboot=draw(st.sampled_from([None, False, True])),
            hardware_labels=draw(st.sampled_from([None, True, True])),
        ),
        users=users,
        connection_state=draw(st.sampled_from(["connected"] * 19 + ["notResponding"])),
    )


def fleets(size: int = 3) -> st.SearchStrategy[tuple[Host, ...]]:
    return st.tuples(*(hosts(name=f"esx-{number:02d}") for number in range(1, size + 1)))


_loose_selectors = st.one_of(
    st.sampled_from(["01", "02", "03", "0302", "0108"]).map(lambda prefix: Selector(class_id=prefix)),
    st.sampled_from(["nvidia*", "*X710*", "*"]).map(lambda pattern: Selector(name=pattern)),
    st.sampled_from(["0", "1", "2"]).map(lambda slot: Selector(slot=slot)),
    st.sampled_from(["left", "right"]).map(lambda label: Selector(label=label)),
)


def _selectors(fleet: tuple[Host, ...]) -> st.SearchStrategy[Selector]:
    """Mostly such that something of the fleet is meant."""
    present = [d for each in fleet for d in each.candidates()]
    if not present:
        return _loose_selectors
    kinds = st.sampled_from(present).map(lambda d: Selector(vendor_id=d.vendor_id, device_id=d.device_id))
    places = st.sampled_from(present).map(
        lambda d: Selector(vendor_id=d.vendor_id, device_id=d.device_id, address=d.address)
    )
    return st.one_of(kinds, kinds, places, _loose_selectors)


def wish_lists(fleet: tuple[Host, ...]) -> st.SearchStrategy[tuple[DesiredDevice, ...]]:
    """Lists of wishes that do not contradict themselves."""
    entry = st.builds(
        DesiredDevice,
        selector=_selectors(fleet),
        count=st.sampled_from([1, None, "all", 2, 3]),
        label=st.sampled_from([None, None, "left", "right"]),
    )
    return st.lists(entry, min_size=1, max_size=3).map(_plain_labels).filter(_is_consistent)


def _plain_labels(desired_devices: list[DesiredDevice]) -> tuple[DesiredDevice, ...]:
    """Where a label chooses, none is set: the list would be refused."""
    if any(entry.selector.label for entry in desired_devices):
        return tuple(replace(entry, label=None) for entry in desired_devices)
    return tuple(desired_devices)


def _is_consistent(desired_devices: tuple[DesiredDevice, ...]) -> bool:
    try:
        refuse_contradictions(desired_devices, "devices", default_is_all=True)
    except InputError:
        return False
    return True


def passthrough_wishes(fleet: tuple[Host, ...]) -> st.SearchStrategy[DesiredPassthrough]:
    places = [f"{each.name}/{d.address}" for each in fleet for d in each.devices]
    some = st.sampled_from([*places, *(full_form(each, d.address) for each in fleet for d in each.devices)])
    return st.builds(
        DesiredPassthrough,
        devices=wish_lists(fleet).map(lambda desired_devices: {each.moid: desired_devices for each in fleet}),
        state=st.sampled_from(["enabled", "enabled", "disabled"]),
        apply=st.sampled_from(["auto", "now", "reboot"]),
        on_missing=st.sampled_from(["skip", "skip", "fail"]),
        allow_protected=st.lists(some, max_size=4).map(tuple),
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[tuple[Host, ...], DesiredPassthrough]:
    """A fleet and what somebody wants of it."""
    fleet = draw(fleets(draw(st.integers(1, 2))))
    return fleet, draw(passthrough_wishes(fleet))
