# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The differences between the desired and the observed state of one host. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..host.overrides import Override, apply_overrides
from ..host.passthrough import passthrough_writes
from ..host.protection import holds_disks, protections
from ..host.selector import DesiredDevice
from ..host.virtual_functions import is_unsettled, pending_functions
from ..observed.hosts import Host, HostDevice, virtual_functions
from ..planning.plan import Blocker, TargetPlan
from ..rolling.advice import next_command
from ..rolling.state.codec import decode_host
from ..rolling.state.journal import ENDED, ENTRY
from ..rolling.status import HostLine, RunLine, describe_host, moment
from .commands import Commands
from .kinds import Difference

_KIND_OF = {
    "no_match": "missing",
    "too_few": "missing",
    "identity_changed": "identity_changed",
    "ambiguous": "ambiguous",
    "not_capable": "not_capable",
    "iommu_off": "iommu_off",
    "protected": "protected_conflict",
    "last_management_uplink": "protected_conflict",
}
"""Blocker code → kind of difference; any other is ``refused``."""


def host_differences(
    host: Host,
    target: TargetPlan,
    desired_devices: Sequence[DesiredDevice],
    commands: Commands,
    *,
    allowed: Sequence[Override] = (),
    functions: Iterable[Difference] = (),
    managed: Collection[str] = (),
) -> tuple[Difference, ...]:
    """The differences of one host, sorted by device. ``target``: the plan that enables the desired devices of the host.

    ``allowed``: overrides, that is, protected devices that may be passed through. ``functions``: the differences of virtual functions.
    ``managed``: addresses of devices that another plan is for, such as devices with a desired mode: passthrough of them is what that
    plan says.
    """
    if not host.is_reachable:
        return (_unknown(host, commands),)
    found: dict[tuple[str, str], Difference] = {}
    refused = [d for blocker in target.blockers for d in refused_differences(host, blocker, commands)]
    lost = _lost_at_next_boot(host, allowed)
    for difference in (
        *refused,
        *functions,
        *_changes(host, target, commands),
        *_pending(host, target, lost, commands),
        *_not_desired(host, target, desired_devices, lost, commands),
    ):
        if difference.subject in managed:
            continue
        # One difference for each device: the reason for a rejection is more useful than the change that was planned. What would be changed
        # or rejected counts before what is only unexpected: a comparison without it would call the host settled.
        key = (difference.subject, "" if difference.subject else difference.cause)
        if key not in found or (difference.planned and not found[key].planned):
            found[key] = difference
    return tuple(sorted(found.values(), key=lambda difference: difference.place))


def away_because_of(difference: Difference, line: HostLine, run: RunLine) -> Difference:
    """The difference of a host that is not reachable, because a run of this collection works on it."""
    doing = describe_host(line, run)
    if not doing:
        return difference
    if line.step == "failed":
        return replace(difference, cause=f"{difference.cause}. A rolling reboot failed on {line.name}: {line.reason}")
    return replace(difference, cause=f"{line.name} {doing}, and is {line.connection} meanwhile", cure=next_command(run))


def rolling_difference(
    host: Host, texts: Mapping[str, str], commands: Commands, work: tuple[HostLine, RunLine] | None = None
) -> Difference | None:
    """The difference for a host that a rolling reboot has not finished. ``texts``: custom attribute → text of the host. ``work``: what the
    run does with it."""
    entry, _before, garbage = decode_host(texts)
    damaged = [value.text for value in garbage if value.attribute == ENTRY]
    if entry is None and not damaged:
        return None
    if entry is not None and entry.step in ENDED and entry.step != "failed":
        return None
    if entry is None:
        found, cause = (
            "unreadable",
            f"The journal entry of a rolling reboot on {host.name} cannot be read: {damaged[0]}",
        )
    elif entry.step == "failed":
        found, cause = entry.step, f"A rolling reboot failed on {host.name}: {entry.text}"
    else:
        doing = describe_host(*work) if work is not None else f"is in the step {entry.step} {moment(entry.at)}"
        found, cause = entry.step, f"{host.name} {doing}"
    return host_difference(
        host,
        "roll_unfinished",
        wanted="in no rolling reboot",
        found=found,
        cause=cause,
        cure=next_command(work[1])
        if work is not None
        else "If a rolling reboot is running, wait until it ends. If none is running, it was interrupted: run it again to resume it",
        command=commands.reboot(),
    )


def without_unread_disk_blockers(host: Host, target: TargetPlan) -> TargetPlan:
    """The plan of a host whose partition tables were not read, without the blockers that exist only because they are unknown."""
    unread = {device.address for device in host.devices if holds_disks(device)}
    rest = tuple(b for b in target.blockers if b.code != "protected" or not set(b.subjects) <= unread)
    return replace(target, blockers=rest)


def host_difference(host: Host, kind: str, device: HostDevice | None = None, **more: Any) -> Difference:
    """A difference of a host or of one of its devices. ``more``: other fields of Difference."""
    if device is not None:
        more = {
            "subject": device.address,
            "device": f"{device.ids} {device.name}".rstrip(),
            "found": device.state,
            **more,
        }
    return Difference(kind=kind, type="host", object=host.name, moid=host.moid, cluster=host.cluster, **more)


def unreadable_difference(host: Host, paths: Sequence[str], commands: Commands, subject: str = "") -> Difference:
    found = ", ".join(paths)
    return host_difference(
        host,
        "unreadable",
        subject=subject,
        found=found,
        cause=f"{host.name} did not return {found}",
        cure="Check that the account can read this host (System.Read), and that its management agents respond",
        command=commands.show_host(host.name),
    )


def _unknown(host: Host, commands: Commands) -> Difference:
    if host.unreadable and host.connection_state in ("connected", "unknown"):  # unknown: the state was not readable
        return unreadable_difference(host, host.unreadable, commands)
    return host_difference(
        host,
        "unreachable",
        found=host.connection_state,
        cause=f"{host.name} is {host.connection_state}, so the data in vCenter is out of date",
        cure="Check its power and network, then select Connection > Connect in the vSphere Client",
        command=commands.show_host(host.name),
    )


def refused_differences(
    host: Host, blocker: Blocker, commands: Commands, *, wanted: str = "active"
) -> Iterator[Difference]:
    """The differences of a blocker: one for each device, or one for the host."""
    kind = _KIND_OF.get(blocker.code, "refused")
    cause = blocker.message
    if blocker.candidates:
        cause += f". Candidates: {'; '.join(blocker.candidates)}"
    for address in blocker.subjects or ("",):
        yield host_difference(
            host,
            kind,
            host.device(address),
            wanted=wanted,
            cause=cause,
            cure=blocker.cure,
            command=commands.show_host(host.name),
        )


def _changes(host: Host, target: TargetPlan, commands: Commands) -> Iterator[Difference]:
    """The planned changes. With one blocker nothing on the host is changed, so the blockers are obstacles of every change."""
    obstacles = tuple(f"Nothing on {host.name} is changed until this is fixed: {b.message}" for b in target.blockers)
    command = commands.show_host(host.name) if obstacles else commands.enable()
    for write in passthrough_writes(target.changes):
        address, label = write.device.address, write.device.label
        device = host.device(address)
        if write.enabled == write.device.enabled:
            yield host_difference(
                host,
                "label_differs",
                device,
                wanted=f"label {write.label_after}",
                found=f"label {label}" if label else "no label",
                cause=f"The label of {address} is {label or 'not set'}",
                cure=f"Set the label to {write.label_after}",
                command=command,
                obstacles=obstacles,
            )
            continue
        yield host_difference(
            host,
            "disabled",
            device,
            wanted="active",
            cause=f"{address} is desired for passthrough but not enabled"
            + (" (passthrough stays in effect until the next reboot)" if device is not None and device.active else ""),
            cure="Enable passthrough of the device",
            command=command,
            obstacles=obstacles,
        )


def _pending(host: Host, target: TargetPlan, lost: Mapping[str, str], commands: Commands) -> Iterator[Difference]:
    """Devices with a pending reboot: desired devices, and devices that were disabled."""
    selected = frozenset(target.host_facts.selected)
    for device in host.devices:
        if not device.requires_reboot:
            continue
        if not device.passthrough_requires_reboot:
            if is_unsettled(device, ()):
                yield pending_functions_difference(host, device, commands)
            continue
        if device.enabled and device.address not in selected:
            continue
        if device.address in lost and device.enabled:
            yield _conflict(host, device, lost[device.address], commands)
            continue
        yield host_difference(
            host,
            "pending_reboot",
            device,
            wanted="active" if device.address in selected else "off",
            cause=f"{device.address} is {'enabled' if device.enabled else 'disabled'}, which takes effect at the next reboot",
            cure=f"Reboot {host.name}",
            command=commands.reboot(),
        )


def pending_functions_difference(host: Host, device: HostDevice, commands: Commands) -> Difference:
    """The difference for a number that is configured and takes effect at the next reboot."""
    number = device.sriov.configured if device.sriov is not None else 0
    return host_difference(
        host,
        "pending_reboot",
        device,
        wanted=f"{number} virtual functions",
        found=found_functions(device),
        cause=f"{device.address} has {pending_functions(device)}, which takes effect at the next reboot",
        cure=f"Reboot {host.name}",
        command=commands.reboot(),
    )


def found_functions(device: HostDevice) -> str:
    return f"{device.sriov.in_effect if device.sriov is not None else 0} virtual functions"


def _not_desired(
    host: Host,
    target: TargetPlan,
    desired_devices: Sequence[DesiredDevice],
    lost: Mapping[str, str],
    commands: Commands,
) -> Iterator[Difference]:
    """Devices that are enabled but not desired. When the plan has a blocker, devices that match an entry count as desired."""
    selected = frozenset(target.host_facts.selected)
    virtual = virtual_functions(host.devices)
    for device in host.devices:
        if not device.enabled or device.address in selected or device.address in virtual:
            continue
        if target.blockers and any(entry.selector.matches(device) for entry in desired_devices):
            continue
        if device.address in lost:
            yield _conflict(host, device, lost[device.address], commands)
        elif device.state == "stale":
            yield host_difference(
                host,
                "stale_address",
                device,
                wanted="off",
                cause=f"{device.address} is configured for passthrough, but the host does not offer it: the setting may be left from a "
                "card that was removed",
                cure="Disable passthrough of the address, before a card that the host needs gets this address",
                command=commands.disable(host.name, device.address, device.ids),
                planned=False,
            )
        else:
            yield _extra(host, device, commands)


def _extra(host: Host, device: HostDevice, commands: Commands) -> Difference:
    users = host.users.get(device.address, ())
    names = ", ".join(user.vm for user in users)
    command = commands.disable(host.name, device.address, device.ids)
    if users and all(user.fixed for user in users):
        detach = commands.detach([user.moid for user in users], device.address, device.ids)
        command = f"{detach} && {command}"
    elif users:
        # A VM has a dynamic device by its model only. Detaching it could take a device that the intent gives to the VM.
        command = commands.show_host(host.name)
    return host_difference(
        host,
        "extra",
        device,
        wanted="off",
        cause=f"{device.address} is enabled and not in the intent" + (f"; it is attached to {names}" if users else ""),
        cure=(f"Detach it from {names} and disable it" if users else "Disable it") + ", or add it to the intent",
        command=command,
        planned=device.requires_reboot,  # the playbooks would do the pending reboot
    )


def _conflict(host: Host, device: HostDevice, reason: str, commands: Commands) -> Difference:
    return host_difference(
        host,
        "protected_conflict",
        device,
        wanted="off",
        cause=f"{device.address} is enabled, so the host loses the device at its next boot, although {reason}",
        cure="Disable passthrough of the device before the next reboot of the host",
        command=commands.disable(host.name, device.address, device.ids),
    )


def _lost_at_next_boot(host: Host, allowed: Sequence[Override]) -> Mapping[str, str]:
    """Protected devices that the host loses at its next boot → reasons for the protection. Empty when the fabric was not read."""
    waiting = [device for device in host.devices if device.state == "pending_enable"]
    if host.fabric is None or not waiting:
        return {}
    reasons = protections(host)
    overridden = apply_overrides(host, allowed, reasons).named
    return {
        device.address: "; ".join(reason.reason for reason in reasons[device.address])
        for device in waiting
        if device.address in reasons and device.address not in overridden
    }
