# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guest answered, as a record for results and reports. PRIVATE to the collection.

All text of the guest that is kept is made harmless: no control characters, one line, and nothing that a template engine would run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from ...module_utils._domain.drift.guests import troubled_devices
from ...module_utils._domain.errors import DirectPathError
from ...module_utils._domain.guest.expectation import Expectation
from ...module_utils._domain.guest.probe import parse_report
from ...module_utils._domain.guest.records import GuestRecord
from ...module_utils._domain.guest.report import GuestError, GuestReport
from ...module_utils._domain.guest.verdict import GuestVerdict, judge, not_verified, unreadable
from ...module_utils._domain.text import one_line
from .expected import expectations_from_devices, expectations_of

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
        if target["blocked"]:
            raise GuestError(**{_NAMES[key]: text for key, text in target["blocked"].items()})
        report = _through_tools(target, answer) if target["via"] == "tools" else _over_connection(target, answer)
        return judge(report, expected, target["uuid"])
    except DirectPathError as error:
        return unreadable(error, expected)


_NAMES = {"code": "code", "reason": "message", "cure": "cure"}


def _expected(target: Record) -> tuple[Expectation, ...]:
    given = target.get("expect")
    return expectations_from_devices(target["attached"]) if given is None else expectations_of(given)


def _over_connection(target: Record, answer: Record) -> GuestReport:
    """The report in a result of ``ansible.builtin.raw``. Raises GuestError."""
    host = target["inventory_host"]
    if answer.get("unreachable"):
        raise GuestError(
            message=f"Inventory host {host} cannot be reached, or rejects the account: {_said(answer)}",
            code="guest_unreachable",
            cure=f"Check address, account and key: ansible {host} -m ansible.builtin.raw -a hostname",
        )
    if not answer or answer.get("skipped"):
        raise GuestError(message="The guest was not asked", code="guest_not_asked", cure="Run it without --skip-tags")
    if not answer.get("stdout"):
        raise GuestError(
            message=f"Inventory host {host} printed nothing: {_said(answer)}",
            code="guest_output_unreadable",
            cure="Check os, the account, its shell and ansible_become",
        )
    return parse_report(target["os"], str(answer["stdout"]))


def _through_tools(target: Record, answer: Record) -> GuestReport:
    """The report in a result of vm_guest_info for one VM. Raises GuestError."""
    vm = next(iter(answer.get("vms") or ()), None)
    if vm is None or vm.get("error_code"):
        trouble = vm or {"error": answer.get("msg"), "error_code": answer.get("error_code")}
        raise GuestError(
            message=f"The guest could not be read through VMware Tools: {one_line(trouble.get('error') or 'no message')}",
            code=str(trouble.get("error_code") or "guest_output_unreadable"),
        )
    if vm.get("status") != "read":
        raise GuestError(
            message="Nothing runs in a guest in check mode", code="guest_not_asked", cure="Verify without --check"
        )
    report = parse_report(target["os"], str(vm.get("output") or ""))
    return replace(report, commands={**report.commands, **dict(enumerate(vm.get("exit_codes") or ()))})


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
    return [
        f"{record['vm']}{' ' if one['device'] else ''}{one['device']} in the guest: {_state(one)}" for one in devices
    ]


def _state(device: Record) -> str:
    number = f" ({device['found']} of {device['count']})" if device["found"] is not None else ""
    if device["status"] == "verified":
        return f"verified{number}: {_STEPS[device['step']]}"
    return f"{device['status'].replace('_', ' ').upper()}{number}: {device['reason']}"


def guest_problems(records: Sequence[Record]) -> list[str]:
    """One sentence for each device that failed or is unknown, or one for a guest of which nothing is known."""
    return [_sentence(record, one) for record in records for one in troubled_devices(cast(GuestRecord, record))]


def _sentence(record: Record, device: Record) -> str:
    head = " ".join(text for text in (record["vm"], device["device"]) if text)
    word = "fails" if device["status"] == "failed" else "not verified"
    parts = [f"{head} in the guest: {word}", device["reason"], device["cure"]]
    return " ".join(f"{part.rstrip('.')}." for part in parts if part)
