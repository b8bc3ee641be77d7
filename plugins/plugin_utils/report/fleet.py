# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of each vCenter of a run, in one line each. PRIVATE to the collection.

The input are the results that the roles store as facts of the first inventory host of each vCenter; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..rolling.result_lines import owing

Record = Mapping[str, Any]

RESULTS = {
    "enable_devices_result": "host",
    "rolling_reboot_result": "reboot",
    "attach_devices_result": "VM",
    "verify_result": "proof",
}
"""Fact → the kind of objects that the role behind it works on."""

_DOING = {
    "enable_devices_result": "applying the desired state to hosts",
    "rolling_reboot_result": "rebooting hosts",
    "attach_devices_result": "applying the desired state to VMs",
    "verify_result": "comparing with the desired state",
}


def fleet_lines(
    endpoints: Mapping[str, Record],
    facts: Mapping[str, Mapping[str, Any]],
    alive: Collection[str],
    *,
    check: bool = False,
) -> list[str]:
    """One line for each vCenter; those that stopped come last, with the reason and what was done before.

    ``endpoints``: leader → its part of the intent. ``facts``: leader → those of the facts in RESULTS that it has. ``alive``: leaders
    that did not fail. ``check``: a check run, nothing was changed.
    """
    names = endpoint_names(endpoints)
    lines = {leader: _line(facts.get(leader, {}), leader in alive, check=check) for leader in endpoints}
    order = sorted(endpoints, key=lambda leader: leader not in alive)
    return [f"{names[leader]}: {lines[leader]}" for leader in order]


def endpoint_names(endpoints: Mapping[str, Record]) -> dict[str, str]:
    """Leader → name of its vCenter, with the port if two have the same address."""
    addresses = [endpoint["vcenter"] for endpoint in endpoints.values()]
    names = {}
    for leader, endpoint in endpoints.items():
        address = str(endpoint["vcenter"])
        if addresses.count(address) > 1:
            address += f":{endpoint['port']}"
        names[leader] = address if leader == address else f"{leader} ({address})"
    return names


def _line(facts: Mapping[str, Any], is_alive: bool, *, check: bool) -> str:
    results = {name: facts[name] for name in RESULTS if isinstance(facts.get(name), Mapping)}
    will = "to be " if check else ""
    done = ", ".join(filter(None, (_done(name, result, will) for name, result in results.items())))
    done = done or f"nothing {will}changed"
    if is_alive:
        proof = results.get("verify_result")
        return done + ("; all is in sync" if proof is not None and not proof.get("differences") else "")
    troubled = [name for name, result in results.items() if result.get("trouble") or result.get("differences")]
    if not troubled:
        return f"STOPPED, see its failure above. Before that: {done}."
    return f"STOPPED {_DOING[troubled[-1]]}: {_why(results[troubled[-1]])} Before that: {done}."


def _done(name: str, result: Record, will: str) -> str:
    """What was changed, such as ``2 hosts changed``."""
    kind = RESULTS[name]
    if kind == "proof":
        return ""
    if kind == "reboot":
        number = len(result.get("rebooted") or ()) or sum(1 for host in _hosts(result) if host.get("phase") == "done")
        number = number or (len(owing(result)) if result.get("schedule") else 0)
        return f"{number} {will}rebooted" if number else ""
    undone = list(result.get("not_done") or ())
    changed = {record.get("target") for record in result.get("changes") or () if record not in undone}
    return f"{len(changed)} {kind}{'' if len(changed) == 1 else 's'} {will}changed" if changed else ""


def _hosts(result: Record) -> Collection[Record]:
    found: Collection[Record] = result.get("hosts") or ()
    return found


def _why(result: Record) -> str:
    if result.get("differences"):
        first, *more = result["differences"]
        return f"{str(first).rstrip('.')}{f', and {len(more)} more' if more else ''}."
    return str(result.get("msg") or result.get("summary") or "see its failure above").rstrip(".") + "."
