# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options for concurrency and failure limits."""

    DOCUMENTATION = r"""
options:
  max_concurrent:
    description:
      - Maximum number of hosts or virtual machines that are changed at the same time. At most two virtual machines of one ESXi host are.
      - It does not affect the result.
    type: int
    default: 4
    version_added: 0.1.0
  max_failures:
    description:
      - After this many failures, the module does not start further hosts or virtual machines. It finishes those in progress, and reports
        the rest as V(not_reached) with their changes in RV(not_done).
      - A refusal before the first write is not a failure. The default is no limit.
    type: int
    version_added: 0.1.0
"""
