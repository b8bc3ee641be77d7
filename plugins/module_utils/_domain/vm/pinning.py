# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The VM-host rule for a VM with fixed devices (``pin_to_host``). PRIVATE to the collection.

A fixed device ties its VM to one host anyway. The mandatory rule tells this to DRS, HA and people: nothing tries to start or move the VM
elsewhere. The rule belongs to the collection, by its name: rules of others are never changed.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..observed.hosts import Host
from ..observed.vms import FixedBacking, Vm
from ..planning.details import PinToHost
from ..planning.plan import Blocker, Change
from .desired.vm import DesiredVm
from .observed_vms import ObservedVms
from .placement import ClusterPlacement, Pin, find_pin, forbidding_rules

SUBJECT = "VM-host rule"


@dataclass(frozen=True, kw_only=True, slots=True)
class PinPlan:
    """The change of the rule of one VM. ``needs_placement``: the settings of its cluster must be read."""

    changes: tuple[Change, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    warnings: tuple[str, ...] = ()
    needs_placement: bool = False


def plan_pin(observed: ObservedVms, desired: DesiredVm, *, tied: bool) -> PinPlan:
    """``tied``: the VM has fixed devices after the plan."""
    vm = observed.vm(desired.moid)
    host = observed.host_of(vm)
    pins = desired.pin_to_host is True and desired.state != "absent"
    was_tied = any(isinstance(device.backing, FixedBacking) for device in vm.devices)
    is_asked = (desired.pin_to_host is not None and desired.state != "absent") or (was_tied and not tied)
    if not is_asked:
        return PinPlan()
    notes = () if tied or not pins else (f"{vm.name} has no fixed device, so pin_to_host makes no rule for it",)
    if host is None or host.cluster is None:
        return PinPlan(warnings=(*notes, *_outside(vm, host, pins=pins and tied)))
    if host.compute_moid not in observed.placements:
        return PinPlan(warnings=notes, needs_placement=True)
    placement = observed.placements[host.compute_moid]
    if placement is None:
        return _unread(vm, host, notes, explicit=desired.pin_to_host is not None)
    pin = find_pin(placement, vm.moid)
    if vm.predicted_pin is not None:
        pin = Pin(exists=bool(vm.predicted_pin), host=vm.predicted_pin or None)
    if pins and tied:
        return PinPlan(changes=_to_pin(observed, host, pin), warnings=tuple(_warnings(vm, host, placement)))
    return PinPlan(changes=_to_free(observed, host, pin), warnings=notes)


def _to_pin(observed: ObservedVms, host: Host, pin: Pin) -> tuple[Change, ...]:
    if pin.host == host.moid:
        return ()
    detail = PinToHost(compute_moid=host.compute_moid, host_moid=host.moid)
    return (Change(subject=SUBJECT, before=_shown(observed, pin), after=host.name, detail=detail),)


def _to_free(observed: ObservedVms, host: Host, pin: Pin) -> tuple[Change, ...]:
    if not pin.exists:
        return ()
    detail = PinToHost(compute_moid=host.compute_moid, host_moid=None)
    return (Change(subject=SUBJECT, before=_shown(observed, pin), after=None, detail=detail),)


def _shown(observed: ObservedVms, pin: Pin) -> str | None:
    """The hosts of the rule by name; ``incomplete`` when a part of it is missing or different."""
    names = {host.moid: host.name for host in observed.hosts}
    if not pin.exists:
        return None
    return names.get(pin.host, pin.host) if pin.host is not None else "incomplete"


def _outside(vm: Vm, host: Host | None, *, pins: bool) -> tuple[str, ...]:
    if not pins:
        return ()
    if host is None:
        return (f"the host of {vm.name} was not read, so no VM-host rule is made for it",)
    return (f"{host.name} is in no cluster, so {vm.name} needs no VM-host rule",)


def _unread(vm: Vm, host: Host, notes: tuple[str, ...], *, explicit: bool) -> PinPlan:
    message = (
        f"The rules of cluster {host.cluster} cannot be read, so it is unknown whether a VM-host rule pins {vm.name}"
    )
    if not explicit:
        return PinPlan(warnings=(*notes, message))
    cure = "Check that the account has System.Read on the cluster, or leave pin_to_host out"
    return PinPlan(blockers=(Blocker(code="rules_unreadable", message=message, cure=cure),), warnings=notes)


def _warnings(vm: Vm, host: Host, placement: ClusterPlacement) -> list[str]:
    found = []
    if placement.drs_enabled is False:
        found.append(
            f"DRS of {host.cluster} is off: the VM-host rule of {vm.name} applies, but the vSphere Client may not show it"
        )
    others = ", ".join(sorted(forbidding_rules(placement, vm.moid, host.moid)))
    if others:
        found.append(f"{vm.name} cannot run on {host.name}, where its fixed devices are, because of the rule {others}")
    return found
