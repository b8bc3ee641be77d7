# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a controller shows: service root, sessions, systems, ActionInfo (DSP0266 clause 9, DSP0268)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..objects.host.host import HostSystem
from . import power
from .accounts import IDLE_SECONDS, Accounts, Session, Sessions
from .shapes import Shape, offered, written_uuid

if TYPE_CHECKING:
    from ..endpoint import SimulatedEndpoint

Body = dict[str, Any]
RESET = "#ComputerSystem.Reset"


@dataclass(frozen=True, kw_only=True)
class Site:
    """One service: where it is, of which make, and whose hosts it speaks for."""

    prefix: str
    shape: Shape
    hosts: tuple[HostSystem, ...]

    def address(self, *parts: str) -> str:
        """The address of a resource, as this make writes it."""
        path = "/".join([f"{self.prefix}/redfish/v1", *parts])
        return f"{path}/" if self.shape.slash or not parts else path

    def system(self, number: str) -> HostSystem | None:
        """The host behind the id of a system."""
        return next((host for host in self.hosts if self.id_of(host) == number), None)

    def id_of(self, host: HostSystem) -> str:
        """The id of a host's system: the maker's where it is the only one."""
        return self.shape.system if self.prefix else host.moid


def error(message_id: str, text: str) -> Body:
    """An error body (DSP0266, 8.6)."""
    info = {"@odata.type": "#Message.v1_1_2.Message", "MessageId": message_id, "Message": text, "Severity": "Warning"}
    return {
        "error": {
            "code": "Base.1.8.GeneralError",
            "message": "A general error has occurred. See Resolution for information on how to resolve the error.",
            "@Message.ExtendedInfo": [info],
        }
    }


def _link(address: str) -> Body:
    return {"@odata.id": address}


def _named(address: str, kind: str, name: str, number: str = "") -> Body:
    found = {"@odata.id": address, "@odata.type": f"#{kind}", "Name": name}
    return {**found, "Id": number} if number else found


def _collection(site: Site, kind: str, name: str, addresses: Sequence[str], *parts: str) -> Body:
    return {
        **_named(site.address(*parts), f"{kind}.{kind}", name),
        "Members": [_link(item) for item in addresses],
        "Members@odata.count": len(addresses),
    }


def root(sim: SimulatedEndpoint, site: Site, auth: str) -> Body:
    """The service root; the one resource that everybody may read."""
    found = {
        **_named(site.address(), "ServiceRoot.v1_9_0.ServiceRoot", "Root Service", "RootService"),
        "RedfishVersion": "1.11.0",
        "Product": site.shape.product,
        "UUID": str(uuid.uuid5(uuid.UUID(sim.instance_uuid), f"bmc{site.prefix}")),
        "Systems": _link(site.address("Systems")),
        "Links": {},
    }
    found["AccountService"] = _link(site.address("AccountService"))
    if auth != "basic":
        found["SessionService"] = _link(site.address("SessionService"))
        found["Links"] = {"Sessions": _link(site.address("SessionService", "Sessions"))}
    return found


def find(sim: SimulatedEndpoint, site: Site, auth: str, parts: Sequence[str], sessions: Sessions) -> Body | None:
    """The resource at an address below the root; None when there is none."""
    kind, *rest = parts
    if kind == "SessionService" and auth != "basic":
        return _sessions(site, rest, sessions)
    if kind == "AccountService":
        return _accounts(site, rest, sim.bmc_accounts)
    if kind != "Systems":
        return None
    if not rest:
        numbers = [*site.shape.others, *(site.id_of(host) for host in site.hosts)]
        addresses = [site.address("Systems", number) for number in numbers]
        return _collection(site, "ComputerSystemCollection", "Systems", addresses, "Systems")
    host = site.system(rest[0])
    if host is None:
        return _board(site, rest[0]) if rest[0] in site.shape.others and len(rest) == 1 else None
    if rest[1:] == ["ResetActionInfo"] and site.shape.listed in ("action_info", "both"):
        return _action_info(site, host)
    return system(site, host) if len(rest) == 1 else None


def _sessions(site: Site, rest: Sequence[str], sessions: Sessions) -> Body | None:
    if not rest:
        return {
            **_named(
                site.address("SessionService"), "SessionService.v1_1_8.SessionService", "Sessions", "SessionService"
            ),
            "ServiceEnabled": True,
            "SessionTimeout": int(IDLE_SECONDS),
            "Sessions": _link(site.address("SessionService", "Sessions")),
        }
    if rest == ["Sessions"]:
        addresses = [site.address("SessionService", "Sessions", item.id) for item in sessions.open.values()]
        return _collection(site, "SessionCollection", "Sessions", addresses, "SessionService", "Sessions")
    found = [item for item in sessions.open.values() if list(rest) == ["Sessions", item.id]]
    return session(site, found[0]) if found else None


def _accounts(site: Site, rest: Sequence[str], known: Accounts) -> Body | None:
    if not rest:
        address = site.address("AccountService")
        found = _named(address, "AccountService.v1_10_0.AccountService", "Accounts", "AccountService")
        return {**found, "Accounts": _link(site.address("AccountService", "Accounts"))}
    names = list(known)
    if rest == ["Accounts"]:
        addresses = [site.address("AccountService", "Accounts", str(number + 1)) for number in range(len(names))]
        return _collection(site, "ManagerAccountCollection", "Accounts", addresses, "AccountService", "Accounts")
    if len(rest) != 2 or rest[1] not in map(str, range(1, len(names) + 1)):
        return None
    name = names[int(rest[1]) - 1]
    address = site.address("AccountService", *rest)
    found = _named(address, "ManagerAccount.v1_8_0.ManagerAccount", "User Account", rest[1])
    return {**found, "UserName": name, "RoleId": known[name][1], "Enabled": True}


def session(site: Site, item: Session) -> Body:
    """One session."""
    address = site.address("SessionService", "Sessions", item.id)
    return {**_named(address, "Session.v1_3_0.Session", "User Session", item.id), "UserName": item.user}


def system(site: Site, host: HostSystem) -> Body:
    """The ComputerSystem of a host."""
    number = site.id_of(host)
    resets = list(offered(site.shape, str(host.settings.bmc_offers)))
    action: Body = {"target": site.address("Systems", number, "Actions", "ComputerSystem.Reset")}
    if site.shape.listed in ("annotation", "both"):
        action["ResetType@Redfish.AllowableValues"] = resets
    if site.shape.listed in ("action_info", "both"):
        action["@Redfish.ActionInfo"] = site.address("Systems", number, "ResetActionInfo")
    return {
        **_named(site.address("Systems", number), "ComputerSystem.v1_13_0.ComputerSystem", host.name, number),
        "SystemType": "Physical",
        "Manufacturer": host.spec.vendor,
        "Model": host.spec.model,
        "HostName": host.name,
        "SerialNumber": serial(host),
        "UUID": written_uuid(site.shape, host.spec.uuid),
        "PowerState": power.shown(host, site.shape),
        "Status": {"State": "Enabled" if host.powered else "StandbyOffline", "Health": "OK"},
        "Actions": {RESET: action},
    }


def serial(host: HostSystem) -> str:
    """The serial number of a host's chassis."""
    return f"SIM{host.spec.uuid.split('-')[0].upper()}"


def _board(site: Site, number: str) -> Body:
    """A system that is no host: a board of accelerators with a power state and a reset of its own."""
    address = site.address("Systems", number)
    action = {
        "target": site.address("Systems", number, "Actions", "ComputerSystem.Reset"),
        "ResetType@Redfish.AllowableValues": ["ForceRestart"],
    }
    return {
        **_named(address, "ComputerSystem.v1_13_0.ComputerSystem", number, number),
        "SystemType": "Physical",
        "UUID": "00000000-0000-0000-0000-000000000000",
        "PowerState": "On",
        "Actions": {RESET: action},
    }


def _action_info(site: Site, host: HostSystem) -> Body:
    number = site.id_of(host)
    address = site.address("Systems", number, "ResetActionInfo")
    parameter = {
        "Name": "ResetType",
        "Required": True,
        "DataType": "String",
        "AllowableValues": list(offered(site.shape, str(host.settings.bmc_offers))),
    }
    return {
        **_named(address, "ActionInfo.v1_1_2.ActionInfo", "Reset Action Info", "ResetActionInfo"),
        "Parameters": [parameter],
    }
