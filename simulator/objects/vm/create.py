# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""New VMs: Folder.CreateVM_Task and VirtualMachine.CloneVM_Task.

Sources: API reference (Folder.createVm, VirtualMachine.clone, VirtualMachineCloneSpec, VirtualMachineRelocateSpec.pool and .host,
VirtualMachineConfigInfo.createDate). `spec.config` of a clone is applied as by ReconfigVM_Task. That a clone has the fixed devices of its
source is inferred from what users report and not published: knob `clone_fixed_devices`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, uuid5

from pyVmomi import vim, vmodl

from ...api import data, names
from ...api.takes import not_modelled
from ...core.base import Entity
from ...core.tasks import Task
from ...rules import faults, limits, maintenance
from ...rules import knobs as knob_rules
from ...rules.vm import devices as device_rules
from ...rules.vm import privileges, sriov
from ..cluster.state import ClusterState, ComputeState
from ..datastore import Datastore
from ..host.state import HostState
from ..pool import ResourcePool
from ..specs import VmSpec
from . import config as vm_config
from . import devices as vm_devices
from . import reconfigure as vm_reconfigure
from . import tasks
from .state import VmState

if TYPE_CHECKING:
    from ...core.call import Call

Make = Callable[[Any, VmSpec, HostState], VmState]
"""The class of a VM."""
CONFIG = tuple(path.removeprefix("spec.") for path in vm_reconfigure.TAKEN if path != "spec.changeVersion")
CREATE_TAKEN = (*(f"config.{path}" for path in CONFIG), "config.version", "config.files.vmPathName", "pool", "host")
CLONE_TAKEN = (
    *(f"spec.config.{path}" for path in CONFIG), "folder", "name", "spec.powerOn=false", "spec.template=false",
    "spec.location.pool", "spec.location.host", "spec.location.datastore", "spec.location.folder",
)  # fmt: skip
DISK = vim.vm.device.VirtualDisk


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the new VM belongs."""

    folder: Entity
    pool: ResourcePool
    host: HostState | None
    datastore: Datastore

    def check(self, name: str) -> None:
        """Raise NotSupported for a folder that holds no VMs, and DuplicateName."""
        if "vim.VirtualMachine" not in self.folder.props["childType"]:
            raise vmodl.fault.NotSupported()
        for child in self.folder.down.values():
            if child.is_named(name):
                raise vim.fault.DuplicateName(name=name, object=child.ref)

    def chosen(self, source: VmState | None = None) -> HostState:
        """The host: the one asked for; without one, a fixed device keeps a clone where it is, and DRS chooses for all others.

        A cluster without DRS chooses none: InvalidArgument (API reference, VirtualMachineRelocateSpec.host).
        """
        compute: Any = self.pool.owner_resource
        assert isinstance(compute, ComputeState)
        if self.host is not None:
            if self.host not in compute.hosts:
                raise faults.invalid_argument("host")
            found = [self.host]
        elif isinstance(compute, ClusterState) and not compute.props["configurationEx"].drsConfig.enabled:
            raise faults.invalid_argument("host")
        else:
            found = sorted((item for item in compute.hosts if item.usable), key=lambda item: -item.free_memory)
            if source is not None and source.host in found and "fixed" in source.device_kinds:
                found = [source.host]
        for host in found:
            if host.usable and self.datastore.is_mounted_on(host):
                return host
        if any(host.usable for host in found):
            raise vim.fault.InvalidDatastore(datastore=self.datastore.ref, name=self.datastore.name)
        raise faults.invalid_state("No host is available for the virtual machine.")


def create(folder: Entity, call: Call, config: Any, pool: Any, host: Any, make: Make) -> Task:
    """CreateVM_Task. Raises NoPermission, InvalidArgument and InvalidDatastorePath at once."""
    sim = folder.sim
    if not config.name:
        raise faults.invalid_argument("config.name")
    place = Place(
        folder=folder,
        pool=sim.obj(pool),
        host=sim.obj(host) if host is not None else None,
        datastore=_store(sim, config),
    )
    call.require("Datastore.AllocateSpace", place.datastore)
    for privilege in _for_devices(config, place):
        call.require(privilege, folder)
    for network in vm_devices.networks(sim, config):
        call.require("Network.Assign", network)

    def body(task: Task) -> Any:
        place.check(config.name)
        chosen = place.chosen()
        vm = make(sim, _new_spec(config, place, chosen), chosen)
        vm.datastore = place.datastore
        with vm.edit("config") as built:
            built.hardware.device = vm_config.with_controller(vm_config.default_devices())
            built.createDate = sim.clock.now()
        asked = data.clone(config)
        asked.version = asked.files = None
        vm_reconfigure.apply(vm, asked)
        return _registered(
            vm, place, call, vim.event.VmCreatedEvent, f"Created virtual machine {vm.name} on {vm.host.name}"
        )

    return sim.start_task(call, folder, "Folder.createVm", body, duration=folder.knob("reconfigure_seconds"))  # type: ignore[no-any-return]


def clone(source: VmState, call: Call, folder: Entity, name: str, spec: Any, make: Make) -> Task:
    """CloneVM_Task of a VM that is off, or of a template. Raises NoPermission and InvalidArgument at once."""
    sim, location = source.sim, spec.location
    template = bool(source.get("config").template)
    if location.folder is not None and location.folder._moId != folder.moid:
        raise not_modelled("VirtualMachine.CloneVM_Task with two folders")
    if source.power != "poweredOff":
        raise not_modelled("VirtualMachine.CloneVM_Task of a VM that is not powered off")
    if template and location.pool is None:
        raise faults.invalid_argument("spec.location.pool")
    store = sim.obj(location.datastore) if location.datastore is not None else source.datastore
    if store is None:
        raise faults.invalid_argument("spec.location.datastore")
    place = Place(
        folder=folder,
        pool=sim.obj(location.pool if location.pool is not None else source.props["resourcePool"]),
        host=sim.obj(location.host)
        if location.host is not None
        else None
        if location.pool is not None
        else source.host,
        datastore=store,
    )
    call.require(f"VirtualMachine.Provisioning.{'DeployTemplate' if template else 'Clone'}", source)
    call.require("VirtualMachine.Inventory.CreateFromExisting", folder)
    call.require("Resource.AssignVMToPool", place.pool)
    call.require("Datastore.AllocateSpace", store)
    if spec.config is not None:
        for privilege in privileges.needed(spec.config, source.settings):
            call.require(privilege, source)
        for network in vm_devices.networks(sim, spec.config):
            call.require("Network.Assign", network)

    def body(task: Task) -> Any:
        place.check(name)
        vm = make(sim, _copied_spec(source, name, place), place.chosen(source))
        vm.datastore = place.datastore
        vm.set("config", _copied(source, vm))
        vm_devices.show_networks(vm, vm.devices)
        if spec.config is not None:
            vm_reconfigure.apply(vm, spec.config)
        text = f"Virtual machine {source.name} cloned to {vm.name} on {vm.host.name}"
        origin = vim.event.VmEventArgument(name=source.name, vm=source.ref)
        return _registered(vm, place, call, vim.event.VmClonedEvent, text, sourceVm=origin)

    return tasks.start(source, call, "clone", body, source.settings.reconfigure_seconds)


# -- what a new VM is made of -------------------------------------------------------------------------------------


def _store(sim: Any, config: Any) -> Datastore:
    """`files.vmPathName`: `[datastore]`, or the path that the server gives by itself; another one is not modelled."""
    path = str(config.files.vmPathName or "") if config.files is not None else ""
    found = re.fullmatch(r"\[(?P<store>[^\]]+)\] ?(?P<file>.*)", path)
    if found is None:
        raise vim.fault.InvalidDatastorePath(datastorePath=path)
    base = names.of_file(names.escaped(config.name))
    if found["file"] not in ("", f"{base}/{base}.vmx"):
        raise not_modelled("Folder.CreateVM_Task config.files.vmPathName with a folder of another name")
    for store in sim.registry.all(vim.Datastore):
        if store.is_named(found["store"]):
            return store  # type: ignore[no-any-return]
    raise vim.fault.InvalidDatastorePath(datastorePath=path, name=found["store"])


def _for_devices(config: Any, place: Place) -> list[str]:
    """Privileges on the folder: for new disks, and for raw devices (API reference, createVm)."""
    needed = [item for item in privileges.needed(config, knob_rules.of(place.folder)) if item.endswith(".RawDevice")]
    if any(isinstance(change.device, DISK) for change in config.deviceChange or []):
        needed.append("VirtualMachine.Config.AddNewDisk")
    return needed


def _uuid(sim: Any, place: Place, name: str) -> str:
    """Of its own for every VM, the same in every run of the same lab."""
    made = str(uuid5(NAMESPACE_OID, f"{sim.instance_uuid}/{place.folder.moid}/{name}/{sim.next_event_chain()}"))
    return f"42{made[2:]}"


def _new_spec(config: Any, place: Place, host: HostState) -> VmSpec:
    """Nothing is installed in it. Defaults: BIOS, one CPU, the newest hardware version of its host (API reference, ConfigSpec)."""
    version = limits.hardware_version(config.version) if config.version else limits.newest_version(host.spec.release)
    if version not in limits.known_versions(host.spec.release):
        raise vim.fault.VirtualHardwareVersionNotSupported(hostName=host.name, host=host.ref)
    return VmSpec(
        name=config.name,
        uuid=config.uuid or _uuid(place.folder.sim, place, config.name),
        version=version,
        memory_mb=int(config.memoryMB or 32),
        cpus=int(config.numCPUs or 1),
        firmware=config.firmware or "bios",
        guest=config.guestId or "otherGuest",
        tools=False,
        datastore=place.datastore.name,
    )


def _copied_spec(source: VmState, name: str, place: Place) -> VmSpec:
    return replace(
        source.spec,
        name=name,
        uuid=_uuid(source.sim, place, name),
        power="off",
        snapshot=False,
        template=False,
        fault_tolerance="notConfigured",
        managed_by="",
        ip="",
        datastore=place.datastore.name,
    )


def _copied(source: VmState, vm: VmState) -> Any:
    """The configuration of the source, with what is new: name, ids, files, MAC addresses and the date of creation."""
    built, config = vm.get("config"), data.clone(source.get("config"))
    for name in (
        "name",
        "uuid",
        "instanceUuid",
        "files",
        "datastoreUrl",
        "changeVersion",
        "template",
        "managedBy",
        "ftInfo",
    ):
        setattr(config, name, getattr(built, name))
    config.createDate = config.modified = vm.sim.clock.now()
    devices = [item for item in config.hardware.device if _is_kept(item, vm.settings.clone_fixed_devices)]
    for number, disk in enumerate(item for item in devices if isinstance(item, DISK)):
        vm_devices.place_disk(vm, disk, number)
    for card in devices:
        if isinstance(card, vim.vm.device.VirtualEthernetCard) and str(card.addressType) != "manual":
            card.macAddress = sriov.mac_address(vm.spec.uuid, card.key)
    config.hardware.device = vm_config.with_controller(devices)
    return config


def _is_kept(device: Any, fixed: str) -> bool:
    if device_rules.kind(device) != "fixed" or fixed == "copied":
        return True
    if fixed == "refused":
        raise maintenance.device_fault("device_not_supported")
    return False


def _registered(vm: VmState, place: Place, call: Call, event: type[Any], text: str, **fields: Any) -> VmState:
    """The VM is in the inventory, and in the lists of everything that it is on."""
    host, sim = vm.host, vm.sim
    compute: Any = host.up
    vm.props["resourcePool"] = place.pool.ref
    vm.props["environmentBrowser"] = compute.props["environmentBrowser"]
    vm.props["datastore"] = [place.datastore.ref]
    networks = [sim.obj(ref) for ref in vm.props["network"]]
    vm.network = networks[0] if networks else None
    sim.add(vm, parent=place.folder)
    place.folder.set("childEntity", [*place.folder.props["childEntity"], vm.ref])
    for holder in (host, place.pool, place.datastore, *networks):
        holder.set("vm", [*holder.props["vm"], vm.ref])
    sim.post_event(event, vm, message=text, call=call, host=host, **fields)
    return vm
