# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of outlets, for modules and action plugins. PRIVATE to the collection."""

from __future__ import annotations

from typing import Any

from .request import BY_DEFAULT, EVENTS

_NOTIFICATION: dict[str, Any] = {
    "url": {"type": "str", "required": True, "no_log": True},
    "secret": {"type": "str", "no_log": True},
    "events": {"type": "list", "elements": "str", "choices": list(EVENTS), "default": list(BY_DEFAULT)},
    "timeout": {"type": "float", "default": 10},
    "ca_path": {"type": "path"},
    "proxy": {"type": "str", "no_log": True},
}

OF_REPORTS: dict[str, Any] = {
    "notify": {"type": "list", "elements": "dict", "default": [], "options": _NOTIFICATION},
    "metrics_file": {"type": "path"},
}
"""Of a task that has one result to publish."""

OF_RUNS: dict[str, Any] = {**OF_REPORTS, "traces": {"type": "bool", "default": False}}
"""Of a run with hosts in phases. Its action plugin uses them, and does not pass them to the module."""

EVENTS_IN_VCENTER: dict[str, Any] = {"vcenter_events": {"type": "bool", "default": False}}
