# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks over the inventory of several vCenters: at the same time, and the hosts of the plugin are all they need."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.controller.fleet import Fleet, Programs, fleet
from tests.unit.inventory.labs import lab

NAMES = ("a", "b", "c")
WAIT = 115.0
"""Seconds for one of them to begin. A module waits two minutes for an answer."""


def one(name: str) -> dict[str, Any]:
    hosts = {"name": f"esx-{name}{{}}.lab", "count": 2, "cards": ["t4", "nvme-data"], "memory_gb": 64}
    return lab(name, hosts, vms=[{"name": f"train-{name}", "host": f"esx-{name}1", "memory_gb": 8, "version": 20}])


@pytest.fixture
def made(tmp_path: Path, programs: Programs) -> Iterator[Fleet]:
    names = (*NAMES, "down")
    with fleet(tmp_path, programs, **{name: one(name) for name in names}) as running:
        (tmp_path / "group_vars").mkdir()
        for name in names:
            values = {
                "passthrough_devices": ["10de:1eb8"],
                "passthrough_vms": [{"name": f"train-{name}", "devices": ["10de:1eb8"], "power": "on"}],
            }
            (tmp_path / "group_vars" / f"cluster_gpu_{name}.yml").write_text(json.dumps(values), encoding="utf-8")
        running.sims["down"].go_offline()
        yield running


def play(made: Fleet, name: str, *arguments: str) -> Any:
    source = str(made.folder / "pci_hosts.yml")
    return made.run("ansible-playbook", "-i", source, f"directpath.vsphere.{name}", *arguments)


def test_vcenters_are_worked_on_at_the_same_time_without_the_one_that_is_down(made: Fleet) -> None:
    """The first write of each waits until all three are there: one after another, none would ever go on."""
    made.config(*NAMES, "down", on_error="warn")
    barrier, broken = threading.Barrier(len(NAMES)), []

    def meet(_write: Any) -> None:
        try:
            barrier.wait(WAIT)
        except threading.BrokenBarrierError:
            broken.append(1)

    for name in NAMES:
        made.sims[name].on_write(1, meet, when="before", method="UpdatePassthruConfig")
    done = play(made, "enable", "--forks", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert broken == []
    assert done.stdout.count("2 hosts changed") == len(NAMES)
    assert "esx-down1.lab" not in done.stdout
    assert "The inventory is incomplete" in " ".join(done.stderr.split())


def test_the_plugin_s_hosts_are_all_that_site_needs(made: Fleet) -> None:
    """One of three vCenters, found by its hosts' own variables, wished for by the groups the plugin made."""
    made.config(*NAMES, vms=True)
    done = play(made, "site", "--limit", "cluster_gpu_b:&esxi_hosts")
    assert done.returncode == 0, done.stdout + done.stderr
    for proof in (
        "esx-b1.lab: 1 active",
        "esx-b2.lab: 1 active",
        "train-b: 1 attached, all memory reserved, poweredOn",
    ):
        assert proof in done.stdout
    logins = {name: made.sims[name].journal.counters.logins for name in NAMES}
    assert logins["a"] == logins["c"] == 1, "the inventory was read, and nobody else was asked"
    assert logins["b"] > 1
    assert {name: bool(made.sims[name].journal.writes()) for name in NAMES} == {"a": False, "b": True, "c": False}


def test_a_list_of_protected_vms_is_for_all_vcenters_also_one_after_another(made: Fleet) -> None:
    """Each name must be in one of them. With serial, the later ones are asked before the first change in the first one."""
    made.config(*NAMES)
    order = {"directpath_serial": 1, "rolling_reboot_consent": True}
    known = {**order, "rolling_reboot_never_stop": ["train-a", "train-b", "train-c", "gone"]}
    refused = play(made, "site", "-e", json.dumps(known))
    assert refused.returncode == 2, refused.stdout
    assert "rolling_reboot_never_stop contains gone, but no VM of " in refused.stdout
    assert not any(made.sims[name].journal.writes() for name in NAMES)
    done = play(made, "site", "-e", json.dumps({**known, "rolling_reboot_never_stop_missing": ["gone"]}))
    assert done.returncode == 0, done.stdout + done.stderr
