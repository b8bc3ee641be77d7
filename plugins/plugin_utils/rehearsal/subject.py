# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the runs of the driver to what reports are about. PRIVATE to the collection."""

from __future__ import annotations

from ...module_utils._domain.rehearsal.report import CapturedServer, LeftOut, RehearsalSubject
from ...module_utils._domain.rehearsal.statistics import compare_runs
from ...module_utils._domain.text import counted
from .driver import Rehearsed
from .options import RehearsalRequest

ALWAYS_LEFT_OUT = tuple(
    LeftOut(kind=kind, about=about, count=0)
    for kind, about in (
        ("applications", "what happens in guests, and how long applications take to start and stop"),
        (
            "times",
            "those of migrations, maintenance mode and guests are typical or drawn. Only boots take as long as in this fleet",
        ),
        ("vCenter", "privileges of the real account, driver options, vSAN resynchronization, and DirectPath profiles"),
    )
)


def subject_of(request: RehearsalRequest, rehearsed: Rehearsed) -> RehearsalSubject:
    """What the reports are about."""
    undisturbed = rehearsed.undisturbed
    left = [LeftOut(kind=kind, about=about, count=count) for (kind, about), count in sorted(rehearsed.left_out.items())]
    guests = sum(int(entry.get("guests") or 0) for entry in request.vcenters)
    if guests and request.playbook == "site":
        left.append(LeftOut(kind="guests", about=f"preparing and verifying {counted(guests, 'guest')}", count=guests))
    comparisons = tuple(
        compare_runs(what_if.text(), run, undisturbed) for what_if, run in rehearsed.what_ifs if run is not None
    )
    skipped = tuple(what_if.short for what_if, run in rehearsed.what_ifs if run is None)
    return RehearsalSubject(
        playbook=request.playbook,
        seed=request.seed,
        consent=request.consent,
        servers=tuple(
            CapturedServer(
                name=name, time=fleet.time, hosts=len(fleet.hosts), vms=len(fleet.vms), with_history=fleet.reboots
            )
            for name, fleet in rehearsed.fleets.items()
        ),
        undisturbed=undisturbed,
        draws=tuple(rehearsed.spread),
        what_ifs=comparisons,
        without_target=skipped,
        left_out=(*left, *ALWAYS_LEFT_OUT),
    )
