# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene of a rolling reboot shows what the server shows, with few calls, and goes on through whatever happens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pyVmomi import vim

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.names import ResolvedNames
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import (
    ENTRY,
    LOCK,
    PAUSE,
    STOP_ORDER,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.observed import (
    Admission,
    ClusterView,
    HostView,
    VmView,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.rolling import inventory as roll_scene
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.rolling.inventory import (
    FleetInventory,
    RequestedHost,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.connect import connect_session
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.endpoint import Endpoint
from simulator.core.clock import ScaledClock
from simulator.lab.fleet import fleet_lab
from simulator.simulator import Simulator
from tests.unit.module_utils._vsphere.rolling.inventory_lab import (
    LABS,
    end_sessions,
    moid,
    open_session,
    simulator,
    watching,
)

MINUTES = 60.0


def host_of(fleet: FleetInventory, name: str) -> HostView:
    return next(view for view in fleet.hosts if view.name == name)


def vm_of(fleet: FleetInventory, name: str) -> VmView:
    return next(view for view in fleet.vms if view.name == name)


def cluster_of(fleet: FleetInventory, name: str) -> ClusterView:
    return next(view for view in fleet.clusters if view.name == name)


def settle(fleet: FleetInventory, seconds: float = 60) -> None:
    """Until nothing has happened for so long."""
    while fleet.wait(seconds):
        pass


class TestWhatThereIs:
    def test_a_host_in_service(self) -> None:
        sim = simulator("demo")
        fleet = watching(sim, "gpu-01.lab")
        view = host_of(fleet, "gpu-01.lab")
        used = sim.find(vim.HostSystem, "gpu-01.lab").get("summary.quickStats").overallMemoryUsage
        assert view.wanted
        assert view.connected
        assert view.in_service
        assert (view.model, view.memory_mb) == ("Dell Inc. PowerEdge R750xa", 786432)
        assert view.memory_free_mb == 786432 - used
        assert view.load == pytest.approx(used / 786432)
        assert view.datastores == {"gpu-01-nvme-data-4": True, "shared-gpu-a": True}
        assert view.uplinks == {"vmnic0": True}
        assert view.host.cluster == "gpu-a"
        assert view.host.boot_time == fleet.now() - 20 * 86400
        assert view.host.version == "8.0.3"
        assert len(view.host.devices) == 21
        assert (view.entering, view.rebooting, view.standby, view.quarantined) == (False, False, False, False)
        assert (view.tasks, view.red_alarms, view.quick_boot) == ((), (), False)
        assert view.host.is_reachable

    def test_hosts_of_the_same_cluster_come_along_and_no_others(self) -> None:
        fleet = watching(simulator("demo"), "gpu-01.lab")
        assert {view.name: view.wanted for view in fleet.hosts} == {
            "gpu-01.lab": True,
            "gpu-02.lab": False,
            "gpu-03.lab": False,
        }
        assert [view.name for view in fleet.clusters] == ["gpu-a"]

    def test_what_the_caller_says_of_hosts_is_on_them(self) -> None:
        sim = simulator("demo")
        desired_devices: Any = ("a wish",)
        wanted = RequestedHost(
            moid=moid(sim, "gpu-02.lab"), desired_devices=desired_devices, expected_reboot="it will owe one"
        )
        fleet = FleetInventory(open_session(sim), [wanted])
        fleet.wait(0)
        view = host_of(fleet, "gpu-02.lab")
        assert (view.desired_devices, view.expected_reboot) == (desired_devices, "it will owe one")
        assert host_of(fleet, "gpu-01.lab").desired_devices == ()

    def test_clusters(self) -> None:
        sim = simulator("demo")
        fleet = watching(sim, "gpu-01.lab")
        view = cluster_of(fleet, "gpu-a")
        assert view.moid == moid(sim, "gpu-a", vim.ClusterComputeResource)
        assert view.is_cluster
        assert (view.drs_moves_vms, view.vgpu_moves, view.vsan) == (True, False, False)
        assert view.admission == Admission(unit="hosts", wanted=1, current=2)

    def test_vms_and_what_keeps_them(self) -> None:
        fleet = watching(simulator("v80"), "vgpu-01.lab")
        fixed, dynamic, vgpu = (vm_of(fleet, name) for name in ("fixed-01", "dynamic-01", "vgpu-vm-01"))
        assert (fixed.devices, fixed.fixed) == (("PCI device 0 (0000:3b:00.0)",), True)
        assert (dynamic.devices, dynamic.fixed, dynamic.is_on) == (("PCI device 0",), False, False)
        assert (vgpu.devices, vgpu.vgpu) == ((), True)
        assert (dynamic.memory_mb, dynamic.reserved_mb) == (65536, 65536)
        assert fixed.tools_running
        assert fixed.has_tools
        assert fixed.host_moid == host_of(fleet, "whole-01.lab").moid

    def test_tools(self) -> None:
        fleet = watching(simulator("mixed"), "usual-01.lab")
        without, running = vm_of(fleet, "no-tools-01"), vm_of(fleet, "running-01")
        assert (without.has_tools, without.tools_running) == (False, False)
        assert (running.has_tools, running.tools_running) == (True, True)

    def test_drs_overrides(self) -> None:
        fleet = watching(simulator("mixed"), "usual-01.lab")
        assert vm_of(fleet, "pinned-01").drs_moves is False
        assert vm_of(fleet, "running-01").drs_moves is None

    def test_a_vm_on_a_disk_of_its_host(self) -> None:
        lab = small()
        lab["datacenters"][0]["clusters"][0]["vms"] = [
            {"name": "local", "host": "a.lab", "datastore": "a-nvme-data-2"},
            {"name": "shared", "host": "a.lab"},
        ]
        fleet = watching(simulator(lab), "a.lab")
        assert vm_of(fleet, "local").local_datastores == ("a-nvme-data-2",)
        assert vm_of(fleet, "shared").local_datastores == ()

    def test_a_host_that_is_away_is_shown_as_it_was(self) -> None:
        fleet = watching(simulator("mixed"), "usual-01.lab")
        gone, silent = host_of(fleet, "gone-01.lab"), host_of(fleet, "silent-01.lab")
        assert (gone.host.connection_state, silent.host.connection_state) == ("disconnected", "notResponding")
        assert not gone.host.is_reachable
        assert not silent.in_service

    def test_a_host_vcenter_never_saw(self) -> None:
        lab = small()
        lab["datacenters"][0]["clusters"][0]["hosts"].append(
            {"name": "unknown.lab", "known": False, "connection": "disconnected"}
        )
        view = host_of(watching(simulator(lab), "a.lab"), "unknown.lab")
        assert view.host.devices == ()
        assert not view.connected

    def test_templates_are_no_vms(self) -> None:
        lab = small()
        lab["datacenters"][0]["clusters"][0]["vms"] = [{"name": "golden", "template": True}, {"name": "one"}]
        assert [view.name for view in watching(simulator(lab), "a.lab").vms] == ["one"]

    def test_a_host_that_does_not_exist_is_absent(self) -> None:
        sim = simulator("demo")
        fleet = FleetInventory(
            open_session(sim), [RequestedHost(moid="host-999"), RequestedHost(moid=moid(sim, "gpu-01.lab"))]
        )
        fleet.wait(0)
        assert fleet.absent == ("host-999",)

    def test_no_host_at_all_is_an_error(self) -> None:
        sim = simulator("demo")
        with pytest.raises(DirectPathError, match="no longer shows any of these: host-999") as caught:
            FleetInventory(open_session(sim), [RequestedHost(moid="host-999")]).wait(0)
        assert caught.value.code == "vanished"


class TestReleases:
    @pytest.mark.parametrize(
        ("lab", "host", "devices"),
        [("standalone_67", "esx-67.lab", 19), ("home", "esx-home.lab", 14)],
    )
    def test_an_esxi_host_on_its_own(self, lab: str, host: str, devices: int) -> None:
        sim = simulator(lab)
        fleet = watching(sim, host)
        view, cluster = host_of(fleet, host), fleet.clusters[0]
        assert view.in_service
        assert len(view.host.devices) == devices
        assert view.host.cluster is None
        assert view.host.compute_moid == cluster.moid
        assert (cluster.is_cluster, cluster.drs_moves_vms, cluster.admission) == (False, None, None)
        assert all(vm.local_datastores for vm in fleet.vms)
        precheck = fleet.run_prechecks([view.moid])[view.moid]
        assert (precheck.evacuation_faults, precheck.evacuation_refused, precheck.vsan_resync_mb) == (None, "", None)

    def test_a_lonely_host_of_a_vcenter(self) -> None:
        lab = small()
        lab["datacenters"][0]["hosts"] = [{"name": "lonely.lab", "vms": [{"name": "vm", "power": "on"}]}]
        fleet = watching(simulator(lab), "lonely.lab", "a.lab")
        assert not cluster_of(fleet, "lonely.lab").is_cluster
        assert host_of(fleet, "lonely.lab").host.compute_moid == cluster_of(fleet, "lonely.lab").moid

    def test_5_5(self) -> None:
        fleet = watching(simulator("legacy_55"), "old-01.lab")
        view = host_of(fleet, "old-01.lab")
        assert view.in_service
        assert (view.model, len(view.host.devices), view.quarantined) == ("Dell Inc. PowerEdge R720", 17, False)
        assert fleet.clusters[0].drs_moves_vms is False
        assert vm_of(fleet, "web-01").is_on

    def test_an_old_api_version_of_a_new_server(self) -> None:
        sim = simulator("demo")
        fleet = watching(sim, "gpu-01.lab", session=open_session(sim, version="vim.version.version9"))
        assert host_of(fleet, "gpu-01.lab").quick_boot is False
        assert len(fleet.hosts) == 3


def small(**host: Any) -> dict[str, Any]:
    hosts = [{"name": f"{name}.lab", "cards": ["a100", "nvme-data"], **host} for name in ("a", "b", "c")]
    return {
        "kind": "vcenter",
        "version": "8.0.3",
        "datacenters": [{"name": "DC", "clusters": [{"name": "one", "hosts": hosts, "vms": []}]}],
    }


class TestCalls:
    @staticmethod
    def counted(hosts: int) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
        """Calls of the first look, of an idle one, and of one after a change."""
        sim = simulator(fleet_lab(hosts=hosts, vms=hosts, per_cluster=10))
        session = open_session(sim)
        names = [host.props["name"] for host in sim.registry.all(vim.HostSystem)]
        fleet = FleetInventory(session, [RequestedHost(moid=moid(sim, name)) for name in names])
        counts = []
        for act in (lambda: None, lambda: None, lambda: sim.events["touch_vm"](vm="cluster-01-vm-001")):
            act()
            session.stub.calls.clear()
            fleet.wait(0)
            counts.append(dict(session.stub.calls))
        assert len(fleet.hosts) == hosts
        return counts[0], counts[1], counts[2]

    @pytest.mark.parametrize("hosts", [10, 100])
    def test_are_the_same_for_10_hosts_and_for_100(self, hosts: int) -> None:
        first, idle, change = self.counted(hosts)
        assert first == {
            # Where the hosts are, devices of hosts, hardware of VMs, load.
            "RetrievePropertiesEx": 4,
            "CreatePropertyCollector": 1,
            "CreateFilter": 1,
            "WaitForUpdatesEx": 1,
        }
        assert idle == {"WaitForUpdatesEx": 1}
        assert change == {"WaitForUpdatesEx": 1, "RetrievePropertiesEx": 1}

    def test_there_is_one_filter(self) -> None:
        sim = simulator("demo")
        watching(sim, "gpu-01.lab", "gpu-02.lab", "nvme-01.lab")
        created = [entry for entry in sim.journal.calls if entry.method == "CreateFilter"]
        assert len(created) == 1
        assert not sim.journal.writes()


@pytest.fixture
def deeply(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Ids of the objects of each further read, in order."""
    reads: list[list[str]] = []
    real = roll_scene.collect_objects

    def spy(session: Any, kind: type, moids: Iterable[str], paths: Any) -> Any:
        wanted = sorted(moids)
        if wanted:
            reads.append(wanted)
        return real(session, kind, wanted, paths)

    monkeypatch.setattr(roll_scene, "collect_objects", spy)
    return reads


class TestReadingAgain:
    def test_devices_of_the_host_that_changed_and_of_no_other(self, deeply: list[list[str]]) -> None:
        sim = simulator("three_hosts")
        fleet = watching(sim, "esx-01.lab")
        deeply.clear()
        sim.events["set_device_state"](host="esx-02.lab", address="0000:3b:00.0", enabled=True)
        assert fleet.wait(0)
        assert deeply == [[moid(sim, "esx-02.lab")]]
        device = host_of(fleet, "esx-02.lab").host.device("0000:3b:00.0")
        assert device is not None
        assert device.state == "pending_enable"

    def test_nothing_when_load_or_maintenance_mode_changes(self, deeply: list[list[str]]) -> None:
        sim = simulator("three_hosts")
        fleet = watching(sim, "esx-01.lab")
        deeply.clear()
        sim.find(vim.HostSystem, "esx-01.lab").set("runtime.inMaintenanceMode", True)
        assert fleet.wait(0)
        assert host_of(fleet, "esx-01.lab").in_maintenance
        assert deeply == []

    def test_of_a_vm_that_was_edited(self, deeply: list[list[str]]) -> None:
        sim = simulator("three_hosts")
        fleet = watching(sim, "esx-01.lab")
        deeply.clear()
        sim.events["touch_vm"](vm="train-02")
        fleet.wait(0)
        assert deeply == [[moid(sim, "train-02", vim.VirtualMachine)]]

    def test_of_a_host_that_reboots_only_once_it_is_back(self, deeply: list[list[str]]) -> None:
        sim = simulator("three_hosts")
        session = open_session(sim)
        fleet = watching(sim, "esx-01.lab", session=session)
        away = moid(sim, "esx-03.lab")
        before = host_of(fleet, "esx-03.lab").host.boot_time
        host = session.reference(vim.HostSystem, away)
        host.EnterMaintenanceMode_Task(600, False, None)
        settle(fleet)
        deeply.clear()
        host.RebootHost_Task(False)
        seen = set()
        for _unused in range(40):
            fleet.wait(MINUTES)
            view = host_of(fleet, "esx-03.lab")
            if not view.connected:
                assert away not in [name for read in deeply for name in read]
            seen.add((view.connected, view.rebooting, view.host.boot_time != before))
            if view.host.boot_time != before:
                break
        assert (True, True, False) in seen
        assert (False, False, False) in seen
        assert (True, False, True) in seen
        assert [away] in deeply

    def test_after_a_refresh(self, deeply: list[list[str]]) -> None:
        sim = simulator("three_hosts")
        fleet = watching(sim, "esx-01.lab")
        deeply.clear()
        assert fleet.probe_services(moid(sim, "esx-01.lab"))
        assert fleet.wait(0)
        assert deeply == [[moid(sim, "esx-01.lab")]]

    def test_a_read_that_failed_is_made_up_for(self) -> None:
        sim = simulator("three_hosts")
        fleet = watching(sim, "esx-01.lab")
        sim.events["set_device_state"](host="esx-02.lab", address="0000:3b:00.0", enabled=True)
        sim.faults.add(method="RetrievePropertiesEx", fault="NotSupported", times=1)
        with pytest.raises(Exception, match=r"NotSupported|not supported"):
            fleet.wait(0)
        assert fleet.wait(0)
        device = host_of(fleet, "esx-02.lab").host.device("0000:3b:00.0")
        assert device is not None
        assert device.enabled


class TestGoingOn:
    def test_a_vm_that_joins_later_is_seen_and_one_that_goes_is_not(self) -> None:
        sim = simulator(small())
        fleet = watching(sim, "a.lab")
        assert fleet.vms == ()
        made = add_vm(sim, "a.lab", "late")
        assert fleet.wait(0)
        assert vm_of(fleet, "late").memory_mb == 16384
        with sim.lock:
            sim.remove(made)
        assert fleet.wait(0)
        assert fleet.vms == ()

    def test_vms_that_are_moved_are_where_they_are(self) -> None:
        sim = simulator("three_hosts")
        session = open_session(sim)
        fleet = watching(sim, "esx-01.lab", session=session)
        web = vm_of(fleet, "web-01")
        session.reference(vim.HostSystem, web.host_moid).EnterMaintenanceMode_Task(600, False, None)
        assert fleet.wait(1)
        assert host_of(fleet, "esx-01.lab").entering
        settle(fleet)
        assert vm_of(fleet, "web-01").host_moid != web.host_moid
        view = host_of(fleet, "esx-01.lab")
        assert (view.in_maintenance, view.entering, view.in_service) == (True, False, False)

    def test_everything_goes_on_after_the_session_ended(self, deeply: list[list[str]]) -> None:
        sim = simulator("three_hosts")
        session = open_session(sim)
        fleet = watching(sim, "esx-01.lab", session=session)
        views = fleet.hosts, fleet.vms, fleet.clusters
        deeply.clear()
        end_sessions(sim)
        fleet.wait(0)
        assert session.logins == 2
        assert (fleet.hosts, fleet.vms, fleet.clusters) == views
        assert deeply == []
        sim.events["power_vm"](vm="train-01", on=True)
        assert fleet.wait(0)
        assert vm_of(fleet, "train-01").is_on

    def test_a_host_that_moves_to_another_cluster_takes_the_watch_along(self) -> None:
        lab = small()
        other = {"name": "two", "hosts": [{"name": "d.lab"}], "vms": []}
        lab["datacenters"][0]["clusters"].append(other)
        sim = simulator(lab)
        fleet = watching(sim, "a.lab")
        with sim.lock:
            move_host(sim, "a.lab", "one", "two")
        settle(fleet)
        assert [view.name for view in fleet.clusters] == ["two"]
        assert {view.name: view.wanted for view in fleet.hosts} == {"a.lab": True, "d.lab": False}
        assert host_of(fleet, "a.lab").host.cluster == "two"
        assert fleet.absent == ()

    def test_a_host_that_comes_back_elsewhere_is_found_after_a_while(self) -> None:
        lab = small()
        lab["datacenters"][0]["clusters"].append({"name": "two", "hosts": [{"name": "d.lab"}], "vms": []})
        sim = simulator(lab)
        lost = moid(sim, "d.lab")
        session = open_session(sim)
        fleet = FleetInventory(session, [RequestedHost(moid=moid(sim, "a.lab")), RequestedHost(moid=lost)])
        with hidden(sim, "d.lab"):
            fleet.wait(0)
            assert fleet.absent == (lost,)
            calls = session.calls
            sim.clock.advance(200)
            fleet.wait(0)
            assert session.calls - calls == 1
        sim.clock.advance(200)
        assert fleet.wait(0)
        assert fleet.absent == ()
        assert [view.name for view in fleet.clusters] == ["one", "two"]


@contextmanager
def hidden(sim: Simulator, name: str) -> Iterator[None]:
    """The host is not in the inventory for a while."""
    host = sim.find(vim.HostSystem, name)
    with sim.lock:
        found = sim.registry._objects.pop(host.moid)
    try:
        yield
    finally:
        with sim.lock:
            sim.registry._objects[host.moid] = found


def add_vm(sim: Simulator, host: str, name: str) -> Any:
    """Somebody registers a VM."""
    from simulator.lab.vms import machines
    from simulator.objects.vm.vm import VirtualMachine

    with sim.lock:
        where = sim.find(vim.HostSystem, host)
        made = VirtualMachine(sim, machines.spec({"name": name}, where, Path()), where)
        made.first_devices = []
        datacenter = sim.find(vim.Datacenter, "DC")
        datacenter.folder("vm").adopt(made)
        where.set("vm", [*where.props["vm"], made.ref])
    return made


def move_host(sim: Simulator, name: str, old: str, new: str) -> None:
    host, source, target = (
        sim.find(vim.HostSystem, name),
        *(sim.find(vim.ClusterComputeResource, n) for n in (old, new)),
    )
    sim.reparent(host, target)
    source.set("host", [ref for ref in source.props["host"] if ref._moId != host.moid])
    target.set("host", [*target.props["host"], host.ref])


class TestTexts:
    @pytest.fixture
    def attributes(self) -> tuple[Simulator, Any, dict[int, str]]:
        sim = simulator("three_hosts")
        session = open_session(sim)
        manager = session.content.customFieldsManager
        fields = {
            manager.AddCustomFieldDef(name, None, None, None).key: name for name in (ENTRY, LOCK, PAUSE, STOP_ORDER)
        }
        return sim, session, fields

    @staticmethod
    def write(session: Any, fields: dict[int, str], reference: Any, name: str, text: str) -> None:
        key = next(key for key, known in fields.items() if known == name)
        session.content.customFieldsManager.SetField(reference, key, text)

    def test_of_hosts_clusters_and_the_root(self, attributes: Any) -> None:
        sim, session, fields = attributes
        fleet = watching(sim, "esx-01.lab", session=session)
        host, cluster = moid(sim, "esx-02.lab"), moid(sim, "compute", vim.ClusterComputeResource)
        self.write(session, fields, session.reference(vim.HostSystem, host), ENTRY, "an entry")
        self.write(session, fields, session.reference(vim.ClusterComputeResource, cluster), LOCK, "a lock")
        self.write(session, fields, session.content.rootFolder, PAUSE, "lunch")
        assert fleet.wait(0)
        assert fleet.texts == {}
        fleet.fields = fields
        assert fleet.texts == {host: {ENTRY: "an entry"}, cluster: {LOCK: "a lock"}, fleet.root: {PAUSE: "lunch"}}
        self.write(session, fields, session.reference(vim.HostSystem, host), ENTRY, "")
        fleet.wait(0)
        assert host not in fleet.texts

    def test_a_cluster_can_be_paused(self, attributes: Any) -> None:
        sim, session, fields = attributes
        fleet = watching(sim, "esx-01.lab", session=session, fields=fields)
        cluster = session.reference(vim.ClusterComputeResource, moid(sim, "compute", vim.ClusterComputeResource))
        self.write(session, fields, cluster, PAUSE, "audit")
        fleet.wait(0)
        assert cluster_of(fleet, "compute").pause == "audit"

    @pytest.mark.parametrize(
        ("text", "orders", "order"),
        [
            ("7", {}, 7),
            ("-2", {}, -2),
            ("soon", {}, 0),
            ("7", {"web-01": 3}, 3),
            ("", {"web-01": 3}, 3),
            ("--1", {}, 0),
        ],
    )
    def test_stop_order_of_a_vm(self, attributes: Any, text: str, orders: dict[str, int], order: int) -> None:
        sim, session, fields = attributes
        web = session.reference(vim.VirtualMachine, moid(sim, "web-01", vim.VirtualMachine))
        self.write(session, fields, web, STOP_ORDER, text)
        fleet = watching(sim, "esx-01.lab", session=session, fields=fields, orders=ResolvedNames(by_name=orders))
        assert vm_of(fleet, "web-01").order == order

    def test_vms_never_to_be_stopped_by_name_or_id(self) -> None:
        sim = simulator("three_hosts")
        by_id = moid(sim, "train-01", vim.VirtualMachine)
        named = ResolvedNames(by_id={by_id: True}, by_name={"web-01": True})
        fleet = watching(sim, "esx-01.lab", never_stop=named)
        assert {view.name for view in fleet.vms if view.never_stop} == {"web-01", "train-01"}


NAMES_LAB: dict[str, Any] = {
    "kind": "vcenter", "version": "8.0.3", "name": "vc.lab",
    "datacenters": [
        {
            "name": "DC",
            "clusters": [
                {
                    "name": "c1", "hosts": [{"name": "esx-01.lab", "cards": ["a100"]}],
                    "vms": [
                        {"name": "x%252fy", "host": "esx-01.lab"},
                        {"name": "db", "host": "esx-01.lab", "folder": "a"},
                        {"name": "web", "host": "esx-01.lab"},
                    ],
                },
                {"name": "c2", "hosts": [{"name": "esx-02.lab"}], "vms": [{"name": "db", "host": "esx-02.lab"}]},
            ],
        }
    ],
}  # fmt: skip


class TestNames:
    def test_they_are_decoded_once_however_often_an_object_changes(self) -> None:
        sim = simulator(NAMES_LAB)
        fleet = watching(sim, "esx-01.lab")
        for is_on in (True, False):
            sim.events["power_vm"](vm="x%252fy", on=is_on)
            assert fleet.wait(0)
            assert sorted(vm.name for vm in fleet.vms) == ["db", "web", "x%2fy"]

    def test_vms_of_one_name_are_shown_by_their_paths_and_cost_one_read(self) -> None:
        sim = simulator(NAMES_LAB)
        fleet = watching(sim, "esx-01.lab", "esx-02.lab")
        assert sorted(vm.name for vm in fleet.vms) == ["/DC/vm/a/db", "/DC/vm/db", "web", "x%2fy"]
        sim.journal.clear()
        sim.events["power_vm"](vm="web", on=True)
        assert fleet.wait(0)
        assert sorted(vm.name for vm in fleet.vms)[:2] == ["/DC/vm/a/db", "/DC/vm/db"]
        assert "CreateContainerView" not in [call.method for call in sim.journal.calls]

    def test_what_is_said_of_a_name_holds_for_a_vm_that_gets_it_later(self) -> None:
        sim = simulator(NAMES_LAB)
        fleet = watching(sim, "esx-01.lab", never_stop=ResolvedNames(by_name={"later": True}))
        assert not any(vm.never_stop for vm in fleet.vms)
        sim.find(vim.VirtualMachine, "web").set("name", "later")
        assert fleet.wait(0)
        assert [vm.name for vm in fleet.vms if vm.never_stop] == ["later"]


class TestTasks:
    def test_others_work_is_named_and_ours_is_not(self) -> None:
        sim = simulator("three_hosts")
        fleet = watching(sim, "esx-01.lab")
        host = sim.find(vim.HostSystem, "esx-01.lab")
        own = sim.start_task(None, host, "HostSystem.exitMaintenanceMode", lambda task: None, duration=100)
        sim.start_task(None, host, "HostSystem.reconnect", lambda task: None, duration=50)
        fleet.own_tasks.add(own.moid)
        fleet.wait(0)
        fleet.wait(1)
        assert host_of(fleet, "esx-01.lab").tasks == ("HostSystem.reconnect",)
        assert host_of(fleet, "esx-02.lab").tasks == ()
        sim.clock.advance(60)
        fleet.wait(0)
        assert host_of(fleet, "esx-01.lab").tasks == ()

    def test_a_remediation_of_the_cluster(self) -> None:
        sim = simulator("three_hosts")
        fleet = watching(sim, "esx-01.lab")
        cluster = sim.find(vim.ClusterComputeResource, "compute")
        sim.start_task(None, cluster, "com.vmware.vcIntegrity.RemediateTask", lambda task: None, duration=50)
        sim.start_task(None, cluster, "com.vmware.vcIntegrity.ScanTask", lambda task: None, duration=50)
        fleet.wait(1)
        assert cluster_of(fleet, "compute").remediation == "com.vmware.vcIntegrity.RemediateTask"
        sim.clock.advance(60)
        fleet.wait(0)
        assert cluster_of(fleet, "compute").remediation == ""


class TestTime:
    def test_now_goes_on_without_calls(self) -> None:
        sim = simulator("three_hosts")
        session = open_session(sim)
        fleet = FleetInventory(session, [])
        began = fleet.now()
        calls = session.calls
        sim.clock.advance(1000)
        assert fleet.now() == began + 1000
        assert session.calls == calls


def test_over_tls_sockets() -> None:
    clock = ScaledClock(1)
    sim = Simulator.from_lab(str(LABS / "three_hosts.yml"), clock=clock)
    account = next(iter(sim.authz.users.values()))
    with sim.serve(port=0) as server:
        endpoint = Endpoint(
            hostname="127.0.0.1",
            username=account.name,
            password=account.password,
            port=server.port,
            ca_path=str(server.ca_file),
        )
        session = connect_session(endpoint, read_only=True)
        fleet = FleetInventory(session, [RequestedHost(moid=moid(sim, "esx-01.lab"))])
        assert fleet.wait(0)
        assert len(fleet.hosts) == 3
        assert len(host_of(fleet, "esx-01.lab").host.devices) == 23
        assert vm_of(fleet, "web-01").tools_running
        sim.clock.call_later(0.3, lambda: sim.find(vim.HostSystem, "esx-02.lab").set("runtime.inMaintenanceMode", True))
        assert fleet.wait(60)
        assert host_of(fleet, "esx-02.lab").in_maintenance
        with sim.lock:
            sim.sessions.close_all()
            sim.find(vim.HostSystem, "esx-03.lab").set("runtime.inMaintenanceMode", True)
        assert fleet.wait(60)
        assert host_of(fleet, "esx-03.lab").in_maintenance
        precheck = fleet.run_prechecks([moid(sim, "esx-01.lab")])[moid(sim, "esx-01.lab")]
        assert precheck.evacuation_faults is not None
        fleet.close()
        session.close()
    sim.close()
