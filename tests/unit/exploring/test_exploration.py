# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random labs and intents through plan, site, verify and drift: plan predicts site, and all of them agree on when nothing is left."""

from __future__ import annotations

import os
import tempfile

import pytest

from simulator.lab.hardware.cards import LabError
from tests.unit.exploring.random_labs import Example, commit_seed, example
from tests.unit.exploring.site_run import Site
from tests.unit.modules.harness import Lab

SEED = commit_seed()
LABS, LONG = 200, int(os.environ.get("DIRECTPATH_LABS", "2000"))
BATCH = 10


def explore(found: Example) -> bool:
    """False for a lab that cannot be: a VM that is said to run could not have been started."""
    try:
        lab = Lab.load(found.lab)
    except LabError as error:
        if "cannot be on" not in str(error):
            raise
        return False
    with tempfile.TemporaryDirectory() as folder:
        look_at(Site(lab=lab, example=found, folder=folder))
    return True


def look_at(site: Site) -> None:
    site.lab.sim.clock.sleep(60)
    before = site.drift()
    assert "settled" in before, before
    plan = site.site(check=True)
    assert site.lab.writes() == []
    places = site.places()
    made = site.site()
    assert before["settled"] == (not made.changed and not made.trouble), f"drift: {before['report']}; site: {made.told}"
    if before["settled"]:
        assert (plan.changed, plan.trouble) == (False, ""), plan.told
    if plan.left_open and site.places() != places:
        judged = ["enable", "reboot"]
    else:
        judged = ["enable", "reboot", "attach"]
        assert bool(made.trouble) == bool(plan.trouble), f"plan said: {plan.told}; site: {made.told}"
    for role in judged:
        assert not made.trouble_of(role) or plan.trouble_of(role), (
            f"plan said that nothing stands in the way: {made.told}"
        )
    if not plan.trouble:
        for role in {"enable", "attach"}.intersection(judged):
            assert made.changes(role) == plan.changes(role), f"plan of {role}"
    if made.trouble:
        return
    site.lab.sim.clock.sleep(600)
    assert site.verify() == [], "verify after site"
    after = site.drift()
    assert after["settled"], f"drift after site: {after.get('report', after)}"
    again = site.site()
    assert (again.changed, again.trouble) == (False, ""), again.told


def batches(first: int, last: int) -> list[range]:
    return [range(number, min(number + BATCH, last)) for number in range(first, last, BATCH)]


def walk(numbers: range) -> None:
    looked_at = 0
    for number in numbers:
        found = example(SEED, number)
        try:
            looked_at += explore(found)
        except Exception as error:
            error.add_note(found.told)
            raise
    assert looked_at > len(numbers) / 2


@pytest.mark.slow
@pytest.mark.parametrize("numbers", batches(0, LABS), ids=lambda numbers: f"{SEED}/{numbers.start}")
def test_random_labs(numbers: range) -> None:
    walk(numbers)


@pytest.mark.long
@pytest.mark.parametrize("numbers", batches(0, LONG), ids=lambda numbers: f"{SEED}/{numbers.start}")
def test_more_random_labs(numbers: range) -> None:
    walk(numbers)
