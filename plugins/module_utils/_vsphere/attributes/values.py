# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values of the journal in custom attributes and in its file, for those who only read them. PRIVATE to the collection."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ..._domain.errors import DirectPathError
from ..._domain.rolling.state.journal import (
    ATTRIBUTES,
    EARLIER_MARK,
    GATE,
    HOST_ATTRIBUTES,
    MAINTENANCE,
    MAINTENANCE_ATTRIBUTES,
    MAINTENANCE_LOCK,
    MAINTENANCE_VM,
    STOP_ORDER,
    VM,
)
from ..http.rehearsal import place_of
from ..sdk import vim
from ..session.answer_checks import reader
from ..session.endpoint import Endpoint

Texts = Mapping[str, str]
"""attribute → text; empty = no value."""

KNOWN = frozenset({*ATTRIBUTES, GATE, *MAINTENANCE_ATTRIBUTES, EARLIER_MARK, STOP_ORDER})
"""The attributes that every run reads."""

FILE_VERSION = 1


def type_of(attribute: str) -> Any:
    """The object type of an attribute; None = all types (locks are on clusters, or on standalone hosts)."""
    if attribute in (*HOST_ATTRIBUTES, GATE, MAINTENANCE, MAINTENANCE_LOCK):
        return vim.HostSystem
    return vim.VirtualMachine if attribute in (VM, MAINTENANCE_VM) else None


def journal_fields(definitions: Collection[Any]) -> dict[int, str]:
    """Key → name of the attributes of journals, from the custom attributes that are defined in vCenter."""
    return {
        item.key: item.name
        for item in definitions
        if item.name in KNOWN and (item.name == STOP_ORDER or item.managedObjectType in (None, type_of(item.name)))
    }


@reader
def decode_values(values: Collection[Any], fields: Mapping[int, str]) -> dict[str, str]:
    """``customValue`` of an object as attribute → text: only attributes in ``fields`` with a value."""
    return {fields[value.key]: value.value for value in values or () if value.key in fields and value.value}


def journal_path(endpoint: Endpoint, directory: str) -> Path:
    """The file of an endpoint; its name contains host name and port. A rehearsal has a copy of it."""
    name = re.sub(r"[^a-z0-9.-]", "_", endpoint.hostname.lower())
    return place_of(Path(directory).expanduser() / f"{name}_{endpoint.port}.json", copied=True)


def read_file(path: Path) -> dict[str, dict[str, str]]:
    """The journal in a file, by object id; empty if there is no file. Raises DirectPathError (journal_unreadable)."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        objects: dict[str, dict[str, str]] = content["objects"]
        if content["version"] != FILE_VERSION:
            raise ValueError(f"version {content['version']}")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DirectPathError(
            message=f"The journal {path} cannot be read: {error}",
            code="journal_unreadable",
            cure="It shows which hosts are in progress, so repair it. Remove it only if no host is in progress",
        ) from error
    return objects


def over(seen: Mapping[str, Texts], kept: Mapping[str, Texts]) -> Mapping[str, Texts]:
    """``seen`` in vCenter, replaced by what is ``kept`` in the file."""
    return {**seen, **{moid: {**seen.get(moid, {}), **texts} for moid, texts in kept.items()}}
