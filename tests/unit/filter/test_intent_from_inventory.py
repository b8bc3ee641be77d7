# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The intent as Ansible hands it over: its own precedence, and the file and line of a mistake."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play import Play
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.from_hostvars import read_endpoints
from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.from_hostvars import read_intent as intent
from tests.unit.ansible_core import controller

A100, T4, NIC = '"10de:20f1"', '"10de:1eb8"', '"15b3:1015"'
INVENTORY = """
all:
  vars: {vcenter_hostname: vc-a}
  children:
    gpu:
      vars:
        passthrough_devices: ["10de:20f1"]
        passthrough_vms: [{name: train-01, devices: ["10de:20f1"]}]
      children:
        gpu_small:
          hosts: {esx-03: }
      hosts:
        esx-01:
        esx-02:
          passthrough_devices: ["15b3:1015"]
    lab_b:
      vars: {vcenter_hostname: vc-b}
      hosts: {esx-04: {passthrough_devices: []}}
"""


class Given:
    """An inventory in a folder, and what Ansible makes of it."""

    def __init__(self, folder: Path, files: Mapping[str, str], extra: Mapping[str, Any]) -> None:
        for name, text in {"inventory.yml": INVENTORY, **files}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        loader = self.loader = DataLoader()
        self.inventory = InventoryManager(loader=loader, sources=[str(folder / "inventory.yml")])
        self.manager = VariableManager(loader=loader, inventory=self.inventory)
        self.manager._extra_vars = dict(extra)

    def intent(self) -> dict[str, Any]:
        hosts = self.inventory.get_hosts()
        found = {host.name: self.manager.get_vars(host=host, include_hostvars=False) for host in hosts}
        return intent(list(found), found)

    def wanted(self, host: str) -> list[str]:
        """Which devices a host is to have, in the short form."""
        for endpoint in self.intent().values():
            for target in endpoint["targets"]:
                if host in target["hosts"]:
                    return [device["match"] for device in target["devices"]]
        return []


CASES: list[tuple[str, dict[str, str], dict[str, Any], dict[str, list[str]]]] = [
    ("a host has what its group has", {}, {}, {"esx-01": ["10de:20f1"], "esx-03": ["10de:20f1"]}),
    ("a host's own list replaces that of its group", {}, {}, {"esx-02": ["15b3:1015"]}),
    ("a child group's list replaces its parent's", {"group_vars/gpu_small.yml": f"passthrough_devices: [{T4}]"}, {},
     {"esx-03": ["10de:1eb8"], "esx-01": ["10de:20f1"]}),
    ("host_vars replace the inventory's", {"host_vars/esx-02.yml": f"passthrough_devices: [{T4}]"}, {},
     {"esx-02": ["10de:1eb8"]}),
    ("group_vars of all come before groups inside the inventory file",
     {"group_vars/all.yml": f"passthrough_devices: [{NIC}]"}, {}, {"esx-01": ["15b3:1015"]}),
    ("group_vars of a group come before group_vars of all",
     {"group_vars/all.yml": f"passthrough_devices: [{NIC}]", "group_vars/gpu.yml": f"passthrough_devices: [{A100}]"}, {},
     {"esx-01": ["10de:20f1"]}),
    ("-e replaces everything", {}, {"passthrough_devices": ["8086:1572"]},
     {"esx-01": ["8086:1572"], "esx-02": ["8086:1572"]}),
    ("an empty list opts a host out", {"host_vars/esx-01.yml": "passthrough_devices: []"}, {}, {"esx-01": []}),
]  # fmt: skip


@pytest.mark.parametrize(("files", "extra", "wanted"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_ansible_decides_which_list_counts(
    tmp_path: Path, files: dict[str, str], extra: dict[str, Any], wanted: dict[str, list[str]]
) -> None:
    given = Given(tmp_path, files, extra)
    assert {host: given.wanted(host) for host in wanted} == wanted


def test_two_groups_of_one_level_by_priority(tmp_path: Path) -> None:
    files = {
        "inventory.yml": INVENTORY
        + "    nights:\n      vars: {ansible_group_priority: 5, passthrough_devices: ['10de:1eb8']}\n"
        + "      hosts: {esx-01: }\n"
    }
    assert Given(tmp_path, files, {}).wanted("esx-01") == ["10de:1eb8"]


def test_every_vcenter_has_a_leader(tmp_path: Path) -> None:
    found = Given(tmp_path, {}, {}).intent()
    assert {leader: endpoint["vcenter"] for leader, endpoint in found.items()} == {"esx-01": "vc-a", "esx-04": "vc-b"}
    assert found["esx-01"]["inventory_hosts"] == ["esx-01", "esx-02", "esx-03"]


MISTAKES: list[tuple[str, str, str, str | None]] = [
    ("an unknown key", "group_vars/gpu.yml", "---\npassthrough_vms:\n  - name: a\n    devcies: []\n", ":3:"),
    ("a bad value", "host_vars/esx-01.yml", "---\npassthrough_devices:\n  - {match: {class_id: nvme}}\n", ":3:"),
    ("a value from a variable", "host_vars/esx-01/b.yml", "passthrough_devices:\n  - '{{ card }}'\ncard: x1\n", None),
    ("a misspelt variable", "host_vars/esx-01.yml", "---\nvars_of: me\npassthrough_devcies: []\n", ":3:"),
]


@pytest.mark.parametrize(("name", "text", "line"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES])
def test_a_mistake_is_found_in_its_file(tmp_path: Path, name: str, text: str, line: str | None) -> None:
    """Asked of the variables as a playbook has them, templates and all: what they were read from, Ansible remembers there."""
    given = Given(tmp_path, {name: text}, {})
    with controller(), pytest.raises(AnsibleFilterError) as raised:
        intent(["esx-01"], HostVars(inventory=given.inventory, variable_manager=given.manager, loader=given.loader))
    said = str(raised.value)
    assert "Inventory host esx-01: passthrough_" in said
    assert line is None or f"{tmp_path / name}{line}" in said
    assert f"{tmp_path / 'inventory.yml'}:" not in said, "no place at all is better than a wrong one"


def test_a_mistake_without_a_file_is_told_all_the_same() -> None:
    with pytest.raises(AnsibleFilterError, match=r"Inventory host a: passthrough_vms\[0\] has the unknown key devcies"):
        intent(["a"], {"a": {"passthrough_vms": [{"devcies": []}]}})


SLIP = "rolling_reboot_never_stp"
WRITTEN = f"---\n{SLIP}: [train-01]\n"
PLACES: list[tuple[str, dict[str, str], dict[str, Any], str]] = [
    ("inventory", {"inventory.yml": INVENTORY.replace("all:\n  vars: {", f"all:\n  vars: {{{SLIP}: [a], ")}, {}, "inventory.yml:3:"),
    ("group_vars of all", {"group_vars/all.yml": WRITTEN}, {}, "group_vars/all.yml:2:"),
    ("group_vars of a group", {"group_vars/gpu.yml": WRITTEN}, {}, "group_vars/gpu.yml:2:"),
    ("host_vars", {"host_vars/esx-01.yml": WRITTEN}, {}, "host_vars/esx-01.yml:2:"),
    ("-e", {}, {SLIP: ["train-01"]}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("files", "extra", "place"), [row[1:] for row in PLACES], ids=[row[0] for row in PLACES])
def test_a_slip_is_refused_wherever_it_stands(
    tmp_path: Path, files: dict[str, str], extra: dict[str, Any], place: str
) -> None:
    given = Given(tmp_path, files, extra)
    hostvars = HostVars(inventory=given.inventory, variable_manager=given.manager, loader=given.loader)
    with controller(), pytest.raises(AnsibleFilterError) as raised:
        intent(["esx-01"], hostvars)
    said = str(raised.value)
    assert f"{SLIP} is not an option of the role rolling_reboot (rolling_reboot_never_stop is meant?)" in said
    assert f"{tmp_path / place}" in said if place else "Inventory host esx-01" in said
    listed = {"directpath_foreign_variables": [SLIP]}
    assert Given(tmp_path, files, {**extra, **listed}).intent(), "somebody's own variable"


def test_a_slip_in_the_variables_of_a_play_is_refused(tmp_path: Path) -> None:
    given = Given(tmp_path, {}, {})
    play = Play().load({"hosts": "all", "vars": {SLIP: []}}, variable_manager=given.manager, loader=given.loader)
    host = given.inventory.get_host("esx-01")
    names = list(given.manager.get_vars(play=play, host=host, include_hostvars=False))
    hosts = {"esx-01": given.manager.get_vars(host=host, include_hostvars=False)}
    with pytest.raises(AnsibleFilterError) as raised:
        intent(["esx-01"], hosts, names)
    assert f"{SLIP} is not an option of the role rolling_reboot" in str(raised.value)
    assert "variables of the play" in str(raised.value)
    assert intent(["esx-01"], hosts, names, [SLIP])
    assert intent(["esx-01"], hosts, names, f"other,{SLIP}")


def test_a_tag_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    given = Given(tmp_path, {}, {})
    hosts = {"esx-01": given.manager.get_vars(host=given.inventory.get_host("esx-01"), include_hostvars=False)}
    with pytest.raises(AnsibleFilterError, match="The tag rolling_reboot_rebot does not exist"):
        intent(["esx-01"], hosts, tags=["rolling_reboot_rebot"])
    assert intent(["esx-01"], hosts, tags=["all", "rolling_reboot_reboot", "own"])


def test_playbooks_for_emergencies_refuse_only_slips_in_their_own_variables() -> None:
    hosts = {"a": {"vcenter_hostname": "vc", "passthrough_devices": 7, SLIP: []}}
    assert read_endpoints(["a"], hosts, ["rolling_reboot_colour", *hosts["a"]]) == {"a": {"vcenter": "vc", "port": 443}}
    with pytest.raises(AnsibleFilterError, match="restore_host is almost restore_hosts"):
        read_endpoints(["a"], hosts, ["restore_host"])
    with pytest.raises(AnsibleFilterError, match="Inventory host a: rolling_reboot_journal_dirs"):
        read_endpoints(["a"], {"a": {"vcenter_hostname": "vc", "rolling_reboot_journal_dirs": "x"}})
