#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vm_guest_info
short_description: Read what the guests of virtual machines see of their devices, through VMware Tools
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Runs a probe in the guests of virtual machines, and returns the PCI devices that they see, with driver, memory and state.
  - Needs VMware Tools and an account in the guest, but no network connection to it. If Ansible can connect to the guest itself (SSH or
    WinRM), that is faster, and vCenter gets no password of the guest.
  - The module changes nothing in vSphere and no settings in the guest. But it runs a program there, logs in for it, and makes a temporary
    file for the output, which it removes at the end in any case. The command line of the probe is visible to other users of the guest.
  - The output comes from port 443 of the ESXi host on which the virtual machine runs. The machine that runs the module must reach it and
    trust its certificate, by the same options as for vCenter (O(validate_certs), O(ca_path), O(proxy_host)). O(gather=exit_codes) does not
    need this connection.
  - In check mode nothing runs in a guest. Then the module returns what vSphere shows, and V(not_run) as RV(vms[].status).
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes.INFO_MODULE
attributes:
  check_mode:
    support: partial
    details:
      - In check mode nothing runs in a guest, so the result has no facts of guests. The session refuses such calls.
options:
  vms:
    description:
      - Virtual machines by name, inventory path or managed object id. A string that matches two of them is refused.
    type: list
    elements: str
    aliases: [vm]
    required: true
  guest_user:
    description:
      - Account in the guest. On Windows optionally with the domain, V(DOMAIN\\user).
      - On Linux only root can read the SMBIOS UUID, without which RV(vms[].uuid_matches) is unknown.
    type: str
    required: true
  guest_password:
    description: Password of the account in the guest.
    type: str
    required: true
  os:
    description: Operating system of the guests. V(auto) takes what VMware Tools report, else the guest OS of the virtual machine.
    type: str
    choices: [auto, linux, windows]
    default: auto
  gather:
    description:
      - V(report) runs the probe and returns its report. V(exit_codes) runs only O(commands) and returns only their exit codes. It needs
        neither a connection to the ESXi host nor a temporary file.
    type: str
    choices: [report, exit_codes]
    default: report
  commands:
    description:
      - Commands to run in the guests, one after another, for C(/bin/sh) or PowerShell. Only their exit codes are returned.
      - Do not write secrets here. Other users of the guest can see command lines.
    type: list
    elements: str
  guest_timeout:
    description: Seconds for each virtual machine, for the wait until VMware Tools are ready and for everything that runs.
    type: int
    default: 180
  on_error:
    description:
      - What to do if a guest cannot be read. V(fail) fails after all guests were asked. V(report) returns RV(vms[].error) and V(failed) as
        RV(vms[].status).
    type: str
    choices: [fail, report]
    default: fail
seealso:
  - module: directpath.vsphere.vm_pci_device_info
"""

EXAMPLES = r"""
- name: Which devices and drivers does the guest see?
  directpath.vsphere.vm_guest_info:
    vms: [train-01]
    guest_user: root
    guest_password: "{{ guest_password }}"
  register: guests

- name: Check two devices without a connection to the ESXi host
  directpath.vsphere.vm_guest_info:
    vms: [train-01]
    guest_user: root
    guest_password: "{{ guest_password }}"
    gather: exit_codes
    commands:
      - test "$(grep -l 0x20f1 /sys/bus/pci/devices/*/device | wc -l)" -eq 2
"""

RETURN = r"""
vms:
  description: The virtual machines, sorted by inventory path. If the task fails because of a guest, this is returned, too.
  returned: success
  type: list
  elements: dict
  contains:
    name: {description: Name., type: str, returned: always}
    moid: {description: Managed object id., type: str, returned: always}
    path: {description: Inventory path., type: str, returned: always}
    power_state: {description: Power state., type: str, returned: always}
    uuid: {description: "C(config.uuid) of the virtual machine, which its SMBIOS shows in the guest.", type: str, returned: always}
    uuid_matches:
      description: Whether the guest shows this UUID, in one of its two byte orders. V(none) if one of both is unknown.
      type: bool
      returned: always
    tools:
      description: "VMware Tools as vSphere shows them: running status, version status, and whether guest operations work."
      type: dict
      returned: always
      sample: {running: guestToolsRunning, version: guestToolsCurrent, ready: true}
    os: {description: "V(linux) or V(windows).", type: str, returned: always}
    status: {description: "V(read), V(failed), or V(not_run) in check mode.", type: str, returned: always}
    report:
      description:
        - Facts that the probe found. A fact that could not be read is null, and C(unknown) has the reason.
        - V(none) without a probe.
      type: dict
      returned: always
      sample:
        os: linux
        kernel: 6.8.0-45-generic
        devices:
          - {address: "0000:03:00.0", ids: "10de:20f1", driver: nvidia, decoding: true, unplaced_bars: [], placed_bars: 3}
    output: {description: The output of the probe., type: str, returned: always}
    exit_codes: {description: "Exit codes of O(commands), in the same order.", type: list, elements: int, returned: always}
    error: {description: Why the guest could not be read., type: str, returned: always}
    error_code: {description: The reason as a code., type: str, returned: always}
    warnings: {description: "Problems without effect on the result, such as a temporary file that is left.", type: list, elements: str,
      returned: always}
calls:
  description: Number of API calls.
  returned: always
  type: int
logins:
  description: Number of logins. 0 when a shared session was reused.
  returned: always
  type: int
"""

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import InfoJob, run
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.vm_guest_info import (
    GuestQuery,
    observe,
    render,
)

ARGUMENTS = {
    "vms": {"type": "list", "elements": "str", "aliases": ["vm"], "required": True},
    "guest_user": {"type": "str", "required": True},
    "guest_password": {"type": "str", "required": True, "no_log": True},
    "os": {"type": "str", "choices": ["auto", "linux", "windows"], "default": "auto"},
    "gather": {"type": "str", "choices": ["report", "exit_codes"], "default": "report"},
    "commands": {"type": "list", "elements": "str"},
    "guest_timeout": {"type": "int", "default": 180},
    "on_error": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
}


def main() -> None:
    run(InfoJob(arguments=ARGUMENTS, parse=GuestQuery.of, observe=observe, render=render, in_guest=True))


if __name__ == "__main__":
    main()
