# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers that say whether two results of a module that only reads are the same. PRIVATE to the collection.

They contain no text of the site: of texts, only how many there are, how many of them are different, and how many are a certain word of this
collection. A twin has the same numbers, because it has one alias for each name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from .names import RunNames, identifiers, vocabulary

_OF_THE_CALL = frozenset(
    "calls logins changed failed msg invocation journal unusual_answers sent_writes written_objects".split()
)
"""Keys that say how a module worked and with which files, not what it read from the server."""
_OF_ANSIBLE = frozenset("ansible_facts attempts deprecations diff exception item lines results warnings".split())
"""Keys that Ansible and action plugins add. Others of them, such as ``failed_when_result``, are no keys of this collection."""
_OF_THE_CLOCK = ("time", "_at", "at", "seconds", "_difference", "since", "beat", "ends")
"""Ends of keys whose values depend on the moment."""
_SENTENCES = frozenset({"hints", "reason", "message", "text", "lines", "notes", "warnings", "deprecations", "summary"})
_ELEMENT = "[]"
_ANY = "*"


def figures_of(result: Mapping[str, Any], names: RunNames) -> dict[str, Any]:
    """Place in the result, without names → a number (how many are true, or their sum), or for texts ``[number, different, equal pairs]``.
    ``place=word``: how many texts are this word."""
    numbers: dict[str, float] = {}
    texts: dict[str, Counter[str]] = {}
    own = {key: each for key, each in result.items() if key not in _OF_THE_CALL | _OF_ANSIBLE and _is_public(key)}
    for place, value in _leaves("", own, names):
        if isinstance(value, str):
            texts.setdefault(place, Counter())[value] += 1
        else:
            numbers[place] = numbers.get(place, 0) + value
    found: dict[str, Any] = {place: round(number, 3) for place, number in numbers.items()}
    found |= {place: _counts(counter) for place, counter in texts.items()}
    for place, counter in texts.items():
        found |= {f"{place}={text}": count for text, count in counter.items() if names.is_plain_word(text)}
    return dict(sorted(found.items()))


def _counts(texts: Counter[str]) -> list[int]:
    """Pairs tell apart 5 + 1 from 3 + 3 of two values."""
    return [texts.total(), len(texts), sum(count * (count - 1) // 2 for count in texts.values())]


def _leaves(place: str, value: Any, names: RunNames) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        of_names = not all(_is_key(str(key), names) for key in value)
        for key, each in value.items():
            if not str(key).endswith(_OF_THE_CLOCK):
                yield from _leaves(f"{place}.{_ANY if of_names else key}".lstrip("."), each, names)
    elif isinstance(value, list | tuple):
        yield f"{place}{_ELEMENT}", len(value)
        for each in value:
            yield from _leaves(f"{place}{_ELEMENT}", each, names)
    elif isinstance(value, bool | int | float):
        yield place, value
    elif isinstance(value, str) and value:
        yield place, "" if place.rpartition(".")[2].removesuffix(_ELEMENT) in _SENTENCES else value


def _is_key(key: str, names: RunNames) -> bool:
    """Whether a key is one of the collection. A mapping from names has others, too."""
    return _is_public(key) and not names.is_replaced(key)


def _is_public(key: str) -> bool:
    return key in identifiers() or key in vocabulary()
