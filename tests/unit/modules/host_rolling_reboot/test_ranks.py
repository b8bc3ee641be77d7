# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs of several ranks on one host: stopped in their order, started in reverse, also where the process dies in between."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell import host_rolling_reboot as rolling
from tests.kill.ranks import assert_ranks
from tests.unit.modules.host_rolling_reboot.lab import Roll
from tests.unit.pains.labs import host, lab, on, vm

pytestmark = pytest.mark.slow

RANKS = ("queue", "web", "database")
"""As they are to be stopped. Sorted by name, neither this order nor its reverse comes out."""

SLOTS = {"database": "0000:3b:00.0", "queue": "0000:5e:00.0", "web": "0000:86:00.0"}


class Killed(BaseException):
    """The process ends here."""


def die(_write: Any) -> None:
    raise Killed


def three_ranks(**options: Any) -> Roll:
    """A host that owes a reboot for its Optane and has lent three A100s to three VMs."""
    stopped_vms = {"card": "p5800x", "enabled": True, "active": False}
    cards = [*(on(at=slot) for slot in SLOTS.values()), stopped_vms]
    made = lab(
        [host(cards=cards, memory_gb=512), host("esx-02")],
        [vm(name, power="on", devices=[{"fixed": slot}]) for name, slot in SLOTS.items()],
    )
    order = {name: 10 * place for place, name in enumerate(RANKS)}
    roll = Roll(lab=made, options={"hosts": ["esx-01"], "pinned_vms": "shutdown", "vm_order": order, **options})
    roll.remember()
    return roll


def assert_all_well(roll: Roll) -> None:
    roll.assert_over({"esx-01"})
    assert roll.running == set(RANKS)
    assert roll.reboots() == {"esx-01": 1}
    assert_ranks(roll.lab.sim, *RANKS)


def test_they_start_in_the_reverse_of_the_order_in_which_they_stop() -> None:
    roll = three_ranks()
    planned = roll.lab.run("host_rolling_reboot", check=True, **roll.options)
    assert planned["schedule"]["stops"] == [*RANKS]
    assert roll.run()["state"] == "finished"
    assert_all_well(roll)


def test_guests_that_do_not_shut_down_are_powered_off_in_the_same_order() -> None:
    roll = three_ranks(pinned_vms="shutdown_then_power_off", stop_timeout=60)
    roll.lab.sim.knobs.set("shutdown_guest_result", "ignored")
    assert roll.run()["state"] == "finished"
    assert roll.lab.writes().count("PowerOffVM_Task") == 3
    assert_all_well(roll)


def test_vms_of_one_rank_go_together() -> None:
    roll = three_ranks(vm_order={"queue": 1, "web": 1, "database": 2})
    assert roll.run()["state"] == "finished"
    roll.assert_over({"esx-01"})
    calls = [(call.method, call.name, call.time) for call in roll.lab.sim.journal.writes()]
    stops = [(name, at) for method, name, at in calls if method == "ShutdownGuest"]
    starts = [(name, at) for method, name, at in calls if method == "PowerOnVM_Task"]
    assert [{name for name, _at in stops[:2]}, {name for name, _at in starts[1:]}] == [{"queue", "web"}] * 2
    assert stops[0][1] == stops[1][1] < stops[2][1]
    assert starts[0][1] < starts[1][1] == starts[2][1]


@pytest.mark.parametrize("when", ["before", "after"])
def test_whoever_goes_on_after_a_kill_keeps_the_order(when: str) -> None:
    """Killed at every write of a roll, before it had its effect or before its answer was seen.

    Whoever comes next finds the same where one write had its effect and where the next one has not: at every other write is at each.
    """
    number, methods = -1, []
    while True:
        number += 2
        roll = three_ranks()
        stop = roll.lab.sim.on_write(number, die, when=when)
        try:
            roll.run()
        except Killed:
            assert stop.hit is not None
            methods.append(stop.hit.method)
        else:
            break
        with mock.patch.object(rolling, "is_gone", return_value=True):
            assert roll.run()["state"] == "finished", (number, methods[-1])
        assert_all_well(roll)
    assert len(methods) == (len(roll.lab.writes()) + 1) // 2
    assert roll.lab.writes().count("ShutdownGuest") == roll.lab.writes().count("PowerOnVM_Task") == 3
    assert roll.lab.writes().count("RebootHost_Task") == 1
