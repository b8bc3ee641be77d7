# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replace names in the journal that rolling reboots and host_maintenance store in custom attributes.

A value is decoded, its names are replaced, and it is encoded again, so that the twin resumes what the real run would resume. Fails closed:
what cannot be decoded, or has a form that no run writes, is no journal value (None), and is replaced as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ..gate_record import GateVms
from ..rolling.state.codec import decode_gate, decode_host, decode_lock, decode_maintenance, decode_vm, digest, encode
from ..rolling.state.journal import (
    ATTRIBUTES,
    DEVICES,
    EARLIER_MARK,
    ENTRY,
    GATE,
    LINKS,
    LOCKS,
    MAINTENANCE,
    MAINTENANCE_ATTRIBUTES,
    MAINTENANCE_VM,
    STOP_ORDER,
    VM,
    Before,
    Entry,
    Lock,
    Purpose,
    VmEntry,
)

OWN = frozenset({*ATTRIBUTES, GATE, *MAINTENANCE_ATTRIBUTES, EARLIER_MARK, STOP_ORDER})
"""The attributes of this collection. Their names stay."""
_RUN = re.compile(r"[0-9a-f]{8}")
_DIGESTS = re.compile(r"([0-9a-f]{4,8}(,[0-9a-f]{4,8})*)?")
_WORD = re.compile(r"[a-z_]{0,40}")
_DEVICE = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7] [0-9a-f]{4}\+?|\*[0-9]+ [0-9a-f]{8}")
_COUNT = re.compile(r"\*[0-9]{1,4}")
_BUILD = re.compile(r"[0-9.-]{0,40}")
_NUMBER = re.compile(r"-?[0-9]{1,9}")
_EARLIER = re.compile(r".* \[(host-[0-9]+)\]", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """How names are replaced: ``text`` (sentences and accounts), ``moid``, ``name`` (adapters), ``store`` (digest of the name of a
    datastore → digest of its alias)."""

    text: Callable[[str], str]
    moid: Callable[[str], str]
    name: Callable[[str], str]
    store: Callable[[str], str]


def short_digest(name: str) -> str:
    """How the journal stores the name of a datastore (``verification.before_reboot``)."""
    return digest(name)[:4]


def replaced(attribute: str, value: str, names: Names) -> str | None:
    """A value of an attribute of this collection with its names replaced; None if it is no value that a run writes."""
    if attribute == STOP_ORDER:
        return value if _NUMBER.fullmatch(value.strip()) else None
    if attribute == EARLIER_MARK:
        found = _EARLIER.fullmatch(value)
        return f"{names.text(value)} [{found[1]}]" if found else None
    made = _encoded(attribute, value, names)
    return None if made is None else made.get(attribute)


def _encoded(attribute: str, value: str, names: Names) -> Mapping[str, str] | None:
    texts = {attribute: value}
    if attribute in (ENTRY, MAINTENANCE):
        return _entry(decode_host(texts)[0] if attribute == ENTRY else decode_maintenance(texts), names)
    if attribute in (DEVICES, LINKS):
        return _before(decode_host({**encode(Before()), **texts})[1], names)
    if attribute in (VM, MAINTENANCE_VM):
        return _vm(decode_vm(texts, "reboot" if attribute == VM else "maintenance"), names)
    if attribute in LOCKS.values():
        purpose: Purpose = "reboot" if attribute == LOCKS["reboot"] else "maintenance"
        return _lock(decode_lock(texts, purpose), names)
    if attribute == GATE:
        gate = decode_gate(texts)
        if not isinstance(gate, GateVms):
            return None
        ran = None if gate.ran is None else tuple(map(names.moid, gate.ran))
        return encode(replace(gate, stopped=tuple(map(names.moid, gate.stopped)), ran=ran))
    return None


def _entry(entry: object, names: Names) -> Mapping[str, str] | None:
    if not isinstance(entry, Entry) or not _RUN.fullmatch(entry.run_id):
        return None
    if not _DIGESTS.fullmatch(entry.pending) or not _WORD.fullmatch(entry.code):
        return None
    return encode(replace(entry, account=_maybe(entry.account, names), text=_maybe(entry.text, names)))


def _vm(entry: object, names: Names) -> Mapping[str, str] | None:
    if not isinstance(entry, VmEntry) or not _RUN.fullmatch(entry.run_id):
        return None
    return encode(replace(entry, host=names.moid(entry.host)))


def _lock(lock: object, names: Names) -> Mapping[str, str] | None:
    if not isinstance(lock, Lock) or not _RUN.fullmatch(lock.run_id) or not _DIGESTS.fullmatch(lock.scope):
        return None
    return encode(replace(lock, owner=names.text(lock.owner)))


def _before(before: Before | None, names: Names) -> Mapping[str, str] | None:
    if before is None or not _BUILD.fullmatch(before.build):
        return None
    if not all(_DEVICE.fullmatch(f"{address} {mark}") for address, mark in before.devices):
        return None
    stores = tuple(sorted(one if _COUNT.fullmatch(one) else names.store(one) for one in before.datastores))
    uplinks = tuple(one if _COUNT.fullmatch(one) else names.name(one) for one in before.uplinks)
    return encode(replace(before, datastores=stores, uplinks=uplinks))


def _maybe(text: str, names: Names) -> str:
    return names.text(text) if text else ""
