# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of every module: where to log in, and as whom."""

    DOCUMENTATION = r"""
options:
  hostname:
    description:
      - Name or address of the vCenter, or of one ESXi host.
      - Without it the environment variable E(VMWARE_HOST) is used.
    type: str
  username:
    description:
      - Account to log in with.
      - Without it the environment variable E(VMWARE_USER) is used.
    type: str
    aliases: [user]
  password:
    description:
      - Password of the account.
      - Without it the environment variable E(VMWARE_PASSWORD) is used.
    type: str
    aliases: [pass]
  port:
    description:
      - Port of the vSphere API.
      - Without it the environment variable E(VMWARE_PORT) is used.
    type: int
    default: 443
  validate_certs:
    description:
      - Whether the server's TLS certificate has to be trusted.
      - Without it the environment variable E(VMWARE_VALIDATE_CERTS) is used.
    type: bool
    default: true
  ca_path:
    description:
      - PEM file or directory with the CA certificates to trust beside those of the system.
      - Without it the environment variable E(VMWARE_CA_PATH) is used.
    type: path
  proxy_host:
    description:
      - HTTP proxy to connect through.
      - Without it the environment variable E(VMWARE_PROXY_HOST) is used.
    type: str
  proxy_port:
    description:
      - Port of the HTTP proxy.
      - Without it the environment variable E(VMWARE_PROXY_PORT) is used.
    type: int
  connect_timeout:
    description:
      - Seconds until a connection stands, from the look-up of the name to the end of the TLS handshake, and for the first answer on it.
      - A call then has 300 seconds for its whole answer, however often it is asked again, and a server may be silent for 120 of them. An
        answer of more than 256 MB (before the login 1 MB) is refused. None of that can be set.
      - Without it the environment variable E(VMWARE_CONNECT_TIMEOUT) is used.
    type: int
    default: 30
  session:
    description:
      - V(per_task) logs in when the task begins, and out when it ends.
      - V(shared) leaves the session open for the tasks that follow, of this run and of later ones, until
        M(directpath.vsphere.end_session) ends it or the server does, as nobody used it for a while. Tasks that run at the same time
        share it, too.
      - The session is kept in a file that only the user who runs the task can read, below E(XDG_RUNTIME_DIR) or else C(~/.cache). It is
        used again only for the same server (name, port, proxy and certificate), account and password.
      - Without it the environment variable E(DIRECTPATH_SESSION) is used.
    type: str
    choices: [per_task, shared]
    default: per_task
requirements:
  - python >= 3.11
  - pyvmomi >= 8.0.3.0.1
"""
