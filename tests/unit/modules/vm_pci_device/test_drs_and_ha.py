# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan says what DRS and HA can do for a VM with dynamic devices: a spare card for a restart, an override that ends placement."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.modules.harness import Lab
from tests.unit.modules.vm_pci_device import unit_labs
from tests.unit.modules.vm_pci_device.unit_labs import DVX, GROUP, WHOLE
from tests.unit.pains.labs import A100, desired, entry, host, on, power, vm

NO_SPARE = "HA of gpu cannot restart train-01 if its host fails: no other host has 1 x 10de:20f1 free now"


def site(cards: list[int], vms: list[dict[str, Any]], **cluster: Any) -> Lab:
    """Hosts with so many free A100, in a cluster with HA without admission control."""
    hosts = [host(f"esx-{number:02d}", cards=[on() for _card in range(count)]) for number, count in enumerate(cards, 1)]
    inside = {"name": "gpu", "drs": "fullyAutomated", "ha": {"admission_control": False}, "hosts": hosts, "vms": vms}
    return Lab.load({"kind": "vcenter", "datacenters": [{"name": "DC", "clusters": [{**inside, **cluster}]}]})


def warnings(made: Lab, **more: Any) -> list[str]:
    options: dict[str, Any] = {"vm": ["train-01"], "devices": desired(), "backing": "dynamic", "power": "on", **more}
    checked = entry(made.run("vm_pci_device", check=True, **options), "train-01")["warnings"]
    found: list[str] = entry(made.run("vm_pci_device", **options), "train-01")["warnings"]
    assert checked == found
    return found


def about_ha(found: list[str]) -> list[str]:
    return [text for text in found if "HA" in text]


def test_a_spare_card_on_another_host_is_enough() -> None:
    assert about_ha(warnings(site([1, 1], [vm()]))) == []


@pytest.mark.parametrize("cards", [[2, 0], [1]])
def test_a_spare_on_its_own_host_is_none(cards: list[int]) -> None:
    (text,) = about_ha(warnings(site(cards, [vm()])))
    assert NO_SPARE in text


def test_a_card_that_another_vm_of_this_plan_takes_is_no_spare() -> None:
    made = site([1, 1], [vm(), vm("train-02")])
    found = made.run("vm_pci_device", vm=["train-01", "train-02"], devices=desired(), backing="dynamic", power="on")
    assert NO_SPARE in "; ".join(entry(found, "train-01")["warnings"])


def test_a_host_in_maintenance_mode_has_no_spare() -> None:
    made = site([1, 1], [vm()])
    made.sim.events["enter_maintenance"](host="esx-02", user="root")
    made.sim.clock.advance(600)
    assert NO_SPARE in "; ".join(warnings(made))


def test_a_host_that_does_not_answer_leaves_it_unknown() -> None:
    made = site([1, 1], [vm()])
    made.sim.events["disconnect_host"](host="esx-02")
    made.sim.clock.advance(60)
    (text,) = about_ha(warnings(made))
    assert "Whether HA of gpu can restart train-01 is unknown" in text
    assert "esx-02" in text


def test_without_ha_nothing_is_said_of_it() -> None:
    assert about_ha(warnings(site([1], [vm()], ha=False))) == []


def test_an_override_that_ends_initial_placement_is_named() -> None:
    made = site([1, 1], [vm()], drs_vms={"train-01": "disabled"})
    assert any("DRS is disabled for train-01 by an override" in text for text in warnings(made))
    assert power(made) == "poweredOn"
    assert not any("override" in text for text in warnings(site([1, 1], [vm()], drs_vms={"train-01": "manual"})))


def test_with_such_an_override_the_card_has_to_be_on_its_own_host() -> None:
    made = site([0, 1], [vm()], drs_vms={"train-01": "disabled"})
    options: dict[str, Any] = {"vm": ["train-01"], "devices": desired(A100), "backing": "dynamic", "power": "on"}
    result = made.run("vm_pci_device", fails=True, **options)
    blocker = entry(result, "train-01")["blockers"][0]
    assert "DRS is disabled for it by an override, so the VM starts on esx-01" in blocker["message"]
    assert made.writes() == []


def test_unreadable_settings_are_unknown() -> None:
    made = site([1, 1], [vm()])
    made.sim.find("ClusterComputeResource", "gpu").set("configurationEx", None)
    result = made.run("vm_pci_device", check=True, vm=["train-01"], devices=desired(), backing="dynamic")
    assert any(
        "The settings of DRS and HA of gpu cannot be read" in text for text in entry(result, "train-01")["warnings"]
    )


def test_it_costs_one_call_for_any_number_of_vms_and_none_when_nothing_changes() -> None:
    """The settings are not read again before the writes."""
    for number in (1, 3):
        vms = [vm(f"train-{each:02d}") for each in range(1, number + 1)]
        made = site([3, 3], vms)
        names = [each["name"] for each in vms]
        made.run("vm_pci_device", vm=names, devices=desired(), backing="dynamic")
        assert reads(made) == 1
        made.sim.journal.clear()
        assert made.run("vm_pci_device", vm=names, devices=desired(), backing="dynamic")["changed"] is False
        assert reads(made) == 0


def reads(made: Lab) -> int:
    return sum("configurationEx" in str(call.args) for call in made.sim.journal.calls)


# -- vGPUs, groups and DVX devices ---------------------------------------------------------------------------------------

HA = {"drs": "fullyAutomated", "ha": {"admission_control": False}}


def about_units(entries: list[dict[str, Any]], *others: dict[str, Any], hosts: int = 2, **more: Any) -> list[str]:
    made = unit_labs.lab({"name": "vm-1"}, *others, hosts=hosts, cluster=more.pop("cluster", HA), **more)
    checked = unit_labs.run(made, entries, check=True, power="on")["vms"][0]["warnings"]
    found = unit_labs.run(made, entries, power="on")["vms"][0]["warnings"]
    assert checked == found
    return about_ha(found)


UNITS = ({"vgpu": WHOLE}, {"group": GROUP}, {"dvx": {"class": DVX, "parameters": {"mode": "1"}}})


@pytest.mark.parametrize("wanted", UNITS, ids=lambda entry: next(iter(entry)))
def test_units_that_another_host_can_provide_have_no_warning(wanted: dict[str, Any]) -> None:
    assert about_units([wanted]) == []
    assert about_units([wanted], hosts=1, cluster={**HA, "ha": False}) == []


@pytest.mark.parametrize("wanted", UNITS, ids=lambda entry: next(iter(entry)))
def test_units_of_the_only_host_have_no_spare(wanted: dict[str, Any]) -> None:
    (text,) = about_units([wanted], hosts=1)
    assert "HA of c cannot restart vm-1 if its host fails: no other host has " in text
    assert "no other host offers them" in text


def test_gpus_that_running_vms_fill_are_no_spare() -> None:
    full = {"host": "esx-2", "power": "on", "locked": True, "devices": [{"vgpu": WHOLE}, {"vgpu": WHOLE}]}
    (text,) = about_units([{"vgpu": WHOLE}], {"name": "vm-2", **full})
    assert "no other host has 1 x grid_a100-40c free now (running VMs use those of esx-2)" in text
    half = {**full, "devices": [{"vgpu": WHOLE}]}
    assert about_units([{"vgpu": WHOLE}], {"name": "vm-2", **half}) == []


def test_gpus_that_another_vm_of_this_plan_fills_are_no_spare() -> None:
    made = unit_labs.lab({"name": "vm-1"}, {"name": "vm-2"}, cluster=HA)
    both = [{"name": name, "devices": [{"vgpu": WHOLE, "count": 2}]} for name in ("vm-1", "vm-2")]
    result = made.run("vm_pci_device", vms=both, power="on")
    assert {len(about_ha(one["warnings"])) for one in result["vms"]} == {1}


def test_a_host_without_an_answer_leaves_it_unknown_for_units() -> None:
    made = unit_labs.lab({"name": "vm-1"}, cluster=HA)
    made.sim.events["disconnect_host"](host="esx-2")
    made.sim.clock.advance(60)
    found = unit_labs.run(made, [{"vgpu": WHOLE}], power="on")["vms"][0]["warnings"]
    (text,) = about_ha(found)
    assert ("Whether HA of c can restart vm-1 is unknown" in text, "esx-2" in text) == (True, True)


KEPT = {"ha": {"dedicated": ["esx-02"]}}


def test_no_vm_is_started_for_a_card_of_a_failover_host() -> None:
    """HA keeps the host free, and refuses the power-on there. So the plan must not count its cards."""
    made = site([0, 1], [vm()], **KEPT)
    options: dict[str, Any] = {"vm": ["train-01"], "devices": desired(), "backing": "dynamic", "power": "on"}
    for check in (True, False):
        refused = made.run("vm_pci_device", check=check, fails=True, **options)
        assert refused["error_code"] == "no_free_device"
        assert "it is a failover host of HA" in refused["msg"]
        assert "esx-02: 1 present, 1 active, 1 free, a failover host of HA" in refused["msg"]
    assert made.writes() == []


def test_another_host_is_taken_before_a_failover_host() -> None:
    made = site([0, 1, 2], [vm()], **KEPT)
    found = warnings(made)
    assert made.sim.find("VirtualMachine", "train-01").host.name == "esx-03"
    assert about_ha(found) == [], "HA restarts the VM on the failover host"


def test_a_failover_host_without_admission_control_is_one_like_the_others() -> None:
    made = site([0, 1], [vm()], ha={"dedicated": ["esx-02"], "admission_control": False})
    warnings(made)
    assert made.sim.find("VirtualMachine", "train-01").host.name == "esx-02"
