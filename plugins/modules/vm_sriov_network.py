#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vm_sriov_network
short_description: Add SR-IOV network adapters to virtual machines, change them or remove them
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Adds SR-IOV network adapters to virtual machines, changes them in place, or removes them. Ordinary network adapters are never changed.
  - Makes all changes of a virtual machine in one reconfiguration, together with the memory lock that an SR-IOV network adapter needs.
  - Checks in advance, on the host of the virtual machine, that the network exists, that a physical function behind it has virtual
    functions in effect, and that enough of them are free.
  - Matches the adapters of a virtual machine by MAC address, network and physical function, never by their order or their keys.
  - Use M(directpath.vsphere.vm_pci_device) with its option O(directpath.vsphere.vm_pci_device#module:sriov_networks) for virtual machines
    that get passthrough devices too. Then all of it is one reconfiguration and one power cycle.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes
  - directpath.vsphere.pace
options:
  vm:
    description: Virtual machines by name, inventory path or managed object id. All get the options of the task. A string that matches two
      of them is refused.
    type: list
    elements: str
  vms:
    description: Virtual machines, each with its own options. The options of the task are the defaults of each entry.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name or inventory path (V(/DC/vm/folder/web), or the end of it). Not a managed object id.
        type: str
      moid:
        description: Managed object id. Set either this or O(vms[].name).
        type: str
      sriov_networks:
        description: As O(sriov_networks).
        type: list
        elements: dict
      state:
        description: As O(state).
        type: str
        choices: [present, absent, exactly]
      power:
        description: As O(power).
        type: str
        choices: [keep, "off", cycle, "on"]
      shutdown_timeout:
        description: As O(shutdown_timeout).
        type: int
      allow_shutdown:
        description: As O(allow_shutdown).
        type: bool
      allow_power_off:
        description: As O(allow_power_off).
        type: bool
      unlock_memory:
        description: As O(unlock_memory).
        type: bool
      disable_hot_add:
        description: As O(disable_hot_add).
        type: bool
  sriov_networks:
    description:
      - Desired SR-IOV network adapters. Required, for each virtual machine. Each entry is a mapping.
      - C(network) (required) is a port group of a standard or a distributed switch, by name or managed object id. Opaque networks of NSX
        are not supported.
      - C(physical_function) is V(auto) (the default), a physical NIC such as V(vmnic4), or a PCI address in quotes. With V(auto), vSphere
        chooses at each power-on among the physical functions behind the network. A NIC or an address ties the virtual machine to its host.
      - C(mac) is a MAC address in quotes. By default the server generates one, and an adapter keeps the one that it has.
      - C(allow_guest_mtu_change) is whether the guest may change the MTU. By default an adapter keeps its setting, and a new one does not
        allow it.
    type: list
    elements: dict
  state:
    description:
      - V(present) adds these adapters, changes those that differ, and keeps others. V(exactly) also removes all other SR-IOV network
        adapters.
      - V(absent) removes each adapter in the network of an entry. If the entry has a C(mac) or a C(physical_function), only adapters with
        these.
    type: str
    choices: [present, absent, exactly]
    default: present
  power:
    description: The power state after the change, as in O(directpath.vsphere.vm_pci_device#module:power).
    type: str
    choices: [keep, "off", cycle, "on"]
    default: keep
  shutdown_timeout:
    description: Seconds to wait until a guest is shut down.
    type: int
    default: 300
  allow_shutdown:
    description: Whether to shut down a running guest for a change that needs the virtual machine powered off. Otherwise the change is
      refused while it runs.
    type: bool
    default: false
  allow_power_off:
    description: Whether to do a hard power-off of a guest that does not shut down in time or does not support a shutdown.
    type: bool
    default: false
  unlock_memory:
    description: Whether to remove the memory lock together with the last adapter, if the virtual machine has no passthrough device.
    type: bool
    default: false
  disable_hot_add:
    description: Whether to disable hot-add of memory and CPU.
    type: bool
    default: false
  ignore_unreadable_vms:
    description: As O(directpath.vsphere.vm_pci_device#module:ignore_unreadable_vms).
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
seealso:
  - module: directpath.vsphere.vm_pci_device
  - module: directpath.vsphere.vm_pci_device_info
"""

EXAMPLES = r"""
- name: Give a firewall two virtual functions, and let vSphere choose the NIC
  directpath.vsphere.vm_sriov_network:
    vm: [fw-01]
    sriov_networks:
      - network: nfv-data
      - network: nfv-control
        allow_guest_mtu_change: true
    power: cycle

- name: Use the virtual functions of one NIC, with a MAC address that the network team gave
  directpath.vsphere.vm_sriov_network:
    vm: [fw-02]
    sriov_networks:
      - network: nfv-data
        physical_function: vmnic2
        mac: "00:50:56:01:02:03"
    power: cycle

- name: Remove all SR-IOV network adapters of a powered-off VM
  directpath.vsphere.vm_sriov_network:
    vm: [fw-01]
    sriov_networks: []
    state: exactly
    unlock_memory: true
"""

RETURN = r"""
vms:
  description: The virtual machines, as in M(directpath.vsphere.vm_pci_device_info), with status, blockers and warnings.
  returned: always, once VMs were read
  type: list
  elements: dict
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
    SRIOV_NETWORKS,
    UNKNOWN_NAMES,
    VM_OPTIONS,
    VM_OPTIONS_WITH_DEFAULTS,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.job import Job
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import run
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.vm_sriov_network import (
    apply,
    observe,
    parse,
    plan,
    predict,
    render,
)

OTHERS = ("backing", "kinds", "latency_sensitivity", "minimum_hardware_version", "pin_to_host")
DEFAULTS = {name: option for name, option in VM_OPTIONS_WITH_DEFAULTS.items() if name not in OTHERS}
OPTIONS = {name: option for name, option in VM_OPTIONS.items() if name not in OTHERS}
ARGUMENTS = {
    **SRIOV_NETWORKS,
    **DEFAULTS,
    **PACE,
    "vm": {"type": "list", "elements": "str"},
    "vms": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str"},
            "moid": {"type": "str"},
            **SRIOV_NETWORKS,
            **OPTIONS,
        },
    },
    "ignore_unreadable_vms": {"type": "list", "elements": "str", "default": []},
    **UNKNOWN_NAMES,
}
CONSTRAINTS = {"mutually_exclusive": [("vm", "vms")], "required_one_of": [("vm", "vms")]}


def main() -> None:
    run(
        Job(
            arguments=ARGUMENTS,
            constraints=CONSTRAINTS,
            parse=parse,
            observe=observe,
            plan=plan,
            apply=apply,
            render=render,
            predict=predict,
        )
    )


if __name__ == "__main__":
    main()
