# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pause does with a host that is being evacuated: by whether a VM was stopped for it, and by how long the pause lasts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import Entry
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import Pinned, Policy
from tests.unit.module_utils._domain.rolling.builders import (
    NOW,
    ask,
    cluster,
    entry,
    host,
    pinned,
    standing,
    vm,
    vm_entry,
)

P = Policy(pinned=Pinned(action="shutdown"))
RESTORING = replace(P, only_restore=True)
LATE = entry("draining", at=NOW - 1800)
DRAINING = entry("draining")
STOPPED = pinned(entry=vm_entry(), power_state="poweredOff")
ASKED = pinned(entry=vm_entry(called=NOW - 10))
MAINTAINED: dict[str, Any] = {"in_maintenance_mode": True}
ENTERING: dict[str, Any] = {"entering": True}

# name → (host, its entry, VMs, policy, what is done, step written, code written)
TABLE: dict[str, tuple[dict[str, Any], Entry, list[Any], Policy, str | None, str, str]] = {
    "a VM could be stopped": (ENTERING, DRAINING, [pinned()], P, None, "", ""),
    "VMs are being migrated": (ENTERING, DRAINING, [vm()], P, None, "", ""),
    "the call had no effect": ({}, DRAINING, [], P, None, "", ""),
    "evacuated": (MAINTAINED, DRAINING, [], P, None, "", ""),
    "too long": (ENTERING, LATE, [], P, "record", "backing_out", "paused"),
    "evacuated, too long": (MAINTAINED, LATE, [], P, "record", "backing_out", "paused"),
    "a VM was stopped, evacuated": (MAINTAINED, DRAINING, [STOPPED], P, "reboot_host", "rebooting", ""),
    "a VM was stopped, another one not yet": (
        ENTERING, DRAINING, [STOPPED, pinned("gpu-vm-2")], P, "stop_vm", "", ""),
    "a guest is shutting down": (ENTERING, DRAINING, [ASKED], P, None, "", ""),
    "another user reboots it": ({**MAINTAINED, "rebooting": True}, DRAINING, [], P, None, "", ""),
    "a restore": (ENTERING, DRAINING, [], RESTORING, "record", "backing_out", "restored"),
}  # fmt: skip


@pytest.mark.parametrize("where", ["world", "cluster"])
@pytest.mark.parametrize("name", TABLE)
def test_a_pause_while_a_host_is_evacuated(name: str, where: str) -> None:
    more, its_entry, vms, policy, kind, step, code = TABLE[name]
    pause = {"pause": "audit"} if where == "world" else {"clusters": [cluster(pause="audit")]}
    decision = ask(host(entry=its_entry, **more), vms=vms, policy=policy, **pause)
    assert [action.kind for action in decision.actions] == ([kind] if kind else [])
    if step:
        (action,) = decision.actions
        assert isinstance(action.entry, Entry)
        assert (action.entry.step, action.entry.code) == (step, code)
        assert action.entry.tries == (0 if code else 1), "to be given back does not count as a failed attempt"
    if kind is None and not more.get("rebooting") and vms != [ASKED]:
        assert standing(decision).reason == "paused: audit"
        assert "esx-1 waits, until 2026-02-02 03:09 UTC at most" in decision.outlook.notices[0]


@pytest.mark.parametrize("step", ["rebooting", "verifying", "leaving", "restoring", "backing_out"])
def test_later_steps_are_not_paused(step: str) -> None:
    view = host(entry=entry(step, asked=NOW - 90), in_maintenance_mode=True, uptime=10.0, boot_time=NOW - 10)
    assert ask(view, pause="audit").actions == ask(view).actions
