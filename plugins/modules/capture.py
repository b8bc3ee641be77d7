#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: capture
short_description: Capture hosts and virtual machines in a file that the simulator can load
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Reads everything that plans, drift reports, prechecks and rolling reboots read of a vCenter or an ESXi host, and writes it to one file.
    The simulator loads the file as a lab, a twin of the real inventory. On the twin, the playbooks of this collection plan the same and
    find the same drift as on the server itself.
  - Never changes anything on the server, so C(changed) is always false. The privileges of the role Read-only are enough.
  - "With O(anonymize=true) the file may leave the site: names, addresses, ids, serial numbers, annotations and values of attributes are
    replaced, each by the same alias wherever it occurs. Only values of enumerations, versions, PCI ids and PCI names stay."
  - Settings of virtual machines (C(extraConfig)) are left out, apart from the few that this collection reads. What runs in guests,
    passwords and sessions are never in the file.
  - Answers that would cost one call for each host or virtual machine are not recorded (RV(computed)). The twin computes them.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes.INFO_MODULE
options:
  path:
    description:
      - File of the capture, on the machine where the module runs. It ends with C(.json), or with C(.json.gz) if it is to be compressed.
      - The directory must exist. An existing file is replaced as a whole. Only its owner can read it (mode 0600).
    type: path
    required: true
  anonymize:
    description: Whether to replace everything that says something about the site.
    type: bool
    default: true
  key_path:
    description:
      - File for the key, which maps each alias to what it stands for. Keep it at the site.
      - The default is O(path) with the ending C(.key.json). Only its owner can read it (mode 0600).
      - Not allowed with O(anonymize=false).
    type: path
  events:
    description: Whether to read from the event log how long past reboots took, 1,000 events with each call.
    type: bool
    default: true
  tags:
    description: Whether to read tags and compute policies. An ESXi host has none.
    type: bool
    default: true
  answers_path:
    description:
      - File for what the server answered about one host, as it was sent, for the playbook C(directpath.vsphere.compare). It has names and
        addresses of the site, also with O(anonymize=true). Only its owner can read it (mode 0600).
    type: path
  answers_host:
    description:
      - Name or managed object id of the host that O(answers_path) is about. The default is the first host that is connected.
    type: str
seealso:
  - module: directpath.vsphere.drift_info
  - module: directpath.vsphere.host_rolling_reboot
"""

EXAMPLES = r"""
- name: Capture the vCenter in a file that may leave the site
  directpath.vsphere.capture:
    path: "{{ playbook_dir }}/capture.json.gz"

- name: Capture it with its own names
  directpath.vsphere.capture:
    path: "{{ playbook_dir }}/capture-names.json.gz"
    anonymize: false
"""

RETURN = r"""
path: {description: The file of the capture., returned: success, type: str, sample: /tmp/capture.json.gz}
key_path: {description: The file of the key. Empty with O(anonymize=false)., returned: success, type: str,
  sample: /tmp/capture.key.json}
written: {description: "Whether the files were written. In check mode: whether they would be. False if they had the same contents before.",
  returned: success, type: bool}
anonymized: {description: Whether names are replaced., returned: success, type: bool}
size: {description: Size of the file of the capture in bytes., returned: success, type: int}
seconds: {description: How long reading and writing took., returned: success, type: float}
hosts: {description: Number of hosts., returned: success, type: int}
vms: {description: Number of virtual machines., returned: success, type: int}
clusters: {description: Number of clusters., returned: success, type: int}
reboots: {description: Number of hosts of which the event log has a past reboot., returned: success, type: int}
cost:
  description: What the capture cost. Pages of events, and calls for partition tables, for what clusters offer and for tags are among
    the C(calls).
  returned: success
  type: dict
  sample: {calls: 24, event_pages: 1, partition_calls: 3, target_calls: 1, tag_calls: 2}
computed:
  description: Methods of the API whose answers are not recorded. The twin computes them from what is recorded.
  returned: success
  type: list
  elements: str
  sample: [QueryConfigTarget, QueryConfigOptionEx]
notes:
  description: What could not be read, and is therefore not in the capture.
  returned: success
  type: list
  elements: str
lines: {description: The same for people., returned: success, type: list, elements: str}
calls: {description: Number of API calls., returned: always, type: int}
logins: {description: Number of logins. 0 when a shared session was reused., returned: always, type: int}
"""

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.capture import (
    ARGUMENTS,
    CaptureRequest,
    capture,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import Work, run


def main() -> None:
    run(Work(arguments=ARGUMENTS, parse=CaptureRequest.of, do=capture, read_only=True))


if __name__ == "__main__":
    main()
