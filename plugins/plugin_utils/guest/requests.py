# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which guests are verified, and how each of them is asked. PRIVATE to the collection."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...module_utils._domain.guest.probe import probe_of
from ..intent.guest import CREDENTIALS
from .expected import commands_of

Record = Mapping[str, Any]

SCOPES = ("requested", "changed", "always", "none")
"""``requested``: all but ``when: never``. ``changed``: ``when: always``, and the VMs that this run changed. ``always``: only those."""

_WHY_NOT = {
    "never": "when is never",
    "changed": "when is after_change, and this run did not change the VM",
    "always": "when is after_change, and this run changes nothing",
    "none": "this run does not look into guests",
}


def guests_in_scope(guests: Sequence[Record], scope: str, attached: Record | None = None) -> list[dict[str, Any]]:
    """The guests of a desired state, each with ``skipped``: why it is not verified, empty for one that is.

    ``attached``: the result of the role attach_devices in this run, for the scope ``changed``.
    """
    changed = _changed(attached or {})
    return [{**guest, "skipped": _why_skipped(guest, scope, changed)} for guest in guests]


def _why_skipped(guest: Record, scope: str, changed: Collection[str]) -> str:
    if scope == "none" or guest["when"] == "never":
        return _WHY_NOT["none" if scope == "none" else "never"]
    if guest["when"] == "always" or scope == "requested" or (scope == "changed" and guest["vm"] in changed):
        return ""
    return _WHY_NOT[scope]


def _changed(result: Record) -> frozenset[str]:
    """Names, paths and ids of the VMs that a module changed."""
    targets = {change.get("target") for change in result.get("changes") or ()}
    vms = [vm for vm in result.get("vms") or () if vm.get("name") in targets]
    words = {str(vm[key]).strip("/") for vm in vms for key in ("name", "path", "moid") if vm.get(key)}
    return frozenset(words | {f"/{word}" for word in words})


def guest_targets(
    guests: Sequence[Record],
    found: Record,
    inventory_hosts: Collection[str],
    variables: Collection[str] = (),
    only_on_hosts: Collection[str] = (),
) -> list[dict[str, Any]]:
    """The guests with what vCenter says about their VMs. ``found``: the result of vm_pci_device_info for them.

    ``inventory_hosts``, ``variables``: names that exist in this run. ``only_on_hosts``: as for vm_pci_device. In the result, ``blocked``
    has code, reason and cure if the guest cannot be asked, else None.
    """
    by_id = {vm["moid"]: vm for vm in found.get("vms") or ()}
    ids = found.get("found") or {}
    targets = []
    for guest in guests:
        vm = by_id.get(ids.get(guest["vm"], ""), {})
        elsewhere = bool(only_on_hosts) and vm.get("host") not in only_on_hosts
        skipped = guest["skipped"] or ("its host is not in this play" if vm and elsewhere else "")
        targets.append(
            {
                **guest,
                "skipped": skipped,
                "name": vm.get("name") or guest["vm"],
                "moid": vm.get("moid") or "",
                "uuid": vm.get("uuid"),
                "attached": list(vm.get("devices") or ()),
                "blocked": None
                if skipped
                else _blocked_by_vm(guest, vm, found) or _blocked_by_inventory(guest, inventory_hosts, variables),
            }
        )
    return targets


def _blocked_by_vm(guest: Record, vm: Record, found: Record) -> dict[str, str] | None:
    if not vm:
        message = str(found.get("msg") or f"{guest['vm']} was not found")
        return _because(
            code="guest_vm_unread",
            reason=f"The VM could not be read: {message}",
            cure="Correct the name, or see the message",
        )
    if vm.get("power_state") != "poweredOn":
        state = vm.get("power_state")
        return _because(
            code="guest_vm_off",
            reason=f"The VM is {state}, so its guest cannot answer",
            cure="Power it on, and verify once more",
        )
    return None


def _blocked_by_inventory(
    guest: Record, inventory_hosts: Collection[str], variables: Collection[str]
) -> dict[str, str] | None:
    if guest["via"] == "connection" and guest["inventory_host"] not in inventory_hosts:
        return _because(
            code="guest_no_inventory_host",
            reason=f"inventory_host {guest['inventory_host']} is not in the inventory of this run",
            cure="Add it to the inventory, or correct inventory_host in guest",
        )
    names = [guest[key] for key in CREDENTIALS] if guest["via"] == "tools" else []
    missing = [name for name in names if name not in variables]
    if missing:
        return _because(
            code="guest_no_credentials",
            reason=f"The variable {' and '.join(missing)} with the account of the guest is not set",
            cure="Set it for the inventory host of the vCenter",
        )
    return None


def _because(*, code: str, reason: str, cure: str) -> dict[str, str]:
    return {"code": code, "reason": reason, "cure": cure}


def guest_probe(guest: Record) -> str:
    """The command for ``ansible.builtin.raw``: it needs no Python in the guest, and it is the same over SSH and over WinRM."""
    text = probe_of(guest["os"], commands_of(guest.get("expect") or ()))
    return f"/bin/sh -c {shlex.quote(text)}" if guest["os"] == "linux" else text


def guests_to_prepare(
    intent: Mapping[str, Record], hostvars: Mapping[str, Record], alive: Sequence[str]
) -> list[dict[str, Any]]:
    """Inventory host and ``prepare`` of each guest that is to be prepared: it was read, and it is its VM.

    ``intent``: leader → its part of the desired state. ``alive``: leaders whose play did not fail.
    """
    chosen = []
    for leader in alive:
        records = {record["vm_in_intent"]: record for record in hostvars[leader].get("__verify_guest_records") or ()}
        for guest in (intent.get(leader) or {}).get("guests") or ():
            record = records.get(guest["vm"], {})
            if guest["prepare"] and record.get("step"):
                chosen.append({"inventory_host": guest["inventory_host"], "prepare": guest["prepare"]})
    return chosen
