# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event source for ansible-rulebook: changes of PCI devices, reboots and locks of a vCenter or an ESXi host."""

from __future__ import annotations

DOCUMENTATION = r"""
---
short_description: Reports changes of PCI devices, reboots and lost locks of a vCenter or an ESXi host
description:
  - Watches all ESXi hosts and VMs of a server with one property filter, and puts an event into the queue when something changes.
    It reads only; the account needs C(System.View) and C(System.Read).
  - The server sends changes when they happen. Nothing is polled.
  - After an outage, a restart of the server or an expired session it connects again, with growing pauses of up to a minute, and reports
    what changed in the meantime.
  - Wrong arguments, an untrusted certificate and a refused login at the first connection end the source with an error. After the first
    connection only five refused logins in a row do.
  - Texts in events come from the server. Braces that could begin a template are parentheses in them, so that they can be used in
    variables of playbooks.
options:
  hostname:
    description: Name or IP address of the vCenter or ESXi host. If it is not set, the environment variable E(VMWARE_HOST) is used.
    type: str
    required: true
  username:
    description: The account. If it is not set, the environment variable E(VMWARE_USER) is used.
    type: str
    aliases: [user]
    required: true
  password:
    description: Its password. If it is not set, the environment variable E(VMWARE_PASSWORD) is used.
    type: str
    aliases: [pass]
    required: true
  port:
    description: The HTTPS port. If it is not set, the environment variable E(VMWARE_PORT) is used.
    type: int
    default: 443
  validate_certs:
    description:
      - Whether the TLS certificate of the server is verified. If it is not set, the environment variable E(VMWARE_VALIDATE_CERTS) is used.
    type: bool
    default: true
  ca_path:
    description:
      - File or folder with CA certificates, in addition to those of the system. If it is not set, the environment variable
        E(VMWARE_CA_PATH) is used.
    type: path
  proxy_host:
    description: An HTTP proxy. If it is not set, the environment variable E(VMWARE_PROXY_HOST) is used.
    type: str
  proxy_port:
    description: Its port. If it is not set, the environment variable E(VMWARE_PROXY_PORT) is used.
    type: int
  connect_timeout:
    description:
      - Seconds to establish a connection. If it is not set, the environment variable E(VMWARE_CONNECT_TIMEOUT) is used.
    type: int
    default: 30
  report_outage_after:
    description: Seconds without a connection after which there is an event C(unreachable).
    type: int
    default: 60
"""

EXAMPLES = r"""
- name: Show every change
  hosts: localhost
  sources:
    - name: vCenter
      directpath.vsphere.pci_changes:
        hostname: vcenter.example.com
        username: eda@vsphere.local
        password: "{{ vcenter_password }}"
  rules:
    - name: Show it
      condition: event.type is defined
      action:
        print_event:
          pretty: true
"""

import importlib
import sys
from pathlib import Path
from typing import Any

_FULL_NAME = "ansible_collections.directpath.vsphere"
_SOURCE = f"{_FULL_NAME}.plugins.plugin_utils.changes.source"


def _load() -> Any:
    """The part of the collection that watches. ansible-rulebook runs this file as a script, and its process cannot import collections."""
    if _FULL_NAME not in sys.modules:
        # Ansible's own import of collections, and this copy of the collection before any other.
        from ansible.plugins.loader import init_plugin_loader  # pylint: disable=import-outside-toplevel

        init_plugin_loader([str(Path(__file__).absolute().parents[7])])
    return importlib.import_module(_SOURCE)


async def main(queue: Any, args: dict[str, Any]) -> None:
    """Called by ansible-rulebook. Returns when it is canceled."""
    await _load().watch_changes(queue, args)
