# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders and datacenters: the skeleton of the inventory, and powering on several VMs at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyVmomi import vim, vmodl

from ..api import data
from ..api.takes import takes
from ..core.base import Endpoint, Entity
from ..core.tasks import Task
from ..rules import faults, limits
from .cluster import placement
from .vm import create as vm_create
from .vm.vm import VirtualMachine

if TYPE_CHECKING:
    from ..core.call import Call


class Folder(Entity):
    """A folder; `childType` says what may be in it."""

    vim_type = vim.Folder
    id_prefix = "group-f"

    def __init__(self, sim: Endpoint, name: str, kinds: list[str], *, moid: str | None = None) -> None:
        super().__init__(sim, moid, name=name, childType=kinds, childEntity=[], namespace=None)

    def adopt(self, child: Entity) -> None:
        """Add a child, in the tree and in `childEntity`."""
        self.sim.add(child, parent=self)
        self.props["childEntity"].append(child.ref)

    def forget(self, child: Entity) -> None:
        self.set("childEntity", [ref for ref in self.props["childEntity"] if ref._moId != child.moid])

    @takes("name")
    def CreateFolder(self, call: Call, name: str) -> Any:
        """A folder of the same kind below this one."""
        call.require("Folder.Create", self)
        if any(child.is_named(name) for child in self.down.values()):
            raise vim.fault.DuplicateName(name=name, object=self.ref)
        made = Folder(self.sim, name, list(self.props["childType"]))
        self.sim.add(made, parent=self)
        self.set("childEntity", [*self.props["childEntity"], made.ref])
        return made

    @takes(*vm_create.CREATE_TAKEN)
    def CreateVM_Task(self, call: Call, config: Any, pool: Any, host: Any = None) -> Task:
        """A VM that is off, with the devices of the spec."""
        return vm_create.create(self, call, config, pool, host, VirtualMachine)


class Datacenter(Entity):
    """A datacenter with its four folders."""

    vim_type = vim.Datacenter
    id_prefix = "datacenter"

    def __init__(self, sim: Endpoint, name: str, *, moid: str | None = None) -> None:
        config = data.new(vim.Datacenter.ConfigInfo)
        super().__init__(sim, moid, name=name, datastore=[], network=[], configuration=config)

    def build_folders(self, *, direct: bool = False) -> None:
        """Make vm, host, datastore and network folders."""
        kinds = {
            "vm": ("group-v", ["Folder", "VirtualMachine", "VirtualApp"], "vmFolder"),
            "host": ("group-h", ["Folder", "ComputeResource"], "hostFolder"),
            "datastore": ("group-s", ["Folder", "Datastore", "StoragePod"], "datastoreFolder"),
            "network": ("group-n", ["Folder", "Network", "DistributedVirtualSwitch"], "networkFolder"),
        }
        for name, (prefix, children, field) in kinds.items():
            moid = f"ha-folder-{name}" if direct else self.sim.registry.mint(prefix)
            folder = Folder(self.sim, name, [f"vim.{kind}" for kind in children], moid=moid)
            self.sim.add(folder, parent=self)
            self.props[field] = folder.ref

    def folder(self, name: str) -> Folder:
        """One of its four folders by name."""
        return next(child for child in self.down.values() if isinstance(child, Folder) and child.name == name)

    @takes("vm", "option.*")
    def PowerOnMultiVM_Task(self, call: Call, vm: list[Any], option: Any = None) -> Task:
        """DRS places each VM or recommends hosts for it; those it cannot place are listed as not attempted, with the fault.

        For vCenter only (API reference).
        """
        if self.sim.kind != "vcenter":
            raise vmodl.fault.NotSupported()
        asked = placement.options(option)
        machines = [self.sim.obj(ref) for ref in vm]
        for machine in machines:
            call.require("VirtualMachine.Interact.PowerOn", machine)

        def body(task: Task) -> Any:
            return placement.power_on_several(machines, call, asked)

        return self.sim.start_task(call, self, "Datacenter.powerOnVm", body, duration=0.5)

    def queryDatacenterConfigOptionDescriptor(self, call: Call) -> list[Any]:
        """Hardware versions that may be used below here."""
        releases = [host.spec.release for host in placement.hosts_below(self)]
        if not releases:
            raise faults.invalid_state("The datacenter has no hosts.")
        return config_option_descriptors(max(releases, key=limits.release))


def config_option_descriptors(release: str) -> list[Any]:
    """QueryConfigOptionDescriptor: every hardware version a release runs; the newest is the default."""
    known = limits.known_versions(release)
    return [
        data.new(
            vim.vm.ConfigOptionDescriptor,
            key=limits.vmx(number),
            description=f"Hardware version {number}",
            createSupported=number >= 7,
            defaultConfigOption=number == known[-1],
            runSupported=True,
            upgradeSupported=number >= 7,
        )
        for number in known
    ]
