# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook capacity with two vCenters that have the same names, one that does not respond, and names that are templates or control
a terminal; in each release of ansible-core."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.controller.fleet import Fleet, Programs, fleet

NAME = "train {{ 7 * 7 }} {% raw %}\u202e\nHA: fine"
SHOWN = r"train {{ 7 * 7 }} {% raw %}\u202e\x0aHA: fine"
CLUSTER = "{{ lookup('env', 'HOME') }}"


def lab(name: str, *, cards: int) -> dict[str, Any]:
    on = [{"card": "t4", "at": f"{0x3B + number:02x}", "enabled": True} for number in range(cards)]
    return {
        "kind": "vcenter",
        "version": "8.0.3",
        "name": name,
        "datacenters": [
            {
                "name": "DC1",
                "clusters": [
                    {
                        "name": CLUSTER,
                        "ha": True,
                        "hosts": [{"name": "gpu-01.lab", "cards": [*on, "nvme-data"]}],
                        "vms": [
                            {"name": NAME, "host": "gpu-01", "devices": [{"fixed": "0000:3b:00.0"}], "power": "on"}
                        ],
                    }
                ],
            }
        ],
    }


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, programs: Programs) -> Any:
    with fleet(
        tmp_path_factory.mktemp("two"), programs, a=lab("vc-a.lab", cards=1), b=lab("vc-b.lab", cards=3)
    ) as made:
        yield made


def count(made: Fleet, *arguments: str, away: bool = False) -> subprocess.CompletedProcess[str]:
    hosts = {
        name: {
            "vcenter_hostname": "localhost",
            "vcenter_port": made.ports[name],
            "vcenter_ca_path": str(made.ca_files[name]),
        }
        for name in made.ports
    }
    if away:
        hosts["away"] = {"vcenter_hostname": "localhost", "vcenter_port": 1, "vcenter_ca_path": ""}
    start = made.source(json.dumps({"all": {"hosts": hosts}}), "start.json")
    return made.run(
        "ansible-playbook", "directpath.vsphere.capacity", "-i", str(start), *arguments, env={"PWD": str(made.folder)}
    )


def test_equal_names_and_text_of_the_server(two: Fleet) -> None:
    options = {
        "capacity_report_file": "capacity.json",
        "capacity_fit": [{"match": "10de:1eb8", "count": 2}],
    }
    done = count(two, "-e", json.dumps(options), away=True)
    assert done.returncode == 2, done.stdout + done.stderr
    report = json.loads((two.folder / "capacity.json").read_text(encoding="utf-8"))
    names = [f"{name} (localhost:{two.ports[name]})" for name in two.ports]
    assert [(row["vcenter"], row["host"], row["total"], row["free"]) for row in report["stock"]] == [
        (names[0], "gpu-01.lab", 1, 0),
        (names[1], "gpu-01.lab", 3, 2),
    ]
    assert [(row["vcenter"], row["cluster"], row["total"]) for row in report["clusters"]] == [
        (names[0], CLUSTER, 1),
        (names[1], CLUSTER, 3),
    ]
    assert [(row["total"], row["free"]) for row in report["models"]] == [(4, 2)]
    assert [(fit["vcenter"], fit["when"]) for fit in report["fit"]] == [(names[0], "no"), (names[1], "now")]
    assert [failure["hosts"][0]["tied"] for failure in report["failures"]] == [[SHOWN], [SHOWN]]
    assert [row["vcenter"] for row in report["unread"]] == ["away (localhost:1)"]
    assert not report["complete"]
    assert "lines" not in report
    for text in (SHOWN.replace("\\", "\\\\"), CLUSTER, "not read: away (localhost:1)", "Not read: away (localhost:1)"):
        assert text in done.stdout, (text, done.stdout)
    assert "\u202e" not in done.stdout + (two.folder / "capacity.json").read_text(encoding="utf-8")


def test_a_misspelt_variable_is_refused(two: Fleet) -> None:
    done = count(two, "-e", "capacity_fitt=x")
    assert done.returncode != 0
    assert "capacity_fitt" in done.stdout + done.stderr
    assert "capacity_fit" in done.stdout
    assert "Count the devices" not in done.stdout


def test_a_report_that_cannot_be_written_fails_after_the_lines(two: Fleet, tmp_path: Path) -> None:
    done = count(two, "-e", f"capacity_report_file={tmp_path}/no/such/folder.json")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "10de:1eb8" in done.stdout
    assert "no/such" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
