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
    keeps_captured: ClassVar[bool] = False
    """Whether a captured value also stays where the model stores the same value again as at first: what follows from hardware."""
    personal: ClassVar[frozenset[str]] = frozenset()
    """Properties whose value depends on who asks; read through ``personal_value``."""

    def __init__(self, props: Mapping[str, Any]) -> None:
        self.props: dict[str, Any] = dict(props)
        self._unbuilt: dict[str, Callable[[Any], Any]] = dict(self.lazy)
        self.fragments: dict[tuple[str, str], str] = {}
        self._captured: dict[str, Any] = {}
        self._first: dict[str, tuple[Any, Any]] = {}
        self._base: dict[str, Any] = {}
        """Path of a captured value -> what the model had there."""

    def show_captured(self, values: Mapping[str, Any]) -> None:
        """Show these values of a captured server (path -> value, None: unset) until the model comes to another value than its first."""
        self._captured.update(values)
        built = [path for path in values if path.partition(".")[0] in self.props]
        for path in built:
            if not any(data.overlap(name, path) for name in (*self._unbuilt, *self.live)):
                self._place_captured(path, self._captured.pop(path))

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
        if self.keeps_captured and any(_under(name, path) for name in self._captured):
            self._refresh(path)
        for name in [name for name in (*self._captured, *self._first) if _under(name, path)]:
            self._captured.pop(name, None)
            self._first.pop(name, None)
        if self._base:
            value = self._with_captured(path, value)
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
        if self._captured:
            self._apply_captured(path)
        for name in live:
            value = self.live[name](self)
            self._renew(name, self._as_captured(name, value) if self._first else value)

    def _apply_captured(self, path: str) -> None:
        """Put the captured values that a path needs in place of what the model has. Those of live properties are kept beside it."""
        for name in [name for name in self._captured if data.overlap(name, path)]:
            for lazy in _concerned(self.__class__, name)[0]:
                if (build := self._unbuilt.pop(lazy, None)) is not None:
                    self._place(lazy, build(self))
            value = self._captured.pop(name)
            if _concerned(self.__class__, name)[1]:
                self._first[name] = (_UNSEEN, value)
            else:
                if self.keeps_captured:
                    self._base[name] = _part(self.props, name)
                self._place_captured(name, value)

    def _with_captured(self, path: str, value: Any) -> Any:
        """What the model stores, with the captured values in place of those to which the model comes as at first."""
        for name in [name for name in self._base if _under(name, path)]:
            rest = name[len(path) + 1 :]
            if not data.same(self._base[name], _part(value, rest)):
                del self._base[name]
            elif not rest:
                return self._stored(path)
            elif value is not None:
                value = data.clone(value)
                _put(value, rest.split("."), _part(self._stored(path), rest))
        return value

    def _as_captured(self, live: str, value: Any) -> Any:
        """A live value with what was captured of it, as far as the model still comes to the same as at the first time."""
        for path in [path for path in self._first if data.overlap(path, live)]:
            first, captured = self._first[path]
            if _under(live, path):
                inner, shown = value, _part(captured, live[len(path) + 1 :])
            else:
                inner, shown = _part(value, path[len(live) + 1 :]), captured
            if first is _UNSEEN:
                self._first[path] = (data.clone(inner), captured)
            elif not data.same(first, inner):
                del self._first[path]
                continue
            if _under(live, path):
                value = shown
            elif value is not None:
                value = data.clone(value)
                _put(value, path[len(live) + 1 :].split("."), shown)
        return value

    def _place_captured(self, path: str, value: Any) -> None:
        head, _unused, rest = path.partition(".")
        if not rest:
            self.props[head] = value
        elif (holder := self.props.get(head)) is not None:
            _put(holder, rest.split("."), value)

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


_UNSEEN = object()


def _part(value: Any, path: str) -> Any:
    for name in filter(None, path.split(".")):
        value = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
    return value


def _put(holder: Any, names: list[str], value: Any) -> None:
    """Set a field at a path below an object. Objects on the way are made where the value is set. They may lack required fields: they
    only have what was captured."""
    for name in names[:-1]:
        below = getattr(holder, name, None)
        if below is None:
            if value is None or (info := data.fields(holder.__class__).get(name)) is None:
                return
            below = data.new(info.type)
            setattr(holder, name, below)
        holder = below
    before = getattr(holder, names[-1], None)
    if isinstance(before, list):
        value = type(before)(value or ())
    if names[-1] in data.fields(holder.__class__):
        holder.__dict__[names[-1]] = value


@data.memo
def _concerned(cls: type[PropertyHolder], path: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The lazy properties of a class that a path needs, in the order in which they are built, and the live ones."""
    lazy = sorted(name for name in cls.lazy if data.overlap(name, path))
    return tuple(lazy), tuple(name for name in cls.live if data.overlap(name, path))


def _under(name: str, path: str) -> bool:
    return name == path or name.startswith(path + ".")
