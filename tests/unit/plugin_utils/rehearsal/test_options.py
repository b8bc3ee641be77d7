# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options are checked before anything is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rehearsal.options import (
    ARGUMENTS,
    RehearsalRequest,
    plan_of,
)

DEFAULTS: dict[str, Any] = {name: option.get("default") for name, option in ARGUMENTS.items()}
VCENTER = {"hostname": "vc", "port": "8443", "capture": "a.json"}

BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "no runs": ({"runs": 0}, "out_of_range", "rehearse_runs is 0"),
    "too many runs": ({"runs": 201}, "out_of_range", "rehearse_runs is 201"),
    "a wide spread": ({"boot_spread": 1.5}, "out_of_range", "rehearse_boot_spread is 1.5"),
    "no time": ({"run_timeout": 1}, "bad_timeout", "rehearse_run_timeout is 1"),
    "a bad what-if": ({"what_if": [{"kind": "x"}]}, "bad_what_if", "unknown kind 'x'"),
    "no capture": ({"vcenters": [{"hostname": "vc", "capture": ""}]}, "no_twin", "There is no capture of vc"),
    "an unknown key": ({"vcenters": [{**VCENTER, "url": "x"}]}, "bad_rehearsal", "unknown key 'url'"),
    "no directory": ({"html": "/nowhere/at/all.html"}, "report_unwritable", "no directory /nowhere/at"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_refused(case: str) -> None:
    given, code, message = BAD[case]
    with pytest.raises(InputError) as caught:
        RehearsalRequest.of({**DEFAULTS, "vcenters": [VCENTER], **given})
    assert message in caught.value.sentence()
    assert caught.value.code in (code, "bad_amount")


def test_the_defaults() -> None:
    found = RehearsalRequest.of({**DEFAULTS, "vcenters": [VCENTER]})
    assert (found.playbook, found.runs, found.seed, found.spread, found.what_if) == ("site", 1, 1, None, ())


def test_the_plan_of_a_twin() -> None:
    pairs = [["esx-1", "10.0.0.1"], ["esx-2", "10.0.0.9"], ["esx-3", "10.0.0.9"]]
    plan = plan_of({**VCENTER, "controllers": pairs}, Path("a.json"), "vcenter")
    assert (plan.hostname, plan.port) == ("vc", 8443)
    assert plan.controllers == {"10.0.0.1": "esx-1", "10.0.0.9": ""}, "an address of two hosts is that of a chassis"
    assert plan_of({"hostname": "vc"}, Path("a.json"), "vcenter").port == 443
