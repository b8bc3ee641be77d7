# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the inventory of one or more vCenters in bulk. PRIVATE to the collection."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ...module_utils._domain.errors import DirectPathError, InputError
from ...module_utils._domain.suggest import as_whole, suggest_word
from ...module_utils._shell.engine.arguments import endpoint
from ...module_utils._shell.engine.observe import vms_on
from ...module_utils._shell.engine.output import device_results
from ...module_utils._vsphere.http.rehearsal import current
from ...module_utils._vsphere.read.hosts import read_hosts
from ...module_utils._vsphere.session.connect import Session, open_session
from ...module_utils._vsphere.session.endpoint import Endpoint
from ...module_utils._vsphere.session.faults import MISSING_SDK, SERVER_ERRORS, explain
from ..intent.source_location import shown
from .entries import Entry, host_entry, vm_entry

AT_ONCE = 8
"""Number of vCenters that are read at the same time."""
DEFAULT_PORT = 443
OPTIONS = ("hostname", "username", "password", "port", "validate_certs", "ca_path", "proxy_host", "proxy_port")
"""Options of the connection. An inventory always has its own session, because its account may be another one, which may only read."""
SHARED = ("validate_certs", "ca_path", "proxy_host", "proxy_port")
"""Options of the connection that hosts get as variables if they are not the default. Never the account."""


@dataclass(frozen=True, kw_only=True)
class Depth:
    """What is read from each vCenter, in addition to the hosts."""

    vms: bool = False
    devices: bool = False


@dataclass(frozen=True, kw_only=True)
class InventoryAnswer:
    """The entries of one vCenter, or the error."""

    source: Endpoint
    entries: tuple[Entry, ...] = ()
    error: DirectPathError | None = None


def sources(options: Mapping[str, Any], listed: Sequence[Any] | None) -> tuple[Endpoint, ...]:
    """The endpoints of an inventory source: those in ``listed``, with the options as defaults, or that of the options.

    Raises InputError.
    """
    if not listed:
        return (endpoint(options),)
    found = tuple(_listed(index, raw, options) for index, raw in enumerate(listed))
    seen: set[tuple[str, int]] = set()
    for source in found:
        place = (source.hostname.casefold(), source.port)
        if place in seen:
            raise InputError(
                message=f"vcenters names {label(source)} twice",
                code="duplicate",
                parameter="vcenters",
                cure="Write one entry for each vCenter",
            )
        seen.add(place)
    return found


def _listed(index: int, raw: Any, options: Mapping[str, Any]) -> Endpoint:
    place = f"vcenters[{index}]"
    if isinstance(raw, str):
        raw = {"hostname": raw}
    if not isinstance(raw, Mapping):
        raise _wrong_type(place, raw, f"a name or a mapping with the keys {', '.join(OPTIONS)}")
    for key in raw:
        if key not in OPTIONS:
            raise InputError(
                message=f"{place} has the unknown key {key}{suggest_word(str(key), OPTIONS)}",
                code="unknown_key",
                parameter=place,
                candidates=OPTIONS,
            )
    if not raw.get("hostname"):
        raise InputError(
            message=f"{place} has no hostname",
            code="missing_key",
            parameter=place,
            cure="Set hostname to the address of the vCenter",
        )
    given = {key: _typed(f"{place}.{key}", key, value) for key, value in raw.items() if value is not None}
    return endpoint({**options, **given})


def _typed(place: str, key: str, value: Any) -> Any:
    """Convert a value to the type of the option: templates produce text, and Ansible converts only options on the top level."""
    if key in ("port", "proxy_port"):
        number = as_whole(value)
        if number is None or not 0 < number < 65536:
            raise _wrong_type(place, value, "a port")
        return number
    if key == "validate_certs":
        try:
            return boolean(value)
        except TypeError as error:
            raise _wrong_type(place, value, "true or false") from error
    if not isinstance(value, str):
        raise _wrong_type(place, value, "text")
    return os.path.expanduser(value) if key == "ca_path" else value


def _wrong_type(place: str, value: Any, expected: str) -> InputError:
    return InputError(message=f"{place} is {shown(value)}, but must be {expected}", code="wrong_type", parameter=place)


def label(source: Endpoint) -> str:
    """The name of an endpoint in groups and messages: its hostname, and its port if it is not the default."""
    return source.hostname if source.port == DEFAULT_PORT else f"{source.hostname}:{source.port}"


def may_cache() -> bool:
    """Whether the cache may be used. A rehearsal neither uses nor changes what real runs have stored."""
    return current() is None


def fingerprint(source: Endpoint, depth: Depth) -> str:
    """A key for the cache: different for answers that must not be mixed up. Does not depend on the password."""
    parts = [source.hostname.casefold(), source.port, source.username, depth.vms, depth.devices]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def connection_variables(source: Endpoint) -> dict[str, Any]:
    """The variables with which the roles reach the vCenter of a host, without the account."""
    defaults = {"validate_certs": True}
    more = {f"vcenter_{name}": getattr(source, name) for name in SHARED if getattr(source, name) != defaults.get(name)}
    return {"vcenter_hostname": source.hostname, "vcenter_port": source.port, **more}


def read_all(
    endpoints: Sequence[Endpoint], depth: Depth, *, read: Callable[[Endpoint, Depth], InventoryAnswer] | None = None
) -> tuple[InventoryAnswer, ...]:
    """Read all vCenters, several at the same time. Returns the answers in the same order. An error of one does not affect the others."""
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        return tuple(pool.map(lambda source: (read or read_one)(source, depth), endpoints))


def read_one(source: Endpoint, depth: Depth) -> InventoryAnswer:
    """Read one vCenter: one bulk read of the hosts, and one of the VMs if ``depth.vms``. Raises DirectPathError (missing_library)."""
    if MISSING_SDK is not None:
        raise DirectPathError(
            message=f"pyVmomi is not installed for the Python that runs ansible-inventory ({MISSING_SDK})",
            code="missing_library",
            cure="Run pip install pyvmomi requests for this Python",
        )
    try:
        with open_session(source, read_only=True) as session:
            return InventoryAnswer(source=source, entries=_entries(session, source, depth))
    except DirectPathError as error:
        return InventoryAnswer(source=source, error=error)
    except SERVER_ERRORS as fault:
        return InventoryAnswer(source=source, error=explain(fault, doing="read the inventory", on=label(source)))


def _entries(session: Session, source: Endpoint, depth: Depth) -> tuple[Entry, ...]:
    found = []
    for host in read_hosts(session, numa=depth.devices).hosts:
        entry = host_entry(host, label(source))
        if not session.is_vcenter:
            entry["name"] = source.hostname  # the name in the connection, not the name that the host has for itself
        if depth.devices:
            entry["devices"] = device_results(host, host.candidates())
        found.append(entry)
    if depth.vms:
        found += [vm_entry(vm, label(source)) for vm in vms_on(session, (), ()) if vm.devices]
    return tuple(found)
