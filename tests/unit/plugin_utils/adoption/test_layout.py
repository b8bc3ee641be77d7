# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of an adopted inventory: names that Ansible and file systems take, text that stays text, hosts that are alike together."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.plugin_utils.adoption.layout import (
    SHAPES,
    AdoptedVcenter,
    inventory_files,
)
from ansible_collections.directpath.vsphere.plugins.plugin_utils.adoption.not_adopted import left_lines
from ansible_collections.directpath.vsphere.plugins.plugin_utils.adoption.yaml_text import comment, flow
from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.load import load_intent
from tests.unit.modules.intent_info.adopted import variables
from tests.unit.searching import search

A100 = [{"entry": {"match": "10de:20f1"}, "note": "A100"}]
T4 = [{"entry": {"match": "10de:1eb8", "count": 1}, "note": ""}]


def host(name: str, devices: list[dict[str, Any]], cluster: str | None = "c", **more: Any) -> dict[str, Any]:
    return {"name": name, "moid": f"id-{name}", "cluster": cluster, "devices": devices, "graphics": None, **more}


def vcenter(*hosts: dict[str, Any], address: str = "vc-01", port: int = 443, **more: Any) -> AdoptedVcenter:
    result = {
        "vcenter": address,
        "port": port,
        "hosts": list(hosts),
        "vms": [],
        "not_adopted": [],
        "clusters": {"c": len(hosts)},
    }
    return AdoptedVcenter(result={**result, "summary": "read", **more})


def targets(files: dict[str, str]) -> list[list[tuple[Any, Any]]]:
    """For each vCenter: hosts or clusters, and their devices."""
    found = load_intent(variables(files))
    return [[(one.hosts or one.clusters, list(one.devices)) for one in endpoint.targets] for endpoint in found]


def devices(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one["entry"] for one in entries]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1))
@search()
def test_any_text_stays_what_it_is(text: str) -> None:
    assert DataLoader().load(flow({"name": text, "list": [text]})) == {"name": text, "list": [text]}
    assert len(flow(text).splitlines()) == 1


@pytest.mark.parametrize("text", ["{{ x }}", "{% x %}", "a{#b#}"])
def test_what_looks_like_a_template_is_marked(text: str) -> None:
    assert flow([text]) == f'[!unsafe "{text}"]'


def test_a_header_that_gives_templates_other_signs_is_marked() -> None:
    """Ansible renders such a text without any brace. A setting of a vGPU can have any text."""
    text = "#jinja2:variable_start_string:'[[',variable_end_string:']]'\n[[ 7 * 7 ]]"
    assert (
        flow({"x": text})
        == """{x: !unsafe "#jinja2:variable_start_string:'[[',variable_end_string:']]'\\n[[ 7 * 7 ]]"}"""
    )


def test_a_comment_stays_on_its_line() -> None:
    assert comment("a\nb: c\u2028d\x1b") == "  # a b: c\\u2028d\\x1b"
    assert comment("") == ""


@pytest.mark.parametrize("shape", SHAPES)
def test_hosts_that_are_alike_are_together(shape: str) -> None:
    files = inventory_files([vcenter(host("a", A100), host("b", T4), host("c", A100))], shape)
    assert targets(files) == [[(("a", "c"), devices(A100)), (("b",), devices(T4))]]
    assert sum(text.count("10de:20f1") for text in files.values()) == 1


def test_a_cluster_is_named_only_if_all_its_hosts_are_alike_and_healthy() -> None:
    two = (host("a", A100), host("b", A100))
    assert targets(inventory_files([vcenter(*two)], "vcenter")) == [[(("c",), devices(A100))]]
    for more in ({"clusters": {"c": 3}}, {"not_adopted": [left("id-a")]}):
        assert targets(inventory_files([vcenter(*two, **more)], "vcenter")) == [[(("a", "b"), devices(A100))]]
    alone = vcenter(host("a", A100, None), host("b", A100, None), clusters={})
    assert targets(inventory_files([alone], "vcenter")) == [[(("a", "b"), devices(A100))]]


def left(moid: str, **more: Any) -> dict[str, Any]:
    return {
        "moid": moid,
        "object": "a",
        "subject": "s",
        "device": "",
        "cause": "why",
        "obstacles": [],
        "cure": "fix",
        "command": "",
        **more,
    }


NAMES = [
    "esx-01.lab",
    "/DC/host/c/esx 01",
    "/DC/host/c/esx_01",
    "{{ x }}",
    "all",
    "localhost",
    "a[1:3]",
    "vcenter_vc_01",
    "with_10de_20f1",
    "..",
    "é",
]


@pytest.mark.parametrize("shape", SHAPES)
def test_any_name_of_a_host(shape: str) -> None:
    files = inventory_files([vcenter(*(host(name, A100) for name in NAMES), clusters={})], shape)
    found = {name for names, _devices in targets(files)[0] for name in names}
    assert found == set(NAMES)
    assert len({path.casefold() for path in files}) == len(files)
    hosts = set(variables(files))
    assert not hosts & set(DataLoader().load(files["inventory.yml"])["all"]["children"])


@pytest.mark.parametrize("shape", SHAPES)
def test_several_vcenters(shape: str) -> None:
    several = [
        vcenter(host("esx-01", A100), address="b", clusters={}),
        vcenter(host("esx-01", T4), address="a", port=8443, clusters={}),
        vcenter(host("esx-01", A100), address="a", clusters={}),
    ]
    files = inventory_files(several, shape)
    assert files == inventory_files(several[::-1], shape), "the order of the results does not matter"
    loaded = load_intent(variables(files))
    assert {(one.vcenter, one.port): [list(t.devices) for t in one.targets] for one in loaded} == {
        ("a", 443): [devices(A100)],
        ("a", 8443): [devices(T4)],
        ("b", 443): [devices(A100)],
    }
    assert all(target.hosts == ("esx-01",) for one in loaded for target in one.targets)


@pytest.mark.parametrize("shape", SHAPES)
def test_vms_without_a_host(shape: str) -> None:
    vm = {"names": {"moid": "vm-7"}, "devices": A100, "sriov_networks": [], "options": {}, "notes": ["why so"]}
    files = inventory_files([vcenter(vms=[vm])], shape)
    (loaded,) = load_intent(variables(files))
    assert loaded.vms == ({"moid": "vm-7", "devices": [{"match": "10de:20f1"}]},)
    assert any("# why so; A100" in text for text in files.values())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("hosts", [(), (host("a", []),)])
def test_without_devices_the_intent_is_empty_on_purpose(shape: str, hosts: tuple[dict[str, Any], ...]) -> None:
    files = inventory_files([vcenter(*hosts), vcenter(host("b", A100), address="vc-02")], shape)
    empty, other = load_intent(variables(files))
    assert (empty.vcenter, empty.vms, empty.record()["targets"]) == ("vc-01", (), [])
    assert [one.hosts for one in other.targets] == [("b",)]


@pytest.mark.parametrize("shape", SHAPES)
def test_vms_of_a_vcenter_with_hosts_need_no_empty_list(shape: str) -> None:
    files = inventory_files([vcenter(host("a", A100))], shape)
    assert not any("passthrough_vms" in text for text in files.values())


def test_what_is_left_is_data_on_its_page() -> None:
    one = left("vm-1", object="a|b*", cause="`x`\n# y", command="ansible localhost -m x -a '`'")
    page = inventory_files([vcenter(not_adopted=[one])], "vcenter")["not_adopted.md"]
    assert "- **a\\|b\\***, s: \\`x\\` \\# y. fix. Command: `ansible localhost -m x -a '''`" in page
    lines = left_lines([("vc-01", vcenter(not_adopted=[one] * 60).result)])
    assert (len(lines), lines[-1]) == (52, "And 10 more, in not_adopted.md")
