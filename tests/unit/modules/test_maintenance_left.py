# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is killed leaves a host in maintenance mode: the next one has nothing to do there, and says so."""

from __future__ import annotations

import pytest
from harness import Lab

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.report import lines, proof_lines


@pytest.mark.parametrize("check", [False, True])
def test_a_host_that_was_left_in_maintenance_mode_is_named_wherever_it_is_looked_at(check: bool) -> None:
    lab = Lab.load("mixed")  # old-01 is in maintenance mode and owes nothing
    rebooted = lab.run("host_reboot", hosts=["old-01"], maintenance="manage", check=check)
    assert rebooted["changed"] is False
    assert any("old-01.lab is in maintenance mode already" in line for line in lines(rebooted))
    devices = [{"match": "10de:20f1"}]
    seen = lab.run("host_passthrough", hosts=["old-01", "usual-01"], devices=devices, check=True)["hosts"]
    proofs = proof_lines(seen, [])
    assert [proof.endswith("in maintenance mode") for proof in proofs] == [True, False]
