# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rolling reboot does. PRIVATE to the collection.

An action is data: the engine writes ``before`` and ``entry`` (write-ahead, in this order) and only then makes the call its ``kind``
names. Kinds without a call end with the writing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .journal import Before, Entry, Lock, VmEntry

Kind = Literal[
    "take_lock",
    "renew_lock",
    "finish_lock",
    "release_lock",
    "examine",
    "enter_maintenance",
    "cancel_entering",
    "stop_vm",
    "power_off_vm",
    "reboot_host",
    "shut_down_host",
    "power_on_host",
    "leave_maintenance",
    "start_vm",
    "record",
    "forget_vm",
    "forget_host",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """One step. ``target`` is the moid of the host, VM or cluster, ``reason`` a clause for people.

    ``entry``: what is written on the target first, whole. ``before``: written on the target before that. ``host_moid``: for VMs, the
    host it is done for (``start_vm``: the host to start on, None = where the cluster likes).
    """

    kind: Kind
    target: str
    name: str
    reason: str
    entry: Entry | VmEntry | Lock | None = None
    before: Before | None = None
    host_moid: str | None = None
    timeout: float = 0.0
    boot_time: float | None = None
    """``reboot_host``, ``shut_down_host``: call only when a fresh read still gives this boot time and maintenance mode."""
    evacuate_powered_off: bool = False
    vsan_mode: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        return (self.kind, self.target)
