#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_pci_device_info
short_description: List the PCI devices of ESXi hosts and their passthrough state
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Reads the PCI devices of one, several or all ESXi hosts. The number of API calls is small and does not grow with the number of hosts.
  - Returns for every device its identity, whether it is capable, enabled, active and pending, its reset group (functions that can only be
    reset together), the VMs that use it, and why it is protected.
  - When a host has passthrough candidates but no device is capable, reports that VT-d or AMD-Vi is probably off in the firmware.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes.INFO_MODULE
  - directpath.vsphere.selectors.HOSTS
  - directpath.vsphere.selectors.DEVICES
options:
  include:
    description:
      - Which devices to return. O(devices) filters them further.
      - V(candidates) is all except bridges. V(capable) is those that can be passed through. V(enabled) is those for which passthrough is
        configured or in effect.
    type: str
    choices: [candidates, capable, enabled, all]
    default: candidates
  gather_vms:
    description: Whether to read which VMs use the devices. This is one more bulk read.
    type: bool
    default: true
  gather_protection:
    description: Whether to read what the hosts depend on (uplinks, boot and datastore disks). This is one more, large, bulk read.
    type: bool
    default: true
  gather_partitions:
    description:
      - Whether to read the partition tables of the local disks as well. This is one call for each host. Without it, a local disk without a
        known volume is protected, because it may hold data.
      - M(directpath.vsphere.host_passthrough) reads them by itself before it enables passthrough of a storage device.
    type: bool
    default: false
  gather_offers:
    description: Whether to read what each host offers to virtual machines beside PCI devices - vGPU profiles, vendor device groups and DVX
      classes. This is one call for each host.
    type: bool
    default: false
  capacity:
    description:
      - Whether to return the DirectPath profiles of the vCenter (9.0 and later) and how many more devices can be given to virtual machines.
      - V(cluster) makes one call for each cluster, and for each selected host that is in none. V(host) makes one call for each selected
        host. Both make one call for the profiles, and one more bulk read of virtual machines. V(none) makes no call.
    type: str
    choices: [none, cluster, host]
    default: none
seealso:
  - module: directpath.vsphere.host_passthrough
"""

EXAMPLES = r"""
- name: List every device of one host
  directpath.vsphere.host_pci_device_info:
    hosts: [esx-01]

- name: List all A100 cards of a cluster
  directpath.vsphere.host_pci_device_info:
    cluster: [gpu-a]
    devices:
      - match: "10de:20f1"
        count: all
  register: a100

- name: How many more VMs with an A100 can each cluster run
  directpath.vsphere.host_pci_device_info:
    capacity: cluster
    gather_protection: false
  register: free

- name: Find the hosts of the vCenter that require a reboot
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
    name: {description: "Name of the host, or its path with a leading slash if the name is not unique.", type: str, returned: always}
    moid: {description: Managed object id., type: str, returned: always}
    path: {description: Inventory path of the host., type: str, returned: always, sample: DC1/host/gpu/esx-01.lab}
    cluster: {description: "Name of its cluster, or its path with a leading slash if the name is not unique; null for a standalone
      host.", type: str, returned: always}
    version: {description: ESXi version., type: str, returned: always}
    connection_state: {description: Connection state. Data of a host that is not connected may be out of date., type: str, returned: always}
    in_maintenance_mode: {description: Whether it is in maintenance mode., type: bool, returned: always}
    reboot_required: {description: Whether one of its devices requires a reboot., type: bool, returned: always}
    rebind_without_reboot: {description: Whether the host can apply a change without a reboot; null when it does not report this.,
      type: bool, returned: always}
    iommu: {description: "V(on), V(probably_off) or V(unknown). The API has no property for it, so it is inferred from devices.", type: str,
      returned: always}
    maintenance_mode_required: {description: "Whether a change takes effect after maintenance mode, as the host reports it from 9.1 on; null
      for older releases.", type: bool, returned: always}
    devices_in_use: {description: Number of devices that running virtual machines refer to; null when virtual machines were not read.,
      type: int, returned: always}
    device_limit: {description: Limit of C(devices_in_use); null when the release has no such limit., type: int, returned: always}
    vgpu_profiles: {description: "vGPU profiles of the GPUs of the host; null without O(gather_offers), and for a host that does not
      answer. C(offered) says whether the present mode of the GPUs offers it.", type: list, elements: dict, returned: always,
      sample: [{name: grid_a100-40c, offered: true, sharing: timeSliced, memory_gb: 40, gpu: "10de:20f1"}]}
    device_groups: {description: "Vendor device groups, with their devices. C(can_be_attached) is false for a group with a device that
      M(directpath.vsphere.vm_pci_device) cannot create.", type: list, elements: dict, returned: always}
    dvx_classes: {description: "DVX classes, with the type, the range or the choices, and the default of each parameter.", type: list,
      elements: dict, returned: always}
    graphics:
      description: How the GPUs of the host are shared; null when the host has no graphics configuration (before 6.5).
      type: dict
      returned: always
      contains:
        default_type: {description: Graphics type that is configured for GPUs without a type of their own., type: str, returned: always}
        assignment_policy: {description: "V(performance) or V(consolidation).", type: str, returned: always}
        profiles: {description: vGPU profiles that the host offers in the present modes of its GPUs., type: list, elements: str,
          returned: always}
        gpus: {description: "Graphics devices. C(configured_type) and C(configured_vgpu_mode) are what is configured, C(type) and
          C(vgpu_mode) what is in effect; both differ as long as Xorg was not restarted and the host did not reboot. The type in effect can
          also be V(basic) (no driver of the vendor) or V(direct) (passed through), the mode also V(none) or V(multi_instance_gpu).
          C(vms) are the running virtual machines that use the GPU.", type: list, elements: dict, returned: always,
          sample: [{address: "0000:3b:00.0", name: "GA100 [A100 PCIe 40GB]", configured_type: shared_direct, type: shared_direct,
            configured_vgpu_mode: mixed_size, vgpu_mode: mixed_size, vms: []}]}
    hints: {description: Notes about the host., type: list, elements: str, returned: always}
    devices: {description: "The devices. C(vmnic) is the name of a physical NIC. C(sriov) is for functions with SR-IOV - C(requested)
      virtual functions are configured if it is C(enabled), C(present) exist if it is C(active), and C(maximum) are possible. C(pending)
      means that another number is configured than exists.", type: list, elements: dict, returned: always,
      sample: [{address: "0000:3b:00.0", ids: "10de:20f1", name: "GA100 [A100 PCIe 40GB]", state: active, capable: true, enabled: true,
        active: true, pending: false, vmnic: null, sriov: null, group: ["0000:3b:00.0"], protected: [], vms: []}]}
directpath_profiles:
  description: "The DirectPath profiles, each with id, name, description, vendor, kind (V(dynamic), V(vgpu), V(dvx) or V(group)) and value.
    Null when they cannot be read."
  returned: when O(capacity) is not V(none)
  type: list
  elements: dict
directpath_profiles_note:
  description: Why there are no profiles to read; null when there are.
  returned: when O(capacity) is not V(none)
  type: str
capacity:
  description: The capacity of each cluster or host, for each profile and for each model (and label) of active devices without a profile.
  returned: when O(capacity) is not V(none)
  type: list
  elements: dict
  contains:
    type: {description: "V(cluster) or V(host).", type: str, returned: always}
    target: {description: Name of the cluster or host., type: str, returned: always}
    moid: {description: Its managed object id., type: str, returned: always}
    profile: {description: Name of the profile; null for a model without one., type: str, returned: always}
    kind: {description: "V(dynamic), V(vgpu), V(dvx) or V(group).", type: str, returned: always}
    value: {description: "The vGPU profile, DVX class, device group, or the model and label.", type: str, returned: always}
    consumed: {description: Number of devices that virtual machines that are powered on use; null when it is unknown., type: int,
      returned: always}
    remaining: {description: How many more such devices can be given to virtual machines now; null when it is unknown., type: int,
      returned: always}
    max: {description: How many there would be on an empty target. So C(consumed) and C(remaining) may add up to less; null when it is
        unknown., type: int, returned: always}
    unused_reservation: {description: Reserved and not used; null when vCenter did not report the numbers., type: int, returned: always}
    source: {description: "V(vcenter) when vCenter reported the numbers, V(counted) when the module counted active devices and running
      virtual machines, V(unknown) when neither is possible. Unknown numbers are null, never 0.", type: str, returned: always}
    reason: {description: "Why vCenter did not report the numbers, or why they are unknown.", type: str, returned: always}
calls:
  description: Number of API calls.
  returned: always
  type: int
logins:
  description: Number of logins. 0 when a shared session was reused.
  returned: always
  type: int
"""

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.arguments import DEVICES, HOSTS
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import InfoJob, run
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
    "gather_offers": {"type": "bool", "default": False},
    "capacity": {"type": "str", "choices": ["none", "cluster", "host"], "default": "none"},
}


def main() -> None:
    run(InfoJob(arguments=ARGUMENTS, parse=HostQuery.of, observe=observe, render=render))


if __name__ == "__main__":
    main()
