# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of ``devices`` for vGPUs, vendor device groups and DVX devices of VMs. PRIVATE to the collection.

They stand beside entries that select PCI devices: ``{vgpu: profile, count}``, ``{group: name, count}`` and
``{dvx: {class, parameters}, count}``. Only a VM can have such an entry.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from ...errors import InputError
from ...host.selector import VM_DESIRED_KEYS, DesiredDevice, parse_desired_devices
from ...pci import parse_numa_node
from ...plain import Record
from ...suggest import as_whole, suggest_word

UnitKind: TypeAlias = Literal["vgpu", "group", "dvx"]
ParameterValue: TypeAlias = bool | int | float | str

KIND_KEYS: Mapping[str, tuple[str, ...]] = {
    "vgpu": ("vgpu", "count", "advanced", "numa_node"),
    "group": ("group", "count"),
    "dvx": ("dvx", "count", "numa_node"),
}
DVX_KEYS = ("class", "parameters")
_SETTING = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_FORM = (
    'Write {vgpu: grid_a100-40c, count: 2}, {group: "Nvidia:2@grid_a100-40c%NVLink"}, or {dvx: {class: com.example.nic, '
    "parameters: {size: 64}}}"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredVgpu:
    """``count`` vGPUs of one profile. ``advanced``: the setting ``pciPassthruN.cfg.NAME`` of each of them, by NAME, sorted."""

    kind: ClassVar[UnitKind] = "vgpu"
    profile: str
    count: int = 1
    advanced: tuple[tuple[str, str], ...] = ()
    numa_node: int | None = None
    """As in ``DesiredDevice``."""

    @property
    def value(self) -> str:
        return self.profile

    def option(self) -> Record:
        """The entry as in the option ``devices``."""
        more: Record = {"advanced": dict(self.advanced)} if self.advanced else {}
        return {"vgpu": self.profile, "count": self.count, **more, **_node_option(self.numa_node)}


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredGroup:
    """``count`` vendor device groups of one name. A group is attached and detached with all its devices."""

    kind: ClassVar[UnitKind] = "group"
    name: str
    count: int = 1

    @property
    def value(self) -> str:
        return self.name

    def option(self) -> Record:
        """The entry as in the option ``devices``."""
        return {"group": self.name, "count": self.count}


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredDvx:
    """``count`` DVX devices of one class. ``parameters``: the values that matter, sorted by key; others keep their value or their
    default."""

    kind: ClassVar[UnitKind] = "dvx"
    device_class: str
    parameters: tuple[tuple[str, ParameterValue], ...] = ()
    count: int = 1
    numa_node: int | None = None
    """As in ``DesiredDevice``."""

    @property
    def value(self) -> str:
        return self.device_class

    def option(self) -> Record:
        """The entry as in the option ``devices``."""
        named: Record = {"class": self.device_class, "parameters": dict(self.parameters)}
        return {"dvx": named, "count": self.count, **_node_option(self.numa_node)}


def _node_option(numa_node: int | None) -> Record:
    return {} if numa_node is None else {"numa_node": numa_node}


DesiredUnit: TypeAlias = DesiredVgpu | DesiredGroup | DesiredDvx
"""An entry that is counted in units, which are all alike: a vGPU, a group with all its devices, a DVX device."""


def is_unit(entry: object) -> bool:
    """Whether an entry of ``devices`` names a kind of this file, right or wrong."""
    return isinstance(entry, Mapping) and any(key in entry for key in KIND_KEYS)


def parse_vm_devices(
    raw: object, parameter: str = "devices"
) -> tuple[tuple[DesiredDevice, ...], tuple[DesiredUnit, ...]]:
    """The desired devices of a VM in an option: entries that select PCI devices, and entries of the kinds of this file.

    Raises InputError when an entry is wrong, is listed twice, or conflicts with another. The message has the place in the whole list.
    """
    if isinstance(raw, str | Mapping) or not isinstance(raw, Sequence):
        return parse_desired_devices(raw, parameter, keys=VM_DESIRED_KEYS), ()
    units = tuple(_unit(entry, f"{parameter}[{number}]") for number, entry in enumerate(raw) if is_unit(entry))
    _refuse_twice(units, parameter)
    if not units:
        return parse_desired_devices(raw, parameter, keys=VM_DESIRED_KEYS), ()
    return parse_desired_devices([entry for entry in raw if not is_unit(entry)], parameter, keys=VM_DESIRED_KEYS), units


def _unit(entry: Mapping[str, object], parameter: str) -> DesiredUnit:
    named = [key for key in KIND_KEYS if key in entry]
    if len(named) > 1 or "match" in entry:
        keys = " and ".join(["match"] * ("match" in entry) + named)
        raise _bad(f"{parameter} has {keys}: one entry names one kind of device", parameter)
    kind = named[0]
    unknown = sorted(str(key) for key in entry if key not in KIND_KEYS[kind])
    if unknown:
        raise _bad(
            f"{parameter} has the unknown key {', '.join(unknown)}{suggest_word(unknown[0], KIND_KEYS[kind])}",
            parameter,
            candidates=KIND_KEYS[kind],
        )
    count = _count(entry.get("count"), f"{parameter}.count")
    numa_node = parse_numa_node(entry.get("numa_node"), f"{parameter}.numa_node")
    if kind == "vgpu":
        return DesiredVgpu(
            profile=_name(entry["vgpu"], f"{parameter}.vgpu"),
            count=count,
            advanced=_advanced(entry.get("advanced"), f"{parameter}.advanced"),
            numa_node=numa_node,
        )
    if kind == "group":
        return DesiredGroup(name=_name(entry["group"], f"{parameter}.group"), count=count)
    return _dvx(entry["dvx"], count, numa_node, f"{parameter}.dvx")


def _dvx(raw: object, count: int, numa_node: int | None, parameter: str) -> DesiredDvx:
    if not isinstance(raw, Mapping):
        raise _bad(f"{parameter} {raw!r} is not a mapping of class and parameters", parameter)
    unknown = sorted(str(key) for key in raw if key not in DVX_KEYS)
    if unknown:
        raise _bad(
            f"{parameter} has the unknown key {', '.join(unknown)}{suggest_word(unknown[0], DVX_KEYS)}",
            parameter,
            candidates=DVX_KEYS,
        )
    if raw.get("class") is None:
        raise _bad(f"{parameter} names no class", parameter)
    return DesiredDvx(
        device_class=_name(raw["class"], f"{parameter}.class"),
        parameters=_parameters(raw.get("parameters"), f"{parameter}.parameters"),
        count=count,
        numa_node=numa_node,
    )


def _parameters(raw: object, parameter: str) -> tuple[tuple[str, ParameterValue], ...]:
    if raw is None:
        return ()
    if not isinstance(raw, Mapping):
        raise _bad(f"{parameter} {raw!r} is not a mapping", parameter)
    for key, value in raw.items():
        if not isinstance(value, bool | int | float | str):
            raise _bad(f"{parameter}.{key} {value!r} is not a string, a number or a boolean", f"{parameter}.{key}")
    return tuple(sorted((str(key), value) for key, value in raw.items()))


def _advanced(raw: object, parameter: str) -> tuple[tuple[str, str], ...]:
    """The last part of each key, and its value as text: YAML reads ``enable_uvm: 1`` as a number."""
    if raw is None:
        return ()
    if not isinstance(raw, Mapping):
        raise _bad(f"{parameter} {raw!r} is not a mapping", parameter)
    for key, value in raw.items():
        if not isinstance(key, str) or not _SETTING.fullmatch(key):
            raise _bad(
                f"{parameter} has the key {key!r}: write only what follows pciPassthruN.cfg., such as enable_uvm",
                parameter,
            )
        if _setting_text(value) is None:
            raise _bad(f"{parameter}.{key} {value!r} is not a string or a whole number", f"{parameter}.{key}")
    return tuple(sorted((str(key), _setting_text(value) or "") for key, value in raw.items()))


def is_setting_name(name: str) -> bool:
    """Whether ``advanced`` can have this name."""
    return _SETTING.fullmatch(name) is not None


def _setting_text(value: object) -> str | None:
    """The value of a setting as text; None when it is neither text nor a whole number. JSON has one type for numbers."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        return None
    return str(int(value))


def _name(raw: object, parameter: str) -> str:
    if not isinstance(raw, str) or not raw.strip():
        raise _bad(f"{parameter} {raw!r} is not a name", parameter)
    return raw.strip()


def _count(raw: object, parameter: str) -> int:
    number = 1 if raw is None else as_whole(raw)
    if number is None or number < 1:
        raise InputError(
            message=f"{parameter} {raw!r} is not a number of devices",
            code="bad_count",
            parameter=parameter,
            cure="Give a whole number of at least 1. To have none, remove the entry",
        )
    return number


def _refuse_twice(units: Sequence[DesiredUnit], parameter: str) -> None:
    """Entries may differ in their NUMA node only. The settings of the vGPUs of one profile are the same: the index of a new device does not
    say which entry it is for."""
    seen: set[object] = set()
    settings: dict[str, tuple[tuple[str, str], ...]] = {}
    for unit in units:
        if isinstance(unit, DesiredVgpu) and settings.setdefault(unit.profile, unit.advanced) != unit.advanced:
            raise InputError(
                message=f"{parameter} has two entries for the vGPU profile {unit.profile} with different settings (advanced)",
                code="contradicting_wishes",
                parameter=parameter,
                cure="Give all entries of one profile the same advanced settings",
            )
        node = None if isinstance(unit, DesiredGroup) else unit.numa_node
        identity = (unit.kind, unit.value, unit.parameters if isinstance(unit, DesiredDvx) else (), node)
        if identity in seen:
            raise InputError(
                message=f"{parameter} names {unit.kind} {unit.value} twice",
                code="duplicate_wish",
                parameter=parameter,
                cure="Keep one entry and set its count",
            )
        seen.add(identity)


def _bad(message: str, parameter: str, candidates: Sequence[str] = ()) -> InputError:
    return InputError(message=message, code="bad_devices", parameter=parameter, candidates=candidates, cure=_FORM)
