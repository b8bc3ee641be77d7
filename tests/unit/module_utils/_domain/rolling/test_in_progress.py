# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run has begun, and how long it takes at most to finish it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.in_progress import (
    describe_powered_on,
    describe_waits,
    find_in_progress,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import Deadlines
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.status import (
    Seen,
    SeenHost,
    SeenVm,
    build_status,
)
from tests.unit.module_utils._domain.rolling.builders import (
    LOCK,
    ME,
    NOW,
    ROLL,
    cluster,
    entry,
    host,
    observed,
    pinned,
    vm_entry,
)

LIMITS = Deadlines(reboot=1000, verify=200, leave=30, restore=4)


def found(*hosts: Any, vms: Any = (), lock: Any = LOCK) -> Any:
    seen = find_in_progress(ME, ROLL, tuple(hosts), tuple(vms), (cluster(lock=lock),), LIMITS)
    return seen.record(NOW)


@pytest.mark.parametrize(
    ("step", "more", "seconds"),
    [
        ("draining", {}, 34),
        ("rebooting", {"asked": NOW - 100}, 900 + 234),
        ("powering", {"asked": NOW - 100}, 900 + 234),
        ("rebooting", {"asked": NOW - 5000}, 234),
        ("verifying", {}, 140 + 34),
        ("leaving", {"at": NOW - 10}, 20 + 4),
        ("restoring", {"at": NOW - 1}, 3),
        ("backing_out", {"at": NOW - 10}, 24),
    ],
)
def test_each_step_takes_at_most_its_timeouts(step: str, more: dict[str, Any], seconds: float) -> None:
    seen = found(host(entry=entry(step, **more)))
    assert [row["name"] for row in seen["hosts"]] == ["esx-1"]
    assert seen["at_most"] == pytest.approx(seconds)


def test_a_run_that_resumed_this_has_the_full_time() -> None:
    booting = host(entry=entry("rebooting", asked=NOW - 5000))
    assert found(booting, lock=replace(LOCK, since=NOW - 100))["at_most"] == 900 + 234
    assert found(booting, lock=replace(LOCK, since=NOW - 100, owner="another"))["at_most"] == 234


@pytest.mark.parametrize("step", ["done", "blocked", "failed", "withdrawn"])
def test_what_is_over_is_not_in_progress(step: str) -> None:
    assert found(host(entry=entry(step)), host("esx-2")) == {"hosts": [], "vms_off": [], "at_most": 0.0}


def test_another_run_is_not_this_one() -> None:
    seen = found(
        host(entry=entry("rebooting", run_id="other")),
        vms=[pinned(power_state="poweredOff", entry=vm_entry(run_id="other"))],
    )
    assert (seen["hosts"], seen["vms_off"]) == ([], [])


def test_vms_come_in_the_order_in_which_they_are_powered_on() -> None:
    vms = [
        pinned("first-stopped", power_state="poweredOff", entry=vm_entry(rank=10)),
        pinned("last-stopped", entry=vm_entry(rank=20, at=NOW - 5)),
        pinned("running-again", entry=vm_entry("start", rank=30)),
        pinned("never-stopped", power_state="poweredOff"),
    ]
    seen = found(host(entry=entry("draining")), vms=vms)
    assert seen["vms_off"] == [
        {"name": "last-stopped", "host": "esx-1", "since": NOW - 5, "state": "shutting down"},
        {"name": "first-stopped", "host": "esx-1", "since": NOW - 60, "state": "off"},
    ]


@pytest.mark.parametrize(
    ("hosts", "vms", "text"),
    [
        ([], [], ""),
        (
            [entry("rebooting", asked=NOW - 100)],
            [],
            "this run still waits for esx-1, until 2026-02-02 02:55 UTC at most",
        ),
        ([entry("draining")], [], "this run still waits for esx-1"),
        ([entry("restoring")], [], ""),
        ([entry("rebooting")], [pinned(power_state="poweredOff", entry=vm_entry())], ""),
        ([entry("rebooting")], [pinned(power_state="poweredOff", entry=vm_entry(run_id="other"))], ""),
    ],
    ids=["nothing", "a deadline", "no deadline", "its VMs are powered on now", "off", "off because of another run"],
)
def test_all_vms_are_on_is_said_only_if_that_is_so(hosts: Any, vms: Any, text: str) -> None:
    views = tuple(host(f"esx-{n}", entry=own) for n, own in enumerate(hosts, 1))
    clusters = (cluster(),)
    begun = find_in_progress(ME, ROLL, views, tuple(vms), clusters, LIMITS)
    assert describe_waits(begun, observed(*views, vms=vms, clusters=clusters)) == text
    early = (cluster(lock=replace(LOCK, owner="another")),)
    assert describe_waits(begun, observed(*views, vms=vms, clusters=early)) == "", (
        "no deadline before the lock is taken"
    )


@pytest.mark.parametrize(
    ("step", "power", "removed", "told"),
    [
        ("leaving", "on", False, True),
        ("verifying", "on", False, True),
        ("failed", "on", False, True),
        ("draining", "on", False, False),
        ("restoring", "on", False, False),
        ("backing_out", "on", False, False),
        ("leaving", "off", False, False),
        ("leaving", "unknown", False, False),
        ("leaving", "on", True, False),
    ],
)
def test_a_vm_that_a_person_powered_on_is_named(step: Any, power: Any, removed: bool, told: bool) -> None:
    seen = Seen(
        now=NOW,
        hosts=(
            SeenHost(
                moid="esx-1",
                name="esx-1",
                cluster="gpu",
                connection="connected",
                in_maintenance=False,
                entries=(entry(step),),
            ),
        ),
        vms=(SeenVm(moid="vm", name="train-01", power=power, entry=vm_entry(), on_host="esx-1", removed=removed),),
    )
    sentence = (
        "train-01, shut down for esx-1, is on: it was powered on by hand or by another system, and is left as it is"
    )
    assert describe_powered_on(build_status(seen, lambda _owner: True)) == ((sentence,) if told else ())
