# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for expected differences: what they cover, and that none is wider than it says."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.drift.ignore_rules import (
    apply_rules,
    parse_rules,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from tests.unit.module_utils._domain.drift.reports import difference

ON_HOST = difference(object="esx-01.lab", cluster="gpu-a", subject="0000:3b:00.0", device="10de:20f1 GA100")
ON_VM = difference(
    "powered_off", type="vm", object="train-01", moid="vm-1", cluster="gpu-a", subject="power", device=""
)
UNKNOWN = difference("unreachable", object="esx-01.lab", subject="", device="")
OF_CLUSTER = difference("not_found", type="cluster", object="no-such", moid="", cluster=None, subject="", device="")


@pytest.mark.parametrize(
    ("rule", "covers"),
    [
        ({"hosts": ["esx-01.lab"]}, [ON_HOST]),
        ({"hosts": ["ESX-01"]}, [ON_HOST]),
        ({"hosts": ["esx-*"]}, [ON_HOST]),
        ({"hosts": ["host-1"]}, [ON_HOST]),
        ({"hosts": ["esx-02*"]}, []),
        ({"vms": ["train-*"]}, [ON_VM]),
        ({"vms": ["train-*"], "hosts": ["esx-*"]}, [ON_HOST, ON_VM]),
        ({"clusters": ["gpu-*"]}, [ON_HOST, ON_VM]),
        ({"clusters": ["lab"]}, []),
        ({"devices": ["10de:*"]}, [ON_HOST]),
        ({"devices": ["0000:3B:00.0"]}, [ON_HOST]),
        ({"kinds": ["powered_off"]}, [ON_VM]),
        ({"kinds": ["powered_off"], "hosts": ["*"]}, []),
        ({"kinds": ["unreachable"]}, [UNKNOWN]),
        ({"kinds": ["unreachable"], "hosts": ["esx-01*"]}, [UNKNOWN]),
        ({"kinds": ["not_found"]}, [OF_CLUSTER]),
        ({"hosts": ["no-such"]}, []),
    ],
)
def test_all_conditions_have_to_hold(rule: dict[str, Any], covers: list[Any]) -> None:
    rules = parse_rules([{"name": "because", **rule}])
    everything = [ON_HOST, ON_VM, UNKNOWN, OF_CLUSTER]
    judged, idle = apply_rules(everything, rules)
    assert [one for one, after in zip(everything, judged, strict=True) if after.ignored] == covers
    assert idle == (() if covers else ("because",))


def test_the_first_rule_that_covers_gives_its_name() -> None:
    rules = parse_rules(
        [{"name": "one", "vms": ["x"]}, {"name": "two", "hosts": ["*"]}, {"name": "three", "hosts": ["*"]}]
    )
    judged, idle = apply_rules([ON_HOST], rules)
    assert [one.ignored for one in judged] == ["two"]
    assert idle == ("one", "three")


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ([{"hosts": ["x"]}], "has no name"),
        ([{"name": " ", "hosts": ["x"]}], "has no name"),
        ([{"name": "all of it"}], "has no condition"),
        ([{"name": "all of it", "kinds": []}], "has no condition"),
        ([{"name": "typo", "kinds": ["pending_rebot"]}], "pending_reboot"),
        ([{"name": "twice", "hosts": ["x"]}, {"name": "twice", "vms": ["y"]}], "ignore[1]"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(rules: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_rules(rules)
    assert caught.value.code == "bad_rule"
    assert says in caught.value.sentence()
