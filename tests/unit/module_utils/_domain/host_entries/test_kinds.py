# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of several kinds in one list: which module an entry is for, and which of them a device cannot have together."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.desired import (
    function_entries,
    passthrough_entries,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host_entries.device_modes import (
    with_modes,
    without_modes,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host_entries.kinds import (
    kind_of,
    parse_host_entries,
)

NIC = "8086:1572"
WHOLE, NUMBER, MODE = "10de:20f1", {"match": NIC, "virtual_functions": 8}, {"match": "10de:2235", "mode": "host"}


def test_each_entry_is_for_one_module() -> None:
    assert [kind_of(entry) for entry in (WHOLE, NUMBER, MODE)] == ["passthrough", "sriov", "device_mode"]
    entries = parse_host_entries([WHOLE, NUMBER, MODE])
    whole, number, mode = entries
    assert (passthrough_entries(entries), function_entries(entries)) == ((whole,), (number,))
    assert (with_modes(entries), without_modes(entries)) == ((mode,), (whole, number))


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (NIC, "one is for passthrough and one has virtual_functions"),
        ({"match": NIC, "mode": "directpath"}, "a device that is passed through has none"),
        ({"match": NIC, "mode": "enhanced_directpath"}, "a device that is passed through has none"),
        ({"match": NIC, "virtual_functions": 4}, "virtual functions and one has"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_what_a_device_cannot_have_together_is_refused(other: Any, says: str, first: bool) -> None:
    with pytest.raises(InputError, match=says) as caught:
        parse_host_entries([NUMBER, other] if first else [other, NUMBER])
    assert caught.value.code == "contradicting_wishes"


@pytest.mark.parametrize(
    "entries",
    [
        [NUMBER, {"match": NIC, "mode": "host"}],
        [{**NUMBER, "virtual_functions": 0}, {"match": NIC, "mode": "directpath"}],
    ],
)
def test_what_a_device_can_have_together_is_accepted(entries: list[Any]) -> None:
    assert len(parse_host_entries(entries)) == 2
