# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of the journal without names: every word that a run writes comes back, apart from names, and a forged value does not."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.capture.journal import (
    Names,
    replaced,
    short_digest,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.gate_record import GateVms
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.codec import encode, seal
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import (
    DEVICES,
    ENTRY,
    GATE,
    LINKS,
    LOCK,
    VM,
    Before,
    Entry,
    Lock,
    VmEntry,
)

NAMES = Names(
    text=lambda text: "alias",
    moid=lambda moid: moid,
    name=lambda name: name if name.startswith("vmnic") else "text-00001",
    store={short_digest("site"): short_digest("datastore-00001")}.__getitem__,
)
ENTRIES: dict[str, Any] = {
    "run_id": "5f0d21c7", "step": "checking", "at": 1e9, "started": 1e9 - 60, "by_operator": True, "tries": 3, "calls": 2,
    "called": 1e9 + 5, "cycle": True, "pending": "4f3a,00c1", "boot": 9e8, "away": True, "asked": 1e9 - 5, "drained": 61.0,
    "rebooted": 300.0, "gate": True, "ready": 1e9 + 9, "code": "gate_failed",
}  # fmt: skip
DEVICE_MARKS = (("0000:3b:00.0", "4be1+"), ("0001:3b:00.1", "4be1"))
LOCKED: dict[str, Any] = {
    "run_id": "5f0d21c7",
    "scope": "9a41d3e0",
    "since": 1e9,
    "beat": 1e9,
    "ttl": 300,
    "ahead": 7.0,
}


@pytest.mark.parametrize(
    ("real", "anonymous"),
    [
        (Entry(**ENTRIES, account="bob@site"), Entry(**ENTRIES, account="alias")),
        (Entry(**ENTRIES, text="why of esx-1.site"), Entry(**ENTRIES, text="alias")),
        (Entry(**ENTRIES, purpose="maintenance", account="SITE\\bob"), Entry(**ENTRIES, purpose="maintenance", account="alias")),
        (Lock(**LOCKED, owner="bob@bastion:4711:1:x"), Lock(**LOCKED, owner="alias")),
        (
            Lock(**{**LOCKED, "scope": ""}, owner="bob", purpose="maintenance"),
            Lock(**{**LOCKED, "scope": ""}, owner="alias", purpose="maintenance"),
        ),
        (
            Before(devices=DEVICE_MARKS, datastores=(short_digest("site"),), uplinks=("vmnic0", "SITE"), build="24022510"),
            Before(devices=DEVICE_MARKS, datastores=(short_digest("datastore-00001"),), uplinks=("vmnic0", "text-00001"), build="24022510"),
        ),
        (Before(devices=(("*20", "0123abcd"),), datastores=("*30",), uplinks=("*13",)),) * 2,
        (VmEntry(run_id="5f0d21c7", host="host-12", step="start", at=1e9, rank=2, calls=1, called=1e9, forced=True),) * 2,
        (GateVms(stopped=("vm-12", "vm-13"), ran=("vm-14",)),) * 2,
    ],
)  # fmt: skip
def test_names_are_replaced_and_the_rest_stays(real: Any, anonymous: Any) -> None:
    made = {attribute: replaced(attribute, text, NAMES) for attribute, text in encode(real).items()}
    assert made == encode(anonymous)


@pytest.mark.parametrize(
    ("attribute", "text"),
    [
        (ENTRY, "dp1 draining roll=5f0d21c7 at=2026-01-05T07:46:00Z started=-0 ~0000"),
        (ENTRY, seal(["draining", "roll=secret", "at=2026-01-05T07:46:00Z", "started=-0"])),
        (ENTRY, seal(["secret", "roll=5f0d21c7", "at=2026-01-05T07:46:00Z", "started=-0"])),
        (ENTRY, seal(["draining", "roll=5f0d21c7", "at=2026-01-05T07:46:00Z", "started=-0", "code=Secret-1"])),
        (ENTRY, seal(["draining", "roll=5f0d21c7", "at=2026-01-05T07:46:00Z", "started=-0", "debt=secret"])),
        (LOCK, seal(["lock", "roll=5f0d21c7", "scope=secret", "since=2026-01-05T07:46:00Z", "beat=2026-01-05T07:46:00Z", "ttl=3"], "x")),
        (VM, seal(["stop", "roll=secret", "host=host-1", "at=2026-01-05T07:46:00Z", "rank=0"])),
        (DEVICES, seal(["devices", "secret=4be1"])),
        (DEVICES, seal(["devices", "3b:00.0=secret"])),
        (LINKS, seal(["links", "ds=", "up=", "build=secret"])),
        (GATE, seal(["secret", "stopped=1"])),
        ("directpath.stop_order", "after secret"),
        ("directpath.parked", "entered by secret"),
        ("directpath.roll.pause", "secret"),
        ("directpath.tomorrow", "secret"),
    ],
)  # fmt: skip
def test_what_no_run_writes_is_no_value(attribute: str, text: str) -> None:
    assert replaced(attribute, text, NAMES) is None


def test_words_that_a_later_release_adds_are_dropped() -> None:
    text = seal(["draining", "roll=5f0d21c7", "at=2026-01-05T07:46:00Z", "started=+0", "tomorrow=secret"])
    assert "secret" not in str(replaced(ENTRY, text, NAMES))


def test_orders_and_earlier_marks_stay_without_names() -> None:
    assert replaced("directpath.stop_order", "-20", NAMES) == "-20"
    assert replaced("directpath.parked", "entered by bob [host-12]", NAMES) == "alias [host-12]"
