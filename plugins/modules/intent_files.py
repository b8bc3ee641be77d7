#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

# The code is in plugins/action/intent_files.py.

DOCUMENTATION = r"""
module: intent_files
short_description: Write adopted intents to an inventory
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Writes the results of M(directpath.vsphere.intent_info) for one or many vCenters to a folder on the control node, as an inventory for
    the playbooks of this collection. The file C(not_adopted.md) lists what is not in it, with the cause and the fix.
  - Hosts that are alike share their entries.
  - Never overwrites a file. A folder that has other files or other content is refused. If it has the same content, nothing changes.
  - Writes no password and no user name.
  - Runs on the control node. The playbook C(directpath.vsphere.adopt) uses it.
options:
  results:
    description: Results of M(directpath.vsphere.intent_info). If one of them failed, nothing is written.
    type: list
    elements: dict
    required: true
  vcenters:
    description: Names of the vCenters for messages, in the order of O(results).
    type: list
    elements: str
    required: true
  connections:
    description:
      - For each vCenter, in the order of O(results), connection variables to write to the inventory. Only C(vcenter_ca_path),
        C(vcenter_validate_certs), C(vcenter_proxy_host) and C(vcenter_proxy_port) are written.
    type: list
    elements: dict
    default: []
  dest:
    description: The folder. It must be new or empty, or have the same content. Missing folders are created.
    type: str
    required: true
  shape:
    description:
      - V(esxi_hosts) makes each ESXi host an inventory host. Groups have the entries of hosts that are alike, and C(--limit) selects hosts.
      - V(vcenter) makes each vCenter an inventory host, with C(passthrough_hosts) and C(passthrough_vms).
    type: str
    choices: [esxi_hosts, vcenter]
    default: esxi_hosts
attributes:
  check_mode:
    description: Can run in check mode and predict changes without modifying the target.
    support: full
  diff_mode:
    description: Returns details on what has changed, or what would change in check mode, in diff mode.
    support: none
seealso:
  - module: directpath.vsphere.intent_info
"""

EXAMPLES = r"""
- name: Read what is there
  directpath.vsphere.intent_info:
  register: adopted

- name: Write it to an inventory
  directpath.vsphere.intent_files:
    results: ["{{ adopted }}"]
    vcenters: [vc-01]
    dest: adopted
"""

RETURN = r"""
folder:
  description: The folder.
  returned: success
  type: str
files:
  description: Paths of the files in the folder.
  returned: success
  type: list
  elements: str
hosts:
  description: Number of hosts with entries.
  returned: success
  type: int
vms:
  description: Number of virtual machines with entries.
  returned: success
  type: int
not_adopted:
  description: Number of things that were not adopted.
  returned: success
  type: int
lines:
  description: The result of each vCenter, and what was not adopted, as sentences.
  returned: success
  type: list
  elements: str
"""
