# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One plan: changed, diff and records are read from it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.details import ExtraConfig, PowerOn
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.plan import (
    Blocker,
    Change,
    Plan,
    TargetPlan,
)

CHANGE = Change(
    subject="pciPassthru.use64bitMMIO",
    before={"enabled": False},
    after={"enabled": True},
    detail=ExtraConfig(key="pciPassthru.use64bitMMIO", value="TRUE"),
)
BLOCKER = Blocker(code="x", message="It is so", cure="Do that", candidates=("a", "b"))


def target(**more: Any) -> TargetPlan:
    return TargetPlan(target="esx-01", moid="host-1", **more)


@pytest.mark.parametrize(
    ("made", "effective"),
    [
        (target(), ()),
        (target(changes=(CHANGE,)), (CHANGE,)),
        (target(changes=(CHANGE,), blockers=(BLOCKER,)), ()),
        (target(changes=(CHANGE,), skipped=True), ()),
        (target(changes=(CHANGE,), warnings=("w",), pending=("0000:3b:00.0",)), (CHANGE,)),
    ],
)
def test_what_takes_effect(made: TargetPlan, effective: tuple[Change, ...]) -> None:
    plan = Plan(targets=(made,))
    assert made.effective == effective
    assert plan.changed is bool(effective)
    assert len(plan.records()) == len(effective)
    assert plan.blocked == ((made,) if made.blockers else ())


def test_a_record_never_shows_what_the_writer_needs() -> None:
    assert Plan(targets=(target(changes=(CHANGE,)),)).records() == [
        {
            "target": "esx-01",
            "kind": "extra_config",
            "subject": "pciPassthru.use64bitMMIO",
            "before": {"enabled": False},
            "after": {"enabled": True},
        }
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "yes"),
        (False, "no"),
        (4096, "4096"),
        (["a", True], "a, yes"),
        ({"label": None, "enabled": True}, "enabled yes, label -"),
    ],
)
def test_diff_is_text_a_line_a_change(value: object, text: str) -> None:
    change = Change(subject="s", before=value, after="other", detail=PowerOn())
    plan = Plan(targets=(target(changes=(change, change)),))
    assert plan.diff() == {"before": f"esx-01  s: {text}\n" * 2, "after": "esx-01  s: other\n" * 2}


def test_nothing_to_do_has_an_empty_diff() -> None:
    assert Plan(targets=(target(changes=(CHANGE,), blockers=(BLOCKER,)),)).diff() == {"before": "", "after": ""}


def test_a_blocker_as_sentence_and_record() -> None:
    assert BLOCKER.sentence() == "It is so. Candidates: a; b. Do that."
    assert Blocker(code="x", message="It is so.").sentence() == "It is so."
    assert BLOCKER.record() == {"code": "x", "message": "It is so", "cure": "Do that", "candidates": ["a", "b"]}
