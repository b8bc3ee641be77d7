# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal as text: what is written is read again, what is not ours is never believed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.codec import (
    decode_host,
    decode_lock,
    decode_maintenance,
    decode_vm,
    digest,
    encode,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import (
    DEVICES,
    EARLIER_MARK,
    ENTRY,
    LINKS,
    LOCK,
    LONGEST,
    MAINTENANCE,
    MAINTENANCE_VM,
    VM,
    Before,
    Entry,
    Garbage,
    Lock,
    Step,
    VmEntry,
)
from tests.unit.module_utils._domain.rolling.builders import NOW, entry
from tests.unit.searching import search

moments = st.integers(0, 2**32).map(float)
ids = st.text("0123456789abcdef", min_size=8, max_size=8)
lengths = st.integers(0, 10**6).map(float)
words = st.text(min_size=0, max_size=400)
entries = st.builds(
    Entry,
    run_id=ids,
    step=st.sampled_from([step for step in get_args(Step) if step != "maintenance"]),
    at=moments,
    started=moments,
    by_operator=st.booleans(),
    tries=st.integers(1, 9),
    cycle=st.booleans(),
    pending=st.just("") | ids,
    boot=st.none() | moments,
    asked=st.none() | moments,
    drained=st.none() | lengths,
    rebooted=st.none() | lengths,
    code=st.sampled_from(["", "not_back", "maintenance_by_other"]),
)
vm_entries = st.builds(
    VmEntry,
    run_id=ids,
    host=st.integers(1, 10**6).map("host-{}".format),
    step=st.sampled_from(["stop", "start"]),
    at=moments,
    rank=st.integers(-1000, 1000),
    forced=st.booleans(),
)
locks = st.builds(
    Lock,
    owner=st.text("abcxyz@./- 019#~", min_size=1, max_size=80).map(str.strip).filter(bool),
    run_id=ids,
    scope=ids,
    since=moments,
    beat=moments,
    ttl=st.integers(1, 10**5).map(float),
    finishing=st.booleans(),
)


@given(entries, st.integers(0, 99), moments, words)
def test_an_entry_is_read_as_it_was_written(value: Entry, calls: int, called: float, text: str) -> None:
    value = replace(value, calls=calls, called=called if calls else 0.0)
    found, _unused, garbage = decode_host(encode(replace(value, text=text)))
    assert found is not None
    assert garbage == ()
    assert replace(found, text="") == value
    flat = " ".join(text.split())
    assert found.text == flat or (found.text.endswith("…") and flat.startswith(found.text[:-1]))


@given(entries, st.sampled_from(get_args(Step)), words, words)
def test_an_entry_of_maintenance_is_read_as_it_was_written(value: Entry, step: Step, account: str, text: str) -> None:
    """In an attribute of its own, which no rolling reboot takes for its entry. An account without room is left out."""
    plain: Any = {
        "purpose": "maintenance",
        "by_operator": False,
        "tries": 1,
        "cycle": False,
        "pending": "",
        "boot": None,
    }
    value = replace(value, **plain, step=step, asked=None, rebooted=None, account=account.strip(), text=text)
    stored = encode(value)
    assert [*stored] == [MAINTENANCE]
    assert len(stored[MAINTENANCE]) <= LONGEST
    found = decode_maintenance(stored)
    assert isinstance(found, Entry)
    assert found.account in (account.strip(), "")
    assert replace(found, text="", account="") == replace(value, text="", account="")
    assert decode_host(stored) == (None, None, ())
    assert isinstance(decode_maintenance({MAINTENANCE: stored[MAINTENANCE] + "x"}), Garbage)


@pytest.mark.parametrize(
    ("mark", "account"),
    [("maintenance mode for work on its hardware, entered by ops@lab", "ops@lab"), ("a person wrote this", "")],
)
def test_a_mark_of_an_earlier_release_counts_as_an_entry(mark: str, account: str) -> None:
    found = decode_maintenance({EARLIER_MARK: mark})
    assert isinstance(found, Entry)
    assert (found.step, found.purpose, found.account) == ("maintenance", "maintenance", account)
    newer = replace(found, run_id="136c818c", step="leaving", at=MOMENT, started=MOMENT, account="", text="")
    assert decode_maintenance({EARLIER_MARK: mark, **encode(newer)}) == newer


def test_a_mark_of_an_earlier_release_on_a_vm_names_its_host() -> None:
    found = decode_vm({EARLIER_MARK: "shut down for work on esx-01.lab [host-3]"}, "maintenance")
    assert isinstance(found, VmEntry)
    assert (found.host, found.step, found.purpose) == ("host-3", "stop", "maintenance")
    assert decode_vm({EARLIER_MARK: "shut down for work"}, "maintenance") is None
    assert decode_vm({EARLIER_MARK: "shut down for work on esx-01.lab [host-3]"}) is None


@given(vm_entries, st.integers(0, 99), moments)
def test_a_vm_entry_is_read_as_it_was_written(value: VmEntry, calls: int, called: float) -> None:
    value = replace(value, calls=calls, called=called if calls else 0.0)
    assert decode_vm(encode(value)) == value


@given(locks)
def test_a_lock_is_read_as_it_was_written(value: Lock) -> None:
    found = decode_lock(encode(value))
    assert isinstance(found, Lock)
    assert replace(found, owner="") == replace(value, owner="")
    assert found.owner == " ".join(value.owner.split())


@given(entries | vm_entries | locks, words)
def test_no_value_is_longer_than_vcenter_takes(value: Entry | VmEntry | Lock, text: str) -> None:
    if isinstance(value, Entry):
        value = replace(value, text=text, calls=12345, called=0.0)
    assert all(len(line) <= LONGEST for line in encode(value).values())


def test_the_longest_entry_leaves_room_for_why() -> None:
    value = entry(
        "backing_out",
        pending="c2c36d21",
        asked=NOW - 9999,
        drained=99999.0,
        rebooted=99999.0,
        tries=9,
        code="maintenance_by_other",
        by_operator=True,
        cycle=True,
        text="x" * 300,
    )
    text = encode(value)[ENTRY]
    assert len(text) == LONGEST
    assert text.count("x") >= 20


def test_a_person_can_read_it() -> None:
    text = encode(entry("failed", at=1_769_160_271.0, started=1_769_159_271.0, calls=0, text="it is not back"))[ENTRY]
    assert text.startswith("dp1 failed roll=1f3c9a2e at=2026-01-23T09:24:31Z started=-1000 ")
    assert " # it is not back ~" in text


WRITTEN = [
    entry("rebooting", at=NOW, tries=2),
    VmEntry(run_id="1f3c9a2e", host="host-21", step="stop", at=NOW, rank=-3),
    Lock(owner="root@tower-4711", run_id="1f3c9a2e", scope="0a1b2c3d", since=NOW, beat=NOW, ttl=600.0),
]


@pytest.mark.parametrize("value", WRITTEN, ids=lambda value: type(value).__name__)
def test_a_character_that_was_changed_anywhere_is_noticed(value: Entry | VmEntry | Lock) -> None:
    ((attribute, text),) = encode(value).items()
    decode = {ENTRY: lambda given: decode_host(given)[0], VM: decode_vm, LOCK: decode_lock}[attribute]
    assert decode({attribute: text}) == value
    for at, sign in enumerate(text):
        for other in {"0", "1", "x", "-"} - {sign}:
            changed = decode({attribute: text[:at] + other + text[at + 1 :]})
            assert changed is None or isinstance(changed, Garbage), text[:at] + other + text[at + 1 :]


@given(entries | vm_entries | locks, st.data())
def test_what_was_changed_is_not_believed(value: Entry | VmEntry | Lock, data: st.DataObject) -> None:
    """Cut off, or one character another one: never read as something else (one in 65,536 slips through a checksum of 16 bits)."""
    ((attribute, text),) = encode(value).items()
    at = data.draw(st.integers(0, len(text) - 1))
    changed = data.draw(st.sampled_from([text[:at], text[:at] + "¤" + text[at + 1 :]]))
    found = {ENTRY: decode_host, VM: decode_vm, LOCK: decode_lock}[attribute]({attribute: changed})
    if attribute == ENTRY:
        known, _unused, garbage = found  # type: ignore[misc]
        assert known is None
        assert len(garbage) == (1 if changed.strip() else 0)
    else:
        assert found is None if not changed.strip() else isinstance(found, Garbage)


@search(2)
@given(st.text(max_size=300))
def test_what_others_wrote_is_garbage(text: str) -> None:
    kept, _unused, garbage = decode_host({ENTRY: text})
    assert kept is None
    assert bool(garbage) == bool(text.strip())
    assert isinstance(decode_lock({LOCK: text}), Garbage) == bool(text.strip())
    assert isinstance(decode_vm({VM: text}), Garbage) == bool(text.strip())


@pytest.mark.parametrize(
    "line",
    [
        "dp1 rebooting roll=1",
        "dp2 rebooting roll=1 at=2026-01-23T09:24:31Z started=+0",
        "dp1 dancing roll=1 at=2026-01-23T09:24:31Z started=+0",
        "dp1 done roll=1 at=yesterday started=+0",
        "dp1 done roll=1 at=2026-01-23T09:24:31Z started=nan tries=x",
    ],
)
def test_a_checksum_alone_makes_no_entry(line: str) -> None:
    """Written by a later release, or by a fault of our own."""
    from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.codec import _check

    kept, _unused, garbage = decode_host({ENTRY: f"{line} ~{_check(line)}"})
    assert kept is None
    assert len(garbage) == 1


def test_what_a_host_had_before_is_read_as_it_was_written() -> None:
    value = Before(
        devices=tuple((f"0000:{n:02x}:00.0", digest(str(n))[:4]) for n in range(16)),
        datastores=tuple(digest(str(n))[:4] for n in range(24)),
        uplinks=tuple(f"vmnic{n}" for n in range(12)),
    )
    texts = encode(value)
    assert set(texts) == {DEVICES, LINKS}
    assert all(len(text) <= LONGEST for text in texts.values())
    assert decode_host(texts)[1] == value


def test_an_address_of_another_segment_is_kept_whole() -> None:
    value = Before(devices=(("0001:3b:00.0", "abcd"),))
    assert decode_host(encode(value))[1] == value


def test_half_of_it_is_not_taken_for_all() -> None:
    texts = dict(encode(Before(uplinks=("vmnic0",))))
    del texts[DEVICES]
    assert decode_host(texts)[1] is None


def test_nothing_is_nothing() -> None:
    assert decode_host({}) == (None, None, ())
    assert decode_vm({VM: ""}) is None
    assert decode_lock({}) is None


MOMENT = 1767600000.0
STORED = {
    "host": (
        Entry(
            run_id="136c818c",
            step="backing_out",
            at=MOMENT,
            started=MOMENT - 30,
            by_operator=True,
            tries=2,
            calls=3,
            called=MOMENT + 5,
            cycle=True,
            pending="7b36",
            boot=MOMENT - 86400,
            asked=MOMENT - 10,
            drained=30.0,
            rebooted=320.0,
            code="not_back",
            text="no answer",
        ),
        {
            ENTRY: "dp1 backing_out roll=136c818c at=2026-01-05T08:00:00Z started=-30 calls=3 called=+5 theirs cycle tries=2 "
            "debt=7b36 boot=2026-01-04T08:00:00Z asked=-10 drained=30 rebooted=320 code=not_back # no answer ~596e"
        },
    ),
    "vm": (
        VmEntry(
            run_id="136c818c", host="host-1", step="stop", at=MOMENT, rank=4, calls=2, called=MOMENT + 9, forced=True
        ),
        {
            VM: "dp1 stop roll=136c818c host=host-1 at=2026-01-05T08:00:00Z rank=4 calls=2 called=+9 forced "
            "# it is started again when its host is back ~7dfe"
        },
    ),
    "maintenance": (
        Entry(
            run_id="136c818c",
            step="maintenance",
            at=MOMENT,
            started=MOMENT - 30,
            purpose="maintenance",
            account="LAB\\anna b",
            drained=30.0,
            text="in maintenance mode",
        ),
        {
            MAINTENANCE: "dp1 maintenance roll=136c818c at=2026-01-05T08:00:00Z started=-30 by=LAB\\anna%20b drained=30 "
            "# in maintenance mode ~6989"
        },
    ),
    "maintenance vm": (
        VmEntry(run_id="136c818c", host="host-1", step="start", at=MOMENT, purpose="maintenance"),
        {
            MAINTENANCE_VM: "dp1 start roll=136c818c host=host-1 at=2026-01-05T08:00:00Z rank=0 "
            "# shut down for the maintenance of its host; host_maintenance with state: absent starts it again ~ac2b"
        },
    ),
    "lock": (
        Lock(
            owner="a@b:1:x",
            run_id="136c818c",
            scope="9c616d6c",
            since=MOMENT,
            beat=MOMENT + 60,
            ttl=300.0,
            finishing=True,
        ),
        {
            LOCK: "dp1 lock roll=136c818c scope=9c616d6c since=2026-01-05T08:00:00Z beat=2026-01-05T08:01:00Z ttl=300 "
            "finishing # a@b:1:x ~2299"
        },
    ),
}
"""Values with every word that can be stored, and the texts that an earlier release wrote for them."""


@pytest.mark.parametrize("name", STORED)
def test_every_stored_word_stays(name: str) -> None:
    value, texts = STORED[name]
    assert encode(value) == texts
    decoded = {
        "host": lambda: decode_host(texts)[0],
        "vm": lambda: decode_vm(texts),
        "maintenance": lambda: decode_maintenance(texts),
        "maintenance vm": lambda: decode_vm(texts, "maintenance"),
        "lock": lambda: decode_lock(texts),
    }
    assert decoded[name]() == value
