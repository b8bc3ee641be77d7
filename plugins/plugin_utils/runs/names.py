# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names in a run file: the aliases of the capture for everything that says something about the site. PRIVATE to the collection.

It fails closed. A text stays only if the anonymized capture has it, too, or if it has a form that names nothing, such as a PCI address. In
sentences, each word must be one that the code of this collection contains, and no part of a name of the site.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from ...module_utils._domain.capture import allowed
from ...module_utils._domain.capture.anonymize import texts_of_key
from ...module_utils._domain.names import decoded

_PLAIN = re.compile(
    r"-?[0-9]{1,9}(\.[0-9]{1,3})?%?|[0-9]{2}:[0-9]{2}|mon|tue|wed|thu|fri|sat|sun|UTC|all|"
    r"(\*|[0-9a-fA-F]{4}):(\*|[0-9a-fA-F]{4})(:[0-9a-fA-F]{4}:[0-9a-fA-F]{4})?|"
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{5,15}(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
"""Numbers, times of a day, ids of devices, moments."""
_FORMS = (_PLAIN, allowed.PCI_ADDRESS, allowed.MOID, allowed.KERNEL, allowed.SETTING_KEY)
_SEPARATORS = re.compile(r"([/=+])")
"""What joins names in an option: paths of the inventory, and overrides (esx-01/0000:5e:00.0=eui.0025)."""
_WILD = re.compile(r"[*?\[\]]")
_EDGES = "()[]{},.;:'\"!?"
_OF_NO_OBJECT = ("text-", "value-", "setting-")
"""Aliases of texts that are no names of objects. Elsewhere in the capture, the same text may be a public word."""
_SMALL = re.compile(r"[0-9]{1,3}")
_NUMBER = re.compile(r"#?[0-9]{1,6}")
_DIGIT = re.compile(r"[0-9]")
_LETTERS = re.compile(r"[A-Za-z]+")
_IDENTIFIER = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b")
_DEVICE = re.compile(r"([0-9a-f]{4}:[0-9a-f]{4}) (.+)", re.DOTALL)
HIDDEN = "?"
"""What replaces a word that may say something about the site."""


class RunNames:
    """Names of one server. ``key``: alias → name, of its capture; None leaves all names as they are. ``texts``: all texts of the capture,
    which has no names of the site."""

    def __init__(self, key: Mapping[str, str] | None, texts: Iterable[str] = ()) -> None:
        self._texts = None if key is None else texts_of_key(key)
        self._public = frozenset(texts)
        self._folded = frozenset(text.lower() for text in self._public)
        self._words = frozenset(word.strip(_EDGES) for text in self._folded for word in text.split())
        self._hidden: set[str] = set()
        for name in list(self._table()):
            self._table().setdefault(decoded(name), self._table()[name])
            self._hide(name)

    def _table(self) -> dict[str, str]:
        return {} if self._texts is None else self._texts.aliases.table

    def _hide(self, name: str) -> None:
        self._hidden.update(word.lower() for word in _LETTERS.findall(name) if len(word) > 2)

    @property
    def anonymized(self) -> bool:
        """Whether names are replaced."""
        return self._texts is not None

    def key(self) -> dict[str, str]:
        """Alias → name, with the names that were added."""
        return {} if self._texts is None else self._texts.aliases.key()

    def replace(self, text: str, alias: str) -> None:
        """From now on, ``text`` is this alias: a name that the capture does not have, such as that of the server."""
        if text:
            self._table().setdefault(text, alias)

    def is_replaced(self, text: str) -> bool:
        """Whether it is a name of the site, which has an alias."""
        return text in self._table()

    def is_plain_word(self, text: str) -> bool:
        """Whether it is one word of the code of this collection, and no part of a name of the site."""
        return bool(_LETTERS.fullmatch(text)) and self._is_public(text.lower()) and not self.is_replaced(text)

    def name(self, text: str) -> str:
        """A name, or a text of several names, as the value of an option or as the name of an object. A new name gets a new alias."""
        if self._texts is None:
            return text
        if (known := self._known(text)) is not None:
            return known
        if self._is_public_pattern(text):
            return text
        if _SEPARATORS.search(text):
            return "".join(part if _SEPARATORS.fullmatch(part) else self.name(part) for part in _SEPARATORS.split(text))
        alias = self._texts.text(text)
        if alias != text:
            self._hide(text)
        return alias

    def shown(self, text: str) -> str:
        """A sentence, or another text that may contain names. What is not known to say nothing about the site is hidden."""
        if self._texts is None:
            return text
        if (known := self._known(text)) is not None:
            return known
        device = _DEVICE.fullmatch(text)
        if device is not None and device[2] in self._public:
            return text
        return re.sub(r"\S+", lambda found: self._word(found[0]), text)

    def choice(self, text: str) -> str:
        """The value of an option that takes words of the collection."""
        return text if text in vocabulary() or text in identifiers() else self.name(text)

    def _known(self, text: str) -> str | None:
        alias = self._table().get(text)
        if alias is not None and not (
            alias.startswith(_OF_NO_OBJECT) and (text in self._public or _SMALL.fullmatch(text))
        ):
            return alias
        if text in self._public or any(form.fullmatch(text) for form in _FORMS):
            return text
        return None

    def _is_public_pattern(self, text: str) -> bool:
        """A pattern with wildcards stays if it matches a text of the capture: that text contains all of its characters."""
        lower = text.lower()
        return bool(_WILD.search(text)) and any(fnmatchcase(public, lower) for public in self._folded)

    def _word(self, word: str) -> str:
        core = word.strip(_EDGES)
        before, _core, after = word.partition(core) if core else (word, "", "")
        known = self._known(core) if core else ""
        if known is None:
            known = core if self._is_harmless(core) else HIDDEN
        return f"{before}{known}{after}"

    def _is_harmless(self, word: str) -> bool:
        """A number alone, or words. What mixes both may be an address or a serial number."""
        if not word.isascii() or _NUMBER.fullmatch(word) or word.lower() in self._words or word in identifiers():
            return word.isascii()
        return not _DIGIT.search(word) and all(self._is_public(part.lower()) for part in _LETTERS.findall(word))

    def _is_public(self, word: str) -> bool:
        return word in vocabulary() and word not in self._hidden


@cache
def vocabulary() -> frozenset[str]:
    """The words of the code of this collection, which are public."""
    return frozenset(word.lower() for text in _sources() for word in _LETTERS.findall(text))


@cache
def identifiers() -> frozenset[str]:
    """Names of options and values in the code of this collection. They are public as a whole, whatever their parts are at the site."""
    return frozenset(word for text in _sources() for word in _IDENTIFIER.findall(text))


@cache
def _sources() -> tuple[str, ...]:
    folder = Path(__file__).resolve().parents[2] / "module_utils"
    return tuple(file.read_text(encoding="utf-8") for file in sorted(folder.rglob("*.py")))
