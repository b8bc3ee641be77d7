# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is special about DVX devices: a class with typed parameters. PRIVATE to the collection.

The server needs every required parameter when a device is added and when it is edited, and the list replaces the old one. So the whole list
is sent: the values of the entry, else those that the device has, else the defaults of the class.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...observed.vms import Vm
from ...planning.plan import Blocker
from ...suggest import suggest_word
from ..desired.units import DesiredDvx, ParameterValue
from ..offers import DvxClass, DvxParameter, Offer
from .held_units import plain
from .vgpu import where

Parameters = tuple[tuple[str, ParameterValue], ...]
_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")


def complete(entry: DesiredDvx, actual: Parameters, offer: Offer | None) -> Parameters:
    """The whole list of parameters, sorted, with the types of the class. Values of unknown keys and of a wrong type stay as they are: they
    are refused (``class_blockers``)."""
    found = offer.classes.get(entry.device_class) if offer is not None else None
    known = {parameter.key: parameter for parameter in found.parameters} if found is not None else {}
    defaults = {key: one.default for key, one in known.items() if one.default is not None}
    values = {**defaults, **dict(actual), **dict(entry.parameters)}
    return tuple(sorted((key, _typed(known.get(key), value)) for key, value in values.items()))


def _typed(parameter: DvxParameter | None, value: ParameterValue) -> ParameterValue:
    """A value in the type of its option: templates return numbers and booleans as text."""
    if parameter is None:
        return value
    text = plain(value).strip()
    if parameter.type == "integer":
        return int(text) if _is_whole(text) else value
    if parameter.type == "number":
        return _as_float(text, value)
    if parameter.type == "boolean":
        return True if text.lower() in _TRUE else False if text.lower() in _FALSE else value
    return text


def _is_whole(text: str) -> bool:
    return text.lstrip("-").isdecimal()


def _as_float(text: str, value: ParameterValue) -> ParameterValue:
    try:
        return float(text)
    except ValueError:
        return value


def class_blockers(vm: Vm, entry: DesiredDvx, offer: Offer) -> list[Blocker]:
    """Why the hosts of a VM cannot give it this DVX device; all problems of the parameters at once."""
    found = offer.classes.get(entry.device_class)
    if found is None:
        return [
            Blocker(
                code="unknown_dvx_class",
                message=f"{vm.name} needs a DVX device of class {entry.device_class}, which no host of {where(vm)} offers"
                + suggest_word(entry.device_class, offer.classes),
                cure="Use a class that is offered",
                candidates=tuple(sorted(name for name, one in offer.classes.items() if not one.for_nic)),
            )
        ]
    if found.for_nic:
        return [
            Blocker(
                code="dvx_class_for_nic",
                message=f"{entry.device_class} is a DVX class of network adapters, so {vm.name} cannot have it as a device of its own",
                cure="Use a class that is not for network adapters",
                candidates=tuple(sorted(name for name, one in offer.classes.items() if not one.for_nic)),
            )
        ]
    return list(_parameter_blockers(vm, entry, found))


def _parameter_blockers(vm: Vm, entry: DesiredDvx, found: DvxClass) -> Iterable[Blocker]:
    known = {parameter.key: parameter for parameter in found.parameters}
    given = dict(entry.parameters)
    for key, value in entry.parameters:
        if key not in known:
            problem = f"has no parameter {key}{suggest_word(key, known)}"
            yield _wrong(vm, entry, problem, tuple(_form(one) for one in found.parameters))
            continue
        problem = _problem(known[key], value)
        if problem:
            yield _wrong(vm, entry, f"does not accept {key}: {plain(value)}: {problem}", (_form(known[key]),))
    for one in found.parameters:
        if one.key not in given and one.default is None:
            yield _wrong(vm, entry, f"needs the parameter {one.key}, which has no default", (_form(one),))


def _wrong(vm: Vm, entry: DesiredDvx, what: str, candidates: tuple[str, ...]) -> Blocker:
    return Blocker(
        code="dvx_parameter",
        message=f"The DVX class {entry.device_class} of {vm.name} {what}",
        cure="Correct dvx.parameters of this entry",
        candidates=candidates,
    )


def _problem(parameter: DvxParameter, value: ParameterValue) -> str:
    """Why a parameter cannot have a value, as a clause; empty when it can."""
    typed = _typed(parameter, value)
    if parameter.type in ("integer", "number"):
        expected = (int,) if parameter.type == "integer" else (int, float)
        if isinstance(typed, bool) or not isinstance(typed, expected):
            return f"it is not {'a whole number' if parameter.type == 'integer' else 'a number'}"
        if parameter.minimum is not None and typed < parameter.minimum:
            return f"it is less than {parameter.minimum:g}"
        if parameter.maximum is not None and typed > parameter.maximum:
            return f"it is greater than {parameter.maximum:g}"
    if parameter.type == "boolean" and not isinstance(typed, bool):
        return "it is not a boolean"
    if parameter.type == "choice" and typed not in parameter.choices:
        return "it is none of the choices"
    return ""


def _form(parameter: DvxParameter) -> str:
    """A parameter for a message: ``mode: 1, 2, 4 or 8``, ``size: 100 to 16777215 (default 10240)``."""
    if parameter.choices:
        allowed = ", ".join(parameter.choices)
    elif parameter.minimum is not None and parameter.maximum is not None:
        allowed = f"{parameter.minimum:.0f} to {parameter.maximum:.0f}"
    else:
        allowed = parameter.type
    default = "" if parameter.default is None else f" (default {plain(parameter.default)})"
    return f"{parameter.key}: {allowed}{default}"
