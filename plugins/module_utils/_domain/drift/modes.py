# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The differences between the desired and the observed device modes of one host. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator

from ..device_modes.plan import mode_writes
from ..observed.hosts import Host
from ..planning.plan import TargetPlan
from .commands import Commands
from .hosts import host_difference, refused_differences
from .kinds import Difference


def mode_differences(host: Host, target: TargetPlan, commands: Commands) -> Iterator[Difference]:
    """The differences of one host. ``target``: the plan that sets its device modes. An unreachable host is reported once, by
    ``host_differences``."""
    if not host.is_reachable:
        return
    for blocker in target.blockers:
        yield from refused_differences(host, blocker, commands, wanted="the desired mode")
    obstacles = tuple(f"Nothing on {host.name} is changed until this is fixed: {b.message}" for b in target.blockers)
    for write in mode_writes(target.changes):
        device = write.device
        found = device.direct_path.mode if device.direct_path else "none"
        yield host_difference(
            host,
            "mode_differs",
            device,
            wanted=f"mode {write.mode}",
            found=f"mode {found}",
            cause=f"{device.address} is configured to mode {found}",
            cure=f"Set the mode {write.mode}. Whether this needs maintenance mode or a reboot is known only after the change",
            command=commands.show_host(host.name) if obstacles else commands.enable(),
            obstacles=obstacles,
        )
    for address in target.pending:
        yield host_difference(
            host,
            "pending_reboot",
            host.device(address),
            wanted="the mode in effect",
            cause=f"The mode of {address} takes effect at the next reboot",
            cure=f"Reboot {host.name}",
            command=commands.reboot(),
        )
