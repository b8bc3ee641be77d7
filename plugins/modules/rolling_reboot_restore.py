#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rolling_reboot_restore
short_description: Power on the VMs that a rolling reboot stopped, and return its hosts to service
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Gives back what an interrupted rolling reboot has taken. Powers on the virtual machines that it stopped, in order, and returns its hosts
    to service. Hosts that were rebooted are verified first.
  - Starts no further host and requests no reboot. A host whose reboot is in progress is awaited. One that was shut down for a power
    cycle (O(directpath.vsphere.host_rolling_reboot#module:method=power_cycle)) is powered on by its management controller, if O(bmc)
    contains it.
  - Uses the journal only. It needs no desired state, and works from any control node that can read the journal.
  - Refuses to work while the rolling reboot is alive. M(directpath.vsphere.rolling_reboot_info) shows whether it is.
  - A rolling reboot can be resumed after a restore.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes
  - directpath.vsphere.bmc
  - directpath.vsphere.outlets
  - directpath.vsphere.outlets.RUNS
  - directpath.vsphere.outlets.VCENTER
options:
  hosts:
    description: Restore only these hosts and their virtual machines. By name, inventory path or managed object id. Empty means all.
    type: list
    elements: str
    default: []
  take_lock:
    description:
      - Take the lock of this owner even if its rolling reboot is alive. Exactly as RV(directpath.vsphere.rolling_reboot_info#module:runs)
        shows it. The other process stops as soon as it notices.
    type: str
    default: ""
  reboot_timeout:
    description: Seconds to wait for a host whose reboot is in progress.
    type: int
    default: 2700
  verify_timeout:
    description: Seconds to wait until the devices, datastores and uplinks of a rebooted host are verified.
    type: int
    default: 300
  leave_timeout:
    description: Seconds to wait until a host has left maintenance mode.
    type: int
    default: 600
  restore_timeout:
    description: Seconds to wait until the virtual machines of a host are running.
    type: int
    default: 900
  wait_for_tools:
    description: Whether to wait until VMware Tools of a virtual machine report, before the next ones are powered on.
    type: bool
    default: true
  lock_ttl:
    description: Seconds without a heartbeat after which the lock of this run may be taken by another one.
    type: int
    default: 300
  journal:
    description: Where the journal is. V(auto) finds it.
    type: str
    choices: [auto, vcenter, file]
    default: auto
  journal_dir:
    description: Directory of the journal file.
    type: path
    default: ~/.ansible/directpath
  progress:
    description: How progress is shown. V(auto) uses a bar on a terminal, V(lines) only lines, V(none) nothing.
    type: str
    choices: [auto, lines, none]
    default: auto
  progress_file:
    description: Also write the progress to this file, one JSON record a line.
    type: path
  slice:
    description: Set by the action plugin. Seconds after which the module returns, to be called again.
    type: float
    default: 0
  run_id:
    description: Set by the action plugin.
    type: str
  continue_run:
    description: Set by the action plugin.
    type: bool
    default: false
    aliases: [goes_on]
  resolved:
    description: Set by the action plugin.
    type: dict
    default: {}
  earlier_slices:
    description: Set by the action plugin.
    type: dict
    default: {}
  shared_dir:
    description: Set by the action plugin.
    type: path
  stop_reason:
    description: Set by the action plugin.
    type: str
    default: ''
  stopped_vms:
    description: Set by the action plugin.
    type: list
    elements: str
    default: []
seealso:
  - module: directpath.vsphere.rolling_reboot_info
  - module: directpath.vsphere.host_rolling_reboot
"""

EXAMPLES = r"""
- name: Show what would be returned to service and powered on
  directpath.vsphere.rolling_reboot_restore:
  check_mode: true

- name: Return everything to service, and power on hosts that were shut down for a power cycle
  directpath.vsphere.rolling_reboot_restore:
    bmc: "{{ hostvars | directpath.vsphere.bmc_access }}"

- name: Return one host to service, and power on its VMs
  directpath.vsphere.rolling_reboot_restore:
    hosts: [esx-01]
"""

RETURN = r"""
outlets:
  description:
    - For each outlet (O(notify), O(metrics_file), O(traces), O(vcenter_events)) its C(name), how many events were C(sent) and C(lost), and
      why the last one was lost (C(why)).
  returned: when an outlet is set, and not in check mode
  type: list
  elements: dict
  sample: [{name: "notify https://hooks.example.com", sent: 24, lost: 0, why: ""}]
vms_started:
  description: Virtual machines that were powered on.
  returned: success
  type: list
  elements: str
vms_off:
  description: Virtual machines that the rolling reboot stopped and that are still off.
  returned: success
  type: list
  elements: str
hosts_returned:
  description: Hosts that were returned to service.
  returned: success
  type: list
  elements: str
hosts_left:
  description: Hosts that are not in service again.
  returned: success
  type: list
  elements: str
changes:
  description: The changes. Check mode lists the same changes as a real run in which every host passes its verification.
  returned: success
  type: list
  elements: dict
state:
  description: As in M(directpath.vsphere.host_rolling_reboot).
  returned: success
  type: str
hosts:
  description: As in M(directpath.vsphere.host_rolling_reboot).
  returned: when something was to be done
  type: list
  elements: dict
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
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling_reboot_restore import (
    ARGUMENTS,
    RestoreRequest,
    restore,
)


def main() -> None:
    run(Work(arguments=ARGUMENTS, parse=RestoreRequest.of, do=restore))


if __name__ == "__main__":
    main()
