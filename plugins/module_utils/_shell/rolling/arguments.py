# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The argument spec of host_rolling_reboot. PRIVATE to the collection."""

from __future__ import annotations

from typing import Any

from ..engine.arguments import DEVICES, GRAPHICS_LIST, HOSTS, JOURNAL_DIR, TARGETS, renamed_from
from ..outlets.arguments import EVENTS_IN_VCENTER, OF_RUNS

_MINUTES = {name: {"type": "float"} for name in ("drain", "reboot", "settle")}
_BMC = {
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "validate_certs": {"type": "bool"},
    "ca_path": {"type": "path"},
    "auth": {"type": "str", "choices": ["auto", "session", "basic"]},
    "proxy": {"type": "str"},
    "system": {"type": "str"},
}

_CHECK = {
    "check": {"type": "str", "required": True, "choices": ["heartbeat", "tools", "tcp", "http", "command"]},
    "vms": {"type": "str", "choices": ["stopped", "ran_here", "named", "none"], "default": "stopped"},
    "names": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "float", "default": 10},
    "port": {"type": "int"},
    "address": {"type": "str", "default": "{address}"},
    "url": {"type": "str"},
    "status": {"type": "list", "elements": "int", "default": [200]},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "proxy": {"type": "str"},
    "argv": {"type": "list", "elements": "str", "default": []},
    "environment": {"type": "dict", "default": {}},
}

ARGUMENTS: dict[str, Any] = {
    **HOSTS,
    **DEVICES,
    **TARGETS,
    **GRAPHICS_LIST,
    "reboot_if": {"type": "str", "choices": ["pending", "always"], "default": "pending"},
    "booted_before": {"type": "str"},
    "expect_pending": {"type": "list", "elements": "str", "default": []},
    "expect_settled": {"type": "list", "elements": "str", "default": []},
    "assume_detached": {"type": "list", "elements": "str", "default": []},
    "on_missing": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
    "allow_protected": {"type": "list", "elements": "str", "default": []},
    "method": {"type": "str", "choices": ["reboot", "power_cycle"], "default": "reboot"},
    "bmc": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"host": {"type": "str", "required": True}, "address": {"type": "str", "required": True}, **_BMC},
    },
    "bmc_defaults": {"type": "dict", "options": _BMC},
    "max_unavailable": {"type": "str", "default": "1"},
    "cluster_max_unavailable": {"type": "dict", "default": {}},
    "fleet_max_unavailable": {"type": "str"},
    "canary": {"type": "bool", "default": True},
    "soak": {"type": "float", "default": 0},
    "ready_when": {"type": "list", "elements": "dict", "default": [], "options": _CHECK},
    "ready_timeout": {"type": "int", "default": 600},
    "canary_soak": {"type": "float", "default": 0},
    "checkpoints": {"type": "list", "elements": "str", "default": []},
    "max_failures": {"type": "str", "default": "1"},
    "windows": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "days": {"type": "list", "elements": "str", "default": []},
            "start": {"type": "str", "required": True},
            "end": {"type": "str", "required": True},
            "zone": {"type": "str", "default": "UTC"},
        },
    },
    "order": {"type": "dict", "default": {}},
    "full_post": {"type": "bool", "default": False},
    "operator_maintenance": {"type": "str", "choices": ["block", "use"], "default": "block"},
    "failed_hosts": {"type": "str", "choices": ["keep", "verify"], "default": "keep"},
    "pinned_vms": {"type": "str", "choices": ["fail", "shutdown", "shutdown_then_power_off"], "default": "fail"},
    "vm_order": {"type": "dict", "default": {}},
    "vm_order_tags": {"type": "dict", "default": {}},
    "never_stop": {"type": "list", "elements": "str", "default": []},
    "never_stop_missing": {"type": "list", "elements": "str", "default": []},
    "never_stop_tags": {"type": "list", "elements": "str", "default": []},
    "wait_for_tools": {"type": "bool", "default": True},
    "allow_build_change": {"type": "list", "elements": "str", "default": []},
    "ignore_alarms": {"type": "list", "elements": "str", "default": []},
    "evacuate_powered_off": {"type": "bool", "default": False},
    "vsan_mode": {"type": "str", "choices": ["ensureObjectAccessibility", "evacuateAllData", "noAction"]},
    "drain_timeout": {"type": "int", "default": 1800},
    "stop_timeout": {"type": "int", "default": 300},
    "reboot_timeout": {"type": "int", "default": 2700},
    "verify_timeout": {"type": "int", "default": 300},
    "leave_timeout": {"type": "int", "default": 600},
    "restore_timeout": {"type": "int", "default": 900},
    "expected_minutes": {"type": "dict", "options": _MINUTES},
    "measured": {"type": "dict", "default": {}},
    "take_lock": {"type": "str", "choices": ["never", "stale", "force"], "default": "stale"},
    "lock_ttl": {"type": "int", "default": 300},
    "blocked_timeout": {"type": "float", **renamed_from("patience")},
    "pause_file": {"type": "path"},
    "stop_reason": {"type": "str", "default": ""},
    "shared_dir": {"type": "path"},
    "journal": {"type": "str", "choices": ["auto", "vcenter", "file"], "default": "auto"},
    "journal_dir": JOURNAL_DIR,
    "slice": {"type": "float", "default": 0},
    "run_id": {"type": "str"},
    "continue_run": {"type": "bool", "default": False, **renamed_from("goes_on")},
    "stopped_vms": {"type": "list", "elements": "str", "default": []},
    "earlier_slices": {"type": "dict", "default": {}},
    "resolved": {"type": "dict", "default": {}},
    "progress": {"type": "str", "choices": ["auto", "lines", "none"], "default": "auto"},
    "progress_file": {"type": "path"},
    "timeline_html": {"type": "path"},
    "timeline_json": {"type": "path"},
    **OF_RUNS,
    **EVENTS_IN_VCENTER,
    "option_prefix": {"type": "str", "default": ""},
    "option_names": {"type": "dict", "default": {}},
}
CONSTRAINTS: dict[str, Any] = {
    "mutually_exclusive": [("targets", "hosts"), ("targets", "cluster"), ("targets", "devices")],
    "required_one_of": [("targets", "hosts", "cluster")],
}
