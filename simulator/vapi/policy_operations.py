# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be asked about compute policies. The sources are in ``policies``."""

from __future__ import annotations

from typing import Any

from ..rules import knobs
from .operations import Ask, Key, Operation
from .policies import SINCE, ComputePolicies
from .tags import Refusal

_TAG_TYPE = "com.vmware.cis.tagging.Tag:VirtualMachine"


def _readable(ask: Ask) -> ComputePolicies:
    """Raises Refusal."""
    release = tuple(int(part) for part in ask.sim.product_version.split("."))
    mode = knobs.of(ask.sim.root).compute_policies if ask.sim.root is not None else "answers"
    if release < SINCE or mode == "not_found":
        raise Refusal("not_found", "There are no compute policies here", "simulator.policies.not_found")
    if mode == "unauthorized":
        raise Refusal("unauthorized", "You do not have the privilege System.Read")
    ask.require("System.Read")
    return ask.sim.policies


def _list(ask: Ask) -> Any:
    return [
        {"policy": one.id, "name": one.name, "description": one.description, "capability": one.capability}
        for one in _readable(ask).policies.values()
    ]


def _get(ask: Ask) -> Any:
    one = _readable(ask).policies.get(ask.address.id)
    if one is None:
        raise Refusal("not_found", f"There is no compute policy {ask.address.id}")
    return {"name": one.name, "description": one.description, "capability": one.capability, "vm_tag": one.tag}


def _tag_usage(ask: Ask) -> Any:
    """Without a filter. Tags that were deleted are left out."""
    found = _readable(ask)
    if ask.sim.root is not None and knobs.of(ask.sim.root).compute_policy_tags == "hidden":
        return []
    tags = ask.tags.tags
    return [
        {
            "policy": one.id,
            "tag_type": _TAG_TYPE,
            "tag": one.tag,
            "tag_name": tags[one.tag].name,
            "category_name": tags[one.tag].category.name,
        }
        for one in found.policies.values()
        if one.tag in tags
    ]


POLICIES: dict[Key, Operation] = {
    ("GET", "policies", False, ""): Operation(method="ComputePolicies.List", run=_list),
    ("GET", "policies", True, ""): Operation(method="ComputePolicies.Get", run=_get),
    ("GET", "policies/tag-usage", False, ""): Operation(method="ComputePolicies.TagUsage", run=_tag_usage),
}
"""Reading. Creating and deleting policies, capabilities and compliance are not modeled."""
