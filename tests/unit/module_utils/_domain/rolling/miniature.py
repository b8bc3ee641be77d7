# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A vCenter and an engine small enough to try everything that can happen.

``State`` is a value. Every function takes one and gives another, so that an explorer can go on from any of them in every possible
way. The engine in it does what the contract of the scheduler says and nothing more: look, decide, write, call; and it can die between
any two of these. What only the observer knows (who put a host into maintenance mode, who stopped a VM) is kept beside what vCenter
shows and is never seen by the scheduler, except through the event log.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.health_gate import (
    Check,
    GateAnswer,
    HealthGate,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.maintenance.next_action import adopted
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.maintenance.plan import plan_maintenance
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.maintenance.plan_gate import PlanGate
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import Host, HostDevice
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.plan import Change, TargetPlan
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.scheduling import scheduler as schedule
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.actions import Action
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.codec import (
    decode_host,
    decode_lock,
    decode_maintenance,
    decode_vm,
    encode,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.fleet_index import index_fleet
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import (
    Before,
    Entry,
    Lock,
    VmEntry,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.lock import adopt
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.observed import (
    ClusterView,
    HostView,
    ObservedFleet,
    Precheck,
    Refusal,
    VmView,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.phases import Decision, Outlook
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import (
    Deadlines,
    Goal,
    LockRule,
    Pinned,
    Policy,
)

START = 1_000_000
CARD = HostDevice(
    address="0000:3b:00.0", vendor_id="10de", device_id="20f1", class_id="0302", capable=True, enabled=True, active=True
)
PENDING = replace(CARD, active=False)
OTHER = replace(CARD, device_id="2235")
SECOND_CARD = replace(CARD, address="0000:5e:00.0")

POLICY = Policy(
    canary=False,
    pinned=Pinned(action="shutdown_then_power_off"),
    max_failures=9,
    deadlines=Deadlines(
        drain=100,
        stop_vm=50,
        watch_vm=130,
        reboot=200,
        verify=50,
        leave=100,
        restore=150,
        start_vm=50,
        retry=40,
        reboot_retry=60,
    ),
    lock=LockRule(ttl=10**8, heartbeat=10**7, settle=0, take="force"),
    precheck_age=10**6,
    revisit=100,
)
"""Short enough that every deadline is met in a few steps."""
SERVING = HealthGate(soak=20, checks=(Check(kind="command", vms="none", argv=("/serves",)),), timeout=60, interval=5)
"""A host is done when it has served for a while."""


PATIENT = 50
"""Seconds after which a guest has forgotten that it was asked to shut down: less than it is watched, as between writing the
record and making the call some time may pass."""


class HostS(NamedTuple):
    """A host. ``owner`` of the maintenance mode (``us`` or ``op``) is known to the event log only."""

    moid: str
    cluster: str
    pending: bool = True
    up: bool = True
    mm: bool = False
    owner: str = ""
    entering: str = ""
    boot: int = 0
    going: bool = False
    """Told to go down and not down yet."""
    booting: bool = False
    cycle: bool = False
    """Told to shut down, not to reboot."""
    off: bool = False
    dead: bool = False
    again: bool = False
    """Will be pending again after its next boot."""
    second: bool | None = None
    """Whether a second card of it is pending, too, which a boot always settles; None where it has none."""
    resets: bool = False
    """Will show the boot time of before after its next boot."""
    lag: int = 0
    """So much earlier than it was is its boot as it is shown, by the clock of the host."""
    began_boot: int = 0
    """Which boot was to be ended, when it was started or told to reboot."""
    mute: bool = False
    """Does not say how long it is up."""
    swapped: bool = False
    """Will come back with another card in that place."""
    card: HostDevice = CARD
    serves: bool | None = None
    """Whether what it provides to others (storage, for example) is there; a boot ends it. None: it provides nothing."""
    serves_since: int = 0
    sick: bool = False
    """After its next boot it will not serve."""
    entry: Entry | None = None
    before: Before | None = None
    precheck: int | None = None
    refusal: Refusal | None = None
    flying: str = ""
    reboot_generation: int = 1
    """Which debt it has; a new one gets a new number."""
    reboots: tuple[int, ...] = ()
    """The debts for which we had it rebooted."""
    left_alone: bool = False
    """Failed in our hands while in maintenance mode: must stay there."""

    @property
    def shown(self) -> float:
        """Its boot time as vCenter shows it."""
        return float(self.boot - self.lag)


class VmS(NamedTuple):
    moid: str
    host: str
    on: bool = True
    pinned: bool = False
    order: int = 0
    shutting: int = 0
    """When its guest was asked to shut down; it may do so for ``PATIENT`` seconds."""
    deaf: bool = False
    """Its guest ignores the next request to shut down."""
    refuses: bool = False
    """It cannot be started."""
    entry: VmEntry | None = None
    refusal: Refusal | None = None
    own: bool = False
    """It is off because of us."""


class State(NamedTuple):
    hosts: tuple[HostS, ...]
    vms: tuple[VmS, ...]
    locks: tuple[tuple[str, Lock | None], ...]
    now: int = START
    """What has really passed: no clock in this world has to show it."""
    ahead: int = 0
    """How much the clock of vCenter is ahead of it."""
    frame: int = 0
    """How much the clock of the run is ahead of it: it begins with vCenter's, or with the latest time of the journal."""
    me: int = 1
    run_id: str = "r1"
    queue: tuple[tuple[Action, bool], ...] = ()
    """Actions under way: (action, it is written and its call comes next)."""
    fresh: bool = False
    """The world has changed since the last decision."""
    wake: float | None = None
    ended: str = ""
    faults: int = 0
    """How many more things may go wrong."""
    runs: int = 1
    """How often the same was asked for, each time until it ended of its own accord."""
    goal: Goal = "reboot"
    """With another goal, the first host is put into maintenance mode, or returned to service."""
    begun: int = 0
    """When this process of host_maintenance began."""
    planned: tuple[Change, ...] = ()
    """What this process of host_maintenance has planned for it."""

    @property
    def run_now(self) -> int:
        """The clock of the run."""
        return self.now + self.frame

    def host(self, moid: str) -> HostS:
        return next(host for host in self.hosts if host.moid == moid)

    def vm(self, moid: str) -> VmS:
        return next(vm for vm in self.vms if vm.moid == moid)

    def with_host(self, host: HostS) -> State:
        return self._replace(hosts=tuple(host if host.moid == old.moid else old for old in self.hosts), fresh=True)

    def with_vm(self, vm: VmS) -> State:
        return self._replace(vms=tuple(vm if vm.moid == old.moid else old for old in self.vms), fresh=True)

    def with_lock(self, cluster: str, lock: Lock | None) -> State:
        return self._replace(locks=tuple((c, lock if c == cluster else old) for c, old in self.locks), fresh=True)

    def runs_on(self, moid: str) -> bool:
        return any(vm.on and vm.host == moid for vm in self.vms)


def begin(hosts: tuple[HostS, ...], vms: tuple[VmS, ...] = (), faults: int = 0) -> State:
    clusters = sorted({host.cluster for host in hosts})
    return State(hosts=hosts, vms=vms, locks=tuple((c, None) for c in clusters), fresh=True, faults=faults)


def begin_maintenance(hosts: tuple[HostS, ...], vms: tuple[VmS, ...], faults: int, policy: Policy) -> State:
    """The first host is put into maintenance mode."""
    return _planned(begin(hosts, vms, faults)._replace(goal="enter"), policy)


def _planned(state: State, policy: Policy) -> State:
    """A process of host_maintenance begins: it plans, and ends at once where the host is refused."""
    now = float(state.run_now)
    run_id = adopted(state.hosts[0].entry, state.goal) or f"m{state.me}{state.runs}"
    state = state._replace(run_id=run_id, begun=state.run_now)
    fleet = index_fleet(world_of(state), replace(policy, goal=state.goal), now)
    (target,) = plan_maintenance(fleet, [state.hosts[0].moid]).targets
    ended = "" if target.effective else "refused" if target.blockers else "finished"
    return state._replace(planned=target.effective, ended=ended, fresh=not ended, queue=())


def release(state: State, policy: Policy) -> State:
    """The same host is to return to service. What went wrong in a run before is over."""
    return _planned(_restarted(state, policy)._replace(goal="leave", runs=state.runs + 1), policy)


# ------------------------------------------------------------------------------------------------------- what is seen


@lru_cache(maxsize=200_000)
def _host_view(host: HostS, uptime: float | None, checked_at: float = 0.0) -> HostView:
    card = host.card if not host.pending else replace(host.card, active=False)
    cards = (card,) if host.second is None else (card, replace(SECOND_CARD, active=not host.second))
    return HostView(
        host=Host(
            moid=host.moid,
            name=host.moid,
            cluster=host.cluster,
            compute_moid=host.cluster,
            connection_state="connected" if host.up else "notResponding",
            in_maintenance_mode=host.mm,
            boot_time=host.shown,
            devices=cards,
        ),
        entering=bool(host.entering),
        rebooting=host.going,
        services_answer=True if host.up else None,
        bmc_power="off" if host.off else "on",
        maintenance_is_own=None if host.entry is None else "op" not in (host.owner, host.entering),
        model="m",
        precheck=None if host.precheck is None else Precheck(at=float(host.precheck), evacuation_faults={}),
        entry=host.entry,
        before=host.before,
        refusal=host.refusal,
        under_way=frozenset([host.flying]) if host.flying else frozenset(),
        uptime=uptime,
        gate_answers=(GateAnswer(key=(0, ""), ok=bool(host.serves), text="?", at=checked_at),) if checked_at else (),
    )


@lru_cache(maxsize=200_000)
def _vm_view(vm: VmS) -> VmView:
    return VmView(
        moid=vm.moid,
        name=vm.moid,
        host_moid=vm.host,
        power_state="poweredOn" if vm.on else "poweredOff",
        tools_running=vm.on,
        devices=("PCI device 0",) if vm.pinned else (),
        fixed=vm.pinned,
        order=vm.order,
        entry=vm.entry,
        refusal=vm.refusal,
    )


def _is_checked(host: HostS) -> bool:
    return host.serves is not None and host.up and host.entry is not None and host.entry.step == "checking"


def _lock_of_host(state: State) -> Lock:
    """host_maintenance has its lock all the time: no second process works on the host in this world."""
    return Lock(
        owner=f"me{state.me}",
        run_id=state.run_id,
        scope="s",
        since=0.0,
        beat=float(state.run_now),
        ttl=10**8,
        purpose="maintenance",
    )


def world_of(state: State) -> ObservedFleet:
    return ObservedFleet(
        me=f"me{state.me}",
        run_id=state.run_id,
        scope="s",
        begun=float(state.begun),
        ahead=float(state.ahead - state.frame),
        hosts=tuple(
            replace(
                _host_view(
                    host,
                    float(state.now - host.boot) if host.up and not host.mute else None,
                    # The check takes no time here, and its answer is as old as the decision.
                    float(state.run_now) if _is_checked(host) else 0.0,
                ),
                lock=None if state.goal == "reboot" else _lock_of_host(state),
            )
            for host in state.hosts
        ),
        vms=tuple(_vm_view(vm) for vm in state.vms),
        clusters=tuple(ClusterView(moid=moid, name=moid, drs_moves_vms=True, lock=lock) for moid, lock in state.locks),
    )


# ------------------------------------------------------------------------------------------------------------- engine


def look(state: State, policy: Policy) -> tuple[State, Decision]:
    """Look and decide: what is to be done goes into the queue."""
    try:
        decision = _decide(state, policy)
    except DirectPathError:
        return state._replace(fresh=False, ended="stalled"), Decision(
            actions=(), hosts=(), outlook=Outlook(state="stalled")
        )
    outlook = decision.outlook
    queue = tuple((action, False) for action in decision.actions)
    ended = outlook.state if outlook.ended else ""
    return state._replace(queue=queue, fresh=False, wake=outlook.wake_at, ended=ended), decision


def _decide(state: State, policy: Policy) -> Decision:
    if state.goal == "reboot":
        return schedule.decide(world_of(state), policy, float(state.run_now))
    moid = state.hosts[0].moid
    gate = PlanGate(TargetPlan(target=moid, moid=moid, changes=state.planned), account="ops@lab")
    return gate.decide(world_of(state), replace(policy, goal=state.goal), float(state.run_now))


@lru_cache(maxsize=100_000)
def through_text(value: Entry | VmEntry | Lock | Before) -> Entry | VmEntry | Lock | Before:
    """What another process will read of it."""
    texts = encode(value)
    assert all(len(text) <= 255 for text in texts.values())
    if isinstance(value, Lock):
        found: object = decode_lock(texts, value.purpose)
    elif isinstance(value, VmEntry):
        found = decode_vm(texts, value.purpose)
    elif isinstance(value, Entry) and value.purpose == "maintenance":
        found = decode_maintenance(texts)
    else:
        entry, _unused, garbage = decode_host(texts)
        found = decode_host(texts)[1] if isinstance(value, Before) else entry
        assert not garbage
    assert isinstance(found, type(value)), texts
    return found


def write(state: State, action: Action) -> State:
    """The write-ahead part of an action."""
    value = None if action.entry is None else through_text(action.entry)
    if isinstance(value, Entry):
        host = state.host(action.target)
        if action.before is not None:
            before = through_text(action.before)
            assert isinstance(before, Before)
            host = host._replace(before=before)
        old = host.entry
        if value.step in ("draining", "rebooting") and (
            old is None or (old.step, old.started) != (value.step, value.started)
        ):
            # Somebody may have booted it between the decision and this write.
            host = host._replace(began_boot=host.boot if value.boot in (None, host.shown) else -1)
        left = host.mm and value.step == "failed" and not value.by_operator
        state = state.with_host(
            host._replace(entry=value, left_alone=left or (host.left_alone and value.step == "failed"))
        )
    elif isinstance(value, VmEntry):
        state = state.with_vm(state.vm(action.target)._replace(entry=value))
    elif isinstance(value, Lock):
        state = state.with_lock(action.target, value)
    return state


def call(state: State, action: Action) -> State:
    """The call of an action, as the server answers it."""
    match action.kind:
        case "release_lock":
            return state.with_lock(action.target, None)
        case "stop_vm" | "power_off_vm" | "start_vm" | "forget_vm":
            return _call_vm(state, action)
        case "take_lock" | "renew_lock" | "finish_lock" | "record":
            return state
        case _:
            return _call_host(state, action)


def _call_host(state: State, action: Action) -> State:
    host = state.host(action.target)
    match action.kind:
        case "precheck":
            return state.with_host(host._replace(precheck=state.run_now))
        case "forget_host":
            return state.with_host(host._replace(entry=None, before=None))
        case "enter_maintenance":
            if host.mm:
                return _refuse(state, action, "already_in_maintenance", permanent=True)
            if host.entering or not host.up:
                return _refuse(state, action, "busy")
            return state.with_host(host._replace(entering="us", refusal=None))
        case "cancel_entering":
            return state.with_host(host._replace(entering="", refusal=None))
        case "reboot_host" | "shut_down_host":
            # Guarded by a last look: same boot, in maintenance mode, not on its way down.
            if not host.up or not host.mm or host.going or host.shown != action.boot_time:
                return state._replace(fresh=True)
            down = host._replace(going=True, cycle=action.kind == "shut_down_host", refusal=None)
            return state.with_host(down._replace(reboots=(*host.reboots, host.reboot_generation)))
        case "power_on_host":
            return state.with_host(host._replace(off=False, booting=True)) if host.off else state._replace(fresh=True)
        case "leave_maintenance":
            if not host.mm or not host.up:
                return _refuse(state, action, "invalid_state")
            return state.with_host(host._replace(mm=False, owner="", refusal=None))
        case kind:
            raise AssertionError(kind)


def _call_vm(state: State, action: Action) -> State:
    vm = state.vm(action.target)
    match action.kind:
        case "stop_vm":
            return state.with_vm(vm._replace(shutting=state.now, refusal=None)) if vm.on else state._replace(fresh=True)
        case "power_off_vm":
            return state.with_vm(vm._replace(on=False, shutting=0, own=True)) if vm.on else state._replace(fresh=True)
        case "start_vm":
            host = state.host(vm.host)
            if vm.on:
                return state._replace(fresh=True)
            if vm.refuses or not host.up or host.mm or host.entering:
                refusal = Refusal(kind="start_vm", code="refused", text="no", at=float(state.run_now))
                return state.with_vm(vm._replace(refusal=refusal))
            return state.with_vm(vm._replace(on=True, own=False, refusal=None))
        case _:
            return state.with_vm(vm._replace(entry=None))


def _refuse(state: State, action: Action, code: str, *, permanent: bool = False) -> State:
    refusal = Refusal(kind=action.kind, code=code, text=code, at=float(state.run_now), permanent=permanent)
    return state.with_host(state.host(action.target)._replace(refusal=refusal))


def step(state: State) -> State:
    """The next thing the engine does of what is in its queue: write, or call."""
    (action, written), *rest = state.queue
    if not written:
        state = write(state, action)
        return state._replace(queue=((action, True), *rest))
    return call(state._replace(queue=tuple(rest)), action)


def crash(state: State, policy: Policy) -> State:
    """The process dies; another one starts from what vCenter holds, with a name of its own unless locks are never taken."""
    bare = _restarted(state, policy)
    if state.goal != "reboot":
        return _planned(bare, policy)
    adoption = adopt(
        [lock for _unused, lock in bare.locks],
        [(dict(bare.locks)[host.cluster], host.entry) for host in bare.hosts if host.entry is not None],
        me=f"me{bare.me}",
        scope="s",
        policy=policy,
        now=float(bare.run_now),
        fresh_id=f"r{bare.me}n",
    )
    return bare._replace(run_id=adoption.run_id)


def _restarted(state: State, policy: Policy) -> State:
    """What a process knew is lost."""
    me = state.me if policy.lock.take == "never" else state.me % 2 + 1
    return state._replace(
        hosts=tuple(host._replace(precheck=None, refusal=None, flying="") for host in state.hosts),
        vms=tuple(vm._replace(refusal=None) for vm in state.vms),
        queue=(),
        fresh=True,
        ended="",
        me=me,
        # With the same name, it is the next slice of the same run: it got the clock of the one before.
        frame=state.frame if me == state.me else _first_frame(state),
    )


def _first_frame(state: State) -> int:
    """A process begins with vCenter's clock, but never before a time of the journal."""
    entries = [item.entry for item in (*state.hosts, *state.vms) if item.entry is not None]
    latest = max((max(entry.at, entry.called) for entry in entries), default=0.0)
    return max(state.ahead, int(latest) - state.now)


def again(state: State, policy: Policy) -> State:
    """The same command once more, after the run before it ended; this time nothing goes wrong."""
    return crash(state._replace(runs=state.runs + 1), policy)._replace(faults=0)


# -------------------------------------------------------------------------------------------------- what goes on by itself


def nature(state: State, boot: int = 31) -> list[tuple[str, State]]:
    """Everything that goes on without the engine: hosts go down and come back, guests shut down, VMs move.

    A boot takes ``boot`` seconds, as the next one must never be within the margin of the one before.
    """
    found = []
    for host in state.hosts:
        name = host.moid
        if host.going:
            down = host._replace(going=False, up=False, booting=not host.cycle, off=host.cycle, cycle=False)
            found.append((f"{name} goes down", state.with_host(down)))
        elif host.booting and not host.dead:
            later = state._replace(now=state.now + boot)
            back = host._replace(up=True, booting=False, boot=later.now, pending=host.again, again=False, entering="")
            back = back._replace(serves=None if host.serves is None else False)
            back = back._replace(second=None if host.second is None else False)
            back = back._replace(lag=int(later.now - host.shown) if host.resets else 0, resets=False)
            if host.swapped:
                back = back._replace(card=OTHER, swapped=False)
            found.append((f"{name} comes back", later.with_host(back)))
        if host.serves is False and host.up and not (host.going or host.mm or host.sick):
            serving = host._replace(serves=True, serves_since=state.now)
            found.append((f"{name} serves", state.with_host(serving)))
        if host.entering and host.up and not state.runs_on(name):
            found.append(
                (f"{name} is empty", state.with_host(host._replace(mm=True, owner=host.entering, entering="")))
            )
    for vm in state.vms:
        host = state.host(vm.host)
        if vm.shutting and host.up:
            off = vm._replace(on=False, shutting=0, own=True)
            if vm.deaf or state.now >= vm.shutting + PATIENT:
                off = vm._replace(shutting=0, deaf=False)
            found.append((f"{vm.moid} shuts down", state.with_vm(off)))
        elif vm.on and not vm.pinned and host.entering:
            found += _moves(state, vm, host)
    return found


def _moves(state: State, vm: VmS, host: HostS) -> list[tuple[str, State]]:
    others = (h for h in state.hosts if h.cluster == host.cluster and h.up and not h.mm and not h.entering)
    return [
        (f"{vm.moid} moves to {h.moid}", state.with_vm(vm._replace(host=h.moid))) for h in others if h.moid != host.moid
    ][:1]
