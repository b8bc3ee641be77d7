# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text form of the journal: one short line for each value, readable for an administrator in vCenter. PRIVATE to the collection.

``dp1 rebooting roll=1f3c9a2e at=2026-05-20T12:04:31Z ... # why ~4be1``: a version, words, a free text, a checksum. A value that a user
or another program changed, truncated or wrote is decoded as ``Garbage``, never guessed. Times are rounded down to the second.

The words are stored in vCenter. A later release must read them, so they never change.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar, get_args
from urllib.parse import quote, unquote

from ...gate_record import GateVms
from .journal import (
    DEVICES,
    EARLIER_MARK,
    ENTRY,
    GATE,
    LINKS,
    LOCKS,
    LONGEST,
    MAINTENANCE,
    MAINTENANCE_VM,
    VM,
    Before,
    Entry,
    Garbage,
    Lock,
    Purpose,
    Step,
    VmEntry,
)

VERSION = "dp1"
_TAIL = 6
"""Length of `` ~`` and four hexadecimal digits."""
_LONGEST_ACCOUNT = 80
_PLAIN = "@.\\"
"""Characters of an account that are stored as they are. Others are quoted, as in URLs, so that the account is one word."""
_VM_TEXTS: Mapping[Purpose, str] = {
    "reboot": "it is started again when its host is back",
    "maintenance": "shut down for the maintenance of its host; host_maintenance with state: absent starts it again",
}
_VM_PREFIX = "vm-"
EARLIER = "earlier"
"""The run id of an entry that was decoded from a mark of an earlier release."""

_Value = TypeVar("_Value")


def digest(*words: str) -> str:
    """Eight hexadecimal digits that identify the words. A checksum to compare with, not a secret."""
    return f"{zlib.crc32(chr(0).join(words).encode()):08x}"


def encode(value: Entry | VmEntry | Lock | Before | GateVms) -> Mapping[str, str]:
    """Attribute → text of at most ``LONGEST`` characters. A free text that does not fit is truncated."""
    if isinstance(value, Entry):
        return {ENTRY if value.purpose == "reboot" else MAINTENANCE: _entry_text(value)}
    if isinstance(value, VmEntry):
        words = [
            value.step,
            f"roll={value.run_id}",
            f"host={value.host}",
            f"at={_time(value.at)}",
            f"rank={value.rank}",
        ]
        words += _calls(value.at, value.calls, value.called) + ["forced"] * value.forced
        return {VM if value.purpose == "reboot" else MAINTENANCE_VM: seal(words, _VM_TEXTS[value.purpose])}
    if isinstance(value, Lock):
        words = ["lock", f"roll={value.run_id}", f"scope={value.scope}", f"since={_time(value.since)}"]
        words += [f"beat={_time(value.beat)}", f"ttl={value.ttl:.0f}"] + ["finishing"] * value.finishing
        words += [f"ahead={value.ahead:+.0f}"] if round(value.ahead) else []
        return {LOCKS[value.purpose]: seal(words, value.owner)}
    if isinstance(value, GateVms):
        words = ["gate", f"stopped={_ids(value.stopped)}"]
        return {GATE: seal(words + ([] if value.ran is None else [f"ran={_ids(value.ran)}"]))}
    devices = [f"{_short(address)}={mark}" for address, mark in value.devices]
    links = [f"ds={','.join(value.datastores)}", f"up={','.join(value.uplinks)}"]
    links += [f"build={value.build}"] if value.build else []
    return {DEVICES: seal(["devices", *devices]), LINKS: seal(["links", *links])}


def fits(value: Before | GateVms) -> bool:
    """Whether each of its texts has at most ``LONGEST`` characters."""
    return all(len(text) <= LONGEST for text in encode(value).values())


def _ids(moids: tuple[str, ...]) -> str:
    """Without the prefix that nearly all ids of VMs have: more of them fit."""
    return ",".join(moid.removeprefix(_VM_PREFIX) if moid.startswith(_VM_PREFIX) else f"={moid}" for moid in moids)


def _parse_ids(text: str) -> tuple[str, ...]:
    words = text.split(",") if text else []
    return tuple(word[1:] if word.startswith("=") else f"{_VM_PREFIX}{word}" for word in words)


def _entry_text(entry: Entry) -> str:
    words = [entry.step, f"roll={entry.run_id}", f"at={_time(entry.at)}", f"started={entry.started - entry.at:+.0f}"]
    words += _calls(entry.at, entry.calls, entry.called)
    words += _by(entry.account)
    words += ["theirs"] * entry.by_operator + ["cycle"] * entry.cycle
    words += [f"tries={entry.tries}"] if entry.tries != 1 else []
    words += [f"debt={entry.pending}"] if entry.pending else []
    words += [f"boot={_time(entry.boot)}"] if entry.boot is not None else []
    words += ["away"] * entry.away
    words += [f"asked={entry.asked - entry.at:+.0f}"] if entry.asked is not None else []
    words += [f"drained={entry.drained:.0f}"] if entry.drained is not None else []
    words += [f"rebooted={entry.rebooted:.0f}"] if entry.rebooted is not None else []
    words += ["gate"] * entry.gate
    words += [f"ready={entry.ready - entry.at:+.0f}"] if entry.ready is not None else []
    words += [f"code={entry.code}"] if entry.code else []
    return seal(words, entry.text)


def _by(account: str) -> list[str]:
    """An account that would need too much room is not stored: then only the event log shows it."""
    word = quote(account, safe=_PLAIN)
    return [f"by={word}"] if word and len(word) <= _LONGEST_ACCOUNT else []


def _calls(at: float, calls: int, called: float) -> list[str]:
    return [f"calls={calls}", f"called={called - at:+.0f}"] if calls else []


def seal(words: list[str], text: str = "") -> str:
    """One line with its checksum."""
    line = " ".join((VERSION, *words))
    room = LONGEST - _TAIL - len(line) - 3
    if text and room > 0:
        flat = " ".join(text.split())
        line += " # " + (flat if len(flat) <= room else flat[: room - 1] + "…")
    return f"{line} ~{_check(line)}"


def _check(line: str) -> str:
    return f"{zlib.crc32(line.encode()) & 0xFFFF:04x}"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _short(address: str) -> str:
    return address.removeprefix("0000:")


class _Unreadable(Exception):
    """The text is not a journal value, or was changed since it was written."""


class _Words:
    """The words of one value."""

    def __init__(self, text: str) -> None:
        line, mark, check = text.rpartition(" ~")
        if not mark or check != _check(line):
            raise _Unreadable
        head, _unused, self.text = line.partition(" # ")
        version, *words = head.split(" ")
        if version != VERSION or not words:
            raise _Unreadable
        self.kind = words[0]
        self.rest = words[1:]
        self._pairs = dict(word.split("=", 1) for word in self.rest if "=" in word)

    def flag(self, name: str) -> bool:
        return name in self.rest

    def get(self, name: str, default: str = "") -> str:
        return self._pairs.get(name, default)

    def must(self, name: str) -> str:
        if name not in self._pairs:
            raise _Unreadable
        return self._pairs[name]

    def time(self, name: str) -> float:
        return _parse_time(self.must(name))

    def optional(self, name: str, read: Callable[[str], _Value]) -> _Value | None:
        return read(self._pairs[name]) if name in self._pairs else None

    @property
    def calls(self) -> int:
        return int(self.get("calls", "0"))

    def called(self, at: float) -> float:
        return at + float(self.must("called")) if self.calls else 0.0


def _parse_time(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()


def _read(attribute: str, text: str, parse: Callable[[_Words], _Value]) -> _Value | Garbage | None:
    if not text.strip():
        return None
    try:
        return parse(_Words(text))
    except (_Unreadable, ValueError, OverflowError):
        return Garbage(attribute=attribute, text=text)


def decode_host(values: Mapping[str, str]) -> tuple[Entry | None, Before | None, tuple[Garbage, ...]]:
    """The entry and the state before the reboot that are stored on a host, and the values that cannot be read."""
    entry = _read(ENTRY, values.get(ENTRY, ""), lambda words: _parse_entry(words, "reboot"))
    devices = _read(DEVICES, values.get(DEVICES, ""), _parse_devices)
    links = _read(LINKS, values.get(LINKS, ""), _parse_links)
    garbage = tuple(value for value in (entry, devices, links) if isinstance(value, Garbage))
    before = None
    if isinstance(devices, tuple) and isinstance(links, tuple):
        before = Before(devices=devices, datastores=links[0], uplinks=links[1], build=links[2])
    return (entry if isinstance(entry, Entry) else None), before, garbage


def decode_gate(values: Mapping[str, str]) -> GateVms | Garbage | None:
    """The VMs of the health gate that are stored on a host; None when there are none."""
    return _read(GATE, values.get(GATE, ""), _parse_gate)


def decode_maintenance(values: Mapping[str, str]) -> Entry | Garbage | None:
    """The entry with the purpose ``maintenance`` on a host; None when there is none. A mark of an earlier release counts as one."""
    mark = values.get(EARLIER_MARK, "")
    if mark and not values.get(MAINTENANCE, "").strip():
        account = mark.rpartition("entered by ")[2].strip() if "entered by " in mark else ""
        return Entry(
            run_id=EARLIER,
            step="maintenance",
            at=0.0,
            started=0.0,
            purpose="maintenance",
            account=account,
            drained=0.0,
            text=mark,
        )
    return _read(MAINTENANCE, values.get(MAINTENANCE, ""), lambda words: _parse_entry(words, "maintenance"))


def decode_vm(values: Mapping[str, str], purpose: Purpose = "reboot") -> VmEntry | Garbage | None:
    """The entry that is stored on a VM; None when there is none."""
    if purpose == "reboot":
        return _read(VM, values.get(VM, ""), lambda words: _parse_vm(words, purpose))
    found = _read(MAINTENANCE_VM, values.get(MAINTENANCE_VM, ""), lambda words: _parse_vm(words, purpose))
    return found or _earlier_vm(values.get(EARLIER_MARK, ""))


def _earlier_vm(mark: str) -> VmEntry | None:
    """A mark of an earlier release: it ends with the id of the host that the VM was shut down for."""
    host = re.search(r"\[([^\[\]\s]+)\]$", mark)
    return None if host is None else VmEntry(run_id=EARLIER, host=host[1], step="stop", at=0.0, purpose="maintenance")


def decode_lock(values: Mapping[str, str], purpose: Purpose = "reboot") -> Lock | Garbage | None:
    """The lock that is stored on a cluster, or on a host with the purpose ``maintenance``; None when there is none."""
    name = LOCKS[purpose]
    return _read(name, values.get(name, ""), lambda words: _parse_lock(words, purpose))


def _parse_entry(words: _Words, purpose: Purpose) -> Entry:
    if words.kind not in get_args(Step) or (words.kind == "maintenance" and purpose == "reboot"):
        raise _Unreadable
    at = words.time("at")
    return Entry(
        run_id=words.must("roll"),
        step=words.kind,  # type: ignore[arg-type]
        at=at,
        started=at + float(words.must("started")),
        purpose=purpose,
        account=unquote(words.get("by")),
        by_operator=words.flag("theirs"),
        cycle=words.flag("cycle"),
        tries=int(words.get("tries", "1")),
        calls=words.calls,
        called=words.called(at),
        pending=words.get("debt"),
        boot=words.optional("boot", _parse_time),
        away=words.flag("away"),
        asked=words.optional("asked", lambda text: at + float(text)),
        drained=words.optional("drained", float),
        rebooted=words.optional("rebooted", float),
        gate=words.flag("gate"),
        ready=words.optional("ready", lambda text: at + float(text)),
        code=words.get("code"),
        text=words.text,
    )


def _parse_vm(words: _Words, purpose: Purpose) -> VmEntry:
    if words.kind not in ("stop", "start"):
        raise _Unreadable
    at = words.time("at")
    return VmEntry(
        run_id=words.must("roll"),
        host=words.must("host"),
        step="stop" if words.kind == "stop" else "start",
        at=at,
        purpose=purpose,
        rank=int(words.must("rank")),
        calls=words.calls,
        called=words.called(at),
        forced=words.flag("forced"),
    )


def _parse_lock(words: _Words, purpose: Purpose) -> Lock:
    if words.kind != "lock" or not words.text:
        raise _Unreadable
    return Lock(
        owner=words.text,
        run_id=words.must("roll"),
        scope=words.must("scope"),
        since=words.time("since"),
        beat=words.time("beat"),
        ttl=float(words.must("ttl")),
        purpose=purpose,
        finishing=words.flag("finishing"),
        ahead=float(words.get("ahead", "0")),
    )


def _parse_devices(words: _Words) -> tuple[tuple[str, str], ...]:
    if words.kind != "devices":
        raise _Unreadable
    pairs = []
    for word in words.rest:
        address, mark, check = word.partition("=")
        if not mark:
            raise _Unreadable
        pairs.append((f"0000:{address}" if address.count(":") == 1 else address, check))
    return tuple(pairs)


def _parse_gate(words: _Words) -> GateVms:
    if words.kind != "gate":
        raise _Unreadable
    return GateVms(stopped=_parse_ids(words.must("stopped")), ran=words.optional("ran", _parse_ids))


def _parse_links(words: _Words) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    if words.kind != "links":
        raise _Unreadable
    datastores, uplinks = words.must("ds"), words.must("up")
    return (
        (tuple(datastores.split(",")) if datastores else ()),
        (tuple(uplinks.split(",")) if uplinks else ()),
        words.get("build"),
    )
