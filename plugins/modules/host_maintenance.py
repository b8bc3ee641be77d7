#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_maintenance
short_description: Put ESXi hosts into maintenance mode for work on their hardware, and take them back as they were
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Puts hosts into maintenance mode and leaves them there, for cards to be moved or changed. With O(state=absent) it takes them back.
  - Virtual machines that cannot be moved are named before anything happens, and stopped where that is allowed (O(pinned_vms)).
  - Before a virtual machine is stopped and before maintenance mode is entered, that is marked in vCenter (the custom attribute
    C(directpath.parked)). With O(state=absent) only a maintenance mode with such a mark is ended, and exactly the virtual machines with a
    mark are started again, whoever runs it and from wherever. An ESXi host that is asked itself has its marks in a file on the controller.
  - A run that was interrupted is gone on with by running it again.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes
options:
  hosts:
    description:
      - Names of ESXi hosts, as vCenter shows them or their first label where that is unique, or managed object ids. One after another.
    type: list
    elements: str
    required: true
    aliases: [esxi_hostname]
  state:
    description: Whether the hosts are to be in maintenance mode.
    type: str
    choices: [present, absent]
    default: present
  pinned_vms:
    description:
      - What is done with running virtual machines that cannot be moved, as they hold a device or their host is in no cluster. V(fail)
        refuses the host and names them. V(shutdown) asks the guest. V(shutdown_then_power_off) pulls the plug after O(stop_timeout).
    type: str
    choices: [fail, shutdown, shutdown_then_power_off]
    default: fail
  never_stop:
    description: Virtual machines, by name, inventory path or managed object id, that are never stopped. Their host is refused while
      they pin it. A name that no virtual machine has is refused, with near names.
    type: list
    elements: str
    default: []
  start_vms:
    description: Whether O(state=absent) starts the virtual machines that were stopped. With V(false) their marks are kept for another run.
    type: bool
    default: true
  operator_maintenance:
    description:
      - What O(state=absent) does with a maintenance mode that somebody else began. V(keep) refuses the host, V(end) ends it.
    type: str
    choices: [keep, end]
    default: keep
  evacuate_powered_off:
    description: Whether virtual machines that are off are moved to other hosts too. Refused where one has a fixed device.
    type: bool
    default: false
  vsan_mode:
    description: What happens to vSAN data of the host. Without it vCenter's default applies.
    type: str
    choices: [ensureObjectAccessibility, evacuateAllData, noAction]
  drain_timeout:
    description: Seconds to wait for maintenance mode.
    type: int
    default: 1800
  stop_timeout:
    description: Seconds for a guest to shut down.
    type: int
    default: 300
  leave_timeout:
    description: Seconds to leave maintenance mode.
    type: int
    default: 600
  journal:
    description:
      - Where the marks are kept. V(auto) takes vCenter where the account may, and else a file. RV(journal) of the result says which, and
        why.
    type: str
    choices: [auto, vcenter, file]
    default: auto
  journal_dir:
    description: Directory for the file. It has to outlive the run.
    type: path
    default: ~/.ansible/directpath
seealso:
  - module: directpath.vsphere.host_rolling_reboot
  - module: directpath.vsphere.host_passthrough
"""

EXAMPLES = r"""
- name: Empty a host for somebody who moves cards
  directpath.vsphere.host_maintenance:
    hosts: [esx-01]
    pinned_vms: shutdown

- name: Take it back, and start what was stopped
  directpath.vsphere.host_maintenance:
    hosts: [esx-01]
    state: absent
"""

RETURN = r"""
hosts:
  description: The hosts, in the order of their names.
  returned: always, once hosts were read
  type: list
  elements: dict
  contains:
    name: {description: Name of the host., type: str, returned: always}
    status: {description: "V(ok) (as wanted already), V(changed), V(refused) or V(failed).", type: str, returned: always}
    in_maintenance_mode: {description: Whether it is in maintenance mode now., type: bool, returned: always}
    vms_stopped: {description: Virtual machines that were stopped., type: list, elements: str, returned: always}
    vms_started: {description: Virtual machines that were started., type: list, elements: str, returned: always}
    done: {description: What was done., type: list, elements: str, returned: always}
    blockers: {description: What stood in the way., type: list, elements: dict, returned: always}
journal:
  description: Where the marks are kept, and why there.
  returned: always, once hosts were read
  type: dict
  sample: {place: custom attributes of hosts and virtual machines, why: any controller can go on from there}
changes:
  description: What changes, in check mode the same as in a real run.
  returned: always, once hosts were read
  type: list
  elements: dict
error_code:
  description: Why it failed, for machines.
  returned: failure
  type: str
calls:
  description: Round trips this took.
  returned: always, once hosts were read
  type: int
logins:
  description: Logins this took; none where a shared session was taken up.
  returned: always, once hosts were read
  type: int
"""

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.arguments import JOURNAL_DIR
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import Job, run
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.host_maintenance import (
    MaintenanceRequest,
    apply,
    follow,
    observe,
    plan,
    recheck,
    render,
)

ARGUMENTS = {
    "hosts": {"type": "list", "elements": "str", "required": True, "aliases": ["esxi_hostname"]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "pinned_vms": {"type": "str", "choices": ["fail", "shutdown", "shutdown_then_power_off"], "default": "fail"},
    "never_stop": {"type": "list", "elements": "str", "default": []},
    "start_vms": {"type": "bool", "default": True},
    "operator_maintenance": {"type": "str", "choices": ["keep", "end"], "default": "keep"},
    "evacuate_powered_off": {"type": "bool", "default": False},
    "vsan_mode": {"type": "str", "choices": ["ensureObjectAccessibility", "evacuateAllData", "noAction"]},
    "drain_timeout": {"type": "int", "default": 1800},
    "stop_timeout": {"type": "int", "default": 300},
    "leave_timeout": {"type": "int", "default": 600},
    "journal": {"type": "str", "choices": ["auto", "vcenter", "file"], "default": "auto"},
    "journal_dir": JOURNAL_DIR,
}


def main() -> None:
    run(
        Job(
            arguments=ARGUMENTS,
            parse=MaintenanceRequest.of,
            observe=observe,
            plan=plan,
            follow=follow,
            recheck=recheck,
            apply=apply,
            render=render,
        )
    )


if __name__ == "__main__":
    main()
