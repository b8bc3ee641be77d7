# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where what a module decided differs from what a run file says. Pure: two records in, sentences out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

Record = Mapping[str, Any]

FACTOR, LEAST = 2.0, 120.0
"""Durations are different if one is more than twice the other, and the difference is more than two minutes. A twin knows only how long
past reboots took."""
APART = 60.0
"""Seconds between the starts of two hosts from which their order counts: looks of a run at its server are seconds apart."""
MOST = 20
"""Lines of one kind that are shown for a call."""
_STARTED = ("draining", "rebooting")
_NOTES = ("SetField", "LogUserEvent")
"""How often a run notes its state at the server depends on the time that it takes."""
_PLAIN = ("changed", "failed", "state", "status", "error_code", "crashed", "place")
_OF_TARGET = ("status", "phase", "error_code", "reboot_required", "pending")
_LISTS = ("reboot_required", "refused", "rebooted")


def compare(filed: Record, played: Record, titles: Mapping[str, str] | None = None) -> list[str]:
    """Sentences: what the file says, and what the replay did. Empty if the outcome is the same. ``titles``: id of an object → its name."""
    found = [_said(name, filed.get(name), played.get(name)) for name in _PLAIN if filed.get(name) != played.get(name)]
    if found and (filed.get("message") or played.get("message")):
        found += [f"message in the file: {filed.get('message', '-')}", f"message now: {played.get('message', '-')}"]
    found += _roles(filed.get("roles") or {}, played.get("roles") or {})
    for name in ("changes", "not_done"):
        found += _cut(_rows(name, filed, played, ("target", "kind", "subject"), ("before", "after")))
    for name in ("hosts", "vms"):
        found += _cut(_targets(filed.get(name) or (), played.get(name) or ()))
    for name in _LISTS:
        found += _cut(_listed(name, filed.get(name) or (), played.get(name) or ()))
    found += _cut(_rows("differences", filed, played, ("object", "kind", "subject"), ("certainty", "wanted", "found")))
    found += _cut(_schedule(filed.get("schedule") or (), played.get("schedule") or ()))
    found += _cut(_order(filed.get("transitions") or (), played.get("transitions") or ()))
    found += _cut(_durations(filed, played))
    if "stopped" in filed:
        found += _cut(_stopped(filed["stopped"], played.get("stopped") or ()))
    if "writes" in filed:
        found += _cut(_writes(filed["writes"], played.get("writes") or ()))
    if "written" in filed:
        found += _cut(_written(filed["written"], played.get("written") or (), titles or {}))
    if "figures" in filed:
        found += _cut(_figures(filed["figures"], played.get("figures") or {}))
    return found


def alike(filed: Any, played: Any) -> bool:
    """Whether a value is what the file says. In the file, ? replaces words that may say something about the site."""
    if isinstance(filed, str) and isinstance(played, str) and "?" in filed:
        forms, words = re.split(r"\s", filed), re.split(r"\s", played)
        return len(forms) == len(words) and all(map(_fits, forms, words))
    if isinstance(filed, Mapping) and isinstance(played, Mapping):
        return filed.keys() == played.keys() and all(alike(filed[key], played[key]) for key in filed)
    if isinstance(filed, list) and isinstance(played, list):
        return len(filed) == len(played) and all(map(alike, filed, played))
    return type(filed) is type(played) and bool(filed == played)


def _fits(form: str, word: str) -> bool:
    """Whether a word has this form, in which ? is any text. No regular expression: a file could have one that takes for ever."""
    first, *others = form.split("?")
    if not others:
        return form == word
    end = len(word) - len(others[-1])
    if not (word.startswith(first) and word.endswith(others[-1])) or end < len(first):
        return False
    place = len(first)
    for part in others[:-1]:
        place = word.find(part, place, end)
        if place < 0:
            return False
        place += len(part)
    return True


def _cut(lines: Iterable[str]) -> list[str]:
    found = list(lines)
    return found if len(found) <= MOST else [*found[:MOST], f"and {len(found) - MOST} more"]


def _roles(filed: Record, played: Record) -> list[str]:
    names = [name for name in {**filed, **played} if filed.get(name) != played.get(name)]
    return [f"what the roles get: {_said(name, filed.get(name), played.get(name))}" for name in names]


def _said(name: str, filed: Any, played: Any) -> str:
    return f"{name}: {_shown(filed)} in the file, {_shown(played)} now"


def _shown(value: Any) -> str:
    return "-" if value is None or value == "" else str(value)


def _rows(name: str, filed: Record, played: Record, keys: Sequence[str], values: Sequence[str]) -> Iterator[str]:
    waiting = list(played.get(name) or ())
    for row in filed.get(name) or ():
        title = " ".join(str(row.get(key, "")) for key in keys).strip()
        same = [one for one in waiting if all(alike(row.get(key, ""), one.get(key, "")) for key in keys)]
        if not same:
            yield f"{name}: in the file only: {title}"
            continue
        best = next((one for one in same if all(alike(row.get(key), one.get(key)) for key in values)), None)
        waiting.remove(same[0] if best is None else best)
        if best is None:
            yield from (
                f"{name}: {title}: {_said(key, row.get(key), same[0].get(key))}"
                for key in values
                if not alike(row.get(key), same[0].get(key))
            )
    for one in waiting:
        yield f"{name}: now only: {' '.join(str(one.get(key, '')) for key in keys).strip()}"


def _targets(filed: Sequence[Record], played: Sequence[Record]) -> Iterator[str]:
    for name, row, found in _paired(filed, played):
        if row is None or found is None:
            yield f"{name}: {'now' if row is None else 'in the file'} only"
            continue
        for key in _OF_TARGET:
            if row.get(key) != found.get(key):
                yield f"{name}: {_said(key, row.get(key), found.get(key))}{_why(row, found)}"
        yield from (f"{name}: {line}" for line in _vm(row.get("vm"), found.get("vm")))
        blockers = [_codes(one) for one in (row, found)]
        if blockers[0] != blockers[1]:
            yield f"{name}: {_said('blockers', ', '.join(blockers[0]), ', '.join(blockers[1]))}{_why(row, found)}"


def _vm(filed: Record | None, played: Record | None) -> Iterator[str]:
    """What a VM has. Not what its server chose: see ``placements``."""
    if filed is None or played is None:
        return
    for key in ("power_state", "memory"):
        if filed.get(key) != played.get(key):
            yield _said(key, filed.get(key), played.get(key))
    devices = [
        ", ".join(
            sorted(f"{one.get('backing', '')} {one.get('address', '')}".strip() for one in map(_fixed, vm["devices"]))
        )
        for vm in (filed, played)
    ]
    if devices[0] != devices[1]:
        yield _said("devices", *devices)


def _fixed(device: Record) -> Record:
    return device if device.get("backing") == "fixed" else {"backing": device.get("backing", "")}


def placements(filed: Record, played: Record) -> list[str]:
    """VMs that are on another host, or have other devices, where that is the choice of the server. A real server knows more than a twin."""
    found = []
    for name, row, other in _paired(filed.get("vms") or (), played.get("vms") or ()):
        places = [
            f"{vm['host']} ({', '.join(one['address'] for one in vm['devices'] if one.get('address')) or 'no device'})"
            for vm in (one.get("vm") if one else None for one in (row, other))
            if vm is not None
        ]
        if len(places) == 2 and places[0] != places[1]:
            found.append(f"{name}: on {places[0]} in the file, on {places[1]} now")
    return _cut(found)


def _paired(filed: Sequence[Record], played: Sequence[Record]) -> Iterator[tuple[str, Record | None, Record | None]]:
    """The rows of both by their name. None: only the other one has it."""
    known = {row["name"]: row for row in played}
    yield from ((row["name"], row, known.pop(row["name"], None)) for row in filed)
    yield from ((name, None, row) for name, row in known.items())


def _codes(row: Record) -> list[str]:
    return sorted(str(each.get("code", "")) for each in row.get("blockers") or ())


def _why(filed: Record, played: Record) -> str:
    texts = [_reasons(row) for row in (filed, played)]
    return "".join(f" ({where}: {text})" for where, text in zip(("file", "now"), texts, strict=True) if text)


def _reasons(row: Record) -> str:
    blockers = [str(each.get("message", "")) for each in row.get("blockers") or ()]
    return "; ".join(blockers) or str(row.get("message") or row.get("reason") or "")


def _listed(name: str, filed: Sequence[str], played: Sequence[str]) -> Iterator[str]:
    yield from (f"{name}: in the file only: {one}" for one in filed if one not in played)
    yield from (f"{name}: now only: {one}" for one in played if one not in filed)


# -- rolling reboots ------------------------------------------------------------------------------------------------


def _schedule(filed: Sequence[Record], played: Sequence[Record]) -> Iterator[str]:
    for name, row, found in _paired(filed, played):
        if row is None or found is None:
            yield f"schedule: {'now' if row is None else 'in the file'} only: {name}"
            continue
        if row.get("wave") != found.get("wave"):
            yield f"schedule: {name}: {_said('wave', row.get('wave'), found.get('wave'))}"
        if row["stops"] != found["stops"]:
            yield f"schedule: {name}: {_said('stops', ', '.join(row['stops']), ', '.join(found['stops']))}"
        for key in ("moves", "moves_powered_off"):
            if key in row and row[key] != found.get(key):
                texts = [", ".join(one.get(key, ())) for one in (row, found)]
                yield f"schedule: {name}: {_said(key, *texts)}"
        for key in ("starts_after_seconds", "ends_after_seconds"):
            if _is_apart(row.get(key) or 0, found.get(key) or 0):
                yield f"schedule: {name}: {_said(key, row.get(key), found.get(key))}"


def _starts(rows: Sequence[Record]) -> dict[str, float]:
    found: dict[str, float] = {}
    for row in rows:
        if row.get("after") in _STARTED:
            found.setdefault(row["host"], float(row["at"]))
    return found


def _order(filed: Sequence[Record], played: Sequence[Record]) -> Iterator[str]:
    """Pairs of hosts that were started in the other order."""
    before, now = _starts(filed), _starts(played)
    yield from (f"started in the file only: {host}" for host in before if host not in now)
    yield from (f"started now only: {host}" for host in now if host not in before)
    for one, two in combinations([host for host in before if host in now], 2):
        first, second = before[two] - before[one], now[two] - now[one]
        if first * second < 0 and min(abs(first), abs(second)) > APART:
            early, late = (one, two) if first > 0 else (two, one)
            yield f"order: {early} was started before {late} in the file, and after it now"


def _durations(filed: Record, played: Record) -> Iterator[str]:
    known = {row["name"]: row.get("seconds") or {} for row in played.get("hosts") or ()}
    for row in filed.get("hosts") or ():
        now = known.get(row["name"], {})
        for phase, seconds in (row.get("seconds") or {}).items():
            if phase in now and _is_apart(seconds, now[phase]):
                yield f"{row['name']}: {phase} took {seconds:.0f} s in the file, {now[phase]:.0f} s now"


def _is_apart(one: float, two: float) -> bool:
    low, high = sorted((max(0.0, float(one)), max(0.0, float(two))))
    return high - low > LEAST and high > FACTOR * low


def _stopped(filed: Sequence[Record], played: Sequence[Record]) -> Iterator[str]:
    """VMs that were stopped: which, whether they stay off, for how long, and in which order those of a host were stopped and started."""
    before, now = ({(row["host"], row["name"]): row for row in rows if row["segments"]} for rows in (filed, played))
    yield from (f"stopped in the file only: {name}" for host, name in before if (host, name) not in now)
    yield from (f"stopped now only: {name}" for host, name in now if (host, name) not in before)
    both = [key for key in before if key in now]
    for key in both:
        ends = [rows[key]["segments"][-1].get("phase") == "down" for rows in (before, now)]
        if ends[0] != ends[1]:
            yield f"{key[1]}: {_said('off at the end', *ends)}"
        took = [rows[key]["segments"][-1]["end"] - rows[key]["segments"][0]["begin"] for rows in (before, now)]
        if _is_apart(*took):
            yield f"{key[1]}: stopped for {took[0]:.0f} s in the file, {took[1]:.0f} s now"
    for one, two in combinations(both, 2):
        for word, span in (("stopped", _stop), ("started", _start)) if one[0] == two[0] else ():
            orders = [_first(span(rows[one]), span(rows[two])) for rows in (before, now)]
            if orders[0] * orders[1] < 0:
                early, late = (one[1], two[1]) if orders[0] < 0 else (two[1], one[1])
                yield f"order: {early} was {word} before {late} in the file, and after it now"


def _stop(row: Record) -> tuple[float, float]:
    """From the request until the VM is down."""
    segments = row["segments"]
    return segments[0]["begin"], next(
        (one["begin"] for one in segments if one.get("phase") == "down"), segments[0]["end"]
    )


def _start(row: Record) -> tuple[float, float]:
    segments = row["segments"]
    downs = [one["end"] for one in segments if one.get("phase") == "down"]
    return downs[-1] if downs else segments[-1]["begin"], segments[-1]["end"]


def _first(one: tuple[float, float], two: tuple[float, float]) -> int:
    """-1, 1: one ended before the other began. 0: at the same time, so their order says nothing."""
    return -1 if one[1] <= two[0] else 1 if two[1] <= one[0] else 0


def _figures(filed: Record, played: Record) -> Iterator[str]:
    for place in sorted({*filed, *(place for place in played if "=" not in place)}):
        # A word that is part of a name of the site is not counted in the file, and it may be here.
        if filed.get(place, 0) != played.get(place, 0):
            yield f"numbers: {_said(place, filed.get(place), played.get(place))}"


def _writes(filed: Sequence[Record], played: Sequence[Record]) -> Iterator[str]:
    """What was sent to the server: how often each method was called with each form of its arguments."""
    before, now = _times(filed), _times(played)
    for method in sorted({*before, *now}):
        forms, others = before.get(method, {}), now.get(method, {})
        if method in _NOTES:
            if bool(forms) != bool(others):
                yield f"writes: {_said(method, *('sent' if one else 'not sent' for one in (forms, others)))}"
            continue
        for form in sorted({*forms, *others}):
            if forms.get(form, 0) != others.get(form, 0):
                yield f"writes: {method}({form}): {forms.get(form, 0)} times in the file, {others.get(form, 0)} now"


def _written(filed: Sequence[Record], played: Sequence[Record], titles: Mapping[str, str]) -> Iterator[str]:
    """To which objects writes were sent, and to which ones they referred."""
    before, now = ({(row["method"], row["object"]): row["times"] for row in rows} for rows in (filed, played))
    for method, each in sorted({*before, *now}):
        times = before.get((method, each), 0), now.get((method, each), 0)
        place, equals, moid = each.rpartition("=")
        title = f"{method}: {place}{equals}{f'{titles[moid]} ({moid})' if moid in titles else moid}"
        if method in _NOTES:
            if bool(times[0]) != bool(times[1]):
                yield f"written: {title}: {_said('', *('sent' if one else 'not sent' for one in times))[2:]}"
        elif times[0] != times[1]:
            yield f"written: {title}: {times[0]} times in the file, {times[1]} now"


def _times(rows: Sequence[Record]) -> dict[str, dict[str, int]]:
    """Method → arguments as a text → times."""
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        parts = (f"{part}{f' x {count}' if count > 1 else ''}" for part, count in sorted(row["arguments"].items()))
        forms, form = found.setdefault(row["method"], {}), ", ".join(parts)
        forms[form] = forms.get(form, 0) + row["times"]
    return found
