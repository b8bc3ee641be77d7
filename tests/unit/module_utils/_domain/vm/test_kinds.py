# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries for vGPUs, groups and DVX devices, and the rules that need no server."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.vms import DvxBacking, VgpuBacking
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.details import (
    DetachGroup,
    DvxSpec,
    VgpuSpec,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.desired.units import (
    DesiredDvx,
    DesiredGroup,
    DesiredVgpu,
    parse_vm_devices,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.kinds.dvx import complete
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.kinds.groups import group_spec
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.offers import (
    DvxClass,
    DvxParameter,
    GroupPart,
    Offer,
    OfferedGroup,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.writing.api_versions import kinds_of


def test_entries_keep_their_place_beside_selectors() -> None:
    raw = [
        "10de:20f1",
        {"vgpu": " grid_a100-40c ", "count": "2", "advanced": {"enable_uvm": 1.0}},
        {"group": "G"},
        {"dvx": {"class": "c", "parameters": {"b": 2, "a": True}}},
    ]
    selected, units = parse_vm_devices(raw)
    assert [entry.text for entry in selected] == ["10de:20f1"]
    assert units == (
        DesiredVgpu(profile="grid_a100-40c", count=2, advanced=(("enable_uvm", "1"),)),
        DesiredGroup(name="G"),
        DesiredDvx(device_class="c", parameters=(("a", True), ("b", 2))),
    )
    again = parse_vm_devices([*(entry.option() for entry in selected), *(unit.option() for unit in units)])
    assert again == (selected, units)


@pytest.mark.parametrize(
    ("entry", "code", "says"),
    [
        ({"vgpu": "p", "cuont": 2}, "bad_devices", "count is meant"),
        ({"vgpu": "p", "group": "g"}, "bad_devices", "vgpu and group"),
        ({"vgpu": "p", "match": "10de:20f1"}, "bad_devices", "match and vgpu"),
        ({"vgpu": ""}, "bad_devices", "not a name"),
        ({"vgpu": None}, "bad_devices", "not a name"),
        ({"vgpu": "p", "count": 0}, "bad_count", "not a number"),
        ({"vgpu": "p", "count": "all"}, "bad_count", "not a number"),
        ({"vgpu": "p", "advanced": ["enable_uvm"]}, "bad_devices", "not a mapping"),
        ({"vgpu": "p", "advanced": {"pciPassthru0.cfg.enable_uvm": 1}}, "bad_devices", "write only what follows"),
        ({"vgpu": "p", "advanced": {"enable_uvm": True}}, "bad_devices", "not a string or a whole number"),
        ({"vgpu": "p", "advanced": {"enable_uvm": 1.5}}, "bad_devices", "not a string or a whole number"),
        ({"group": 5}, "bad_devices", "not a name"),
        ({"group": "g", "advanced": {}}, "bad_devices", "unknown key advanced"),
        ({"dvx": "c"}, "bad_devices", "not a mapping of class and parameters"),
        ({"dvx": {}}, "bad_devices", "names no class"),
        ({"dvx": {"class": "c", "params": {}}}, "bad_devices", "parameters is meant"),
        ({"dvx": {"class": "c", "parameters": [1]}}, "bad_devices", "not a mapping"),
        ({"dvx": {"class": "c", "parameters": {"a": [1]}}}, "bad_devices", "not a string, a number or a boolean"),
    ],
)
def test_wrong_entries_are_refused_with_their_place(entry: dict[str, Any], code: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_vm_devices(["10de:1eb8", entry])
    assert caught.value.code == code
    assert says in caught.value.message
    assert "devices[1]" in caught.value.parameter


@pytest.mark.parametrize(
    "raw",
    [
        [{"vgpu": "p"}, {"vgpu": "p", "count": 2}],
        [{"group": "g"}, {"group": "g"}],
        [{"dvx": {"class": "c", "parameters": {"a": 1}}}, {"dvx": {"class": "c", "parameters": {"a": 1}}}],
    ],
)
def test_the_same_thing_twice_is_refused(raw: list[Any]) -> None:
    with pytest.raises(InputError) as caught:
        parse_vm_devices(raw)
    assert caught.value.code == "duplicate_wish"


def test_dvx_devices_of_one_class_may_differ_in_parameters() -> None:
    raw = [{"dvx": {"class": "c", "parameters": {"a": 1}}}, {"dvx": {"class": "c", "parameters": {"a": 2}}}]
    assert len(parse_vm_devices(raw)[1]) == 2


def test_a_group_with_a_part_that_cannot_be_created_has_no_parts() -> None:
    vgpu = GroupPart(type="nvidiaVgpu", backing=VgpuBacking(profile="p"))
    whole = OfferedGroup(name="whole", parts=(vgpu, vgpu))
    mixed = OfferedGroup(name="mixed", parts=(vgpu, GroupPart(type="nic")))
    offer = Offer(groups={"whole": whole, "mixed": mixed})
    assert len(group_spec(DesiredGroup(name="whole"), offer).parts) == 2
    assert group_spec(DesiredGroup(name="mixed"), offer).parts == ()
    assert group_spec(DesiredGroup(name="other"), offer).parts == ()


def test_the_whole_list_of_parameters_has_the_types_of_the_class() -> None:
    parameters = (
        DvxParameter(key="size", type="integer", default=10),
        DvxParameter(key="ratio", type="number"),
        DvxParameter(key="on", type="boolean"),
        DvxParameter(key="mode", type="choice", choices=("1", "2")),
    )
    offer = Offer(classes={"c": DvxClass(name="c", parameters=parameters)})
    entry = DesiredDvx(device_class="c", parameters=(("mode", 2), ("on", "yes"), ("ratio", "0.5")))
    assert complete(entry, (("size", 7),), offer) == (("mode", "2"), ("on", True), ("ratio", 0.5), ("size", 7))
    assert complete(entry, (), offer)[-1] == ("size", 10)


def test_lists_that_become_empty_are_guarded_by_their_kind() -> None:
    """pyVmomi does not send an empty list, so the guard of the transport cannot see that an old session would lose it."""
    assert kinds_of(DvxSpec(device_class="c", parameters=(), key=13000)) == ("dvx",)
    assert kinds_of(DetachGroup(instance=0, keys=(13000,))) == ("device_group",)
    assert kinds_of(VgpuSpec(profile="p")) == ("vgpu",)
    assert DvxBacking(device_class="c").parameters == ()
