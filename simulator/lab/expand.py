# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Short forms of a lab: `count` with name patterns, templates that are merged, keys that are checked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from .hardware.cards import LabError


def expanded(items: Iterable[Any]) -> list[Mapping[str, Any]]:
    """Every item `count` times; `{}` or `{:03d}` in any string below stands for its number (from `first`, default 1)."""
    found: list[Mapping[str, Any]] = []
    for item in items:
        if isinstance(item, str):
            item = {"name": item}
        if not isinstance(item, Mapping):
            raise LabError(f"{item!r} should be a name or a mapping")
        if "name" not in item:
            raise LabError(f"an entry has no name: {dict(item)!r}")
        if "count" not in item:
            found.append(item)
            continue
        count, first = int(item["count"]), int(item.get("first", 1))
        rest = {key: value for key, value in item.items() if key not in ("count", "first")}
        if count > 1 and "{" not in str(rest["name"]):
            raise LabError(
                f"{rest['name']!r} is wanted {count} times; its name needs a place for the number, like esx-{{:02d}}"
            )
        found.extend(_numbered(rest, number) for number in range(first, first + count))
    return found


def _numbered(item: Mapping[str, Any], number: int) -> Mapping[str, Any]:
    """Only the name, and what names another object, carries the number; cards and devices keep their text."""
    return {
        key: value.format(number) if key in ("name", "host", "datastore") and isinstance(value, str) else value
        for key, value in item.items()
    }


def merged(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """`top` over `base`; mappings are merged one level deep, lists replace lists, `more_cards` adds to `cards`."""
    result = dict(base)
    for key, value in top.items():
        old = result.get(key)
        result[key] = {**old, **value} if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    if "more_cards" in result:
        result["cards"] = [*result.get("cards", []), *result.pop("more_cards")]
    return result


def unknown_keys(item: Mapping[str, Any], known: Collection[str], where: str) -> None:
    """Raise LabError for keys nobody reads: a misspelt key must not pass silently."""
    strange = sorted(set(item) - set(known))
    if strange:
        raise LabError(f"{where}: unknown key {', '.join(map(repr, strange))}; known are {', '.join(sorted(known))}")
