# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reader of the Windows probe. No Windows ran here: its input is output that others published, and the probe's own form."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.facts import Unknown
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.guest.problem_codes import (
    PROBLEM_NAMES,
    problem_of,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.guest.report import BEGIN, END, GuestError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.guest.windows import (
    LONGEST_PROBE,
    WINDOWS_PROBE,
    parse_windows,
    pnp_devices,
    read_blocks,
    windows_probe,
)
from tests.unit.searching import search

# Printed by `Get-PnpDevice -Class Net | Where-Object { $_.Status -eq "OK" } | Format-List`, from a public note on drivers of Windows
# Server 2022 (GitHub, found by its text); the facts of the device, with a long value
# shortened and wrapped as PowerShell does.
PUBLISHED_NIC = r"""
Caption                     : Intel(R) Ethernet Connection (9) I219-LM
Description                 : Intel(R) Ethernet Connection (9) I219-LM
InstallDate                 :
Name                        : Intel(R) Ethernet Connection (9) I219-LM
Status                      : OK
Availability                :
ConfigManagerErrorCode      : CM_PROB_NONE
ConfigManagerUserConfig     : False
CreationClassName           : Win32_PnPEntity
DeviceID                    : PCI\VEN_8086&DEV_1A1D&SUBSYS_86721043&REV_11\3&11583659&0&FE
PNPDeviceID                 : PCI\VEN_8086&DEV_1A1D&SUBSYS_86721043&REV_11\3&11583659&0&FE
ClassGuid                   : {4d36e972-e325-11ce-bfc1-08002be10318}
CompatibleID                : {PCI\VEN_8086&DEV_1A1D&REV_11, PCI\VEN_8086&DEV_1A1D, PCI\VEN_8086&CC_020000, PCI\VEN_8086&CC_0200...}
HardwareID                  : {PCI\VEN_8086&DEV_1A1D&SUBSYS_86721043&REV_11, PCI\VEN_8086&DEV_1A1D&SUBSYS_86721043, PC
                              I\VEN_8086&DEV_1A1D&CC_0200}
Manufacturer                : Intel Corporation
PNPClass                    : Net
Present                     : True
Service                     : e1i68x64
Class                       : Net
InstanceId                  : PCI\VEN_8086&DEV_1A1D&SUBSYS_86721043&REV_11\3&11583659&0&FE
Problem                     : CM_PROB_NONE
"""
# The same command for a headset and a monitor, published in the same way: other buses, which are left out.
PUBLISHED_OTHERS = r"""
Name                        : WF-1000XM4
ConfigManagerErrorCode      : CM_PROB_NONE
PNPDeviceID                 : BTHENUM\DEV_AC800AD8F209\7&37DA03EC&0&BLUETOOTHDEVICE_AC800AD8F209
Service                     :

Name                        : Generic Non-PnP Monitor
ConfigManagerErrorCode      : CM_PROB_PHANTOM
PNPDeviceID                 : DISPLAY\DEFAULT_MONITOR\1&8713BCA&0&UID0
"""

GPU = r"""
PNPDeviceID : PCI\VEN_10DE&DEV_20F1&SUBSYS_146310DE&REV_A1\4&1A2B3C4D&0&00A8
Name : NVIDIA A100-PCIE-40GB
ConfigManagerErrorCode : {code}
Service : nvlddmkm
CompatibleID : PCI\VEN_10DE&DEV_20F1&REV_A1, PCI\VEN_10DE&CC_030200
"""


def text(body: str, *, last_boot: str = "13381000000") -> str:
    """The output of the probe with these devices."""
    head = "BootTime : 13381000000\nVersion : 10.0.20348\nUUID : 4231A2C4-5D6E-7F80-91A2-B3C4D5E6F708"
    return f"{BEGIN}windows\n{head}\n{body}\nBootTime : {last_boot}\n{END}\n".replace("\n", "\r\n")


def test_published_output_of_a_network_card() -> None:
    (card,) = pnp_devices(read_blocks(PUBLISHED_NIC))
    assert (card.ids, card.subvendor_id, card.subdevice_id, card.class_id) == ("8086:1a1d", "1043", "8672", "020000")
    assert (card.driver, card.problem, card.name) == ("e1i68x64", 0, "Intel(R) Ethernet Connection (9) I219-LM")


def test_published_output_of_other_buses_is_left_out() -> None:
    assert list(pnp_devices(read_blocks(PUBLISHED_OTHERS))) == []


def test_the_output_of_the_probe() -> None:
    body = (
        GPU.format(code=0)
        + "\nSmiStatus : 0\nSmi : 00000000:02:00.0, 0x20F110DE, GPU-8f1c, 40960, NVIDIA A100\nCommand : 0 0\nCommand : 1 5"
    )
    seen = parse_windows(text(body))
    assert (seen.uuid, seen.kernel, seen.commands) == ("4231a2c45d6e7f8091a2b3c4d5e6f708", "10.0.20348", {0: 0, 1: 5})
    (gpu,) = seen.devices
    assert (gpu.ids, gpu.driver, gpu.problem, gpu.class_id) == ("10de:20f1", "nvlddmkm", 0, "030200")
    assert seen.gpu_tool is not None
    assert seen.gpu_tool.gpus[0].ids == "10de:20f1"


def test_disks_and_links() -> None:
    body = r"""
PNPDeviceID : PCI\VEN_8086&DEV_2701&SUBSYS_39068086&REV_00\4&1&0&00A9
Name : Standard NVM Express Controller
ConfigManagerErrorCode : 0
Service : stornvme
CompatibleID : PCI\VEN_8086&CC_010802
DiskSize : 375083606016

PNPDeviceID : PCI\VEN_15B3&DEV_101D\4&1&0&00AA
Name : Mellanox ConnectX-6
ConfigManagerErrorCode : 0
Service : mlx5
CompatibleID : PCI\VEN_15B3&CC_020000
NetConnectionStatus : 7
"""
    disk, card = parse_windows(text(body)).devices
    assert disk.controllers[0].works
    assert [(link.state, link.is_up) for link in card.links] == [("7", False)]


def test_a_problem_has_the_same_number_by_name_and_by_number() -> None:
    for name, number in PROBLEM_NAMES.items():
        by_name, by_number = (next(iter(pnp_devices(read_blocks(GPU.format(code=code))))) for code in (name, number))
        assert by_name.problem == by_number.problem == number
    assert (PROBLEM_NAMES["CM_PROB_NORMAL_CONFLICT"], PROBLEM_NAMES["CM_PROB_FAILED_POST_START"]) == (12, 43)


def test_the_two_codes_of_passthrough_are_explained() -> None:
    assert problem_of(12).fails == "memory"
    assert "64-bit MMIO" in problem_of(12).cure
    assert problem_of(43).fails == "works"
    assert "reported that the device failed" in problem_of(43).meaning
    assert problem_of(999).meaning  # of a later release


BAD = {
    "no report": ("Access is denied.\r\n", "guest_output_unreadable"),
    "cut": (text("").replace(END, ""), "guest_output_cut"),
    "rebooted": (text("", last_boot="13381009999"), "guest_rebooted"),
    "a problem that is no number": (text(GPU.format(code="bad")), "guest_output_unreadable"),
    "a damaged command": (text("Command : x"), "guest_output_unreadable"),
}


def code_of(given_text: str) -> str | None:
    """The code of the error; None for a report."""
    try:
        parse_windows(given_text)
    except GuestError as error:
        return error.code
    return None


@pytest.mark.parametrize("case", BAD)
def test_text_that_is_no_report_is_refused_with_a_code(case: str) -> None:
    given_text, code = BAD[case]
    with pytest.raises(GuestError) as caught:
        parse_windows(given_text)
    assert caught.value.code == code


def test_a_clock_that_is_set_is_no_reboot() -> None:
    assert parse_windows(text("", last_boot="13381000003")).devices == ()


def test_an_account_that_reads_nothing_leaves_the_identity_unknown() -> None:
    assert isinstance(parse_windows(f"{BEGIN}windows\nUUID : \n{END}\n").uuid, Unknown)


@search(2)
@given(st.text())
def test_any_text_is_a_report_or_an_error_with_a_code(given_text: str) -> None:
    for one in (given_text, text(given_text)):
        assert (code_of(one) or "guest_").startswith("guest_")


def test_the_probe_fits_into_a_command_line_of_windows() -> None:
    assert len(WINDOWS_PROBE) <= LONGEST_PROBE
    assert len(base64.b64encode(WINDOWS_PROBE.encode("utf-16-le"))) + 200 < 8191
    assert not any(sign in WINDOWS_PROBE for sign in ("{{", "{%", "{#"))


def test_a_command_runs_in_a_process_of_its_own() -> None:
    """So neither ``exit`` nor a quote in it ends the probe."""
    probe = windows_probe(["exit 3 # '\""])
    encoded = probe.partition("-EncodedCommand ")[2].split()[0]
    assert base64.b64decode(encoded).decode("utf-16-le") == "exit 3 # '\""
