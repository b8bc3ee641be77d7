# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options with a new name still work by their old one, with a deprecation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.modules.harness import Lab
from tests.unit.modules.host_rolling_reboot.lab import Roll, fleet

TARGETS = [{"cluster": ["c1"], "devices": [{"match": "10de:20f1"}]}]


def assert_deprecated(result: dict[str, Any], old: str) -> None:
    """Releases of Ansible differ in the shape of an entry."""
    (deprecation,) = [str(entry) for entry in result["deprecations"] if f"'{old}'" in str(entry)]
    assert "2.0.0" in deprecation
    assert "directpath.vsphere" in deprecation


@pytest.mark.parametrize(
    ("module", "old", "new", "options"),
    [
        ("drift_info", "most_questions", "max_host_queries", {"targets": TARGETS}),
        ("host_rolling_reboot", "patience", "blocked_timeout", {"cluster": ["c1"]}),
    ],
)
def test_a_value_by_the_old_name_is_that_of_the_new_one(
    module: str, old: str, new: str, options: dict[str, Any]
) -> None:
    lab = Lab.load(fleet())
    refused = lab.run(module, fails=True, **options, **{old: -1})
    assert refused["parameter"] == new
    assert_deprecated(refused, old)
    accepted = lab.run(module, check=True, **options, **{old: 1})
    assert_deprecated(accepted, old)


def test_a_slice_continues_a_run_by_the_old_name() -> None:
    roll = Roll.pinned(pinned_vms="shutdown_then_power_off", never_stop=["train-99"])
    assert roll.fail()["error_code"] == "unknown_vm"
    result = roll.run(goes_on=True)
    assert "never_stop contains train-99" in str(result["warnings"])
    assert_deprecated(result, "goes_on")
