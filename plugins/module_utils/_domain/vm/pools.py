# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory of a resource pool, shared by the VMs of one plan. PRIVATE to the collection.

Each VM is compared with its pool on its own first (``pool_blockers``). Two VMs that fit one by one may be too much together: the server
would refuse the second one, after the first was changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..observed.vms import Vm
from ..planning.plan import Blocker, Plan, TargetPlan
from ..planning.predicted import after, charged_mb


def share_pools(vms: Sequence[Vm], plan: Plan) -> Plan:
    """The plan with a blocker for each VM whose resource pool has too little memory left after the VMs before it, in the order of the plan.

    A pool counts the reservations of running VMs. What other VMs of the plan give back does not count: it is not certain that they are
    changed first. Pools with a common parent are not summed, because the server shows only what each of them has left.
    """
    by_id = {vm.moid: vm for vm in vms}
    taken: dict[str, list[tuple[str, int]]] = {}
    targets = []
    for target in plan.targets:
        vm = by_id.get(target.moid)
        more = 0 if vm is None else _more(vm, target)
        if (
            vm is not None
            and vm.pool is not None
            and vm.pool.moid
            and vm.pool.unreserved_for_vm_mb is not None
            and more > 0
        ):
            before = taken.setdefault(vm.pool.moid, [])
            left = vm.pool.unreserved_for_vm_mb - sum(amount for _name, amount in before)
            if before and more > left:
                target = replace(target, blockers=(*target.blockers, _blocker(vm, more, left, before)))
            else:
                before.append((vm.name, more))
        targets.append(target)
    return replace(plan, targets=tuple(targets))


def _more(vm: Vm, target: TargetPlan) -> int:
    """MB that the pool must have beyond what it counts for the VM now."""
    changed = after(vm, target.effective)
    return charged_mb(changed.power_state, changed.memory) - charged_mb(vm.power_state, vm.memory)


def _blocker(vm: Vm, more: int, left: int, before: Sequence[tuple[str, int]]) -> Blocker:
    others = ", ".join(f"{name} ({amount} MB)" for name, amount in before)
    pool = vm.pool.name if vm.pool is not None and vm.pool.name else "of the VM"
    return Blocker(
        code="pool_memory",
        message=f"{vm.name} needs {more} MB more reserved, but resource pool {pool} has {left} MB left for VMs when this run has "
        f"changed {others}",
        cure="Raise the pool's memory reservation or make it expandable, free memory reserved by other VMs, "
        "or give the VMs less memory",
    )
