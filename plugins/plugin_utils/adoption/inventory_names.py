# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of inventory hosts and groups for objects of vSphere, which may have any name. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_UNFIT_HOST = re.compile(r"[^A-Za-z0-9._-]+")
_UNFIT_GROUP = re.compile(r"[^A-Za-z0-9_]+")
_RESERVED = frozenset({"localhost", "all", "ungrouped", "127.0.0.1"})
"""Names with a meaning of their own in Ansible."""


def host_name(name: str) -> str:
    """The name of an inventory host. It is also the name of a file, so a path becomes one word."""
    text = _UNFIT_HOST.sub("_", name).strip("._-") or "host"
    return f"host_{text}" if text.casefold() in _RESERVED else text


def group_name(text: str) -> str:
    return _UNFIT_GROUP.sub("_", text).strip("_").lower() or "group"


def distinct(names: Iterable[tuple[object, str]], taken: Iterable[str] = ()) -> Mapping[object, str]:
    """Key → name, with a number behind a name that is taken. Upper and lower case are equal, as in some file systems."""
    used = {name.casefold() for name in taken}
    found: dict[object, str] = {}
    for key, name in names:
        number, text = 1, name
        while text.casefold() in used:
            number += 1
            text = f"{name}_{number}"
        used.add(text.casefold())
        found[key] = text
    return found
