# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may go wrong: how it is written, what is refused, what chance chooses."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rehearsal.what_if import (
    WhatIf,
    chosen,
    parse_what_if,
    refuse_unknown_targets,
)

GOOD: dict[str, tuple[dict[str, Any], WhatIf, dict[str, Any]]] = {
    "a host": (
        {"kind": "host_never_returns", "host": "esx-1"},
        WhatIf(kind="host_never_returns", target="esx-1"),
        {"kind": "host_never_returns", "host": "esx-1"},
    ),
    "a VM": (
        {"kind": "vm_does_not_shut_down", "vm": "a"},
        WhatIf(kind="vm_does_not_shut_down", target="a"),
        {"kind": "vm_does_not_shut_down", "vm": "a"},
    ),
    "a restart": (
        {"kind": "vcenter_restarts", "at": 600},
        WhatIf(kind="vcenter_restarts", at=600.0, seconds=180.0),
        {"kind": "vcenter_restarts", "at": 600.0, "seconds": 180.0},
    ),
    "a long restart": (
        {"kind": "vcenter_restarts", "at": "600", "seconds": "900"},
        WhatIf(kind="vcenter_restarts", at=600.0, seconds=900.0),
        {"kind": "vcenter_restarts", "at": 600.0, "seconds": 900.0},
    ),
    "a kill": ({"kind": "run_killed", "at": 60}, WhatIf(kind="run_killed", at=60.0, seconds=600.0), {}),
}


@pytest.mark.parametrize("case", GOOD)
def test_parse(case: str) -> None:
    given, expected, record = GOOD[case]
    (found,) = parse_what_if([given])
    assert found == expected
    assert found.record() == record
    assert not found.is_open


BAD: dict[str, tuple[Any, str]] = {
    "no list": ("host_never_returns", "rehearse_what_if is not a list"),
    "no mapping": (["host_never_returns"], r"rehearse_what_if\[0\] names no kind"),
    "an unknown kind": (
        [{"kind": "host_never_return", "host": "a"}],
        r"unknown kind 'host_never_return' \(host_never_returns is meant\?\)",
    ),
    "an unknown key": ([{"kind": "drs_refuses", "hots": "a"}], r"unknown key 'hots' \(host is meant\?\)"),
    "a key of another kind": ([{"kind": "drs_refuses", "host": "a", "seconds": 3}], "unknown key 'seconds'"),
    "no target": ([{"kind": "drs_refuses"}], "neither host nor random: true"),
    "two targets": ([{"kind": "drs_refuses", "host": "a", "random": True}], "both host and random: true"),
    "no number": ([{"kind": "run_killed", "at": "soon"}], r"rehearse_what_if\[0\].at is 'soon'"),
    "a negative number": ([{"kind": "run_killed", "at": -1}], "no number of seconds above 0"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_refused(case: str) -> None:
    given, message = BAD[case]
    with pytest.raises(InputError, match=message) as caught:
        parse_what_if(given)
    assert caught.value.code == "bad_what_if"


def test_unknown_names_are_refused_with_what_is_known() -> None:
    known = parse_what_if([{"kind": "drs_refuses", "host": "esx-1"}, {"kind": "vm_does_not_shut_down", "vm": "a"}])
    refuse_unknown_targets(known, ["esx-1"], ["a"])
    with pytest.raises(InputError, match=r"rehearse_what_if\[0\] names the host esx-1, which no capture has") as caught:
        refuse_unknown_targets(known, ["esx-2", "esx-3"], ["a"])
    assert caught.value.candidates == ("esx-2", "esx-3")
    with pytest.raises(InputError, match="names the VM a"):
        refuse_unknown_targets(known, ["esx-1"], ["b"])


def choose(
    kind: str, number: int = 0, seed: int = 1, hosts: tuple[str, ...] = ("esx-1", "esx-2", "esx-3")
) -> WhatIf | None:
    (given,) = parse_what_if([{"kind": kind, "random": True}])
    assert given.is_open
    return chosen(given, number, seed=seed, hosts=hosts, vms=("a", "b"), seconds=1000.0)


def test_the_same_seed_makes_the_same_choice_and_others_differ() -> None:
    for kind in ("host_never_returns", "run_killed"):
        assert choose(kind) == choose(kind)
        assert len({choose(kind, number) for number in range(20)}) > 1
        assert len({choose(kind, seed=seed) for seed in range(20)}) > 1


def test_chance_takes_what_the_undisturbed_run_did() -> None:
    for seed in range(20):
        host, vm, kill = (choose(kind, seed=seed) for kind in ("drs_refuses", "vm_does_not_shut_down", "run_killed"))
        assert host is not None
        assert host.target in ("esx-1", "esx-2", "esx-3")
        assert vm is not None
        assert vm.target in ("a", "b")
        assert kill is not None
        assert 100 <= (kill.at or 0.0) <= 900
    assert choose("drs_refuses", hosts=()) is None


@pytest.mark.parametrize("kind", ["run_killed", "vcenter_restarts"])
def test_a_time_after_the_end_of_the_undisturbed_run_is_no_target(kind: str) -> None:
    for at, happens in ((999, True), (1000, False), (9999, False)):
        (given,) = parse_what_if([{"kind": kind, "at": at}])
        found = chosen(given, 0, seed=1, hosts=(), vms=(), seconds=1000.0)
        assert found == (given if happens else None)
        assert given.short == f"{kind} at {at} s"


def test_text() -> None:
    assert (
        WhatIf(kind="run_killed", at=60.0, seconds=600.0).text()
        == "the run is killed 60 s after the start, and started again 600 s later"
    )
    assert WhatIf(kind="drs_refuses", target="esx-1").text() == "DRS does not evacuate esx-1"
