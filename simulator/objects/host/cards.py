# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The devices of a host as a power-on sees them: whose they are, and what is left of those that can be shared."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pyVmomi import vim

from ...api import data
from ...rules.pci import vgpu
from ...rules.vm import power_on
from .state import HostState


def cards(host: HostState) -> dict[str, power_on.Card]:
    """Every PCI function by address."""
    found = {}
    functions = host.spec.layout.functions
    whole = Counter(functions[address].physical for address in host.holders if address in functions)
    lent = {address: moid for (moid, _key), address in host.functions_lent.items()}
    for address, item in functions.items():
        state = host.pci[address]
        shared = host.spec.shared_gpus.get(address) == "sharedDirect" and not state.active
        vfs = state.sriov.present if state.sriov and state.sriov.active else 0
        found[address] = power_on.Card(
            address=address,
            vendor=item.vendor,
            device=item.device,
            subvendor=item.subvendor,
            subdevice=item.subdevice,
            dependent=item.dependent,
            active=state.active,
            label=state.label,
            holder=host.holders.get(address, "") or lent.get(address, ""),
            bar_gb=item.bar_gb,
            free_functions=vfs - host.functions_used[address] - whole[address],
            physical=item.physical,
            free_profiles=_free_profiles(host, address, item.profiles) if shared else {},
        )
    return found


def next_function(host: HostState, physical: str) -> str:
    """The virtual function that the next adapter gets: the first one that nobody has. Empty where the host shows none."""
    taken = {*host.holders, *host.functions_lent.values()}
    functions = host.spec.layout.functions.values()
    free = [item.address for item in functions if item.physical == physical and item.address not in taken]
    return min(free, default="")


def gpus(host: HostState) -> vgpu.Gpus:
    """What its shared GPUs can still serve."""
    if not host.spec.shared_gpus:
        return {}
    return {address: card.free_profiles for address, card in cards(host).items() if card.free_profiles}


def _free_profiles(host: HostState, address: str, profiles: tuple[tuple[str, int], ...]) -> dict[str, int]:
    """A card serves one time-sliced profile at a time (equal-size mode)."""
    running = {name for (place, name), count in host.profiles_used.items() if place == address and count}
    return {
        name: count - host.profiles_used[address, name] for name, count in profiles if not running or name in running
    }


def vgpu_users(host: HostState) -> dict[str, list[Any]]:
    """Address of a shared GPU -> VMs that run on it."""
    found: dict[str, list[Any]] = {}
    for vm in host.vms:
        for address in sorted(set(vm.assigned.values()) & set(host.spec.shared_gpus)):
            found.setdefault(address, []).append(vm.ref)
    return found


def graphics_users(host: HostState) -> dict[str, list[Any]]:
    """Address of a GPU -> running VMs on it, as graphicsInfo lists them: those with vGPUs, and those with 3D graphics on a GPU of the type
    shared (with automatic rendering, ESXi uses a GPU if there is one). Each of these is on the GPU with the fewest."""
    found = vgpu_users(host)
    shared = [address for address, kind in sorted(host.spec.shared_gpus.items()) if kind == "shared"]
    if shared and host.settings.shared_graphics_users:
        for vm in host.vms:
            if vm.is_on and vm.spec.graphics_3d in ("automatic", "hardware"):
                least = min(shared, key=lambda address: len(found.get(address, ())))
                found.setdefault(least, []).append(vm.ref)
    return found


def label_config(host: HostState) -> Any:
    """`config` of the AssignableHardwareManager: an override for every hardware label, an empty object where there is none."""
    cls = vim.host.AssignableHardwareConfig
    labelled = [state for state in host.pci.values() if state.label]
    return data.new(
        cls,
        attributeOverride=[
            data.new(cls.AttributeOverride, instanceId=f"pci-{state.address}", name="hardwareLabel", value=state.label)
            for state in labelled
        ],
    )


def offered(host: HostState) -> list[Any]:
    """The functions in passthrough, without virtual functions."""
    found = host.spec.layout.functions.items()
    return [item for address, item in found if host.pci[address].active and not item.physical]


def dynamic_info(host: HostState) -> list[Any]:
    """`dynamicPassthrough`: what an allowedDevice can name; ids unsigned, one entry a kind and label."""
    cls = getattr(vim.vm, "DynamicPassthroughInfo", None)
    if cls is None or host.spec.major < 7:
        return []
    found: dict[tuple[int, int, str], Any] = {}
    for item in offered(host):
        label = host.pci[item.address].label
        found[item.vendor, item.device, label] = data.new(
            cls,
            name="",
            vendorName=item.vendor_name,
            deviceName=item.device_name,
            customLabel=label or None,
            vendorId=item.vendor,
            deviceId=item.device,
        )
    return [found[key] for key in sorted(found)]
