# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the plan of a target still holds, asked right before a write. PRIVATE to the collection.

The same planner has planned the same target again, from what was read a moment ago. What it still wants to change may be less than before
(somebody else made a part of the changes), and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import DirectPathError
from ..host.passthrough import PassthroughWrite, check_identity
from ..observed.hosts import Host
from ..observed.vms import Vm
from ..plan import Change, TargetPlan


def still_to_do(planned: Sequence[Change], now: TargetPlan, *, doing: str, also: str = "") -> tuple[Change, ...]:
    """The changes of ``planned`` that are still to be made, in their order.

    ``doing`` is what would be done, for the message (``reconfigure train-01``); ``also`` another thing that is not as it was. Raises
    DirectPathError (changed_meanwhile) where anything but these changes would be made now.
    """
    reason = also or _difference(planned, now)
    if reason:
        raise DirectPathError(
            message=f"Cannot {doing}: it is not as it was when this was planned: {reason}",
            code="vanished" if any(blocker.code == "vanished" for blocker in now.blockers) else "changed_meanwhile",
            cure="The change was not made. Run the task again: it looks first",
        )
    return now.effective


def _difference(planned: Sequence[Change], now: TargetPlan) -> str:
    """What stands in the way now, or would be done differently; empty where nothing is."""
    if now.blockers:
        return "; ".join(blocker.message.rstrip(".") for blocker in now.blockers)
    if now.skipped:
        return "nothing of what is asked for is there any more"
    known = [_essence(change) for change in planned]
    for change in now.changes:
        if _essence(change) not in known:
            return _told(change, planned)
    return ""


def _told(change: Change, planned: Sequence[Change]) -> str:
    before = next((old for old in planned if (old.kind, old.subject) == (change.kind, change.subject)), None)
    if before is None:
        return f"{change.kind.replace('_', ' ')} of {change.subject} would be needed now, which was not planned"
    if before.before != change.before:
        return f"{change.subject} was {before.before} and is {change.before}"
    return f"{change.subject} would become {change.after} instead of {before.after}"


def _essence(change: Change) -> tuple[Any, ...]:
    """What makes it the same change. Of objects only what they are: their state is in ``before``."""
    detail = change.detail
    if isinstance(detail, PassthroughWrite):
        detail = (detail.device.identity, detail.enabled, detail.apply_now, detail.label)
    elif isinstance(detail, tuple):
        detail = tuple(part.moid if isinstance(part, Vm) else part for part in detail)
    elif isinstance(detail, Vm):
        detail = detail.moid
    return (change.kind, change.subject, change.before, change.after, detail)


# -- hosts ----------------------------------------------------------------------------------------------------------


def refuse_other_devices(host: Host, now: Host, writes: Sequence[PassthroughWrite]) -> None:
    """Raises DirectPathError when a planned address holds something else: another card, or an equal one with other disks behind it.

    A bus number is another card after somebody moved cards, and equal drives may change places over a reboot.
    """
    for write in writes:
        reason = check_identity(write.device, now.device(write.device.address)) or _other_behind(host, now, write)
        if reason:
            raise DirectPathError(
                message=f"Cannot change PCI passthrough on {host.name}: {reason}",
                code="identity_changed",
                cure="Nothing was changed on it: look at the host's devices again (host_pci_device_info)",
            )


def _other_behind(host: Host, now: Host, write: PassthroughWrite) -> str:
    address = write.device.address
    before, after = behind(host, address), behind(now, address)
    if before is None or after is None or before == after:
        return ""
    rebooted = f", and {host.name} was rebooted since" if now.boot_time != host.boot_time else ""
    return f"{address} led to {_listed(before)} when this was planned and now leads to {_listed(after)}{rebooted}"


def behind(host: Host, address: str) -> tuple[str, ...] | None:
    """Names of the disks and the network adapters of the device at an address, sorted; None where the host was not read so far."""
    if host.fabric is None:
        return None
    disks = {disk for adapter in host.fabric.adapters.read if adapter.address == address for disk in adapter.disks}
    return tuple(sorted(disks | {nic.device for nic in host.fabric.nics.read if nic.address == address}))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"
