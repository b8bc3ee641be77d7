#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

# The code is in plugins/action/drift_report.py.

DOCUMENTATION = r"""
module: drift_report
short_description: Put drift reports together, write them as files and judge them
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Makes one report of what M(directpath.vsphere.drift_info) found on one or many vCenters, and writes it as JSON, JUnit XML, Markdown
    and one self-contained HTML page.
  - A vCenter whose look failed becomes a part of the report of which nothing is known. It does not spoil the others.
  - Can end the play by what was found, so that the exit status of C(ansible-playbook) tells - 0 in sync, 2 drift, 4 could not tell.
  - Works on the controller. The role P(directpath.vsphere.drift_report#role) uses it.
options:
  results:
    description: Results of M(directpath.vsphere.drift_info), also of tasks that failed.
    type: list
    elements: dict
  vcenters:
    description: Names of the vCenters, in the order of O(results).
    type: list
    elements: str
  judge:
    description: The result of an earlier call of this module that is to be judged, in place of O(results).
    type: dict
  vcenter:
    description: Judge what was found on this vCenter only.
    type: str
  json:
    description: File for the report as JSON. Folders are made, a file of that name is replaced, in one step. Mode 0644.
    type: path
  junit:
    description: File for the report as JUnit XML - one test a host and virtual machine.
    type: path
  markdown:
    description: File for the report as Markdown.
    type: path
  html:
    description: File for the report as one HTML page, which needs no other file and no network.
    type: path
  on_drift:
    description: Whether the task fails when anything differs from what is wanted.
    type: str
    choices: [fail, report]
    default: report
  on_unknown:
    description:
      - Whether the task ends as unreachable when nothing is known to differ but not everything could be told.
      - Where O(vcenter) is given and another vCenter drifted, it ends as failed, so that the exit status of the play stays 2.
    type: str
    choices: [fail, report]
    default: report
attributes:
  check_mode:
    description: Can run in check mode and tell what it would change, without changing it.
    support: full
    details:
      - In check mode no file is written; what was found is judged all the same.
  diff_mode:
    description: Returns what changes in diff mode.
    support: N/A
    details:
      - The files it writes are reports.
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
    details:
      - The files hold the time at which they were made.
  action:
    description: Runs on the controller, without a connection.
    support: full
seealso:
  - module: directpath.vsphere.drift_info
"""

EXAMPLES = r"""
- name: Compare
  directpath.vsphere.drift_info:
    targets:
      - cluster: [gpu-a]
        devices: [{match: "10de:20f1"}]
  register: look
  failed_when: false

- name: Write the reports
  directpath.vsphere.drift_report:
    vcenters: [vc-a]
    results: ["{{ look }}"]
    html: report/drift.html
    junit: report/drift.xml
  register: found

- name: End as unreachable where nobody can tell
  directpath.vsphere.drift_report:
    judge: "{{ found }}"
    on_unknown: fail
"""

RETURN = r"""
status:
  description: "V(in_sync), V(drift) or V(unknown), over all vCenters. Drift anywhere is drift."
  returned: when O(results) is given
  type: str
summary:
  description: What was found, in one sentence.
  returned: when O(results) is given
  type: str
figures:
  description: Numbers of vCenters, hosts, VMs and differences by kind.
  returned: when O(results) is given
  type: dict
vcenters:
  description: "Of each vCenter, C(status), C(summary) and C(differences)."
  returned: when O(results) is given
  type: dict
differences:
  description: One sentence a difference, at most 50. All are in the files.
  returned: when O(results) is given
  type: list
  elements: str
files:
  description: Files that were written.
  returned: when O(results) is given
  type: list
  elements: str
error_code:
  description: "V(drift) or V(drift_unknown)."
  returned: when the play is to end
  type: str
"""
