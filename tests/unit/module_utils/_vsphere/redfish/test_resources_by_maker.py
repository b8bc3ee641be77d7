# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A power cycle through the controllers of every maker, and through every way they may be set up."""

from __future__ import annotations

import itertools

import pytest

from simulator.bmc.shapes import CYCLE_ONLY
from simulator.rules.knobs import FIELDS
from tests.unit.module_utils._vsphere.redfish.bmc_lab import ObservedFleet

SHAPES = [shape for shape in FIELDS["bmc_shape"].choices if shape != "none"]
OFFERS = [offer for offer in FIELDS["bmc_offers"].choices if offer != "force_off"]
WAYS = FIELDS["bmc_auth"].choices


@pytest.mark.parametrize(("shape", "offers", "way"), list(itertools.product(SHAPES, OFFERS, WAYS)))
def test_a_server_that_was_shut_down_starts_again(
    monkeypatch: pytest.MonkeyPatch, shape: str, offers: str, way: str
) -> None:
    observed = ObservedFleet(monkeypatch)
    for knob, value in (("bmc_shape", shape), ("bmc_offers", offers), ("bmc_auth", way)):
        observed.turn(knob, value)
    bmc = observed.bmc()
    bmc.check()
    observed.sim.events["host_power_loss"](host=observed.host.name)
    assert bmc.power_state() == "on", "not off yet"
    observed.wait()
    assert bmc.power_state() == "off"
    bmc.power_on()
    observed.wait()
    bmc.power_on()
    observed.wait(400)
    assert bmc.power_state() == "on"
    assert observed.host.running
    assert observed.host.cold_boots == 1
    wanted = "On" if offers == "all" else CYCLE_ONLY[offers]
    assert observed.resets() == [(wanted, "ok")]


@pytest.mark.parametrize("shape", SHAPES)
def test_each_maker_writes_the_uuid_in_a_way_that_is_understood(monkeypatch: pytest.MonkeyPatch, shape: str) -> None:
    """supermicro tells none: a system that is alone is taken then."""
    observed = ObservedFleet(monkeypatch)
    observed.sim.knobs.set("bmc_shape", shape)
    assert observed.bmc().power_state() == "on"
