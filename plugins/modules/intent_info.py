#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: intent_info
short_description: Return the desired state that matches what hosts and virtual machines have now
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Reads all hosts and virtual machines of one vCenter or ESXi host, with devices of every kind, and returns the entries of an intent that
    would change nothing. It writes nothing, and it takes about a dozen calls for any number of hosts.
  - The playbook C(directpath.vsphere.adopt) writes the result to an inventory, with M(directpath.vsphere.intent_files).
  - The same code as in M(directpath.vsphere.drift_info) judges the result. A host or a virtual machine that would be drift, or that could
    not be read, is not adopted, but returned in RV(not_adopted) with the cause and the fix.
  - Devices with a pending reboot, cards that two virtual machines have, and virtual machines without a full memory reservation are never
    adopted.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes.INFO_MODULE
options:
  max_host_queries:
    description: As O(directpath.vsphere.drift_info#module:max_host_queries).
    type: int
    default: 10
  journal_dir:
    description: As O(directpath.vsphere.drift_info#module:journal_dir).
    type: path
    default: ~/.ansible/directpath
seealso:
  - module: directpath.vsphere.intent_files
  - module: directpath.vsphere.drift_info
"""

EXAMPLES = r"""
- name: Read what is there
  directpath.vsphere.intent_info:
  register: adopted

- name: Show what a person has to look at
  ansible.builtin.debug:
    msg: "{{ adopted.not_adopted | map(attribute='cause') }}"
"""

RETURN = r"""
vcenter:
  description: The vCenter or ESXi host that was read.
  returned: success
  type: str
port:
  description: Its port.
  returned: success
  type: int
hosts:
  description: The hosts with something that an intent can name, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    name: {description: "The name for an intent. A path if two hosts have the name.", type: str, returned: always}
    moid: {description: Managed object id., type: str, returned: always}
    cluster: {description: Cluster. Null for a host without one., type: str, returned: always}
    devices: {description: "The entries of C(passthrough_devices), each with a note about the choice that it is.", type: list,
      elements: dict, returned: always, sample: [{entry: {match: "10de:20f1", count: 2}, note: "2 of 4"}]}
    graphics: {description: "The settings of C(passthrough_graphics). Null if the host has those of a new host.", type: dict,
      returned: always}
vms:
  description: The virtual machines with devices, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    names: {description: "C(name) or C(moid) for an intent.", type: dict, returned: always, sample: {name: train-01}}
    moid: {description: Managed object id., type: str, returned: always}
    host: {description: Host on which it is registered., type: str, returned: always}
    cluster: {description: Cluster of that host., type: str, returned: always}
    devices: {description: "The entries of C(devices), each with a note.", type: list, elements: dict, returned: always}
    sriov_networks: {description: "The entries of C(sriov_networks), each with a note.", type: list, elements: dict, returned: always}
    options: {description: "The other keys of the entry, such as C(backing) and C(mmio).", type: dict, returned: always}
    notes: {description: Choices that concern the whole entry., type: list, elements: str, returned: always}
not_adopted:
  description: What is not adopted. In the form of the differences of M(directpath.vsphere.drift_info).
  returned: success
  type: list
  elements: dict
clusters:
  description: The number of hosts of each cluster.
  returned: success
  type: dict
  sample: {gpu-a: 3}
summary:
  description: The result in one sentence.
  returned: success
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

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.arguments import JOURNAL_DIR
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import InfoJob, run
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.intent_info import IntentQuery, observe, render

ARGUMENTS = {"max_host_queries": {"type": "int", "default": 10}, "journal_dir": JOURNAL_DIR}


def main() -> None:
    run(InfoJob(arguments=ARGUMENTS, parse=IntentQuery.of, observe=observe, render=render))


if __name__ == "__main__":
    main()
