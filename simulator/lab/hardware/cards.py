# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the cards of a lab into slots: addresses, bridges, NUMA nodes, NICs, storage adapters and disks."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...objects.pci import Function, Layout
from ...objects.specs import Adapter, Disk, Nic
from ...rules.pci import encoding
from ...rules.pci.buses import UNCORE_BUSES
from .catalogue import AMD_CHIPSET, CARDS, CLASS_NAMES, INTEL_CHIPSET, VENDORS, Card

SLOT_BUSES = (0x3B, 0x5E, 0x86, 0xAF, 0x17, 0x65, 0xB1, 0xD8, 0xCA, 0x31, 0x4B, 0xE2, 0x25, 0x98, 0xC1, 0x71)
"""Secondary buses of the slots in the order they are filled; the later half sits on the second NUMA node."""

EMBEDDED = {
    "aspeed-vga": "0000:03:00.0",
    "matrox-vga": "0000:03:00.0",
    "usb-controller": "0000:00:14.0",
    "sata": "0000:00:17.0",
    "ide": "0000:00:07.1",
}

CHASSIS: dict[str, list[dict[str, Any]]] = {
    "server": [
        {"card": "aspeed-vga"},
        {"card": "usb-controller"},
        {"card": "sata"},
        {"card": "lom", "at": "0000:04:00.0", "uplinks": [0]},
        {"card": "nvme-boot", "at": "0000:01:00.0"},
    ],
    "home": [
        {"card": "usb-controller"},
        {"card": "sata"},
        {"card": "i225", "at": "0000:05:00.0", "uplinks": [0]},
    ],
    "bare": [],
}


BRIDGE = 0x0604
CARD_KEYS = {
    "card", "count", "at", "use", "adapters", "datastore", "disk_gb", "dump", "uplinks", "enabled", "active", "label", "capable",
    "resettable", "slot", "slot_name", "name", "bar_gb",
}  # fmt: skip


class LabError(ValueError):
    """A lab file says something that cannot be built; the text names the place and the remedy."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """A card in its place: address of its first function, number of the slot (-1 on board), and its lab entry."""

    card: Card
    name: str
    address: str
    slot: int
    entry: Mapping[str, Any]


def entries(host: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The cards of a host as mappings, chassis first, `count` expanded."""
    chassis = host.get("chassis", "server")
    if chassis not in CHASSIS:
        raise LabError(f"chassis {chassis!r} is unknown; there are {', '.join(CHASSIS)}")
    listed: list[Any] = list(host.get("onboard", CHASSIS[chassis]))
    if host.get("boot", "nvme") != "nvme" and "onboard" not in host:
        listed = [item for item in listed if item["card"] != "nvme-boot"]
    if host.get("boot") == "usb":
        listed = [{**item, "use": "boot"} if item["card"] == "usb-controller" else item for item in listed]
    if host.get("boot") == "sata" and "onboard" not in host:
        listed.append({"card": "sata-boot", "at": "0000:01:00.0"})
    found: list[dict[str, Any]] = []
    for item in [*listed, *host.get("cards", [])]:
        entry = {"card": item} if isinstance(item, str) else dict(item)
        if entry.get("card") not in CARDS:
            raise LabError(f"card {entry.get('card')!r} is unknown; the catalogue has {', '.join(sorted(CARDS))}")
        strange = sorted(set(entry) - CARD_KEYS)
        if strange:
            raise LabError(f"card {entry['card']}: unknown key {', '.join(map(repr, strange))}")
        found.extend({**entry} for _number in range(int(entry.pop("count", 1))))
    return found


def placed(listed: Sequence[Mapping[str, Any]]) -> list[Placed]:
    """Give each card its address: the one asked for (`at`), a fixed one on board, or the next free slot."""
    wanted = {_address(str(entry["at"])) for entry in listed if "at" in entry}
    buses = (bus for bus in _buses() if not any(item.startswith(f"0000:{bus:02x}:") for item in wanted))
    result: list[Placed] = []
    number = 0
    for entry in listed:
        name = str(entry["card"])
        card = CARDS[name]
        if "at" in entry:
            address = _address(str(entry["at"]))
        elif card.embedded:
            address = EMBEDDED.get(name) or f"0000:ff:{sum(item.name == name for item in result):02x}.0"
        else:
            address = f"0000:{next(buses):02x}:00.0"
        slotted = not card.embedded and encoding.place(address).bus >= 0x10
        number += slotted
        slot = int(entry.get("slot", number if slotted else -1))
        result.append(Placed(card=card, name=name, address=address, slot=slot, entry=entry))
    taken = [item.address for item in result]
    for address in taken:
        if taken.count(address) > 1:
            raise LabError(f"two cards at {address}")
    return result


def _buses() -> Iterator[int]:
    yield from SLOT_BUSES
    yield from (bus for bus in range(0x11, 0xFE, 2) if not {bus - 1, bus, bus + 1} & {*SLOT_BUSES})


def _address(text: str) -> str:
    """`3b`, `3b:00.0` or `0000:3b:00.0` as a full address."""
    if ":" not in text:
        text = f"0000:{text}:00.0"
    elif text.count(":") == 1:
        text = f"0000:{text}"
    return encoding.address(encoding.place(text.lower()))


def layout(
    cards: Sequence[Placed],
    *,
    cpu: str,
    numa_nodes: int,
    iommu: bool,
    pad: int = 0,
    beside: Collection[Function] = (),
    modes: bool = True,
) -> Layout:
    """All functions of a host: chipset, one root port a bus, the cards; padded with uncore devices to `pad`.

    `beside` is what the host has already: no root port takes the place of a device. `modes`: devices have modes (9.1). Raises LabError
    when two functions claim one address.
    """
    bridge, port = INTEL_CHIPSET if cpu == "intel" else AMD_CHIPSET
    functions: dict[str, Function] = {}

    def chipset(address: str, class_id: int, ids: tuple[int, int, str]) -> None:
        functions[address] = Function(
            address=address, class_id=class_id, vendor=ids[0], device=ids[1], vendor_name=VENDORS[ids[0]],
            device_name=ids[2], class_name=CLASS_NAMES[class_id], dependent=address, role="chipset", capable=False,
        )  # fmt: skip

    chipset("0000:00:00.0", 0x0600, bridge)
    ports = _root_ports(cards, beside)
    for parent in ports.values():
        chipset(parent, 0x0604, port)
    for item in cards:
        where = encoding.place(item.address)
        for function in card_functions(
            item, ports.get((where.domain, where.bus), ""), numa_nodes=numa_nodes, iommu=iommu, modes=modes
        ):
            if function.address in functions:
                raise LabError(f"two functions at {function.address}")
            functions[function.address] = function
    filler = CARDS["counters"].parts[0]
    spare = 0
    while len(functions) < pad:
        address = f"0000:fe:{spare // 8:02x}.{spare % 8}"
        if address not in functions:
            chipset(address, filler.class_id, (filler.vendor, filler.device, filler.name))
        spare += 1
    return Layout(functions.values())


def _root_ports(cards: Sequence[Placed], beside: Collection[Function]) -> dict[tuple[int, int], str]:
    """(segment, bus) -> the root port above it, in the same segment, at an address that no card and no other bus has."""
    taken = {item.address for item in beside if item.class_id != BRIDGE}
    for card in cards:
        where = encoding.place(card.address)
        taken |= {
            encoding.address(where._replace(function=where.function + number)) for number in range(len(card.card.parts))
        }
    ports: dict[tuple[int, int], str] = {}
    for card in cards:
        where = encoding.place(card.address)
        bus = (where.domain, where.bus)
        if where.bus == 0 or bus in ports or (where.domain == 0 and where.bus in UNCORE_BUSES):
            continue
        address = next((place for place in _port_places(where) if place not in taken), None)
        if address is None:
            raise LabError(f"there is no room for a root port above {card.address}")
        ports[bus] = address
        taken.add(address)
    return ports


def _port_places(where: encoding.Place) -> Iterator[str]:
    """Where the root port of a bus may sit: on the bus before it, or on bus 0 for the lowest buses."""
    if where.bus < 0x10:
        first = where._replace(bus=0, slot=0x1C, function=where.bus % 8)
        yield encoding.address(first)
        for slot in (0x1C, 0x1D, 0x1B, 0x1A):
            yield from (encoding.address(where._replace(bus=0, slot=slot, function=number)) for number in range(8))
        return
    for slot in range(0x20):
        yield encoding.address(where._replace(bus=where.bus - 1, slot=slot, function=0))


def card_functions(
    item: Placed, parent: str, *, numa_nodes: int, iommu: bool, modes: bool = True
) -> Iterator[Function]:
    """The functions of a card; those that reset together depend on the bridge above them (KB 312208)."""
    where = encoding.place(item.address)
    for number, part in enumerate(item.card.parts):
        address = encoding.address(where._replace(function=where.function + number))
        yield Function(
            address=address,
            class_id=part.class_id,
            vendor=part.vendor,
            device=part.device,
            subvendor=part.subvendor,
            subdevice=part.subdevice,
            vendor_name=VENDORS[part.vendor],
            device_name=str(item.entry.get("name", part.name)),
            class_name=CLASS_NAMES[part.class_id],
            parent=parent,
            dependent=parent if item.card.together and parent else address,
            slot=item.slot,
            slot_name=str(item.entry.get("slot_name", f"PCIe Slot {item.slot}" if item.slot > 0 else "")),
            numa=1 if numa_nodes > 1 and where.bus >= 0x80 else 0,
            role=part.role,
            card=f"{item.name}@{item.address}",
            capable=bool(item.entry.get("capable", part.capable)) and iommu,
            resettable=bool(item.entry.get("resettable", part.resettable)),
            bar_gb=float(item.entry.get("bar_gb", part.bar_gb)),
            max_vfs=part.max_vfs,
            vf_device=part.vf_device,
            profiles=part.profiles,
            mig_profiles=part.mig_profiles,
            sriov_vgpu=part.sriov_vgpu,
            modes=part.modes if modes else (),
        )


def token(*parts: object, size: int = 12) -> str:
    """A stable hexadecimal string made of the parts: serial numbers, MAC addresses, uuids."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:size]


def nics(cards: Sequence[Placed], host: str) -> tuple[Nic, ...]:
    """Physical NICs in address order: vmnic0, vmnic1, ..."""
    found: list[tuple[str, str, str]] = []
    for item in cards:
        where = encoding.place(item.address)
        uplinks = _uplinks(item.entry.get("uplinks", []))
        for number, part in enumerate(item.card.parts):
            if part.role == "nic":
                address = encoding.address(where._replace(function=where.function + number))
                found.append((address, part.driver, uplinks.get(number, "")))
    result = []
    for index, (address, driver, switch) in enumerate(sorted(found, key=lambda nic: encoding.place(nic[0]))):
        raw = token(host, address, size=6)
        mac = "b0:26:28:" + ":".join(raw[i : i + 2] for i in (0, 2, 4))
        speed = 1000 if driver in ("ntg3", "cndi_igc") else 10000
        result.append(Nic(device=f"vmnic{index}", address=address, driver=driver, mac=mac, speed=speed, switch=switch))
    return tuple(result)


def _uplinks(value: Any) -> dict[int, str]:
    """`[0]` means port 0 on vSwitch0; `{0: vSwitch0, 1: "dvs:dvs-a"}` names the switches."""
    if isinstance(value, Mapping):
        return {int(port): str(switch) for port, switch in value.items()}
    return {int(port): "vSwitch0" for port in value}


KINDS = {"nvme": "nvme", "sata": "ahci", "usb": "usb", "hba": "raid", "ide": "ide"}
SECOND_ADAPTER = 64
"""Number of the second adapter of an IDE controller whose first one has a small one (recorded from 8.0.3: vmhba2, vmhba64)."""


def adapters(cards: Sequence[Placed], host: str, cluster: str, *, major: int) -> tuple[Adapter, ...]:
    """Storage adapters in address order; a USB stick is an adapter of its own, vmhba32.

    A card may have several at its one address; its disk is behind the last of them.
    """
    found: list[Adapter] = []
    index, further = 0, 0
    for item in sorted(cards, key=lambda card: encoding.place(card.address)):
        part = item.card.parts[0]
        if part.role not in KINDS:
            continue
        use = str(item.entry.get("use", item.card.use))
        kind = "fc" if part.class_id == 0x0C04 else KINDS[part.role]
        if kind == "usb" and use != "boot":
            continue
        device = "vmhba32" if kind == "usb" else f"vmhba{index}"
        index += kind != "usb"
        disks = _disks(item, kind, use, host=host, cluster=cluster, major=major)
        names = [device]
        for _number in range(1, int(item.entry.get("adapters", item.card.adapters))):
            names.append(f"vmhba{SECOND_ADAPTER + further}")
            further += 1
        found += [
            Adapter(
                device=name,
                address=item.address,
                driver=part.driver,
                kind=kind,
                model=part.name,
                disks=disks if name == names[-1] else (),
            )
            for name in names
        ]
    return tuple(found)


def _disks(item: Placed, kind: str, use: str, *, host: str, cluster: str, major: int) -> tuple[Disk, ...]:
    size = int(item.entry.get("disk_gb", item.card.disk_gb))
    if not size:
        return ()
    short = host.split(".")[0]
    owner = cluster if kind == "fc" else host
    serial = token(owner, item.name if kind == "fc" else item.address, size=16)
    canonical = {
        "nvme": f"t10.NVMe____{item.card.disk_model.replace(' ', '_')[:24]}_____{serial.upper()}",
        "ide": f"t10.ATA_____{item.card.disk_model.replace(' ', '_')[:24]}_____{serial.upper()}",
        "ahci": f"t10.ATA_____{item.card.disk_model.replace(' ', '_')[:24]}_____{serial.upper()}",
        "usb": "mpx.vmhba32:C0:T0:L0",
        "raid": f"naa.61866da0{serial}{serial[:8]}",
        "fc": f"naa.60000970{serial}{serial[:8]}",
    }[kind]
    name = str(item.entry.get("datastore", ""))
    if use == "datastore" and not name:
        name = f"san-{cluster}" if kind == "fc" else "{short}-" + f"{item.name}-{item.slot if item.slot > 0 else 0}"
    name = name.replace("{host}", host).replace("{short}", short).replace("{cluster}", cluster)
    uuid = token(canonical, owner, size=32)
    return (
        Disk(
            canonical=canonical,
            size_gb=size,
            use=use or "free",
            ssd=kind != "usb",
            local=kind != "fc",
            model=item.card.disk_model,
            dump=bool(item.entry.get("dump", use == "boot" and major < 7)),
            datastore=name,
            volume_uuid=f"{uuid[:8]}-{uuid[8:16]}-{uuid[16:20]}-{uuid[20:32]}"
            if name or use.startswith("vsan")
            else "",
        ),
    )


def states(cards: Sequence[Placed], functions: Mapping[str, Function]) -> dict[str, dict[str, Any]]:
    """Initial passthrough states asked for by `enabled`, `active` and `label` of a card (`enabled` implies active)."""
    found: dict[str, dict[str, Any]] = {}
    for item in cards:
        wanted = {name: item.entry[name] for name in ("enabled", "active", "label") if name in item.entry}
        if not wanted:
            continue
        if "enabled" in wanted:
            wanted.setdefault("active", wanted["enabled"])
        for address, function in functions.items():
            if function.card == f"{item.name}@{item.address}":
                found[address] = dict(wanted)
    return found
