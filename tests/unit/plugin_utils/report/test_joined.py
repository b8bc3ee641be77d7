# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of two modules about the same hosts as one."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.joined import joined_outcome
from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.text import lines, outcome

GPU, NIC = "0000:3b:00.0", "0000:5e:00.0"


def call(status: str = "ok", **more: Any) -> dict[str, Any]:
    host = {
        "name": "esx-01",
        "moid": "host-1",
        "status": status,
        "reboot_required": False,
        "pending": [],
        "devices": [],
    }
    return {
        "changed": status == "changed",
        "hosts": [{**host, **more.pop("host", {})}],
        "summary": "1 looked at",
        **more,
    }


SKIPPED = {"skipped": True, "changed": False}


def test_one_result_stays_as_it_is() -> None:
    made = call("changed", changes=[{"target": "esx-01", "kind": "passthrough"}])
    assert joined_outcome([made, SKIPPED]) == outcome(made)
    assert joined_outcome([SKIPPED, made]) == outcome(made)
    assert joined_outcome([SKIPPED, None]) == outcome(None)


def test_a_host_has_one_entry_with_what_both_found() -> None:
    gpu = call(
        "changed",
        changes=[{"target": "esx-01", "kind": "passthrough", "subject": GPU, "before": {}, "after": {"enabled": True}}],
    )
    waiting = {"address": NIC, "enabled": False, "active": False}
    waiting["sriov"] = {"pending": True, "requested": 8, "enabled": True}
    nic = call(
        "pending", host={"reboot_required": True, "pending": [NIC], "devices": [waiting]}, reboot_required=["esx-01"]
    )
    joined = joined_outcome([gpu, nic])
    assert (joined["changed"], joined["trouble"], joined["reboot_required"]) == (True, "", ["esx-01"])
    (host,) = joined["hosts"]
    assert (host["status"], host["reboot_required"], host["pending"]) == ("changed", True, [NIC])
    assert f"{NIC} is to have 8 virtual functions and requires a reboot" in " ".join(lines(joined))


def test_the_worse_of_the_two_counts() -> None:
    refused = call("refused", msg="No.", error_code="in_use", failed=True, host={"blockers": [{"message": "No."}]})
    dead = {"failed": True, "msg": "No answer.", "error_code": "unreachable"}
    joined = joined_outcome([call("changed"), refused])
    assert (joined["trouble"], joined["msg"], joined["hosts"][0]["status"]) == ("refused", "No.", "refused")
    both = joined_outcome([refused, dead])
    assert (both["trouble"], both["error_code"]) == ("failed", "in_use")
    assert "No answer." in both["msg"]


@pytest.mark.parametrize(
    ("left", "right", "both"), [(None, True, True), (None, False, None), (False, False, False), (True, None, True)]
)
def test_a_reboot_that_one_module_cannot_foresee_is_unknown(left: object, right: object, both: object) -> None:
    joined = joined_outcome([call(host={"reboot_required": left}), call(host={"reboot_required": right})])
    assert joined["hosts"][0]["reboot_required"] is both


def test_a_change_of_a_number_is_one_line() -> None:
    change = {
        "target": "esx-01", "kind": "sriov", "subject": NIC, "before": {"virtual_functions": 0},
        "after": {"virtual_functions": 8, "vmnic": "vmnic4", "device": "8086:1572 X710"},
    }  # fmt: skip
    result = call("changed", changes=[change], host={"pending": [NIC]})
    shown = " ".join(lines(outcome(result)))
    assert f"{NIC} 0 → 8 virtual functions (vmnic4 8086:1572 X710)" in shown
    assert f"{NIC} is to have 8 virtual functions and requires a reboot" in shown
