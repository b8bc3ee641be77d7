# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that can stand in the way of a rolling reboot is on the scene, and goes from it when it is over."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.observed import (
    Admission,
    ClusterView,
    HostView,
    VmView,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.rolling.inventory import FleetInventory
from simulator.simulator import Simulator
from tests.unit.module_utils._vsphere.rolling.inventory_lab import moid, open_session, simulator, watching


def lab(cluster: dict[str, Any] | None = None, vms: list[dict[str, Any]] | None = None, **first: Any) -> Simulator:
    """Three hosts in a cluster; ``first`` is about the first of them."""
    hosts = [{"name": "a.lab", "cards": ["a100", "nvme-data"], **first}]
    hosts += [{"name": f"{name}.lab", "cards": ["a100", "nvme-data"]} for name in ("b", "c")]
    one = {"name": "one", "hosts": hosts, "vms": vms or [], **(cluster or {})}
    return simulator({"kind": "vcenter", "version": "8.0.3", "datacenters": [{"name": "DC", "clusters": [one]}]})


def host_of(fleet: FleetInventory, name: str = "a.lab") -> HostView:
    return next(view for view in fleet.hosts if view.name == name)


def vm_of(fleet: FleetInventory, name: str) -> VmView:
    return next(view for view in fleet.vms if view.name == name)


def the_cluster(fleet: FleetInventory) -> ClusterView:
    return fleet.clusters[0]


class TestAlarms:
    def test_red_ones_are_named_until_they_are_over(self) -> None:
        sim = lab()
        fleet = watching(sim, "a.lab")
        sim.events["set_alarm"](on="a.lab", alarm="Host memory usage")
        sim.events["set_alarm"](on="a.lab", alarm="Host CPU usage", status="yellow")
        sim.events["set_alarm"](on="one", alarm="vSphere HA failover resources")
        assert fleet.wait(0)
        assert host_of(fleet).red_alarms == ("Host memory usage",)
        assert host_of(fleet, "b.lab").red_alarms == ()
        assert the_cluster(fleet).red_alarms == ("vSphere HA failover resources",)
        sim.events["set_alarm"](on="a.lab", alarm="Host memory usage", status="green")
        assert fleet.wait(0)
        assert host_of(fleet).red_alarms == ()

    def test_acknowledged_ones_do_not_count(self) -> None:
        sim = lab()
        sim.events["set_alarm"](on="a.lab", alarm="Host memory usage")
        fleet = watching(sim, "a.lab")
        assert host_of(fleet).red_alarms == ("Host memory usage",)
        sim.events["acknowledge_alarm"](on="a.lab", alarm="Host memory usage")
        assert fleet.wait(0)
        assert host_of(fleet).red_alarms == ()

    def test_names_are_read_once(self) -> None:
        sim = lab()
        session = open_session(sim)
        fleet = watching(sim, "a.lab", session=session)
        counts = []
        for host in ("a.lab", "b.lab"):
            sim.events["set_alarm"](on=host, alarm="Host memory usage")
            session.stub.calls.clear()
            fleet.wait(0)
            counts.append(session.stub.calls["RetrievePropertiesEx"])
        assert counts == [1, 0]

    def test_a_name_that_may_not_be_read_is_an_id(self) -> None:
        sim = lab()
        fleet = watching(sim, "a.lab")
        sim.events["set_alarm"](on="a.lab", alarm="Host memory usage")
        alarm = sim.find(vim.HostSystem, "a.lab").get("triggeredAlarmState")[0].alarm
        with sim.lock:
            sim.remove(sim.obj(alarm))
        fleet.wait(0)
        assert host_of(fleet).red_alarms in ((), (alarm._moId,))


class TestStates:
    def test_standby(self) -> None:
        sim = lab()
        fleet = watching(sim, "b.lab")
        assert not host_of(fleet).standby
        sim.events["set_standby"](host="a.lab", on=True)
        assert fleet.wait(0)
        assert host_of(fleet).standby
        assert not host_of(fleet).in_service
        sim.events["set_standby"](host="a.lab", on=False)
        while fleet.wait(600):
            pass
        assert not host_of(fleet).standby

    def test_quarantine(self) -> None:
        sim = lab()
        fleet = watching(sim, "a.lab")
        sim.events["set_quarantine"](host="a.lab", on=True)
        assert fleet.wait(0)
        assert host_of(fleet).quarantined
        sim.events["set_quarantine"](host="a.lab", on=False)
        assert fleet.wait(0)
        assert host_of(fleet).in_service

    def test_quick_boot(self) -> None:
        fleet = watching(lab(quick_boot=True), "a.lab")
        assert host_of(fleet).quick_boot is True
        assert host_of(fleet, "b.lab").quick_boot is False

    def test_somebody_elses_maintenance_mode_and_reboot(self) -> None:
        sim = lab()
        fleet = watching(sim, "a.lab")
        sim.events["enter_maintenance"](host="a.lab", user="somebody@vsphere.local")
        assert fleet.wait(1)
        assert host_of(fleet).entering
        while fleet.wait(60):
            pass
        assert (host_of(fleet).in_maintenance, host_of(fleet).entering) == (True, False)
        sim.events["reboot_host"](host="a.lab", user="somebody@vsphere.local")
        assert fleet.wait(1)
        assert host_of(fleet).rebooting
        assert host_of(fleet).tasks == ()

    @pytest.mark.parametrize("names", ["login", "domain"])
    def test_whose_it_is(self, names: str) -> None:
        sim = lab()
        sim.knobs.set("user_names", names)
        began = sim.clock.now().timestamp()
        fleet = watching(sim, "a.lab")
        for name in ("a.lab", "b.lab"):
            user = fleet._session.endpoint.username if name == "b.lab" else "somebody@vsphere.local"
            sim.events["enter_maintenance"](host=name, user=user)
        sim.clock.advance(60)
        hosts = [moid(sim, name) for name in ("a.lab", "b.lab", "c.lab")]
        assert fleet.maintenance_is_own(dict.fromkeys(hosts, began)) == {
            hosts[0]: False,
            hosts[1]: True,
            hosts[2]: None,
        }


class TestDatastoresAndLinks:
    @pytest.mark.parametrize(("state", "seen"), [("inaccessible", False), ("missing", None)])
    def test_a_datastore_that_is_lost_and_found(self, state: str, seen: bool | None) -> None:
        sim = lab()
        fleet = watching(sim, "a.lab")
        assert host_of(fleet).datastores["shared-one"] is True
        sim.events["set_datastore"](host="a.lab", datastore="shared-one", state=state)
        assert fleet.wait(0)
        assert host_of(fleet).datastores.get("shared-one") is seen
        assert host_of(fleet, "b.lab").datastores["shared-one"] is True
        sim.events["set_datastore"](host="a.lab", datastore="shared-one", state="ok")
        assert fleet.wait(0)
        assert host_of(fleet).datastores["shared-one"] is True

    def test_a_link(self) -> None:
        sim = lab(cards=["a100", "nvme-data", {"card": "connectx4", "uplinks": [0]}])
        fleet = watching(sim, "a.lab")
        assert host_of(fleet).uplinks == {"vmnic0": True, "vmnic2": True}
        sim.events["set_link"](host="a.lab", vmnic="vmnic2", up=False)
        assert fleet.wait(0)
        assert host_of(fleet).uplinks == {"vmnic0": True, "vmnic2": False}
        sim.events["set_link"](host="a.lab", vmnic="vmnic2", up=True)
        assert fleet.wait(0)
        assert host_of(fleet).uplinks == {"vmnic0": True, "vmnic2": True}


class TestClusters:
    @pytest.mark.parametrize(
        ("ha", "unit", "wanted"),
        [
            ({"failover_hosts": 1}, "hosts", 1),
            ({"percent": 25}, "percent", 25),
            ({"percent": {"cpu": 25, "memory": 30}}, "percent", 30),
        ],
        ids=["hosts", "percent", "percent of each"],
    )
    def test_admission_control(self, ha: dict[str, Any], unit: str, wanted: float) -> None:
        sim = lab({"ha": ha})
        fleet = watching(sim, "a.lab")
        found = the_cluster(fleet).admission
        assert isinstance(found, Admission)
        assert (found.unit, found.wanted) == (unit, wanted)
        assert found.current > wanted

    @pytest.mark.parametrize(
        "ha", [False, {"failover_hosts": 1, "admission_control": False}, {"dedicated": ["c.lab"]}], ids=str
    )
    def test_without_admission_control_in_numbers(self, ha: Any) -> None:
        assert the_cluster(watching(lab({"ha": ha}), "a.lab")).admission is None

    def test_admission_control_is_read_again_before_a_host_is_started(self) -> None:
        sim = lab({"ha": {"failover_hosts": 1}})
        fleet = watching(sim, "a.lab")
        before = the_cluster(fleet).admission
        sim.find(vim.HostSystem, "c.lab").set("runtime.inMaintenanceMode", True)
        fleet.run_prechecks([moid(sim, "a.lab")])
        after = the_cluster(fleet).admission
        assert before is not None
        assert after is not None
        assert after.current < before.current

    @pytest.mark.parametrize(("options", "moves"), [({}, False), ({"VgpuMMAutomationTimeoutSecs": -1}, True)])
    def test_vgpu(self, options: dict[str, Any], moves: bool) -> None:
        assert the_cluster(watching(lab({"drs_options": options}), "a.lab")).vgpu_moves is moves

    def test_remediation(self) -> None:
        sim = lab()
        fleet = watching(sim, "a.lab")
        task = sim.events["run_task"](on="one", task="com.vmware.vcIntegrity.RemediateTask")
        other = sim.events["run_task"](on="a.lab", task="HostSystem.updateFirmware")
        fleet.wait(1)
        fleet.wait(1)
        assert the_cluster(fleet).remediation == "com.vmware.vcIntegrity.RemediateTask"
        assert host_of(fleet).tasks == ("HostSystem.updateFirmware",)
        sim.events["end_task"](task=task)
        sim.events["end_task"](task=other)
        fleet.wait(1)
        assert the_cluster(fleet).remediation == ""
        assert host_of(fleet).tasks == ()


class TestVsan:
    def vsan(self) -> Simulator:
        disks = [{"card": "nvme", "use": "vsan-cache"}, {"card": "p4510", "use": "vsan-capacity"}]
        hosts = [{"name": f"{name}.lab", "vsan": "osa", "cards": ["a100", *disks]} for name in ("a", "b", "c")]
        one = {"name": "one", "hosts": hosts, "vms": []}
        return simulator({"kind": "vcenter", "version": "8.0.3", "datacenters": [{"name": "DC", "clusters": [one]}]})

    def test_a_healthy_one(self) -> None:
        sim = self.vsan()
        fleet = watching(sim, "a.lab")
        assert the_cluster(fleet).vsan
        precheck = fleet.run_prechecks([moid(sim, "a.lab")])[moid(sim, "a.lab")]
        assert (precheck.vsan_resync_mb, precheck.vsan_inaccessible) == (0, 0)
        assert not sim.journal.writes()

    def test_what_is_left_to_do_and_what_is_not_whole(self) -> None:
        sim = self.vsan()
        fleet = watching(sim, "a.lab")
        sim.events["set_vsan"](cluster="one", resync_gb=1.5, objects=4, inaccessible=1, degraded=2)
        precheck = fleet.run_prechecks([moid(sim, "a.lab")])[moid(sim, "a.lab")]
        assert (precheck.vsan_resync_mb, precheck.vsan_inaccessible) == (1536, 3)

    def test_is_asked_once_a_cluster(self) -> None:
        sim = self.vsan()
        session = open_session(sim)
        fleet = watching(sim, "a.lab", session=session)
        session.stub.calls.clear()
        fleet.run_prechecks([moid(sim, name) for name in ("a.lab", "b.lab", "c.lab")])
        assert session.stub.calls["QueryCmmds"] == 1
        assert session.stub.calls["QuerySyncingVsanObjects"] == 1

    def test_another_host_is_asked_when_one_does_not_answer(self) -> None:
        sim = self.vsan()
        fleet = watching(sim, "a.lab")
        sim.faults.add(method="QueryCmmds", fault="HostConfigFault", times=1)
        precheck = fleet.run_prechecks([moid(sim, "a.lab")])[moid(sim, "a.lab")]
        assert precheck.vsan_inaccessible == 0
        sim.faults.add(method="QueryCmmds", fault="HostConfigFault")
        precheck = fleet.run_prechecks([moid(sim, "a.lab")])[moid(sim, "a.lab")]
        assert (precheck.vsan_inaccessible, precheck.vsan_resync_mb) == (None, None)

    def test_a_cluster_without(self) -> None:
        sim = lab()
        fleet = watching(sim, "a.lab")
        assert not the_cluster(fleet).vsan
        precheck = fleet.run_prechecks([moid(sim, "a.lab")])[moid(sim, "a.lab")]
        assert (precheck.vsan_resync_mb, precheck.vsan_inaccessible) == (None, None)


class TestMedia:
    def test_what_holds_a_running_vm(self) -> None:
        vms = [
            {"name": f"{word}-{source}", "host": "a.lab", "power": "on", "media": [{word: source}]}
            for word, source in (
                ("cd", "host"), ("cd", "client"), ("cd", "image"), ("floppy", "host"), ("usb", "host"), ("serial", "host"),
            )
        ]  # fmt: skip
        vms.append({"name": "off", "host": "a.lab", "media": [{"cd": "host"}]})
        fleet = watching(lab(vms=vms), "a.lab")
        assert {view.name: view.host_media for view in fleet.vms} == {
            "cd-host": ("CD/DVD drive 1",),
            "cd-client": ("CD/DVD drive 1",),
            "cd-image": (),
            "floppy-host": ("Floppy drive 1",),
            "usb-host": ("USB 1",),
            "serial-host": ("Serial port 1",),
            "off": (),
        }

    def test_an_image_on_a_disk_of_the_host(self) -> None:
        media = [{"cd": "image", "datastore": "a-nvme-data-2"}]
        vms = [{"name": "vm", "host": "a.lab", "power": "on", "media": media}]
        assert vm_of(watching(lab(vms=vms), "a.lab"), "vm").local_datastores == ("a-nvme-data-2",)

    def test_a_medium_that_was_put_in_without_a_trace_is_seen_before_the_host_is_started(self) -> None:
        sim = lab(vms=[{"name": "vm", "host": "a.lab", "power": "on", "media": [{"cd": "host", "connected": False}]}])
        fleet = watching(sim, "a.lab")
        assert vm_of(fleet, "vm").host_media == ()
        with sim.lock, sim.find(vim.VirtualMachine, "vm").edit("config") as config:
            for device in config.hardware.device:
                if isinstance(device, vim.vm.device.VirtualCdrom):
                    device.connectable.connected = True
        fleet.run_prechecks([moid(sim, "a.lab")])
        assert vm_of(fleet, "vm").host_media == ("CD/DVD drive 1",)


def test_a_vcenter_that_restarts_is_looked_at_anew() -> None:
    sim = lab()
    fleet = watching(sim, "a.lab")
    with sim.lock:
        sim.go_offline()
        sim.find(vim.HostSystem, "a.lab").set("runtime.inMaintenanceMode", True)
        sim.go_online()
    while not host_of(fleet).in_maintenance:
        assert fleet.wait(0)
    assert len(fleet.hosts) == 3
