# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compute policies of a vCenter: what can be read of them, and what they do with a VM whose host is evacuated.

Sources: vSphere Automation API reference, vcenter/compute/policies: Policies.list and get, TagUsage.list (since 7.0 U3, each with
System.Read); capabilities vm.evacuation.best_effort_restart (since 8.0 U3) and vm.evacuation.vmotion. The address below ``/rest``, and the
ids without ``id:``: govmomi, vapi/compute. The type of a tag in a row of TagUsage: type of the field in the Python SDK.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .tags import Refusal, Tag

if TYPE_CHECKING:
    from ..core.base import Endpoint

PREFIX = "com.vmware.vcenter.compute.policies.capabilities."
EFFECTS: Mapping[str, str] = {
    f"{PREFIX}vm.evacuation.best_effort_restart": "restart",
    f"{PREFIX}vm.evacuation.vmotion": "",
    f"{PREFIX}disable_drs_vmotion": "",
    f"{PREFIX}vm_vm_affinity": "",
    f"{PREFIX}vm_vm_anti_affinity": "",
}
"""Published capabilities for VMs with one tag → what they do when the host of the VM is evacuated; see rules.maintenance.EVACUATIONS."""
SINCE = (7, 0, 3)
"""The release of vCenter that has compute policies."""
NEWER = {f"{PREFIX}vm.evacuation.best_effort_restart": (8, 0, 3)}
"""Capabilities that came later → the release."""
_NAMESPACE = uuid.UUID("5f3c9a0e-0a53-4f0b-9d57-0d8f0c1b7a11")


@dataclass(frozen=True, kw_only=True)
class ComputePolicy:
    """One policy. ``effect``: as in ``EFFECTS``. ``tag``: the id of its VM tag."""

    id: str
    name: str
    capability: str
    tag: str
    effect: str
    description: str = ""


class ComputePolicies:
    """All of them, by id."""

    def __init__(self, sim: Endpoint) -> None:
        self.sim = sim
        self.policies: dict[str, ComputePolicy] = {}

    def add(self, name: str, capability: str, tag: Tag, effect: str) -> ComputePolicy:
        """A new policy. Raises Refusal: names are unique (Policies.create)."""
        if not name or any(one.name == name for one in self.policies.values()):
            raise Refusal("already_exists", f"There is a compute policy named {name!r} already, or it has no name")
        key = str(uuid.uuid5(_NAMESPACE, f"{self.sim.instance_uuid}/{name}"))
        self.policies[key] = ComputePolicy(id=key, name=name, capability=capability, tag=tag.id, effect=effect)
        return self.policies[key]

    def adopt(self, key: str, name: str, capability: str, tag: Tag) -> None:
        """Take over a policy of a captured vCenter; what one of an unpublished capability does is not known, so it does nothing."""
        effect = EFFECTS.get(capability, "")
        self.policies[key] = ComputePolicy(id=key, name=name, capability=capability, tag=tag.id, effect=effect)

    def effect_on(self, tags: Mapping[str, Tag], moid: str) -> str:
        """What happens to a VM whose host is evacuated; empty: nothing because of a policy."""
        held = {key for key, tag in tags.items() if moid in tag.on}
        return next((one.effect for one in self.policies.values() if one.effect and one.tag in held), "")
