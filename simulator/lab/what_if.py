# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may happen in a rehearsal: `what_if` and `boot_spread` of a lab. The keys are described in simulator/labs/README.md."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Any

from ..core.base import Entity
from ..objects.host import virtual_functions
from ..objects.host.host import HostSystem
from ..objects.vm.vm import VirtualMachine
from ..rules.boots import OTHERS, SHARE, BootSpread, other_times, share_of
from .expand import unknown_keys
from .hardware.cards import LabError

if TYPE_CHECKING:
    from ..endpoint import SimulatedEndpoint

RANDOM = "random"
SHOWN = 10
"""Candidates that an error names."""


def load(sim: SimulatedEndpoint, lab: Mapping[str, Any]) -> None:
    """Arrange for everything. Raises LabError with the place of the mistake, and the candidates for a name."""
    if (spread := lab.get("boot_spread")) is not None:
        sim.boot_spread = _boot_spread(sim, lab, spread)
    given = lab.get("what_if") or []
    if not isinstance(given, list) or not all(isinstance(item, Mapping) for item in given):
        raise LabError("what_if is a list of mappings, such as {kind: host_never_returns, host: esx-03}")
    for number, item in enumerate(given, 1):
        kind = str(item.get("kind", ""))
        if kind not in KINDS:
            raise LabError(f"what_if {number}: kind is one of {', '.join(KINDS)}, not {kind!r}")
        keys, arrange = KINDS[kind]
        where = f"what_if {number} ({kind})"
        unknown_keys(item, {"kind", *keys}, where)
        sim.what_if.append({"kind": kind, **arrange(sim, item, where)})


def _boot_spread(sim: SimulatedEndpoint, lab: Mapping[str, Any], given: Any) -> BootSpread:
    if not isinstance(given, Mapping):
        raise LabError("boot_spread is a mapping, such as {seed: 1, share: 0.3}")
    unknown_keys(given, {"seed", "share", "others"}, "boot_spread")
    seed = str(given.get("seed", ""))
    others = _number(given.get("others", OTHERS if "capture" in lab else 1), "boot_spread: others", least=1.0)
    for name, seconds in other_times(seed, others, lab.get("knobs") or {}).items():
        if others > 1:
            sim.knobs.set(name, seconds)
    share = given.get("share")
    if share is None:
        share = share_of(host.spec.past_boots for host in sim.registry.all(HostSystem)) or SHARE
    return BootSpread(seed=seed, share=_number(share, "boot_spread: share", most=1.0))


def _number(value: Any, what: str, most: float = float("inf"), least: float = 0.0) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        limit = f"{least:g} or more" if most == float("inf") else f"from {least:g} to {most:g}"
        raise LabError(f"{what} is a number, {limit}, not {value!r}")
    return float(value)


# -- who ------------------------------------------------------------------------------------------------------------


def _host(sim: SimulatedEndpoint, item: Mapping[str, Any], where: str) -> HostSystem:
    hosts = sim.registry.all(HostSystem)
    there = [host for host in hosts if host.connection == "connected"]
    found: HostSystem = _chosen(item, "host", hosts, there, where, lambda host: (host.name, host.short, host.moid))
    return found


def _vm(sim: SimulatedEndpoint, item: Mapping[str, Any], where: str) -> VirtualMachine:
    vms = [vm for vm in sim.registry.all(VirtualMachine) if not vm.spec.template]
    running = [vm for vm in vms if vm.is_on]
    pinned = [vm for vm in running if vm.device_kinds]
    found: VirtualMachine = _chosen(item, "vm", vms, pinned or running, where, lambda vm: (vm.name, vm.moid))
    return found


def _chosen(
    item: Mapping[str, Any],
    kind: str,
    known: Sequence[Any],
    fitting: Sequence[Entity],
    where: str,
    names: Callable[[Any], tuple[str, ...]],
) -> Any:
    """The one that is named, or a random one of those that fit, by the seed."""
    name = str(item.get(kind, ""))
    if name == RANDOM:
        if not fitting:
            raise LabError(f"{where}: no {kind} to choose from")
        chooser = random.Random(f"{item.get('seed', '')}/{where}")
        return chooser.choice(sorted(fitting, key=lambda each: each.moid))
    found = [each for each in known if name in names(each) or each.is_named(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise LabError(
            f"{where}: {len(found)} of the {kind}s are named {name!r}; take an id: {_list(each.moid for each in found)}"
        )
    every = sorted(each.name for each in known)
    close = get_close_matches(name, every, SHOWN, 0.5) or every
    raise LabError(f"{where}: no {kind} is named {name!r}; candidates: {_list(close)}")


def _list(names: Any) -> str:
    found = list(names)
    more = f", and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return (", ".join(found[:SHOWN]) or "none") + more


# -- what -----------------------------------------------------------------------------------------------------------


def _never_returns(sim: SimulatedEndpoint, item: Mapping[str, Any], where: str) -> dict[str, Any]:
    host = _host(sim, item, where)
    host.knobs["boot_result"] = "never_returns"
    return {"host": host.name}


def _without_devices(sim: SimulatedEndpoint, item: Mapping[str, Any], where: str) -> dict[str, Any]:
    host = _host(sim, item, where)
    given = item.get("devices")
    addresses = [str(each).lower() for each in given] if isinstance(given, list) else []
    if given is not None and not addresses:
        raise LabError(f"{where}: devices is a list of addresses, not {given!r}")
    if unknown := sorted(set(addresses) - set(host.spec.layout.functions)):
        raise LabError(
            f"{where}: {host.name} has no device at {unknown[0]}; candidates: {_list(sorted(host.spec.layout.functions))}"
        )
    host.at_boot.append(partial(_lose, host, frozenset(addresses)))
    return {"host": host.name} | ({"devices": addresses} if addresses else {})


def _lose(host: HostSystem, addresses: frozenset[str]) -> None:
    """The cards at these addresses, or all with an enabled device, are not found at this boot."""
    lost = addresses or {address for address, state in host.pci.items() if state.enabled and not state.physical}
    functions = host.next_functions or virtual_functions.hardware(host.spec.layout.functions.values())
    cards = {item.card for item in functions if item.address in lost and item.card}
    host.next_functions = [item for item in functions if item.address not in lost and item.card not in cards]


def _stays_on(sim: SimulatedEndpoint, item: Mapping[str, Any], where: str) -> dict[str, Any]:
    vm = _vm(sim, item, where)
    vm.knobs["shutdown_guest_result"] = "ignored"
    return {"vm": vm.name}


def _drs_refuses(sim: SimulatedEndpoint, item: Mapping[str, Any], where: str) -> dict[str, Any]:
    host = _host(sim, item, where)
    host.knobs["drs_evacuation"] = "refused"
    return {"host": host.name}


def _restarts(sim: SimulatedEndpoint, item: Mapping[str, Any], where: str) -> dict[str, Any]:
    if sim.kind != "vcenter":
        raise LabError(f"{where}: an ESXi host has no vCenter")
    at = _number(item.get("at", 600), f"{where}: at")
    seconds = _number(item.get("seconds", 180), f"{where}: seconds")
    sim.clock.call_later(at, lambda: sim.events["restart_vcenter"](seconds=seconds))
    return {"at": at, "seconds": seconds}


Arrange = Callable[["SimulatedEndpoint", Mapping[str, Any], str], dict[str, Any]]
KINDS: Mapping[str, tuple[tuple[str, ...], Arrange]] = {
    "host_never_returns": (("host", "seed"), _never_returns),
    "host_returns_without_devices": (("host", "seed", "devices"), _without_devices),
    "vm_does_not_shut_down": (("vm", "seed"), _stays_on),
    "vcenter_restarts": (("at", "seconds"), _restarts),
    "drs_refuses": (("host", "seed"), _drs_refuses),
}
"""Kind -> the keys that it takes beside itself, and what arranges for it."""
