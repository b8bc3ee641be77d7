# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an inventory means: both shapes, --limit, and every way of writing it wrongly."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.load import EndpointIntent, load_intent
from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.source_location import PlacedError, route

GPU = {"match": "10de:20f1", "label": "a100"}
NVME = {"match": {"class_id": "0108", "name": "*P5800X*"}, "count": 2}
TRAIN = {"name": "train-01", "devices": [{"match": "10de:20f1", "count": 2}], "power": "on"}


def one(hosts: dict[str, dict[str, Any]], **options: Any) -> EndpointIntent:
    (endpoint,) = load_intent(hosts, **options)
    return endpoint


def test_vcenter_shape() -> None:
    found = one({"vc-a": {"passthrough_hosts": [{"cluster": "gpu-a", "devices": [GPU]}], "passthrough_vms": [TRAIN]}})
    record = found.record()
    assert (found.leader, found.vcenter, found.port) == ("vc-a", "vc-a", 443)
    assert record["targets"] == [{"cluster": ["gpu-a"], "devices": [GPU]}]
    assert record["host_targets"] == [{"cluster": ["gpu-a"]}]
    assert record["vms"] == [TRAIN]
    assert record["vm_names"] == ["train-01"]
    assert record["only_on_hosts"] == []


def test_esxi_shape_has_one_leader_and_groups_equal_wishes() -> None:
    group = {"vcenter_hostname": "VC.lab", "passthrough_devices": [GPU], "passthrough_vms": [TRAIN]}
    found = one({"esx-01": group, "esx-02": dict(group), "esx-03": {**group, "passthrough_devices": [NVME]}})
    assert found.leader == "esx-01"
    assert found.vcenter == "vc.lab"
    assert found.inventory_hosts == ("esx-01", "esx-02", "esx-03")
    assert found.record()["targets"] == [
        {"hosts": ["esx-01", "esx-02"], "devices": [GPU]},
        {"hosts": ["esx-03"], "devices": [NVME]},
    ]
    assert found.record()["vms"] == [TRAIN], "an entry of group_vars reaches every member and is still one VM"


@pytest.mark.parametrize(
    ("play", "elsewhere", "mode"),
    [
        ({"vc-a": {"passthrough_vms": [TRAIN]}}, {}, "warn"),
        ({"vc-a": {"passthrough_vms": [TRAIN]}}, {"db-01": {"ansible_user": "me"}}, "warn"),
        ({"vc-a": {"passthrough_vms": [TRAIN]}}, {"a": {"vcenter_hostname": "VC-A", "passthrough_devices": []}}, "warn"),
        ({"a": {"passthrough_devices": [GPU]}}, {"b": {"passthrough_devices": [GPU]}}, "warn"),
        ({"vc-a": {"passthrough_vms": [TRAIN]}, "vc-b": {"passthrough_vms": [TRAIN]}}, {}, "only_if_refused"),
        ({"vc-a": {"passthrough_vms": [TRAIN]}}, {"vc-b": {"passthrough_hosts": []}}, "only_if_refused"),
        ({"vc-a": {"passthrough_vms": [TRAIN]}}, {"b": {"vcenter_hostname": "vc-b", "passthrough_devices": []}}, "only_if_refused"),
    ],
)  # fmt: skip
def test_one_list_of_names_may_be_for_all_vcenters_of_the_inventory(
    play: dict[str, dict[str, Any]], elsewhere: dict[str, dict[str, Any]], mode: str
) -> None:
    """Also for those that ``--limit`` leaves out."""
    found = load_intent(play, elsewhere=elsewhere, default_vcenter="vc-default")
    assert {endpoint.record()["unknown_names"] for endpoint in found} == {mode}


def test_name_in_vsphere_may_differ_from_the_inventory_name() -> None:
    found = one({"a": {"vcenter_hostname": "vc", "passthrough_devices": [GPU], "passthrough_host_name": "esx-a.lab"}})
    assert found.record()["host_names"] == ["esx-a.lab"]


def test_an_empty_list_opts_a_host_out() -> None:
    base = {"vcenter_hostname": "vc"}
    found = one({"a": {**base, "passthrough_devices": []}, "b": {**base, "passthrough_devices": [GPU]}})
    assert found.record()["targets"] == [{"hosts": ["b"], "devices": [GPU]}]
    assert found.leader == "a", "it still belongs to the vCenter"


def test_hosts_without_wishes_are_passed_over() -> None:
    found = one({"guest": {"vcenter_hostname": "vc"}, "vc": {"passthrough_vms": [TRAIN]}})
    assert found.inventory_hosts == ("vc",)


def test_both_shapes_meet_at_the_same_vcenter() -> None:
    found = one(
        {
            "esx-01": {"vcenter_hostname": "vc-a", "passthrough_devices": [NVME]},
            "vc-a": {"passthrough_hosts": [{"cluster": "gpu-a", "devices": [GPU]}], "passthrough_vms": [TRAIN]},
        }
    )
    assert found.leader == "esx-01"
    assert found.record()["targets"] == [
        {"cluster": ["gpu-a"], "devices": [GPU]},
        {"hosts": ["esx-01"], "devices": [NVME]},
    ]


def test_several_vcenters_and_ports_are_apart() -> None:
    desired = {"passthrough_devices": [GPU]}
    found = load_intent(
        {
            "a1": {**desired, "vcenter_hostname": "vc-a"},
            "b1": {**desired, "vcenter_hostname": "vc-b"},
            "a2": {**desired, "vcenter_hostname": "VC-A", "vcenter_port": "443"},
            "a3": {**desired, "vcenter_hostname": "vc-a", "vcenter_port": 8989},
        }
    )
    assert [(e.leader, e.vcenter, e.port, e.inventory_hosts) for e in found] == [
        ("a1", "vc-a", 443, ("a1", "a2")),
        ("b1", "vc-b", 443, ("b1",)),
        ("a3", "vc-a", 8989, ("a3",)),
    ]


class TestLimit:
    group = {"vcenter_hostname": "vc", "passthrough_devices": [GPU], "passthrough_vms": [TRAIN]}  # noqa: RUF012

    def test_vms_of_esxi_hosts_are_bound_to_the_hosts_of_the_play(self) -> None:
        found = one({"esx-02": self.group}, elsewhere={"esx-01": self.group})
        assert found.record()["only_on_hosts"] == ["esx-02"]
        assert found.record()["vms"] == [TRAIN]

    def test_hosts_of_another_vcenter_do_not_count(self) -> None:
        found = one({"esx-02": self.group}, elsewhere={"other": {**self.group, "vcenter_hostname": "vc-b"}})
        assert found.only_on_hosts == ()

    def test_vms_on_the_vcenter_itself_are_not_bound(self) -> None:
        hosts = {
            "vc": {"passthrough_vms": [TRAIN]},
            "esx-02": {k: v for k, v in self.group.items() if k != "passthrough_vms"},
        }
        assert one(hosts, elsewhere={"esx-01": self.group}).only_on_hosts == ()

    def test_a_vcenter_outside_the_play_keeps_its_vms(self) -> None:
        devices = {k: v for k, v in self.group.items() if k != "passthrough_vms"}
        found = one({"esx-01": devices}, elsewhere={"vc": {"passthrough_vms": [TRAIN]}})
        assert found.vms == ()
        assert found.only_on_hosts == ()


def test_environment_names_the_vcenter_of_esxi_hosts_only() -> None:
    esxi = one({"esx-01": {"passthrough_devices": [GPU]}}, default_vcenter="vc.env")
    vcenter = one({"vc-a": {"passthrough_hosts": [{"cluster": "c", "devices": [GPU]}]}}, default_vcenter="vc.env")
    assert esxi.vcenter == "vc.env"
    assert vcenter.vcenter == "vc-a"


@pytest.mark.parametrize(("written", "meant"), [(True, "on"), (False, "off"), ("cycle", "cycle")])
def test_yaml_on_and_off_are_power_words(written: object, meant: str) -> None:
    found = one({"vc": {"passthrough_vms": [{**TRAIN, "power": written}]}})
    assert found.vms[0]["power"] == meant


@pytest.mark.parametrize(("power", "kept"), [("on", {}), ("cycle", {"power": "cycle"}), ("off", {"power": "off"})])
def test_release_entries_drop_what_only_attaching_needs(power: str, kept: dict[str, str]) -> None:
    """``power: on`` is for a VM with its devices."""
    vm = {
        **TRAIN,
        "power": power,
        "state": "exactly",
        "backing": "fixed",
        "mmio": {"size_gb": 64},
        "unlock_memory": True,
    }
    found = one({"vc": {"passthrough_vms": [vm]}})
    assert found.record()["vms_to_release"] == [
        {"name": "train-01", "devices": TRAIN["devices"], **kept, "unlock_memory": True}
    ]


def test_the_short_form_of_a_device_is_spelt_out() -> None:
    vm = {"name": "a", "devices": ["10de:20f1"]}
    found = one({"vc": {"passthrough_hosts": [{"cluster": "c", "devices": ["10de:20f1"]}], "passthrough_vms": [vm]}})
    assert found.record()["targets"][0]["devices"] == [{"match": "10de:20f1"}]
    assert found.record()["vms"][0]["devices"] == [{"match": "10de:20f1"}]


def test_record_is_plain_data() -> None:
    found = one(
        {"vc": {"passthrough_hosts": [{"hosts": ["a", "b"], "devices": ["10de:20f1"]}], "passthrough_vms": [TRAIN]}}
    )
    assert json.loads(json.dumps(found.record())) == found.record()


def clusters(*entries: Any) -> dict[str, Any]:
    return {"passthrough_hosts": list(entries)}


def on(cluster: object, *devices: object) -> dict[str, Any]:
    return {"cluster": cluster, "devices": list(devices)}


def esxi(devices: object, **more: Any) -> dict[str, Any]:
    return {"vcenter_hostname": "vc", "passthrough_devices": devices, **more}


def vm(**more: Any) -> dict[str, Any]:
    return {"passthrough_vms": [{**TRAIN, **more}]}


WIDE, NARROW = {"match": {"vendor_id": "10de"}}, {"match": "10de:20f1", "count": 1}
BOTH = {"cluster": "c", "hosts": ["h"], "devices": [GPU]}
WRONG: list[tuple[str, dict[str, Any], str, tuple[str, ...]]] = [
    ("nothing wanted", {"x": 1}, "no_intent", ("passthrough_hosts",)),
    (
        "misspelt variable",
        {"passthrough_device": [GPU]},
        "unknown_variable",
        ("passthrough_device ", "passthrough_devices is meant"),
    ),
    ("a variable nobody knows", {"passthrough_gpus": [GPU]}, "unknown_variable", ("passthrough_gpus", "begin with")),
    (
        "misspelt connection variable",
        esxi([GPU], vcenter_pasword="x"),
        "unknown_variable",
        ("vcenter_pasword", "vcenter_password is"),
    ),
    (
        "misspelt protection",
        esxi([GPU], rolling_reboot_never_stop_vms=["train-01"]),
        "unknown_variable",
        ("rolling_reboot_never_stop_vms is not an option of the role rolling_reboot", "rolling_reboot_never_stop"),
    ),
    (
        "misspelt budget",
        esxi([GPU], rolling_reboot_max_unavailble=1),
        "unknown_variable",
        ("rolling_reboot_max_unavailble", "rolling_reboot_max_unavailable"),
    ),
    (
        "misspelt option with a prefix that may be anybody's",
        esxi([GPU], verify_on_mising="skip"),
        "unknown_variable",
        ("verify_on_mising", "verify_on_missing"),
    ),
    ("hosts: not a list", {"passthrough_hosts": {"cluster": "c"}}, "wrong_type", ("passthrough_hosts is", "a list")),
    ("hosts: empty", {"passthrough_hosts": None}, "wrong_type", ("passthrough_hosts is empty",)),
    ("hosts: entry is text", clusters("gpu-a"), "wrong_type", ("passthrough_hosts[0]", "cluster, hosts")),
    ("hosts: entry is a list", clusters([GPU]), "wrong_type", ("passthrough_hosts[0]", "a mapping")),
    ("hosts: empty name", clusters(on(" ", GPU)), "wrong_type", ("passthrough_hosts[0].cluster is",)),
    ("hosts: mapping as name", clusters(on({"name": "c"}, GPU)), "wrong_type", ("cluster", "a list")),
    ("hosts: host key for an ESXi host", clusters({"host": "h"}), "unknown_key", ("host ", "hosts is meant")),
    ("hosts: vms in the wrong place", clusters({**on("c", GPU), "vms": []}), "unknown_key", ("unknown key vms",)),
    (
        "hosts: an address for several",
        clusters({"hosts": ["a", "b"], "devices": ["0000:3b:00.0"]}),
        "address_needs_identity",
        ("passthrough_hosts[0].devices[0]", "vendor_id"),
    ),
    (
        "hosts: label chosen and set",
        clusters(on("c", {"match": {"label": "a"}, "label": "b"}, GPU)),
        "label_chosen_and_set",
        ("passthrough_hosts[0].devices",),
    ),
    ("hosts: unknown key", clusters({"clusters": "c"}), "unknown_key", ("clusters", "cluster is meant")),
    ("hosts: no subject", clusters({"devices": [GPU]}), "missing_key", ("neither",)),
    ("hosts: empty hosts", clusters({"hosts": [], "devices": [GPU]}), "missing_key", ("empty 'hosts'",)),
    ("hosts: empty cluster", clusters({"cluster": [], "devices": [GPU]}), "missing_key", ("empty 'cluster'",)),
    ("hosts: both subjects", clusters(BOTH), "contradiction", ("both",)),
    ("hosts: no devices", clusters({"cluster": "c"}), "missing_key", ("devices",)),
    ("hosts: number as name", clusters(on(7)), "wrong_type", ("passthrough_hosts[0].cluster",)),
    ("hosts: number in list", clusters(on(["a", 7])), "wrong_type", ("passthrough_hosts[0].cluster[1]",)),
    ("hosts: cluster twice", clusters(on("c", GPU), on("C", NVME)), "duplicate", ("hosts[1]", "hosts[0]")),
    ("hosts: twice in one entry", clusters(on(["a", "a"], GPU)), "duplicate", ("cluster a",)),
    ("hosts: device key", clusters(on("c", {"mach": "10de:20f1"})), "bad_devices", ("[0].devices[0]", "mach")),
    ("hosts: device twice", clusters(on("c", GPU, GPU)), "duplicate_wish", ("passthrough_hosts[0].devices",)),
    ("hosts: wide and narrow", clusters(on("c", WIDE, NARROW)), "contradicting_wishes", ("devices",)),
    ("devices: no vCenter", {"passthrough_devices": [GPU]}, "missing_value", ("vcenter_hostname", "VMWARE_HOST")),
    ("devices: text", esxi("10de:20f1"), "wrong_type", ("passthrough_devices",)),
    ("devices: number as id", esxi([{"match": {"vendor_id": 8086}}]), "bad_selector", ("vendor_id", "quotes")),
    ("devices: one without the list", esxi(GPU), "wrong_type", ("passthrough_devices", "a list")),
    ("devices: number", esxi([1064]), "bad_devices", ("passthrough_devices[0]", "quotes")),
    ("devices: no match", esxi([{"count": 2}]), "bad_devices", ("passthrough_devices[0]", "match is missing")),
    ("devices: match misspelt", esxi([{"macht": "10de:20f1"}]), "bad_devices", ("match is meant",)),
    ("devices: condition outside of match", esxi([{"slot": "6"}]), "bad_devices", ("match: {slot",)),
    ("devices: no condition", esxi([{"match": {}}]), "bad_selector", ("devices[0].match", "every device")),
    ("devices: condition misspelt", esxi([{"match": {"vendorid": "10de"}}]), "bad_selector", ("vendor_id is meant",)),
    ("devices: bad class", esxi([{"match": {"class_id": "nvme"}}]), "bad_id", ("class_id", "0108")),
    ("devices: bad address", esxi(["0000:3b:20.0"]), "bad_address", ("0000:3b:20.0",)),
    ("devices: blank slot", esxi([{"match": {"slot": ""}}]), "bad_selector", ("match.slot is empty",)),
    ("devices: count in words", esxi([{"match": "10de:20f1", "count": "two"}]), "bad_count", ("[0].count", "'two'")),
    ("devices: half a device", esxi([{"match": "10de:20f1", "count": 0.5}]), "bad_count", ("0.5",)),
    ("devices: label as number", esxi([{"match": "10de:20f1", "label": 7}]), "bad_label", ("[0].label",)),
    ("devices: bad pair", esxi(["10de20f1"]), "bad_id", ("10de20f1",)),
    ("devices: with clusters", esxi([GPU], passthrough_hosts=[]), "contradiction", ("passthrough_hosts",)),
    ("name: number", esxi([], passthrough_host_name=5), "wrong_type", ("passthrough_host_name",)),
    ("vCenter: number", esxi([], vcenter_hostname=5), "wrong_type", ("vcenter_hostname",)),
    ("vCenter: empty", esxi([], vcenter_hostname=""), "missing_value", ("vcenter_hostname", "VMWARE_HOST")),
    ("vCenter: blank", esxi([], vcenter_hostname=" "), "wrong_type", ("vcenter_hostname",)),
    ("port: text", esxi([], vcenter_port="https"), "wrong_type", ("vcenter_port",)),
    ("port: too large", esxi([], vcenter_port=65536), "wrong_type", ("vcenter_port", "65535")),
    ("port: truth", esxi([], vcenter_port=True), "wrong_type", ("vcenter_port",)),
    ("vms: not a list", {"passthrough_vms": TRAIN}, "wrong_type", ("passthrough_vms",)),
    ("vms: entry is text", {"passthrough_vms": ["train-01"]}, "wrong_type", ("passthrough_vms[0]", "name, moid")),
    ("vms: name as number", vm(name=7), "wrong_type", ("passthrough_vms[0].name", "quotes")),
    ("vms: devices as text", vm(devices="10de:20f1"), "wrong_type", ("passthrough_vms[0].devices", "a list")),
    ("vms: bad state", vm(state="attached"), "wrong_type", ("passthrough_vms[0].state", "present, absent, exactly")),
    ("vms: nothing to take away", vm(state="absent", devices=[]), "nothing_named", ("passthrough_vms[0]", "train-01")),
    (
        "vms: dynamic by address",
        vm(backing="dynamic", devices=["0000:3b:00.0"]),
        "dynamic_by_place",
        ("passthrough_vms[0]", "backing: fixed"),
    ),
    ("vms: window no power of two", vm(mmio={"size_gb": 48}), "bad_mmio_size", ("passthrough_vms[0].mmio", "Use 64")),
    ("vms: window in words", vm(mmio={"size_gb": "large"}), "wrong_type", ("mmio.size_gb", "'large'")),
    ("vms: mmio as number", vm(mmio=64), "wrong_type", ("passthrough_vms[0].mmio", "size_gb")),
    ("vms: card's memory in words", vm(mmio={"device_gb": {"10de:20f1": "big"}}), "wrong_type", ("10de:20f1", "'big'")),
    (
        "vms: a card's memory in bytes",
        vm(mmio={"device_gb": {"10de:20f1": 65537}}),
        "wrong_type",
        ("10de:20f1", "0 to 65536"),
    ),
    ("vms: card by name", vm(mmio={"device_gb": {"a100": 40}}), "bad_id", ("passthrough_vms[0].mmio", "'a100'")),
    ("vms: unknown key", vm(powr="on"), "unknown_key", ("passthrough_vms[0]", "powr", "power is meant")),
    ("vms: nameless", {"passthrough_vms": [{"devices": ["10de:20f1"]}]}, "missing_key", ("name and moid",)),
    ("vms: name and moid", vm(moid="vm-1"), "missing_key", ("name and moid",)),
    ("vms: no devices", {"passthrough_vms": [{"name": "a"}]}, "missing_key", ("devices",)),
    ("vms: bad power", vm(power="maybe"), "wrong_type", ("passthrough_vms[0].power", "keep, off, cycle, on")),
    ("vms: bad backing", vm(backing="static"), "wrong_type", ("backing", "auto, dynamic, fixed")),
    ("vms: flag as text", vm(allow_power_off="yes"), "wrong_type", ("allow_power_off", "true or false")),
    ("vms: timeout zero", vm(shutdown_timeout=0), "wrong_type", ("shutdown_timeout",)),
    ("vms: mmio key", vm(mmio={"size": 64}), "unknown_key", ("passthrough_vms[0].mmio", "size_gb")),
    ("vms: label on a VM", vm(devices=[GPU]), "unknown_key", ("label",)),
    ("vms: zero devices", vm(devices=[{"match": "10de:20f1", "count": 0}]), "bad_count", ("count",)),
    ("vms: twice", {"passthrough_vms": [TRAIN, TRAIN]}, "duplicate", ("train-01", "passthrough_vms[1]")),
]


@pytest.mark.parametrize(("variables", "code", "words"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_wrong_input_names_host_variable_and_key(variables: dict[str, Any], code: str, words: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as caught:
        load_intent({"inv-1": variables})
    sentence = caught.value.sentence()
    assert caught.value.code == code, sentence
    if code != "no_intent":
        assert isinstance(caught.value, PlacedError)
        assert caught.value.host == "inv-1"
        assert "Inventory host inv-1: " in sentence
        first = route(caught.value.parameter)[0]
        assert code == "missing_value" or first in variables, "for machines, too, the place is in the variables"
    for word in words:
        assert word in sentence


def test_there_are_enough_mistakes() -> None:
    assert len({row[0] for row in WRONG}) == len(WRONG) >= 50


def test_an_address_that_reaches_several_hosts_through_their_group() -> None:
    """One host may have a bare address; the same list on two of them would mean two machines' different cards."""
    desired = {"vcenter_hostname": "vc", "passthrough_devices": ["0000:3b:00.0"]}
    assert one({"a": desired}).targets[0].hosts == ("a",)
    with pytest.raises(InputError, match=r"Inventory host b: passthrough_devices\[0\] has an address") as caught:
        load_intent({"a": desired, "b": dict(desired)})
    assert caught.value.code == "address_needs_identity"


def test_own_variables_with_a_similar_name_are_left_alone() -> None:
    own = {"vcenter_user": "x", "vcenter_hostname": "vc", "vcenter_hostnames": ["a"], "vcenter_folder": "f"}
    assert one({"a": {"passthrough_devices": [GPU], **own}}).vcenter == "vc"


def test_sizes_are_handed_on_as_numbers() -> None:
    found = one({"vc": vm(mmio={"size_gb": "128", "device_gb": {"10DE:20F1": "40"}}, shutdown_timeout=60.0)})
    assert found.vms[0]["mmio"] == {"size_gb": 128, "device_gb": {"10DE:20F1": 40}}
    assert found.vms[0]["shutdown_timeout"] == 60


def test_two_inventory_hosts_for_one_esxi_host() -> None:
    desired = {"vcenter_hostname": "vc", "passthrough_devices": [GPU]}
    with pytest.raises(InputError, match="inventory host a already represents") as caught:
        load_intent(
            {"a": {**desired, "passthrough_host_name": "ESX.lab"}, "b": {**desired, "passthrough_host_name": "esx.lab"}}
        )
    assert caught.value.code == "duplicate"


def test_a_vm_wanted_in_two_ways() -> None:
    desired = {"vcenter_hostname": "vc", "passthrough_devices": []}
    other = {**TRAIN, "power": "keep"}
    with pytest.raises(InputError, match="has VM train-01 with other options than inventory host a") as caught:
        load_intent({"a": {**desired, "passthrough_vms": [TRAIN]}, "b": {**desired, "passthrough_vms": [other]}})
    assert caught.value.code == "contradiction"


def test_a_thousand_hosts_cost_little() -> None:
    group = {"vcenter_hostname": "vc", "passthrough_devices": [GPU, NVME], "passthrough_vms": [TRAIN]}
    found = one({f"esx-{number:04}": group for number in range(1000)})
    assert len(found.targets) == 1
    assert len(found.targets[0].hosts) == 1000


@pytest.mark.parametrize(
    "name", ["rolling_reboot_result", "attach_devices_released", "verify_ssl", "verify_settled", "reboot_all"]
)
def test_what_roles_return_and_what_may_be_anybodys_is_no_misspelt_option(name: str) -> None:
    assert load_intent({"esx-01": esxi([GPU], **{name: 1})})
