# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input to drift_info. What it finds is no bad input: only what cannot be meant is."""

from __future__ import annotations

from typing import Any

from tests.unit.modules.bad_input.cases import Case
from tests.unit.modules.harness import Lab
from tests.unit.pains.labs import desired, host, lab, vm

ONE: dict[str, Any] = {"targets": [{"cluster": ["gpu"], "devices": desired()}]}


def pair() -> Lab:
    return lab([host("esx-01"), host("esx-02")], [vm()])


def look(title: str, code: str | None, says: tuple[str, ...], **more: Any) -> Case:
    return Case(
        title=title,
        module="drift_info",
        options={**more.pop("where", ONE), **more.pop("options", {})},
        code=code,
        says=says,
        lab=more.pop("lab", pair),
        **more,
    )


def ignoring(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"ignore": list(rules)}


CASES = [
    look("nothing to compare", None, ("targets", "vms"), where={}),
    look("a target without hosts", "no_hosts", ("targets[0]", "hosts"), where={"targets": [{"devices": desired()}]}),
    look(
        "an address for several hosts",
        "address_needs_identity",
        ("0000:3b:00.0", "vendor_id"),
        where={"targets": [{"cluster": ["gpu"], "devices": [{"match": "0000:3b:00.0"}]}]},
    ),
    look(
        "one VM in two entries of the same name",
        "vm_twice",
        ("train-01", "one entry"),
        options={"vms": [{"name": "train-01", "devices": []}, {"name": "train-01", "devices": desired()}]},
    ),
    look("a VM without a name", "no_vms", ("vms[0]", "name or moid"), options={"vms": [{"devices": desired()}]}),
    look("a rule without a name", None, ("name",), options=ignoring({"hosts": ["esx-01"]})),
    look(
        "a rule that lets everything pass", "bad_rule", ("ignore[0]", "kinds"), options=ignoring({"name": "all of it"})
    ),
    look(
        "a rule with a kind that does not exist",
        "bad_rule",
        ("pending_rebot", "pending_reboot"),
        options=ignoring({"name": "reboots", "kinds": ["pending_rebot"]}),
    ),
    look(
        "two rules of one name",
        "bad_rule",
        ("ignore[1]", "a different name"),
        options=ignoring({"name": "lab", "hosts": ["a"]}, {"name": "lab", "vms": ["b"]}),
    ),
    look("a rule with a key that does not exist", None, ("host",), options=ignoring({"name": "lab", "host": ["a"]})),
    look("fewer questions than none", "bad_amount", ("max_host_queries", "0"), options={"max_host_queries": -1}),
]
