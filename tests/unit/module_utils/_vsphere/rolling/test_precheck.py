# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked before a host is started, the guards of calls, and whose maintenance mode it is."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim, vmodl

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.rolling.precheck import evacuation_faults
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.connect import Session
from simulator.simulator import Simulator
from tests.unit.module_utils._vsphere.rolling.inventory_lab import end_sessions, moid, open_session, simulator, watching
from tests.unit.pains import labs


@pytest.fixture
def sim() -> Simulator:
    return simulator("mixed")


@pytest.fixture
def session(sim: Simulator) -> Session:
    return open_session(sim)


def counted(session: Session) -> dict[str, int]:
    found = dict(session.stub.calls)
    session.stub.calls.clear()
    return found


class TestDryRun:
    def test_names_the_vms_that_would_stay(self, sim: Simulator, session: Session) -> None:
        fleet = watching(sim, "bare-01.lab", session=session)
        bare, usual = moid(sim, "bare-01.lab"), moid(sim, "usual-01.lab")
        prechecks = fleet.run_prechecks([bare, usual])
        faults = prechecks[bare].evacuation_faults
        assert faults is not None
        assert "DRS is disabled" in faults[moid(sim, "pinned-01", vim.VirtualMachine)]
        assert prechecks[usual].evacuation_faults == {}
        assert prechecks[bare].evacuation_refused == ""
        assert prechecks[bare].at == fleet.now()
        assert not sim.journal.writes()

    def test_is_allowed_in_check_mode(self, sim: Simulator) -> None:
        fleet = watching(sim, "bare-01.lab", session=open_session(sim, read_only=True))
        assert fleet.run_prechecks([moid(sim, "bare-01.lab")])[moid(sim, "bare-01.lab")].evacuation_faults

    @pytest.mark.parametrize("fault", ["NoPermission", "NotSupported"])
    def test_that_may_not_be_asked_says_nothing(self, sim: Simulator, session: Session, fault: str) -> None:
        fleet = watching(sim, "bare-01.lab", session=session)
        sim.faults.add(method="ClusterEnterMaintenanceMode", fault=fault)
        precheck = fleet.run_prechecks([moid(sim, "bare-01.lab")])[moid(sim, "bare-01.lab")]
        assert (precheck.evacuation_faults, precheck.evacuation_refused) == (None, "")

    def test_that_is_refused_says_why(self, sim: Simulator, session: Session) -> None:
        fleet = watching(sim, "bare-01.lab", session=session)
        sim.faults.add(
            method="ClusterEnterMaintenanceMode",
            fault="InsufficientFailoverResourcesFault",
            message="Not enough hosts.",
        )
        precheck = fleet.run_prechecks([moid(sim, "bare-01.lab")])[moid(sim, "bare-01.lab")]
        assert precheck.evacuation_faults == {}
        assert precheck.evacuation_refused.startswith("Not enough hosts.")

    def test_is_not_made_without_drs_nor_for_a_host_that_is_empty_already(
        self, session: Session, sim: Simulator
    ) -> None:
        fleet = watching(sim, "old-01.lab", session=session)
        session.stub.calls.clear()
        assert fleet.run_prechecks([moid(sim, "old-01.lab")])[moid(sim, "old-01.lab")].evacuation_faults is None
        assert "ClusterEnterMaintenanceMode" not in counted(session)
        other = simulator("legacy_55")
        without = watching(other, "old-01.lab", session=open_session(other))
        with other.lock:
            cluster = other.find(vim.ClusterComputeResource, "old")
            cluster.set("configurationEx.drsConfig.enabled", False)
        without.wait(0)
        assert without.run_prechecks([moid(other, "old-01.lab")])[moid(other, "old-01.lab")].evacuation_faults is None

    def test_hosts_that_are_away_are_left_out(self, sim: Simulator, session: Session) -> None:
        fleet = watching(sim, "gone-01.lab", session=session)
        session.stub.calls.clear()
        assert fleet.run_prechecks([moid(sim, "gone-01.lab")]) == {}
        assert session.calls == 0

    @pytest.mark.parametrize("count", [1, 2])
    def test_costs_one_call_a_host_and_two_reads(self, count: int) -> None:
        sim = simulator("demo")
        session = open_session(sim)
        fleet = watching(sim, "gpu-01.lab", session=session)
        fleet.clock.sync()
        session.stub.calls.clear()
        fleet.run_prechecks([moid(sim, name) for name in ("gpu-01.lab", "gpu-02.lab")[:count]])
        # Load of the cluster, devices of the VMs.
        assert counted(session) == {"RetrievePropertiesEx": 2, "ClusterEnterMaintenanceMode": count}

    def test_reasons_about_one_vm_and_about_none(self) -> None:
        full = vim.fault.InsufficientMemoryResourcesFault(unreserved=1, requested=2, msg="No memory.")
        entry = vim.cluster.DrsFaults.FaultsByVm
        result = vim.cluster.EnterMaintenanceResult(
            fault=vim.cluster.DrsFaults(
                reason="hostMaint",
                faultsByVm=[
                    entry(vm=vim.VirtualMachine("vm-1"), fault=[full, full]),
                    entry(vm=vim.VirtualMachine("vm-2"), fault=[vim.fault.DrsDisabledOnVm(msg="Off.")]),
                    entry(fault=[vim.fault.NoHost(name="x", msg="No host is left.")]),
                ],
            )
        )
        faults, refused = evacuation_faults(result)
        assert faults["vm-1"].count("No memory.") == 1
        assert faults["vm-2"].startswith("Off.")
        assert refused.startswith("No host is left.")
        assert evacuation_faults(vim.cluster.EnterMaintenanceResult()) == ({}, "")
        assert evacuation_faults(None) == ({}, "")


POWER = ("VirtualMachine.Interact.PowerOff", "VirtualMachine.Interact.PowerOn")


class TestPrivileges:
    """Of an account that may look at everything and do nothing."""

    @pytest.fixture
    def sim(self) -> Simulator:
        """Two hosts with a VM each that holds a device, and one that runs nothing."""
        hosts = [labs.host(cards=[labs.on()]), labs.host("esx-02", cards=[labs.on()]), labs.host("esx-03")]
        vms = [
            labs.vm(name, host=host, power="on", devices=[{"fixed": labs.FIRST}])
            for name, host in (("train-01", "esx-01"), ("train-02", "esx-02"))
        ]
        sim: Simulator = labs.lab(hosts, vms).sim
        return sim

    @pytest.fixture
    def reader(self, sim: Simulator) -> Session:
        sim.authz.add_user("reader@vsphere.local", "VMware1!", "ReadOnly")
        return open_session(sim, user="reader@vsphere.local")

    def test_those_to_stop_and_start_vms_that_cannot_leave(self, sim: Simulator, reader: Session) -> None:
        fleet = watching(sim, "esx-01", session=reader, stops_pinned=True)
        reader.stub.calls.clear()
        hosts = [moid(sim, name) for name in ("esx-01", "esx-02", "esx-03")]
        prechecks = fleet.run_prechecks(hosts)
        assert counted(reader)["HasPrivilegeOnEntities"] == 1
        vms = [moid(sim, name, vim.VirtualMachine) for name in ("train-01", "train-02")]
        assert [prechecks[host].denied for host in hosts] == [{vms[0]: POWER}, {vms[1]: POWER}, {}]

    @pytest.mark.parametrize(("host", "options"), [("esx-01", {}), ("esx-03", {"stops_pinned": True})])
    def test_are_not_asked_where_nothing_is_stopped(
        self, sim: Simulator, reader: Session, host: str, options: dict[str, Any]
    ) -> None:
        fleet = watching(sim, host, session=reader, **options)
        reader.stub.calls.clear()
        assert fleet.run_prechecks([moid(sim, host)])[moid(sim, host)].denied == {}
        assert "HasPrivilegeOnEntities" not in counted(reader)

    def test_are_asked_again_when_the_session_was_renewed_under_the_question(
        self, sim: Simulator, reader: Session
    ) -> None:
        fleet = watching(sim, "esx-01", session=reader, stops_pinned=True)

        sim.faults.add(method="HasPrivilegeOnEntities", fault="NotAuthenticated", times=1)
        assert fleet.run_prechecks([moid(sim, "esx-01")])[moid(sim, "esx-01")].denied
        assert reader.logins == 2

    @pytest.mark.parametrize("fault", ["NotSupported", "InvalidArgument", "ManagedObjectNotFound"])
    def test_that_cannot_be_told_keep_nobody_back(self, sim: Simulator, reader: Session, fault: str) -> None:
        fleet = watching(sim, "esx-01", session=reader, stops_pinned=True)
        sim.faults.add(method="HasPrivilegeOnEntities", fault=fault)
        assert fleet.run_prechecks([moid(sim, "esx-01")])[moid(sim, "esx-01")].denied == {}


class TestProtected:
    def lab(self) -> Simulator:
        """A host whose boot disk was set to be passed through: the next boot takes it away."""
        sim = simulator("three_hosts")
        host = sim.find(vim.HostSystem, "esx-01.lab")
        boot = next(device.address for device in host.spec.layout.functions.values() if device.device == 0xA824)
        sim.events["set_device_state"](host="esx-01.lab", address=boot, enabled=True)
        self.boot = boot
        return sim

    def test_what_the_reboot_would_take_is_said(self) -> None:
        sim = self.lab()
        fleet = watching(sim, "esx-01.lab")
        prechecks = fleet.run_prechecks([moid(sim, "esx-01.lab"), moid(sim, "esx-02.lab")])
        sentences = prechecks[moid(sim, "esx-01.lab")].protected
        assert len(sentences) == 1
        assert f"would lose {self.boot}" in sentences[0]
        assert prechecks[moid(sim, "esx-02.lab")].protected == ()

    def test_what_is_allowed_is_not_said(self) -> None:
        sim = self.lab()
        mine = moid(sim, "esx-01.lab")
        (sentence,) = watching(sim, "esx-01.lab").run_prechecks([mine])[mine].protected
        form = sentence.partition('its override is "')[2].partition('"')[0]
        assert form.startswith(f"esx-01.lab/{self.boot}=t10.")
        assert watching(sim, "esx-01.lab", allow_protected=(form,)).run_prechecks([mine])[mine].protected == ()
        for other in (f"esx-01.lab/{self.boot}", form + "0"):
            precheck = watching(sim, "esx-01.lab", allow_protected=(other,)).run_prechecks([mine])[mine]
            assert "the override " in precheck.protected[0]

    def test_what_a_host_lives_on_is_read_only_where_something_is_taken(self) -> None:
        sim = simulator("three_hosts")
        session = open_session(sim)
        fleet = watching(sim, "esx-01.lab", session=session)
        fleet.clock.sync()
        session.stub.calls.clear()
        fleet.run_prechecks([moid(sim, "esx-01.lab")])
        assert "RetrieveDiskPartitionInfo" not in counted(session)


class TestFresh:
    def test_a_host_is_read_in_one_call(self, sim: Simulator, session: Session) -> None:
        fleet = watching(sim, "moved-01.lab", session=session)
        host = session.reference(vim.HostSystem, moid(sim, "moved-01.lab"))
        session.stub.calls.clear()
        before = fleet.fresh_host(host._moId)
        assert counted(session) == {"RetrievePropertiesEx": 1}
        assert before is not None
        assert before.connected
        assert before.running == ("no-tools-01", "running-01")
        assert (before.in_maintenance, before.entering, before.tasks) == (False, False, ())
        assert before.boot_time == sim.find(vim.HostSystem, "moved-01.lab").boot_time.timestamp()
        host.EnterMaintenanceMode_Task(600, False, None)
        sim.clock.advance(0.1)
        entering = fleet.fresh_host(host._moId)
        assert entering is not None
        assert entering.entering
        assert [task.kind for task in entering.tasks] == ["enterMaintenanceMode"]

    def test_a_vm(self, sim: Simulator, session: Session) -> None:
        fleet = watching(sim, "moved-01.lab", session=session)
        fresh = fleet.fresh_vm(moid(sim, "running-01", vim.VirtualMachine))
        assert fresh is not None
        assert (fresh.power_state, fresh.host_moid) == ("poweredOn", moid(sim, "moved-01.lab"))

    def test_what_is_gone_is_none(self, sim: Simulator, session: Session) -> None:
        fleet = watching(sim, "moved-01.lab", session=session)
        assert fleet.fresh_host("host-999") is None
        assert fleet.fresh_vm("vm-999") is None


class TestSignsOfLife:
    def test_uptime(self, sim: Simulator, session: Session) -> None:
        fleet = watching(sim, "usual-01.lab", session=session)
        assert fleet.probe_uptime(moid(sim, "usual-01.lab")) == pytest.approx(20 * 86400)
        assert fleet.probe_uptime(moid(sim, "silent-01.lab")) is None

    def test_services(self, sim: Simulator, session: Session) -> None:
        fleet = watching(sim, "usual-01.lab", session=session)
        assert fleet.probe_services(moid(sim, "usual-01.lab"))
        assert not fleet.probe_services(moid(sim, "silent-01.lab"))

    def test_services_that_may_not_be_asked_are_taken_to_answer(self, sim: Simulator, session: Session) -> None:
        fleet = watching(sim, "usual-01.lab", session=session)
        sim.faults.add(method="Refresh", fault="NoPermission", times=1)
        assert fleet.probe_services(moid(sim, "usual-01.lab"))
        sim.faults.add(method="Refresh", fault="HostConfigFault", times=1)
        assert not fleet.probe_services(moid(sim, "usual-01.lab"))


class TestWhoseMaintenanceMode:
    """host moved-01 has running VMs that DRS moves away."""

    def enter(self, sim: Simulator, session: Session, name: str = "usual-01.lab") -> str:
        reference = session.reference(vim.HostSystem, moid(sim, name))
        reference.EnterMaintenanceMode_Task(0, False, None)
        sim.clock.advance(60)
        return str(reference._moId)

    def leave(self, sim: Simulator, session: Session, host: str) -> None:
        session.reference(vim.HostSystem, host).ExitMaintenanceMode_Task(0)
        sim.clock.advance(60)

    def ask(self, sim: Simulator, session: Session, *hosts: str, since: float) -> list[bool | None]:
        found = watching(sim, "usual-01.lab", session=session).maintenance_is_own(dict.fromkeys(hosts, since))
        return [found[host] for host in hosts]

    def test_ours(self, sim: Simulator, session: Session) -> None:
        began = sim.clock.now().timestamp()
        assert self.ask(sim, session, self.enter(sim, session), since=began) == [True]

    def test_somebody_elses(self, sim: Simulator, session: Session) -> None:
        began = sim.clock.now().timestamp()
        other = open_session(sim, user="operator@vsphere.local")
        assert self.ask(sim, session, self.enter(sim, other), since=began) == [False]

    @pytest.mark.parametrize(
        ("name", "own"),
        [
            ("VSPHERE.LOCAL\\Administrator", True),
            ("vsphere.local\\administrator", True),
            ("Administrator@vsphere.local", True),
            ("VSPHERE.LOCAL\\somebody", False),
            ("Administrator", False),
            ("", None),
        ],
    )
    def test_names_as_the_log_writes_them(self, sim: Simulator, session: Session, name: str, own: bool | None) -> None:
        began = sim.clock.now().timestamp()
        host = self.enter(sim, session)
        for record in sim.services.events.records:
            record.event.userName = name
        assert self.ask(sim, session, host, since=began) == [own]

    def test_one_that_was_there_before_is_not_known(self, sim: Simulator, session: Session) -> None:
        host = self.enter(sim, session)
        assert self.ask(sim, session, host, since=sim.clock.now().timestamp()) == [None]

    def test_ended_and_entered_again_is_not_ours(self, sim: Simulator, session: Session) -> None:
        began = sim.clock.now().timestamp()
        host = self.enter(sim, session)
        self.leave(sim, session, host)
        assert self.ask(sim, session, host, since=began) == [None]
        self.enter(sim, session)
        assert self.ask(sim, session, host, since=began) == [False]

    def test_many_hosts_are_one_query(self, sim: Simulator, session: Session) -> None:
        began = sim.clock.now().timestamp()
        hosts = [self.enter(sim, session, name) for name in ("usual-01.lab", "bare-01.lab", "dvs-01.lab")]
        fleet = watching(sim, "usual-01.lab", session=session)
        session.stub.calls.clear()
        found = fleet.maintenance_is_own(dict.fromkeys([*hosts, moid(sim, "no-iommu-01.lab")], began))
        assert found == {hosts[0]: True, hosts[1]: found[hosts[1]], hosts[2]: True, moid(sim, "no-iommu-01.lab"): None}
        assert counted(session)["QueryEvents"] == 1

    def test_nothing_is_asked_for_nothing(self, sim: Simulator, session: Session) -> None:
        fleet = watching(sim, "usual-01.lab", session=session)
        session.stub.calls.clear()
        assert fleet.maintenance_is_own({}) == {}
        assert session.calls == 0

    @pytest.mark.parametrize("fault", ["NoPermission", "NotSupported"])
    def test_a_log_that_may_not_be_read_does_not_tell(self, sim: Simulator, session: Session, fault: str) -> None:
        sim.faults.add(method="QueryEvents", fault=fault)
        assert self.ask(sim, session, "host-1", since=0.0) == [None]


@pytest.mark.parametrize(
    "question",
    [
        lambda fleet, host: fleet.run_prechecks([host])[host].evacuation_faults,
        lambda fleet, host: fleet.fresh_host(host).connected,
        lambda fleet, host: fleet.maintenance_is_own({host: 0.0}),
        lambda fleet, host: fleet.probe_uptime(host),
        lambda fleet, host: fleet.probe_services(host),
        lambda fleet, host: fleet.clock.sync(),
    ],
    ids=["precheck", "fresh host", "event log", "uptime", "services", "time"],
)
def test_questions_are_answered_after_the_session_ended(sim: Simulator, session: Session, question: Any) -> None:
    fleet = watching(sim, "usual-01.lab", session=session)
    host = moid(sim, "usual-01.lab")
    before = question(fleet, host)
    end_sessions(sim)
    assert question(fleet, host) == before
    assert session.logins == 2


def test_a_session_that_cannot_be_renewed_is_no_answer(sim: Simulator, session: Session) -> None:
    fleet = watching(sim, "usual-01.lab", session=session)
    end_sessions(sim)
    sim.faults.add(method="Login", fault="InvalidLogin")
    for question in (fleet.probe_uptime, fleet.probe_services, fleet.fresh_host):
        with pytest.raises(vmodl.MethodFault):
            question(moid(sim, "usual-01.lab"))
