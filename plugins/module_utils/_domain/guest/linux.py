# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reader of the output of the Linux probe. PRIVATE to the collection.

Source of the flags and registers: include/linux/ioport.h, drivers/pci/setup-bus.c, and the PCI Local Bus Specification 3.0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..facts import Fact
from .report import (
    GuestDevice,
    GuestError,
    GuestReport,
    Link,
    StorageController,
    check_boot,
    gpu_tool_of,
    plain_uuid,
    report_lines,
    unread,
)

_IORESOURCE_MEM, _IORESOURCE_UNSET = 0x200, 0x20000000
"""Flags of a resource (include/linux/ioport.h): memory, and a BAR for which the kernel found no address."""
_MEMORY_SPACE = 0x2
"""Bit of the command register (PCI Local Bus Specification 3.0, 6.2.2): the function answers to memory accesses."""
_ADDRESS = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")


@dataclass(slots=True)
class _Seen:
    """The lines of one PCI function."""

    values: list[str]
    config: bytes = b""
    bars: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    controllers: dict[str, str] = field(default_factory=dict)
    namespaces: dict[str, list[int]] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)


@dataclass(slots=True)
class _Facts:
    """The lines of a report."""

    single: dict[str, str] = field(default_factory=dict)
    boots: list[str] = field(default_factory=list)
    devices: dict[str, _Seen] = field(default_factory=dict)
    smi: list[str] = field(default_factory=list)
    commands: dict[int, int] = field(default_factory=dict)


def parse_linux(text: str) -> GuestReport:
    """The report in the output of the probe. Raises GuestError for text that is no report, or not a whole one.

    Lines that begin with another word are ignored: a terminal may print messages of others between them, and they give no fact.
    """
    facts = _Facts()
    for line in report_lines(text, "linux"):
        word, *values = line.split("\t")
        reader = _READERS.get(word)
        if reader is None:
            continue
        try:
            reader(facts, word, values)
        except (ValueError, LookupError):
            raise GuestError(
                message=f"The output of the guest cannot be read: a line of the report is damaged ({line[:80]!r})",
                code="guest_output_unreadable",
                cure="Verify once more. If it happens again, report it with the output of the probe",
            ) from None
    check_boot(facts.boots[0] if facts.boots else "", facts.boots[-1] if facts.boots else "")
    status = facts.single.get("smi-status")
    uptime = facts.single.get("uptime", "").partition(".")[0]
    return GuestReport(
        os="linux",
        uuid=plain_uuid(
            facts.single.get("uuid", "~"),
            "can be read by root only (/sys/class/dmi/id/product_uuid): set ansible_become, or use the account root",
        ),
        kernel=facts.single.get("kernel", ""),
        boot_id=facts.boots[0] if facts.boots else "",
        uptime=int(uptime) if uptime.isdecimal() else None,
        devices=tuple(_device(address, seen) for address, seen in facts.devices.items()),
        gpu_tool=gpu_tool_of(int(status), facts.smi) if status is not None and status.isdecimal() else None,
        commands=facts.commands,
    )


def _read_single(facts: _Facts, word: str, values: Sequence[str]) -> None:
    facts.single[word] = values[0]


def _read_boot(facts: _Facts, _word: str, values: Sequence[str]) -> None:
    facts.boots.append(values[0])


def _read_pci(facts: _Facts, _word: str, values: Sequence[str]) -> None:
    address, *rest = values
    if not _ADDRESS.fullmatch(address) or len(rest) != 7 or address in facts.devices:
        raise ValueError(address)
    _number(rest[0]), _number(rest[1])
    facts.devices[address] = _Seen(values=rest)


def _read_config(facts: _Facts, _word: str, values: Sequence[str]) -> None:
    facts.devices[values[0]].config = bytes.fromhex("".join(values[1:]))


def _read_bar(facts: _Facts, _word: str, values: Sequence[str]) -> None:
    address, index, start, end, flags = values
    facts.devices[address].bars[int(index)] = (_number(start), _number(end), _number(flags))


def _read_nvme(facts: _Facts, _word: str, values: Sequence[str]) -> None:
    address, name, state = values
    facts.devices[address].controllers[name] = state


def _read_namespace(facts: _Facts, _word: str, values: Sequence[str]) -> None:
    address, name, sectors = values
    size = int(sectors) * 512 if sectors.isdecimal() else 0
    facts.devices[address].namespaces.setdefault(name, []).append(size)


def _read_net(facts: _Facts, _word: str, values: Sequence[str]) -> None:
    address, state, carrier, name = values
    is_up = state == "up" or (state == "unknown" and carrier == "1")
    facts.devices[address].links.append(Link(name=name, state=state, is_up=is_up))


def _read_port(facts: _Facts, _word: str, values: Sequence[str]) -> None:
    address, state, name = values
    facts.devices[address].links.append(Link(name=name, state=state, is_up=state.startswith("4:")))


def _read_smi(facts: _Facts, _word: str, values: Sequence[str]) -> None:
    facts.smi.append(" ".join(values))


def _read_command(facts: _Facts, _word: str, values: Sequence[str]) -> None:
    number, status = values
    facts.commands[int(number)] = int(status)


_READERS: Mapping[str, Callable[[_Facts, str, Sequence[str]], None]] = {
    **dict.fromkeys(("uptime", "uuid", "kernel", "smi-status"), _read_single),
    "boot": _read_boot,
    "pci": _read_pci,
    "config": _read_config,
    "bar": _read_bar,
    "nvme": _read_nvme,
    "namespace": _read_namespace,
    "net": _read_net,
    "port": _read_port,
    "smi": _read_smi,
    "command": _read_command,
}


def _number(text: str) -> int:
    return int(text, 16)


def _device(address: str, seen: _Seen) -> GuestDevice:
    vendor, device, subvendor, subdevice, kind, enable, driver = seen.values
    unplaced, placed = _bars(seen)
    return GuestDevice(
        address=address,
        vendor_id=_id(vendor),
        device_id=_id(device),
        subvendor_id=_id(subvendor),
        subdevice_id=_id(subdevice),
        class_id=_id(kind, 6),
        driver=unread(f"the driver of {address}") if driver == "~" else "" if driver == "-" else driver,
        answers=not (len(seen.config) >= 4 and set(seen.config[:4]) == {0xFF}),
        decoding=_decoding(address, seen.config, enable),
        unplaced=unplaced,
        placed=placed,
        controllers=tuple(
            StorageController(name=name, state=state, namespaces=tuple(seen.namespaces.get(name, ())))
            for name, state in seen.controllers.items()
        ),
        links=tuple(seen.links),
    )


def _id(text: str, digits: int = 4) -> str:
    return text.lower().removeprefix("0x").zfill(digits) if text != "~" else ""


def _decoding(address: str, config: bytes, enable: str) -> Fact[bool]:
    """From the command register. Without it, the kernel's count of drivers that enabled the device: it sets the bit for the first."""
    if len(config) >= 6:
        return bool(int.from_bytes(config[4:6], "little") & _MEMORY_SPACE)
    if enable.isdecimal() and int(enable) > 0:
        return True
    return unread(f"the command register of {address}", "could not be read (od and hexdump are not installed)")


def _bars(seen: _Seen) -> tuple[Fact[tuple[int, ...]], int]:
    """Memory BARs without an address, and the number of those with one.

    The kernel's list is the main source. It may show a BAR that got no address as if it did not exist (``reset_resource`` in
    drivers/pci/setup-bus.c), so the registers of the device count, too: the type bits of a BAR stay there.
    """
    if not seen.bars:
        return unread("the BARs", "could not be read"), 0
    memory = {number: entry for number, entry in seen.bars.items() if entry[2] & _IORESOURCE_MEM}
    unplaced = {number for number, (start, _end, flags) in memory.items() if not start or flags & _IORESOURCE_UNSET}
    placed = len(memory) - len(unplaced)
    unplaced.update(number for number in _empty_registers(seen.config) if number not in memory)
    return tuple(sorted(unplaced)), placed


def _empty_registers(config: bytes) -> Iterable[int]:
    """Numbers of 64-bit memory BARs whose register has no address (type 0 header; PCI Local Bus Specification 3.0, 6.2.5.1)."""
    if len(config) < 40 or config[14] & 0x7F:
        return
    number = 0
    while number < 6:
        low = int.from_bytes(config[16 + 4 * number : 20 + 4 * number], "little")
        is_wide = low & 0x7 == 0x4
        high = int.from_bytes(config[20 + 4 * number : 24 + 4 * number], "little") if is_wide and number < 5 else 0
        if is_wide and low >> 4 == 0 and high == 0:
            yield number
        number += 2 if is_wide else 1
