# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The formats of a drift report: JSON and JUnit by their schemas, Markdown, and one HTML page."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.drift.fleet_report import (
    lines,
    merged,
    unread_report,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.drift.kinds import KINDS
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.drift.report import sentence
from ansible_collections.directpath.vsphere.plugins.plugin_utils.drift.html import render_html, tone_of
from ansible_collections.directpath.vsphere.plugins.plugin_utils.drift.junit import render_junit
from ansible_collections.directpath.vsphere.plugins.plugin_utils.drift.markdown import MOST_ROWS, render_markdown
from tests.unit.module_utils._domain.drift.reports import device, difference, fleet, host, one_of_everything, part, vm
from tests.unit.plugin_utils.test_html import Seen
from tests.unit.searching import search
from tools.envs import ROOT

SCHEMA = json.loads((ROOT / "docs" / "drift_report.schema.json").read_text(encoding="utf-8"))
JSON = jsonschema.Draft7Validator(SCHEMA)
MADE = "2026-11-22T16:40:00"
NASTY = "</td><script>alert(1)</script>|`*_[x](y)_*`\x00\x1b[31m\u202e&\"'"
EVERYTHING = one_of_everything()
IN_SYNC = merged([part(hosts=(host("esx-01", device("0000:3b:00.0")),))])


def nasty(text: str = NASTY) -> dict[str, Any]:
    """A report with this text in everything that comes from a server or an inventory."""
    words = ("object", "subject", "device", "wanted", "found", "cause", "cure", "command", "cluster", "ignored")
    bad = difference(**dict.fromkeys(words[:-1], text), obstacles=(text,), moid=f"host-{text}")
    expected = difference("extra", **dict.fromkeys(words, text), moid=f"host-{text}")
    rows = (host(text, {**device(text, (text, text), vms=(text,)), "label": text}, cluster=text, found=(bad,)),)
    machines = (vm(text, text), vm(text, f"{text}2"))
    return merged([part(text, rows, machines, (bad, expected), idle=(text,)), unread_report(text, text, text)])


# --- JSON ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("report", [EVERYTHING, IN_SYNC, nasty(), fleet(120, 10), merged([])])
def test_the_report_is_what_its_schema_says(report: dict[str, Any]) -> None:
    JSON.check_schema(SCHEMA)
    JSON.validate({**report, "made": f"{MADE}Z"})
    assert json.loads(json.dumps(report)) == report


def test_the_schema_knows_every_kind_and_no_other() -> None:
    assert SCHEMA["definitions"]["kind"]["enum"] == list(KINDS)
    with pytest.raises(jsonschema.ValidationError):
        JSON.validate({**IN_SYNC, "version": 2})
    broken = json.loads(json.dumps(EVERYTHING))
    broken["vcenters"][0]["differences"][0]["kind"] = "nonsense"
    with pytest.raises(jsonschema.ValidationError):
        JSON.validate(broken)


def test_the_report_of_many_is_as_bad_as_its_worst_part() -> None:
    drifted, unknown = part("b", found=(difference(),)), unread_report("a", "x", "refused")
    fine = part("c")
    assert merged([fine])["status"] == "in_sync"
    assert merged([fine, unknown])["status"] == "unknown"
    assert merged([fine, unknown, drifted])["status"] == "drift"
    assert [one["vcenter"] for one in merged([fine, drifted, unknown])["vcenters"]] == ["a", "b", "c"]


def test_one_sentence_and_one_line_a_difference() -> None:
    assert sentence(EVERYTHING) == "4 hosts and 2 VMs compared on 2 vCenters: 3 differences, 2 unknown, 1 ignored"
    assert sentence(IN_SYNC) == "1 host and 0 VMs compared: in sync"
    told = lines(EVERYTHING["vcenters"])
    assert len(told) == 5
    assert told[0].startswith("esx-02 0000:5e:00.0: not enabled. ")
    assert told[-1].startswith("vc-b:8443: not reachable. ")
    assert "esx-04" not in " ".join(told), "what is expected is not told"
    assert len(lines(fleet(600, 0, drifted=50)["vcenters"], 20)) == 21


def test_what_stands_in_the_way_is_told_once_for_each_object() -> None:
    found = tuple(difference(subject=f"0000:0{n}:00.0", obstacles=("esx-01 is locked",)) for n in range(3))
    assert " ".join(lines([part(found=found)])).count("is locked") == 1


# --- JUnit -------------------------------------------------------------------------------------------------------------------


@cache
def schema() -> Any:
    """Imported here, because the import takes half a second in every process that collects these tests."""
    import xmlschema

    return xmlschema.XMLSchema(str(Path(__file__).parent / "junit.xsd"))


@pytest.mark.parametrize("report", [EVERYTHING, IN_SYNC, nasty(), fleet(120, 10), merged([])])
def test_junit_is_what_strict_readers_take(report: dict[str, Any]) -> None:
    schema().validate(render_junit(report, made=MADE))


def test_the_schema_of_junit_does_refuse() -> None:
    for wrong in (
        render_junit(EVERYTHING, made="yesterday"),
        render_junit(IN_SYNC, made=MADE).replace("<testcase", "<testcase colour='red'"),
        render_junit(EVERYTHING, made=MADE).replace("<skipped", "<skipped/><skipped", 1),
    ):
        assert not schema().is_valid(wrong)


def test_a_host_and_a_vm_is_a_test_with_one_outcome() -> None:
    root = ElementTree.fromstring(render_junit(EVERYTHING, made=MADE))
    outcomes = {case.get("name"): [child.tag for child in case] for case in root.iter("testcase")}
    assert outcomes == {
        "esx-01": [],
        "esx-02": ["failure"],
        "esx-03": ["error"],
        "esx-04": ["skipped"],
        "train-01": ["failure"],
        "web-01": [],
        "gone-01": ["failure"],
        "vc-b:8443": ["error"],
    }
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("8", "3", "2")
    suites = {suite.get("name"): suite.attrib for suite in root}
    assert (suites["vc-a"]["tests"], suites["vc-a"]["skipped"]) == ("7", "1")
    failure = next(case.find("failure") for case in root.iter("testcase") if case.get("name") == "esx-02")
    assert failure is not None
    assert failure.get("type") == "disabled"
    assert "command: ansible-playbook directpath.vsphere.enable" in (failure.text or "")


@search(0.5)
@given(st.text())
def test_any_name_gives_well_formed_xml(name: str) -> None:
    found = (difference(object=name, moid="host-x", cause=name),)
    ElementTree.fromstring(render_junit(merged([part(name, (host(name),), (), found)]), made=MADE).encode())


# --- Markdown ----------------------------------------------------------------------------------------------------------------


def test_markdown_names_what_why_and_what_to_do() -> None:
    text = render_markdown(EVERYTHING, made="now")
    assert text.startswith("# Drift\n")
    assert "| esx-02 | 0000:5e:00.0 10de:20f1 GA100 | **not enabled** |" in text
    assert text.count("ansible-playbook directpath.vsphere.enable -i inventory.yml\n") == 1, "each command once"
    assert "being rebuilt" in text
    assert "Rules without a match: old rule" in text
    assert render_markdown(IN_SYNC, made="now").startswith("# In sync\n")


def test_names_do_not_become_markup() -> None:
    rows = [line for line in render_markdown(nasty(), made="now").splitlines() if line.startswith("|")]
    assert rows
    for row in rows:
        bare = re.sub(r"\\.", "", row)
        assert "<" not in bare
        assert "[x]" not in bare
        assert "`" not in bare
    columns = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
    assert columns <= {5, 6, 8}, "a bar in a name makes no column"


def test_a_table_ends_before_a_comment_is_cut_off() -> None:
    text = render_markdown(fleet(5000, 0, drifted=50), made="now")
    assert text.count("| **not enabled** |") == MOST_ROWS
    assert "And 300 more" in text


# --- HTML --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("report", [EVERYTHING, IN_SYNC, nasty(), merged([])])
def test_the_page_is_whole_and_asks_for_nothing(report: dict[str, Any]) -> None:
    text = render_html(report, made="now")
    assert re.findall(r"(?:src|href)=\"(?!data:,)[^\"]*\"", text) == []
    assert "http://" not in text
    assert "https://" not in text
    assert "<script>alert" not in text
    assert text.count("<script>") == 1


def test_no_name_adds_an_element_or_an_attribute() -> None:
    bad, good = (Seen(render_html(report, made="now")).elements for report in (nasty(), nasty("x")))
    assert len(bad) > 100
    assert [(tag, sorted(names)) for tag, names in bad] == [(tag, sorted(names)) for tag, names in good]


def test_the_page_says_in_words_what_it_says_in_colour() -> None:
    text = render_html(EVERYTHING, made="now")
    assert "≠ 5e:00.0 off" in text
    assert "✓ 1 active" in text
    assert "? no answer" in text
    assert "≈ 3b:00.0 reboot" in text
    assert "≠ train-01" in text
    assert {tone_of(kind) for kind in KINDS} == {"bad", "warn", "mute"}
    assert {KINDS[kind].certainty for kind in KINDS if tone_of(kind) == "mute"} == {"unknown"}


def test_clusters_in_order_are_folded_where_the_fleet_is_large() -> None:
    text = render_html(fleet(1000, 1000), made="now")
    opened = re.findall(r'<details open class="cluster">.*?</summary>', text)
    assert len(opened) == 2
    assert "cluster-03" in opened[0]
    assert len(re.findall(r'<details class="cluster">', text)) == 18
    assert len(text) < 2_000_000
    assert '<details class="cluster">' not in render_html(fleet(50, 0), made="now")


def test_the_same_state_gives_the_same_page() -> None:
    assert render_html(EVERYTHING, made="now") == render_html(one_of_everything(), made="now")
