# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the graphics configuration of a host, restart its Xorg, and wait until the host shows it. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from ..._domain.observed.graphics import GraphicsConfig, HostGraphics
from ..._domain.observed.hosts import Host
from ..property_collector.wait import State, wait_until
from ..read.graphics import WORDS
from ..sdk import vim, vmodl
from ..session.connect import Session
from ..session.faults import CONNECTION_ERRORS, explained

_OF_THE_API: Mapping[str, str] = {word: original for original, word in WORDS.items()}
XORG = "xorg"


def write_graphics(session: Session, host: Host, config: GraphicsConfig) -> None:
    """Replace the whole graphics configuration of a host. ``config``: the one that was read right before, with the changes.

    UpdateGraphicsConfig declares no fault; any fault is explained. Raises DirectPathError.
    """
    manager = _manager(session, _graphics(host))
    with explained("change the graphics configuration", host.name):
        manager.UpdateGraphicsConfig(_spec(config))
    _refresh(manager)


def restart_xorg(session: Session, host: Host) -> None:
    """Restart Xorg on a host. Raises DirectPathError."""
    graphics = _graphics(host)
    with explained("restart Xorg", host.name):
        session.reference(vim.host.ServiceSystem, graphics.service_moid).RestartService(id=XORG)


def settle_graphics(
    session: Session,
    hosts: Sequence[Host],
    awaited: Mapping[str, Mapping[str, tuple[str, str | None]]],
    *,
    timeout: float,
) -> None:
    """Wait until all hosts show these types and modes (host id → address → type and mode), at most ``timeout`` seconds.

    The timeout is no error: the caller reads the hosts again and sees what is still pending. A host may show a change only after a refresh.
    """
    watched = {
        session.reference(vim.HostSystem, host.moid): ("config.graphicsInfo",)
        for host in hosts
        if awaited.get(host.moid)
    }

    def settled(state: State) -> bool | None:
        for reference in watched:
            infos = state.get(reference._moId, {}).get("config.graphicsInfo") or ()
            shown = {info.pciId.lower(): info for info in infos}
            for address, (kind, mode) in awaited[reference._moId].items():
                info = shown.get(address)
                if info is None or str(info.graphicsType) != _word(kind):
                    return None
                if mode is not None and str(getattr(info, "vgpuMode", None)) != _word(mode):
                    return None
        return True

    if watched and wait_until(session, watched, settled, timeout=timeout) is None:
        for host in hosts:
            if awaited.get(host.moid):
                _refresh(_manager(session, _graphics(host)))


def _refresh(manager: Any) -> None:
    """Needs the same privilege as the write. Without a refresh, the host shows the change a little later."""
    with suppress(vmodl.MethodFault, *CONNECTION_ERRORS):
        manager.RefreshGraphicsManager()


def _graphics(host: Host) -> HostGraphics:
    return host.graphics or HostGraphics()


def _manager(session: Session, graphics: HostGraphics) -> Any:
    return session.reference(vim.host.GraphicsManager, graphics.manager_moid)


def _spec(config: GraphicsConfig) -> Any:
    return vim.host.GraphicsConfig(
        hostDefaultGraphicsType=_word(config.default_type),
        sharedPassthruAssignmentPolicy=_word(config.assignment_policy),
        deviceType=[_entry(entry.device_id, entry.type, entry.mode) for entry in config.entries],
    )


def _entry(device_id: str, kind: str, mode: str | None) -> Any:
    entry = vim.host.GraphicsConfig.DeviceType(deviceId=device_id, graphicsType=_word(kind))
    if mode is not None:
        entry.vgpuMode = _word(mode)
    return entry


def _word(word: str) -> str:
    return _OF_THE_API.get(word, word)
