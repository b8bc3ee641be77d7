# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random mixes of all kinds of devices on hosts and VMs: check = run, a second run changes nothing, and drift agrees with site."""

from __future__ import annotations

import os
from typing import Any

import pytest

from simulator.lab.hardware.cards import LabError
from tests.unit.exploring.mixed_run import MixedSite, opened
from tests.unit.exploring.random_labs import commit_seed
from tests.unit.exploring.random_mixes import Mix, mix
from tests.unit.exploring.site_run import Run
from tests.unit.modules.harness import Lab

SEED = commit_seed()
DAILY, LONG, BATCH = 60, int(os.environ.get("DIRECTPATH_MIXES", "2000")), 10


def explore(found: Mix) -> bool:
    """False for a lab that cannot be: a VM that is said to run could not have been started."""
    try:
        lab = Lab.load(found.lab)
    except LabError as error:
        if "cannot be on" not in str(error):
            raise
        return False
    with opened(found, lab) as site:
        look_at(site)
    return True


def look_at(site: MixedSite) -> None:
    before = site.drift()
    assert "settled" in before, before
    held, on = site.held(), site.on()
    plan = site.plan()
    assert site.lab.writes() == []
    places, unknown = site.places(), unpredictable(site, plan)
    made = site.site()
    assert before["settled"] == (not made.changed and not made.trouble), f"drift: {before['report']}; site: {made.told}"
    if before["settled"]:
        assert (plan.changed, plan.trouble) == (False, ""), plan.told
    compare(plan, made, unknown=unknown, moved=site.places() != places)
    nothing_else_was_taken(site, held)
    assert on - stopped(site) <= site.on(), f"off after site: {on - site.on()}; {made.told}"
    if made.trouble:
        return
    site.lab.sim.clock.sleep(600)
    assert site.verify() == [], "verify after site"
    after = site.drift()
    assert after["settled"], f"drift after site: {after.get('report', after)}"
    again = site.site()
    assert (again.changed, again.trouble) == (False, ""), again.told


def unpredictable(site: MixedSite, plan: Run) -> set[str]:
    """The VMs of which check mode cannot know what they get: the addresses of virtual functions before a reboot creates them,
    and which vGPUs a host offers after the types of its GPUs or its device modes changed. A VM that may need the same devices as such a
    VM cannot be predicted either: what one gets, the other does not get. Nor can virtual functions that are passed through beside adapters:
    the server does not say which port provides such a function, nor which one an adapter has. Then the plan has a warning."""
    changes = plan.changes("enable")
    kinds = {change["kind"] for change in changes}
    created = bool(plan.changes("reboot")) or "sriov" in kinds
    shared = "device_mode" in kinds or any(
        change["kind"] == "graphics" and change["subject"] != "assignment policy" for change in changes
    )
    held = site.held()
    planned = plan.phases.get("attach", {}).get("vms", ())
    in_doubt = {vm["name"] for vm in planned if any("may fail to power on: " in text for text in vm["warnings"])}
    needs: dict[str, set[str]] = {}
    found = set()
    for entry in site.found.vms:
        name = entry["name"]
        wanted = {key for device in entry.get("devices", ()) for key in device}
        units = bool({"vgpu", "group"} & wanted or held[name]["vgpu"] or held[name]["group"])
        needs[name] = {"units"} if units else set()
        needs[name] |= {"cards"} if "match" in wanted or held[name]["card"] else set()
        needs[name] |= {"functions"} if entry.get("sriov_networks") or "virtual_function" in wanted else set()
        if (created and "virtual_function" in wanted) or (shared and units):
            found.add(name)
    contended = {need for name in found for need in needs[name]} | ({"functions"} if in_doubt else set())
    return found | in_doubt | {name for name, own in needs.items() if own & contended}


def compare(plan: Run, made: Run, *, unknown: set[str], moved: bool) -> None:
    """``unknown``: VMs of which check mode cannot know what they get. ``moved``: DRS moved VMs, so that check mode cannot know of any."""
    judged = ["enable", "reboot"]
    if not unknown and not moved:
        judged.append("attach")
        # Whether a new type of a GPU takes effect at once is unconfirmed: then the refused reboot of the plan is not needed.
        spared = may_spare_its_reboot(plan) and plan.trouble_of("reboot") and not made.trouble
        assert bool(made.trouble) == bool(plan.trouble) or spared, f"plan said: {plan.told}; site: {made.told}"
    for role in judged:
        assert not made.trouble_of(role) or plan.trouble_of(role), (
            f"plan said that nothing stands in the way: {made.told}"
        )
    if not plan.trouble:
        assert made.changes("enable") == plan.changes("enable"), "plan of enable"
    if not moved and not (plan.trouble or made.trouble):
        known = [[one for one in run.changes("attach") if one["target"] not in unknown] for run in (made, plan)]
        assert known[0] == known[1], f"plan of attach, without {sorted(unknown)}"


def may_spare_its_reboot(plan: Run) -> bool:
    """Whether a host changes the type of a GPU, for which check mode expects a reboot."""
    return any(
        change["kind"] == "graphics" and change["subject"] != "assignment policy" for change in plan.changes("enable")
    )


def stopped(site: MixedSite) -> set[str]:
    """The VMs that are to be off."""
    return {entry["name"] for entry in site.found.vms if entry["power"] == "off"}


def nothing_else_was_taken(site: MixedSite, before: dict[str, Any]) -> None:
    """A VM loses devices of those kinds only that its entry names, and none with ``present``."""
    entries = {entry["name"]: entry for entry in site.found.vms}
    for name, now in site.held().items():
        entry = entries.get(name, {"state": "present"})
        if entry["state"] == "exactly" and entry.get("kinds") == "all":
            continue
        named = set() if entry["state"] == "present" else set(named_kinds(entry))
        lost = {kind for kind, number in (before[name] - now).items() if number}
        assert lost <= named, f"{name} lost {lost}, and its entry names {named}: {entry}"


def named_kinds(entry: dict[str, Any]) -> set[str]:
    kinds = {"sriov"} if "sriov_networks" in entry else set()
    for device in entry.get("devices", ()):
        kinds.add(next((kind for kind in ("vgpu", "group", "dvx") if kind in device), "card"))
    return kinds if entry.get("devices", True) else kinds | {"card"}


def walk(numbers: range) -> None:
    looked_at = 0
    for number in numbers:
        found = mix(SEED, number)
        try:
            looked_at += explore(found)
        except Exception as error:
            error.add_note(found.told)
            raise
    assert looked_at > len(numbers) / 4


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, DAILY, BATCH), ids=lambda first: f"{SEED}/{first}")
def test_random_mixes(first: int) -> None:
    walk(range(first, first + BATCH))


@pytest.mark.long
@pytest.mark.parametrize("first", range(0, LONG, BATCH), ids=lambda first: f"{SEED}/{first}")
def test_more_random_mixes(first: int) -> None:
    walk(range(first, first + BATCH))
