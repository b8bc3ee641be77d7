#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

# The code is in plugins/action/report_upload.py.

DOCUMENTATION = r"""
module: report_upload
short_description: Upload a report to an artifact store
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Sends a report with one HTTPS request (PUT or POST), such as to a presigned URL of an object store. For machines that do not exist any
    more when the report is read, such as an execution environment.
  - The TLS certificate of the server is always verified. Redirects are not followed. The request ends within 60 seconds, and a report has
    at most 64 MB.
  - Messages name the server only, never the URL, which may contain its permission.
  - Runs on the controller.
extends_documentation_fragment:
  - directpath.vsphere.uploads
options:
  content:
    description: The report as text. Use it in place of O(path).
    type: str
  path:
    description: File on the controller. A relative path starts at the directory in which C(ansible-playbook) was started.
    type: path
  url:
    description:
      - Where the report goes. It begins with C(https://). An account in it (C(https://user:password@server/)) is sent with basic
        authentication.
    type: str
    required: true
  format:
    description: The format of the report, for its media type. By default the ending of O(path).
    type: str
    choices: [html, json, junit, markdown, md, txt, xml]
  on_upload_failure:
    description: Whether a failed upload is a warning, or fails the task.
    type: str
    choices: [warn, fail]
    default: warn
attributes:
  check_mode:
    description: Can run in check mode and report what it would change, without changing it.
    support: full
    details:
      - In check mode the options are checked, and nothing is uploaded.
  diff_mode:
    description: Returns the changes in diff mode.
    support: N/A
  idempotent:
    description: A second run with the same options changes nothing.
    support: none
    details:
      - The report is sent again.
  action:
    description: Runs on the controller, without a connection.
    support: full
seealso:
  - module: directpath.vsphere.drift_report
"""

EXAMPLES = r"""
- name: Upload the timeline of a rolling reboot to a presigned URL
  directpath.vsphere.report_upload:
    path: "{{ timeline_file }}"
    format: html
    url: "{{ timeline_url }}"

- name: Upload a list of hosts to an artifact store
  directpath.vsphere.report_upload:
    content: "{{ groups['pending_reboot'] | default([]) | join('\n') }}"
    format: txt
    url: "{{ list_url }}"
    upload_method: POST
    upload_headers:
      X-Token: "{{ store_token }}"
"""

RETURN = r"""
uploaded:
  description: Whether the server accepted the report.
  returned: success
  type: bool
error_code:
  description: "V(bad_upload) or V(bad_ca_path) if an option cannot be used, V(report_not_uploaded) if the upload failed."
  returned: failure
  type: str
"""
