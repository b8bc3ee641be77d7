# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Aliases: what is not on the list is replaced, the same text by the same alias, in the order of the names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.capture.anonymize import anonymize
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.capture.document import (
    Capture,
    CapturedObject,
    Word,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.codec import decode_lock, encode
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import LOCK, Lock


def capture(*things: CapturedObject, **more: Any) -> Capture:
    fields: dict[str, Any] = {
        "kind": "vcenter",
        "time": "2026-01-05T08:00:00Z",
        "api": "8.0.3.0",
        "about": None,
        "root": "group-d1",
    }
    return Capture(**{**fields, "paths": {}, "objects": things, **more})


def one(path: str, value: Any, kind: str = "VirtualMachine") -> Any:
    """What becomes of one value, in a fleet with the VM web-1 on the datastore nfs main and the host esx-1.site."""
    names = {"VirtualMachine": "web-1", "Datastore": "nfs main", "HostSystem": "esx-1.site"}
    things = [
        CapturedObject(kind=each, moid=f"vm-{number}", values={"name": name})
        for number, (each, name) in enumerate(names.items())
    ]
    made, _key = anonymize(capture(*things, CapturedObject(kind=kind, moid="vm-9", values={path: value})))
    return next(thing for thing in made.objects if thing.moid == "vm-9").values[path]


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("config.files.vmPathName", "[nfs main] web-1/web-1.vmx", "[datastore-00001] vm-00001/vm-00001.vmx"),
        ("config.files.vmPathName", "[nfs main] web-1/web-1.secret", "[datastore-00001] vm-00001/text-00001"),
        ("config.anything", "/vmfs/volumes/nfs main/web-1", "/vmfs/volumes/datastore-00001/vm-00001"),
        ("config.anything", "esx-1", "host-00001"),
        ("config.anything", "0000:3b:00.0", "0000:3b:00.0"),
        ("config.anything", "712345678", "text-00001"),
        ("config.anything", "key-vim.host.PortGroup-1234", "key-vim.host.PortGroup-text-00001"),
        ("config.anything", "key-vim.host.NvmeController-256", "key-vim.host.NvmeController-256"),
        ("config.anything", {"_t": "HostVirtualNicSpec", "netStackInstanceKey": "secret"},
         {"_t": "HostVirtualNicSpec", "netStackInstanceKey": "text-00001"}),
        ("config.anything", {"_t": "HostVirtualNicSpec", "netStackInstanceKey": "defaultTcpipStack"},
         {"_t": "HostVirtualNicSpec", "netStackInstanceKey": "defaultTcpipStack"}),
        ("config.anything", {"_t": "HostPciDevice", "slotDescription": "rack 4, slot 2"},
         {"_t": "HostPciDevice", "slotDescription": "slot-00001"}),
        ("binding", {"_t": "HostAssignableHardwareBinding", "instanceId": "secret"},
         {"_t": "HostAssignableHardwareBinding", "instanceId": "text-00001"}),
        ("config.anything", "key-vim.host.PortGroup-web-1", "key-vim.host.PortGroup-vm-00001"),
        ("config.anything", "vmotion.key-vim.host.VirtualNic-vmk0", "vmotion.key-vim.host.VirtualNic-vmk0"),
        ("config.anything", "secret.key-vim.host.VirtualNic-vmk0", "text-00001"),
        ("config.anything", "00:50:56:99:c1:65", "02:00:00:00:00:01"),
        ("config.anything", "10.1.2.3", "198.18.0.1"),
        ("config.anything", "fe80::1", "2001:db8::1"),
        ("config.anything", "naa.600a098038304437415d4b6a59676d43", "naa." + 31 * "0" + "1"),
        ("config.anything", "iqn.1998-01.com.vmware:esx-1", "iqn.2000-01.example:00000001"),
        ("config.anything", "42d63201-889e-d70b-b8e7-b19f179e1bdb", "00000000-0000-4000-8000-000000000001"),
        ("config.anything", Word("poweredOn"), "poweredOn"),
        ("config.anything", "poweredOn", "text-00001"),
        ("config.firmware", "efi", "efi"),
        ("config.hardware.memoryMB", 4096, 4096),
        ("config.anything", 4096, 0),
        ("config.anything", True, True),
        ("config.anything", {"_t": "HostFibreChannelHba", "portWorldWideName": 2305843009213693952, "bus": 59},
         {"_t": "HostFibreChannelHba", "portWorldWideName": 0, "bus": 59}),
        ("config.anything", {"_t": "TypeOfTomorrow", "field": "secret", "bus": 1},
         {"_t": "TypeOfTomorrow", "field": "text-00001", "bus": 1}),
        ("config.extraConfig", [{"_t": "OptionValue", "key": "pciPassthru.use64bitMMIO", "value": "TRUE"}],
         [{"_t": "OptionValue", "key": "pciPassthru.use64bitMMIO", "value": "TRUE"}]),
        ("config.extraConfig", [{"_t": "OptionValue", "key": "pciPassthru.use64bitMMIO", "value": "secret"}],
         [{"_t": "OptionValue", "key": "pciPassthru.use64bitMMIO", "value": "value-00001"}]),
        ("runtime.host", {"_r": "HostSystem:host-12"}, {"_r": "HostSystem:host-12"}),
        ("network", [{"_r": "Network:HaNetwork-web-1"}], [{"_r": "Network:object-00001"}]),
    ],
)  # fmt: skip
def test_each_form(path: str, value: Any, expected: Any) -> None:
    assert one(path, value) == expected


def test_aliases_sort_as_names_do() -> None:
    names = ["esx-10.site", "esx-9.site", "esx-1.site"]
    things = [
        CapturedObject(kind="HostSystem", moid=f"host-{number}", values={"name": name})
        for number, name in enumerate(names)
    ]
    _made, key = anonymize(capture(*things))
    assert [key[f"host-0000{number}.example"] for number in (1, 2, 3)] == ["esx-1.site", "esx-9.site", "esx-10.site"]


def test_an_alias_that_is_a_name_of_the_site_is_given_to_nothing_else() -> None:
    """Two names never get one alias, even where a site has names that look like aliases."""
    things = [CapturedObject(kind="VirtualMachine", moid=f"vm-{n}", values={"name": f"vm-0000{n}"}) for n in (2, 1, 3)]
    _made, key = anonymize(capture(*things))
    assert sorted(key.values()) == ["vm-00001", "vm-00002", "vm-00003"]


def test_journal_keeps_its_words_and_other_attributes_do_not() -> None:
    lock = Lock(owner="alice@bastion", run_id="5f0d21c7", scope="9a41d3e0", since=1e9, beat=1e9, ttl=300)
    value = encode(lock)[LOCK]
    names = {101: LOCK, 102: "Owner", 103: "directpath.secret"}
    fields = [{"_t": "CustomFieldDef", "key": key, "name": name} for key, name in names.items()]
    values = [
        {"_t": "CustomFieldStringValue", "key": key, "value": text}
        for key, text in ((101, value), (101, value.replace("ttl=300", "secret")), (102, value), (103, value))
    ]
    made, _key = anonymize(
        capture(
            CapturedObject(kind="CustomFieldsManager", moid="CustomFieldsManager", values={"field": fields}),
            CapturedObject(kind="VirtualMachine", moid="vm-1", values={"customValue": values}),
        )
    )
    shown = [item["value"] for item in made.objects[1].values["customValue"]]  # type: ignore[index,union-attr,call-overload]
    assert decode_lock({LOCK: shown[0]}) == replace(lock, owner="text-00001")
    assert shown[1:] == ["value-00001", "value-00002", "value-00002"]
    found = [item["name"] for item in made.objects[0].values["field"]]  # type: ignore[index,union-attr,call-overload]
    assert found == [LOCK, "attribute-00001", "attribute-00002"], "only the names of our own attributes stay"


def test_a_name_with_a_slash_has_one_alias_in_both_forms() -> None:
    network = CapturedObject(kind="Network", moid="network-1", values={"name": "a%2fb"})
    host = CapturedObject(kind="HostSystem", moid="host-1", values={"config.anything": ["a/b", "a%2fb"]})
    made, _key = anonymize(capture(network, host))
    assert made.objects[0].values["config.anything"] == ["network-00001", "network-00001"]


def test_tags_policies_and_what_clusters_offer_have_aliases() -> None:
    """Their ids are names of the site, too, where they have not the form of vCenter."""
    urn = "urn:vmomi:InventoryServiceTag:42d63201-889e-d70b-b8e7-b19f179e1bdb:GLOBAL"
    category = {
        "id": "secret",
        "name": "secret 2",
        "tags": [{"id": urn, "name": "secret 3", "vms": ["vm-12", "secret 4"]}],
    }
    policies = [
        {"id": "secret 5", "capability": capability, "name": "secret 6", "tags": [urn]}
        for capability in ("com.vmware.vcenter.compute.policies.capabilities.vm_host_affinity", "secret 7")
    ]
    group = {
        "_t": "VirtualMachineVendorDeviceGroupInfo",
        "deviceGroupName": "Nvidia:2@x",
        "deviceGroupDescription": "secret 8",
    }
    made, key = anonymize(
        capture(
            tags={"categories": [category], "policies": policies},
            targets={"domain-c8": {"vendorDeviceGroupInfo": [group]}},
        )
    )
    assert "secret" not in str((made.tags, made.targets))
    assert sorted(text for text in key.values() if "secret" in text) == [
        "secret",
        *(f"secret {n}" for n in range(2, 9)),
    ]
    shown: Any = made.tags
    (tag,) = shown["categories"][0]["tags"]
    assert [policy["tags"] for policy in shown["policies"]] == [[tag["id"]], [tag["id"]]]
    assert tag["id"] == urn.replace("42d63201-889e-d70b-b8e7-b19f179e1bdb", "00000000-0000-4000-8000-000000000001")
    assert tag["vms"][0] == "vm-12"
    assert shown["policies"][0]["capability"] == policies[0]["capability"]
    offered: Any = made.targets["domain-c8"]
    assert offered["vendorDeviceGroupInfo"][0]["deviceGroupName"] == "Nvidia:2@x"


def test_notes_and_settings_of_the_server_are_not_copied() -> None:
    made, _key = anonymize(
        capture(
            notes=("Tags cannot be read from vc.site",), settings={"vgpu.hotmigrate.enabled": "true", "x": "secret"}
        )
    )
    assert "site" not in str(made.notes)
    assert made.settings == {"vgpu.hotmigrate.enabled": "true"}
