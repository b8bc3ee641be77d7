# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one job of a workflow passes to the next one: the data of ``set_stats``. PRIVATE to the collection.

A controller stores this data with the job, and passes it as extra variables to the next jobs. So it is small also for a large fleet, it
contains no secret, and names and messages of servers in it are never read as templates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.utils.unsafe_proxy import wrap_var

from ...module_utils._domain.text import all_visible, one_line, shortened
from ..intent.variable_names import DATA
from ..kept_results import keep_result

Record = Mapping[str, Any]

MOST_NAMES = 100
"""Names in one list. The number beside the list counts all."""
MOST_SENTENCES = 10
MOST_TEXT = 400
"""Characters of a sentence."""


def run_stats(result: Record, subject: str, vcenter: str = "") -> dict[str, Any]:
    """The data of one role. ``result``: the fact that the role sets. ``subject``: a key of ``_RECORDS``.

    One variable for each subject. It has a record for each vCenter, so that ``set_stats`` can combine those of all vCenters; for drift,
    which is one report of all vCenters, it is this report.
    """
    keep_result("role", {"subject": subject, "vcenter": vcenter, "result": result})
    record = _RECORDS[subject](result)
    found = {f"{DATA}{subject}": {vcenter: record} if vcenter else record}
    safe: dict[str, Any] = wrap_var(all_visible(found))
    return safe


def _drift(result: Record) -> dict[str, Any]:
    figures = result["figures"]
    counts = {name: int(figures.get(name) or 0) for name in ("hosts", "vms", "drift", "unknown", "ignored")}
    return {
        "status": str(result["status"]),
        "summary": _sentence(result["summary"]),
        **counts,
        "kinds": dict(figures.get("kinds") or {}),
        **_names("pending_reboot", result.get("pending_reboot") or ()),
        "vcenters": {name: str(part["status"]) for name, part in [*result["vcenters"].items()][:MOST_NAMES]},
    }


def _hosts(result: Record) -> dict[str, Any]:
    return {**_ending(result), **_names("pending_reboot", result.get("reboot_required") or ())}


def _reboots(result: Record) -> dict[str, Any]:
    """A check run has rebooted nothing, whatever the role assumes for the steps after it."""
    pending = result["owing" if result.get("schedule") else "owed"]
    resume = [*(result.get("resume") or ()), *(result.get("notes") or ())] if pending or result.get("trouble") else []
    return {
        **_ending(result),
        **_names("rebooted", result.get("rebooted") or ()),
        **_names("pending_reboot", pending),
        "resume": _sentences(resume),
    }


def _verify(result: Record) -> dict[str, Any]:
    differences = result["differences"]
    return {
        "status": "drift" if differences else "in_sync",
        "differences": len(differences),
        "first": _sentences(differences),
        **_names("pending_reboot", [host["name"] for host in result.get("hosts") or () if host.get("pending")]),
    }


def _rehearsal(result: Record) -> dict[str, Any]:
    """``result``: of the module rehearse. The whole report is a file."""
    found = result["rehearsal"]
    return {
        "status": str(found["status"]),
        "summary": [_sentence(text) for text in result["lines"][:MOST_SENTENCES]],
        "duration": dict(found["duration"]),
        **_names("vms_off", list(found["vms_off"])),
        "to_do": _sentences(found["to_do"]),
    }


def _ending(result: Record) -> dict[str, Any]:
    """``status``: ``ok``, ``refused`` (single hosts or VMs) or ``failed`` (all of them)."""
    trouble = str(result.get("trouble") or "")
    return {
        "status": trouble or "ok",
        "changed": bool(result.get("changed")),
        "summary": _sentence(result.get("summary") or ""),
        "msg": _sentence(result.get("msg") or "") if trouble else "",
    }


def _names(key: str, names: Sequence[Any]) -> dict[str, Any]:
    """The first names in order, and how many there are."""
    return {key: sorted(map(str, names))[:MOST_NAMES], f"{key}_count": len(names)}


def _sentences(texts: Sequence[Any]) -> list[str]:
    return [_sentence(text) for text in texts[:MOST_SENTENCES]]


def _sentence(text: Any) -> str:
    return shortened(one_line(text), MOST_TEXT)


_RECORDS: Mapping[str, Callable[[Record], dict[str, Any]]] = {
    "drift": _drift,
    "hosts": _hosts,
    "reboots": _reboots,
    "vms": _ending,
    "verify": _verify,
    "rehearsal": _rehearsal,
}
"""Subject → what is published of a result."""
