#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vm_pci_device
short_description: Attach PCI passthrough devices to virtual machines, or detach them
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Gives virtual machines the devices they want, chosen by what they are and how many, and takes them away again.
  - Everything is one reconfiguration - all devices, the memory lock they need and, when asked for, the 64-bit MMIO settings.
  - Checks beforehand what would only fail at power-on, and names every violation at once - device limit of host and hardware version,
    hardware version, firmware, snapshots, nested virtualisation, hot-add, power state, memory of the resource pool.
  - Devices that other virtual machines hold are never taken. Devices of one NUMA node are preferred.
  - Looks again right before each write, and writes only if nothing but the planned change would be made then.
  - A virtual machine that ran before runs after. If it cannot be started after its change, the change is taken back and it is started as
    it was. If that fails too, the message begins with its name.
  - Backings of later releases are shown and left alone.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes
  - directpath.vsphere.selectors.DEVICES
  - directpath.vsphere.machines
  - directpath.vsphere.pace
options:
  vm:
    description:
      - Virtual machines by name, inventory path or managed object id, all with the options of the task. A string that stands for two of
        them is refused.
    type: list
    elements: str
  only_on_hosts:
    description: ESXi hosts, as in O(assume_enabled[].hosts). Virtual machines on other hosts are passed over. Without it none is.
    type: list
    elements: str
    default: []
  assume_enabled:
    description:
      - Hosts and devices as in O(directpath.vsphere.host_passthrough#module:targets) that count as enabled and in force, although they are
        not yet. Only used in check mode, to see past a step that has not happened.
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
        description: Devices on these hosts.
        type: list
        elements: dict
        suboptions:
          match:
            description: As in O(devices[].match).
            type: raw
            required: true
          count:
            description: As in O(devices[].count).
            type: raw
          label:
            description: As in O(devices[].label).
            type: str
  allow_protected:
    description:
      - Protected devices that O(assume_enabled) may count as enabled, as in M(directpath.vsphere.host_passthrough).
      - Only used in check mode.
    type: list
    elements: str
    default: []
  ignore_unreadable_vms:
    description:
      - Virtual machines, by name, inventory path or managed object id, that are said to hold no passthrough device, although that cannot
        be read.
      - While it is not known which devices a virtual machine holds (it is orphaned or inaccessible, the account may not read it, or a
        backing cannot be read), no fixed device of its host is attached.
    type: list
    elements: str
    default: []
  host_device_limit:
    description:
      - Most passthrough devices that virtual machines powered on at the same time may have on one ESXi host.
      - Without it 8 on hosts with ESX(i) 4.x or 5.x, and no limit on later releases. With it this number on every host.
    type: int
seealso:
  - module: directpath.vsphere.host_passthrough
  - module: directpath.vsphere.vm_memory_reservation
"""

EXAMPLES = r"""
- name: Two A100 for each of two VMs, wherever they start
  directpath.vsphere.vm_pci_device:
    vm: [train-01, train-02]
    devices:
      - match: "10de:20f1"
        count: 2
    power: cycle
    mmio: {}

- name: Different devices for different VMs in one call
  directpath.vsphere.vm_pci_device:
    vms:
      - name: train-01
        devices: [{match: "10de:20f1", count: 2}]
        mmio: {}
      - name: db-01
        backing: fixed
        devices: [{match: {class_id: "0108", name: "*P5800X*"}}]
    power: "on"

- name: Take every passthrough device from a VM that is off
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
    mmio: {description: How the MMIO window was computed., type: dict, returned: when asked for}
    done: {description: What was done., type: list, elements: str, returned: always}
    blockers: {description: "Why it was refused, each with code, message, cure and candidates.", type: list, elements: dict,
      returned: always}
changes:
  description: What changes, in check mode the same as in a real run.
  returned: always, once VMs were read
  type: list
  elements: dict
not_done:
  description: Changes of the plan that did not come about.
  returned: when something was written
  type: list
  elements: dict
error_code:
  description: Why it failed, for machines.
  returned: failure
  type: str
calls:
  description: Round trips this took.
  returned: always, once VMs were read
  type: int
logins:
  description: Logins this took; none where a shared session was taken up.
  returned: always, once VMs were read
  type: int
"""

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.arguments import (
    DEVICES,
    MMIO,
    PACE,
    TARGETS,
    VM_OPTIONS,
    VM_OPTIONS_WITH_DEFAULTS,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import Job, run
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.vm_pci_device import (
    DeviceRequest,
    apply,
    deepen,
    expect,
    follow,
    host_of,
    observe,
    pace,
    plan,
    render,
)

ARGUMENTS = {
    **DEVICES,
    **MMIO,
    **VM_OPTIONS_WITH_DEFAULTS,
    **PACE,
    "vm": {"type": "list", "elements": "str"},
    "vms": {
        "type": "list",
        "elements": "dict",
        "options": {"name": {"type": "str"}, "moid": {"type": "str"}, **DEVICES, **MMIO, **VM_OPTIONS},
    },
    "only_on_hosts": {"type": "list", "elements": "str", "default": []},
    "assume_enabled": TARGETS["targets"],
    "allow_protected": {"type": "list", "elements": "str", "default": []},
    "ignore_unreadable_vms": {"type": "list", "elements": "str", "default": []},
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
            expect=expect,
            plan=plan,
            deepen=deepen,
            follow=follow,
            apply=apply,
            pace=pace,
            host_of=host_of,
            render=render,
        )
    )


if __name__ == "__main__":
    main()
