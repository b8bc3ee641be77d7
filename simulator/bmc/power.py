# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a controller shows of a host's power, and what its resets do to the host (DSP0268, ComputerSystem.Reset)."""

from __future__ import annotations

from ..objects.host import power as host_power
from ..objects.host.host import HostSystem
from .shapes import Shape

STARTS = frozenset({"On", "ForceOn"})
RESTARTS = frozenset({"PowerCycle", "ForceRestart", "GracefulRestart"})
STOPS = frozenset({"ForceOff", "GracefulShutdown"})


def is_changing(host: HostSystem) -> bool:
    """Whether power came or went a moment ago, so that the controller does not show it yet."""
    return host.sim.clock.seconds() - host.power_changed < host.settings.power_change_seconds


def shown(host: HostSystem, shape: Shape) -> str:
    """PowerState. Controllers without states in between show the old one until the new one is reached."""
    if is_changing(host):
        if shape.transitions:
            return "PoweringOn" if host.powered else "PoweringOff"
        return "Off" if host.powered else "On"
    return "On" if host.powered else "Off"


def refusal(host: HostSystem, kind: str, shape: Shape, resets: tuple[str, ...]) -> tuple[str, str] | None:
    """Message id and text where the reset makes no sense now. One that is the only way to power on does so."""
    if kind in STARTS and (host.powered or is_changing(host)):
        return shape.already_on if host.powered else ("Base.1.8.ResourceInUse", "Power is just going off.")
    needs_power = kind in STOPS or (kind in RESTARTS and not only_way(kind, resets))
    if needs_power and not host.powered:
        return shape.already_off
    return None


def only_way(kind: str, resets: tuple[str, ...]) -> bool:
    """Whether nothing but this reset is there to power a host on."""
    return kind in resets and not STARTS & set(resets)


def reset(host: HostSystem, kind: str) -> None:
    """Do it. The caller has asked ``refusal`` before."""
    if not host.powered:
        host_power.power_up(host)
    elif kind == "ForceOff":
        host_power.power_loss(host)
    elif kind in ("GracefulShutdown", "PushPowerButton"):
        host_power.soft_off(host)
    elif kind == "PowerCycle":
        host_power.power_loss(host)
        host.sim.clock.call_later(host.settings.power_change_seconds, lambda: host_power.power_up(host))
    elif kind in ("ForceRestart", "GracefulRestart"):
        host_power.crash(host)
        host_power.power_up(host)
