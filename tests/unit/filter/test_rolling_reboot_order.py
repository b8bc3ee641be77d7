# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ESXi hosts are sorted by, read from the inventory."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from jinja2.exceptions import UndefinedError

from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.reboot_steps import reboot_order

HOSTVARS = {
    "esx-01": {"zone": "a", "rack": 7},
    "esx-02": {"rack": 3},
    "esx-03": {},
    "short": {"zone": "b", "passthrough_host_name": "esx-04.lab"},
}


@pytest.mark.parametrize(
    ("variables", "order"),
    [
        (["zone", "rack"], {"esx-01": ["a", "7"], "esx-02": ["", "3"], "esx-04.lab": ["b", ""]}),
        ("rack", {"esx-01": ["7"], "esx-02": ["3"]}),
        (["floor"], {}),
        ([], {}),
    ],
)
def test_hosts_are_sorted_by_their_variables(variables: list[str], order: dict[str, list[str]]) -> None:
    assert reboot_order(list(HOSTVARS), HOSTVARS, variables) == order


def test_a_variable_that_cannot_be_templated_is_named_with_its_host() -> None:
    class Broken(dict[str, str]):
        def __getitem__(self, key: str) -> str:
            raise UndefinedError("'floor' is undefined")

    with pytest.raises(AnsibleFilterError, match="Inventory host esx-09: rack cannot be read: 'floor' is undefined"):
        reboot_order(["esx-09"], {"esx-09": Broken(rack="{{ floor }}")}, ["rack"])
