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


def moved(folder: Path, *, evacuate_powered_off: bool = False, **more: Any) -> Site:
    """A VM runs on the host whose card it is to have, which owes a reboot. The other host has none."""
    lab = vcenter(
        {"name": "esx-1", "version": "6.7.0", "cards": [{"card": "nvme", **WAITS}]},
        {"name": "esx-2", "version": "6.7.0", "cards": ["connectx4"]},
        vms=({"name": "vm", "host": "esx-1", "version": 14, **more},),
    )
    lab["datacenters"][0]["clusters"][0]["drs"] = "fullyAutomated"
    nvme = {"match": "144d:a808"}
    vm = {"name": "vm", "devices": [nvme], "backing": "fixed", "power": "cycle"}
    return site(
        lab,
        folder,
        targets=[{"hosts": ["esx-1"], "devices": [nvme]}],
        vms=[vm],
        evacuate_powered_off=evacuate_powered_off,
    )


def test_a_plan_says_that_drs_moves_a_vm_before_it_gets_its_card(tmp_path: Path) -> None:
    found = moved(tmp_path, power="on")
    plan, made = found.site(check=True), found.site()
    (note,) = plan.phases["attach"]["notes"]
    assert note.startswith("vm runs on esx-1, which is rebooted first: DRS moves it")
    assert plan.left_open
    assert found.places() == {"vm": "esx-2"}
    assert (made.trouble, made.trouble_of("attach"), made.trouble_of("reboot")) == ("refused", "refused", "")
    assert "notes" not in made.phases["attach"]


def test_a_plan_says_that_a_vm_that_is_off_is_moved_as_well(tmp_path: Path) -> None:
    found = moved(tmp_path, evacuate_powered_off=True)
    plan, made = found.site(check=True), found.site()
    (note,) = plan.phases["attach"]["notes"]
    assert note.startswith("vm is on esx-1, which is rebooted first: vCenter registers it on another host")
    assert "Set evacuate_powered_off: false to keep it where it is" in note
    assert plan.left_open
    assert found.places() == {"vm": "esx-2"}
    assert (made.trouble, made.trouble_of("attach"), made.trouble_of("reboot")) == ("refused", "refused", "")


def test_and_nothing_of_a_vm_that_stays(tmp_path: Path) -> None:
    found = moved(tmp_path)
    plan, made = found.site(check=True), found.site()
    assert not plan.left_open
    assert (plan.trouble, made.trouble) == ("", "")
    assert plan.changes("attach") == made.changes("attach")


def test_a_plan_says_that_a_vm_that_is_off_would_not_start_with_its_card(tmp_path: Path) -> None:
    """Somebody attached it and nobody made room for it."""
    ready = {"card": "a100", "enabled": True, "active": True}
    held = {"name": "vm", "host": "esx", "devices": [{"fixed": "0000:3b:00.0"}]}
    vm = {"name": "vm", "devices": [{"match": "10de:20f1"}], "power": "on"}
    for given, started in ({}, False), ({"mmio": {}}, True):
        found = site(vcenter({"name": "esx", "cards": [ready]}, vms=(held,)), tmp_path, vms=[{**vm, **given}])
        plan, made = found.site(check=True), found.site()
        assert [run.trouble for run in (plan, made)] == ["" if started else "refused"] * 2
        assert plan.changes("attach") == made.changes("attach")
        assert bool(found.lab.writes()) is started
        if not started:
            assert made.phases["attach"]["error_code"] == "will_not_start"
        assert found.drift()["settled"] is started


def test_a_plan_knows_that_a_card_that_is_not_offered_any_more_gets_no_label(tmp_path: Path) -> None:
    """It is active still, and the host refuses every setting of it."""
    card = {"card": "a40", "enabled": True, "active": True}
    found = site(
        vcenter({"name": "esx", "cards": [card], "iommu": False}),
        tmp_path,
        targets=[{"cluster": ["c1"], "devices": [{"match": "10de:2235", "label": "pool"}]}],
    )
    plan, made = found.site(check=True), found.site()
    assert [run.trouble for run in (plan, made)] == ["refused", "refused"]
    assert found.lab.writes() == []


def test_a_plan_says_that_a_vm_does_not_start_while_its_only_host_is_in_maintenance_mode(tmp_path: Path) -> None:
    """It has no device, and is to be on. In a cluster, another host runs it."""
    host = {"name": "esx", "cards": ["a100"], "maintenance": True}
    alone = {"kind": "esxi", "version": "8.0.3", "name": "esx", "host": {"cards": ["a100"], "maintenance": True}}
    vm = {"name": "vm", "devices": [], "power": "on"}
    for lab, refused in (
        ({**alone, "vms": [{"name": "vm"}]}, True),
        (vcenter(host, {"name": "esx-2"}, vms=({"name": "vm", "host": "esx"},)), False),
    ):
        found = site(lab, tmp_path, vms=[vm])
        plan, made = found.site(check=True), found.site()
        assert [run.trouble for run in (plan, made)] == ["refused" if refused else ""] * 2, made.told
        assert plan.changes("attach") == made.changes("attach")


def test_a_plan_says_that_without_drs_a_vm_does_not_get_to_the_host_with_the_card(tmp_path: Path) -> None:
    """It is off, on a host whose card is not active; another host of the cluster has an active one."""
    active = {"card": "p5800x", "enabled": True, "active": True}
    for drs, refused in (("fullyAutomated", False), (False, True)):
        lab = vcenter({"name": "esx-1", "cards": ["p5800x"]}, {"name": "esx-2", "cards": [active]})
        cluster = lab["datacenters"][0]["clusters"][0]
        cluster.update(drs=drs, vms=[{"name": "vm", "host": "esx-1"}])
        found = site(lab, tmp_path, vms=[{"name": "vm", "devices": [{"match": "8086:2700"}], "power": "on"}])
        plan, made = found.site(check=True), found.site()
        assert [run.trouble for run in (plan, made)] == ["refused" if refused else ""] * 2, made.told
        assert plan.changes("attach") == made.changes("attach")


def test_a_plan_says_that_no_host_of_the_cluster_is_in_service(tmp_path: Path) -> None:
    """The VM has no device and is to be on. Without DRS only its own host counts."""
    vm = {"name": "vm", "devices": [], "state": "exactly", "power": "on"}
    for drs, other, refused in (
        ("fullyAutomated", True, True),
        ("fullyAutomated", False, False),
        (False, True, True),
        (False, False, True),
    ):
        hosts = ({"name": "esx-1", "maintenance": True}, {"name": "esx-2", "maintenance": other})
        lab = vcenter(*hosts, vms=({"name": "vm", "host": "esx-1"},))
        lab["datacenters"][0]["clusters"][0]["drs"] = drs
        found = site(lab, tmp_path, vms=[vm])
        plan, made = found.site(check=True), found.site()
        assert [run.trouble for run in (plan, made)] == ["refused" if refused else ""] * 2, made.told
        assert plan.changes("attach") == made.changes("attach")
        if refused:
            assert made.phases["attach"]["error_code"] == "host_in_maintenance"
            assert found.lab.writes() == []
            assert ("DRS of c1 is off" in made.phases["attach"]["msg"]) is (not other)


def test_a_plan_says_that_a_vm_with_nested_virtualization_does_not_start_with_the_card_it_has(tmp_path: Path) -> None:
    """Somebody attached the card. The MMIO window would be written before the server refuses the power-on."""
    ready = {"card": "t4", "enabled": True, "active": True}
    dynamic = {"dynamic": ["10de:1eb8"]}
    for device in ({"fixed": "0000:3b:00.0"}, dynamic):
        held = {"name": "vm", "host": "esx", "devices": [device], "nested": True}
        vm = {"name": "vm", "devices": [{"match": "10de:1eb8"}], "mmio": {}, "power": "on"}
        for power, refused in (("on", True), ("keep", False)):
            found = site(
                vcenter({"name": "esx", "cards": [ready]}, vms=(held,)), tmp_path, vms=[{**vm, "power": power}]
            )
            plan, made = found.site(check=True), found.site()
            assert [run.trouble for run in (plan, made)] == ["refused" if refused else ""] * 2, made.told
            assert plan.changes("attach") == made.changes("attach")
            if refused:
                assert made.phases["attach"]["error_code"] == "nested_virtualisation"
                assert found.lab.writes() == []


def test_a_plan_knows_that_a_host_would_lose_a_card_at_its_reboot(tmp_path: Path) -> None:
    """The host no longer offers the card, which is active still. Another device waits for the reboot, and a VM uses neither."""
    lost = {"card": "nvme", "enabled": True, "active": True, "capable": False}
    lab = vcenter({"name": "esx", "cards": [lost, {"card": "t4", **WAITS}]}, vms=({"name": "vm", "power": "on"},))
    for match in ("144d:a808", "10de:1eb8"):  # whether the lost card is desired or not
        found = site(lab, tmp_path, targets=[{"hosts": ["esx"], "devices": [{"match": match}]}], pinned="shutdown")
        plan, made = found.site(check=True), found.site()
        for run in (plan, made):
            assert run.trouble == "refused"
            assert run.phases["reboot"]["error_code"] == "stale_setting"
            assert "esx still passes through devices that it no longer offers" in run.phases["reboot"]["msg"]
        assert {"EnterMaintenanceMode_Task", "RebootHost_Task", "ShutdownGuest"}.isdisjoint(found.lab.writes())
        assert not found.drift()["settled"]


def test_a_plan_knows_that_a_card_stays_active_while_its_host_is_not_rebooted(tmp_path: Path) -> None:
    """The host no longer offers the card, but nothing of it waits for a reboot."""
    card = {"card": "a100", "enabled": True, "active": True, "capable": False}
    a100 = {"match": "10de:20f1"}
    found = site(
        vcenter({"name": "esx", "cards": [card]}, vms=({"name": "vm", "host": "esx"},)),
        tmp_path,
        targets=[{"hosts": ["esx"], "devices": [a100]}],
        vms=[{"name": "vm", "devices": [a100], "mmio": {}}],
    )
    plan, made = found.site(check=True), found.site()
    assert [run.trouble for run in (plan, made)] == ["", ""], plan.told
    assert plan.changes("attach") == made.changes("attach") != []
    assert found.drift()["settled"]
