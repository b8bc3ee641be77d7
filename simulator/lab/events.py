# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Things that happen to hardware and machines without the API: for tests and for the control page.

Each event takes plain keyword arguments; a host or VM is named. Raises LabError for a name that does not exist.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

from ..endpoint import SimulatedEndpoint
from ..objects.host import power as host_power
from ..objects.host import virtual_functions
from ..objects.host.host import HostSystem
from ..objects.vm import power as vm_power
from ..rules import knobs as knob_rules
from ..rules.pci import buses, encoding
from .hardware import cards as hardware
from .hardware.cards import LabError
from .hardware.catalogue import CARDS
from .troubles import Troubles
from .vms import guests

Event = Callable[..., Any]


def build(sim: SimulatedEndpoint) -> dict[str, Event]:
    """The events of one simulator, by name. Each happens as a whole: nothing else moves meanwhile."""
    happenings = Happenings(sim)
    names = [name for name in dir(Happenings) if not name.startswith("_")]
    return {name: _alone(sim, getattr(happenings, name)) for name in names}


def _alone(sim: SimulatedEndpoint, event: Event) -> Event:
    @functools.wraps(event)
    def happen(**arguments: Any) -> Any:
        with sim.lock:
            return event(**arguments)

    return happen


class Happenings(Troubles):
    """Everything that can happen."""

    def add_card(self, host: str, card: str, at: str = "", renumber: bool = True) -> None:
        """Put a card into a host at its next boot. With `renumber`, every bus number from its address on increases by one."""
        target = self._host(host)
        functions = _base(target)
        used = {item.address.split(":")[1] for item in functions if item.address.startswith("0000:")}
        free = next(f"{bus:02x}" for bus in hardware.SLOT_BUSES if f"{bus:02x}" not in used)
        entry = {"card": card, "at": at or free}
        if card not in CARDS:
            raise LabError(f"card {card!r} is unknown; the catalogue has {', '.join(sorted(CARDS))}")
        (made,) = hardware.placed([entry])
        if renumber:
            where = encoding.place(made.address)
            functions = buses.shifted(functions, where.bus - 1, 1, segment=where.domain)
        spec = target.spec
        fresh = hardware.layout([made], cpu=spec.cpu, numa_nodes=spec.numa_nodes, iommu=spec.iommu, beside=functions)
        taken = {item.address for item in functions}
        target.next_functions = [*functions, *(item for item in fresh.functions.values() if item.address not in taken)]

    def remove_card(self, host: str, address: str, renumber: bool = True) -> None:
        """Remove the card at an address at the next boot. With `renumber`, the bus numbers behind it decrease by one."""
        target = self._host(host)
        functions = _base(target)
        gone = next((item for item in functions if item.address == address), None)
        if gone is None:
            raise LabError(f"{host} has no device at {address}")
        left = [item for item in functions if item.card != gone.card and item.address != gone.parent]
        where = encoding.place(address)
        target.next_functions = buses.shifted(left, where.bus + 1, -1, segment=where.domain) if renumber else left

    def set_device_state(self, host: str, address: str, **changes: Any) -> None:
        """Set capable, enabled, active or label of a device immediately, without a boot."""
        target = self._host(host)
        if address not in target.pci:
            raise LabError(f"{host} has no device at {address}")
        try:
            target.pci[address] = dataclasses.replace(target.pci[address], **changes)
        except TypeError as error:
            raise LabError(str(error)) from None
        target.saved = dict(target.pci)
        target.changed_devices()
        target.publish()

    def upgrade(self, host: str, version: str = "", lost: list[str] | None = None, build: str = "") -> None:
        """At the next boot the host runs another release or build; devices named in `lost` are no longer capable."""
        target = self._host(host)
        target.next_release = version or target.next_release
        target.next_build = build or target.next_build
        names = tuple(str(item).lower() for item in lost or [])
        target.next_functions = [
            dataclasses.replace(item, capable=False) if {item.address, item.identity} & set(names) else item
            for item in _base(target)
        ]

    def set_knob(self, name: str, value: Any, host: str = "", vm: str = "") -> None:
        """Set a knob for all objects, for one host, or for one VM."""
        if host or vm:
            target = self._host(host) if host else self._vm(vm)
            target.knobs[name] = knob_rules.coerce(name, value)
        else:
            self._sim.knobs.set(name, value)

    def host_power_loss(self, host: str) -> None:
        """The host loses power: it does not shut down cleanly, and stays off."""
        host_power.power_loss(self._host(host))

    def host_power_on(self, host: str) -> None:
        """The host is powered on and boots."""
        host_power.power_up(self._host(host))

    def disconnect_host(self, host: str) -> None:
        """A user disconnects the host in vCenter."""
        host_power.disconnect(self._host(host), None)

    def reconnect_host(self, host: str) -> None:
        """A user connects the host again."""
        host_power.reconnect(self._host(host), None)

    def lose_contact(self, host: str) -> None:
        """The management network is cut: the host is notResponding, but its VMs continue to run."""
        host_power.lose_contact(self._host(host))

    def regain_contact(self, host: str) -> None:
        """The management network works again."""
        host_power.regain_contact(self._host(host))

    def power_vm(self, vm: str, on: bool) -> None:
        """A user powers a VM on or off, at once. Raises the fault of a failed power-on."""
        target = self._vm(vm)
        if on and not target.is_on:
            vm_power.switch_on(target, target.host, None)
        elif not on and target.is_on:
            vm_power.switch_off(target, None)

    def grow_memory(self, vm: str, memory_mb: int) -> None:
        """A user changes the memory size of a VM; a locked reservation follows."""
        target = self._vm(vm)
        with target.edit("config") as config:
            config.hardware.memoryMB = memory_mb
            if config.memoryReservationLockedToMax:
                config.memoryAllocation.reservation = memory_mb
            config.changeVersion = target.next_change_version()
        target.show_summary()

    def reboot_guest(self, vm: str) -> None:
        """The guest of a VM restarts by itself."""
        target = self._vm(vm)
        if target.is_on:
            vm_power.guest_restarts(target)

    def restart_tools(self, vm: str, seconds: float = 10.0) -> None:
        """VMware Tools stop and start again after some seconds (below 0: they stay away); the guest runs on."""
        vm_power.tools_down(self._vm(vm), seconds)

    def set_guest(self, vm: str, **changes: Any) -> None:
        """Change keys of `guest_os` of a VM while it runs: another driver, another account, another answer of a program."""
        target = self._vm(vm)
        target.guest_os.spec = guests.changed(target.guest_os.spec, changes, self._sim.folder, f"VM {target.name}")

    def touch_vm(self, vm: str) -> None:
        """A user edits the VM: its changeVersion changes."""
        target = self._vm(vm)
        with target.edit("config") as config:
            config.annotation = f"{config.annotation or ''}."
            config.changeVersion = target.next_change_version()


def _base(host: HostSystem) -> list[Any]:
    """What the next boot would find so far."""
    return list(host.next_functions or virtual_functions.hardware(host.spec.layout.functions.values()))
