#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_maintenance
short_description: Put ESXi hosts into maintenance mode for hardware work, and return them to service
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Puts hosts into maintenance mode and leaves them there, so that cards can be moved or replaced. O(state=absent) returns them to service.
  - Reports pinned virtual machines (those that cannot be migrated) before it changes anything. Shuts them down if O(pinned_vms) allows it,
    when the others are migrated. The rules are those of M(directpath.vsphere.host_rolling_reboot).
  - Writes each step to a journal in vCenter (the custom attributes C(directpath.maintenance) and C(directpath.maintenance.vm)) before it
    does the step. O(state=absent) ends only a maintenance mode with such an entry, and powers on exactly the virtual machines with an
    entry. Any user can do so from any controller. For a standalone ESXi host the journal is in a file on the controller.
  - A host that cannot enter maintenance mode returns to service, and its virtual machines are powered on again.
  - To resume an interrupted run, run the same task again, or run it with O(state=absent) to return the host to service.
  - One process works on a host at a time. Its lock is a custom attribute of the host (C(directpath.maintenance.lock)). A host that another
    process works on is refused, with the name of that process.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes
  - directpath.vsphere.outlets.VCENTER
options:
  hosts:
    description:
      - ESXi hosts by name as vCenter shows it, by the first label of that name if it is unique, or by managed object id. They are processed
        one after another.
    type: list
    elements: str
    required: true
    aliases: [esxi_hostname]
  state:
    description: Whether the hosts are to be in maintenance mode (V(present)) or in service (V(absent)).
    type: str
    choices: [present, absent]
    default: present
  pinned_vms:
    description:
      - What to do with running virtual machines that cannot be migrated because they hold a device, are on a local datastore, have a
        medium of their host connected, or their host is in no cluster. V(fail) refuses the host and lists them. V(shutdown) shuts down the
        guest operating system. V(shutdown_then_power_off) does the same, and does a hard power-off when the guest is not off after
        O(stop_timeout).
    type: str
    choices: [fail, shutdown, shutdown_then_power_off]
    default: fail
  never_stop:
    description: Virtual machines, by name, inventory path or managed object id, that are never shut down. Their host is refused while
      they are pinned to it. A name that matches no virtual machine is refused, and the message suggests similar names.
    type: list
    elements: str
    default: []
  never_stop_missing:
    description:
      - Names in O(never_stop) whose virtual machine may be gone, or is in another vCenter. For them, a missing virtual machine is no
        error.
    type: list
    elements: str
    default: []
  start_vms:
    description: Whether O(state=absent) powers on the virtual machines that were shut down. V(false) keeps their journal
      entries for a later run.
    type: bool
    default: true
  operator_maintenance:
    description:
      - What O(state=absent) does when another user put the host into maintenance mode. V(keep) refuses the host. V(end) ends the
        maintenance mode.
    type: str
    choices: [keep, end]
    default: keep
  evacuate_powered_off:
    description: Whether powered-off virtual machines are also migrated to other hosts. Refused when one of them has a fixed device.
    type: bool
    default: false
  vsan_mode:
    description: What vSAN does with the data of the host. By default, vCenter decides.
    type: str
    choices: [ensureObjectAccessibility, evacuateAllData, noAction]
  drain_timeout:
    description: Seconds to wait until the host is in maintenance mode. O(stop_timeout) is added when virtual machines may be shut down.
    type: int
    default: 1800
  stop_timeout:
    description: Seconds to wait until a guest is shut down.
    type: int
    default: 300
  leave_timeout:
    description: Seconds to wait until the host has left maintenance mode.
    type: int
    default: 600
  journal:
    description:
      - Where to store the journal. V(auto) stores it in vCenter if the account has the privileges, otherwise in a file. RV(journal) of the
        result shows the place and the reason.
    type: str
    choices: [auto, vcenter, file]
    default: auto
  journal_dir:
    description: Directory for the file. It must still exist after the run.
    type: path
    default: ~/.ansible/directpath
seealso:
  - module: directpath.vsphere.host_rolling_reboot
  - module: directpath.vsphere.host_passthrough
"""

EXAMPLES = r"""
- name: Evacuate a host so that its cards can be moved
  directpath.vsphere.host_maintenance:
    hosts: [esx-01]
    pinned_vms: shutdown

- name: Return it to service, and power on the VMs that were shut down
  directpath.vsphere.host_maintenance:
    hosts: [esx-01]
    state: absent
"""

RETURN = r"""
outlets:
  description: "How many events were C(sent) to vCenter and C(lost), and why the last one was lost (C(why))."
  returned: with O(vcenter_events), and not in check mode
  type: list
  elements: dict
hosts:
  description: The hosts, sorted by name.
  returned: always, once hosts were read
  type: list
  elements: dict
  contains:
    name: {description: Name of the host., type: str, returned: always}
    moid: {description: Its managed object id., type: str, returned: always}
    status: {description: "V(ok) (no change needed), V(changed), V(refused) or V(failed).", type: str, returned: always}
    in_maintenance_mode: {description: Whether it is in maintenance mode now., type: bool, returned: always}
    vms_stopped: {description: Virtual machines that were shut down., type: list, elements: str, returned: always}
    vms_started: {description: Virtual machines that were powered on., type: list, elements: str, returned: always}
    done: {description: The actions that were done., type: list, elements: str, returned: always}
    blockers: {description: Why the host was refused., type: list, elements: dict, returned: always}
journal:
  description: Where the journal is stored, and why.
  returned: always, once hosts were read
  type: dict
  sample: {place: "custom attributes of hosts, virtual machines and clusters", why: any controller can resume the run from there}
changes:
  description: The changes. Check mode lists the same changes as a real run.
  returned: always, once hosts were read
  type: list
  elements: dict
error_code:
  description: Machine-readable reason of the failure.
  returned: failure
  type: str
calls:
  description: Number of API calls.
  returned: always, once hosts were read
  type: int
logins:
  description: Number of logins. 0 when a shared session was reused.
  returned: always, once hosts were read
  type: int
"""

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.arguments import JOURNAL_DIR
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import Work, run
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.host_maintenance import (
    MaintenanceRequest,
    maintain_hosts,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.outlets.arguments import EVENTS_IN_VCENTER

ARGUMENTS = {
    "hosts": {"type": "list", "elements": "str", "required": True, "aliases": ["esxi_hostname"]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "pinned_vms": {"type": "str", "choices": ["fail", "shutdown", "shutdown_then_power_off"], "default": "fail"},
    "never_stop": {"type": "list", "elements": "str", "default": []},
    "never_stop_missing": {"type": "list", "elements": "str", "default": []},
    "start_vms": {"type": "bool", "default": True},
    "operator_maintenance": {"type": "str", "choices": ["keep", "end"], "default": "keep"},
    "evacuate_powered_off": {"type": "bool", "default": False},
    "vsan_mode": {"type": "str", "choices": ["ensureObjectAccessibility", "evacuateAllData", "noAction"]},
    "drain_timeout": {"type": "int", "default": 1800},
    "stop_timeout": {"type": "int", "default": 300},
    "leave_timeout": {"type": "int", "default": 600},
    "journal": {"type": "str", "choices": ["auto", "vcenter", "file"], "default": "auto"},
    "journal_dir": JOURNAL_DIR,
    **EVENTS_IN_VCENTER,
}


def main() -> None:
    run(Work(arguments=ARGUMENTS, parse=MaintenanceRequest.of, do=maintain_hosts))


if __name__ == "__main__":
    main()
