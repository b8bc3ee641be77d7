# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The intent from the variables of the inventory hosts, as Ansible has them. PRIVATE to the collection."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleError, AnsibleFilterError
from jinja2.exceptions import UndefinedError

try:
    from ansible._internal._datatag._tags import Origin
except ImportError:  # before 2.19
    Origin = None

from ...module_utils._domain.errors import InputError
from .endpoints import list_endpoints
from .load import (
    DESIRED,
    LOOK_ALIKE,
    OF_A_HOST,
    PORT_VARIABLE,
    PREFIX,
    VARIABLES,
    VCENTER_VARIABLE,
    foreign_variables,
    load_intent,
)
from .role_options import EMERGENCY_OPTIONS
from .source_location import Place, PlacedError, plain, route
from .variable_names import FOREIGN, OF_THE_PLUGIN, check_play, check_read, check_tags, is_suspect

NOTIFY_VARIABLES = ("rolling_reboot_notify", "drift_report_notify")


def read_intent(
    play_hosts: Sequence[str],
    hostvars: Mapping[str, Mapping[str, Any]],
    names: Sequence[str] = (),
    foreign: Sequence[str] | str = (),
    tags: Sequence[str] = (),
) -> dict[str, Any]:
    """Leader (inventory host) → the desired state of its vCenter. Evaluate it once in a play (``run_once``): it reads every host.

    ``names``: names of the variables that the task can see, ``foreign``: those of them that are not of this collection, ``tags``: tags
    that were selected or skipped. Raises AnsibleFilterError, with the place in the inventory where known, for an entry that is not valid.
    """
    covered = set(play_hosts)
    try:
        listed = _check_play(play_hosts, hostvars, names, foreign, tags)
        hosts = {str(name): _read_variables(str(name), hostvars[name]) for name in play_hosts}
        elsewhere = {str(name): _read_address(str(name), hostvars[name]) for name in hostvars if name not in covered}
        default = os.environ.get("VMWARE_HOST") or None
        found = load_intent(hosts, elsewhere=elsewhere, default_vcenter=default, foreign=listed)
    except InputError as error:
        raise AnsibleFilterError(error.sentence() + _source(error, hostvars)) from None
    for endpoint in found:
        _check_notify(endpoint.leader, hostvars[endpoint.leader])
    return {endpoint.leader: endpoint.record() for endpoint in found}


def _check_notify(leader: str, variables: Mapping[str, Any]) -> None:
    """A subscriber that cannot be used is an error before the first change, not when the reboots are planned. Raises AnsibleFilterError."""
    given = [name for name in NOTIFY_VARIABLES if name in variables]
    if not given:
        return
    from ...module_utils._shell.outlets.request import (
        OutletRequest,  # with the code for HTTPS, which takes long to import
    )

    for name in given:
        try:
            value = _read(leader, variables, name)
        except (AnsibleFilterError, InputError):
            continue  # the task that needs it says why it cannot be read
        if not isinstance(value, list) or not all(isinstance(entry, Mapping) for entry in value):
            continue  # the task says what the option looks like
        try:
            OutletRequest.of({"notify": value})
        except InputError as error:
            text = f"{name.removesuffix('notify')}{error.sentence()}"
            raise AnsibleFilterError(f"Inventory host {leader}: {text}") from None


def _check_play(
    play_hosts: Sequence[str],
    hostvars: Mapping[str, Mapping[str, Any]],
    names: Sequence[str],
    foreign: Sequence[str] | str,
    tags: Sequence[str],
) -> tuple[str, ...]:
    """Check what is not in the variables of the inventory hosts. Returns ``foreign`` as a list. Raises InputError."""
    listed = foreign_variables(str(next(iter(play_hosts), "")), {FOREIGN: foreign})
    check_tags(map(str, tags), listed)
    if names:
        # Variables of the inventory and of -e are checked for each host, with the place.
        seen = set(hostvars[play_hosts[0]]) if play_hosts else set()
        check_play([name for name in map(str, names) if name not in seen], listed)
    return listed


def read_endpoints(
    play_hosts: Sequence[str],
    hostvars: Mapping[str, Mapping[str, Any]],
    names: Sequence[str] = (),
) -> dict[str, Any]:
    """Leader (inventory host) → address and port of its vCenter. Other variables are not read, so they may contain errors.

    Empty when no vCenter is known: Ansible shows an error of a filter with a long trace, and the playbooks fail with one sentence.
    ``names``: names of the variables that the task can see. One that is almost an option of the playbooks that use this is an error.
    """
    wanted = (*DESIRED, VCENTER_VARIABLE, PORT_VARIABLE)
    hosts: dict[str, dict[str, Any]] = {}
    try:
        check_read(map(str, names), EMERGENCY_OPTIONS)
        for host in map(str, play_hosts):
            variables = hostvars[host]
            check_read(map(str, variables), EMERGENCY_OPTIONS, host)
            hosts[host] = {
                key: None if key in DESIRED else _read(host, variables, key) for key in wanted if key in variables
            }
        return list_endpoints(hosts, os.environ.get("VMWARE_HOST") or None)
    except InputError as error:
        if error.code == "no_vcenter":
            return {}
        raise AnsibleFilterError(error.sentence() + _source(error, hostvars)) from None


def _read_variables(host: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of this collection, and the names (without values) of unknown variables with one of its prefixes."""
    names = [str(key) for key in variables]
    look_alikes = [key for key in names if is_suspect(key) or key.startswith((PREFIX, LOOK_ALIKE))]
    if look_alikes and OF_THE_PLUGIN in variables:
        look_alikes.append(OF_THE_PLUGIN)
    known = {key: _read(host, variables, key) for key in (*VARIABLES, FOREIGN) if key in variables}
    return {**dict.fromkeys(look_alikes), **known}


def _read_address(host: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """For a host outside the play: the address of its vCenter, if the host has desired devices."""
    own = next((name for name in (*OF_A_HOST, *DESIRED) if name in variables), None)
    if own is None:
        return {}
    addresses = {key: _read(host, variables, key) for key in (VCENTER_VARIABLE, PORT_VARIABLE) if key in variables}
    return {own: None, **addresses}


def _read(host: str, variables: Mapping[str, Any], key: str) -> Any:
    place = Place(host, key)
    try:
        return plain(place, _decrypted(variables[key]))
    except InputError:
        raise
    except (AnsibleError, UndefinedError, LookupError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"Inventory host {host}: {key} cannot be read: {error}") from error


def _decrypted(value: Any) -> Any:
    """Releases before 2.19 keep a value encrypted with ``!vault`` as an object until it is used as text."""
    return str(value) if hasattr(value, "vault") and hasattr(value, "_ciphertext") else value


def _source(error: InputError, hostvars: Mapping[str, Mapping[str, Any]]) -> str:
    """`` (group_vars/gpu.yml:12:7)``: the place of the wrong value, if Ansible recorded it. Empty otherwise."""
    if not isinstance(error, PlacedError):
        return ""
    value: Any = hostvars[error.host]
    found = ""
    for depth, step in enumerate(route(error.parameter)):
        key = next((key for key in value if str(key) == step), None) if isinstance(value, Mapping) else None
        found = found or (_origin(key) if depth == 0 and error.code == "unknown_variable" else "")
        try:
            value = value[step if key is None else key]
        except (AnsibleError, UndefinedError, LookupError, TypeError, ValueError):
            break
        if depth == 0 and error.code != "unknown_variable":
            key = None  # if a variable is set in several places, key and value may have different origins
        found = _origin(value) or _origin(key) or _origin(_first_key(value)) or found
    return f" ({found})" if found else ""


def _first_key(value: Any) -> Any:
    """The first key of a mapping, or of the first mapping in a list. Its place is the place of the value."""
    while isinstance(value, list | tuple) and value:
        value = value[0]
    return next(iter(value), None) if isinstance(value, Mapping) else value


def _origin(value: Any) -> str:
    """File, line and column of a value read from YAML, or the option of the command line."""
    position = getattr(value, "ansible_pos", None)
    if position is not None:
        return ":".join(map(str, position))
    tag = Origin.get_tag(value) if Origin is not None else None
    return str(tag) if tag is not None and tag is not Origin.UNKNOWN else ""
