# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes a run file: nothing of the site, wherever a lab has it; and what is left out is named."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.runs.recorder import Recorder, TaskEnd
from tests.tools.recorded_runs import BEGAN, Step, event, record
from tests.unit.modules.capture.test_anonymous import MARK, marked
from tests.unit.modules.harness import Lab

MARKS = re.compile(MARK, re.IGNORECASE)
HOST, VM, CLUSTER = f"esx-{MARK}13.lab", f"vm-{MARK}25", f"cluster-{MARK}7"


def steps() -> list[Step]:
    """Every place of an option and of a result in which people write, also names that no server has."""
    devices = [{"match": "10de:20f1", "label": f"label-{MARK}50"}, {"match": {"name": f"*{MARK}51*"}}]
    override = {"allow_protected": [f"{HOST}/0000:5e:00.0=eui.{MARK}52"]}
    rolling = {"cluster": [CLUSTER], "devices": devices[:1], "never_stop": [f"other-{MARK}53"], "order": {HOST: 1}}
    vms = [{"name": VM, "devices": devices[:1]}, {"name": f"gone-{MARK}54", "devices": ["10de:20f1"]}]
    return [
        Step(module="drift_info", options={"targets": [{"hosts": [HOST], "devices": devices}], "vms": vms, "scope": "fleet"}),
        Step(module="drift_info", options={"targets": [{"cluster": [CLUSTER], "devices": devices[:1]}], "vms": [], "scope": "fleet"}),
        Step(module="host_passthrough", options={"hosts": [HOST], "devices": devices[1:], **override}),
        Step(module="host_passthrough", options={"hosts": [f"no-{MARK}55"], "devices": ["10de:20f1"]}),
        Step(module="host_passthrough", options={"hosts": [HOST], "devices": [f"{MARK}56"]}),
        Step(module="host_passthrough", options={"hosts": [HOST], "devices": devices[:1]}),
        Step(module="host_rolling_reboot", options={**rolling, "stop_reason": f"{MARK}57"}),
        Step(module="host_rolling_reboot", options={k: v for k, v in rolling.items() if k != "never_stop"}, check=True),
        Step(module="vm_pci_device", options={"vms": vms[:1]}),
        Step(module="vm_pci_device", options={"vms": vms}),
    ]  # fmt: skip


def test_no_marked_text_is_in_an_anonymized_file(tmp_path: Path) -> None:
    path = record(marked(), steps(), tmp_path)
    text = gzip.decompress(path.read_bytes()).decode()
    assert MARKS.findall(text) == []
    assert "10.0.0." not in text
    calls = json.loads(text)["calls"]
    assert len(calls) == len(steps())
    assert any(call["decisions"].get("writes") for call in calls)
    assert {row["object"] for call in calls for row in call["decisions"].get("written", ())} >= {"pciPassthruSystem-1"}
    vms = [vm["vm"] for call in calls for vm in call["decisions"].get("vms", ())]
    assert any(vm["host"] and vm["devices"] and vm["memory"]["fully_reserved"] for vm in vms)
    assert {call["decisions"].get("error_code", "") for call in calls} >= {"", "unknown_host", "unknown_vm"}
    assert MARKS.search((tmp_path / "run.key.json").read_text()), "the key, which stays at the site, has them"


def test_the_same_file_with_names_has_them(tmp_path: Path) -> None:
    """This shows that the test above looks for texts that the modules get and return."""
    path = record(marked(), steps(), tmp_path, anonymize=False)
    found = {int(number) for number in re.findall(rf"{MARK}([0-9]+)", gzip.decompress(path.read_bytes()).decode())}
    assert found >= {7, 13, 25, 50, 51, 52, 53, 54, 55, 56}
    assert not (tmp_path / "run.key.json").exists()


def an_event(tmp_path: Path, **more: Any) -> TaskEnd:
    made = event(Lab.load("three_hosts"), Step(module="host_pci_device_info"), tmp_path)
    return replace(made, **more)


def test_other_tasks_leave_nothing_but_their_name(tmp_path: Path) -> None:
    recorder = Recorder(BEGAN)
    assert not recorder.add(an_event(tmp_path, action="community.vmware.vmware_host"))
    assert not recorder.add(an_event(tmp_path, action="directpath.vsphere.vm_guest_info"))
    assert not recorder.add(an_event(tmp_path, result={"censored": "hidden"}))
    assert not recorder.add(an_event(tmp_path, result={"skipped": True}))
    found = recorder.file()
    assert found.calls == ()
    assert found.left_out == ("a call of host_pci_device_info with no_log", "calls of vm_guest_info")


def test_a_call_without_a_capture_has_no_names_either(tmp_path: Path) -> None:
    recorder = Recorder(BEGAN)
    assert recorder.add(an_event(tmp_path))
    assert recorder.missing() == 1
    text = recorder.file().text({})
    assert "esx-01" not in text
    assert json.loads(text)["servers"][0]["capture"] is None


def test_the_desired_state_of_the_plays_is_in_the_file(tmp_path: Path) -> None:
    lab = Lab.load("three_hosts")
    recorder = Recorder(BEGAN)
    share = {
        "vcenter": "vcenter.test",
        "targets": [{"hosts": ["esx-01.lab"], "devices": ["10de:20f1"]}],
        "guests": ["x"],
    }
    facts = {"ansible_facts": {"__directpath_intent": {"esx-01.lab": share}}}
    recorder.add(replace(an_event(tmp_path), action="ansible.builtin.set_fact", result=facts))
    capture = {"path": str(tmp_path / "capture.json"), "anonymize": True}
    recorder.add(event(lab, Step(module="capture", options=capture), tmp_path))
    assert recorder.file().servers[0].intent == {
        "targets": [{"hosts": ["host-00001.example"], "devices": ["10de:20f1"]}]
    }


def test_a_crash_is_shown_by_its_place_only(tmp_path: Path) -> None:
    result = {
        "failed": True,
        "msg": "bob lost zqx",
        "error_code": "bug",
        "place": "run.py:12",
        "exception": "Traceback /srv/bob",
    }
    recorder = Recorder(BEGAN)
    recorder.add(an_event(tmp_path, result=result))
    recorder.add(an_event(tmp_path, result={"failed": True, "msg": "MODULE FAILURE", "module_stderr": "/srv/bob"}))
    first, second = (call.decisions for call in recorder.file().calls)
    assert (first["place"], first["message"]) == ("run.py:12", "? lost ?")
    assert second["crashed"]
    assert "bob" not in str(first) + str(second)


def test_a_file_in_place_of_the_capture_is_refused(tmp_path: Path) -> None:
    made = event(Lab.load("three_hosts"), Step(module="capture", options={"path": str(tmp_path / "c.json")}), tmp_path)
    (tmp_path / "c.json").write_text('{"format": "x"}')
    with pytest.raises(ValueError, match="was replaced by another file"):
        Recorder(BEGAN).add(made)


def test_each_server_has_its_own_names(tmp_path: Path) -> None:
    """The same host name in two vCenters is two hosts, and a call belongs to the server that it was for."""
    recorder = Recorder(BEGAN)
    for number, lab in enumerate((Lab.load("three_hosts"), Lab.load("roll_12"))):
        path = str(tmp_path / f"capture-{number}.json")
        for step in (Step(module="capture", options={"path": path}), Step(module="host_pci_device_info")):
            recorder.add(replace(event(lab, step, tmp_path), hostname=f"vc-{number}"))
    found = recorder.file()
    assert [server.name for server in found.servers] == ["vcenter-00001", "vcenter-00002"]
    assert [call.server for call in found.calls] == [0, 1]
    assert [found.key[server.name]["host-00001.example"] for server in found.servers] == ["esx-01.lab", "edge-01.lab"]
    assert "vc-0" not in found.text({})


def test_a_second_capture_of_a_server_is_not_the_begin(tmp_path: Path) -> None:
    lab, recorder = Lab.load("three_hosts"), Recorder(BEGAN)
    for name in ("a", "b"):
        capture = Step(module="capture", options={"path": str(tmp_path / f"{name}.json")})
        recorder.add(event(lab, capture, tmp_path))
        lab.run("host_passthrough", hosts=["esx-01.lab"], devices=["10de:20f1"])
    assert recorder.file().servers[0].capture == (tmp_path / "a.json").read_text() != (tmp_path / "b.json").read_text()
