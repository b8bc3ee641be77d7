# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Named settings for what the API leaves open: timings and points nobody has confirmed. Unknown names are refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Knob:
    """One setting: its default, what it means (units included), and the values allowed (empty: any of the type)."""

    default: Any
    doc: str
    choices: tuple[Any, ...] = ()


CORE_KNOBS: dict[str, Knob] = {
    "page_size": Knob(default=0, doc="largest number of objects in one property page; 0: as many as asked"),
    "task_queue_seconds": Knob(default=0.0, doc="seconds a task stays queued before it runs"),
    "task_keep": Knob(default=200, doc="finished tasks kept; older ones answer ManagedObjectNotFound"),
    "session_idle_seconds": Knob(default=7200.0, doc="idle seconds after which a session ends (KB 437427: 120 min)"),
    "max_session_count": Knob(default=2000, doc="sessions at once; one more login is refused (KB 375546)"),
    "session_limit_answer": Knob(
        "503", "'503' (HTTP) or 'fault' (RuntimeFault) over max_session_count", ("503", "fault")
    ),
    "user_names": Knob(
        "login",
        "how sessions, tasks and events name an account: as it logs in, or a vCenter's DOMAIN\\name ('domain')",
        ("login", "domain"),
    ),
    "reference_types": Knob(
        "own",
        "which type a reference may name: the object's own, or any ancestor of it ('ancestors')",
        ("own", "ancestors"),
    ),
    "clone_ticket_seconds": Knob(default=30.0, doc="life of a session clone ticket"),
    "max_update_objects": Knob(default=0, doc="object updates in one WaitForUpdatesEx answer; 0: no cap of its own"),
}


class Knobs:
    """``sim.knobs.page_size`` reads, ``sim.knobs.page_size = 50`` or ``set`` writes. A wrong name raises KeyError."""

    def __init__(self, *declared: Mapping[str, Knob]) -> None:
        knobs: dict[str, Knob] = {}
        for group in declared:
            knobs.update(group)
        object.__setattr__(self, "_declared", knobs)
        object.__setattr__(self, "_values", {})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self.get(name)

    def __setattr__(self, name: str, value: Any) -> None:
        self.set(name, value)

    def get(self, name: str) -> Any:
        """The value set, else the default."""
        if name in self._values:
            return self._values[name]
        return self._knob(name).default

    def set(self, name: str, value: Any) -> None:
        """Set a declared knob; its type must agree with the default's (an int may stand for a float)."""
        knob = self._knob(name)
        default = knob.default
        if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if default is not None and value is not None and type(value) is not type(default):
            raise TypeError(f"knob {name} wants {type(default).__name__}, got {value!r}")
        if knob.choices and value not in knob.choices:
            raise ValueError(f"knob {name} is one of {', '.join(map(str, knob.choices))}, not {value!r}")
        self._values[name] = value

    @property
    def turned(self) -> Mapping[str, Any]:
        """The values that were set."""
        return dict(self._values)

    def check(self, name: str) -> None:
        """Raise KeyError unless the knob is declared."""
        self._knob(name)

    def _knob(self, name: str) -> Knob:
        try:
            knob: Knob = self._declared[name]
        except KeyError:
            raise KeyError(f"no knob named {name!r}; known: {', '.join(sorted(self._declared))}") from None
        return knob

    def __iter__(self) -> Iterator[tuple[str, Any, str]]:
        """(name, present value, documentation), by name."""
        for name in sorted(self._declared):
            yield name, self.get(name), self._declared[name].doc
