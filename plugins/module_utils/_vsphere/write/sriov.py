# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the numbers of virtual functions of a host, and wait until the host shows them. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from ..._domain.observed.hosts import Host
from ..._domain.planning.details import SriovWrite
from ..property_collector.wait import State, wait_until
from ..sdk import vim, vmodl
from ..session.connect import Session
from ..session.faults import CONNECTION_ERRORS, explained


def apply_sriov(session: Session, host: Host, writes: Sequence[SriovWrite]) -> None:
    """Write all functions of a host with one UpdatePassthruConfig. ``host``: read right before this call.

    Raises DirectPathError. Nothing was written then, unless the code is in ``faults.UNCERTAIN``.
    """
    system = session.reference(vim.host.PciPassthruSystem, host.passthrough_moid or "")
    with explained("change SR-IOV", host.name):
        system.UpdatePassthruConfig([_config(session, write) for write in writes])
    # As in ``apply_passthrough``: without the privilege for it, the host shows the change a little later.
    with suppress(vmodl.MethodFault, *CONNECTION_ERRORS):
        system.Refresh()


def _config(session: Session, write: SriovWrite) -> Any:
    """A function with virtual functions is not passed through (API reference, HostSriovConfig), and the planner refuses one that is."""
    config = vim.host.SriovConfig(
        id=write.device.address,
        passthruEnabled=False,
        sriovEnabled=write.virtual_functions > 0,
        numVirtualFunction=write.virtual_functions,
    )
    # An API version without applyNow always waits for the reboot, so "no" needs no property there.
    if write.apply_now or (write.apply_now is False and session.knows(vim.host.PciPassthruConfig, "applyNow")):
        config.applyNow = write.apply_now
    return config


def settle_sriov(
    session: Session, hosts: Sequence[Host], writes: Mapping[str, Sequence[SriovWrite]], *, timeout: float
) -> None:
    """Wait until all hosts show their writes (host id → writes), at most ``timeout`` seconds. The timeout is not an error: the caller reads
    the hosts again and sees what is still pending.

    Only the setting is waited for. A host that also puts it in effect without a reboot shows that together with it.
    """
    watched = {
        session.reference(vim.HostSystem, host.moid): ("config.pciPassthruInfo",)
        for host in hosts
        if writes.get(host.moid)
    }

    def settled(state: State) -> bool | None:
        for reference in watched:
            infos = {
                info.id.lower(): info for info in state.get(reference._moId, {}).get("config.pciPassthruInfo") or ()
            }
            for write in writes[reference._moId]:
                if _configured(infos.get(write.device.address)) != write.virtual_functions:
                    return None
        return True

    if watched:
        wait_until(session, watched, settled, timeout=timeout)


def _configured(info: Any) -> int | None:
    if not isinstance(info, vim.host.SriovInfo):
        return None
    return int(info.numVirtualFunctionRequested or 0) if info.sriovEnabled else 0
