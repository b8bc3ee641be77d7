# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts and their desired devices in the parameters of a module. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..._domain.errors import InputError
from ..._domain.host.selector import DesiredDevice, parse_desired_devices
from ..._domain.host.targets import Target


def parse_targets(
    params: Mapping[str, Any],
    *,
    devices_required: bool = True,
    parse: Callable[[object, str], tuple[DesiredDevice, ...]] = parse_desired_devices,
) -> tuple[Target, ...]:
    """The targets in module parameters: either ``targets``, or ``hosts``/``cluster`` with ``devices``. ``parse``: reads ``devices``.

    Raises InputError.
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
                cure='Give at least one entry, such as devices: [{match: "10de:20f1"}]',
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
