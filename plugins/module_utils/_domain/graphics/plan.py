# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning the graphics settings of hosts: types and vGPU modes of GPUs, and the restart of Xorg. PRIVATE to the collection.

A graphics type takes effect when Xorg is restarted, or at a reboot. When a vGPU mode takes effect is not published: the plan expects it at
once, and what the host shows afterwards decides. Xorg is restarted only by consent, and only while no VM uses graphics of the host.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..host.blockers import unreachable
from ..host.desired import refuse_bare_addresses
from ..host.matching import select
from ..host.selector import DesiredDevice
from ..observed.graphics import (
    MIG,
    SHARED_DIRECT,
    TYPES,
    GpuEntry,
    GraphicsConfig,
    GraphicsDevice,
    HostGraphics,
)
from ..observed.hosts import Host, HostDevice
from ..pci import DISPLAY_CLASS
from ..planning.details import GraphicsWrite, XorgRestart
from ..planning.plan import Blocker, Change, HostFacts, Plan, TargetPlan
from . import blockers
from .desired import DesiredGpu, DesiredGraphics, DesiredHostGraphics

DEFAULT = "default graphics type"
POLICY = "assignment policy"
XORG = "Xorg"


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """A setting of a GPU that is configured and not in effect. ``what``: "graphics type" or "vGPU mode"."""

    address: str
    what: str
    configured: str
    present: str

    def __str__(self) -> str:
        return f"{self.address} ({self.what} {self.configured}, in effect is {self.present})"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Selected:
    """The GPUs that the entries select: address → device and its desired type and mode."""

    devices: Mapping[str, HostDevice]
    desired: Mapping[str, DesiredGpu]
    blockers: tuple[Blocker, ...] = ()
    notes: tuple[str, ...] = ()


def plan_graphics(hosts: Sequence[Host], desired: DesiredHostGraphics, restarted: frozenset[str] = frozenset()) -> Plan:
    """One TargetPlan for each host, sorted by name. Nothing is read or written. Raises InputError.

    The plan is provisional (``HostFacts.provisional``) when it restarts Xorg and the users of graphics were not read. ``restarted``: ids
    of hosts whose Xorg this run has restarted.
    """
    refuse_bare_addresses(
        (host.name, gpu.selector)
        for host in hosts
        if host.moid in desired.hosts
        for gpu in desired.hosts[host.moid].gpus
    )
    ordered = sorted(hosts, key=lambda host: (host.name, host.moid))
    return Plan(targets=tuple(_plan_host(host, desired, host.moid in restarted) for host in ordered))


def waiting_graphics(host: Host, desired: DesiredGraphics) -> tuple[Waiting, ...]:
    """The settings of the GPUs that ``desired`` is about that are configured and not in effect. Empty when that is unknown."""
    graphics = host.graphics
    if graphics is None or graphics.config is None or graphics.gaps or not host.is_reachable:
        return ()
    selected = _select(host, graphics, DesiredHostGraphics(hosts={host.moid: desired}, on_missing="skip"))
    return tuple(_waiting(graphics, graphics.config, _in_scope(graphics, graphics.config, desired, selected)))


def _plan_host(host: Host, desired: DesiredHostGraphics, restarted: bool) -> TargetPlan:
    settings, graphics = desired.hosts.get(host.moid), host.graphics
    if settings is None or graphics is None:
        return TargetPlan(target=host.name, moid=host.moid)
    if not host.is_reachable:
        return TargetPlan(target=host.name, moid=host.moid, blockers=(unreachable(host),))
    if graphics.gaps:
        return TargetPlan(target=host.name, moid=host.moid, blockers=(blockers.unreadable(host, graphics.gaps),))
    selected = _select(host, graphics, desired)
    before = graphics.config or GraphicsConfig()
    after = _after(before, settings, selected)
    scope = _in_scope(graphics, after, settings, selected)
    writes = tuple(_changes(host, before, after, scope))
    pending = tuple(_waiting(graphics, before, scope))
    later = tuple(_waiting(graphics, after, scope))
    restart = _restart(settings, writes, later) if not restarted else ()
    refused = (
        *(() if graphics.config is not None else (blockers.unsupported(host),)),
        *selected.blockers,
        *_mode_blockers(host, graphics, after, selected),
        *blockers.in_use(host, [gpu for gpu in scope if gpu.vms and _differs(before, after, gpu.address)]),
        *(blockers.xorg_in_use(host) if restart else ()),
    )
    # Without a restart a type is expected to wait; a mode is expected at once. What the host shows after the write decides.
    waits = {each.address for each in later if each.what == "graphics type" and not restart}
    waits |= {each.address for each in pending if not restart and each in later}
    return TargetPlan(
        target=host.name,
        moid=host.moid,
        changes=(*writes, *restart),
        blockers=refused,
        warnings=(*selected.notes, *_ways(host, later if not refused and not restart else (), settings)),
        pending=tuple(dict.fromkeys(each.address for each in pending if each in later)),
        host_facts=HostFacts(
            selected=tuple(sorted(gpu.address for gpu in scope)),
            pending_after=tuple(sorted(waits)),
            reboot_expected=bool(waits),
            provisional=bool(restart) and graphics.users is None,
        ),
        skipped=bool(selected.notes)
        and not selected.desired
        and not writes
        and settings.default_type is None
        and settings.assignment_policy is None,
    )


def _select(host: Host, graphics: HostGraphics, desired: DesiredHostGraphics) -> _Selected:
    """The GPUs of each entry. Other functions of the same card (audio, USB) that match are left out."""
    devices: dict[str, HostDevice] = {}
    meant: dict[str, DesiredGpu] = {}
    refused: list[Blocker] = []
    notes: list[str] = []
    for entry in desired.hosts[host.moid].gpus:
        selection = select(host, DesiredDevice(selector=entry.selector, count="all"))
        if selection.blocker is not None:
            if desired.on_missing == "skip" and selection.blocker.skippable:
                notes.append(f"Skipped: {replace(selection.blocker, cure='').sentence()}")
            else:
                refused.append(selection.blocker)
            continue
        gpus = [device for device in selection.devices if _is_gpu(device, graphics)]
        if not gpus:
            refused.append(blockers.no_gpu(host, selection.devices))
        for device in gpus:
            address, known = device.address, meant.get(device.address)
            problem = blockers.cannot_be_set(host, device, graphics.gpu(address))
            if problem is not None:
                refused.append(problem)
                continue
            if known is not None and (_conflict(known.type, entry.type) or _conflict(known.mode, entry.mode)):
                refused.append(blockers.contradicting(host, device))
                continue
            devices[address] = device
            meant[address] = DesiredGpu(
                selector=entry.selector,
                type=entry.type or (known.type if known else None),
                mode=entry.mode or (known.mode if known else None),
            )
    return _Selected(devices=devices, desired=meant, blockers=tuple(dict.fromkeys(refused)), notes=tuple(notes))


def _is_gpu(device: HostDevice, graphics: HostGraphics) -> bool:
    return graphics.gpu(device.address) is not None or device.class_id.startswith(DISPLAY_CLASS)


def _conflict(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other


def _after(before: GraphicsConfig, settings: DesiredGraphics, selected: _Selected) -> GraphicsConfig:
    """The configuration after the write. What the settings do not name stays, also entries of devices that are not there."""
    after = replace(
        before,
        default_type=settings.default_type or before.default_type,
        assignment_policy=settings.assignment_policy or before.assignment_policy,
    )
    for address, gpu in sorted(selected.desired.items()):
        kind, mode = gpu.type or before.type_of(address), gpu.mode or after.mode_of(address)
        if (kind, mode) != (after.type_of(address), after.mode_of(address)):
            old = after.entry(address)
            device_id = address if old is None else old.device_id
            after = after.with_entry(GpuEntry(device_id=device_id, address=address, type=kind, mode=mode))
    return after


def _in_scope(
    graphics: HostGraphics, config: GraphicsConfig, settings: DesiredGraphics, selected: _Selected
) -> tuple[GraphicsDevice, ...]:
    """The GPUs that the settings are about: those of the entries; with a default type also those that follow the default."""
    follows_default = settings.default_type is not None
    return tuple(
        gpu
        for gpu in graphics.gpus
        if gpu.address in selected.desired
        or (follows_default and gpu.type in TYPES and config.entry(gpu.address) is None)
    )


def _differs(before: GraphicsConfig, after: GraphicsConfig, address: str) -> bool:
    return (before.type_of(address), before.mode_of(address)) != (after.type_of(address), after.mode_of(address))


def _waiting(graphics: HostGraphics, config: GraphicsConfig, scope: Sequence[GraphicsDevice]) -> Iterator[Waiting]:
    """What is configured and not in effect. A GPU without a driver, in passthrough or in MIG mode follows no setting."""
    for gpu in scope:
        if gpu.type not in TYPES:
            continue
        kind, mode = config.type_of(gpu.address), config.mode_of(gpu.address)
        if kind != gpu.type:
            # Until the type is in effect, the GPU has no mode.
            yield Waiting(address=gpu.address, what="graphics type", configured=kind, present=gpu.type)
        elif mode is not None and kind == SHARED_DIRECT and gpu.mode not in (mode, MIG):
            yield Waiting(address=gpu.address, what="vGPU mode", configured=mode, present=gpu.mode)


def _changes(
    host: Host, before: GraphicsConfig, after: GraphicsConfig, scope: Sequence[GraphicsDevice]
) -> Iterator[Change]:
    modes = has_modes(host)
    if before.default_type != after.default_type:
        write = GraphicsWrite(default_type=after.default_type, with_modes=modes)
        yield Change(subject=DEFAULT, before=before.default_type, after=after.default_type, detail=write)
    if before.assignment_policy != after.assignment_policy:
        write = GraphicsWrite(assignment_policy=after.assignment_policy, with_modes=modes)
        yield Change(subject=POLICY, before=before.assignment_policy, after=after.assignment_policy, detail=write)
    for gpu in scope:
        entry = after.entry(gpu.address)
        if entry is not None and entry != before.entry(gpu.address):
            yield Change(
                subject=gpu.address,
                before=_shown(host, before, gpu),
                after=_shown(host, after, gpu),
                detail=GraphicsWrite(entry=entry, with_modes=modes or entry.mode is not None),
            )


def graphics_after(config: GraphicsConfig, changes: Iterable[Change]) -> GraphicsConfig:
    """The whole configuration with these changes. Entries that they do not name stay as they are."""
    for change in changes:
        if not isinstance(change.detail, GraphicsWrite):
            continue
        write = change.detail
        config = replace(
            config,
            default_type=write.default_type or config.default_type,
            assignment_policy=write.assignment_policy or config.assignment_policy,
        )
        config = config if write.entry is None else config.with_entry(write.entry)
    return config


def _shown(host: Host, config: GraphicsConfig, gpu: GraphicsDevice) -> Mapping[str, str | None]:
    device = host.device(gpu.address)
    what = " ".join(part for part in (device.ids if device else "", gpu.name) if part)
    return {"type": config.type_of(gpu.address), "vgpu_mode": config.mode_of(gpu.address), "device": what}


def has_modes(host: Host) -> bool:
    """Whether the release of the host has vGPU modes (8.0.3)."""
    return blockers.release(host) >= blockers.MODES_SINCE


def _restart(settings: DesiredGraphics, writes: Sequence[Change], later: Sequence[Waiting]) -> tuple[Change, ...]:
    """Restart Xorg, with consent, when a type waits for it, or when this run writes a setting that would wait.

    A mode alone that an earlier run wrote is no reason: that run restarted Xorg, and if the mode still waits, it waits for a reboot.
    """
    written = any(write.subject != POLICY for write in writes)
    if not settings.restart_xorg or not any(written or each.what == "graphics type" for each in later):
        return ()
    return (Change(subject=XORG, before="running", after="restarted", detail=XorgRestart()),)


def _mode_blockers(host: Host, graphics: HostGraphics, after: GraphicsConfig, selected: _Selected) -> Iterator[Blocker]:
    for address, desired in sorted(selected.desired.items()):
        device, gpu = selected.devices[address], graphics.gpu(address)
        if desired.mode is None:
            continue
        if not has_modes(host):
            yield blockers.modes_unsupported(host, device)
        elif gpu is not None and gpu.mode == MIG:
            yield blockers.in_mig_mode(host, device)
        elif after.type_of(address) != SHARED_DIRECT:
            yield blockers.mode_without_vgpu(host, device, after.type_of(address))


def _ways(host: Host, later: Sequence[Waiting], settings: DesiredGraphics) -> Iterator[str]:
    """How what is configured takes effect."""
    if not later:
        return
    listed = ", ".join(map(str, later))
    types = any(each.what == "graphics type" for each in later)
    consent = (
        " (restart_xorg: true does it while no VM uses graphics of the host)"
        if types and not settings.restart_xorg
        else ""
    )
    yield f"Takes effect when Xorg is restarted on {host.name}{consent}, or at its next reboot: {listed}"
