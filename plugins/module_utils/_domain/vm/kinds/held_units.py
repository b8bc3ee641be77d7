# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vGPUs, vendor device groups and DVX devices that a VM has, as units. PRIVATE to the collection.

A unit is matched by its kind and its value (profile, name of the group, class and parameters), never by key: keys are reused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from ...observed.vms import DvxBacking, VgpuBacking, Vm, VmDevice
from ..desired.units import DesiredDvx, DesiredGroup, DesiredUnit, ParameterValue, UnitKind

FIRST_KEY = 13000
"""Key of the passthrough device ``pciPassthru0``: N of ``pciPassthruN`` is the key minus this number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldUnit:
    """``value`` is empty for a group whose name was not read. ``instance``: the key of the group."""

    kind: UnitKind
    value: str
    devices: tuple[VmDevice, ...]
    parameters: tuple[tuple[str, ParameterValue], ...] = ()
    instance: int | None = None

    @property
    def keys(self) -> tuple[int, ...]:
        return tuple(device.key for device in self.devices)

    def words(self) -> dict[str, bool | int | str | None]:
        """The unit in a change of a result."""
        if self.kind == "group":
            return group_words(self.value, len(self.devices))
        return unit_words(self.kind, self.value, self.parameters)


def unit_words(
    kind: str, value: str, parameters: Iterable[tuple[str, ParameterValue]] = ()
) -> dict[str, bool | int | str | None]:
    """A unit in a change of a result."""
    shown = text_of(parameters)
    return {"backing": kind, "device": value, **({"parameters": shown} if shown else {})}


def group_words(name: str, parts: int) -> dict[str, bool | int | str | None]:
    """A group in a change of a result."""
    return {"backing": "group", "device": name or "a group whose name was not read", "parts": parts}


def text_of(parameters: Iterable[tuple[str, ParameterValue]]) -> str:
    return ", ".join(f"{key}={plain(value)}" for key, value in parameters)


def plain(value: ParameterValue) -> str:
    """A value as text. ``8`` and ``"8"``, ``true`` and ``True`` are equal: the server returns the type of the option, YAML another."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def held_units(vm: Vm) -> tuple[HeldUnit, ...]:
    """All units of a VM, sorted by their first key. A device that is a part of a group is no unit of its own."""
    groups: dict[int, list[VmDevice]] = {}
    units = []
    for device in sorted(vm.devices, key=lambda device: device.key):
        if device.group_instance is not None:
            groups.setdefault(device.group_instance, []).append(device)
        elif isinstance(device.backing, VgpuBacking):
            units.append(HeldUnit(kind="vgpu", value=device.backing.profile, devices=(device,)))
        elif isinstance(device.backing, DvxBacking):
            backing = device.backing
            units.append(
                HeldUnit(kind="dvx", value=backing.device_class, devices=(device,), parameters=backing.parameters)
            )
    units += [
        HeldUnit(kind="group", value=vm.device_groups.get(instance, ""), devices=tuple(parts), instance=instance)
        for instance, parts in groups.items()
    ]
    return tuple(sorted(units, key=lambda unit: unit.keys))


def is_meant(entry: DesiredUnit, unit: HeldUnit) -> bool:
    """True when an entry means this unit, whatever its parameters are."""
    return (entry.kind, entry.value) == (unit.kind, unit.value)


def meets(entry: DesiredUnit, unit: HeldUnit) -> bool:
    """True when a unit meets an entry without a change of the unit itself. Parameters that the entry does not name may have any value."""
    if not is_meant(entry, unit):
        return False
    if not isinstance(entry, DesiredDvx):
        return True
    actual = {key: plain(value) for key, value in unit.parameters}
    return all(actual.get(key) == plain(value) for key, value in entry.parameters)


def node_of(entry: DesiredUnit) -> int | None:
    """The desired NUMA node. A group has none: its devices are changed together."""
    return None if isinstance(entry, DesiredGroup) else entry.numa_node


def subjects(units: Iterable[HeldUnit], leaving: Collection[HeldUnit]) -> Mapping[HeldUnit, str]:
    """Unit → its subject in a plan, such as ``grid_a100-40c #1``. Units that stay are counted first, so that a number never changes while
    the plan is carried out."""
    numbers: Counter[tuple[str, str]] = Counter()
    found = {}
    for unit in sorted(units, key=lambda unit: (unit in leaving, unit.keys)):
        numbers[unit.kind, unit.value] += 1
        found[unit] = subject(unit.kind, unit.value, numbers[unit.kind, unit.value])
    return found


def subject(kind: str, value: str, number: int) -> str:
    return f"{value or f'unnamed {kind}'} #{number}"
