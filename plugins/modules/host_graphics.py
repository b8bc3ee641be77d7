#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_graphics
short_description: Set how the GPUs of ESXi hosts are shared (graphics type, vGPU mode)
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Sets the default graphics type and the assignment policy of hosts, and the graphics type and the vGPU mode of GPUs, on one host, on a
    list of hosts or on whole clusters in one call.
  - Compares what is configured and what is in effect. A graphics type takes effect when Xorg is restarted, or at a reboot of the host. What
    is configured and not in effect is reported as pending, with the way to put it in effect.
  - Restarts Xorg only with O(restart_xorg=true), and only while no running virtual machine has a vGPU or 3D graphics on the host. If that
    is unknown, the host is refused.
  - The API replaces the whole graphics configuration of a host. The module reads it again immediately before the write, and keeps what it
    was not asked to change.
  - Refuses GPUs that virtual machines use, and GPUs that follow no graphics setting, because they are passed through or have no driver of
    their vendor.
  - MIG mode and ECC are switched on the host with C(nvidia-smi). The API of vSphere cannot set them.
  - A refused host does not stop the changes on other hosts. The task fails at the end if a host was refused.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes
  - directpath.vsphere.selectors.HOSTS
  - directpath.vsphere.pace
options:
  default_type:
    description:
      - Graphics type of the GPUs that have no type of their own. V(shared) is virtual shared graphics (vSGA), V(shared_direct) is vendor
        shared passthrough graphics, which provides vGPUs.
      - Without it, the type is not changed.
    type: str
    choices: [shared, shared_direct]
  assignment_policy:
    description:
      - How the host assigns virtual machines to GPUs. V(performance) spreads them. V(consolidation) fills one GPU before the next one is
        used.
      - Without it, the policy is not changed.
    type: str
    choices: [performance, consolidation]
  devices:
    description:
      - GPUs with a type or a mode of their own. An entry is about all GPUs of a host that match.
      - C(match) selects GPUs as in M(directpath.vsphere.host_passthrough). Other functions of the same card that match are left out.
      - C(type) is V(shared) or V(shared_direct).
      - C(vgpu_mode) is V(same_size) (all vGPUs of a GPU have one profile at a time) or V(mixed_size). It requires C(type) V(shared_direct)
        and ESXi 8.0.3 or later.
      - C(type), C(vgpu_mode) or both must be given. What is left out is not changed.
    type: list
    elements: raw
  restart_xorg:
    description:
      - Whether Xorg may be restarted on the host, so that a graphics type takes effect without a reboot.
      - A vGPU mode that an earlier run wrote is no reason to restart Xorg. If it is still pending, it takes effect at the next reboot.
    type: bool
    default: false
  targets:
    description:
      - Several sets of hosts, each with its own settings, in one call. A host that several entries name gets the settings of all of them.
        Xorg is restarted there only if all of them allow it.
      - Use it in place of O(hosts), O(cluster) and the settings.
    type: list
    elements: dict
    suboptions:
      hosts:
        description: ESXi hosts by name, inventory path or managed object id.
        type: list
        elements: str
        aliases: [esxi_hostname]
      cluster:
        description: Clusters by name, inventory path or managed object id.
        type: list
        elements: str
        aliases: [cluster_name]
      default_type:
        description: As O(default_type), for these hosts.
        type: str
        choices: [shared, shared_direct]
      assignment_policy:
        description: As O(assignment_policy), for these hosts.
        type: str
        choices: [performance, consolidation]
      devices:
        description: As O(devices), for these hosts.
        type: list
        elements: raw
      restart_xorg:
        description: As O(restart_xorg), for these hosts.
        type: bool
        default: false
  on_missing:
    description: Whether a host that lacks a GPU of O(devices) is refused (V(fail)), or the entry is skipped there (V(skip)).
    type: str
    choices: [fail, skip]
    default: fail
  settle_timeout:
    description: Seconds to wait for a setting to take effect before the GPU is reported as pending.
    type: int
    default: 30
seealso:
  - module: directpath.vsphere.host_pci_device_info
  - module: directpath.vsphere.host_passthrough
  - module: directpath.vsphere.host_rolling_reboot
"""

EXAMPLES = r"""
- name: Let every A100 of a cluster provide vGPUs
  directpath.vsphere.host_graphics:
    cluster: [gpu-a]
    devices:
      - match: "10de:20f1"
        type: shared_direct
        vgpu_mode: mixed_size
    restart_xorg: true

- name: Fill one GPU after the other
  directpath.vsphere.host_graphics:
    cluster: [gpu-a]
    assignment_policy: consolidation

- name: Use the GPUs for virtual shared graphics again
  directpath.vsphere.host_graphics:
    cluster: [gpu-a]
    devices:
      - match: "10de:20f1"
        type: shared
    restart_xorg: true
"""

RETURN = r"""
hosts:
  description: The hosts, sorted by name.
  returned: always, once hosts were read
  type: list
  elements: dict
  contains:
    name: {description: "Name of the host, or its path with a leading slash if the name is not unique.", type: str, returned: always}
    moid: {description: Managed object id., type: str, returned: always}
    path: {description: Inventory path of the host., type: str, returned: always}
    cluster: {description: "Name of its cluster, or its path with a leading slash if the name is not unique; null for a standalone
      host.", type: str, returned: always}
    status: {description: "V(ok), V(changed), V(pending), V(refused), V(skipped), V(failed) or V(not_reached).", type: str,
      returned: always}
    in_maintenance_mode: {description: Whether it is in maintenance mode., type: bool, returned: always}
    reboot_required: {description: "Whether a setting of these GPUs is pending. A restart of Xorg may be enough. In check mode, whether one
      would be.", type: bool, returned: always}
    waiting: {description: "The pending settings as text; empty in check mode if the run would change the host.", type: list,
      elements: str, returned: always}
    graphics: {description: "Default type, assignment policy, offered vGPU profiles and GPUs, as in
      M(directpath.vsphere.host_pci_device_info).", type: dict, returned: always}
    blockers: {description: "Why the host was refused, each with code, message, C(cure) (the fix) and candidates.", type: list,
      elements: dict, returned: always}
    warnings: {description: Warnings about this host., type: list, elements: str, returned: always}
reboot_required:
  description: Names of the hosts with a pending setting. In check mode, of those that would have one.
  returned: always, once hosts were read
  type: list
  elements: str
changes:
  description: The changes. Check mode lists the same changes as a real run.
  returned: always, once hosts were read
  type: list
  elements: dict
  sample: [{target: esx-01, kind: graphics, subject: "0000:3b:00.0", before: {type: shared, vgpu_mode: null},
    after: {type: shared_direct, vgpu_mode: mixed_size}}]
not_done:
  description: Planned changes that were not made.
  returned: when something was written
  type: list
  elements: dict
error_code:
  description: Machine-readable reason of the failure.
  returned: failure
  type: str
calls:
  description: Number of API calls.
  returned: always, once hosts were read
  type: int
logins:
  description: Number of logins. 0 when a shared session was reused.
  returned: always, once hosts were read
  type: int
"""

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.arguments import GRAPHICS, HOSTS, PACE
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.job import Job
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import run
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.host_graphics import (
    GraphicsRequest,
    apply,
    observe,
    plan,
    predict,
    render,
)

ARGUMENTS = {
    **HOSTS,
    **GRAPHICS,
    **PACE,
    "targets": {"type": "list", "elements": "dict", "options": {**HOSTS, **GRAPHICS}},
    "on_missing": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
    "settle_timeout": {"type": "int", "default": 30},
}
CONSTRAINTS = {
    "mutually_exclusive": [
        ("targets", "hosts"),
        ("targets", "cluster"),
        ("targets", "devices"),
        ("targets", "default_type"),
        ("targets", "assignment_policy"),
    ],
    "required_one_of": [("targets", "hosts", "cluster")],
}


def main() -> None:
    run(
        Job(
            arguments=ARGUMENTS,
            constraints=CONSTRAINTS,
            parse=GraphicsRequest.of,
            observe=observe,
            plan=plan,
            apply=apply,
            render=render,
            predict=predict,
        )
    )


if __name__ == "__main__":
    main()
