# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until hosts show the device modes that were written over the Automation API. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..._domain.observed.direct_path import MODES
from ..._domain.planning.details import ModeWrite
from ..property_collector.wait import State, wait_until
from ..sdk import vim
from ..session.connect import Session


def settle_modes(session: Session, writes: Mapping[str, Sequence[ModeWrite]], *, timeout: float) -> None:
    """Wait until all hosts show their modes (host id → writes), at most ``timeout`` seconds. The timeout is not an error: the caller reads
    the hosts again and sees which mode is configured."""
    watched = {
        session.reference(vim.HostSystem, moid): ("config.pciPassthruInfo",) for moid, found in writes.items() if found
    }

    def settled(state: State) -> bool | None:
        for reference in watched:
            infos = {
                info.id.lower(): info for info in state.get(reference._moId, {}).get("config.pciPassthruInfo") or ()
            }
            for write in writes[reference._moId]:
                shown = getattr(infos.get(write.device.address), "directPathState", None)
                if shown is None or MODES.get(str(shown.mode), str(shown.mode)) != write.mode:
                    return None
        return True

    if watched:
        wait_until(session, watched, settled, timeout=timeout)
