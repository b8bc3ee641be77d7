#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: end_session
short_description: End the session that tasks have shared
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Logs out the session that tasks with O(session=shared) have left open, and removes the file it was kept in.
  - Does nothing where there is none. A session that nobody ends is ended by the server, after it was idle for some time.
  - A task that is in the session at that moment logs in anew.
  - The options have to be those of the tasks - the same server, account and password.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes
"""

EXAMPLES = r"""
# Where session is set once for all tasks (module_defaults of group/directpath.vsphere.all, or DIRECTPATH_SESSION), this belongs
# into `always` of the block around them.
- name: Look at the hosts, and leave the session open
  directpath.vsphere.host_pci_device_info:
    session: shared

- name: Look at the VMs in the same session
  directpath.vsphere.vm_pci_device_info:
    session: shared

- name: Log out
  directpath.vsphere.end_session:
"""

RETURN = r"""
ended:
  description: Whether there was a session; in check mode, whether there is one.
  returned: success
  type: bool
error_code:
  description: Why it failed, for machines.
  returned: failure
  type: str
"""

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.end_session import run


def main() -> None:
    run()


if __name__ == "__main__":
    main()
