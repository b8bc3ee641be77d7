# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions: what a rolling reboot is about to do, as data. PRIVATE to the collection.

The executor writes ``before``, ``gate_vms`` and ``entry`` to the journal first, in this order. Only then it makes the API call that
``kind`` names.
Kinds without an API call (``record``, ``mark_vm``, ``forget_host``, the lock kinds ...) only write the journal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...gate_record import GateVms
from .journal import Before, Entry, Lock, VmEntry

Kind = Literal[
    "take_lock",
    "renew_lock",
    "finish_lock",
    "release_lock",
    "precheck",
    "enter_maintenance",
    "cancel_entering",
    "stop_vm",
    "power_off_vm",
    "reboot_host",
    "shut_down_host",
    "power_on_host",
    "leave_maintenance",
    "start_vm",
    "mark_vm",
    "record",
    "forget_vm",
    "forget_host",
]


LOCKING: frozenset[Kind] = frozenset({"take_lock", "renew_lock", "finish_lock", "release_lock"})


def refusal_key(kind: Kind, target: str) -> str:
    """Where the last refusal of an action is kept: that of a lock does not replace that of a call on the same host."""
    return f"lock of {target}" if kind in LOCKING else target


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """One action. ``target`` is the moid of the host, VM or cluster; ``reason`` is a clause for messages.

    ``entry``: the complete journal entry to write on the target. ``before``: the state to write on the target before the entry.
    ``host_moid``: for VMs, the host that the action belongs to (``start_vm``: the host to power on on; None = the cluster chooses).
    ``timeout``: seconds.
    """

    kind: Kind
    target: str
    name: str
    reason: str
    entry: Entry | VmEntry | Lock | None = None
    before: Before | None = None
    gate_vms: GateVms | None = None
    """To write on the target before the entry, too: the VMs of its health gate."""
    host_moid: str | None = None
    timeout: float = 0.0
    boot_time: float | None = None
    """``reboot_host``, ``shut_down_host``: call only if a new read still shows this boot time and maintenance mode."""
    evacuate_powered_off: bool = False
    vsan_mode: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        return (self.kind, self.target)
