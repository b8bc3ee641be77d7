# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts and their desired devices in the parameters of a module. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from ..._domain.errors import InputError
from ..._domain.host.selector import DesiredDevice, parse_desired_devices
from ..._domain.host.targets import Target
from ..._domain.host_entries.device_modes import parse_mode_entries
from ..._domain.host_entries.virtual_functions import parse_function_entries

ParseEntries: TypeAlias = Callable[[object, str], tuple[DesiredDevice, ...]]
_EXAMPLES: Mapping[ParseEntries, str] = {
    parse_function_entries: "Give at least one entry, such as devices: [{vmnic: vmnic4, virtual_functions: 8}]",
    parse_mode_entries: 'Give at least one entry, such as devices: [{match: "10de:20f1", mode: vgpu_mixed_size}]',
}


def parse_targets(
    params: Mapping[str, Any], *, devices_required: bool = True, parse: ParseEntries = parse_desired_devices
) -> tuple[Target, ...]:
    """The targets in module parameters: either ``targets``, or ``hosts``/``cluster`` with ``devices``. Raises InputError.

    ``parse``: reads a list of devices: ``parse_desired_devices`` for passthrough, ``parse_function_entries`` for virtual functions,
    ``parse_mode_entries`` for device modes, ``parse_host_entries`` for all of them.
    """
    raw = params.get("targets")
    if raw is None:
        raw = [params]
        names = [""]
    else:
        names = [f"targets[{index}]." for index in range(len(raw))]
    parsed = []
    for prefix, entry in zip(names, raw, strict=True):
        devices = entry.get("devices")
        if not devices and devices_required:
            raise InputError(
                message=f"{prefix}devices is empty",
                code="no_devices",
                parameter=f"{prefix}devices",
                cure=_EXAMPLES.get(parse, 'Give at least one entry, such as devices: [{match: "10de:20f1"}]'),
            )
        if prefix and not entry.get("hosts") and not entry.get("cluster"):
            raise InputError(
                message=f"{prefix.rstrip('.')} names neither hosts nor cluster",
                code="no_hosts",
                parameter=f"{prefix}hosts",
                cure="Give hosts or cluster",
            )
        parsed.append(
            Target(
                hosts=tuple(entry.get("hosts") or ()),
                clusters=tuple(entry.get("cluster") or ()),
                devices=parse(devices or (), f"{prefix}devices"),
            )
        )
    return tuple(parsed)
