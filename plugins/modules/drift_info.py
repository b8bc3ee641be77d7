#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: drift_info
short_description: Compare the desired state of a vCenter with its actual state
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Compares the desired devices of hosts, and the desired devices, memory and power state of virtual machines, with the actual state.
    Reports every difference with its cause, its fix and the command for the fix.
  - Plans with the same code as M(directpath.vsphere.host_passthrough), M(directpath.vsphere.host_rolling_reboot) and
    M(directpath.vsphere.vm_pci_device), and therefore finds everything that they would change or refuse. It also finds devices that are
    not in the desired state, and settings that were left behind.
  - What cannot be read is reported as unknown, never as in sync. Examples are hosts that are not connected, properties that the account
    may not read, and names that the account cannot see.
  - Makes at most about 40 API calls for any number of hosts. Further pages of large answers are not counted.
  - Does not fail because of drift. The role P(directpath.vsphere.drift_report#role) does, and writes the reports.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes.INFO_MODULE
  - directpath.vsphere.machines
  - directpath.vsphere.graphics
options:
  targets:
    description:
      - Desired devices by host. A host that several entries name gets the devices of all of them.
      - An empty list of devices means that no device of the host is to be enabled.
    type: list
    elements: dict
    suboptions:
      hosts:
        description: ESXi hosts by name, inventory path or managed object id.
        type: list
        elements: str
        aliases: [esxi_hostname]
      cluster:
        description: Clusters by name, inventory path or managed object id. Selects all hosts of these clusters.
        type: list
        elements: str
        aliases: [cluster_name]
      devices:
        description: Desired devices of each of these hosts, as in O(directpath.vsphere.host_passthrough#module:devices).
        type: list
        elements: raw
  on_missing:
    description: Whether a host that lacks a desired device, or has too few, is reported as drift (V(fail)) or skipped (V(skip)).
    type: str
    choices: [fail, skip]
    default: fail
  allow_protected:
    description: As O(directpath.vsphere.host_passthrough#module:allow_protected).
    type: list
    elements: str
    default: []
  host_ignore_unreadable_vms:
    description: As O(directpath.vsphere.host_passthrough#module:ignore_unreadable_vms), for the comparison of hosts with their desired
      devices, virtual functions and device modes.
    type: list
    elements: str
    default: []
  ignore_unreadable_vms:
    description: As O(directpath.vsphere.vm_pci_device#module:ignore_unreadable_vms), for the comparison of virtual machines.
    type: list
    elements: str
    default: []
  unknown_names:
    description:
      - What to do about an entry of O(allow_protected), O(ignore_unreadable_vms) or O(host_ignore_unreadable_vms) whose host
        or virtual machine does not exist here. The entry has no effect.
      - V(warn) warns. V(only_if_refused) warns only if something is refused that such an entry could allow. Set it for a list that is for
        several vCenters. The roles do.
    type: str
    choices: [warn, only_if_refused]
    default: warn
  host_device_limit:
    description: As O(directpath.vsphere.vm_pci_device#module:host_device_limit).
    type: int
  only_on_hosts:
    description: ESXi hosts, as in O(targets[].hosts). Virtual machines on other hosts are skipped. When empty, no virtual machine is
      skipped.
    type: list
    elements: str
    default: []
  scope:
    description:
      - V(intent) compares the hosts and virtual machines that O(targets) and O(vms) name.
      - V(fleet) compares all hosts and virtual machines of the vCenter. What O(targets), O(graphics) and O(vms) could name and do not
        name is reported as not desired - passthrough devices, virtual functions, device modes and graphics settings of hosts, and devices
        of every kind in virtual machines.
    type: str
    choices: [intent, fleet]
    default: intent
  ignore:
    description:
      - Rules for expected differences. An expected difference stays in the report with the name of the rule, but does not count as drift.
      - A difference must meet all conditions of a rule. A condition that is a list is met by any of its entries. Write names as the report
        shows them; upper and lower case are the same. V(*) and V(?) are wildcards. Brackets have no special meaning.
      - A difference that is unknown is ignored only by a rule that names its kind.
      - A rule that matches nothing causes a warning.
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
  max_host_queries:
    description:
      - Some facts need one API call a host, such as partition tables (is a disk in use?), and the ids and limits of fixed devices. The
        module asks for them only where something differs, or where virtual machines with fixed devices are powered off.
      - The module makes at most about this many of these calls. A fact that it did not ask for is reported as V(unchecked), never as in
        sync.
      - The alias V(most_questions) is deprecated and will be removed in 2.0.0.
    type: int
    aliases: [most_questions]
    default: 10
  journal_dir:
    description: >-
      As O(directpath.vsphere.host_rolling_reboot#module:journal_dir). A host is reported as drift while a rolling reboot works on it, and
      when an interrupted rolling reboot left it unfinished.
    type: path
    default: ~/.ansible/directpath
  publish_as:
    description:
      - The name of the vCenter in the data that the task publishes if RV(settled) is true, so that a controller passes it to the next job
        of a workflow, as C(directpath_stats_verify). When unset, the task publishes nothing.
      - The role P(directpath.vsphere.verify#role) publishes every other result with M(ansible.builtin.set_stats).
    type: str
  command_arguments:
    description: Arguments to add after the playbook name in the commands of the report, such as V(-i inventory.yml --limit vc-01).
    type: str
    default: ""
seealso:
  - module: directpath.vsphere.host_passthrough
  - module: directpath.vsphere.vm_pci_device
"""

EXAMPLES = r"""
- name: Compare a cluster and a VM with the desired state
  directpath.vsphere.drift_info:
    targets:
      - cluster: [gpu-a]
        devices: [{match: "10de:20f1"}]
    vms:
      - {name: train-01, devices: [{match: "10de:20f1", count: 2}]}
  register: drift

- name: Find every passthrough device of the vCenter, except those of the lab clusters
  directpath.vsphere.drift_info:
    targets: []
    scope: fleet
    ignore:
      - {name: lab clusters are not managed, clusters: ["lab-*"]}
  register: strays
"""

RETURN = r"""
status:
  description: "V(in_sync), V(drift) when anything differs, V(unknown) when no difference was found but some facts could not be read."
  returned: success
  type: str
settled:
  description: >-
    Whether the roles of the playbook C(site) would have nothing to change, nothing to wait for and nothing to refuse. Differences that
    these roles do not act on, such as devices that are not desired, do not count here. Differences that O(ignore) covers do.
  returned: success
  type: bool
settled_lines:
  description:
    - RV(summary), and one line for each host and virtual machine with its devices. Of more than forty hosts, and of more than forty
      virtual machines, those without anything notable are only counted.
  returned: when RV(settled) is true
  type: list
  elements: str
ansible_stats:
  description: What is published, in the form of M(ansible.builtin.set_stats).
  returned: when RV(settled) is true and O(publish_as) is set
  type: dict
in_progress:
  description:
    - What rolling reboots and M(directpath.vsphere.host_maintenance) are doing with these hosts, by whom and since when, and each virtual
      machine that is off because of it. As RV(directpath.vsphere.rolling_reboot_info#module:in_progress). Times are those of the server.
  returned: success
  type: list
  elements: str
summary:
  description: The result in one sentence.
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
    vcenter: {description: The vCenter., type: str, returned: always}
    status: {description: As RV(status)., type: str, returned: always}
    summary: {description: "Numbers of hosts, VMs and differences by kind.", type: dict, returned: always}
    differences: {description: "Every difference, with kind, certainty, object, subject, wanted, found, cause, obstacles, C(cure) (the
      fix), command, whether the modules would act on it (planned), and the rule that covers it (ignored).", type: list, elements: dict,
      returned: always}
    idle_rules: {description: Names of rules that match nothing., type: list, elements: str, returned: always}
    hosts: {description: "Hosts that were compared, with their relevant devices.", type: list, elements: dict, returned: always}
    vms: {description: Virtual machines that were compared., type: list, elements: dict, returned: always}
calls:
  description: Number of API calls.
  returned: always
  type: int
logins:
  description: Number of logins. 0 when a shared session was reused.
  returned: always
  type: int
"""

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.drift_info import observe, render
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.drift_reading import DriftRequest
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.arguments import (
    GRAPHICS_LIST,
    JOURNAL_DIR,
    MMIO,
    TARGETS,
    UNKNOWN_NAMES,
    VM_DEVICES,
    VM_OPTIONS,
    VM_OPTIONS_WITH_DEFAULTS,
    renamed_from,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import InfoJob, run

NAMES = {"type": "list", "elements": "str"}
ARGUMENTS = {
    **TARGETS,
    **GRAPHICS_LIST,
    **MMIO,
    **VM_OPTIONS_WITH_DEFAULTS,
    "vms": {
        "type": "list",
        "elements": "dict",
        "options": {"name": {"type": "str"}, "moid": {"type": "str"}, **VM_DEVICES, **VM_OPTIONS},
    },
    "on_missing": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
    **{
        name: {**NAMES, "default": []}
        for name in ("allow_protected", "ignore_unreadable_vms", "host_ignore_unreadable_vms", "only_on_hosts")
    },
    **UNKNOWN_NAMES,
    "host_device_limit": {"type": "int"},
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
    "max_host_queries": {"type": "int", "default": 10, **renamed_from("most_questions")},
    "journal_dir": JOURNAL_DIR,
    "publish_as": {"type": "str"},
    "command_arguments": {"type": "str", "default": ""},
}
CONSTRAINTS = {"required_one_of": [("targets", "vms", "graphics")]}


def main() -> None:
    run(InfoJob(arguments=ARGUMENTS, constraints=CONSTRAINTS, parse=DriftRequest.of, observe=observe, render=render))


if __name__ == "__main__":
    main()
