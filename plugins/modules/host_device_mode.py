#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_device_mode
short_description: Set the device mode of PCI devices of ESXi hosts (vSphere 9.1)
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Sets the device mode of PCI devices, which vSphere has from 9.1 on. The mode says who gets a device, and how - the host, virtual
    machines as a whole device (DirectPath or Enhanced DirectPath), or virtual machines that share it (NVIDIA vGPU of the same size or of
    mixed sizes).
  - Reads modes over the same bulk read as all other modules. Writes them over the Automation API (REST) of vCenter, which is the only way
    to write them. An ESXi host that is managed directly has no such API.
  - Refuses a mode that the device does not offer, a device that a virtual machine uses, and a device that the host depends on. The
    message lists the modes that the device offers.
  - What a change needs to take effect (nothing, maintenance mode or a reboot of the host) is known only after the change, from the
    answer of vCenter. So check mode cannot predict it, and returns null.
  - Writes only to hosts that differ. Immediately before each write it reads the host again and plans again. It also reads the modes of the
    device over the Automation API, and sends no mode that vCenter does not list for the device.
  - A refused host does not stop the changes on other hosts. The task fails at the end if a host was refused.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes
  - directpath.vsphere.selectors.HOSTS
  - directpath.vsphere.pace
options:
  devices:
    description:
      - The devices and their modes. Each entry has a C(match), as in M(directpath.vsphere.host_passthrough), and a C(mode).
      - An entry is for every device of the host that matches. They must all be of one model.
      - The modes are V(none) (the device is not used), V(host), V(directpath), V(enhanced_directpath), V(vgpu_same_size) and
        V(vgpu_mixed_size). M(directpath.vsphere.host_pci_device_info) lists the modes that each device offers.
      - The mode C(SYSTEM_SELECT) of the API is not accepted. It lets vSphere choose another mode, so it cannot be compared with anything.
    type: list
    elements: raw
  targets:
    description: Different devices for different hosts, in one call. Replaces O(hosts), O(cluster) and O(devices).
    type: list
    elements: dict
    suboptions:
      hosts:
        description: As O(hosts).
        type: list
        elements: str
        aliases: [esxi_hostname]
      cluster:
        description: As O(cluster).
        type: list
        elements: str
        aliases: [cluster_name]
      devices:
        description: As O(devices).
        type: list
        elements: raw
  on_missing:
    description: Whether a host that lacks a device is refused (V(fail)) or skipped (V(skip)).
    type: str
    choices: [fail, skip]
    default: fail
  allow_protected:
    description:
      - Protected devices that may be taken from the host, as in M(directpath.vsphere.host_passthrough). The message of the refusal contains
        the exact text.
    type: list
    elements: str
    default: []
  ignore_unreadable_vms:
    description:
      - Virtual machines, by name, inventory path or managed object id, whose devices cannot be read, and that you know to hold no
        passthrough device. Until it is known which devices they use, no mode of a device of their host is changed.
    type: list
    elements: str
    default: []
  unknown_names:
    description:
      - What to do about an entry of O(allow_protected) or O(ignore_unreadable_vms) whose host or virtual machine does not exist here.
        The entry has no effect.
      - V(warn) warns. V(only_if_refused) warns only if something is refused that such an entry could allow. Set it for a list that is for
        several vCenters. The roles do.
    type: str
    choices: [warn, only_if_refused]
    default: warn
  settle_timeout:
    description: Seconds to wait until the host shows the new mode.
    type: int
    default: 30
  task_timeout:
    description: Seconds to wait until the task that changes one device has ended.
    type: int
    default: 300
seealso:
  - module: directpath.vsphere.host_passthrough
  - module: directpath.vsphere.host_pci_device_info
  - module: directpath.vsphere.host_rolling_reboot
"""

EXAMPLES = r"""
- name: Let the A100 cards of a cluster serve vGPUs of mixed sizes
  directpath.vsphere.host_device_mode:
    cluster: [nine]
    devices:
      - match: "10de:20f1"
        mode: vgpu_mixed_size
  register: modes

- name: Give the cards back to the host
  directpath.vsphere.host_device_mode:
    hosts: [esx9-01]
    devices: [{match: "10de:20f1", mode: host}]
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
    reboot_required: {description: "Whether vCenter reported that a change requires a reboot, or a selected device has a pending reboot.
      Null in check mode for a host with changes, because it is not known beforehand.", type: bool, returned: always}
    maintenance_mode_required: {description: "Whether vCenter reported that a change takes effect after maintenance mode. Null in check mode
      for a host with changes.", type: bool, returned: always}
    pending: {description: Addresses of selected devices with a pending reboot., type: list, elements: str, returned: always}
    impacts: {description: "The impacts of the changes, each with address, mode and impacts - a list of V(maintenance_mode) and V(reboot),
      empty for none, null when it is not known.", type: list, elements: dict, returned: always}
    next: {description: "The command to run next; null when nothing is left to do.", type: str, returned: always}
    overridden: {description: "Protected devices that O(allow_protected) allows, each with address, device (its identity), override and
      reasons.", type: list, elements: dict, returned: always}
    devices: {description: "The selected devices, as in M(directpath.vsphere.host_pci_device_info).", type: list, elements: dict,
      returned: always}
    blockers: {description: "Why the host was refused, each with code, message, C(cure) (the fix) and candidates.", type: list,
      elements: dict, returned: always}
    warnings: {description: Warnings about this host., type: list, elements: str, returned: always}
reboot_required:
  description: Names of the hosts that require a reboot.
  returned: always, once hosts were read
  type: list
  elements: str
maintenance_mode_required:
  description: Names of the hosts that must go through maintenance mode, and need no reboot.
  returned: always, once hosts were read
  type: list
  elements: str
changes:
  description: The changes. Check mode lists the same changes as a real run.
  returned: always, once hosts were read
  type: list
  elements: dict
  sample: [{target: esx9-01, kind: device_mode, subject: "0000:3b:00.0", before: {mode: host}, after: {mode: vgpu_mixed_size}}]
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
    DEVICES,
    HOSTS,
    PACE,
    TARGETS,
    UNKNOWN_NAMES,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.job import Job
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import run
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.host_device_mode import (
    DeviceModeRequest,
    apply,
    observe,
    plan,
    predict,
    render,
)

ARGUMENTS = {
    **HOSTS,
    **DEVICES,
    **TARGETS,
    **PACE,
    "on_missing": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
    "allow_protected": {"type": "list", "elements": "str", "default": []},
    "ignore_unreadable_vms": {"type": "list", "elements": "str", "default": []},
    **UNKNOWN_NAMES,
    "settle_timeout": {"type": "int", "default": 30},
    "task_timeout": {"type": "int", "default": 300},
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
            parse=DeviceModeRequest.of,
            observe=observe,
            plan=plan,
            apply=apply,
            render=render,
            predict=predict,
        )
    )


if __name__ == "__main__":
    main()
