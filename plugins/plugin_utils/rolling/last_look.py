# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run has in progress when it is stopped: its last state, and what its progress file says about the time after it. PRIVATE to the
collection.

The state is stored after each round, so it may be older than the lines that the reader has seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...module_utils._domain.rolling.state.phases import RESTING
from .progress import seconds_of

Record = Mapping[str, Any]

_STATES = {"stop_vm": "shutting down", "power_off_vm": "powering off", "start_vm": "powering on"}
"""Action of a note on a VM → the state of the VM after it."""

_STOPS_VMS = ("draining", "maintenance")
"""Phases in which a VM may be shut down at any moment."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LastLook:
    """``hosts`` and ``vms``: as ``in_progress`` of a result. ``at``: when it was read (server time), None if nothing was read.

    ``is_last``: nothing was written after it. ``at_most``: seconds until everything is finished.
    """

    hosts: tuple[Record, ...] = ()
    vms: tuple[Record, ...] = ()
    at: float | None = None
    is_last: bool = False
    at_most: float = 0.0

    @property
    def may_hide_vms(self) -> bool:
        """Whether a VM may be off although ``vms`` contains none."""
        return not self.is_last or any(host["phase"] in _STOPS_VMS for host in self.hosts)

    @classmethod
    def of(cls, state: Record, records: Sequence[Record] | None) -> LastLook:
        """``state``: the last one, empty if there is none. ``records``: the last ones of the progress file, None without the file."""
        known, at = state.get("in_progress") or {}, seconds_of(state.get("server_time"))
        newer = [record for record in records or () if at is None or (seconds_of(record.get("at")) or 0.0) >= at]
        hosts = {(host["cluster"], host["name"]): host for host in known.get("hosts") or ()}
        vms = {(vm["host"], vm["name"]): vm for vm in known.get("vms_off") or ()}
        for record in newer:
            _add_vm(vms, record)
            _add_host(hosts, record, at)
        return cls(
            hosts=tuple(hosts[key] for key in sorted(hosts)),
            vms=tuple(vms.values()),
            at=at if known else None,
            is_last=bool(known) and records is not None and not any(_is_after(record, at) for record in newer),
            at_most=float(known.get("at_most") or 0.0),
        )


def _add_vm(vms: dict[tuple[str, str], Record], record: Record) -> None:
    key, action = (str(record.get("host") or ""), str(record.get("vm") or "")), str(record.get("action") or "")
    if not key[1]:
        return
    if action == "is_on":
        vms.pop(key, None)
    elif action in _STATES:
        since = vms[key]["since"] if key in vms else record.get("at") or 0.0
        vms[key] = {"name": key[1], "host": key[0], "since": since, "state": _STATES[action]}


def _add_host(hosts: dict[tuple[str, str], Record], record: Record, at: float | None) -> None:
    """A transition at the time of the state is part of it."""
    if record.get("kind") != "transition" or not _is_after(record, at):
        return
    key, phase = (str(record.get("cluster") or ""), str(record.get("host") or "")), str(record.get("after") or "")
    if phase in RESTING:
        hosts.pop(key, None)
    else:
        hosts[key] = {"cluster": key[0], "name": key[1], "phase": phase, "since": record.get("at") or 0.0}


def _is_after(record: Record, at: float | None) -> bool:
    moment = seconds_of(record.get("at"))
    return moment is not None and (at is None or moment > at)
