# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning the numbers of virtual functions (VFs) of physical functions (PFs). PRIVATE to the collection.

A number that is configured but not in effect is no difference: the reboot of the host is pending.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ..host.blockers import unreachable
from ..host.desired import refuse_bare_addresses
from ..host.pending_reboot import waiting_devices
from ..host.virtual_functions import Selected, select_functions
from ..observed.hosts import Host, HostDevice
from ..planning.details import SriovWrite
from ..planning.plan import Change, HostFacts, Plan, TargetPlan
from .checks import capability_blockers, nics_unread, timing_blockers, uplinks_of
from .desired import DesiredSriov
from .users import refuse_shrinking, shrinking_note


def plan_sriov(hosts: Sequence[Host], desired: DesiredSriov) -> Plan:
    """One TargetPlan for each host, sorted by name.

    The plan of a host is provisional (``HostFacts.provisional``) when it has changes and was read without its fabric. Raises InputError
    when the desired state itself is wrong.
    """
    refuse_bare_addresses((host.name, entry.selector) for host in hosts for entry in desired.devices.get(host.moid, ()))
    ordered = sorted(hosts, key=lambda host: (host.name, host.moid))
    return Plan(targets=tuple(_plan_host(host, desired) for host in ordered))


def sriov_writes(changes: Iterable[Change]) -> tuple[SriovWrite, ...]:
    """The writes of numbers of virtual functions among the changes, in their order."""
    return tuple(change.detail for change in changes if isinstance(change.detail, SriovWrite))


def changing_modules(host: Host, target: TargetPlan) -> tuple[str, ...]:
    """The kernel modules of NICs whose number changes, so that their parameters matter. Those that were read are left out."""
    drivers = {write.device.driver for write in sriov_writes(target.changes) if write.device.driver}
    return tuple(sorted(drivers - host.module_options.keys()))


def project_sriov(hosts: Sequence[Host], plan: Plan) -> tuple[Host, ...]:
    """The hosts in the state after the plan is applied and the hosts rebooted. The virtual functions themselves are not added to the
    devices: only the reboot shows their addresses."""
    targets = {target.moid: sriov_writes(target.effective) for target in plan.targets}
    return tuple(_projected(host, targets.get(host.moid, ())) for host in hosts)


def _projected(host: Host, writes: Sequence[SriovWrite]) -> Host:
    numbers = {write.device.address: write.virtual_functions for write in writes}
    if not numbers:
        return host
    return replace(host, devices=tuple(_with_number(device, numbers) for device in host.devices))


def _with_number(device: HostDevice, numbers: Mapping[str, int]) -> HostDevice:
    number = numbers.get(device.address)
    if number is None or device.sriov is None:
        return device
    return replace(device, sriov=replace(device.sriov, enabled=number > 0, requested=number).rebooted())


def _plan_host(host: Host, desired: DesiredSriov) -> TargetPlan:
    entries = desired.devices.get(host.moid, ())
    if not entries:
        return TargetPlan(target=host.name, moid=host.moid)
    if not host.is_reachable:
        return TargetPlan(target=host.name, moid=host.moid, blockers=(unreachable(host),))
    if host.nics_unread and any(entry.selector.vmnic for entry in entries):
        return TargetPlan(target=host.name, moid=host.moid, blockers=(nics_unread(host),))
    selected = select_functions(host, entries)
    uplinks = uplinks_of(host)
    changes = tuple(change for one in selected.functions if (change := _change(one, desired, uplinks)))
    changing = {write.device.address for write in sriov_writes(changes)}
    written = [one for one in selected.functions if one.device.address in changing]
    blockers = [*selected.blockers, *(() if desired.on_missing == "skip" else selected.missing)]
    blockers += capability_blockers(host, selected.functions)
    blockers += refuse_shrinking(host, written, desired.ignore_unreadable_vms)
    blockers += timing_blockers(host, written, uplinks) if desired.apply == "now" else []
    notes = [f"{blocker.message}: there is nothing to turn off" for blocker in selected.nothing_off]
    skipped = selected.missing if desired.on_missing == "skip" else ()
    notes += [f"Skipped: {replace(blocker, cure='').sentence()}" for blocker in skipped]
    notes += [note for one in selected.functions if (note := shrinking_note(host, one, changing))]
    pending = tuple(one.device.address for one in selected.functions if _is_pending(one))
    return TargetPlan(
        target=host.name,
        moid=host.moid,
        changes=changes,
        blockers=tuple(blockers),
        warnings=tuple(dict.fromkeys(notes)),
        pending=pending,
        host_facts=_facts(host, selected.functions, changes),
        skipped=bool(skipped) and not selected.functions and not blockers,
    )


def _is_pending(one: Selected) -> bool:
    """Whether the number is configured as desired, and a reboot puts it in effect."""
    sriov = one.device.sriov
    return sriov is not None and sriov.configured == one.number and sriov.requires_reboot


def _change(one: Selected, desired: DesiredSriov, uplinks: Mapping[str, str]) -> Change | None:
    """The write for one function, or None when it is configured as desired. With ``apply: now``, a pending number is written again."""
    device, sriov = one.device, one.device.sriov
    configured = sriov.configured if sriov is not None else 0
    rewrite = desired.apply == "now" and configured == one.number and _is_pending(one)
    if configured == one.number and not rewrite:
        return None
    # The number of an uplink never changes at once: a driver that starts again takes the link down.
    apply_now = {"auto": False if device.address in uplinks else None, "now": True, "reboot": False}[desired.apply]
    what = " ".join(part for part in (device.ids, device.name) if part)
    effect = sriov.in_effect if sriov is not None else 0
    before: dict[str, int | str | None] = {"virtual_functions": configured}
    after: dict[str, int | str | None] = {"virtual_functions": one.number}
    if rewrite:
        before, after = {**before, "in_effect": effect}, {**after, "in_effect": one.number}
    named = {"vmnic": device.vmnic, "device": what}
    return Change(
        subject=device.address,
        before={**before, **named},
        after={**after, **named},
        detail=SriovWrite(device=device, virtual_functions=one.number, apply_now=apply_now),
    )


def _facts(host: Host, functions: Sequence[Selected], changes: Sequence[Change]) -> HostFacts:
    """A changed number is expected to require a reboot, also on a host that can rebind devices: that it then needs none is not
    documented. What the host shows after the write decides."""
    writes = {write.device.address: write.virtual_functions for write in sriov_writes(changes)}
    after = [
        replace(d, sriov=replace(d.sriov, enabled=writes[d.address] > 0, requested=writes[d.address]))
        if d.address in writes and d.sriov is not None
        else d
        for d in host.devices
    ]
    selected = tuple(one.device.address for one in functions)
    waiting = {device.address for device in waiting_devices(after, selected)}
    return HostFacts(
        selected=selected,
        pending_after=tuple(address for address in selected if address in waiting),
        reboot_expected=bool(waiting),
        provisional=bool(changes) and host.fabric is None,
    )
