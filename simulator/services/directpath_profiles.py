# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DirectPathProfileManager of a vCenter from 9.0 on: profiles, and how many more devices of each a host or cluster can serve.

Source: Web Services API reference 9.0, DirectPathProfileManager: names up to 80 characters, descriptions shorter than 256, AlreadyExists
for the same name or the same device details, CapacityInfo (of powered-on VMs only, ``max`` of an empty target), CapacityUnknown for one
query. That hosts in maintenance mode do not count is inferred.
Profiles are counted for dynamic devices and vGPUs; those of DVX and device groups answer CapacityUnknown, as does what the knob
``profile_capacity`` names. Nothing here uses a profile, so deleting one is never refused with ResourceInUse.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from pyVmomi import vim, vmodl

from ..api import data
from ..api.takes import takes
from ..core.base import Endpoint, ManagedObject
from ..core.call import Call
from ..objects.cluster.state import ClusterState
from ..objects.host import cards as host_cards
from ..objects.host.state import HostState
from ..rules import knobs

SINCE = (9, 0)
LONGEST_NAME, LONGEST_TEXT = 80, 255
_NAMESPACE = uuid.UUID("a4b9f0ce-13a5-4f27-8d0e-0c5c8a1f9d52")


@dataclass(frozen=True, kw_only=True)
class Profile:
    """``config``: a DirectPathConfig."""

    id: str
    name: str
    description: str
    vendor: str
    config: Any


def has_profiles(sim: Endpoint) -> bool:
    """Whether the endpoint has the manager, and the installed pyVmomi its types."""
    release = tuple(int(part) for part in str(sim.product_version).split("."))
    return sim.kind == "vcenter" and release >= SINCE and hasattr(vim, "DirectPathProfileManager")


def build(sim: Endpoint) -> Any:
    """The manager; None where there is none."""
    return _manager()(sim) if has_profiles(sim) else None


@data.memo
def _manager() -> Any:
    """The class, made late: older pyVmomi releases do not have its type."""
    types = vim.DirectPathProfileManager

    class DirectPathProfileManager(ManagedObject):
        vim_type = types

        def __init__(self, sim: Endpoint) -> None:
            super().__init__(sim, "DirectPathProfileManager")
            self.profiles: dict[str, Profile] = {}

        @takes("spec.*")
        def DirectPathProfileManagerCreate(self, call: Call, spec: Any) -> str:
            """A new profile; its id."""
            return self.add(str(spec.name), str(spec.description or ""), spec.deviceConfig)

        def add(self, name: str, description: str, config: Any) -> str:
            """A new profile. Raises AlreadyExists, InvalidArgument."""
            self._check(name, description)
            if any(data.same(item.config, config) for item in self.profiles.values()):
                raise vim.fault.AlreadyExists(name=name)
            key = str(uuid.uuid5(_NAMESPACE, f"{self.sim.instance_uuid}/{name}"))
            vendor = "NVIDIA" if isinstance(config, types.VmiopDirectPathConfig) else "Unknown"
            self.profiles[key] = Profile(id=key, name=name, description=description, vendor=vendor, config=config)
            return key

        def _check(self, name: str, description: str, but: str = "") -> None:
            if not 0 < len(name) <= LONGEST_NAME:
                raise vmodl.fault.InvalidArgument(invalidProperty="spec.name")
            if len(description) > LONGEST_TEXT:
                raise vmodl.fault.InvalidArgument(invalidProperty="spec.description")
            if any(item.name == name for key, item in self.profiles.items() if key != but):
                raise vim.fault.AlreadyExists(name=name)

        @takes("id", "spec.*")
        def DirectPathProfileManagerUpdate(self, call: Call, id: str, spec: Any) -> None:
            """Change the name and the description; the device details never change."""
            found = self._found(id)
            name = found.name if spec.name is None else str(spec.name)
            text = found.description if spec.description is None else str(spec.description)
            self._check(name, text, but=id)
            self.profiles[id] = replace(found, name=name, description=text)

        @takes("id")
        def DirectPathProfileManagerDelete(self, call: Call, id: str) -> None:
            """Remove one."""
            del self.profiles[self._found(id).id]

        def _found(self, key: str) -> Profile:
            if key not in self.profiles:
                raise vim.fault.NotFound()
            return self.profiles[key]

        @takes("filterSpec.ids", "filterSpec.names")
        def DirectPathProfileManagerList(self, call: Call, filterSpec: Any) -> list[Any]:
            """The profiles, by name."""
            ids, names = filterSpec.ids, filterSpec.names
            chosen = [
                item
                for item in self.profiles.values()
                if (not ids or item.id in ids) and (not names or item.name in names)
            ]
            return [self._info(item) for item in sorted(chosen, key=lambda item: item.name)]

        def _info(self, item: Profile) -> Any:
            return data.new(
                types.DirectPathProfileInfo,
                id=item.id,
                name=item.name,
                description=item.description or None,
                vendorName=item.vendor,
                deviceConfig=item.config,
            )

        @takes("target.*", "querySpec.*")
        def DirectPathProfileManagerQueryCapacity(self, call: Call, target: Any, querySpec: Any = None) -> list[Any]:
            """One answer for each query, in their order; without queries one for each profile."""
            hosts = self._hosts(target)
            queries = querySpec or [
                data.new(types.CapacityQueryById, id=item.id)
                for item in sorted(self.profiles.values(), key=lambda item: item.name)
            ]
            return [self._answer(query, hosts) for query in queries]

        def _hosts(self, target: Any) -> list[HostState]:
            reference = getattr(target, "host", None) or getattr(target, "cluster", None)
            found = self.sim.registry.find(reference._moId) if reference is not None else None
            if isinstance(found, HostState):
                return [found]
            if isinstance(found, ClusterState):
                return [host for host in found.hosts if host.connection == "connected"]
            raise vmodl.fault.InvalidArgument(invalidProperty="target")

        def _answer(self, query: Any, hosts: list[HostState]) -> Any:
            mode = knobs.of(self).profile_capacity
            by_config = isinstance(query, types.CapacityQueryByDeviceConfig)
            found = next((item for item in self.profiles.values() if _is_asked(query, item)), None)
            if found is None or mode == "unknown" or (mode == "unknown_by_config" and by_config):
                return self._unknown(query, vim.fault.NotFound() if found is None else vmodl.fault.SystemError())
            counts = [_count(host, found.config) for host in hosts if not host.in_maintenance]
            known = [count for count in counts if count is not None]
            if len(known) < len(counts):
                return self._unknown(query, vmodl.fault.NotSupported())
            consumed, remaining, most = (sum(count[part] for count in known) for part in range(3))
            return data.new(
                types.CapacityInfo,
                profile=self._info(found),
                consumed=consumed,
                remaining=remaining,
                max=most,
                unusedReservation=0,
            )

        def _unknown(self, query: Any, fault: Any) -> Any:
            return data.new(types.CapacityUnknown, querySpec=query, faultList=[fault])

    def _is_asked(query: Any, item: Profile) -> bool:
        if isinstance(query, types.CapacityQueryById):
            return bool(query.id == item.id)
        if isinstance(query, types.CapacityQueryByName):
            return bool(query.name == item.name)
        return data.same(query.deviceConfig, item.config)

    return DirectPathProfileManager


def _count(host: HostState, config: Any) -> tuple[int, int, int] | None:
    """What is consumed, what remains, and what the host has while no VM runs; None for a kind that is not counted."""
    types = vim.DirectPathProfileManager
    cards = host_cards.cards(host)
    if isinstance(config, types.DynamicDirectPathConfig):
        backing = config.dynamicDirectPathBacking
        fitting = [card for card in cards.values() if card.active and _fits(card, backing)]
        held = sum(1 for card in fitting if card.holder)
        return held, len(fitting) - held, len(fitting)
    if isinstance(config, types.VmiopDirectPathConfig):
        used = sum(count for (_place, name), count in host.profiles_used.items() if name == config.vgpuProfile)
        remaining = sum(card.free_profiles.get(config.vgpuProfile, 0) for card in cards.values())
        return used, remaining, sum(_most(host, config.vgpuProfile))
    return None


def _fits(card: Any, backing: Any) -> bool:
    models = {(int(item.vendorId) & 0xFFFF, int(item.deviceId) & 0xFFFF) for item in backing.allowedDevice}
    return (card.vendor, card.device) in models and backing.customLabel in (None, "", card.label)


def _most(host: HostState, profile: str) -> Iterable[int]:
    for address, kind in host.spec.shared_gpus.items():
        if kind == "sharedDirect":
            yield dict(host.spec.layout.functions[address].profiles).get(profile, 0)
