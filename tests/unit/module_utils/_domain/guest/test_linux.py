# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Linux probe runs here: against the PCI devices of this machine, and against trees of files that stand for other guests."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.facts import Unknown
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.guest.linux_probe import (
    LINUX_PROBE,
    linux_probe,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.guest.probe import parse_linux
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.guest.report import (
    BEGIN,
    END,
    GuestError,
    GuestReport,
)
from tests.integration.targets.playbook_guests.files.tree import MEMORY_64, Function, write_function, write_tree
from tests.unit.searching import search

UUID = "4231a2c4-5d6e-7f80-91a2-b3c4d5e6f708"
A100 = Function(address="0000:03:00.0", ids="10de:20f1", driver="nvidia")
SYSFS = Path("/sys/bus/pci/devices")
SMI = """#!/bin/sh
printf '%s\\n' "{text}"
exit {status}
"""


def output(folder: Path | None = None, commands: Sequence[str] = (), **more: str) -> str:
    """What the probe prints, with ``folder`` in place of /sys and /proc."""
    roots = {"DIRECTPATH_SYS": str(folder / "sys"), "DIRECTPATH_PROC": str(folder / "proc")} if folder else {}
    ended = subprocess.run(
        ["/bin/sh", "-c", linux_probe(commands)],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"], **roots, **more},
    )
    assert ended.stderr == ""
    return ended.stdout


def report(folder: Path, *functions: Function, **more: str) -> GuestReport:
    write_tree(folder, UUID, functions)
    return parse_linux(output(folder, **more))


def nvidia_smi(folder: Path, text: str, status: int = 0) -> Mapping[str, str]:
    """A PATH with an ``nvidia-smi`` that prints this."""
    place = folder / "bin"
    place.mkdir()
    (place / "nvidia-smi").write_text(SMI.format(text=text, status=status))
    (place / "nvidia-smi").chmod(0o755)
    return {"PATH": f"{place}:{os.environ['PATH']}"}


# --- this machine ----------------------------------------------------------------------------------------------------------


def _walked() -> dict[str, tuple[str, str, str, str, int]]:
    """The PCI devices of this machine, read by Python: ids, class, driver and command register."""
    found = {}
    for place in sorted(SYSFS.iterdir()):
        vendor, device, kind = ((place / name).read_text().strip()[2:] for name in ("vendor", "device", "class"))
        driver = (place / "driver").resolve().name if (place / "driver").exists() else ""
        command = int.from_bytes((place / "config").read_bytes()[4:6], "little")
        found[place.name] = (vendor, device, kind, driver, command & 2)
    return found


@pytest.mark.skipif(not SYSFS.is_dir() or not any(SYSFS.iterdir()), reason="this machine has no PCI devices in /sys")
def test_this_machine_is_read_as_python_reads_it() -> None:
    seen = parse_linux(output())
    found = {
        one.address: (one.vendor_id, one.device_id, one.class_id, one.driver, 2 if one.decoding else 0)
        for one in seen.devices
    }
    assert found == _walked()
    assert seen.kernel == os.uname().release
    assert seen.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert seen.uptime is not None


@pytest.mark.skipif(not SYSFS.is_dir() or not any(SYSFS.iterdir()), reason="this machine has no PCI devices in /sys")
def test_the_memory_of_this_machine_is_read_as_python_reads_it() -> None:
    for one in parse_linux(output()).devices:
        rows = [line.split() for line in (SYSFS / one.address / "resource").read_text().splitlines()[:6]]
        memory = [row for row in rows if int(row[2], 16) & 0x200]
        assert one.placed == sum(int(row[0], 16) > 0 for row in memory)


@pytest.mark.skipif(not shutil.which("lspci"), reason="lspci is not installed")
def test_this_machine_is_read_as_lspci_reads_it() -> None:
    printed = subprocess.run(["lspci", "-nD"], capture_output=True, text=True, check=True).stdout
    listed = {(row.split()[0], row.split()[2]) for row in printed.splitlines()}
    assert {(one.address, one.ids) for one in parse_linux(output()).devices} == listed


@pytest.mark.parametrize("shell", ["sh", "dash", "bash", "busybox"])
def test_every_shell_prints_the_same(shell: str, tmp_path: Path) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    write_tree(tmp_path, UUID, (A100,))
    roots = {"DIRECTPATH_SYS": str(tmp_path / "sys"), "DIRECTPATH_PROC": str(tmp_path / "proc")}
    words = [shell, "sh"] if shell == "busybox" else [shell]
    ended = subprocess.run(
        [*words, "-c", LINUX_PROBE], capture_output=True, text=True, check=True, env={**os.environ, **roots}
    )
    assert parse_linux(ended.stdout) == parse_linux(output(tmp_path))


# --- trees -----------------------------------------------------------------------------------------------------------------


def test_a_gpu_with_its_driver(tmp_path: Path) -> None:
    seen = report(tmp_path, A100)
    assert (seen.uuid, seen.boot_id, seen.kernel, seen.uptime) == (UUID.replace("-", ""), "b-1", "6.1.0-28-amd64", 71)
    (gpu,) = seen.devices
    assert (gpu.address, gpu.ids, gpu.subvendor_id, gpu.subdevice_id, gpu.class_id) == (
        "0000:03:00.0",
        "10de:20f1",
        "10de",
        "1463",
        "030200",
    )
    assert (gpu.driver, gpu.decoding, gpu.unplaced, gpu.placed, gpu.answers) == ("nvidia", True, (), 2, True)


PIECES = {
    "no driver": (replace(A100, driver=""), {"driver": ""}),
    "memory off": (replace(A100, memory_on=False), {"decoding": False}),
    "a BAR without an address, as the kernel lists it": (
        replace(A100, bars=((0xFD000000, 1 << 24, 0x40200), (0, 1 << 36, MEMORY_64))),
        {"unplaced": (1,), "placed": 1},
    ),
    "a BAR marked as unset": (
        replace(A100, bars=((0xFD000000, 1 << 24, 0x40200), (0x1000, 1 << 36, MEMORY_64 | 0x20000000))),
        {"unplaced": (1,), "placed": 1},
    ),
    "a BAR that the kernel dropped, which only the register still has": (
        replace(
            A100,
            bars=((0xFD000000, 1 << 24, 0x40200), (0, 0, 0)),
            config=bytes.fromhex("de10f12006001000a1000203000000000000 00fd0c000000".replace(" ", "")) + bytes(40),
        ),
        {"unplaced": (1,), "placed": 1},
    ),
    "a port BAR counts as no memory": (replace(A100, bars=((0xE000, 128, 0x40101),)), {"unplaced": (), "placed": 0}),
    "a device that fell off the bus": (replace(A100, config=b"\xff" * 64), {"answers": False}),
}


@pytest.mark.parametrize("case", PIECES)
def test_what_a_tree_says(case: str, tmp_path: Path) -> None:
    function, expected = PIECES[case]
    (device,) = report(tmp_path, function).devices
    assert {name: getattr(device, name) for name in expected} == expected


def test_nvme_network_and_infiniband(tmp_path: Path) -> None:
    disk = write_function(tmp_path / "sys", replace(A100, address="0000:04:00.0", ids="8086:2701", class_id="010802"))
    for name in ("nvme0/nvme0n1", "nvme0/nvme0c0n2", "nvme0/ng0n1"):
        (disk / "nvme" / name).mkdir(parents=True)
        (disk / "nvme" / name / "size").write_text("1000\n")
    (disk / "nvme/nvme0/state").write_text("live\n")
    card = write_function(tmp_path / "sys", replace(A100, address="0000:05:00.0", ids="15b3:101d", class_id="020000"))
    for name, state in (("eth0", "down"), ("eth1", "up")):
        (card / "net" / name).mkdir(parents=True)
        (card / "net" / name / "operstate").write_text(f"{state}\n")
    (card / "infiniband/mlx5_0/ports/1").mkdir(parents=True)
    (card / "infiniband/mlx5_0/ports/1/state").write_text("4: ACTIVE\n")
    gpu, nvme, network = report(tmp_path, A100).devices
    assert gpu.controllers == gpu.links == ()
    assert [(one.name, one.state, one.namespaces, one.works) for one in nvme.controllers] == [
        ("nvme0", "live", (512000, 512000), True)
    ]
    assert [(one.name, one.is_up) for one in network.links] == [
        ("eth0", False),
        ("eth1", True),
        ("mlx5_0 port 1", True),
    ]


def test_nvidia_smi_is_asked_when_there_is_a_card_of_nvidia(tmp_path: Path) -> None:
    row = "00000000:03:00.0, 0x20F110DE, GPU-8f1c, 40960, NVIDIA A100-PCIE-40GB"
    seen = report(tmp_path, A100, **nvidia_smi(tmp_path, row))
    assert seen.gpu_tool is not None
    (gpu,) = seen.gpu_tool.gpus
    assert (gpu.address, gpu.ids, gpu.memory_mb, gpu.name) == (
        "0000:03:00.0",
        "10de:20f1",
        40960,
        "NVIDIA A100-PCIE-40GB",
    )
    other = tmp_path / "other"
    assert report(other, replace(A100, ids="8086:2701"), PATH=f"{tmp_path}/bin:{os.environ['PATH']}").gpu_tool is None


def test_an_nvidia_smi_that_fails_says_why(tmp_path: Path) -> None:
    text = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."
    tool = report(tmp_path, A100, **nvidia_smi(tmp_path, text, 9)).gpu_tool
    assert tool is not None
    assert (tool.status, tool.gpus, tool.message) == (9, (), text)


def test_commands_report_their_status_and_nothing_else(tmp_path: Path) -> None:
    write_tree(tmp_path, UUID, (A100,))
    commands = ["echo 'secret of the guest'; exit 7", "true", f"printf '%s' '{END}' >&2; exit 1", "exit 0 #'"]
    text = output(tmp_path, commands[:3])
    assert "secret" not in text
    assert parse_linux(text).commands == {0: 7, 1: 0, 2: 1}


def test_what_a_user_may_not_read_is_unknown(tmp_path: Path) -> None:
    write_tree(tmp_path, UUID, (A100,))
    (tmp_path / "sys/class/dmi/id/product_uuid").unlink()
    (tmp_path / "sys/bus/pci/devices" / A100.address / "config").unlink()
    (tmp_path / "sys/bus/pci/devices" / A100.address / "enable").write_text("0\n")
    (tmp_path / "sys/bus/pci/devices" / A100.address / "resource").unlink()
    seen = parse_linux(output(tmp_path))
    assert isinstance(seen.uuid, Unknown)
    assert "root only" in str(seen.uuid.gap)
    assert isinstance(seen.devices[0].decoding, Unknown)
    assert isinstance(seen.devices[0].unplaced, Unknown)


# --- text that is no report ------------------------------------------------------------------------------------------------

WHOLE = f"{BEGIN}linux\nboot\tb-1\nuuid\t{UUID}\nkernel\t6.1\nboot\tb-1\n{END}\n"
BAD = {
    "nothing": ("", "guest_output_unreadable"),
    "a login that only prints": ("This account is currently not available.\n", "guest_output_unreadable"),
    "a Windows guest": (f"{BEGIN}windows\n{END}\n", "guest_output_unreadable"),
    "cut": (WHOLE.replace(END, ""), "guest_output_cut"),
    "rebooted": (WHOLE.replace("b-1\n" + END, "b-2\n" + END), "guest_rebooted"),
    "a damaged line": (WHOLE.replace("kernel\t6.1", "pci\t0000:03:00.0\t0x10de"), "guest_output_unreadable"),
    "a fact of a device that is not there": (
        WHOLE.replace("kernel\t6.1", "nvme\t0000:09:00.0\tnvme0\tlive"),
        "guest_output_unreadable",
    ),
}


def code_of(text: str) -> str | None:
    """The code of the error; None for a report."""
    try:
        parse_linux(text)
    except GuestError as error:
        return error.code
    return None


@pytest.mark.parametrize("case", BAD)
def test_text_that_is_no_report_is_refused_with_a_code(case: str) -> None:
    text, code = BAD[case]
    with pytest.raises(GuestError) as caught:
        parse_linux(text)
    assert caught.value.code == code
    assert caught.value.cure


def test_what_a_terminal_adds_does_not_matter() -> None:
    noisy = "Welcome!\r\n" + WHOLE.replace("\n", "\r\n").replace("uuid", "Broadcast message from root\r\nuuid")
    assert parse_linux(noisy) == parse_linux(WHOLE)


@search(2)
@given(st.text())
def test_any_text_is_a_report_or_an_error_with_a_code(text: str) -> None:
    for given_text in (text, WHOLE.replace("kernel\t6.1", text), f"{BEGIN}linux\npci\t{text}\n{END}"):
        assert code_of(given_text) in (None, "guest_output_unreadable", "guest_output_cut", "guest_rebooted")


@search()
@given(st.text(alphabet=st.characters(blacklist_characters="\n")))
def test_text_of_others_is_no_fact(text: str) -> None:
    """Whatever nvidia-smi prints, it is neither a device nor the end of the report."""
    seen = parse_linux(WHOLE.replace("kernel\t6.1", f"smi-status\t0\nsmi\t{text}"))
    assert seen.devices == ()
    assert seen.uuid == UUID.replace("-", "")


def test_no_template_engine_changes_the_probe() -> None:
    assert not any(sign in LINUX_PROBE for sign in ("{{", "{%", "{#"))
