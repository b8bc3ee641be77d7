# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rolling reboot on the twin of a capture, in which something happens that the capture does not show."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.modules.capture.twins import Captured, capture
from tests.unit.modules.host_rolling_reboot.lab import ACCOUNT, Roll

HOSTS = ("esx-01.lab", "esx-02.lab", "esx-03.lab")


@pytest.fixture(scope="module")
def known() -> Captured:
    return capture(Roll.pinned().lab)


def rolled(known: Captured, *what_if: dict[str, Any]) -> tuple[dict[str, Any], Roll, float]:
    """The result, and the simulated seconds that it took."""
    roll = Roll.ready(known.twin(what_if=list(what_if), users=[ACCOUNT]), {"cluster": ["compute"], "canary": False})
    result = roll.lab._main("host_rolling_reboot", {**roll.lab.credentials(), **roll.options, "pinned_vms": "shutdown"})
    return result, roll, roll.lab.sim.clock.seconds()


@pytest.mark.parametrize(
    ("what_if", "state", "statuses", "reason"),
    [
        ({"kind": "host_never_returns", "host": "esx-02"}, "halted", ("changed", "failed", "not_reached"), "is not back"),
        ({"kind": "host_returns_without_devices", "host": "esx-02"}, "halted", ("changed", "failed", "not_reached"),
         "is missing after the reboot"),
        ({"kind": "vm_does_not_shut_down", "vm": "train-02"}, "stalled", ("changed", "refused", "changed"), "train-02 did not shut down"),
        ({"kind": "drs_refuses", "host": "esx-02"}, "stalled", ("changed", "refused", "changed"), "was not evacuated"),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)  # fmt: skip
def test_what_happens_to_one_host(
    known: Captured, what_if: dict[str, Any], state: str, statuses: tuple[str, ...], reason: str
) -> None:
    result, _roll, _seconds = rolled(known, what_if)
    assert (result["state"], result["failed"]) == (state, True)
    assert tuple(host["status"] for host in result["hosts"]) == statuses
    assert reason in result["msg"]


def test_a_restart_of_vcenter_costs_time_and_nothing_else(known: Captured) -> None:
    undisturbed, _roll, seconds = rolled(known)
    result, roll, longer = rolled(known, {"kind": "vcenter_restarts", "at": 300, "seconds": 180})
    assert undisturbed["rebooted"] == result["rebooted"] == list(HOSTS)
    roll.assert_over()
    assert seconds + 60 < longer < seconds + 300
