# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts and their desired devices in the parameters of a module. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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


SELECTORS = ("hosts", "cluster")


def refuse_empty(params: Mapping[str, Any], names: Sequence[str] = SELECTORS, *, may_lack: bool = False) -> None:
    """Raise InputError (no_hosts, no_vms) if none of these lists has an entry. An empty list comes from a template that found nothing. It
    does not mean everything.

    ``may_lack``: none of the options needs to be set, because that means everything.
    """
    given = [name for name in names if params.get(name) is not None]
    if any(params[name] for name in given) or (may_lack and not given):
        return
    empty = given or list(names)
    otherwise = ", or leave the option out for all" if may_lack else ""
    raise InputError(
        message=f"{' and '.join(empty)} {'is' if len(empty) == 1 else 'are'} empty, so nothing is selected",
        code="no_vms" if empty[0] == "vms" else "no_hosts",
        parameter=empty[0],
        cure=f"Give at least one entry{otherwise}. If a template may find none, skip the task with when",
    )


def refuse_empty_names(params: Mapping[str, Any]) -> None:
    """Raise InputError (no_hosts, no_vms) for an empty name of a host, a cluster or a VM. It comes from a template that found nothing."""
    entries = [("", params)]
    for option in ("targets", "graphics"):
        entries += [(f"{option}[{index}].", entry) for index, entry in enumerate(params.get(option) or ())]
    for prefix, entry in entries:
        for option in (*SELECTORS, "clusters", "vm", "vms"):
            for index, name in enumerate(entry.get(option) or ()):
                if isinstance(name, str) and not name.strip():
                    raise InputError(
                        message=f"{prefix}{option}[{index}] is empty",
                        code="no_vms" if option in ("vm", "vms") else "no_hosts",
                        parameter=f"{prefix}{option}",
                        cure="Give a name. If a template may find none, skip the task with when",
                    )


def parse_targets(
    params: Mapping[str, Any],
    *,
    devices_required: bool = True,
    everywhere: bool = False,
    may_be_empty: bool = False,
    parse: ParseEntries = parse_desired_devices,
) -> tuple[Target, ...]:
    """The targets in module parameters: either ``targets``, or ``hosts``/``cluster`` with ``devices``. Raises InputError.

    ``everywhere``: without ``hosts`` and ``cluster``, all hosts are meant. ``may_be_empty``: ``targets`` may be an empty list, because
    another option selects hosts, too. ``parse``: reads a list of devices: ``parse_desired_devices`` for passthrough,
    ``parse_function_entries`` for virtual functions, ``parse_mode_entries`` for device modes, ``parse_host_entries`` for all of them.
    """
    raw = params.get("targets")
    if raw is None:
        refuse_empty(params, may_lack=everywhere)
        raw = [params]
        names = [""]
    else:
        if not may_be_empty:
            refuse_empty(params, ("targets",))
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
