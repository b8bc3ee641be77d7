# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a slice passes to the next one arrives there."""

from __future__ import annotations

import json
from dataclasses import replace

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.fleet_memory import (
    FleetMemory,
    RememberedHost,
    StoppedVm,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.earlier_slices import EarlierSlices
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.run_owner import machine
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.rolling.run_clock import Anchor
from tests.unit.module_utils._domain.rolling.builders import NOW, entry, host

SEEN = RememberedHost(view=host(), entry=entry("rebooting", asked=NOW - 60, text=""), cluster="GPU cluster")
SLICES = EarlierSlices(
    memory=FleetMemory(
        in_progress={"esx-1": SEEN},
        stopped={"vm-1": StoppedVm(name="db", host="esx-1")},
        silent={"esx-2": NOW},
        ran={"vm-2": "esx-1"},
        removed=frozenset({"esx-1"}),
    ),
    clock=Anchor(run=NOW, local=1.0, ahead=0.5, machine=machine()),
)


def test_what_one_slice_returns_another_one_reads() -> None:
    found = EarlierSlices.of(json.loads(json.dumps(SLICES.record())))
    host_of_both = found.memory.in_progress["esx-1"]
    assert (host_of_both.view.name, host_of_both.cluster, host_of_both.entry) == ("esx-1", SEEN.cluster, SEEN.entry)
    assert replace(found, memory=replace(found.memory, in_progress=SLICES.memory.in_progress)) == SLICES
    assert found.record() == SLICES.record()


def test_what_cannot_be_read_is_left_out() -> None:
    assert EarlierSlices.of({}) == EarlierSlices()
    broken = {"hosts": {"host-1": ["esx-1", "gpu", "dp1 broken"]}, "gone": ["host-1"]}
    assert EarlierSlices.of(broken) == EarlierSlices()
