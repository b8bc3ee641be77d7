# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The desired graphics settings of hosts."""

    DOCUMENTATION = r"""
options:
  graphics:
    description:
      - Sets of hosts with their desired graphics settings, as O(directpath.vsphere.host_graphics#module:targets). What is configured and
        not in effect there counts as a pending reboot.
    type: list
    elements: dict
    suboptions:
      hosts:
        description: ESXi hosts by name, inventory path or managed object id.
        type: list
        elements: str
        aliases: [esxi_hostname]
      cluster:
        description: Clusters by name, inventory path or managed object id.
        type: list
        elements: str
        aliases: [cluster_name]
      default_type:
        description: As O(directpath.vsphere.host_graphics#module:default_type).
        type: str
        choices: [shared, shared_direct]
      assignment_policy:
        description: As O(directpath.vsphere.host_graphics#module:assignment_policy).
        type: str
        choices: [performance, consolidation]
      devices:
        description: As O(directpath.vsphere.host_graphics#module:devices).
        type: list
        elements: raw
      restart_xorg:
        description: As O(directpath.vsphere.host_graphics#module:restart_xorg).
        type: bool
        default: false
"""
