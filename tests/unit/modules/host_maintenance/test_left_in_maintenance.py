# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that somebody, or something, left in maintenance mode: who has nothing to do there says so."""

from __future__ import annotations

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.settled import proof_lines
from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.text import lines
from tests.unit.modules.harness import Lab


@pytest.mark.parametrize("check", [False, True])
def test_a_host_that_was_left_in_maintenance_mode_is_named_wherever_it_is_looked_at(check: bool) -> None:
    lab = Lab.load("mixed")  # old-01 is in maintenance mode and owes nothing
    rolled = lab.run("host_rolling_reboot", hosts=["old-01", "usual-01"], check=check)
    assert rolled["changed"] is False
    assert [host["in_maintenance_mode"] for host in rolled["hosts"]] == [True, False]
    assert "end its maintenance mode" in str(rolled["warnings"])
    if not check:
        (line,) = [line for line in lines(rolled) if "old-01.lab" in line]
        assert line.endswith("old-01.lab: requires no reboot, is in maintenance mode")
    devices = [{"match": "10de:20f1"}]
    seen = lab.run("host_passthrough", hosts=["old-01", "usual-01"], devices=devices, check=True)["hosts"]
    proofs = proof_lines(seen, [])
    assert [proof.endswith("in maintenance mode") for proof in proofs] == [True, False]
