# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the resources of a management controller say, whoever made it. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..._domain.errors import DirectPathError
from .http import RedfishReply

PowerState = Literal["on", "off", None]
Resource = Mapping[str, Any]

_STATES: Mapping[str, PowerState] = {
    "on": "on",
    "off": "off",
    "poweringon": "on",
    "poweringoff": "on",
    "paused": "on",
    "reset": "on",
}
"""PowerState (DSP0268); Reset is what iLO shows while a server restarts."""

POWER_ON = ("On", "ForceOn", "PowerCycle", "ForceRestart", "PushPowerButton")
"""Resets that start a server that is off, best first. The button comes last: pressed a moment too late it shuts down."""

_POWERLESS = frozenset({"readonly", "none", "noaccess"})


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A server as vSphere shows it; empty where that is not known."""

    uuid: str = ""
    serial: str = ""


def link(resource: Any, name: str) -> str:
    """The address a resource refers to; empty when it does not."""
    target = resource.get(name) if isinstance(resource, Mapping) else None
    return str(target.get("@odata.id") or "") if isinstance(target, Mapping) else ""


def power_of(system: Resource) -> PowerState:
    """What is not off for certain is not off."""
    return _STATES.get(str(system.get("PowerState")).lower())


# -- which system ---------------------------------------------------------------------------------------------------


def _digits(uuid: Any) -> str:
    """A UUID without its punctuation; empty for a placeholder."""
    digits = str(uuid or "").replace("-", "").strip("{} ").lower()
    return digits if len(digits) == 32 and set(digits) - {"0"} and set(digits) - {"f"} else ""


def _turned(digits: str) -> str:
    """The first three groups with their bytes in the other order: SMBIOS keeps them so, and not everybody turns them."""
    groups = (digits[:8], digits[8:12], digits[12:16])
    return (
        "".join("".join(reversed([part[i : i + 2] for i in range(0, len(part), 2)])) for part in groups) + digits[16:]
    )


def is_of(system: Resource, identity: Identity) -> bool | None:
    """Is this the system of the server? None where nothing can be compared."""
    mine, theirs = _digits(identity.uuid), _digits(system.get("UUID"))
    serials = {str(system.get(name) or "").strip().lower() for name in ("SerialNumber", "SKU")} - {""}
    wanted = identity.serial.strip().lower()
    if (mine and theirs and mine in (theirs, _turned(theirs))) or (wanted and wanted in serials):
        return True
    return False if (mine and theirs) or (wanted and serials) else None


def _shown(path: str, system: Resource) -> str:
    parts = [f"{name} {system[name]}" for name in ("UUID", "SerialNumber", "Model") if system.get(name)]
    return f"{_id(path)} ({', '.join(parts)})" if parts else _id(path)


def _id(path: str) -> str:
    return path.split("?")[0].rstrip("/").rpartition("/")[2]


def named_system(paths: Sequence[str], wanted: str, where: str) -> str:
    """The system that was named. Raises bmc_system_unclear."""
    found = [path for path in paths if _id(path).lower() == wanted.lower()]
    if found:
        return found[0]
    raise DirectPathError(
        message=f"{where} has no system {wanted!r}",
        code="bmc_system_unclear",
        parameter="bmc",
        candidates=[_id(path) for path in paths],
        cure="Name one of them in system, or leave it out",
    )


def choose_system(systems: Sequence[tuple[str, Resource]], identity: Identity, where: str) -> tuple[str, Resource]:
    """The server's own system. Raises bmc_system_unclear or bmc_of_other_server.

    One that is alone is taken, unless what it says of itself contradicts vSphere. Several need something that agrees.
    """
    judged = [(path, system, is_of(system, identity)) for path, system in systems]
    agreeing = [(path, system) for path, system, verdict in judged if verdict]
    if len(agreeing) == 1:
        return agreeing[0]
    if len(judged) == 1 and judged[0][2] is None:
        return judged[0][0], judged[0][1]
    candidates = [_shown(path, system) for path, system in systems]
    if judged and all(verdict is False for _unused, _also, verdict in judged):
        known = " and ".join(
            f"{name} {value}" for name, value in (("UUID", identity.uuid), ("serial number", identity.serial)) if value
        )
        raise DirectPathError(
            message=f"{where} is the management controller of another server: vSphere says {known}",
            code="bmc_of_other_server",
            parameter="bmc",
            candidates=candidates,
            cure="Correct the address in the inventory. If it is right, name the system: system: <its id>",
        )
    what = (
        f"shows {len(systems)} systems, and which one is the server's cannot be told" if systems else "shows no system"
    )
    raise DirectPathError(
        message=f"{where} {what}",
        code="bmc_system_unclear",
        parameter="bmc",
        candidates=candidates,
        cure="Name it: system: <its id>" if systems else "Restart the controller, or update its firmware",
    )


# -- how to power on ------------------------------------------------------------------------------------------------


def reset_action(system: Resource) -> Resource:
    """The Reset action of a system; empty where it has none."""
    actions = system.get("Actions")
    action = actions.get("#ComputerSystem.Reset") if isinstance(actions, Mapping) else None
    return action if isinstance(action, Mapping) else {}


def reset_target(system: Resource, path: str) -> str:
    """Where the Reset is sent: as the system says, else where the specification puts it."""
    return str(reset_action(system).get("target") or f"{path.rstrip('/')}/Actions/ComputerSystem.Reset")


def allowed_resets(action: Resource, info: Resource | None) -> tuple[str, ...] | None:
    """The values of ResetType that the service takes, from beside the action or its ActionInfo; None: it does not say."""
    beside = action.get("ResetType@Redfish.AllowableValues")
    if isinstance(beside, list) and beside:
        return tuple(map(str, beside))
    for parameter in (info or {}).get("Parameters") or ():
        if isinstance(parameter, Mapping) and parameter.get("Name") == "ResetType":
            values = parameter.get("AllowableValues")
            return tuple(map(str, values)) if isinstance(values, list) and values else None
    return None


def choose_reset(allowed: Sequence[str] | None, where: str) -> str:
    """The reset that starts a server that is off. Raises bmc_cannot_power_on."""
    if allowed is None:
        return POWER_ON[0]
    for kind in POWER_ON:
        if kind in allowed:
            return kind
    raise DirectPathError(
        message=f"{where} offers nothing that powers a server on",
        code="bmc_cannot_power_on",
        candidates=allowed,
        cure="Update the controller's firmware or its licence, or set method: reboot",
    )


def is_on_already(reply: RedfishReply) -> bool:
    """Was the reset refused because the server is on? iDRAC says so before its PowerState does."""
    return any(number.endswith(".PSU501") or "already powered on" in text.lower() for number, text in reply.messages())


def refuse_account(account: Resource, username: str, where: str) -> None:
    """Raises no_permission for an account that may look and not switch: better known before a server is shut down."""
    role = str(account.get("RoleId") or "")
    if account.get("UserName") == username and role.replace(" ", "").lower() in _POWERLESS:
        raise DirectPathError(
            message=f"The account {username} on {where} has the role {role}, which may not switch power",
            code="no_permission",
            parameter="bmc",
            cure="Give it the role Operator or Administrator, or name another account",
        )
