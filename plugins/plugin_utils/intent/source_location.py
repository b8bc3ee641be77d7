# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where in an inventory a value stands, and checks that name the place when they fail. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from ...module_utils._domain.errors import InputError
from ...module_utils._domain.suggest import as_whole, suggest_word

DEEPEST = 20
"""Levels a value may be nested: far more than any wish has, and an end for an anchor that holds itself."""

_SHOWN = 80
_STEP = re.compile(r"\[(\d+)\]|\.([^.\[]+)")


class PlacedError(InputError):
    """A mistake in the variables of an inventory host; ``parameter`` is the path to it."""

    def __init__(self, *, host: str, message: str, **more: Any) -> None:
        super().__init__(message=f"Inventory host {host}: {message}", **more)
        self.host = host


@dataclass(frozen=True, slots=True)
class Place:
    """``path`` (``passthrough_vms[0].power``) of an inventory host."""

    host: str
    path: str

    def item(self, index: int) -> Place:
        return Place(self.host, f"{self.path}[{index}]")

    def key(self, name: str) -> Place:
        return Place(self.host, f"{self.path}.{name}")

    def fail(self, code: str, problem: str, cure: str = "", candidates: Sequence[str] = ()) -> NoReturn:
        """Raise PlacedError: ``Inventory host vc-a: passthrough_vms[0] <problem>``."""
        raise PlacedError(
            host=self.host,
            message=f"{self.path} {problem}",
            code=code,
            cure=cure,
            parameter=self.path,
            candidates=candidates,
        )

    def wrong_type(self, value: Any, wanted: str) -> NoReturn:
        self.fail("wrong_type", f"is {shown(value)}, but must be {wanted}")


def route(path: str) -> tuple[str | int, ...]:
    """The keys and indices that lead to a path: ``a[0].b`` is ``("a", 0, "b")``."""
    name = re.match(r"[^.\[]*", path)
    steps = _STEP.findall(path[name.end() if name else 0 :])
    return (name[0] if name else path, *(int(index) if index else key for index, key in steps))


def shown(value: Any) -> str:
    """A wrong value in a message: at most a line of it."""
    if value is None or value == "":
        return "empty"
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def plain(place: Place, value: Any, depth: int = 0) -> Any:
    """A deep copy in built-in types: inventory values may be tagged, lazy or unsafe variants of them.

    Text that still holds a template is refused: some releases hand it over as it is when a variable in it is undefined.
    """
    if depth > DEEPEST:
        place.fail("wrong_type", f"is nested more than {DEEPEST} levels deep", "Look for an anchor that holds itself")
    if isinstance(value, str):
        if "{{" in value or "{%" in value:
            place.fail(
                "undefined", f"is {value!r}: a variable in it is not defined", "Define it for this inventory host"
            )
        return str.__str__(value)
    if isinstance(value, Mapping):
        below = depth + 1
        return {_plain_key(place, key): plain(place.key(str(key)), entry, below) for key, entry in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [plain(place.item(index), entry, depth + 1) for index, entry in enumerate(value)]
    if isinstance(value, int) and not isinstance(value, bool):
        return int.__int__(value)
    return value


def _plain_key(place: Place, key: Any) -> Any:
    """A key stays something that can be one: a tuple made a list could not."""
    return plain(place, key) if isinstance(key, str | int) else key


def items(place: Place, value: Any) -> list[tuple[Place, Any]]:
    """The entries of a list, each with its place."""
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        place.wrong_type(value, "a list ([] for none)")
    return [(place.item(index), entry) for index, entry in enumerate(value)]


def mapping(place: Place, value: Any, allowed: Sequence[str]) -> Mapping[str, Any]:
    """A mapping that holds none but the allowed keys."""
    if not isinstance(value, Mapping):
        place.wrong_type(value, "a mapping with the keys " + ", ".join(allowed))
    for key in value:
        if key not in allowed:
            place.fail("unknown_key", f"has the unknown key {key}{suggest_word(str(key), allowed)}", candidates=allowed)
    return value


def text(place: Place, value: Any) -> str:
    """A name that is not empty."""
    if not isinstance(value, str) or not value.strip():
        place.wrong_type(value, "a name (put numbers in quotes)")
    return value.strip()


def names(place: Place, value: Any) -> tuple[str, ...]:
    """One name or a list of names; None is none."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (text(place, value),)
    return tuple(text(where, entry) for where, entry in items(place, value))


def choice(place: Place, value: Any, allowed: Sequence[str]) -> str:
    """One of a few words. YAML reads a bare ``on`` or ``off`` as true or false; that is undone here."""
    word = ("on" if value else "off") if isinstance(value, bool) else value
    if word not in allowed:
        place.wrong_type(value, "one of " + ", ".join(allowed))
    return str(word)


def whole_number(place: Place, value: Any, maximum: int | None = None) -> int:
    """A number from 1; digits in quotes are fine, templates produce them, and so is 2.0, as JSON has one kind of number."""
    number = as_whole(value)
    if number is None or number < 1 or (maximum and number > maximum):
        place.wrong_type(value, "a whole number from 1" + (f" to {maximum}" if maximum else ""))
    return number


def truth(place: Place, value: Any) -> bool:
    if not isinstance(value, bool):
        place.wrong_type(value, "true or false")
    return value
