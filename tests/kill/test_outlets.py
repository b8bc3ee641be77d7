# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outlets of a real run: ansible-playbook against a simulated vCenter, watched through all of them, and killed."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest
from pyVmomi import vim

from tests.kill.alerts import RULES, firing, rules
from tests.kill.playbooks import LONG, PATIENCE, SPEED, prepare, vcenter
from tests.kill.processes import family, kill, until
from tests.unit.plugin_utils.outlets.collector import collecting
from tests.unit.plugin_utils.outlets.exposition import parse
from tests.unit.plugin_utils.outlets.receiver import SECRET, TOKEN, Receiver, receiving

HOSTS = ("esx-01.lab", "esx-02.lab", "esx-03.lab")
HEARTBEAT = 30.0
"""Seconds of vCenter's between two reports of a run in which nothing changes."""
HICCUP = 60.0
"""Seconds of ours that a busy machine may keep a process waiting."""
DEAD = 300.0
"""Seconds of ours for which the dead outlet keeps its thread: longer than the run takes, and than any hiccup."""


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    prepare()


def test_a_run_watched_through_all_outlets_one_of_which_is_dead(tmp_path: Path) -> None:
    """With the most verbose output that users ask for, which has no secret in it."""
    with (
        receiving(tmp_path) as receiver,
        receiving(tmp_path_of(tmp_path), hangs=True) as dead,
        collecting() as collector,
    ):
        kinds = "run_started run_ended host_phase host_failed vm_stopping vm_off vm_on heartbeat".split()
        notify = [dead.option(timeout=DEAD), receiver.option(events=kinds, timeout=HICCUP)]
        metrics = tmp_path / "vc.prom"
        options = {"notify": notify, "metrics_file": str(metrics), "traces": collector.is_there, "vcenter_events": True}
        with vcenter(tmp_path, **options) as site:
            site.variables.update(collector.environ)
            began = time.monotonic()
            boots = site.sim.find("HostSystem", HOSTS[0]).knobs
            boots["boot_seconds"] = LONG
            process = site.start("home", str(site.playbook), "-vvv", "--diff")
            # Nothing changes while the first host boots. The heartbeats come all the same, while the dead one keeps its thread.
            beaten = until(
                lambda: process.poll() is not None or ("vm_off" in receiver.kinds and beats(receiver) >= 10), PATIENCE
            )
            del boots["boot_seconds"]
            site.sim.clock.advance(LONG)
            assert site.finish(process) == 0, site.told
            took = time.monotonic() - began
            assert beaten
            assert site.reboots() == dict.fromkeys(HOSTS, 1), site.told
            logged = [
                record.event.message
                for record in site.sim.services.events.records
                if isinstance(record.event, vim.event.GeneralUserEvent)
            ]
        # The dead one: a warning with the counts, and no secret.
        assert f"notify https://localhost:{dead.port}: " in site.told
        assert "no answer before the end of the run" in " ".join(site.told.split())
        for word in (TOKEN, SECRET, collector.secret):
            assert word not in site.told
            assert not [path for path in tmp_path.rglob("*") if holds(path, word)]
        # The receiver.
        assert receiver.forged == []
        assert (receiver.kinds[0], receiver.kinds[-1]) == ("run_started", "run_ended")
        assert [event["number"] for event in receiver.events] == list(range(1, len(receiver.events) + 1))
        for host in HOSTS:
            phases = [event["after"] for event in receiver.events if event.get("host") == host and "after" in event]
            assert phases[0] == "draining"
            assert phases[-1] == "done"
        for kind in ("vm_stopping", "vm_off", "vm_on"):
            assert {event["vm"] for event in receiver.events if event["event"] == kind} == {"train-01", "train-02"}
        assert receiver.events[-1]["state"] == "finished"
        # No event waited for the dead one.
        assert took < DEAD
        gaps = [b - a for a, b in zip(receiver.arrivals, receiver.arrivals[1:], strict=False)]
        assert max(gaps) < HEARTBEAT / SPEED + HICCUP
        assert beats(receiver) >= 10, f"in {took:.0f} s"
        # vCenter.
        for host in HOSTS:
            texts = [text.partition(f"directpath.vsphere: {host} ")[2] for text in logged]
            assert any(text.startswith("waiting → draining") for text in texts)
            assert any("→ done" in text for text in texts)
        assert "directpath.vsphere: powering on train-01 after the work on esx-01.lab" in logged
        # OpenTelemetry: a span for the run, and for each host and its phases.
        if collector.is_there:
            names = [span.name for span in collector.spans]
            assert names.count("rolling reboot") == 1
            assert {name: names.count(name) for name in HOSTS} == dict.fromkeys(HOSTS, 1)
            assert {"draining", "rebooting", "verifying"} <= set(names)
            assert len({span.trace_id for span in collector.spans}) == 1
        # Prometheus.
        found = values_of(metrics)
        assert found["directpath_run_in_progress"] == 0
        assert found["directpath_vms_off"] == 0
        assert firing(metrics.read_text(encoding="utf-8"), time.time() + 10_000) == {}


def beats(receiver: Receiver) -> int:
    return receiver.kinds.count("heartbeat")


def holds(path: Path, word: str) -> bool:
    """Whether the run wrote this word into a file. The playbook has it, which is for a vault."""
    return path.is_file() and path.name != "roll.yml" and word.encode() in path.read_bytes()


def values_of(metrics: Path) -> dict[str, float]:
    return {one.name: one.value for one in parse(metrics.read_text(encoding="utf-8"))}


def shows_both_off(metrics: Path) -> bool:
    return metrics.is_file() and values_of(metrics)["directpath_vms_off"] == 2


def tmp_path_of(folder: Path) -> Path:
    made = folder / "dead"
    made.mkdir()
    return made


def test_a_run_that_is_killed_is_noticed_and_the_alerts_end_with_the_restore(tmp_path: Path) -> None:
    metrics = tmp_path / "vc.prom"
    with vcenter(tmp_path, metrics_file=str(metrics)) as site:
        boots = site.sim.find("HostSystem", "esx-01.lab").knobs
        boots["boot_seconds"] = LONG
        began = time.time()
        process = site.start("colleague")
        # The file is up to date as soon as the machine has time for it, not at a certain call.
        until(lambda: process.poll() is not None or shows_both_off(metrics), PATIENCE)
        shown = shows_both_off(metrics)
        kill(family(process.pid))
        assert site.finish(process) == -9
        assert shown, site.told
        site.sim.clock.advance(LONG)
        del boots["boot_seconds"]
        left, values = metrics.read_text(encoding="utf-8"), values_of(metrics)
        beat = values["directpath_last_heartbeat_timestamp_seconds"]
        assert began - 1 <= beat <= time.time() + 1
        assert firing(left, beat + 599) == {}, "a run that has just reported is alive"
        (silent,) = firing(left, beat + 601)["DirectPathRunIsSilent"]
        assert silent == {"vcenter": "localhost"}
        assert values["directpath_vms_off"] == 2
        off = firing(left, beat + 7200)["DirectPathVmOffTooLong"]
        assert sorted(labels["vm"] for labels in off) == ["train-01", "train-02"]

        arguments = ("-e", f"rolling_reboot_metrics_file={metrics}")
        assert site.play("directpath.vsphere.restore", "on-call", *arguments) == 0, site.told
        after = metrics.read_text(encoding="utf-8")
        assert firing(after, time.time() + 10_000) == {}, after
        assert values_of(metrics)["directpath_vms_off"] == 0


SAMPLE = """\
# HELP directpath_run_in_progress x
# TYPE directpath_run_in_progress gauge
directpath_run_in_progress{vcenter="a"} 0
directpath_run_in_progress{vcenter="b"} 1
# HELP directpath_last_heartbeat_timestamp_seconds x
# TYPE directpath_last_heartbeat_timestamp_seconds gauge
directpath_last_heartbeat_timestamp_seconds{vcenter="a"} 1000
directpath_last_heartbeat_timestamp_seconds{vcenter="b"} 1000
# HELP directpath_run_state x
# TYPE directpath_run_state gauge
directpath_run_state{vcenter="a",state="halted"} 1
directpath_run_state{vcenter="b",state="working"} 1
# HELP directpath_drift_status x
# TYPE directpath_drift_status gauge
directpath_drift_status{vcenter="a",status="drift"} 0
directpath_drift_status{vcenter="b",status="drift"} 1
"""


def test_how_rules_are_evaluated() -> None:
    assert firing(SAMPLE, 1600) == {
        "DirectPathRunNotFinished": [{"vcenter": "a", "state": "halted"}],
        "DirectPathDrift": [{"vcenter": "b", "status": "drift"}],
    }
    assert firing(SAMPLE, 1601)["DirectPathRunIsSilent"] == [{"vcenter": "b"}]


def test_each_rule_names_what_is_known_to_the_metrics() -> None:
    assert len(rules()) == 7
    for rule in rules().values():
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert "summary" in rule["annotations"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not on PATH")
def test_prometheus_accepts_the_rules() -> None:
    subprocess.run(["promtool", "check", "rules", str(RULES)], check=True)
