#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: end_session
short_description: Log out the session that tasks share
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Logs out the session that tasks with O(session=shared) left open, and removes the file that stores it.
  - Does nothing when there is no such session. The server ends a session that is not logged out after some idle time.
  - A task that is using the session at that moment logs in again.
  - Use the same connection options as in the tasks (server, account and password).
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes
"""

EXAMPLES = r"""
# When session is set once for all tasks (module_defaults of group/directpath.vsphere.all, or DIRECTPATH_SESSION), put this task
# into the `always` section of the block around them.
- name: Read the hosts, and keep the session open
  directpath.vsphere.host_pci_device_info:
    session: shared

- name: Read the VMs in the same session
  directpath.vsphere.vm_pci_device_info:
    session: shared

- name: Log out
  directpath.vsphere.end_session:
"""

RETURN = r"""
ended:
  description: Whether a session was ended. In check mode, whether there is a session to end.
  returned: success
  type: bool
error_code:
  description: Machine-readable reason of the failure.
  returned: failure
  type: str
"""

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.end_session import run


def main() -> None:
    run()


if __name__ == "__main__":
    main()
