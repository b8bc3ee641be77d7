# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The intent (desired state) in the inventory, per vCenter. PRIVATE to the collection.

There are two forms of inventory, with the same result:

* inventory hosts are vCenters (or single ESXi servers): ``passthrough_hosts`` and ``passthrough_vms``;
* inventory hosts are ESXi hosts: ``passthrough_devices`` on them or their groups, ``passthrough_vms`` on any of them.

One module call does the work for all hosts of a vCenter. The first of them in the play (the leader) makes it. Nothing is read from
vSphere here: the intent is checked for errors, duplicates and contradictions, and grouped by vCenter.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...module_utils._domain.errors import InputError
from ...module_utils._domain.suggest import suggest_word
from ...module_utils._domain.text import counted
from .entries import host_devices, vm_entry
from .graphics import graphics_entry
from .guest import check_inventory_hosts, guests_of, without_guest
from .kinds_of_entries import targets_by_module
from .source_location import Place, items, mapping, names, text, whole_number
from .variable_names import FOREIGN, fail_for, suspects

CLUSTER_VARIABLE = "passthrough_hosts"
DEVICE_VARIABLE = "passthrough_devices"
VM_VARIABLE = "passthrough_vms"
GRAPHICS_VARIABLE = "passthrough_graphics"
NAME_VARIABLE = "passthrough_host_name"
VCENTER_VARIABLE = "vcenter_hostname"
PORT_VARIABLE = "vcenter_port"
PREFIX = "passthrough_"
"""Prefix of variables of the collection. An unknown variable with this prefix is an error."""
LOOK_ALIKE = "vcenter_"
"""Prefix of variables that others may use too. A name that is almost one of the collection is an error."""
OF_A_HOST = (DEVICE_VARIABLE, GRAPHICS_VARIABLE)
"""Variables of an inventory host that is an ESXi host."""
DESIRED = (CLUSTER_VARIABLE, DEVICE_VARIABLE, VM_VARIABLE, GRAPHICS_VARIABLE)
VARIABLES = (*DESIRED, NAME_VARIABLE, VCENTER_VARIABLE, PORT_VARIABLE)
DEFAULT_PORT = 443

HOST_KEYS = ("cluster", "hosts", "devices", "graphics")
ONLY_FOR_ATTACHING = (
    "state",
    "kinds",
    "backing",
    "mmio",
    "disable_hot_add",
    "latency_sensitivity",
    "minimum_hardware_version",
    "pin_to_host",
)
CONNECTION_VARIABLES = (
    VCENTER_VARIABLE,
    PORT_VARIABLE,
    "vcenter_username",
    "vcenter_password",
    "vcenter_validate_certs",
    "vcenter_ca_path",
    "vcenter_proxy_host",
    "vcenter_proxy_port",
    "vcenter_connect_timeout",
    "vcenter_session",
)
"""Variables of the connection. Only the first two are read here; the others are here to detect misspellings."""

Variables = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class IntentTarget:
    """Hosts (by name or by cluster) and their desired devices, in the form of the module option ``targets``."""

    hosts: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    devices: tuple[Any, ...] = ()
    graphics: Mapping[str, Any] | None = None

    def graphics_record(self) -> dict[str, Any]:
        """The target as an entry of ``targets`` of host_graphics."""
        return {**self.record(with_devices=False), **(self.graphics or {})}

    def record(self, *, with_devices: bool = True) -> dict[str, Any]:
        """The target as an entry of ``targets``."""
        record: dict[str, Any] = {}
        if self.hosts:
            record["hosts"] = list(self.hosts)
        if self.clusters:
            record["cluster"] = list(self.clusters)
        if with_devices:
            record["devices"] = list(self.devices)
        return record


@dataclass(frozen=True, kw_only=True, slots=True)
class EndpointIntent:
    """The intent of one vCenter, or of one standalone ESXi host.

    ``leader``: the inventory host whose tasks do the work for all of ``inventory_hosts``. ``only_on_hosts``: not empty when the play
    has only some of the ESXi hosts of this vCenter; VMs on other hosts are skipped then. ``is_alone``: the inventory has no other vCenter,
    so a name in a list that this vCenter does not have is nowhere.
    """

    leader: str
    vcenter: str
    port: int
    inventory_hosts: tuple[str, ...]
    targets: tuple[IntentTarget, ...]
    vms: tuple[Mapping[str, Any], ...]
    only_on_hosts: tuple[str, ...] = ()
    is_alone: bool = True

    def record(self) -> dict[str, Any]:
        """The intent as plain values for templates. ``vms_to_release``: the VMs in the form for detaching their devices. ``guests``: how
        the guests of VMs are verified. The targets of single modules: see ``targets_by_module``."""
        targets = [target.record() for target in self.targets if target.devices]
        return {
            "leader": self.leader,
            "vcenter": self.vcenter,
            "port": self.port,
            "place": self.vcenter if self.port == DEFAULT_PORT else f"{self.vcenter}:{self.port}",
            "inventory_hosts": list(self.inventory_hosts),
            "targets": targets,
            **targets_by_module(targets),
            "host_targets": [target.record(with_devices=False) for target in self.targets if target.devices],
            "graphics": [target.graphics_record() for target in self.targets if target.graphics],
            "vms": [without_guest(vm) for vm in self.vms],
            "vms_to_release": [_to_release(without_guest(vm)) for vm in self.vms],
            "guests": guests_of(self.vms),
            "only_on_hosts": list(self.only_on_hosts),
            "unknown_names": "warn" if self.is_alone else "only_if_refused",
            "host_names": list(dict.fromkeys(name for target in self.targets for name in target.hosts)),
            "cluster_names": sorted({name for target in self.targets for name in target.clusters}),
            "vm_names": [vm.get("name") or vm["moid"] for vm in self.vms],
        }


def load_intent(
    hosts: Mapping[str, Variables],
    *,
    elsewhere: Mapping[str, Variables] | None = None,
    default_vcenter: str | None = None,
    foreign: Sequence[str] = (),
) -> tuple[EndpointIntent, ...]:
    """The intent of all inventory hosts of a play: one value per vCenter, in the order of the play.

    ``hosts``: inventory host → its variables. Names that have nothing to do with this collection may be left out.
    ``elsewhere``: the same for inventory hosts that are not in the play (``--limit``). ``default_vcenter``: for an ESXi host without
    ``vcenter_hostname``. ``foreign``: names of variables that are not of this collection, besides those that the hosts list themselves.
    Raises InputError, which names inventory host, variable and key.
    """
    for host, variables in hosts.items():
        _check_variable_names(host, variables, foreign)
    with_intent = {host: variables for host, variables in hosts.items() if any(key in variables for key in DESIRED)}
    if not with_intent:
        raise InputError(
            message=f"There is no intent: no host of this play ({counted(len(hosts), 'host')}) has {', '.join(DESIRED)}",
            code="no_intent",
            cure="Set one in the inventory, group_vars or host_vars (variables of a play or a role are not seen here)",
        )
    groups: dict[tuple[str, int], dict[str, Variables]] = {}
    for host, variables in with_intent.items():
        groups.setdefault(endpoint_of(host, variables, default_vcenter), {})[host] = variables
    left_out = {
        endpoint_of(host, variables, default_vcenter)
        for host, variables in (elsewhere or {}).items()
        if is_host(variables)
    }
    addresses = {vcenter for vcenter, _port in groups} | _addresses(elsewhere or {}, default_vcenter)
    is_alone = len(addresses) == 1
    return tuple(
        replace(_endpoint_intent(key, members, partial=key in left_out), is_alone=is_alone)
        for key, members in groups.items()
    )


def _addresses(elsewhere: Mapping[str, Variables], default: str | None) -> set[str]:
    """The vCenters of inventory hosts that are not in the play. A value with an error is none."""
    found = (
        variables.get(VCENTER_VARIABLE) or (default if is_host(variables) else host)
        for host, variables in elsewhere.items()
        if any(key in variables for key in DESIRED)
    )
    return {address.casefold() for address in found if isinstance(address, str)}


def is_host(variables: Variables) -> bool:
    """Whether an inventory host is an ESXi host: it has a desired state of its own devices."""
    return any(name in variables for name in OF_A_HOST)


def _check_variable_names(host: str, variables: Variables, foreign: Sequence[str]) -> None:
    """Raise PlacedError for a misspelled variable. It would be ignored: no desired state, the wrong account, or no protection."""
    known = [name for name in VARIABLES if name.startswith(PREFIX)]
    listed = (*foreign, *foreign_variables(host, variables))
    for key in map(str, variables):
        place = Place(host, key)
        if key.startswith(PREFIX) and key not in known:
            cure = f"Correct the name, or choose one that does not begin with {PREFIX}"
            place.fail(
                "unknown_variable", f"is not a variable of this collection{suggest_word(key, known)}", cure, known
            )
        if key.startswith(LOOK_ALIKE) and key not in CONNECTION_VARIABLES:
            close = difflib.get_close_matches(key, CONNECTION_VARIABLES, n=1, cutoff=0.9)
            if close and close[0] not in variables:
                cure = f"Correct the name, or set {close[0]} too if both are meant"
                place.fail("unknown_variable", f"is not a variable of this collection; {close[0]} is", cure)
    for key in suspects(map(str, variables), variables, listed):
        fail_for(key, host)


def foreign_variables(host: str, variables: Variables) -> tuple[str, ...]:
    """The names in ``directpath_foreign_variables``. Raises PlacedError if they are not names."""
    given = variables.get(FOREIGN)
    return names(Place(host, FOREIGN), given.split(",") if isinstance(given, str) else given)


def endpoint_of(host: str, variables: Variables, default: str | None) -> tuple[str, int]:
    """Address and port of the vCenter that manages an inventory host. Raises InputError if it is unknown."""
    place = Place(host, VCENTER_VARIABLE)
    address = variables.get(VCENTER_VARIABLE)
    if address is None:
        address = default if is_host(variables) else host
    if address is None:
        place.fail(
            "missing_value",
            f"is not set, but {next((name for name in OF_A_HOST if name in variables), '')} is: the vCenter of this ESXi host is unknown",
            "Set it for the group of the host (for a standalone ESXi host: its own address), or export VMWARE_HOST",
        )
    if address == "":
        place.fail(
            "missing_value",
            "is empty",
            "Set it. If the inventory reads it from the environment, as the examples do, export VMWARE_HOST",
        )
    port = variables.get(PORT_VARIABLE)
    number = DEFAULT_PORT if port is None else whole_number(Place(host, PORT_VARIABLE), port, 65535)
    return text(place, address).casefold(), number


def _endpoint_intent(key: tuple[str, int], members: Mapping[str, Variables], *, partial: bool) -> EndpointIntent:
    targets: list[IntentTarget] = []
    for host, variables in members.items():
        if CLUSTER_VARIABLE in variables:
            for name in (name for name in OF_A_HOST if name in variables):
                Place(host, name).fail(
                    "contradiction",
                    f"is for an ESXi host, but {CLUSTER_VARIABLE}, which is for a vCenter, is set too",
                    "Remove one of them; variables of a group apply to every host in it",
                )
            targets.extend(_cluster_targets(Place(host, CLUSTER_VARIABLE), variables[CLUSTER_VARIABLE]))
    esxi = {host: variables for host, variables in members.items() if is_host(variables)}
    targets.extend(_device_targets(esxi))
    targets.extend(_graphics_targets(esxi))
    vms_of_vcenter = any(VM_VARIABLE in variables for host, variables in members.items() if host not in esxi)
    limited = partial and not vms_of_vcenter
    return EndpointIntent(
        leader=next(iter(members)),
        vcenter=key[0],
        port=key[1],
        inventory_hosts=tuple(members),
        targets=tuple(targets),
        vms=_vms(members),
        only_on_hosts=tuple(_vsphere_name(host, esxi[host]) for host in esxi) if limited else (),
    )


def _cluster_targets(place: Place, raw: Any) -> list[IntentTarget]:
    """``passthrough_hosts`` of a vCenter."""
    targets: list[IntentTarget] = []
    seen: dict[tuple[str, str], str] = {}
    for where, value in items(place, raw):
        entry = mapping(where, value, HOST_KEYS)
        clusters = names(where.key("cluster"), entry.get("cluster"))
        hosts = names(where.key("hosts"), entry.get("hosts"))
        if clusters and hosts:
            where.fail("contradiction", "names both a cluster and hosts", "Give one of them, or two entries")
        if not clusters and not hosts:
            empty = next((key for key in ("cluster", "hosts") if key in entry), None)
            why = f"has an empty '{empty}', which is no host at all" if empty else "names neither a cluster nor hosts"
            where.fail("missing_key", why, "Give one of them")
        if "devices" not in entry:
            where.fail("missing_key", "has no devices", "List the desired devices ([] for none)")
        for kind, subject in [*(("cluster", name) for name in clusters), *(("host", name) for name in hosts)]:
            other = seen.get((kind, subject.casefold()))
            if other is not None:
                where.fail(
                    "duplicate", f"names {kind} {subject}, which {other} names too", "Write one entry with all devices"
                )
            seen[kind, subject.casefold()] = where.path
        devices = host_devices(where.key("devices"), entry["devices"], for_several=len(hosts) > 1)
        graphics = None
        if "graphics" in entry:
            graphics = graphics_entry(where.key("graphics"), entry["graphics"], for_several=len(hosts) > 1)
        if devices or graphics:
            targets.append(IntentTarget(hosts=hosts, clusters=clusters, devices=devices, graphics=graphics))
    return targets


def _device_targets(esxi: Mapping[str, Variables]) -> list[IntentTarget]:
    """``passthrough_devices`` of ESXi hosts. Hosts with the same devices become one target.

    So an address that a group applies to several hosts is detected.
    """
    grouped: dict[str, list[tuple[str, str]]] = {}
    devices: dict[str, tuple[Any, ...]] = {}
    owners: dict[str, str] = {}
    for host, variables in esxi.items():
        name = _vsphere_name(host, variables)
        other = owners.setdefault(name.casefold(), host)
        if other != host:
            cure = f"Give each ESXi host one inventory host, or correct {NAME_VARIABLE}"
            problem = f"is for ESXi host {name}, which inventory host {other} already represents"
            Place(host, next(name for name in OF_A_HOST if name in variables)).fail("duplicate", problem, cure)
        raw = variables.get(DEVICE_VARIABLE, ())
        # Values are compared by their text.
        key = json.dumps(raw, sort_keys=True) if _is_json(raw) else repr(raw)
        if key not in devices:
            devices[key] = host_devices(Place(host, DEVICE_VARIABLE), raw, for_several=False)
        grouped.setdefault(key, []).append((host, name))
    for key, members in grouped.items():
        if len(members) > 1:
            host_devices(Place(members[1][0], DEVICE_VARIABLE), list(devices[key]), for_several=True)
    return [
        IntentTarget(hosts=tuple(name for _host, name in members), devices=devices[key])
        for key, members in grouped.items()
        if devices[key]
    ]


def _graphics_targets(esxi: Mapping[str, Variables]) -> list[IntentTarget]:
    """``passthrough_graphics`` of ESXi hosts. Hosts with the same settings become one target."""
    grouped: dict[str, list[str]] = {}
    found: dict[str, tuple[Place, Any]] = {}
    for host, variables in esxi.items():
        if GRAPHICS_VARIABLE in variables:
            raw = variables[GRAPHICS_VARIABLE]
            key = json.dumps(raw, sort_keys=True) if _is_json(raw) else repr(raw)
            grouped.setdefault(key, []).append(_vsphere_name(host, variables))
            found[key] = (Place(host, GRAPHICS_VARIABLE), raw)
    return [
        IntentTarget(hosts=tuple(names), graphics=graphics_entry(*found[key], for_several=len(names) > 1))
        for key, names in grouped.items()
    ]


def _is_json(value: Any) -> bool:
    """Whether a value has only types of JSON, with text as keys."""
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_json(entry) for key, entry in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_json, value))
    return value is None or isinstance(value, str | int | float | bool)


def _vms(members: Mapping[str, Variables]) -> tuple[Mapping[str, Any], ...]:
    """All VMs in the intent of one vCenter. An entry that a group applies to several hosts counts once."""
    found: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {}
    places: dict[str, Place] = {}
    for host, variables in members.items():
        own: dict[tuple[str, str], str] = {}
        for where, value in items(Place(host, VM_VARIABLE), variables.get(VM_VARIABLE, ())):
            entry = vm_entry(where, value)
            key = ("moid", entry["moid"]) if "moid" in entry else ("name", entry["name"])
            if key in own:
                where.fail(
                    "duplicate", f"names VM {key[1]}, which {own[key]} names too", "Write one entry with all devices"
                )
            own[key] = where.path
            places[key[1]] = where
            origin, earlier = found.setdefault(key, (host, entry))
            if earlier != entry:
                cure = "Write it once: on the vCenter, or on a group with both hosts"
                where.fail("contradiction", f"has VM {key[1]} with other options than inventory host {origin}", cure)
    entries = tuple(entry for _origin, entry in found.values())
    check_inventory_hosts(places, guests_of(entries))
    return entries


def _vsphere_name(host: str, variables: Variables) -> str:
    return text(Place(host, NAME_VARIABLE), variables.get(NAME_VARIABLE, host))


def _to_release(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry without what is for attaching only. ``power: on`` is for a VM with its devices: the run that detaches them decides."""
    left = {key: value for key, value in entry.items() if key not in ONLY_FOR_ATTACHING}
    return {key: value for key, value in left.items() if (key, value) != ("power", "on")}
