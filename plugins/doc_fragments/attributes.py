# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Attributes that all modules have."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and report what it would change, without changing it.
    support: full
    details:
      - In check mode the session refuses every API call that is not a read.
  diff_mode:
    description: Returns the changes in diff mode.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
  action_group:
    description: Use C(group/directpath.vsphere.all) in C(module_defaults) to set the connection options once.
    support: full
    membership:
      - directpath.vsphere.all
"""

    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and report what it would change, without changing it.
    support: full
    details:
      - This module never changes anything. Its session refuses every API call that is not a read.
  diff_mode:
    description: Returns the changes in diff mode.
    support: N/A
    details:
      - This module never changes anything.
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
  action_group:
    description: Use C(group/directpath.vsphere.all) in C(module_defaults) to set the connection options once.
    support: full
    membership:
      - directpath.vsphere.all
"""
