# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands of govc that change something, in the order in which they are run, and what each is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulator import Simulator
from simulator.rules.vm import devices as device_rules
from tests.conformance.foreign import Case, State
from tests.conformance.govc_reads import HOST, VM, has

WITH_STORE = "-ds shared-compute"


def is_set(path: str, expected: Any, kind: str = "VirtualMachine", name: str = VM) -> State:
    """The property has this value; not while the object is not there."""

    def test(sim: Simulator) -> bool:
        try:
            return bool(sim.find(kind, name).get(path) == expected)
        except (KeyError, AttributeError):
            return False

    return test


def exists(kind: str, name: str) -> State:
    """There is such an object."""
    return lambda sim: any(item.props.get("name") == name for item in sim.registry if item.vim_type._wsdlName == kind)


def gone(kind: str, name: str) -> State:
    """There is no such object."""
    return lambda sim: not exists(kind, name)(sim)


def cluster(path: str, expected: Any) -> State:
    """A setting of the cluster."""
    return is_set(f"configurationEx.{path}", expected, "ClusterComputeResource", "compute")


def extra(key: str, expected: str, name: str = VM) -> State:
    """An entry of a VM's extraConfig."""
    return lambda sim: (
        {item.key: item.value for item in sim.find("VirtualMachine", name).get("config").extraConfig}.get(key)
        == expected
    )


def device(key: int, test: Callable[[Any], bool], name: str = VM) -> State:
    """A test of a device of a VM; false while it has none of this key."""

    def found(sim: Simulator) -> bool:
        return any(item.key == key and test(item) for item in sim.find("VirtualMachine", name).devices)

    return found


def power(name: str, state: str) -> State:
    """A VM's power state."""
    return is_set("runtime.powerState", state, name=name)


def on_host(name: str, host: str) -> State:
    """Where a VM is registered."""
    return lambda sim: bool(sim.find("VirtualMachine", name).host.name == host)


def host(path: str, expected: Any, name: str = "esx-03.lab") -> State:
    """A property of a host."""
    return is_set(path, expected, "HostSystem", name)


def override(sim: Simulator) -> bool:
    """DRS leaves train-01 alone."""
    return bool(sim.find("VirtualMachine", VM).automation == "disabled")


def snapshots(*names: str) -> State:
    """The names of the snapshots of train-01, oldest first."""

    def found(sim: Simulator) -> bool:
        info = sim.find("VirtualMachine", VM).get("snapshot")
        todo, seen = list(info.rootSnapshotList) if info is not None else [], []
        for tree in todo:
            seen.append(tree.name)
            todo += tree.childSnapshotList
        return tuple(seen) == names

    return found


def field(name: str, there: bool) -> State:
    """A custom attribute is defined, or is not."""
    return lambda sim: any(item.name == name for item in sim.services.custom_fields.props["field"]) is there  # type: ignore[union-attr]


def custom(expected: str) -> State:
    """The value of train-01's only custom attribute."""
    return lambda sim: list(sim.find("VirtualMachine", VM).custom.values()) == [expected]


def tags(*names: str) -> State:
    """The tags of train-01."""
    return lambda sim: sim.tags.of(VM) == list(names)


def starting(name: str) -> State:
    """A VM runs, or its power-on does: the task for several VMs ends before those of the VMs."""

    def found(sim: Simulator) -> bool:
        vm = sim.find("VirtualMachine", name)
        return bool(vm.is_on or (vm.busy is not None and vm.busy.running))

    return found


def vgpus(sim: Simulator) -> list[str]:
    """The vGPU profiles of train-01."""
    devices = sim.find("VirtualMachine", VM).devices
    return [item.backing.vgpu for item in devices if device_rules.kind(item) == "vgpu"]


CLUSTER = [
    Case(call="cluster.group.create -cluster compute -name g -vm train-01"),
    Case(call="cluster.rule.create -cluster compute -name r -enable -affinity train-01 train-02"),
    Case(call="cluster.override.change -cluster compute -vm train-01 -drs-enabled=false", after=override),
    Case(call="cluster.override.change -cluster compute -vm train-01 -ha-restart-priority high"),
    Case(call="cluster.override.info -cluster compute ", shows=has("Name:                    train-01")),
    Case(call="cluster.override.remove -cluster compute -vm train-01", after=lambda sim: not override(sim)),
    Case(call="cluster.change -drs-mode manual compute", after=cluster("drsConfig.defaultVmBehavior", "manual")),
    Case(call="cluster.change -drs-enabled=false compute", after=cluster("drsConfig.enabled", False)),
    Case(call="cluster.change -drs-enabled=true -drs-mode fullyAutomated compute", after=cluster("drsConfig.enabled", True)),
    Case(call="cluster.change -ha-enabled=true compute", after=cluster("dasConfig.enabled", True)),
    Case(call="cluster.change -ha-admission-control-enabled=true compute", after=cluster("dasConfig.admissionControlEnabled", True)),
    Case(call="cluster.change -ha-enabled=false compute", after=cluster("dasConfig.enabled", False)),
    Case(call="cluster.change -vsan-enabled=true compute"),
    Case(call="cluster.create c2"),
    Case(call="cluster.add -cluster compute -hostname h -username u -password p -noverify"),
    Case(call="cluster.mv -cluster compute esx-01.lab"),
    Case(call="datacenter.create DC2"),
    Case(call="folder.create /DC1/vm/staging", after=exists("Folder", "staging")),
    Case(call="pool.create /DC1/host/compute/Resources/p1"),
    Case(call="pool.change -mem.shares high /DC1/host/compute/Resources",
         after=is_set("config.memoryAllocation.shares.level", "high", "ResourcePool", "Resources")),
]  # fmt: skip
MACHINES = [
    Case(call="vm.change -vm train-01 -m 32768", after=is_set("config.hardware.memoryMB", 32768)),
    Case(call="vm.change -vm train-01 -m 65536", after=is_set("summary.config.memorySizeMB", 65536)),
    Case(call="vm.change -vm train-01 -c 8", after=is_set("config.hardware.numCPU", 8)),
    Case(call="vm.change -vm web-01 -c 8", fault="CPU hot plug is not supported"),
    Case(call="vm.change -vm web-01 -m 32768", fault="hot plug is not supported"),
    Case(call="vm.change -vm train-01 -e some.key=v", after=extra("some.key", "v")),
    Case(call="vm.change -vm train-01 -annotation hello", after=is_set("config.annotation", "hello")),
    Case(call="vm.change -vm train-01 -name train-09", after=exists("VirtualMachine", "train-09")),
    Case(call="vm.change -vm train-09 -name train-01", after=exists("VirtualMachine", VM)),
    Case(call="vm.change -vm train-01 -mem.reservation 1024", after=is_set("config.memoryAllocation.reservation", 1024)),
    Case(call="vm.change -vm train-01 -mem.shares high", after=is_set("config.memoryAllocation.shares.level", "high")),
    Case(call="vm.change -vm train-01 -cpu.reservation 500", after=is_set("config.cpuAllocation.reservation", 500)),
    Case(call="vm.change -vm train-01 -cpu.shares low", after=is_set("config.cpuAllocation.shares.level", "low")),
    Case(call="vm.change -vm train-01 -nested-hv-enabled=true", after=is_set("config.nestedHVEnabled", True)),
    Case(call="vm.change -vm train-01 -nested-hv-enabled=false", after=is_set("config.nestedHVEnabled", False)),
    Case(call="vm.change -vm train-01 -memory-hot-add-enabled=true", after=is_set("config.memoryHotAddEnabled", True)),
    Case(call="vm.change -vm train-01 -cpu-hot-add-enabled=true", after=is_set("config.cpuHotAddEnabled", True)),
    Case(call="vm.change -vm train-01 -memory-pin=true", after=is_set("config.memoryReservationLockedToMax", True)),
    Case(call="vm.change -vm train-01 -mem.reservation 2048", fault="memoryAllocation.reservation"),
    Case(call="vm.change -vm train-01 -memory-pin=false", after=is_set("config.memoryReservationLockedToMax", False)),
    Case(call="vm.change -vm train-01 -sync-time-with-host=true"),
    Case(call="vm.change -vm train-01 -migrate-encryption required"),
    Case(call="vm.change -vm train-01 -g windows2019srv_64Guest",
         after=is_set("config.guestFullName", "Microsoft Windows Server 2019 (64-bit)")),
    Case(call="vm.power -on train-02", after=power("train-02", "poweredOn")),
    Case(call="vm.power -on train-02 ", fault="cannot be performed in the current state"),
    Case(call="vm.power -off train-02", after=power("train-02", "poweredOff")),
    Case(call="vm.power -off train-02 ", fault="cannot be performed in the current state"),
    Case(call="vm.power -suspend web-02", after=power("web-02", "suspended")),
    Case(call="vm.unregister web-02", after=gone("VirtualMachine", "web-02")),
    Case(call="vm.power -on -M train-02", after=starting("train-02")),
    Case(call="vm.migrate -host esx-02.lab web-01", after=on_host("web-01", "esx-02.lab")),
    Case(call="vm.migrate -host esx-03.lab train-01", after=on_host(VM, "esx-03.lab")),
    Case(call="vm.migrate -host esx-01.lab -ds shared-compute train-01", after=on_host(VM, HOST)),
    Case(call="vm.migrate -ds esx-01-nvme-data-5 train-01"),
    Case(call="vm.migrate -folder /DC1/vm/staging train-01"),
    Case(call=f"vm.create {WITH_STORE} -force -net 'VM Network' -disk 1G -on=false new",
         after=exists("VirtualMachine", "new")),
    Case(call="device.info -vm new -json disk-1000-0", shows=has("[shared-compute] new/new.vmdk")),
    Case(call=f"vm.clone {WITH_STORE} -force -vm train-01 -on=false copy", after=exists("VirtualMachine", "copy")),
    Case(call="vm.destroy new", after=gone("VirtualMachine", "new")),
    Case(call="vm.destroy copy", after=gone("VirtualMachine", "copy")),
    Case(call=f"vm.instantclone {WITH_STORE} -vm web-01 copy"),
    Case(call=f"vm.register {WITH_STORE} x/x.vmx"),
    Case(call="vm.power -off train-02  ", after=power("train-02", "poweredOff")),
    Case(call="vm.destroy train-02", after=gone("VirtualMachine", "train-02")),
    Case(call="vm.destroy none", fault="vm 'none' not found"),
    Case(call="vm.upgrade -vm train-01", shows=has("already at this hardware version")),
    Case(call="vm.markastemplate train-01"),
    Case(call="vm.customize -vm train-01 spec"),
    Case(call=f"vm.disk.create {WITH_STORE} -vm train-01 -name train-01/d2 -size 1G",
         after=device(2001, lambda item: item.capacityInKB == 2**20)),
    Case(call="vm.disk.change -vm train-01 -disk.key 2000 -size 80G",
         after=device(2000, lambda item: (item.capacityInKB, item.capacityInBytes) == (80 * 2**20, 80 * 2**30))),
    Case(call="vm.network.add -vm train-01 -net VM_Network", fault="not found"),
    Case(call="vm.network.add -vm train-01 -net 'VM Network'", after=device(4001, lambda item: item.backing.deviceName == "VM Network")),
    Case(call="vm.network.change -vm train-01 -net 'Management Network' ethernet-1",
         after=device(4001, lambda item: item.backing.deviceName == "Management Network")),
    Case(call="vm.guest.tools -mount web-01"),
    Case(call="vm.keystrokes -vm web-01 -s x"),
    Case(call="vm.vnc -enable -port 5905 web-01", after=extra("RemoteDisplay.vnc.port", "5905", "web-01")),
    Case(call="snapshot.create -vm train-01 s1", after=snapshots("s1")),
    Case(call="snapshot.create -vm train-01 -q=true s2"),
    Case(call="snapshot.create -vm train-01 -m=false s2", after=snapshots("s1", "s2")),
    Case(call="snapshot.tree -vm train-01 ", shows=has("s1", "s2")),
    Case(call="snapshot.revert -vm train-01 s1"),
    Case(call="snapshot.remove -vm train-01 s1", after=snapshots("s2")),
    Case(call="snapshot.remove -vm train-01 '*'", after=snapshots()),
    Case(call="device.cdrom.add -vm train-01"),
    Case(call="device.serial.add -vm train-01"),
    Case(call="device.scsi.add -vm train-01", after=device(1001, lambda item: item.busNumber == 1)),
    Case(call="device.boot -vm train-01 -delay 2000", after=is_set("config.bootOptions.bootDelay", 2000)),
    Case(call="device.boot -vm train-01 -setup", after=is_set("config.bootOptions.enterBIOSSetup", True)),
    Case(call="device.boot -vm train-01 -secure", after=is_set("config.bootOptions.efiSecureBootEnabled", True)),
    Case(call="device.remove -vm train-01 ethernet-1", after=lambda sim: not device(4001, lambda item: True)(sim)),
    Case(call="device.disconnect -vm web-01 ethernet-0", after=device(4000, lambda item: item.connectable.connected is False, "web-01")),
    Case(call="device.connect -vm web-01 ethernet-0", after=device(4000, lambda item: item.connectable.connected is True, "web-01")),
    Case(call="device.pci.add -vm train-01 0000:3b:00.0", fault="not found in allowed PCI passthrough device list"),
    Case(call="gpu.vm.add -vm train-01 -profile grid_a100-40c", after=lambda sim: vgpus(sim) == ["grid_a100-40c"]),
    Case(call="gpu.vm.info -vm train-01 ", shows=has("PCI device 0", "Key: 13000")),
    Case(call="gpu.vm.remove -vm train-01", after=lambda sim: not vgpus(sim)),
]  # fmt: skip
HOSTS = [
    Case(call="host.maintenance.enter esx-03.lab", after=host("runtime.inMaintenanceMode", True)),
    Case(call="host.maintenance.exit esx-03.lab", after=host("runtime.inMaintenanceMode", False)),
    Case(call="host.shutdown -r esx-03.lab", fault="not allowed in the current state"),
    Case(call="host.disconnect esx-03.lab", after=host("runtime.connectionState", "disconnected")),
    Case(call="host.maintenance.enter esx-03.lab ", fault="disconnected"),
    Case(call="host.reconnect esx-03.lab", after=host("runtime.connectionState", "connected")),
    Case(call="host.reconnect -hostname esx-03.lab -username root -password x esx-03.lab"),
    Case(call="host.remove esx-03.lab"),
    Case(call="host.add -hostname h -username u -password p -noverify"),
    Case(call="host.option.set -host esx-01.lab Misc.x 1"),
    Case(call="host.vswitch.add -host esx-01.lab vSwitch9"),
    Case(call="host.vswitch.remove -host esx-01.lab vSwitch0"),
    Case(call="host.portgroup.add -host esx-01.lab -vswitch vSwitch0 pg"),
    Case(call="host.portgroup.remove -host esx-01.lab 'VM Network'"),
    Case(call="host.service -host esx-01.lab start TSM-SSH"),
    Case(call="host.autostart.add -host esx-01.lab train-01"),
    Case(call="host.date.change -host esx-01.lab -server x"),
    Case(call="host.vnic.service -host esx-01.lab -enable vmk0 vmotion"),
    Case(call="host.account.create -host esx-01.lab -id x -password y"),
    Case(call="datastore.create -type nfs -name n -remote-host h -remote-path /p esx-01.lab"),
    Case(call="datastore.remove -ds shared-compute esx-01.lab"),
    Case(call="datastore.mkdir -ds shared-compute x"),
    Case(call="datastore.rm -ds shared-compute x"),
    Case(call="dvs.create dvs1"),
    Case(call="fields.add stage", after=field("stage", there=True)),
    Case(call="fields.add stage ", fault="already exists"),
    Case(call="fields.set stage draining /DC1/vm/train-01", after=custom("draining")),
    Case(call="fields.info -n stage /DC1/vm/train-01", shows=has("/DC1/vm/train-01  stage  draining")),
    Case(call="fields.rename stage step", after=field("step", there=True)),
    Case(call="fields.rm step", after=field("step", there=False)),
    Case(call="object.rename /DC1/vm/staging stage2"),
    Case(call="object.mv /DC1/vm/train-01 /DC1/vm/staging"),
    Case(call="object.destroy /DC1/vm/staging"),
    Case(call="permissions.set -principal x -role Admin /DC1"),
    Case(call="permissions.remove -principal x /DC1"),
    Case(call="role.create R1 System.Read"),
    Case(call="session.rm none", fault="could not be found"),
    Case(call="tags.category.create -t VirtualMachine Policy", after=lambda sim: len(sim.tags.categories) == 1),
    Case(call="tags.create -c Policy never-stop", after=lambda sim: len(sim.tags.tags) == 1),
    Case(call="tags.attach never-stop /DC1/vm/train-01", after=tags("Policy/never-stop")),
    Case(call="tags.attached.ls never-stop", shows=has("VirtualMachine:vm-1")),
    Case(call="tags.update -n ask-first never-stop", after=tags("Policy/ask-first")),
    Case(call="tags.detach ask-first /DC1/vm/train-01", after=tags()),
    Case(call="tags.rm ask-first", after=lambda sim: not sim.tags.tags),
    Case(call="tags.category.rm Policy", after=lambda sim: not sim.tags.categories),
    Case(call="license.add 00000-00000-00000-00000-00000"),
    Case(call="option.set k v"),
    Case(call="events ", shows=has("Reconfigured train-01", "train-02 on ")),
    Case(call="tasks ", shows=has("ReconnectHost", "esx-03.lab")),
]  # fmt: skip
WRITES = [*CLUSTER, *MACHINES, *HOSTS]
