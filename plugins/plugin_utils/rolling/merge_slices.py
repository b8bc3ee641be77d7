# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Merges the results of several slices of a run, or of a run and the one that resumed it. PRIVATE to the collection.

Each slice begins with the present state and with what the journal shows of the past. What an earlier slice observed is more exact than
that, so a later slice counts from the end of the earlier one. The last state always comes from the later slice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...module_utils._domain.rolling.scheduling.notices import JOURNAL, topic_of
from ...module_utils._domain.rolling.state.phases import RESTING
from ...module_utils._domain.rolling.state.timeline import MOST_REASONS

Record = Mapping[str, Any]
Key = tuple[tuple[str, ...], int]

MOST_TRANSITIONS = 5000
"""Maximum number for a whole run; the timeline contains the rest."""


def joined_results(first: Record | None, second: Record) -> dict[str, Any]:
    """The result of two consecutive slices. ``first``: None for the first slice."""
    if first is None:
        return dict(second)
    joined = {**first, **second}
    joined["changed"] = bool(first.get("changed")) or bool(second.get("changed"))
    for name in ("rebooted", "changes", "notes", "warnings", "deprecations"):
        if first.get(name) or second.get(name):
            joined[name] = _united(first.get(name) or (), second.get(name) or ())
    joined |= _journal(first, second)
    if "notes" in joined:
        joined["notes"] = _without_repeats(joined["notes"])
    if isinstance(first.get("diff"), Mapping) and isinstance(second.get("diff"), Mapping):
        joined["diff"] = {
            side: _lines(first["diff"].get(side), second["diff"].get(side)) for side in ("before", "after")
        }
    if first.get("outlets") or second.get("outlets"):
        joined["outlets"] = _outlets(first.get("outlets") or (), second.get("outlets") or ())
    for name in ("calls", "logins"):
        if name in joined:
            joined[name] = sum(part[name] for part in (first, second) if isinstance(part.get(name), int))
    if second.get("timeline"):
        joined["timeline"] = joined_timelines(first.get("timeline") or {}, second["timeline"])
    if second.get("transitions") is not None:
        joined["transitions"] = joined_transitions(first.get("transitions") or (), second["transitions"])
    if second.get("hosts") is not None:
        joined["hosts"] = _hosts(first.get("hosts") or (), second["hosts"])
    if first.get("unusual_answers") or second.get("unusual_answers"):
        joined["unusual_answers"] = [*(first.get("unusual_answers") or ()), *(second.get("unusual_answers") or ())]
    for name in ("sent_writes", "written_objects"):
        if name in joined:
            joined[name] = _writes(first.get(name) or (), second.get(name) or ())
    if "measured" in joined:
        joined["measured"] = {**(first.get("measured") or {}), **(second.get("measured") or {})}
    return joined


def _outlets(first: Iterable[Record], second: Iterable[Record]) -> list[dict[str, Any]]:
    """The counts of each outlet, of both slices together."""
    found: dict[str, dict[str, Any]] = {}
    for record in (*first, *second):
        known = found.setdefault(str(record["name"]), {**record, "sent": 0, "lost": 0, "why": ""})
        known |= {name: known[name] + record[name] for name in ("sent", "lost")}
        known["why"] = known["why"] or record["why"]
    return list(found.values())


def _writes(first: Iterable[Record], second: Iterable[Record]) -> list[dict[str, Any]]:
    """Equal writes of both slices together, for a run file."""
    found: dict[Any, dict[str, Any]] = {}
    for row in (*first, *second):
        key = row["method"], row.get("object", ""), tuple(sorted(row.get("arguments", {}).items()))
        found[key] = {**row, "times": row["times"] + found.get(key, {}).get("times", 0)}
    return [found[key] for key in sorted(found)]


def _united(first: Iterable[Any], second: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for entry in (*first, *second):
        if entry not in found:
            found.append(entry)
    return found


def _journal(first: Record, second: Record) -> dict[str, Any]:
    """A later slice that finds a journal file only knows that it exists; the first slice knows why it was created."""
    old, new = first.get("journal"), second.get("journal")
    same = isinstance(old, Mapping) and isinstance(new, Mapping) and old.get("place") == new.get("place")
    return {"journal": old} if same else {}


def _without_repeats(notes: Sequence[Any]) -> list[Any]:
    """Every slice reports where the journal is: keep only the first of these notes."""
    found, known = [], False
    for note in notes:
        is_journal = topic_of(str(note)) == JOURNAL
        if not (is_journal and known):
            found.append(note)
        known = known or is_journal
    return found


def _lines(*texts: object) -> str:
    """The lines of all texts, without duplicates, sorted: one line for each host."""
    return "".join(sorted({line for text in texts for line in str(text or "").splitlines(keepends=True)}))


def _hosts(first: Sequence[Record], second: Sequence[Record]) -> list[dict[str, Any]]:
    """The hosts of the later slice. Boot times and durations that only the earlier slice observed are kept."""
    before = {_host_key(host): host for host in first}
    after = {_host_key(host) for host in second}
    found = [dict(host) for key, host in before.items() if key not in after]
    for host in second:
        found.append(_filled(host, before.get(_host_key(host)) or {}))
    return sorted(found, key=lambda host: (str(host.get("cluster") or ""), str(host.get("name") or "")))


def _host_key(host: Record) -> str:
    return str(host.get("moid") or host.get("name"))


def _filled(host: Record, earlier: Record) -> dict[str, Any]:
    filled = dict(host)
    # The boot time before the reboot is the first one that was seen; everything else is the last one.
    if earlier.get("boot_time_before") is not None:
        filled["boot_time_before"] = earlier["boot_time_before"]
    if filled.get("boot_time_after") is None and earlier.get("boot_time_after") is not None:
        filled["boot_time_after"] = earlier["boot_time_after"]
    if isinstance(earlier.get("seconds"), Mapping):
        later = {key: value for key, value in (filled.get("seconds") or {}).items() if value is not None}
        filled["seconds"] = {**earlier["seconds"], **later}
    return filled


def joined_timelines(first: Record, second: Record) -> dict[str, Any]:
    """The rows of hosts and VMs of both. A row that only one of them has is kept and closed."""
    joined: dict[str, Any] = {kind: _rows(first.get(kind) or (), second.get(kind) or ()) for kind in ("hosts", "vms")}
    began = [part["began"] for part in (first, second) if part.get("began") is not None]
    return {**joined, **({"began": began[0]} if began else {})}


def _rows(first: Sequence[Record], second: Sequence[Record]) -> list[dict[str, Any]]:
    old, new = _keyed(first), _keyed(second)
    rows = [_row(row, new.get(key)) for key, row in old.items()]
    return [*rows, *(dict(row) for key, row in new.items() if key not in old)]


def _keyed(rows: Sequence[Record]) -> dict[Key, Record]:
    """By managed object id, otherwise by group and name; if these are not unique, also by position."""
    found: dict[Key, Record] = {}
    seen: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        identity = (str(row["moid"]),) if row.get("moid") else (str(row.get("group")), str(row.get("name")))
        found[identity, seen[identity]] = row
        seen[identity] += 1
    return found


def _row(old: Record, new: Record | None) -> dict[str, Any]:
    if new is None:
        return {**old, "segments": [{**segment, "open": False} for segment in old.get("segments") or ()]}
    return {**new, "segments": _segments(old.get("segments") or (), new.get("segments") or ())}


def _segments(old: Sequence[Record], new: Sequence[Record]) -> list[dict[str, Any]]:
    kept = [dict(segment) for segment in old]
    if not kept or not new:
        return [*kept, *map(dict, new)]
    seam = kept[-1]["end"]
    later = [dict(segment) for segment in new[:-1] if segment["end"] > seam] + [dict(new[-1])]
    later[0]["start"] = max(later[0]["start"], seam)
    later[-1]["end"] = max(later[-1]["end"], later[-1]["start"])
    last, following = kept[-1], later[0]
    if last["phase"] == following["phase"] and (last.get("open") or following["start"] <= seam):
        # One phase in both slices: the gap between the slices belongs to it.
        following |= _reasons(last, following)
        following["start"] = last["start"]
        following["reason"] = following.get("reason") or last.get("reason", "")
        kept.pop()
    elif last.get("open"):
        # It lasted until the later slice observed something else.
        last.update(end=following["start"], open=False)
    return [*kept, *later]


def _reasons(first: Record, second: Record) -> dict[str, Any]:
    """The last reasons why a host waited, from both slices, each once in a row."""
    found: list[dict[str, Any]] = []
    for segment in (first, second):
        only = [{"at": segment["start"], "reason": segment["reason"]}] if segment.get("reason") else []
        for entry in segment.get("reasons") or only:
            if not found or found[-1]["reason"] != entry["reason"]:
                found.append(dict(entry))
    return {"reasons": found[-MOST_REASONS:]} if first["phase"] == "waiting" and len(found) > 1 else {}


def joined_transitions(first: Sequence[Record], second: Sequence[Record]) -> list[dict[str, Any]]:
    """In order of time. If a later slice sees a host for the first time in its known phase, this is no transition."""
    found = [dict(record) for record in first]
    last = {_place(record): record for record in found}
    for record in map(dict, second):
        known = last.get(_place(record))
        if (
            known is not None
            and known.get("after") == record.get("after")
            and (not record.get("before") or known == record)
        ):
            continue
        if known is not None and not record.get("before"):
            record["before"] = known.get("after")
        last[_place(record)] = record
        found.append(record)
    return found[-MOST_TRANSITIONS:]


def _place(record: Record) -> tuple[str, str]:
    return str(record.get("cluster")), str(record.get("host"))


def span(timeline: Record) -> tuple[float, float]:
    """From the first to the last observation of the run; (0, 0) for an empty timeline.

    If the first observation is unknown: from the first action to the end. Waiting and idle hosts do not count.
    """
    rows = [*(timeline.get("hosts") or ()), *(timeline.get("vms") or ())]
    segments = [segment for row in rows for segment in row.get("segments") or ()]
    if segments and timeline.get("began") is not None:
        began = float(timeline["began"])
        return began, max(began, *(float(segment["end"]) for segment in segments))
    actions = [segment for segment in segments if segment["phase"] not in RESTING]
    starts = [float(segment["start"]) for segment in actions or segments]
    ends = [float(segment["end"]) for segment in actions or segments]
    return (min(starts), max(ends)) if starts else (0.0, 0.0)
