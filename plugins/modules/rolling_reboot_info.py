#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rolling_reboot_info
short_description: Show which rolling reboots are in progress or were interrupted, and which VMs are off because of them
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Reads the journal of rolling reboots from one vCenter or ESXi host, and prints it. It changes nothing, needs no desired state, and takes
    seconds.
  - Also shows the hosts that M(directpath.vsphere.host_maintenance) keeps in maintenance mode, and the virtual machines that it shut down.
  - Shows every rolling reboot with its owner, its last heartbeat and whether it is alive; each of its hosts with its phase; and the virtual
    machines that are off because of it, in the order in which they will be powered on.
  - A journal in vCenter can be read from any control node. A journal in a file can be read only where the file is.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes.INFO_MODULE
options:
  journal_dir:
    description: Directory of the journal file. The file is read if it exists, in addition to the journal in vCenter.
    type: path
    default: ~/.ansible/directpath
  on_attention:
    description:
      - How the task ends if RV(status) is V(attention). V(fail) fails it, V(report) does not.
    type: str
    choices: [fail, report]
    default: report
  on_unknown:
    description:
      - How the task ends if the journal cannot be read at all. V(fail) ends it as unreachable, so that C(ansible-playbook) has another exit
        status than with V(attention). V(report) fails it like other modules.
    type: str
    choices: [fail, report]
    default: report
  show_idle:
    description: Whether to print a line if there is nothing to report.
    type: bool
    default: true
seealso:
  - module: directpath.vsphere.host_rolling_reboot
  - module: directpath.vsphere.rolling_reboot_pause
"""

EXAMPLES = r"""
- name: Show rolling reboots, and VMs that are off because of them
  directpath.vsphere.rolling_reboot_info:

- name: Fail if a rolling reboot was interrupted or left a VM off
  directpath.vsphere.rolling_reboot_info:
    on_attention: fail
"""

RETURN = r"""
status:
  description: >-
    V(idle) if nothing has to be done now. V(in_progress) if a rolling reboot is in progress and no virtual machine is off. V(attention)
    if a virtual machine is off, a rolling reboot was interrupted, a host failed, or a part of the journal cannot be read.
  returned: success
  type: str
vms_off:
  description: Names of the virtual machines that a rolling reboot stopped and that are not running.
  returned: success
  type: list
  elements: str
runs:
  description: The rolling reboots, the oldest first. Times are seconds since the epoch, by the clock of the server.
  returned: success
  type: list
  elements: dict
  contains:
    run_id: {description: Id of the rolling reboot., type: str, returned: always}
    purpose: {description: "V(reboot), or V(maintenance) for hosts that M(directpath.vsphere.host_maintenance) keeps in maintenance mode.",
      type: str, returned: always}
    owner: {description: "Token of the process that has its lock; empty without a lock. Of a maintenance, the account.", type: str,
      returned: always}
    alive: {description: "Whether a process works on it: V(yes), V(no) or V(unknown). A maintenance has no lock, so it is unknown.",
      type: str, returned: always}
    interrupted: {description: Whether a host is out of service or a virtual machine is off because of it and no process works on it.,
      type: bool, returned: always}
    ended_early: {description: "Whether it ended before its end, and all that it had taken is given back. It can be continued.", type: bool,
      returned: always}
    since: {description: When it began., type: float, returned: always}
    last_heartbeat: {description: Time of the last heartbeat; null without a lock., type: float, returned: always}
    lock_free_at: {description: When another process may take its lock; null without a lock., type: float, returned: always}
    clusters: {description: Names of its clusters., type: list, elements: str, returned: always}
    hosts:
      description: Hosts with a journal entry.
      type: list
      elements: dict
      returned: always
      sample: [{name: esx-01, moid: host-12, cluster: gpu-a, step: draining, since: 1767322800.0,
        doing: it is being evacuated and enters maintenance mode, next: its reboot, connection: connected, in_maintenance: false,
        reason: "", code: ""}]
    vms:
      description: Virtual machines with a journal entry, in the order in which they will be powered on.
      type: list
      elements: dict
      returned: always
      sample: [{name: train-01, moid: vm-31, host: esx-01, since: 1767322800.0, power: "off", forced: false, removed: false}]
    next:
      description: What a person does now, then the alternatives. C(command) is empty if there is none; C(after) is the time
        of the server before which it is not to be done, or null.
      type: list
      elements: dict
      returned: always
      sample: [{do: power on train-01 and return the hosts to service (this reboots no host),
        command: ansible-playbook directpath.vsphere.restore, after: null}]
in_progress:
  description: One sentence for each virtual machine that is off and each host on which something is in progress, and what to do next.
  returned: success
  type: list
  elements: str
pauses:
  description: Why no further host is started.
  returned: success
  type: list
  elements: dict
  contains:
    cluster: {description: Name of the cluster; empty if it applies to the whole vCenter., type: str, returned: always}
    reason: {description: Why., type: str, returned: always}
    by: {description: User and machine that paused; empty if the custom attribute was set by hand., type: str, returned: always}
    since: {description: When the pause began; null if unknown., type: float, returned: always}
pending:
  description: Names of the hosts that require a reboot for a PCI device. Which of them a rolling reboot was to reboot is not in the
    journal.
    Null if no rolling reboot ended early, or if it is unknown.
  returned: success
  type: list
  elements: str
unreadable:
  description: Parts of the journal that cannot be read. What they would show is unknown.
  returned: success
  type: list
  elements: str
lines:
  description: The printed text.
  returned: success
  type: list
  elements: str
journal:
  description: Where the journal was read.
  returned: success
  type: dict
  sample: {vcenter: true, file: ~/.ansible/directpath/vcenter.lab_443.json, file_exists: false}
vcenter:
  description: Name of the server.
  returned: success
  type: str
server_time:
  description: Time of the server, in seconds since the epoch.
  returned: success
  type: float
clock_difference:
  description: Seconds by which the clock of the server is ahead of the machine where the module runs.
  returned: success
  type: int
calls:
  description: Number of API calls.
  returned: always
  type: int
logins:
  description: Number of logins. 0 when a shared session was reused.
  returned: always
  type: int
"""

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import Work, run
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling_reboot_info import (
    StatusQuery,
    report_status,
)

ENDINGS = {"type": "str", "choices": ["fail", "report"], "default": "report"}
ARGUMENTS = {
    "journal_dir": {"type": "path", "default": "~/.ansible/directpath"},
    "on_attention": ENDINGS,
    "on_unknown": ENDINGS,
    "show_idle": {"type": "bool", "default": True},
}


def main() -> None:
    run(Work(arguments=ARGUMENTS, parse=StatusQuery.of, do=report_status, read_only=True))


if __name__ == "__main__":
    main()
