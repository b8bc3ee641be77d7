# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random labs and intents through plan, site, verify and drift: plan predicts site, and all of them agree on when nothing is left."""

from __future__ import annotations

import os
import tempfile

import pytest
from harness import Lab
from random_labs import Example, commit_seed, example
from site_run import Site

from simulator.lab.hardware.cards import LabError

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
    if site.places() != places:
        pass  # DRS moved VMs for a reboot: where to, and with which cards there, only DRS knows beforehand
    elif not plan.trouble:
        assert made.trouble == "", f"plan said that nothing stands in the way: {made.told}"
        for role in ("enable", "attach"):
            assert made.changes(role) == plan.changes(role), f"plan of {role}"
    else:
        assert made.trouble, f"nothing stood in the way, plan said: {plan.told}"
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
