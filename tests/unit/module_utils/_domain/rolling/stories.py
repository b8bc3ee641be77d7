# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of rolls as the module returns them, of any size, for what shows them. The same numbers give the same story."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.phases import RESTING

NOON = 1_769_083_200.0  # 2026-01-22 12:00:00 UTC

STEPS = (
    ("draining", 60, 420),
    ("maintenance", 5, 40),
    ("rebooting", 20, 60),
    ("booting", 380, 900),
    ("verifying", 10, 60),
    ("leaving", 10, 30),
    ("restoring", 20, 90),
)


def result(
    clusters: int = 3,
    hosts: int = 4,
    *,
    budget: int = 1,
    seed: int = 1,
    pinned: int = 1,
    troubles: bool = True,
    running: bool = False,
) -> dict[str, Any]:
    """A roll of ``clusters`` × ``hosts``. With ``troubles`` one host is blocked, one never comes back, one owes nothing."""
    chance = random.Random(seed)
    told: list[dict[str, Any]] = []
    vms: list[dict[str, Any]] = []
    shown: list[dict[str, Any]] = []
    for number in range(clusters):
        cluster = f"gpu-{'abcdefghijklmnopqrstuvwxyz'[number % 26]}{number // 26 or ''}"
        free = [NOON] * budget
        for index in range(hosts):
            name = f"esx-{number * hosts + index + 1:03}.lab.example"
            moid = f"host-{number * hosts + index + 1}"
            fate = _fate(number, index, hosts) if troubles else "done"
            segments: list[tuple[str, float, str]] = [("waiting", NOON, "its turn has not come")]
            if fate == "idle":
                segments = [("idle", NOON, "owes nothing")]
            elif fate == "blocked":
                segments.append(("blocked", NOON + 2, "VM train-07 holds PCI device 0 and pinned_vms is fail"))
            else:
                slot = min(range(budget), key=free.__getitem__)
                at = free[slot]
                for phase, low, high in STEPS:
                    segments.append((phase, at, _reason(phase)))
                    took = chance.randint(low, high)
                    if phase == "booting" and fate == "failed":
                        at += 2700
                        segments.append(("failed", at, "it did not come back within 45 minutes (not_back)"))
                        break
                    if phase == "draining" and index % 3 == 0:
                        vms += _vms(name, number, index, pinned, at, at + 900)
                    at += took
                else:
                    segments.append(("done", at, ""))
                free[slot] = at
            told.append({"name": name, "moid": moid, "group": cluster, "segments": segments})
    end = max(at for row in told for _phase, at, _reason in row["segments"]) + 30
    if running:
        end = NOON + (end - NOON) * 0.6
    rows = [_row(row, end) for row in told]
    for row in rows:
        last = row["segments"][-1]
        shown.append(
            {
                "name": row["name"],
                "moid": row["moid"],
                "cluster": row["group"],
                "phase": last["phase"],
                "reason": last["reason"],
                "blockers": _blockers(last),
                "vms": [],
            }
        )
    phases = Counter(host["phase"] for host in shown)
    counts = {name: phases[name] for name in RESTING if name != "idle"}
    counts |= {"in_flight": sum(n for p, n in phases.items() if p not in RESTING), "total": len(shown) - phases["idle"]}
    return {
        "changed": True,
        "state": "working" if running else "stalled" if troubles else "finished",
        "reasons": ["only blocked and failed hosts are left"] if troubles and not running else [],
        "ended": not running,
        "hosts": shown,
        "counts": counts,
        "timeline": {"hosts": rows, "vms": [row for row in (_row(vm, end) for vm in vms) if row["segments"]]},
        "transitions": [],
        "notes": ["the lock of ops@bastion:311, whose process is gone, was taken"],
        "rebooted": [host["name"] for host in shown if host["phase"] == "done"],
        "resume": [
            "esx-002.lab.example: resolve what blocks them (see blockers of each host), then run the same again."
        ]
        if troubles
        else [],
        "journal": {"kind": "vcenter", "place": "custom attributes", "why": ""},
        "calls": 640,
        "logins": 3,
        "server_time": end,
    }


def _fate(number: int, index: int, hosts: int) -> str:
    if number == 0 and index == 1:
        return "blocked"
    if number == 1 and index == hosts - 1:
        return "failed"
    return "idle" if number == 2 and index == 0 else "done"


def _reason(phase: str) -> str:
    return {"draining": "4 VMs to go", "booting": "its host does not answer yet"}.get(phase, "")


def _vms(host: str, number: int, index: int, many: int, start: float, back: float) -> list[dict[str, Any]]:
    return [
        {
            "name": f"train-{number:02}{index:02}-{n}",
            "moid": f"vm-{number}-{index}-{n}",
            "group": host,
            "segments": [
                ("stopping", start, ""),
                ("down", start + 35, ""),
                ("starting", back, ""),
                ("", back + 80, ""),
            ],
        }
        for n in range(many)
    ]


def _row(told: dict[str, Any], end: float) -> dict[str, Any]:
    marks = [mark for mark in told["segments"] if mark[1] < end]
    ends = [start for _phase, start, _reason in marks[1:]] + [end]
    segments = [
        {"phase": phase, "start": start, "end": stop, "open": stop == end, "reason": reason}
        for (phase, start, reason), stop in zip(marks, ends, strict=True)
        if phase
    ]
    return {**told, "segments": segments}


def _blockers(last: dict[str, Any]) -> list[dict[str, str]]:
    if last["phase"] != "blocked":
        return []
    return [{"code": "pinned_vm", "message": last["reason"], "cure": "Set pinned_vms to shutdown, or move the VM"}]
