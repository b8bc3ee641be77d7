# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tries everything that can happen in a miniature, in every order, and checks every step of it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import Lock
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.observed import Refusal
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import Policy
from tests.unit.module_utils._domain.rolling import miniature
from tests.unit.module_utils._domain.rolling.invariants import (
    STUCK,
    Violation,
    check_call,
    check_decision,
    check_end,
    check_maintenance_end,
    check_state,
)
from tests.unit.module_utils._domain.rolling.miniature import START, HostS, State, VmS

STEP = 7200
"""By how many seconds a clock is set."""
LONGEST = 600
"""Steps of one run; a run that takes more does not end."""


@dataclass(kw_only=True)
class Found:
    """What was tried."""

    states: int = 0
    transitions: int = 0
    ends: int = 0
    kinds: set[str] | None = None


def explore(start: State, policy: Policy, only: tuple[str, ...] = ()) -> Found:
    """Everything reachable, depth first. Raises Violation with the way that led there.

    ``only``: the kinds of things that may go wrong; none: all of them.

    Coming back to a state on the way to it is a violation as well: the engine would run in circles, as time passes only when nothing
    else is left to do.
    """
    found = Found(kinds=set())
    begun = start.faults
    done: set[State] = set()
    path: list[str] = []
    on_path: set[State] = {start}
    stack: list[tuple[State, Iterator[tuple[str, State]]]] = [(start, _steps(start, policy, begun, found, only))]
    gc.disable()  # Hundreds of thousands of values without a cycle: looking through them for garbage takes a third of the time.
    try:
        while stack:
            state, steps = stack[-1]
            following = next(steps, None)
            if following is None:
                stack.pop()
                on_path.discard(state)
                done.add(state)
                if path:
                    path.pop()
                continue
            label, state = following
            found.transitions += 1
            path.append(label)
            if state in on_path:
                raise Violation(STUCK, "it runs in circles")
            if len(path) > LONGEST:
                raise Violation(STUCK, f"not done after {LONGEST} steps")
            check_state(state)
            if state in done:
                path.pop()
                continue
            on_path.add(state)
            stack.append((state, _steps(state, policy, begun, found, only)))
    except Violation as violation:
        violation.add_note("\n".join(f"  {number:3} {label}" for number, label in enumerate(path, 1)))
        raise
    finally:
        gc.enable()
    found.states = len(done)
    return found


def _steps(
    state: State, policy: Policy, begun: int, found: Found, only: tuple[str, ...]
) -> Iterator[tuple[str, State]]:
    """What can happen next, with names."""
    if state.ended and not state.queue:
        found.ends += 1
        if state.goal != "reboot":
            yield from _after_maintenance(state, policy, begun)
            return
        perfect = state.faults == begun and state.runs == 1
        check_end(state, perfect=perfect)
        is_new_wish = policy.reason == "firmware" and state.ended == "finished"
        if state.runs == 1 and not perfect and not is_new_wish:
            yield "the same once more", miniature.again(state, policy)
        return
    yield from regular(state, policy)
    if state.faults:
        for label, after in interference(state, policy):
            kind = label.split(":")[0]
            if only and kind not in only:
                continue
            if found.kinds is not None:
                found.kinds.add(kind)
            yield f"!! {label}", after._replace(faults=state.faults - 1)


def _after_maintenance(state: State, policy: Policy, begun: int) -> Iterator[tuple[str, State]]:
    """After the host was put into maintenance mode, it is returned to service; where something went wrong then, once more."""
    check_maintenance_end(state, perfect=state.faults == begun, last=state.runs > 2)
    if state.goal == "enter":
        yield "back to service", miniature.release(state, policy)
    elif state.runs == 2 and state.faults != begun:
        later = state._replace(now=state.now + int(policy.deadlines.watch_vm))
        yield "back to service once more", miniature.again(later, policy)


def regular(state: State, policy: Policy) -> Iterator[tuple[str, State]]:
    """The engine and the world as they should be."""
    going = miniature.nature(state)
    if state.queue:
        action, written = state.queue[0]
        if written:
            check_call(state, action)
        yield f"{'call' if written else 'write'} {action.kind} {action.name} ({action.reason})", miniature.step(state)
        # What goes on meanwhile matters only where a call is about to be made.
        yield from going if written else ()
    elif state.fresh:
        after, decision = miniature.look(state, policy)
        check_decision(state, decision, policy)
        yield "look", after
    elif going:
        yield from going
    elif state.wake is not None and state.wake > state.run_now:
        yield f"wait until {state.wake - START:.0f}", state._replace(now=int(state.wake) - state.frame, fresh=True)
    else:
        raise Violation(STUCK, f"nothing wakes it: {state.wake}")


def interference(state: State, policy: Policy) -> Iterator[tuple[str, State]]:
    """One thing that goes wrong, or that somebody else does."""
    yield "crash", miniature.crash(state, policy)
    if state.queue:
        yield from _faulty(state)
    elif not state.fresh and state.wake is not None and state.wake > state.run_now and miniature.nature(state):
        yield "slow", state._replace(now=int(state.wake) - state.frame, fresh=True)
    yield from _clocks(state, policy)
    for host in state.hosts:
        yield from _operator(state, host)
        yield from _hardware(state, host)
    for vm in state.vms:
        yield from _guest(state, vm)
    for cluster, lock in state.locks:
        if isinstance(lock, Lock) and lock.owner != "thief" and policy.lock.take != "force":
            thief = replace(lock, owner="thief", run_id="x", since=float(state.run_now), beat=float(state.run_now))
            yield "lock stolen", state.with_lock(cluster, thief)


def _clocks(state: State, policy: Policy) -> Iterator[tuple[str, State]]:
    """Somebody sets a clock. What a running process measures does not depend on it; one that begins has nothing else."""
    moving = [host for host in state.hosts if host.entry is not None and (host.mm or not host.up)]
    if not moving:
        return
    for way, seconds in (("forward", STEP), ("back", -STEP)):
        stepped = state._replace(ahead=state.ahead + seconds, fresh=True)
        yield f"vCenter's clock is set, and a crash: {way}", miniature.crash(stepped, policy)
        if state.queue or state.fresh:
            continue  # it makes no difference whether a clock is set before or after a decision
        yield f"vCenter's clock is set: {way}", stepped
        for host in moving:
            yield f"host's clock is set: {host.moid} {way}", state.with_host(host._replace(lag=host.lag - seconds))


def _faulty(state: State) -> Iterator[tuple[str, State]]:
    (action, written), *rest = state.queue
    left = state._replace(queue=tuple(rest), fresh=True)
    if not written:
        yield f"write fails: {action.kind}", left
        return
    yield f"call lost: {action.kind}", left
    for permanent in (False, True):
        refusal = Refusal(kind=action.kind, code="refused", text="no", at=float(state.run_now), permanent=permanent)
        if action.kind in ("enter_maintenance", "leave_maintenance", "reboot_host", "shut_down_host", "power_on_host"):
            host = state.host(action.target)
            yield f"refused: {action.kind} {permanent}", left.with_host(host._replace(refusal=refusal))
        elif action.kind in ("stop_vm", "start_vm", "power_off_vm"):
            yield f"refused: {action.kind}", left.with_vm(state.vm(action.target)._replace(refusal=refusal))


def _operator(state: State, host: HostS) -> Iterator[tuple[str, State]]:
    if not host.up or host.going:
        return
    if host.mm:
        yield f"operator ends maintenance: {host.moid}", state.with_host(host._replace(mm=False, owner=""))
        yield f"operator takes over: {host.moid}", state.with_host(host._replace(owner="op"))
        later = state._replace(now=state.now + 40)
        booted = host._replace(boot=later.now, lag=0, pending=False)
        booted = booted._replace(second=None if host.second is None else False)
        yield f"operator reboots: {host.moid}", later.with_host(booted)
    elif not host.entering:
        yield f"operator enters: {host.moid}", state.with_host(host._replace(entering="op"))
    elif host.entering == "us":
        refusal = Refusal(kind="enter_maintenance", code="cancelled", text="cancelled", at=float(state.run_now))
        yield f"operator cancels: {host.moid}", state.with_host(host._replace(entering="", refusal=refusal))
    if not host.pending:
        fresh = host._replace(pending=True, reboot_generation=host.reboot_generation + 1)
        yield f"operator changes passthrough: {host.moid}", state.with_host(fresh)
    elif not host.mm:
        yield f"operator turns passthrough back: {host.moid}", state.with_host(host._replace(pending=False))


def _hardware(state: State, host: HostS) -> Iterator[tuple[str, State]]:
    if host.up and not host.going:
        yield f"dies: {host.moid}", state.with_host(host._replace(up=False, dead=True, entering=""))
    if host.going or host.booting or host.off:
        yield (
            f"does not come back: {host.moid}",
            state.with_host(host._replace(going=False, up=False, off=False, dead=True)),
        )
        yield f"pending again: {host.moid}", state.with_host(host._replace(again=True))
        yield f"other card: {host.moid}", state.with_host(host._replace(swapped=True))
        if host.serves is not None:
            yield f"does not serve: {host.moid}", state.with_host(host._replace(sick=True))
        yield f"old boot time: {host.moid}", state.with_host(host._replace(resets=True))
        yield f"old boot time, says nothing: {host.moid}", state.with_host(host._replace(resets=True, mute=True))


def _guest(state: State, vm: VmS) -> Iterator[tuple[str, State]]:
    if vm.shutting and not vm.deaf:
        yield f"guest does not shut down: {vm.moid}", state.with_vm(vm._replace(deaf=True))
    if not vm.on and not vm.refuses:
        yield f"will not start: {vm.moid}", state.with_vm(vm._replace(refuses=True))
    if vm.on and vm.pinned:
        yield f"user stops: {vm.moid}", state.with_vm(vm._replace(on=False, shutting=0))
