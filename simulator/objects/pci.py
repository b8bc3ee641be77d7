# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PCI functions of a host: what they are, where they sit, and how the API shows them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pyVmomi import vim

from ..api import data
from ..rules.pci import device_modes, encoding
from ..rules.pci.passthrough import Passthrough, Sriov


@dataclass(frozen=True, kw_only=True, slots=True)
class Function:
    """One PCI function. Ids are unsigned. `use` says what the host does with it (boot, datastore, uplink ...).

    `dependent` is the address that has to be reset with it: its own, or the bridge it shares with other functions.
    `bar_gb` is the address space its memory needs in a guest; `profiles` the vGPU profiles and how many fit,
    `vf_device` is the device id of its virtual functions, `physical` the card that a virtual function belongs to;
    `mig_profiles` those that another mode of the card would offer, `sriov_vgpu` says that its vGPUs are virtual functions.
    """

    address: str
    class_id: int
    vendor: int
    device: int
    subvendor: int = 0
    subdevice: int = 0
    vendor_name: str
    device_name: str
    class_name: str
    parent: str = ""
    dependent: str
    slot: int = -1
    slot_name: str = ""
    numa: int = 0
    role: str = "other"
    card: str = ""
    capable: bool = True
    resettable: bool = True
    bar_gb: float = 0.0
    max_vfs: int = 0
    vf_device: int = 0
    physical: str = ""
    profiles: tuple[tuple[str, int], ...] = ()
    mig_profiles: tuple[str, ...] = ()
    sriov_vgpu: bool = False
    modes: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """vendor:device in hexadecimal, as `lspci -n` prints it."""
        return f"{self.vendor:04x}:{self.device:04x}"


def optional(cls: type[Any], **values: Any) -> dict[str, Any]:
    """The values whose field the installed pyVmomi knows; older releases lack the newest ones."""
    known = data.fields(cls)
    return {name: value for name, value in values.items() if name in known}


class Layout:
    """The functions of one host model in address order. Hosts that are built alike share one layout and its lists."""

    def __init__(self, functions: Iterable[Function]) -> None:
        self.functions: dict[str, Function] = {
            item.address: item for item in sorted(functions, key=lambda item: encoding.place(item.address))
        }

    @cached_property
    def devices_signed(self) -> Any:
        """`hardware.pciDevice` with bus numbers as signed bytes; one array for all hosts of the layout."""
        return vim.host.PciDevice.Array(pci_device(item, signed=True) for item in self.functions.values())

    @cached_property
    def devices_unsigned(self) -> Any:
        """`hardware.pciDevice` with bus numbers as they are (a knob: the wire form is not published)."""
        return vim.host.PciDevice.Array(pci_device(item, signed=False) for item in self.functions.values())

    @cached_property
    def numa_addresses(self) -> dict[int, list[str]]:
        """NUMA node -> addresses of its devices."""
        nodes: dict[int, list[str]] = {}
        for item in self.functions.values():
            if item.numa >= 0:
                nodes.setdefault(item.numa, []).append(item.address)
        return nodes

    @cached_property
    def off(self) -> tuple[dict[str, Passthrough], Any]:
        """Every device as delivered (nothing enabled), and the array the API shows for it."""
        states = {item.address: delivered(item) for item in self.functions.values()}
        shown = (passthru_info(state, self.functions[key]) for key, state in states.items())
        return states, vim.host.PciPassthruInfo.Array(shown)


def pci_device(item: Function, *, signed: bool) -> Any:
    """One `HostPciDevice`; all ids are signed shorts (API reference)."""
    where = encoding.place(item.address)
    cls = vim.host.PciDevice
    extra = optional(
        cls, physicalSlot=item.slot, slotDescription=item.slot_name or None, deviceClassName=item.class_name
    )
    return data.new(
        cls,
        id=item.address,
        classId=encoding.signed16(item.class_id),
        bus=encoding.signed8(where.bus) if signed else where.bus,
        slot=where.slot,
        function=where.function,
        vendorId=encoding.signed16(item.vendor),
        deviceId=encoding.signed16(item.device),
        subVendorId=encoding.signed16(item.subvendor),
        subDeviceId=encoding.signed16(item.subdevice),
        vendorName=item.vendor_name,
        deviceName=item.device_name,
        parentBridge=item.parent or None,
        **extra,
    )


def delivered(item: Function) -> Passthrough:
    """A device nobody has configured."""
    return Passthrough(
        address=item.address,
        identity=item.identity,
        dependent=item.dependent,
        capable=item.capable,
        resettable=item.resettable,
        physical=item.physical,
        sriov=Sriov(maximum=item.max_vfs) if item.max_vfs else None,
    )


def passthru_info(state: Passthrough, item: Function) -> Any:
    """One element of `pciPassthruInfo`; SR-IOV capable functions come as HostSriovInfo (API reference).

    Bridges are listed too, and a device that cannot be passed through has an empty `dependentDevice` (recorded from 8.0.3).
    """
    cls = vim.host.SriovInfo if state.sriov else vim.host.PciPassthruInfo
    values: dict[str, Any] = {
        "id": state.address,
        "dependentDevice": state.dependent if state.capable else "",
        "passthruEnabled": state.enabled,
        "passthruCapable": state.capable,
        "passthruActive": state.active,
    }
    values |= optional(cls, hardwareLabel=state.label or None)
    if item.modes:
        values |= optional(cls, directPathState=_direct_path(state, item))
    if state.sriov:
        values |= {
            "sriovEnabled": state.sriov.enabled,
            "sriovCapable": state.capable,
            "sriovActive": state.sriov.active,
            "numVirtualFunctionRequested": state.sriov.requested,
            "numVirtualFunction": state.sriov.present,
            "maxVirtualFunctionSupported": state.sriov.maximum,
        }
    return data.new(cls, **values)


def _direct_path(state: Passthrough, item: Function) -> Any:
    cls = getattr(vim.host.PciPassthruInfo, "DirectPathState", None)
    if cls is None:
        return None
    return data.new(cls, mode=device_modes.configured(state), configurableModes=list(item.modes), usedMemory=0)


def passthru_infos(states: Mapping[str, Passthrough], layout: Layout) -> Any:
    """`pciPassthruInfo` for a host; what nobody touched reuses the shared elements, or the shared array."""
    delivered_states, shared = layout.off
    if states == delivered_states:
        return shared
    return vim.host.PciPassthruInfo.Array(
        shown if states[address] == delivered_states[address] else passthru_info(states[address], item)
        for (address, item), shown in zip(layout.functions.items(), shared, strict=True)
    )


def started(layout: Layout, changes: Mapping[str, Mapping[str, Any]]) -> dict[str, Passthrough]:
    """States a host begins with: as delivered, except for `changes` (address -> field values)."""
    states = dict(layout.off[0])
    for address, values in changes.items():
        states[address] = dataclasses.replace(states[address], **values)
    return states
