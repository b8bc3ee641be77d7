# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order in which virtual machines are stopped, and which are not, by their vSphere tags."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.modules.host_rolling_reboot.lab import Roll
from tests.unit.pains.labs import FIRST, SECOND, host, lab, on, vm

WEB, DATABASE, NEVER = "Stop order/web", "Stop order/db/first", "Policy/never-stop"
ORDERS = {WEB: 10, DATABASE: 20}
TAGGING = "Tagging."
"""How requests about tags begin in the journal."""


def tagged(version: str = "8.0.3", vapi: str = "both", **options: Any) -> Roll:
    """Two VMs that hold the cards of one host, the one that is stopped first by name tagged to be stopped last."""
    made = lab(
        [host(cards=[on(), on()]), host("esx-02")],
        [
            vm("a-db", power="on", devices=[{"fixed": FIRST}], tags=[DATABASE]),
            vm("b-web", power="on", devices=[{"fixed": SECOND}], tags=[WEB]),
            vm("c-other", power="on", tags=[NEVER]),
        ],
        version=version,
        knobs={"vapi": vapi},
    )
    made.sim.clock.sleep(60)
    options = {"pinned_vms": "shutdown", "vm_order_tags": ORDERS, **options}
    roll = Roll(lab=made, options={"hosts": ["esx-01"], "reboot_if": "always", **options})
    roll.remember()
    return roll


def order(roll: Roll, method: str) -> list[str]:
    return [call.name for call in roll.lab.sim.journal.writes() if call.method == method]


def questions(roll: Roll) -> list[str]:
    return [call.method for call in roll.lab.sim.journal.calls if call.method.startswith(("Rest.", TAGGING))]


@pytest.mark.parametrize(
    ("version", "vapi"), [("8.0.3", "both"), ("8.0.3", "rest_only"), ("8.0.3", "api_only"), ("6.7.0", "both")]
)
def test_lower_is_stopped_first_and_started_last_in_either_dialect(version: str, vapi: str) -> None:
    roll = tagged(version, vapi)
    planned = roll.lab.run("host_rolling_reboot", check=True, **roll.options)
    assert [(stop["name"], stop["order"]) for stop in planned["schedule"]["hosts"][0]["stops"]] == [
        ("b-web", 10),
        ("a-db", 20),
    ]
    assert roll.lab.writes() == []
    assert roll.run()["state"] == "finished"
    assert order(roll, "ShutdownGuest") == ["b-web", "a-db"]
    assert order(roll, "PowerOnVM_Task") == ["a-db", "b-web"]
    roll.assert_over({"esx-01"})


def test_a_name_and_an_attribute_count_more_than_a_tag() -> None:
    roll = tagged(vm_order={"b-web": 30})
    sim = roll.lab.sim
    manager = sim.stub().connect().content.customFieldsManager
    manager.SetField(
        sim.find("VirtualMachine", "a-db").ref, manager.AddCustomFieldDef("directpath.stop_order").key, "25"
    )
    planned = roll.lab.run("host_rolling_reboot", check=True, **roll.options)
    assert {stop["name"]: stop["order"] for stop in planned["schedule"]["hosts"][0]["stops"]} == {
        "a-db": 25,
        "b-web": 30,
    }


def test_of_several_tags_the_highest_counts() -> None:
    roll = tagged()
    roll.lab.sim.tags.attach(WEB, roll.lab.sim.find("VirtualMachine", "a-db"))
    planned = roll.lab.run("host_rolling_reboot", check=True, **roll.options)
    assert {stop["name"]: stop["order"] for stop in planned["schedule"]["hosts"][0]["stops"]} == {
        "a-db": 20,
        "b-web": 10,
    }


def test_what_has_the_tag_is_never_stopped() -> None:
    roll = tagged(never_stop_tags=[NEVER])
    assert roll.run()["state"] == "finished", "a VM that can be moved is moved"
    roll.remember()
    roll.lab.sim.tags.attach(NEVER, roll.lab.sim.find("VirtualMachine", "b-web"))
    failed = roll.fail()
    assert failed["error_code"] == "never_stop"
    assert "b-web" in failed["msg"]
    assert "a-db" not in failed["msg"]
    assert not {"ShutdownGuest", "EnterMaintenanceMode_Task"} & set(roll.lab.writes())


def test_a_tag_that_is_put_on_while_the_roll_goes_on_counts() -> None:
    """The second host is looked at again before it is started."""
    roll = tagged(never_stop_tags=[NEVER])
    roll.options["hosts"] = ["esx-01", "esx-02"]
    pinned = roll.lab.sim.find("VirtualMachine", "a-db")
    roll.lab.sim.on_write(
        None, lambda _write: roll.lab.sim.tags.attach(NEVER, pinned), method="RebootHost_Task", when="before"
    )
    roll.options["order"] = {"esx-02": 1, "esx-01": 2}
    failed = roll.fail()
    assert (failed["error_code"], failed["rebooted"]) == ("never_stop", ["esx-02"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"vm_order_tags": {"Stop order/dbb": 5}}, ("Stop order/dbb", "Stop order/db/first", "Stop order/web")),
        ({"vm_order_tags": {"Tier/db": 5}}, ("Tier/db", "no category", "Policy/...", "Stop order/...")),
        ({"never_stop_tags": ["never-stop"]}, ("never_stop_tags", "category/tag")),
    ],
)
def test_a_tag_that_does_not_exist_is_refused_with_those_that_do(
    options: dict[str, Any], words: tuple[str, ...]
) -> None:
    roll = tagged(**options)
    for check in (True, False):
        failed = roll.lab.run("host_rolling_reboot", check=check, fails=True, **roll.options)
        assert failed["error_code"] == "unknown_tag"
        assert all(word in failed["msg"] for word in words), failed["msg"]
    assert roll.lab.writes() == []
    assert questions(roll).count("Rest.Login") == questions(roll).count("Rest.Logout")


def test_both_names_may_hold_a_slash() -> None:
    """``Stop order`` has a tag ``db/first``, and there is a category ``Stop order/db``, which has another one."""
    roll = tagged()
    sim = roll.lab.sim
    sim.tags.category("Stop order/db")
    planned = roll.lab.run("host_rolling_reboot", check=True, **roll.options)
    assert {stop["name"]: stop["order"] for stop in planned["schedule"]["hosts"][0]["stops"]} == {
        "a-db": 20,
        "b-web": 10,
    }


def test_one_that_two_categories_could_mean_is_refused_with_the_ids_of_both() -> None:
    roll = tagged()
    tags = roll.lab.sim.tags
    ids = [
        tags.add_tag(tags.category(category), tag).id for category, tag in (("Site", "db/first"), ("Site/db", "first"))
    ]
    refused = roll.fail(check=True, never_stop_tags=["Site/db/first"])
    assert refused["error_code"] == "ambiguous_tag"
    assert sorted(refused["candidates"]) == sorted(ids)
    assert roll.lab.writes() == []


def test_an_id_is_as_good_as_a_name() -> None:
    key = tagged().lab.sim.tags.named(WEB).id
    roll = tagged(vm_order_tags={key: 7})
    planned = roll.lab.run("host_rolling_reboot", check=True, **roll.options)
    assert {stop["name"]: stop["order"] for stop in planned["schedule"]["hosts"][0]["stops"]} == {"a-db": 0, "b-web": 7}


def test_while_tags_cannot_be_read_nothing_is_stopped_that_they_may_forbid() -> None:
    roll = tagged(vapi="down", never_stop_tags=[NEVER])
    planned = roll.lab.run("host_rolling_reboot", check=True, fails=True, **roll.options)
    assert planned["error_code"] == "tags_unreadable"
    failed = roll.fail()
    assert failed["error_code"] == "tags_unreadable"
    assert "a-db, b-web on esx-01" in failed["msg"]
    assert "503" in failed["msg"]
    assert not {"ShutdownGuest", "EnterMaintenanceMode_Task"} & set(roll.lab.writes())
    free = tagged(vapi="down", never_stop_tags=[NEVER], hosts=["esx-02"])
    assert free.run()["rebooted"] == ["esx-02"], "no VM would be stopped for it"


def test_a_host_in_hand_is_finished_although_tags_can_no_longer_be_read() -> None:
    roll = tagged(never_stop_tags=[NEVER])
    roll.lab.sim.on_write(
        None,
        lambda _write: roll.lab.sim.knobs.set("vapi", "down"),
        method="EnterMaintenanceMode_Task",
    )
    assert roll.run()["state"] == "finished"
    assert order(roll, "PowerOnVM_Task") == ["a-db", "b-web"]
    roll.assert_over({"esx-01"})


def test_a_login_that_the_server_forgot_is_made_anew() -> None:
    roll = tagged()
    sim = roll.lab.sim
    sim.on_write(None, lambda _write: sim.vapi_sessions.close_all(), method="RebootHost_Task")
    roll.options["hosts"] = ["esx-01", "esx-02"]
    assert roll.run()["state"] == "finished"
    assert questions(roll).count("Rest.Login") == 2
    assert questions(roll).count("Rest.Logout") == 1


def test_whatever_is_refused_later_the_login_is_ended() -> None:
    roll = tagged(booted_before="2099-01-01T00:00:00Z")
    assert roll.fail()["error_code"] == "bad_moment"
    assert questions(roll).count("Rest.Login") == questions(roll).count("Rest.Logout") == 1


def test_an_esxi_host_has_no_tags() -> None:
    roll = Roll.of("standalone_67", owing=False, hosts=["esx-67"], reboot_if="always", never_stop_tags=[NEVER])
    failed = roll.fail()
    assert (failed["error_code"], failed["parameter"]) == ("no_tags", "never_stop_tags")


def test_no_tag_is_asked_for_where_none_is_named() -> None:
    """The login is for compute policies."""
    roll = tagged(vm_order_tags={})
    assert roll.run()["state"] == "finished"
    assert questions(roll) == ["Rest.Login", "Rest.Logout"]


def test_the_password_is_told_nobody() -> None:
    roll = tagged(never_stop_tags=[NEVER])
    account = roll.lab.credentials()
    result = roll.run()
    assert account["password"] not in str(result)
