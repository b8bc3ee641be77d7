# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of a capture, and an anonymized one with its names again."""

from __future__ import annotations

import gzip
import json
import stat
from pathlib import Path

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rehearsal.captures import read_fleet, restore_names
from simulator.simulator import Simulator
from tests.unit.modules.harness import Lab


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, dict[str, str]]:
    """A capture with names, the same without, and its key."""
    folder, lab = tmp_path_factory.mktemp("captures"), Lab.load("demo")
    lab.run("capture", path=str(folder / "a.json"), anonymize=False)
    lab.run("capture", path=str(folder / "b.json"))
    with_names, hidden, key = (
        (folder / name).read_text(encoding="utf-8") for name in ("a.json", "b.json", "b.key.json")
    )
    return with_names, hidden, json.loads(key)


def test_what_is_read(captured: tuple[str, str, dict[str, str]], tmp_path: Path) -> None:
    path = tmp_path / "capture.json.gz"
    path.write_bytes(gzip.compress(captured[0].encode()))
    found = read_fleet(path)
    assert found.kind == "vcenter"
    assert found.hosts[:2] == ("gpu-01.lab", "gpu-02.lab")
    assert "old-db" in found.vms
    assert not found.anonymized
    assert found.time > 1_700_000_000


def test_names_come_back_with_the_key_and_the_simulator_loads_them(
    captured: tuple[str, str, dict[str, str]], tmp_path: Path
) -> None:
    _with_names, hidden, key = captured
    path, its_key, dest = tmp_path / "a.json", tmp_path / "a.key.json", tmp_path / "b.json"
    path.write_text(hidden, encoding="utf-8")
    its_key.write_text(json.dumps(key), encoding="utf-8")
    assert read_fleet(path).anonymized
    restore_names(path, its_key, dest)
    assert stat.S_IMODE(dest.stat().st_mode) == 0o600
    found = read_fleet(dest)
    assert not found.anonymized
    assert sorted(found.hosts) == [
        "gpu-01.lab",
        "gpu-02.lab",
        "gpu-03.lab",
        "legacy-01.lab",
        "nvme-01.lab",
        "nvme-02.lab",
    ]
    twin = Simulator.from_lab(dest)
    assert twin.find_entity("old-db").name == "old-db"
    assert "host-0000" not in dest.read_text(encoding="utf-8")


BAD = {
    "nothing": None,
    "no JSON": "{",
    "a list": "[]",
    "another format": "{}",
    "a lab": '{"kind": "vcenter", "objects": []}',
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_capture(case: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    if (text := BAD[case]) is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(DirectPathError, match="is not a capture that can be used") as caught:
        read_fleet(path)
    assert caught.value.code == "bad_capture"
