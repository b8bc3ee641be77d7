# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schedule before anything is done, and the story afterwards."""

from __future__ import annotations

import json
from dataclasses import replace

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.scheduling.forecast import forecast
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.scheduling.scheduler import decide
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.phases import HostStatus, Phase
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import (
    Durations,
    Pinned,
    Policy,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.timeline import (
    Timeline,
    Transition,
    clock,
    counts,
    extend,
    list_resume_hints,
)
from tests.unit.module_utils._domain.rolling import miniature
from tests.unit.module_utils._domain.rolling.builders import (
    ACTIVE,
    LOCK,
    NOW,
    cluster,
    entry,
    host,
    observed,
    pinned,
    vm,
    vm_entry,
)
from tests.unit.module_utils._domain.rolling.timed import Pace, roll

HOUR = Durations(drain=600, reboot=2400, settle=600)
POLICY = Policy(expected=HOUR, canary=False, pinned=Pinned(action="shutdown"))

# ------------------------------------------------------------------------------------------------------------ forecast


def test_waves_follow_the_budget() -> None:
    hosts = [host(f"esx-{n}", precheck=None) for n in range(5)]
    found = forecast(observed(*hosts), replace(POLICY, max_unavailable=2), NOW)
    assert [(h.name, h.wave, h.starts_at - NOW) for h in found.hosts] == [
        ("esx-0", 1, 0),
        ("esx-1", 1, 0),
        ("esx-2", 2, 3600),
        ("esx-3", 2, 3600),
        ("esx-4", 3, 7200),
    ]
    assert (found.waves, found.ends_at - NOW) == (3, 3 * 3600)
    assert found.left == ()


def test_canary_and_soak_take_their_time() -> None:
    hosts = [host(f"esx-{n}") for n in range(3)]
    found = forecast(observed(*hosts), replace(POLICY, max_unavailable=3, canary=True, canary_soak=600), NOW)
    assert [(h.name, h.starts_at - NOW) for h in found.hosts] == [("esx-0", 0), ("esx-1", 4200), ("esx-2", 4200)]


def test_every_vm_that_will_be_stopped_is_named_before_the_first_is_touched() -> None:
    vms = [pinned("db", order=2), pinned("app", order=1), vm("web"), pinned("off", power_state="poweredOff")]
    (planned,) = forecast(observed(host(), vms=vms), POLICY, NOW).hosts
    assert [(v.name, v.reason, v.order) for v in planned.stops] == [
        ("app", "it holds PCI device 0", 1),
        ("db", "it holds PCI device 0", 2),
    ]
    assert planned.moves == ("web",)


def test_vms_that_are_registered_elsewhere_while_they_are_off_are_named_if_that_is_asked_for() -> None:
    """Also those that are stopped for the reboot. What no other host can take stays, and so do agents."""
    vms = [
        vm("web"),
        vm("off", power_state="poweredOff"),
        vm("any", devices=("PCI device 0",)),
        vm("here", power_state="poweredOff", local_datastores=("own",)),
        vm("cls", power_state="poweredOff", agent=True),
    ]
    fleet = observed(host(), vms=vms)
    (planned,) = forecast(fleet, replace(POLICY, evacuate_powered_off=True), NOW).hosts
    assert (planned.moves, planned.moves_powered_off) == (("web",), ("any", "off"))
    assert planned.record(NOW)["moves_powered_off"] == ["any", "off"]
    (planned,) = forecast(fleet, POLICY, NOW).hosts
    assert planned.moves_powered_off == ()
    alone = observed(host(), vms=vms[1:2], clusters=[cluster(is_cluster=False)])
    (planned,) = forecast(alone, replace(POLICY, evacuate_powered_off=True), NOW).hosts
    assert planned.moves_powered_off == ()


def test_what_would_not_be_done_is_named_with_why() -> None:
    hosts = [
        host("esx-1"),
        host("esx-2", red_alarms=("Fan",)),
        host("esx-3", devices=(ACTIVE,)),
        host("esx-4", connection_state="notResponding"),
    ]
    found = forecast(observed(*hosts), replace(POLICY, max_unavailable=2), NOW)
    assert [h.name for h in found.hosts] == ["esx-1"]
    assert [(status.name, status.phase, status.blockers[0].code) for status in found.left] == [
        ("esx-2", "blocked", "red_alarms"),
        ("esx-4", "blocked", "host_unreachable"),
    ]
    assert found.idle == ("esx-3",)


def test_locks_of_others_are_seen_and_none_of_ours_is_needed() -> None:
    mine, by_operator = cluster("a", lock=None), cluster("b", lock=replace(LOCK, owner="bob"))
    hosts = [host("a-1", compute_moid="a"), host("b-1", compute_moid="b")]
    found = forecast(observed(*hosts, clusters=[mine, by_operator]), POLICY, NOW)
    assert [h.name for h in found.hosts] == ["a-1"]
    assert found.left[0].blockers[0].code == "locked"


def test_hosts_that_another_live_run_reboots_are_its_own() -> None:
    """They are no wave, and no host in progress of this run."""
    theirs = cluster(lock=replace(LOCK, owner="bob@vm:1", run_id="b0b00000"))
    hosts = [
        host("esx-1", entry=entry("rebooting", run_id="b0b00000")),
        host("esx-2", entry=entry("draining", run_id="b0b00000")),
        host("esx-3"),
    ]
    found = forecast(observed(*hosts, clusters=[theirs]), POLICY, NOW)
    assert found.hosts == ()
    assert [(status.name, status.phase, status.blockers[0].code) for status in found.left] == [
        ("esx-1", "blocked", "locked"),
        ("esx-2", "blocked", "locked"),
        ("esx-3", "blocked", "locked"),
    ]
    answer = decide(observed(*hosts, clusters=[theirs]), POLICY, NOW)
    assert {status.name: status.phase for status in answer.hosts} == dict.fromkeys(
        ("esx-1", "esx-2", "esx-3"), "blocked"
    )
    assert all("is locked by bob@vm:1" in status.reason for status in answer.hosts)
    hints = list_resume_hints(answer.hosts)
    assert hints == (
        "esx-1, esx-2, esx-3: wait until the other run has ended (ansible-playbook directpath.vsphere.status), "
        "then run the same again.",
    )


def test_a_host_in_progress_stops_only_what_is_still_to_be_evacuated() -> None:
    for step, stops, is_rebooted in (("draining", ["gpu-vm"], False), ("rebooting", [], False), ("leaving", [], True)):
        begun = host(entry=entry(step, asked=NOW - 60))
        (planned,) = forecast(observed(begun, vms=[pinned()]), POLICY, NOW).hosts
        assert ([vm.name for vm in planned.stops], planned.is_rebooted, planned.in_progress) == (
            stops,
            is_rebooted,
            True,
        )


def test_a_change_not_yet_made_counts() -> None:
    later = host(devices=(ACTIVE,), expected_reboot="the planned changes will leave devices pending")
    (planned,) = forecast(observed(later), POLICY, NOW).hosts
    assert planned.reason == "the planned changes will leave devices pending"


def test_hosts_in_hand_end_when_they_are_expected_to() -> None:
    busy = host(
        "esx-0", entry=entry("rebooting", started=NOW - 3000, asked=NOW - 2400), connection_state="notResponding"
    )
    found = forecast(observed(busy, host("esx-1")), POLICY, NOW)
    assert [(h.name, h.in_progress, h.starts_at - NOW) for h in found.hosts] == [
        ("esx-0", True, -3000),
        ("esx-1", False, 600),
    ]


def test_it_can_be_written_as_json() -> None:
    found = forecast(observed(host(), host("esx-2", red_alarms=("Fan",)), vms=[pinned()]), POLICY, NOW)
    data = json.loads(json.dumps(found.record()))
    assert data["stops"] == ["gpu-vm"]
    assert data["seconds"] == 3600
    assert data["left"][0]["blockers"][0]["code"] == "red_alarms"


def test_it_foretells_what_then_happens() -> None:
    """The same hosts, in the same order and waves, as in the roll itself, with hosts that take exactly the expected time."""
    state = miniature.begin(tuple(miniature.HostS(f"h{n}", f"c{n % 3}") for n in range(12)))
    pace = Pace(seed=1, spans=dict.fromkeys(("goes down", "comes back", "is empty"), (100, 100)))
    policy = replace(
        POLICY, expected=Durations(drain=100, reboot=200, settle=0), max_unavailable=1, fleet_max_unavailable=2
    )
    found = forecast(miniature.world_of(state), policy, float(state.now))
    result = roll(state, policy, pace)
    assert len(found.hosts) == 12
    assert abs(result.seconds - (found.ends_at - state.now)) <= 60


# -------------------------------------------------------------------------------------------------------------- report


def test_a_transition_reads_like_a_log() -> None:
    line = Transition(
        at=NOW, moid="h", name="esx-07", cluster="gpu-a", before="rebooting", after="booting", reason="", seconds=130
    )
    assert line.text() == "gpu-a esx-07 rebooting → booting 02:10"
    assert clock(3725) == "1:02:05"


def see(timeline: Timeline, now: float, *hosts: object, **more: object) -> tuple[Timeline, list[str]]:
    fleet = observed(*hosts, **more)  # type: ignore[arg-type]
    timeline, news = extend(timeline, fleet, decide(fleet, POLICY, now), now)
    return timeline, [item.text() for item in news]


def test_one_line_a_change_and_none_without() -> None:
    down = host(entry=entry("rebooting", asked=NOW - 60, called=NOW - 60), connection_state="notResponding")
    up = host(entry=entry("rebooting", asked=NOW - 60, called=NOW - 60), in_maintenance_mode=True)
    timeline, lines = see(Timeline(), NOW, up)
    assert lines == ["gpu esx-1 rebooting"]
    timeline, lines = see(timeline, NOW + 10, up)
    assert lines == []
    timeline, lines = see(timeline, NOW + 70, down)
    assert lines == ["gpu esx-1 rebooting → booting 02:10"]
    rows = timeline.record(NOW + 100)["hosts"]
    assert [(s["phase"], s["start"] - NOW, s["end"] - NOW, s["open"]) for s in rows[0]["segments"]] == [
        ("draining", -120, -60, False),
        ("rebooting", -60, 70, False),
        ("booting", 70, 100, True),
    ]


def test_a_resumed_run_tells_what_the_journal_knows_of_the_time_before() -> None:
    kept = entry("verifying", at=NOW - 60, started=NOW - 900, asked=NOW - 700, rebooted=640.0)
    timeline, _unused = see(Timeline(), NOW, host(entry=kept, in_maintenance_mode=True, boot_time=NOW - 90))
    (row,) = timeline.record(NOW)["hosts"]
    assert [(s["phase"], s["start"] - NOW) for s in row["segments"]][:3] == [
        ("draining", -900),
        ("rebooting", -700),
        ("verifying", -60),
    ]


def test_vms_that_are_down_have_rows_of_their_own() -> None:
    busy = host(entry=entry("draining", started=NOW - 60), entering=True)
    first = pinned(entry=vm_entry())
    timeline, _unused = see(Timeline(), NOW, busy, vms=[first])
    timeline, _unused = see(timeline, NOW + 30, busy, vms=[replace(first, power_state="poweredOff")])
    timeline, _unused = see(timeline, NOW + 90, busy, vms=[pinned()])
    (row,) = timeline.record(NOW + 100)["vms"]
    assert (row["name"], row["group"]) == ("gpu-vm", "esx-1")
    assert [(s["phase"], s["start"] - NOW, s["end"] - NOW) for s in row["segments"]] == [
        ("stopping", 0, 30),
        ("down", 30, 90),
    ]


def test_clearing_the_journal_is_no_news() -> None:
    done = host(devices=(ACTIVE,), entry=entry("done", text="rebooted in 600 seconds and proven"))
    timeline, _unused = see(Timeline(), NOW, done)
    finishing = [cluster(lock=replace(LOCK, finishing=True))]
    timeline, lines = see(timeline, NOW + 1, host(devices=(ACTIVE,)), clusters=finishing)
    assert lines == []
    assert timeline.statuses["esx-1"].phase == "done"


def test_counts_for_a_bar() -> None:
    phases: tuple[Phase, ...] = (
        "idle",
        "done",
        "done",
        "booting",
        "draining",
        "waiting",
        "blocked",
        "returned",
        "failed",
    )
    found = counts(HostStatus(moid=str(n), name=str(n), cluster="c", phase=phase) for n, phase in enumerate(phases))
    assert (found.total, found.done, found.under_way, found.waiting, found.blocked, found.failed) == (8, 2, 2, 1, 1, 1)
    assert found.returned == 1
    # Published, in results and in the progress file.
    assert found.record() == {
        "total": 8,
        "done": 2,
        "in_flight": 2,
        "waiting": 1,
        "blocked": 1,
        "returned": 1,
        "failed": 1,
    }


def test_how_to_go_on_names_every_host_that_needs_a_person() -> None:
    def status(name: str, phase: Phase, *vms: str) -> HostStatus:
        return HostStatus(moid=name, name=name, cluster="c", phase=phase, vms=vms)

    hints = list_resume_hints(
        [status("a", "failed", "gpu-vm"), status("b", "blocked"), status("c", "waiting"), status("d", "done")]
    )
    assert len(hints) == 4
    assert hints[0] == (
        "repair a, then verify it and return it to service: ansible-playbook directpath.vsphere.restore"
    )
    assert hints[1].startswith("gpu-vm: ")
    assert list_resume_hints([status("d", "done")]) == ()


def test_who_was_not_reached_is_told_what_was_in_the_way() -> None:
    def waiting(name: str, reason: str) -> HostStatus:
        return HostStatus(moid=name, name=name, cluster="c", phase="waiting", reason=reason)

    full = "at most 1 of 4 hosts of c may be down at once: edge-02 (notResponding)"
    again = "left for another run: 0000:3b:00.0 waits for a reboot"
    assert list_resume_hints([waiting("b", full), waiting("a", again), waiting("c", full), waiting("d", "")]) == (
        f"b, c: not reached: {full}. Resolve this, then run the same again.",
        "a, d: not reached; run the same again to continue.",
    )


def test_the_reason_for_that_hint_is_the_one_the_scheduler_gives() -> None:
    lost = host("esx-9", connection_state="notResponding", entry=entry("failed", run_id="earlier", at=NOW - 99999))
    found = decide(observed(host(), lost), POLICY, NOW)
    assert found.outlook.state == "stalled"
    assert list_resume_hints(found.hosts)[-1] == (
        "esx-1: not reached: at most 1 of 2 hosts of gpu may be down at once: esx-9 (notResponding). Resolve this, then run the same "
        "again."
    )


def test_what_a_host_waited_for_is_kept_with_since_when_and_no_more_than_the_last_few() -> None:
    timeline, news = Timeline(), []
    for second, pause in enumerate(["", "x", "x", *"abcde"]):
        timeline, lines = see(timeline, NOW + second, host(precheck=None), pause=pause)
        news += lines
    (segment,) = timeline.record(NOW + 9)["hosts"][0]["segments"]
    assert [(told["at"] - NOW, told["reason"]) for told in segment["reasons"]] == [
        (3 + n, f"paused: {pause}") for n, pause in enumerate("abcde")
    ]
    assert segment["reason"] == "paused: e"
    assert news == ["gpu esx-1 waiting"], "a line is for another phase"
    alone, _unused = see(Timeline(), NOW, host(), pause="x")
    assert "reasons" not in alone.record(NOW)["hosts"][0]["segments"][0]


def test_a_run_began_when_it_looked_first_whatever_its_journal_tells() -> None:
    old = host(entry=entry("failed", at=NOW - 9000, started=NOW - 12000, asked=NOW - 11900), in_maintenance_mode=True)
    timeline, _unused = see(Timeline(), NOW, old)
    timeline, _unused = see(timeline, NOW + 3, old)
    told = timeline.record(NOW + 4)
    assert told["began"] == NOW
    assert told["hosts"][0]["segments"][0]["start"] == NOW - 12000


def test_a_whole_roll_leaves_a_whole_story() -> None:
    state = miniature.begin(
        (miniature.HostS("h1", "c"), miniature.HostS("h2", "c")), (miniature.VmS("p1", "h1", pinned=True),)
    )
    policy, timeline = miniature.POLICY, Timeline()
    while not state.ended:
        seen = miniature.world_of(state)
        state, decision = miniature.look(state, policy)
        timeline, _unused = extend(timeline, seen, decision, float(state.now))
        while state.queue:
            state = miniature.step(state)
        going = miniature.nature(state)
        if going:
            state = going[0][1]
        elif not decision.actions and state.wake is not None:
            state = state._replace(now=max(state.now, int(state.wake)))
    phases = {row.name: [segment.phase for segment in row.segments] for row in timeline.hosts.values()}
    assert phases["h1"][-1] == "done"
    for phase in ("waiting", "draining", "booting", "verifying", "leaving", "restoring", "done"):
        assert phase in phases["h1"], phase
    assert [segment.phase for segment in timeline.vms["p1"].segments] == ["down", "starting"]
    assert all(status.phase == "done" for status in timeline.statuses.values())
