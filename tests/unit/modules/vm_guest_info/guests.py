# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs with guests, and Linux guests that really run the shell script which a client starts in them, on a /sys of their own."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from simulator.objects.guest import sysfs
from simulator.objects.guest.guest_os import GuestOs
from simulator.rules.vm.guest import Command, Ran
from tests.unit.modules.harness import Lab

PASSWORD = "Gu3st-S3cret-Zx81"
ACCOUNT: dict[str, Any] = {"guest_user": "root", "guest_password": PASSWORD}
ACCOUNTS: list[dict[str, Any]] = [
    {"name": "root", "password": PASSWORD},
    {"name": "Administrator", "password": PASSWORD},
]
WIDE = {"pciPassthru.use64bitMMIO": "TRUE", "pciPassthru.64bitMMIOSizeGB": "512"}
DRIVERS = {"10de:20f1": "nvidia"}
WINDOWS_REPORT = """directpath-guest 1 windows
BootTime : 13400000000
Version : 10.0.17763
UUID : {uuid}

PNPDeviceID : PCI\\VEN_10DE&DEV_20F1&SUBSYS_145F10DE&REV_A1\\5&22BE343F&0&000000
Name : NVIDIA A100-PCIE-40GB
ConfigManagerErrorCode : 0
Service : nvlddmkm
CompatibleID : PCI\\VEN_10DE&DEV_20F1&REV_A1, PCI\\VEN_10DE&CC_030200

SmiStatus : 0
Smi : 00000000:03:00.0, 0x20F110DE, GPU-00000000, 40960, NVIDIA A100-PCIE-40GB
BootTime : 13400000000
directpath-guest end
"""
WINDOWS_PROGRAMS: list[dict[str, Any]] = [
    {"command": r"WriteAllLines\('(?P<file>[^']+)'.*directpath-guest 1 windows", "output": WINDOWS_REPORT},
    {"command": "Get-Service good", "exit_code": 0},
    {"command": "Get-Service bad", "exit_code": 7},
]


def guest_lab(kind: str = "vcenter", **more: Any) -> Lab:
    """A host with two cards, and VMs that run: train-01 (Linux, with both), win-01 (Windows), bare (without VMware Tools), and off."""
    linux = {"accounts": ACCOUNTS, "drivers": DRIVERS}
    vms: list[dict[str, Any]] = [
        {
            "name": "train-01",
            "power": "on",
            "extra": WIDE,
            "devices": [{"fixed": "0000:3b:00.0"}, {"fixed": "0000:5e:00.0"}],
            "guest_os": linux,
        },
        {
            "name": "win-01",
            "power": "on",
            "guest": "windows2019srv_64Guest",
            "guest_os": {"accounts": ACCOUNTS, "programs": WINDOWS_PROGRAMS},
        },
        {"name": "bare", "power": "on", "tools": False},
        {"name": "off", "guest_os": linux},
    ]
    host = {"name": "esx-01.lab", "cards": [{"card": "a100", "count": 2, "enabled": True}]}
    lab: dict[str, Any] = {"kind": kind, "version": "8.0.3", **more}
    if kind == "esxi":
        lab |= {"host": host, "vms": vms}
    else:
        cluster = {"name": "gpu", "drs": "fullyAutomated", "hosts": [host], "vms": vms}
        lab["datacenters"] = [{"name": "DC1", "clusters": [cluster]}]
    made = Lab.load(lab)
    made.sim.journal.clear()
    return made


def proc(root: Path, boot: str = "2f6d3a1c-0000-4000-8000-000000000001") -> None:
    """Write what a kernel shows of itself in /proc."""
    random = root / "proc" / "sys" / "kernel" / "random"
    random.mkdir(parents=True, exist_ok=True)
    (random / "boot_id").write_text(f"{boot}\n", encoding="ascii")
    (root / "proc" / "sys" / "kernel" / "osrelease").write_text("6.8.0-45-generic\n", encoding="ascii")
    (root / "proc" / "uptime").write_text("4242.42 8000.00\n", encoding="ascii")


def nvidia_smi(root: Path, guest: GuestOs) -> None:
    """Write a program that answers as nvidia-smi does, for the GPUs that the driver nvidia has."""
    gpus = [item for item in guest.functions() if item.driver == "nvidia"]
    lines = [
        f"0000{item.address.upper()}, 0x{item.device:04X}{item.vendor:04X}, GPU-{number:08d}, 40960, NVIDIA A100-PCIE-40GB"
        for number, item in enumerate(gpus)
    ]
    answer = [f"echo '{line}'" for line in lines] or [
        "echo 'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.'",
        "exit 9",
    ]
    program = root / "bin" / "nvidia-smi"
    program.parent.mkdir(exist_ok=True)
    program.write_text("\n".join(["#!/bin/sh", *answer, ""]), encoding="ascii")
    program.chmod(0o755)


def printed_by(guest: GuestOs, root: Path, line: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command line by a shell on the /sys and /proc of a guest."""
    sysfs.write(guest, root)
    proc(root)
    nvidia_smi(root, guest)
    places = {
        "DIRECTPATH_SYS": str(root / "sys"),
        "DIRECTPATH_PROC": str(root / "proc"),
        "PATH": f"{root / 'bin'}:/usr/bin:/bin",
    }
    return subprocess.run(["/bin/sh", "-c", line], env=places, capture_output=True, check=False, timeout=60)


def runs_for_real(lab: Lab, vm: str, root: Path) -> list[Command]:
    """From now on, a program that a client starts in this guest runs, by a shell as VMware Tools start it. Returns what ran."""
    guest = lab.sim.find("VirtualMachine", vm).guest_os
    ran: list[Command] = []

    def run(asked: Command) -> Ran:
        ran.append(asked)
        done = printed_by(guest, root, asked.line)
        return Ran(exit_code=done.returncode, output=done.stdout, seconds=1.5)

    guest.runner = run
    return ran


def files_in(lab: Lab, vm: str) -> list[str]:
    """Files that were left in a guest."""
    return list(lab.sim.find("VirtualMachine", vm).guest_os.files)


def asked_of_guests(lab: Lab) -> list[str]:
    """Methods that reached into guests, or were refused there."""
    return [entry.method for entry in lab.sim.journal.in_guest()]
