# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages name what their reader can set."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.arguments import ARGUMENTS
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.option_names import (
    WITH_VALUE,
    WORDS,
    renamed,
    renamed_record,
    renamed_result,
    role_names,
)
from tools.envs import ROOT
from tools.generate import argument_specs

NAMES = role_names("rolling_reboot_", {"method": "firmware_reboot_method"})
KEEP = ("never_stop", "pinned_vms old", "esx-1.lab")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("run the same again with failed_hosts: verify to", "run the same again with rolling_reboot_failed_hosts: verify to"),
        ("or name them in ignore_alarms.", "or name them in rolling_reboot_ignore_alarms."),
        ("set pinned_vms: shutdown or pinned_vms: fail", "set rolling_reboot_pinned_vms: shutdown or rolling_reboot_pinned_vms: fail"),
        ("in a file (journal: file)", "in a file (rolling_reboot_journal: file)"),
        ("The journal cannot be stored in vCenter", "The journal cannot be stored in vCenter"),
        ("the journal: it is gone", "the journal: it is gone"),
        ("method: power_cycle without bmc: nothing", "firmware_reboot_method: power_cycle without rolling_reboot_bmc: nothing"),
        ("in vm_order and never_stop_tags", "in rolling_reboot_vm_order and rolling_reboot_never_stop_tags"),
        ("vm_order.web-01: not a number", "rolling_reboot_vm_order.web-01: not a number"),
        ("set rolling_reboot_failed_hosts: verify", "set rolling_reboot_failed_hosts: verify"),
        ("host_passthrough with state: disabled", "host_passthrough with state: disabled"),
        ("esx-bmc and bmc-01 and bmc/x and 'take_lock'", "esx-bmc and bmc-01 and bmc/x and 'take_lock'"),
        ("/var/lock_ttl and lock_ttl/x", "/var/lock_ttl and lock_ttl/x"),
        ("VMs never_stop, pinned_vms old: shut them down", "VMs never_stop, pinned_vms old: shut them down"),
        ("pinned_vms: shutdown for pinned_vms old", "rolling_reboot_pinned_vms: shutdown for pinned_vms old"),
        ("in order to go on by this method", "in order to go on by this method"),
    ],
)  # fmt: skip
def test_options_are_renamed_and_nothing_else_is(text: str, told: str) -> None:
    assert renamed(text, NAMES, KEEP) == told
    assert renamed(told, NAMES, KEEP) == told, "once and for all"
    assert renamed(text, {}, KEEP) == text


def test_without_a_prefix_options_have_their_own_names() -> None:
    assert role_names("", {"method": "x"}) == {}


def test_a_note_may_tell_of_a_vm_that_is_called_like_an_option() -> None:
    note = {"kind": "note", "text": "esx-1: take_lock is told to shut down"}
    assert renamed_record(note, NAMES) == note
    told = renamed_record({"kind": "note", "text": "run again with take_lock: force"}, NAMES)
    assert told["text"] == "run again with rolling_reboot_take_lock: force"
    change = {"host": "never_stop", "after": "blocked", "reason": "never_stop has alarms: name them in ignore_alarms"}
    assert renamed_record(change, NAMES)["reason"] == "never_stop has alarms: name them in rolling_reboot_ignore_alarms"


def test_of_a_result_the_sentences_are_renamed() -> None:
    cure = "or name them in ignore_alarms"
    blocked = {"name": "esx-1", "reason": cure, "blockers": [{"code": "pinned_vms", "message": cure, "cure": cure}]}
    result: dict[str, Any] = {
        "msg": cure,
        "error_code": "pinned_vms",
        "changes": [{"subject": "pinned_vms"}],
        "hosts": [{**blocked, "vms": ["never_stop"]}],
        "resume": ["never_stop: set failed_hosts: verify"],
        "notes": ["set journal: file"],
        "schedule": {"left": [blocked], "hosts": [{"name": "a", "stops": [{"name": "never_stop", "reason": "lock_ttl"}]}]},
        "timeline": {"hosts": [{"name": "esx-1", "segments": [{"reason": cure}]}], "vms": [{"name": "never_stop"}]},
        "transitions": [{"host": "esx-1", "reason": cure}],
    }  # fmt: skip
    new = "or name them in rolling_reboot_ignore_alarms"
    told = {"name": "esx-1", "reason": new, "blockers": [{"code": "pinned_vms", "message": new, "cure": new}]}
    assert renamed_result(result, NAMES) == {
        **result,
        "msg": new,
        "hosts": [{**told, "vms": ["never_stop"]}],
        "resume": ["never_stop: set rolling_reboot_failed_hosts: verify"],
        "notes": ["set rolling_reboot_journal: file"],
        "schedule": {**result["schedule"], "left": [told]},
        "timeline": {"hosts": [{"name": "esx-1", "segments": [{"reason": new}]}], "vms": [{"name": "never_stop"}]},
        "transitions": [{"host": "esx-1", "reason": new}],
    }
    assert renamed_result(result, {}) == result


def test_what_is_renamed_are_options_and_variables_of_the_role() -> None:
    variables = argument_specs(ROOT / "roles" / "rolling_reboot")["main"]["options"]
    known = {name for name in ARGUMENTS if f"rolling_reboot_{name}" in variables}
    assert known >= {*WORDS, *WITH_VALUE}
    assert {name for name in known if "_" in name} <= set(WORDS), "each option that is no word of English"
