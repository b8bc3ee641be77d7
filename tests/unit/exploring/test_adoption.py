# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random labs and random mixes of all kinds, adopted as they are: the plan for the intent changes nothing, drift is in sync but for what is
listed, and each entry stands for something. Then a run of site changes them, and they are adopted again."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import pytest

from simulator.lab.hardware.cards import LabError
from tests.unit.exploring.mixed_run import opened
from tests.unit.exploring.random_labs import commit_seed, example
from tests.unit.exploring.random_mixes import mix
from tests.unit.exploring.site_run import Site
from tests.unit.modules.harness import Lab
from tests.unit.modules.intent_info.adopted import Adopted, check, check_each_entry

SEED = commit_seed()
SHAPES = ("vcenter", "esxi_hosts")
DAILY, LONG, BATCH = 20, int(os.environ.get("DIRECTPATH_ADOPTIONS", "600")), 10


def labs_of(kind: str, number: int) -> Iterator[tuple[Lab, str]]:
    """The lab as it was built, and after ``site``, each with the folder of its journal. Nothing for a lab that cannot be."""
    found = example(SEED, number) if kind == "lab" else mix(SEED, number)
    try:
        lab = Lab.load(found.lab)
    except LabError as error:
        if "cannot be on" not in str(error):
            raise
        return
    if kind == "mix":
        with opened(found, lab) as mixed:  # type: ignore[arg-type]  # a mix
            yield lab, mixed.folder
            mixed.site()
            lab.sim.clock.sleep(600)
            yield lab, mixed.folder
        return
    with tempfile.TemporaryDirectory() as folder:
        site = Site(lab=lab, example=found, folder=folder)  # type: ignore[arg-type]  # a lab
        lab.sim.clock.sleep(60)
        yield lab, folder
        site.site()
        lab.sim.clock.sleep(600)
        yield lab, folder


def adopt_all(kind: str, numbers: range) -> int:
    """How many entries were adopted."""
    entries = 0
    for number in numbers:
        for step, (lab, folder) in enumerate(labs_of(kind, number)):
            try:
                adopted = Adopted.of(lab, SHAPES[(number + step) % 2], journal_dir=folder)
                check(adopted)
                entries += check_each_entry(adopted)
            except Exception as error:
                error.add_note(f"{kind} {SEED}/{number}, {'after' if step else 'before'} site")
                raise
    return entries


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["lab", "mix"])
def test_random_adoptions(kind: str) -> None:
    assert adopt_all(kind, range(DAILY)) > DAILY


@pytest.mark.long
@pytest.mark.parametrize("first", range(0, LONG, BATCH), ids=lambda first: f"{SEED}/{first}")
@pytest.mark.parametrize("kind", ["lab", "mix"])
def test_more_random_adoptions(kind: str, first: int) -> None:
    adopt_all(kind, range(first, first + BATCH))
