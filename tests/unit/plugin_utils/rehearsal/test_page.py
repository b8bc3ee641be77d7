# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page of a rehearsal shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rehearsal.report import RehearsalSubject
from ansible_collections.directpath.vsphere.plugins.plugin_utils.gantt.axis import TimeZone
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rehearsal.page import rehearsal_view, render_rehearsal
from tests.unit.module_utils._domain.rehearsal.runs import run
from tests.unit.module_utils._domain.rehearsal.test_report import SUBJECT

ZONE = TimeZone(info=UTC, name="UTC")
MADE = datetime(2026, 1, 22, 12, 0, tzinfo=UTC)


def test_bars_are_where_plan_and_run_are() -> None:
    (place,) = rehearsal_view(SUBJECT, zone=ZONE, made=MADE)["vcenters"]
    rows = {row["name"]: row for row in place["rows"]}
    assert list(rows) == ["esx-1", "train-01", "esx-2"]
    # Planned from 0 to 1200 seconds, rehearsed from 60 to 1740, off from 60 to 360: of 1740 in all.
    assert (rows["esx-1"]["plan"]["x"], rows["esx-1"]["plan"]["width"]) == ("0.00%", "68.97%")
    assert (rows["esx-1"]["bars"][0]["x"], rows["esx-1"]["bars"][0]["width"]) == ("3.45%", "96.55%")
    assert (rows["train-01"]["x"], rows["train-01"]["width"]) == ("3.45%", "17.24%")
    assert rows["esx-2"]["state"] == "blocked"
    assert place["waves"] == [
        {
            "number": 1,
            "hosts": "esx-1",
            "planned": "12:00:00 to 12:20:00",
            "rehearsed": "12:01:00 to 12:29:00",
            "stops": "train-01",
        }
    ]


def test_the_page_has_all_parts() -> None:
    text = render_rehearsal(SUBJECT, zone=ZONE, made=MADE)
    for part in (
        "The playbook site on twins of vc-01.lab",
        "ends with refusals",
        "Give consent to the reboots",
        "it has a red alarm",
        "Resolve it",
        "DRS does not evacuate esx-1",
        "It takes 30 min longer",
        "vm_does_not_shut_down",
        "notify: https://hooks.lab (3 times)",
        "Median of 3",
        "1 run left other hosts undone",
        "Past reboots are known of 1 host",
    ):
        assert part in text, part
    assert "<script" not in text


def test_text_of_servers_is_text() -> None:
    bad = replace(SUBJECT, undisturbed=run(hosts={"<script>alert(1)</script>": "failed"}, status=2))
    text = render_rehearsal(bad, zone=ZONE, made=MADE)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_a_rehearsal_without_a_result_is_a_page_too() -> None:
    subject = RehearsalSubject(
        playbook="site", seed=1, consent=True, servers=(), undisturbed=run(0, hosts={}, problem="the twin ended")
    )
    text = render_rehearsal(subject, zone=ZONE, made=MADE)
    assert "The rehearsal has no result" in text
    assert "the twin ended" in text
