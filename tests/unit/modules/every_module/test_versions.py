# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every call of the modules, at every API version: it arrives as it was meant, or it is refused. Nothing is dropped on the way.

The calls are recorded from module runs. What the code can send is read from the code: a new method, type or property that no run here
sends fails the first test.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyVmomi import vim

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.connect import READ_METHODS
from simulator.api import versions
from tests.unit.modules.contracts import KNOWS_9
from tests.unit.modules.every_module import sent
from tests.unit.modules.every_module.sent import Sent
from tests.unit.modules.every_module.test_contract import SCENARIOS
from tests.unit.modules.harness import Lab
from tests.unit.modules.host_device_mode.test_capacity import ready
from tests.unit.modules.host_rolling_reboot.lab import Roll
from tests.unit.pains.labs import FIRST, GPUS, host, lab, on, vm

FROM_CONTRACTS = (
    "enable with a label",
    "attach fixed",
    "attach and start",
    "detach all and unlock",
    "pause",
    "end the pause",
    "reserve a size",
    "guests",
    "exit codes in guests",
    "set virtual functions",
    "share GPUs as vGPUs, with a restart of Xorg",
    "add two adapters",
    "change one",
)
LABS = Path(__file__).parents[4] / "simulator" / "labs"
SUBSYSTEM = {"vendor_id": "10de", "device_id": "20f1", "subvendor_id": "10de", "subdevice_id": "145f"}


def cycle() -> None:
    """A running VM with a memory limit and hot-add is shut down for a device, and hardware labels and subsystems choose it."""
    cards = [on(), on()]
    made = lab([host(cards=cards)], [vm(power="on", memory_hot_add=True, cpu_hot_add=True)])
    wanted = [{"match": SUBSYSTEM, "label": "ml"}]
    made.run("host_passthrough", hosts=["esx-01"], devices=[{"match": "10de:20f1", "label": "ml"}])
    made.run("vm_pci_device", vm=["train-01"], devices=wanted, disable_hot_add=True, power="cycle", backing="dynamic")


def instead_of_virtual_functions() -> None:
    """A port that has virtual functions is passed through itself."""
    where = {"name": "esx-01", "cards": ["connectx6", *GPUS], "states": {"0000:3b:00.1": {"virtual_functions": 4}}}
    address = {"match": {"address": "0000:3b:00.1"}}
    lab([where]).run("host_passthrough", hosts=["esx-01"], devices=[address], allow_protected=["esx-01/0000:3b:00.1"])


def with_vsan() -> None:
    """Maintenance mode that says what happens to vSAN data, and the passthrough that is only to be at the next reboot."""
    made = lab([host(cards=GPUS), host("esx-02")])
    made.run("host_passthrough", hosts=["esx-01"], devices=[{"match": "10de:20f1"}], apply="reboot")
    made.run("host_maintenance", hosts=["esx-01"], vsan_mode="ensureObjectAccessibility")


def at_once() -> None:
    """Passthrough without a reboot."""
    lab([host()]).run("host_passthrough", hosts=["esx-01"], devices=[{"match": {"address": FIRST}}], apply="now")


def what_vms_share() -> None:
    """vGPUs with a setting and a NUMA node, a vendor device group and a DVX device, whose parameters and node change then."""
    made = Lab.load({**yaml.safe_load((LABS / "nvlink.yml").read_text()), "version": "8.0.3"})
    group = {"group": "Nvidia:2@grid_a100-40c%NVLink"}
    dvx = {"class": "com.vmware.dvxtestconst.mode", "parameters": {"mode": 2}}
    wanted = [{"vgpu": "grid_a100-40c", "advanced": {"enable_uvm": "1"}, "numa_node": 0}, group, {"dvx": dvx}]
    made.run("vm_pci_device", vm=["train-01"], devices=wanted)
    edited = [{"dvx": {**dvx, "parameters": {"mode": 4}}, "numa_node": 1}, {"vgpu": "grid_a100-40c", "numa_node": 1}]
    made.run("vm_pci_device", vm=["train-01"], devices=edited)


def on_numa_nodes() -> None:
    """The NUMA nodes of fixed and dynamic devices, new and edited in place."""
    made = lab([host(cards=[on(), on()])], [vm(version=20), vm("train-02", version=20)])
    for name, backing in (("train-01", "fixed"), ("train-02", "dynamic")):
        for node in (0, 1):
            wanted = [{"match": "10de:20f1", "numa_node": node}]
            made.run("vm_pci_device", vm=[name], devices=wanted, backing=backing)


def upgraded_and_pinned() -> None:
    """The hardware version, the latency sensitivity and the VM-host rule of a VM with a fixed device."""
    made = lab([host(cards=[on()])], [vm(version=17)])
    entry = {"name": "train-01", "devices": [{"match": "10de:20f1"}], "backing": "fixed"}
    made.run(
        "vm_pci_device",
        vms=[{**entry, "minimum_hardware_version": 19, "pin_to_host": True, "latency_sensitivity": "high"}],
    )
    made.run("vm_pci_device", vms=[{**entry, "pin_to_host": False}])


def on_a_standard_switch() -> None:
    """An adapter in a port group of a standard switch, which keeps its virtual function while its MTU permission changes."""
    made = Lab.load("nfv")
    entry = {"network": "lab-net", "physical_function": "vmnic4"}
    made.run("vm_sriov_network", vm=["fw-01"], sriov_networks=[entry], power="on")
    wanted = [{**entry, "allow_guest_mtu_change": True}]
    made.run("vm_sriov_network", vm=["fw-01"], sriov_networks=wanted, power="cycle", allow_power_off=True)


def events_in_vcenter() -> None:
    """A rolling reboot and a maintenance that write to the event logs of hosts and VMs."""
    Roll.pinned(pinned_vms="shutdown", vcenter_events=True).run()
    lab([host(cards=GPUS), host("esx-02")]).run("host_maintenance", hosts=["esx-01"], vcenter_events=True)


def capacities() -> None:
    """What DirectPath profiles leave, of clusters and of hosts."""
    if not KNOWS_9:
        return
    made = ready()
    for place in ("cluster", "host"):
        made.run("host_pci_device_info", cluster=["nine"], capacity=place, gather_protection=False)


MORE: tuple[Callable[[], None], ...] = (
    cycle,
    instead_of_virtual_functions,
    with_vsan,
    at_once,
    what_vms_share,
    on_numa_nodes,
    upgraded_and_pinned,
    on_a_standard_switch,
    events_in_vcenter,
    capacities,
)
RARE: dict[str, tuple[type[Any], str, tuple[Any, ...]]] = {
    "RebootHost_Task": (vim.HostSystem, "Reboot", (False,)),
    "ExitMaintenanceMode_Task": (vim.HostSystem, "ExitMaintenanceMode", (600,)),
    "PowerOffVM_Task": (vim.VirtualMachine, "PowerOff", ()),
    "PowerOnVM_Task": (vim.VirtualMachine, "PowerOn", (vim.HostSystem("host-1"),)),
    "ShutdownHost_Task": (vim.HostSystem, "Shutdown", (False,)),
    "CancelTask": (vim.Task, "Cancel", ()),
    "TerminateProcessInGuest": (
        vim.vm.guest.ProcessManager,
        "TerminateProcess",
        (
            vim.VirtualMachine("vm-1"),
            vim.vm.guest.NamePasswordAuthentication(username="root", password="x", interactiveSession=False),
            7,
        ),
    ),
}
"""Writes that only a long or a troubled run sends, with the arguments from the code, which have no parts."""

pytestmark = [pytest.mark.slow, pytest.mark.both_ends]


@pytest.fixture(scope="module")
def calls() -> list[Sent]:
    """What the collection sends, each call once."""
    found: list[Sent] = []
    with sent.recording(found):
        for title in FROM_CONTRACTS:
            made = SCENARIOS[title].prepare()
            made.run(SCENARIOS[title].module, **SCENARIOS[title].options)
        for run in MORE:
            run()
    found += [Sent(kind._GetMethodInfo(name), arguments) for kind, name, arguments in RARE.values()]
    # pyVmomi makes the description of Fetch for each call, from the version of its stub.
    return list({repr((call.method, call.arguments)): call for call in found if call.method != "Fetch"}.values())


def test_everything_that_the_code_can_write_is_here(calls: list[Sent]) -> None:
    writes = [call for call in calls if call.method not in READ_METHODS]
    not_writes = {*READ_METHODS, "DropConnections"}  # the latter is a method of the stub, too
    assert sent.methods_in_code() - not_writes == {call.method for call in writes}
    known = {part for call in calls for part in sent.parts(list(call.arguments))}
    # Of the reads, the query of a vSAN is here in no run, and those of profiles only with a pyVmomi that has them.
    profiles = {("TargetCluster", "cluster"), ("TargetHost", "host"), ("CapacityQueryById", "id")}
    assert sent.parts_in_code() - known == {("CmmdsQuery", "type")} | (set() if KNOWS_9 else profiles)
    # No simulated server shows the virtual function of a VM that is off, which an edit would keep.
    assert sent.properties_set_in_code() - {name for _kind, name in known} == {"virtualFunctionBacking"}


@pytest.mark.parametrize("version", sent.LABS, ids=versions.version_id)
def test_each_call_arrives_as_it_was_meant_or_is_refused(calls: list[Sent], version: str) -> None:
    refused = [call for call in calls if call.is_refused(version)]
    assert [call.method for call in calls if call.arrives(version) == (call in refused)] == []
    # And nothing else is: this is all that a module asks of a newer API.
    number = versions._numbers(versions.version_id(version))
    expected: dict[str, tuple[int, ...]] = {
        "ReconfigVM_Task": (8, 0, 0, 1),
        "UpdatePassthruConfig": (7, 0, 2, 0),
        "UpdateGraphicsConfig": (8, 0, 3),
        "QueryConfigOptionEx": (6, 0),
    }
    if KNOWS_9:
        expected |= dict.fromkeys(("DirectPathProfileManagerList", "DirectPathProfileManagerQueryCapacity"), (9, 0))
    assert {call.method for call in refused} == {method for method, since in expected.items() if number < since}


# -- and before anything is stopped ------------------------------------------------------------------------------------

DYNAMIC = {"vm": ["train-01"], "devices": [{"match": "10de:20f1"}], "backing": "dynamic", "mmio": {}, "power": "cycle"}


def old_session() -> Lab:
    """A session at API version 6.7 with a newer vCenter: pyVmomi is too old."""
    version = next(one for one in sent.LABS if versions.version_id(one) == "6.7")
    made = lab([host(cards=[on(), on()])], [vm(power="on")], version="8.0.3")
    made.api_version = version
    return made


@pytest.mark.parametrize("check", [True, False], ids=["check", "run"])
def test_a_running_vm_is_not_stopped_for_what_cannot_be_sent(check: bool) -> None:
    made = old_session()
    result = made.run("vm_pci_device", fails=True, check=check, **DYNAMIC)
    assert result["error_code"] == "library_too_old"
    assert (
        "train-01 cannot have a dynamic passthrough device: this needs API version 7.0. vCenter has it" in result["msg"]
    )
    assert "or use backing: fixed" in result["msg"]
    assert made.writes() == []


def test_drift_says_why_it_stays() -> None:
    vms = [{"name": "train-01", "devices": DYNAMIC["devices"], "backing": "dynamic"}]
    report = old_session().run("drift_info", targets=[], vms=vms)["report"]
    assert "cannot have a dynamic passthrough device: this needs API version 7.0" in str(report)
