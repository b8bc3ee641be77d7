# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role rolling_reboot decides between its tasks, from results of modules. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleError, AnsibleFilterError
from jinja2.exceptions import UndefinedError

from ..intent.load import NAME_VARIABLE
from ..rolling.result_lines import missing_for_success, owing
from ..rolling.summary_lines import skipped_lines
from .text import lines, outcome

Record = Mapping[str, Any]


_WHOLE_HOST = frozenset({"passthrough", "sriov"})
"""Kinds of changes by modules whose ``reboot_required`` is about every device of the host."""


def reboot_expectations(enabled: Record) -> dict[str, list[str]]:
    """What the role enable_devices left to do, from its result (empty if it did not run).

    ``pending``: hosts that require a reboot for their devices. ``settled``: hosts that it changed, and that need none. Only a change of
    passthrough or of a number of virtual functions tells this: other modules do not look at the other devices of the host.
    """
    pending = [str(name) for name in enabled.get("reboot_required") or ()]
    hosts = enabled.get("hosts") or ()
    looked_at = {change["target"] for change in enabled.get("changes") or () if change["kind"] in _WHOLE_HOST}
    settled = [
        str(host["name"])
        for host in hosts
        if host["status"] == "changed" and host["reboot_required"] is False and host["name"] in looked_at
    ]
    return {"pending": pending, "settled": settled}


def reboot_decision(plan: Record, consent: bool | None, preview: bool, vcenter: str) -> dict[str, Any]:
    """What follows the check run of host_rolling_reboot.

    ``lines``: the schedule to show before the reboot; empty if there is none, or if the user refused the reboot. ``reboot``: whether to
    reboot. ``missing_consent``: all that is missing for the run to succeed, if it must stop here because the user has to decide first;
    otherwise empty. What is in ``missing_consent`` is not in ``lines``.
    """
    planned = outcome(plan)
    names = owing(planned)
    announced = bool(names) and isinstance(plan.get("schedule"), Mapping) and consent is not False
    asks = bool(names) and consent is None
    shown = {**plan, "schedule": {**plan["schedule"], "left": []}} if announced and asks else plan
    has_lines = announced and bool(not asks or plan["schedule"].get("hosts") or not skipped_lines(plan["schedule"]))
    return {
        "lines": lines(shown) if has_lines else [],
        "reboot": bool(names and consent),
        "missing_consent": missing_for_success(planned, vcenter) if asks and not preview else [],
    }


def closing_lines(result: Record, *, announced: bool) -> list[str]:
    """The lines at the end of the role: the result; only its notes if nothing was rebooted and the schedule was already shown."""
    schedule, notes = result.get("schedule"), [str(note) for note in result.get("notes") or ()]
    # Without hosts, the schedule says only why they are skipped. The notes say it, too.
    if isinstance(schedule, Mapping) and (announced or (notes and not schedule.get("hosts"))):
        return notes
    return lines(result)


def reboot_order(
    hosts: Sequence[str], hostvars: Mapping[str, Mapping[str, Any]], variables: Sequence[str]
) -> dict[str, list[str]]:
    """ESXi host → values of its variables, for hosts that have at least one of them."""
    if isinstance(variables, str):
        variables = [variables]
    found: dict[str, list[str]] = {}
    for host in hosts if variables else ():
        try:
            known = hostvars[host]
            values = [str(known[name]) if name in known else "" for name in variables]
            name = str(known[NAME_VARIABLE]) if NAME_VARIABLE in known else str(host)
        except (AnsibleError, UndefinedError, LookupError, TypeError) as error:
            raise AnsibleFilterError(
                f"Inventory host {host}: {', '.join(variables)} cannot be read: {error}"
            ) from error
        if any(values):
            found[name] = values
    return found
