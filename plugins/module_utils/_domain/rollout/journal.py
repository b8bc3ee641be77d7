# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The write-ahead journal: what is kept on hosts, VMs and clusters in vCenter, and its text form. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Step = Literal["draining", "rebooting", "verifying", "leaving", "done", "backing_out", "withdrawn", "blocked", "failed"]

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

    - ``draining``: it is being emptied and put into maintenance mode. - ``rebooting``: it was, or is about to be, told to reboot.
    - ``verifying``: it is back. - ``leaving``: it is proven and released. - ``done``.
    - ``backing_out``: given up before the reboot, is released. - ``blocked``: given up, released (``code``, ``text``).
    - ``withdrawn``: somebody else ended its maintenance mode, it is theirs. - ``failed``: stays as it is.
    """

    roll: str
    step: Step
    at: float
    started: float
    """When the slot was taken."""
    theirs: bool = False
    """The maintenance mode was somebody else's: never ended by us."""
    tries: int = 1
    calls: int = 0
    """How often the call of this step was made, the one to come included; ``called`` = when last."""
    called: float = 0.0
    debt: str = ""
    """Digest of what the reboot is for."""
    boot: float | None = None
    """Boot time before the reboot."""
    asked: float | None = None
    """When it was first told to reboot. Kept from then on: it has been rebooted for ``debt``."""
    drained: float | None = None
    """Seconds the drain took; with ``rebooted`` for later estimates."""
    rebooted: float | None = None
    canary: bool = False
    code: str = ""
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class VmEntry:
    """A VM that ran and is, or is about to be, stopped by us; kept until it runs again. ``at`` = when ``step`` was written first."""

    roll: str
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
    roll: str
    scope: str
    since: float
    beat: float
    ttl: float
    finishing: bool = False
    """Everything is done and only the journal is still to be removed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Before:
    """What a host had before, as short digests, to compare with what it has afterwards (``proof``)."""

    devices: tuple[tuple[str, str], ...] = field(default=())
    """(address, digest of the identity) of each device passed through."""
    datastores: tuple[str, ...] = ()
    uplinks: tuple[str, ...] = ()
