# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outcomes of rehearsals, made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rehearsal.outcome import (
    HostPhase,
    HostPlan,
    HostRun,
    Refused,
    RunOutcome,
    TimeOff,
    VcenterOutcome,
)

NOON = 1_769_083_200.0


def host(name: str, phase: str = "done", *phases: tuple[str, float, float]) -> HostRun:
    """``phases``: name, begin and end in seconds after noon."""
    made = tuple(HostPhase(phase=name, start=NOON + start, end=NOON + end) for name, start, end in phases)
    return HostRun(name=name, cluster="gpu-a", phase=phase, phases=made)


def off(vm: str, start: float, end: float | None, until: float = 3600.0) -> TimeOff:
    return TimeOff(vm=vm, host="esx-1", start=NOON + start, end=None if end is None else NOON + end, until=NOON + until)


def run(
    seconds: float = 1800.0,
    *,
    hosts: Mapping[str, str] | None = None,
    times: tuple[TimeOff, ...] = (),
    refused: tuple[Refused, ...] = (),
    status: int = 0,
    problem: str = "",
    **more: Any,
) -> RunOutcome:
    """``hosts``: name → phase at the end."""
    phases = {"esx-1": "done"} if hosts is None else hosts
    made = [host(name, phase, ("booting", 60.0, seconds - 60.0)) for name, phase in phases.items()]
    return RunOutcome(
        name="run",
        status=status,
        problem=problem,
        refused=refused,
        vcenters=(
            VcenterOutcome(
                vcenter="vc-01.lab:443",
                began=NOON,
                ended=NOON + seconds,
                off=times,
                hosts=tuple(made),
                rebooted=tuple(name for name, phase in phases.items() if phase == "done"),
                plans=(HostPlan(name="esx-1", wave=1, starts=0.0, ends=1200.0, reason="why", stops=("train-01",)),),
                planned_seconds=1200.0,
                reboots_began=NOON,
                **more,
            ),
        ),
    )
