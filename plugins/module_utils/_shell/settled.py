# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in the desired state: in lines for a terminal, and for the next job of a workflow. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]

MOST_PROOFS = 40
"""Maximum number of hosts, and of VMs, with a line each."""
PUBLISHED = "directpath_stats_verify"
"""The variable in which the role verify publishes its result (``plugin_utils/report/stats.py``)."""


def settled_lines(summary: str, hosts: Sequence[Record], vms: Sequence[Record]) -> list[str]:
    """What a comparison that found nothing to do shows. ``summary``: its result in one sentence; ``hosts`` and ``vms``: of its report."""
    return [f"{summary}; nothing is left to do", *proof_lines(hosts, vms)]


def settled_stats(vcenter: str) -> dict[str, Any]:
    """What such a comparison publishes, in the form in which Ansible takes it from a task (``ansible.builtin.set_stats`` returns the same).

    ``vcenter``: its name in the data. The data of several vCenters is combined.
    """
    nothing = {"differences": 0, "first": [], "pending_reboot": [], "pending_reboot_count": 0}
    data = {PUBLISHED: {vcenter: {"status": "in_sync", **nothing}}}
    return {"data": data, "per_host": False, "aggregate": True}


def proof_lines(hosts: Sequence[Record], vms: Sequence[Record], most: int = MOST_PROOFS) -> list[str]:
    """What is in the desired state: one line for each host and VM, from results of the modules or from a drift report.

    Beyond ``most`` hosts or VMs, a number stands for those without anything notable.
    """
    served = [vm for vm in vms if vm.get("status") != "skipped"]
    return [
        *_proofs([(_host_proof(host), bool(host.get("in_maintenance_mode"))) for host in hosts], "host", most),
        *_proofs([(_vm_proof(vm), not _memory_of(vm).get("fully_reserved")) for vm in served], "VM", most),
    ]


def _proofs(rows: Sequence[tuple[str, bool]], noun: str, most: int) -> list[str]:
    """The first lines, and of the others only the notable ones (second value)."""
    lines = [line for line, _unused in rows[:most]] + [line for line, is_notable in rows[most:] if is_notable]
    left = len(rows) - len(lines)
    return [*lines, f"and {left} more {noun}{'' if left == 1 else 's'}"] if left else lines


def _host_proof(host: Record) -> str:
    devices = host.get("devices") or ()
    active = [f"{device['address']} {device.get('name', '')}".strip() for device in devices if _is_active(device)]
    place = ", in maintenance mode" if host.get("in_maintenance_mode") else ""
    functions = sum(map(_functions_of, devices))
    provided = f", {functions} virtual functions" if functions else ""
    return f"{host['name']}: {len(active)} active" + (f" ({'; '.join(active)})" if active else "") + provided + place


def _functions_of(device: Record) -> int:
    sriov: Record = device.get("sriov") or {}
    return int(device.get("virtual_functions") or sriov.get("present") or 0)


def _vm_proof(vm: Record) -> str:
    reserved = "all memory reserved" if _memory_of(vm).get("fully_reserved") else "memory not fully reserved"
    return f"{vm['name']}: {len(vm.get('devices') or ())} attached, {reserved}, {vm.get('power_state', '')}"


def _memory_of(vm: Record) -> Record:
    found: Record = vm.get("memory") or vm
    return found


def _is_active(device: Record) -> bool:
    return bool(device.get("active") or device.get("setting") == "active")
