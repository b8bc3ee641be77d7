# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the passthrough configuration of a host and waits until it shows. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from ..._domain.host.passthrough import PassthroughWrite
from ..._domain.observed.hosts import Host
from ..property_collector.wait import State, wait_until
from ..sdk import vim, vmodl
from ..session.connect import Session
from ..session.faults import CONNECTION_ERRORS, explained


def apply_passthrough(session: Session, host: Host, writes: Sequence[PassthroughWrite]) -> None:
    """One UpdatePassthruConfig for all devices of the host, which was read a moment ago.

    Raises DirectPathError; nothing was written unless its code is connection_lost.
    """
    system = session.reference(vim.host.PciPassthruSystem, host.passthrough_moid or "")
    with explained("change PCI passthrough", host.name):
        system.UpdatePassthruConfig([_config(session, write) for write in writes])
    # Refreshing needs Host.Config.Settings, which an account made for passthrough may lack; the host tells by itself a little later.
    with suppress(vmodl.MethodFault, *CONNECTION_ERRORS):
        system.Refresh()


def _config(session: Session, write: PassthroughWrite) -> Any:
    config = vim.host.PciPassthruConfig(id=write.device.address, passthruEnabled=write.enabled)
    if write.enabled and write.device.sriov is not None and write.device.sriov.enabled:
        # A card is passed through or has virtual functions, never both: whoever overrides the protection wants the former.
        config = vim.host.SriovConfig(
            id=write.device.address, passthruEnabled=True, sriovEnabled=False, numVirtualFunction=0
        )
    # Left unset where the API version does not know them: pyVmomi would drop them without a word.
    if write.apply_now is not None and session.knows(vim.host.PciPassthruConfig, "applyNow"):
        config.applyNow = write.apply_now
    if write.label is not None and session.knows(vim.host.PciPassthruConfig, "hardwareLabel"):
        config.hardwareLabel = write.label
    return config


def settle_passthrough(
    session: Session, hosts: Sequence[Host], writes: Mapping[str, Sequence[PassthroughWrite]], *, timeout: float
) -> None:
    """Wait until every write shows, on all hosts at once; give up quietly after the timeout (seconds): what is then still not in
    force is pending, which the caller reads from a fresh look.

    Where the host cannot rebind without a reboot there is no use in waiting for more than the setting itself.
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
