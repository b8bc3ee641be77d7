# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options for management controllers."""

    DOCUMENTATION = r"""
options:
  bmc:
    description: Management controllers (Redfish) of hosts that are shut down for a power cycle. Entries for other hosts are ignored.
    type: list
    elements: dict
    default: []
    version_added: 0.1.0
    suboptions:
      host:
        description: Name of the ESXi host.
        type: str
        required: true
      address:
        description: Name or address of its management controller. Add the port if it is not 443.
        type: str
        required: true
      username:
        description: Account of the management controller.
        type: str
      password:
        description: Password of that account.
        type: str
      validate_certs:
        description: Whether the TLS certificate of the management controller must be trusted.
        type: bool
      ca_path:
        description: PEM file with the trusted CA certificates.
        type: path
      auth:
        description: How to log in. V(auto) uses a session if the management controller supports it, otherwise basic authentication.
        type: str
        choices: [auto, session, basic]
      proxy:
        description: URL of an HTTP proxy.
        type: str
      system:
        description: Id of the system, if the management controller has several.
        type: str
  bmc_defaults:
    description: Defaults for the entries of O(bmc).
    type: dict
    version_added: 0.1.0
    suboptions:
      username:
        description: As in O(bmc).
        type: str
      password:
        description: As in O(bmc).
        type: str
      validate_certs:
        description: As in O(bmc).
        type: bool
      ca_path:
        description: As in O(bmc).
        type: path
      auth:
        description: As in O(bmc).
        type: str
        choices: [auto, session, basic]
      proxy:
        description: As in O(bmc).
        type: str
      system:
        description: As in O(bmc).
        type: str
"""
