# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rolling reboot and its outlets: what each gets, and what happens when one of them is dead."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.outlets.outlet import Outlet, OutletReport
from ansible_collections.directpath.vsphere.plugins.plugin_utils.outlets import publisher
from tests.unit.action.records import change, outcome
from tests.unit.action.rolling_runs import Elsewhere, Roll
from tests.unit.patience import PATIENCE
from tests.unit.plugin_utils.outlets.exposition import parse
from tests.unit.plugin_utils.outlets.receiver import SECRET, TOKEN, receiving

DEAD = {"url": f"https://localhost:9/{TOKEN}", "secret": SECRET}
"""Nothing listens on the port discard."""


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time to end is over only where a test shows what happens then."""
    monkeypatch.setattr(publisher.end_all, "__defaults__", (PATIENCE,))


@pytest.fixture
def roll(tmp_path: Path) -> Roll:
    return Roll(folder=tmp_path, options={"hostname": "vc-a", "metrics_file": str(tmp_path / "vc-a.prom")})


def parts() -> list[dict[str, Any]]:
    """Two slices: a host is drained in the first, and done in the second."""
    return [
        {
            "progress": [change("esx-1", None, "waiting"), change("esx-1", "waiting", "draining", 10)],
            "result": outcome(("draining", 0, 10), ended=False, state="working"),
        },
        {
            "progress": [change("esx-1", None, "draining", 20), change("esx-1", "draining", "done", 60)],
            "result": outcome(("draining", 0, 60), ("done", 60, 70)),
        },
    ]


def metrics(roll: Roll) -> dict[str, float]:
    """Metric and its label but vcenter → value."""
    found = {}
    for one in parse(Path(roll.options["metrics_file"]).read_text(encoding="utf-8")):
        more = [value for name, value in one.labels.items() if name != "vcenter"]
        assert one.labels["vcenter"] == "vc-a"
        found["/".join([one.name, *more])] = one.value
    return found


def test_a_run_of_two_slices_is_one_run(roll: Roll, tmp_path: Path) -> None:
    with receiving(tmp_path) as receiver:
        roll.options["notify"] = [receiver.option()]
        result = roll.run(*parts())
    assert receiver.kinds == ["run_started", "host_phase", "host_phase", "run_ended"]
    assert [event["number"] for event in receiver.events] == [1, 2, 3, 4]
    assert [event["after"] for event in receiver.events[1:3]] == ["draining", "done"]
    assert receiver.events[3]["state"] == "finished"
    assert receiver.forged == []
    found = metrics(roll)
    assert found["directpath_run_in_progress"] == 0
    assert found["directpath_hosts/done"] == 1
    assert found["directpath_last_success_timestamp_seconds"] == pytest.approx(time.time(), abs=60)
    assert {one["name"]: one["lost"] for one in result["outlets"]} == {
        f"notify https://localhost:{receiver.port}": 0,
        "metrics_file": 0,
    }
    assert "warnings" not in result


def test_what_is_published_stays_out_of_the_module_and_of_all_output(roll: Roll, tmp_path: Path) -> None:
    with receiving(tmp_path) as receiver:
        roll.options["notify"] = [receiver.option(), DEAD]
        result = roll.run(*parts())
    for text in (json.dumps(result), "\n".join(roll.screen.lines), json.dumps([call.params for call in roll.calls])):
        assert TOKEN not in text
        assert SECRET not in text
    assert TOKEN not in Path(roll.options["metrics_file"]).read_text(encoding="utf-8")
    assert all("metrics_file" not in call.params for call in roll.calls)


def test_a_dead_receiver_is_one_warning_and_no_failure(roll: Roll, tmp_path: Path) -> None:
    with receiving(tmp_path) as receiver:
        roll.options["notify"] = [DEAD, receiver.option()]
        result = roll.run(*parts())
    assert not result.get("failed")
    assert len(receiver.events) == 4
    (warning,) = result["warnings"]
    assert warning == (
        "notify https://localhost:9: 4 of 4 events were not delivered (Connection refused). Nothing else was affected"
    )


def test_a_receiver_that_hangs_ends_with_the_run(roll: Roll, tmp_path: Path) -> None:
    with receiving(tmp_path, hangs=True) as receiver, mock.patch.object(publisher.end_all, "__defaults__", (0.5,)):
        roll.options["notify"] = [receiver.option(timeout=2 * PATIENCE)]
        began = time.monotonic()
        result = roll.run(*parts())
        assert time.monotonic() - began < PATIENCE
    assert "no answer before the end of the run" in result["warnings"][0]


def test_a_dead_collector_of_traces_is_one_warning_and_no_failure(
    roll: Roll, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the exporter is not installed")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "https://localhost:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"x-key={TOKEN}")
    end = publisher.end_all

    def end_all(outlets: Iterable[Outlet[Any]]) -> list[OutletReport]:
        """The traces get a short time to end, and whatever can be delivered gets as long as it takes."""
        return [one for each in outlets for one in end([each], 0.5 if each.name == "traces" else PATIENCE)]

    with receiving(tmp_path) as receiver, mock.patch.object(publisher, "end_all", end_all):
        roll.options |= {"notify": [receiver.option()], "traces": True}
        began = time.monotonic()
        result = roll.run(*parts())
        assert time.monotonic() - began < PATIENCE
    assert result["state"] == "finished"
    assert receiver.kinds == ["run_started", "host_phase", "host_phase", "run_ended"]
    (warning,) = result["warnings"]
    assert warning.startswith("traces: ")
    assert TOKEN not in json.dumps(result) + "\n".join(roll.screen.lines)


def test_an_error_in_an_outlet_is_no_error_of_the_run(roll: Roll) -> None:
    with mock.patch.object(publisher.Publisher, "_enter", side_effect=RuntimeError):
        result = roll.run(*parts())
    assert result["state"] == "finished"
    assert any("draining → done" in line for line in roll.lines)


def test_a_module_on_another_machine_is_heard_after_each_slice(roll: Roll, tmp_path: Path) -> None:
    roll.connection = Elsewhere
    first, second = parts()
    first["result"]["transitions"], second["result"]["transitions"] = first["progress"], second["progress"]
    with receiving(tmp_path) as receiver:
        roll.options["notify"] = [receiver.option()]
        roll.run(first, second)
    assert receiver.kinds == ["run_started", "host_phase", "host_phase", "run_ended"]


def test_the_state_file_says_which_vms_are_off(roll: Roll, tmp_path: Path) -> None:
    """While the module works: the VM is in the metrics before the slice ends."""
    vms = [{"name": "db-1", "host": "esx-1", "since": time.time() - 90, "state": "off"}]

    def write() -> None:
        state = {"server_time": time.time(), "in_progress": {"hosts": [], "vms_off": vms, "at_most": 5.0}}
        (Path(roll.calls[-1].params["shared_dir"]) / "state.json").write_text(json.dumps(state), encoding="utf-8")
        path = Path(roll.options["metrics_file"])
        roll.until(lambda: path.exists() and "directpath_vm_off_since" in path.read_text(encoding="utf-8"))()
        found = metrics(roll)
        assert found["directpath_vms_off"] == 1
        since = found["directpath_vm_off_since_timestamp_seconds/esx-1/db-1"]
        assert since == pytest.approx(time.time() - 90, abs=30)

    begun = {"hosts": [], "vms_off": [], "at_most": 0.0}
    with receiving(tmp_path) as receiver:
        roll.options["notify"] = [receiver.option(events=["vm_off", "vm_on"])]
        roll.run({"then": write, "result": outcome(("done", 0, 10), in_progress=begun)})
    assert receiver.kinds == ["vm_off", "vm_on"]
    assert metrics(roll)["directpath_vms_off"] == 0


def test_check_mode_is_silent(roll: Roll, tmp_path: Path) -> None:
    roll.check = True
    with receiving(tmp_path) as receiver:
        roll.options["notify"] = [receiver.option()]
        result = roll.run({"result": outcome(("waiting", 0, 10), state="planned", schedule={})})
    assert receiver.events == []
    assert not Path(roll.options["metrics_file"]).exists()
    assert "outlets" not in result


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "plain http": ({"notify": [{"url": f"http://h/{TOKEN}"}]}, "bad_notify"),
    "no list": ({"notify": f"https://h/{TOKEN}"}, "bad_notify"),
    "an unknown suboption": ({"notify": [{"url": f"https://h/{TOKEN}", "urls": TOKEN}]}, "bad_notify"),
    "an unknown event": ({"notify": [{"url": f"https://h/{TOKEN}", "events": ["reboot"]}]}, "bad_notify"),
    "a CA that is not there": ({"notify": [{"url": f"https://h/{TOKEN}", "ca_path": "/no/such.pem"}]}, "bad_ca_path"),
    "no folder": ({"metrics_file": "/no/such/folder/a.prom"}, "report_unwritable"),
    "another name": ({"metrics_file": "/tmp/a.txt"}, "bad_metrics_file"),
}


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_refused_before_the_module_is_called(roll: Roll, name: str, check: bool) -> None:
    options, code = REFUSED[name]
    roll.check, roll.options = check, {"option_prefix": "rolling_reboot_", **options}
    result = roll.run()
    assert (result["failed"], result["error_code"]) == (True, code)
    assert TOKEN not in str(result)


def test_messages_name_the_variable_of_the_role(roll: Roll) -> None:
    roll.options = {"option_prefix": "rolling_reboot_", "notify": [{"url": "http://h/"}]}
    assert roll.run()["msg"].startswith("rolling_reboot_notify[0].url: it is not encrypted")


def test_the_metrics_of_another_vcenter_are_not_overwritten(roll: Roll) -> None:
    roll.run(*parts())
    roll.options["hostname"] = "vc-b"
    result = roll.run()
    assert result["error_code"] == "metrics_file_in_use"
    assert metrics(roll)["directpath_run_in_progress"] == 0


@pytest.mark.parametrize("option", ["notify", "metrics_file"])
def test_an_async_task_has_no_outlets(roll: Roll, option: str) -> None:
    roll.options = {option: {"notify": [DEAD], "metrics_file": roll.options["metrics_file"]}[option]}
    roll.background = 60
    assert roll.run()["error_code"] == "outlets_with_async"


def test_the_events_of_the_module_are_counted_over_all_slices(roll: Roll) -> None:
    first, second = parts()
    lost = {"name": "vcenter_events", "sent": 1, "lost": 2, "why": "no privilege"}
    first["result"]["outlets"], second["result"]["outlets"] = [lost], [{**lost, "lost": 3}]
    result = roll.run(first, second)
    assert result["outlets"][0] == {**lost, "sent": 2, "lost": 5}
    assert result["warnings"] == [
        "vcenter_events: 5 of 7 events were not delivered (no privilege). Nothing else was affected"
    ]
