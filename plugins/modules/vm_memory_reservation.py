#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vm_memory_reservation
short_description: Reserve all or part of the memory of virtual machines
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Locks the memory reservation of virtual machines to their memory size, reserves a given size, or removes the lock. A virtual machine
    with a passthrough device needs the lock to power on.
  - Removes the lock and lowers the reservation in one write. Removes a memory limit when it locks.
  - Refuses to remove the lock, or to reserve less than the memory size, while the virtual machine has a passthrough device.
  - Reports, with the numbers, when the resource pool does not have enough memory.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes
  - directpath.vsphere.pace
options:
  vm:
    description: Virtual machines by name, inventory path or managed object id. A string that matches two of them is refused.
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
      state:
        description: As O(state).
        type: str
        choices: [locked, reserved, unlocked]
      reservation_mb:
        description: As O(reservation_mb).
        type: int
  state:
    description:
      - V(locked) reserves all memory, also after a later change of the memory size.
      - V(reserved) reserves O(reservation_mb) without a lock.
      - V(unlocked) removes the lock and sets the reservation to O(reservation_mb), or to 0.
    type: str
    choices: [locked, reserved, unlocked]
    default: locked
  reservation_mb:
    description: Memory to reserve in MB. Required for V(reserved), not allowed for V(locked).
    type: int
seealso:
  - module: directpath.vsphere.vm_pci_device
"""

EXAMPLES = r"""
- name: Reserve all memory of two VMs
  directpath.vsphere.vm_memory_reservation:
    vm: [train-01, train-02]

- name: Unlock the memory of a VM and keep 2 GB reserved
  directpath.vsphere.vm_memory_reservation:
    vm: [web-01]
    state: unlocked
    reservation_mb: 2048
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

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.arguments import PACE
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.job import Job
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import run
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.vm_memory_reservation import (
    MemoryRequest,
    apply,
    observe,
    plan,
    predict,
    render,
)

STATES = ["locked", "reserved", "unlocked"]
ARGUMENTS = {
    **PACE,
    "vm": {"type": "list", "elements": "str"},
    "vms": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str"},
            "moid": {"type": "str"},
            "state": {"type": "str", "choices": STATES},
            "reservation_mb": {"type": "int"},
        },
    },
    "state": {"type": "str", "choices": STATES, "default": "locked"},
    "reservation_mb": {"type": "int"},
}
CONSTRAINTS = {"mutually_exclusive": [("vm", "vms")], "required_one_of": [("vm", "vms")]}


def main() -> None:
    run(
        Job(
            arguments=ARGUMENTS,
            constraints=CONSTRAINTS,
            parse=MemoryRequest.of,
            observe=observe,
            plan=plan,
            apply=apply,
            render=render,
            predict=predict,
        )
    )


if __name__ == "__main__":
    main()
