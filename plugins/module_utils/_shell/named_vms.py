# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs that the parameters of a module name: read from parameters, shown in results. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from .._domain.errors import InputError
from .._domain.names import Reference
from .._domain.observed.vms import Vm
from .._domain.planning.plan import Plan
from .engine.output import target_result, vm_result
from .engine.result import Outcome

Entry = TypeVar("Entry")


def parse_vms(
    params: Mapping[str, Any], inherited: Sequence[str], parse: Callable[[Reference, Mapping[str, Any]], Entry]
) -> tuple[Entry, ...]:
    """Read the VMs from ``vms``, or from ``vm`` with the options of the module. ``parse`` makes an entry from its options.

    ``inherited``: names of module options that an entry of ``vms`` takes when it does not set them itself.
    Raises InputError (no_vms) when no VM is named, or an entry does not have exactly one of name and moid.
    """
    common = {name: params[name] for name in inherited}
    if params.get("vm") is not None:
        found = tuple(parse(Reference(name), common) for name in params["vm"])
    else:
        found = tuple(
            parse(
                _reference(number, raw), {**common, **{name: raw[name] for name in common if raw.get(name) is not None}}
            )
            for number, raw in enumerate(params["vms"] or ())
        )
    if not found:
        raise InputError(message="No VM is named", code="no_vms", parameter="vms", cure="Name at least one VM")
    return found


def _reference(number: int, raw: Mapping[str, Any]) -> Reference:
    name, moid = raw.get("name"), raw.get("moid")
    if bool(name) == bool(moid):
        raise InputError(
            message=f"vms[{number}] {'has both name and moid' if name else 'names no VM'}",
            code="no_vms",
            parameter=f"vms[{number}].name",
            cure="Give name or moid",
        )
    return Reference(str(moid), "moid") if moid else Reference(str(name), "name")


def render_vms(vms: Sequence[Vm], plan: Plan, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    """The keys ``vms`` and ``refused`` of a result. ``outcomes``: VM id → outcome."""
    by_id = {vm.moid: vm for vm in vms}
    results = [
        {
            **vm_result(by_id[target.moid]),
            **target_result(target, outcomes),
            "mmio": window.record() if (window := target.vm_facts.mmio) is not None else None,
            "done": list(outcomes[target.moid].done) if target.moid in outcomes else [],
        }
        for target in plan.targets
    ]
    return {"vms": results, "refused": [vm["name"] for vm in results if vm["status"] == "refused"]}
