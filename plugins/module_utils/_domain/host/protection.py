# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Protected devices: the devices that a host depends on, and why. PRIVATE to the collection.

The API itself rejects at most the uplink of a virtual switch. It passes through the boot disk without any warning. So this check is needed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..facts import Fact, Gap, Listing, Unknown, gaps_of
from ..observed.hosts import Disk, Host, HostDevice, HostFabric, PhysicalNic, StorageAdapter, Switch, dependency_groups
from ..pci import (
    ACCELERATOR_CLASS,
    DISPLAY_CLASS,
    FIBRE_CHANNEL_CLASS,
    MEMORY_CLASS,
    NETWORK_CLASS,
    STORAGE_CLASS,
    USB_CLASS,
    VGA_CLASS,
)

NVME_CLASS = "0108"
MANAGEMENT = "management"
_CONSOLE_VENDORS = {"102b": "a Matrox", "1a03": "an ASPEED"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Protection:
    """One reason why a device is protected. ``code``: for programs. ``reason``: a clause. ``hard``: no override is possible."""

    code: str
    reason: str
    hard: bool = False


_Found: TypeAlias = Iterator[tuple[str, Protection]]


def protections(host: Host) -> Mapping[str, tuple[Protection, ...]]:
    """Address → reasons why the device must stay with the host, hard ones first. An address without reasons is not protected.

    A device in the reset group of a protected device is protected too. When a fact was not read, every device that it could be about is
    protected. Raises ValueError (programming error) when the host was read without its fabric.
    """
    if host.fabric is None:
        raise ValueError(f"protections of {host.name} requested, but it was read without its fabric")
    found: dict[str, set[Protection]] = {}
    for rule in (
        _bridges,
        _memory,
        _virtual_functions,
        _nics,
        _storage,
        _unreached,
        _no_disks,
        _esa,
        _usb,
        _graphics,
        _gaps,
    ):
        for address, protection in rule(host, host.fabric):
            found.setdefault(address, set()).add(protection)
    reset_group = _reset_group(host)
    for address, protection in (*_last_management(host, host.fabric, reset_group), *_inherited(found, reset_group)):
        found.setdefault(address, set()).add(protection)
    present = {device.address for device in host.devices}
    return {address: tuple(sorted(found[address], key=_rank)) for address in sorted(present & found.keys())}


def cautions(host: Host) -> Mapping[str, tuple[str, ...]]:
    """Address → warnings about passing the device through. The host does not depend on these devices."""
    notes: dict[str, list[str]] = {}
    displays = [device for device in host.candidates() if device.class_id == VGA_CLASS]
    for device in displays:
        maker = _CONSOLE_VENDORS.get(device.vendor_id)
        if maker or len(displays) == 1:
            what = f"{maker} management display" if maker else "the only VGA device of the host"
            notes.setdefault(device.address, []).append(
                f"it is {what} and probably shows the console, which then seems to hang while ESXi starts"
            )
    for gpu in host.fabric.graphics.read if host.fabric else ():
        if not gpu.vms:
            notes.setdefault(gpu.address, []).append(
                "it is configured for sharing (vGPU), which ends when it is passed through"
            )
    return {address: tuple(notes[address]) for address in sorted(notes)}


def management_addresses(host: Host) -> frozenset[str]:
    """Addresses of the management uplinks that have a link and stay with the host at the next boot.

    When no switch is known to carry management traffic, every uplink counts. When none of the uplinks has a link, the link states are
    wrong, because the host is connected; then all of them count.
    """
    fabric = host.fabric
    if fabric is None:
        return frozenset()
    leaving = {device.address for device in host.devices if device.enabled}
    staying = {nic for nic in _management_nics(fabric) if nic.address not in leaving}
    return frozenset(nic.address for nic in staying if nic.link) or frozenset(nic.address for nic in staying)


def _management_nics(fabric: HostFabric) -> frozenset[PhysicalNic]:
    switches = fabric.switches.read
    carrying = [switch for switch in switches if MANAGEMENT in switch.services] or switches
    uplinks = {uplink for switch in carrying for uplink in switch.uplinks}
    return frozenset(nic for nic in fabric.nics.read if nic.device in uplinks)


def _rank(protection: Protection) -> tuple[bool, str, str]:
    return (not protection.hard, protection.code, protection.reason)


def _bridges(host: Host, _fabric: HostFabric) -> _Found:
    for device in host.devices:
        if device.is_bridge:
            yield device.address, Protection(code="bridge", reason="it is a PCI bridge", hard=True)


def _memory(host: Host, _fabric: HostFabric) -> _Found:
    for device in host.devices:
        if device.class_id.startswith(MEMORY_CLASS):
            yield device.address, Protection(code="memory_controller", reason="it is a memory controller")


def _virtual_functions(host: Host, _fabric: HostFabric) -> _Found:
    for device in host.devices:
        sriov = device.sriov
        if sriov is not None and (sriov.enabled or sriov.active):
            count = max(sriov.requested, sriov.current)
            reason = f"it provides SR-IOV virtual functions ({count}), which disappear when it is passed through"
            yield device.address, Protection(code="sriov_in_use", reason=reason)


def holds_disks(device: HostDevice) -> bool:
    """True when disks may be attached to the device, so that their partition tables decide whether it is protected."""
    return device.class_id.startswith((STORAGE_CLASS, USB_CLASS))


def _nics(_host: Host, fabric: HostFabric) -> _Found:
    """Uplinks of any switch. The reason names the host services that the switch carries."""
    for nic in fabric.nics.read:
        for switch in fabric.switches.read:
            if nic.device not in switch.uplinks:
                continue
            only = len(switch.uplinks) == 1
            reason = f"{nic.device} is {'the only' if only else 'an'} uplink of {_switch(switch)}"
            yield nic.address, Protection(code="uplink_in_service" if switch.services else "uplink", reason=reason)


def _switch(switch: Switch) -> str:
    kind = "" if switch.kind == "standard" else f"{switch.kind} switch "
    carries = f", which carries {', '.join(sorted(switch.services))}" if switch.services else ""
    return f"{kind}{switch.name}{carries}"


def _last_management(host: Host, fabric: HostFabric, reset_group: Mapping[str, frozenset[str]]) -> _Found:
    """Devices without which, together with their reset groups, the host has no management uplink. No override is possible."""
    left = management_addresses(host)
    names = ", ".join(sorted(nic.device for nic in fabric.nics.read if nic.address in left))
    has_link = any(nic.link for nic in fabric.nics.read if nic.address in left)
    for address, others in reset_group.items():
        together = {address, *others}
        if left and (left <= together if has_link else not left.isdisjoint(together)):
            reason = f"{names} is the last management uplink of the host"
            if not has_link:
                reason = f"one of {names} is the last management uplink of the host; none of them reports a link"
            yield address, Protection(code="last_management_uplink", reason=reason, hard=True)


def _storage(_host: Host, fabric: HostFabric) -> _Found:
    disks = {disk.name: disk for disk in fabric.disks.read}
    for adapter in fabric.adapters.read:
        for name in adapter.disks:
            protection = _disk_reason(adapter, name, disks.get(name), fabric)
            if protection is not None:
                yield adapter.address, protection


def _disk_reason(adapter: StorageAdapter, name: str, disk: Disk | None, fabric: HostFabric) -> Protection | None:
    """Why the disk protects its adapter. A disk that could not be read counts as in use."""
    through = f"{adapter.device} leads to {name}"
    if disk is None:
        return Protection(code="disk_unknown", reason=f"{through}, which could not be read")
    if disk.is_boot:
        uses = " and ".join(disk.uses) or "is the disk ESXi boots from"
        return Protection(code="boot_disk", reason=f"{through}, which {uses}")
    if disk.uses:
        return Protection(code="disk_in_use", reason=f"{through}, which {' and '.join(disk.uses)}")
    if disk.local is not False and disk.partitioned is not False:
        state = "which has partitions" if disk.partitioned else "whose partitions are unknown"
        return Protection(code="disk_partitioned", reason=f"{through}, {state}: they may hold ESXi or data")
    if not fabric.boot_disk_known and not fabric.boots_from_usb:
        what = "a network disk that the host may boot from" if disk.local is False else "a local disk"
        reason = f"{through}, {what}, and the boot disk of this host is unknown"
        return Protection(code="boot_disk_unknown", reason=reason)
    return None


def _unreached(host: Host, fabric: HostFabric) -> _Found:
    """A disk that may be in use but is listed for no adapter may be behind any storage controller."""
    for name, what in _hidden(fabric):
        for device in host.devices:
            if device.class_id.startswith((STORAGE_CLASS, FIBRE_CHANNEL_CLASS)):
                reason = f"the host does not report which controller leads to {name}, {what}"
                yield device.address, Protection(code="disk_unreached", reason=reason)


def _hidden(fabric: HostFabric) -> Iterator[tuple[str, str]]:
    """Disks that may be in use but that no adapter leads to: name, and a clause about the disk."""
    reached = {name for adapter in fabric.adapters.read for name in adapter.disks}
    for disk in fabric.disks.read:
        if disk.name in reached:
            continue
        if disk.uses or disk.is_boot:
            yield disk.name, f"which {' and '.join(disk.uses) or 'is the disk ESXi boots from'}"
        elif disk.local is not False and disk.partitioned is not False:
            yield disk.name, "which has partitions" if disk.partitioned else "whose partitions are unknown"
    for name in fabric.hidden_disks:
        if name not in reached:
            yield name, "which is in use"


def _no_disks(host: Host, fabric: HostFabric) -> _Found:
    """A local controller without known disks may be the controller of a boot disk that was not found."""
    if fabric.boot_disk_known or fabric.boots_from_usb:
        return
    for adapter in fabric.adapters.read:
        if not adapter.disks and not adapter.remote:
            reason = f"no disk of {adapter.device} is known, and the boot disk of this host is unknown"
            yield adapter.address, Protection(code="boot_disk_unknown", reason=reason)


def _esa(host: Host, fabric: HostFabric) -> _Found:
    """The API does not list the devices of vSAN ESA, so any NVMe device of such a host may belong to it."""
    if not isinstance(fabric.vsan_esa, Unknown) and fabric.vsan_esa:
        for device in host.devices:
            if device.class_id.startswith(NVME_CLASS):
                reason = "the host runs vSAN ESA, which may use any of its NVMe devices"
                yield device.address, Protection(code="vsan_esa", reason=reason)


def _usb(host: Host, fabric: HostFabric) -> _Found:
    """The API does not report the controller of a USB disk, so one disk in use protects all USB controllers (KB 1021345)."""
    disks = {disk.name: disk for disk in fabric.disks.read}
    on_usb = [
        name
        for adapter in fabric.adapters.read
        if "usb" in adapter.driver.lower()
        for name in adapter.disks
        if (disk := disks.get(name)) is None or disk.uses or disk.is_boot
    ]
    if fabric.boots_from_usb:
        reason = "the host boots from a USB device or an SD card, which may be on any USB controller"
    elif on_usb:
        reason = f"the USB disk {on_usb[0]} is in use, and it may be on any USB controller"
    elif fabric.boots_from_usb is None and not fabric.boot_disk_known:
        reason = "the boot disk of this host is unknown, so it may be on USB"
    else:
        return
    for device in host.devices:
        if device.class_id.startswith(USB_CLASS):
            yield device.address, Protection(code="usb_boot", reason=reason)


def _graphics(_host: Host, fabric: HostFabric) -> _Found:
    for gpu in fabric.graphics.read:
        if gpu.vms:
            reason = f"it is shared as vGPU by {', '.join(sorted(gpu.vms))}"
            yield gpu.address, Protection(code="vgpu_in_use", reason=reason)


_DISKS = (STORAGE_CLASS, FIBRE_CHANNEL_CLASS, USB_CLASS)
GUARDED: Mapping[str, tuple[str, ...]] = {
    "nics": (NETWORK_CLASS,),
    "switches": (NETWORK_CLASS,),
    "adapters": _DISKS,
    "disks": _DISKS,
    "vsan_esa": (NVME_CLASS,),
    "graphics": (DISPLAY_CLASS, ACCELERATOR_CLASS),
}
"""Fact of the fabric → PCI classes of the devices that are protected when the fact is unknown or incomplete."""


def fabric_gaps(fabric: HostFabric) -> Mapping[str, tuple[Gap, ...]]:
    """Fact → why it is unknown or incomplete. Facts that are known in full are left out."""
    facts: dict[str, Listing[Any] | Fact[Any]] = {name: getattr(fabric, name) for name in GUARDED}
    return {name: gaps_of(fact) for name, fact in facts.items() if gaps_of(fact)}


def _gaps(host: Host, fabric: HostFabric) -> _Found:
    """When a fact could not be read, every device that it could be about may be in use."""
    for name, gaps in fabric_gaps(fabric).items():
        why = " and ".join(str(gap) for gap in gaps)
        for device in host.devices:
            if device.class_id.startswith(GUARDED[name]):
                yield device.address, Protection(code="fabric_unread", reason=f"{why}, so it may be in use")


def _reset_group(host: Host) -> Mapping[str, frozenset[str]]:
    """Address → other addresses that are affected with it: its reset group, and all devices behind the bridge that the reset affects."""
    by_address = {device.address: device for device in host.devices}
    result = {}
    for address, group in dependency_groups(host.devices).items():
        along = {member.address for member in group}
        roots = {member.dependent_device for member in group}
        bridges = {root for root in roots if root in by_address and by_address[root].is_bridge}
        if bridges:
            along |= {d.address for d in host.candidates() if not bridges.isdisjoint(_above(d, by_address))}
        result[address] = frozenset(along - {address})
    return result


def _above(device: HostDevice, by_address: Mapping[str, HostDevice]) -> Collection[str]:
    """The bridges above a device, nearest first."""
    path: list[str] = []
    parent = device.parent_bridge
    while parent is not None and parent not in path:
        path.append(parent)
        parent = by_address[parent].parent_bridge if parent in by_address else None
    return path


def _inherited(found: Mapping[str, Iterable[Protection]], reset_group: Mapping[str, frozenset[str]]) -> _Found:
    """Protections that a device gets from the other devices of its reset group."""
    own = {address: tuple(reasons) for address, reasons in found.items()}
    for address, others in reset_group.items():
        for other in others:
            for protection in own.get(other, ()):
                reason = f"it shares a reset with {other}: {protection.reason}"
                yield address, Protection(code=protection.code, reason=reason, hard=protection.hard)
