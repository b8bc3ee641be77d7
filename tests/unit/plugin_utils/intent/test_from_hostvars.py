# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read from the variables of inventory hosts beside the intent itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.from_hostvars import read_intent

TOKEN = "T0K3N"
HOST = {"vcenter_hostname": "vc-a", "passthrough_hosts": [{"cluster": "gpu", "devices": ["10de:1eb8"]}]}
GOOD = [{"url": f"https://hooks.example.com/{TOKEN}", "secret": "a-secret-of-at-least-16-characters"}]


class Undefined(Mapping[str, Any]):
    """Variables of a host of which one cannot be evaluated, as with a vault that is not there."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getitem__(self, key: str) -> Any:
        if key == self._name:
            raise LookupError(f"{TOKEN} is undefined")
        return HOST[key]

    def __contains__(self, key: object) -> bool:
        return key in (*HOST, self._name)

    def __iter__(self) -> Iterator[str]:
        return iter([*HOST, self._name])

    def __len__(self) -> int:
        return len(HOST) + 1


@pytest.mark.parametrize("name", ["rolling_reboot_notify", "drift_report_notify"])
@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([{"url": f"http://hooks.example.com/{TOKEN}"}], "[0].url: it is not encrypted (http)"),
        ([*GOOD, {"url": f"https://h/{TOKEN}", "secret": "short"}], "[1].secret: it has fewer than 16 characters"),
    ],
)
def test_a_subscriber_that_cannot_be_used_is_an_error_of_the_inventory(name: str, value: object, says: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        read_intent(["vc"], {"vc": {**HOST, name: value}})
    assert f"Inventory host vc: {name}{says}" in str(caught.value)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("value", [None, [], GOOD])
def test_subscribers_that_can_be_used_change_nothing(value: object) -> None:
    assert read_intent(["vc"], {"vc": {**HOST, "rolling_reboot_notify": value}}) == read_intent(["vc"], {"vc": HOST})


@pytest.mark.parametrize("name", ["rolling_reboot_notify", "drift_report_notify"])
def test_a_value_that_cannot_be_read_is_left_to_the_task_that_needs_it(name: str) -> None:
    assert list(read_intent(["vc"], {"vc": Undefined(name)})) == ["vc"]
