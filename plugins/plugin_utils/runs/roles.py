# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles make of the result of a module: whether the play goes on, and what the next task gets. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..report.first_comparison import first_result
from ..report.reboot_steps import reboot_decision, reboot_expectations
from ..report.text import differences, outcome, reboot_outcome
from ..rolling.result_lines import is_rolling
from .names import RunNames

Record = Mapping[str, Any]


def role_decisions(result: Record, names: RunNames, *, check: bool) -> dict[str, Any]:
    """``trouble``: whether the play goes on. ``pending``, ``settled``: hosts that the next reboot expects to require one, or none.
    ``reboots``: hosts that require a reboot, ``owed``: those that still do. ``differences``: number of sentences of the role verify.
    ``left``: whether drift_info found something to do. ``asks``: what follows a check run of host_rolling_reboot without an answer of the
    user (``none``), and after each answer."""
    if "report" in result:
        return {"left": first_result(result) is None}
    if not result.get("error_code") and not any(name in result for name in ("hosts", "vms")):
        return {}
    if is_rolling(result):
        found = reboot_outcome(result, {} if check else result, True, preview=check)
        listed = {"reboots": found["owing"], "owed": found["owed"]}
    else:
        found = outcome(result)
        listed = reboot_expectations(found) if "reboot_required" in found else {}
    kept = {"trouble": str(found["trouble"]), **{key: sorted(map(names.name, each)) for key, each in listed.items()}}
    if not check:
        return kept
    if is_rolling(result):
        return {**kept, "asks": {answer: _after(result, given) for answer, given in _ANSWERS.items()}}
    return {**kept, "differences": len(differences([result]))}


_ANSWERS: Mapping[str, bool | None] = {"none": None, "yes": True, "no": False}


def _after(plan: Record, consent: bool | None) -> str:
    decision = reboot_decision(plan, consent, False, "")
    return "reboots" if decision["reboot"] else "stops" if decision["missing_consent"] else "goes on"
