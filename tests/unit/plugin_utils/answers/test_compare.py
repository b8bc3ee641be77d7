# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server answers in another form than the simulator: types, encodings, presence; no value is ever shown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.directpath.vsphere.plugins.plugin_utils.answers.compare import answer_differences
from ansible_collections.directpath.vsphere.plugins.plugin_utils.answers.forms import forms_of
from simulator import answers
from simulator.simulator import Simulator
from tests.unit.modules.every_module.test_concurrency import wire
from tests.unit.modules.harness import LABS
from tests.unit.recorded import labs, recordings

TITLES = {
    "properties of HostSystem",
    "properties of VirtualMachine",
    "properties of ClusterComputeResource",
    "properties of Datastore",
    "properties of Network",
    "QueryConfigTarget",
    "QueryConfigOptionDescriptor",
    "QueryConfigOption",
    "RetrieveDiskPartitionInfo",
    "QueryConfiguredModuleOptionString",
    "RetrieveHardwareUptime",
    "CurrentTime",
}


def recorded(lab: Any, folder: Path, **options: Any) -> dict[str, Any]:
    """A capture of a served lab, and what it answered about one host."""
    with wire(lab) as made:
        paths = {"path": str(folder / "capture.json"), "answers_path": str(folder / "server.json")}
        result = made.run("capture", anonymize=False, events=False, tags=False, **paths, **options)
    assert not result.get("failed"), result
    found: dict[str, Any] = json.loads((folder / "server.json").read_text())
    return found


def simulated(folder: Path) -> str:
    assert answers.main([str(folder / name) for name in ("capture.json", "server.json", "simulated.json")]) == 0
    return (folder / "simulated.json").read_text()


def lab_named(name: str) -> Any:
    return yaml.safe_load((LABS / f"{name}.yml").read_text())


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    folder = tmp_path_factory.mktemp("answers")
    return recorded(lab_named("three_hosts"), folder), simulated(folder)


@pytest.mark.parametrize("name", ["three_hosts", "vgpu", "standalone_67"])
def test_the_twin_of_a_lab_answers_as_the_lab_does(name: str, tmp_path: Path) -> None:
    real = recorded(lab_named(name), tmp_path)
    assert answer_differences(json.dumps(real), simulated(tmp_path)) == []


def test_each_kind_of_read_is_compared(pair: tuple[dict[str, Any], str]) -> None:
    real, _simulated = pair
    assert {row["title"] for row in real["answers"]} == TITLES
    assert [row["title"] for row in real["answers"] if row["answer"].startswith("fault")] == [
        "QueryConfiguredModuleOptionString"
    ]
    assert sum(len(forms_of(row["answer"])) for row in real["answers"]) > 500


def changed(real: dict[str, Any], title: str, change: Callable[[str], str]) -> str:
    rows = [{**row, "answer": change(row["answer"])} if row["title"] == title else row for row in real["answers"]]
    assert rows != real["answers"], "the change changed nothing"
    return json.dumps({**real, "answers": rows})


HOST = "properties of HostSystem"
CHANGES: dict[str, tuple[str, Callable[[str], str], str]] = {
    "a number as text": (
        HOST,
        lambda text: text.replace('xsi:type="xsd:long"', 'xsi:type="xsd:string"'),
        "hardware.memorySize: the server sends string: a number; the simulator: long: a number",
    ),
    "another number type": (
        HOST,
        lambda text: re.sub(r"<vendorId>-?[0-9]+<", "<vendorId>0x10de<", text),
        "hardware.pciDevice.HostPciDevice.vendorId: the server sends a hexadecimal number (0x); the simulator: ",
    ),
    "a time with an offset": (
        "CurrentTime",
        lambda text: re.sub(r"Z</returnval>", "+00:00</returnval>", text),
        "returnval: the server sends a time with an offset; the simulator: a time in UTC (Z)",
    ),
    "a property that is not sent": (
        HOST,
        lambda text: re.sub(r"<propSet><name>config.product</name>.*?</propSet>", "", text),
        "config.product: the server sends not sent; the simulator: AboutInfo",
    ),
    "a property that the account may not read": (
        HOST,
        lambda text: re.sub(
            r"<propSet><name>summary.hardware</name>.*?</propSet>",
            '<missingSet><path>summary.hardware</path><fault><fault xsi:type="NoPermission"></fault></fault></missingSet>',
            text,
        ),
        "summary.hardware: the server sends missing: NoPermission; the simulator: HostHardwareSummary",
    ),
    "a field that only some have": (
        HOST,
        lambda text: re.sub(r"<subDeviceId>[^<]*</subDeviceId>", "", text, count=1),
        "hardware.pciDevice.HostPciDevice.subDeviceId: the server sends ",
    ),
    "a fault": ("QueryConfigTarget", lambda _text: "fault NotSupported", "the answer: the server sends fault NotSupported; "),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_server_that_answers_otherwise_is_shown(name: str, pair: tuple[dict[str, Any], str]) -> None:
    real, own = pair
    title, change, sentence = CHANGES[name]
    found = answer_differences(changed(real, title, change), own)
    assert any(line.startswith(f"{title}: {sentence}") for line in found), found


def test_no_value_is_in_the_difference(pair: tuple[dict[str, Any], str]) -> None:
    """Also not when all differs, and when names of elements and types are those of a site."""
    real, _own = pair
    everything = json.dumps({**real, "answers": [{**row, "answer": "<a><b/></a>"} for row in real["answers"]]})
    text = "\n".join(answer_differences(json.dumps(real), everything))
    assert len(text.splitlines()) >= len(TITLES)
    assert not re.search(r"esx-0|train|3b:00|10de|NVIDIA|A100|naa\.|10\.0\.", text)
    odd = (
        '<e:Envelope xmlns:e="x"><e:Body><r><returnval xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="my-secret/x">\
<this-is-secret>1</this-is-secret></returnval></r></e:Body></e:Envelope>'
    )
    assert "secret" not in str(forms_of(odd))


def test_a_document_type_is_not_expanded() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbb">]><a><b><c><d>&b;</d></c></b></a>'
    assert forms_of(bomb) == {"": frozenset({"no valid XML"})}
    assert forms_of("") == {"": frozenset({"no valid XML"})}


def test_the_recorded_host_differs_where_the_list_of_differences_says(tmp_path: Path) -> None:
    """The answer of a real ESXi 8.0.3, and that of the twin of its capture, to a request for whole properties."""
    real = recorded(labs.recorded_host(), tmp_path)
    names = ("runtime", "summary", "hardware", "capability", "configManager", "config")
    row = next(row for row in real["answers"] if row["title"] == HOST)
    paths = "".join(f"<pathSet>{name}</pathSet>" for name in names)
    request = re.sub(r"<pathSet>.*</pathSet>", paths, row["request"], flags=re.DOTALL)
    action = f"urn:vim25/{recordings.HOST_API.removeprefix('vim.version.v').replace('_', '.')}"
    sim = Simulator.from_lab(tmp_path / "capture.json")
    own = answers.answered(sim, [{**row, "request": request, "action": action}])
    text = recordings.text_of(recordings.host_element())
    envelope = f'<Envelope xmlns="x"><Body><R><returnval>{text}</returnval></R></Body></Envelope>'
    server = {**real, "answers": [{**row, "answer": envelope}]}
    found = answer_differences(json.dumps(server), json.dumps({**real, "answers": own}))
    listed = yaml.safe_load((recordings.RECORDED / "differences.yml").read_text("utf-8"))["esxi-8.0.3-host"]
    known = {path for group in listed for path in group["paths"]}
    shown = {line.removeprefix(f"{HOST}: ").partition(":")[0] for line in found}
    assert known - shown == set()
    # Objects without any field in the simulator: the list has their fields.
    assert shown - known == {
        "config.network.pnic.spec",
        "config.network.portgroup.computedPolicy",
        "config.network.portgroup.spec.policy",
    }


@pytest.mark.parametrize(("host", "code"), [("no-such-host", "unknown_host"), ("esx-01.lab", None), ("host-2", None)])
def test_the_host_can_be_named(host: str, code: str | None, tmp_path: Path) -> None:
    with wire(lab_named("three_hosts")) as made:
        paths = {"path": str(tmp_path / "capture.json"), "answers_path": str(tmp_path / "server.json")}
        result = made.run("capture", answers_host=host, **paths)
    assert result.get("error_code") == code, result
    assert (tmp_path / "server.json").exists() is (code is None)


def test_a_broken_file_of_answers_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("capture.json", "server.json"):
        (tmp_path / name).write_text('{"format": "x"}')
    assert answers.main([str(tmp_path / name) for name in ("capture.json", "server.json", "out.json")]) == 1
    assert "does not have version 1 of the format directpath.vsphere.answers" in capsys.readouterr().err
    with pytest.raises(ValueError, match="a file of answers has version 1"):
        answer_differences('{"format": "x"}', "{}")
