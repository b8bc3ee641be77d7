# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs that the parameters of a module name, in results. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._domain.observed.vms import Vm
from .._domain.planning.plan import Plan
from .engine.output import target_result, vm_result
from .engine.result import Outcome


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
