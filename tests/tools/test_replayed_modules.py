# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each scenario of each module, recorded without names and replayed, has the same outcome: aliases change no decision."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.runs.options import REPLAYED
from tests.tools.recorded_runs import Step, record
from tests.unit.modules.contracts import Scenario, contracts
from tools import replay

SCENARIOS = {
    title: scenario
    for contract in contracts()
    if contract.module in REPLAYED
    for title, scenario in contract.scenarios.items()
    if not scenario.knobs
}
"""Without those whose lab has knobs: no capture has them."""
pytestmark = pytest.mark.slow


def test_scenarios_are_there() -> None:
    assert len(SCENARIOS) >= 15


@pytest.mark.parametrize("title", SCENARIOS)
def test_it_is_replayed(title: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenario: Scenario = SCENARIOS[title]
    steps = [Step(module=scenario.module, options=dict(scenario.options), check=check) for check in (True, False, True)]
    path = record(scenario.prepare(), steps, tmp_path)
    assert replay.main([str(path)]) == replay.SAME, capsys.readouterr().out
