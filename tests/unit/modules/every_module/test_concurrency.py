# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several hosts and VMs at the same time: never more than asked for, each on its own, and the same result whatever the pace."""

from __future__ import annotations

import importlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.concurrency import ON_ONE_HOST, Pace
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine import concurrent
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.concurrent import work
from simulator.core.clock import ScaledClock
from simulator.simulator import Simulator
from tests.unit.modules.harness import MODULES, Lab, _arguments
from tests.unit.patience import PATIENCE, until

pytestmark = pytest.mark.slow

T4 = {"match": "10de:1eb8"}
HOSTS, VMS = 8, 12


def lab(*, enabled: bool = False, hosts: int = HOSTS, vms: int = VMS) -> dict[str, Any]:
    cards = [{"card": "t4", "count": 2, "enabled": enabled}, "nvme-data"]
    cluster = {
        "name": "gpu",
        "drs": "fullyAutomated",
        "hosts": [{"name": "esx-{:02d}.lab", "count": hosts, "cards": cards, "memory_gb": 512}],
        "vms": [
            {"name": f"train-{number:02d}", "host": f"esx-{number % hosts + 1:02d}", "memory_gb": 8, "version": 20}
            for number in range(vms)
        ],
    }
    return {"kind": "vcenter", "version": "8.0.3", "datacenters": [{"name": "DC", "clusters": [cluster]}]}


NAMES = [f"train-{number:02d}" for number in range(VMS)]
ENABLE: dict[str, Any] = {"cluster": ["gpu"], "devices": [T4]}
ATTACH: dict[str, Any] = {"vm": NAMES, "devices": [T4], "power": "on", "backing": "fixed"}
LOCK: dict[str, Any] = {"vm": NAMES}


def tidy(result: dict[str, Any]) -> dict[str, Any]:
    """A result without what the pace may change: how often the server was asked."""
    return {key: value for key, value in result.items() if key not in ("calls", "invocation")}


# --- over the wire: what is in flight ----------------------------------------------------------------------------------------


@dataclass
class Wire:
    """A simulator over TLS, and what it saw at the same time."""

    sim: Simulator
    options: dict[str, Any]

    def run(self, module: str, **options: Any) -> dict[str, Any]:
        code = importlib.import_module(f"{MODULES}.{module}")
        printed = StringIO()
        with _arguments({**self.options, **options}), redirect_stdout(printed), suppress(SystemExit):
            code.main()
        result: dict[str, Any] = json.loads(printed.getvalue().strip().splitlines()[-1])
        return result


@contextmanager
def wire(description: dict[str, Any], speed: float = 20) -> Iterator[Wire]:
    sim = Simulator.from_lab(description, clock=ScaledClock(speed))
    try:
        with sim.serve(port=0) as served:
            account, *_unused = sim.authz.users.values()
            where = {"hostname": "localhost", "port": served.port, "ca_path": str(served.ca_file)}
            yield Wire(sim=sim, options={**where, "username": account.name, "password": account.password})
    finally:
        sim.close()


@contextmanager
def frozen_until(sim: Simulator, reached: Callable[[], bool]) -> Iterator[None]:
    """Simulated time stands still until the condition is met, however slow the machine is, and then flies. For a clock of the speed
    ``FROZEN``."""
    over = threading.Event()

    def pump() -> None:
        until(reached)
        while not over.wait(0.01):
            sim.clock.advance(5)  # type: ignore[attr-defined]

    thread = threading.Thread(target=pump, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(PATIENCE)


FROZEN = 1e-6


@pytest.mark.parametrize("bound", [1, 2, 5])
def test_never_more_hosts_at_a_time_than_asked_for(bound: int) -> None:
    """Enabling is a call that keeps the caller waiting: each is held up, and counted while it is."""
    guard, now, most = threading.Condition(), 0, 0

    def begin(_write: Any) -> None:
        nonlocal now, most
        with guard:
            now += 1
            most = max(most, now)
            guard.notify_all()
            # Until as many are there as may be: a busy machine takes its time to start them.
            guard.wait_for(lambda: most >= bound, timeout=PATIENCE)
        time.sleep(0.15)

    def end(_write: Any) -> None:
        nonlocal now
        with guard:
            now -= 1

    with wire(lab()) as made:
        made.sim.on_write(None, begin, when="before", method="UpdatePassthruConfig")
        made.sim.on_write(None, end, when="after", method="UpdatePassthruConfig")
        result = made.run("host_passthrough", **ENABLE, max_concurrent=bound)
        assert not result.get("failed"), result
        assert most == bound
        assert made.sim.journal.counters.logins == 1
        assert made.run("host_passthrough", **ENABLE)["changed"] is False


def test_never_more_vms_at_a_time_than_asked_for_and_two_of_a_host() -> None:
    """A reconfigure is a task: at each new one, those under way are counted, in all and by host."""
    at_once: list[int] = []
    on_a_host: list[int] = []
    with (
        wire(lab(enabled=True, hosts=3), speed=FROZEN) as made,
        frozen_until(made.sim, lambda: max(at_once, default=0) >= 5),
    ):
        machines = {entity.moid: entity for name in NAMES for entity in [made.sim.find_entity(name)]}

        def count(_write: Any) -> None:
            with made.sim.lock:
                busy = Counter(
                    machines[moid].props["runtime"].host._moId for moid in under_way(made.sim) & set(machines)
                )
            at_once.append(busy.total())
            on_a_host.append(max(busy.values(), default=0))

        made.sim.on_write(None, count, method="ReconfigVM_Task")
        result = made.run("vm_memory_reservation", **LOCK, max_concurrent=5)
        assert not result.get("failed"), result
        assert len(at_once) == VMS
        assert max(at_once) == 5
        assert max(on_a_host) == ON_ONE_HOST
        assert made.run("vm_memory_reservation", **LOCK)["changed"] is False


def under_way(sim: Simulator) -> set[str]:
    """Ids of the objects that unfinished tasks are about."""
    infos = [task.props["info"] for task in sim.registry.all() if task.vim_type._wsdlName == "Task"]
    return {info.entity._moId for info in infos if info.state in ("queued", "running")}


def test_guests_that_shut_down_are_waited_for_side_by_side() -> None:
    """A wait in one lane does not hold up the others: all four guests are on their way down before the first one is off."""
    description = lab(enabled=True, vms=4)
    for vm in description["datacenters"][0]["clusters"][0]["vms"]:
        vm["power"] = "on"
    vms = [{"name": name, "devices": [T4]} for name in NAMES[:4]]
    running: list[int] = []
    with wire(description, speed=FROZEN) as made, frozen_until(made.sim, lambda: len(running) == 4):
        machines = [made.sim.find_entity(name) for name in NAMES[:4]]

        def count(_write: Any) -> None:
            running.append(sum(str(vm.get("runtime.powerState")) == "poweredOn" for vm in machines))

        made.sim.on_write(None, count, when="after", method="ShutdownGuest")
        result = made.run("vm_pci_device", vms=vms, power="cycle", backing="fixed")
        assert not result.get("failed"), result
        assert running == [4, 4, 4, 4]


def test_as_many_dynamic_vms_as_there_are_cards_all_get_one() -> None:
    """DRS chooses their hosts by the cards that are free, and a card is taken only when its VM runs. The last ones would be sent to
    cards that others are about to take, were they started at the same time."""
    description = lab(enabled=True, hosts=4, vms=8)
    for vm in description["datacenters"][0]["clusters"][0]["vms"]:
        vm["host"] = f"esx-{int(vm['name'][-2:]) // 4 + 1:02}"  # four on each of two hosts with two cards
    with wire(description, speed=10) as made:
        options = {"vm": NAMES[:8], "devices": [T4], "power": "on", "backing": "dynamic"}
        result = made.run("vm_pci_device", **options, max_concurrent=8)
        assert not result.get("failed"), result["msg"]
        assert {(vm["status"], vm["power_state"]) for vm in result["vms"]} == {("changed", "poweredOn")}
        assert sorted(vm["host"] for vm in result["vms"]) == sorted(2 * [f"esx-0{n}.lab" for n in (1, 2, 3, 4)])


# --- in process: what comes of it --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "options", "enabled"),
    [("host_passthrough", ENABLE, False), ("vm_pci_device", ATTACH, True), ("vm_memory_reservation", LOCK, True)],
)
def test_the_result_does_not_depend_on_the_pace(module: str, options: dict[str, Any], enabled: bool) -> None:
    seen, observations = [], []
    for bound in (1, 3, 8):
        made = Lab.load(lab(enabled=enabled))
        seen.append(tidy(made.run(module, **options, max_concurrent=bound)))
        observations.append(made.sim.describe(made.sim))
        made.sim.journal.clear()
        assert made.run(module, **options)["changed"] is False
        assert made.writes() == []
    assert seen[0] == seen[1] == seen[2]
    assert observations[0] == observations[1] == observations[2]
    assert seen[0]["changed"] is True


FAILS = ("esx-02.lab", "esx-05.lab")


@pytest.mark.parametrize("bound", [1, 4])
def test_a_failure_stays_with_its_host(bound: int) -> None:
    made = Lab.load(lab())
    for name in FAILS:
        made.sim.faults.add(method="UpdatePassthruConfig", name=name, fault="HostConfigFault", message="busy")
    result = made.run("host_passthrough", **ENABLE, max_concurrent=bound, fails=True)
    states = {host["name"]: host["status"] for host in result["hosts"]}
    assert states == {f"esx-{n:02d}.lab": "failed" if f"esx-{n:02d}.lab" in FAILS else "changed" for n in range(1, 9)}
    assert {entry["target"] for entry in result["not_done"]} == set(FAILS)
    assert result["changed"] is True
    made.sim.faults.clear()
    again = made.run("host_passthrough", **ENABLE)
    assert {entry["target"] for entry in again["changes"]} == set(FAILS)


def test_no_more_hosts_are_begun_after_max_failures() -> None:
    made = Lab.load(lab())
    for name in FAILS:
        made.sim.faults.add(method="UpdatePassthruConfig", name=name, fault="HostConfigFault", message="busy")
    result = made.run("host_passthrough", **ENABLE, max_concurrent=1, max_failures=2, fails=True)
    states = {host["name"]: host["status"] for host in result["hosts"]}
    assert [name for name, state in states.items() if state == "failed"] == list(FAILS)
    assert [name for name, state in states.items() if state == "not_reached"] == [f"esx-0{n}.lab" for n in (6, 7, 8)]
    assert not any(host["reboot_required"] for host in result["hosts"] if host["status"] == "not_reached")
    assert {entry["target"] for entry in result["not_done"]} == {*FAILS, "esx-06.lab", "esx-07.lab", "esx-08.lab"}
    assert "2 failed, 3 not reached" in result["msg"]
    written = [entry.name for entry in made.sim.journal.writes() if entry.method == "UpdatePassthruConfig"]
    assert len(written) == 5
    made.sim.faults.clear()
    assert {entry["target"] for entry in made.run("host_passthrough", **ENABLE)["changes"]} == {
        entry["target"] for entry in result["not_done"]
    }


def test_with_several_under_way_at_most_those_are_finished_after_the_last_failure_allowed() -> None:
    made = Lab.load(lab())
    made.sim.faults.add(method="UpdatePassthruConfig", fault="HostConfigFault", message="busy")
    result = made.run("host_passthrough", **ENABLE, max_concurrent=3, max_failures=1, fails=True)
    states = Counter(host["status"] for host in result["hosts"])
    assert set(states) == {"failed", "not_reached"}
    assert 1 <= states["failed"] <= 3
    assert result["changed"] is False


def test_a_refusal_is_no_failure() -> None:
    description = lab()
    description["datacenters"][0]["clusters"][0]["hosts"].append({"name": "esx-00.lab", "cards": ["nvme-data"]})
    made = Lab.load(description)
    result = made.run("host_passthrough", **ENABLE, max_failures=1, fails=True)
    states = Counter(host["status"] for host in result["hosts"])
    assert states == {"refused": 1, "changed": HOSTS}


def test_an_answer_that_was_lost_is_no_failure_once_it_is_seen_to_have_arrived() -> None:
    made = Lab.load(lab())
    made.sim.faults.add(method="UpdatePassthruConfig", name="esx-03.lab", drop="after", times=1)
    result = made.run("host_passthrough", **ENABLE, max_concurrent=1, max_failures=1)
    assert {host["status"] for host in result["hosts"]} == {"changed"}
    assert len(result["changes"]) == 2 * HOSTS
    assert result["not_done"] == []


@pytest.mark.parametrize("bound", [1, 4])
def test_a_session_that_ends_in_the_middle_is_begun_anew_once(bound: int) -> None:
    made = Lab.load(lab(enabled=True))
    made.sim.faults.add(method="ReconfigVM_Task", after=3, times=1, fault="NotAuthenticated")
    result = made.run("vm_memory_reservation", **LOCK, max_concurrent=bound)
    assert len(result["changes"]) == len(result["vms"]) == VMS
    assert made.sim.journal.counters.logins == 2


def test_one_vm_in_a_queue_that_fails_to_start_leaves_the_others_running() -> None:
    made = Lab.load(lab(enabled=True))
    made.sim.faults.add(method="ReconfigVM_Task", name="train-04", fault="InvalidState")
    result = made.run("vm_pci_device", **ATTACH, fails=True)
    states = {vm["name"]: (vm["status"], vm["power_state"]) for vm in result["vms"]}
    assert states.pop("train-04") == ("failed", "poweredOff")
    assert set(states.values()) == {("changed", "poweredOn")}


@pytest.mark.parametrize("options", [{"max_concurrent": 0}, {"max_failures": 0}])
def test_no_pace_is_refused_before_anything_is_connected(options: dict[str, Any]) -> None:
    made = Lab.load(lab())
    result = made.run("host_passthrough", **ENABLE, **options, fails=True)
    assert result["error_code"] == "bad_limit"
    assert made.calls() == 0


# --- the crew itself ---------------------------------------------------------------------------------------------------------


class Nobody:
    """A session of which nothing is asked."""

    @contextmanager
    def in_lane(self, _lane: Any) -> Iterator[None]:
        yield


def crew(targets: list[str], do: Callable[[str], bool], pace: Pace) -> list[str]:
    return work(Nobody(), [(target, target) for target in targets], do, pace)  # type: ignore[arg-type]


@pytest.mark.parametrize("bound", [1, 3])
def test_a_fault_of_ours_ends_the_run_after_what_is_under_way(bound: int, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    seen = threading.Event()
    wait = concurrent.wait

    def watched(*arguments: Any, **options: Any) -> Any:
        found = wait(*arguments, **options)
        if any(future.exception() for future in found.done):
            seen.set()
        return found

    def do(target: str) -> bool:
        if target == "b":
            raise ZeroDivisionError(target)
        if target > "b" and bound > 1:
            # The others must not overtake the thread of b, however slow it is.
            assert seen.wait(PATIENCE)
        done.append(target)
        return True

    monkeypatch.setattr(concurrent, "wait", watched)

    with pytest.raises(ZeroDivisionError, match="b"):
        crew(list("abcdefgh"), do, Pace(at_once=bound))
    assert "a" in done
    assert len(done) <= bound


def test_the_first_target_s_fault_is_told() -> None:
    barrier = threading.Barrier(2)

    def do(target: str) -> bool:
        barrier.wait(PATIENCE)
        if target == "a":
            time.sleep(0.05)
        raise ValueError(target)

    with pytest.raises(ValueError, match="a"):
        crew(["a", "b"], do, Pace(at_once=2))


def test_those_begun_are_told_in_their_order() -> None:
    assert crew(["c", "a", "b"], lambda target: target != "a", Pace(at_once=1, max_failures=1)) == ["c", "a"]
    assert crew(["c", "a", "b"], lambda target: True, Pace(at_once=3)) == ["c", "a", "b"]
