# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the inventory of a capture: the same objects with the same ids, on models of their hardware.

What the model does not know it shows as the server showed it, until something in the simulation changes it
(``PropertyHolder.show_captured``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pyVmomi import VmomiSupport as vs
from pyVmomi import vim

from ...api import data
from ...api.names import shown
from ...core.base import Entity, ManagedObject
from ...objects.cluster.cluster import ClusterComputeResource, ComputeResource
from ...objects.cluster.state import ComputeState
from ...objects.datastore import Datastore
from ...objects.environment import EnvironmentBrowser
from ...objects.folder import Datacenter, Folder
from ...objects.host.host import HostSystem
from ...objects.network import DistributedVirtualPortgroup, DistributedVirtualSwitch, Network
from ...objects.pci import Layout
from ...objects.pool import ResourcePool
from ...objects.vm.vm import VirtualMachine
from ...rules.pci import graphics
from ...services.alarms import Alarm
from ..hardware.cards import LabError
from . import boots, hosts, vms
from .file import Captured, Thing

if TYPE_CHECKING:
    from ...endpoint import SimulatedEndpoint

POOLS = ("ResourcePool", "VirtualApp")
SWITCHES = ("DistributedVirtualSwitch", "VmwareDistributedVirtualSwitch")
NEVER = frozenset({"parent", "host", "vm", "recentTask"})
"""Properties that follow from the inventory tree."""


def load(sim: SimulatedEndpoint, captured: Captured, parts: Any) -> None:
    """Build everything. ``parts``: makes the managers of a host, with their ids. Raises LabError."""
    Builder(sim, captured, parts).build()


class Builder:
    """What is shared while a capture is loaded."""

    def __init__(self, sim: SimulatedEndpoint, captured: Captured, parts: Any) -> None:
        self.sim = sim
        self.captured = captured
        self.parts = parts
        self.things: dict[str, Thing] = {thing.moid: thing for thing in captured.things}
        self.layouts: dict[Any, Layout] = {}
        self.groups: dict[str, list[str]] = {}
        self.boots = boots.past_boots(captured)
        self.direct = sim.kind == "esxi"

    def build(self) -> None:
        self._tree()
        self._computes()
        self._networks()
        self._datastores()
        for thing in self.captured.of("HostSystem"):
            self._host(thing)
        self._pools()
        for thing in self.captured.of("VirtualMachine"):
            self._vm(thing)
        self._clusters()
        self._attributes()
        self._alarms()
        self._tags()
        for thing in self.captured.things:
            self._show(thing)
        self._book()

    def _obj(self, ref: Any) -> Any:
        return self.sim.registry.find(ref._moId) if ref is not None else None

    # -- the tree -----------------------------------------------------------------------------------------------

    def _tree(self) -> None:
        root = self.captured.server["root"]
        name = str(self.things[root].get("name", "Datacenters")) if root in self.things else "Datacenters"
        made = Folder(self.sim, shown(name), ["vim.Folder", "vim.Datacenter"], moid=str(root))
        self.sim.add(made)
        self.sim.root = made
        waiting = [thing for thing in self.captured.of("Folder", "Datacenter", "StoragePod") if thing.moid != root]
        while waiting:
            ready = [thing for thing in waiting if self._obj(thing.get("parent")) is not None]
            if not ready:
                ready = waiting  # their parents are hidden from the account that captured them
            for thing in ready:
                self._below(self._obj(thing.get("parent")) or made, self._place(thing))
            done = {thing.moid for thing in ready}
            waiting = [thing for thing in waiting if thing.moid not in done]

    def _place(self, thing: Thing) -> Entity:
        name = str(thing.get("name", thing.moid))
        if thing.kind == "Datacenter":
            made = Datacenter(self.sim, shown(name), moid=thing.moid)
            made.props |= {
                field: thing.get(field) for field in ("vmFolder", "hostFolder", "datastoreFolder", "networkFolder")
            }
            return made
        kinds = list(thing.get("childType", ()))
        return Folder(self.sim, shown(name), kinds, moid=thing.moid)

    def _below(self, parent: Any, child: Entity) -> None:
        if isinstance(parent, Folder):
            parent.adopt(child)
        else:
            self.sim.add(child, parent=parent)

    def _datacenter(self, node: Entity | None) -> Datacenter | None:
        while node is not None and not isinstance(node, Datacenter):
            node = node.up
        return node

    def _entity(self, thing: Thing, made: Any) -> Any:
        parent = self._obj(thing.get("parent")) or self.sim.root
        self._below(parent, made)
        return made

    def _computes(self) -> None:
        for thing in self.captured.of("ComputeResource", "ClusterComputeResource"):
            name = shown(str(thing.get("name", thing.moid)))
            made: ComputeState
            if thing.kind == "ClusterComputeResource":
                made = ClusterComputeResource(self.sim, name, _cluster(thing), moid=thing.moid)
            else:
                made = ComputeResource(self.sim, name, moid=thing.moid)
            self._entity(thing, made)
            browser = thing.get("environmentBrowser")
            environment = EnvironmentBrowser(self.sim, browser._moId if browser is not None else None)
            self.sim.add(environment, owner=made)
            made.props["environmentBrowser"] = environment.ref

    def _pools(self) -> None:
        waiting = self.captured.of(*POOLS)
        while waiting:
            ready = [
                thing for thing in waiting if isinstance(self._obj(thing.get("parent")), ComputeState | ResourcePool)
            ]
            for thing in ready:
                self._pool(thing)
            if not ready:
                break
            done = {thing.moid for thing in ready}
            waiting = [thing for thing in waiting if thing.moid not in done]
        for compute in self.sim.registry.all(ComputeState):
            if compute.props["resourcePool"] is None:
                pool = ResourcePool(self.sim, "Resources", compute, {})
                self.sim.add(pool, parent=compute)
                compute.props["resourcePool"] = pool.ref

    def _pool(self, thing: Thing) -> None:
        parent = self._obj(thing.get("parent"))
        owner = self._obj(thing.get("owner")) or parent
        allocation = thing.get("config.memoryAllocation")
        lab = {
            "reservation_mb": getattr(allocation, "reservation", None) or 0,
            "expandable": bool(getattr(allocation, "expandableReservation", True)),
            "limit_mb": -1 if (limit := getattr(allocation, "limit", None)) is None else limit,
        }
        pool = ResourcePool(self.sim, shown(str(thing.get("name", "Resources"))), owner, lab, moid=thing.moid)
        self.sim.add(pool, parent=parent)
        if isinstance(parent, ComputeState):
            parent.props["resourcePool"] = pool.ref
        else:
            parent.props["resourcePool"].append(pool.ref)

    # -- networks and datastores --------------------------------------------------------------------------------

    def _networks(self) -> None:
        switches = {}
        for thing in self.captured.of(*SWITCHES):
            name = shown(str(thing.get("name", thing.moid)))
            switches[thing.moid] = self._entity(thing, DistributedVirtualSwitch(self.sim, name, moid=thing.moid))
            switches[thing.moid].props["uuid"] = str(thing.get("uuid", ""))
        for thing in self.captured.of("Network", "OpaqueNetwork", "DistributedVirtualPortgroup"):
            name = shown(str(thing.get("name", thing.moid)))
            switch = thing.get("config.distributedVirtualSwitch")
            made: Network
            if switch is not None and switch._moId in switches:
                owner = switches[switch._moId]
                made = DistributedVirtualPortgroup(self.sim, name, owner, moid=thing.moid)
                owner.props["portgroup"].append(made.ref)
                self.groups.setdefault(str(owner.props["uuid"]), []).append(name)
            else:
                made = Network(self.sim, name, moid=thing.moid)
            self._entity(thing, made)
            if (datacenter := self._datacenter(made)) is not None:
                datacenter.props["network"].append(made.ref)

    def _datastores(self) -> None:
        for thing in self.captured.of("Datastore"):
            kind = str(thing.get("summary.type", "VMFS"))
            volume = data.new(
                vim.host.VmfsVolume if kind == "VMFS" else vim.host.FileSystemVolume,
                type=kind,
                name=shown(str(thing.get("name", thing.moid))),
                capacity=int(thing.get("summary.capacity", 0)),
            )
            made = Datastore(self.sim, volume.name, kind, volume, moid=thing.moid)
            if thing.get("summary.url"):
                made.props["info"].url = str(thing.get("summary.url"))
            self._entity(thing, made)
            if (datacenter := self._datacenter(made)) is not None:
                datacenter.props["datastore"].append(made.ref)

    # -- hosts and virtual machines -----------------------------------------------------------------------------

    def _host(self, thing: Thing) -> None:
        compute = self._obj(thing.get("parent"))
        if compute is None:
            raise LabError(f"host {thing.moid} of the capture has no compute resource")
        spec = hosts.spec(thing, self.captured, self.groups, self.layouts, self.boots[thing.moid])
        host = HostSystem(self.sim, spec, moid=thing.moid, direct=self.direct)
        host.captured_partitions = self.captured.partitions.get(thing.moid, ())
        self.sim.add(host, parent=compute)
        compute.props["host"].append(host.ref)
        ids = {path.removeprefix("configManager."): ref._moId for path, ref in thing.values.items()
               if path.startswith("configManager.") and ref is not None}  # fmt: skip
        self.parts(host, direct=self.direct, ids=ids)
        for ref in thing.get("datastore", ()):
            if (store := self._obj(ref)) is not None:
                store.first_mount(host)
                if store.ref not in compute.props["datastore"]:
                    compute.props["datastore"].append(store.ref)
        for ref in thing.get("network", ()):
            if (network := self._obj(ref)) is not None:
                network.props["host"].append(host.ref)
                host.props["network"].append(network.ref)
                if network.ref not in compute.props["network"]:
                    compute.props["network"].append(network.ref)
        if (config := thing.get("config.graphicsConfig")) is not None:
            host.graphics = _graphics(config)

    def _vm(self, thing: Thing) -> None:
        host = self._obj(thing.get("runtime.host"))
        if host is None:
            raise LabError(f"VM {thing.moid} of the capture is on no host of it")
        stores = [found for ref in thing.get("datastore", ()) if (found := self._obj(ref)) is not None]
        networks = [found for ref in thing.get("network", ()) if (found := self._obj(ref)) is not None]
        spec = vms.spec(thing, shown(stores[0].name) if stores else "", shown(networks[0].name) if networks else "")
        vm = VirtualMachine(self.sim, spec, host, moid=thing.moid)
        vm.first_devices = vms.passthrough(thing.get("config.hardware.device", ()))
        vm.datastore, vm.network = stores[0] if stores else None, networks[0] if networks else None
        self._entity(thing, vm)
        pool = self._obj(thing.get("resourcePool")) or self._obj(host.up.props["resourcePool"])
        vm.props |= {
            "resourcePool": pool.ref if thing.get("resourcePool") is not None else None,
            "environmentBrowser": host.up.props["environmentBrowser"],
            "datastore": [store.ref for store in stores],
            "network": [network.ref for network in networks],
        }
        for holder in (host, pool, *stores, *networks):
            holder.props["vm"].append(vm.ref)

    def _book(self) -> None:
        bound: dict[str, list[str]] = {}
        for thing in self.captured.of("HostAssignableHardwareManager"):
            for item in thing.get("binding", ()):
                if item.vm is not None and item.instanceId.startswith("pci-"):
                    bound.setdefault(item.vm._moId, []).append(item.instanceId.removeprefix("pci-"))
        users: dict[str, list[str]] = {}
        for thing in self.captured.of("HostSystem"):
            for info in thing.get("config.graphicsInfo", ()):
                for ref in info.vm or ():
                    users.setdefault(ref._moId, []).append(info.pciId)
        for vm in self.sim.registry.all(VirtualMachine):
            if vm.is_on and vm.first_devices:
                vms.book(vm, bound, users)

    # -- what is around -----------------------------------------------------------------------------------------

    def _clusters(self) -> None:
        for cluster in self.sim.registry.all(ClusterComputeResource):
            thing = self.things[cluster.moid]
            if (config := thing.get("configurationEx")) is not None:
                found = data.clone(config)
                cluster.props["configurationEx"] = found
                cluster.props["configuration"] = data.new(
                    vim.cluster.ConfigInfo, drsConfig=found.drsConfig, dasConfig=found.dasConfig,
                    drsVmConfig=list(found.drsVmConfig or ()), rule=list(found.rule or ()),
                )  # fmt: skip

    def _attributes(self) -> None:
        fields = self.sim.services.custom_fields
        if fields is None:
            return
        for thing in self.captured.of("CustomFieldsManager"):
            fields.adopt(thing.get("field", []))
        for thing in self.captured.things:
            entity = self.sim.registry.find(thing.moid)
            if isinstance(entity, Entity):
                entity.custom |= {item.key: str(item.value) for item in thing.get("customValue", ())}

    def _alarms(self) -> None:
        alarms = self.sim.services.alarms
        if alarms is None:
            return
        for thing in self.captured.of("Alarm"):
            name = str(thing.get("info.name", thing.moid))
            alarms.alarms[name] = self.sim.add(Alarm(self.sim, name, moid=thing.moid))
        for thing in self.captured.things:
            for state in thing.get("triggeredAlarmState", ()):
                if state.entity is not None and state.entity._moId == thing.moid:
                    alarms.adopt(thing.moid, state)

    def _tags(self) -> None:
        raw = self.captured.raw.get("tags")
        if raw is None or self.direct:
            return
        made = {}
        for category in raw["categories"]:
            holder = self.sim.tags.add_category(category["name"], cardinality="MULTIPLE", urn=category["id"])
            for item in category["tags"]:
                tag = made[item["id"]] = self.sim.tags.add_tag(holder, item["name"], urn=item["id"])
                tag.on.update(dict.fromkeys(moid for moid in item["vms"] if self.sim.registry.find(moid) is not None))
        for policy in raw["policies"]:
            for key in [key for key in policy["tags"] if key in made]:
                self.sim.policies.adopt(policy["id"], policy["name"], policy["capability"], made[key])

    def _show(self, thing: Thing) -> None:
        found = self._manager(thing)
        if found is None:
            return
        values = {
            path: value
            for path, value in thing.values.items()
            if path not in NEVER and path.partition(".")[0] != "configManager" and found.has(path.partition(".")[0])
        }
        if isinstance(found, Entity) and found.props.get("config", True) is None:
            values = {
                path: value
                for path, value in values.items()
                if not path.startswith(("config.", "hardware.", "capability."))
            }
        for path in ("host", "vm"):
            self._order(found, path, thing.values.get(path))
        found.captured_missing = dict(thing.missing)
        found.show_captured(values)

    def _order(self, found: ManagedObject, path: str, refs: Any) -> None:
        """Hosts and VMs of an object in the order in which the server lists them."""
        here = found.props.get(path)
        if not isinstance(here, list) or not all(isinstance(ref, data.Ref) for ref in (*here, *(refs or ()))):
            return
        if refs and {ref._moId for ref in here} == {ref._moId for ref in refs}:
            here[:] = list(refs)

    def _manager(self, thing: Thing) -> ManagedObject | None:
        kind = vs.GetWsdlType(vs.XMLNS_VMODL_BASE, thing.kind)
        if kind is vim.CustomFieldsManager:
            return None
        return self.sim.registry.find(thing.moid)


def _cluster(thing: Thing) -> Mapping[str, Any]:
    """DRS and HA of a cluster in the words of a lab; the configuration itself is shown as it was captured."""
    config = thing.get("configurationEx")
    if config is None:
        return {"drs": False}
    drs, vsan = config.drsConfig, getattr(config, "vsanConfigInfo", None)
    mode = str(drs.defaultVmBehavior or "manual") if drs is not None and drs.enabled else False
    return {"drs": mode, "vsan": bool(vsan is not None and vsan.enabled)}


def _graphics(config: Any) -> graphics.Settings:
    devices = {
        item.deviceId: graphics.DeviceType(str(item.graphicsType), str(getattr(item, "vgpuMode", None) or ""))
        for item in config.deviceType or ()
    }
    return graphics.Settings(
        default=str(config.hostDefaultGraphicsType), policy=str(config.sharedPassthruAssignmentPolicy), devices=devices
    )
