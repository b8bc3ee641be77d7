# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What vm_guest_info promises, as data for the tests of all modules."""

from __future__ import annotations

from typing import Any

from tests.unit.modules.bad_input.cases import Case
from tests.unit.modules.contracts import Contract, Scenario
from tests.unit.modules.harness import Lab

MODULE = "vm_guest_info"
ROOT: dict[str, Any] = {"guest_user": "root", "guest_password": "Guest1!"}


def guests() -> Lab:
    return Lab.load("guests")


CONTRACT = Contract(
    module=MODULE,
    call={"vms": ["web"], "on_error": "report", **ROOT},
    scenarios={
        "guests": Scenario(MODULE, {"vms": ["train-01", "infer-01"], **ROOT}, 0, lab="guests"),
        "exit codes in guests": Scenario(
            MODULE,
            {"vms": ["train-01"], "gather": "exit_codes", "commands": ["grep -l 0x20f1 /sys"], **ROOT},
            0,
            lab="guests",
        ),
        "guests that cannot be read": Scenario(
            MODULE, {"vms": ["bare-01", "train-01"], "on_error": "report", **ROOT}, 0, lab="guests"
        ),
    },
    bad_input=(
        Case(
            module=MODULE,
            title="a VM that does not exist",
            options={"vms": ["trian-01"], **ROOT},
            code="unknown_vm",
            says=("trian-01", "train-01"),
            lab=guests,
        ),
        Case(
            module=MODULE,
            title="no VM",
            options={"vms": [], **ROOT},
            code="no_vms",
            says=("Name at least one VM",),
            lab=guests,
        ),
        Case(
            module=MODULE,
            title="exit codes of no command",
            options={"vms": ["train-01"], "gather": "exit_codes", **ROOT},
            code="no_commands",
            says=("commands", "gather: report"),
            lab=guests,
        ),
        Case(
            module=MODULE,
            title="commands that do not fit into a command line",
            options={"vms": ["train-01"], "gather": "exit_codes", "commands": ["true " * 30_000], **ROOT},
            shown="commands: 150 KB",
            code="guest_command_too_long",
            says=("Put the commands into a script in the guest",),
            lab=guests,
        ),
        Case(
            module=MODULE,
            title="the wrong password of a guest",
            options={"vms": ["train-01"], "guest_user": "root", "guest_password": "Guest2!"},
            shown="vms: [train-01], guest_user: root",
            code="guest_login_refused",
            says=("train-01", "guest_password"),
            lab=guests,
        ),
        Case(
            module=MODULE,
            title="a guest without VMware Tools",
            options={"vms": ["bare-01"], **ROOT},
            shown="vms: [bare-01]",
            code="guest_tools_missing",
            says=("bare-01", "open-vm-tools"),
            lab=guests,
        ),
        Case(
            module=MODULE,
            title="the wrong operating system",
            options={"vms": ["train-01"], "os": "windows", **ROOT},
            shown="vms: [train-01], os: windows",
            code="guest_no_shell",
            says=("check os",),
            lab=guests,
            setup=lambda lab: lab.sim.events["set_guest"](
                vm="train-01", programs=[{"command": "powershell", "fault": "FileNotFound"}]
            ),
        ),
    ),
)
