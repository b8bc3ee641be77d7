# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of pure functions, used again while their inputs stay the same. PRIVATE to the collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar, cast

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

_NOTHING = object()


class Memo:
    """Calls pure functions, and only for new inputs: a computation that is repeated costs what has changed since the last time.

    An input is the same if it is the same object, or equal to the last one. Therefore:

    - Nothing that is an input may change in place. A new state is a new object.
    - A function reads its inputs only. So a fact that it needs is an input, and no list of relevant fields is kept anywhere.
    - A function must return equal results for equal inputs. The order inside a mapping counts only where a result depends on it: for
      mappings given to ``once``, and for the first one of ``each``.

    A result that is equal to the last one is the last object: what depends on it is then not computed again. If a function raises,
    nothing is stored. ``calls``: function name → how often it was called. A new ``Memo`` computes everything.
    """

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._results: dict[Callable[..., Any], tuple[Any, Any]] = {}
        self._tables: dict[Callable[..., Any], _Table] = {}

    def once(self, function: Callable[_Given, _Result], *inputs: _Given.args, **named: _Given.kwargs) -> _Result:
        """``function(*inputs, **named)``. One result is stored for each function: always call it for the same purpose."""
        given, (last, result) = (*inputs, *named.items()), self._results.get(function, ((_NOTHING,), _NOTHING))
        if not _are_same(last, given):
            self.calls[function.__name__] += 1
            result = _kept(result, function(*inputs, **named))
        # Stored in any case: the next inputs are more likely these objects than the equal ones before.
        self._results[function] = (given, result)
        found: _Result = result
        return found

    def each(
        self,
        function: Callable[..., _Result],
        common: tuple[Any, ...],
        first: Mapping[str, object],
        *further: Mapping[str, object],
    ) -> Mapping[str, _Result]:
        """For each key of ``first``, in its order: ``function(*common, first[key], *further)``, with the value of each further mapping at
        this key, None where it has none.

        One table is stored for each function. Keys that ``first`` no longer has are removed.
        """
        table = self._tables.setdefault(function, _Table())
        return cast("Mapping[str, _Result]", table.update(function, common, (first, *further), self.calls))


class _Results(dict[str, object]):
    """The results of a table. ``before``: the results that these replaced, which differ at the keys ``changed``. Where both are inputs of
    another table, they are not compared again."""

    before: Mapping[str, object] | None = None
    changed: frozenset[str] = frozenset()


@dataclass(kw_only=True, slots=True)
class _Table:
    """The last inputs and results of one function."""

    common: tuple[Any, ...] = ()
    mappings: tuple[Mapping[str, object], ...] = ()
    results: _Results = field(default_factory=_Results)

    def update(
        self,
        function: Callable[..., Any],
        common: tuple[Any, ...],
        mappings: tuple[Mapping[str, object], ...],
        calls: Counter[str],
    ) -> Mapping[str, object]:
        first, old = mappings[0], self.results
        changed = self._changed(common, mappings)
        fresh: dict[str, object] = {}
        for key in (key for key in first if key in changed) if changed else ():
            calls[function.__name__] += 1
            result = _kept(old.get(key, _NOTHING), function(*common, *(mapping.get(key) for mapping in mappings)))
            if key not in old or result is not old[key]:
                fresh[key] = result
        same_keys = bool(self.mappings) and first is self.mappings[0]
        if fresh or not (same_keys or [*first] == [*old]):
            old.before, old.changed = None, frozenset()  # else all results would be kept for ever
            self.results = _Results((key, fresh[key] if key in fresh else old[key]) for key in first)
            self.results.before, self.results.changed = old, frozenset(fresh) | (old.keys() - self.results.keys())
        self.common, self.mappings = common, mappings
        return self.results

    def _changed(self, common: tuple[Any, ...], mappings: tuple[Mapping[str, object], ...]) -> set[str]:
        """The keys of the first mapping with an input that is not the same as before."""
        keys = mappings[0].keys()
        if len(self.mappings) != len(mappings) or not _are_same(self.common, common):
            return set(keys)
        found: set[str] = set()
        for old, new in zip(self.mappings, mappings, strict=True):
            if old is not new:
                found.update(_differences(old, new))
        return found & keys


def _is_same(one: Any, other: Any) -> bool:
    """Equal, with mappings in the same order."""
    return one is other or (one == other and (not isinstance(one, dict) or [*one] == [*other]))


def _are_same(ones: tuple[Any, ...], others: tuple[Any, ...]) -> bool:
    return len(ones) == len(others) and all(map(_is_same, ones, others))


def _kept(known: Any, result: Any) -> Any:
    """The object that is known already, if the result is equal to it."""
    return known if _is_same(known, result) else result


def _differences(old: Mapping[str, object], new: Mapping[str, object]) -> Collection[str]:
    if isinstance(new, _Results) and new.before is old:
        return new.changed
    known = old.get
    found = {key for key, value in new.items() if (last := known(key, _NOTHING)) is not value and last != value}
    return found | (old.keys() - new.keys())
