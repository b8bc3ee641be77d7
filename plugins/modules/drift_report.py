#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

# The code is in plugins/action/drift_report.py.

DOCUMENTATION = r"""
module: drift_report
short_description: Combine drift reports, write them to files and fail on drift
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Combines the results of M(directpath.vsphere.drift_info) for one or many vCenters into one report. Writes it as JSON, JUnit XML,
    Markdown and one self-contained HTML page.
  - A vCenter that could not be compared is reported as unknown. The report of the other vCenters is not affected.
  - Can end the play according to the result, so that C(ansible-playbook) exits with 0 (in sync), 2 (drift) or 4 (unknown).
  - Runs on the controller. The role P(directpath.vsphere.drift_report#role) uses it.
extends_documentation_fragment:
  - directpath.vsphere.outlets
  - directpath.vsphere.uploads
options:
  results:
    description: Results of M(directpath.vsphere.drift_info), including those of failed tasks.
    type: list
    elements: dict
  vcenters:
    description: Names of the vCenters, in the order of O(results).
    type: list
    elements: str
  guests:
    description: For each vCenter, in the order of O(results), what the role P(directpath.vsphere.verify#role) verified in the guests.
    type: list
    elements: list
    default: []
  command_arguments:
    description: Arguments to add after the playbook name in the commands about O(guests).
    type: str
    default: ""
  evaluate:
    description:
      - The result of an earlier call of this module. Use it in place of O(results) to fail on drift without writing files.
      - The alias V(judge) is deprecated and will be removed in 2.0.0.
    type: dict
    aliases: [judge]
  vcenter:
    description: Evaluate this vCenter only.
    type: str
  json:
    description: File for the report as JSON. Missing directories are created. An existing file is replaced atomically. The mode is 0644.
    type: path
  junit:
    description: File for the report as JUnit XML, with one test for each host and virtual machine.
    type: path
  markdown:
    description: File for the report as Markdown.
    type: path
  html:
    description: File for the report as one HTML page. It needs no other file and no network.
    type: path
  json_url:
    description:
      - Uploads the report as JSON with one HTTPS request, such as to a presigned URL of an object store. For machines that do not exist any
        more when the report is read, such as an execution environment. The file of O(json) is not needed for it.
      - The TLS certificate of the server is always verified. Redirects are not followed. The request ends within 60 seconds. Messages name
        the server only, never the URL. An account in the URL (C(https://user:password@server/)) is sent with basic authentication.
    type: str
  junit_url:
    description: The same for the report as JUnit XML.
    type: str
  markdown_url:
    description: The same for the report as Markdown.
    type: str
  html_url:
    description: The same for the report as HTML page.
    type: str
  on_upload_failure:
    description:
      - Whether a failed upload is a warning, or fails the task. Drift and unknown facts are reported first, and the files are written
        before.
    type: str
    choices: [warn, fail]
    default: warn
  on_drift:
    description: Whether the task fails on drift.
    type: str
    choices: [fail, report]
    default: report
  on_unknown:
    description:
      - Whether the task ends as unreachable when no difference was found but some facts could not be read.
      - When O(vcenter) is given and another vCenter has drift, the task ends as failed. This keeps the exit status of the play at 2.
    type: str
    choices: [fail, report]
    default: report
attributes:
  check_mode:
    description: Can run in check mode and report what it would change, without changing it.
    support: full
    details:
      - In check mode no file is written. The report is uploaded, and the result is evaluated, as in a normal run.
  diff_mode:
    description: Returns the changes in diff mode.
    support: N/A
    details:
      - The files it writes are reports.
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
    details:
      - The files contain the time of their creation.
  action:
    description: Runs on the controller, without a connection.
    support: full
seealso:
  - module: directpath.vsphere.drift_info
"""

EXAMPLES = r"""
- name: Compare the cluster with the desired state
  directpath.vsphere.drift_info:
    targets:
      - cluster: [gpu-a]
        devices: [{match: "10de:20f1"}]
  register: comparison
  failed_when: false

- name: Write the reports
  directpath.vsphere.drift_report:
    vcenters: [vc-a]
    results: ["{{ comparison }}"]
    html: report/drift.html
    junit: report/drift.xml
  register: drift

- name: End as unreachable when the state is unknown
  directpath.vsphere.drift_report:
    evaluate: "{{ drift }}"
    on_unknown: fail
"""

RETURN = r"""
status:
  description: "V(in_sync), V(drift) or V(unknown), for all vCenters together. Drift on one vCenter gives V(drift)."
  returned: when O(results) is given
  type: str
summary:
  description: The result in one sentence.
  returned: when O(results) is given
  type: str
figures:
  description: Numbers of vCenters, hosts, VMs and differences by kind.
  returned: when O(results) is given
  type: dict
vcenters:
  description: "C(status), C(summary) and C(differences) by vCenter."
  returned: when O(results) is given
  type: dict
differences:
  description: One sentence for each difference, at most 50. The files have all of them.
  returned: when O(results) is given
  type: list
  elements: str
pending_reboot:
  description: Names of the hosts with settings that take effect only after a reboot.
  returned: when O(results) is given
  type: list
  elements: str
files:
  description: Files that were written.
  returned: when O(results) is given
  type: list
  elements: str
uploaded:
  description: "Formats of the report that were uploaded: V(json), V(junit), V(markdown), V(html)."
  returned: when O(results) is given
  type: list
  elements: str
outlets:
  description:
    - For each outlet (O(notify), O(metrics_file)) its C(name), how many events were C(sent) and C(lost), and why (C(why)).
  returned: when an outlet is set, and not in check mode
  type: list
  elements: dict
error_code:
  description:
    - "V(drift) or V(drift_unknown); V(bad_upload) or V(bad_ca_path) if an option of uploads cannot be used; V(report_not_uploaded) if an
      upload failed."
  returned: when the task fails or ends as unreachable
  type: str
"""
