# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything about vSphere that is not documented, or that differs from site to site, as a named knob.

A knob has a default, which is the best guess, and alternatives a test or a lab can ask for. Knobs are set for the
whole lab, for one host, or while the simulator runs.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..knobs import Knob

if TYPE_CHECKING:
    from ..base import ManagedObject

Value = bool | int | float | str | tuple[str, ...]


def _knob(default: Value, meaning: str, *, choices: tuple[str, ...] = (), per_host: bool = True) -> Any:
    return field(default=default, metadata={"meaning": meaning, "choices": choices, "per_host": per_host})


@dataclass(frozen=True, kw_only=True, slots=True)
class Knobs:
    """One consistent setting of every knob. Times are seconds of simulator time."""

    # Passthrough configuration of a host.
    info_delay_seconds: float = _knob(
        2.0, "how long pciPassthruInfo shows the old values after UpdatePassthruConfig; -1: until Refresh is called"
    )
    refresh_shows_info: bool = _knob(True, "Refresh makes a change visible at once; false: only the delay does")
    unknown_id_fault: str = _knob(
        "host_config_fault",
        "answer to UpdatePassthruConfig for an address the host does not have",
        choices=("host_config_fault", "platform_config_fault", "invalid_argument"),
    )
    not_capable_fault: str = _knob(
        "host_config_fault",
        "answer to enabling a device that is not capable",
        choices=("host_config_fault", "platform_config_fault", "invalid_argument", "not_supported"),
    )
    uplink_fault: str = _knob(
        "host_config_fault",
        "answer to enabling a NIC that is an uplink; accept: the host loses the uplink",
        choices=("host_config_fault", "platform_config_fault", "accept"),
    )
    same_value_fault: str = _knob(
        "succeed",
        "answer to setting the value a device already has (esxcli fails)",
        choices=("succeed", "host_config_fault", "platform_config_fault"),
    )
    storage_refused: bool = _knob(False, "refuse a storage controller in use or with the boot disk (reports say: no)")
    group_follows: bool = _knob(False, "toggling one function flips every function with the same dependent device")
    reboot_required_flag: str = _knob(
        "before_7",
        "when summary.rebootRequired follows a pending passthrough change",
        choices=("never", "before_7", "always"),
    )
    iommu_off_shape: str = _knob(
        "not_capable",
        "what pciPassthruInfo holds on a host whose IOMMU is off",
        choices=("not_capable", "empty"),
    )
    never_active: tuple[str, ...] = _knob(
        (), "devices that stay enabled and inactive after every boot (ACS); each an address, vendor:device or all"
    )
    pending_again: tuple[str, ...] = _knob(
        (), "devices that are enabled and inactive after each boot, and become active when toggled off and on"
    )
    bus_renumber: str = _knob(
        "none",
        "whether bus numbers move by one at a boot, as after a firmware change",
        choices=("none", "next_boot", "each_boot"),
    )
    missing_while_away: tuple[str, ...] = _knob(
        (), "property paths of a host that go to missingSet while it is disconnected or not responding, e.g. config"
    )
    away_fault: str = _knob(
        "host_not_reachable",
        "answer of a host that does not respond; a disconnected one gives HostNotConnected",
        choices=("host_not_reachable", "host_communication"),
    )
    query_boot_devices: bool = _knob(False, "QueryBootDevices answers; false: NotSupported, as on many servers")
    negative_bus_bytes: bool = _knob(True, "bus numbers from 0x80 arrive as negative bytes")

    # Maintenance mode and reboot.
    maintenance_seconds: float = _knob(5.0, "time to enter maintenance mode once nothing runs on the host")
    exit_maintenance_seconds: float = _knob(2.0, "time to leave maintenance mode")
    maintenance_stuck_progress: int = _knob(2, "progress of the task while it waits for virtual machines")
    evacuate_moves_fixed: bool = _knob(True, "evacuatePoweredOffVms moves a VM with a fixed backing as well")
    drs_passthrough_fault: str = _knob(
        "disallowed_device",
        "fault for a passthrough VM in the maintenance dry run",
        choices=("disallowed_device", "device_not_supported", "cannot_access_device"),
    )
    reboot_task_end: str = _knob(
        "early",
        "when vCenter ends the task of RebootHost: on acceptance, when the host is back, or with HostCommunication",
        choices=("early", "late", "error"),
    )
    boot_result: str = _knob(
        "normal",
        "how the next boot ends",
        choices=("normal", "never_returns", "same_boot_time", "disconnected"),
    )
    down_after_seconds: float = _knob(20.0, "time from the reboot call until the host stops answering")
    boot_seconds: float = _knob(300.0, "time from then until the host answers again")
    reconnect_seconds: float = _knob(3.0, "time ReconnectHost takes")

    # Virtual machines.
    reconfigure_seconds: float = _knob(1.0, "time ReconfigVM takes")
    power_on_seconds: float = _knob(3.0, "time a power-on takes")
    power_off_seconds: float = _knob(1.0, "time a power-off takes")
    guest_boot_seconds: float = _knob(20.0, "time from power-on until VMware Tools run")
    shutdown_seconds: float = _knob(15.0, "time a guest takes to shut down")
    shutdown_guest_result: str = _knob("normal", "what a guest makes of ShutdownGuest", choices=("normal", "ignored"))
    migrate_seconds: float = _knob(10.0, "time a migration or relocation takes")
    hot_add_fault: str = _knob(
        "generic",
        "answer to adding or removing a passthrough device while the VM runs",
        choices=("generic", "hot_plug_not_supported", "invalid_power_state"),
    )
    device_held_text: str = _knob(
        "Device {bus} is already in use.", "power-on error for a device another running VM holds; {bus} is decimal"
    )
    dynamic_missing_text: str = _knob(
        "Insufficient resources. One or more devices ({device}) required by VM {vm} are not available on host {host}.",
        "power-on error when a host has no free match for a dynamic backing",
    )
    cold_migration_fault: str = _knob(
        "device_not_supported",
        "answer to moving a powered-off VM with a fixed backing; allowed: it moves and then does not start",
        choices=("device_not_supported", "device_backing", "disallowed_device", "cannot_access_device", "allowed"),
    )
    raw_device_privilege: str = _knob(
        "raw_device",
        "privilege ReconfigVM demands for a passthrough device",
        choices=("raw_device", "add_remove", "both"),
    )
    memory_hot_add_with_passthrough: str = _knob(
        "accepted",
        "memory hot-add together with a passthrough device",
        choices=("accepted", "power_on_refused"),
    )
    reserve_on_reconfigure: bool = _knob(False, "ReconfigVM itself reserves all memory when a device is added")
    sriov_counts_in_limit: bool = _knob(False, "SR-IOV cards count in the maximum of passthrough devices")
    limit_table: str = _knob(
        "captured",
        "maximum of devices per VM: as captured (16, and 128 from vmx-20) or as KB 309986 lists them by release",
        choices=("captured", "kb309986"),
    )
    host_device_max: int = _knob(0, "devices one host can lend to running VMs; 0: no limit")
    mmio_default_gb: int = _knob(32, "32-bit and default 64-bit window for device memory without use64bitMMIO")


FIELDS: dict[str, dataclasses.Field[Any]] = {item.name: item for item in dataclasses.fields(Knobs)}


def coerce(name: str, value: object) -> Value:
    """Return `value` as the knob `name` wants it; ValueError says which values it takes."""
    if name not in FIELDS:
        raise ValueError(f"there is no knob {name!r}; the knobs are {', '.join(sorted(FIELDS))}")
    default, choices = FIELDS[name].default, FIELDS[name].metadata["choices"]
    if isinstance(default, tuple):
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list | tuple):
            raise ValueError(f"knob {name} takes a list of devices, not {value!r}")
        return tuple(str(item).lower() for item in items)
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise ValueError(f"knob {name} takes true or false, not {value!r}")
        return value
    if isinstance(default, int | float):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"knob {name} takes a number, not {value!r}")
        return type(default)(value)
    if choices and value not in choices:
        raise ValueError(f"knob {name} takes one of {', '.join(choices)}, not {value!r}")
    return str(value)


def turned(knobs: Knobs, changes: dict[str, object]) -> Knobs:
    """Return `knobs` with `changes` applied; ValueError for an unknown knob or value."""
    values: dict[str, Any] = {name: coerce(name, value) for name, value in changes.items()}
    return dataclasses.replace(knobs, **values)


def of(obj: ManagedObject) -> Knobs:
    """Every knob as it stands for one object: its own value, its owner's, else the simulator's."""
    values: dict[str, object] = {name: obj.knob(name) for name in FIELDS}
    return turned(DEFAULTS, {name: value for name, value in values.items() if value != FIELDS[name].default})


DEFAULTS = Knobs()

KNOBS: dict[str, Knob] = {
    name: Knob(
        default=list(item.default) if isinstance(item.default, tuple) else item.default,
        doc=item.metadata["meaning"],
        choices=item.metadata["choices"],
    )
    for name, item in FIELDS.items()
}
"""The same knobs as the core declares them, so that labs and the control page can turn them."""
