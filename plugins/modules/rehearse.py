#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

# The code is in plugins/action/rehearse.py.

DOCUMENTATION = r"""
module: rehearse
short_description: Rehearse a playbook on twins of the vCenters
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Starts the simulator of this collection as a twin of each captured vCenter, and runs the playbook C(directpath.vsphere.site) or
    C(directpath.vsphere.reboot) on the twins. It has the inventory sources, extra variables, limit, tags and vault secrets of the
    C(ansible-playbook) that runs now.
  - While it runs, only the twins can be reached, and all files of the run are in a folder of its own. What needs anything else is left
    out, and listed.
  - Runs the playbook again with other boot durations (O(runs)) and with what may go wrong (O(what_if)), and compares.
  - Runs on the control node. The playbook C(directpath.vsphere.rehearse) uses it, and captures the vCenters before.
attributes:
  check_mode:
    description: Can run in check mode, and return the changed status without changing anything.
    support: full
    details: In check mode the options are checked, and nothing is started.
  diff_mode:
    description: Returns details of what has changed.
    support: none
options:
  vcenters:
    description:
      - One entry for each vCenter. Its C(hostname) and C(port), the path of its C(capture), the C(key) of an anonymized capture,
        C(controllers) (pairs of an ESXi host and the address of its management controller), and the number of C(guests) that are
        not prepared and verified.
    type: list
    elements: dict
    required: true
  playbook:
    description: The playbook.
    type: str
    choices: [site, reboot]
    default: site
  runs:
    description: How many runs with drawn durations. With V(1) there are none, and boots take as long as in the capture.
    type: int
    default: 1
  seed:
    description: The same number draws the same boot durations and the same targets of O(what_if).
    type: int
    default: 1
  boot_spread:
    description:
      - How much longer or shorter a drawn boot is at most, as a share of its duration in the capture.
      - The default is how much the past reboots in the capture differ, or V(0.3) if it has none.
    type: float
  what_if:
    description:
      - What may go wrong, one run for each entry. C(kind) is V(host_never_returns), V(host_returns_without_devices), V(drs_refuses),
        V(vm_does_not_shut_down), V(vcenter_restarts) or V(run_killed).
      - The target is C(host), C(vm) or C(at) (seconds after the start), or C(random=true). V(vcenter_restarts) has C(seconds), too.
    type: list
    elements: dict
    default: []
  consent:
    description: What was decided about reboots. If nothing was decided, the rehearsal reboots, and reports that consent is missing.
    type: bool
  run_timeout:
    description: Maximum duration of a run on this machine in seconds.
    type: int
    default: 7200
  keep_files:
    description: Whether the folder with the output of each run is kept. It is kept in any case if a run has no result.
    type: bool
    default: false
  remove:
    description: A directory, such as that of the captures, which is removed at the end, also after a signal.
    type: path
  html:
    description: File for the report as one HTML page (mode 0600). An existing file is replaced.
    type: path
  json:
    description: File for the report as JSON (mode 0600). An existing file is replaced.
    type: path
seealso:
  - module: directpath.vsphere.capture
"""

EXAMPLES = r"""
- name: Capture a vCenter, and rehearse the reboots on its twin
  block:
    - name: Capture it with its own names
      directpath.vsphere.capture:
        path: "{{ playbook_dir }}/capture.json.gz"
        anonymize: false
    - name: Rehearse the reboots
      directpath.vsphere.rehearse:
        vcenters:
          - hostname: vcenter.example.com
            capture: "{{ playbook_dir }}/capture.json.gz"
        playbook: reboot
        html: "{{ playbook_dir }}/rehearsal.html"

- name: Check the options of a rehearsal, and start nothing
  directpath.vsphere.rehearse:
    vcenters: []
    runs: 20
    what_if:
      - {kind: host_never_returns, host: esx-01.lab}
      - {kind: run_killed, random: true}
  check_mode: true
"""

RETURN = r"""
rehearsal: {description: The report as data. The file O(json) has the same., returned: success, type: dict}
status:
  description: How the undisturbed run ended. V(succeeds), V(incomplete) (single hosts or VMs were refused), V(fails) or V(no_result).
  returned: success
  type: str
lines: {description: The same for people., returned: success, type: list, elements: str}
files: {description: Files that were written., returned: success, type: list, elements: str}
folder: {description: Folder with the output of each run. Empty if it was removed., returned: success, type: str}
"""
