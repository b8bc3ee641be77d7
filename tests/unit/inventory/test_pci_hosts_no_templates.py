# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever may name a VM must not be able to run a lookup on the control node. Before ansible-core 2.19 every text is a template."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.inventory.data import InventoryData
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.release import __version__
from ansible.template import Templar
from ansible.vars.manager import VariableManager

from ansible_collections.directpath.vsphere.plugins.inventory.pci_hosts import InventoryModule
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.names import shown_name
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.vms import DynamicBacking, VmDevice
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.text import inert
from ansible_collections.directpath.vsphere.plugins.plugin_utils.inventory.entries import (
    GROUPINGS,
    host_entry,
    vm_entry,
)
from tests.unit.module_utils._domain.vm.builders import esx, guest

try:
    from ansible.template import trust_as_template as trusted  # what a user wrote, not what a server sent
except ImportError:  # before 2.19 there is no difference

    def trusted(text: str) -> str:
        return text


RUN = "lookup('pipe', 'touch {}')"
NAMES = {
    "an expression": f"{{{{ {RUN} }}}}",
    "a statement": f"{{% set x = {RUN} %}}",
    "after a comment": f"{{# #}}{{{{ {RUN} }}}}",
    "more braces": f"{{{{{{ {RUN} }}}}}}",
    "other delimiters": f"#jinja2:variable_start_string:'[[',variable_end_string:']]'\n[[ {RUN} ]]",
    "other delimiters, one line": "#jinja2:variable_start_string:'[[',variable_end_string:']]',trim_blocks:True;[[ "
    + RUN.replace("', '", "' ~ '")
    + " ]]",
    "sent in escapes": f"%7b%25%7d{{{{ {RUN} }}}}",
}
OPTIONS = {
    "group_by": list(GROUPINGS), "group_devices": "capable", "strict": False, "inventory_name": "name", "vm_inventory_name": "name",
    "compose": {"seen": trusted("directpath_cluster ~ directpath_labels[0]"), "same": trusted("directpath_host | default('')")},
    "groups": {"odd": trusted("directpath_labels | length > 0")}, "use_extra_vars": False, "leading_separator": True,
    "keyed_groups": [{"key": trusted("directpath_cluster"), "prefix": "rack"}, {"key": trusted("directpath_labels")}],
}  # fmt: skip


def plugin(**options: Any) -> InventoryModule:
    made = InventoryModule()
    made.inventory, made.loader = InventoryData(), DataLoader()
    made.templar = Templar(loader=made.loader)
    made._options = {**OPTIONS, **options}
    return made


def everything(made: InventoryModule, name: str) -> Any:
    """What a play on an inventory host could have in a template: its name, its variables, its groups."""
    host = made.inventory.get_host(name)
    manager = InventoryManager(loader=made.loader, parse=False)
    manager._inventory = made.inventory
    variables = VariableManager(loader=made.loader, inventory=manager).get_vars(host=host)
    templar = Templar(loader=made.loader, variables=variables)
    names = [key for key in variables if key not in ("hostvars", "environment", "omit", "vars")]
    return {key: templar.template(trusted("{{ " + key + " }}")) for key in names if key.isidentifier()}


@pytest.mark.parametrize("composed", [False, True], ids=["by name", "by an expression"])
@pytest.mark.parametrize("written", NAMES.values(), ids=NAMES)
def test_nothing_that_stands_in_vsphere_is_evaluated(
    written: str, composed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = tmp_path / "ran"
    raw = written.replace("{}", str(ran))
    name = shown_name(raw)
    device = VmDevice(key=13000, label="PCI device 0", backing=DynamicBacking(allowed=(), custom_label=raw))
    vm = {**vm_entry(guest(name, device, path=f"DC/vm/{name}", host_name=raw, cluster=raw), "vc"), raw: {raw: [raw]}}
    esxi = {**host_entry(esx(f"esx {name}", cluster=raw), "vc"), "labels": [raw], "models": {raw: {"capable": 1}}}
    made = plugin(
        **(
            {"inventory_name": trusted("name ~ '!'"), "vm_inventory_name": trusted("path ~ cluster")}
            if composed
            else {}
        )
    )
    owners: dict[str, str] = {}
    made._add(vm, {}, owners)
    made._add(esxi, {"vcenter_hostname": "vc"}, owners)
    assert len(owners) == 2
    for inventory_host in owners:
        found = everything(made, inventory_host)
        assert found["inventory_hostname"] == inventory_host
        assert found["directpath_labels"] == [raw]
    assert not ran.exists()


def test_the_attack_works_where_nothing_is_done_about_it(tmp_path: Path) -> None:
    """Else the test above would show nothing. From ansible-core 2.19 on, what an inventory plugin brings is no template."""
    ran = tmp_path / "ran"
    made = plugin()
    name = NAMES["an expression"].replace("{}", str(ran))
    made.inventory.add_host(name)
    everything(made, name)
    assert ran.exists() is (tuple(map(int, __version__.split(".")[:2])) < (2, 19))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("train-01", "train-01"),
        ("web{1}", "web{1}"),
        ("{{ 6 * 7 }}", "(( 6 * 7 ))"),
        ("{% x %}", "(% x %)"),
        ("#1", "_1"),
        ("a\x1b[31m\u202eb\nc", "a\\x1b[31m\\u202eb\\x0ac"),
        ("/Lyon/vm/db", "/Lyon/vm/db"),
    ],
)
def test_a_name_that_could_be_a_template_is_written_otherwise(name: str, shown: str) -> None:
    assert inert(name) == shown
    assert inert(shown) == shown
