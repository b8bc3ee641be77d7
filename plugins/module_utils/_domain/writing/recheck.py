# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check, right before a write, that the plan of a target is still valid. PRIVATE to the collection.

The planner plans the target a second time from newly read state. The new plan may contain fewer changes (another user made some of them),
but no other changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import DirectPathError
from ..host.passthrough import check_identity
from ..observed.hosts import Host
from ..planning.details import ChangeKind, FixedSpec, ModeWrite, PassthroughWrite, SriovWrite
from ..planning.plan import Change, TargetPlan


def still_to_do(planned: Sequence[Change], now: TargetPlan, *, doing: str, also: str = "") -> tuple[Change, ...]:
    """The changes of ``planned`` that are still to be made, in their order. ``now``: the second plan.

    ``doing``: the action, for the message (``reconfigure train-01``). ``also``: another difference that was found, as a clause. Raises
    DirectPathError (changed_meanwhile, vanished) when the second plan contains anything else.
    """
    reason = also or _find_difference(planned, now)
    if reason:
        raise DirectPathError(
            message=f"Cannot {doing}: its state changed after the plan was made: {reason}",
            code="vanished" if any(blocker.code == "vanished" for blocker in now.blockers) else "changed_meanwhile",
            cure="The change was not made. Run the task again: it reads the state and makes a new plan",
        )
    return now.effective


def _find_difference(planned: Sequence[Change], now: TargetPlan) -> str:
    """The blockers of the new plan, or the first change that was not planned before; empty when there is none."""
    if now.blockers:
        return "; ".join(blocker.message.rstrip(".") for blocker in now.blockers)
    if now.skipped:
        return "none of the desired devices exists any more"
    known = [_comparable(change) for change in planned]
    for change in now.changes:
        if _comparable(change) not in known:
            return _describe_difference(change, planned)
    return ""


def _describe_difference(change: Change, planned: Sequence[Change]) -> str:
    before = next((old for old in planned if (old.kind, old.subject) == (change.kind, change.subject)), None)
    if before is None:
        return f"{change.kind.replace('_', ' ')} of {change.subject} is now needed but was not planned"
    old, new = (one.detail.system_id if isinstance(one.detail, FixedSpec) else None for one in (before, change))
    if old != new:
        return f"the system id of the host of {change.subject} was {old} and is {new}"
    if before.before != change.before:
        return f"{change.subject} was {before.before} and is {change.before}"
    return f"{change.subject} would become {change.after} instead of {before.after}"


def _comparable(change: Change) -> tuple[object, ...]:
    """The values by which two changes are compared. Of a host device only its identity: its state is in ``before``."""
    write = change.detail
    detail: object = write
    if isinstance(write, PassthroughWrite):
        detail = (write.device.identity, write.enabled, write.apply_now, write.label)
    elif isinstance(write, SriovWrite):
        detail = (write.device.identity, write.virtual_functions, write.apply_now)
    elif isinstance(write, ModeWrite):
        detail = (write.device.identity, write.mode)
    return (change.kind, change.subject, change.before, change.after, detail)


# -- hosts ----------------------------------------------------------------------------------------------------------

_SETTINGS: Mapping[ChangeKind, str] = {
    "passthrough": "PCI passthrough",
    "sriov": "SR-IOV",
    "device_mode": "a device mode",
}
"""Kind of a write to a device of a host → the setting, for messages."""


def refuse_other_devices(host: Host, now: Host, writes: Sequence[PassthroughWrite | SriovWrite | ModeWrite]) -> None:
    """Raises DirectPathError (identity_changed) when a planned address has another device, or an equal one with other disks or NICs.

    An address can belong to another card after cards were moved, and equal drives can change their addresses at a reboot.
    """
    for write in writes:
        reason = check_identity(write.device, now.device(write.device.address)) or _check_disks_and_nics(
            host, now, write
        )
        if reason:
            raise DirectPathError(
                message=f"Cannot change {_SETTINGS[write.kind]} on {host.name}: {reason}",
                code="identity_changed",
                cure="Nothing was changed on this host. Check its devices with host_pci_device_info",
            )


def _check_disks_and_nics(host: Host, now: Host, write: PassthroughWrite | SriovWrite | ModeWrite) -> str:
    address = write.device.address
    before, after = names_behind(host, address), names_behind(now, address)
    if before is None or after is None or before == after:
        return ""
    rebooted = f", and {host.name} was rebooted since" if now.boot_time != host.boot_time else ""
    return f"{address} led to {_listed(before)} when the plan was made and now leads to {_listed(after)}{rebooted}"


def names_behind(host: Host, address: str) -> tuple[str, ...] | None:
    """Names of the disks and network adapters of the device at an address, sorted; None when the host was read without its fabric."""
    if host.fabric is None:
        return None
    disks = {disk for adapter in host.fabric.adapters.read if adapter.address == address for disk in adapter.disks}
    return tuple(sorted(disks | {nic.device for nic in host.fabric.nics.read if nic.address == address}))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"
