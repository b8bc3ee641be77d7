# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input to host_rolling_reboot: everything that can be wrong before anything is touched."""

from __future__ import annotations

from typing import Any

from tests.unit.modules.bad_input import Case
from tests.unit.modules.harness import Lab
from tests.unit.pains.labs import FIRST, host, lab

WAITING = {FIRST: {"enabled": True, "active": False}}
WINDOW = {"start": "22:00", "end": "05:00"}
CYCLE = {"method": "power_cycle"}
BMC = {"host": "esx-01", "address": "bmc-01.test", "username": "root", "password": "calvin"}


def pair() -> Lab:
    """Two equal hosts, of which the first owes a reboot."""
    return lab([host("esx-01", states=WAITING), host("esx-02")])


def roll(title: str, code: str | None, says: tuple[str, ...], **more: Any) -> Case:
    """Rolling through the cluster; ``options`` are those that are wrong."""
    where = more.pop("where", {"cluster": ["gpu"]})
    return Case(
        title=title,
        module="host_rolling_reboot",
        options={**where, **more.pop("options", {})},
        code=code,
        says=says,
        lab=more.pop("lab", pair),
        **more,
    )


PACE = [
    roll("no host may be down", "bad_amount", ("max_unavailable", "25%"), options={"max_unavailable": "0"}),
    roll("a share in words", "bad_amount", ("max_unavailable", "half"), options={"max_unavailable": "half"}),
    roll("more than all hosts", "bad_amount", ("fleet_max_unavailable",), options={"fleet_max_unavailable": "120%"}),
    roll(
        "a bad number for one cluster",
        "bad_amount",
        ("cluster_max_unavailable.gpu",),
        options={"cluster_max_unavailable": {"gpu": "some"}},
    ),
    roll("a checkpoint after no host", "bad_amount", ("checkpoints",), options={"checkpoints": ["0%"]}),
    roll("no failure is too many", "bad_amount", ("max_failures",), options={"max_failures": "-1"}),
    roll(
        "a day that is none", "bad_window", ("someday", "sat"), options={"windows": [{**WINDOW, "days": ["someday"]}]}
    ),
    roll("a time that is none", "bad_window", ("25:00", "22:30"), options={"windows": [{**WINDOW, "end": "25:00"}]}),
    roll("a zone that is none", "bad_window", ("Mars/Base",), options={"windows": [{**WINDOW, "zone": "Mars/Base"}]}),
    roll("a window without end", None, ("end",), options={"windows": [{"start": "22:00"}]}),
    roll("a drain without time", "bad_timeout", ("drain_timeout 0",), options={"drain_timeout": 0}),
    roll("guests without time", "bad_timeout", ("stop_timeout -5",), options={"stop_timeout": -5}),
    roll("a soak in the past", "bad_timeout", ("soak",), options={"soak": -60}),
    roll("a slice in the past", "bad_timeout", ("slice",), options={"slice": -1}),
    roll("a lock that is stale at once", "bad_timeout", ("lock_ttl 5", "60"), options={"lock_ttl": 5}),
]

WORDS = [
    roll("an order that is none", "bad_order", ("order.esx-01",), options={"order": {"esx-01": {"zone": "a"}}}),
    roll(
        "an order of VMs in words", "bad_order", ("vm_order.db-01", "first"), options={"vm_order": {"db-01": "first"}}
    ),
    roll(
        "a duration that is none",
        "bad_duration",
        ("measured.esx-01", "drain"),
        options={"measured": {"esx-01": {"boot": 300}}},
    ),
    roll("a negative duration", "bad_duration", ("expected_minutes",), options={"expected_minutes": {"reboot": -3}}),
    roll("a run with a name of two words", "bad_run_id", ("run_id",), options={"run_id": "my run"}),
    roll("a policy that does not exist", None, ("pinned_vms",), options={"pinned_vms": "kill"}),
]

POWER = [
    roll("power off without a way to power on", "no_bmc", ("bmc",), options=CYCLE),
    roll(
        "a controller without an account",
        "bad_bmc",
        ("esx-01", "password"),
        options={**CYCLE, "bmc": [{**BMC, "password": ""}]},
    ),
    roll(
        "two controllers for one host",
        "bad_bmc",
        ("esx-01", "twice"),
        options={**CYCLE, "bmc": [BMC, {**BMC, "address": "bmc-02.test"}]},
    ),
    roll(
        "a controller over plain HTTP",
        "bad_bmc_address",
        ("bmc-01.test", "https"),
        options={**CYCLE, "bmc": [{**BMC, "address": "http://bmc-01.test"}]},
    ),
]

PLACES = [
    roll("a host that is not there", "unknown_host", ("esx-09", "esx-01"), where={"hosts": ["esx-09"]}),
    roll("a cluster that is not there", "unknown_cluster", ("gpus", "gpu"), where={"cluster": ["gpus"]}),
    roll("nothing is named", None, ("hosts", "cluster"), where={}),
    roll(
        "an override without a host",
        "override_needs_host",
        (FIRST, "esx-01"),
        options={"allow_protected": [FIRST]},
    ),
    roll(
        "a journal where nobody may write",
        "journal_unwritable",
        ("/dev/null/x", "directory"),
        options={"journal": "file", "journal_dir": "/dev/null/x"},
    ),
    roll(
        "progress where nobody may write",
        "progress_unwritable",
        ("/dev/null/x",),
        options={"progress_file": "/dev/null/x"},
    ),
]

CASES = [*PACE, *WORDS, *POWER, *PLACES]
