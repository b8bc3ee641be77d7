# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a host or a device of it cannot be changed, in sentences for the person on call. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from ..observed.hosts import Host, HostDevice, UnreadVm
from ..plan import Blocker


def unreachable(host: Host) -> Blocker:
    """The host cannot be planned for: what is known of it is old, or incomplete."""
    if host.connection_state != "connected":
        message = f"{host.name} is {host.connection_state}: what vCenter shows of it is old and nothing can be changed"
        cure = "Bring the host back (power, network, then Connect in vCenter), or leave it out of this run"
    else:
        message = f"{host.name} did not give {', '.join(host.unreadable)}"
        cure = "Check that the account may read this host (System.Read), and that its management agents answer"
    return Blocker(code="host_unreachable", message=message, cure=cure)


def is_usable(device: HostDevice) -> bool:
    """True when the device can be, or is, in force as a passthrough device."""
    return device.capable or (device.enabled and device.active)


def looks_iommu_off(host: Host) -> bool:
    """No property says that the IOMMU is off. A host with devices none of which can be passed through is what it looks like."""
    return bool(host.candidates()) and (
        not host.passthrough_supported or not any(is_usable(device) for device in host.candidates())
    )


def iommu_off(host: Host, wanted: Sequence[HostDevice]) -> Blocker:
    """None of the host's devices can be passed through, so the fault is not with the one that is wanted."""
    what = (
        "has no passthrough system" if not host.passthrough_supported else "offers none of its devices for passthrough"
    )
    asked = f", wanted: {'; '.join(device.describe() for device in _by_address(wanted))}" if wanted else ""
    return Blocker(
        code="iommu_off",
        message=f"{host.name} {what} ({len(host.candidates())} devices in all{asked}), so the IOMMU is probably off in its "
        "firmware",
        cure="Enable Intel VT-d or AMD-Vi (AMD IOMMU) in the firmware set-up and boot the host again. If it is on already, look "
        "at Host > Configure > Hardware > PCI Devices > All PCI devices, and at the vmkernel log for IOMMU",
        subjects=tuple(device.address for device in _by_address(wanted)),
    )


def incapable(
    host: Host,
    devices: Iterable[HostDevice],
    groups: Iterable[Sequence[str]],
    protected: Collection[str] = frozenset(),
) -> tuple[Blocker, ...]:
    """One blocker for each device that is wanted but that the host does not offer for passthrough.

    Candidates are of the same base class, can be passed through, and are not ``protected`` (addresses).
    """
    wanted = tuple(devices)
    classes = {device.class_id[:2] for device in wanted}
    alike = (d for d in _by_address(host.candidates()) if d.capable and d.class_id[:2] in classes)
    candidates = tuple(device.describe() for device in alike if device.address not in protected)[:8]
    reset_group = {address: [m for m in group if m != address] for group in groups for address in group}
    return tuple(_incapable(host, device, reset_group, candidates) for device in _by_address(wanted))


def _incapable(
    host: Host, device: HostDevice, reset_group: Mapping[str, Sequence[str]], candidates: tuple[str, ...]
) -> Blocker:
    along = reset_group.get(device.address)
    goes = f", which goes together with {', '.join(along)}," if along else ""
    if device.enabled:
        message = (
            f"{device.describe()} on {host.name}{goes} is configured for passthrough, but the host no longer offers it"
        )
        cure = (
            "Look at what changed: a firmware setting (VT-d, AMD-Vi, ACS), an upgrade to 8.0.3 with its stricter ACS check "
            "(KB 391460), or a card that moved. Disable it to clear the setting"
        )
    else:
        message = f"{device.describe()} on {host.name}{goes} cannot be passed through: the host does not offer it"
        cure = (
            "Usual causes: it sits behind a PCI switch or root port without ACS (KB 1036811, KB 391460), the host uses it, "
            "or its slot has the IOMMU off in firmware. A count takes only devices that can"
        )
    return Blocker(code="not_capable", message=message, cure=cure, candidates=candidates, subjects=(device.address,))


def rebind_unsupported(host: Host, devices: Sequence[HostDevice]) -> Blocker:
    return Blocker(
        code="rebind_unsupported",
        message=f"{host.name} cannot change the owner of a device without a reboot, as apply: now asks for "
        f"({'; '.join(device.describe() for device in devices)})",
        cure="Set apply: auto or apply: reboot, and reboot the host afterwards",
        subjects=tuple(device.address for device in devices),
    )


def in_use(host: Host, device: HostDevice) -> Blocker:
    """The device is to be taken away from VMs that refer to it."""
    users = sorted(host.users.get(device.address, ()), key=lambda user: (user.vm, user.moid))
    names = ", ".join(f"{user.vm} ({'powered on' if user.powered_on else 'configured, powered off'})" for user in users)
    return Blocker(
        code="in_use",
        message=f"{device.describe()} on {host.name} cannot be disabled: it belongs to {names}",
        cure="Power these VMs off and remove the device from them first (vm_pci_device with state: absent)",
        subjects=(device.address,),
    )


def holders_unknown(host: str, unread: Sequence[UnreadVm], consequence: str) -> Blocker:
    """VMs of a host may hold any of its devices: ``consequence`` is what cannot be done therefore."""
    listed = "; ".join(f"{entry.vm} {entry.why}" for entry in unread)
    names = ", ".join(f'"{entry.vm}"' for entry in unread)
    return Blocker(
        code="holders_unknown",
        message=f"{consequence}: it is not known which devices of {host} are held. {listed}",
        cure="Repair or unregister these VMs, or let the account read them. If none of them holds a device that is meant, "
        f"name them: ignore_unreadable_vms: [{names}]",
    )


def evacuation_loses_devices(name: str, vms: Iterable[str]) -> Blocker:
    """``vms`` are off, or will be, and hold devices of the host called ``name``: registered on another one they lose them."""
    return Blocker(
        code="evacuation_loses_devices",
        message=f"evacuate_powered_off would register {', '.join(sorted(vms))} on other hosts, away from their devices on {name}",
        cure="Set evacuate_powered_off: false, or give these VMs dynamic devices",
    )


def evacuation_may_lose_devices(name: str, unread: Sequence[UnreadVm]) -> Blocker:
    """The same for VMs of which it is not known whether they hold a device of the host called ``name``."""
    return Blocker(
        code="holders_unknown",
        message=f"evacuate_powered_off may register virtual machines of {name} on other hosts, away from their devices: it is not known "
        f"which devices they hold. {'; '.join(f'{vm.vm} {vm.why}' for vm in unread)}",
        cure="Set evacuate_powered_off: false, or repair or unregister these VMs, or let the account read them",
    )


def labels_conflict(host: Host, device: HostDevice, labels: Sequence[str]) -> Blocker:
    return Blocker(
        code="contradicting_labels",
        message=f"{device.describe()} on {host.name} is meant by entries with different labels: {', '.join(labels)}",
        cure="Narrow the entries, or give them counts, so that each device gets one label",
        subjects=(device.address,),
    )


def _by_address(devices: Iterable[HostDevice]) -> list[HostDevice]:
    return sorted(devices, key=lambda device: device.address)
