# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a compute policy of vCenter does with a VM whose host is evacuated, by the id of its capability. PRIVATE to the collection."""

from __future__ import annotations

import re

BEST_EFFORT_RESTART = "com.vmware.vcenter.compute.policies.capabilities.vm.evacuation.best_effort_restart"
"""The guest is shut down or the VM is powered off, and started elsewhere as soon as possible (API reference, since 8.0 U3)."""
BY_VMOTION = "com.vmware.vcenter.compute.policies.capabilities.vm.evacuation.vmotion"
"""The VM is migrated or stays as it is (API reference)."""
_MAY_STOP = re.compile("evacuat|power|restart|shut|suspend", re.IGNORECASE)
"""The guide of vSphere 8.0 describes a policy that powers VMs off, and the API reference does not show its id."""


def stops_vms(capability: str, name: str) -> str:
    """A clause for the VMs of the policy: which policy stops them. Empty if it does not stop any.

    A capability that is not known, and is about evacuation or power by its id, counts as one that stops them.
    """
    if capability == BEST_EFFORT_RESTART:
        return f"compute policy {name}"
    if capability == BY_VMOTION or not _MAY_STOP.search(capability):
        return ""
    return f"compute policy {name}, whose capability {capability} is not known here and may do so"
