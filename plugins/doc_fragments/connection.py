# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Connection options of all modules."""

    DOCUMENTATION = r"""
options:
  hostname:
    description:
      - Name or address of the vCenter or of a single ESXi host.
      - Defaults to the environment variable E(VMWARE_HOST).
    type: str
  username:
    description:
      - Account to log in with.
      - Defaults to the environment variable E(VMWARE_USER).
    type: str
    aliases: [user]
  password:
    description:
      - Password of the account.
      - Defaults to the environment variable E(VMWARE_PASSWORD).
    type: str
    aliases: [pass]
  port:
    description:
      - Port of the vSphere API.
      - Defaults to the environment variable E(VMWARE_PORT).
    type: int
    default: 443
  validate_certs:
    description:
      - Whether the TLS certificate of the server must be trusted.
      - Defaults to the environment variable E(VMWARE_VALIDATE_CERTS).
    type: bool
    default: true
  ca_path:
    description:
      - PEM file or directory with CA certificates to trust, in addition to those of the system.
      - Defaults to the environment variable E(VMWARE_CA_PATH).
    type: path
  proxy_host:
    description:
      - HTTP proxy for the connection.
      - Defaults to the environment variable E(VMWARE_PROXY_HOST).
    type: str
  proxy_port:
    description:
      - Port of the HTTP proxy.
      - Defaults to the environment variable E(VMWARE_PROXY_PORT).
    type: int
  connect_timeout:
    description:
      - Time limit in seconds for a connection (name resolution, TCP connection and TLS handshake), and for the first response on it.
      - After that, an API call has 300 seconds for its complete response, including retries. The server may be silent for 120 of them. A
        response of more than 256 MB (1 MB before the login) is refused. These limits are fixed.
      - Defaults to the environment variable E(VMWARE_CONNECT_TIMEOUT).
    type: int
    default: 30
  session:
    description:
      - V(per_task) logs in at the start of the task and logs out at its end.
      - V(shared) keeps the session open for the next tasks, of this run and of later runs. Tasks that run at the same time share it, too.
        M(directpath.vsphere.end_session) ends the session. Otherwise the server ends it after some idle time.
      - The session is stored in a file that only the user of the task can read, below E(XDG_RUNTIME_DIR) or else C(~/.cache). It is reused
        only for the same server (name, port, proxy and certificate), account and password.
      - Defaults to the environment variable E(DIRECTPATH_SESSION).
    type: str
    choices: [per_task, shared]
    default: per_task
requirements:
  - python >= 3.11
  - pyvmomi >= 8.0.3.0.1
"""
