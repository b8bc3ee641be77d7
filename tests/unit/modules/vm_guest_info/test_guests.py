# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""vm_guest_info: what it reads in Linux and Windows guests, what it costs, what it leaves, and what check mode does not do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator.rules.vm.guest import Ran
from tests.unit.modules.harness import Lab
from tests.unit.modules.vm_guest_info.guests import (
    ACCOUNT,
    asked_of_guests,
    files_in,
    guest_lab,
    runs_for_real,
)

MODULE = "vm_guest_info"
LINUX: dict[str, Any] = {"vms": ["train-01"], **ACCOUNT}
WINDOWS: dict[str, Any] = {"vms": ["win-01"], **ACCOUNT}


def one(result: dict[str, Any]) -> dict[str, Any]:
    (vm,) = result["vms"]
    assert isinstance(vm, dict)
    return vm


def test_a_linux_guest_runs_the_probe_for_real(tmp_path: Path) -> None:
    lab = guest_lab()
    runs_for_real(lab, "train-01", tmp_path)
    vm = one(lab.run(MODULE, **LINUX))
    assert (vm["status"], vm["os"], vm["uuid_matches"]) == ("read", "linux", True)
    assert vm["tools"] == {"running": "guestToolsRunning", "version": "guestToolsCurrent", "ready": True}
    devices = vm["report"]["devices"]
    assert [(item["ids"], item["driver"], item["decoding"]) for item in devices] == [("10de:20f1", "nvidia", True)] * 2
    assert len({item["address"] for item in devices}) == 2
    assert vm["report"]["kernel"] == "6.8.0-45-generic"
    assert vm["output"].startswith("directpath-guest 1 linux\n")
    assert files_in(lab, "train-01") == []
    assert lab.writes() == []


def test_it_is_a_promise_what_a_guest_costs(tmp_path: Path) -> None:
    """Round trips: names, state and managers, and in the guest one file, one program, two looks, one download, one removal."""
    lab = guest_lab()
    runs_for_real(lab, "train-01", tmp_path)
    result = lab.run(MODULE, **LINUX)
    assert asked_of_guests(lab) == [
        "CreateTemporaryFileInGuest",
        "StartProgramInGuest",
        "ListProcessesInGuest",
        "ListProcessesInGuest",
        "InitiateFileTransferFromGuest",
        "GuestFile.GET",
        "DeleteFileInGuest",
    ]
    assert result["calls"] == 13
    lab.sim.journal.clear()
    codes = lab.run(MODULE, **LINUX, gather="exit_codes", commands=["true", "exit 3"])
    assert asked_of_guests(lab) == ["StartProgramInGuest", "ListProcessesInGuest", "ListProcessesInGuest"] * 2
    assert one(codes)["exit_codes"] == [0, 3]
    assert one(codes)["report"] is None


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ('test "$(grep -l 0x20f1 "$DIRECTPATH_SYS"/bus/pci/devices/*/device | wc -l)" -eq 2', 0),
        ('test "$(grep -l 0x20f1 "$DIRECTPATH_SYS"/bus/pci/devices/*/device | wc -l)" -eq 3', 1),
        ('echo it\'s "quoted" $(false) > /dev/null; exit 42', 42),
        ("no-such-command", 127),
    ],
)
@pytest.mark.parametrize("gather", ["report", "exit_codes"])
def test_commands_of_the_user(command: str, code: int, gather: str, tmp_path: Path) -> None:
    lab = guest_lab()
    runs_for_real(lab, "train-01", tmp_path)
    command = command if "it's" not in command else command.replace("it's", "its")
    vm = one(lab.run(MODULE, **LINUX, gather=gather, commands=["true", command]))
    assert vm["exit_codes"] == [0, code]


def test_a_quote_in_a_command_is_a_quote(tmp_path: Path) -> None:
    lab = guest_lab()
    runs_for_real(lab, "train-01", tmp_path)
    command = 'test "it\'s > here" = "it\'s > here" && exit 5'
    for gather in ("report", "exit_codes"):
        assert one(lab.run(MODULE, **LINUX, gather=gather, commands=[command]))["exit_codes"] == [5]


def test_hardware_that_is_broken_is_seen(tmp_path: Path) -> None:
    lab = guest_lab()
    runs_for_real(lab, "train-01", tmp_path)
    pci = [{"id": "10de:20f1", "bars": ["16M", "64G unplaced"], "decodes": False, "driver": "vfio-pci"}]
    lab.sim.events["set_guest"](vm="train-01", pci=pci, uuid="11111111-2222-3333-4444-555555555555")
    vm = one(lab.run(MODULE, **LINUX))
    (device,) = vm["report"]["devices"]
    assert (device["driver"], device["decoding"], device["unplaced_bars"]) == ("vfio-pci", False, [2])
    assert vm["uuid_matches"] is False


def test_a_windows_guest_is_asked_in_powershell() -> None:
    lab = guest_lab()
    vm = one(lab.run(MODULE, **WINDOWS))
    assert (vm["status"], vm["os"], vm["uuid_matches"]) == ("read", "windows", True)
    (device,) = vm["report"]["devices"]
    assert (device["ids"], device["driver"], device["problem"]) == ("10de:20f1", "nvlddmkm", 0)
    assert files_in(lab, "win-01") == []
    (spec,) = [entry.args["spec"] for entry in lab.sim.journal.in_guest() if entry.method == "StartProgramInGuest"]
    assert spec["programPath"].endswith("powershell.exe")
    assert len(spec["arguments"]) < 8191


def test_exit_codes_of_a_windows_guest() -> None:
    lab = guest_lab()
    options = {"gather": "exit_codes", "commands": ["Get-Service good", "Get-Service bad"]}
    assert one(lab.run(MODULE, **WINDOWS, **options))["exit_codes"] == [0, 7]


def test_the_operating_system_is_that_of_the_vm_until_tools_report_it(tmp_path: Path) -> None:
    lab = guest_lab()
    runs_for_real(lab, "train-01", tmp_path)
    vm = lab.sim.find("VirtualMachine", "train-01")
    vm.set("guest.guestFamily", None)
    assert one(lab.run(MODULE, **LINUX))["os"] == "linux"
    with vm.edit("config") as config:
        config.guestId = "otherGuest64"
    refused = lab.run(MODULE, fails=True, **LINUX)
    assert (refused["error_code"], "otherGuest64" in refused["msg"]) == ("guest_os_unknown", True)
    assert one(lab.run(MODULE, **LINUX, os="linux"))["status"] == "read"


def test_check_mode_runs_nothing_in_a_guest() -> None:
    lab = guest_lab()
    result = lab.run(MODULE, check=True, vms=["train-01", "win-01", "off"], **ACCOUNT)
    assert [(vm["name"], vm["status"], vm["os"]) for vm in result["vms"]] == [
        ("off", "not_run", "linux"),
        ("train-01", "not_run", "linux"),
        ("win-01", "not_run", "windows"),
    ]
    assert result["vms"][1]["warnings"] == ["Check mode runs nothing in a guest, so its devices are unknown"]
    assert asked_of_guests(lab) == []


def test_check_mode_is_a_property_of_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if the module tried: the session does not send it. Outside check mode, it sends no write."""
    from ansible_collections.directpath.vsphere.plugins.module_utils._shell import vm_guest_info as glue
    from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.guest import route

    lab, honest = guest_lab(), glue._answer

    def careless(session: Any, managers: Any, *rest: Any) -> Any:
        return honest(session, managers or route.read_managers(session), *rest)

    monkeypatch.setattr(glue, "_answer", careless)
    result = lab.run(MODULE, check=True, fails=True, **LINUX)
    assert result["error_code"] == "read_only"
    assert asked_of_guests(lab) == []


def test_a_guest_that_is_not_up_yet_is_waited_for(tmp_path: Path) -> None:
    lab = guest_lab()
    runs_for_real(lab, "train-01", tmp_path)
    lab.sim.events["restart_tools"](vm="train-01", seconds=60)
    vm = one(lab.run(MODULE, **LINUX))
    assert vm["status"] == "read"
    assert lab.sim.clock.seconds() > 60


def test_a_host_that_is_asked_itself_gives_the_file_itself(tmp_path: Path) -> None:
    lab = guest_lab("esxi")
    runs_for_real(lab, "train-01", tmp_path)
    assert one(lab.run(MODULE, **LINUX))["status"] == "read"


@pytest.mark.parametrize(("knob", "value"), [("guest_file_host", "asterisk"), ("guest_reboot_fault", "unavailable")])
@pytest.mark.parametrize("reboots", [False, True])
def test_a_guest_is_read_whatever_the_api_does(knob: str, value: str, reboots: bool, tmp_path: Path) -> None:
    """Points that nobody could confirm: both ways they may be."""
    for chosen in (None, value):
        lab = guest_lab()
        runs_for_real(lab, "train-01", tmp_path)
        if chosen is not None:
            lab.sim.knobs.set(knob, chosen)
        if reboots:
            lab.sim.events["reboot_guest"](vm="train-01")
        assert one(lab.run(MODULE, **LINUX))["status"] == "read"


def test_several_guests_are_read_and_one_that_fails_does_not_hide_the_others(tmp_path: Path) -> None:
    lab = guest_lab()
    runs_for_real(lab, "train-01", tmp_path)
    names = ["train-01", "bare", "win-01", "off"]
    failed = lab.run(MODULE, fails=True, vms=names, **ACCOUNT)
    assert failed["changed"] is False
    assert {vm["name"]: vm["status"] for vm in failed["vms"]} == {
        "bare": "failed", "off": "failed", "train-01": "read", "win-01": "read",
    }  # fmt: skip
    assert "bare: VMware Tools are not installed" in failed["msg"]
    assert "off: off is powered off" in failed["msg"]
    shown = lab.run(MODULE, vms=names, on_error="report", **ACCOUNT)
    assert {vm["name"]: vm["error_code"] for vm in shown["vms"]} == {
        "bare": "guest_tools_missing", "off": "guest_vm_off", "train-01": None, "win-01": None,
    }  # fmt: skip


def test_a_vm_with_devices_of_its_own_host_is_seen_after_it_was_attached(tmp_path: Path) -> None:
    """From the attachment to the guest: the last step of the how-to."""
    lab = Lab.load("three_hosts")
    devices = [{"match": "10de:20f1", "count": 2}]
    lab.run("host_passthrough", cluster=["compute"], devices=[{"match": "10de:20f1"}])
    lab.run("vm_pci_device", vm=["train-01"], devices=devices, mmio={}, power="on")
    lab.sim.clock.advance(60)
    from tests.unit.modules.vm_guest_info.guests import ACCOUNTS, DRIVERS

    lab.sim.events["set_guest"](vm="train-01", accounts=ACCOUNTS, drivers=DRIVERS)
    runs_for_real(lab, "train-01", tmp_path)
    vm = one(lab.run(MODULE, **LINUX))
    assert [(item["ids"], item["driver"]) for item in vm["report"]["devices"]] == [("10de:20f1", "nvidia")] * 2
    assert vm["uuid_matches"] is True


def test_output_that_is_no_report_is_an_error_with_the_exit_code() -> None:
    lab = guest_lab()
    guest = lab.sim.find("VirtualMachine", "train-01").guest_os
    guest.runner = lambda asked: Ran(exit_code=2, output=b"sh: 1: Syntax error\xff\n")
    result = lab.run(MODULE, fails=True, **LINUX)
    assert result["error_code"] == "guest_output_unreadable"
    assert "The exit code of the probe is 2" in result["msg"]
    assert files_in(lab, "train-01") == []
