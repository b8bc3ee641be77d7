# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of the roles: the intent in the inventory, and results in words. Documented in the .yml files beside this one."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleError, AnsibleFilterError
from ansible.module_utils.parsing.convert_bool import boolean
from jinja2.exceptions import UndefinedError

try:
    from ansible._internal._datatag._tags import Origin
except ImportError:  # before 2.19
    Origin = None

from ..module_utils._domain.errors import InputError
from ..plugin_utils.intent.load import (
    DEVICE_VARIABLE,
    LOOK_ALIKE,
    PORT_VARIABLE,
    PREFIX,
    ROLES,
    VARIABLES,
    VCENTER_VARIABLE,
    load_intent,
)
from ..plugin_utils.intent.source_location import Place, PlacedError, plain, route
from ..plugin_utils.report.text import assumed_enabled, differences, lines, outcome, proof_lines, reboot_outcome


def intent(play_hosts: Sequence[str], hostvars: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Leader (inventory host) → what is wanted of its vCenter. Evaluate it once a play (``run_once``): it reads every host."""
    covered = set(play_hosts)
    try:
        hosts = {str(name): _parse_desired(str(name), hostvars[name]) for name in play_hosts}
        elsewhere = {str(name): _address(str(name), hostvars[name]) for name in hostvars if name not in covered}
        found = load_intent(hosts, elsewhere=elsewhere, default_vcenter=os.environ.get("VMWARE_HOST") or None)
    except InputError as error:
        raise AnsibleFilterError(error.sentence() + _source(error, hostvars)) from None
    return {endpoint.leader: endpoint.record() for endpoint in found}


def rebooted(
    seen: Mapping[str, Any], call: Mapping[str, Any], consent: bool | str | None, preview: bool | str
) -> dict[str, Any]:
    """``reboot_outcome`` with truth values as ``-e`` gives them: as text."""
    return reboot_outcome(seen, call, None if consent is None else boolean(consent), boolean(preview))


def assumed(
    targets: Sequence[Mapping[str, Any]], enabled: Mapping[str, Any] | None, rebooted: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """``assumed_enabled`` with its failures as those of a filter."""
    try:
        return assumed_enabled(targets, enabled, rebooted)
    except InputError as error:
        raise AnsibleFilterError(error.sentence()) from None


def _parse_desired(host: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables this collection gives a meaning, and the bare names of those that look like one."""
    own = (PREFIX, LOOK_ALIKE, *ROLES)
    look_alikes = [key for key in variables if str(key).startswith(own) and key not in VARIABLES]
    known = {key: _read(host, variables, key) for key in VARIABLES if key in variables}
    return {**known, **dict.fromkeys(look_alikes)}


def _address(host: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Of a host outside the play: whether it is an ESXi host with wishes, and of which vCenter."""
    if DEVICE_VARIABLE not in variables:
        return {}
    addresses = {key: _read(host, variables, key) for key in (VCENTER_VARIABLE, PORT_VARIABLE) if key in variables}
    return {DEVICE_VARIABLE: None, **addresses}


def _read(host: str, variables: Mapping[str, Any], key: str) -> Any:
    place = Place(host, key)
    try:
        return plain(place, _decrypted(variables[key]))
    except InputError:
        raise
    except (AnsibleError, UndefinedError, LookupError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"Inventory host {host}: {key} cannot be read: {error}") from error


def _decrypted(value: Any) -> Any:
    """Older releases keep a value encrypted with ``!vault`` in an object of its own until it is used as text."""
    return str(value) if hasattr(value, "vault") and hasattr(value, "_ciphertext") else value


def _source(error: InputError, hostvars: Mapping[str, Mapping[str, Any]]) -> str:
    """`` (group_vars/gpu.yml:12:7)``: where the mistake was written, as far as Ansible remembers."""
    if not isinstance(error, PlacedError):
        return ""
    value: Any = hostvars[error.host]
    found = ""
    for depth, step in enumerate(route(error.parameter)):
        try:
            key = next((key for key in value if str(key) == step), None) if isinstance(value, Mapping) else None
            value = value[step if key is None else key]
        except (AnsibleError, UndefinedError, LookupError, TypeError, ValueError):
            break
        if depth == 0 and error.code != "unknown_variable":
            key = (
                None  # where a variable is set several times, its name may be from one place and its value from another
            )
        found = _origin(value) or _origin(key) or _origin(_first_key(value)) or found
    return f" ({found})" if found else ""


def _first_key(value: Any) -> Any:
    """A mapping stands where its first key does; a list where the first key of its first entry does."""
    while isinstance(value, list | tuple) and value:
        value = value[0]
    return next(iter(value), None) if isinstance(value, Mapping) else value


def _origin(value: Any) -> str:
    """File, line and column of a value read from YAML."""
    position = getattr(value, "ansible_pos", None)
    if position is not None:
        return ":".join(map(str, position))
    tag = Origin.get_tag(value) if Origin is not None else None
    return str(tag) if tag is not None and tag.path else ""


class FilterModule:
    """Registers the filters."""

    def filters(self) -> dict[str, Any]:
        return {
            "intent": intent,
            "outcome": outcome,
            "reboot_outcome": rebooted,
            "result_lines": lines,
            "proof_lines": proof_lines,
            "differences": differences,
            "assumed_enabled": assumed,
        }
