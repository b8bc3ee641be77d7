# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drift report as JUnit XML, which CI systems show as tests. PRIVATE to the collection.

Each vCenter is a suite; each host, each VM and each device in a guest is a test. It passes when the object is in sync, is a failure on
drift, an error when the state is unknown, and skipped when all differences are expected or, in a guest, when it was not verified. It has
one of these results only: some CI systems reject more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as Xml

from ...module_utils._domain.drift.guests import GUEST_KINDS
from ...module_utils._domain.drift.kinds import KINDS

Record = Mapping[str, Any]

_UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not allow."""


def render_junit(report: Record, *, made: str) -> str:
    """The XML of a merged ``report``. ``made``: when it was made, as ``2026-11-22T16:00:00``."""
    suites = [_suite(number, part, made) for number, part in enumerate(report["vcenters"])]
    totals = _totals(suites, "directpath.vsphere drift")
    totals.pop("skipped")  # the JUnit schema allows it on a suite only
    root = Xml.Element("testsuites", totals)
    root.extend(suites)
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'


def _suite(number: int, part: Record, made: str) -> Xml.Element:
    found: dict[tuple[str, str], list[Record]] = {}
    for record in part["differences"]:
        if record["kind"] not in GUEST_KINDS.values():  # they are the results of tests of their own
            found.setdefault((record["type"], record["moid"] or record["object"]), []).append(record)
    cases = [_case(part, "host", host["name"], found.pop(("host", host["moid"]), [])) for host in part["hosts"]]
    cases += [_case(part, "vm", vm["name"], found.pop(("vm", vm["moid"]), [])) for vm in part["vms"]]
    cases += [_guest_case(part, record, device) for record in part.get("guests") or () for device in _devices(record)]
    cases += [_case(part, kind, records[0]["object"], records) for (kind, _key), records in sorted(found.items())]
    suite = Xml.Element("testsuite")
    suite.extend(cases)
    name = _fit(part["vcenter"])
    suite.attrib.update({**_totals([suite], name), "id": str(number), "timestamp": made, "hostname": name})
    return suite


def _totals(elements: Iterable[Xml.Element], name: str) -> dict[str, str]:
    cases = [case for element in elements for case in element.iter("testcase")]
    counted = {
        key: sum(case.find(tag) is not None for case in cases)
        for key, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))
    }
    return {
        "name": name,
        "tests": str(len(cases)),
        **{key: str(value) for key, value in counted.items()},
        "time": "0",
    }


def _case(part: Record, kind: str, name: str, records: Sequence[Record]) -> Xml.Element:
    case = Xml.Element("testcase", {"classname": _fit(f"{part['vcenter']}.{kind}"), "name": _fit(name), "time": "0"})
    counted = [record for record in records if not record["ignored"]]
    expected = [record for record in records if record["ignored"]]
    if counted:
        drifted = [record for record in counted if record["certainty"] == "drift"]
        shown = drifted or counted
        titles = dict.fromkeys(KINDS[record["kind"]].title for record in shown)
        attributes = {"message": _fit(f"{name}: {', '.join(titles)}"), "type": _fit(shown[0]["kind"])}
        outcome = Xml.SubElement(case, "failure" if drifted else "error", attributes)
        outcome.text = _fit("\n\n".join(_paragraph(record) for record in counted))
    elif expected:
        rules = ", ".join(dict.fromkeys(str(record["ignored"]) for record in expected))
        Xml.SubElement(case, "skipped", {"message": _fit(f"expected: {rules}")})
    return case


def _devices(guest: Record) -> Sequence[Record]:
    return guest["devices"] or [{**guest, "device": ""}]


def _guest_case(part: Record, guest: Record, device: Record) -> Xml.Element:
    """A device in a guest. One that was not verified is skipped: a test that passed means that the device was seen to work."""
    name = " ".join(text for text in (guest["vm"], device["device"]) if text)
    case = Xml.Element("testcase", {"classname": _fit(f"{part['vcenter']}.guest"), "name": _fit(name), "time": "0"})
    if device["status"] == "not_verified":
        Xml.SubElement(case, "skipped", {"message": _fit(f"not verified: {device['reason']}")})
    elif device["status"] in GUEST_KINDS:
        kind = GUEST_KINDS[device["status"]]
        attributes = {"message": _fit(f"{name}: {KINDS[kind].title}"), "type": kind}
        outcome = Xml.SubElement(case, "failure" if device["status"] == "failed" else "error", attributes)
        outcome.text = _fit("\n".join(text for text in (device["reason"], f"fix: {device['cure']}") if text))
    return case


def _paragraph(record: Record) -> str:
    """One difference as lines: what, why, and what to do next."""
    head = " ".join(text for text in (record["object"], record["subject"], record["device"]) if text)
    lines = [f"{head}: {record['title']}", record["cause"], *record["obstacles"]]
    if record["wanted"] or record["found"]:
        lines.append(f"desired: {record['wanted'] or '-'}; actual: {record['found'] or '-'}")
    lines += [f"fix: {record['cure']}"] if record["cure"] else []
    lines += [f"command: {record['command']}"] if record["command"] else []
    return "\n".join(lines)


def _fit(text: Any) -> str:
    """The text without characters that XML does not allow."""
    return _UNFIT.sub("\ufffd", str(text))
