# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the properties of a managed object are kept, and how a change is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from ..api import data


class PropertyHolder:
    """The properties of one managed object.

    ``props`` maps names of top-level properties to pyVmomi values. A name that is absent is not modelled and reads as
    InvalidProperty; None means that the property is unset. Write through ``set``, ``update`` or ``edit``: they record
    what changed for waiting clients and drop cached fragments. The values belong to the object and readers get copies,
    so these three are the only ways to change state (and ``touch`` after a change in place).
    """

    lazy: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}
    """path -> function(self): built at the first read that needs it, then kept. Nested paths may be used."""
    live: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}
    """path -> function(self): computed at every read; call ``touch(path)`` when its inputs change."""
    mirrors: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """path -> other paths that share its value (``runtime`` -> ``summary.runtime``): a change is recorded for both."""
    personal: ClassVar[frozenset[str]] = frozenset()
    """Properties whose value depends on who asks; read through ``personal_value``."""

    def __init__(self, props: Mapping[str, Any]) -> None:
        self.props: dict[str, Any] = dict(props)
        self._unbuilt: dict[str, Callable[[Any], Any]] = dict(self.lazy)
        self.fragments: dict[tuple[str, str], str] = {}

    def note_change(self, path: str) -> None:
        """Record that the property at ``path`` changed; subclasses say where."""
        raise NotImplementedError

    def get(self, path: str) -> Any:
        """The stored value at a dotted path (array elements by key: ``config.hardware.device[4000]``); None if unset.

        Raises KeyError when the top-level property is not modelled. Do not change what you get: use ``edit``.
        """
        self._refresh(path)
        return self._stored(path)

    def _stored(self, path: str) -> Any:
        if "." not in path and "[" not in path:
            return self.props[path]
        parts = data.split(path)
        value: Any = None
        for index, (name, key) in enumerate(parts):
            value = self.props[name] if index == 0 else getattr(value, name)
            if key is not None and value is not None:
                value = data.element(value, key)
            if value is None:
                return None
        return value

    def walk(self, path: str, parts: tuple[tuple[str, str | None], ...]) -> Any:
        """Like ``get`` for a path split before; None also where the stored subtype lacks the field."""
        self._refresh(path)
        value: Any = self.props
        for index, (name, key) in enumerate(parts):
            value = value[name] if index == 0 else getattr(value, name, None)
            if key is not None and value is not None:
                value = data.element(value, key)
            if value is None:
                return None
        return value

    def has(self, name: str) -> bool:
        """Whether a top-level property is modelled."""
        return name in self.props or name in self.lazy or name in self.live or name in self.personal

    def set(self, path: str, value: Any) -> None:
        """Store a value at a dotted path and record the narrowest paths that changed. Equal values change nothing."""
        head, _unused, last = path.rpartition(".")
        self._unbuilt = {name: build for name, build in self._unbuilt.items() if not _under(name, path)}
        if not head:
            missing = path not in self.props
            changed = [path] if missing else data.changed_paths(path, self.props[path], value)
            self.props[path] = value
        else:
            holder = self.get(head)
            if holder is None:
                raise ValueError(f"{self!r}: cannot set {path}: {head} is unset")
            before = getattr(holder, last)
            changed = data.changed_paths(path, before, value)
            if isinstance(before, list) and value.__class__ is list:
                value = type(before)(value)
            setattr(holder, last, value)
        for item in changed:
            self._changed(item)

    def update(self, values: Mapping[str, Any]) -> None:
        """Several ``set`` at once."""
        for path, value in values.items():
            self.set(path, value)

    @contextmanager
    def edit(self, path: str) -> Iterator[Any]:
        """Yield a deep copy of the value; on a clean exit store it with ``set`` (so only real differences count)."""
        copied = data.clone(self.get(path))
        yield copied
        self.set(path, copied)

    def touch(self, path: str) -> None:
        """Say that the value at ``path`` changed by other means (in place, or an input of a ``live`` one)."""
        self._changed(path)

    def _changed(self, path: str) -> None:
        self.drop_fragments(path)
        self.note_change(path)
        for source, targets in self.mirrors.items():
            if path == source or path.startswith(source + "."):
                for target in targets:
                    mirrored = target + path[len(source) :]
                    self.drop_fragments(mirrored)
                    self.note_change(mirrored)

    def drop_fragments(self, path: str) -> None:
        """Forget serialised values that contain, or are contained in, ``path``."""
        stale = [key for key in self.fragments if data.overlap(key[0], path)]
        for key in stale:
            del self.fragments[key]

    def _refresh(self, path: str) -> None:
        """Build what is lazy and recompute what is live, as far as ``path`` needs it."""
        lazy, live = _concerned(self.__class__, path)
        if self._unbuilt:
            for name in lazy:
                if (build := self._unbuilt.pop(name, None)) is not None:
                    self._place(name, build(self))
        for name in live:
            self._renew(name, self.live[name](self))

    def _renew(self, path: str, value: Any) -> None:
        """Store what a live property came to; nothing is recorded, for the owner says ``touch`` when it matters."""
        head = path.rpartition(".")[0]
        if head and self._stored(head) is None:
            return
        if (head or path in self.props) and data.same(self._stored(path), value):
            return
        self._place(path, value)
        self.drop_fragments(path)

    def _place(self, path: str, value: Any) -> None:
        """Put a value where it belongs; what hangs below something unset is left out."""
        head, _unused, last = path.rpartition(".")
        if not head:
            self.props[path] = value
        elif (holder := self._stored(head)) is not None:
            before = getattr(holder, last)
            setattr(
                holder, last, type(before)(value) if isinstance(before, list) and value.__class__ is list else value
            )


@data.memo
def _concerned(cls: type[PropertyHolder], path: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The lazy properties of a class that a path needs, in the order in which they are built, and the live ones."""
    lazy = sorted(name for name in cls.lazy if data.overlap(name, path))
    return tuple(lazy), tuple(name for name in cls.live if data.overlap(name, path))


def _under(name: str, path: str) -> bool:
    return name == path or name.startswith(path + ".")
