# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls the module once for each slice and shows the progress, as for a rolling reboot."""

from __future__ import annotations

from ansible_collections.directpath.vsphere.plugins.action.host_rolling_reboot import ActionModule as RollingReboot


class ActionModule(RollingReboot):
    """Runs one task. The module that it calls has the name of the task's action."""
