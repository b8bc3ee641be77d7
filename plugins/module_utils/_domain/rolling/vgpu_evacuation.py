# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of vSphere without which VMs with vGPUs do not leave a host that is evacuated. PRIVATE to the collection.

A VM with a vGPU is migrated only if vCenter allows it (``vgpu.hotmigrate.enabled``). That DRS also moves it by itself is a setting of the
cluster (``VgpuMMAutomationTimeoutSecs``), which is a reason why a host is not rebooted: see ``state.pinned``.
"""

from __future__ import annotations

from collections.abc import Collection

from ..facts import Fact, Unknown
from ..text import several
from .state.observed import ObservedFleet

HOT_MIGRATION = "vgpu.hotmigrate.enabled"
_SHOWN = 8


def vms_with_vgpus(observed: ObservedFleet, hosts: Collection[str]) -> tuple[str, ...]:
    """Names of the running VMs with vGPUs on these hosts (ids), sorted."""
    return tuple(
        sorted(vm.name for vm in observed.vms if vm.vgpu and vm.power_state == "poweredOn" and vm.host_moid in hosts)
    )


def vgpu_advice(names: Collection[str], hot_migration: Fact[str]) -> tuple[str, ...]:
    """Warnings about the setting of vCenter. ``names``: VMs with vGPUs that would be migrated; without one there is nothing to advise."""
    if not names:
        return ()
    those = f"{several(sorted(names), _SHOWN)} {'has' if len(names) == 1 else 'have'} vGPUs"
    if isinstance(hot_migration, Unknown):
        return (
            f"{those}, and it is unknown whether vCenter migrates such VMs: {hot_migration.gap}. Check that its advanced setting "
            f"{HOT_MIGRATION} is true",
        )
    if hot_migration.strip().casefold() == "true":
        return ()
    found = f"is {hot_migration}" if hot_migration.strip() else "is not set"
    return (
        f"{those}, and vCenter migrates such VMs only if its advanced setting {HOT_MIGRATION} is true: it {found}. Set it (vCenter > "
        "Configure > Advanced Settings), or power these VMs off before their hosts are evacuated",
    )
