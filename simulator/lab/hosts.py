# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a host of a lab to its specification: defaults, hardware, network, storage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..objects.pci import Layout
from ..objects.specs import HostSpec, Nic, Switch, Vmkernel
from ..rules import knobs as knob_rules
from ..rules import limits
from ..rules.pci.graphics import MIG, MODES
from ..rules.pci.passthrough import Sriov
from .expand import unknown_keys
from .hardware import cards as hardware
from .hardware import offers, recorded
from .hardware.cards import LabError, token

if TYPE_CHECKING:
    from ..endpoint import SimulatedEndpoint

HOST_KEYS = {
    "name", "hardware", "version", "build", "vendor", "model", "cpu", "memory_gb", "packages", "cores", "numa_nodes",
    "chassis", "onboard", "cards", "boot", "rebind", "iommu", "connection", "known", "maintenance", "up_days", "knobs",
    "switches", "vmkernels", "nfs", "vsan", "shared_gpus", "pad", "states", "standby", "quarantine", "quick_boot", "alarms",
    "tags", "custom_values", "recorded", "device_groups", "dvx_classes", "module_options",
}  # fmt: skip
RECORDED_KEYS = {
    "version", "build", "vendor", "model", "cpu", "memory_gb", "packages", "cores", "numa_nodes", "chassis", "onboard",
    "cards", "boot", "rebind", "iommu", "switches", "vmkernels", "nfs", "vsan", "shared_gpus", "pad",
}  # fmt: skip
"""What a recorded host says itself."""

BUILDS = {
    "5.5": "2068190",
    "6.7": "17700523",
    "7.0": "21930508",
    "8.0": "24280767",
    "9.0": "24755229",
    "9.1": "25100000",
}
VGPU_ABILITIES = {
    "migrate": "migrateSupported",
    "suspend": "suspendSupported",
    "disk_snapshot": "diskSnapshotSupported",
    "memory_snapshot": "memorySnapshotSupported",
}
"""What VMs with vGPUs of a card can do, in the words of a lab and of the API. Since 6.7 they move and suspend."""
LayoutCache = Callable[[Mapping[str, Any], Callable[[], Layout]], Layout]


def spec(
    entry: Mapping[str, Any], *, cluster: str, number: int, version: str, layout: LayoutCache, sim: SimulatedEndpoint
) -> HostSpec:
    """Resolve one host. Raises LabError."""
    name = str(entry["name"])
    unknown_keys(entry, HOST_KEYS, f"host {name}")
    if "recorded" in entry:
        return _recorded(entry, name, sim)
    release = str(entry.get("version", version))
    numa = int(entry.get("numa_nodes", 1 if entry.get("chassis") == "home" else 2))
    cpu = str(entry.get("cpu", "intel"))
    iommu = bool(entry.get("iommu", True))
    modes = limits.release(release) >= (9, 1)
    cards = hardware.placed(hardware.entries(entry))
    signature = {
        "cards": [[item.name, item.address, item.slot, dict(item.entry)] for item in cards],
        "rest": [cpu, numa, iommu, entry.get("pad", 0), modes],
    }
    shared = layout(
        signature,
        lambda: hardware.layout(
            cards, cpu=cpu, numa_nodes=numa, iommu=iommu, pad=int(entry.get("pad", 0)), modes=modes
        ),
    )
    nics = hardware.nics(cards, name)
    switches = _switches(entry, nics)
    gpus = _shared_gpus(entry, shared, name)
    major = int(release.split(".", maxsplit=1)[0])
    return HostSpec(
        name=name,
        release=release,
        build=str(entry.get("build", BUILDS.get(".".join(release.split(".")[:2]), "24280767"))),
        api=release,
        vendor=str(entry.get("vendor", "Dell Inc.")),
        model=str(entry.get("model", "PowerEdge R750")),
        cpu=cpu,
        memory_gb=int(entry.get("memory_gb", 512)),
        packages=int(entry.get("packages", 1 if numa == 1 else 2)),
        cores=int(entry.get("cores", 24)),
        numa_nodes=numa,
        uuid=_uuid("bios", name),
        layout=shared,
        nics=nics,
        switches=switches,
        vmkernels=_vmkernels(entry, switches, number),
        adapters=hardware.adapters(cards, name, cluster, major=major),
        nfs=tuple(entry.get("nfs", (f"shared-{cluster}",) if sim.kind == "vcenter" else ())),
        **gpus,
        states=_states(entry, hardware.states(cards, shared.functions), shared, name),
        rebind=bool(entry.get("rebind", major >= 7)),
        iommu=iommu,
        boot=str(entry.get("boot", "nvme")),
        vsan=_vsan(entry, name),
        vsan_datastore=f"vsan-{cluster}" if entry.get("vsan") else "",
        **_condition(entry, name),
    )


def _recorded(entry: Mapping[str, Any], name: str, sim: SimulatedEndpoint) -> HostSpec:
    """A host whose hardware is that of a recorded one; its name, its condition and its knobs are the lab's."""
    if told := sorted(set(entry) & RECORDED_KEYS):
        raise LabError(f"host {name}: {', '.join(told)} cannot be given with recorded, which says it")
    found = recorded.read(sim.folder / str(entry["recorded"]))
    found["states"] = _states(entry, found["states"], found["layout"], name)
    return HostSpec(name=name, **found, **_condition(entry, name))


def _condition(entry: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What a lab says of a host beside its hardware."""
    return {
        "system_id": _uuid("esxi", name),
        "connection": "notResponding" if entry.get("standby") else str(entry.get("connection", "connected")),
        "known": bool(entry.get("known", True)),
        "maintenance": bool(entry.get("maintenance", False)),
        "standby": bool(entry.get("standby", False)),
        "quarantine": bool(entry.get("quarantine", False)),
        "quick_boot": bool(entry.get("quick_boot", False)),
        "up_days": float(entry.get("up_days", 20.0)),
        "module_options": {str(name): str(told) for name, told in (entry.get("module_options") or {}).items()},
        "knobs": _knobs(entry, name),
        "groups": offers.groups(entry, name),
        "dvx": offers.dvx_classes(entry, name),
    }


def _uuid(kind: str, name: str) -> str:
    raw = token(kind, name, size=32)
    return f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"


def _knobs(entry: Mapping[str, Any], name: str) -> dict[str, Any]:
    try:
        return {str(key): knob_rules.coerce(str(key), value) for key, value in (entry.get("knobs") or {}).items()}
    except ValueError as error:
        raise LabError(f"host {name}: {error}") from None


def _vsan(entry: Mapping[str, Any], name: str) -> str:
    kind = entry.get("vsan") or ""
    if kind not in ("", "osa", "esa"):
        raise LabError(f"host {name}: vsan is osa or esa, not {kind!r}")
    return str(kind)


def _switches(entry: Mapping[str, Any], nics: tuple[Nic, ...]) -> tuple[Switch, ...]:
    """vSwitch0 with its usual port groups, and every switch an uplink names; `switches` replaces the port groups."""
    wanted: dict[str, Any] = dict(entry.get("switches") or {})
    wanted.setdefault("vSwitch0", ["Management Network", "VM Network"])
    found: list[Switch] = []
    for name in [*wanted, *(nic.switch for nic in nics if nic.switch and nic.switch not in wanted)]:
        if any(switch.name == name for switch in found):
            continue
        groups = tuple(str(group) for group in wanted.get(name) or [f"{name} Network"])
        kind = "distributed" if name.startswith("dvs") else "standard"
        found.append(Switch(name=name, kind=kind, portgroups=groups))
    return tuple(found)


def _vmkernels(entry: Mapping[str, Any], switches: tuple[Switch, ...], number: int) -> tuple[Vmkernel, ...]:
    """vmk0 for management and vMotion on vSwitch0, unless the lab lists them."""
    listed = entry.get("vmkernels") or [{"services": ["management", "vmotion"]}]
    if entry.get("vsan") and "vmkernels" not in entry:
        listed = [*listed, {"services": ["vsan"]}]
    found = []
    for index, item in enumerate(listed):
        name = str(item.get("switch", "vSwitch0"))
        switch = next((each for each in switches if each.name == name), None)
        if switch is None:
            raise LabError(f"host {entry['name']}: VMkernel adapter {index} is on unknown switch {name!r}")
        found.append(
            Vmkernel(
                device=f"vmk{index}",
                portgroup=str(item.get("portgroup", switch.portgroups[0])),
                switch=name,
                services=tuple(item.get("services", [])),
                ip=str(item.get("ip", f"10.{index}.{number // 250}.{number % 250 + 1}")),
            )
        )
    return tuple(found)


def _shared_gpus(entry: Mapping[str, Any], layout: Layout, name: str) -> dict[str, Any]:
    """`shared_gpus: [a100]`, `{a100: shared}` or `{a100: {type: sharedDirect, migrate: false}}`: these cards serve vGPUs instead."""
    wanted = entry.get("shared_gpus") or {}
    if not isinstance(wanted, Mapping):
        wanted = dict.fromkeys(wanted, "sharedDirect")
    kinds: dict[str, str] = {}
    able: dict[str, frozenset[str]] = {}
    modes: dict[str, str] = {}
    for key, told in wanted.items():
        hits = [item.address for item in layout.functions.values() if key in (item.address, item.card.split("@")[0])]
        if not hits:
            raise LabError(f"host {name}: shared_gpus names {key!r}, which the host does not have")
        given = told if isinstance(told, Mapping) else {"type": told}
        unknown_keys(given, {"type", "mode", *VGPU_ABILITIES}, f"host {name}, shared_gpus {key}")
        kinds |= dict.fromkeys(hits, str(given.get("type", "sharedDirect")))
        usual = {"migrate": True, "suspend": True}
        found = frozenset(field for word, field in VGPU_ABILITIES.items() if {**usual, **given}.get(word))
        able |= dict.fromkeys(hits, found)
        mode = str(given.get("mode", ""))
        if mode and mode not in (*MODES, MIG):
            raise LabError(f"host {name}: the mode of {key} is one of {', '.join((*MODES, MIG))}, not {mode!r}")
        modes |= dict.fromkeys(hits, mode) if mode else {}
    return {"shared_gpus": kinds, "vgpu_abilities": able, "vgpu_modes": modes}


def _states(
    entry: Mapping[str, Any], found: dict[str, dict[str, Any]], layout: Layout, name: str
) -> dict[str, dict[str, Any]]:
    """States of cards, and `states: {address: {enabled, active, capable, label, virtual_functions}}` on top."""
    for address, values in (entry.get("states") or {}).items():
        if address not in layout.functions:
            raise LabError(f"host {name}: states names {address!r}, which the host does not have")
        unknown_keys(
            values, {"enabled", "active", "capable", "label", "virtual_functions"}, f"host {name}, states {address}"
        )
        given = {key: value for key, value in values.items() if key != "virtual_functions"}
        if "virtual_functions" in values:
            given["sriov"] = _in_effect(
                int(values["virtual_functions"]), layout.functions[address].max_vfs, name, address
            )
        found[address] = {**found.get(address, {}), **given}
    return found


def _in_effect(count: int, maximum: int, name: str, address: str) -> Sriov:
    """SR-IOV with so many virtual functions since the last boot."""
    if not 0 <= count <= maximum:
        raise LabError(f"host {name}: {address} has at most {maximum} virtual functions, not {count}")
    return Sriov(enabled=count > 0, active=count > 0, requested=count, present=count, maximum=maximum)
