# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for the inventory tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.simulator.inventory.world import World


@pytest.fixture
def world() -> World:
    """Three equal hosts, a client, nothing enabled."""
    return World("three_hosts")


@pytest.fixture(autouse=True)
def _nothing_breaks() -> Iterator[None]:
    yield
    World.all_sound()
