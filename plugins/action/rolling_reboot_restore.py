# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls the module once for each slice, shows the progress, and combines the results of the slices into one."""

from __future__ import annotations

from ansible_collections.directpath.vsphere.plugins.plugin_utils.tasks.in_slices import TaskInSlices


class ActionModule(TaskInSlices):
    """Runs one task. The module that it calls has the name of the task's action."""

    _starts_hosts = False
