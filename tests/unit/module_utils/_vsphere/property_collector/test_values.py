# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of every kind, read in both ways: what is right is read alike, what is wrong is never taken for the truth."""

from __future__ import annotations

import gzip
import time
import tracemalloc
import zlib
from http.client import HTTPException
from typing import Any

import pytest
from pyVmomi import vim, vmodl

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.property_collector import (
    parser,
    values,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.property_collector.retrieve import (
    Row,
    collect_objects,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.connect import ATTEMPTS
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.faults import (
    BrokenAnswer,
    explain_connection,
    is_transient,
)
from tests.unit.module_utils._vsphere.alike import row_differences
from tests.unit.module_utils._vsphere.canned import HEAD, TAIL, Answer, answer, host, page, saying, text

PCI = (
    "<HostPciDevice><id>0000:5E:00.0</id><classId>770</classId><bus>94</bus><slot>0</slot><function>0</function>"
    "<vendorId>{vendor}</vendorId><subVendorId>0</subVendorId><vendorName>{name}</vendorName><deviceId>8433</deviceId>"
    "<subDeviceId>0</subDeviceId><deviceName>card</deviceName></HostPciDevice>"
)


def read(*answers: Answer | str, fast: bool, moids: tuple[str, ...] = ("host-1",)) -> list[Row]:
    with saying(answers) as session:
        session.stub.has_wire = fast
        return collect_objects(session, vim.HostSystem, moids, ("name",))


def pci(vendor: Any = -32634, name: str = "Intel") -> str:
    return f'<val xsi:type="ArrayOfHostPciDevice">{PCI.format(vendor=vendor, name=name)}</val>'


TYPE = "<dynamicType>d</dynamicType>"
"""What any object may have."""
ALIKE = {
    "nothing": page(""),
    "one host": page(host(name=text("esx"))),
    "empty text": page(host(name=text(""))),
    "blanks": page(host(name=text("  a b \n c "))),
    "unicode": page(host(name=text("Zürich-東京-😀"))),
    "entities": page(host(name=text("&lt;a&gt; &amp;amp; &quot;b&quot; &#65;&#x1F600;&#xA0;"))),
    "cdata": page(host(name=text("<![CDATA[<b>&amp;]]>]"))),
    "comments": page(host(name=text("a<!-- <objects> -->b"))),
    "negative shorts": page(host(hardware_pciDevice=pci())),
    "huge numbers": page(host(x=f'<val xsi:type="xsd:long">{2**63 - 1}</val>', y='<val xsi:type="xsd:int">-0</val>')),
    "numbers beyond their type": page(host(hardware_pciDevice=pci(vendor=10**40))),
    "fractions": page(host(x='<val xsi:type="xsd:double">1.5e300</val>', y='<val xsi:type="xsd:float">-0.25</val>')),
    "truth": page(
        host(**{f"x{n}": f'<val xsi:type="xsd:boolean">{v}</val>' for n, v in enumerate(("true", "0", "1"))})
    ),
    "bytes": page(host(x='<val xsi:type="xsd:base64Binary">AAECgP8=</val>', y='<val xsi:type="xsd:byte">-7</val>')),
    "dates": page(
        host(
            a='<val xsi:type="xsd:dateTime">2026-11-22T10:11:12.345678Z</val>',
            b='<val xsi:type="xsd:dateTime">2026-11-22T10:11:12+05:30</val>',
        )
    ),
    "enumerations": page(host(x='<val xsi:type="HostSystemConnectionState">notResponding</val>')),
    "references": page(
        host(
            parent='<val type="ClusterComputeResource" xsi:type="ManagedObjectReference">domain-c1</val>',
            vm='<val xsi:type="ArrayOfManagedObjectReference"><ManagedObjectReference type="VirtualMachine" '
            'xsi:type="ManagedObjectReference">vm-1</ManagedObjectReference></val>',
            none='<val xsi:type="ArrayOfManagedObjectReference"></val>',
        )
    ),
    "arrays": page(
        host(
            a='<val xsi:type="ArrayOfString"><string>x</string><string></string></val>',
            b='<val xsi:type="ArrayOfInt"><int>1</int><int>-2</int></val>',
            c='<val xsi:type="ArrayOfHostPciDevice"></val>',
            d='<val xsi:type="ArrayOfAnyType"><anyType xsi:type="xsd:int">1</anyType></val>',
        )
    ),
    "narrower types": page(
        host(
            config_pciPassthruInfo='<val xsi:type="ArrayOfHostPciPassthruInfo">'
            "<HostPciPassthruInfo><id>a</id><dependentDevice>a</dependentDevice><passthruEnabled>true</passthruEnabled>"
            "<passthruCapable>true</passthruCapable><passthruActive>false</passthruActive></HostPciPassthruInfo>"
            '<HostPciPassthruInfo xsi:type="HostSriovInfo"><id>b</id><dependentDevice>b</dependentDevice>'
            "<passthruEnabled>false</passthruEnabled><passthruCapable>false</passthruCapable>"
            "<passthruActive>false</passthruActive><sriovEnabled>true</sriovEnabled><sriovCapable>true</sriovCapable>"
            "<sriovActive>false</sriovActive><numVirtualFunctionRequested>4</numVirtualFunctionRequested>"
            "<numVirtualFunction>0</numVirtualFunction><maxVirtualFunctionSupported>64</maxVirtualFunctionSupported>"
            "</HostPciPassthruInfo></val>"
        )
    ),
    "values of any type": page(
        host(
            x='<val xsi:type="ArrayOfOptionValue"><OptionValue><key>a</key><value xsi:type="xsd:string">1</value>'
            '</OptionValue><OptionValue><key>b</key><value xsi:type="xsd:int">1</value></OptionValue></val>'
        )
    ),
    "the same texts under other types": page(
        host(
            x='<val xsi:type="ArrayOfOptionValue"><OptionValue><key>a</key><value xsi:type="xsd:string">1</value>'
            '</OptionValue><OptionValue><key>a</key><value xsi:type="xsd:int">1</value></OptionValue></val>'
        )
    ),
    "the same texts in another shape": page(
        host(
            x='<val xsi:type="ArrayOfHostScsiTopologyInterface">'
            + "".join(
                f"<HostScsiTopologyInterface><key>k</key><adapter>a</adapter><target><key>t</key><target>1</target>"
                f"{inside}</target>{after}</HostScsiTopologyInterface>"
                for inside, after in ((TYPE, ""), ("", TYPE)) * 300
            )
            + "</val>"
        )
    ),
    "the same card twice": page(host(hardware_pciDevice=pci()) + host("host-2", hardware_pciDevice=pci())),
    "an error of a task": page(
        host(
            x='<val xsi:type="LocalizedMethodFault"><fault xsi:type="NoPermission"><faultMessage><key>k</key>'
            "<message>m</message></faultMessage>"
            '<object type="HostSystem">host-1</object><privilegeId>Host.Config</privilegeId></fault>'
            "<localizedMessage>no</localizedMessage></val>"
        )
    ),
    "a fault inside a fault": page(
        host(
            x='<val xsi:type="LocalizedMethodFault"><fault xsi:type="HostConfigFault"><faultCause>'
            '<fault xsi:type="NotSupported"></fault><localizedMessage>inner</localizedMessage></faultCause></fault>'
            "<localizedMessage>outer</localizedMessage></val>"
        )
    ),
    "a prefix of its own": page(host(name=text("a")))
    .replace(' xmlns="urn:vim25"', ' xmlns="urn:vim25" xmlns:vim25="urn:vim25"')
    .replace(
        "<returnval>", "<returnval>" + host("host-9", s='<val xsi:type="vim25:HostSystemPowerState">standBy</val>')
    ),
    "indented": page(host(hardware_pciDevice=pci(), name=text("a")))
    .replace("<propSet>", "\n  <propSet>\n  ")
    .replace("<HostPciDevice>", "\n\t<HostPciDevice>\n\t")
    .replace("</val>", "</val>\n"),
    "a byte order mark": "\ufeff" + page(host(name=text("a"))),
}


@pytest.mark.parametrize("said", ALIKE.values(), ids=ALIKE)
def test_what_is_right_is_read_alike(said: str) -> None:
    with saying([said]) as session:
        fast = collect_objects(session, vim.HostSystem, ["host-1"], ("name",))
        session.stub.has_wire = False
        slow = collect_objects(session, vim.HostSystem, ["host-1"], ("name",))
    assert len(fast) == len(slow) == said.count("<obj ")
    found = [text for mine, reference in zip(fast, slow, strict=True) for text in row_differences(mine, reference)]
    assert found == []


@pytest.mark.parametrize("encoding", ["identity", "gzip", "deflate"])
def test_pages_follow_each_other_until_there_is_no_token(encoding: str) -> None:
    def packed(said: str) -> Answer:
        body = said.encode()
        packings = {"gzip": gzip.compress, "deflate": zlib.compress}
        if encoding == "identity":
            return answer(body)
        return answer(packings[encoding](body), headers={"Content-Encoding": encoding})

    with saying(
        [
            packed(page(host(f"host-{n}", name=text("n")), token="t&amp;<".replace("<", "&lt;") if n < 3 else ""))
            for n in (1, 2, 3)
        ]
    ) as session:
        rows = collect_objects(session, vim.HostSystem, ["host-1", "host-2"], ("name",))
        asked = session.asked  # type: ignore[attr-defined]
    assert [row.moid for row in rows] == ["host-1", "host-2", "host-3"]
    assert b"<token>t&amp;&lt;</token>" in asked[1]


def three_pages(**fields: Any) -> list[Answer]:
    """Large enough that the token is there before all objects are: a page is fed to the parser in pieces."""
    name = text("n" * (1 << 18))
    bodies = (page(host(f"host-{n}", name=name) + host(f"host-{n}b", name=name), f"t{n}") for n in (1, 2))
    return [*(answer(body, **fields) for body in bodies), answer(page(host("host-3", name=name)), **fields)]


def test_the_next_page_is_asked_for_before_this_one_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    asked_by_then: list[int] = []
    with saying(three_pages()) as session:
        requests = session.asked  # type: ignore[attr-defined]
        real = values.RowReader.row

        def row(self: Any, element: Any) -> Any:
            wanted = min(3, len(asked_by_then) // 2 + 2)
            deadline = time.monotonic() + 60
            while len(requests) < wanted and time.monotonic() < deadline:
                time.sleep(0.01)
            asked_by_then.append(len(requests))
            return real(self, element)

        monkeypatch.setattr(values.RowReader, "row", row)
        rows = collect_objects(session, vim.HostSystem, ["host-1"], ("name",))
    assert [row.moid for row in rows] == ["host-1", "host-1b", "host-2", "host-2b", "host-3"]
    assert asked_by_then == [2, 2, 3, 3, 3]
    assert session.calls == 3


def test_a_server_that_ends_the_connection_after_each_answer_is_read_page_by_page() -> None:
    with saying(three_pages(headers={"Connection": "close"})) as session:
        taken: list[Any] = []
        take = session.stub.GetConnection  # type: ignore[attr-defined]
        session.stub.GetConnection = lambda: taken.append(None) or take()  # type: ignore[attr-defined,func-returns-value]
        rows = collect_objects(session, vim.HostSystem, ["host-1"], ("name",))
        asked = session.asked  # type: ignore[attr-defined]
    assert len(rows) == 5
    assert [b"<token>" in request for request in asked] == [False, True, True]
    assert len(taken) == 3, "nothing was sent on a connection that the server is ending"


def test_a_token_after_the_objects_serves_as_well() -> None:
    late = [
        body.replace("</returnval>", f"<token>t{n}</token></returnval>") for n, body in enumerate([page(host())] * 2)
    ]
    with saying([*late, page(host("host-9"))]) as session:
        rows = collect_objects(session, vim.HostSystem, ["host-1"], ("name",))
        asked = session.asked  # type: ignore[attr-defined]
    assert [row.moid for row in rows] == ["host-1", "host-9"]
    assert b"<token>t1</token>" in asked[2]


def test_nothing_is_left_of_a_page_that_was_asked_for_in_vain() -> None:
    """The first page breaks while it is read: what was asked for meanwhile must not be taken for the answer to something else."""
    good = three_pages()
    broken = answer(good[0].body.replace(b"</objects><objects>", b"</objects><objects><obj></objects>"))
    with saying([broken, good[1], *good]) as session:
        rows = collect_objects(session, vim.HostSystem, ["host-1"], ("name",))
    assert [row.moid for row in rows] == ["host-1", "host-1b", "host-2", "host-2b", "host-3"]


def test_what_is_sent_is_escaped_and_said_once() -> None:
    with saying([page("")]) as session:
        collect_objects(session, vim.HostSystem, ["<a&b>", "<a&b>"], ('config.x["<"]',))
        (asked,) = session.asked  # type: ignore[attr-defined]
    assert asked.count(b'<obj type="HostSystem">&lt;a&amp;b&gt;</obj>') == 1
    assert b'<pathSet>config.x["&lt;"]</pathSet>' in asked


# -- later releases -----------------------------------------------------------------------------------------------


def one_value(value: str) -> Any:
    (row,) = read(page(host(x=value)), fast=True)
    return row.values["x"]


def test_a_field_of_a_later_release_is_left_out() -> None:
    found = one_value(pci().replace("<bus>", "<aura><colour>red</colour></aura><bus>"))
    assert found[0].id == "0000:5E:00.0"
    assert not hasattr(found[0], "aura")


def test_a_type_of_a_later_release_is_read_as_far_as_it_is_declared() -> None:
    found = one_value(
        '<val xsi:type="ArrayOfVirtualDevice"><VirtualDevice xsi:type="VirtualPCIPassthrough"><key>13000</key>'
        '<backing xsi:type="VirtualPCIPassthroughQuantumBackingInfo"><qubits>9</qubits></backing></VirtualDevice>'
        '<VirtualDevice xsi:type="VirtualTeapot"><key>99</key><spout>left</spout></VirtualDevice></val>'
    )
    assert isinstance(found[0], vim.vm.device.VirtualPCIPassthrough)
    assert isinstance(found[0].backing, vim.vm.device.VirtualDevice.BackingInfo)
    assert type(found[0].backing).__name__ == "VirtualPCIPassthroughQuantumBackingInfo"
    assert isinstance(found[1], vim.vm.device.VirtualDevice)
    assert found[1].key == 99


def test_a_value_of_a_type_nobody_knows_keeps_its_shape() -> None:
    found = one_value(
        '<val xsi:type="ArrayOfHostAura"><HostAura><hue>red</hue><ring>1</ring><ring>2</ring></HostAura></val>'
    )
    assert [(aura.hue, aura.ring) for aura in found] == [("red", ["1", "2"])]
    assert one_value('<val xsi:type="HostMood">sunny</val>') == "sunny"


def test_an_enumeration_may_grow() -> None:
    found = one_value('<val xsi:type="HostSystemConnectionState">beamedUp</val>')
    assert str(found) == "beamedUp"
    assert isinstance(found, vim.HostSystem.ConnectionState)


def test_a_reason_of_a_later_release_is_a_fault_all_the_same() -> None:
    missing = (
        "<missingSet><path>p</path><fault><fault xsi:type='QuantumFault'><spin>1</spin></fault>"
        "<localizedMessage>so</localizedMessage></fault></missingSet>"
    )
    (row,) = read(page(host(name=text("a")).replace("</objects>", missing + "</objects>")), fast=True)
    assert isinstance(row.missing["p"], vmodl.MethodFault)
    assert row.missing["p"].msg == "so"


def test_values_cannot_be_changed() -> None:
    """They are shared by all hosts with the same card."""
    (device,) = one_value(pci())
    with pytest.raises(AttributeError):
        device.vendorId = 1
    with pytest.raises(AttributeError):
        device.note = "mine"
    assert device
    assert device != one_value(pci())[0]
    assert "vendorId=-32634" in repr(device)


def test_a_missing_property_says_why() -> None:
    missing = (
        "<missingSet><path>config</path><fault><fault xsi:type='NoPermission'><object type='HostSystem'>host-1</object>"
        "<privilegeId>System.Read</privilegeId></fault><localizedMessage/></fault></missingSet>"
    )
    said = page(host(name=text("a")).replace("</objects>", missing + "</objects>"))
    for fast in (True, False):
        (row,) = read(said, fast=fast)
        assert isinstance(row.missing["config"], vim.fault.NoPermission)
        assert row.missing["config"].privilegeId == "System.Read"
        assert row.missing["config"].object._moId == "host-1"
        assert row.get("config") is None


# -- what is not the truth ----------------------------------------------------------------------------------------

WHOLE = page("".join(host(f"host-{n}", name=text(f"esx-{n}"), hardware_pciDevice=pci()) for n in range(300)))
ZIPPED = gzip.compress(WHOLE.encode())
GZIP = {"Content-Encoding": "gzip"}
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "haha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]>"
)
CUT = {
    "closed in the middle": answer(WHOLE[: len(WHOLE) // 2], length=len(WHOLE)),
    "cut and sized": answer(WHOLE[: len(WHOLE) // 2]),
    "cut after an object": answer(WHOLE[: WHOLE.index("</objects>", 20_000) + len("</objects>")]),
    "cut before the end": answer(WHOLE[:-1]),
    "closed in the middle, zipped": answer(ZIPPED[: len(ZIPPED) // 2], length=len(ZIPPED), headers=GZIP),
    "cut and sized, zipped": answer(ZIPPED[: len(ZIPPED) // 2], headers=GZIP),
    "without the last bytes of gzip": answer(ZIPPED[:-5], headers=GZIP),
    "damaged, zipped": answer(ZIPPED[:900] + b"\0" * 40 + ZIPPED[940:], headers=GZIP),
    "nothing": answer(""),
    "more than one": answer(WHOLE + WHOLE),
    "a page for humans": answer("<html><body>Log in</body></html>"),
    "a page for humans, of some length": answer("<html><body>" + "<p>Log in</p>" * 500 + "</body></html>"),
    "no envelope": answer("<RetrievePropertiesExResponse><returnval/></RetrievePropertiesExResponse>"),
    "an empty envelope": answer(HEAD + TAIL),
    "the answer to another question": answer(f'{HEAD}<LoginResponse xmlns="urn:vim25"/>{TAIL}'),
    "an object without a name": answer(page("<objects><propSet><name>a</name></propSet></objects>")),
    "a number that is none": answer(page(host(hardware_pciDevice=pci(vendor="many")))),
    "a number of a million digits": answer(page(host(hardware_pciDevice=pci(vendor="9" * 1_000_000)))),
    "an unknown entity": answer(page(host(name=text("&unheard;")))),
    "a control character": answer(page(host(name=text("\x01")))),
    "bytes that are no text": answer(page(host(name=text("@"))).encode().replace(b"@", b"\xff\xfe")),
    "utf-16": answer(page(host(name=text("a"))).replace("UTF-8", "UTF-16").encode("utf-16")),
    "entities that grow": answer(
        page(host(name=text("&j;"))).replace('<?xml version="1.0" encoding="UTF-8"?>\n', BOMB)
    ),
    "a document type": answer(page("").replace('encoding="UTF-8"?>', 'encoding="UTF-8"?><!DOCTYPE x>')),
    "an encoding nobody asked for": answer(b"abc", headers={"Content-Encoding": "br"}),
}


@pytest.mark.parametrize("said", CUT.values(), ids=CUT)
def test_what_is_not_whole_is_not_believed(said: Answer) -> None:
    with saying([said]) as session:
        with pytest.raises((BrokenAnswer, ConnectionError, HTTPException)) as caught:
            collect_objects(session, vim.HostSystem, ["host-1"], ("name",))
        assert len(session.asked) == ATTEMPTS  # type: ignore[attr-defined]
    assert is_transient(caught.value)
    told = explain_connection(caught.value, doing="read", on="vc")
    assert told.code in ("unreadable_answer", "connection_lost")
    assert "write" not in told.sentence()
    if told.code == "unreadable_answer":
        assert "the answer to RetrievePropertiesEx cannot be read" in told.message


@pytest.mark.parametrize("fast", [True, False], ids=["C parser", "pyVmomi"])
@pytest.mark.parametrize("name", [name for name in CUT if "cut" in name or "closed" in name or "gzip" in name])
def test_an_answer_cut_short_is_asked_for_again(name: str, fast: bool) -> None:
    rows = read(CUT[name], CUT[name], answer(ZIPPED, headers=GZIP), fast=fast)
    assert [row.get("name") for row in rows] == sorted(f"esx-{n}" for n in range(300))


@pytest.mark.parametrize("fast", [True, False], ids=["C parser", "pyVmomi"])
def test_a_page_that_was_lost_cannot_be_had_twice_so_the_read_begins_anew(fast: bool) -> None:
    first = page(host("host-1", name=text("a")), token="1")
    last = page(host("host-2", name=text("b"))).replace("RetrieveProp", "ContinueRetrieveProp")
    used_up = answer(
        f"{HEAD}<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>token</faultstring><detail>"
        f'<InvalidArgumentFault xmlns="urn:vim25" xsi:type="InvalidArgument"/></detail></soapenv:Fault>{TAIL}',
        status=500,
    )
    rows = read(first, answer(last[:-200]), used_up, first, last, fast=fast)
    assert [row.moid for row in rows] == ["host-1", "host-2"]
    with pytest.raises(vmodl.fault.InvalidArgument):
        read(first, used_up, fast=fast)


@pytest.mark.parametrize("fast", [True, False], ids=["C parser", "pyVmomi"])
def test_more_objects_were_promised_and_none_came(fast: bool) -> None:
    first = page(host("host-1", name=text("a")), token="1")
    nothing = f'{HEAD}<ContinueRetrievePropertiesExResponse xmlns="urn:vim25"/>{TAIL}'
    with pytest.raises(BrokenAnswer):
        read(first, nothing, fast=fast)


@pytest.mark.parametrize("fast", [True, False], ids=["C parser", "pyVmomi"])
def test_a_fault_is_the_same_fault(fast: bool) -> None:
    fault = answer(
        f"{HEAD}<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>nö &amp; no</faultstring><detail>"
        '<NoPermissionFault xmlns="urn:vim25" xsi:type="NoPermission"><object type="Folder">group-d1</object>'
        f"<privilegeId>System.View</privilegeId></NoPermissionFault></detail></soapenv:Fault>{TAIL}",
        status=500,
    )
    with pytest.raises(vim.fault.NoPermission) as caught:
        read(fault, fast=fast)
    assert caught.value.msg == "nö & no"
    assert caught.value.privilegeId == "System.View"
    assert caught.value.object._moId == "group-d1"


@pytest.mark.parametrize(
    ("status", "body", "transient"),
    [(503, "busy", True), (502, "", True), (404, "", False), (302, "", False), (500, "", False), (401, "x", False)],
)
def test_a_status_is_what_it_is_to_pyvmomi(status: int, body: str, transient: bool) -> None:
    with saying([answer(body, status=status)]) as session:
        with pytest.raises(HTTPException, match=str(status)):
            collect_objects(session, vim.HostSystem, ["host-1"], ("name",))
        assert len(session.asked) == (ATTEMPTS if transient else 1)  # type: ignore[attr-defined]


def test_a_page_for_humans_with_status_500_is_not_a_fault() -> None:
    with pytest.raises((BrokenAnswer, HTTPException)):
        read(answer("<html><body>oops</body></html>", status=500), fast=True)


# -- hostile servers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fast", [True, False], ids=["C parser", "pyVmomi"])
@pytest.mark.parametrize("status", [200, 500])
def test_entities_that_grow_cost_nothing(fast: bool, status: int) -> None:
    """Ten to the ninth of "haha": the C parser is not even asked, and pyVmomi's has a limit of its own."""
    began = time.process_time()
    tracemalloc.start()
    try:
        with pytest.raises(Exception, match=r"SOAP|amplification|entity|not whole|not well-formed"):
            read(answer(CUT["entities that grow"].body, status=status), fast=fast)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert time.process_time() - began < 5
    assert peak < 64 << 20


def test_entities_of_files_are_not_fetched() -> None:
    body = page(host(name=text("&x;"))).replace(
        'encoding="UTF-8"?>', 'encoding="UTF-8"?><!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    )
    with pytest.raises(BrokenAnswer, match="not SOAP"):
        read(body, fast=True)


@pytest.mark.parametrize(
    "filler",
    [b"<a>" * 1_000_000, b"<!-- " + b"x" * (40 << 20), b"<a/>" * 9_000_000, b"z" * (40 << 20)],
    ids=["deep", "a comment", "wide", "long"],
)
def test_an_answer_that_would_fill_the_memory_is_given_up(filler: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "MOST_OF_ONE", 2 << 20)
    begin = page(host(name=text("a"))).encode().partition(b"</objects>")[0]
    body = gzip.compress(begin + b"<propSet><name>x</name><val>" + filler, 1)
    assert len(body) < 200_000
    with pytest.raises(BrokenAnswer):
        read(answer(body, headers=GZIP), fast=True)


def test_a_prolog_without_an_end_is_given_up_at_once() -> None:
    began = time.process_time()
    with pytest.raises(BrokenAnswer, match="not SOAP"):
        read(answer(b"<?xml " + b'encoding="utf-8" ' * 200_000), fast=True)
    assert time.process_time() - began < 3
