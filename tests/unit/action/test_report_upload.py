# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugins that upload reports, in process, with a store over TLS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.connection.local import Connection
from ansible.template import Templar

from ansible_collections.directpath.vsphere.plugins.action import drift_report, report_upload
from tests.unit.module_utils._domain.drift.reports import difference, part
from tests.unit.module_utils._vsphere.upload.store import Store, storing

SECRET = "s3cr3t"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with storing(tmp_path) as running:
        yield running


def run(plugin: Any, *, check: bool = False, **options: Any) -> dict[str, Any]:
    """The result of the task. It never has the secret of the URL."""
    task, context = Task(), PlayContext()
    task.args, task.check_mode = options, check
    loader = DataLoader()
    action = plugin.ActionModule(task, Connection(context, None), context, loader, Templar(loader=loader), None)
    result: dict[str, Any] = action.run(task_vars={})
    assert SECRET not in json.dumps(result, default=str)
    return result


def drift(store: Store, **options: Any) -> dict[str, Any]:
    found = {"report": part("vc-1", found=(difference(),))}
    given = {"results": [found], "vcenters": ["vc-1"], "upload_ca_path": store.ca_path, **options}
    return run(drift_report, **given)


def test_a_file_is_uploaded_with_the_media_type_of_its_name(store: Store, tmp_path: Path) -> None:
    page = tmp_path / "timeline.html"
    page.write_text("<p>page</p>", encoding="utf-8")
    result = run(report_upload, path=str(page), url=store.url(), upload_ca_path=store.ca_path)
    assert (result["uploaded"], result["changed"]) == (True, False)
    (got,) = store.received
    assert (got.body, got.headers["content-type"]) == (b"<p>page</p>", "text/html; charset=utf-8")


def test_check_mode_checks_the_options_and_sends_nothing(store: Store) -> None:
    assert run(report_upload, check=True, path="missing.html", url=store.url())["uploaded"] is False
    assert run(report_upload, check=True, content="x", url=f"http://store/{SECRET}")["error_code"] == "bad_upload"
    assert run(report_upload, content="x", url="")["error_code"] == "bad_upload"
    assert store.received == []


@pytest.mark.parametrize(("choice", "failed"), [("warn", False), ("fail", True)])
def test_a_failed_upload_is_a_warning_or_a_failure(store: Store, choice: str, failed: bool) -> None:
    store.status = 403
    given = {"content": "x", "url": store.url(), "upload_ca_path": store.ca_path, "on_upload_failure": choice}
    result = run(report_upload, **given)
    told = result["msg"] if failed else result["warnings"][0]
    assert (result.get("failed", False), result["uploaded"]) == (failed, False)
    assert told.startswith(f"localhost:{store.port} answers HTTP 403 to the report")


def test_a_file_that_is_missing_fails(store: Store) -> None:
    result = run(report_upload, path="/nowhere/x.html", url=store.url())
    assert (result["failed"], result["error_code"]) == (True, "report_not_uploaded")
    assert "/nowhere/x.html cannot be read" in result["msg"]


@pytest.mark.parametrize("check", [False, True])
def test_a_drift_report_is_uploaded_without_a_file_and_in_check_mode(store: Store, tmp_path: Path, check: bool) -> None:
    file = tmp_path / "drift.md"
    urls = {f"{name}_url": store.url(f"/{name}?{SECRET}") for name in ("json", "junit", "markdown", "html")}
    result = drift(store, check=check, markdown=str(file), **urls)
    assert (result["status"], result["uploaded"]) == ("drift", ["json", "junit", "markdown", "html"])
    assert file.exists() is not check
    bodies = {got.path.partition("?")[0]: got.body for got in store.received}
    assert json.loads(bodies["/json"])["status"] == "drift"
    assert (b"<testsuite" in bodies["/junit"], b"<html" in bodies["/html"]) == (True, True)


def test_drift_is_reported_before_an_upload_that_failed(store: Store) -> None:
    store.status = 500
    url = {"html_url": store.url()}
    assert drift(store, **url)["warnings"][0].startswith("localhost")
    assert drift(store, **url, on_upload_failure="fail")["error_code"] == "report_not_uploaded"
    both = drift(store, **url, on_upload_failure="fail", on_drift="fail")
    assert (both["failed"], both["error_code"], both["uploaded"]) == (True, "drift", [])


def test_a_url_that_cannot_be_used_is_an_error_before_anything_is_written(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "drift.html"
    result = drift(store, html=str(file), html_url=f"http://store.example/{SECRET}")
    assert (result["failed"], result["error_code"]) == (True, "bad_upload")
    assert not file.exists()
