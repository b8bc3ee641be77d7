#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: drift_info
short_description: Compare everything that is wanted of a vCenter with what is there
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Compares the devices wanted on hosts, and the devices, memory and power wanted of virtual machines, with what is there, and names
    every difference with its cause, its cure and the command for it.
  - Finds what M(directpath.vsphere.host_passthrough), M(directpath.vsphere.host_rolling_reboot) and
    M(directpath.vsphere.vm_pci_device) would change or refuse, as it plans with the same code, and beyond that devices that nobody
    asked for and settings left behind.
  - What cannot be read is unknown, never in sync - hosts that are not connected, properties the account may not read, names that are
    not to be seen.
  - Takes at most about 40 calls, whatever the size of the fleet, further pages of large answers not counted.
  - Does not fail because of what it finds. The role P(directpath.vsphere.drift_report#role) does, and writes the reports.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes.INFO_MODULE
  - directpath.vsphere.machines
options:
  targets:
    description:
      - Which devices are wanted on which hosts. A host named by several entries is to have the devices of all.
      - A host with an empty list of devices is to have none enabled.
    type: list
    elements: dict
    suboptions:
      hosts:
        description: ESXi hosts by name, inventory path or managed object id.
        type: list
        elements: str
        aliases: [esxi_hostname]
      cluster:
        description: Clusters by name, inventory path or managed object id. All of their hosts are meant.
        type: list
        elements: str
        aliases: [cluster_name]
      devices:
        description: Devices wanted on each of these hosts, as in O(directpath.vsphere.host_passthrough#module:devices).
        type: list
        elements: dict
        suboptions:
          match:
            description: As in O(directpath.vsphere.host_passthrough#module:devices[].match).
            type: raw
            required: true
          count:
            description: As in O(directpath.vsphere.host_passthrough#module:devices[].count).
            type: raw
          label:
            description: Hardware label the device is to have.
            type: str
  on_missing:
    description: Whether a host that has no such device, or too few, differs from what is wanted or is passed over.
    type: str
    choices: [fail, skip]
    default: fail
  allow_protected:
    description: As O(directpath.vsphere.host_passthrough#module:allow_protected).
    type: list
    elements: str
    default: []
  ignore_unreadable_vms:
    description: As O(directpath.vsphere.vm_pci_device#module:ignore_unreadable_vms).
    type: list
    elements: str
    default: []
  host_device_limit:
    description: As O(directpath.vsphere.vm_pci_device#module:host_device_limit).
    type: int
  only_on_hosts:
    description: ESXi hosts, as in O(targets[].hosts). Virtual machines on other hosts are passed over. Without it none is.
    type: list
    elements: str
    default: []
  scope:
    description:
      - V(intent) looks at the hosts and virtual machines that O(targets) and O(vms) name. V(fleet) at all there are - on the others
        every passthrough device is one that nobody asked for.
    type: str
    choices: [intent, fleet]
    default: intent
  ignore:
    description:
      - Differences that are expected. They stay in the report, with the name of the rule, and do not count.
      - All conditions given in a rule have to hold, of each list one entry. Names are as the report
        shows them, in any case; V(*) and V(?) stand for other characters, brackets for themselves.
      - What could not be told is let pass only by a rule that names its kind.
      - A rule that covers nothing is warned about.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Why these differences are expected, in a few words.
        type: str
        required: true
      kinds:
        description: Kinds of differences, such as V(extra) or V(pending_reboot).
        type: list
        elements: str
      hosts:
        description: Hosts by name.
        type: list
        elements: str
      vms:
        description: Virtual machines by name.
        type: list
        elements: str
      clusters:
        description: Clusters by name.
        type: list
        elements: str
      devices:
        description: Devices by address or V(vendor:device).
        type: list
        elements: str
  most_questions:
    description:
      - Some answers are given for one host at a time - partition tables, which show whether a disk is in use, and the ids and limits of
        fixed devices. They are only needed where something differs, or where virtual machines with fixed devices are off.
      - At most about so many of these questions are asked. What is left open is reported as V(unchecked), never as in sync.
    type: int
    default: 10
  journal_dir:
    description: >-
      As O(directpath.vsphere.host_rolling_reboot#module:journal_dir). Hosts that a rolling reboot has in hand, or left behind when it
      was interrupted, differ from what is wanted.
    type: path
    default: ~/.ansible/directpath
  command_arguments:
    description: What follows the name of a playbook in the commands of the report, such as V(-i inventory.yml --limit vc-01).
    type: str
    default: ""
seealso:
  - module: directpath.vsphere.host_passthrough
  - module: directpath.vsphere.vm_pci_device
"""

EXAMPLES = r"""
- name: Compare a cluster and a VM with what is wanted
  directpath.vsphere.drift_info:
    targets:
      - cluster: [gpu-a]
        devices: [{match: "10de:20f1"}]
    vms:
      - {name: train-01, devices: [{match: "10de:20f1", count: 2}]}
  register: drift

- name: Every device in the fleet that nobody asked for, but for those of the laboratory
  directpath.vsphere.drift_info:
    targets: []
    scope: fleet
    ignore:
      - {name: the laboratory does as it likes, clusters: ["lab-*"]}
  register: strays
"""

RETURN = r"""
status:
  description: "V(in_sync), V(drift) when anything differs, V(unknown) when nothing is known to differ but not everything could be told."
  returned: success
  type: str
settled:
  description: >-
    Whether the roles of the playbook C(site) would find nothing to do, to wait for or to refuse. Differences that they leave alone,
    such as devices that nobody asked for, do not count here; those that rules of O(ignore) let pass do.
  returned: success
  type: bool
summary:
  description: What was found, in one sentence.
  returned: success
  type: str
report:
  description: >-
    The report, in version 1 of its schema (C(docs/drift_report.schema.json) of the collection).
  returned: success
  type: dict
  contains:
    schema: {description: V(directpath.vsphere.drift_report)., type: str, returned: always}
    version: {description: Version of the schema. Within a version keys are only added., type: int, returned: always}
    vcenter: {description: Where it was read., type: str, returned: always}
    status: {description: As RV(status)., type: str, returned: always}
    summary: {description: "Figures - hosts, VMs, differences by kind.", type: dict, returned: always}
    differences: {description: "Every difference, with kind, certainty, object, subject, wanted, found, cause, obstacles, cure, command,
      whether the modules would act on it (planned), and the rule that lets it pass (ignored).", type: list, elements: dict,
      returned: always}
    idle_rules: {description: Names of rules that cover nothing., type: list, elements: str, returned: always}
    hosts: {description: Hosts that were compared with their devices of interest., type: list, elements: dict, returned: always}
    vms: {description: Virtual machines that were compared., type: list, elements: dict, returned: always}
calls:
  description: Round trips this took.
  returned: always
  type: int
logins:
  description: Logins this took; none where a shared session was taken up.
  returned: always
  type: int
"""

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.drift_info import (
    DriftRequest,
    deepen,
    observe,
    render,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.arguments import (
    DEVICES,
    JOURNAL_DIR,
    MMIO,
    TARGETS,
    VM_OPTIONS,
    VM_OPTIONS_WITH_DEFAULTS,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import Job, run, show_only

NAMES = {"type": "list", "elements": "str"}
ARGUMENTS = {
    **TARGETS,
    **MMIO,
    **VM_OPTIONS_WITH_DEFAULTS,
    "vms": {
        "type": "list",
        "elements": "dict",
        "options": {"name": {"type": "str"}, "moid": {"type": "str"}, **DEVICES, **MMIO, **VM_OPTIONS},
    },
    "on_missing": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
    "allow_protected": {**NAMES, "default": []},
    "ignore_unreadable_vms": {**NAMES, "default": []},
    "host_device_limit": {"type": "int"},
    "only_on_hosts": {**NAMES, "default": []},
    "scope": {"type": "str", "choices": ["intent", "fleet"], "default": "intent"},
    "ignore": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            **dict.fromkeys(("kinds", "hosts", "vms", "clusters", "devices"), NAMES),
        },
    },
    "most_questions": {"type": "int", "default": 10},
    "journal_dir": JOURNAL_DIR,
    "command_arguments": {"type": "str", "default": ""},
}
CONSTRAINTS = {"required_one_of": [("targets", "vms")]}


def main() -> None:
    run(
        Job(
            arguments=ARGUMENTS,
            constraints=CONSTRAINTS,
            parse=DriftRequest.of,
            observe=observe,
            deepen=deepen,
            plan=show_only,
            render=render,
        )
    )


if __name__ == "__main__":
    main()
