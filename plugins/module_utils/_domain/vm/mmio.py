# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""64-bit MMIO window of VMs with large-BAR devices. PRIVATE to the collection.

A VM whose devices map more memory than the window holds fails to power on ("Module 'DevicePowerOn' power on failed"). The window is a power
of two that is greater than the sum of the devices' BARs (VMware's guidance for V100-class cards: two of 16 GB need 64). The API does not
report BAR sizes: they come from the caller, from a table of models, or from the size in the name of a card. A BAR is a power of two and at
least as large as the card's memory: 40 GB of memory need a BAR of 64 GB. A window that is too large does no harm, so it is never reduced.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ..observed.vms import Vm
from ..pci import ACCELERATOR_CLASS, DISPLAY_CLASS
from ..planning.details import ExtraConfig
from ..planning.plan import Blocker, Change, WindowFacts
from ..ranges import RANGES, plain
from .desired.mmio import DesiredMmio, power_of_two_above
from .gpu_memory import MODEL_MEMORY_GB

USE_KEY = "pciPassthru.use64bitMMIO"
SIZE_KEY = "pciPassthru.64bitMMIOSizeGB"
DEFAULT_WINDOW_GB = 32
"""The smallest window that is set: the window of a VM without the setting."""

UNSET_WINDOW_GB = 16
"""The memory that all cards of a VM together can map without the setting (vendor guides for large GPUs)."""

_LARGE_BAR_CLASSES = (DISPLAY_CLASS, ACCELERATOR_CLASS)
_NAMED_SIZE = re.compile(r"(?<![\d.])(\d{1,4})\s?Gi?B\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class MmioDevice:
    """A device that the VM will have. ``class_id`` and ``name`` are empty when no known host has the model."""

    ids: str
    class_id: str = ""
    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class MmioPlan:
    """The settings to write, the blockers, and the arithmetic for the result."""

    changes: tuple[Change, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    facts: WindowFacts | None = None


def bar_gb(memory_gb: int) -> int:
    """The BAR size of a card in GB: the smallest power of two that is at least the memory size."""
    return 1 << (memory_gb - 1).bit_length()


def plan_mmio(vm: Vm, desired: DesiredMmio, devices: Sequence[MmioDevice]) -> MmioPlan:
    """The plan of the window for the devices that a VM will have; empty when it will have none."""
    if not devices or _all_small(desired, devices):
        return MmioPlan()
    blockers = []
    if vm.firmware != "efi":
        blockers.append(
            Blocker(
                code="firmware_not_efi",
                message=f"{vm.name} boots with {vm.firmware.upper()} firmware, but 64-bit MMIO needs EFI",
                cure="Use a VM that was installed with EFI firmware: an installed guest does not boot after a change of the firmware. "
                "Leave mmio out if all cards together map less than 16 GB",
            )
        )
    arithmetic, total, unknown = _sum(desired, devices)
    if unknown and desired.size_gb is None:
        blockers.append(
            Blocker(
                code="mmio_size_unknown",
                message=f"The memory size of {', '.join(unknown)} for {vm.name} is unknown",
                cure="Give the memory of one card in mmio.device_gb, such as {"
                + f'"{unknown[0].split()[0]}": 48'
                + "}, or give mmio.size_gb",
            )
        )
    current = current_size_gb(vm)
    needed, largest = power_of_two_above(total), RANGES["size_gb"].highest
    size = desired.size_gb if desired.size_gb is not None else max(needed, DEFAULT_WINDOW_GB)
    if needed > largest:
        blockers.append(
            Blocker(
                code="bad_mmio_size",
                message=f"The devices of {vm.name} map {arithmetic} = {total} GB, which needs a window of {needed} GB, but the largest is "
                f"{plain(largest)} GB",
                cure="Correct the sizes in mmio.device_gb, or request fewer devices",
            )
        )
    elif size <= total:
        blockers.append(
            Blocker(
                code="mmio_size_too_small",
                message=f"mmio size {size} GB for {vm.name} is not greater than the memory that its devices map: "
                f"{arithmetic} = {total} GB",
                cure=f"Use {needed}, or leave size_gb out, and the size is computed",
            )
        )
    kept = current is not None and current >= size
    facts = WindowFacts(
        devices=arithmetic,
        sum_gb=total,
        wanted_gb=size,
        size_gb=current if current is not None and kept else size,
        kept_larger=current is not None and current > size,
    )
    return MmioPlan(
        changes=_changes(vm, None if kept else size), blockers=tuple(blockers), facts=None if unknown else facts
    )


def _all_small(desired: DesiredMmio, devices: Sequence[MmioDevice]) -> bool:
    """True when the caller gives 0 for a card (small BARs), and no other device of the VM needs a window."""
    if desired.size_gb is not None or not isinstance(desired.per_device_gb, Mapping):
        return False
    _arithmetic, total, unknown = _sum(desired, devices)
    has_zero = any(desired.per_device_gb.get(device.ids) == 0 for device in devices)
    return has_zero and total == 0 and not unknown


def window_problem(vm: Vm, staying: Sequence[MmioDevice], added: Sequence[MmioDevice]) -> str:
    """Why the VM will probably fail to power on with its current window, as a clause; empty when the window is large enough.

    A running or suspended VM has a window that is large enough for its current devices: only added devices can be too much.
    """
    if vm.power_state in ("poweredOn", "suspended") and _sum(DesiredMmio(), added)[1] == 0:
        return ""
    arithmetic, total, _unused = _sum(DesiredMmio(), [*staying, *added])
    current = usable_size_gb(vm)
    if total <= UNSET_WINDOW_GB or (current is not None and current > total):
        return ""
    has = f"a 64-bit MMIO window of {current} GB" if current is not None else "no 64-bit MMIO window"
    return f"its cards map {arithmetic} = {total} GB, but {vm.name} has {has}, so it will probably fail to power on"


def unknown_size_blocker(vm: Vm, added: Sequence[MmioDevice], known_good: Collection[str]) -> Blocker | None:
    """The blocker when cards of unknown memory size are ``added`` to a VM without a window: it may fail to power on.

    ``known_good``: models (vendor:device) that the VM already has.
    """
    if usable_size_gb(vm) is not None and current_size_gb(vm) is not None:
        return None
    large = [
        device for device in added if device.class_id.startswith(_LARGE_BAR_CLASSES) and device.ids not in known_good
    ]
    _arithmetic, _total, unknown = _sum(DesiredMmio(), large)
    if not unknown:
        return None
    ids = unknown[0].split()[0]
    return Blocker(
        code="mmio_size_unknown",
        message=f"The memory size of {', '.join(unknown)} is unknown, and {vm.name} has no 64-bit MMIO window, so it may fail to power on "
        "with such a card",
        cure=f'Give the memory of one card, such as mmio: {{device_gb: {{"{ids}": 48}}}}, or 0 if its BARs are small',
    )


def will_not_start(vm: Vm, problem: str) -> Blocker:
    """A VM is not shut down, changed or powered on when it is expected to fail to power on afterwards."""
    kept = (
        f"{vm.name} is running and is not shut down for this change"
        if vm.is_powered_on
        else f"{vm.name} is not powered on"
    )
    return Blocker(
        code="will_not_start",
        message=f"{kept}: {problem}",
        cure="Set mmio: {} to set a window that is large enough, or give the memory of its cards: mmio: {device_gb: {...}}, with 0 for "
        "small BARs",
    )


def current_size_gb(vm: Vm) -> int | None:
    """The configured window in GB; None when it is not set or not a number."""
    value = _setting(vm, SIZE_KEY)
    return int(value) if value is not None and value.strip().isdecimal() else None


def is_window_on(vm: Vm) -> bool:
    use = _setting(vm, USE_KEY)
    return use is not None and use.strip().upper() == "TRUE"


def usable_size_gb(vm: Vm) -> int | None:
    """The window that the VM gets, in GB; None without EFI firmware, or when the window is not turned on."""
    if vm.firmware != "efi" or not is_window_on(vm):
        return None
    size = current_size_gb(vm)
    return DEFAULT_WINDOW_GB if size is None else size


def _sum(desired: DesiredMmio, devices: Sequence[MmioDevice]) -> tuple[str, int, list[str]]:
    """The sum as text, the sum in GB, and the models of unknown memory size."""
    given = desired.per_device_gb if isinstance(desired.per_device_gb, Mapping) else {}
    models = {device.ids: device for device in sorted(devices, key=lambda device: (device.ids, device.name))}
    terms, total, unknown = [], 0, []
    for ids, count in sorted(Counter(device.ids for device in devices).items()):
        memory = _memory_gb(models[ids], given)
        if memory is None:
            unknown.append(f"{ids} {models[ids].name}".strip())
            continue
        size = bar_gb(memory) if memory else 0
        total += count * size
        terms.append(f"{count} x {size} ({ids}{f', {memory} GB of memory' if memory != size else ''})")
    return " + ".join(terms), total, unknown


def _memory_gb(device: MmioDevice, given: Mapping[str, int]) -> int | None:
    """Memory in GB; 0 for devices with small BARs (network adapters, disks); None when it is unknown."""
    known = given.get(device.ids, MODEL_MEMORY_GB.get(device.ids))
    if known is not None:
        return known
    if device.class_id and not device.class_id.startswith(_LARGE_BAR_CLASSES):
        return 0
    named = _NAMED_SIZE.search(device.name)
    return int(named[1]) if named else None


def _setting(vm: Vm, key: str) -> str | None:
    return next((value for name, value in sorted(vm.extra_config.items()) if name.lower() == key.lower()), None)


def _changes(vm: Vm, size: int | None) -> tuple[Change, ...]:
    changes = []
    use = _setting(vm, USE_KEY)
    if use is None or use.strip().upper() != "TRUE":
        changes.append(_change(USE_KEY, use, "TRUE"))
    if size is not None:
        changes.append(_change(SIZE_KEY, _setting(vm, SIZE_KEY), str(size)))
    return tuple(changes)


def _change(key: str, before: str | None, after: str) -> Change:
    return Change(subject=key, before=before, after=after, detail=ExtraConfig(key=key, value=after))
