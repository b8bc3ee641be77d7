# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the Automation API share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator import Simulator
from tests.unit.simulator.vapi.vapi_client import Client, lab


@pytest.fixture
def sim() -> Iterator[Simulator]:
    made = Simulator.from_lab(lab())
    yield made
    assert made.internal_errors == []


@pytest.fixture(params=["rest", "api"])
def client(sim: Simulator, request: pytest.FixtureRequest) -> Client:
    return Client(sim, request.param)
