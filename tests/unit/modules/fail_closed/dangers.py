# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module must not have done, seen in the simulator itself: never in what the module says or reads."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from simulator.objects.host.host import HostSystem
from simulator.objects.vm.vm import VirtualMachine
from simulator.simulator import Simulator

STOPS = frozenset({"ShutdownGuest", "StandbyGuest", "RebootGuest", "PowerOffVM_Task", "SuspendVM_Task", "ResetVM_Task"})
HARD = frozenset({"PowerOffVM_Task", "ResetVM_Task"})


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A VM as it is. ``fixed``: (host, address) of its fixed devices."""

    name: str
    on: bool
    host: str
    has_tools: bool
    fixed: frozenset[tuple[str, str]]
    needs_memory: bool
    always_needs_memory: bool
    """Whatever devices it has: for Fault Tolerance, or its latency sensitivity."""
    reserved: bool
    memory_mb: int


@dataclass(frozen=True, kw_only=True)
class State:
    """VMs by id; ``lent``: (host, address) → id of the running VM that has the device; ``given``: devices that are enabled."""

    vms: dict[str, Machine]
    lent: dict[tuple[str, str], str]
    given: frozenset[tuple[str, str]]
    in_effect: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, sim: Simulator) -> State:
        hosts = list(sim.registry.all(HostSystem))
        functions = [(host, address, item) for host in hosts for address, item in host.pci.items()]
        return cls(
            vms={vm.moid: machine(vm) for vm in sim.registry.all(VirtualMachine)},
            lent={(host.moid, address): moid for host in hosts for address, moid in host.holders.items()},
            given=frozenset((host.moid, address) for host, address, item in functions if item.enabled),
            in_effect=frozenset((host.moid, address) for host, address, item in functions if item.active),
        )


def machine(vm: VirtualMachine) -> Machine:
    config, backings = vm.get("config"), []
    for device in config.hardware.device:
        backings.append(getattr(device, "backing", None))
    latency = getattr(config.latencySensitivity, "level", "normal")
    tolerant = str(vm.get("runtime").faultToleranceState) != "notConfigured"
    memory = config.memoryAllocation.reservation
    return Machine(
        name=vm.name,
        on=vm.is_on,
        host=vm.host.moid,
        has_tools=vm.get("guest").toolsRunningStatus == "guestToolsRunning",
        fixed=frozenset((vm.host.moid, backing.id) for backing in backings if hasattr(backing, "systemId")),
        needs_memory=bool(vm.device_kinds) or tolerant or str(latency) == "high",
        always_needs_memory=tolerant or str(latency) == "high",
        reserved=bool(config.memoryReservationLockedToMax) or memory >= config.hardware.memoryMB,
        memory_mb=config.hardware.memoryMB,
    )


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """What was asked for, by the names of VMs. ``off``: they may be off in the end."""

    stops: Collection[str] = ()
    off: Collection[str] = ()
    pulls: Collection[str] = field(default=())
    """Those that may be powered off although nobody asked their guest."""


def dangers(sim: Simulator, before: State, allowed: Allowed) -> list[str]:
    """Everything that was done and not asked for, as sentences, sorted."""
    after = State.of(sim)
    return sorted(
        {
            *_stopped(sim, before, allowed),
            *_off(before, after, allowed),
            *_lost(before, after),
            *_tried(sim, before),
            *_shared(before, after),
        }
    )


def _stopped(sim: Simulator, before: State, allowed: Allowed) -> Iterator[str]:
    asked: set[str] = set()
    for call in sim.journal.calls:
        if call.method not in STOPS or call.moid not in before.vms or not before.vms[call.moid].on:
            continue
        vm = before.vms[call.moid]
        if call.effect and vm.name not in allowed.stops:
            yield f"{call.method} of {vm.name}"
        if (
            call.effect
            and call.method in HARD
            and vm.has_tools
            and call.moid not in asked
            and vm.name not in allowed.pulls
        ):
            yield f"{call.method} of {vm.name}, whose guest was not asked"
        asked.add(call.moid)


def _off(before: State, after: State, allowed: Allowed) -> Iterator[str]:
    for moid, vm in before.vms.items():
        if vm.on and not after.vms[moid].on and vm.name not in allowed.off:
            yield f"{vm.name} is off"
        if vm.fixed and after.vms[moid].fixed and after.vms[moid].host != vm.host:
            yield f"{vm.name} is on another host than its devices"


def _lost(before: State, after: State) -> Iterator[str]:
    for place, moid in before.lent.items():
        vm = before.vms[moid].name
        if after.vms[moid].on and place not in after.given:
            yield f"{place} was taken from {vm}, which runs"
        if after.vms[moid].on and place not in after.in_effect:
            yield f"{place} is not in effect, and {vm} runs with it"
    for moid, now in after.vms.items():
        was = before.vms[moid]
        if was.reserved and not now.reserved and now.needs_memory:
            yield f"the memory of {now.name} is not reserved, and it needs it"


def _tried(sim: Simulator, before: State) -> Iterator[str]:
    """Writes that must not be made, although this server refuses them. Another release may not."""
    for call in sim.journal.calls:
        vm = before.vms.get(call.moid)
        if call.method == "ReconfigVM_Task" and vm is not None and vm.always_needs_memory and vm.reserved:
            spec = call.args["spec"]
            reservation = spec.get("memoryAllocation", {}).get("reservation", vm.memory_mb)
            if spec.get("memoryReservationLockedToMax") is False or reservation < vm.memory_mb:
                yield f"the memory of {vm.name} was to be given up, and it needs it"


def _shared(before: State, after: State) -> Iterator[str]:
    for place in {place for vm in after.vms.values() for place in vm.fixed}:
        holders = {moid for moid, vm in after.vms.items() if place in vm.fixed}
        had = {moid for moid, vm in before.vms.items() if place in vm.fixed}
        lent = {before.lent[place]} if place in before.lent else set()
        if holders - had and len(holders | lent) > 1:
            yield f"{place} belongs to {sorted(after.vms[moid].name for moid in holders | lent)}"
