# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forms of an answer of the API: for each element its types and encodings, and whether it is always there. PRIVATE to the collection.

There are no values in it. Names of elements and of types are those of the API.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element, ParseError, fromstring

Forms = Mapping[str, frozenset[str]]
"""Path of an element → its forms."""
ABSENT = "not sent"
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}type"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,80}")
_ENCODINGS = (
    ("a number", re.compile(r"[0-9]+")),
    ("a negative number", re.compile(r"-[0-9]+")),
    ("a number with a point", re.compile(r"-?[0-9]+\.[0-9]+([eE][-+]?[0-9]+)?")),
    ("true or false", re.compile(r"true|false")),
    ("a time in UTC (Z)", re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]+)?Z")),
    ("a time with an offset", re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]+)?[+-][0-9]{2}:[0-9]{2}")),
    ("a time without a zone", re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]+)?")),
    ("a hexadecimal number (0x)", re.compile(r"0x[0-9a-fA-F]+")),
)
_SOAP_LEVELS = 2
"""Envelope and body."""


def forms_of(answer: str) -> Forms:
    """The forms of one answer. An answer that is no XML, such as a fault, has one form: itself."""
    try:
        if "<!DOCTYPE" in answer:  # SOAP has none, and it could expand without end
            raise ValueError("a document type")
        root = fromstring(answer.encode())
        for _level in range(_SOAP_LEVELS):
            root = next(iter(root), root)
        found = _Found()
        for item in root:
            found.add("", item)
    except (ParseError, ValueError, RecursionError):
        return {"": frozenset({answer if re.fullmatch(r"fault [A-Za-z]{1,80}", answer) else "no valid XML"})}
    return found.forms()


class _Found:
    def __init__(self) -> None:
        self._forms: dict[str, set[str]] = defaultdict(set)
        self._parents: dict[str, int] = defaultdict(int)
        self._present: dict[tuple[str, str], int] = defaultdict(int)

    def add(self, parent: str, element: Element) -> None:
        for path, item in self._placed(parent, element):
            self._parents[path] += 1
            self._forms[path].add(_form(item))
            names = {_tag(child) for child in item}
            for name in names:
                self._present[path, name] += 1
            for child in item:
                self.add(path, child)

    def _placed(self, parent: str, element: Element) -> Iterator[tuple[str, Element]]:
        """A property is at its path, and one that the server did not return, too."""
        tag = _tag(element)
        name = _child_text(element, "name")
        if tag == "propSet" and (value := _child(element, "val")) is not None:
            self._present[parent, name] += 1
            yield _join(parent, name), value
        elif tag == "missingSet":
            fault = _child(element, "fault")
            kind = "" if fault is None else _inner_fault(fault)
            self._present[parent, _child_text(element, "path")] += 1
            self._forms[_join(parent, _child_text(element, "path"))].add(f"missing: {kind}")
        elif tag not in ("obj", "token"):
            yield _join(parent, tag), element

    def forms(self) -> Forms:
        for (parent, name), count in self._present.items():
            path = _join(parent, name)
            if path in self._forms and count < self._parents[parent]:
                self._forms[path].add(ABSENT)
        return {path: frozenset(forms) for path, forms in self._forms.items()}


def _join(parent: str, name: str) -> str:
    return f"{parent}.{name}" if parent else name


def _plain(name: str) -> str:
    local = name.rpartition("}")[2].rpartition(":")[2]
    return local if _NAME.fullmatch(local) else "?"


def _tag(element: Element) -> str:
    return _plain(element.tag)


def _child(element: Element, name: str) -> Element | None:
    return next((child for child in element if _tag(child) == name), None)


def _child_text(element: Element, name: str) -> str:
    found = _child(element, name)
    return _plain((found.text or "") if found is not None else "")


def _inner_fault(fault: Element) -> str:
    inner = _child(fault, "fault")
    return _plain(str((fault if inner is None else inner).get(_XSI, "")))


def _form(element: Element) -> str:
    kind = element.get(_XSI)
    typed = f"{_plain(kind)}: " if kind else ""
    if len(element):
        return f"{_plain(kind)}" if kind else "an object"
    reference = element.get("type")
    if reference:
        return f"{typed}a reference to a {_plain(reference)}"
    text = (element.text or "").strip()
    if not text:
        return f"{typed}empty"
    return typed + next((title for title, form in _ENCODINGS if form.fullmatch(text)), "text")
