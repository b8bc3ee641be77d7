# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module in slices, until the rolling reboot ends. PRIVATE to the collection.

This part of the action plugin does not need Ansible's controller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ...module_utils._shell.rolling.run_owner import make_owner
from .merge_slices import joined_results

Part = dict[str, Any]


def slices(
    args: Mapping[str, Any], seconds: float, call: Callable[[dict[str, Any], bool], Part]
) -> Iterator[tuple[Part, Part]]:
    """Call the module until the run ends. Yields the result of each slice, and the merged result so far.

    ``call`` gets the arguments of a slice and whether it is the first one. ``seconds``: length of a slice, if ``args`` contain none. This
    process owns the run: the module stops after this process has ended.
    """
    asked = {"run_id": make_owner(), "slice": seconds, **args}
    joined: Part | None = None
    while joined is None or not _is_over(joined):
        part = call(dict(asked), joined is None)
        joined = joined_results(joined, part)
        asked.pop("goes_on", None)  # the deprecated name would win
        asked["continue_run"] = True
        if part.get("resolved"):
            asked["resolved"] = part["resolved"]
        if part.get("earlier_slices"):
            asked["earlier_slices"] = part["earlier_slices"]
        asked["stopped_vms"] = sorted({*asked.get("stopped_vms", ()), *part.get("stopped_vms", ())})
        yield part, joined


def _is_over(joined: Mapping[str, Any]) -> bool:
    return bool(joined.get("failed") or joined.get("unreachable") or joined.get("ended", True))
