# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a capture, and turns its values into those of pyVmomi. The format is docs/capture.schema.json."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyVmomi import VmomiSupport as vs

from ...api import data
from ..hardware.cards import LabError

FORMAT, VERSION = "directpath.vsphere.capture", 1
MOST = 2 * 1024**3
"""Characters of a capture: more than any fleet needs, and a compressed file cannot fill the memory."""
_XSD = {"xsd:string": str, "xsd:int": int, "xsd:boolean": bool}


@dataclass(frozen=True, kw_only=True)
class Thing:
    """One object of the server. ``values``: path -> value, with None for what was read and is unset."""

    kind: str
    moid: str
    values: Mapping[str, Any]
    missing: Mapping[str, str] = field(default_factory=dict)

    def get(self, path: str, default: Any = None) -> Any:
        """The value at a path that was read."""
        found = self.values.get(path)
        return default if found is None else found


@dataclass(frozen=True, kw_only=True)
class Captured:
    """A capture as objects of pyVmomi."""

    raw: Mapping[str, Any]
    time: datetime
    things: tuple[Thing, ...]
    partitions: Mapping[str, Any]
    targets: Mapping[str, Mapping[str, list[Any]]]

    @property
    def server(self) -> Mapping[str, Any]:
        """What the server is."""
        found: Mapping[str, Any] = self.raw["server"]
        return found

    def of(self, *kinds: str) -> list[Thing]:
        """The objects of these types."""
        return [thing for thing in self.things if thing.kind in kinds]


def as_lab(captured: Captured) -> dict[str, Any]:
    """What a lab says of the server itself. It may add accounts, knobs and faults."""
    about = captured.server["about"]
    found = {
        "kind": captured.server["kind"],
        "name": "captured",
        "version": about["version"],
        "build": about["build"],
        "instance_uuid": about.get("instanceUuid"),
    }
    settings = captured.server["settings"]
    return {**found, **({"advanced_settings": settings} if settings else {})}


def is_capture(path: Path) -> bool:
    """Whether a file is named like a capture: labs are YAML."""
    return path.name.endswith((".json", ".json.gz"))


def read(path: Path) -> Captured:
    """Raises LabError with the place of the mistake."""
    try:
        content = path.read_bytes()
        if path.name.endswith(".gz"):
            with gzip.open(path) as stream:
                content = stream.read(MOST + 1)
        if len(content) > MOST:
            raise LabError(f"{path}: the capture is larger than {MOST} bytes")
        raw = json.loads(content)
    except (OSError, EOFError, ValueError, RecursionError, zlib.error) as error:
        raise LabError(f"{path} is no capture, or it is damaged: {error}") from None
    return decoded(raw, str(path))


def decoded(raw: Any, where: str) -> Captured:
    """The objects of a capture. Raises LabError."""
    if not isinstance(raw, Mapping) or raw.get("format") != FORMAT:
        raise LabError(f"{where} is no capture: its format is not {FORMAT}")
    if raw.get("version") != VERSION:
        raise LabError(
            f"{where} has version {raw.get('version')!r} of the format; this simulator reads version {VERSION}"
        )
    try:
        decoder = Decoder(raw["shared"])
        things = tuple(_thing(item, raw["paths"], decoder) for item in raw["objects"])
        partitions = {key: decoder.value(item, object) for key, item in raw["partitions"].items()}
        targets = {
            key: {name: decoder.value(rows, object) for name, rows in item.items()}
            for key, item in raw["targets"].items()
        }
        time = moment(str(raw["server"]["time"]))
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise LabError(f"{where} is no capture: {error.__class__.__name__}: {error}") from None
    return Captured(raw=raw, time=time, things=things, partitions=partitions, targets=targets)


def moment(text: str) -> datetime:
    """A time of a capture."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def _thing(item: Mapping[str, Any], paths: Mapping[str, list[str]], decoder: Decoder) -> Thing:
    kind = vs.GetWsdlType(vs.XMLNS_VMODL_BASE, item["type"])
    values: dict[str, Any] = dict.fromkeys(_paths_of(kind, paths))
    for path, tree in item["values"].items():
        values[path] = decoder.value(tree, declared(kind, path))
    missing = dict(item.get("missing") or {})
    for path in missing:
        values.pop(path, None)
    return Thing(kind=item["type"], moid=item["id"], values=values, missing=missing)


def _paths_of(kind: Any, paths: Mapping[str, list[str]]) -> list[str]:
    """The paths that were read of a type: those of the closest type that was asked for."""
    for base in kind.__mro__:
        found = paths.get(getattr(base, "_wsdlName", ""))
        if found is not None:
            return list(found)
    return []


@data.memo
def declared(kind: Any, path: str) -> Any:
    """The type of the value at a path. Raises AttributeError."""
    for name in path.split("."):
        kind = kind._GetPropertyInfo(name).type
    return kind


def _type(name: str) -> Any:
    """A type by its name on the wire; texts that name none stay (the types of children of a folder)."""
    try:
        return _XSD.get(name) or vs.GetWsdlType(vs.XMLNS_VMODL_BASE, name)
    except KeyError:
        return name


class Decoder:
    """Trees to values. Objects that are stored once become one object: a value of a property is never changed in place."""

    def __init__(self, shared: list[Any]) -> None:
        self._shared: list[Any] = []
        for tree in shared:
            self._shared.append(self.value(tree, object))

    def value(self, tree: Any, kind: Any) -> Any:
        """The value of a declared type (object: any)."""
        if isinstance(tree, list):
            return self._list(tree, kind)
        if isinstance(tree, dict):
            return self._object(tree)
        if tree is None or kind is object:
            return tree
        if kind is type:
            return _type(tree)
        if issubclass(kind, datetime):
            return moment(tree)
        if issubclass(kind, bool):
            return bool(tree)
        return kind(tree) if issubclass(kind, int | float) else tree

    def _list(self, tree: list[Any], kind: Any) -> Any:
        item = kind.Item if kind is not object and issubclass(kind, list) else object
        values = [self.value(each, item) for each in tree]
        if kind is object:
            return values
        return kind(values)

    def _object(self, tree: dict[str, Any]) -> Any:
        if "$" in tree:
            return self._shared[tree["$"]]
        if "_r" in tree:
            name, _colon, moid = tree["_r"].partition(":")
            return vs.GetWsdlType(vs.XMLNS_VMODL_BASE, name)(moid)
        if tree["_t"] == "xsd:long":
            return vs.long(tree["value"])
        cls = vs.GetWsdlType(vs.XMLNS_VMODL_BASE, tree["_t"])
        known = data.fields(cls)
        return data.new(
            cls, **{name: self.value(item, known[name].type) for name, item in tree.items() if name in known}
        )
