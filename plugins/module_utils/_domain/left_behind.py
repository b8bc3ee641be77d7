# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of every failure message that leaves a VM off or a host out of service: what that is, and the command that brings it back.

PRIVATE to the collection.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Collection

from .text import literal

RESTORE = "ansible-playbook directpath.vsphere.restore"
"""For what a rolling reboot left: its journal shows what to do."""
STATUS = "ansible-playbook directpath.vsphere.status"
"""Shows what is off or in maintenance mode because of a run, and changes nothing."""

_OFF, _OUT, _COMMAND = "Off now: ", "In maintenance mode or not connected now: ", "To bring this back: "
_ENDING = re.compile(rf"\s*(?:{_OFF}|{_OUT}).*{_COMMAND}.*\Z", re.DOTALL)


def power_on_command(vms: Collection[str]) -> str:
    """For VMs that a module shut down and did not power on again. The account comes from the environment."""
    return _module("vm_pci_device", {"vm": sorted(map(literal, vms)), "power": "on"})


def end_maintenance_command(hosts: Collection[str]) -> str:
    """For what host_maintenance left."""
    return _module("host_maintenance", {"hosts": sorted(map(literal, hosts)), "state": "absent"})


def _module(name: str, options: dict[str, object]) -> str:
    arguments = shlex.quote(json.dumps(options, ensure_ascii=False))
    return f"ansible localhost -m directpath.vsphere.{name} -a {arguments}"


def take_lock_command(owner: str) -> str:
    """For a restore that takes the lock of a run which may be alive."""
    plain = re.fullmatch(r"[\w@.:+-]+", owner, re.ASCII) is not None
    given = f"restore_take_lock={owner}" if plain else json.dumps({"restore_take_lock": literal(owner)})
    return f"{RESTORE} -e {shlex.quote(given)}"


def ending(vms: Collection[str], hosts: Collection[str], command: str) -> str:
    """``Off now: train-01. In maintenance mode or not connected now: esx-01. To bring this back: ...``; empty if nothing is left behind."""
    parts = [f"{_OFF}{', '.join(sorted(vms))}."] if vms else []
    parts += [f"{_OUT}{', '.join(sorted(hosts))}."] if hosts else []
    return " ".join([*parts, f"{_COMMAND}{command}"]) if parts else ""


def with_ending(message: str, vms: Collection[str], hosts: Collection[str], command: str) -> str:
    """The message with this ending in place of an earlier one."""
    return f"{without_ending(message)} {ending(vms, hosts, command)}".strip()


def without_ending(message: str) -> str:
    """The message alone."""
    return _ENDING.sub("", message)
