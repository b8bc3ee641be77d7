#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vm_memory_reservation
short_description: Reserve the memory of virtual machines, all of it or a size
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Locks the memory reservation of virtual machines to their memory size, which a virtual machine with a passthrough device needs to start,
    or reserves a size, or removes the lock.
  - Unlocks before it lowers, in one write. Removes a memory limit when locking.
  - Refuses to unlock or lower below the memory size while a passthrough device is there.
  - Says, with the numbers, when the resource pool cannot give the memory.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes
  - directpath.vsphere.pace
options:
  vm:
    description: Virtual machines by name, inventory path or managed object id. A string that stands for two of them is refused.
    type: list
    elements: str
  vms:
    description: Virtual machines, each with options of its own. What an entry leaves out it takes from the options of the task.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name or inventory path (V(/DC/vm/folder/web), or the end of it). Never a managed object id.
        type: str
      moid:
        description: Managed object id. Give either this or O(vms[].name).
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
      - V(locked) reserves all memory, now and after the memory size changes.
      - V(reserved) reserves O(reservation_mb) without a lock.
      - V(unlocked) removes the lock, and sets the reservation to O(reservation_mb) or to nothing.
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

- name: Give half of it back
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

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.arguments import PACE
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import Job, run
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.vm_memory_reservation import (
    MemoryRequest,
    apply,
    follow,
    host_of,
    observe,
    pace,
    plan,
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
            follow=follow,
            apply=apply,
            pace=pace,
            host_of=host_of,
            render=render,
        )
    )


if __name__ == "__main__":
    main()
