# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The output of the demo: the simulated vCenter before and after, as tables for a terminal. No I/O."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

State = Mapping[str, Any]

COLORS = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_CARDS = re.compile(r".*\[(.+)\]")


@dataclass(frozen=True)
class Paint:
    """Adds colors to text, if they are on."""

    on: bool

    def __call__(self, text: str, *styles: str) -> str:
        if not self.on or not styles:
            return text
        return f"\033[{';'.join(COLORS[style] for style in styles)}m{text}\033[0m"


@dataclass(frozen=True)
class Cell:
    """A table cell: text with style. The style does not count for the width."""

    text: str
    styles: tuple[str, ...] = ()


def device_word(device: State) -> Cell:
    """The state of a device, from its flags."""
    if device["active"]:
        return Cell("active", ("green",)) if device["enabled"] else Cell("active, off after reboot", ("yellow",))
    return Cell("waits for reboot", ("yellow",)) if device["enabled"] else Cell("off", ("dim",))


def device_rows(before: State, after: State) -> list[list[Cell]]:
    """Rows with host, device, before, after and VM, for each device that is or was not off."""
    earlier = {(host["name"], device["address"]): device for host in before["hosts"] for device in host["devices"]}
    rows = []
    for host in after["hosts"]:
        name = host["name"]
        for device in host["devices"]:
            old = earlier.get((host["name"], device["address"]), device)
            if not any((old["enabled"], old["active"], device["enabled"], device["active"])):
                continue
            user = Cell(f"← {device['vm']}", ("cyan",)) if device["vm"] else Cell("")
            words = Cell(f"{device['address']}  {card_name(device['name'])}")
            rows.append(
                [Cell(name, ("bold",)), words, device_word(old), Cell("→", ("dim",)), device_word(device), user]
            )
            name = ""
    return rows


def card_name(name: str) -> str:
    """``GA100 [A100 PCIe 40GB]`` → ``A100 PCIe 40GB``; at most 34 characters."""
    match = _CARDS.fullmatch(name)
    short = match[1] if match and not match[1].startswith("AHCI") else name
    return short if len(short) <= 34 else short[:33] + "…"


def vm_rows(before: State, after: State) -> list[list[Cell]]:
    """Rows with VM, host, power, devices and memory, for each VM that changed or has devices."""
    earlier = {vm["name"]: vm for vm in before["vms"]}
    rows = []
    for vm in after["vms"]:
        old = earlier.get(vm["name"], vm)
        if not vm["devices"] and old == vm:
            continue
        host = vm["host"] if vm["host"] == old["host"] else f"{old['host']} → {vm['host']}"
        rows.append(
            [
                Cell(vm["name"], ("bold",)),
                Cell(host),
                Cell(_moved(_power(old), _power(vm)), ("green",) if _power(vm) == "on" else ("dim",)),
                Cell(_moved(str(len(old["devices"])), str(len(vm["devices"])))),
                Cell(_moved(_memory(old), _memory(vm)), ("green",) if vm["locked"] else ("dim",)),
            ]
        )
    return rows


def _moved(old: str, new: str) -> str:
    return new if old == new else f"{old} → {new}"


def _power(vm: State) -> str:
    return "on" if str(vm["power"]).casefold() in ("on", "poweredon") else "off"


def _memory(vm: State) -> str:
    if vm["locked"]:
        return f"all {round(vm['memory_mb'] / 1024)} GB reserved"
    return f"{round(vm['reserved_mb'] / 1024)} of {round(vm['memory_mb'] / 1024)} GB reserved"


def table(heads: Sequence[str], rows: Sequence[Sequence[Cell]], paint: Paint) -> str:
    """A table with left-aligned columns, two blanks between them, and a line below the heads."""
    cells = [[Cell(head, ("bold",)) for head in heads], *rows]
    widths = [max(len(row[column].text) for row in cells) for column in range(len(heads))]
    lines = []
    for row in cells:
        padded = [
            paint(cell.text, *cell.styles) + " " * (width - len(cell.text))
            for cell, width in zip(row, widths, strict=True)
        ]
        lines.append("  " + "  ".join(padded).rstrip())
    lines.insert(1, "  " + paint("─" * (sum(widths) + 2 * (len(widths) - 1)), "dim"))
    return "\n".join(lines)


def writes_line(writes: Sequence[State]) -> str:
    """``22 writes: UpdatePassthruConfig ×6, RebootHost_Task``; or ``no write``."""
    if not writes:
        return "no write"
    counted = Counter(str(entry["method"]).removesuffix("_Task") for entry in writes)
    shown = ", ".join(name if number == 1 else f"{name} ×{number}" for name, number in counted.items())
    return f"{len(writes)} write{'s' if len(writes) > 1 else ''}: {shown}"


SHOWN = ("Show the result", "Show that nothing is left to do")
"""Names of tasks whose output is shown."""


def role_lines(output: str) -> list[str]:
    """The lines of the tasks in SHOWN, from the output of ansible-playbook."""
    found: list[str] = []
    for part in output.split("\nTASK [")[1:]:
        head, _newline, body = part.partition("\n")
        if not any(shown in head for shown in SHOWN):
            continue
        for block in re.findall(r"^ok: \[[^\]]+\] => (\{$.*?^\})$", body, re.MULTILINE | re.DOTALL):
            message = json.loads(block)["msg"]
            found += message if isinstance(message, list) else [str(message)]
    return found


def recap(output: str) -> dict[str, tuple[int, int]]:
    """Inventory host → (changed, failed) from the recap."""
    pattern = r"^(\S+)\s*: ok=\d+\s+changed=(\d+)\s+unreachable=\d+\s+failed=(\d+)"
    last = output.rpartition("PLAY RECAP")[2]
    return {host: (int(changed), int(failed)) for host, changed, failed in re.findall(pattern, last, re.MULTILINE)}
