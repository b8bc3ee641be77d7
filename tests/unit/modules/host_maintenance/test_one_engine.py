# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""host_maintenance and the rolling reboot: one set of rules, one journal, and neither touches what the other holds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.modules.harness import Lab

EVE = {"name": "eve@vsphere.local", "password": "VMware1!", "role": "Admin"}
STOP = {"pinned_vms": "shutdown"}
HOST, OTHER = "esx-01.lab", "esx-02.lab"


def lab_with(*vms: dict[str, Any], **cluster: Any) -> Lab:
    """Three hosts; the first one runs these VMs."""
    hosts = [{"name": "esx-{:02d}.lab", "count": 3, "cards": ["a100", "nvme", "x710"]}]
    machines = [{"host": HOST, "power": "on", **vm} for vm in vms]
    return Lab.load(
        {
            "kind": "vcenter",
            "version": "8.0.3",
            "users": [{"name": "administrator@vsphere.local", "password": "VMware1!", "role": "Admin"}, EVE],
            "datacenters": [
                {
                    "name": "DC1",
                    "clusters": [{"name": "gpu", "drs": "fullyAutomated", "hosts": hosts, "vms": machines, **cluster}],
                }
            ],
        }
    )


def power(lab: Lab, vm: str) -> str:
    return str(lab.sim.find("VirtualMachine", vm).power)


def held(lab: Lab, host: str = HOST) -> bool:
    return bool(lab.sim.find("HostSystem", host).in_maintenance)


def defined(lab: Lab) -> set[str]:
    fields = lab.sim.stub().connect().content.customFieldsManager.field
    return {field.name for field in fields if field.name.startswith("directpath.")}


PINNED = {
    "CD": {"media": [{"cd": "host"}]},
    "floppy": {"media": [{"floppy": "client"}]},
    "USB": {"media": [{"usb": "host"}]},
    "serial port": {"media": [{"serial": "host"}]},
}


@pytest.mark.parametrize("what", PINNED)
def test_both_modules_name_the_same_vm_for_the_same_reason(what: str) -> None:
    lab = lab_with({"name": "db", **PINNED[what]}, {"name": "web"})
    refused = lab.run("host_maintenance", hosts=[HOST], fails=True)
    rolled = lab.run("host_rolling_reboot", hosts=[HOST], reboot_if="always", check=True, fails=True)
    ours, theirs = refused["hosts"][0]["blockers"][0], rolled["hosts"][0]["blockers"][0]
    assert (ours["code"], ours["message"]) == (theirs["code"], theirs["message"])
    assert "db (" in ours["message"]
    assert "web" not in ours["message"]
    assert lab.writes() == []


def test_pinned_vms_are_stopped_last_in_their_order_and_started_in_reverse() -> None:
    lab = lab_with(
        {"name": "db", "media": [{"cd": "host"}]},
        {"name": "app", "media": [{"cd": "host"}]},
        {"name": "web"},
    )
    manager = lab.sim.stub().connect().content.customFieldsManager
    manager.AddCustomFieldDef("directpath.stop_order", None, None, None)
    lab.sim.events["set_custom_value"](on="db", attribute="directpath.stop_order", value="10")
    lab.sim.journal.clear()
    went = lab.run("host_maintenance", hosts=[HOST], **STOP)
    assert went["hosts"][0]["vms_stopped"] == ["app", "db"]
    deeds = ("EnterMaintenanceMode_Task", "ShutdownGuest", "PowerOnVM_Task", "ExitMaintenanceMode_Task")
    calls = [(e.method, e.name) for e in lab.sim.journal.writes() if e.method in deeds]
    assert calls == [("EnterMaintenanceMode_Task", HOST), ("ShutdownGuest", "app"), ("ShutdownGuest", "db")]
    lab.sim.journal.clear()
    back = lab.run("host_maintenance", hosts=[HOST], state="absent")
    assert back["hosts"][0]["vms_started"] == ["db", "app"]
    calls = [(e.method, e.name) for e in lab.sim.journal.writes() if e.method in deeds]
    assert calls == [("ExitMaintenanceMode_Task", HOST), ("PowerOnVM_Task", "db"), ("PowerOnVM_Task", "app")]
    assert lab.sim.find("VirtualMachine", "db").host.name == HOST
    assert defined(lab) == {"directpath.stop_order"}


@pytest.mark.parametrize("way", ["there", "back"])
def test_check_mode_predicts_the_run(way: str) -> None:
    lab = lab_with({"name": "db", "media": [{"cd": "host"}]}, {"name": "web"})
    options: dict[str, Any] = {"hosts": [HOST, OTHER], **STOP}
    if way == "back":
        lab.run("host_maintenance", **options)
        options = {"hosts": [HOST, OTHER], "state": "absent"}
    lab.sim.journal.clear()
    predicted = lab.run("host_maintenance", check=True, **options)
    assert lab.writes() == []
    done = lab.run("host_maintenance", **options)
    assert done["changes"] == predicted["changes"] != []
    assert done["diff"] == predicted["diff"]
    assert lab.run("host_maintenance", **options)["changed"] is False


def test_another_user_returns_the_host_to_service() -> None:
    lab = lab_with({"name": "db", "media": [{"cd": "host"}]})
    lab.run("host_maintenance", hosts=[HOST], **STOP)
    lab.user = EVE["name"]
    back = lab.run("host_maintenance", hosts=[HOST], state="absent")
    assert back["hosts"][0]["vms_started"] == ["db"]
    assert not held(lab)
    assert defined(lab) == set()


def test_a_maintenance_mode_that_another_user_entered_again_is_kept() -> None:
    """The entry is still there, and the event log shows that it is not about this maintenance mode."""
    lab = lab_with({"name": "web"})
    lab.run("host_maintenance", hosts=[HOST])
    lab.sim.clock.advance(60)
    lab.sim.events["exit_maintenance"](host=HOST, user=EVE["name"])
    lab.sim.clock.advance(60)
    lab.sim.events["enter_maintenance"](host=HOST, user=EVE["name"])
    lab.sim.clock.advance(600)
    lab.sim.journal.clear()
    refused = lab.run("host_maintenance", hosts=[HOST], state="absent", fails=True)
    assert refused["error_code"] == "maintenance_by_other"
    assert lab.writes() == []
    lab.run("host_maintenance", hosts=[HOST], state="absent", operator_maintenance="end")
    assert not held(lab)


def test_a_rolling_reboot_skips_the_host_and_names_who_keeps_it() -> None:
    lab = lab_with({"name": "web"})
    lab.run("host_maintenance", hosts=[HOST])
    before = defined(lab)
    rolled = lab.run("host_rolling_reboot", hosts=[HOST, OTHER], reboot_if="always", blocked_timeout=0, fails=True)
    assert rolled["rebooted"] == []
    said = f"{HOST} is in maintenance mode for work on its hardware by administrator@vsphere.local since "
    assert said in rolled["msg"]
    assert held(lab)
    wide = lab.run(
        "host_rolling_reboot", hosts=[HOST, OTHER], reboot_if="always", max_unavailable=2, blocked_timeout=0, fails=True
    )
    assert wide["rebooted"] == [OTHER]
    assert before <= defined(lab)
    assert lab.run("host_maintenance", hosts=[HOST], state="absent")["hosts"][0]["status"] == "changed"


def test_a_host_that_is_kept_can_be_rebooted_in_maintenance_mode_and_is_kept_after_it() -> None:
    lab = lab_with({"name": "db", "media": [{"cd": "host"}]})
    lab.run("host_maintenance", hosts=[HOST], **STOP)
    rolled = lab.run("host_rolling_reboot", hosts=[HOST], reboot_if="always", operator_maintenance="use")
    assert rolled["rebooted"] == [HOST]
    assert held(lab)
    assert power(lab, "db") == "poweredOff"
    assert defined(lab) == {"directpath.maintenance", "directpath.maintenance.vm", "directpath.maintenance.lock"}
    assert lab.run("host_maintenance", hosts=[HOST], state="absent")["hosts"][0]["vms_started"] == ["db"]
    assert power(lab, "db") == "poweredOn"


class Killed(BaseException):
    """The process is gone."""


def kill(_write: Any) -> None:
    raise Killed


def test_a_host_that_an_interrupted_rolling_reboot_holds_is_refused() -> None:
    lab = lab_with({"name": "web"})
    stop = lab.sim.on_write(None, kill, when="after", method="EnterMaintenanceMode_Task")
    with pytest.raises(Killed):
        lab.run("host_rolling_reboot", hosts=[HOST], reboot_if="always")
    lab.sim.stops.remove(stop)
    lab.sim.clock.advance(600)
    lab.sim.journal.clear()
    for state in ("present", "absent"):
        result = lab.run("host_maintenance", hosts=[HOST], state=state, fails=state == "absent")
        assert lab.writes() == []
        assert "another user" in str(result["warnings"] if state == "present" else result["msg"])
    assert lab.run("host_rolling_reboot", hosts=[HOST], reboot_if="always")["rebooted"] == [HOST]


def test_a_rolling_reboot_does_not_start_a_vm_that_is_kept_off_for_later() -> None:
    lab = lab_with({"name": "db", "media": [{"cd": "host"}]})
    lab.run("host_maintenance", hosts=[HOST], **STOP)
    lab.run("host_maintenance", hosts=[HOST], state="absent", start_vms=False)
    lab.run("host_rolling_reboot", hosts=[HOST], reboot_if="always")
    assert power(lab, "db") == "poweredOff"
    lab.run("host_maintenance", hosts=[HOST], state="absent")
    assert power(lab, "db") == "poweredOn"


def test_vms_that_may_not_be_started_again_are_not_stopped() -> None:
    lab = lab_with({"name": "db", "media": [{"cd": "host"}]}, {"name": "web"})
    names = ("Host.Config.Maintenance", "Global.SetCustomField", "Global.ManageCustomFields")
    lab.sim.authz.add_role("Most", (*names, "VirtualMachine.Interact.PowerOff"))
    lab.sim.authz.add_user("most@vsphere.local", "VMware1!", "Most")
    lab.user = "most@vsphere.local"
    refused = lab.run("host_maintenance", hosts=[HOST], fails=True, **STOP)
    assert refused["error_code"] == "no_permission"
    assert "db (missing privilege VirtualMachine.Interact.PowerOn)" in refused["msg"]
    assert lab.writes() == []


@pytest.mark.parametrize("check", [True, False])
def test_a_vm_that_was_moved_to_another_cluster_while_it_was_off_is_named(check: bool) -> None:
    lab = Lab.load(
        {
            "kind": "vcenter",
            "version": "8.0.3",
            "users": [{"name": "administrator@vsphere.local", "password": "VMware1!", "role": "Admin"}],
            "datacenters": [
                {
                    "name": "DC1",
                    "clusters": [
                        {
                            "name": "gpu",
                            "drs": "fullyAutomated",
                            "hosts": [{"name": "esx-{:02d}.lab", "count": 2, "nfs": ["everywhere"]}],
                            "vms": [{"name": "db", "host": HOST, "power": "on", "media": [{"cd": "host"}]}],
                        },
                        {"name": "spare", "hosts": [{"name": "far-01.lab", "nfs": ["everywhere"]}]},
                    ],
                }
            ],
        }
    )
    lab.run("host_maintenance", hosts=[HOST], **STOP)
    lab.sim.events["move_vm"](vm="db", host="far-01.lab")
    failed = lab.run("host_maintenance", hosts=[HOST], state="absent", check=check, fails=True)
    assert failed["error_code"] == "vms_left_off"
    assert "db, which was shut down for esx-01.lab, is in another cluster now" in failed["msg"]
    again = lab.run("host_maintenance", hosts=[HOST], state="absent", fails=True)
    assert again["error_code"] == "vms_left_off"
    lab.sim.events["power_vm"](vm="db", on=True)
    assert not lab.run("host_maintenance", hosts=[HOST], state="absent")["changed"]
