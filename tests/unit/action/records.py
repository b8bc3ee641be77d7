# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module of a rolling reboot tells while it works, and what it returns."""

from __future__ import annotations

from typing import Any

NOON = 1_769_083_200.0

LINE = "12:00:00 gpu-a esx-1 rebooting → booting       02:10"
"""How ``change("esx-1", "rebooting", "booting")`` is shown."""


def change(host: str, old: str | None, new: str, at: float = 0, **more: Any) -> dict[str, Any]:
    record = {"at": NOON + at, "kind": "transition", "cluster": "gpu-a", "host": host, "before": old, "after": new}
    return {**record, "seconds": 130.0, "reason": f"why {new}", "counts": counts(), "ends_at": None, **more}


def counts(done: int = 1, waiting: int = 1) -> dict[str, int]:
    return {"total": done + waiting, "done": done, "in_flight": 0, "waiting": waiting, "blocked": 0, "failed": 0}


def outcome(*segments: tuple[str, float, float], **more: Any) -> dict[str, Any]:
    """A slice's result with one host, ``esx-1``."""
    told = [
        {"phase": phase, "start": NOON + a, "end": NOON + b, "open": n == len(segments) - 1, "reason": ""}
        for n, (phase, a, b) in enumerate(segments)
    ]
    return {
        "changed": True,
        "state": "finished",
        "reasons": [],
        "ended": True,
        "hosts": [
            {"name": "esx-1", "moid": "host-1", "cluster": "gpu-a", "phase": segments[-1][0] if segments else "idle"}
        ],
        "counts": counts(1, 0),
        "timeline": {"hosts": [{"name": "esx-1", "moid": "host-1", "group": "gpu-a", "segments": told}], "vms": []},
        "transitions": [],
        "notes": [],
        "rebooted": [],
        "resume": [],
        "calls": 10,
        "logins": 1,
        "server_time": NOON + 500,
        **more,
    }
