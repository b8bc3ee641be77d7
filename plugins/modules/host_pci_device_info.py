#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_pci_device_info
short_description: Show the PCI devices of ESXi hosts and whether they can be, are and may be passed through
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Reads the PCI devices of one, several or all ESXi hosts in a handful of calls, whatever their number.
  - For every device it tells identity, capable, enabled, active and pending, the functions that go with it, the VMs that use it, and why
    it should not be taken away from the host.
  - When no device of a host is capable although there are candidates, it says that VT-d or AMD-Vi is probably off in firmware.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes.INFO_MODULE
  - directpath.vsphere.selectors.HOSTS
  - directpath.vsphere.selectors.DEVICES
options:
  include:
    description:
      - Which devices are shown, before O(devices) narrows them down.
      - V(candidates) is all but bridges, V(capable) those that can be passed through, V(enabled) those that are configured or in force.
    type: str
    choices: [candidates, capable, enabled, all]
    default: candidates
  gather_vms:
    description: Whether to read which VMs use the devices. One more bulk read.
    type: bool
    default: true
  gather_protection:
    description: Whether to read what the hosts live on (uplinks, boot and datastore disks). One more, large, bulk read.
    type: bool
    default: true
  gather_partitions:
    description:
      - Whether to ask every host for the partition tables of its local disks as well, one call a host. Without it a local disk that
        holds no known volume counts as protected, as it may hold something.
      - M(directpath.vsphere.host_passthrough) asks by itself, where it is about to take a storage device.
    type: bool
    default: false
seealso:
  - module: directpath.vsphere.host_passthrough
"""

EXAMPLES = r"""
- name: Every device of one host
  directpath.vsphere.host_pci_device_info:
    hosts: [esx-01]

- name: All A100 cards of a cluster, wherever they are
  directpath.vsphere.host_pci_device_info:
    cluster: [gpu-a]
    devices:
      - match: "10de:20f1"
        count: all
  register: a100

- name: Which hosts of the vCenter owe a reboot
  directpath.vsphere.host_pci_device_info:
    include: enabled
    gather_protection: false
  register: fleet
"""

RETURN = r"""
hosts:
  description: The hosts, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    name: {description: "Name of the host, or its path with a slash before it where several have that name.", type: str, returned: always}
    moid: {description: Managed object id., type: str, returned: always}
    path: {description: Inventory path of the host., type: str, returned: always, sample: DC1/host/gpu/esx-01.lab}
    cluster: {description: "Name of its cluster, or its path with a slash before it where several have that name; null for a host of its
      own.", type: str, returned: always}
    version: {description: ESXi version., type: str, returned: always}
    connection_state: {description: What is shown of a host that is not connected is old., type: str, returned: always}
    in_maintenance_mode: {description: Whether it is in maintenance mode., type: bool, returned: always}
    reboot_required: {description: Whether a device of it waits for a reboot., type: bool, returned: always}
    rebind_without_reboot: {description: Whether the host says that it can apply a change at once; null when it does not say.,
      type: bool, returned: always}
    iommu: {description: "V(on), V(probably_off) or V(unknown). No property says it, so it is inferred from the devices.", type: str,
      returned: always}
    devices_in_use: {description: Devices that running virtual machines refer to; null when virtual machines were not read., type: int,
      returned: always}
    device_limit: {description: Most of them at the same time; null when the release has no such limit., type: int, returned: always}
    hints: {description: Sentences worth reading., type: list, elements: str, returned: always}
    devices: {description: The devices, type: list, elements: dict, returned: always,
      sample: [{address: "0000:3b:00.0", ids: "10de:20f1", name: "GA100 [A100 PCIe 40GB]", state: active, capable: true, enabled: true,
        active: true, pending: false, group: ["0000:3b:00.0"], protected: [], vms: []}]}
calls:
  description: Round trips this took.
  returned: always
  type: int
logins:
  description: Logins this took; none where a shared session was taken up.
  returned: always
  type: int
"""

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.arguments import DEVICES, HOSTS
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import Job, run, show_only
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.host_pci_device_info import (
    HostQuery,
    observe,
    render,
)

ARGUMENTS = {
    **HOSTS,
    **DEVICES,
    "include": {"type": "str", "choices": ["candidates", "capable", "enabled", "all"], "default": "candidates"},
    "gather_vms": {"type": "bool", "default": True},
    "gather_protection": {"type": "bool", "default": True},
    "gather_partitions": {"type": "bool", "default": False},
}


def main() -> None:
    run(Job(arguments=ARGUMENTS, parse=HostQuery.of, observe=observe, plan=show_only, render=render))


if __name__ == "__main__":
    main()
