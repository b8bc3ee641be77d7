# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning the device modes of hosts (vSphere 9.1). PRIVATE to the collection.

A mode is written over the Automation API of vCenter. What a change needs to take effect (nothing, maintenance mode, a reboot) is in its
answer, and nowhere before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from ..host.blockers import holders_unknown, unreachable
from ..host.matching import Selection, select_all
from ..host.overrides import Applied, Override, apply_overrides, full_form, parse_overrides, protection_blockers
from ..host.protection import protections
from ..host.selector import DesiredDevice
from ..host_entries.device_modes import with_modes
from ..observed.direct_path import PASSED_MODES, SHARED_MODES
from ..observed.hosts import Host, HostDevice
from ..planning.details import ModeWrite
from ..planning.plan import Blocker, Change, HostFacts, Plan, TargetPlan, UsedOverride

SHOW = "host_pci_device_info lists the modes that each device offers"


def no_blocker(_host: str) -> Blocker | None:
    """For a session that can express device modes."""
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredModes:
    """Device modes of hosts (by managed object id). ``devices`` may have entries of other kinds, which are ignored.

    ``too_old``: host name → the blocker when the session cannot express device modes. ``is_vcenter``: False when the endpoint is an ESXi
    host.
    """

    devices: Mapping[str, tuple[DesiredDevice, ...]] = field(default_factory=dict)
    on_missing: Literal["fail", "skip"] = "fail"
    allow_protected: tuple[str, ...] = ()
    ignore_unreadable_vms: frozenset[str] = frozenset()
    too_old: Callable[[str], Blocker | None] = no_blocker
    is_vcenter: bool = True


def plan_modes(hosts: Sequence[Host], desired: DesiredModes) -> Plan:
    """One TargetPlan for each host, sorted by name. Nothing is read or written.

    The plan is provisional (``HostFacts.provisional``) for a host that has changes and was read without its fabric.
    """
    overrides = parse_overrides(desired.allow_protected, hosts)
    ordered = sorted(hosts, key=lambda host: (host.name, host.moid))
    return Plan(targets=tuple(_plan_host(host, desired, overrides[host.moid]) for host in ordered))


def mode_writes(changes: Iterable[Change]) -> tuple[ModeWrite, ...]:
    """The writes of modes among the changes, in their order."""
    return tuple(change.detail for change in changes if isinstance(change.detail, ModeWrite))


def unknown_impact(plan: Plan) -> Plan:
    """The plan with a warning for each host with changes: what they need to take effect is not known before they are made."""
    return replace(plan, targets=tuple(map(_with_unknown_impact, plan.targets)))


def _with_unknown_impact(target: TargetPlan) -> TargetPlan:
    if not target.effective:
        return target
    subjects = ", ".join(change.subject for change in target.effective)
    text = (
        f"It is not known beforehand whether the new mode of {subjects} needs maintenance mode or a reboot of {target.target}: "
        "vCenter reports it only after the change"
    )
    return replace(target, warnings=(*target.warnings, text))


def _plan_host(host: Host, desired: DesiredModes, allowed: Sequence[Override]) -> TargetPlan:
    entries = with_modes(desired.devices.get(host.moid, ()))
    blank = TargetPlan(target=host.name, moid=host.moid)
    if not entries:
        return blank
    if not host.is_reachable:
        return replace(blank, blockers=(unreachable(host),))
    selections = select_all(host, [DesiredDevice(selector=entry.selector) for entry in entries])
    missing = [one.blocker for one in selections if one.blocker is not None]
    skips = desired.on_missing == "skip"
    notes = tuple(f"Skipped: {replace(one, cure='').sentence()}" for one in missing if skips and one.skippable)
    wanted, conflicts = _wanted(host, entries, selections)
    if (wanted or conflicts) and (unable := _unable(host, desired)) is not None:
        return replace(blank, blockers=(unable,))
    reasons = protections(host) if host.fabric is not None else {}
    applied = apply_overrides(host, allowed, reasons)
    changing = [device for device, mode in wanted if device.direct_path and device.direct_path.mode != mode]
    taken = [device for device, mode in wanted if device in changing and mode != "host"]
    blockers = [one for one in missing if not (skips and one.skippable)] + conflicts
    blockers += [found for device, mode in wanted if (found := _not_offered(host, device, mode)) is not None]
    blockers += [found for device in changing if (found := _in_use(host, device)) is not None]
    blockers += _users_unknown(host, changing, desired)
    blockers += protection_blockers(host, _of_the_host(taken, reasons), reasons, applied)
    changes = tuple(_change(device, mode, applied) for device, mode in wanted if device in changing)
    return replace(
        blank,
        changes=changes,
        blockers=tuple(blockers),
        warnings=(*notes, *_hints(host, [device for device, _mode in wanted if device not in changing])),
        pending=tuple(
            device.address for device, _mode in wanted if device not in changing and device.passthrough_requires_reboot
        ),
        host_facts=HostFacts(
            selected=tuple(sorted(device.address for device, _mode in wanted)),
            overridden=_overridden(host, taken, applied, reasons),
            provisional=bool(changes) and host.fabric is None,
        ),
        skipped=bool(notes) and not wanted and not blockers,
    )


def _unable(host: Host, desired: DesiredModes) -> Blocker | None:
    """Why no device mode of the host can be read or written at all."""
    if not desired.is_vcenter:
        return Blocker(
            code="needs_vcenter",
            message=f"{host.name} is managed directly, and device modes are written over the Automation API, which only vCenter has",
            cure="Manage the host through its vCenter, or take the entries with mode out of the intent",
        )
    return desired.too_old(host.name)


def _wanted(
    host: Host, entries: Sequence[DesiredDevice], selections: Sequence[Selection]
) -> tuple[list[tuple[HostDevice, str]], list[Blocker]]:
    """Each selected device with its mode, by address; and a blocker for each device with two modes."""
    modes: dict[str, set[str]] = {}
    for entry, selection in zip(entries, selections, strict=True):
        for device in selection.devices:
            modes.setdefault(device.address, set()).add(entry.mode or "")
    conflicts = [
        Blocker(
            code="contradicting_modes",
            message=f"{address} on {host.name} matches entries with different modes: {', '.join(sorted(found))}",
            cure="Make the entries narrower, so that each device gets one mode",
            subjects=(address,),
        )
        for address, found in sorted(modes.items())
        if len(found) > 1
    ]
    chosen = [(host.device(address), min(found)) for address, found in sorted(modes.items()) if len(found) == 1]
    return [(device, mode) for device, mode in chosen if device is not None], conflicts


def _not_offered(host: Host, device: HostDevice, mode: str) -> Blocker | None:
    if device.direct_path is None:
        return Blocker(
            code="no_device_modes",
            message=f"{device.describe()} on {host.name} (ESXi {host.version}) reports no device modes, which hosts have from ESXi 9.1 on",
            cure="Upgrade the host to ESXi 9.1, or select other devices",
            subjects=(device.address,),
        )
    if mode == device.direct_path.mode or mode in device.direct_path.offered:
        return None
    return Blocker(
        code="mode_not_offered",
        message=f"{device.describe()} on {host.name} cannot be configured to mode {mode}",
        cure=f"Give a mode that the device offers: {SHOW}",
        candidates=device.direct_path.offered,
        subjects=(device.address,),
    )


def _in_use(host: Host, device: HostDevice) -> Blocker | None:
    """A device that a running VM uses, or that leaves a mode in which VMs have it, is not changed."""
    mode = device.direct_path.mode if device.direct_path else ""
    leaves = mode in PASSED_MODES
    users = [user for user in host.users.get(device.address, ()) if user.powered_on or leaves]
    names = {f"{user.vm} ({'powered on' if user.powered_on else 'configured, powered off'})" for user in users}
    if host.fabric is not None and mode in SHARED_MODES:
        shared = [gpu for gpu in host.fabric.graphics.read if gpu.address == device.address]
        names |= {f"{vm} (vGPU)" for gpu in shared for vm in gpu.vms}
        if not names and host.fabric.graphics.gaps:
            gaps = "; ".join(map(str, host.fabric.graphics.gaps))
            return Blocker(
                code="holders_unknown",
                message=f"The mode of {device.describe()} on {host.name} cannot be changed: it is unknown which VMs share it: {gaps}",
                cure="Check that the account can read this host (System.Read), and that its management agents respond",
                subjects=(device.address,),
            )
    if not names:
        return None
    return Blocker(
        code="in_use",
        message=f"The mode of {device.describe()} on {host.name} cannot be changed: it is attached to {', '.join(sorted(names))}",
        cure="Power off these VMs, and detach the device from them (vm_pci_device with state: absent)",
        subjects=(device.address,),
    )


def _users_unknown(host: Host, changing: Sequence[HostDevice], desired: DesiredModes) -> list[Blocker]:
    unread = [vm for vm in host.unread_vms if vm.moid not in desired.ignore_unreadable_vms]
    if not changing or not unread:
        return []
    return [holders_unknown(host.name, unread, f"No device mode of {host.name} can be changed")]


def _of_the_host(taken: Iterable[HostDevice], reasons: Mapping[str, Sequence[object]]) -> list[str]:
    """Addresses of devices that the host uses now and would lose. Its own shared GPUs are no devices that it depends on."""
    own = ("none", "host")
    return [d.address for d in taken if d.address in reasons and d.direct_path and d.direct_path.mode in own]


def _change(device: HostDevice, mode: str, applied: Applied) -> Change:
    what = " ".join(part for part in (device.ids, device.name) if part)
    before = device.direct_path.mode if device.direct_path else None
    return Change(
        subject=device.address,
        before={"mode": before, "device": what},
        after={"mode": mode, "device": what},
        detail=ModeWrite(device=device, mode=mode, override=applied.named.get(device.address, "")),
    )


def _overridden(
    host: Host, taken: Iterable[HostDevice], applied: Applied, reasons: Mapping[str, Sequence[object]]
) -> tuple[UsedOverride, ...]:
    used = [address for address in _of_the_host(taken, reasons) if address in applied.named]
    known = protections(host) if used else {}
    return tuple(
        UsedOverride(
            address=address,
            device=applied.named[address],
            override=full_form(host, address),
            reasons=tuple(reason.reason for reason in known[address]),
        )
        for address in used
    )


def _hints(host: Host, settled: Sequence[HostDevice]) -> list[str]:
    """What may be left of an earlier change: the properties of the host do not say which device waits for it."""
    if not settled:
        return []
    names = ", ".join(device.address for device in settled)
    found = []
    if host.maintenance_mode_required:
        found.append(
            f"{host.name} reports that a change takes effect after maintenance mode, perhaps the mode of {names}: "
            f"{maintenance_command(host)}"
        )
    if host.reboot_required_hint and not any(device.passthrough_requires_reboot for device in host.devices):
        found.append(
            f"{host.name} reports that it requires a reboot, perhaps for the mode of {names}: {reboot_command(host)}"
        )
    return found


def reboot_command(host: Host) -> str:
    """The command that reboots one host although no device of it shows a pending reboot."""
    return f"""ansible-playbook directpath.vsphere.firmware_reboot -i INVENTORY -e '{{"firmware_reboot_hosts": ["{host.name}"]}}'"""


def maintenance_command(host: Host) -> str:
    """The command that takes one host through maintenance mode."""
    more = f'{{"hardware_maintenance_phase": "begin", "hardware_maintenance_hosts": ["{host.name}"]}}'
    return f"ansible-playbook directpath.vsphere.hardware_maintenance -i INVENTORY -e '{more}', then the same with the phase end"
