# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rehearsal as data and as lines."""

from __future__ import annotations

import json

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rehearsal.outcome import Refused
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rehearsal.report import (
    CONSENT,
    CapturedServer,
    LeftOut,
    RehearsalSubject,
    rehearsal_record,
    summary_lines,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rehearsal.statistics import compare_runs
from tests.unit.module_utils._domain.rehearsal.runs import NOON, off, run

BASE = run(
    1800,
    hosts={"esx-1": "done", "esx-2": "blocked"},
    times=(off("train-01", 60, 360),),
    refused=(Refused(vcenter="vc", subject="esx-2", text="it has a red alarm", cure="Resolve it"),),
    status=2,
    hints=("esx-2: resolve what blocks it",),
)
SUBJECT = RehearsalSubject(
    playbook="site",
    seed=7,
    consent=None,
    servers=(CapturedServer(name="vc-01.lab:443", time=NOON, hosts=2, vms=3, with_history=1),),
    undisturbed=BASE,
    draws=(
        run(1700, hosts={"esx-1": "done", "esx-2": "blocked"}),
        run(2000),
        run(1900, hosts={"esx-1": "done", "esx-2": "blocked"}),
    ),
    what_ifs=(
        compare_runs(
            "DRS does not evacuate esx-1", run(3600, hosts={"esx-1": "blocked", "esx-2": "blocked"}, status=2), BASE
        ),
    ),
    without_target=("vm_does_not_shut_down",),
    left_out=(LeftOut(kind="notify", about="https://hooks.lab", count=3),),
)


def test_the_data_is_json_and_has_all() -> None:
    found = json.loads(json.dumps(rehearsal_record(SUBJECT)))
    assert (found["status"], found["playbook"], found["seed"]) == ("incomplete", "site", 7)
    assert found["duration"] == {"best": 1700, "median": 1800, "worst": 1900, "runs": 2}
    assert found["undisturbed"]["vcenters"][0]["vms_off"] == [
        {"vm": "train-01", "host": "esx-1", "from": NOON + 60, "to": NOON + 360, "seconds": 300}
    ]
    assert found["undisturbed"]["vcenters"][0]["planned"][0]["stops"] == ["train-01"]
    assert found["what_if"][0]["longer"] == 1800
    assert found["without_target"] == ["vm_does_not_shut_down"]
    assert found["not_rehearsed"] == ["notify: https://hooks.lab (3 times)"]
    assert found["to_do"] == [CONSENT, "esx-2: Resolve it"]


def test_the_lines() -> None:
    lines = summary_lines(SUBJECT)
    assert (
        lines[0] == "The playbook site ends with refusals, and takes 30 min; reboots: planned 20 min, rehearsed 28 min"
    )
    assert "1 VM off for some time: train-01 (5 min)" in lines
    assert "Refused: esx-2: it has a red alarm" in lines
    assert "1 of them left other hosts undone, and do not count" in lines
    assert "Not rehearsed: notify: https://hooks.lab (3 times)" in lines
    assert any(line.startswith("What if DRS does not evacuate esx-1: It takes 30 min longer") for line in lines)


def test_without_a_result_the_lines_say_why() -> None:
    subject = RehearsalSubject(
        playbook="site", seed=1, consent=True, servers=(), undisturbed=run(problem="the twin ended")
    )
    assert summary_lines(subject)[0] == "The rehearsal has no result: the twin ended"
    assert subject.to_do == ()


def test_hints_are_shown_where_no_refusal_has_a_fix() -> None:
    stuck = run(hosts={"esx-1": "failed"}, status=2, hints=("repair esx-1",))
    subject = RehearsalSubject(playbook="site", seed=1, consent=True, servers=(), undisturbed=stuck)
    assert subject.to_do == ("repair esx-1",)
