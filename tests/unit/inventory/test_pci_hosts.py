# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin, run by the real ansible-inventory against simulated vCenters over TLS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.inventory.fleet import PASSWORD, PLUGIN, Fleet, fleet, lab

GPU = {"card": "a100", "count": 2, "enabled": True}
WAITING = {"name": "esx-02.lab", "version": "6.7.0", "cards": ["t4", "nvme-data"]}
LABS = {
    "a": lab(
        "a",
        {"name": "esx-01.lab", "cards": [GPU, "nvme-data"]},
        WAITING,
        {"name": "esx-03.lab", "cards": ["nvme-data"], "maintenance": True},
        vms=[
            {"name": "train-01", "host": "esx-01", "memory_gb": 16, "version": 20},
            {"name": "web-01", "host": "esx-01"},
            {"name": "{{ 6 * 7 }}", "host": "esx-01", "memory_gb": 16, "version": 20},
        ],
    ),
    "b": lab("b", {"name": "esx-11.lab", "cards": ["nvme-data"]}),
}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Fleet]:
    with fleet(tmp_path, **LABS) as running:
        yield running


def vars_of(found: dict[str, Any], host: str) -> dict[str, Any]:
    values: dict[str, Any] = found["_meta"]["hostvars"][host]
    return values


def module(made: Fleet, vcenter: str, name: str, **options: Any) -> None:
    """Change something through a module, as a user does."""
    done = made.run(
        "ansible", "localhost", "-m", f"directpath.vsphere.{name}", "-a",
        json.dumps({**made.entry(vcenter), **options}), "-e", "ansible_python_interpreter={{ ansible_playbook_python }}",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_groups_and_facts_of_two_vcenters(made: Fleet) -> None:
    module(made, "a", "host_passthrough", hosts=["esx-01.lab"], devices=[{"match": "10de:20f1", "label": "x1"}])
    module(made, "a", "host_passthrough", hosts=["esx-02.lab"], devices=[{"match": "10de:1eb8"}])
    for sim in made.sims.values():
        sim.journal.clear()
    found = made.inventory(made.config("a", "b"))
    a, b = (f"vcenter_localhost_{made.ports[name]}" for name in ("a", "b"))
    assert found[a]["hosts"] == found["cluster_gpu_a"]["hosts"] == ["esx-01.lab", "esx-02.lab", "esx-03.lab"]
    assert found[b]["hosts"] == found["cluster_gpu_b"]["hosts"] == ["esx-11.lab"]
    assert found["esxi_hosts"]["hosts"] == ["esx-01.lab", "esx-02.lab", "esx-03.lab", "esx-11.lab"]
    assert found["pci_10de_20f1"]["hosts"] == found["label_x1"]["hosts"] == ["esx-01.lab"]
    assert found["pending_reboot"]["hosts"] == found["esxi_6_7_0"]["hosts"] == ["esx-02.lab"]
    assert found["maintenance_mode"]["hosts"] == ["esx-03.lab"]
    facts = vars_of(found, "esx-01.lab")
    assert facts["vcenter_hostname"] == "localhost"
    assert facts["vcenter_port"] == made.ports["a"]
    assert facts["vcenter_ca_path"] == str(made.ca_files["a"])
    assert facts["directpath_models"]["10de:20f1"] == {"capable": 2, "enabled": 2, "active": 2}
    assert facts["directpath_labels"] == ["x1"]
    assert "directpath_devices" not in facts, "small by default"
    assert len(json.dumps(facts)) < 1500
    reads = {"RetrieveServiceContent": 1, "Login": 1, "CreateContainerView": 1, "RetrievePropertiesEx": 1}
    reads |= {"DestroyView": 1, "Logout": 1}
    assert made.calls("a") == made.calls("b") == reads, "one bulk read each"


def test_graph_shows_the_hosts_under_their_groups(made: Fleet) -> None:
    done = made.run("ansible-inventory", "-i", str(made.config("a", group_by=["cluster"])), "--graph")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.strip(" |-@:") for line in lines] == [
        "all", "ungrouped",
        "esxi_hosts", "esx-01.lab", "esx-02.lab", "esx-03.lab",
        "cluster_gpu_a", "esx-01.lab", "esx-02.lab", "esx-03.lab",
    ]  # fmt: skip


def test_vms_that_hold_devices(made: Fleet) -> None:
    for name in ("train-01", "{{ 6 * 7 }}"):
        done = made.run(
            "ansible", "localhost", "-m", "directpath.vsphere.vm_pci_device", "-a",
            json.dumps({**made.entry("a"), "vms": [{"moid": vm_id(made, name), "devices": [{"match": "10de:20f1"}]}]}),
            "-e", "ansible_python_interpreter={{ ansible_playbook_python }}",
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    found = made.inventory(
        made.config("a", vms=True, compose={"seen": "inventory_hostname ~ ' on ' ~ directpath_host"})
    )
    assert found["vms_with_devices"]["hosts"] == ["train-01", "{{ 6 * 7 }}"]
    facts = vars_of(found, "train-01")
    assert (facts["directpath_type"], facts["directpath_host"], facts["seen"]) == (
        "vm",
        "esx-01.lab",
        "train-01 on esx-01.lab",
    )
    assert facts["directpath_models"] == {"10de:20f1": 1}
    assert found["vms_pci_10de_20f1"]["hosts"] == ["train-01", "{{ 6 * 7 }}"]
    assert found["pci_10de_20f1"]["hosts"] == ["esx-01.lab"], "variables of hosts must not reach their VMs"
    assert "web-01" not in found["_meta"]["hostvars"]


def test_names_in_vsphere_are_no_templates(made: Fleet) -> None:
    """Whoever may name a VM must not be able to run a lookup on the control node."""
    test_vms_that_hold_devices(made)
    play = made.folder / "play.yml"
    play.write_text(
        "- hosts: vms_with_devices\n  gather_facts: false\n  connection: local\n  tasks:\n"
        "    - ansible.builtin.debug: {msg: 'path={{ directpath_path }}'}\n",
        encoding="utf-8",
    )
    done = made.run("ansible-playbook", "-i", str(made.folder / "pci_hosts.yml"), str(play))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "path=DC/vm/{{ 6 * 7 }}" in done.stdout
    assert "path=DC/vm/42" not in done.stdout


def vm_id(made: Fleet, name: str) -> str:
    return str(made.sims["a"].find_entity(name).moid)


def test_every_device_when_asked_for(made: Fleet) -> None:
    devices = vars_of(made.inventory(made.config("a", devices=True)), "esx-01.lab")["directpath_devices"]
    cards = [device for device in devices if device["ids"] == "10de:20f1"]
    assert [card["state"] for card in cards] == ["active", "active"]
    assert cards[0]["name"]


def test_own_variables_and_groups(made: Fleet) -> None:
    source = made.config(
        "a",
        strict=True,
        group_by=[],
        compose={"cards": "(directpath_models['10de:20f1'] | default({})).active | default(0)"},
        groups={"gpu_ready": "directpath_models['10de:20f1'] is defined"},
        keyed_groups=[{"key": "directpath_version", "prefix": "release"}],
    )
    found = made.inventory(source)
    assert set(found) - {"_meta", "all"} == {"esxi_hosts", "gpu_ready", "release_8_0_3", "release_6_7_0"}
    assert found["gpu_ready"]["hosts"] == ["esx-01.lab"]
    # Releases before 2.19 compose text, whatever the expression gives.
    assert [str(vars_of(found, host)["cards"]) for host in ("esx-01.lab", "esx-02.lab")] == ["2", "0"]


def test_which_devices_make_a_group(made: Fleet) -> None:
    capable = made.inventory(made.config("a", group_by=["device"]))
    active = made.inventory(made.config("a", group_by=["device"], group_devices="active"))
    assert "pci_10de_1eb8" in capable
    assert [group for group in active if group.startswith("pci_")] == ["pci_10de_20f1"]


class TestSeveral:
    def test_one_down_fails_the_source(self, made: Fleet) -> None:
        made.sims["b"].go_offline()
        done = made.run("ansible-inventory", "-i", str(made.config("a", "b")), "--list")
        said = " ".join(done.stderr.split())
        assert "on_error: warn" in said
        assert f"localhost:{made.ports['b']}" in said.replace(" ", "")
        assert "esx-01.lab" not in done.stdout, "no half of a fleet"
        strict = {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"}
        assert made.run("ansible-inventory", "-i", str(made.config("a", "b")), "--list", env=strict).returncode != 0

    def test_one_down_is_a_warning_when_asked(self, made: Fleet) -> None:
        made.sims["b"].go_offline()
        done = made.run("ansible-inventory", "-i", str(made.config("a", "b", on_error="warn")), "--list")
        assert done.returncode == 0
        assert json.loads(done.stdout)["esxi_hosts"]["hosts"] == ["esx-01.lab", "esx-02.lab", "esx-03.lab"]
        assert "The inventory is incomplete" in " ".join(done.stderr.split())

    def test_hosts_of_one_name_need_another(self, tmp_path: Path) -> None:
        twin = {"name": "esx-01.lab", "cards": ["nvme-data"]}
        with fleet(tmp_path, a=lab("a", twin), b=lab("b", twin)) as made:
            done = made.run("ansible-inventory", "-i", str(made.config("a", "b")), "--list")
            assert "Two would be called esx-01.lab in the inventory" in " ".join(done.stderr.split())
            found = made.inventory(made.config("a", "b", inventory_name="name ~ '@' ~ cluster[-1]"))
            assert found["esxi_hosts"]["hosts"] == ["esx-01.lab@a", "esx-01.lab@b"]
            assert vars_of(found, "esx-01.lab@b")["passthrough_host_name"] == "esx-01.lab"

    def test_entries_take_what_they_leave_out_from_the_options(self, made: Fleet) -> None:
        body = {"plugin": "directpath.vsphere.pci_hosts", "ca_path": str(made.ca_files["a"])}
        names = {"password": "SECRET_OF_A", "port": "PORT_OF_A"}
        entry = {key: f"{{{{ lookup('ansible.builtin.env', '{name}') }}}}" for key, name in names.items()}
        source = made.source(json.dumps({**body, "vcenters": [{"hostname": "localhost", **entry}]}))
        env = {"VMWARE_PASSWORD": "wrong", "SECRET_OF_A": PASSWORD, "PORT_OF_A": str(made.ports["a"])}
        assert made.inventory(source, env=env)["cluster_gpu_a"]["hosts"][0] == "esx-01.lab"

    def test_an_encrypted_password(self, made: Fleet) -> None:
        (made.folder / "key").write_text("k", encoding="utf-8")
        hidden = made.run(
            "ansible-vault", "encrypt_string", "--vault-password-file", "key", PASSWORD, "--name", "password"
        )
        assert hidden.returncode == 0, hidden.stderr
        text = f"{PLUGIN}hostname: localhost\nport: {made.ports['a']}\nca_path: {made.ca_files['a']}\n{hidden.stdout}"
        env = {"VMWARE_PASSWORD": "", "ANSIBLE_VAULT_PASSWORD_FILE": "key"}
        assert made.inventory(made.source(text), env=env)["cluster_gpu_a"]["hosts"][0] == "esx-01.lab"


class TestCache:
    def cached(self, made: Fleet, *names: str, **more: Any) -> Path:
        folder = str(made.folder / "cache")
        options = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": folder, **more}
        return made.config(*names, **options)

    def test_the_second_run_asks_nobody(self, made: Fleet) -> None:
        first = made.inventory(self.cached(made, "a", "b", vms=True))
        made.sims["a"].journal.clear()
        second = made.inventory(self.cached(made, "a", "b", vms=True))
        assert second == first
        assert made.calls("a") == {}
        assert list((made.folder / "cache").iterdir())

    def test_refresh_asks_again(self, made: Fleet) -> None:
        made.inventory(self.cached(made, "a"))
        made.sims["a"].journal.clear()
        play = made.source("- hosts: all\n  gather_facts: false\n", "play.yml")
        done = made.run(
            "ansible-playbook", "-i", str(self.cached(made, "a")), str(play), "--list-hosts", "--flush-cache"
        )
        assert done.returncode == 0
        assert "esx-01.lab" in done.stdout
        assert made.calls("a")["Login"] == 1

    def test_another_question_is_another_answer(self, made: Fleet) -> None:
        assert "directpath_devices" not in vars_of(made.inventory(self.cached(made, "a")), "esx-01.lab")
        assert "directpath_devices" in vars_of(made.inventory(self.cached(made, "a", devices=True)), "esx-01.lab")

    def test_what_was_missing_is_asked_again_and_the_rest_is_not(self, made: Fleet) -> None:
        made.sims["b"].go_offline()
        done = made.run("ansible-inventory", "-i", str(self.cached(made, "a", "b", on_error="warn")), "--list")
        assert done.returncode == 0
        made.sims["b"].go_online()
        made.sims["a"].journal.clear()
        found = made.inventory(self.cached(made, "a", "b", on_error="warn"))
        assert found["esxi_hosts"]["hosts"] == ["esx-01.lab", "esx-02.lab", "esx-03.lab", "esx-11.lab"]
        assert made.calls("a") == {}

    def test_no_secret_in_cache_or_output(self, made: Fleet) -> None:
        done = made.run("ansible-inventory", "-vvvv", "-i", str(self.cached(made, "a", password=PASSWORD)), "--list")
        assert done.returncode == 0
        kept = "".join(path.read_text(encoding="utf-8") for path in (made.folder / "cache").iterdir())
        assert "esx-01.lab" in kept
        for text in (kept, done.stdout, done.stderr):
            assert PASSWORD not in text
            assert "administrator" not in text


WRONG = [
    ("on_eror: warn\n", "no option on_eror (on_error is meant?)"),
    ("vcenters: [{hostname: a, pasword: x}]\n", "vcenters[0] has the unknown key pasword (password is meant?)"),
    ("vcenters: [{port: 1}]\n", "vcenters[0] has no hostname"),
    ("vcenters: [{hostname: a, port: https}]\n", "vcenters[0].port is 'https', but must be a port"),
    ("vcenters: [{hostname: a, validate_certs: maybe}]\n", "vcenters[0].validate_certs is 'maybe'"),
    ("vcenters: [{hostname: [a]}]\n", "vcenters[0].hostname is ['a'], but must be text"),
    ("vcenters: [7]\n", "vcenters[0] is 7, but must be a name or a mapping"),
    ("vcenters: [a, {hostname: A}]\n", "vcenters names A twice"),
    ("{}\n", "hostname is not given"),
    ("hostname: localhost\nport: 1\n", "localhost:1"),
    ("on_error: never\n", "never"),
    ("hostname: localhost\nproxy_host: p\n", "proxy_port"),
]


@pytest.mark.parametrize(("text", "says"), WRONG, ids=[row[1][:25] for row in WRONG])
def test_wrong_options_are_told(tmp_path: Path, text: str, says: str) -> None:
    with fleet(tmp_path) as made:
        source = made.source(PLUGIN + ("" if text == "{}\n" else text))
        done = made.run("ansible-inventory", "-i", str(source), "--list")
        assert says in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr


def test_another_file_is_not_ours(tmp_path: Path) -> None:
    with fleet(tmp_path) as made:
        done = made.run("ansible-inventory", "-i", str(made.source(PLUGIN, "hosts.yml")), "--list")
        assert "esxi_hosts" not in done.stdout
