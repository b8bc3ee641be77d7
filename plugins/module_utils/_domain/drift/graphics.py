# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The differences between the desired and the observed graphics settings of hosts. PRIVATE to the collection.

Imported only where the desired state has graphics settings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from ..graphics.desired import DesiredHostGraphics
from ..graphics.plan import waiting_graphics
from ..observed.hosts import Host
from ..planning.details import GraphicsWrite, XorgRestart
from ..planning.plan import Plan, Shown, TargetPlan
from .commands import Commands
from .hosts import host_differences
from .kinds import Difference


def graphics_differences(
    hosts: Sequence[Host],
    desired: DesiredHostGraphics,
    plan: Plan,
    commands: Commands,
    *,
    compared: Collection[str] = (),
) -> Iterator[Difference]:
    """The differences of all hosts with graphics settings. ``plan``: the plan of host_graphics. ``compared``: ids of hosts whose devices
    are compared too; that they are not reachable is reported there."""
    by_id = {host.moid: host for host in hosts}
    for target in plan.targets:
        host = by_id[target.moid]
        if not host.is_reachable:
            if host.moid not in compared:
                yield from host_differences(host, TargetPlan(target=host.name, moid=host.moid), (), commands)
            continue
        yield from _refused(host, target, commands)
        yield from _changes(host, target, commands)
        yield from _waiting(host, target, desired, commands)


def _refused(host: Host, target: TargetPlan, commands: Commands) -> Iterator[Difference]:
    for blocker in target.blockers:
        candidates = f". Candidates: {'; '.join(blocker.candidates)}" if blocker.candidates else ""
        yield _difference(
            host,
            "unreadable" if blocker.code in ("graphics_unreadable", "xorg_users_unknown") else "refused",
            subject=", ".join(blocker.subjects),
            cause=f"{blocker.message}{candidates}",
            cure=blocker.cure,
            command=commands.show_host(host.name),
        )


def _changes(host: Host, target: TargetPlan, commands: Commands) -> Iterator[Difference]:
    obstacles = tuple(f"Nothing on {host.name} is changed until this is fixed: {b.message}" for b in target.blockers)
    for change in target.changes:
        if isinstance(change.detail, GraphicsWrite):
            yield _difference(
                host,
                "graphics_differ",
                subject=change.subject,
                wanted=_words(change.after),
                found=_words(change.before),
                cause=f"{change.subject} of {host.name} is configured otherwise",
                cure="Set it",
                command=commands.show_host(host.name) if obstacles else commands.enable(),
                obstacles=obstacles,
            )


def _waiting(host: Host, target: TargetPlan, desired: DesiredHostGraphics, commands: Commands) -> Iterator[Difference]:
    """What is configured as desired and not in effect. A GPU that is to be changed has its difference already."""
    changed = {change.subject for change in target.changes}
    restarts = any(isinstance(change.detail, XorgRestart) for change in target.effective)
    for each in waiting_graphics(host, desired.hosts[host.moid]):
        if each.address in changed:
            continue
        yield _difference(
            host,
            "graphics_pending",
            subject=each.address,
            wanted=f"{each.what} {each.configured}",
            found=f"{each.what} {each.present}",
            cause=f"The {each.what} {each.configured} of {each.address} is configured and not in effect",
            cure=f"Restart Xorg on {host.name}, or reboot it",
            command=commands.enable() if restarts else commands.reboot(),
        )


def _difference(host: Host, kind: str, subject: str, **more: Any) -> Difference:
    device = host.device(subject)
    return Difference(
        kind=kind,
        type="host",
        object=host.name,
        moid=host.moid,
        cluster=host.cluster,
        subject=subject,
        device=f"{device.ids} {device.name}".rstrip() if device is not None else "",
        **more,
    )


def _words(value: Shown) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key.replace('_', ' ')} {value[key] or '-'}" for key in ("type", "vgpu_mode"))
    return str(value)
