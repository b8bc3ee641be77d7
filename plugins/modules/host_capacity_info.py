#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_capacity_info
short_description: Count free, used, and pending devices of ESXi hosts, and what a failed host would mean
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Counts the PCI functions that virtual machines can have, by model, host, and NUMA node, and what each of them is doing.
  - Returns for each host of a cluster which of its virtual machines vSphere HA could restart elsewhere with their devices if the host
    failed. Admission control of HA does not count devices.
  - Answers where a set of devices fits, with O(fit).
  - Needs no desired state, and never writes. The number of calls does not grow with the number of hosts, but for
    further pages of large answers.
  - A function whose state cannot be decided counts as V(unknown), never as free.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes.INFO_MODULE
  - directpath.vsphere.selectors.HOSTS
options:
  include:
    description:
      - Which models to return. V(configured) returns the models of which a function is enabled, in use, shared, or waits for a reboot on
        one of the hosts. V(capable) returns all models that a host can pass through.
    type: str
    choices: [configured, capable]
    default: configured
  fit:
    description:
      - Devices of one virtual machine, as in O(directpath.vsphere.vm_pci_device#module:devices), such as four cards of one model. All of
        them must be on one host.
    type: list
    elements: raw
  ignore_unreadable_vms:
    description:
      - Virtual machines, by name, inventory path or managed object id, whose devices cannot be read, and that you know to hold no
        passthrough device. Without it, the free functions of their hosts count as unknown.
    type: list
    elements: str
    default: []
  unknown_names:
    description:
      - What to do about an entry of O(ignore_unreadable_vms) whose virtual machine does not exist here. The entry has no effect.
      - V(warn) warns. V(only_if_refused) warns only if functions are unknown because of a virtual machine. Set it for a list that is for
        several vCenters. The playbook does.
    type: str
    choices: [warn, only_if_refused]
    default: warn
seealso:
  - module: directpath.vsphere.host_pci_device_info
  - module: directpath.vsphere.drift_info
"""

EXAMPLES = r"""
- name: Count the devices of all hosts
  directpath.vsphere.host_capacity_info:
  register: capacity

- name: Find the hosts where a VM with two A100 fits
  directpath.vsphere.host_capacity_info:
    cluster: [gpu-a]
    fit:
      - match: "10de:20f1"
        count: 2
  register: room
"""

RETURN = r"""
stock:
  description: "One entry for each host, model, hardware label, and NUMA node. The numbers from C(free) to C(unknown) add up to C(total)."
  returned: success
  type: list
  elements: dict
  contains:
    host: {description: "Name of the host, or its path with a leading slash if the name is not unique.", type: str, returned: always}
    moid: {description: Managed object id of the host., type: str, returned: always}
    cluster: {description: Name of its cluster; null for a standalone host., type: str, returned: always}
    model: {description: Vendor and device id., type: str, returned: always, sample: "10de:20f1"}
    name: {description: Name of the model., type: str, returned: always}
    label: {description: Hardware label; null without one., type: str, returned: always}
    kind: {description: "V(card), or V(virtual_function) of an SR-IOV card.", type: str, returned: always}
    numa_node: {description: NUMA node of the host; null when the host does not report it., type: int, returned: always}
    total: {description: Number of functions., type: int, returned: always}
    free: {description: "Active, and no virtual machine has it.", type: int, returned: always}
    used: {description: A running virtual machine uses it., type: int, returned: always}
    held: {description: A fixed device of a virtual machine that is powered off., type: int, returned: always}
    pending: {description: "Enabled, and active after the pending reboot of its host.", type: int, returned: always}
    leaving: {description: "Disabled, and active until the host reboots.", type: int, returned: always}
    "off": {description: "Can be passed through, and is not enabled.", type: int, returned: always}
    shared: {description: A GPU that vGPUs share., type: int, returned: always}
    out_of_service: {description: "The host is in maintenance mode, or no longer offers the device.", type: int, returned: always}
    unknown: {description: The state cannot be decided. RV(unknown) says why., type: int, returned: always}
unknown:
  description: Hosts with functions whose state is unknown, with C(host), C(moid), and C(why).
  returned: success
  type: list
  elements: dict
failures:
  description:
    - What the failure of a host would mean, for each cluster, with C(cluster), C(moid), C(ha_enabled) (null when it cannot be read) and
      C(hosts).
    - Null when single hosts are selected, because the other hosts of their clusters are not read.
  returned: success
  type: list
  elements: dict
  contains:
    hosts:
      description: The hosts with running virtual machines that have passthrough devices. Each list has names of such virtual machines.
      type: list
      elements: dict
      returned: always
      contains:
        host: {description: Name of the host., type: str, returned: always}
        moid: {description: Its managed object id., type: str, returned: always}
        restarts: {description: Another host has their devices free., type: list, elements: str, returned: always}
        stuck: {description: No other host has their devices free., type: list, elements: str, returned: always}
        tied: {description: They have a device that is on this host only., type: list, elements: str, returned: always}
        unknown: {description: "They have vGPU or DVX devices, whose capacity is not counted, or a host of the cluster cannot be read.",
          type: list, elements: str, returned: always}
fit:
  description: Each host, those where the devices of O(fit) fit now first, and the fullest of them first. Null without O(fit).
  returned: success
  type: list
  elements: dict
  contains:
    host: {description: Name of the host., type: str, returned: always}
    moid: {description: Its managed object id., type: str, returned: always}
    cluster: {description: Name of its cluster; null for a standalone host., type: str, returned: always}
    when: {description: "V(now), V(after_maintenance) (the host is in maintenance mode), V(after_reboot) (pending devices),
        V(after_enabling) (devices that are off), V(after_power_off) (devices of other virtual machines, or that vGPUs share), V(unknown)
        or V(no).", type: str, returned: always}
    sets: {description: Number of such virtual machines for which the host has the devices free now., type: int, returned: always}
    numa_nodes: {description: NUMA nodes that have all devices of one such virtual machine free now., type: list, elements: int,
      returned: always}
calls:
  description: Number of API calls.
  returned: always
  type: int
logins:
  description: Number of logins. 0 when a shared session was reused.
  returned: always
  type: int
"""

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.arguments import HOSTS, UNKNOWN_NAMES
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import InfoJob, run
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.host_capacity_info import (
    CapacityRequest,
    observe,
    render,
)

ARGUMENTS = {
    **HOSTS,
    "include": {"type": "str", "choices": ["configured", "capable"], "default": "configured"},
    "fit": {"type": "list", "elements": "raw"},
    "ignore_unreadable_vms": {"type": "list", "elements": "str", "default": []},
    **UNKNOWN_NAMES,
}


def main() -> None:
    run(InfoJob(arguments=ARGUMENTS, parse=CapacityRequest.of, observe=observe, render=render))


if __name__ == "__main__":
    main()
