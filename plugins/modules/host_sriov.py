#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_sriov
short_description: Set the number of virtual functions of NICs on ESXi hosts
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Sets how many virtual functions (VFs) the physical functions (PFs) of SR-IOV NICs provide, on one host, on a list of hosts or on whole
    clusters in one call. A PF is one port of a NIC. Select it by vmnic name, or by model, address and other properties.
  - A number takes effect at the next reboot of the host, as the vSphere networking guide says. A host that does it at once is reported as
    such. A number that is configured but not in effect is a pending reboot, not a change.
  - Refuses a number that the host does not support for the function, and a function that is passed through. Refuses to lower a number
    below the VFs that virtual machines use, whether they run or not.
  - Warns if a parameter of the driver (C(max_vfs)) sets another number, and if the host has too few interrupt vectors.
  - Writes only to hosts that differ. Immediately before each write it reads the host again (also its switches and the virtual machines
    on it) and plans again. It writes only if the new plan contains nothing but the planned change.
  - A refused host does not stop the changes on other hosts. The task fails at the end if a host was refused.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes
  - directpath.vsphere.selectors.HOSTS
  - directpath.vsphere.pace
options:
  devices:
    description:
      - The physical functions, and the number of virtual functions of each. An entry is a mapping of C(virtual_functions) and one of
        C(match) and C(vmnic). The variables of the desired state take the same entries.
      - C(virtual_functions) is the number for every function that the entry selects. V(0) turns SR-IOV off.
      - C(vmnic) selects a physical NIC by name, such as V(vmnic4).
      - C(match) selects functions as in M(directpath.vsphere.host_passthrough). They must be of one model.
    type: list
    elements: dict
  targets:
    description:
      - Several sets of hosts, each with its own devices, in one call. A host that several entries name gets the devices of all of them.
      - Use it in place of O(hosts), O(cluster) and O(devices).
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
      devices:
        description: Devices of these hosts, as in O(devices).
        type: list
        elements: dict
  apply:
    description:
      - When a change takes effect. V(auto) lets the host decide, but delays the change of an uplink until the next reboot.
      - V(now) is refused on hosts that cannot change devices without a reboot, and for uplinks. V(reboot) delays every change until the
        next reboot.
    type: str
    choices: [auto, now, reboot]
    default: auto
  on_missing:
    description: Whether a host that lacks a device is refused (V(fail)) or skipped (V(skip)).
    type: str
    choices: [fail, skip]
    default: fail
  ignore_unreadable_vms:
    description:
      - Virtual machines, by name, inventory path or managed object id, that you know to use no virtual function of the selected functions,
        although their devices cannot be read, or it is unknown which physical function they use.
      - The physical function is unknown if vSphere chooses it when the virtual machine is powered on.
    type: list
    elements: str
    default: []
  unknown_names:
    description:
      - What to do about an entry of O(ignore_unreadable_vms) whose virtual machine does not exist here. The entry has no effect.
      - V(warn) warns. V(only_if_refused) warns only if something is refused that such an entry could allow. Set it for a list that is for
        several vCenters. The roles do.
    type: str
    choices: [warn, only_if_refused]
    default: warn
  settle_timeout:
    description: Seconds to wait until the host shows a change.
    type: int
    default: 30
seealso:
  - module: directpath.vsphere.host_passthrough
  - module: directpath.vsphere.host_pci_device_info
  - module: directpath.vsphere.host_rolling_reboot
"""

EXAMPLES = r"""
- name: Eight virtual functions on each port of every X710 of a cluster
  directpath.vsphere.host_sriov:
    cluster: [gpu-a]
    devices:
      - match: "8086:1572"
        virtual_functions: 8

- name: Different NICs on different hosts, in one call
  directpath.vsphere.host_sriov:
    targets:
      - hosts: [esx-01]
        devices: [{vmnic: vmnic2, virtual_functions: 16}, {vmnic: vmnic3, virtual_functions: 16}]
      - hosts: [esx-02]
        devices: [{match: {name: "*X710*"}, virtual_functions: 4}]

- name: Turn SR-IOV off
  directpath.vsphere.host_sriov:
    cluster: [gpu-a]
    devices: [{match: "8086:1572", virtual_functions: 0}]
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
    reboot_required: {description: "Whether a device of the host requires a reboot. In check mode, whether one would.", type: bool,
      returned: always}
    pending: {description: Addresses of selected functions with a pending reboot., type: list, elements: str, returned: always}
    devices: {description: "The selected functions, as in M(directpath.vsphere.host_pci_device_info).", type: list, elements: dict,
      returned: always}
    blockers: {description: "Why the host was refused, each with code, message, C(cure) (the fix) and candidates.", type: list,
      elements: dict, returned: always}
    warnings: {description: Warnings about this host., type: list, elements: str, returned: always}
reboot_required:
  description: Names of the hosts that require a reboot. In check mode, of those that would.
  returned: always, once hosts were read
  type: list
  elements: str
changes:
  description: The changes. Check mode lists the same changes as a real run.
  returned: always, once hosts were read
  type: list
  elements: dict
  sample: [{target: esx-01, kind: sriov, subject: "0000:3b:00.0", before: {virtual_functions: 0}, after: {virtual_functions: 8}}]
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

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.arguments import (
    HOSTS,
    PACE,
    UNKNOWN_NAMES,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.job import Job
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import run
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.host_sriov import (
    SriovRequest,
    apply,
    observe,
    plan,
    predict,
    render,
)

_DEVICES = {"devices": {"type": "list", "elements": "dict"}}
ARGUMENTS = {
    **HOSTS,
    **_DEVICES,
    "targets": {"type": "list", "elements": "dict", "options": {**HOSTS, **_DEVICES}},
    **PACE,
    "apply": {"type": "str", "choices": ["auto", "now", "reboot"], "default": "auto"},
    "on_missing": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
    "ignore_unreadable_vms": {"type": "list", "elements": "str", "default": []},
    **UNKNOWN_NAMES,
    "settle_timeout": {"type": "int", "default": 30},
}
CONSTRAINTS = {
    "mutually_exclusive": [("targets", "hosts"), ("targets", "cluster"), ("targets", "devices")],
    "required_one_of": [("targets", "hosts", "cluster")],
    "required_by": {"hosts": ["devices"], "cluster": ["devices"]},
}


def main() -> None:
    run(
        Job(
            arguments=ARGUMENTS,
            constraints=CONSTRAINTS,
            parse=SriovRequest.of,
            observe=observe,
            plan=plan,
            apply=apply,
            render=render,
            predict=predict,
        )
    )


if __name__ == "__main__":
    main()
