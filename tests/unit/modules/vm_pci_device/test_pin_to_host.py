# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``pin_to_host``: a VM-host rule of our own for a VM with fixed devices. Rules of others are never changed."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim

from tests.unit.modules.harness import Lab
from tests.unit.pains.labs import desired, entry, host, lab, on, power, vm

PIN: dict[str, Any] = {"vm": ["train-01"], "devices": desired(), "backing": "fixed", "pin_to_host": True}
MINE = "directpath.vsphere pin"


def site(power_state: str = "off", **more: Any) -> Lab:
    return lab([host(cards=[on()]), host("esx-02", cards=[on()])], [vm(power=power_state), vm("other-01")], **more)


def config(made: Lab) -> Any:
    return made.sim.find("ClusterComputeResource", "gpu").props["configurationEx"]


def rules(made: Lab) -> dict[str, tuple[list[str], list[str], bool]]:
    """Rule → names of its VMs and hosts, and whether it is mandatory."""
    members = {
        group.name: [made.sim.obj(ref).name for ref in (group.vm if hasattr(group, "vm") else group.host)]
        for group in config(made).group
    }
    return {
        rule.name: (members[rule.vmGroupName], members[rule.affineHostGroupName], rule.mandatory)
        for rule in config(made).rule
    }


def own_rule(made: Lab) -> Any:
    return next((value for name, value in rules(made).items() if name.startswith(MINE)), None)


def of_others(made: Lab) -> None:
    """Groups and a rule that another user made."""
    cluster, machine = made.sim.find("ClusterComputeResource", "gpu"), made.sim.find("VirtualMachine", "other-01")
    cls = vim.cluster
    cluster.update(
        {
            "configurationEx.group": [
                cls.VmGroup(name="licensed VMs", userCreated=True, vm=[machine.ref]),
                cls.HostGroup(name="licensed", userCreated=True, host=[cluster.hosts[0].ref]),
            ],
            "configurationEx.rule": [
                cls.VmHostRuleInfo(
                    key=7, name="licenses", enabled=True, mandatory=True, userCreated=True,
                    vmGroupName="licensed VMs", affineHostGroupName="licensed",
                )
            ],
        }
    )  # fmt: skip


def pin_changes(result: dict[str, Any]) -> list[tuple[Any, Any]]:
    return [(change["before"], change["after"]) for change in result["changes"] if change["kind"] == "pin_to_host"]


def test_the_rule_is_made_once_and_others_stay() -> None:
    made = site()
    of_others(made)
    checked, result = made.run("vm_pci_device", check=True, **PIN), made.run("vm_pci_device", **PIN)
    assert checked["changes"] == result["changes"]
    assert pin_changes(result) == [(None, "esx-01")]
    assert own_rule(made) == (["train-01"], ["esx-01"], True)
    assert rules(made)["licenses"] == (["other-01"], ["esx-01"], True)
    again = made.run("vm_pci_device", **PIN)
    assert again["changed"] is False
    assert made.run("drift_info", vms=[{"name": "train-01", **{k: v for k, v in PIN.items() if k != "vm"}}])["settled"]


def test_a_running_vm_is_not_stopped_for_its_rule() -> None:
    made = site()
    made.run("vm_pci_device", **{**PIN, "pin_to_host": None}, power="on")
    made.sim.journal.clear()
    assert pin_changes(made.run("vm_pci_device", **PIN)) == [(None, "esx-01")]
    assert set(made.writes()) == {"ReconfigureComputeResource_Task"}
    assert power(made) == "poweredOn"


def test_false_removes_it_and_only_it() -> None:
    made = site()
    of_others(made)
    made.run("vm_pci_device", **PIN)
    assert made.run("vm_pci_device", **{**PIN, "pin_to_host": None})["changed"] is False, "not given: it stays"
    result = made.run("vm_pci_device", **{**PIN, "pin_to_host": False})
    assert pin_changes(result) == [("esx-01", None)]
    assert set(rules(made)) == {"licenses"}
    assert [group.name for group in config(made).group] == ["licensed VMs", "licensed"]
    assert made.run("vm_pci_device", **{**PIN, "pin_to_host": False})["changed"] is False


@pytest.mark.parametrize("how", ["absent", "exactly"])
def test_it_goes_with_the_last_fixed_device(how: str) -> None:
    made = site()
    made.run("vm_pci_device", **PIN)
    options = {"state": "absent", "devices": desired()} if how == "absent" else {"state": "exactly", "devices": []}
    checked = made.run("vm_pci_device", check=True, vm=["train-01"], **options)
    result = made.run("vm_pci_device", vm=["train-01"], **options)
    assert pin_changes(checked) == pin_changes(result) == [("esx-01", None)]
    assert (own_rule(made), list(config(made).group)) == (None, [])


def test_it_follows_a_vm_that_was_moved() -> None:
    made = site()
    made.run("vm_pci_device", **PIN)
    made.sim.events["move_vm"](vm="train-01", host="esx-02")
    wanted = {"name": "train-01", **{key: value for key, value in PIN.items() if key != "vm"}}
    found = made.run("drift_info", vms=[wanted])["report"]["differences"]
    assert ("host_rule", "esx-01", "esx-02") in [(one["kind"], one["found"], one["wanted"]) for one in found]
    assert pin_changes(made.run("vm_pci_device", **PIN, power="on")) == [("esx-01", "esx-02")]
    assert own_rule(made) == (["train-01"], ["esx-02"], True)
    assert power(made) == "poweredOn", "the simulator refuses a start against the rule"


@pytest.mark.parametrize("damage", ["rule removed", "not mandatory", "disabled", "another VM", "group of hosts grown"])
def test_a_rule_that_was_changed_is_corrected(damage: str) -> None:
    made = site()
    made.run("vm_pci_device", **PIN)
    with made.sim.find("ClusterComputeResource", "gpu").edit("configurationEx") as changed:
        rule = changed.rule[0]
        if damage == "rule removed":
            changed.rule = []
        elif damage == "not mandatory":
            rule.mandatory = False
        elif damage == "disabled":
            rule.enabled = False
        elif damage == "another VM":
            changed.group[0].vm = [made.sim.find("VirtualMachine", "other-01").ref]
        else:
            changed.group[1].host = [each.ref for each in made.sim.find("ClusterComputeResource", "gpu").hosts]
    assert pin_changes(made.run("vm_pci_device", **PIN)) == [("incomplete", "esx-01")]
    assert own_rule(made) == (["train-01"], ["esx-01"], True)
    assert made.run("vm_pci_device", **PIN)["changed"] is False


def test_a_refused_rule_leaves_the_vm_as_it_is() -> None:
    made = site()
    made.run("vm_pci_device", **{**PIN, "devices": [], "pin_to_host": None}, power="on")
    made.sim.clock.advance(60)
    made.sim.faults.add(method="ReconfigureComputeResource_Task", times=1, fault="NoPermission")
    made.sim.journal.clear()
    result = made.run("vm_pci_device", fails=True, **PIN, power="cycle")
    assert result["error_code"] == "no_permission"
    assert "ShutdownGuest" not in made.writes()
    assert power(made) == "poweredOn"


def test_only_fixed_devices_need_it() -> None:
    made = site()
    result = made.run("vm_pci_device", **{**PIN, "backing": "dynamic"})
    assert pin_changes(result) == []
    assert any("pin_to_host makes no rule" in warning for warning in entry(result, "train-01")["warnings"])
    made = site(drs=False)
    result = made.run("vm_pci_device", **PIN)
    assert any("DRS of gpu is off" in warning for warning in entry(result, "train-01")["warnings"])
    assert own_rule(made) == (["train-01"], ["esx-01"], True)


def test_a_standalone_host_needs_no_rule() -> None:
    made = Lab.load({"kind": "esxi", "name": "esx-01", "host": {"cards": [on()]}, "vms": [vm(host=None)]})
    result = made.run("vm_pci_device", **PIN)
    assert pin_changes(result) == []
    assert any("is in no cluster" in warning for warning in entry(result, "train-01")["warnings"])


def test_a_mandatory_rule_of_others_that_keeps_the_vm_away_is_named() -> None:
    made = site()
    of_others(made)
    made.sim.events["move_vm"](vm="other-01", host="esx-02")
    result = made.run("vm_pci_device", check=True, **{**PIN, "vm": ["other-01"]})
    assert any("because of the rule licenses" in text for text in entry(result, "other-01")["warnings"])


def test_unreadable_rules_are_not_taken_for_none() -> None:
    made = site()
    made.sim.find("ClusterComputeResource", "gpu").set("configurationEx", None)
    result = made.run("vm_pci_device", fails=True, **PIN)
    assert result["error_code"] == "rules_unreadable"
    assert made.writes() == []
