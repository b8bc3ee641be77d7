# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the file of a journal stays when the job ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling import journal_place
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.journal_place import is_lost
from tests.unit.modules.harness import Lab
from tests.unit.modules.host_rolling_reboot.lab import Roll, fleet

IN_JOB = {"AWX_ISOLATED_DATA_DIR": "/runner/artifacts/7"}
LAUNCHED = {"LAUNCHED_BY_RUNNER": "1"}
ON_HOST = {"AWX_ISOLATED_DATA_DIR": "/srv/project/artifacts/7", "JOB_ID": "7"}
WARNING = "inside an execution environment, which is removed when the job ends"


@pytest.mark.parametrize(
    ("environ", "place", "lost"),
    [
        (IN_JOB, "/var/lib/ansible/directpath/vc_443.json", True),
        (LAUNCHED, "/var/lib/ansible/directpath/vc_443.json", True),
        (IN_JOB, "/mnt/journal/vc_443.json", False),
        (LAUNCHED, "/mnt/journal/vc_443.json", False),
        (IN_JOB, "/runner/project/vc_443.json", True),  # a mount, but of the job
        (ON_HOST, "/var/lib/ansible/directpath/vc_443.json", False),  # ansible-runner without a container
        ({}, "/var/lib/ansible/directpath/vc_443.json", False),
        ({"AWX_ISOLATED_DATA_DIR": "/runner-old/artifacts"}, "/var/lib/ansible/vc_443.json", False),
    ],
)
def test_a_file_is_lost_with_its_container(environ: dict[str, str], place: str, lost: bool) -> None:
    def device_of(path: Path) -> int:
        return 2 if path.parts[:2] in (("/", "mnt"), ("/", "runner")) else 1

    assert is_lost(Path(place), environ, device_of) is lost


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUNCHED_BY_RUNNER", "1")
    monkeypatch.setattr(journal_place, "_device_of", lambda path: 1)


@pytest.mark.parametrize("check", [True, False])
def test_a_rolling_reboot_warns(container: None, tmp_path: Path, check: bool) -> None:
    def told(journal: str) -> str:
        roll = Roll.of(fleet(), cluster=["c1"], journal=journal, journal_dir=str(tmp_path))
        return str(roll.run(check=check).get("warnings"))

    assert told("vcenter").count(WARNING) == 0
    shown = told("file")
    assert (shown.count(WARNING), str(tmp_path) in shown, "journal: vcenter" in shown) == (1, True, True)


def test_a_pause_of_an_esxi_host_warns(container: None, tmp_path: Path) -> None:
    home, where = Lab.load("home"), {"journal_dir": str(tmp_path)}
    shown = str(home.run("rolling_reboot_pause", reason="audit", **where).get("warnings"))
    assert (shown.count(WARNING), "journal: vcenter" in shown) == (1, False)
    assert WARNING not in str(home.run("rolling_reboot_pause", state="absent", **where).get("warnings"))


def test_maintenance_warns(container: None, tmp_path: Path) -> None:
    lab = Lab.load("three_hosts")
    result = lab.run("host_maintenance", hosts=["esx-03"], journal="file", journal_dir=str(tmp_path))
    assert str(result.get("warnings")).count(WARNING) == 1
