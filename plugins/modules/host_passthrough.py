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
  - Enables or disables PCI passthrough on one host, on a list of hosts or on whole clusters in one call. Devices are selected by model,
    class, address and other properties.
  - Changes all functions of a reset group together. A reset group is the functions of a device that can only be reset together.
  - Refuses devices that the host depends on (uplinks, controllers of boot disks and datastores, USB controllers of hosts that boot from
    USB). Refuses to disable devices that virtual machines use. The message gives the exact override, if there is one.
  - Writes only to hosts that differ. Immediately before each write it reads the host again (also its disks and switches) and plans again.
    It writes only if the new plan contains nothing but the planned change. After the write it reads whether the change is in effect or
    requires a reboot.
  - A refused host does not stop the changes on other hosts. The task fails at the end if a host was refused.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes
  - directpath.vsphere.selectors.HOSTS
  - directpath.vsphere.selectors.DEVICES
  - directpath.vsphere.selectors.TARGETS
  - directpath.vsphere.pace
options:
  state:
    description: Whether passthrough of the devices is to be enabled or disabled.
    type: str
    choices: [enabled, disabled]
    default: enabled
  apply:
    description:
      - When a change takes effect. V(auto) lets the host decide. A host that can rebind the device does so at once, other hosts at the
        next reboot.
      - V(now) is refused on hosts that cannot change devices without a reboot. V(reboot) delays every change until the next reboot.
    type: str
    choices: [auto, now, reboot]
    default: auto
  on_missing:
    description: Whether a host that lacks a device, or has too few, is refused (V(fail)) or skipped (V(skip)).
    type: str
    choices: [fail, skip]
    default: fail
  allow_protected:
    description:
      - Protected devices that may be passed through. Name each by host, address and identity, such as
        V("esx-01/0000:5e:00.0=eui.0025385b01402f7a"). Leave out the host when the task selects one host only.
      - The identity after the equals sign is the canonical name of the disk for a storage controller, the MAC address for a network
        adapter, and the vendor and device id (V(10de:1eb8)) for any other device. Join several disks or ports with a plus sign. The
        message of the refusal contains the exact text.
      - The override does not apply when another device is at the address at the time of the write.
      - An address without identity is accepted until 1.0.0, with a warning, but never for a disk that ESXi may boot from.
      - There is no override for the last management uplink and for bridges.
    type: list
    elements: str
    default: []
  ignore_unreadable_vms:
    description:
      - Virtual machines, by name, inventory path or managed object id, whose devices cannot be read, and that you know to hold no
        passthrough device.
      - The devices of a virtual machine are unknown when it is orphaned or inaccessible, when the account may not read it, or when a
        backing cannot be read. Until they are known, no device of its host is disabled.
    type: list
    elements: str
    default: []
  unknown_names:
    description:
      - What to do about an entry of O(allow_protected) or O(ignore_unreadable_vms) whose host or virtual machine does not exist here.
        The entry has no effect.
      - V(warn) warns. V(only_if_refused) warns only if something is refused that such an entry could allow. Set it for a list that is for
        several vCenters. The roles do.
    type: str
    choices: [warn, only_if_refused]
    default: warn
  assume_detached:
    description:
      - Virtual machines, by name, inventory path or managed object id, that are treated as if their devices were detached. Only used in
        check mode, to predict the result after an earlier step that check mode did not do.
    type: list
    elements: str
    default: []
  settle_timeout:
    description: Seconds to wait for a change to take effect before the device is reported as requiring a reboot.
    type: int
    default: 30
seealso:
  - module: directpath.vsphere.host_pci_device_info
  - module: directpath.vsphere.host_rolling_reboot
"""

EXAMPLES = r"""
- name: Enable passthrough of every A100 of a cluster
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

- name: Disable passthrough, so that the hosts use the cards again
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
    name: {description: "Name of the host, or its path with a leading slash if the name is not unique.", type: str, returned: always}
    moid: {description: Managed object id., type: str, returned: always}
    path: {description: Inventory path of the host., type: str, returned: always}
    cluster: {description: "Name of its cluster, or its path with a leading slash if the name is not unique; null for a standalone
      host.", type: str, returned: always}
    status: {description: "V(ok), V(changed), V(pending), V(refused), V(skipped), V(failed) or V(not_reached).", type: str,
      returned: always}
    in_maintenance_mode: {description: Whether it is in maintenance mode., type: bool, returned: always}
    reboot_required: {description: "Whether a selected device requires a reboot. In check mode, whether one would.", type: bool,
      returned: always}
    pending: {description: Addresses of selected devices with a pending reboot., type: list, elements: str,
      returned: always}
    groups: {description: Reset groups - addresses of functions that are changed together., type: list, elements: list, returned: always}
    overridden: {description: "Protected devices that O(allow_protected) allows, each with address, device (its identity), override and
      reasons.", type: list, elements: dict, returned: always}
    devices: {description: "The selected devices, as in M(directpath.vsphere.host_pci_device_info).", type: list, elements: dict,
      returned: always}
    blockers: {description: "Why the host was refused, each with code, message, C(cure) (the fix) and candidates.", type: list,
      elements: dict, returned: always}
    warnings: {description: Warnings about this host., type: list, elements: str, returned: always}
overridden:
  description: The entries of O(allow_protected) that a change of this run needed, in their full form.
  returned: always, once hosts were read
  type: list
  elements: str
reboot_required:
  description: Names of the hosts that require a reboot. In check mode, of those that would.
  returned: always, once hosts were read
  type: list
  elements: str
changes:
  description: The changes. Check mode lists the same changes as a real run.
  returned: always, once hosts were read
  type: list
  elements: dict
  sample: [{target: esx-01, kind: passthrough, subject: "0000:3b:00.0", before: {enabled: false}, after: {enabled: true}}]
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
  returned: always, once hosts were read
  type: int
logins:
  description: Number of logins. 0 when a shared session was reused.
  returned: always, once hosts were read
  type: int
"""

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.arguments import (
    DEVICES,
    HOSTS,
    PACE,
    TARGETS,
    UNKNOWN_NAMES,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.job import Job
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import run
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.host_passthrough import (
    PassthroughRequest,
    apply,
    observe,
    plan,
    predict,
    render,
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
    **UNKNOWN_NAMES,
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
            plan=plan,
            apply=apply,
            render=render,
            predict=predict,
        )
    )


if __name__ == "__main__":
    main()
