# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the answers of a server have another form than those of the simulator. PRIVATE to the collection."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .forms import ABSENT, Forms, forms_of

FORMAT, VERSION = "directpath.vsphere.answers", 1
_LIST = "returnval.objects"


def answer_differences(server: str, simulator: str) -> list[str]:
    """One sentence for each element with other forms, sorted. ``server``, ``simulator``: the texts of the two files. Raises ValueError."""
    real, simulated = _loaded(server), _loaded(simulator)
    lines: list[str] = []
    for title, answer in real.items():
        if title not in simulated:
            lines.append(f"{title}: not asked of the simulator")
            continue
        lines += [f"{title}: {line}" for line in _differences(forms_of(answer), forms_of(simulated[title]))]
    return lines


def _loaded(text: str) -> Mapping[str, str]:
    raw: Any = json.loads(text)
    if not isinstance(raw, Mapping) or (raw.get("format"), raw.get("version")) != (FORMAT, VERSION):
        raise ValueError(f"a file of answers has version {VERSION} of the format {FORMAT}")
    return {str(row["title"]): str(row["answer"]) for row in raw["answers"]}


def _differences(real: Forms, simulated: Forms) -> Iterator[str]:
    """Below an element that only one of them sends, nothing is compared."""
    told: list[str] = []
    for path in sorted(real.keys() | simulated.keys(), key=lambda path: path.split(".")):
        if any(path.startswith(f"{above}.") for above in told):
            continue
        one, other = (side.get(path, frozenset({ABSENT})) for side in (real, simulated))
        if one != other:
            if frozenset({ABSENT}) in (one, other):
                told.append(path)
            shown = path.removeprefix(_LIST).lstrip(".") or "the answer"
            yield f"{shown}: the server sends {_told(one)}; the simulator: {_told(other)}"


def _told(forms: frozenset[str]) -> str:
    return " or ".join(sorted(forms))
