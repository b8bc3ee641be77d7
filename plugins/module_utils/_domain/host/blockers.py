# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blockers of hosts and host devices: the messages that say why a change is not possible. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from ..observed.hosts import Host, HostDevice, UnreadVm
from ..planning.plan import Blocker


def unreachable(host: Host) -> Blocker:
    """The host is not connected or not readable, so nothing can be planned for it."""
    if host.connection_state != "connected":
        message = (
            f"{host.name} is {host.connection_state}, so the data in vCenter is out of date and nothing can be changed"
        )
        cure = "Check its power and network, then select Connection > Connect in the vSphere Client, or leave the host out of this run"
    else:
        message = f"{host.name} did not return {', '.join(host.unreadable)}"
        cure = "Check that the account can read this host (System.Read), and that its management agents respond"
    return Blocker(code="host_unreachable", message=message, cure=cure)


def is_usable(device: HostDevice) -> bool:
    """True when the device can be passed through, or is passed through now."""
    return device.capable or (device.enabled and device.active)


def looks_iommu_off(host: Host) -> bool:
    """True when the host has devices but none of them can be passed through. No property reports the IOMMU itself."""
    return bool(host.candidates()) and (
        not host.passthrough_supported or not any(is_usable(device) for device in host.candidates())
    )


def iommu_off(host: Host, wanted: Sequence[HostDevice]) -> Blocker:
    """None of the host's devices can be passed through, so the cause is the host and not the desired device."""
    what = (
        "does not support passthrough"
        if not host.passthrough_supported
        else "offers none of its devices for passthrough"
    )
    asked = f"; desired: {'; '.join(device.describe() for device in _by_address(wanted))}" if wanted else ""
    return Blocker(
        code="iommu_off",
        message=f"{host.name} {what} ({len(host.candidates())} devices in all{asked}), so the IOMMU is probably off in its "
        "firmware",
        cure="Enable Intel VT-d or AMD-Vi (AMD IOMMU) in the firmware setup and reboot the host. If it is on already, check "
        "Host > Configure > Hardware > PCI Devices > All PCI devices, and search the vmkernel log for IOMMU",
        subjects=tuple(device.address for device in _by_address(wanted)),
    )


def incapable(
    host: Host,
    devices: Iterable[HostDevice],
    groups: Iterable[Sequence[str]],
    protected: Collection[str] = frozenset(),
) -> tuple[Blocker, ...]:
    """One blocker for each desired device that the host does not offer for passthrough.

    Candidates have the same base class, can be passed through, and are not ``protected`` (addresses). ``groups``: reset groups.
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
    others = reset_group.get(device.address)
    group = f", which shares a reset with {', '.join(others)}," if others else ""
    if device.enabled:
        message = (
            f"{device.describe()} on {host.name}{group} is configured for passthrough, but the host no longer offers it"
        )
        cure = (
            "Check what changed: a firmware setting (VT-d, AMD-Vi, ACS), an upgrade to 8.0.3 with its stricter ACS check "
            "(KB 391460), or a card in another slot. To clear the setting, disable the device (host_passthrough with state: disabled)"
        )
    else:
        message = f"{device.describe()} on {host.name}{group} cannot be passed through: the host does not offer it"
        cure = (
            "Usual causes: the device is behind a PCI switch or root port without ACS (KB 1036811, KB 391460), the host uses it, "
            "or the firmware turns the IOMMU off for its slot. With a count, the module selects only devices that can be passed through"
        )
    return Blocker(code="not_capable", message=message, cure=cure, candidates=candidates, subjects=(device.address,))


def rebind_unsupported(host: Host, devices: Sequence[HostDevice]) -> Blocker:
    return Blocker(
        code="rebind_unsupported",
        message=f"{host.name} cannot enable or disable passthrough without a reboot, but apply: now requires it "
        f"({'; '.join(device.describe() for device in devices)})",
        cure="Set apply: auto or apply: reboot, and reboot the host afterwards",
        subjects=tuple(device.address for device in devices),
    )


def in_use(host: Host, device: HostDevice) -> Blocker:
    """The device is to be disabled, but VMs use it or have it in their configuration."""
    users = sorted(host.users.get(device.address, ()), key=lambda user: (user.vm, user.moid))
    names = ", ".join(f"{user.vm} ({'powered on' if user.powered_on else 'configured, powered off'})" for user in users)
    return Blocker(
        code="in_use",
        message=f"{device.describe()} on {host.name} cannot be disabled: it is attached to {names}",
        cure="Power off these VMs and detach the device from them first (vm_pci_device with state: absent)",
        subjects=(device.address,),
    )


def holders_unknown(host: str, unread: Sequence[UnreadVm], consequence: str) -> Blocker:
    """VMs of a host may use any of its devices. ``consequence``: the clause that says what cannot be done because of it."""
    listed = "; ".join(f"{entry.vm} {entry.why}" for entry in unread)
    names = ", ".join(f'"{entry.vm}"' for entry in unread)
    return Blocker(
        code="holders_unknown",
        message=f"{consequence}: it is unknown which devices of {host} are in use. {listed}",
        cure="Repair or unregister these VMs, or give the account System.Read on them. If none of them uses a desired device, "
        f"set ignore_unreadable_vms: [{names}]",
    )


def evacuation_loses_devices(name: str, vms: Iterable[str]) -> Blocker:
    """``vms`` have fixed devices of the host ``name`` and are powered off, or will be. On another host they would lose the devices."""
    return Blocker(
        code="evacuation_loses_devices",
        message=f"evacuate_powered_off would register {', '.join(sorted(vms))} on other hosts, where their devices of {name} do not exist",
        cure="Set evacuate_powered_off: false, or give these VMs dynamic devices",
    )


def evacuation_may_lose_devices(name: str, unread: Sequence[UnreadVm]) -> Blocker:
    """The same for VMs that may have a device of the host ``name``: their devices are unknown."""
    return Blocker(
        code="holders_unknown",
        message=f"evacuate_powered_off may register virtual machines of {name} on other hosts, where their devices do not exist: it is "
        f"unknown which devices they use. {'; '.join(f'{vm.vm} {vm.why}' for vm in unread)}",
        cure="Set evacuate_powered_off: false, or repair or unregister these VMs, or give the account System.Read on them",
    )


def labels_conflict(host: Host, device: HostDevice, labels: Sequence[str]) -> Blocker:
    return Blocker(
        code="contradicting_labels",
        message=f"{device.describe()} on {host.name} matches entries with different labels: {', '.join(labels)}",
        cure="Make the entries narrower, or give them counts, so that each device gets one label",
        subjects=(device.address,),
    )


def _by_address(devices: Iterable[HostDevice]) -> list[HostDevice]:
    return sorted(devices, key=lambda device: device.address)
