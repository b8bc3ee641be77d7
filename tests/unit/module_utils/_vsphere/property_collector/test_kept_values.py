# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that are kept: taken again for the same texts, and for nothing else. That limits make no difference: test_parser_on_labs.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from pyVmomi import vim

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.property_collector import kept_values
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.property_collector.values import ValueReader

XSI = 'xmlns="urn:vim25" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
INFO = (
    "<id>0000:5e:00.0</id><dependentDevice>{dependent}</dependentDevice><passthruEnabled>{enabled}</passthruEnabled>"
    "<passthruCapable>true</passthruCapable><passthruActive>true</passthruActive>"
)
VIRTUAL = (
    "<sriovEnabled>true</sriovEnabled><sriovCapable>true</sriovCapable><sriovActive>true</sriovActive>"
    "<numVirtualFunctionRequested>4</numVirtualFunctionRequested><numVirtualFunction>4</numVirtualFunction>"
    "<maxVirtualFunctionSupported>8</maxVirtualFunctionSupported>"
)


def one(attributes: str = "", more: str = "", dependent: str = "0000:5e:00.0", enabled: str = "false") -> str:
    inner = INFO.format(dependent=dependent, enabled=enabled) + more
    return f"<HostPciPassthruInfo {attributes}>{inner}</HostPciPassthruInfo>"


def array(*items: str) -> Element:
    return fromstring(f'<val {XSI} xsi:type="ArrayOfHostPciPassthruInfo">{"".join(items)}</val>')


def same(first: list[Any], second: list[Any]) -> bool:
    return len(first) == len(second) and all(map(lambda one, other: one is other, first, second))


def test_an_array_with_the_same_texts_has_the_same_values_in_a_list_of_its_own() -> None:
    reader = ValueReader(None)
    first, second = reader.any(array(one(), one(enabled="true"))), reader.any(array(one(), one(enabled="true")))
    assert same(first, second)
    first.clear()
    assert [info.passthruEnabled for info in reader.any(array(one(), one(enabled="true")))] == [False, True]
    assert [info.passthruEnabled for info in second] == [False, True]


LAST = one(dependent="", enabled="true")
NEAR: dict[str, Element] = {
    "another text": array(one(), one(dependent="")),
    "another order": array(LAST, one()),
    "one less": array(one()),
    "one more": array(one(), LAST, LAST),
    "none": array(),
    "another field": array(one(), LAST.replace("passthruCapable>", "hardwareLabel>")),
    "a subtype": array(one(), LAST.replace("Info ", 'Info xsi:type="HostSriovInfo" ')),
    "a subtype with its fields": array(one(), one('xsi:type="HostSriovInfo"', VIRTUAL)),
    "the first is of a subtype": array(one('xsi:type="HostSriovInfo"'), LAST),
    "a text in an element of its own": array(one(dependent="<x>0000:5e:00.0</x>"), LAST),
    "a field inside another one": array(
        one(),
        LAST.replace("</dependentDevice>", "").replace("</passthruEnabled>", "</passthruEnabled></dependentDevice>"),
    ),
}
if "directPathState" in vim.host.PciPassthruInfo._propInfo:  # from pyVmomi 9.1 on
    NEAR["an object inside"] = array(one(more="<directPathState><mode>none</mode></directPathState>"), LAST)


@pytest.mark.parametrize("other", NEAR.values(), ids=NEAR)
@pytest.mark.parametrize("known_first", [True, False])
def test_no_array_is_taken_for_another_one(other: Element, known_first: bool) -> None:
    """Each is read as by a reader that knows nothing, whatever was read before it."""
    usual = array(one(), LAST)
    before, after = (usual, other) if known_first else (other, usual)
    reader = ValueReader(None)
    for _unused in range(2):
        reader.any(before)
    assert repr(reader.any(after)) == repr(ValueReader(None).any(after))
    assert repr(reader.any(after)) != repr(reader.any(before))


def counted(build: Callable[[Element], Any]) -> tuple[Callable[[Element], Any], list[Element]]:
    built: list[Element] = []

    def count(element: Element) -> Any:
        built.append(element)
        return build(element)

    return count, built


def test_arrays_that_are_all_different_are_soon_not_compared_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    key = kept_values._array_key
    monkeypatch.setattr(kept_values, "_array_key", lambda element: made.append(1) or key(element))
    build, built = counted(lambda element: [child.text for child in element])
    read = kept_values.array_cache(build).read
    for number in range(1000):
        read(array(one(dependent=str(number))))
    assert len(built) == 1000
    assert len(made) < 100


def test_arrays_with_objects_inside_are_soon_not_compared_any_more() -> None:
    build, built = counted(list)
    made = kept_values.array_cache(build)
    for _unused in range(20):
        made.read(array(one(more="<directPathState><mode>none</mode></directPathState>")))
    assert len(built) == 20
    assert made._keys == []


def test_arrays_of_equal_hosts_are_converted_once_each() -> None:
    """A fleet with a few models of servers, in turns."""
    build, built = counted(list)
    read = kept_values.array_cache(build).read
    for number in range(1000):
        read(array(one(dependent=str(number % 12))))
    assert len(built) == 12


def test_values_are_those_of_the_sdk() -> None:
    (info,) = ValueReader(None).any(array(one('xsi:type="HostSriovInfo"', VIRTUAL)))
    assert isinstance(info, vim.host.SriovInfo)
    assert info.numVirtualFunction == 4
