# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks of a rolling reboot cost what changed, and never show less than a process that has just started sees."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
from pyVmomi import vim, vmodl

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.memo import Memo
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.scheduling import scheduler
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.actions import Action
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.codec import encode
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import (
    ENTRY,
    PAUSE,
    VM,
    Entry,
    Lock,
    VmEntry,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.observed import (
    ObservedFleet,
    Precheck,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import Pinned, Policy
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.context import RunContext
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.loop import Loop
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.progress_file import ProgressWriter
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.attributes.journal import (
    AttributeJournal,
    Subject,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.rolling.inventory import (
    FleetInventory,
    RequestedHost,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.connect import Session
from simulator.simulator import Simulator
from tests.unit.module_utils._vsphere.rolling.inventory_lab import end_sessions, open_session, simulator
from tests.unit.modules.host_rolling_reboot.lab import fleet

ME = "ops@here"
LOOKS = 25
SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 10))]
POLICY = Policy(max_unavailable=2, canary=False, pinned=Pinned(action="shutdown"))


def lab() -> dict[str, Any]:
    made = fleet(hosts=3, clusters=2, vms=3)
    one, two = made["datacenters"][0]["clusters"]
    card = {"card": "t4", "at": "5e", "enabled": True, "active": True}
    one["hosts"].append({"name": "c1-gpu.lab", "cards": [card, {"card": "nvme-data", "at": "17", "datastore": "own"}]})
    one["vms"].append({"name": "train", "host": "c1-gpu.lab", "power": "on", "devices": [{"fixed": "0000:5e:00.0"}]})
    one["vms"].append({"name": "local", "host": "c1-gpu.lab", "power": "on", "datastore": "own"})
    two["vms"].append({"name": "golden", "host": "c2-esx-01.lab", "template": True})
    return made


def watching(sim: Simulator, session: Session) -> Loop:
    """The loop of a process that has just started, for all hosts."""
    hosts = moids(sim, vim.HostSystem)
    return Loop(
        RunContext(
            session=session,
            fleet=FleetInventory(session, [RequestedHost(moid=moid) for moid in hosts]),
            journal=AttributeJournal(session, why="it can be"),
            policy=POLICY,
            me=ME,
            scope="s",
            progress_writer=ProgressWriter(None),
            is_gone=lambda owner: owner == "ops@gone",
        )
    )


def moids(sim: Simulator, kind: Any) -> list[str]:
    with sim.lock:
        return sorted(obj.moid for obj in sim.registry._objects.values() if issubclass(obj.vim_type, kind))


class Happenings:
    """What may happen between two looks, on the server and in the process; each time something of it."""

    def __init__(self, sim: Simulator, session: Session, loop: Loop, rng: random.Random) -> None:
        self.sim, self.session, self.loop, self.rng = sim, session, loop, rng
        self.count = 0
        self.deck: list[str] = []

    def one(self) -> str:
        if not self.deck:
            self.deck = [name for name in dir(self) if name.startswith("some_")]
            self.rng.shuffle(self.deck)
        name = self.deck.pop()
        self.count += 1
        try:
            getattr(self, name)()
        except vmodl.MethodFault:
            return f"{name}: refused"  # as it may be in this state
        return name

    def _any(self, kind: Any) -> Any:
        return self.session.reference(kind, self.rng.choice(moids(self.sim, kind)))

    def _now(self) -> float:
        return float(int(self.loop._fleet.now()))

    def some_vm_is_renamed(self) -> None:
        self._any(vim.VirtualMachine).Rename_Task(self.rng.choice(("db", "web", f"vm-{self.count}")))

    def some_vm_is_switched(self) -> None:
        vm = self._any(vim.VirtualMachine)
        (vm.PowerOffVM_Task if str(vm.runtime.powerState) == "poweredOn" else vm.PowerOnVM_Task)()

    def some_vm_grows(self) -> None:
        self._any(vim.VirtualMachine).ReconfigVM_Task(vim.vm.ConfigSpec(memoryMB=4096 + 4 * self.count))

    def some_vm_goes(self) -> None:
        vm = self._any(vim.VirtualMachine)
        if str(vm.runtime.powerState) != "poweredOn" and len(moids(self.sim, vim.VirtualMachine)) > 4:
            vm.Destroy_Task()

    def some_host_enters_maintenance_mode(self) -> None:
        self._any(vim.HostSystem).EnterMaintenanceMode_Task(600, self.rng.random() < 0.5, None)

    def some_host_leaves_it(self) -> None:
        self._any(vim.HostSystem).ExitMaintenanceMode_Task(0)

    def some_host_reboots(self) -> None:
        self._any(vim.HostSystem).RebootHost_Task(False)

    def some_host_is_disconnected(self) -> None:
        name = self._any(vim.HostSystem).name
        self.sim.events[self.rng.choice(("disconnect_host", "reconnect_host"))](host=name)

    def some_device_changes(self) -> None:
        host = self.sim.find(vim.HostSystem, "c1-esx-02.lab")
        address = self.rng.choice([address for address, item in host.pci.items() if item.capable])
        self.sim.events["set_device_state"](host=host.name, address=address, enabled=self.rng.random() < 0.5)

    def some_task_runs(self) -> None:
        kind = self.rng.choice((vim.HostSystem, vim.ClusterComputeResource))
        obj = self.sim.registry._objects[self.rng.choice(moids(self.sim, kind))]
        what = self.rng.choice(("HostSystem.reconnect", "HostSystem.reboot", "com.vmware.vcIntegrity.RemediateTask"))
        task = self.sim.start_task(None, obj, what, lambda task: None, duration=self.rng.choice((5, 300)))
        if self.rng.random() < 0.3:
            self.loop._fleet.own_tasks.add(task.moid)

    def some_cluster_changes(self) -> None:
        drs = vim.cluster.DrsConfigInfo(
            enabled=self.rng.random() < 0.8, defaultVmBehavior=self.rng.choice(("fullyAutomated", "manual"))
        )
        vm = vim.cluster.DrsVmConfigSpec(
            operation="add", info=vim.cluster.DrsVmConfigInfo(key=self._any(vim.VirtualMachine), behavior="manual")
        )
        spec = vim.cluster.ConfigSpecEx(drsConfig=drs, drsVmConfigSpec=[vm])
        self._any(vim.ClusterComputeResource).ReconfigureComputeResource_Task(spec, True)

    def some_time_passes(self) -> None:
        self.sim.clock.advance(self.rng.choice((1, 20, 90, 400)))

    def some_session_ends(self) -> None:
        end_sessions(self.sim)

    def some_entry_is_written(self) -> None:
        """By this run, or by another one; sometimes nobody can read it."""
        now, moid = self._now(), self._any(vim.HostSystem)._moId
        step = self.rng.choice(("draining", "verifying", "done", "failed", "blocked"))  # not those that are probed
        asked = now if step in ("verifying", "done") else None
        entry = Entry(run_id=self.rng.choice(("r1", "other")), step=step, at=now, started=now, asked=asked)
        self._write(Subject(kind="host", moid=moid), ENTRY, encode(entry))

    def some_vm_has_an_entry(self) -> None:
        now, host = self._now(), self._any(vim.HostSystem)._moId
        entry = VmEntry(run_id="r1", host=host, step=self.rng.choice(("stop", "start")), at=now)
        self._write(Subject(kind="vm", moid=self._any(vim.VirtualMachine)._moId), VM, encode(entry))

    def some_lock_is_taken(self) -> None:
        now, owner = self._now(), self.rng.choice((ME, "ops@there", "ops@gone"))
        lock = Lock(owner=owner, run_id="r1", scope="s", since=now - 10, beat=now, ttl=300)
        self._write(Subject(kind="cluster", moid=self._any(vim.ClusterComputeResource)._moId), "", encode(lock))

    def some_cluster_is_paused(self) -> None:
        subject = Subject(kind="cluster", moid=self._any(vim.ClusterComputeResource)._moId)
        self._write(subject, PAUSE, {PAUSE: self.rng.choice(("", "audit"))})

    def _write(self, subject: Subject, garbled: str, texts: dict[str, str]) -> None:
        if garbled and self.rng.random() < 0.2:
            texts = {garbled: self.rng.choice(("", "nobody can read this"))}
        journal = self.loop._context.journal
        if self.rng.random() < 0.5:
            journal.write(subject, texts)
            return
        assert isinstance(journal, AttributeJournal)
        journal.define()
        other = AttributeJournal(self.session, why="another run")
        other.write(subject, texts)

    def some_call_is_refused(self) -> None:
        kind: Any = self.rng.choice((vim.HostSystem, vim.VirtualMachine, vim.ClusterComputeResource))
        self.loop._refuse("record", self._any(kind)._moId, vim.fault.InvalidState(msg="not now"))

    def some_call_is_made(self) -> None:
        vm, host = self._any(vim.VirtualMachine)._moId, self._any(vim.HostSystem)._moId
        kind, target = self.rng.choice((("start_vm", vm), ("leave_maintenance", host)))
        action = Action(kind=kind, target=target, name="", reason="")  # type: ignore[arg-type]
        self.loop._pending.asked(action, self.loop._fleet.now())

    def some_host_is_prechecked(self) -> None:
        moid, now = self._any(vim.HostSystem)._moId, self._now()
        self.loop._observer.prechecks[moid] = Precheck(at=now, evacuation_faults={}, vsan_resync_mb=self.count % 2)

    def some_maintenance_mode_is_another_users(self) -> None:
        self.loop._pending.own[self._any(vim.HostSystem)._moId] = self.rng.random() < 0.5


def without_readings(fleet: ObservedFleet) -> ObservedFleet:
    """Without what is read from time to time only, and without what no other process knows."""
    nothing: dict[str, Any] = {"under_way": frozenset(), "refusal": None}
    own: dict[str, Any] = {**nothing, "precheck": None, "maintenance_is_own": None, "load": 0.0, "memory_free_mb": None}
    return replace(
        fleet,
        hosts=tuple(replace(view, **own) for view in fleet.hosts),
        vms=tuple(replace(view, **nothing, memory_mb=0, reserved_mb=view.reserved_mb) for view in fleet.vms),
        clusters=tuple(replace(view, refusal=None, admission=None) for view in fleet.clusters),
    )


def differences(one: ObservedFleet, other: ObservedFleet) -> list[str]:
    """The fields of objects that are not the same."""
    found = []
    for kind in ("hosts", "vms", "clusters"):
        ones, others = ({view.moid: view for view in getattr(fleet, kind)} for fleet in (one, other))
        found += [f"{kind}: {sorted(ones.keys() ^ others.keys())}"] if [*ones] != [*others] else []
        for moid in ones.keys() & others.keys():
            for field in fields(ones[moid]):
                values = [getattr(view, field.name) for view in (ones[moid], others[moid])]
                found += [f"{moid} {field.name}: {values}"] if values[0] != values[1] else []
    return found if found or one == other else [f"{one}\n{other}"]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_look_shows_what_a_new_process_sees_and_decides_the_same(seed: int) -> None:
    sim, rng = simulator(lab()), random.Random(seed)
    session = open_session(sim)
    loop = watching(sim, session)
    happenings = Happenings(sim, session, loop, rng)
    told: list[str] = []
    loop.decide(loop.look(0))
    for _look in range(LOOKS):
        told += [happenings.one() for _more in range(rng.choice((0, 1, 1, 3)))]
        seen = loop.look(0)
        observed = loop.observe(seen)
        decision = scheduler.decide(observed, POLICY, seen.now, loop._memo)
        # From the same that was received, with nothing kept from before.
        observer = replace(loop._observer, memo=Memo())
        assert replace(observer.observe(seen, loop._paused(seen)), stop=observed.stop) == observed, told
        assert scheduler.decide(observed, POLICY, seen.now) == decision, told
        bare = loop._fleet
        assert (bare.hosts, bare.vms, bare.clusters, bare.texts, bare.entering) == without_memo(bare), told
        # From the server itself, by a process that knows nothing yet.
        other = watching(sim, session)
        other._observer.run_id = loop._observer.run_id
        other._fleet.own_tasks |= loop._fleet.own_tasks
        fresh = other.observe(other.look(0))
        assert differences(without_readings(fresh), without_readings(observed)) == [], told
        other._fleet.close()
    assert len({name.partition(":")[0] for name in told}) > 15


def without_memo(bare: FleetInventory) -> tuple[Any, ...]:
    """What is shown, built from the same rows with nothing kept from before."""
    kept, bare._memo = bare._memo, Memo()
    try:
        return (bare.hosts, bare.vms, bare.clusters, bare.texts, bare.entering)
    finally:
        bare._memo = kept


# -- the cost -------------------------------------------------------------------------------------------------------


def cost(loop: Loop, change: Callable[[], Any] = lambda: None) -> Counter[str]:
    """How often each function is called in the look after a change: views that are built, rules that are evaluated."""
    memos = (loop._fleet._memo, loop._observer.memo, loop._memo)
    before = Counter[str]()
    change()
    for memo in memos:
        before += memo.calls
    loop.decide(loop.look(0))
    after = Counter[str]()
    for memo in memos:
        after += memo.calls
    return after - before


OF_HOSTS = ("_host_view", "_host", "_with_facts", "_quick", "_status", "_pending_reboot")
OF_VMS = ("_vm_view", "_observed_vm")


def test_a_look_costs_what_changed() -> None:
    sim = simulator(fleet(hosts=8, clusters=3, vms=8))
    session = open_session(sim)
    loop = watching(sim, session)
    journal = loop._context.journal
    assert isinstance(journal, AttributeJournal)
    journal.define()
    first = cost(loop)
    assert {name: first[name] for name in (*OF_HOSTS[:3], *OF_VMS)} == dict.fromkeys((*OF_HOSTS[:3], *OF_VMS), 24)
    cost(loop)
    assert cost(loop) == Counter()
    assert cost(loop, lambda: sim.clock.advance(20)) == Counter()

    host = sim.find(vim.HostSystem, "c2-esx-03.lab")
    changed = cost(loop, lambda: host.set("runtime.inMaintenanceMode", True))
    assert all(changed[name] <= 1 for name in (*OF_HOSTS, *OF_VMS)), changed
    assert (changed["_host_view"], changed["_host"], changed["_with_facts"], changed["_vm_view"]) == (1, 1, 1, 0)

    three = [sim.find(vim.VirtualMachine, f"c1-web-{number}") for number in (1, 2, 3)]
    changed = cost(loop, lambda: [vm.set("guest.toolsRunningStatus", "guestToolsNotRunning") for vm in three])
    assert (changed["_vm_view"], changed["_observed_vm"], changed["_host_view"], changed["_with_facts"]) == (3, 3, 0, 0)

    entry = Entry(run_id="another", step="done", at=loop._fleet.now(), started=0.0)
    changed = cost(loop, lambda: journal.write(Subject(kind="host", moid=host.moid), encode(entry)))
    assert (changed["_host"], changed["_with_facts"], changed["_vm_view"]) == (0, 1, 0)
    assert max(changed[name] for name in OF_HOSTS) == 1
