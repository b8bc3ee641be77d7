# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of a bulk read that occur again and again, kept by the texts they were made of. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter, methodcaller
from typing import Any
from xml.etree.ElementTree import Element

from .scalars import Convert

XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
MOST_KNOWN = 20_000
"""How many different objects of one type are cached during a read."""
MOST_UNFIT = 200
"""How many objects of one type may not fit the current kind of cache key, before the next kind is used."""
TRIAL = 1000
"""After this many new objects of one type, check whether the cache is worth its cost."""
ARRAY = 32
"""An array counts as this many objects in these limits: a host has about as many PCI functions."""

_TAG, _TEXT, _TAG_AND_TEXT = attrgetter("tag"), attrgetter("text"), attrgetter("tag", "text")
_XSI_TYPE_OF = methodcaller("get", XSI_TYPE)

_Key = tuple[Convert, Callable[[Element], bool]]
"""A function that makes a cache key of an element, and one that returns whether the key says all of it."""


class ValueCache:
    """Returns the same value for the same texts, as long as this saves time. ``size``: see ``ARRAY``.

    The first objects of a type decide the kind of key. Flat objects have only children with text; their key is tags and texts. A child
    with children has no text, so no two different objects have the same key. The key of deep objects also has their shape and types.
    Objects with other attributes (references), and types whose objects are mostly new, are not cached. An array of flat objects is cached
    as a whole: equal hosts have equal lists.
    """

    def __init__(self, build: Convert, keys: Sequence[_Key] | None = None, size: int = 1) -> None:
        self._build, self._size = build, size
        self._keys = [(_flat_key, _is_flat), (_deep_key, _is_deep)] if keys is None else keys
        self._known: dict[Any, Any] = {}
        self._lookups = self._built = self._unfit = 0

    def read(self, element: Element) -> Any:
        """Convert an element, or return the value of an earlier one with the same texts."""
        if not self._keys:
            return self._build(element)
        self._lookups += 1
        key = self._keys[0][0](element)
        value = self._known.get(key)
        return self._add(key, element) if value is None else value

    def _add(self, key: Any, element: Element) -> Any:
        value = self._build(element)
        self._built += 1
        if not self._keys[0][1](element):
            self._unfit += 1
        elif len(self._known) < MOST_KNOWN // self._size:
            self._known[key] = value
        if self._unfit > MOST_UNFIT // self._size:
            self._use_keys(self._keys[1:])
        elif self._built % (TRIAL // self._size or 1) == 0 and self._built * 2 > self._lookups:
            self._use_keys([])
        return value

    def _use_keys(self, keys: Sequence[_Key]) -> None:
        self._keys = keys
        self._known.clear()
        self._lookups = self._built = self._unfit = 0


def _flat_key(element: Element) -> Any:
    return tuple(map(_TAG_AND_TEXT, element))


def _is_flat(element: Element) -> bool:
    return all(child.text and not child.text.isspace() and not len(child) and not child.keys() for child in element)


def _deep_key(element: Element) -> Any:
    below = list(element.iter())
    del below[0]
    return tuple(map(_TAG_AND_TEXT, below)), tuple(map(len, below)), tuple(map(_XSI_TYPE_OF, below))


def _is_deep(element: Element) -> bool:
    return all(child.keys() in ([], [XSI_TYPE]) for child in element.iter() if child is not element)


def array_cache(build: Convert) -> ValueCache:
    """A cache of whole arrays of flat objects. The value is a list, which belongs to all who get it."""
    return ValueCache(build, [(_array_key, _is_array_of_flat)], size=ARRAY)


def _array_key(element: Element) -> Any:
    below = list(element.iter())
    del below[0]
    return tuple(map(_TAG, below)), tuple(map(_TEXT, below)), tuple(map(len, below)), tuple(map(_XSI_TYPE_OF, element))


def _is_array_of_flat(element: Element) -> bool:
    return not any(
        item.keys() not in ([], [XSI_TYPE]) or any(len(child) or child.keys() for child in item) for item in element
    )
