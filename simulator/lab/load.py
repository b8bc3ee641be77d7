# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the inventory of a lab. The keys are described in simulator/labs/README.md."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pyVmomi import vim

from ..api import data, versions
from ..api.names import escaped
from ..bmc import accounts as bmc_accounts
from ..core.base import Entity
from ..objects import unmodelled
from ..objects.cluster import ha as cluster_ha
from ..objects.cluster import vsan
from ..objects.cluster.cluster import ClusterComputeResource, ComputeResource
from ..objects.cluster.state import ComputeState
from ..objects.datastore import Datastore
from ..objects.environment import EnvironmentBrowser
from ..objects.folder import Datacenter, Folder
from ..objects.host import parts as host_parts
from ..objects.host import power as host_power
from ..objects.host.host import HostSystem
from ..objects.host.state import HostState
from ..objects.host.storage import volumes
from ..objects.network import DistributedVirtualPortgroup, DistributedVirtualSwitch, Network
from ..objects.pci import Layout
from ..objects.pool import ResourcePool
from ..objects.vm import snapshots as vm_snapshots
from ..objects.vm.vm import VirtualMachine
from ..services.settings import HOT_MIGRATION
from . import describe, events, hosts, policies, profiles, roll, tags, values, what_if
from .accounts import add_accounts
from .captured import load as captured_load
from .captured.file import Captured
from .expand import expanded, merged, unknown_keys
from .fleet import datacenters
from .hardware.cards import LabError
from .vms import machines

if TYPE_CHECKING:
    from ..endpoint import SimulatedEndpoint

LAB_KEYS = {
    "kind", "version", "build", "name", "users", "roles", "permissions", "knobs", "faults", "hardware", "defaults",
    "datacenters", "host", "vms", "vm_defaults", "pools", "instance_uuid",
    "fleet", "roll_fleet", "description", "capture", "tag_categories", "compute_policies", "directpath_profiles", "advanced_settings",
    "what_if", "boot_spread",
}  # fmt: skip

OF_CAPTURES = {
    "datacenters", "host", "vms", "pools", "fleet", "roll_fleet", "hardware", "defaults", "vm_defaults", "tag_categories",
    "compute_policies", "directpath_profiles",
}  # fmt: skip
"""What a capture says itself."""
CLUSTER_KEYS = {
    "name", "folder", "drs", "drs_vms", "drs_options", "ha", "vsan", "alarms", "hosts", "vms", "pools", "tags", "custom_values",
}  # fmt: skip


def load(sim: SimulatedEndpoint, lab: Mapping[str, Any], captured: Captured | None = None) -> None:
    """Build everything below the root folder, from the lab or from a capture. Raises LabError (a ValueError) with the place of the
    mistake."""
    unknown_keys(lab, LAB_KEYS, "the lab")
    if captured is not None and (given := sorted(set(lab) & OF_CAPTURES)):
        raise LabError(f"{', '.join(given)} cannot be given with capture, which says it")
    add_accounts(sim, lab)
    tags.categories(sim, lab)
    policies.load(sim, lab)
    _advanced_settings(sim, lab)
    profiles.load(sim, lab)
    builder = Builder(sim, lab)
    if captured is not None:
        if lab.get("users"):
            sim.bmc_accounts = bmc_accounts.of_users(sim.authz.users.values())
        captured_load.load(sim, captured, builder.parts)
    elif sim.kind == "esxi":
        builder.standalone()
    else:
        builder.vcenter()
    for entity, attribute, value in builder.custom_values:
        values.put(sim, entity, attribute, value)
    builder.raise_alarms()
    for name, event in events.build(sim).items():
        sim.events[name] = event
    what_if.load(sim, lab)
    sim.describe = describe.describe


def _advanced_settings(sim: SimulatedEndpoint, lab: Mapping[str, Any]) -> None:
    """`advanced_settings` of a vCenter: `{vgpu.hotmigrate.enabled: true}`."""
    given = lab.get("advanced_settings") or {}
    unknown_keys(given, {HOT_MIGRATION}, "advanced_settings")
    for manager in sim.registry.all(vim.option.OptionManager):
        manager.values.update(given)


class Builder:
    """What is shared while a lab is built: templates, layouts, datastores and networks by name."""

    def __init__(self, sim: SimulatedEndpoint, lab: Mapping[str, Any]) -> None:
        self.sim = sim
        self.lab = lab
        self.templates: Mapping[str, Any] = lab.get("hardware") or {}
        self.layouts: dict[str, Layout] = {}
        self.stores: dict[str, Datastore] = {}
        self.networks: dict[str, Network] = {}
        self.switches: dict[str, DistributedVirtualSwitch] = {}
        self.datacenter: Datacenter
        self.alarms: list[tuple[Entity, Any]] = []
        self.custom_values: list[tuple[Entity, str, str]] = []
        self.number = 0

    def vcenter(self) -> None:
        """Root folder, datacenters, clusters, standalone hosts, VMs."""
        kinds = ["vim.Folder", "vim.Datacenter"]
        root = Folder(self.sim, "Datacenters", kinds, moid="group-d1")
        self.sim.add(root)
        self.sim.root = root
        listed = [*(self.lab.get("datacenters") or [])]
        if "fleet" in self.lab:
            listed.extend(datacenters(self.lab["fleet"] or {}))
        if "roll_fleet" in self.lab:
            listed.extend(roll.datacenters(self.lab["roll_fleet"] or {}))
        if not listed:
            raise LabError("a vCenter lab needs `datacenters`, `fleet` or `roll_fleet`")
        for item in expanded(listed):
            self._datacenter(root, item)

    def standalone(self) -> None:
        """The fixed skeleton of an ESXi host and its one host."""
        root = Folder(self.sim, "ha-folder-root", ["vim.Folder", "vim.Datacenter"], moid="ha-folder-root")
        self.sim.add(root)
        self.sim.root = root
        self.datacenter = Datacenter(self.sim, "ha-datacenter", moid="ha-datacenter")
        root.adopt(self.datacenter)
        self.datacenter.build_folders(direct=True)
        entry = self.lab.get("host")
        if not isinstance(entry, Mapping):
            raise LabError("an ESXi lab needs `host`")
        compute = ComputeResource(self.sim, str(entry.get("name", self.sim.name)), moid="ha-compute-res")
        self.datacenter.folder("host").adopt(compute)
        self._pool(compute, "Resources", moid="ha-root-pool")
        self._browser(compute, moid="ha-compute-res-env")
        self._hosts(compute, [{"name": self.sim.name, **entry}], direct=True)
        self._vms(compute, self.lab.get("vms") or [], self.lab.get("pools") or [])

    def _datacenter(self, root: Folder, item: Mapping[str, Any]) -> None:
        unknown_keys(item, {"name", "folder", "clusters", "hosts", "vms"}, f"datacenter {item.get('name')}")
        self.stores, self.networks, self.switches = {}, {}, {}
        self.datacenter = Datacenter(self.sim, str(item.get("name", "DC")))
        self._folder(root, str(item.get("folder", "")), "group-d").adopt(self.datacenter)
        self.datacenter.build_folders()
        for cluster in expanded(item.get("clusters") or []):
            unknown_keys(cluster, CLUSTER_KEYS, f"cluster {cluster.get('name')}")
            if isinstance(cluster.get("ha"), Mapping):
                unknown_keys(cluster["ha"], cluster_ha.LAB_KEYS, f"cluster {cluster.get('name')}, ha")
            made = ClusterComputeResource(self.sim, str(cluster["name"]), cluster)
            place = self._folder(self.datacenter.folder("host"), str(cluster.get("folder", "")), "group-h")
            place.adopt(made)
            tags.attach(self.sim, made, cluster)
            self.custom_values += values.of_entry(made, cluster)
            self._pool(made, "Resources")
            self._browser(made)
            self._hosts(made, expanded(cluster.get("hosts") or []))
            vms = self._vms(made, expanded(cluster.get("vms") or []), cluster.get("pools") or [])
            self._check_overrides(made, vms)
            made.finish(vms)
            self.alarms += [(made, item) for item in cluster.get("alarms") or []]
        for entry in expanded(item.get("hosts") or []):
            alone = ComputeResource(self.sim, str(entry["name"]))
            self.datacenter.folder("host").adopt(alone)
            self._pool(alone, "Resources")
            self._browser(alone)
            self._hosts(alone, [{key: value for key, value in entry.items() if key != "vms"}])
            self._vms(alone, expanded(entry.get("vms") or []), [])

    def _check_overrides(self, cluster: ClusterComputeResource, vms: Mapping[str, VirtualMachine]) -> None:
        strangers = sorted(set(cluster.overrides) - set(vms))
        if strangers:
            raise LabError(f"cluster {cluster.name}: drs_vms names no VM of the cluster: {', '.join(strangers)}")

    def _pool(self, compute: ComputeState, name: str, *, moid: str | None = None) -> None:
        pool = ResourcePool(self.sim, name, compute, {}, moid=moid)
        self.sim.add(pool, parent=compute)
        compute.props["resourcePool"] = pool.ref

    def _browser(self, compute: ComputeState, *, moid: str | None = None) -> None:
        browser = EnvironmentBrowser(self.sim, moid)
        self.sim.add(browser, owner=compute)
        compute.props["environmentBrowser"] = browser.ref

    # -- hosts ------------------------------------------------------------------------------------------------

    def _hosts(self, compute: ComputeState, entries: list[Mapping[str, Any]], *, direct: bool = False) -> None:
        for entry in entries:
            self._host(compute, entry, direct=direct)

    def _host(self, compute: ComputeState, entry: Mapping[str, Any], *, direct: bool) -> HostSystem:
        whole = merged(self._template(entry), entry)
        self.number += 1
        spec = hosts.spec(
            whole, cluster=compute.name, number=self.number, version=self.sim.version, layout=self._layout, sim=self.sim
        )
        host = HostSystem(self.sim, spec, moid="ha-host" if direct else None, direct=direct)
        self.sim.add(host, parent=compute)
        compute.props["host"].append(host.ref)
        tags.attach(self.sim, host, whole)
        self.custom_values += values.of_entry(host, whole)
        self.parts(host, direct=direct)
        self._storage(compute, host)
        self._network(compute, host)
        self.alarms += [(host, item) for item in whole.get("alarms") or []]
        return host

    def raise_alarms(self) -> None:
        """At the end, when everything is in its place: alarms of the lab, and those of hosts that do not respond."""
        alarms = self.sim.services.alarms
        if alarms is None:
            if self.alarms:
                raise LabError("an ESXi host has no alarms")
            return
        for entity, item in self.alarms:
            given = item if isinstance(item, Mapping) else {"name": item}
            unknown_keys(given, {"name", "status", "acknowledged"}, f"alarm of {entity.name}")
            status, seen = str(given.get("status", "red")), bool(given.get("acknowledged", False))
            alarms.trigger(entity, str(given["name"]), status, acknowledged=seen)
        for host in self.sim.registry.all(HostSystem):
            if host.connection == "notResponding":
                host_power.alarm(host)

    def _template(self, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        base = self.lab.get("defaults") or {}
        name = entry.get("hardware")
        if name is None:
            return base
        if name not in self.templates:
            known = ", ".join(sorted(self.templates)) or "none"
            raise LabError(f"host {entry.get('name')}: hardware {name!r} is not described; there is {known}")
        return merged(base, self.templates[name])

    def _layout(self, signature: Mapping[str, Any], build: Any) -> Layout:
        """Hosts that are built alike share one layout, and with it the lists the API shows."""
        key = json.dumps(signature, sort_keys=True, default=str)
        if key not in self.layouts:
            self.layouts[key] = build()
        return self.layouts[key]

    def parts(self, host: HostSystem, *, direct: bool, ids: Mapping[str, str] | None = None) -> None:
        """Make the managers of a host. ``ids``: name in configManager -> id, where another one than usual is wanted."""
        parts: dict[str, type[host_parts.HostPart]] = {
            "pciPassthruSystem": host_parts.HostPciPassthruSystem,
            "storageSystem": host_parts.HostStorageSystem,
            "bootDeviceSystem": host_parts.HostBootDeviceSystem,
            "kernelModuleSystem": host_parts.HostKernelModuleSystem,
            "vsanSystem": vsan.HostVsanSystem,
            "graphicsManager": host_parts.HostGraphicsManager,
            "serviceSystem": host_parts.HostServiceSystem,
        }
        if host.spec.vsan:
            parts["vsanInternalSystem"] = vsan.HostVsanInternalSystem
        if host.spec.major >= 7:
            parts["assignableHardwareManager"] = host_parts.HostAssignableHardwareManager
        manager = host.props["configManager"]
        own = versions.for_product(host.spec.release)
        version = own if own in versions.supported(self.sim.api_version) else self.sim.api_version
        host.parts.update(unmodelled.config_manager(host, version, but={*parts}, direct=direct))
        for name, ref in host.parts.items():
            setattr(manager, name, ref if host.spec.known else None)
        for name, cls in parts.items():
            usual = f"ha-{name.lower()}" if direct else f"{name}-{host.moid.removeprefix('host-')}"
            part = cls(self.sim, (ids or {}).get(name, usual))
            self.sim.add(part, owner=host)
            if name in data.fields(vim.host.ConfigManager):
                host.parts[name] = part.ref
                setattr(manager, name, part.ref if host.spec.known else None)

    def _storage(self, compute: ComputeState, host: HostSystem) -> None:
        for mount in volumes(host.spec, host.taken).mountInfo:
            volume = mount.volume
            if volume.type not in ("VMFS", "NFS", "vsan"):
                continue
            store = self.stores.get(escaped(volume.name))
            if store is None:
                store = Datastore(self.sim, volume.name, volume.type, volume)
                self.datacenter.folder("datastore").adopt(store)
                self.datacenter.props["datastore"].append(store.ref)
                self.stores[store.name] = store
            store.first_mount(host)
            if store.ref not in compute.props["datastore"]:
                compute.props["datastore"].append(store.ref)

    def _network(self, compute: ComputeState, host: HostSystem) -> None:
        for switch in host.spec.switches:
            for name in switch.portgroups:
                network = self._named_network(name, switch.name if switch.kind == "distributed" else "")
                network.props["host"].append(host.ref)
                host.props["network"].append(network.ref)
                if network.ref not in compute.props["network"]:
                    compute.props["network"].append(network.ref)

    def _named_network(self, name: str, switch: str) -> Network:
        if (known := self.networks.get(escaped(name))) is not None:
            return known
        folder = self.datacenter.folder("network")
        network: Network
        if switch:
            if switch not in self.switches:
                self.switches[switch] = DistributedVirtualSwitch(self.sim, switch)
                folder.adopt(self.switches[switch])
            network = DistributedVirtualPortgroup(self.sim, name, self.switches[switch])
            self.switches[switch].props["portgroup"].append(network.ref)
        else:
            network = Network(self.sim, name)
        folder.adopt(network)
        self.datacenter.props["network"].append(network.ref)
        self.networks[network.name] = network
        return network

    # -- virtual machines -------------------------------------------------------------------------------------

    def _vms(self, compute: ComputeState, entries: list[Any], pools: list[Any]) -> dict[str, VirtualMachine]:
        named = {pool.name: pool for pool in [compute.pool]}
        for item in pools:
            pool = ResourcePool(self.sim, str(item["name"]), compute, item)
            self.sim.add(pool, parent=compute.pool)
            compute.pool.props["resourcePool"].append(pool.ref)
            named[pool.name] = pool
        made: dict[str, VirtualMachine] = {}
        for index, entry in enumerate(expanded(entries)):
            vm = self._vm(compute, named, merged(self.lab.get("vm_defaults") or {}, entry), index)
            made[vm.name] = vm
        return made

    def _vm(
        self, compute: ComputeState, pools: Mapping[str, ResourcePool], entry: Mapping[str, Any], index: int
    ) -> VirtualMachine:
        host = self._host_of(compute, entry, index)
        spec = machines.spec(entry, host, self.sim.folder)
        vm = VirtualMachine(self.sim, spec, host)
        vm.first_devices = machines.devices(spec, host)
        pool = pools.get(escaped(str(entry.get("pool", "Resources"))))
        if pool is None:
            raise LabError(f"VM {spec.name}: pool {entry.get('pool')!r} is not in {compute.name}")
        vm.datastore, vm.network = self.stores.get(escaped(spec.datastore)), self.networks.get(escaped(spec.network))
        folder = self._folder(self.datacenter.folder("vm"), entry.get("folder") or "", "group-v")
        folder.adopt(vm)
        for holder in (host, pool, vm.datastore, vm.network):
            if holder is not None:
                holder.props["vm"].append(vm.ref)
        vm.props["resourcePool"] = pool.ref
        vm.props["environmentBrowser"] = compute.props["environmentBrowser"]
        vm.props["datastore"] = [vm.datastore.ref] if vm.datastore is not None else []
        vm.props["network"] = [vm.network.ref] if vm.network is not None else []
        tags.attach(self.sim, vm, entry)
        self.custom_values += values.of_entry(vm, entry)
        if vm.is_on and vm.first_devices:
            machines.begin_running(vm, host)
        if spec.snapshot:
            vm_snapshots.take_now(vm, "before")
        return vm

    def _host_of(self, compute: ComputeState, entry: Mapping[str, Any], index: int) -> HostState:
        found = compute.hosts
        if not found:
            raise LabError(f"{compute.name} has VMs but no hosts")
        name = entry.get("host")
        if name is None:
            return found[index % len(found)]
        for host in found:
            if name in (host.name, host.name.split(".")[0]):
                return host
        raise LabError(f"VM {entry.get('name')}: host {name!r} is not in {compute.name}")

    def _folder(self, node: Folder, path: str | list[str], prefix: str) -> Folder:
        """The folder at a path below another one, made where it is not there yet; a list of names where a name has a slash."""
        for name in filter(None, path.split("/") if isinstance(path, str) else map(str, path)):
            below = [child for child in node.down.values() if isinstance(child, Folder) and child.is_named(name)]
            if below:
                node = below[0]
                continue
            made = Folder(self.sim, name, list(node.props["childType"]), moid=self.sim.registry.mint(prefix))
            node.adopt(made)
            node = made
        return node
