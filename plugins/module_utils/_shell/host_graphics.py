# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module host_graphics, from its parameters to its result. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .._domain.concurrency import Pace, parse_pace
from .._domain.graphics.desired import DesiredGraphics, DesiredHostGraphics
from .._domain.graphics.plan import graphics_after, plan_graphics, waiting_graphics
from .._domain.host.targets import Target
from .._domain.observed.graphics import MIG, SHARED_DIRECT, GraphicsConfig
from .._domain.observed.hosts import Host
from .._domain.planning.details import GraphicsWrite, XorgRestart
from .._domain.planning.plan import Change, Plan, TargetPlan
from .._domain.planning.predicted import Predicted, PredictedGraphics
from .._domain.text import counted
from .._vsphere.read.graphics import name_graphics_users, read_graphics_users
from .._vsphere.read.hosts import read_host_names, reread_hosts
from .._vsphere.session.connect import Session
from .._vsphere.write.graphics import restart_xorg, settle_graphics, write_graphics
from .engine.gate import Gate
from .engine.graphics_targets import parse_graphics_targets, settings_of_hosts
from .engine.output import target_result
from .engine.result import Outcome, is_unreached
from .engine.scope import AfterWrites, BeforeWrite, Details, FirstLook, Scope


@dataclass(frozen=True, kw_only=True)
class GraphicsRequest:
    """The parameters of host_graphics. ``desired``: the settings of each target."""

    targets: tuple[Target, ...]
    desired: tuple[DesiredGraphics, ...]
    on_missing: Literal["fail", "skip"]
    settle_timeout: int
    pace: Pace

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> GraphicsRequest:
        """Read the parameters. Raises InputError."""
        targets, desired = parse_graphics_targets(params)
        return cls(
            targets=targets,
            desired=desired,
            on_missing=params["on_missing"],
            settle_timeout=params["settle_timeout"],
            pace=parse_pace(params["max_concurrent"], params["max_failures"]),
        )


@dataclass(frozen=True, kw_only=True)
class ObservedGraphics:
    """The hosts that the parameters name, and their settings. ``restarted``: ids of hosts whose Xorg this run has restarted."""

    hosts: tuple[Host, ...]
    desired: DesiredHostGraphics
    restarted: frozenset[str] = field(default=frozenset())

    def host(self, moid: str) -> Host:
        """The host with this id. Raises StopIteration when it is not among them."""
        return next(host for host in self.hosts if host.moid == moid)


def observe(session: Session, request: GraphicsRequest, scope: Scope[ObservedGraphics]) -> ObservedGraphics:
    """Read the hosts: one bulk read for names and one for the hosts. The VMs of a host are read only where Xorg would be restarted.

    Raises InputError for a name that no host, or more than one, has.
    """
    match scope:
        case FirstLook(predicted=predicted):
            observed = _read(session, request)
            return replace(observed, hosts=predicted.of_hosts(observed.hosts)) if predicted else observed
        case Details(seen=seen, plan=plan):
            return _with_users(session, seen, plan)
        case BeforeWrite(seen=seen, moid=moid):
            return _again(session, seen, {moid})
        case AfterWrites(seen=seen, written=written, moids=moids):
            restarted = {target.moid for target in written.targets if _restarts(target.effective)}
            _settle(session, request, seen, written)
            return replace(_again(session, seen, moids), restarted=seen.restarted | restarted)


def _read(session: Session, request: GraphicsRequest) -> ObservedGraphics:
    inventory = read_host_names(session)
    desired = settings_of_hosts(inventory, request.targets, request.desired)
    hosts = reread_hosts(session, [host for host in inventory.hosts if host.moid in desired], graphics=True)
    return ObservedGraphics(
        hosts=name_graphics_users(session, hosts),
        desired=DesiredHostGraphics(hosts=desired, on_missing=request.on_missing),
    )


def _again(session: Session, seen: ObservedGraphics, moids: Collection[str]) -> ObservedGraphics:
    known = [host for host in seen.hosts if host.moid in moids]
    hosts = reread_hosts(session, known, graphics=True)
    return replace(seen, hosts=name_graphics_users(session, hosts))


def _with_users(session: Session, seen: ObservedGraphics, plan: Plan) -> ObservedGraphics:
    """The running VMs of the hosts whose Xorg would be restarted. Returns the same object when there are none."""
    needed = {target.moid for target in plan.targets if target.host_facts.provisional}
    if not needed:
        return seen
    found = read_graphics_users(session, [host for host in seen.hosts if host.moid in needed])
    deep = {host.moid: host for host in found}
    return replace(seen, hosts=tuple(deep.get(host.moid, host) for host in seen.hosts))


def _settle(session: Session, request: GraphicsRequest, seen: ObservedGraphics, written: Plan) -> None:
    """Wait for what is expected to take effect: a mode after its write, and after a restart of Xorg the types too."""
    awaited: dict[str, dict[str, tuple[str, str | None]]] = {}
    for target in written.targets:
        graphics, restarts = seen.host(target.moid).graphics, _restarts(target.effective)
        if graphics is None or graphics.config is None:
            continue
        config = graphics_after(graphics.config, target.effective)
        details = [change.detail for change in target.effective]
        with_mode = {each.entry.address for each in details if isinstance(each, GraphicsWrite) and each.entry}
        chosen = frozenset(target.host_facts.selected) if restarts else with_mode
        for gpu in graphics.gpus:
            if gpu.address in chosen:
                kind = config.type_of(gpu.address) if restarts else gpu.type
                mode = config.mode_of(gpu.address) if kind == SHARED_DIRECT and gpu.mode != MIG else None
                awaited.setdefault(target.moid, {})[gpu.address] = (kind, mode)
    settle_graphics(session, seen.hosts, awaited, timeout=request.settle_timeout)


def _restarts(changes: Sequence[Change]) -> bool:
    return any(isinstance(change.detail, XorgRestart) for change in changes)


def plan(observed: ObservedGraphics, request: GraphicsRequest) -> Plan:
    """Plan the graphics settings of all hosts."""
    return plan_graphics(observed.hosts, observed.desired, observed.restarted)


def predict(observed: ObservedGraphics, plan: Plan) -> Predicted:
    """The settings after the plan is applied. Those that wait for a reboot are not in effect."""
    found = {}
    for target in plan.targets:
        graphics = observed.host(target.moid).graphics
        if not target.effective or graphics is None:
            continue
        facts = target.host_facts
        found[target.moid] = PredictedGraphics(
            config=graphics_after(graphics.config or GraphicsConfig(), target.effective),
            in_effect=frozenset(facts.selected).difference(facts.pending_after),
        )
    return Predicted(graphics=found)


def apply(
    session: Session,
    observed: ObservedGraphics,
    request: GraphicsRequest,
    target: TargetPlan,
    gate: Gate[ObservedGraphics],
) -> Outcome:
    """Write the graphics configuration of one host, then restart Xorg if the plan does. Raises DirectPathError."""
    now, planned = gate.reread()
    host = now.host(target.moid)
    left = gate.check(target.effective, planned, doing=f"change the graphics settings of {host.name}")
    writes = [change for change in left if isinstance(change.detail, GraphicsWrite)]
    done = []
    if writes:
        current = host.graphics.config if host.graphics is not None else None
        # The whole configuration is replaced, so all that was not asked for is written as it was read a moment ago.
        write_graphics(session, host, graphics_after(current or GraphicsConfig(), writes))
        done.append(f"{counted(len(writes), 'graphics setting')} {'was' if len(writes) == 1 else 'were'} written")
    if _restarts(left):
        restart_xorg(session, host)
        done.append("Xorg was restarted")
    return Outcome(done=tuple(done))


def render(
    observed: ObservedGraphics, request: GraphicsRequest, plan: Plan, outcomes: Mapping[str, Outcome]
) -> dict[str, Any]:
    """The result for all hosts of the plan."""
    hosts = [_host(observed, target, outcomes) for target in plan.targets]
    return {
        "hosts": hosts,
        "reboot_required": [host["name"] for host in hosts if host["reboot_required"]],
        "refused": [host["name"] for host in hosts if host["status"] == "refused"],
        "passed_over": [host["name"] for host in hosts if host["status"] == "skipped"],
    }


def _host(observed: ObservedGraphics, target: TargetPlan, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    host = observed.host(target.moid)
    # Before the write the plan predicts what will be pending; after it the host reports it.
    is_forecast = bool(target.effective) and target.moid not in outcomes and not is_unreached(target, outcomes)
    waiting = waiting_graphics(host, observed.desired.hosts[target.moid])
    pending = bool(target.host_facts.pending_after) if is_forecast else bool(waiting)
    still = ""
    if target.moid in observed.restarted and waiting:
        listed = ", ".join(map(str, waiting))
        still = (
            f"Xorg was restarted, but {host.name} does not show this yet. It takes effect at the next reboot: {listed}"
        )
    return {
        **target_result(target, outcomes),
        **({"warnings": [*target.warnings, still]} if still else {}),
        "path": host.path,
        "cluster": host.cluster,
        "in_maintenance_mode": host.in_maintenance_mode,
        "reboot_required": pending,
        "waiting": [] if is_forecast else [str(each) for each in waiting],
        "graphics": None if host.graphics is None else host.graphics.record(),
    }
