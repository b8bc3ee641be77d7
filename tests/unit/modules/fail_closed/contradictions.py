# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How each property that is read of a host or a VM can contradict another one, or why it cannot.

A contradiction gets the simulated object and a copy of the value, and gives what the server answers instead. A race gives such
answers (two properties of two moments), and so does a server with a fault. The texts say why a property has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from simulator.core.base import ManagedObject

NOWHERE = "nowhere"
ABSENT_DISK = "naa.absent"
ABSENT_CARD = "0000:fe:00.0"
NAMES_ITSELF = "it only says what something is called"
REFERENCE = "a reference: what it leads to is asked itself"
NUMBER = "a number that nothing else repeats, and no guard of what may be written"
OWN_WORDS = "nothing else that is read repeats it, and the server refuses the write itself"

Contradiction = Callable[[ManagedObject, Any], Any]


def flipped(_obj: ManagedObject, value: bool) -> bool:
    return not value


def none_of_them(_obj: ManagedObject, value: list[Any]) -> list[Any]:
    """An empty list, although others refer to what is in it."""
    return type(value)()


def instead(text: Any) -> Contradiction:
    return lambda _obj, _value: text


def _later(_obj: ManagedObject, value: Any) -> Any:
    return value + timedelta(days=1)


def _other_connection(_obj: ManagedObject, value: Any) -> str:
    return "notResponding" if str(value) == "connected" else "connected"


def _other_power(_obj: ManagedObject, value: Any) -> str:
    return "poweredOff" if str(value) == "poweredOn" else "poweredOn"


# -- hosts -------------------------------------------------------------------------------------------------------------


def _active_unless_enabled(_obj: ManagedObject, infos: list[Any]) -> list[Any]:
    for info in infos:
        info.passthruActive = not info.passthruEnabled
    return infos


def _without_first(_obj: ManagedObject, value: list[Any]) -> list[Any]:
    del value[:1]
    return value


def _without_uplinks(obj: ManagedObject, nics: list[Any]) -> list[Any]:
    """A switch names physical NICs that are not in their list."""
    network = obj.get("config").network
    used = {key for switch in (*network.vswitch, *network.proxySwitch) for key in switch.pnic}
    return type(nics)(nic for nic in nics if nic.key not in used)


def _on_no_port_group(_obj: ManagedObject, nics: list[Any]) -> list[Any]:
    for nic in nics:
        nic.portgroup = NOWHERE
        nic.spec.distributedVirtualPort = None
    return nics


def _serving_nowhere(_obj: ManagedObject, configs: list[Any]) -> list[Any]:
    """Management runs on a vmkernel adapter that the host does not have."""
    for config in configs:
        config.selectedVnic = type(config.selectedVnic)(f"{config.nicType}.{NOWHERE}" for _one in config.selectedVnic)
    return configs


def _without_targets(_obj: ManagedObject, topology: Any) -> Any:
    for adapter in topology.adapter:
        adapter.target = type(adapter.target)()
    return topology


def _through_nowhere(_obj: ManagedObject, multipath: Any) -> Any:
    for unit in multipath.lun:
        for path in unit.path:
            path.adapter = NOWHERE
    return multipath


def _controllers_of_nowhere(_obj: ManagedObject, topology: Any) -> Any:
    for adapter in topology.adapter:
        adapter.adapter = NOWHERE
    return topology


def _to_no_device(_obj: ManagedObject, topology: Any) -> Any:
    for path in topology.path:
        path.adapter = NOWHERE
    return topology


def _on_absent_disks(_obj: ManagedObject, mounts: list[Any]) -> list[Any]:
    for mount in mounts:
        for extent in getattr(mount.volume, "extent", None) or ():
            extent.diskName = ABSENT_DISK
    return mounts


def _dumps_to_absent_disk(_obj: ManagedObject, partition: Any) -> Any:
    partition.id.diskName = ABSENT_DISK
    return partition


def _without_vsan(_obj: ManagedObject, config: Any) -> Any:
    """No disk of vSAN, on a host whose disks say that they are."""
    config.enabled = False
    config.storageInfo = None
    return config


def _shared_and_basic(_obj: ManagedObject, infos: list[Any]) -> list[Any]:
    """A GPU that is not shared, and VMs that share it."""
    for info in infos:
        info.graphicsType = "basic"
    return infos


HOSTS: Mapping[str, Contradiction | str] = {
    "name": NAMES_ITSELF,
    "parent": REFERENCE,
    "configManager.assignableHardwareManager": REFERENCE,
    "configManager.pciPassthruSystem": REFERENCE,
    "configManager.storageSystem": REFERENCE,
    "hardware.numaInfo": NUMBER,
    "summary.hardware": NUMBER,
    "summary.quickStats.overallCpuUsage": NUMBER,
    "summary.quickStats.overallMemoryUsage": NUMBER,
    "customValue": "texts of the collection itself and of people: each has its own check",
    "triggeredAlarmState": "a red alarm is one, whatever else is said",
    "recentTask": REFERENCE,
    "datastore": REFERENCE,
    "capability.assignHwPciConfigSupported": flipped,
    "capability.assignableHardwareSupported": flipped,
    "capability.deviceRebindWithoutRebootSupported": flipped,
    "capability.maintenanceModeSupported": flipped,
    "capability.quickBootSupported": flipped,
    "capability.rebootSupported": flipped,
    "config.product.version": instead("5.5.0"),
    "runtime.bootTime": _later,
    "runtime.connectionState": _other_connection,
    "runtime.inMaintenanceMode": flipped,
    "runtime.inQuarantineMode": flipped,
    "runtime.powerState": _other_power,
    "runtime.standbyMode": instead("entering"),
    "summary.hardware.cpuMhz": NUMBER,
    "summary.rebootRequired": flipped,
    "summary.maintenanceModeRequired": flipped,
    "hardware.pciDevice": _without_first,
    "config.pciPassthruInfo": _active_unless_enabled,
    "config.network.pnic": _without_uplinks,
    "config.network.vswitch": none_of_them,
    "config.network.proxySwitch": none_of_them,
    "config.network.opaqueSwitch": none_of_them,
    "config.network.portgroup": none_of_them,
    "config.network.vnic": _on_no_port_group,
    "config.virtualNicManagerInfo.netConfig": _serving_nowhere,
    "config.storageDevice.hostBusAdapter": none_of_them,
    "config.storageDevice.scsiLun": _without_first,
    "config.storageDevice.scsiTopology": _without_targets,
    "config.storageDevice.multipathInfo": _through_nowhere,
    "config.storageDevice.nvmeTopology": _controllers_of_nowhere,
    "config.storageDevice.plugStoreTopology": _to_no_device,
    "config.fileSystemVolume.mountInfo": _on_absent_disks,
    "config.fileSystemVolume.volumeTypeList": none_of_them,
    "config.activeDiagnosticPartition": _dumps_to_absent_disk,
    "config.vsanHostConfig": _without_vsan,
    "config.graphicsInfo": _shared_and_basic,
    "config.graphicsConfig": "a setting: only graphicsInfo tells what is in effect, and both are compared",
    "config.sharedPassthruGpuTypes": "only shown: no guard uses it",
    "configManager.graphicsManager": REFERENCE,
    "configManager.serviceSystem": REFERENCE,
    "vm": none_of_them,
    "network": none_of_them,
    "config.sriovDevicePool": none_of_them,
}

# -- virtual machines --------------------------------------------------------------------------------------------------


def _on_another_host(obj: ManagedObject, value: Any) -> Any:
    """The list of VMs of the host that is named lacks it."""
    from simulator.objects.host.host import HostSystem

    others = [host.ref for host in obj.sim.registry.all(HostSystem) if host.ref._moId != value._moId]
    return others[0] if others else value


def _on_absent_cards(_obj: ManagedObject, devices: list[Any]) -> list[Any]:
    """Backings of cards that the host does not have."""
    for device in devices:
        backing = getattr(device, "backing", None)
        if hasattr(backing, "systemId"):
            backing.id = ABSENT_CARD
        elif hasattr(backing, "assignedId"):
            backing.assignedId = ABSENT_CARD
    return devices


def _reserving_nothing(_obj: ManagedObject, allocation: Any) -> Any:
    """A reservation of nothing, of a VM whose memory is locked."""
    allocation.reservation = 0
    return allocation


def _half_as_much(_obj: ManagedObject, megabytes: int) -> int:
    """Less memory than is reserved."""
    return megabytes // 2


def _on_absent_datastore(_obj: ManagedObject, _path: str) -> str:
    return f"[{NOWHERE}] x/x.vmx"


def _for_nobody(_obj: ManagedObject, _value: Any) -> str:
    return "guestToolsNotInstalled"


def _stale_version(_obj: ManagedObject, text: str) -> str:
    return f"{text}-stale"


VMS: Mapping[str, Contradiction | str] = {
    "name": NAMES_ITSELF,
    "parent": REFERENCE,
    "resourcePool": REFERENCE,
    "snapshot": "that there is one is all that is read, and nothing else says so",
    "customValue": HOSTS["customValue"],
    "config.managedBy": "nothing else says to whom a VM belongs",
    "config.latencySensitivity": OWN_WORDS,
    'config.extraConfig["maintenance.vm.evacuation.poweroff"]': "nothing else says what vCenter does with the VM",
    "config.extraConfig": "two settings of the same VM, of which the window is worked out together",
    "config.deviceGroups": "names of groups; which devices belong to one is in the devices",
    "summary.quickStats.hostMemoryUsage": NUMBER,
    "runtime.faultToleranceState": OWN_WORDS,
    "recentTask": REFERENCE,
    "runtime.host": _on_another_host,
    "runtime.powerState": _other_power,
    "runtime.connectionState": instead("orphaned"),
    "guest.toolsRunningStatus": instead("guestToolsRunning"),  # of a VM that is off, or whose guest does not answer
    "guest.toolsVersionStatus2": _for_nobody,
    "guest.guestFamily": "what the guest is follows from what it answers, and an option says it, too",
    "guest.guestOperationsReady": "the server refuses the operation itself",
    "config.guestId": "as guest.guestFamily",
    "capability.memoryReservationLockSupported": flipped,
    "config.template": flipped,
    "config.changeVersion": _stale_version,
    "config.version": instead("vmx-07"),
    "config.createDate": "is only shown, beside the fact that two VMs have one device",
    "config.uuid": "decides nothing in vSphere; a guest with another one stays unknown",
    "config.firmware": instead("bios"),
    "config.flags.vvtdEnabled": flipped,
    "config.nestedHVEnabled": flipped,
    "config.cpuHotAddEnabled": flipped,
    "config.memoryHotAddEnabled": flipped,
    "config.fixedPassthruHotPlugEnabled": flipped,
    "config.memoryReservationLockedToMax": flipped,
    "config.cpuAllocation": NUMBER,
    "config.hardware.numCPU": NUMBER,
    "config.memoryAllocation": _reserving_nothing,
    "config.hardware.memoryMB": _half_as_much,
    "config.hardware.device": _on_absent_cards,
    "config.files.vmPathName": _on_absent_datastore,
}

CONTRADICTIONS: Mapping[tuple[str, str], Contradiction | str] = {
    **{("HostSystem", path): how for path, how in HOSTS.items()},
    **{("VirtualMachine", path): how for path, how in VMS.items()},
}
"""(type, path) → what the server answers instead, or why it has no contradiction."""
