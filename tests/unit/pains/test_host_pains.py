# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Troubles with passthrough on hosts that people report of other tools (docs/pains.md), one test each."""

from __future__ import annotations

from typing import Any

from tests.unit.pains.labs import (
    A40,
    A100,
    FIRST,
    P5800X,
    SECOND,
    active,
    desired,
    device,
    enabled,
    entry,
    host,
    lab,
    on,
    vm,
    written,
)

BOOT = "0000:01:00.0"
MANAGEMENT = "0000:04:00.0"


def test_h1_identical_cards_are_chosen_by_count() -> None:
    gpus = lab([host(cards=["a100"] * 4)])
    result = gpus.run("host_passthrough", hosts=["esx-01"], devices=desired(count=2))
    assert [record["subject"] for record in result["changes"]] == enabled(gpus)
    assert len(enabled(gpus)) == 2
    # The same two are meant the next time.
    assert not gpus.run("host_passthrough", hosts=["esx-01"], devices=desired(count=2))["changed"]


def test_h2_a_card_on_some_hosts_only() -> None:
    mixed = lab(
        [host("esx-01", ["a40"]), host("esx-02", ["a100"]), host("esx-03", [{"card": "a40", "capable": False}])]
    )
    result = mixed.run("host_passthrough", fails=True, cluster=["gpu"], devices=desired(A40))
    assert result["changed"]
    assert result["refused"] == ["esx-02", "esx-03"]
    assert (enabled(mixed, "esx-01"), enabled(mixed, "esx-02")) == ([FIRST], [])
    passed_over = mixed.run("host_passthrough", hosts=["esx-01", "esx-02"], devices=desired(A40), on_missing="skip")
    assert passed_over["passed_over"] == ["esx-02"]


def test_h3_an_address_is_only_good_with_an_identity() -> None:
    mixed = lab([host("esx-01", ["a40"]), host("esx-02", ["nvme"])])
    bare = mixed.run("host_passthrough", fails=True, cluster=["gpu"], devices=desired(FIRST))
    assert bare["error_code"] == "address_needs_identity"
    match = {"address": FIRST, "vendor_id": "10de", "device_id": "2235"}
    named = mixed.run("host_passthrough", fails=True, cluster=["gpu"], devices=desired(match))
    assert entry(named, "esx-02")["blockers"][0]["code"] == "identity_changed"
    assert (enabled(mixed, "esx-01"), enabled(mixed, "esx-02")) == ([FIRST], [])


def test_h4_a_reboot_does_not_take_the_boot_disk() -> None:
    moved = lab([host(states={BOOT: {"enabled": True, "active": False}})])
    result = moved.run("host_rolling_reboot", fails=True, hosts=["esx-01"])
    assert result["error_code"] == "reboot_takes_protected"
    assert BOOT in result["msg"]
    assert "ESXi boots from" in result["msg"]
    assert not [method for method in moved.writes() if method.endswith("_Task")]
    bare = {"hosts": ["esx-01"], "allow_protected": [f"esx-01/{BOOT}"]}
    assert moved.run("host_rolling_reboot", fails=True, **bare)["error_code"] == "reboot_takes_protected"
    form = result["msg"].partition('(its override is "')[2].partition('")')[0]
    assert form.startswith(f"esx-01/{BOOT}=")
    named = moved.run("host_rolling_reboot", hosts=["esx-01"], allow_protected=[form], check=True)
    assert named["changed"]


def test_h5_uplinks_stay_with_the_host() -> None:
    uplinks = lab([host(cards=[{"card": "x710", "uplinks": {0: "vSwitch0"}}])])
    for address in (MANAGEMENT, "0000:3b:00.0"):
        result = uplinks.run("host_passthrough", fails=True, hosts=["esx-01"], devices=desired(address))
        assert result["error_code"] == "protected"
        assert "management" in result["msg"]
        assert f'allow_protected: ["esx-01/{address}=' in result["msg"]
    # The last way to manage the host cannot be overruled.
    addresses = [MANAGEMENT, "0000:3b:00.0"]
    both = uplinks.run(
        "host_passthrough",
        fails=True,
        hosts=["esx-01"],
        devices=[{"match": address} for address in addresses],
        allow_protected=[f"esx-01/{address}" for address in addresses],
    )
    assert both["error_code"] == "last_management_uplink"
    assert uplinks.writes() == []


def test_h6_enabled_is_not_done() -> None:
    legacy = lab([host(rebind=False)])
    first = legacy.run("host_passthrough", hosts=["esx-01"], devices=desired())
    second = legacy.run("host_passthrough", hosts=["esx-01"], devices=desired())
    assert (first["changed"], second["changed"]) == (True, False)
    for result in (first, second):
        assert result["reboot_required"] == ["esx-01"]
        assert entry(result)["pending"] == [FIRST, SECOND]
        assert device(result)["state"] == "pending_enable"
    assert entry(second)["status"] == "pending"


def test_h7_a_host_that_can_rebind_is_not_rebooted() -> None:
    mixed = lab([host("esx-01"), host("esx-02", rebind=False)])
    forecast = mixed.run("host_passthrough", check=True, cluster=["gpu"], devices=desired())
    result = mixed.run("host_passthrough", cluster=["gpu"], devices=desired())
    assert forecast["reboot_required"] == result["reboot_required"] == ["esx-02"]
    assert device(result)["state"] == "active"
    rebooted = mixed.run("host_rolling_reboot", cluster=["gpu"], devices=desired())
    assert rebooted["rebooted"] == ["esx-02"]


def test_h8_only_the_host_that_differs_is_written_to() -> None:
    drifted = lab([host("esx-01", [on(), on()]), host("esx-02"), host("esx-03", [on(), on()])])
    result = drifted.run("host_passthrough", cluster=["gpu"], devices=desired())
    assert [entry(result, name)["status"] for name in ("esx-01", "esx-02", "esx-03")] == ["ok", "changed", "ok"]
    calls = written(drifted, "UpdatePassthruConfig")
    assert [[config["id"] for config in call["config"]] for call in calls] == [[FIRST, SECOND]]


def test_h9_a_card_in_use_is_not_disabled() -> None:
    used = lab(
        [host(cards=[on(), on()])],
        [vm("running", power="on", devices=[{"fixed": FIRST}]), vm("stopped", devices=[{"fixed": SECOND}])],
    )
    result = used.run("host_passthrough", fails=True, hosts=["esx-01"], devices=desired(), state="disabled")
    assert result["error_code"] == "in_use"
    assert "running (powered on)" in result["msg"]
    assert "stopped (configured, powered off)" in result["msg"]
    assert used.writes() == []


def test_h10_zero_functions_of_a_nic_without_sriov() -> None:
    one = lab([host(cards=[])])
    desired_number = {"hosts": ["esx-01"], "devices": [{"vmnic": "vmnic0", "virtual_functions": 0}]}
    assert not one.run("host_sriov", **desired_number)["changed"]
    desired_number["devices"][0]["virtual_functions"] = 4
    assert one.run("host_sriov", fails=True, **desired_number)["error_code"] == "not_sriov_capable"


def test_h11_configured_and_in_effect_are_two_numbers() -> None:
    one = lab([host(cards=["x710"], states={FIRST: {"virtual_functions": 8}})])

    def desired_number(number: int) -> dict[str, Any]:
        return {"hosts": ["esx-01"], "devices": [{"match": {"address": FIRST}, "virtual_functions": number}]}

    one.run("host_sriov", **desired_number(4))
    assert entry(one.run("host_sriov", **desired_number(4)))["status"] == "pending"
    back = one.run("host_sriov", **desired_number(8))
    assert (back["changed"], back["reboot_required"]) == (True, []), "eight are in effect, and configured again"


def test_h12_a_slow_host_is_waited_for() -> None:
    slow = lab(knobs={"info_delay_seconds": 20.0, "refresh_shows_info": False})
    result = slow.run("host_passthrough", hosts=["esx-01"], devices=desired())
    assert device(result)["state"] == "active"
    impatient = lab(knobs={"info_delay_seconds": 20.0, "refresh_shows_info": False})
    result = impatient.run("host_passthrough", fails=True, hosts=["esx-01"], devices=desired(), settle_timeout=5)
    assert result["error_code"] == "not_applied"


def test_h14_every_match_is_shown() -> None:
    gpus = lab([host(cards=["a40", "a100", "a100", "a100"])])
    result = gpus.run("host_pci_device_info", hosts=["esx-01"], devices=desired())
    addresses = [item["address"] for item in entry(result)["devices"]]
    assert len(addresses) == 3
    assert addresses == sorted(addresses)
    assert {item["ids"] for item in entry(result)["devices"]} == {A100}


def test_h15_hosts_are_enabled() -> None:
    cards = lab([host("esx-01"), host("esx-02")])
    cards.run("host_passthrough", cluster=["gpu"], devices=desired())
    assert active(cards, "esx-01") == active(cards, "esx-02") == [FIRST, SECOND]


def test_h16_what_was_lost_is_found_and_enabled_again() -> None:
    lost = lab([host(cards=[on(), on()])])
    lost.sim.events["set_device_state"](host="esx-01", address=SECOND, enabled=False, active=False)
    result = lost.run("host_passthrough", hosts=["esx-01"], devices=desired())
    assert [record["subject"] for record in result["changes"]] == [SECOND]
    assert active(lost) == [FIRST, SECOND]
    # What comes back pending from its boot is an error with its likely causes, not another reboot.
    stuck = lab([host(rebind=False, knobs={"never_active": ["all"]})])
    stuck.run("host_passthrough", hosts=["esx-01"], devices=desired())
    failed = stuck.run("host_rolling_reboot", fails=True, hosts=["esx-01"], devices=desired())
    assert failed["error_code"] == "not_verified"
    assert "Another reboot will not help" in failed["msg"]
    assert len(written(stuck, "RebootHost_Task")) == 1


def test_h17_what_resets_together_goes_together() -> None:
    pair = lab([host(cards=["rtx-gpu-with-audio"])])
    planned = pair.run("host_passthrough", check=True, hosts=["esx-01"], devices=desired("10de:2230"))
    assert entry(planned)["groups"] == [["0000:3b:00.0", "0000:3b:00.1"]]
    assert any("is changed too" in warning for warning in entry(planned)["warnings"])
    pair.run("host_passthrough", hosts=["esx-01"], devices=desired("10de:2230"))
    assert active(pair) == ["0000:3b:00.0", "0000:3b:00.1"]
    assert len(written(pair, "UpdatePassthruConfig")) == 1


def test_4_a_name_does_not_take_uplinks_and_boot_disks() -> None:
    server = lab([host(cards=[{"card": "lom", "uplinks": [0]}])])
    by_name = server.run("host_passthrough", fails=True, hosts=["esx-01"], devices=desired({"name": "NetXtreme*"}))
    disks = server.run(
        "host_passthrough", fails=True, hosts=["esx-01"], devices=desired({"class_id": "0108"}, count="all")
    )
    assert {by_name["error_code"], disks["error_code"]} == {"protected"}
    assert "ESXi boots from" in disks["msg"]
    # A number takes what is free.
    roomy = lab([host(cards=["p5800x"])])
    result = roomy.run("host_passthrough", hosts=["esx-01"], devices=desired({"class_id": "0108"}, count=1))
    assert device(result)["ids"] == P5800X
    assert server.writes() == []
