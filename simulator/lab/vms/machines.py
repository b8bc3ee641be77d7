# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a VM of a lab to its specification and devices."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyVmomi import vim

from ...objects.host import cards as host_cards
from ...objects.host.state import HostState
from ...objects.specs import VmSpec
from ...objects.vm import assigned
from ...objects.vm import media as vm_media
from ...objects.vm import power as vm_power
from ...objects.vm.devices import from_lab
from ...objects.vm.vm import VirtualMachine
from ...rules import knobs as knob_rules
from ...rules import limits, maintenance
from ...rules.vm import power_on
from ..expand import unknown_keys
from ..hardware.cards import LabError, token
from . import adapters, guests

VM_KEYS = {
    "name", "host", "pool", "folder", "memory_mb", "memory_gb", "cpus", "version", "firmware", "guest", "power", "tools",
    "locked", "reservation_mb", "limit_mb", "extra", "nested", "memory_hot_add", "cpu_hot_add", "snapshot", "template",
    "datastore", "network", "devices", "media", "annotation", "managed_by", "knobs", "first", "count", "tags", "custom_values",
    "latency_sensitivity", "created_days", "fault_tolerance", "evacuation", "ip", "guest_os", "graphics_3d",
}  # fmt: skip


LATENCY = tuple(vim.LatencySensitivity.SensitivityLevel.values)
RENDERERS = tuple(vim.vm.device.VirtualVideoCard.Use3dRenderer.values)
FAULT_TOLERANCE = tuple(vim.VirtualMachine.FaultToleranceState.values)


def _one_of(entry: Mapping[str, Any], key: str, default: str, choices: tuple[str, ...], name: str) -> str:
    value = str(entry.get(key, default))
    if value not in choices:
        raise LabError(f"VM {name}: {key} is one of {', '.join(filter(None, choices))}, not {value!r}")
    return value


def spec(entry: Mapping[str, Any], host: HostState, folder: Path) -> VmSpec:
    """Resolve one VM: off, EFI, 16 GiB, newest hardware version of its host, on the host's first datastore.

    ``folder``: where relative paths begin.
    """
    name = str(entry["name"])
    unknown_keys(entry, VM_KEYS, f"VM {name}")
    raw = token("vm", name, host.spec.name, size=32)
    power = entry.get("power", "off")
    power = {True: "on", False: "off"}.get(power, power)
    if power not in ("on", "off"):
        raise LabError(f"VM {name}: power is on or off, not {power!r}")
    memory = int(entry["memory_mb"]) if "memory_mb" in entry else int(entry.get("memory_gb", 16)) * 1024
    devices = tuple(entry.get("devices") or ())
    needy = (
        entry.get("latency_sensitivity") == "high" or entry.get("fault_tolerance", "notConfigured") != "notConfigured"
    )
    locked = bool(entry.get("locked", bool(devices) or needy))
    media = tuple(entry.get("media") or ())
    for item in media:
        if wrong := vm_media.problem(item):
            raise LabError(f"VM {name}: {wrong}")
    try:
        knobs = {str(key): knob_rules.coerce(str(key), value) for key, value in (entry.get("knobs") or {}).items()}
    except ValueError as error:
        raise LabError(f"VM {name}: {error}") from None
    return VmSpec(
        name=name,
        uuid=f"42{raw[2:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}",
        version=int(entry.get("version", limits.newest_version(host.spec.release))),
        memory_mb=memory,
        cpus=int(entry.get("cpus", 4)),
        firmware=str(entry.get("firmware", "efi")),
        guest=str(entry.get("guest", "ubuntu64Guest")),
        power=str(power),
        tools=bool(entry.get("tools", True)),
        locked=locked,
        reservation_mb=int(entry.get("reservation_mb", memory if locked else 0)),
        limit_mb=int(entry.get("limit_mb", -1)),
        extra={str(key): str(value) for key, value in (entry.get("extra") or {}).items()},
        nested=bool(entry.get("nested", False)),
        memory_hot_add=bool(entry.get("memory_hot_add", False)),
        cpu_hot_add=bool(entry.get("cpu_hot_add", False)),
        snapshot=bool(entry.get("snapshot", False)),
        template=bool(entry.get("template", False)),
        datastore=str(entry.get("datastore") or _first_store(host)),
        network=str(entry.get("network", "VM Network")),
        devices=devices,
        media=media,
        annotation=str(entry.get("annotation", "")),
        created_days=None if entry.get("created_days", 30.0) is None else float(entry.get("created_days", 30.0)),
        latency=_one_of(entry, "latency_sensitivity", "normal", LATENCY, name),
        fault_tolerance=_one_of(entry, "fault_tolerance", "notConfigured", FAULT_TOLERANCE, name),
        evacuation=_one_of(entry, "evacuation", "", maintenance.EVACUATIONS, name),
        ip=str(entry.get("ip", "")),
        guest_os=guests.spec(entry.get("guest_os"), str(entry.get("guest", "")), folder, f"VM {name}"),
        graphics_3d=_one_of(entry, "graphics_3d", "", ("", *RENDERERS), name),
        managed_by=str(entry.get("managed_by", "")),
        knobs=knobs,
    )


def _first_store(host: HostState) -> str:
    """Shared storage before local: a VM should be able to move."""
    names = [host.sim.obj(ref).name for ref in host.props["datastore"]]
    shared = [name for name in names if name in host.spec.nfs or name.startswith("san-")]
    return (shared or names or [""])[0]


def devices(spec_: VmSpec, host: HostState) -> list[Any]:
    """The passthrough devices the lab gives it."""
    found: list[Any] = []
    cards = host_cards.cards(host) if spec_.devices else {}
    for entry in spec_.devices:
        if "fixed" in entry and str(entry["fixed"]) not in cards:
            raise LabError(f"VM {spec_.name}: {host.name} has no device at {entry['fixed']}")
        if not set(entry) & {"fixed", "dynamic", "vgpu", "dvx", "sriov", "group"}:
            raise LabError(
                f"VM {spec_.name}: a device is fixed, dynamic, vgpu, dvx, sriov or group, not {dict(entry)!r}"
            )
        if "group" in entry:
            found += _of_group(spec_, entry, host, len(found), [item for item in spec_.devices if "group" in item])
        elif "sriov" in entry and "network" in entry:
            found.append(adapters.adapter(entry, host, len(found), f"VM {spec_.name}"))
        else:
            found.append(from_lab(entry, cards, host.spec.system_id, len(found)))
    return found


def _of_group(
    spec_: VmSpec, entry: Mapping[str, Any], host: HostState, first: int, entries: list[Mapping[str, Any]]
) -> list[Any]:
    """The devices of a vendor device group. The keys of the groups of a VM count from 0 in the order of its entries."""
    group = next((item for item in host.spec.groups if item.name == str(entry["group"])), None)
    if group is None:
        raise LabError(f"VM {spec_.name}: {host.name} has no device group {entry['group']!r}")
    instance = next(number for number, item in enumerate(entries) if item is entry)
    found: list[Any] = []
    for position, part in enumerate(group.parts):
        device = from_lab({part.kind: part.value}, {}, host.spec.system_id, first + position)
        device.deviceGroupInfo = vim.vm.device.VirtualDevice.DeviceGroupInfo(
            groupInstanceKey=instance, sequenceId=position + 1 if part.sequence is None else part.sequence
        )
        found.append(device)
    return found


def begin_running(vm: VirtualMachine, host: HostState) -> None:
    """The VM has run since before the lab began: book its devices. Raises LabError when it could not."""
    vm.set("runtime.powerState", "poweredOff")
    vm.charged = 0
    try:
        taken = vm_power.fitting(vm, host)
    except vim.fault.VimFault as fault:
        raise LabError(f"VM {vm.name} cannot be on: {fault.msg}") from None
    vm.charged = power_on.needed_memory(assigned.machine(vm))
    assigned.take(vm, host, taken)
    vm.set("runtime.powerState", "poweredOn")
    vm.set("runtime.bootTime", vm.sim.clock.start)
