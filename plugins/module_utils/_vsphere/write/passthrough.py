# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the passthrough configuration of a host, and wait until the host shows it. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from ..._domain.observed.hosts import Host
from ..._domain.planning.details import PassthroughWrite
from ..property_collector.wait import State, wait_until
from ..sdk import vim, vmodl
from ..session.connect import Session
from ..session.faults import CONNECTION_ERRORS, explained


def apply_passthrough(session: Session, host: Host, writes: Sequence[PassthroughWrite]) -> None:
    """Write all devices of a host with one UpdatePassthruConfig. ``host``: read right before this call.

    Raises DirectPathError. Nothing was written then, unless the code is in ``faults.UNCERTAIN``.
    """
    system = session.reference(vim.host.PciPassthruSystem, host.passthrough_moid or "")
    with explained("change PCI passthrough", host.name):
        system.UpdatePassthruConfig([_config(session, write) for write in writes])
    # Refresh needs Host.Config.Settings, which the account may lack. Without it, the host shows the change a little later.
    with suppress(vmodl.MethodFault, *CONNECTION_ERRORS):
        system.Refresh()


def _config(session: Session, write: PassthroughWrite) -> Any:
    config = vim.host.PciPassthruConfig(id=write.device.address, passthruEnabled=write.enabled)
    if write.enabled and write.device.sriov is not None and write.device.sriov.enabled:
        # A device is passed through or has virtual functions, never both. An overridden protection means passthrough.
        config = vim.host.SriovConfig(
            id=write.device.address, passthruEnabled=True, sriovEnabled=False, numVirtualFunction=0
        )
    # An API version without applyNow always waits for the reboot, so "no" needs no property there.
    if write.apply_now or (write.apply_now is False and session.knows(vim.host.PciPassthruConfig, "applyNow")):
        config.applyNow = write.apply_now
    if write.label is not None:
        config.hardwareLabel = write.label
    return config


def settle_passthrough(
    session: Session, hosts: Sequence[Host], writes: Mapping[str, Sequence[PassthroughWrite]], *, timeout: float
) -> None:
    """Wait until all hosts show their writes (host id → writes), at most ``timeout`` seconds. The timeout is not an error: the caller reads
    the hosts again and sees what is still pending.

    On a host that cannot rebind devices without a reboot, only the setting is waited for, not that it takes effect.
    """
    watched = {
        session.reference(vim.HostSystem, host.moid): ("config.pciPassthruInfo",)
        for host in hosts
        if writes.get(host.moid)
    }
    rebinds = {host.moid: bool(host.capabilities.rebind_without_reboot) for host in hosts}

    def settled(state: State) -> bool | None:
        for reference in watched:
            infos = {
                info.id.lower(): info for info in state.get(reference._moId, {}).get("config.pciPassthruInfo") or ()
            }
            for write in writes[reference._moId]:
                info = infos.get(write.device.address)
                if info is None or bool(info.passthruEnabled) != write.enabled:
                    return None
                at_once = rebinds[reference._moId] and write.apply_now is not False
                if at_once and bool(info.passthruActive) != write.enabled:
                    return None
        return True

    if watched:
        wait_until(session, watched, settled, timeout=timeout)
