# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs on several execution nodes: vCenters split over nodes, two nodes on one vCenter, and a node that dies during a reboot."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.core.clock import ScaledClock
from simulator.lab.describe import describe
from simulator.simulator import Simulator
from tests.controller.fleet import Programs, fleet
from tests.controller.mesh import SECRETS, Job, Node, inventory, one, wait_for
from tests.kill.lab import LAB, TASK, Site
from tests.kill.playbooks import UNHURRIED
from tests.kill.processes import family, gone, kill
from tests.unit.inventory.labs import ACCOUNT
from tools.envs import ROOT

pytest.importorskip("ansible_runner", reason="only the main environment has ansible-runner")

NAMES = ("a", "b")
WAIT = 115.0
"""Seconds for anything. A module waits two minutes for an answer."""
STUB = 1000
"""Seconds that a program of a job runs, if nothing ends it."""
WAITS = "WaitForUpdatesEx"
TTL = 7200
"""Seconds of vCenter's until a lock without a heartbeat is free: two minutes of ours, so that no busy machine loses its lock."""


@pytest.fixture
def nodes(tmp_path: Path, programs: Programs) -> tuple[Node, Node]:
    first, second = (Node(name=f"node-{name}", folder=tmp_path / f"node-{name}", programs=programs) for name in NAMES)
    return first, second


def test_two_nodes_work_on_two_vcenters_at_the_same_time(
    tmp_path: Path, programs: Programs, nodes: tuple[Node, Node]
) -> None:
    """The first write of each waits until both are there. No vCenter is asked by the node of the other one."""
    barrier, broken = threading.Barrier(2), []

    def meet(_write: Any) -> None:
        try:
            barrier.wait(WAIT)
        except threading.BrokenBarrierError:
            broken.append(1)

    with fleet(tmp_path, programs, **{name: one(name) for name in NAMES}) as made:
        for name in NAMES:
            made.sims[name].on_write(1, meet, when="before", method="UpdatePassthruConfig")
        whole = inventory(made)
        jobs = [
            node.start("directpath.vsphere.enable", whole, "--limit", f"vc-{name}", **SECRETS)
            for node, name in zip(nodes, NAMES, strict=True)
        ]
        printed = [job.finish() for job in jobs]
        assert [job.rc for job in jobs] == [0, 0], "".join(printed)
        assert broken == []
        counts = [made.sims[name].journal.counters for name in NAMES]
        assert [count.methods["UpdatePassthruConfig"] for count in counts] == [2, 2]
        assert counts[0].logins == counts[1].logins
        assert counts[0].methods.keys() == counts[1].methods.keys()
        # In how many updates the changes of two hosts arrive depends on the speed of the machine.
        asked = [{method: number for method, number in count.methods.items() if method != WAITS} for count in counts]
        assert asked[0] == asked[1]
        for text, other in zip(printed, reversed(NAMES), strict=True):
            assert "changed=1 " in text
            assert f"esx-{other}1" not in text


def test_process_succeeds_although_the_play_failed(
    tmp_path: Path, programs: Programs, nodes: tuple[Node, Node]
) -> None:
    """The trap that the guide is about: only artifacts/rc says how the play ended."""
    with fleet(tmp_path, programs, a=one("a")) as made:
        job = nodes[0].start("directpath.vsphere.enable", inventory(made), VMWARE_USER=ACCOUNT, VMWARE_PASSWORD="wrong")
        text = job.finish()
        assert "Cannot log in" in text
        assert (job.rc, job.status) == (2, 0)


STUBS = {
    "ansible-runner": '[ "$1" = worker ] || exit 0',
    "receptorctl": "",
}
"""Programs that run until they are ended, and leave their process id."""


@pytest.mark.parametrize("late", [False, True], ids=["waiting", "starting"])
@pytest.mark.parametrize("node", ["", "node-east"])
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_job_sh_at_once_and_leaves_no_account(
    tmp_path: Path, number: signal.Signals, node: str, late: bool
) -> None:
    """Only the shell gets it. The folder with the job, which has the account, is removed. ``late``: the machine stands still for a moment
    when the shell has started the job.
    """
    left, started = tmp_path / "left", tmp_path / "started"
    left.mkdir()
    for name, first in STUBS.items():
        stub = tmp_path / name
        stub.write_text(f'#!/bin/sh\n{first}\necho $$ >"{started}"\nexec sleep {STUB}\n', encoding="utf-8")
        stub.chmod(0o700)
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(left)}
    environ |= {"RECEPTOR_SOCKET": "/none", "RECEPTOR_NODE": node}
    text = (ROOT / "examples" / "mesh" / "job.sh").read_text(encoding="utf-8")
    assert text.count(" &\nfi\n") == 1
    script = tmp_path / "job.sh"
    script.write_text(text.replace(" &\nfi\n", f" &\nfi\n{'sleep 0.5' * late}\n"), encoding="utf-8")
    command = ["sh", str(script), str(tmp_path), "directpath.vsphere.drift"]
    with (tmp_path / "printed").open("wb") as output:
        shell = subprocess.Popen(
            command,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # What runs in the background ignores SIGINT, and what nohup runs SIGHUP. A shell cannot trap what it was started to ignore.
            preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
        )
    wait_for(lambda: started.exists() and bool(started.read_text()), "the job runs")
    assert len(list(left.iterdir())) == 1
    members = family(shell.pid)
    shell.send_signal(number)
    try:
        assert shell.wait(WAIT) == 128 + number
        assert gone(members, WAIT), "a process outlived the job"
    finally:
        kill(members)
    assert list(left.iterdir()) == []
    assert "directpath.vsphere.status" in (tmp_path / "printed").read_text(encoding="utf-8")


def served(tmp_path: Path, speed: float = 60.0) -> Iterator[Site]:
    sim = Simulator.from_lab(LAB, clock=ScaledClock(speed))
    with sim.serve() as server:
        (tmp_path / "site").mkdir()
        yield Site(sim=sim, port=server.port, ca_file=str(server.ca_file), folder=tmp_path / "site")
        sim.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    yield from served(tmp_path)


def rolling(**options: Any) -> dict[str, Any]:
    """An inventory whose only host is the vCenter, with the options of the rolling reboot."""
    known = {**TASK, **UNHURRIED, "lock_ttl": TTL, "consent": True, **options}
    variables = {f"rolling_reboot_{name}": value for name, value in known.items() if name != "cluster"}
    hosts = [{"cluster": "gpu", "devices": ["10de:20f1", "8086:2700"]}]
    return {"all": {"hosts": {"vc": {"vcenter_hostname": "localhost", "passthrough_hosts": hosts, **variables}}}}


def reboot(node: Node, site: Site, **options: Any) -> Job:
    return node.start("directpath.vsphere.reboot", rolling(**options), **site.credentials())


def pending(site: Site) -> None:
    assert site.state()["pending"] == ["esx-01.lab", "esx-02.lab", "esx-03.lab"]


def writes(site: Site, since: int = 0) -> list[str]:
    """The methods of the writes since then. Refresh is none: a run asks by it whether a host that is back responds."""
    made = [entry.method for entry in site.sim.journal.writes() if entry.method != "Refresh"]
    return made[since:]


@pytest.mark.long
def test_of_two_nodes_one_reboots_and_the_other_stops_at_the_lock_or_waits(
    site: Site, nodes: tuple[Node, Node]
) -> None:
    first, second = nodes
    go_on = threading.Event()
    stop = site.sim.on_write(1, lambda _write: go_on.wait(WAIT * 3), when="before", method="EnterMaintenanceMode_Task")
    winner = reboot(first, site)
    wait_for(lambda: stop.hit is not None, "the first host is drained", winner)
    before = len(writes(site))
    refused = reboot(second, site, blocked_timeout=0)
    text = refused.finish()
    assert refused.rc == 2, text
    assert "is locked by " in text
    assert "@node-a" in text
    waiter = reboot(second, site, blocked_timeout=36000)
    printed = waiter.folder.parent / "stream-2"
    wait_for(lambda: b"0 of 3 done" in printed.read_bytes(), "the second run waits for the lock", waiter)
    assert writes(site, before) == [], "neither of them wrote anything"
    go_on.set()
    told = winner.finish()
    assert winner.rc == 0, told
    waited = waiter.finish()
    assert waiter.rc == 0, waited
    site.told = told + waited
    site.proven()


@pytest.mark.long
def test_a_node_dies_during_a_reboot_and_the_other_one_takes_the_job(site: Site, nodes: tuple[Node, Node]) -> None:
    """What a run of another machine owns is free only when its time to live is over. Each host is rebooted once."""
    first, second = nodes
    killed: list[Job] = []
    stop = site.sim.on_write(1, lambda _write: killed[0].kill(), when="after", method="RebootHost_Task")
    killed.append(reboot(first, site))
    wait_for(lambda: stop.hit is not None, "the first reboot is requested", killed[0])
    lost = killed[0].finish()
    assert killed[0].rc != 0, "what a dead node sent is no result"
    assert sum(site.reboots().values()) == 1
    off = {name for name, power in site.state()["power"].items() if power != site.before["power"][name]}
    assert off == {"train-01", "train-02"}
    before = len(writes(site))
    refused = reboot(second, site, blocked_timeout=0)
    text = refused.finish()
    assert refused.rc == 2, text
    assert "@node-a" in text, "it names the owner"
    assert writes(site, before) == []
    job = reboot(second, site, blocked_timeout=36000)
    site.sim.clock.advance(TTL + 1)
    site.told = lost + text + job.finish()
    assert job.rc == 0, site.told
    site.proven()
    assert site.sim.journal.counters.methods["RebootHost_Task"] == 3
    assert "the lock of " in site.told


@pytest.mark.long
def test_two_nodes_change_one_vcenter_at_once(tmp_path: Path, programs: Programs, nodes: tuple[Node, Node]) -> None:
    """Both end right, or say what another user changed. The next run finds everything in sync, or makes it so."""
    with fleet(tmp_path, programs, a=one("a")) as made:
        sim, intent = made.sims["a"], inventory(made)

        def meet(_write: Any) -> None:
            logins = sim.journal.counters.logins
            wait_for(lambda: sim.journal.counters.logins >= logins + 2, "the other node is reading")

        sim.on_write(1, meet, when="before", method="UpdatePassthruConfig")
        jobs = [
            nodes[0].start("directpath.vsphere.enable", intent, **SECRETS),
            nodes[1].start("directpath.vsphere.site", intent, **SECRETS),
        ]
        for job in jobs:
            text = job.finish()
            assert job.rc == 0 or any(words in text for words in ("another user", "another run", "in the meantime")), (
                text
            )
        last = nodes[1].start("directpath.vsphere.site", intent, **SECRETS)
        text = last.finish()
        assert last.rc == 0, text
        assert "train-a" in text
        with sim.lock:
            state = describe(sim)
        assert all(d["active"] for h in state["hosts"] for d in h["devices"] if d["enabled"])
        (vm,) = state["vms"]
        assert (vm["power"], len(vm["devices"])) == ("poweredOn", 1)
        attached = [entry for entry in sim.journal.writes() if entry.method == "ReconfigVM_Task" and entry.effect]
        assert len(attached) == 1, "the VM was changed once"
