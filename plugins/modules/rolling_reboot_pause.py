#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rolling_reboot_pause
short_description: Pause rolling reboots, or end the pause
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Stores a pause with its reason, its user and its time in vCenter (custom attribute C(directpath.roll.pause)), from any control node.
    Rolling reboots in progress notice it at once, print it, and start no further host until it ends.
  - A host that is being evacuated and for which no virtual machine was stopped waits. If the pause lasts longer than the timeout of its
    evacuation, the host returns to service, and is started again after the pause. A host for which a virtual machine was stopped is
    finished, so that the virtual machine runs again and is not stopped a second time.
  - A rolling reboot that begins while it is paused reports it and waits, by default without a limit
    (O(directpath.vsphere.host_rolling_reboot#module:blocked_timeout)).
  - A pause of another user is never replaced. With a direct connection to an ESXi host, the pause is stored in the journal file of this
    machine.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes
options:
  state:
    description: V(present) pauses, V(absent) ends the pause, whoever began it.
    type: str
    choices: [present, absent]
    default: present
  reason:
    description: Why. Required with O(state=present). At most 150 characters. Everybody who waits for the end of the pause reads it.
    type: str
    default: ""
  clusters:
    description:
      - Pause only these clusters, or end only their pauses. By name, inventory path or managed object id.
      - Empty means the pause of the whole vCenter, which applies to all clusters. Pauses of single clusters are independent of it.
    type: list
    elements: str
    default: []
  journal_dir:
    description: Directory of the journal file. Used only with a direct connection to an ESXi host.
    type: path
    default: ~/.ansible/directpath
seealso:
  - module: directpath.vsphere.rolling_reboot_info
  - module: directpath.vsphere.rolling_reboot_restore
  - module: directpath.vsphere.host_rolling_reboot
"""

EXAMPLES = r"""
- name: Let rolling reboots start no further host
  directpath.vsphere.rolling_reboot_pause:
    reason: the storage array is being moved, until Monday

- name: Let them continue
  directpath.vsphere.rolling_reboot_pause:
    state: absent
"""

RETURN = r"""
pauses:
  description: The pauses that are stored now in the places that this task is about; in check mode, those that would be.
  returned: success
  type: list
  elements: dict
  contains:
    cluster: {description: Name of the cluster; empty if the pause applies to the whole vCenter., type: str, returned: always}
    reason: {description: Why., type: str, returned: always}
    by: {description: User and machine that paused; empty if the custom attribute was set by hand., type: str, returned: always}
    since: {description: "When the pause began, in seconds since the epoch; null if unknown.", type: float, returned: always}
ended:
  description: The pauses that this task ended; in check mode, those that it would end. As RV(pauses).
  returned: success
  type: list
  elements: dict
changes:
  description: The changes.
  returned: success
  type: list
  elements: dict
  sample: [{target: the whole vCenter, kind: pause, subject: rolling reboots, before: not paused,
    after: "the storage array is being moved (by alice@bastion-7, since 2026-11-29 03:12 UTC)"}]
journal:
  description: Where the pause is stored.
  returned: success
  type: dict
  sample: {kind: vcenter, place: "custom attributes of hosts, virtual machines and clusters"}
error_code:
  description: Machine-readable reason of the failure.
  returned: failure
  type: str
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
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling_reboot_pause import (
    ARGUMENTS,
    PauseRequest,
    pause,
)


def main() -> None:
    run(Work(arguments=ARGUMENTS, parse=PauseRequest.of, do=pause))


if __name__ == "__main__":
    main()
