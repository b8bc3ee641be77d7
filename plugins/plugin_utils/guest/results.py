# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guest answered, as a record for results and reports. PRIVATE to the collection.

All text of the guest that is kept is made harmless: no control characters, one line, and nothing that a template engine would run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...module_utils._domain.errors import DirectPathError
from ...module_utils._domain.guest.expectation import Expectation, expectations_from_devices, expectations_of
from ...module_utils._domain.guest.probe import parse_report
from ...module_utils._domain.guest.report import GuestError
from ...module_utils._domain.drift.guests import troubled_devices
from ...module_utils._domain.guest.verdict import GuestVerdict, judge, not_verified, unreadable
from ...module_utils._domain.text import one_line

Record = Mapping[str, Any]

MOST_OF_A_MESSAGE = 300
"""Characters of a message of a connection that are kept."""


def guest_verdict(target: Record, answer: Record | None = None) -> dict[str, Any]:
    """The record of one VM. ``target``: from ``guest_targets``. ``answer``: the result of the task that asked its guest."""
    verdict = _verdict(target, answer or {})
    record = {
        "vm": target["name"],
        "vm_in_intent": target["vm"],
        "moid": target["moid"],
        "via": target["via"],
        "inventory_host": target["inventory_host"],
        **verdict.record(),
    }
    inert: dict[str, Any] = _inert(record)
    return inert


def _verdict(target: Record, answer: Record) -> GuestVerdict:
    expected = _expected(target)
    if target["skipped"]:
        return not_verified(target["skipped"], expected)
    try:
        _raise_trouble(target, answer)
        return judge(parse_report(target["os"], str(answer.get("stdout") or "")), expected, target["uuid"])
    except DirectPathError as error:
        return unreadable(error, expected)


def _expected(target: Record) -> tuple[Expectation, ...]:
    given = target.get("expect")
    return expectations_from_devices(target["attached"]) if given is None else expectations_of(given)


def _raise_trouble(target: Record, answer: Record) -> None:
    """Raise GuestError if the guest was not asked, or gave no answer."""
    if target["blocked"]:
        blocked = target["blocked"]
        raise GuestError(message=blocked["reason"], code=blocked["code"], cure=blocked["cure"])
    if answer.get("error_code"):
        raise GuestError(message=str(answer.get("msg")), code=str(answer["error_code"]), cure=str(answer.get("cure") or ""))
    if answer.get("unreachable"):
        raise GuestError(
            message=f"Inventory host {target['inventory_host']} cannot be reached, or rejects the account: {_said(answer)}",
            code="guest_unreachable",
            cure=f"Check address, account and key: ansible {target['inventory_host']} -m ansible.builtin.raw -a hostname",
        )
    if not answer or answer.get("skipped"):
        raise GuestError(message="The guest was not asked", code="guest_not_asked", cure="Run the task without --skip-tags")
    if not answer.get("stdout"):
        raise GuestError(
            message=f"Inventory host {target['inventory_host']} printed nothing: {_said(answer)}",
            code="guest_output_unreadable",
            cure="Check os, the account, its shell and ansible_become",
        )


def _said(answer: Record) -> str:
    text = one_line(answer.get("stderr") or answer.get("module_stderr") or answer.get("msg") or "no message")
    return text[:MOST_OF_A_MESSAGE]


def _inert(value: Any) -> Any:
    """The same value. Text in it can be no template: some releases of Ansible render facts once more."""
    if isinstance(value, str):
        return value.replace("{", "(").replace("}", ")") if any(s in value for s in ("{{", "{%", "{#")) else value
    if isinstance(value, Mapping):
        return {key: _inert(entry) for key, entry in value.items()}
    return [_inert(entry) for entry in value] if isinstance(value, list) else value


_STEPS = {
    "identity": "it is this VM",
    "present": "present",
    "driver": "driver bound",
    "memory": "memory mapped",
    "works": "works",
}
"""Step → what is known when it is reached."""


def guest_lines(records: Sequence[Record]) -> list[str]:
    """One line for each kind of device in each guest."""
    return [line for record in records for line in _lines(record)]


def _lines(record: Record) -> list[str]:
    devices = record["devices"] or [{**record, "device": "", "found": None, "count": 0}]
    return [f"{record['vm']}{' ' if one['device'] else ''}{one['device']} in the guest: {_state(one)}" for one in devices]


def _state(device: Record) -> str:
    number = f" ({device['found']} of {device['count']})" if device["found"] is not None else ""
    if device["status"] == "verified":
        return f"verified{number}: {_STEPS[device['step']]}"
    return f"{device['status'].replace('_', ' ').upper()}{number}: {device['reason']}"


def guest_problems(records: Sequence[Record]) -> list[str]:
    """One sentence for each device that failed or is unknown, or one for a guest of which nothing is known."""
    return [_sentence(record, one) for record in records for one in troubled_devices(record)]


def _sentence(record: Record, device: Record) -> str:
    head = " ".join(text for text in (record["vm"], device["device"]) if text)
    word = "fails" if device["status"] == "failed" else "not verified"
    parts = [f"{head} in the guest: {word}", device["reason"], device["cure"]]
    return " ".join(f"{part.rstrip('.')}." for part in parts if part)
