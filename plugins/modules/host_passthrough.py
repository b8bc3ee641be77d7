#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_passthrough
short_description: Enable or disable PCI passthrough (DirectPath I/O) of devices on ESXi hosts
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Enables or disables PCI passthrough of devices, chosen by what they are, on one host, a list or whole clusters in one call.
  - Functions that can only be reset together are changed together.
  - Refuses devices the host itself lives on - uplinks, boot and datastore disks, USB controllers of hosts that boot from USB - and
    devices that VMs use when disabling. The refusal names the exact override, where there is one.
  - Writes only to hosts that differ. Right before the write the host is read and planned again, its disks and switches too, and it is
    written to only if nothing but the planned change would be made then. Reads back whether the change is in force or waits for a reboot.
  - What one host lacks never stops another host's change. The task fails at the end when a host was refused.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes
  - directpath.vsphere.selectors.HOSTS
  - directpath.vsphere.selectors.DEVICES
  - directpath.vsphere.selectors.TARGETS
  - directpath.vsphere.pace
options:
  state:
    description: Whether passthrough of the devices is to be on or off.
    type: str
    choices: [enabled, disabled]
    default: enabled
  apply:
    description:
      - When a change comes into force. V(auto) lets the host decide - at once where it can rebind the device, else at the next reboot.
      - V(now) is refused on hosts that cannot change devices without a reboot; V(reboot) leaves everything to the next reboot.
    type: str
    choices: [auto, now, reboot]
    default: auto
  on_missing:
    description: Whether a host that has no such device, or too few, is a failure or passed over.
    type: str
    choices: [fail, skip]
    default: fail
  allow_protected:
    description:
      - Protected devices that may be passed through all the same, each named again by host, address and what is there -
        V("esx-01/0000:5e:00.0=eui.0025385b01402f7a"), or the same without the host when one host is meant.
      - After the equals sign stands the canonical name of the disk for a storage controller, the MAC address for a network adapter, and
        vendor and device id (V(10de:1eb8)) for any other device. Several disks or ports are joined by a plus sign. The message of the
        refusal has it as it is to be written.
      - Where something else is at the address when the device is written, the override does not apply.
      - The address alone is accepted until 1.0.0, with a warning, and never for a disk that ESXi may boot from.
      - The last management uplink and bridges cannot be named here in any form.
    type: list
    elements: str
    default: []
  ignore_unreadable_vms:
    description:
      - Virtual machines, by name, inventory path or managed object id, that are said to hold no passthrough device, although that cannot
        be read.
      - While it is not known which devices a virtual machine holds (it is orphaned or inaccessible, the account may not read it, or a
        backing cannot be read), nothing of its host is disabled.
    type: list
    elements: str
    default: []
  assume_detached:
    description:
      - Virtual machines, by name, inventory path or managed object id, that count as holding no device any more. Only used in check mode,
        to see past a step that has not happened.
    type: list
    elements: str
    default: []
  settle_timeout:
    description: Seconds to wait for changes to show before a device counts as waiting for a reboot.
    type: int
    default: 30
seealso:
  - module: directpath.vsphere.host_pci_device_info
  - module: directpath.vsphere.host_rolling_reboot
"""

EXAMPLES = r"""
- name: Pass through every A100 of a cluster
  directpath.vsphere.host_passthrough:
    cluster: [gpu-a]
    devices:
      - match: "10de:20f1"
        label: a100
  register: enabled

- name: Different devices on different hosts, in one call
  directpath.vsphere.host_passthrough:
    targets:
      - cluster: [gpu-a]
        devices: [{match: "10de:20f1"}]
      - hosts: [esx-11, esx-12]
        devices: [{match: {class_id: "0108", name: "*P5800X*"}, count: 2}]
    on_missing: skip

- name: Give the cards back to the hosts
  directpath.vsphere.host_passthrough:
    cluster: [gpu-a]
    devices: [{match: "10de:20f1"}]
    state: disabled
"""

RETURN = r"""
hosts:
  description: The hosts, sorted by name.
  returned: always, once hosts were read
  type: list
  elements: dict
  contains:
    name: {description: "Name of the host, or its path with a slash before it where several have that name.", type: str, returned: always}
    moid: {description: Managed object id., type: str, returned: always}
    path: {description: Inventory path of the host., type: str, returned: always}
    cluster: {description: "Name of its cluster, or its path with a slash before it where several have that name; null for a host of its
      own.", type: str, returned: always}
    status: {description: "V(ok), V(changed), V(pending), V(refused), V(skipped), V(failed) or V(not_reached).", type: str,
      returned: always}
    in_maintenance_mode: {description: Whether it is in maintenance mode., type: bool, returned: always}
    reboot_required: {description: Whether a wanted device waits for a reboot; in check mode whether one is expected to., type: bool,
      returned: always}
    pending: {description: Addresses of wanted devices that are configured and not in force., type: list, elements: str,
      returned: always}
    groups: {description: Functions that are changed together., type: list, elements: list, returned: always}
    overridden: {description: "Protected devices that O(allow_protected) freed, each with address, device (what is there), override and
      reasons.", type: list, elements: dict, returned: always}
    devices: {description: "The wanted devices, as in M(directpath.vsphere.host_pci_device_info).", type: list, elements: dict,
      returned: always}
    blockers: {description: "Why the host was refused, each with code, message, cure and candidates.", type: list, elements: dict,
      returned: always}
    warnings: {description: What is worth knowing., type: list, elements: str, returned: always}
overridden:
  description: The overrides of O(allow_protected) that a change of this run needed, in their full form.
  returned: always, once hosts were read
  type: list
  elements: str
reboot_required:
  description: Names of the hosts that owe a reboot; in check mode those expected to.
  returned: always, once hosts were read
  type: list
  elements: str
changes:
  description: What changes, in check mode the same as in a real run.
  returned: always, once hosts were read
  type: list
  elements: dict
  sample: [{target: esx-01, kind: passthrough, subject: "0000:3b:00.0", before: {enabled: false}, after: {enabled: true}}]
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
  returned: always, once hosts were read
  type: int
logins:
  description: Logins this took; none where a shared session was taken up.
  returned: always, once hosts were read
  type: int
"""

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.arguments import (
    DEVICES,
    HOSTS,
    PACE,
    TARGETS,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import Job, run
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.host_passthrough import (
    PassthroughRequest,
    apply,
    deepen,
    expect,
    follow,
    observe,
    pace,
    plan,
    render,
    settle,
)

ARGUMENTS = {
    **HOSTS,
    **DEVICES,
    **TARGETS,
    **PACE,
    "state": {"type": "str", "choices": ["enabled", "disabled"], "default": "enabled"},
    "apply": {"type": "str", "choices": ["auto", "now", "reboot"], "default": "auto"},
    "on_missing": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
    "allow_protected": {"type": "list", "elements": "str", "default": []},
    "ignore_unreadable_vms": {"type": "list", "elements": "str", "default": []},
    "assume_detached": {"type": "list", "elements": "str", "default": []},
    "settle_timeout": {"type": "int", "default": 30},
}
CONSTRAINTS = {
    "mutually_exclusive": [("targets", "hosts"), ("targets", "cluster"), ("targets", "devices")],
    "required_one_of": [("targets", "hosts", "cluster")],
    "required_by": {"hosts": ["devices"], "cluster": ["devices"]},
}


def main() -> None:
    run(
        Job(
            arguments=ARGUMENTS,
            constraints=CONSTRAINTS,
            parse=PassthroughRequest.of,
            observe=observe,
            expect=expect,
            plan=plan,
            deepen=deepen,
            follow=follow,
            apply=apply,
            pace=pace,
            settle=settle,
            render=render,
        )
    )


if __name__ == "__main__":
    main()
