# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the resources of a management controller, independent of its vendor. Pure functions. PRIVATE to the collection."""

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
"""PowerState (DSP0268). Reset: iLO shows it while a server restarts."""

POWER_ON = ("On", "ForceOn", "PowerCycle", "ForceRestart", "PushPowerButton")
"""Resets that start a server that is off, best first. The power button is last: if the server is already on, it shuts it down."""

_POWERLESS = frozenset({"readonly", "none", "noaccess"})


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A server as vSphere shows it; empty values are unknown."""

    uuid: str = ""
    serial: str = ""


def link(resource: Any, name: str) -> str:
    """The address that a resource refers to; empty if there is none."""
    target = resource.get(name) if isinstance(resource, Mapping) else None
    return str(target.get("@odata.id") or "") if isinstance(target, Mapping) else ""


def power_of(system: Resource) -> PowerState:
    """Only a server that is certainly off is ``off``. None: unknown."""
    return _STATES.get(str(system.get("PowerState")).lower())


# -- which system ---------------------------------------------------------------------------------------------------


def _digits(uuid: Any) -> str:
    """A UUID without punctuation; empty for a placeholder."""
    digits = str(uuid or "").replace("-", "").strip("{} ").lower()
    return digits if len(digits) == 32 and set(digits) - {"0"} and set(digits) - {"f"} else ""


def _turned(digits: str) -> str:
    """The first three groups in the other byte order: SMBIOS stores them reversed, and not every vendor converts them."""
    groups = (digits[:8], digits[8:12], digits[12:16])
    return (
        "".join("".join(reversed([part[i : i + 2] for i in range(0, len(part), 2)])) for part in groups) + digits[16:]
    )


def is_of(system: Resource, identity: Identity) -> bool | None:
    """Whether this is the system of the server; None if nothing can be compared."""
    expected, shown = _digits(identity.uuid), _digits(system.get("UUID"))
    serials = {str(system.get(name) or "").strip().lower() for name in ("SerialNumber", "SKU")} - {""}
    wanted = identity.serial.strip().lower()
    if (expected and shown and expected in (shown, _turned(shown))) or (wanted and wanted in serials):
        return True
    return False if (expected and shown) or (wanted and serials) else None


def _shown(path: str, system: Resource) -> str:
    parts = [f"{name} {system[name]}" for name in ("UUID", "SerialNumber", "Model") if system.get(name)]
    return f"{_id(path)} ({', '.join(parts)})" if parts else _id(path)


def _id(path: str) -> str:
    return path.split("?")[0].rstrip("/").rpartition("/")[2]


def named_system(paths: Sequence[str], wanted: str, where: str) -> str:
    """The system with this id. Raises bmc_system_unclear."""
    found = [path for path in paths if _id(path).lower() == wanted.lower()]
    if found:
        return found[0]
    raise DirectPathError(
        message=f"{where} has no system {wanted!r}",
        code="bmc_system_unclear",
        parameter="bmc",
        candidates=[_id(path) for path in paths],
        cure="Set system to one of them, or leave it out",
    )


def choose_system(systems: Sequence[tuple[str, Resource]], identity: Identity, where: str) -> tuple[str, Resource]:
    """The server's own system. Raises bmc_system_unclear or bmc_of_other_server.

    A single system is used unless its data contradicts vSphere. Among several, one must match.
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
            message=f"{where} is the management controller of another server: vSphere shows {known}",
            code="bmc_of_other_server",
            parameter="bmc",
            candidates=candidates,
            cure="Correct the address in the inventory. If it is right, set the system: system: <its id>",
        )
    what = f"has {len(systems)} systems, and none of them matches the server clearly" if systems else "has no system"
    raise DirectPathError(
        message=f"{where} {what}",
        code="bmc_system_unclear",
        parameter="bmc",
        candidates=candidates,
        cure="Set it: system: <its id>" if systems else "Restart the controller, or update its firmware",
    )


# -- how to power on ------------------------------------------------------------------------------------------------


def reset_action(system: Resource) -> Resource:
    """The Reset action of a system; empty where it has none."""
    actions = system.get("Actions")
    action = actions.get("#ComputerSystem.Reset") if isinstance(actions, Mapping) else None
    return action if isinstance(action, Mapping) else {}


def reset_target(system: Resource, path: str) -> str:
    """The path for the Reset: from the resource, otherwise the one from the specification."""
    return str(reset_action(system).get("target") or f"{path.rstrip('/')}/Actions/ComputerSystem.Reset")


def allowed_resets(action: Resource, info: Resource | None) -> tuple[str, ...] | None:
    """The values of ResetType that the service accepts, from the action or its ActionInfo; None if it does not list them."""
    beside = action.get("ResetType@Redfish.AllowableValues")
    if isinstance(beside, list) and beside:
        return tuple(map(str, beside))
    for parameter in (info or {}).get("Parameters") or ():
        if isinstance(parameter, Mapping) and parameter.get("Name") == "ResetType":
            values = parameter.get("AllowableValues")
            return tuple(map(str, values)) if isinstance(values, list) and values else None
    return None


def choose_reset(allowed: Sequence[str] | None, where: str) -> str:
    """The reset that powers on a server. Raises bmc_cannot_power_on."""
    if allowed is None:
        return POWER_ON[0]
    for kind in POWER_ON:
        if kind in allowed:
            return kind
    raise DirectPathError(
        message=f"{where} offers no reset that powers on a server",
        code="bmc_cannot_power_on",
        candidates=allowed,
        cure="Update the firmware or the license of the controller, or set method: reboot",
    )


def is_on_already(reply: RedfishReply) -> bool:
    """Whether the reset was rejected because the server is already on. iDRAC reports this before its PowerState changes."""
    return any(number.endswith(".PSU501") or "already powered on" in text.lower() for number, text in reply.messages())


def refuse_account(account: Resource, username: str, where: str) -> None:
    """Raises no_permission for a read-only account. Better known before a server is shut down."""
    role = str(account.get("RoleId") or "")
    if account.get("UserName") == username and role.replace(" ", "").lower() in _POWERLESS:
        raise DirectPathError(
            message=f"The account {username} on {where} has the role {role}, which may not control power",
            code="no_permission",
            parameter="bmc",
            cure="Give it the role Operator or Administrator, or set another account",
        )
