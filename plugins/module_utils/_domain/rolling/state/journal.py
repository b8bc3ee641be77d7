# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The write-ahead journal: what is kept on hosts, VMs and clusters in vCenter, and its text form. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Step = Literal[
    "draining",
    "rebooting",
    "powering",
    "verifying",
    "leaving",
    "restoring",
    "done",
    "backing_out",
    "withdrawn",
    "blocked",
    "failed",
]

ENTRY = "directpath.roll"
DEVICES = "directpath.roll.before"
LINKS = "directpath.roll.links"
VM = "directpath.roll.vm"
LOCK = "directpath.roll.lock"
PAUSE = "directpath.roll.pause"
HOST_ATTRIBUTES = (ENTRY, DEVICES, LINKS)
ATTRIBUTES = (*HOST_ATTRIBUTES, VM, LOCK, PAUSE)
"""Custom attributes: the first three on hosts, VM on VMs, the last two on clusters."""

STOP_ORDER = "directpath.stop_order"
"""The attribute by which administrators say in which order VMs are stopped. Not ours: it is read, and never removed."""

DIRECTORY = "~/.ansible/directpath"
"""Where a journal is kept that is a file."""

LONGEST = 255
"""Characters in one value of a custom attribute."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Garbage:
    """A journal value that cannot be read. What depends on it is unknown."""

    attribute: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What was intended for a host, written before it is done. ``at`` = when ``step`` was written first.

    - ``draining``: it is being emptied and put into maintenance mode.
    - ``rebooting``: it was, or is about to be, told to reboot (or to shut down, with ``cycle``); ``powering``: told to power on.
    - ``verifying``: it is back; ``leaving``: it is proven and released; ``restoring``: its VMs are started; ``done``.
    - ``backing_out``: given up before the reboot, it is released; ``blocked``: given up and released (``code``, ``text``).
    - ``withdrawn``: its maintenance mode turned out to be, or became, somebody else's.
    - ``failed``: left as it is.
    """

    run_id: str
    step: Step
    at: float
    started: float
    """When the slot was taken."""
    by_operator: bool = False
    """The maintenance mode was somebody else's: never ended by us."""
    tries: int = 1
    calls: int = 0
    """How often the call of this step was made, the one to come included; ``called`` = when last."""
    called: float = 0.0
    cycle: bool = False
    """Method power_cycle."""
    pending: str = ""
    """Digests of what the reboot is for; in a host that failed after it, of what it left unsettled (``need``)."""
    boot: float | None = None
    """Boot time before the reboot."""
    asked: float | None = None
    """When it was first told to reboot. Kept from then on: it has been rebooted for ``debt``."""
    drained: float | None = None
    """Seconds the drain took, and ``rebooted`` the reboot; for later estimates."""
    rebooted: float | None = None
    code: str = ""
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class VmEntry:
    """A VM that ran and is, or is about to be, stopped by us; kept until it runs again. ``at`` = when ``step`` was written first."""

    run_id: str
    host: str
    """moid of the host it is to run on again."""
    step: Literal["stop", "start"]
    at: float
    rank: int = 0
    """Lower was stopped earlier and is started later."""
    calls: int = 0
    called: float = 0.0
    forced: bool = False
    """Powered off, because the guest did not shut down."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """On a cluster: who rolls it."""

    owner: str
    run_id: str
    scope: str
    since: float
    beat: float
    ttl: float
    finishing: bool = False
    """Everything is done and only the journal is still to be removed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Before:
    """What a host had before, as short digests, to compare with what it has afterwards (``proof``)."""

    devices: tuple[tuple[str, str], ...] = ()
    """(address, digest of the identity) of each device passed through; a ``+`` behind the digest: it was enabled. More than fit are one
    item: (``*`` and the number of those enabled, digest of these)."""
    datastores: tuple[str, ...] = ()
    """Digests of the names of those accessible; more than fit are one item: ``*`` and their number."""
    uplinks: tuple[str, ...] = ()
    """Names of those with a link, likewise."""
