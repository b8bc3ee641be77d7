# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a guest from the answer of its task, its lines, and its place in the drift report."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.drift.fleet_report import unread_report
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.guest.report import BEGIN, END
from ansible_collections.directpath.vsphere.plugins.plugin_utils.drift.files import merge_results
from ansible_collections.directpath.vsphere.plugins.plugin_utils.drift.html import render_html
from ansible_collections.directpath.vsphere.plugins.plugin_utils.drift.junit import render_junit
from ansible_collections.directpath.vsphere.plugins.plugin_utils.drift.markdown import render_markdown
from ansible_collections.directpath.vsphere.plugins.plugin_utils.guest.results import (
    guest_lines,
    guest_problems,
    guest_verdict,
)
from tests.unit.module_utils._domain.drift.reports import part, vm
from tests.unit.searching import search
from tools.envs import ROOT

UUID = "4231a2c4-5d6e-7f80-91a2-b3c4d5e6f708"
MADE = "2026-11-22T16:40:00"
SCHEMA = jsonschema.Draft7Validator(
    json.loads((ROOT / "docs" / "drift_report.schema.json").read_text(encoding="utf-8"))
)


def target(**more: Any) -> dict[str, Any]:
    expect = [{"match": "10de:20f1", "count": 1, "works": "none", "command": "run-a-job"}]
    vm_facts = {"vm": "train-01", "name": "train-01", "moid": "vm-train-01", "uuid": UUID, "attached": []}
    way = {"via": "connection", "inventory_host": "guest-01", "os": "linux", "skipped": "", "blocked": None}
    return {**vm_facts, **way, "expect": expect, **more}


def output(driver: str = "nvidia", status: int = 0, uuid: str = UUID, kernel: str = "6.1") -> str:
    address = "0000:03:00.0"
    rows = [
        BEGIN + "linux",
        "boot\tb",
        f"uuid\t{uuid}",
        f"kernel\t{kernel}",
        f"pci\t{address}\t0x10de\t0x20f1\t0x10de\t0x1463\t0x030200\t1\t{driver}",
        f"config\t{address}\t" + "\t".join(["de", "10", "f1", "20", "06"] + ["00"] * 59),
        f"bar\t{address}\t0\t0xfd000000\t0xfdffffff\t0x40200",
        f"command\t0\t{status}",
        "boot\tb",
        END,
    ]
    return "\n".join(rows) + "\n"


def through_tools(**vm_facts: Any) -> dict[str, Any]:
    return {
        "vms": [
            {"status": "read", "output": output(), "exit_codes": [0], "error": None, "error_code": None, **vm_facts}
        ]
    }


ANSWERS = {
    "verified": (target(), {"stdout": output()}, "verified", None),
    "wrong driver": (target(), {"stdout": output("vfio-pci")}, "failed", "guest_driver_wrong"),
    "the command fails": (target(), {"stdout": output(status=3)}, "failed", "guest_command_failed"),
    "the wrong guest": (target(), {"stdout": output(uuid="ff" + UUID[2:])}, "unknown", "guest_wrong_machine"),
    "not reachable": (
        target(),
        {"unreachable": True, "msg": "Failed to connect to the host via ssh: Permission denied (publickey)."},
        "unknown",
        "guest_unreachable",
    ),
    "rebooted in the middle": (
        target(),
        {"stdout": output().replace("boot\tb\n" + END, "boot\tc\n" + END)},
        "unknown",
        "guest_rebooted",
    ),
    "cut": (target(), {"stdout": output()[:-20]}, "unknown", "guest_output_cut"),
    "a shell that prints something else": (target(), {"stdout": "nologin"}, "unknown", "guest_output_unreadable"),
    "nothing printed": (
        target(),
        {"stdout": "", "stderr": "sh: not found", "rc": 127},
        "unknown",
        "guest_output_unreadable",
    ),
    "not asked": (target(), {}, "unknown", "guest_not_asked"),
    "not wanted": (target(skipped="when is never"), {"stdout": output()}, "not_verified", None),
    "blocked, with the answer of the guest before": (
        target(blocked={"code": "guest_vm_off", "reason": "off", "cure": "on"}),
        {"stdout": output()},
        "unknown",
        "guest_vm_off",
    ),
    "through VMware Tools": (target(via="tools"), through_tools(), "verified", None),
    "VMware Tools do not run": (
        target(via="tools"),
        through_tools(status="failed", output=None, error="VMware Tools do not run", error_code="guest_tools_off"),
        "unknown",
        "guest_tools_off",
    ),
    "the module fails": (
        target(via="tools"),
        {"failed": True, "msg": "no", "error_code": "refused"},
        "unknown",
        "refused",
    ),
    "check mode": (target(via="tools"), through_tools(status="not_run", output=None), "unknown", "guest_not_asked"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_an_answer_becomes_a_record(case: str) -> None:
    given_target, answer, status, code = ANSWERS[case]
    record = guest_verdict(given_target, answer)
    assert (record["status"], record["code"]) == (status, code)
    assert bool(guest_problems([record])) == (status in ("failed", "unknown"))
    assert ("verified (1 of 1): works" in " ".join(guest_lines([record]))) == (status == "verified")


def test_lines_and_sentences() -> None:
    records = [
        guest_verdict(*ANSWERS[case][:2]) for case in ("verified", "wrong driver", "not wanted", "the wrong guest")
    ]
    assert guest_lines(records)[0] == "train-01 10de:20f1 in the guest: verified (1 of 1): works"
    assert guest_lines(records)[2] == "train-01 10de:20f1 in the guest: NOT VERIFIED: when is never"
    first, second = guest_problems(records)
    assert first.startswith("train-01 10de:20f1 in the guest: fails. vfio-pci is bound to 0000:03:00.0")
    assert second.startswith(
        "train-01 in the guest: not verified. The machine that answered is not this VM: its SMBIOS UUID is ff"
    )


@search()
@given(st.text(min_size=1))
def test_text_of_the_guest_is_no_template_and_no_terminal_command(text: str) -> None:
    nasty = f"{{{{ lookup('pipe', 'id') }}}}\x1b[31m{text}".replace("\n", " ").replace("\t", " ")
    for answer in (
        {"stdout": output(driver=nasty)},
        {"stdout": output(kernel=nasty)},
        {"unreachable": True, "msg": nasty},
    ):
        found = json.dumps(
            guest_verdict(target(expect=[{"match": "10de", "driver": "nvidia"}]), answer), ensure_ascii=False
        )
        assert not any(sign in found for sign in ("{{ lookup", "{%", "{#", "\x1b"))


# --- reports ---------------------------------------------------------------------------------------------------------------

RECORDS = [
    {**guest_verdict({**given_target, "name": f"vm-{number}", "moid": f"vm-{number}"}, answer)}
    for number, (given_target, answer, _status, _code) in enumerate(ANSWERS.values())
]


def fleet() -> dict[str, Any]:
    found = part("vc", (), (vm("vm-0", "esx-01"), vm("vm-1", "esx-01")))
    return merge_results([("vc", {"report": found}), ("dead", {"msg": "no", "error_code": "refused"})], [RECORDS])


def test_the_drift_report_has_every_guest_and_satisfies_its_schema() -> None:
    report = fleet()
    SCHEMA.validate({**report, "made": f"{MADE}Z"})
    statuses = [status for _target, _answer, status, _code in ANSWERS.values()]
    assert [guest["status"] for guest in report["vcenters"][1]["guests"]] == statuses
    kinds = report["summary"]["kinds"]
    assert (kinds["guest_failed"], kinds["guest_unknown"]) == (statuses.count("failed"), statuses.count("unknown"))
    assert report["status"] == "drift"


def test_only_unknown_guests_make_a_report_unknown_and_verified_ones_none() -> None:
    found = part("vc", (), (vm("train-01", "esx-01"),))
    for case, status in (
        ("verified", "in_sync"),
        ("not wanted", "in_sync"),
        ("cut", "unknown"),
        ("wrong driver", "drift"),
    ):
        record = guest_verdict(*ANSWERS[case][:2])
        assert merge_results([("vc", {"report": found})], [[record]])["status"] == status, case
    assert "guests" not in merge_results([("vc", {"report": found})])["vcenters"][0]
    assert "guests" not in unread_report("vc", "x", "refused")


def test_junit_has_a_test_for_each_device_that_passes_only_if_verified() -> None:
    suite = ElementTree.fromstring(render_junit(fleet(), made=MADE).encode("utf-8"))
    results = {}
    for case in suite.iter("testcase"):
        if case.get("classname") == "vc.guest":
            results[case.get("name")] = next((child.tag for child in case), "passed")
    tags = {"verified": "passed", "failed": "failure", "unknown": "error", "not_verified": "skipped"}
    assert list(results.values()) == [tags[status] for _target, _answer, status, _code in ANSWERS.values()]


def test_the_pages_show_every_guest() -> None:
    html, markdown = render_html(fleet(), made=MADE), render_markdown(fleet(), made=MADE)
    for number in range(len(ANSWERS)):
        assert f"vm-{number}" in html
    assert "In the guests" in html
    assert "| vm-0 | 10de:20f1 | **verified** | works |" in markdown
