# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin under Ansible's inventory manager: groups, facts, names, several vCenters, the cache, wrong options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.template import Templar
from ansible.vars.manager import VariableManager

from tests.unit.ansible_core import controller, encrypted, trust_as_template, vault_password
from tests.unit.inventory.labs import ACCOUNT, LAB_A, LAB_B, NAME, PASSWORD, PLUGIN, lab
from tests.unit.inventory.vcenters import Found, VCenters, entry

A, B = "vc-a.lab", "vc-b.lab:8443"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The account, as users give it, and nothing else of their environment."""
    for name in ("HOST", "PORT", "VALIDATE_CERTS", "CA_PATH", "PROXY_HOST", "PROXY_PORT"):
        monkeypatch.delenv(f"VMWARE_{name}", raising=False)
    monkeypatch.setenv("VMWARE_USER", ACCOUNT)
    monkeypatch.setenv("VMWARE_PASSWORD", PASSWORD)


@pytest.fixture
def made(tmp_path: Path) -> VCenters:
    running = VCenters(folder=tmp_path)
    for address, description in ((A, LAB_A), (B, LAB_B)):
        running.add(address, description)
    return running


def test_groups_and_facts_of_two_vcenters(made: VCenters) -> None:
    made.module(A, "host_passthrough", hosts=["esx-01.lab"], devices=[{"match": "10de:20f1", "label": "x1"}])
    made.module(A, "host_passthrough", hosts=["esx-02.lab"], devices=[{"match": "10de:1eb8"}])
    for sim in made.sims.values():
        sim.journal.clear()
    found = made.inventory(made.source(json.dumps({"plugin": NAME, "vcenters": [A, entry(B, ca_path="/etc/b.pem")]})))
    assert found.hosts("vcenter_vc_a_lab") == found.hosts("cluster_gpu_a") == ["esx-01.lab", "esx-02.lab", "esx-03.lab"]
    assert found.hosts("vcenter_vc_b_lab_8443") == found.hosts("cluster_gpu_b") == ["esx-11.lab"]
    assert found.hosts("esxi_hosts") == ["esx-01.lab", "esx-02.lab", "esx-03.lab", "esx-11.lab"]
    assert found.hosts("pci_10de_20f1") == found.hosts("label_x1") == ["esx-01.lab"]
    assert found.hosts("pending_reboot") == found.hosts("esxi_6_7_0") == ["esx-02.lab"]
    assert found.hosts("maintenance_mode") == ["esx-03.lab"]
    facts = found.variables("esx-01.lab")
    assert (facts["vcenter_hostname"], facts["vcenter_port"]) == ("vc-a.lab", 443)
    assert "vcenter_ca_path" not in facts
    other = found.variables("esx-11.lab")
    assert (other["vcenter_hostname"], other["vcenter_port"]) == ("vc-b.lab", 8443)
    assert other["vcenter_ca_path"] == "/etc/b.pem"
    assert facts["directpath_models"]["10de:20f1"] == {"capable": 2, "enabled": 2, "active": 2}
    assert facts["directpath_labels"] == ["x1"]
    assert "directpath_devices" not in facts, "small by default"
    assert len(json.dumps(facts)) < 1500
    reads = {"RetrieveServiceContent": 1, "Login": 1, "CreateContainerView": 1, "RetrievePropertiesEx": 1}
    reads |= {"DestroyView": 1, "Logout": 1}
    assert made.calls(A) == made.calls(B) == reads, "one bulk read each"


def test_graph_shows_the_hosts_under_their_groups(made: VCenters) -> None:
    found = made.inventory(made.config(A, group_by=["cluster"]))
    tree = found.inventory.groups["all"]
    hosts = ["esx-01.lab", "esx-02.lab", "esx-03.lab"]
    assert [(group.name, [host.name for host in group.hosts]) for group in tree.child_groups] == [
        ("ungrouped", []),
        ("esxi_hosts", hosts),
        ("cluster_gpu_a", hosts),
    ]
    assert [group.child_groups for group in tree.child_groups] == [[], [], []]


def with_vms(made: VCenters) -> Found:
    """An inventory with two VMs that were given a device each."""
    for name in ("train-01", "{{ 6 * 7 }}"):
        moid = str(made.sims[A].find_entity(name).moid)
        made.module(A, "vm_pci_device", vms=[{"moid": moid, "devices": [{"match": "10de:20f1"}]}])
    return made.inventory(made.config(A, vms=True, compose={"seen": "inventory_hostname ~ ' on ' ~ directpath_host"}))


def test_vms_that_hold_devices(made: VCenters) -> None:
    found = with_vms(made)
    assert sorted(found.hosts("vms_with_devices")) == ["(( 6 * 7 ))", "train-01"]
    facts = found.variables("train-01")
    assert (facts["directpath_type"], facts["directpath_host"], facts["seen"]) == (
        "vm",
        "esx-01.lab",
        "train-01 on esx-01.lab",
    )
    assert facts["directpath_models"] == {"10de:20f1": 1}
    assert not [name for name in facts if name.startswith("vcenter_")], "no playbook takes a VM for a host"
    assert sorted(found.hosts("vms_pci_10de_20f1")) == ["(( 6 * 7 ))", "train-01"]
    assert found.hosts("pci_10de_20f1") == ["esx-01.lab"], "variables of hosts must not reach their VMs"
    assert "web-01" not in found.hosts()


def test_names_in_vsphere_are_no_templates(made: VCenters) -> None:
    """Whoever may name a VM must not be able to run a lookup on the control node."""
    found = with_vms(made)
    host = found.inventory.get_host("(( 6 * 7 ))")
    known = VariableManager(loader=found.loader, inventory=found.inventory).get_vars(host=host)
    with controller():
        said = Templar(loader=found.loader, variables=known).template(trust_as_template("path={{ directpath_path }}"))
        meant = Templar(loader=found.loader, variables=known).template(trust_as_template("{{ 6 * 7 }}"))
    assert str(said) == "path=DC/vm/{{ 6 * 7 }}"
    assert str(meant) == "42", "what is a template of the playbook's own is filled in"


def test_every_device_when_asked_for(made: VCenters) -> None:
    devices = made.inventory(made.config(A, devices=True)).variables("esx-01.lab")["directpath_devices"]
    cards = [device for device in devices if device["ids"] == "10de:20f1"]
    assert [card["state"] for card in cards] == ["active", "active"]
    assert cards[0]["name"]


def test_own_variables_and_groups(made: VCenters) -> None:
    source = made.config(
        A,
        strict=True,
        group_by=[],
        compose={"cards": "(directpath_models['10de:20f1'] | default({})).active | default(0)"},
        groups={"gpu_ready": "directpath_models['10de:20f1'] is defined"},
        keyed_groups=[{"key": "directpath_version", "prefix": "release"}],
    )
    found = made.inventory(source)
    assert found.groups == {"esxi_hosts", "gpu_ready", "release_8_0_3", "release_6_7_0"}
    assert found.hosts("gpu_ready") == ["esx-01.lab"]
    # Releases before 2.19 compose text, whatever the expression gives.
    assert [str(found.variables(host)["cards"]) for host in ("esx-01.lab", "esx-02.lab")] == ["2", "0"]


def test_which_devices_make_a_group(made: VCenters) -> None:
    capable = made.inventory(made.config(A, group_by=["device"]))
    active = made.inventory(made.config(A, group_by=["device"], group_devices="active"))
    assert "pci_10de_1eb8" in capable.groups
    assert [group for group in active.groups if group.startswith("pci_")] == ["pci_10de_20f1"]


class TestSeveral:
    def test_one_down_fails_the_source(self, made: VCenters) -> None:
        made.sims[B].go_offline()
        found = made.read(made.config(A, B))
        assert "on_error: warn" in found.warnings
        assert "vc-b.lab:8443" in found.warnings
        assert (found.hosts(), found.groups) == ([], set()), "no half of a fleet"
        with pytest.raises(AnsibleError, match="Completely failed to parse inventory source"):
            made.read(made.config(A, B), strict=True)

    def test_one_down_is_a_warning_when_asked(self, made: VCenters) -> None:
        made.sims[B].go_offline()
        found = made.read(made.config(A, B, on_error="warn"), strict=True)
        assert found.hosts("esxi_hosts") == ["esx-01.lab", "esx-02.lab", "esx-03.lab"]
        assert "The inventory is incomplete. vc-b.lab:8443" in found.warnings

    def test_hosts_of_one_name_need_another(self, tmp_path: Path) -> None:
        twin = {"name": "esx-01.lab", "cards": ["nvme-data"]}
        made = VCenters(folder=tmp_path)
        made.add(A, lab("a", twin))
        made.add(B, lab("b", twin))
        assert "Two inventory hosts would have the name esx-01.lab" in made.read(made.config(A, B)).warnings
        found = made.inventory(made.config(A, B, inventory_name="name ~ '@' ~ cluster[-1]"))
        assert found.hosts("esxi_hosts") == ["esx-01.lab@a", "esx-01.lab@b"]
        assert found.variables("esx-01.lab@b")["passthrough_host_name"] == "esx-01.lab"

    def test_entries_take_what_they_leave_out_from_the_options(
        self, made: VCenters, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        names = {"password": "SECRET_OF_B", "port": "PORT_OF_B"}
        templates = {key: f"{{{{ lookup('env', '{name}') }}}}" for key, name in names.items()}
        listed = [{"hostname": "vc-b.lab", **templates}]
        source = made.source(json.dumps({"plugin": NAME, "ca_path": "/etc/all.pem", "vcenters": listed}))
        for name, value in {"VMWARE_PASSWORD": "wrong", "SECRET_OF_B": PASSWORD, "PORT_OF_B": "8443"}.items():
            monkeypatch.setenv(name, value)
        found = made.inventory(source)
        assert found.hosts("cluster_gpu_b") == ["esx-11.lab"]
        assert found.variables("esx-11.lab")["vcenter_ca_path"] == "/etc/all.pem"

    @pytest.mark.parametrize("said", [False, "no", "{{ 1 == 2 }}"], ids=["false", "text", "template"])
    def test_an_entry_that_says_no_is_heard(self, made: VCenters, said: Any) -> None:
        listed = [A, entry(B, validate_certs=said)]
        found = made.inventory(made.source(json.dumps({"plugin": NAME, "vcenters": listed})))
        assert found.variables("esx-11.lab")["vcenter_validate_certs"] is False
        assert "vcenter_validate_certs" not in found.variables("esx-01.lab")

    def test_an_encrypted_password(self, made: VCenters, monkeypatch: pytest.MonkeyPatch) -> None:
        lines = "".join(f"  {line}\n" for line in encrypted(PASSWORD, "k").splitlines())
        text = f"{PLUGIN}hostname: {A}\npassword: !vault |\n{lines}"
        monkeypatch.setenv("VMWARE_PASSWORD", "")
        with vault_password("k") as loader:
            found = made.inventory(made.source(text), loader=loader)
        assert found.hosts("cluster_gpu_a")[0] == "esx-01.lab"


class TestCache:
    def cached(self, made: VCenters, *addresses: str, **more: Any) -> Path:
        folder = str(made.folder / "cache")
        return made.config(*addresses, cache=True, cache_plugin="jsonfile", cache_connection=folder, **more)

    def test_the_second_run_asks_nobody(self, made: VCenters) -> None:
        first = made.inventory(self.cached(made, A, B, vms=True))
        for sim in made.sims.values():
            sim.journal.clear()
        second = made.inventory(self.cached(made, A, B, vms=True))
        assert second.inventory.get_groups_dict() == first.inventory.get_groups_dict()
        assert {host: second.variables(host) for host in second.hosts()} == {
            host: first.variables(host) for host in first.hosts()
        }
        assert made.calls(A) == made.calls(B) == {}
        assert list((made.folder / "cache").iterdir())

    def test_refresh_asks_again(self, made: VCenters) -> None:
        made.inventory(self.cached(made, A))
        made.sims[A].journal.clear()
        assert "esx-01.lab" in made.inventory(self.cached(made, A), cache=False).hosts()
        assert made.calls(A)["Login"] == 1

    def test_another_question_is_another_answer(self, made: VCenters) -> None:
        plain = made.inventory(self.cached(made, A)).variables("esx-01.lab")
        asked = made.inventory(self.cached(made, A, devices=True)).variables("esx-01.lab")
        assert "directpath_devices" not in plain
        assert "directpath_devices" in asked

    def test_what_was_missing_is_asked_again_and_the_rest_is_not(self, made: VCenters) -> None:
        made.sims[B].go_offline()
        assert "incomplete" in made.read(self.cached(made, A, B, on_error="warn")).warnings
        made.sims[B].go_online()
        made.sims[A].journal.clear()
        found = made.inventory(self.cached(made, A, B, on_error="warn"))
        assert found.hosts("esxi_hosts") == ["esx-01.lab", "esx-02.lab", "esx-03.lab", "esx-11.lab"]
        assert made.calls(A) == {}

    def test_no_secret_in_cache_or_output(self, made: VCenters) -> None:
        found = made.inventory(self.cached(made, A, password=PASSWORD))
        kept = "".join(path.read_text(encoding="utf-8") for path in (made.folder / "cache").iterdir())
        shown = json.dumps({host: found.variables(host) for host in found.hosts()})
        for text in (kept, shown):
            assert "esx-01.lab" in text
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
    made = VCenters(folder=tmp_path)
    found = made.read(made.source(PLUGIN + ("" if text == "{}\n" else text)))
    assert says in found.warnings
    assert "Traceback" not in found.warnings
    assert found.hosts() == []


def test_another_file_is_not_ours(made: VCenters) -> None:
    text = f"{PLUGIN}hostname: {A}\n"
    assert made.read(made.source(text, "hosts.yml")).groups == set()
    assert "esxi_hosts" in made.inventory(made.source(text, "my_pci_hosts.yaml")).groups, "by its name alone"
