#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_reboot
short_description: Reboot ESXi hosts that owe it, one after another, with proof
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Reboots hosts whose PCI passthrough waits for it, one after another, and stops at the first failure.
  - Looks for what stands in the way first - virtual machines that cannot be moved, other tasks, lost connection - and names it before
    anything moves.
  - A reboot is proven by a new boot time, the uptime, the connection and answering services; then every wanted device has to be the same
    hardware and in force. Only then the host leaves maintenance mode.
  - A host that fails stays in maintenance mode. A device that still waits after a reboot is a failure, never a reason for another reboot.
  - A reboot is never forced. Every wait has a deadline.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes
  - directpath.vsphere.selectors.HOSTS
  - directpath.vsphere.selectors.DEVICES
  - directpath.vsphere.selectors.TARGETS
options:
  reboot_if:
    description: Whether only hosts that owe a reboot are rebooted, or all that are named.
    type: str
    choices: [pending, always]
    default: pending
  expect_pending:
    description:
      - Names of hosts that a change which is planned and not made yet will leave waiting for a reboot. Only used in check mode.
    type: list
    elements: str
    default: []
  assume_detached:
    description:
      - Virtual machines, by name or managed object id, that a planned change will have freed of their devices. Only used in check mode.
    type: list
    elements: str
    default: []
  maintenance:
    description:
      - V(manage) enters maintenance mode before and leaves it afterwards. A host that was in it already is left in it.
      - V(require) refuses hosts that are not in maintenance mode.
    type: str
    choices: [manage, require]
    default: manage
  evacuate_powered_off:
    description: Whether virtual machines that are off are moved to other hosts too. Refused where one has a fixed device.
    type: bool
    default: false
  vsan_mode:
    description: What happens to vSAN data of the host. Without it vCenter's default applies.
    type: str
    choices: [ensureObjectAccessibility, evacuateAllData, noAction]
  allow_protected:
    description:
      - Protected devices that the reboot may take from their host, as in M(directpath.vsphere.host_passthrough).
    type: list
    elements: str
    default: []
  drain_timeout:
    description: Seconds to wait for maintenance mode.
    type: int
    default: 1800
  reboot_timeout:
    description: Seconds to wait until the host is back. Servers with much memory or many cards need 10 to 20 minutes.
    type: int
    default: 2700
  verify_timeout:
    description: Seconds to wait for the devices after that.
    type: int
    default: 300
seealso:
  - module: directpath.vsphere.host_passthrough
"""

EXAMPLES = r"""
- name: Reboot the hosts of a cluster that owe it
  directpath.vsphere.host_reboot:
    cluster: [gpu-a]
    devices: [{match: "10de:20f1"}]

- name: Reboot one host that is in maintenance mode already, whatever it owes
  directpath.vsphere.host_reboot:
    hosts: [esx-01]
    maintenance: require
    reboot_if: always
    reboot_timeout: 3600
"""

RETURN = r"""
hosts:
  description: The hosts, in the order of their names.
  returned: always, once hosts were read
  type: list
  elements: dict
  contains:
    name: {description: Name of the host., type: str, returned: always}
    status: {description: "V(ok) (owed nothing), V(changed), V(refused), V(failed) or V(not_reached).", type: str, returned: always}
    reason: {description: Why it is rebooted., type: str, returned: always}
    boot_time_before: {description: Seconds since the epoch., type: float, returned: always}
    boot_time_after: {description: Seconds since the epoch., type: float, returned: when rebooted}
    seconds: {description: "How long drain, reboot and verify took.", type: dict, returned: when rebooted}
    done: {description: What was done., type: list, elements: str, returned: always}
    blockers: {description: What stood in the way., type: list, elements: dict, returned: always}
rebooted:
  description: Names of the hosts that were rebooted and are proven.
  returned: always, once hosts were read
  type: list
  elements: str
not_reached:
  description: Names of the hosts whose turn did not come, as one before them failed.
  returned: always, once hosts were read
  type: list
  elements: str
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

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.pace import UNTIL_ONE_FAILS
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.arguments import DEVICES, HOSTS, TARGETS
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.reboot import (
    Request,
    apply,
    expect,
    observe,
    plan,
    render,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.run import Job, run

ARGUMENTS = {
    **HOSTS,
    **DEVICES,
    **TARGETS,
    "reboot_if": {"type": "str", "choices": ["pending", "always"], "default": "pending"},
    "expect_pending": {"type": "list", "elements": "str", "default": []},
    "assume_detached": {"type": "list", "elements": "str", "default": []},
    "maintenance": {"type": "str", "choices": ["manage", "require"], "default": "manage"},
    "evacuate_powered_off": {"type": "bool", "default": False},
    "vsan_mode": {"type": "str", "choices": ["ensureObjectAccessibility", "evacuateAllData", "noAction"]},
    "allow_protected": {"type": "list", "elements": "str", "default": []},
    "drain_timeout": {"type": "int", "default": 1800},
    "reboot_timeout": {"type": "int", "default": 2700},
    "verify_timeout": {"type": "int", "default": 300},
}
CONSTRAINTS = {
    "mutually_exclusive": [("targets", "hosts"), ("targets", "cluster"), ("targets", "devices")],
    "required_one_of": [("targets", "hosts", "cluster")],
}


def main() -> None:
    run(
        Job(
            arguments=ARGUMENTS,
            constraints=CONSTRAINTS,
            wish=Request.of,
            observe=observe,
            expect=expect,
            plan=plan,
            apply=apply,
            render=render,
            pace=lambda request: UNTIL_ONE_FAILS,
            is_one_shot=True,
        )
    )


if __name__ == "__main__":
    main()
