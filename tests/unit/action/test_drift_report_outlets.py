# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drift report with outlets, uploads and files at the same time: what each gets, and what happens when some of them are dead."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.connection.local import Connection
from ansible.template import Templar

from ansible_collections.directpath.vsphere.plugins.action.drift_report import ActionModule
from ansible_collections.directpath.vsphere.plugins.plugin_utils.outlets import drift
from tests.unit.module_utils._domain.drift.reports import difference, part
from tests.unit.module_utils._vsphere.upload.store import Store, storing
from tests.unit.patience import PATIENCE
from tests.unit.plugin_utils.outlets.exposition import parse
from tests.unit.plugin_utils.outlets.receiver import SECRET, TOKEN, Receiver, receiving

UPLOAD = "s3cr3t"
DEAD = {"url": f"https://localhost:9/{TOKEN}", "secret": SECRET}
"""Nothing listens on the port discard."""


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time to end is over only where a test shows what happens then."""
    monkeypatch.setattr(drift.end_all, "__defaults__", (PATIENCE,))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "store").mkdir()
    with storing(tmp_path / "store") as running:
        yield running


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with receiving(tmp_path) as running:
        yield running


def run(*, check: bool = False, **options: Any) -> dict[str, Any]:
    """The result of the task for two vCenters, one with drift and one that was not read. It never has a secret."""
    drifted = {"report": part("vc-1", found=(difference(),))}
    unread = {"failed": True, "msg": "nothing listens there", "error_code": "cannot_connect"}
    task, context, loader = Task(), PlayContext(), DataLoader()
    task.args = {"results": [drifted, unread], "vcenters": ["vc-1", "vc-2"], **options}
    task.check_mode = check
    action = ActionModule(task, Connection(context, None), context, loader, Templar(loader=loader), None)
    result: dict[str, Any] = action.run(task_vars={})
    for word in (UPLOAD, TOKEN, SECRET):
        assert word not in json.dumps(result, default=str)
    return result


def everything(store: Store, receiver: Receiver, folder: Path) -> dict[str, Any]:
    return {
        "html": str(folder / "drift.html"),
        "json_url": store.url(f"/json?{UPLOAD}"),
        "upload_ca_path": store.ca_path,
        "notify": [DEAD, receiver.option()],
        "metrics_file": str(folder / "drift.prom"),
    }


def test_all_of_them_at_once_with_one_receiver_that_is_dead(store: Store, receiver: Receiver, tmp_path: Path) -> None:
    result = run(**everything(store, receiver, tmp_path))
    assert (result["status"], result["uploaded"], result.get("failed")) == ("drift", ["json"], None)
    assert [Path(file).name for file in result["files"]] == ["drift.html"]
    (sent,) = store.received
    assert json.loads(sent.body)["status"] == "drift"
    told = [(event["vcenter"], event["number"], event["status"], event["kinds"]) for event in receiver.events]
    assert told == [("vc-1", 1, "drift", {"disabled": 1}), ("vc-2", 2, "unknown", {"unreadable": 1})]
    assert receiver.forged == []
    lines = parse((tmp_path / "drift.prom").read_text(encoding="utf-8"))
    found = {(one.name, *one.labels.values()): one.value for one in lines}
    assert found["directpath_drift", "vc-1", "disabled"] == 1
    assert found["directpath_drift_status", "vc-2", "unknown"] == 1
    assert found["directpath_drift_last_run_timestamp_seconds", "vc-1"] == pytest.approx(time.time(), abs=60)
    assert {one["name"]: (one["sent"], one["lost"]) for one in result["outlets"]} == {
        "notify https://localhost:9": (0, 2),
        f"notify https://localhost:{receiver.port}": (2, 0),
        "metrics_file": (1, 0),
    }
    assert result["warnings"] == [
        "notify https://localhost:9: 2 of 2 events were not delivered (Connection refused). Nothing else was affected"
    ]


@pytest.mark.parametrize("choice", ["warn", "fail"])
def test_a_dead_store_keeps_no_event_back(store: Store, receiver: Receiver, tmp_path: Path, choice: str) -> None:
    store.status = 503
    result = run(**everything(store, receiver, tmp_path), on_upload_failure=choice)
    assert receiver.kinds == ["drift", "drift"]
    assert (result.get("failed", False), result["uploaded"]) == (choice == "fail", [])
    upload = result["msg"] if choice == "fail" else result["warnings"][0]
    assert upload.startswith(f"localhost:{store.port} answers HTTP 503")
    assert "notify https://localhost:9: " in result["warnings"][-1]


def test_drift_is_the_message_and_a_failed_upload_is_a_warning_then(store: Store) -> None:
    store.status = 503
    urls = {"json_url": store.url(f"/json?{UPLOAD}"), "upload_ca_path": store.ca_path}
    result = run(**urls, on_upload_failure="fail", on_drift="fail")
    assert (result["failed"], result["error_code"]) == (True, "drift")
    assert result["warnings"][0].startswith(f"localhost:{store.port} answers HTTP 503")


def test_drift_that_fails_the_task_has_the_warning_of_the_outlet_too(
    store: Store, receiver: Receiver, tmp_path: Path
) -> None:
    result = run(**everything(store, receiver, tmp_path), on_drift="fail")
    assert (result["failed"], result["error_code"], len(result["warnings"])) == (True, "drift", 1)
    assert receiver.kinds == ["drift", "drift"]


def test_a_receiver_that_hangs_delays_the_report_for_a_limited_time(
    store: Store, receiver: Receiver, tmp_path: Path
) -> None:
    receiver.hangs = True
    options = everything(store, receiver, tmp_path) | {"notify": [DEAD, receiver.option(timeout=2 * PATIENCE)]}
    with mock.patch.object(drift.end_all, "__defaults__", (0.5,)):
        began = time.monotonic()
        result = run(**options, on_drift="fail")
        assert time.monotonic() - began < PATIENCE
    assert (result["error_code"], result["uploaded"]) == ("drift", ["json"])
    assert any("no answer before the end of the run" in text for text in result["warnings"])


def test_in_check_mode_outlets_are_silent_and_the_report_is_uploaded(
    store: Store, receiver: Receiver, tmp_path: Path
) -> None:
    result = run(check=True, **everything(store, receiver, tmp_path))
    assert (result["uploaded"], result["files"]) == (["json"], [])
    assert receiver.events == []
    assert not (tmp_path / "drift.prom").exists()
    assert "outlets" not in result
    assert "warnings" not in result


def test_a_receiver_that_wants_no_drift_gets_none(store: Store, receiver: Receiver, tmp_path: Path) -> None:
    result = run(notify=[receiver.option(events=["run_ended"])])
    assert receiver.events == []
    assert [one["lost"] for one in result["outlets"]] == [0]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "plain http": ({"notify": [{"url": f"http://h/{TOKEN}"}]}, "bad_notify"),
    "an unknown suboption": ({"notify": [{"url": f"https://h/{TOKEN}", "urls": TOKEN}]}, "bad_notify"),
    "no folder": ({"metrics_file": "/no/such/folder/a.prom"}, "report_unwritable"),
    "an upload without TLS": ({"json_url": f"http://h/{UPLOAD}"}, "bad_upload"),
}


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_refused_before_anything_is_published(
    store: Store, receiver: Receiver, tmp_path: Path, name: str, check: bool
) -> None:
    options, code = REFUSED[name]
    result = run(check=check, **{**everything(store, receiver, tmp_path), **options})
    assert (result["failed"], result["error_code"]) == (True, code)
    assert (receiver.events, store.received) == ([], [])
    assert not (tmp_path / "drift.html").exists()
    assert not (tmp_path / "drift.prom").exists()


def test_the_metrics_of_a_rolling_reboot_are_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "vc.prom"
    path.write_text("# written by directpath.vsphere: rolling reboot vc-1\n", encoding="utf-8")
    assert run(metrics_file=str(path))["error_code"] == "metrics_file_in_use"


@pytest.mark.parametrize("options", [{"vcenters": ["vc-1"]}, {"guests": [[], [], []]}])
def test_lists_that_do_not_belong_together_are_refused(options: dict[str, Any]) -> None:
    result = run(**options)
    assert (result["failed"], result["error_code"]) == (True, "bad_report")
    assert "one by one" in result["msg"]
