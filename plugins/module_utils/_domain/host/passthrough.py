# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning the changes that enable or disable passthrough of host devices. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..observed.hosts import Host, HostDevice, dependency_groups
from ..planning.details import PassthroughWrite
from ..planning.plan import Blocker, Change, HostFacts, Plan, TargetPlan, UsedOverride
from .blockers import (
    holders_unknown,
    in_use,
    incapable,
    iommu_off,
    is_usable,
    labels_conflict,
    looks_iommu_off,
    rebind_unsupported,
    unreachable,
)
from .desired import DesiredPassthrough, refuse_bad_desired
from .matching import Selection, select_all
from .overrides import Override, apply_overrides, full_form, parse_overrides, protection_blockers
from .pending_reboot import waiting_devices
from .protection import Protection, cautions, protections
from .selector import DesiredDevice

__all__ = [
    "DesiredPassthrough",
    "check_identity",
    "needs_fabric",
    "passthrough_writes",
    "plan_passthrough",
    "project",
    "remaining",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class _SelectedDevices:
    """The devices of one host that the entries select, sorted by address, with their whole reset groups."""

    devices: tuple[HostDevice, ...]
    named: frozenset[str]
    """Addresses that the entries select themselves; the other devices are in the same reset groups."""
    groups: tuple[tuple[str, ...], ...]
    """Reset groups with more than one function."""
    labels: Mapping[str, str]
    blockers: tuple[Blocker, ...]
    notes: tuple[str, ...]
    skipped: bool


def plan_passthrough(hosts: Sequence[Host], desired: DesiredPassthrough) -> Plan:
    """One TargetPlan for each host. Nothing is read or written.

    The plan is provisional (``HostFacts.provisional``, see ``needs_fabric``) for a host that was read without its fabric and has
    devices to enable. Raises InputError when the desired state itself is wrong.
    """
    desired = desired.only_passthrough()
    refuse_bad_desired(hosts, desired)
    overrides = parse_overrides(desired.allow_protected, hosts)
    ordered = sorted(hosts, key=lambda host: (host.name, host.moid))
    return Plan(targets=tuple(_plan_host(host, desired, overrides[host.moid]) for host in ordered))


def needs_fabric(plan: Plan) -> tuple[str, ...]:
    """Ids of the hosts that must be read with their fabric, because their plan is provisional."""
    return tuple(target.moid for target in plan.targets if target.host_facts.provisional)


def passthrough_writes(changes: Iterable[Change]) -> tuple[PassthroughWrite, ...]:
    """The passthrough writes among the changes, in their order."""
    return tuple(change.detail for change in changes if isinstance(change.detail, PassthroughWrite))


def remaining(plan: Plan) -> Plan:
    """The targets of a plan, made after the writes, that still have changes. Devices with a pending reboot do not count."""
    return replace(plan, targets=tuple(target for target in plan.targets if target.effective))


def check_identity(planned: HostDevice, now: HostDevice | None) -> str | None:
    """Why the device at the planned address is not the planned device, as a clause; None when it is. Checked right before a write."""
    if now is None:
        return f"{planned.describe()} is missing: there is no device at {planned.address} any more"
    if now.identity != planned.identity:
        return f"{planned.address} was {_kind(planned)} when the plan was made and now is {_kind(now)}"
    return None


def _kind(device: HostDevice) -> str:
    subsystem = f"subsystem {device.subvendor_id}:{device.subdevice_id}"
    return " ".join(part for part in (device.ids, device.name, f"({subsystem}, class {device.class_id})") if part)


def _plan_host(host: Host, desired: DesiredPassthrough, allowed: Sequence[Override]) -> TargetPlan:
    desired_devices = desired.devices.get(host.moid, ())
    if not desired_devices:
        return TargetPlan(target=host.name, moid=host.moid)
    if not host.is_reachable:
        return TargetPlan(target=host.name, moid=host.moid, blockers=(unreachable(host),))
    if desired.state == "disabled":
        return _plan_disable(host, desired_devices, desired)
    return _plan_enable(host, desired_devices, desired, allowed)


def _plan_enable(
    host: Host, desired_devices: tuple[DesiredDevice, ...], desired: DesiredPassthrough, allowed: Sequence[Override]
) -> TargetPlan:
    supported = _without_labels(desired_devices) if host.capabilities.hardware_labels is not True else desired_devices
    reasons = protections(host) if host.fabric is not None else {}
    applied = apply_overrides(host, allowed, reasons)
    protected = reasons.keys() - applied.named.keys()
    selected = _combine_selections(host, select_all(host, supported, avoid=frozenset(protected)), desired)
    off = [device for device in selected.devices if not device.enabled]
    blockers = [*selected.blockers, *_capability_blockers(host, selected, reasons.keys())]
    blockers += protection_blockers(host, (device.address for device in off), reasons, applied)
    blockers += _timing_blockers(host, [*off, *_pending_devices(selected, True)], desired)
    warnings = (
        *selected.notes,
        *_unlabelled(host, desired_devices, selected),
        *_reset_group_notes(host, selected, off),
    )
    warnings += _caution_notes(host, off) + _lost_device_notes(host, selected.devices, reasons)
    changes = tuple(
        change
        for device in selected.devices
        if (change := _change(device, True, selected.labels, desired, applied.named.get(device.address, "")))
    )
    taken = {device.address: applied.named[device.address] for device in off if device.address in applied.named}
    warnings += tuple(text for text in applied.warnings if any(address in text for address in taken))
    target = _target(host, selected, changes, tuple(blockers), warnings, desired)
    overridden, provisional = _overridden(host, taken, reasons), bool(off) and host.fabric is None
    return replace(target, host_facts=replace(target.host_facts, overridden=overridden, provisional=provisional))


def _overridden(
    host: Host, taken: Mapping[str, str], reasons: Mapping[str, Sequence[Protection]]
) -> tuple[UsedOverride, ...]:
    return tuple(
        UsedOverride(
            address=address,
            device=what,
            override=full_form(host, address),
            reasons=tuple(reason.reason for reason in reasons[address]),
        )
        for address, what in sorted(taken.items())
    )


def _plan_disable(host: Host, desired_devices: tuple[DesiredDevice, ...], desired: DesiredPassthrough) -> TargetPlan:
    used = frozenset(address for address, users in host.users.items() if users)
    selected = _combine_selections(
        host, select_all(host, _without_labels(desired_devices), enabled=False, avoid=used), desired
    )
    on = [device for device in selected.devices if device.enabled]
    blockers = [*selected.blockers, *(in_use(host, device) for device in on if device.address in used)]
    unread = [vm for vm in host.unread_vms if vm.moid not in desired.ignore_unreadable_vms]
    if on and unread:
        blockers.append(holders_unknown(host.name, unread, f"No device of {host.name} can be disabled"))
    blockers += _timing_blockers(host, [*on, *_pending_devices(selected, False)], desired)
    changing = selected.devices if desired.apply == "now" else on
    changes = tuple(change for d in changing if (change := _change(d, False, {}, desired)))
    warnings = (*selected.notes, *_reset_group_notes(host, selected, on))
    return _target(host, selected, changes, tuple(blockers), warnings, desired)


def _without_labels(desired_devices: Iterable[DesiredDevice]) -> tuple[DesiredDevice, ...]:
    return tuple(replace(entry, label=None) for entry in desired_devices)


def _combine_selections(host: Host, selections: Sequence[Selection], desired: DesiredPassthrough) -> _SelectedDevices:
    """The selections of all entries together. Reset groups are completed; entries without a device are skipped if that is allowed."""
    blockers: list[Blocker] = []
    notes: list[str] = []
    for selection in selections:
        if selection.blocker is None:
            continue
        blocker = selection.blocker
        matching = [device for device in host.candidates() if selection.desired.selector.matches(device)]
        if desired.state == "enabled" and matching and blocker.code == "too_few" and looks_iommu_off(host):
            blockers.append(iommu_off(host, matching))
        elif desired.state == "disabled" and blocker.code in ("no_match", "too_few"):
            notes.append(f"{blocker.message}: there is nothing to disable")
        elif desired.on_missing == "skip" and blocker.skippable:
            notes.append(f"Skipped: {replace(blocker, cure='').sentence()}")
        else:
            blockers.append(blocker)
    by_address = dependency_groups(host.devices)
    named = frozenset(device.address for selection in selections for device in selection.devices)
    labels, conflicts = _labels(host, selections)
    members = {member.address: member for address in named for member in by_address[address]}
    return _SelectedDevices(
        devices=tuple(members[address] for address in sorted(members)),
        named=named,
        groups=tuple(sorted({tuple(d.address for d in by_address[a]) for a in named if len(by_address[a]) > 1})),
        labels=labels,
        blockers=(*blockers, *conflicts),
        notes=tuple(notes),
        skipped=bool(notes) and not named and not blockers and desired.state == "enabled",
    )


def _labels(host: Host, selections: Sequence[Selection]) -> tuple[Mapping[str, str], tuple[Blocker, ...]]:
    """Address → desired label, and a blocker for each device with two desired labels."""
    desired_labels: dict[str, set[str]] = {}
    for selection in selections:
        for device in selection.devices:
            if selection.desired.label is not None:
                desired_labels.setdefault(device.address, set()).add(selection.desired.label)
    conflicts = tuple(
        labels_conflict(host, found, sorted(desired_labels[address]))
        for address in sorted(desired_labels)
        if len(desired_labels[address]) > 1 and (found := host.device(address)) is not None
    )
    return {address: min(labels) for address, labels in desired_labels.items()}, conflicts


def _capability_blockers(host: Host, selected: _SelectedDevices, protected: Collection[str]) -> tuple[Blocker, ...]:
    """Blockers for devices that the host does not offer. Active ones stay active, but nothing of them can be written, not even a label."""
    relabeled = {at for at, label in selected.labels.items() if (d := host.device(at)) and (d.label or "") != label}
    unusable = [d for d in selected.devices if not is_usable(d) or (not d.capable and d.address in relabeled)]
    if unusable and looks_iommu_off(host):
        return (iommu_off(host, unusable),)
    return incapable(host, unusable, selected.groups, protected)


def _timing_blockers(host: Host, changing: Sequence[HostDevice], desired: DesiredPassthrough) -> tuple[Blocker, ...]:
    needs_reboot = desired.apply == "now" and host.capabilities.rebind_without_reboot is not True
    return (rebind_unsupported(host, changing),) if needs_reboot and changing else ()


def _pending_devices(selected: _SelectedDevices, enabled: bool) -> list[HostDevice]:
    """Devices that are configured as desired and have a pending reboot: ``apply: now`` writes them too."""
    return [device for device in selected.devices if device.enabled == enabled and device.passthrough_requires_reboot]


def _change(
    device: HostDevice, enabled: bool, labels: Mapping[str, str], desired: DesiredPassthrough, override: str = ""
) -> Change | None:
    """The write for one device, or None when it is configured as desired. ``override``: the identity from the override of its protection,
    so that the write can check it again.

    With ``apply: now``, a device with a pending reboot is written again, so that the host puts the setting in effect.
    """
    label = labels.get(device.address)
    new_label = None if label is None or label == (device.label or "") else label
    differs = device.enabled != enabled
    rewrite = desired.apply == "now" and not differs and device.passthrough_requires_reboot
    if not differs and not rewrite and new_label is None:
        return None
    apply_now = {"auto": None, "now": True, "reboot": False}[desired.apply] if differs or rewrite else None
    write = PassthroughWrite(device=device, enabled=enabled, apply_now=apply_now, label=new_label, override=override)
    what = " ".join(part for part in (device.ids, device.name) if part)
    active_before, active_after = ({"active": device.active}, {"active": enabled}) if rewrite else ({}, {})
    return Change(
        subject=device.address,
        before={"enabled": device.enabled, **active_before, "label": device.label, "device": what},
        after={"enabled": enabled, **active_after, "label": write.label_after, "device": what},
        detail=write,
    )


def _target(
    host: Host,
    selected: _SelectedDevices,
    changes: tuple[Change, ...],
    blockers: tuple[Blocker, ...],
    warnings: tuple[str, ...],
    desired: DesiredPassthrough,
) -> TargetPlan:
    wanted = desired.state == "enabled"
    pending_after = _pending_after(host, changes, desired)
    return TargetPlan(
        target=host.name,
        moid=host.moid,
        changes=changes,
        blockers=blockers,
        warnings=warnings,
        pending=tuple(d.address for d in selected.devices if d.enabled == wanted and d.passthrough_requires_reboot),
        host_facts=HostFacts(
            selected=tuple(device.address for device in selected.devices),
            groups=selected.groups,
            pending_after=tuple(device.address for device in selected.devices if device.address in pending_after),
            reboot_expected=bool(pending_after),
        ),
        skipped=selected.skipped,
    )


def _pending_after(host: Host, changes: Iterable[Change], desired: DesiredPassthrough) -> list[str]:
    """Addresses of devices that are expected to have a pending reboot after the changes.

    The host decides. The expectation uses its capabilities, never its version.
    """
    without_reboot = desired.apply != "reboot" and host.capabilities.rebind_without_reboot is True
    writes = {write.device.address: write for write in passthrough_writes(changes)}
    devices_after = (
        replace(device, enabled=writes[device.address].enabled) if device.address in writes else device
        for device in host.devices
    )
    waiting = [device.address for device in waiting_devices(devices_after, ())]
    # Every write sends the enabled flag, also a write of a label. A host with the capability puts it in effect at once.
    return [address for address in waiting if not (without_reboot and address in writes)]


def project(hosts: Sequence[Host], plan: Plan) -> tuple[Host, ...]:
    """The hosts in the state after the plan is applied and every pending reboot is done.

    A reboot also puts other pending devices of these hosts in effect. Hosts with a blocker do not change.
    """
    targets = {target.moid: target for target in plan.targets if not target.blockers}
    return tuple(_projected(host, targets[host.moid]) if host.moid in targets else host for host in hosts)


def _projected(host: Host, target: TargetPlan) -> Host:
    writes = {write.device.address: write for write in passthrough_writes(target.effective)}
    return replace(host, devices=tuple(_settled(device, writes.get(device.address)) for device in host.devices))


def _settled(device: HostDevice, write: PassthroughWrite | None) -> HostDevice:
    """The device after the write and a reboot. A stale setting has no effect, because the host no longer offers the device."""
    if write is not None:
        device = replace(device, enabled=write.enabled, label=write.label_after)
    return device.rebooted() if device.requires_reboot else device


def _unlabelled(host: Host, desired_devices: Iterable[DesiredDevice], selected: _SelectedDevices) -> tuple[str, ...]:
    labels = sorted({entry.label for entry in desired_devices if entry.label})
    if not labels or not selected.named or host.capabilities.hardware_labels is True:
        return ()
    return (f"{host.name} does not support hardware labels (they need ESXi 7.0.2), so {', '.join(labels)} is not set",)


def _reset_group_notes(host: Host, selected: _SelectedDevices, changing: Iterable[HostDevice]) -> tuple[str, ...]:
    """Notes about devices that no entry selects but that change because they are in the reset group of a selected device."""
    others = [device for device in changing if device.address not in selected.named]
    partners = {address: [a for a in group if a in selected.named] for group in selected.groups for address in group}
    return tuple(
        f"{device.describe()} on {host.name} is changed too: it shares a reset with "
        f"{', '.join(partners[device.address])}"
        for device in others
    )


def _caution_notes(host: Host, changing: Iterable[HostDevice]) -> tuple[str, ...]:
    notes = cautions(host)
    return tuple(f"{d.describe()} on {host.name}: {note}" for d in changing for note in notes.get(d.address, ()))


def _lost_device_notes(
    host: Host, devices: Iterable[HostDevice], reasons: Mapping[str, Sequence[Protection]]
) -> tuple[str, ...]:
    """Warnings about protected devices that are already enabled: the host loses them at its next boot."""
    return tuple(
        f"{d.describe()} on {host.name} is configured for passthrough, so the host loses it at its next boot, although "
        f"{'; '.join(reason.reason for reason in reasons[d.address])}. Disable the device before the reboot unless the host can do "
        "without it"
        for d in devices
        if d.state == "pending_enable" and d.address in reasons
    )
