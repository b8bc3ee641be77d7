# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Knobs take what they should, and say what they take."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.rules import knobs


def test_every_knob_says_what_it_means_and_its_default_is_a_choice() -> None:
    for name, item in knobs.FIELDS.items():
        assert len(item.meaning) > 10, name
        choices = item.choices
        assert not choices or item.default in choices, name
        assert knobs.KNOBS[name].doc == item.meaning


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("boot_seconds", 60, 60.0),
        ("host_device_max", 8, 8),
        ("group_follows", True, True),
        ("boot_result", "never_returns", "never_returns"),
        ("never_active", ["10DE:20F1"], ("10de:20f1",)),
        ("never_active", "all", ("all",)),
        ("device_held_text", "busy", "busy"),
    ],
)
def test_values_that_fit(name: str, given: Any, kept: Any) -> None:
    assert knobs.coerce(name, given) == kept
    assert getattr(knobs.turned(knobs.Knobs(), {name: given}), name) == kept


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("boot_time", 1, "there is no knob 'boot_time'"),
        ("boot_seconds", "soon", "takes a number"),
        ("boot_seconds", True, "takes a number"),
        ("group_follows", "yes", "takes true or false"),
        ("boot_result", "explodes", "takes one of normal, never_returns, same_boot_time, old_boot_time, disconnected"),
        ("never_active", 5, "takes a list"),
    ],
)
def test_values_that_do_not_fit(name: str, given: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        knobs.coerce(name, given)
