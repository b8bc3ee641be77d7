# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run file that is replayed gives the same outcome; what a server does otherwise is shown; and a file cannot do more than be read."""

from __future__ import annotations

import gzip
import json
import os
import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import RECORDS_ANSWERS, SENT, UNUSUAL
from tests.tools.recorded_runs import Step, record
from tests.unit.modules.capture.twins import intent_of
from tests.unit.modules.harness import Lab
from tools import replay
from tools.replay_compare import alike, compare, placements

SCHEMA = jsonschema.Draft7Validator(json.loads(replay.SCHEMA.read_text(encoding="utf-8")))


def steps_of(lab: Lab, **rolling: Any) -> list[Step]:
    """The playbook site, without Ansible."""
    intent = intent_of(lab)
    hosts = {"targets": intent["targets"], "on_missing": "skip"}
    reboot = {**hosts, "pinned_vms": "shutdown", "max_unavailable": "2", **rolling}
    return [
        Step(module="drift_info", options={**hosts, "vms": intent["vms"], "scope": "fleet"}),
        Step(module="host_passthrough", options=hosts),
        Step(module="host_rolling_reboot", options=reboot, check=True),
        Step(module="host_rolling_reboot", options=reboot),
        *([Step(module="vm_pci_device", options={"vms": intent["vms"]})] if intent["vms"] else []),
        Step(module="host_passthrough", options=hosts, check=True),
    ]


def content(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    return found


def written(folder: Path, raw: Any) -> Path:
    path = folder / "other.json.gz"
    path.write_bytes(gzip.compress(raw if isinstance(raw, bytes) else json.dumps(raw).encode()))
    return path


def lines(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


@pytest.mark.parametrize("anonymize", [True, False])
@pytest.mark.parametrize("lab", ["three_hosts", "vgpu", "v70"])
def test_a_run_that_is_replayed_has_the_same_outcome(
    lab: str, anonymize: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real = Lab.load(lab)
    path = record(real, steps_of(real), tmp_path, anonymize=anonymize)
    assert replay.main([str(path)]) == replay.SAME, lines(capsys)
    assert "Same: 0 of" in lines(capsys)


def test_the_file_fits_its_schema_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    real = Lab.load("three_hosts")
    path = record(real, steps_of(real), tmp_path)
    raw = content(path)
    assert list(SCHEMA.iter_errors(raw)) == []
    assert raw["anonymized"]
    assert {stat.S_IMODE(os.stat(tmp_path / name).st_mode) for name in ("run.json.gz", "run.key.json")} == {0o600}
    key = json.loads((tmp_path / "run.key.json").read_text())["vcenter-00001"]
    assert key["host-00001.example"] == "esx-01.lab"
    text = json.dumps(raw)
    assert all(name not in text for name in ("esx-01", "train-01", real.credentials()["password"], "vcenter.test"))


def test_what_the_server_does_otherwise_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    real = Lab.load("roll_12")  # one of its hosts never comes back, and no capture says so
    path = record(real, steps_of(real), tmp_path)
    assert replay.main([str(path)]) == replay.DIFFERS
    shown = lines(capsys)
    assert "4. host_rolling_reboot on vcenter-00001: differs" in shown
    assert "error_code: not_back in the file, " in shown
    assert "host-00002.example: status: failed in the file, changed now" in shown


def test_unusual_answers_are_in_the_file_with_their_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RECORDS_ANSWERS, "1")
    real = Lab.load("three_hosts")
    lose = partial(real.sim.faults.add, method="CreateContainerView", times=2, drop="before")
    path = record(real, [Step(module="host_pci_device_info", before=lose)], tmp_path)
    answers = content(path)["calls"][0]["answers"]
    assert [(row["method"], row["answer"]) for row in answers] == [("CreateContainerView", "ConnectionResetError")] * 2
    replay.main([str(path)])
    assert "CreateContainerView: ConnectionResetError (2 times)" in lines(capsys)


def test_results_without_a_run_file_do_not_have_them() -> None:
    real = Lab.load("three_hosts")
    real.sim.faults.add(method="CreateContainerView", times=2, drop="before")
    shown = real.run("host_pci_device_info")
    assert UNUSUAL not in shown
    assert SENT not in shown


# -- files of other people ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    real = Lab.load("three_hosts")
    return content(record(real, steps_of(real)[1:2], tmp_path_factory.mktemp("good")))


def changed(raw: dict[str, Any], change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(raw))
    change(copy)
    return copy


HOSTILE: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "another version": (
        lambda raw: raw.update(version=2),
        "has version 2 of the format; this checkout reads version 1",
    ),
    "another format": (lambda raw: raw.update(format="x"), "its format is not directpath.vsphere.run"),
    "an unknown key": (lambda raw: raw["calls"][0].update(run="rm"), "does not fit docs/run.schema.json at calls/0"),
    "a module that is not replayed": (
        lambda raw: raw["calls"][0].update(module="report_upload"),
        "report_upload is no module",
    ),
    "a path": (
        lambda raw: raw["calls"][0]["options"].update(journal_dir="/etc"),
        "has options that a run file never has: journal_dir",
    ),
    "a program": (
        lambda raw: raw["calls"][0].update(
            module="host_rolling_reboot", options={"ready_when": [{"check": "command", "argv": ["touch", "/tmp/x"]}]}
        ),
        "has options that a run file never has: ready_when",
    ),
    "an account": (
        lambda raw: raw["calls"][0]["options"].update(hostname="vc"),
        "has options that a run file never has: hostname",
    ),
    "Ansible's own": (
        lambda raw: raw["calls"][0]["options"].update(_ansible_tmpdir="/"),
        "has options that a run file never has",
    ),
    "a server that is not there": (
        lambda raw: raw["calls"][0].update(server=7),
        "names a server that is not in the file",
    ),
    "no capture": (lambda raw: raw["servers"][0].update(capture=None), "it has no capture"),
    "a broken capture": (
        lambda raw: raw["servers"][0]["capture"].update(objects=[{}]),
        "capture of server 0 cannot be loaded",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_no_run_writes_is_refused(
    name: str, good: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, words = HOSTILE[name]
    path = written(tmp_path, changed(good, change))
    assert replay.main([str(path)]) == replay.UNREADABLE
    shown = lines(capsys)
    assert words in shown
    assert "Traceback" not in shown


def deep() -> Iterator[bytes]:
    yield b"no json"
    yield b"[" * 200_000
    yield b'{"format": NaN}'
    yield b"\xff\xfe"
    yield b"[]"


@pytest.mark.parametrize("raw", list(deep()))
def test_a_damaged_file_is_refused(raw: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert replay.main([str(written(tmp_path, raw))]) == replay.UNREADABLE
    plain = tmp_path / "plain.json.gz"
    plain.write_bytes(raw)
    assert replay.main([str(plain)]) == replay.UNREADABLE
    assert lines(capsys).count("cannot be replayed: it is no run file") == 2


def test_a_file_that_fills_the_memory_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "MOST_BYTES", 2**20)
    assert replay.main([str(written(tmp_path, b" " * 2**21))]) == replay.UNREADABLE
    assert "more than 1 MB" in lines(capsys)


def test_templates_in_a_file_are_texts(
    good: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "{{ lookup('pipe', 'id') }}\x1b[31m"
    path = written(tmp_path, changed(good, lambda raw: raw["calls"][0]["options"]["targets"][0].update(hosts=[text])))
    assert replay.main([str(path)]) == replay.DIFFERS
    shown = lines(capsys)
    assert "unknown_host" in shown
    assert "\x1b" not in shown
    assert "uid=" not in shown


# -- comparison -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filed", "played", "same"),
    [
        ("10de:20f1 ? [A100]", "10de:20f1 GA100 [A100]", True),
        ("10de:20f1 ? [A100]", "10de:20f1 GA100 [A30]", False),
        ({"a": 1}, {"a": True}, False),
        ({"a": [1, None]}, {"a": [1, None]}, True),
        ({"a": 1}, {"a": 1, "b": None}, False),
        ("?-?.x", "a-b-c.x", True),
        ("ab?ba", "aba", False),
        ("? b", "a c b", False),
        ("a?" * 500 + "b", "a" * 5000, False),
    ],
)
def test_hidden_words_match_any(filed: Any, played: Any, same: bool) -> None:
    assert alike(filed, played) is same


def rolled(*starts: tuple[str, float], seconds: float = 300.0) -> dict[str, Any]:
    return {
        "changed": True,
        "failed": False,
        "transitions": [{"host": host, "at": at, "after": "draining", "reason": ""} for host, at in starts],
        "hosts": [{"name": host, "status": "changed", "seconds": {"reboot": seconds}} for host, _at in starts],
    }


def test_order_and_durations_are_compared_roughly() -> None:
    base = rolled(("a", 0), ("b", 900))
    assert compare(base, rolled(("a", 0), ("b", 400), seconds=450)) == []
    assert compare(rolled(("a", 0), ("b", 30)), rolled(("b", 0), ("a", 30))) == []
    assert compare(base, rolled(("b", 0), ("a", 900))) == [
        "order: a was started before b in the file, and after it now"
    ]
    assert compare(base, rolled(("a", 0), ("b", 900), seconds=900))[0] == "a: reboot took 300 s in the file, 900 s now"
    assert "started in the file only: b" in compare(base, rolled(("a", 0)))


def stopped(*starts: tuple[str, float], seconds: float = 20.0) -> dict[str, Any]:
    rows = [
        {
            "name": vm,
            "host": "a",
            "segments": [
                {"phase": "stopping", "begin": 0, "end": 15},
                {"phase": "down", "begin": 15, "end": at},
                {"phase": "starting", "begin": at, "end": at + seconds},
            ],
        }
        for vm, at in starts
    ]
    return {"changed": True, "failed": False, "stopped": rows}


def test_vms_that_were_stopped_are_compared() -> None:
    base = stopped(("db", 300), ("app", 330))
    assert compare(base, stopped(("db", 350), ("app", 370))) == []
    assert compare(base, stopped(("app", 300), ("db", 310))) == []  # at the same time
    assert compare(base, stopped(("app", 300), ("db", 330))) == [
        "order: db was started before app in the file, and after it now"
    ]
    assert compare(base, stopped(("db", 300))) == ["stopped in the file only: app"]
    assert compare(base, stopped(("db", 300), ("app", 900))) == ["app: stopped for 350 s in the file, 920 s now"]
    lost = stopped(("db", 300), ("app", 330))
    del lost["stopped"][1]["segments"][2]
    assert compare(base, lost) == ["app: off at the end: False in the file, True now"]


def test_planned_times_and_migrations_are_compared() -> None:
    row = {"name": "a", "wave": 1, "stops": [], "moves": ["vm"], "starts_after_seconds": 0, "ends_after_seconds": 1140}
    base = {"changed": True, "failed": False, "schedule": [row]}
    assert compare(base, {**base, "schedule": [{**row, "ends_after_seconds": 1000}]}) == []
    assert compare(base, {**base, "schedule": [{**row, "ends_after_seconds": 432, "moves": []}]}) == [
        "schedule: a: moves: vm in the file, - now",
        "schedule: a: ends_after_seconds: 1140 in the file, 432 now",
    ]


def test_numbers_of_modules_that_only_read_are_compared() -> None:
    base = {"changed": False, "failed": False, "figures": {"hosts[]": 2, "hosts[].state=off": 1}}
    more = {
        "hosts[]": 2,
        "hosts[].state=off": 1,
        "hosts[].state=gpu": 1,
    }  # part of a name of the site, so it is not in the file
    assert compare(base, {**base, "figures": more}) == []
    assert compare(base, {**base, "figures": {"hosts[]": 2}}) == ["numbers: hosts[].state=off: 1 in the file, - now"]


def wrote(method: str, times: int, **arguments: int) -> dict[str, Any]:
    return {"changed": True, "failed": False, "writes": [{"method": method, "arguments": arguments, "times": times}]}


def test_writes_are_compared() -> None:
    base = wrote("PowerOnVM_Task", 2, host=1)
    assert compare(base, base) == []
    assert compare(base, wrote("PowerOnVM_Task", 2)) == [
        "writes: PowerOnVM_Task(): 0 times in the file, 2 now",
        "writes: PowerOnVM_Task(host): 2 times in the file, 0 now",
    ]
    assert compare({"changed": True, "failed": False}, base) == []  # the file is of a run that did not record them
    assert compare(wrote("SetField", 17), wrote("SetField", 30)) == []  # notes depend on the time
    assert compare(wrote("SetField", 17), {"changed": True, "failed": False, "writes": []}) == [
        "writes: SetField: sent in the file, not sent now"
    ]


def test_objects_of_writes_are_compared() -> None:
    base: dict[str, Any] = {"changed": True, "failed": False}
    on = {
        moid: {**base, "written": [{"method": "RebootHost_Task", "object": moid, "times": 1}]}
        for moid in ("host-1", "host-2")
    }
    assert compare(on["host-1"], on["host-1"]) == []
    assert compare(on["host-1"], on["host-2"], {"host-1": "esx-1.lab"}) == [
        "written: RebootHost_Task: esx-1.lab (host-1): 1 times in the file, 0 now",
        "written: RebootHost_Task: host-2: 0 times in the file, 1 now",
    ]
    assert compare(base, on["host-1"]) == []  # the file is of a run that did not record them


def test_on_which_objects_a_run_makes_notes_is_compared_and_not_how_many() -> None:
    def noted(moid: str, times: int) -> dict[str, Any]:
        row = {"method": "SetField", "object": f"entity={moid}", "times": times}
        return {"changed": True, "failed": False, "written": [row]}

    assert compare(noted("domain-c1", 3), noted("domain-c1", 9)) == []
    assert compare(noted("domain-c1", 3), noted("domain-c2", 3), {"domain-c1": "gpu-a"}) == [
        "written: SetField: entity=gpu-a (domain-c1): sent in the file, not sent now",
        "written: SetField: entity=domain-c2: not sent in the file, sent now",
    ]


def with_vm(host: str, *devices: dict[str, str], power: str = "poweredOn", reserved: int = 4096) -> dict[str, Any]:
    memory = {"reservation_mb": reserved, "fully_reserved": reserved == 4096}
    vm = {"host": host, "power_state": power, "memory": memory, "devices": list(devices)}
    return {"changed": True, "failed": False, "vms": [{"name": "train", "vm": vm}]}


FIXED, GIVEN = {"backing": "fixed", "address": "0000:3b:00.0"}, {"backing": "dynamic", "address": "0000:5e:00.0"}


@pytest.mark.parametrize(
    ("now", "text"),
    [
        (with_vm("a", FIXED, GIVEN, power="poweredOff"), "power_state: poweredOn in the file, poweredOff now"),
        (with_vm("a", FIXED, GIVEN, reserved=2048), "'fully_reserved': False"),
        (with_vm("a", FIXED), "devices: dynamic, fixed 0000:3b:00.0 in the file, fixed 0000:3b:00.0 now"),
        (with_vm("a", {**FIXED, "address": "0000:af:00.0"}, GIVEN), "fixed 0000:af:00.0 now"),
    ],
)
def test_what_a_vm_has_after_a_call_is_compared(now: dict[str, Any], text: str) -> None:
    (line,) = compare(with_vm("a", FIXED, GIVEN), now)
    assert line.startswith("train: ")
    assert text in line


def test_what_the_server_chooses_is_shown_and_is_no_difference() -> None:
    filed, now = with_vm("a", FIXED, GIVEN), with_vm("b", FIXED, {**GIVEN, "address": "0000:86:00.0"})
    assert compare(filed, now) == []
    assert placements(filed, filed) == []
    assert placements(filed, now) == [
        "train: on a (0000:3b:00.0, 0000:5e:00.0) in the file, on b (0000:3b:00.0, 0000:86:00.0) now"
    ]


@pytest.mark.parametrize(("name", "text"), [("none.json.gz", "there is no such file"), ("", "it is a folder")])
def test_a_path_without_a_file_is_named_as_such(
    name: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay.main([str(tmp_path / name)]) == replay.UNREADABLE
    assert text in lines(capsys)


def test_many_lines_are_cut() -> None:
    changes = [{"target": f"h{n}", "kind": "x", "subject": "", "before": 1, "after": 2} for n in range(50)]
    found = compare({"changed": True, "failed": False, "changes": changes}, {"changed": True, "failed": False})
    assert len(found) == 21
    assert found[-1] == "and 30 more"
