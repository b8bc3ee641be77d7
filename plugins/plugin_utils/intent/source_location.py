# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Places of values in an inventory, and checks whose errors name the place. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

try:
    from ansible._internal._datatag._tags import TrustedAsTemplate
except ImportError:  # before 2.19
    TrustedAsTemplate = None

from ...module_utils._domain.errors import InputError
from ...module_utils._domain.suggest import as_whole, suggest_word

DEEPEST = 20
"""Levels of nesting in a value. More than any intent has; it ends the recursion for a YAML anchor that contains itself."""

_SHOWN = 80
_STEP = re.compile(r"\[(\d+)\]|\.([^.\[]+)")


class PlacedError(InputError):
    """An error in the variables of an inventory host. ``parameter``: the path to the value."""

    def __init__(self, *, host: str, message: str, **more: Any) -> None:
        super().__init__(message=f"Inventory host {host}: {message}", **more)
        self.host = host


@dataclass(frozen=True, slots=True)
class Place:
    """A value in the variables of an inventory host, by its path (``passthrough_vms[0].power``)."""

    host: str
    path: str

    def item(self, index: int) -> Place:
        """The place of an entry of a list."""
        return Place(self.host, f"{self.path}[{index}]")

    def key(self, name: str) -> Place:
        """The place of a key of a mapping."""
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

    def wrong_type(self, value: Any, expected: str) -> NoReturn:
        """Raise PlacedError (wrong_type)."""
        self.fail("wrong_type", f"is {shown(value)}, but must be {expected}")


def route(path: str) -> tuple[str | int, ...]:
    """The keys and indexes of a path: ``a[0].b`` is ``("a", 0, "b")``."""
    name = re.match(r"[^.\[]*", path)
    steps = _STEP.findall(path[name.end() if name else 0 :])
    return (name[0] if name else path, *(int(index) if index else key for index, key in steps))


def shown(value: Any) -> str:
    """An invalid value as text for a message, shortened to one line."""
    if value is None or value == "":
        return "empty"
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def plain(place: Place, value: Any, depth: int = 0) -> Any:
    """A deep copy with built-in types, because inventory values may be tagged, lazy or unsafe variants of them.

    Raises PlacedError for text that still contains a template: some releases of Ansible pass it on when a variable in it is undefined.
    """
    if depth > DEEPEST:
        place.fail(
            "wrong_type", f"is nested more than {DEEPEST} levels deep", "Look for a YAML anchor that contains itself"
        )
    if isinstance(value, str):
        if ("{{" in value or "{%" in value) and not is_data(value):
            place.fail(
                "undefined",
                f"is {value!r}: a variable in the template is not defined",
                "Define it for this inventory host",
            )
        # Older releases know by the type of the text that it is data, and would render it in the next task.
        return value if hasattr(value, "__UNSAFE__") else str.__str__(value)
    if isinstance(value, Mapping):
        below = depth + 1
        return {_plain_key(place, key): plain(place.key(str(key)), entry, below) for key, entry in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [plain(place.item(index), entry, depth + 1) for index, entry in enumerate(value)]
    if isinstance(value, int) and not isinstance(value, bool):
        return int.__int__(value)
    return value


def is_data(value: str) -> bool:
    """Whether text that looks like a template is none: it has the tag ``!unsafe``, as the name of a VM may.

    From 2.19 on, Ansible marks what it may render. A template that it could not render is an error there, and never comes here.
    """
    if TrustedAsTemplate is None:
        return hasattr(value, "__UNSAFE__")
    return value.__class__ is not str and not TrustedAsTemplate.is_tagged_on(value)


def _plain_key(place: Place, key: Any) -> Any:
    """Other keys, such as tuples, stay unchanged: a list cannot be a key."""
    return plain(place, key) if isinstance(key, str | int) else key


def items(place: Place, value: Any) -> list[tuple[Place, Any]]:
    """The entries of a list, each with its place. Raises PlacedError for another type."""
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        place.wrong_type(value, "a list ([] for none)")
    return [(place.item(index), entry) for index, entry in enumerate(value)]


def mapping(place: Place, value: Any, allowed: Sequence[str]) -> Mapping[str, Any]:
    """A mapping with allowed keys only. Raises PlacedError."""
    if not isinstance(value, Mapping):
        place.wrong_type(value, "a mapping with the keys " + ", ".join(allowed))
    for key in value:
        if key not in allowed:
            place.fail("unknown_key", f"has the unknown key {key}{suggest_word(str(key), allowed)}", candidates=allowed)
    return value


def text(place: Place, value: Any) -> str:
    """A name that is not empty. Raises PlacedError."""
    if not isinstance(value, str) or not value.strip():
        place.wrong_type(value, "a name (put numbers in quotes)")
    return value.strip()


def names(place: Place, value: Any) -> tuple[str, ...]:
    """One name or a list of names; None means no names. Raises PlacedError."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (text(place, value),)
    return tuple(text(where, entry) for where, entry in items(place, value))


def choice(place: Place, value: Any, allowed: Sequence[str]) -> str:
    """One of the allowed words. YAML reads ``on`` and ``off`` without quotes as true and false, so these are converted back."""
    word = ("on" if value else "off") if isinstance(value, bool) else value
    if word not in allowed:
        place.wrong_type(value, "one of " + ", ".join(allowed))
    return str(word)


def whole_number(place: Place, value: Any, maximum: int | None = None, *, minimum: int = 1) -> int:
    """A whole number from ``minimum``. Also accepts digits in quotes, which templates produce, and 2.0: JSON has one type of number."""
    number = as_whole(value)
    if number is None or number < minimum or (maximum and number > maximum):
        place.wrong_type(value, f"a whole number from {minimum}" + (f" to {maximum}" if maximum else ""))
    return number


def truth(place: Place, value: Any) -> bool:
    """A boolean. Raises PlacedError."""
    if not isinstance(value, bool):
        place.wrong_type(value, "true or false")
    return value
