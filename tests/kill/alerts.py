# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluates the alert rules of examples/monitoring on a metrics file: exactly the forms of expressions that they have, and no other.

Without Prometheus. A rule of another form fails here, so that it is not believed to be tested.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.unit.plugin_utils.outlets.exposition import Sample, parse

RULES = Path(__file__).parents[2] / "examples" / "monitoring" / "alerts.yml"

_SELECTOR = r'(?P<name>\w+)(?:\{(?P<label>\w+)(?P<how>=~?)"(?P<value>[^"]*)"\})?'
_AGE = re.compile(rf"time\(\) - {_SELECTOR} > (?P<limit>[0-9]+)")
_IS = re.compile(rf"{_SELECTOR} == (?P<limit>[0-9]+)")

Labels = dict[str, str]


def rules() -> dict[str, dict[str, Any]]:
    """Name → rule."""
    document = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return {rule["alert"]: rule for group in document["groups"] for rule in group["rules"]}


def firing(metrics: str, now: float) -> dict[str, list[Labels]]:
    """Rule → labels of each alert, for a scrape of ``metrics`` at ``now``. Rules that do not fire are left out."""
    samples = parse(metrics)
    found = {name: _evaluate(rule["expr"], samples, now) for name, rule in rules().items()}
    return {name: labels for name, labels in found.items() if labels}


def _evaluate(expression: str, samples: list[Sample], now: float) -> list[Labels]:
    """``a and b``: the alerts of ``a`` whose labels are those of a sample of ``b``."""
    left, mark, right = expression.partition(" and ")
    found = _select(left, samples, now)
    if not mark:
        return found
    others = _select(right, samples, now)
    return [labels for labels in found if labels in others]


def _select(expression: str, samples: list[Sample], now: float) -> list[Labels]:
    age, same = _AGE.fullmatch(expression), _IS.fullmatch(expression)
    match = age or same
    assert match is not None, f"an expression of another form: {expression}"
    limit = float(match["limit"])
    holds: Callable[[float], bool] = (lambda value: now - value > limit) if age else (lambda value: value == limit)
    return [one.labels for one in samples if _is_meant(one, match) and holds(one.value)]


def _is_meant(sample: Sample, match: re.Match[str]) -> bool:
    if sample.name != match["name"]:
        return False
    if match["label"] is None:
        return True
    text = sample.labels.get(match["label"], "")
    return text == match["value"] if match["how"] == "=" else bool(re.fullmatch(match["value"], text))
