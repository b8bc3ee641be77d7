# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a thousand hosts, as its roles show it: at most some 200 lines, and nobody is left out."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.reboot_steps import (
    closing_lines,
    reboot_decision,
)
from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.text import lines, outcome, reboot_outcome

HOSTS = [f"gpu-{number:04}.lab" for number in range(1, 1001)]
VMS = [f"train-{number:04}" for number in range(1, 1001)]
OWN_LINES = 40
"""What Ansible adds: a heading for each task, and the brackets of lists."""

Differs = Callable[[int], bool]


def enabled(differs: Differs) -> dict[str, Any]:
    hosts, changes = [], []
    for number, name in enumerate(HOSTS):
        host: dict[str, Any] = {"name": name, "status": "changed"}
        if differs(number):
            host |= {
                "status": "refused",
                "blockers": [{"message": f"{name} lacks card {number}", "cure": f"Add {number}"}],
            }
        else:
            device = {"device": "10de:20f1 NVIDIA A100"}
            changes.append(
                {
                    "target": name,
                    "kind": "passthrough",
                    "subject": "0000:3b:00.0",
                    "before": {**device, "enabled": False},
                    "after": {**device, "enabled": True},
                }
            )
        hosts.append(host)
    return {"hosts": hosts, "changes": changes, "summary": "1000 checked"}


def rebooting(differs: Differs) -> dict[str, Any]:
    planned, left = [], []
    for number, name in enumerate(HOSTS):
        if differs(number):
            blocker = {"code": "red_alarms", "message": f"{name} has red alarms: Fan {number}", "cure": "Resolve them"}
            left.append({"name": name, "cluster": "gpu", "phase": "blocked", "reason": "", "blockers": [blocker]})
        else:
            planned.append(
                {
                    "name": name,
                    "cluster": "gpu",
                    "wave": number + 1,
                    "starts_after_seconds": number * 1500,
                    "ends_after_seconds": (number + 1) * 1500,
                    "stops": [{"name": VMS[number], "reason": "it holds a device", "order": 0}],
                }
            )
    phases = [{"name": name, "phase": "blocked" if differs(n) else "waiting"} for n, name in enumerate(HOSTS)]
    schedule = {"hosts": planned, "left": left, "idle": [], "waves": len(planned), "seconds": 1500 * len(planned)}
    return {"hosts": phases, "timeline": {}, "state": "planned", "schedule": schedule, "changes": []}


def attached(differs: Differs) -> dict[str, Any]:
    vms, changes = [], []
    for number, name in enumerate(VMS):
        if differs(number):
            blocker = {"message": f"{name} is on host {number}", "cure": "Move it"}
            vms.append({"name": name, "status": "refused", "blockers": [blocker]})
        else:
            vms.append({"name": name, "status": "changed"})
            after = {"device": "10de:20f1", "backing": "dynamic"}
            changes.append({"target": name, "kind": "attach", "subject": "new", "before": None, "after": after})
    return {"vms": vms, "changes": changes}


def printed(differs: Differs) -> list[str]:
    plan = rebooting(differs)
    decision = reboot_decision(plan, None, True, "vc")
    end = closing_lines(reboot_outcome(plan, {}, None, True), announced=bool(decision["lines"]))
    return [
        *lines(outcome(enabled(differs))),
        *decision["lines"],
        *end,
        *lines(outcome(attached(differs))),
    ]


def names_in(text: str) -> set[str]:
    """All names in a text, those inside ``a to b`` included."""
    found = set(re.findall(r"(?:gpu-\d{4}\.lab|train-\d{4})", text))
    for kind, first, last in re.findall(r"(gpu|train)-(\d{4})(?:\.lab)? to (?:gpu|train)-(\d{4})", text):
        ending = ".lab" if kind == "gpu" else ""
        found |= {f"{kind}-{number:04}{ending}" for number in range(int(first), int(last) + 1)}
    return found


@pytest.mark.parametrize(
    ("differs", "most"),
    [
        (lambda number: False, 45),
        (lambda number: number in (16, 500), 55),
        (lambda number: number % 10 == 0, 160),
        (lambda number: number % 2 == 0, 160),
        (lambda number: True, 160),
    ],
    ids=["all equal", "two differ", "a tenth differs", "every other one", "each differs"],
)
def test_it_is_readable_whatever_differs(differs: Differs, most: int) -> None:
    found = printed(differs)
    assert len(found) <= most <= 200 - OWN_LINES
    assert names_in("\n".join(found)) == {*HOSTS, *VMS}


def test_those_that_differ_come_first() -> None:
    found = lines(outcome(enabled(lambda number: number == 700)))
    assert found[0] == "gpu-0701.lab: refused"
    assert found[2].startswith("changed (999): gpu-0001.lab to gpu-0700.lab, gpu-0702.lab to gpu-1000.lab")
