# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a VM was off, and how a run ended."""

from __future__ import annotations

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rehearsal.outcome import (
    Power,
    PowerEvent,
    Refused,
    times_off,
)
from tests.unit.module_utils._domain.rehearsal.runs import host, off, run

REFUSED = Refused(vcenter="vc", subject="esx-2", text="it has a red alarm")

EVENTS: dict[str, tuple[list[tuple[float, str, Power]], list[tuple[str, float, float | None]]]] = {
    "no event": ([], []),
    "off and on": ([(10, "a", "off"), (70, "a", "on")], [("a", 10, 70)]),
    "in any order": ([(70, "a", "on"), (10, "a", "off")], [("a", 10, 70)]),
    "still off": ([(10, "a", "off")], [("a", 10, None)]),
    "was off before": ([(10, "a", "on")], []),
    "twice off": (
        [(10, "a", "off"), (20, "a", "on"), (30, "a", "off"), (50, "a", "on")],
        [("a", 10, 20), ("a", 30, 50)],
    ),
    "suspended, then off": ([(10, "a", "off"), (20, "a", "off"), (30, "a", "on")], [("a", 10, 30)]),
    "two VMs": ([(20, "b", "off"), (10, "a", "off"), (30, "a", "on"), (40, "b", "on")], [("a", 10, 30), ("b", 20, 40)]),
}


@pytest.mark.parametrize("case", EVENTS)
def test_times_off(case: str) -> None:
    events, expected = EVENTS[case]
    found = times_off([PowerEvent(at=at, vm=vm, host="esx-1", power=power) for at, vm, power in events], until=100.0)
    assert [(one.vm, one.start, one.end) for one in found] == expected


def test_a_vm_that_is_still_off_counts_until_the_end() -> None:
    assert off("a", 3000, None).seconds == 600.0
    assert off("a", 3000, 3100).seconds == 100.0


VERDICTS = {
    "succeeds": run(),
    "incomplete": run(hosts={"esx-1": "done", "esx-2": "blocked"}, refused=(REFUSED,), status=2),
    "fails": run(hosts={"esx-1": "done", "esx-2": "failed"}, refused=(REFUSED,), status=2),
    "no_result": run(problem="the twin ended", status=-9),
}


@pytest.mark.parametrize("verdict", VERDICTS)
def test_the_verdict(verdict: str) -> None:
    assert VERDICTS[verdict].verdict == verdict


def test_a_playbook_that_fails_without_a_refusal_fails() -> None:
    assert run(status=2).verdict == "fails"
    unnamed = Refused(vcenter="vc", subject="", text="Validation of arguments failed")
    assert run(status=2, refused=(REFUSED, unnamed)).verdict == "fails"


def test_the_figures_of_a_run() -> None:
    found = run(
        1800.0,
        times=(off("a", 60, 120), off("a", 300, 360), off("b", 60, None)),
        hosts={"esx-1": "done", "esx-2": "idle"},
    )
    assert found.seconds == 1800.0
    assert found.seconds_off == {"a": 120.0, "b": 3540.0}
    assert found.still_off == ("b",)
    assert found.unfinished == {}
    assert found.vcenters[0].reboot_seconds == 1680.0


def test_waiting_is_no_action() -> None:
    one = host("esx-1", "waiting", ("waiting", 0, 100), ("draining", 100, 200), ("waiting", 200, 300))
    assert [action.phase for action in one.actions] == ["draining"]
