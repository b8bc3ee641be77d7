#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vm_pci_device
short_description: Attach PCI passthrough devices to virtual machines or detach them
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Attaches devices to virtual machines, or detaches them. Devices are selected by properties and number.
  - Makes all changes of a virtual machine in one reconfiguration - all devices, the memory lock that they need and, if requested, the
    64-bit MMIO settings.
  - Checks in advance what would otherwise fail at power-on, and reports all problems at once - device limits of host and hardware version,
    hardware version, firmware, snapshots, nested virtualization, hot-add, power state, memory of the resource pool.
  - Never takes devices that other virtual machines hold. Prefers devices of one NUMA node.
  - Reads again immediately before each write, and writes only if a new plan contains nothing but the planned change.
  - A virtual machine that was powered on is powered on again after the change. If it cannot be powered on, the module reverts the change
    and powers it on with its old configuration. If that fails too, the message begins with the name of the virtual machine.
  - Gives fixed and dynamic devices, vGPUs, vendor device groups and DVX devices. What a cluster does not offer (profile, group, class,
    parameter) is refused, and the message lists what it offers. Settings of new vGPUs need a second reconfiguration, because their key has
    the index of the device.
  - Shows backings of later vSphere releases, but does not change them.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes
  - directpath.vsphere.selectors.DEVICES
  - directpath.vsphere.machines
  - directpath.vsphere.pace
options:
  vm:
    description:
      - Virtual machines by name, inventory path or managed object id. All get the options of the task. A string that matches two of them
        is refused.
    type: list
    elements: str
  sriov_networks:
    description:
      - Desired SR-IOV network adapters, as in O(directpath.vsphere.vm_sriov_network#module:sriov_networks). They are added and changed in
        the same reconfiguration as the devices.
      - Without this option, the adapters stay as they are, also with O(state=exactly).
    type: list
    elements: dict
  only_on_hosts:
    description: ESXi hosts, as in O(assume_enabled[].hosts). Virtual machines on other hosts are skipped. When empty, no virtual machine
      is skipped.
    type: list
    elements: str
    default: []
  assume_enabled:
    description:
      - Hosts and devices, as in O(directpath.vsphere.host_passthrough#module:targets), that are treated as if passthrough were enabled and
        in effect. Only used in check mode, to predict the result after an earlier step that check mode did not do.
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
        description: Devices on these hosts, as in O(devices).
        type: list
        elements: raw
  allow_protected:
    description:
      - Protected devices that O(assume_enabled) may treat as enabled, as in M(directpath.vsphere.host_passthrough).
      - Only used in check mode.
    type: list
    elements: str
    default: []
  ignore_unreadable_vms:
    description:
      - Virtual machines, by name, inventory path or managed object id, whose devices cannot be read, and that you know to hold no
        passthrough device.
      - The devices of a virtual machine are unknown when it is orphaned or inaccessible, when the account may not read it, or when a
        backing cannot be read. Until they are known, no fixed device of its host is attached.
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
  host_device_limit:
    description:
      - Maximum number of passthrough devices that the powered-on virtual machines of one ESXi host may have together.
      - The default is 8 on hosts with ESX(i) 4.x or 5.x, and no limit on later releases. A number applies to every host.
    type: int
seealso:
  - module: directpath.vsphere.host_passthrough
  - module: directpath.vsphere.vm_sriov_network
  - module: directpath.vsphere.vm_memory_reservation
"""

EXAMPLES = r"""
- name: Attach two A100 to each of two VMs, on any host
  directpath.vsphere.vm_pci_device:
    vm: [train-01, train-02]
    devices:
      - match: "10de:20f1"
        count: 2
    power: cycle
    mmio: {}

- name: Attach different devices to different VMs in one call
  directpath.vsphere.vm_pci_device:
    vms:
      - name: train-01
        devices: [{match: "10de:20f1", count: 2}]
        mmio: {}
      - name: db-01
        backing: fixed
        devices: [{match: {class_id: "0108", name: "*P5800X*"}}]
    power: "on"

- name: Give a VM two vGPUs of one profile, and nothing else of this kind
  directpath.vsphere.vm_pci_device:
    vm: [train-01]
    devices:
      - vgpu: grid_a100-40c
        count: 2
        advanced: {enable_uvm: "1"}
    state: exactly
    power: cycle

- name: Give a VM a card and two SR-IOV network adapters in one reconfiguration
  directpath.vsphere.vm_pci_device:
    vm: [dpi-01]
    devices: ["10de:20f1"]
    sriov_networks:
      - network: nfv-data
      - network: nfv-control
        allow_guest_mtu_change: true
    mmio: {}

- name: Detach every passthrough device from a powered-off VM
  directpath.vsphere.vm_pci_device:
    vm: [train-01]
    devices: []
    state: exactly
    unlock_memory: true
"""

RETURN = r"""
vms:
  description: The virtual machines, as in M(directpath.vsphere.vm_pci_device_info), with status, blockers and warnings.
  returned: always, once VMs were read
  type: list
  elements: dict
  contains:
    name: {description: Name., type: str, returned: always}
    moid: {description: Managed object id., type: str, returned: always}
    status: {description: "V(ok), V(changed), V(pending), V(refused), V(skipped) or V(failed).", type: str, returned: always}
    devices: {description: Passthrough devices., type: list, elements: dict, returned: always}
    mmio: {description: How the size of the MMIO window was computed., type: dict, returned: when O(mmio) is set}
    done: {description: The actions that were done., type: list, elements: str, returned: always}
    blockers: {description: "Why it was refused, each with code, message, C(cure) (the fix) and candidates.", type: list, elements: dict,
      returned: always}
changes:
  description: The changes. Check mode lists the same changes as a real run.
  returned: always, once VMs were read
  type: list
  elements: dict
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
  returned: always, once VMs were read
  type: int
logins:
  description: Number of logins. 0 when a shared session was reused.
  returned: always, once VMs were read
  type: int
"""

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.arguments import (
    PACE,
    TARGETS,
    UNKNOWN_NAMES,
    VM_DEVICES,
    VM_OPTIONS,
    VM_OPTIONS_WITH_DEFAULTS,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.job import Job
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import run
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.vm_pci_device import (
    DeviceRequest,
    apply,
    observe,
    plan,
    predict,
    render,
)

ARGUMENTS = {
    **VM_DEVICES,
    **VM_OPTIONS_WITH_DEFAULTS,
    **PACE,
    "vm": {"type": "list", "elements": "str"},
    "vms": {
        "type": "list",
        "elements": "dict",
        "options": {"name": {"type": "str"}, "moid": {"type": "str"}, **VM_DEVICES, **VM_OPTIONS},
    },
    "only_on_hosts": {"type": "list", "elements": "str", "default": []},
    "assume_enabled": TARGETS["targets"],
    "allow_protected": {"type": "list", "elements": "str", "default": []},
    "ignore_unreadable_vms": {"type": "list", "elements": "str", "default": []},
    **UNKNOWN_NAMES,
    "host_device_limit": {"type": "int"},
}
CONSTRAINTS = {"mutually_exclusive": [("vm", "vms")], "required_one_of": [("vm", "vms")]}


def main() -> None:
    run(
        Job(
            arguments=ARGUMENTS,
            constraints=CONSTRAINTS,
            parse=DeviceRequest.of,
            observe=observe,
            plan=plan,
            apply=apply,
            render=render,
            predict=predict,
        )
    )


if __name__ == "__main__":
    main()
