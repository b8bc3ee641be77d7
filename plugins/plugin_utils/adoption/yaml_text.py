# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of an intent as YAML for a person: short entries on one line, with comments. PRIVATE to the collection.

Text from a server is data. What Ansible would render as a template has the tag ``!unsafe``, and everything but plain words is in quotes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from ...module_utils._domain.text import is_template, one_line

WIDTH = 130
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


class _Dumper(yaml.SafeDumper):
    """Quotes all text but words, and writes no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def text(self, value: str) -> yaml.Node:
        if is_template(value):
            return self.represent_scalar("!unsafe", value, style='"')
        plain = _WORD.fullmatch(value) and _resolve(self, value) == self.DEFAULT_SCALAR_TAG
        return self.represent_scalar(self.DEFAULT_SCALAR_TAG, value, style=None if plain else '"')


def _resolve(dumper: yaml.SafeDumper, value: str) -> Any:
    """The tag that a reader gives to the text without quotes."""
    resolve: Any = dumper.resolve
    return resolve(yaml.ScalarNode, value, (True, False))


_Dumper.add_representer(str, _Dumper.text)


def flow(value: Any) -> str:
    """A value on one line: ``{match: "10de:20f1", count: 2}``."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=True, width=float("inf"), sort_keys=False, allow_unicode=True
    )
    return text.removesuffix("\n").removesuffix("\n...")


def comment(text: str) -> str:
    """``  # text``, or nothing. A name from a server stays on the line."""
    shown = one_line(text)
    return f"  # {shown}" if shown else ""


def short(entry: Mapping[str, Any]) -> Any:
    """The short form of an entry that only selects a model."""
    return entry["match"] if set(entry) == {"match"} and isinstance(entry["match"], str) else entry


def entries(key: str, records: Sequence[Mapping[str, Any]], indent: str) -> list[str]:
    """The lines of ``key`` with a list of entries and their notes. ``records``: as intent_info returns them."""
    if not records:
        return [f"{indent}{key}: []"]
    notes = [str(record["note"]) for record in records]
    values = [short(record["entry"]) for record in records]
    one = f"{indent}{key}: {flow(values)}"
    if len(one) <= WIDTH and not any(notes):
        return [one]
    if len(one) <= WIDTH and len(values) == 1:
        return [one + comment(notes[0])]
    return [f"{indent}{key}:", *(f"{indent}  - {flow(v)}{comment(n)}" for v, n in zip(values, notes, strict=True))]


def vm_entry(record: Mapping[str, Any], indent: str) -> list[str]:
    """The lines of one VM: one line if it is short, else one line for each device."""
    lists = {key: record[key] for key in ("devices", "sriov_networks") if record[key]}
    notes = [
        *record["notes"],
        *dict.fromkeys(str(one["note"]) for found in lists.values() for one in found if one["note"]),
    ]
    whole = {
        **record["names"],
        **{key: [short(one["entry"]) for one in found] for key, found in lists.items()},
        **record["options"],
    }
    line = f"{indent}- {flow(whole)}{comment('; '.join(notes))}"
    if len(line) <= WIDTH:
        return [line]
    inner = f"{indent}  "
    (kind, name), *_none = record["names"].items()
    lines = [f"{indent}- {kind}: {flow(name)}", *(f"{inner}# {one_line(note)}" for note in record["notes"])]
    for key, found in lists.items():
        lines += entries(key, found, inner)
    return lines + [f"{inner}{key}: {flow(value)}" for key, value in record["options"].items()]
