# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which capabilities of compute policies stop VMs."""

from __future__ import annotations

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.compute_policies import stops_vms

PREFIX = "com.vmware.vcenter.compute.policies.capabilities."


@pytest.mark.parametrize(
    ("capability", "clause"),
    [
        ("vm.evacuation.best_effort_restart", "compute policy P"),
        ("vm.evacuation.vmotion", ""),
        ("vm_host_affinity", ""),
        ("vm_host_anti_affinity", ""),
        ("vm_vm_affinity", ""),
        ("vm_vm_anti_affinity", ""),
        ("disable_drs_vmotion", ""),
        ("cluster_scale_in_ignore_vm_capabilities", ""),
        ("vm.placement.span.limit.number_of_hosts_plus_one_for_maintenance", ""),
        ("vm.evacuation.power_off", "not known here"),
        ("vm.evacuation.vmotion_or_else", "not known here"),
        ("vm.PowerOff", "not known here"),
        ("vm.maintenance.restart", "not known here"),
    ],
)
def test_unknown_is_not_harmless(capability: str, clause: str) -> None:
    found = stops_vms(PREFIX + capability, "P")
    assert (clause in found) if clause else found == ""
    assert ("not known" in found) == ("not known" in clause)
