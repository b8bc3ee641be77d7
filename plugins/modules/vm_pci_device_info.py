#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vm_pci_device_info
short_description: List the passthrough devices and the memory reservation of virtual machines
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Reads the passthrough devices of given virtual machines, or of all virtual machines on hosts and clusters, in a few API calls.
  - Returns every kind of backing - fixed, dynamic, vGPU, DVX, SR-IOV. Backings of later vSphere releases are V(unknown).
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes.INFO_MODULE
  - directpath.vsphere.selectors.HOSTS
options:
  vms:
    description:
      - Virtual machines by name, inventory path or managed object id. A string that matches two of them is refused.
      - The default is the virtual machines on O(hosts) and O(cluster), or all.
    type: list
    elements: str
    aliases: [vm]
  on_missing:
    description:
      - What to do if a name in O(vms) matches no virtual machine. V(fail) fails, V(skip) returns the name in RV(missing).
    type: str
    choices: [fail, skip]
    default: fail
  include:
    description: Whether to return virtual machines without passthrough devices too. Those in O(vms) are always returned.
    type: str
    choices: [with_devices, all]
    default: with_devices
seealso:
  - module: directpath.vsphere.vm_pci_device
"""

EXAMPLES = r"""
- name: List the devices of one VM
  directpath.vsphere.vm_pci_device_info:
    vms: [train-01]

- name: List every VM of the vCenter that holds a device
  directpath.vsphere.vm_pci_device_info:
  register: holders
"""

RETURN = r"""
vms:
  description: The virtual machines, sorted by inventory path.
  returned: success
  type: list
  elements: dict
  contains:
    name: {description: Name., type: str, returned: always}
    moid: {description: Managed object id., type: str, returned: always}
    path: {description: Inventory path., type: str, returned: always}
    host: {description: Host on which it is registered., type: str, returned: always}
    cluster: {description: Cluster of that host., type: str, returned: always}
    power_state: {description: Power state., type: str, returned: always}
    hardware_version: {description: Hardware version as a number., type: int, returned: always}
    firmware: {description: "V(bios) or V(efi).", type: str, returned: always}
    memory: {description: "Size, reservation and limit in MB, and whether all of it is reserved and stays so when the size changes.",
      type: dict, returned: always}
    latency_sensitivity: {description: Level of latency sensitivity. Null when it could not be read., type: str, returned: always}
    cpu_reservation_mhz: {description: CPU reservation in MHz. Null when it could not be read., type: int, returned: always}
    devices: {description: Passthrough devices. C(numa_node) is the virtual NUMA node; null for none., type: list, elements: dict,
      returned: always, sample: [{key: 13000, label: PCI device 0, backing: fixed, group: null, numa_node: null,
        address: "0000:3b:00.0", vendor_id: 10de, device_id: 20f1}]}
    uuid: {description: SMBIOS UUID. The guest shows the same one in one of two byte orders., type: str, returned: always}
    created: {description: When it was created. Null for one from before vSphere 6.7., type: str, returned: always}
    shared_devices:
      description: Fixed devices that another virtual machine of this result on the same host has, too. One of them is probably a clone.
        C(probable_clone) is the name of the one that was created later, or null if the dates do not show it.
      type: list
      elements: dict
      returned: always
      sample: [{address: "0000:3b:00.0", vm: train-02, moid: vm-8, probable_clone: train-02}]
    extra_config: {description: "Settings for 64-bit MMIO, and of single devices (C(pciPassthruN.cfg)).", type: dict,
      returned: always}
found:
  description: A mapping of each name in O(vms) to the managed object id of its virtual machine.
  returned: success
  type: dict
  sample: {train-01: vm-7}
missing:
  description: A mapping of each name in O(vms) that matches no virtual machine to similar names.
  returned: success
  type: dict
  sample: {trian-01: [train-01]}
calls:
  description: Number of API calls.
  returned: always
  type: int
logins:
  description: Number of logins. 0 when a shared session was reused.
  returned: always
  type: int
"""

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.arguments import HOSTS
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import InfoJob, run
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.vm_pci_device_info import (
    VmQuery,
    observe,
    render,
)

ARGUMENTS = {
    **HOSTS,
    "vms": {"type": "list", "elements": "str", "aliases": ["vm"]},
    "on_missing": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
    "include": {"type": "str", "choices": ["with_devices", "all"], "default": "with_devices"},
}
CONSTRAINTS = {"mutually_exclusive": [("vms", "hosts"), ("vms", "cluster")]}


def main() -> None:
    run(
        InfoJob(
            arguments=ARGUMENTS,
            constraints=CONSTRAINTS,
            parse=VmQuery.of,
            observe=observe,
            render=render,
        )
    )


if __name__ == "__main__":
    main()
