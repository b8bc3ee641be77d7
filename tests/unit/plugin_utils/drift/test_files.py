# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports of several vCenters: merged, written to files, and the end of the play."""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError, InputError
from ansible_collections.directpath.vsphere.plugins.plugin_utils.drift.files import (
    FORMATS,
    judge,
    merge_results,
    rendered,
    summarize,
    write_reports,
)
from tests.unit.module_utils._domain.drift.reports import difference, one_of_everything, part

NOW = datetime.datetime(2026, 11, 22, 16, 40, tzinfo=datetime.UTC)
FINE, DRIFTED, UNKNOWN = part("a"), part("b", found=(difference(),)), part("c", found=(difference("unreachable"),))
DOWN = {"failed": True, "msg": "Cannot log in on d:443: nothing listens there.", "error_code": "refused"}


def found(*parts: dict[str, Any]) -> dict[str, Any]:
    return summarize(merge_results([(one["vcenter"], {"report": one}) for one in parts]), [])


def test_a_look_that_failed_does_not_spoil_the_others() -> None:
    report = merge_results([("a", {"report": FINE}), ("d", DOWN), ("e", {})])
    assert [(one["vcenter"], one["status"]) for one in report["vcenters"]] == [
        ("a", "in_sync"),
        ("d", "unknown"),
        ("e", "unknown"),
    ]
    assert "nothing listens there" in report["vcenters"][1]["differences"][0]["cause"]
    assert "not read" in report["vcenters"][2]["differences"][0]["cause"]


def test_a_report_of_another_version_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        merge_results([("a", {"report": {**FINE, "version": 9}})])
    assert caught.value.code == "bad_report"


def test_each_format_goes_to_its_file(tmp_path: Path) -> None:
    paths = {name: str(tmp_path / "deep" / "er" / f"drift.{name}") for name in FORMATS}
    before = os.umask(0o077)
    try:
        written = write_reports(rendered(one_of_everything(), NOW), paths)
    finally:
        os.umask(before)
    assert written == list(paths.values())
    for path in written:
        assert oct(os.stat(path).st_mode & 0o777) == "0o644"
    assert json.loads(Path(paths["json"]).read_text(encoding="utf-8"))["made"] == "2026-11-22T16:40:00Z"
    assert 'timestamp="2026-11-22T16:40:00"' in Path(paths["junit"]).read_text(encoding="utf-8")
    assert sorted(path.name for path in (tmp_path / "deep" / "er").iterdir()) == sorted(f"drift.{n}" for n in FORMATS)


def test_only_what_is_asked_for_is_written(tmp_path: Path) -> None:
    paths = {"html": None, "json": "", "junit": str(tmp_path / "x.xml")}
    assert write_reports(rendered(one_of_everything(), NOW), paths) == [str(tmp_path / "x.xml")]


def test_a_file_that_cannot_be_written_is_named_and_the_old_one_stays(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("old", encoding="utf-8")
    for path in (tmp_path / "folder", tmp_path / "file" / "below"):
        with pytest.raises(DirectPathError) as caught:
            write_reports(rendered(one_of_everything(), NOW), {"html": str(path)})
        assert caught.value.code == "report_not_written"
        assert str(path) in caught.value.message
    assert (tmp_path / "file").read_text(encoding="utf-8") == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize(
    ("parts", "ends"),
    [
        ((FINE,), {"a": ""}),
        ((FINE, DRIFTED), {"a": "", "b": "failed"}),
        ((FINE, UNKNOWN), {"a": "", "c": "unreachable"}),
        # Ansible's exit status follows the unreachable hosts, and the drift is certain.
        ((DRIFTED, UNKNOWN), {"b": "failed", "c": "failed"}),
    ],
)
def test_how_each_vcenter_ends(parts: tuple[dict[str, Any], ...], ends: dict[str, str]) -> None:
    report = found(*parts)
    for vcenter, end in ends.items():
        result = judge(report, vcenter, on_drift="fail", on_unknown="fail")
        assert [key for key in ("failed", "unreachable") if result.get(key)] == ([end] if end else [])
    together = judge(report, None, on_drift="fail", on_unknown="fail")
    assert bool(together.get("failed")) is (DRIFTED in parts)


def test_drift_and_what_is_unknown_have_codes_of_their_own() -> None:
    both = {"on_drift": "fail", "on_unknown": "fail"}
    assert judge(found(DRIFTED), None, **both)["error_code"] == "drift"
    assert judge(found(UNKNOWN), None, **both)["error_code"] == "drift_unknown"
    assert judge(found(DRIFTED), "b", on_drift="report", on_unknown="fail") == {"msg": found(DRIFTED)["summary"]}
    assert "unreachable" in judge(found(DRIFTED, UNKNOWN), "c", on_drift="report", on_unknown="fail")
    assert judge(found(UNKNOWN), None, on_drift="fail", on_unknown="report") == {"msg": found(UNKNOWN)["summary"]}


def test_a_message_tells_the_first_few() -> None:
    many = part("b", found=tuple(difference(subject=f"0000:{n:02x}:00.0") for n in range(9)))
    message = judge(found(many), None, on_drift="fail", on_unknown="fail")["msg"]
    assert message.count("not enabled.") >= 3
    assert "And 6 more" in message


def test_a_vcenter_that_is_not_in_the_report() -> None:
    with pytest.raises(InputError) as caught:
        judge(found(FINE), "z", on_drift="fail", on_unknown="fail")
    assert caught.value.candidates == ("a",)
