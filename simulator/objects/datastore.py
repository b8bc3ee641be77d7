# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Datastores: which hosts mount them, and whether anybody still can."""

from __future__ import annotations

from typing import Any, Protocol

from pyVmomi import vim

from ..api import data, names
from ..core.base import Endpoint, Entity

GIB = 1024**3


class Mounting(Protocol):
    """A host, as its datastores see it."""

    moid: str
    ref: Any
    props: dict[str, Any]

    @property
    def connection(self) -> str:
        """connected, disconnected or notResponding."""

    def set(self, path: str, value: Any) -> None:
        """Store a property."""


class Datastore(Entity):
    """A VMFS volume on a local or shared disk, an NFS mount, or the datastore of a vSAN cluster."""

    vim_type = vim.Datastore
    id_prefix = "datastore"

    def __init__(self, sim: Endpoint, name: str, kind: str, volume: Any, *, moid: str | None = None) -> None:
        self.kind = kind
        name = names.escaped(name)  # the host's own volume keeps the plain name
        self.mounts: dict[str, Mounting] = {}
        self.unreadable: set[str] = set()
        url = f"ds:///vmfs/volumes/{getattr(volume, 'uuid', name)}/"
        size = int(volume.capacity)
        sizes: dict[str, Any] = {"freeSpace": size // 2, "maxFileSize": 64 * 1024**4, "maxMemoryFileSize": 64 * 1024**4}
        if kind == "VMFS":
            info = data.new(
                vim.host.VmfsDatastoreInfo, name=name, url=url, vmfs=volume, maxPhysicalRDMFileSize=64 * 1024**4,
                maxVirtualRDMFileSize=62 * 1024**4, **sizes,
            )  # fmt: skip
        elif kind == "vsan":
            info = data.new(vim.host.VsanDatastoreInfo, name=name, url=url, **sizes)
        else:
            info = data.new(vim.host.NasDatastoreInfo, name=name, url=url, nas=volume, **sizes)
        super().__init__(sim, moid, name=name, info=info, host=[], vm=[])
        self.props["browser"] = sim.absent.browser(self)
        self.props["summary"] = data.new(
            vim.Datastore.Summary, datastore=self.ref, name=name, url=url, capacity=size, freeSpace=size // 2,
            accessible=False, multipleHostAccess=False, type=kind, maintenanceMode="normal",
        )  # fmt: skip
        self.props["capability"] = data.new(
            vim.Datastore.Capability, directoryHierarchySupported=True, rawDiskMappingsSupported=kind == "VMFS",
            perFileThinProvisioningSupported=True, storageIORMSupported=True, nativeSnapshotSupported=False,
        )  # fmt: skip

    def is_mounted_on(self, host: Mounting) -> bool:
        """Whether the host can reach it now."""
        return host.moid in self.mounts and host.moid not in self.unreadable

    def first_mount(self, host: Mounting) -> None:
        """While the lab is built: the host mounts it."""
        self.mounts[host.moid] = host
        self.props["host"].append(_host_mount(host, self.props["info"].url))
        self.props["summary"].accessible = True
        self.props["summary"].multipleHostAccess = len(self.mounts) > 1
        host.props["datastore"].append(self.ref)

    def set_mounted(self, host: Mounting, mounted: bool, *, accessible: bool = True) -> None:
        """The host gained or lost it, or sees it and cannot read it; VMs on a store nobody reaches become inaccessible."""
        readable = mounted and accessible
        if mounted == (host.moid in self.mounts) and readable == self.is_mounted_on(host):
            return
        listed = host.moid in self.mounts
        self.mounts.pop(host.moid, None) if not mounted else self.mounts.setdefault(host.moid, host)
        self.unreadable.discard(host.moid) if not mounted or accessible else self.unreadable.add(host.moid)
        url = self.props["info"].url
        mounts = [_host_mount(item, url, moid not in self.unreadable) for moid, item in self.mounts.items()]
        self.set("host", mounts)
        self.set("summary.accessible", any(moid not in self.unreadable for moid in self.mounts))
        if mounted != listed:
            refs = [ref for ref in host.props["datastore"] if ref._moId != self.moid]
            host.set("datastore", [*refs, self.ref] if mounted else refs)
        for ref in self.props["vm"]:
            vm = self.sim.obj(ref)
            if vm.host is host and host.connection == "connected":
                vm.set("runtime.connectionState", "connected" if readable else "inaccessible")


def _host_mount(host: Mounting, url: str, accessible: bool = True) -> Any:
    path = url.removeprefix("ds://").rstrip("/")
    info = data.new(vim.host.MountInfo, path=path, accessMode="readWrite", mounted=True, accessible=accessible)
    if not accessible:
        info.inaccessibleReason = "AllPathsDown_Timeout"
    return data.new(vim.Datastore.HostMount, key=host.ref, mountInfo=info)
