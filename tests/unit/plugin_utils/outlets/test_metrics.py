# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metrics file: the text format of Prometheus, its owner, and that nobody reads a half of it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.drift.kinds import KINDS
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.phases import PHASES
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.outlets.outlet import NotDelivered
from ansible_collections.directpath.vsphere.plugins.plugin_utils.outlets.events import DriftState, RunState, VmOffSince
from ansible_collections.directpath.vsphere.plugins.plugin_utils.outlets.metrics import (
    MetricsFile,
    drift_metrics,
    owner_of,
    run_metrics,
)
from tests.unit.plugin_utils.outlets.exposition import Sample, parse

NOW = 1_795_921_920.25

RUN = RunState(
    vcenter="vc-a",
    started=NOW - 60,
    heartbeat=NOW,
    phases={("gpu-a", "esx-1"): "failed", ("gpu-a", "esx-2"): "draining", ("gpu-b", "esx-3"): "draining"},
    vms_off=(VmOffSince(name="db-1", host="esx-2", since=NOW - 30),),
)


def values(text: str, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    return {tuple(sorted(one.labels.items())): one.value for one in parse(text) if one.name == name}


def test_the_metrics_of_a_run() -> None:
    text = run_metrics(RUN)
    place = ("vcenter", "vc-a")
    assert values(text, "directpath_run_in_progress") == {(place,): 1}
    assert values(text, "directpath_last_heartbeat_timestamp_seconds") == {(place,): NOW}
    assert values(text, "directpath_vms_off") == {(place,): 1}
    since = values(text, "directpath_vm_off_since_timestamp_seconds")
    assert since == {(("host", "esx-2"), place, ("vm", "db-1")): NOW - 30}
    assert values(text, "directpath_host_failed") == {(("cluster", "gpu-a"), ("host", "esx-1"), place): 1}
    hosts = {dict(key)["phase"]: value for key, value in values(text, "directpath_hosts").items()}
    assert hosts == {**dict.fromkeys(PHASES, 0), "failed": 1, "draining": 2}
    states = values(text, "directpath_run_state")
    assert [dict(key)["state"] for key, value in states.items() if value] == ["working"]
    assert "directpath_last_success_timestamp_seconds" not in text


def test_the_metrics_of_drift() -> None:
    states = [
        DriftState(vcenter="vc-a", status="drift", at=NOW, kinds={"missing": 2}),
        DriftState(vcenter="vc-b", status="in_sync", at=NOW),
    ]
    text = drift_metrics(states)
    drift = values(text, "directpath_drift")
    assert len(drift) == 2 * len(KINDS)
    assert {key: value for key, value in drift.items() if value} == {(("kind", "missing"), ("vcenter", "vc-a")): 2}
    found = values(text, "directpath_drift_status")
    assert {key for key, value in found.items() if value} == {
        (("status", "drift"), ("vcenter", "vc-a")),
        (("status", "in_sync"), ("vcenter", "vc-b")),
    }


@pytest.mark.parametrize(
    "name", ['a"b', "a\\b", "a\\", "a\nb", "a\x1bb", "ä→b", 'x"} 1\ndirectpath_vms_off{vcenter="y']
)
def test_a_name_from_a_server_is_data(name: str) -> None:
    state = RunState(
        vcenter=name,
        started=NOW,
        heartbeat=NOW,
        phases={("gpu-a", name): "failed"},
        vms_off=(VmOffSince(name=name, host="h", since=NOW),),
    )
    found = parse(run_metrics(state))
    assert len(found) == len(parse(run_metrics(RUN)))
    (failed,) = [one for one in found if one.name == "directpath_host_failed"]
    if name.isprintable():
        assert failed.labels["host"] == name
    assert "\x1b" not in str(failed.labels)


def test_the_parser_of_this_test_refuses_what_prometheus_refuses() -> None:
    assert parse('# HELP a b\n# TYPE a gauge\na{x="y"} 1\n') == [Sample(name="a", labels={"x": "y"}, value=1.0)]
    for wrong in ('a{x="y"} 1\n', '# HELP a b\n# TYPE a gauge\na{x="y} 1\n', "# HELP a b\n# TYPE a gauge\na{} 1"):
        with pytest.raises(ValueError, match=r"."):
            parse(wrong)
    twice = '# HELP a b\n# TYPE a gauge\na{x="y"} 1\na{x="y"} 2\n'
    with pytest.raises(ValueError, match="twice"):
        parse(twice)


def test_the_file_is_readable_by_all_users_and_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "d.prom"
    file = MetricsFile(str(path), owner_of("rolling reboot", "vc-a"))
    file.refuse_other_owner()
    before = os.umask(0o077)
    try:
        file.write_run(RUN)
    finally:
        os.umask(before)
    first = path.stat()
    assert stat.S_IMODE(first.st_mode) == 0o644
    file.write_run(RunState(vcenter="vc-a", started=NOW, heartbeat=NOW, ended=NOW, succeeded=NOW, state="finished"))
    assert path.stat().st_ino != first.st_ino
    assert list(tmp_path.iterdir()) == [path]
    assert values(path.read_text(), "directpath_run_in_progress") == {(("vcenter", "vc-a"),): 0}
    assert MetricsFile(str(path), "").last_success() == pytest.approx(NOW, abs=0.001)
    parse(path.read_text())


def test_nothing_is_known_of_an_earlier_run(tmp_path: Path) -> None:
    path = tmp_path / "d.prom"
    assert MetricsFile(str(path), "x").last_success() is None
    path.write_text('directpath_last_success_timestamp_seconds{vcenter="a"} x\n')
    assert MetricsFile(str(path), "x").last_success() is None


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("# written by directpath.vsphere: rolling reboot vc-b\n", "contains the metrics of another task"),
        ("# written by directpath.vsphere: drift report\n", "contains the metrics of another task"),
        ("node_boot_time_seconds 1\n", "was not written by this collection"),
    ],
)
def test_a_file_of_another_owner_is_refused_and_never_overwritten(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "d.prom"
    path.write_text(content)
    file = MetricsFile(str(path), owner_of("rolling reboot", "vc-a"))
    with pytest.raises(InputError, match=problem) as caught:
        file.refuse_other_owner()
    assert caught.value.code == "metrics_file_in_use"
    with pytest.raises(NotDelivered, match=problem):
        file.write_run(RUN)
    assert path.read_text() == content


def test_an_empty_file_has_no_owner(tmp_path: Path) -> None:
    path = tmp_path / "d.prom"
    path.touch()
    MetricsFile(str(path), "x").refuse_other_owner()


def test_a_folder_that_vanished_is_a_loss(tmp_path: Path) -> None:
    with pytest.raises(NotDelivered, match="could not be written"):
        MetricsFile(str(tmp_path / "gone" / "d.prom"), "x").write_run(RUN)
