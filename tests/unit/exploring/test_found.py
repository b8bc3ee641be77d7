# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the random search found, each as small as it gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.unit.exploring.random_labs import Example
from tests.unit.exploring.site_run import Site
from tests.unit.modules.harness import Lab

WAITS = {"enabled": True, "active": False}


def vcenter(*hosts: dict[str, Any], vms: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    cluster = {"name": "c1", "hosts": list(hosts), "vms": list(vms)}
    return {"kind": "vcenter", "version": "8.0.3", "datacenters": [{"name": "DC1", "clusters": [cluster]}]}


def site(lab: dict[str, Any], folder: Path, **intent: Any) -> Site:
    usual: dict[str, Any] = {"number": "", "targets": [], "vms": [], "on_missing": "skip", "pinned": "fail"}
    made = Site(lab=Lab.load(lab), example=Example(lab=lab, **{**usual, **intent}), folder=str(folder))
    made.lab.sim.clock.sleep(60)
    return made


def test_a_host_without_the_card_is_not_given_up_after_its_reboot(tmp_path: Path) -> None:
    """Another device of it waits for the reboot, and on_missing is skip."""
    lab = vcenter(
        {"name": "esx-1", "version": "6.7.0", "cards": [{"card": "a100", "enabled": True, "active": True}]},
        {"name": "esx-2", "version": "6.7.0", "cards": [{"card": "t4", **WAITS}]},
    )
    found = site(lab, tmp_path, targets=[{"cluster": ["c1"], "devices": [{"match": "10de:20f1"}]}])
    assert found.site(check=True).trouble == ""
    made = found.site()
    assert (made.changed, made.trouble) == (True, ""), made.told
    assert found.drift()["settled"]


def test_a_plan_says_that_a_host_never_has_its_turn(tmp_path: Path) -> None:
    """Somebody else holds the other host of the cluster in maintenance mode, and one at a time may be down."""
    lab = vcenter(
        {"name": "esx-1", "version": "6.7.0", "cards": [{"card": "a100", **WAITS}]},
        {"name": "esx-2", "version": "6.7.0", "cards": ["a100"], "maintenance": True},
    )
    found = site(lab, tmp_path, targets=[{"hosts": ["esx-1"], "devices": [{"match": "10de:20f1"}]}])
    plan, made = found.site(check=True), found.site()
    for run in (plan, made):
        assert run.trouble == "refused"
        assert run.phases["reboot"]["error_code"] == "roll_stalled"
        assert "esx-2 (in maintenance mode)" in run.phases["reboot"]["msg"]


def test_a_plan_knows_that_a_device_enabled_again_needs_no_reboot(tmp_path: Path) -> None:
    """It was disabled, and waits to be given back. Enabled again, it never left. The VM of a standalone host cannot be moved."""
    lab = {
        "kind": "esxi",
        "version": "8.0.3",
        "name": "esx",
        "host": {"cards": [{"card": "a100", "enabled": False, "active": True}]},
        "vms": [{"name": "vm", "power": "on"}],
    }
    found = site(lab, tmp_path, targets=[{"hosts": ["esx"], "devices": [{"match": "10de:20f1"}]}])
    plan, made = found.site(check=True), found.site()
    assert (plan.trouble, made.trouble) == ("", ""), plan.told
    assert plan.changes("enable") == made.changes("enable")
    assert found.drift()["settled"]
