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
  - Backings of later releases are shown and left alone.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes
  - directpath.vsphere.selectors.DEVICES
options:
  vm:
    description: Virtual machines by name, inventory path or managed object id, all with the options of the task.
    type: list
    elements: str
  vms:
    description: Virtual machines, each with options of its own. What an entry leaves out it takes from the options of the task.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name or inventory path.
        type: str
      moid:
        description: Managed object id.
        type: str
      devices:
        description: As O(devices).
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
      state:
        description: As O(state).
        type: str
        choices: [present, absent, exactly]
      backing:
        description: As O(backing).
        type: str
        choices: [auto, dynamic, fixed]
      power:
        description: As O(power).
        type: str
        choices: [keep, "off", cycle, "on"]
      shutdown_timeout:
        description: As O(shutdown_timeout).
        type: int
      allow_power_off:
        description: As O(allow_power_off).
        type: bool
      mmio:
        description: As O(mmio).
        type: dict
        suboptions:
          size_gb:
            description: As in O(mmio.size_gb).
            type: int
          device_gb:
            description: As in O(mmio.device_gb).
            type: dict
      unlock_memory:
        description: As O(unlock_memory).
        type: bool
      disable_hot_add:
        description: As O(disable_hot_add).
        type: bool
  state:
    description:
      - V(present) - at least these devices. V(absent) - no device that matches. V(exactly) - these and no other passthrough device.
    type: str
    choices: [present, absent, exactly]
    default: present
  backing:
    description:
      - V(dynamic) (Dynamic DirectPath I/O) accepts any free device of the model on whichever host the virtual machine starts; it needs
        hardware version 17. V(fixed) is one device of one host, and ties the virtual machine to it.
      - V(auto) takes V(dynamic) where host and hardware version offer it, and leaves devices alone that serve already.
    type: str
    choices: [auto, dynamic, fixed]
    default: auto
  power:
    description:
      - What may be done to a virtual machine that has to be off for a change. V(keep) - nothing; the change is refused while it runs.
        V(off) - shut down and left off. V(cycle) - shut down and started again, as it was. V(on) - as V(cycle), and started in the end
        even when it was off.
      - Nothing is shut down when nothing changes.
    type: str
    choices: [keep, "off", cycle, "on"]
    default: keep
  shutdown_timeout:
    description: Seconds to wait for a guest to shut down.
    type: int
    default: 300
  allow_power_off:
    description: Whether a guest that does not shut down in time, or cannot be asked, is powered off.
    type: bool
    default: false
  mmio:
    description:
      - Set the 64-bit MMIO window, which cards with much memory need. An empty mapping computes it from the cards - the sum of their
        memory, up to the next power of two. A larger window that is there is kept. Needs EFI firmware.
    type: dict
    suboptions:
      size_gb:
        description: The window itself in GB, a power of two.
        type: int
      device_gb:
        description: Memory of a card in GB by V(vendor:device), where the computation does not know it.
        type: dict
  unlock_memory:
    description: Whether the memory lock goes with the last device.
    type: bool
    default: false
  disable_hot_add:
    description: Whether memory and CPU hot-add, which do not go together with passthrough, are switched off.
    type: bool
    default: false
  only_on_hosts:
    description: Names of ESXi hosts. Virtual machines on other hosts are passed over. Without it none is.
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
        description: ESXi hosts by name.
        type: list
        elements: str
        aliases: [esxi_hostname]
      cluster:
        description: Clusters by name.
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
"""

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.arguments import (
    DEVICES,
    MMIO,
    TARGETS,
    VM_OPTIONS,
    VM_OPTIONS_WITH_DEFAULTS,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.run import Job, run
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.vms import (
    DeviceRequest,
    apply_devices,
    deepen_devices,
    expect_devices,
    observe_devices,
    plan_devices,
    render_devices,
)

ARGUMENTS = {
    **DEVICES,
    **MMIO,
    **VM_OPTIONS_WITH_DEFAULTS,
    "vm": {"type": "list", "elements": "str"},
    "vms": {
        "type": "list",
        "elements": "dict",
        "options": {"name": {"type": "str"}, "moid": {"type": "str"}, **DEVICES, **MMIO, **VM_OPTIONS},
    },
    "only_on_hosts": {"type": "list", "elements": "str", "default": []},
    "assume_enabled": TARGETS["targets"],
    "allow_protected": {"type": "list", "elements": "str", "default": []},
}
CONSTRAINTS = {"mutually_exclusive": [("vm", "vms")], "required_one_of": [("vm", "vms")]}


def main() -> None:
    run(
        Job(
            arguments=ARGUMENTS,
            constraints=CONSTRAINTS,
            wish=DeviceRequest.of,
            observe=observe_devices,
            expect=expect_devices,
            plan=plan_devices,
            deepen=deepen_devices,
            apply=apply_devices,
            render=render_devices,
        )
    )


if __name__ == "__main__":
    main()
