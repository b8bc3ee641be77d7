# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module decided and did, as a run file has it: the part of a result that a replay compares. PRIVATE to the collection.

Fails closed: keys that are not listed here are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...module_utils._domain.capture.allowed import MOID, PCI_ADDRESS
from .figures import figures_of
from .names import RunNames
from .roles import role_decisions

Record = Mapping[str, Any]
_CODE = re.compile(r"[a-z][a-z0-9_]{0,60}")
_PLACE = re.compile(r"[a-z_]{1,60}\.py:[0-9]{1,5}")
_METHOD = re.compile(r"[A-Za-z]{1,60}(_Task|\.[a-z]{1,30})?")
_PART = re.compile(r"[A-Za-z0-9.\[\]]{1,300}(:[A-Za-z0-9]{1,80}|=([A-Za-z0-9_]{1,60}|-[0-9]{1,20}))?")
_ARGUMENT = re.compile(r"[A-Za-z0-9]{1,80}")
_OBJECTS = 20_000
"""Of more objects that were written to, none is kept: a part would look like a difference."""
_PHASES = 5000
"""As many transitions are kept at most."""
_SIMPLE = (bool, int, float)
_TARGETS = ("hosts", "vms")
_POWER = ("poweredOn", "poweredOff", "suspended")
_MEMORY = ("size_mb", "reservation_mb", "locked_to_max", "fully_reserved")


def decisions(result: Record, names: RunNames, *, check: bool) -> dict[str, Any]:
    """``result``: of one call of a module, or of all slices of a rolling reboot. ``check``: it was called in check mode. The roles call it
    with ``changed_when: false`` then, so what was planned counts."""
    failed = bool(result.get("failed") or result.get("error_code"))
    kept: dict[str, Any] = {
        "changed": bool(result.get("changes" if check and "changes" in result else "changed")),
        "failed": failed,
    }
    if roles := role_decisions(result, names, check=check):
        kept["roles"] = roles
    kept |= _codes(result, ("state", "status", "error_code"))
    if failed:
        kept |= _crash(result)
        kept["message"] = names.shown(str(result.get("msg", "")))
    for name in ("changes", "not_done"):
        if result.get(name):
            kept[name] = [_change(row, names) for row in result[name]]
    for name in _TARGETS:
        if isinstance(result.get(name), list):
            kept[name] = [_target(row, names) for row in result[name] if isinstance(row, Mapping)]
    for name in ("reboot_required", "refused", "rebooted"):
        if isinstance(result.get(name), list) and result[name]:
            kept[name] = sorted(names.name(str(each)) for each in result[name])
    report = result.get("report")
    if isinstance(report, Mapping):
        kept["differences"] = [_difference(row, names) for row in report.get("differences") or ()]
    schedule = result.get("schedule")
    if isinstance(schedule, Mapping):
        kept["schedule"] = [_wave(row, names) for row in schedule.get("hosts") or ()]
    transitions = result.get("transitions")
    if transitions:
        first = min(float(row["at"]) for row in transitions)
        kept["transitions"] = _transitions(transitions, first, names)
        kept["stopped"] = _stopped((result.get("timeline") or {}).get("vms") or (), first, names)
    if isinstance(result.get("sent_writes"), list):
        kept["writes"] = [_write(row) for row in result["sent_writes"] if _METHOD.fullmatch(str(row["method"]))]
    if isinstance(result.get("written_objects"), list) and len(result["written_objects"]) <= _OBJECTS:
        kept["written"] = [
            {"method": str(row["method"]), "object": str(row["object"]), "times": int(row["times"])}
            for row in result["written_objects"]
            if _METHOD.fullmatch(str(row["method"])) and _is_object(str(row["object"]))
        ]
    if not failed and not any(name in result for name in ("changes", "report", "schedule")):
        kept["figures"] = figures_of(result, names)
    return kept


def _crash(result: Record) -> dict[str, Any]:
    """Where a module ended with an error that it does not know."""
    place = str(result.get("place", ""))
    found: dict[str, Any] = {"place": place} if _PLACE.fullmatch(place) else {}
    if not result.get("error_code"):
        found["crashed"] = True
    return found


def _codes(row: Record, keys: Iterable[str]) -> dict[str, str]:
    return {key: str(row[key]) for key in keys if row.get(key) and _CODE.fullmatch(str(row[key]))}


def _change(row: Record, names: RunNames) -> dict[str, Any]:
    return {
        "target": names.name(str(row.get("target", ""))),
        **_codes(row, ("kind",)),
        "subject": names.shown(str(row.get("subject", ""))),
        "before": _value(row.get("before"), names),
        "after": _value(row.get("after"), names),
    }


def _value(value: Any, names: RunNames) -> Any:
    if value is None or isinstance(value, _SIMPLE):
        return value
    if isinstance(value, Mapping):
        return {names.shown(str(key)): _value(item, names) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_value(item, names) for item in value]
    return names.shown(str(value))


def _target(row: Record, names: RunNames) -> dict[str, Any]:
    kept: dict[str, Any] = {"name": names.name(str(row.get("name", "")))}
    kept |= _codes(row, ("status", "phase", "error_code"))
    if isinstance(row.get("reboot_required"), bool):
        kept["reboot_required"] = row["reboot_required"]
    if row.get("pending"):
        kept["pending"] = _value(row["pending"], names)
    if row.get("blockers"):
        kept["blockers"] = [_blocker(each, names) for each in row["blockers"] if isinstance(each, Mapping)]
    if row.get("reason"):
        kept["reason"] = names.shown(str(row["reason"]))
    if row.get("error"):
        kept["message"] = names.shown(str(row["error"]))
    if isinstance(row.get("memory"), Mapping) and isinstance(row.get("devices"), list):
        kept["vm"] = _vm(row, names)
    seconds = row.get("seconds")
    if isinstance(seconds, Mapping) and seconds:
        kept["seconds"] = {
            key: float(each) for key, each in seconds.items() if _CODE.fullmatch(key) and each is not None
        }
    return kept


def _vm(row: Record, names: RunNames) -> dict[str, Any]:
    """What a VM has after the call. ``host`` and the addresses of devices that are not fixed are the choice of the server."""
    return {
        "host": names.name(str(row.get("host") or "")),
        **{key: str(row[key]) for key in ("power_state",) if row.get(key) in _POWER},
        "memory": {key: row["memory"][key] for key in _MEMORY if isinstance(row["memory"].get(key), _SIMPLE)},
        "devices": [
            {
                **_codes(device, ("backing",)),
                **{key: str(device[key]) for key in ("address",) if PCI_ADDRESS.fullmatch(str(device.get(key)))},
            }
            for device in row["devices"]
            if isinstance(device, Mapping)
        ],
    }


def _blocker(row: Record, names: RunNames) -> dict[str, Any]:
    return {**_codes(row, ("code",)), "message": names.shown(str(row.get("message", "")))}


def _write(row: Record) -> dict[str, Any]:
    """Its form (``_vsphere/session/sent_writes.py``) has no names."""
    kept = {part: int(count) for part, count in row["arguments"].items() if _PART.fullmatch(part)}
    return {"method": str(row["method"]), "arguments": kept, "times": int(row["times"])}


def _is_object(text: str) -> bool:
    place, _equals, moid = text.rpartition("=")
    return bool(MOID.fullmatch(moid)) and (not place or bool(_ARGUMENT.fullmatch(place)))


def _difference(row: Record, names: RunNames) -> dict[str, Any]:
    return {
        **_codes(row, ("kind", "certainty")),
        "object": names.name(str(row.get("object", ""))),
        "subject": names.shown(str(row.get("subject", ""))),
        "wanted": names.shown(str(row.get("wanted", ""))),
        "found": names.shown(str(row.get("found", ""))),
    }


def _wave(row: Record, names: RunNames) -> dict[str, Any]:
    return {
        "name": names.name(str(row.get("name", ""))),
        **{key: row[key] for key in ("wave", "starts_after_seconds", "ends_after_seconds") if key in row},
        "stops": [
            names.name(str(each.get("name", ""))) for each in row.get("stops") or () if isinstance(each, Mapping)
        ],
        **{key: sorted(names.name(str(each)) for each in row.get(key) or ()) for key in ("moves", "moves_powered_off")},
        "reason": names.shown(str(row.get("reason", ""))),
    }


def _transitions(rows: Sequence[Record], first: float, names: RunNames) -> list[dict[str, Any]]:
    """``first``: the time of the first of them; ``at``: seconds since then."""
    return [
        {
            "at": round(float(row["at"]) - first, 1),
            "host": names.name(str(row.get("host", ""))),
            **_codes(row, ("before", "after")),
            "reason": names.shown(str(row.get("reason") or "")),
        }
        for row in rows[:_PHASES]
    ]


def _stopped(rows: Iterable[Record], first: float, names: RunNames) -> list[dict[str, Any]]:
    """The VMs that were stopped for a host: from when to when they were stopping, down and starting. Seconds since ``first``."""
    return [
        {
            "name": names.name(str(row.get("name", ""))),
            "host": names.name(str(row.get("group", ""))),
            "segments": [
                {
                    **_codes(each, ("phase",)),
                    "begin": round(float(each["start"]) - first, 1),
                    "end": round(float(each["end"]) - first, 1),
                }
                for each in row.get("segments") or ()
            ],
        }
        for row in rows
    ]
