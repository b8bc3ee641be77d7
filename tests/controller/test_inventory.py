# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin in Ansible's own programs, against vCenters over TLS: found by its name, told by its documentation, cached."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.controller.fleet import Fleet, Programs, fleet, untagged
from tests.unit.ansible_core import encrypted
from tests.unit.inventory.labs import LAB_A, LAB_B, NAME, PASSWORD, PLUGIN

PLAY = """
- hosts: vms_with_devices
  gather_facts: false
  connection: local
  tasks:
    - ansible.builtin.debug: {msg: 'path={{ directpath_path }}'}
"""


@pytest.fixture
def made(tmp_path: Path, programs: Programs) -> Iterator[Fleet]:
    with fleet(tmp_path, programs, a=LAB_A, b=LAB_B) as running:
        yield running


def vars_of(found: dict[str, Any], host: str) -> dict[str, Any]:
    values: dict[str, Any] = found["_meta"]["hostvars"][host]
    return values


def source(made: Fleet) -> Path:
    """Two vCenters; the password encrypted, a port from the environment, the answers kept."""
    hidden = "".join(f"  {line}\n" for line in encrypted(PASSWORD, "k").splitlines())
    first = made.entry("a", port="{{ lookup('ansible.builtin.env', 'PORT_OF_A') }}")
    options = {
        "vcenters": [first, made.entry("b")],
        "vms": True,
        "compose": {"seen": "inventory_hostname ~ ' on ' ~ directpath_host"},
        "cache": True,
        "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": str(made.folder / "cache"),
    }
    lines = [f"{name}: {json.dumps(value)}\n" for name, value in options.items()]
    return made.source(f"{PLUGIN}password: !vault |\n{hidden}" + "".join(lines))


def assert_groups_and_facts(made: Fleet, found: dict[str, Any]) -> None:
    a, b = (f"vcenter_localhost_{made.ports[name]}" for name in ("a", "b"))
    assert found[a]["hosts"] == found["cluster_gpu_a"]["hosts"] == ["esx-01.lab", "esx-02.lab", "esx-03.lab"]
    assert found[b]["hosts"] == found["cluster_gpu_b"]["hosts"] == ["esx-11.lab"]
    assert found["esxi_hosts"]["hosts"] == ["esx-01.lab", "esx-02.lab", "esx-03.lab", "esx-11.lab"]
    assert found["pci_10de_20f1"]["hosts"] == found["label_x1"]["hosts"] == ["esx-01.lab"]
    assert found["pending_reboot"]["hosts"] == found["esxi_6_7_0"]["hosts"] == ["esx-02.lab"]
    assert found["maintenance_mode"]["hosts"] == ["esx-03.lab"]
    assert found["vms_with_devices"]["hosts"] == ["train-01", "(( 6 * 7 ))"]
    facts = vars_of(found, "esx-01.lab")
    assert facts["vcenter_hostname"] == "localhost"
    assert facts["vcenter_port"] == made.ports["a"]
    assert facts["vcenter_ca_path"] == str(made.ca_files["a"])
    assert facts["directpath_models"]["10de:20f1"] == {"capable": 2, "enabled": 2, "active": 2}
    assert facts["directpath_labels"] == ["x1"]
    assert vars_of(found, "train-01")["seen"] == "train-01 on esx-01.lab"


def test_an_inventory_is_read_once_kept_without_secrets_and_read_anew_when_asked(made: Fleet) -> None:
    """Three programs one after another: what the first asks for, the second has from the cache, and the third asks for again."""
    made.module("a", "host_passthrough", hosts=["esx-01.lab"], devices=[{"match": "10de:20f1", "label": "x1"}])
    made.module("a", "host_passthrough", hosts=["esx-02.lab"], devices=[{"match": "10de:1eb8"}])
    for name in ("train-01", "{{ 6 * 7 }}"):
        moid = str(made.sims["a"].find_entity(name).moid)
        made.module("a", "vm_pci_device", vms=[{"moid": moid, "devices": [{"match": "10de:20f1"}]}])
    (made.folder / "key").write_text("k", encoding="utf-8")
    env = {"PORT_OF_A": str(made.ports["a"]), "VMWARE_PASSWORD": ""}
    key = ("--vault-password-file", "key")
    for sim in made.sims.values():
        sim.journal.clear()

    first = made.inventory(source(made), *key, env=env)
    assert_groups_and_facts(made, first)
    reads = {"RetrieveServiceContent": 1, "Login": 1, "CreateContainerView": 2, "RetrievePropertiesEx": 2}
    reads |= {"DestroyView": 2, "Logout": 1}
    assert made.calls("b") == reads, "one bulk read for each kind"
    assert made.calls("a") == {**reads, "RetrievePropertiesEx": 3}, "and one for what the VMs' devices are"

    made.sims["a"].journal.clear()
    wordy = made.run("ansible-inventory", "-vvvv", "-i", str(source(made)), "--list", *key, env=env)
    assert wordy.returncode == 0, wordy.stderr
    assert untagged(json.loads(wordy.stdout[wordy.stdout.index("\n{") :])) == first
    assert made.calls("a") == {}
    kept = "".join(path.read_text(encoding="utf-8") for path in (made.folder / "cache").iterdir())
    assert "esx-01.lab" in kept
    for text in (kept, wordy.stdout, wordy.stderr):
        assert PASSWORD not in text
        assert "administrator" not in text

    play = made.source(PLAY, "play.yml")
    done = made.run("ansible-playbook", "-i", str(source(made)), str(play), "--flush-cache", *key, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert made.calls("a")["Login"] == 1
    assert "path=DC/vm/{{ 6 * 7 }}" in done.stdout, "whoever may name a VM must not be able to run a lookup here"
    assert "path=DC/vm/42" not in done.stdout


def test_a_source_that_cannot_be_read_leaves_nothing_of_itself_and_says_why(made: Fleet) -> None:
    made.sims["b"].go_offline()
    sources = {
        "pci_hosts.yml": json.dumps({"plugin": NAME, "vcenters": [made.entry("a"), made.entry("b")]}),
        "wrong.pci_hosts.yml": f"{PLUGIN}on_eror: warn\n",
        "hosts.yml": f"{PLUGIN}hostname: localhost\n",  # by its name, nothing for this plugin
    }
    given = [word for name, text in sources.items() for word in ("-i", str(made.source(text, name)))]
    done = made.run("ansible-inventory", *given, "--list")
    said = " ".join(done.stderr.split())
    assert "on_error: warn" in said
    assert f"localhost:{made.ports['b']}" in said.replace(" ", "")
    assert "no option on_eror (on_error is meant?)" in said
    assert "Traceback" not in said
    assert "esx-01.lab" not in done.stdout, "no half of a fleet"
    assert "esxi_hosts" not in done.stdout
    strict = {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"}
    assert made.run("ansible-inventory", *given[:2], "--list", env=strict).returncode != 0
