# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What rows of hosts, clusters, tasks and alarms come to, and what keeps a VM where it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from pyVmomi import vim, vmodl

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.observed import Admission
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.property_collector.retrieve import Row
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.read.vm_hardware import vm_hardware
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.rolling import from_rows
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.rolling.precheck import (
    incomplete_objects,
    resync_mb,
)

HOST = vim.HostSystem("host-1")
CLUSTER = vim.ClusterComputeResource("domain-c1")
DEVICE = vim.vm.device


def row(kind: type = vim.HostSystem, moid: str = "host-1", missing: Any = None, **values: Any) -> Row:
    """Underscores in names stand for dots."""
    return Row(
        kind=kind,
        moid=moid,
        values={name.replace("_", "."): value for name, value in values.items()},
        missing=missing or {},
    )


def task(
    identifier: str, state: str = "running", entity: Any = HOST, told: str | None = None, moid: str = "task-1"
) -> Row:
    description = vmodl.LocalizableMessage(key="x", message=told) if told else None
    values = {
        "info.state": state,
        "info.descriptionId": identifier,
        "info.entity": entity,
        "info.description": description,
    }
    return Row(kind=vim.Task, moid=moid, values=values)


class TestTasks:
    def test_only_those_that_have_not_ended_count(self) -> None:
        rows = [task("HostSystem.reboot", state, moid=state) for state in ("queued", "running", "success", "error")]
        found = from_rows.running_tasks(rows)
        assert {one.moid for one in found["host-1"]} == {"queued", "running"}

    @pytest.mark.parametrize(
        ("identifier", "entering", "reboot"),
        [
            ("HostSystem.enterMaintenanceMode", True, False),
            ("HostSystem.exitMaintenanceMode", False, False),
            ("HostSystem.reboot", False, True),
            ("HostSystem.shutdown", False, True),
            ("HostSystem.disconnect", False, False),
        ],
    )
    def test_kinds(self, identifier: str, entering: bool, reboot: bool) -> None:
        one = from_rows.running_tasks([task(identifier)])["host-1"][0]
        assert (one.is_entering, one.is_reboot) == (entering, reboot)
        assert one.kind == identifier.removeprefix("HostSystem.")

    @pytest.mark.parametrize(
        ("identifier", "remediates"),
        [
            ("com.vmware.vcIntegrity.RemediateTask", True),
            ("com.vmware.vcIntegrity.RemediatePrecheckTask", False),
            ("com.vmware.vcIntegrity.ScanTask", False),
            ("com.vmware.esx.settings.clusters.software.apply", True),
            ("com.vmware.esx.settings.clusters.software.scan", False),
            ("com.vmware.esx.settings.clusters.software.check", False),
            ("ComputeResource.reconfigureEx", False),
        ],
    )
    def test_remediation(self, identifier: str, remediates: bool) -> None:
        one = from_rows.running_tasks([task(identifier, entity=CLUSTER)])["domain-c1"][0]
        assert one.is_remediation is remediates

    def test_a_task_is_called_what_the_server_calls_it(self) -> None:
        found = from_rows.running_tasks([task("com.x.y", told="Remediate cluster"), task("com.x.z", moid="task-2")])
        assert [one.name for one in found["host-1"]] == ["Remediate cluster", "com.x.z"]

    def test_a_task_about_nothing_is_left_out(self) -> None:
        assert from_rows.running_tasks([task("x", entity=None)]) == {}


def alarm(
    status: str = "red", *, of: Any = HOST, acknowledged: bool | None = None, disabled: bool | None = None
) -> Any:
    return vim.alarm.AlarmState(
        key="k",
        entity=of,
        alarm=vim.alarm.Alarm("alarm-1"),
        overallStatus=status,
        time=datetime(2026, 1, 5, tzinfo=UTC),
        acknowledged=acknowledged,
        disabled=disabled,
    )


@pytest.mark.parametrize(
    ("state", "counts"),
    [
        (alarm(), True),
        (alarm(acknowledged=False), True),
        (alarm("yellow"), False),
        (alarm(acknowledged=True), False),
        (alarm(disabled=True), False),
        (alarm(of=vim.VirtualMachine("vm-1")), False),
    ],
    ids=["red", "not acknowledged", "yellow", "acknowledged", "disabled", "of a VM on it"],
)
def test_alarms_that_count(state: Any, counts: bool) -> None:
    assert from_rows.red_alarms(row(triggeredAlarmState=[state])) == (("alarm-1",) if counts else ())


def test_custom_texts_are_those_of_known_keys_that_say_something() -> None:
    values = [vim.CustomFieldsManager.StringValue(key=key, value=text) for key, text in ((1, "a"), (2, ""), (3, "c"))]
    assert from_rows.custom_texts(row(customValue=values), {1: "one", 2: "two"}) == {"one": "a"}
    assert from_rows.custom_texts(row(), {1: "one"}) == {}


def store(name: str, **hosts: vim.host.MountInfo) -> Row:
    mounted = [
        vim.Datastore.HostMount(key=vim.HostSystem(host.replace("_", "-")), mountInfo=info)
        for host, info in hosts.items()
    ]
    return Row(kind=vim.Datastore, moid=f"datastore-{name}", values={"name": name, "host": mounted})


def mount(accessible: bool | None = True, mounted: bool | None = True) -> vim.host.MountInfo:
    return vim.host.MountInfo(accessMode="readWrite", accessible=accessible, mounted=mounted)


class TestDatastores:
    def test_each_host_with_what_it_can_reach(self) -> None:
        found = from_rows.mounts(
            [store("a", host_1=mount(), host_2=mount(accessible=False)), store("b", host_1=mount(accessible=None))]
        )
        assert found.of("host-1") == {"a": True, "b": True}
        assert found.of("host-2") == {"a": False}
        assert found.of("host-3") == {}

    def test_what_is_not_mounted_is_not_there(self) -> None:
        assert from_rows.mounts([store("a", host_1=mount(mounted=False))]).of("host-1") == {}

    @pytest.mark.parametrize(
        ("other", "local"),
        [(None, True), (mount(), False), (mount(accessible=False), False), (mount(mounted=False), True)],
        ids=["alone", "shared", "shared with a host that is away", "not mounted elsewhere"],
    )
    def test_local_is_what_no_other_host_mounts(self, other: Any, local: bool) -> None:
        rows = [store("a", host_1=mount(), **({} if other is None else {"host_2": other}))]
        found = from_rows.mounts(rows).local(["host-1", "host-2"])
        assert found["host-1"] == (frozenset({"a"}) if local else frozenset())

    def test_hosts_of_other_clusters_do_not_count(self) -> None:
        found = from_rows.mounts([store("a", host_1=mount(), host_9=mount())])
        assert found.local(["host-1", "host-2"]) == {"host-1": frozenset({"a"}), "host-2": frozenset()}


class TestSize:
    def test_maker_and_model(self) -> None:
        def model(vendor: str, name: str) -> str:
            hardware = SimpleNamespace(vendor=vendor, model=name, memorySize=2**30, cpuMhz=2000, numCpuCores=4)
            return from_rows.size(Row(kind=vim.HostSystem, moid="h", values={"summary.hardware": hardware})).model

        assert model("Dell Inc.", "PowerEdge R750") == "Dell Inc. PowerEdge R750"
        assert model("HPE", "HPE ProLiant DL380") == "HPE ProLiant DL380"
        assert model("", "Thing ") == "Thing"

    def test_load_is_the_larger_share(self) -> None:
        have = from_rows.Size(memory_mb=1000, cpu_mhz=8000)
        assert from_rows.load(have, from_rows.Use(cpu_mhz=4000, memory_mb=100)) == 0.5
        assert from_rows.load(have, from_rows.Use(cpu_mhz=0, memory_mb=900)) == 0.9
        assert from_rows.load(have, from_rows.Use(cpu_mhz=9000, memory_mb=0)) == 1.0
        assert from_rows.load(have, from_rows.Use()) == 0.0
        assert from_rows.load(from_rows.Size(), from_rows.Use(cpu_mhz=1, memory_mb=1)) == 0.0

    def test_free_memory(self) -> None:
        assert from_rows.memory_free(from_rows.Size(memory_mb=1000), from_rows.Use(memory_mb=300)) == 700
        assert from_rows.memory_free(from_rows.Size(memory_mb=1000), from_rows.Use(memory_mb=1300)) == 0
        assert from_rows.memory_free(from_rows.Size(memory_mb=1000), from_rows.Use()) is None

    def test_an_uplink_without_speed_or_without_a_card_is_down(self) -> None:
        speed = vim.host.PhysicalNic.LinkSpeedDuplex(speedMb=10000, duplex=True)
        pnics = [SimpleNamespace(device="vmnic0", linkSpeed=speed), SimpleNamespace(device="vmnic1", linkSpeed=None)]
        found = from_rows.links(row(config_network_pnic=pnics), ["vmnic0", "vmnic1", "vmnic2"])
        assert found == {"vmnic0": True, "vmnic1": False, "vmnic2": False}


def config(
    *,
    drs: bool = True,
    behavior: str = "fullyAutomated",
    overridable: bool | None = True,
    overrides: Any = (),
    options: dict[str, str] | None = None,
    das: Any = None,
    vsan: bool | None = None,
) -> Any:
    return vim.cluster.ConfigInfoEx(
        vmSwapPlacement="vmDirectory",
        drsConfig=vim.cluster.DrsConfigInfo(
            enabled=drs,
            defaultVmBehavior=behavior,
            enableVmBehaviorOverrides=overridable,
            option=[vim.option.OptionValue(key=key, value=value) for key, value in (options or {}).items()],
        ),
        dasConfig=das or vim.cluster.DasConfigInfo(enabled=False),
        drsVmConfig=[
            vim.cluster.DrsVmConfigInfo(key=vim.VirtualMachine(vm), enabled=enabled, behavior=how)
            for vm, enabled, how in overrides
        ],
        vsanConfigInfo=None if vsan is None else vim.vsan.cluster.ConfigInfo(enabled=vsan),
    )


class TestRules:
    @pytest.mark.parametrize(
        ("drs", "behavior", "moves"),
        [
            (True, "fullyAutomated", True),
            (True, "partiallyAutomated", False),
            (True, "manual", False),
            (False, "fullyAutomated", False),
        ],
    )
    def test_drs(self, drs: bool, behavior: str, moves: bool) -> None:
        found = from_rows.rules(config(drs=drs, behavior=behavior))
        assert (found.drs, found.drs_enabled) == (moves, drs)

    def test_overrides(self) -> None:
        found = from_rows.rules(
            config(
                behavior="manual",
                overrides=[
                    ("vm-off", False, None),
                    ("vm-auto", None, "fullyAutomated"),
                    ("vm-manual", True, "manual"),
                    ("vm-as-cluster", True, None),
                ],
            )
        )
        assert found.overrides == {"vm-off": False, "vm-auto": True, "vm-manual": False, "vm-as-cluster": False}

    def test_overrides_that_are_switched_off_do_not_count(self) -> None:
        assert from_rows.rules(config(overridable=False, overrides=[("vm", False, None)])).overrides == {}

    @pytest.mark.parametrize(
        ("options", "moves"),
        [
            ({}, False),
            ({"VgpuMMAutomationTimeoutSecs": "-1"}, True),
            ({"vgpummautomationtimeoutsecs": "-1"}, True),
            ({"VgpuMMAutomationTimeoutSecs": "0"}, False),
            ({"Other": "-1"}, False),
        ],
    )
    def test_vgpu(self, options: dict[str, str], moves: bool) -> None:
        assert from_rows.rules(config(options=options)).vgpu_moves is moves

    @pytest.mark.parametrize(("vsan", "found"), [(None, False), (False, False), (True, True)])
    def test_vsan(self, vsan: bool | None, found: bool) -> None:
        assert from_rows.rules(config(vsan=vsan)).vsan is found

    def test_a_configuration_that_may_not_be_read_is_not_known(self) -> None:
        found = from_rows.rules(None)
        assert (found.drs, found.vgpu_moves, found.overrides) == (None, None, {})


def das(policy: Any, *, enabled: bool = True, admission: bool = True, level: int | None = None) -> Any:
    return config(
        das=vim.cluster.DasConfigInfo(
            enabled=enabled, admissionControlEnabled=admission, admissionControlPolicy=policy, failoverLevel=level
        )
    )


def summary(info: Any = None, level: int = 0) -> Any:
    return SimpleNamespace(admissionControlInfo=info, currentFailoverLevel=level)


HOSTS = vim.cluster.FailoverLevelAdmissionControlPolicy(failoverLevel=2)
PERCENT = vim.cluster.FailoverResourcesAdmissionControlPolicy(
    cpuFailoverResourcesPercent=25, memoryFailoverResourcesPercent=30
)


class TestAdmission:
    def test_by_hosts(self) -> None:
        info = vim.cluster.FailoverLevelAdmissionControlInfo(currentFailoverLevel=3)
        assert from_rows.admission(das(HOSTS), summary(info)) == Admission(unit="hosts", wanted=2, current=3)

    def test_by_hosts_as_old_servers_tell_it(self) -> None:
        assert from_rows.admission(das(None, level=1), summary(level=4)) == Admission(unit="hosts", wanted=1, current=4)

    def test_by_percent_the_scarcer_of_cpu_and_memory(self) -> None:
        def current(cpu: int, memory: int) -> Any:
            return summary(
                vim.cluster.FailoverResourcesAdmissionControlInfo(
                    currentCpuFailoverResourcesPercent=cpu, currentMemoryFailoverResourcesPercent=memory
                )
            )

        assert from_rows.admission(das(PERCENT), current(90, 40)) == Admission(unit="percent", wanted=30, current=40)
        assert from_rows.admission(das(PERCENT), current(28, 80)) == Admission(unit="percent", wanted=25, current=28)

    @pytest.mark.parametrize(
        ("settings", "told"),
        [
            (das(HOSTS, enabled=False), summary(level=1)),
            (das(HOSTS, admission=False), summary(level=1)),
            (das(HOSTS), None),
            (das(PERCENT), summary(level=1)),
            (das(vim.cluster.FailoverHostAdmissionControlPolicy()), summary(level=1)),
            (None, summary(level=1)),
        ],
        ids=["HA off", "admission off", "no summary", "no percentages told", "dedicated hosts", "not readable"],
    )
    def test_where_there_is_nothing_to_reckon_with(self, settings: Any, told: Any) -> None:
        assert from_rows.admission(settings, told) is None


def connected(yes: bool = True) -> Any:
    return DEVICE.VirtualDevice.ConnectInfo(startConnected=yes, allowGuestControl=True, connected=yes)


def device(cls: Any, backing: Any, label: str = "thing", **fields: Any) -> Any:
    return cls(key=1, deviceInfo=vim.Description(label=label, summary=""), backing=backing, **fields)


MEDIA = [
    (DEVICE.VirtualCdrom, DEVICE.VirtualCdrom.AtapiBackingInfo(deviceName="cd"), True),
    (DEVICE.VirtualCdrom, DEVICE.VirtualCdrom.PassthroughBackingInfo(deviceName="cd", exclusive=True), True),
    (DEVICE.VirtualCdrom, DEVICE.VirtualCdrom.RemotePassthroughBackingInfo(deviceName="cd", exclusive=True), True),
    (DEVICE.VirtualCdrom, DEVICE.VirtualCdrom.RemoteAtapiBackingInfo(deviceName="cd"), True),
    (DEVICE.VirtualCdrom, DEVICE.VirtualCdrom.IsoBackingInfo(fileName="[iso] x.iso"), False),
    (DEVICE.VirtualFloppy, DEVICE.VirtualFloppy.DeviceBackingInfo(deviceName="fd"), True),
    (DEVICE.VirtualFloppy, DEVICE.VirtualFloppy.RemoteDeviceBackingInfo(deviceName="fd"), True),
    (DEVICE.VirtualSerialPort, DEVICE.VirtualSerialPort.DeviceBackingInfo(deviceName="/dev/char/serial/uart0"), True),
    (DEVICE.VirtualParallelPort, DEVICE.VirtualParallelPort.DeviceBackingInfo(deviceName="/dev/parport0"), True),
]


class TestMedia:
    @pytest.mark.parametrize(("cls", "backing", "holds"), MEDIA, ids=lambda value: getattr(value, "__name__", ""))
    def test_what_holds_a_vm_while_it_is_connected(self, cls: Any, backing: Any, holds: bool) -> None:
        extra = {"yieldOnPoll": True} if cls is DEVICE.VirtualSerialPort else {}
        here = device(cls, backing, connectable=connected(), **extra)
        away = device(cls, backing, connectable=connected(False), **extra)
        assert vm_hardware(row(config_hardware_device=[here])).host_media == (("thing",) if holds else ())
        assert vm_hardware(row(config_hardware_device=[away])).host_media == ()

    def test_usb(self) -> None:
        def usb(backing: Any, on: bool = True) -> Any:
            return device(DEVICE.VirtualUSB, backing, connected=on)

        host = DEVICE.VirtualUSB.USBBackingInfo(deviceName="path:1/0")
        client = DEVICE.VirtualUSB.RemoteClientBackingInfo(deviceName="x", hostname="pc")
        assert vm_hardware(row(config_hardware_device=[usb(host)])).host_media == ("thing",)
        assert vm_hardware(row(config_hardware_device=[usb(host, on=False)])).host_media == ()
        assert vm_hardware(row(config_hardware_device=[usb(client)])).host_media == ()

    def test_a_scsi_device_of_the_host_is_always_connected(self) -> None:
        scsi = device(
            DEVICE.VirtualSCSIPassthrough, DEVICE.VirtualSCSIPassthrough.DeviceBackingInfo(deviceName="/vmfs/x")
        )
        assert vm_hardware(row(config_hardware_device=[scsi])).host_media == ("thing",)


class TestHardware:
    def test_datastores_of_home_disks_and_connected_images(self) -> None:
        def disk(name: str) -> Any:
            backing = DEVICE.VirtualDisk.FlatVer2BackingInfo(fileName=f"[{name}] a/a.vmdk", diskMode="persistent")
            return device(DEVICE.VirtualDisk, backing, capacityInKB=1)

        def iso(name: str, on: bool) -> Any:
            backing = DEVICE.VirtualCdrom.IsoBackingInfo(fileName=f"[{name}] a.iso")
            return device(DEVICE.VirtualCdrom, backing, connectable=connected(on))

        found = vm_hardware(
            row(
                config_files_vmPathName="[home] a/a.vmx",
                config_hardware_device=[disk("fast"), disk("fast"), iso("images", True), iso("unused", False)],
            )
        )
        assert found.datastores == ("fast", "home", "images")

    def test_what_passthrough_devices_mean(self) -> None:
        kinds = DEVICE.VirtualPCIPassthrough

        def card(backing: Any) -> Any:
            return vm_hardware(row(config_hardware_device=[device(kinds, backing, "PCI device 0")]))

        fixed = card(
            kinds.DeviceBackingInfo(deviceName="", id="0000:3b:00.0", deviceId="20f1", systemId="s", vendorId=4318)
        )
        dynamic = card(kinds.DynamicBackingInfo(deviceName="", allowedDevice=[]))
        vgpu = card(kinds.VmiopBackingInfo(vgpu="grid_a100-40c"))
        assert (fixed.devices, fixed.fixed, fixed.vgpu) == (("PCI device 0 (0000:3b:00.0)",), True, False)
        assert (dynamic.devices, dynamic.fixed, dynamic.vgpu) == (("PCI device 0",), False, False)
        assert (vgpu.devices, vgpu.fixed, vgpu.vgpu) == ((), False, True)

    @pytest.mark.parametrize(
        ("function", "fixed"),
        [("Automatic-0000:00:00.0", False), ("0000:5e:00.0", True), ("Automatic-0000:5e:00.0", False)],
    )
    def test_a_virtual_function_of_one_card_or_of_any(self, function: str, fixed: bool) -> None:
        card = DEVICE.VirtualSriovEthernetCard
        backing = DEVICE.VirtualPCIPassthrough.DeviceBackingInfo(
            deviceName="", id=function, deviceId="0", systemId="BYPASS", vendorId=0
        )
        nic = card(
            key=13031,
            deviceInfo=vim.Description(label="SR-IOV network adapter 1", summary=""),
            sriovBacking=card.SriovBackingInfo(physicalFunctionBacking=backing),
        )
        found = vm_hardware(row(config_hardware_device=[nic]))
        assert (found.devices, found.fixed) == (("SR-IOV network adapter 1",), fixed)

    def test_memory_is_what_it_uses_or_else_its_size(self) -> None:
        reserved = vim.ResourceAllocationInfo(reservation=512)
        used = row(
            config_hardware_memoryMB=8192, summary_quickStats_hostMemoryUsage=3000, config_memoryAllocation=reserved
        )
        assert (vm_hardware(used).memory_mb, vm_hardware(used).reserved_mb) == (3000, 512)
        off = row(config_hardware_memoryMB=8192, summary_quickStats_hostMemoryUsage=0)
        assert (vm_hardware(off).memory_mb, vm_hardware(off).reserved_mb) == (8192, 0)

    def test_devices_that_may_not_be_read_may_be_any(self) -> None:
        denied = row(missing={"config.hardware.device": vim.fault.NoPermission()})
        assert not vm_hardware(denied).known
        assert not vm_hardware(row()).known  # a VM without disks and cards has controllers


def layout(*leaves: dict[str, Any]) -> str:
    inner = {"type": "RAID_1", **{f"child-{number}": leaf for number, leaf in enumerate(leaves[:1], 1)}}
    outer = {
        "type": "RAID_0",
        "child-1": inner,
        **{f"child-{number}": leaf for number, leaf in enumerate(leaves[1:], 2)},
    }
    return json.dumps({"dom_objects": {"a": {"config": {"content": outer}}, "b": {"config": {}}}, "lsom_objects": {}})


def component(state: int, todo: int | None) -> dict[str, Any]:
    attributes = {"componentState": state} | ({} if todo is None else {"bytesToSync": todo})
    return {"type": "Component", "attributes": attributes}


class TestVsan:
    def test_resync_is_summed_over_all_components(self) -> None:
        text = layout(component(10, 5 * 2**20), component(5, None), component(6, 1))
        assert resync_mb(text) == 6
        assert resync_mb(layout(component(5, 0))) == 0
        assert resync_mb("{}") == 0

    def test_objects_without_data_quorum_or_all_copies(self) -> None:
        entries = [{"uuid": "x", "content": {"state": state}} for state in (7, 7, 13, 15, 6, 5)]
        assert incomplete_objects(json.dumps({"result": entries})) == 4
        assert incomplete_objects(json.dumps({"result": []})) == 0

    @pytest.mark.parametrize("text", ["BAD", "", None, "[]"])
    def test_no_answer_is_not_known(self, text: str | None) -> None:
        assert resync_mb(text) is None
        assert incomplete_objects(text) is None
