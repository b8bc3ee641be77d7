# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a power-on checks, in order, with the texts the product gives.

Sources: KB 2001216 (ids and systemId), KB 437651 (nested virtualisation), bosh-vsphere-cpi change 372 (memory text),
HPE advisory on DevicePowerOn, Dell KB 000199172 (MMIO window), API reference for the typed faults. The wording for a
device that is held by another VM is not published: `Knobs.device_held_text`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pyVmomi import vim

from .. import admission, faults
from ..knobs import Knobs
from ..pci import encoding, vgpu
from . import sriov

MODULE_FAILED = ("msg.moduletable.powerOnFailed", "Module 'DevicePowerOn' power on failed. ")


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """One `allowedDevice` of a dynamic backing; None means any."""

    vendor: int
    device: int
    subvendor: int | None = None
    subdevice: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A device of the VM as its configuration names it. `kind`: fixed, dynamic, sriov, vgpu or dvx."""

    kind: str
    key: int
    address: str = ""
    vendor: int = 0
    device: str = ""
    system: str = ""
    allowed: tuple[Match, ...] = ()
    label: str = ""
    profile: str = ""
    network: str = ""

    @property
    def index(self) -> int:
        """N of `pciPassthruN`."""
        return self.key - 13000


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """A PCI function of the host as the VMX process finds it. `holder` is the id of the running VM that has it, `physical` the
    physical function of a virtual one."""

    address: str
    vendor: int
    device: int
    subvendor: int = 0
    subdevice: int = 0
    dependent: str = ""
    active: bool = False
    label: str = ""
    holder: str = ""
    bar_gb: float = 0.0
    free_functions: int = 0
    physical: str = ""
    free_profiles: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """What of a VM's configuration decides whether it starts."""

    moid: str
    name: str
    memory_mb: int
    reservation_mb: int
    vcpus: int
    firmware: str
    nested: bool
    memory_hot_add: bool
    extra: Mapping[str, str]
    wanted: tuple[Wanted, ...]
    latency: str = "normal"
    cpu_reservation_mhz: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    """What of a host decides whether a VM starts there; `free_memory` in bytes.

    `lent` devices are with running VMs, of at most `device_max` (0: any number).
    """

    name: str
    system: str
    cards: Mapping[str, Card]
    free_memory: int
    cpu_mhz: int = 0
    lent: int = 0
    device_max: int = 0
    dvx_classes: tuple[str, ...] = ()
    pools: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Network -> addresses of the physical functions whose virtual functions serve its adapters."""


def assigned(machine: Machine, host: Host, pools: Sequence[admission.Pool], knobs: Knobs) -> dict[int, str]:
    """Return device key -> address taken on the host, or raise the fault of the first check that fails."""
    check_itself(machine, knobs)
    _check_cpu_reservation(machine, host, knobs)
    fixed: set[str] = set()
    for item in machine.wanted:
        if item.kind == "fixed":
            check_fixed(item, machine, host, knobs)
            if item.address in fixed:
                raise _held(host.cards[item.address], knobs)
            fixed.add(item.address)
    taken = _place(machine, host, knobs)
    _check_host_maximum(machine, host)
    _check_window(machine, host, taken, knobs)
    requested = needed_memory(machine)
    admission.check_pool(pools, requested)
    admission.check_host(host.free_memory, requested)
    return taken


def check_itself(machine: Machine, knobs: Knobs) -> None:
    """Raise what keeps the VM from starting on any host: how it is set up beside its devices."""
    if machine.wanted:
        _check_nested(machine)
    if machine.wanted or machine.latency == "high":  # all memory too, with the same text (performance guide)
        _check_reservation(machine)
    if machine.wanted:
        _check_memory_hot_add(machine, knobs)


def needed_memory(machine: Machine) -> int:
    """Bytes a power-on reserves: the configured reservation and the overhead."""
    return machine.reservation_mb * admission.MIB + admission.overhead(machine.memory_mb, machine.vcpus)


def _check_nested(machine: Machine) -> None:
    if machine.nested and any(item.kind in ("fixed", "dynamic") for item in machine.wanted):
        text = "Virtualization is not supported on a virtual machine with a PCI passthrough device."
        raise faults.vm_config_fault([("msg.pciPassthru.nestedHV", text)])


def _check_reservation(machine: Machine) -> None:
    if machine.reservation_mb != machine.memory_mb:
        text = (
            "Invalid memory setting: memory reservation (sched.mem.min) should be equal to "
            f"memsize({machine.memory_mb}). "
        )
        raise faults.vm_config_fault([("msg.memory.reservation.notFull", text)])


def _check_cpu_reservation(machine: Machine, host: Host, knobs: Knobs) -> None:
    """With high latency sensitivity, all CPUs are to be reserved (performance guide). That power-on refuses it is not confirmed."""
    least = machine.vcpus * host.cpu_mhz
    if machine.latency == "high" and machine.cpu_reservation_mhz < least and knobs.latency_needs_cpu == "power_on":
        text = f"Invalid CPU reservation for the latency-sensitive VM, (sched.cpu.min) should be at least {least} MHz. "
        raise faults.vm_config_fault([("msg.cpu.reservation.latencySensitive", text)])


def _check_memory_hot_add(machine: Machine, knobs: Knobs) -> None:
    if machine.memory_hot_add and knobs.memory_hot_add_with_passthrough == "power_on_refused":
        text = "Memory hot-add is not supported for a virtual machine with a PCI passthrough device."
        raise faults.vm_config_fault([("msg.pciPassthru.memoryHotAdd", text)])


def check_fixed(item: Wanted, machine: Machine, host: Host, knobs: Knobs) -> None:
    """Raise what is wrong with a fixed backing on a host: its ids, its state, another holder."""
    card = host.cards.get(item.address)
    if card is None or not _names(item, card, host):
        text = (
            "The systemId does not match the current system or the deviceId, and the vendorId does not match the "
            f"device currently at {_decimal(item.address)}."
        )
        raise faults.vm_config_fault([("msg.pciPassthru.mismatchedDevice", text)])
    if not card.active:
        bus = _decimal(item.address)
        raise faults.vm_config_fault(
            [MODULE_FAILED, ("msg.pciPassthru.notPassthrough", f"Device {bus} is not a passthrough device. ")]
        )
    _check_free(card, machine, host, knobs)


def _decimal(address: str) -> str:
    try:
        return encoding.decimal_bus(address)
    except ValueError:
        return address


def _names(item: Wanted, card: Card, host: Host) -> bool:
    """deviceId is read as hexadecimal (govmomi 2248): a decimal string names another device."""
    return (
        item.system == host.system
        and item.vendor & 0xFFFF == card.vendor
        and encoding.parse_hex_id(item.device) == card.device
    )


def _check_free(card: Card, machine: Machine, host: Host, knobs: Knobs) -> None:
    for held in _group(card, host):
        if held.holder and held.holder != machine.moid:
            raise _held(card, knobs)


def _held(card: Card, knobs: Knobs) -> vim.fault.GenericVmConfigFault:
    """Another VM has the card, or this one names it twice."""
    text = knobs.device_held_text.replace("{bus}", encoding.decimal_bus(card.address))
    return faults.vm_config_fault([MODULE_FAILED, ("msg.pciPassthru.deviceInUse", text)])


def _group(card: Card, host: Host) -> list[Card]:
    """Functions that reset together belong to one VM (KB 312208)."""
    return [item for item in host.cards.values() if item.dependent == card.dependent and card.dependent] or [card]


def _place(machine: Machine, host: Host, knobs: Knobs) -> dict[int, str]:
    """Choose a card for each device; fixed ones first, so that a dynamic one never takes the card of a fixed one."""
    taken = _place_profiles(machine, host)
    for item in sorted(machine.wanted, key=lambda device: (device.kind != "fixed", device.key)):
        if item.kind == "fixed":
            taken[item.key] = item.address
        elif item.kind == "dynamic":
            taken[item.key] = _free_match(item, machine, host, set(taken.values()), knobs)
        elif item.kind == "sriov":
            taken[item.key] = _free_function(item, machine, host, list(taken.values()))
        elif item.kind == "dvx" and item.profile not in host.dvx_classes:
            raise _missing(item, machine, host, knobs)
    return taken


def _free_match(item: Wanted, machine: Machine, host: Host, taken: set[str], knobs: Knobs) -> str:
    for address in sorted(host.cards):
        card = host.cards[address]
        group_free = not any(other.holder and other.holder != machine.moid for other in _group(card, host))
        if address not in taken and card.active and not card.physical and group_free and matches(item, card):
            return address
    raise _missing(item, machine, host, knobs)


def matches(item: Wanted, card: Card) -> bool:
    """Whether a dynamic backing accepts a card: same label, and one of the allowed identities (API reference)."""
    if item.label != card.label and item.label:
        return False
    return any(
        allowed.vendor == card.vendor
        and allowed.device == card.device
        and allowed.subvendor in (None, card.subvendor)
        and allowed.subdevice in (None, card.subdevice)
        for allowed in item.allowed
    )


def _missing(item: Wanted, machine: Machine, host: Host, knobs: Knobs) -> vim.fault.GenericVmConfigFault:
    text = knobs.dynamic_missing_text.replace("{device}", f"pciPassthru{item.index}")
    text = text.replace("{vm}", machine.name).replace("{host}", host.name)
    return faults.vm_config_fault([("msg.pciPassthru.noDevice", text)])


def _free_function(item: Wanted, machine: Machine, host: Host, taken: list[str]) -> str:
    """The physical function that provides a virtual one: the one asked for, or for an automatic adapter one of the pool behind its
    network. Functions that the VM gets as whole devices are not left for its adapters."""
    automatic = item.address in ("", "0000:00:00.0")
    if item.network and item.network not in host.pools:
        text = f"The network of a network adapter of {machine.name} is not accessible on host {host.name}."
        raise faults.vm_config_fault([("msg.ethernet.networkNotAccessible", text)])
    pool = host.pools.get(item.network) if automatic and item.network else None
    whole = [host.cards[address].physical for address in taken if address in host.cards]
    for address in sorted(host.cards):
        card = host.cards[address]
        if pool is not None and address not in pool:
            continue
        if (automatic or address == item.address) and card.free_functions > taken.count(address) + whole.count(address):
            return address
    raise sriov.no_function()


def _place_profiles(machine: Machine, host: Host) -> dict[int, str]:
    """The GPUs of the vGPUs: those in sharedDirect mode, which do nothing else."""
    wanted = sorted((item for item in machine.wanted if item.kind == "vgpu"), key=lambda item: item.key)
    found = vgpu.fit([item.profile for item in wanted], {at: card.free_profiles for at, card in host.cards.items()})
    if found is None:
        raise vgpu.insufficient()
    return {item.key: address for item, address in zip(wanted, found, strict=True)}


def _check_host_maximum(machine: Machine, host: Host) -> None:
    """Functions that are passed through as a whole count. The text is not published."""
    added = sum(item.kind in ("fixed", "dynamic") for item in machine.wanted)
    if host.device_max and added and host.lent + added > host.device_max:
        text = f"The host {host.name} has reached its maximum of {host.device_max} passthrough devices."
        raise faults.vm_config_fault([MODULE_FAILED, ("msg.pciPassthru.hostMaximum", text)])


def window_gb(machine: Machine, knobs: Knobs) -> float:
    """The address window for device memory: 64-bit MMIO needs EFI firmware and the setting (product guides)."""
    if machine.firmware != "efi" or machine.extra.get("pciPassthru.use64bitMMIO", "").upper() != "TRUE":
        return knobs.mmio_default_gb
    size = machine.extra.get("pciPassthru.64bitMMIOSizeGB", "")
    return float(size) if size.isdigit() else knobs.mmio_default_gb


def _check_window(machine: Machine, host: Host, taken: Mapping[int, str], knobs: Knobs) -> None:
    """Small BARs come on top of the big one, so a window of exactly the sum is too small. Only the log says why."""
    whole = [host.cards[taken[item.key]].bar_gb for item in machine.wanted if item.kind in ("fixed", "dynamic")]
    if sum(whole) and sum(whole) >= window_gb(machine, knobs):
        raise faults.vm_config_fault([MODULE_FAILED])
