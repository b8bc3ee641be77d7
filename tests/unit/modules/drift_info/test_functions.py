# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers of virtual functions in the comparison: in sync exactly when host_sriov and the rolling reboot have nothing to do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.modules.harness import Lab

LEFT, RIGHT = "0000:3b:00.0", "0000:3b:00.1"


def loaded(*vms: dict[str, Any], states: dict[str, Any] | None = None, **knobs: Any) -> Lab:
    host = {"name": "esx-01.lab", "cards": ["x710", "a100"], "states": states or {}}
    host["vms"] = [{"memory_gb": 8, **vm} for vm in vms]
    lab = {"kind": "vcenter", "version": "8.0.3", "datacenters": [{"name": "DC", "hosts": [host]}]}
    return Lab.load({**lab, "knobs": knobs})


def targets(number: int, *more: Any) -> list[dict[str, Any]]:
    return [{"hosts": ["esx-01"], "devices": [{"vmnic": "vmnic3", "virtual_functions": number}, *more]}]


def compared(lab: Lab, number: int, *more: Any) -> tuple[str, bool, list[dict[str, Any]]]:
    result = lab.run("drift_info", targets=targets(number, *more))
    assert lab.writes() == []
    return result["status"], result["settled"], result["report"]["differences"]


def done(lab: Lab, number: int) -> bool:
    """What the playbook site would do: set the number, then reboot for it. Returns whether any of the two changed something."""
    mixed = targets(number)
    made = lab.run("host_sriov", targets=mixed)["changed"]
    rebooted = bool(lab.run("host_rolling_reboot", targets=mixed)["rebooted"])
    lab.sim.journal.clear()
    return made or rebooted


STATES: dict[str, dict[str, Any]] = {
    "off": {},
    "four": {RIGHT: {"virtual_functions": 4}},
    "eight": {RIGHT: {"virtual_functions": 8}},
}


@pytest.mark.parametrize("title", sorted(STATES))
@pytest.mark.parametrize("number", [0, 4, 8])
def test_it_is_in_sync_exactly_when_nothing_is_left_to_do(title: str, number: int) -> None:
    lab = loaded(states=STATES[title])
    status, settled, found = compared(lab, number)
    differs = {"off": 0, "four": 4, "eight": 8}[title] != number
    assert (status, settled) == (("drift", False) if differs else ("in_sync", True))
    assert [one["kind"] for one in found] == (["functions_differ"] if differs else [])
    if differs:
        assert found[0]["wanted"] == f"{number} virtual functions"
        assert "directpath.vsphere.enable" in found[0]["command"]
    assert done(lab, number) == differs
    assert compared(lab, number) == ("in_sync", True, [])


def test_a_number_that_waits_for_its_reboot_is_a_pending_reboot() -> None:
    lab = loaded()
    lab.run("host_sriov", targets=targets(8))
    lab.sim.journal.clear()
    status, settled, (found,) = compared(lab, 8)
    assert (status, settled, found["kind"]) == ("drift", False, "pending_reboot")
    assert (found["wanted"], found["found"]) == ("8 virtual functions", "0 virtual functions")
    lab.run("host_rolling_reboot", targets=targets(8))
    lab.sim.journal.clear()
    assert compared(lab, 8)[0] == "in_sync"


def test_a_refusal_is_the_difference() -> None:
    lab = loaded({"name": "nfv-01", "devices": [{"sriov": RIGHT}]}, states=STATES["four"])
    status, settled, (found,) = compared(lab, 0)
    assert (status, settled, found["kind"], found["subject"]) == ("drift", False, "refused", RIGHT)
    assert "nfv-01" in found["cause"]


def test_a_number_that_nobody_desires_is_named_where_others_are_desired() -> None:
    lab = loaded(states={**STATES["four"], LEFT: {"virtual_functions": 2}})
    status, settled, (found,) = compared(lab, 4)
    assert (status, settled, found["kind"], found["subject"]) == ("drift", True, "extra", LEFT)
    assert "host_sriov" in found["command"]
    only_gpus = [{"hosts": ["esx-01"], "devices": [{"match": "10de:20f1"}]}]
    kinds = [one["kind"] for one in lab.run("drift_info", targets=only_gpus)["report"]["differences"]]
    assert kinds == ["disabled"], "a host without such entries is compared as before"


def test_what_is_to_be_done_with_a_device_counts_before_its_number_that_is_not_desired() -> None:
    """Another port has an entry with a number, so the functions of this one are unexpected. It is to be passed through, too."""
    lab = loaded(states={RIGHT: {"virtual_functions": 4}})
    devices = [{"vmnic": "vmnic2", "virtual_functions": 0}, {"match": {"address": RIGHT}}]
    allowed = {"allow_protected": [f"esx-01.lab/{RIGHT}=b0:26:28:d5:64:b8"]}
    result = lab.run("drift_info", targets=[{"hosts": ["esx-01"], "devices": devices}], **allowed)
    (found,) = result["report"]["differences"]
    assert (found["subject"], found["planned"], result["settled"]) == (RIGHT, True, False)
    assert lab.run("host_passthrough", hosts=["esx-01"], devices=devices[1:], check=True, **allowed)["changed"]


def test_both_kinds_in_one_list() -> None:
    lab = loaded()
    mixed = targets(8, {"match": "10de:20f1"})
    kinds = [one["kind"] for one in lab.run("drift_info", targets=mixed)["report"]["differences"]]
    assert sorted(kinds) == ["disabled", "functions_differ"]
    lab.run("host_passthrough", hosts=["esx-01"], devices=[{"match": "10de:20f1"}], apply="reboot")
    lab.run("host_sriov", targets=targets(8))
    rebooted = lab.run("host_rolling_reboot", targets=mixed)
    assert rebooted["rebooted"] == ["esx-01.lab"], "one reboot for both"
    assert lab.run("drift_info", targets=mixed)["status"] == "in_sync"


def test_fewer_than_configured_are_drift_of_a_desired_number_only() -> None:
    lab = loaded(virtual_functions_at_most=4)
    lab.run("host_sriov", targets=targets(8))
    lab.run("host_rolling_reboot", targets=[{"hosts": ["esx-01"]}])
    lab.sim.journal.clear()
    assert [one["kind"] for one in compared(lab, 8)[2]] == ["pending_reboot"]
    nothing = {"targets": [{"hosts": ["esx-01"], "devices": []}]}
    assert lab.run("drift_info", **nothing)["status"] == "in_sync"
    (extra,) = lab.run("drift_info", **nothing, scope="fleet")["report"]["differences"]
    assert (extra["kind"], extra["planned"]) == ("extra", False), (
        "the whole fleet has no virtual function without an entry"
    )


def test_it_costs_no_call_more() -> None:
    lab = loaded()
    calls = [
        lab.run("drift_info", targets=[{"hosts": ["esx-01"], "devices": devices}])["calls"]
        for devices in ([{"match": "8086:2700", "count": 1}], [{"vmnic": "vmnic3", "virtual_functions": 0}])
    ]
    assert calls[1] <= calls[0]


def test_the_user_names_unreadable_vms_for_hosts_and_for_vms_apart() -> None:
    """What the role enable_devices ignores is ignored in the comparison of hosts. What attach_devices ignores, is not."""
    made = loaded({"name": "lost-01"}, states={RIGHT: {"virtual_functions": 4}})
    made.sim.find("VirtualMachine", "lost-01").set("runtime.connectionState", "inaccessible")

    def obstacles(**more: Any) -> str:
        found = made.run("drift_info", targets=targets(2), **more)["report"]["differences"]
        return " ".join(text for one in found if one["type"] == "host" for text in one["obstacles"])

    assert "lost-01" in obstacles()
    assert "lost-01" in obstacles(ignore_unreadable_vms=["lost-01"])
    assert obstacles(host_ignore_unreadable_vms=["lost-01"]) == ""
