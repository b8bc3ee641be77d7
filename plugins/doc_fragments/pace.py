# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """How fast, and how far after failures."""

    DOCUMENTATION = r"""
options:
  max_concurrent:
    description:
      - How many hosts or virtual machines are changed at the same time. Of one ESXi host, two virtual machines at most.
      - The result does not depend on it.
    type: int
    default: 4
    version_added: 0.1.0
  max_failures:
    description:
      - After how many failures no further host or virtual machine is begun. What is under way is finished, and the rest is told as
        V(not_reached), with its changes in RV(not_done).
      - A refusal, before anything was written, is no failure. Without this every one is tried.
    type: int
    version_added: 0.1.0
"""
