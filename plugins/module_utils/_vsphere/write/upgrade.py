# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Upgrade the hardware version of a VM. PRIVATE to the collection."""

from __future__ import annotations

from ..._domain.observed.vms import Vm
from ..property_collector.wait import wait_for_task
from ..sdk import vim
from ..session.connect import Session
from ..session.faults import explained

UPGRADE_TIMEOUT = 600.0
"""Seconds that an upgrade may take."""


def upgrade_hardware(session: Session, vm: Vm, version: int) -> str:
    """Upgrade a powered-off VM. Returns what was done, as a clause. Raises DirectPathError."""
    with explained("upgrade the hardware version of {}", vm.name):
        task = session.reference(vim.VirtualMachine, vm.moid).UpgradeVM_Task(f"vmx-{version:02d}")
        wait_for_task(session, task, doing="upgrade the hardware version of {}", on=vm.name, timeout=UPGRADE_TIMEOUT)
    return f"its hardware version was upgraded from {vm.hardware_version} to {version}, which cannot be reverted"
