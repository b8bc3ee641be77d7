# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What shows whether a host was rebooted since its reboot was requested. PRIVATE to the collection.

Three clocks are involved, and each of them may be set at any time: that of the host (its boot time), that of vCenter, and that of the
control node. The uptime is none of them: the host counts it from 0 after each boot. So a reboot is verified by two facts
that no single clock can forge (docs/decisions/0025).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class BootEvidence:
    """All times in seconds; None = unknown.

    ``boot_before``, ``boot_now``: boot times by the clock of the host. ``uptime``: counted by the host. ``since``: the time since the
    request. ``away``: the host was seen not connected since the request.
    """

    boot_before: float | None
    boot_now: float | None
    uptime: float | None
    since: float
    measured: bool = True
    """``since`` was measured by this run with a clock that does not step. False: it is a difference of times in the journal, and the
    clock of vCenter may have been set in between."""
    up_before: float | None = None
    """How long the host had been up when the reboot was requested, by its boot time and the journal."""
    watched: float = 0.0
    """For how long this run has had the host in view."""
    away: bool = False
    margin: float = 30.0
    """Setting a clock a little changes the boot time a little."""
    grace: float = 300.0
    """A host whose reboot was requested has gone down within this time."""

    @property
    def boot_differs(self) -> bool | None:
        """Whether the boot time is another one than before."""
        if self.boot_before is None or self.boot_now is None:
            return None
        return abs(self.boot_now - self.boot_before) > self.margin

    @property
    def is_rebooted(self) -> bool | None:
        """True: it was rebooted since the request. False: it was not. None: the facts do not show it (yet)."""
        if self.uptime is None:
            return True if self.boot_differs and self.away else None
        return self._by_measured(self.uptime) if self.measured else self._by_journal(self.uptime)

    def _by_measured(self, uptime: float) -> bool | None:
        if uptime < self.since:
            return True
        # Rounded values, and a boot time that was set: not up for certainly longer than since the request.
        return None if self.boot_differs and uptime <= self.since + self.margin else False

    def _by_journal(self, uptime: float) -> bool | None:
        """The time since the request may be wrong in both directions, so the counter of the host must agree, or the host was away."""
        within = uptime < self.since
        # Had it been up all the time, it would be up for at least this long.
        anew = self.up_before is not None and uptime < self.up_before + self.watched - self.margin
        if anew and (within or self.boot_differs):
            return True
        if self.boot_differs is False:
            # By the journal alone it would count as rebooted after a step of the clock, or as not rebooted.
            return None if within or anew else False
        if within and (self.away or (self.boot_differs and self.watched >= self.grace)):
            # It did not go down while this run watched, so the reboot is over or was never requested; two clocks say that it is over.
            return True
        return None if within or anew or self.boot_differs else False

    @property
    def why_not(self) -> str:
        """A clause: why it does not count as rebooted. Empty if it does."""
        if self.is_rebooted:
            return ""
        if self.boot_differs is False:
            return (
                "its boot time did not change: it has not gone down yet"
                if self.is_rebooted is False or self.uptime is None
                else f"its boot time did not change, and it is not certain whether its uptime of {self.uptime:.0f} seconds began after "
                "the request"
            )
        what = "its boot time changed" if self.boot_differs else "its boot time is not known"
        if self.uptime is None:
            return f"{what}, but it was not seen away, and its uptime is not readable"
        if self.is_rebooted is False:
            longer = (
                f"its uptime is {self.uptime:.0f} seconds, which is longer than the time since the reboot was requested"
            )
            return f"{longer}: its clock was set, and it has not gone down yet" if self.boot_differs else longer
        return f"{what}, and it is not certain whether its uptime of {self.uptime:.0f} seconds began after the request"
