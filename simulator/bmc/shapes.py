# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""In what the controllers of different makers differ, as data.

Where a difference was seen: the makers' Redfish references (iDRAC, iLO, XClarity Controller, OpenBMC's bmcweb), and answers of
real controllers that people quote in public issue trackers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CYCLE_ONLY = {
    "power_cycle": "PowerCycle",
    "force_restart": "ForceRestart",
    "push_power_button": "PushPowerButton",
}
"""Knob bmc_offers → the one reset that powers a host on."""

_USUAL = ("On", "ForceOff", "GracefulShutdown", "GracefulRestart", "ForceRestart", "PowerCycle", "PushPowerButton")


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One maker's controller.

    ``system``: id of the host's ComputerSystem; ``others``: further systems that are no host. ``resets``: what it offers;
    ``listed``: whether it says so beside the action, in an ActionInfo, or both. ``transitions``: it shows PoweringOn and
    PoweringOff. ``slash``: its addresses end in one. ``refusal``: HTTP status of a reset that makes no sense now, None:
    it is accepted and nothing happens. ``done``: HTTP status of one that does. ``uuid``: how it writes the UUID that
    vSphere shows.
    """

    name: str
    product: str
    system: str = "1"
    others: tuple[str, ...] = ()
    resets: tuple[str, ...] = _USUAL
    listed: Literal["annotation", "action_info", "both", "nowhere"] = "annotation"
    transitions: bool = False
    slash: bool = False
    refusal: int | None = 409
    done: int = 204
    already_on: tuple[str, str] = ("Base.1.8.ResourceInUse", "The system is powered on already.")
    already_off: tuple[str, str] = ("Base.1.8.ActionNotSupported", "The system is powered off.")
    uuid: Literal["same", "upper", "swapped", "none"] = "same"


_SHAPES = (
    Shape(name="standard", product="Redfish Service", transitions=True),
    Shape(
        name="idrac",
        product="Integrated Dell Remote Access Controller",
        system="System.Embedded.1",
        resets=(*_USUAL, "Nmi"),
        already_on=("IDRAC.2.8.PSU501", "Server is already powered ON."),
        already_off=("IDRAC.2.8.PSU502", "Server is already powered OFF."),
        uuid="swapped",
    ),
    Shape(
        name="ilo",
        product="HPE RESTful Root Service",
        resets=("On", "ForceOff", "GracefulShutdown", "ForceRestart", "Nmi", "PushPowerButton", "GracefulRestart"),
        slash=True,
        refusal=400,
        done=200,
        already_on=(
            "iLO.2.14.InvalidOperationForSystemState",
            "The operation was not successful due to system power state.",
        ),
        already_off=(
            "iLO.2.14.InvalidOperationForSystemState",
            "The operation was not successful due to system power state.",
        ),
        uuid="upper",
    ),
    Shape(
        name="xcc",
        product="Lenovo XClarity Controller",
        resets=(*_USUAL, "Nmi", "ForceOn"),
        listed="both",
        uuid="upper",
    ),
    Shape(
        name="supermicro",
        product="Supermicro BMC",
        resets=("On", "ForceOff", "GracefulShutdown", "ForceRestart", "Nmi", "ForceOn"),
        done=200,
        refusal=400,
        uuid="none",
    ),
    Shape(
        name="openbmc",
        product="OpenBMC",
        system="system",
        resets=(
            "On",
            "ForceOn",
            "ForceOff",
            "ForceRestart",
            "GracefulRestart",
            "GracefulShutdown",
            "PowerCycle",
            "Nmi",
        ),
        listed="action_info",
        transitions=True,
        refusal=None,
    ),
    Shape(
        name="hgx", product="NVIDIA HGX Host BMC", system="System_0", others=("HGX_Baseboard_0",), listed="action_info"
    ),
)
SHAPES = {shape.name: shape for shape in _SHAPES}


def offered(shape: Shape, offers: str) -> tuple[str, ...]:
    """The resets that a controller of this shape offers under the knob bmc_offers."""
    if offers == "all":
        return shape.resets
    rest = tuple(item for item in shape.resets if item in ("ForceOff", "GracefulShutdown", "Nmi"))
    return rest if offers == "force_off" else (*rest, CYCLE_ONLY[offers])


def written_uuid(shape: Shape, uuid: str) -> str | None:
    """A UUID as this maker writes it; SMBIOS keeps its first three groups with the last byte first, and not all turn them."""
    if shape.uuid == "none":
        return None
    if shape.uuid == "swapped":
        return "-".join(
            bytes.fromhex(part)[::-1].hex() if index < 3 else part for index, part in enumerate(uuid.split("-"))
        )
    return uuid.upper() if shape.uuid == "upper" else uuid
