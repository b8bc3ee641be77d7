# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything about vSphere that is not documented, or that differs from site to site, as a named knob.

A knob has a default, which is the best guess, and alternatives a test or a lab can ask for. Knobs are set for the
whole lab, for one host, or while the simulator runs.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

from ..core.knobs import Knob

if TYPE_CHECKING:
    from ..core.base import ManagedObject

Value = bool | int | float | str | tuple[str, ...]


@dataclass(frozen=True)
class About:
    """What a knob means, and what it can be set to (empty: any value of its type)."""

    meaning: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Knobs:
    """One consistent setting of every knob. Times are seconds of simulator time."""

    # Passthrough configuration of a host.
    info_delay_seconds: Annotated[
        float,
        About("how long pciPassthruInfo shows the old values after UpdatePassthruConfig; -1: until Refresh is called"),
    ] = 2.0
    refresh_shows_info: Annotated[
        bool, About("Refresh makes a change visible at once; false: it becomes visible only after the delay")
    ] = True
    unknown_id_fault: Annotated[
        str,
        About(
            "answer to UpdatePassthruConfig for an address the host does not have",
            choices=("host_config_fault", "platform_config_fault", "invalid_argument"),
        ),
    ] = "host_config_fault"
    not_capable_fault: Annotated[
        str,
        About(
            "answer to enabling a device that is not capable",
            choices=("host_config_fault", "platform_config_fault", "invalid_argument", "not_supported"),
        ),
    ] = "host_config_fault"
    uplink_fault: Annotated[
        str,
        About(
            "answer to enabling a NIC that is an uplink; accept: the host loses the uplink",
            choices=("host_config_fault", "platform_config_fault", "accept"),
        ),
    ] = "host_config_fault"
    same_value_fault: Annotated[
        str,
        About(
            "answer to setting the value a device already has (esxcli fails)",
            choices=("succeed", "host_config_fault", "platform_config_fault"),
        ),
    ] = "succeed"
    sriov_conflict_fault: Annotated[
        str,
        About(
            "answer to enabling passthrough of a function that has SR-IOV enabled, or to both in one request",
            choices=("host_config_fault", "platform_config_fault", "invalid_argument", "not_supported"),
        ),
    ] = "host_config_fault"
    sriov_at_once: Annotated[
        bool,
        About(
            "a number of virtual functions takes effect without a boot where passthrough does; false: at the next boot, as the "
            "networking guide says"
        ),
    ] = False
    virtual_functions_at_most: Annotated[
        int, About("a boot creates at most so many virtual functions of a function (interrupt vectors); 0: no limit")
    ] = 0
    driver_parameter_wins: Annotated[
        bool, About("at a boot, the parameter max_vfs of a driver decides, and not the number that the API has")
    ] = False
    storage_refused: Annotated[
        bool, About("refuse a storage controller that is in use or has the boot disk (users report that hosts do not)")
    ] = False
    group_follows: Annotated[
        bool, About("a change of one function also changes every function with the same dependent device")
    ] = False
    reboot_required_flag: Annotated[
        str,
        About(
            "on which releases summary.rebootRequired is set for a pending passthrough change",
            choices=("never", "before_7", "always"),
        ),
    ] = "before_7"
    iommu_off_shape: Annotated[
        str, About("content of pciPassthruInfo on a host whose IOMMU is off", choices=("not_capable", "empty"))
    ] = "not_capable"
    never_active: Annotated[
        tuple[str, ...],
        About("devices that stay enabled and inactive after every boot (ACS); each an address, vendor:device or all"),
    ] = ()
    pending_again: Annotated[
        tuple[str, ...],
        About(
            "devices that are enabled and inactive after each boot, and become active when passthrough is disabled and enabled"
        ),
    ] = ()
    bus_renumber: Annotated[
        str,
        About(
            "whether bus numbers increase by one at a boot, as after a firmware change",
            choices=("none", "next_boot", "each_boot"),
        ),
    ] = "none"
    missing_while_away: Annotated[
        tuple[str, ...],
        About(
            "property paths of a host that are in missingSet while it is disconnected or not responding, e.g. config"
        ),
    ] = ()
    away_fault: Annotated[
        str,
        About(
            "answer of a host that does not respond; a disconnected host answers HostNotConnected",
            choices=("host_not_reachable", "host_communication"),
        ),
    ] = "host_not_reachable"
    query_boot_devices: Annotated[bool, About("QueryBootDevices answers; false: NotSupported, as on many servers")] = (
        False
    )
    negative_bus_bytes: Annotated[bool, About("bus numbers from 0x80 arrive as negative bytes")] = True

    sriov_pools_shown: Annotated[bool, About("the host reports pools of virtual functions (6.5 and later)")] = True
    added_adapters_order: Annotated[
        str,
        About(
            "order in which SR-IOV adapters of one request are made (community.vmware pull request 1218: reversed)",
            choices=("as_listed", "reversed"),
        ),
    ] = "as_listed"
    automatic_adapter_off: Annotated[
        str,
        About(
            "how an automatic SR-IOV adapter looks while its VM is off: with the address of no function, or without a backing",
            choices=("zero_address", "unset"),
        ),
    ] = "zero_address"
    virtual_function_state: Annotated[
        str,
        About(
            "state of virtual functions in pciPassthruInfo: enabled and active, only capable, or not capable",
            choices=("active", "capable", "not_capable"),
        ),
    ] = "active"
    nvme_in_scsi_topology: Annotated[
        bool,
        About(
            "disks on NVMe adapters are also in scsiTopology, as recorded for local disks; false: only in nvmeTopology, "
            "multipathInfo and plugStoreTopology (NVMe over fabrics, other plug-ins)"
        ),
    ] = True

    # Graphics of a host.
    graphics_type_in_effect: Annotated[
        str,
        About(
            "when a graphics type takes effect: at once, after a restart of Xorg as documented, or only after a reboot",
            choices=("at_once", "xorg", "reboot"),
        ),
    ] = "xorg"
    vgpu_mode_in_effect: Annotated[
        str,
        About(
            "when a vGPU mode takes effect (the documentation asks for a restart of Xorg only for the type)",
            choices=("at_once", "xorg", "reboot"),
        ),
    ] = "at_once"
    graphics_info_seconds: Annotated[float, About("time from a restart of Xorg until graphicsInfo follows")] = 3.0
    graphics_config_fault: Annotated[
        str,
        About(
            "answer to UpdateGraphicsConfig, which declares no fault",
            choices=("none", "not_supported", "system_error"),
        ),
    ] = "none"
    direct_in_graphics_info: Annotated[
        bool, About("graphicsInfo also lists GPUs in passthrough, with the type direct")
    ] = False
    shared_graphics_users: Annotated[
        bool, About("graphicsInfo.vm also lists running VMs with 3D graphics on a GPU of the type shared")
    ] = True

    # Maintenance mode and reboot.
    maintenance_seconds: Annotated[float, About("time to enter maintenance mode after the host is evacuated")] = 5.0
    exit_maintenance_seconds: Annotated[float, About("time to exit maintenance mode")] = 2.0
    maintenance_stuck_progress: Annotated[int, About("progress of the task while it waits for virtual machines")] = 2
    evacuate_moves_fixed: Annotated[bool, About("evacuatePoweredOffVms also moves a VM with a fixed backing")] = True
    drs_evacuation: Annotated[
        str,
        About(
            "whether DRS moves VMs away from a host that enters maintenance mode; refused: it does not, although its dry run recommends it",
            choices=("moves", "refused"),
        ),
    ] = "moves"
    evacuation_poweroff: Annotated[
        str,
        About(
            "whether DRS honors maintenance.vm.evacuation.poweroff=TRUE of a VM when its host enters maintenance mode",
            choices=("honored", "ignored"),
        ),
    ] = "honored"
    evacuation_user: Annotated[
        str, About("user in the event of a VM that vCenter powered off for an evacuation; empty: none (not published)")
    ] = ""
    evacuation_shutdown_seconds: Annotated[
        float, About("time a guest has to shut down for a best effort restart before its VM is powered off")
    ] = 300.0
    evacuated_return: Annotated[
        str,
        About(
            "what happens to a VM that vCenter powered off for an evacuation, when its host leaves maintenance mode",
            choices=("stays_off", "powered_on"),
        ),
    ] = "stays_off"
    vsan_data_move_seconds: Annotated[
        float, About("additional time that a vSAN host needs to enter maintenance mode with evacuateAllData")
    ] = 600.0
    drs_passthrough_fault: Annotated[
        str,
        About(
            "fault for a passthrough VM in the maintenance dry run",
            choices=("disallowed_device", "device_not_supported", "cannot_access_device"),
        ),
    ] = "disallowed_device"
    dry_run_manual: Annotated[
        str,
        About(
            "what the maintenance dry run returns for a VM that DRS does not move automatically (manual, partly automated)",
            choices=("recommended", "fault"),
        ),
    ] = "recommended"
    dry_run_failover: Annotated[
        str,
        About(
            "how the maintenance dry run reports insufficient HA failover resources: for each VM, or once without a VM",
            choices=("by_vm", "once"),
        ),
    ] = "by_vm"
    load_follows_vms: Annotated[
        bool, About("quickStats of a host grow with the VMs that run on it; false: all hosts show the same load")
    ] = False
    connection_alarm: Annotated[bool, About("a host that does not respond has the red default alarm of vCenter")] = True
    services_seconds: Annotated[
        float, About("time after a boot during which a connected host still refuses calls to its passthrough system")
    ] = 0.0
    exit_refused_seconds: Annotated[
        float,
        About(
            "time after a boot during which ExitMaintenanceMode fails, because the services of the host have not started yet"
        ),
    ] = 0.0
    quick_boot_seconds: Annotated[float, About("boot_seconds for a host with Quick Boot enabled")] = 120.0
    standby_connection: Annotated[
        str, About("connection state of a host in standby", choices=("notResponding", "connected"))
    ] = "notResponding"
    reboot_task_end: Annotated[
        str,
        About(
            "when vCenter ends the task of RebootHost: on acceptance, when the host is back, or with HostCommunication",
            choices=("early", "late", "error"),
        ),
    ] = "early"
    boot_result: Annotated[
        str,
        About(
            "how the next boot ends; same_boot_time: it was unreachable and did not boot, old_boot_time: it booted and shows the old time",
            choices=("normal", "never_returns", "same_boot_time", "old_boot_time", "disconnected"),
        ),
    ] = "normal"
    down_after_seconds: Annotated[float, About("time from the reboot call until the host stops answering")] = 20.0
    boot_seconds: Annotated[float, About("time from when the host stops answering until it answers again")] = 300.0
    reconnect_seconds: Annotated[float, About("duration of ReconnectHost")] = 3.0

    # Management controllers (Redfish).
    power_change_seconds: Annotated[
        float, About("time until a management controller shows a change of power; until then the change is in progress")
    ] = 5.0
    bmc_shape: Annotated[
        str,
        About(
            "vendor of the management controllers of hosts, see bmc/shapes.py; none: nothing answers",
            choices=("standard", "idrac", "ilo", "xcc", "supermicro", "openbmc", "hgx", "none"),
        ),
    ] = "standard"
    bmc_auth: Annotated[
        str, About("how a management controller authenticates a client", choices=("both", "basic", "session"))
    ] = "both"
    bmc_offers: Annotated[
        str,
        About(
            "which resets a management controller offers: those of its vendor, or only one way to power a host on, or none",
            choices=("all", "power_cycle", "force_restart", "push_power_button", "force_off"),
        ),
    ] = "all"

    # The Automation API (REST) of a vCenter.
    vapi: Annotated[
        str,
        About(
            "which dialects of the Automation API answer, if the release has them; down: 503, while SOAP works",
            choices=("both", "rest_only", "api_only", "down"),
        ),
    ] = "both"
    vapi_empty_rows: Annotated[
        str,
        About(
            "whether a bulk answer has a row for an object without tags, and for a tag without objects",
            choices=("left_out", "listed"),
        ),
    ] = "left_out"
    compute_policies: Annotated[
        str,
        About(
            "whether compute policies can be read: not_found: this vCenter has no such address; unauthorized: the account may not",
            choices=("answers", "not_found", "unauthorized"),
        ),
    ] = "answers"
    compute_policy_tags: Annotated[
        str,
        About(
            "whether TagUsage has rows for the policies; hidden: as for policies of a kind without one VM tag",
            choices=("shown", "hidden"),
        ),
    ] = "shown"
    device_mode_impact: Annotated[
        str,
        About(
            "what a change of a device mode (9.1) needs to take effect; by_transition: maintenance mode between two vGPU modes, else a "
            "reboot where the host cannot rebind the device",
            choices=("by_transition", "none", "maintenance_mode", "reboot"),
        ),
    ] = "by_transition"
    device_mode_pending: Annotated[
        str,
        About(
            "where a device mode that waits for a reboot is visible: enabled and active differ, summary.rebootRequired, or nowhere",
            choices=("passthrough_flags", "reboot_flag", "nowhere"),
        ),
    ] = "passthrough_flags"
    device_mode_seconds: Annotated[float, About("duration of the task that configures a device mode")] = 2.0
    device_id_form: Annotated[
        str,
        About(
            "the id of a device in the Automation API: its PCI address, or the address behind a prefix",
            choices=("address", "prefixed"),
        ),
    ] = "address"
    profile_capacity: Annotated[
        str,
        About(
            "answer to QueryDirectPathProfileCapacity: as the cards say, CapacityUnknown for all, or only for queries by deviceConfig",
            choices=("known", "unknown", "unknown_by_config"),
        ),
    ] = "known"
    vapi_session_idle_seconds: Annotated[
        float, About("idle seconds after which a session of the Automation API ends")
    ] = 300.0

    # Virtual machines.
    reconfigure_seconds: Annotated[float, About("duration of ReconfigVM")] = 1.0
    power_on_seconds: Annotated[float, About("duration of a power-on")] = 3.0
    power_off_seconds: Annotated[float, About("duration of a power-off")] = 1.0
    attempted_task: Annotated[
        str,
        About(
            "for which VMs PowerOnMultiVM returns a task: only those that DRS does not manage, as the reference says, or all",
            choices=("unmanaged", "always"),
        ),
    ] = "unmanaged"
    guest_boot_seconds: Annotated[float, About("time from power-on until VMware Tools run")] = 20.0
    guest_operations_seconds: Annotated[
        float, About("time from when VMware Tools run until guest operations work (guestOperationsReady)")
    ] = 5.0
    guest_reboot_fault: Annotated[
        str,
        About(
            "answer to a guest operation while the guest restarts: a SystemError with vix error codes, as users report, or "
            "GuestOperationsUnavailable",
            choices=("system_error", "unavailable"),
        ),
    ] = "system_error"
    guest_file_host: Annotated[
        str,
        About(
            "host in the URL of a file of a guest that a vCenter gives: the ESXi host, or *, which is the vCenter",
            choices=("esxi_host", "asterisk"),
        ),
    ] = "esxi_host"
    guest_exit_code_seconds: Annotated[
        float, About("time for which the end and the exit code of a program in a guest can be asked for")
    ] = 300.0
    guest_url_seconds: Annotated[float, About("time for which the URL of a file of a guest is valid")] = 600.0
    heartbeat_seconds: Annotated[float, About("time from when VMware Tools run until the guest heartbeat is green")] = (
        5.0
    )
    shutdown_seconds: Annotated[float, About("time that a guest needs to shut down")] = 15.0
    shutdown_guest_result: Annotated[
        str, About("reaction of a guest to ShutdownGuest", choices=("normal", "ignored"))
    ] = "normal"
    migrate_seconds: Annotated[float, About("duration of a migration or relocation")] = 10.0
    same_card_twice: Annotated[
        str,
        About(
            "answer to a second fixed backing with the same address in one VM; power_on: refused only at power-on",
            choices=("generic", "invalid_argument", "power_on"),
        ),
    ] = "generic"
    hot_add_fault: Annotated[
        str,
        About(
            "answer to adding or removing a passthrough device while the VM runs",
            choices=("generic", "hot_plug_not_supported", "invalid_power_state"),
        ),
    ] = "generic"
    device_held_text: Annotated[
        str, About("power-on error for a device that another running VM holds; {bus} is decimal")
    ] = "Device {bus} is already in use."
    dynamic_missing_text: Annotated[
        str, About("power-on error when a host has no free match for a dynamic backing")
    ] = "Insufficient resources. One or more devices ({device}) required by VM {vm} are not available on host {host}."
    cold_migration_fault: Annotated[
        str,
        About(
            "answer to moving a powered-off VM with a fixed backing; allowed: the VM moves, and then does not start",
            choices=("device_not_supported", "device_backing", "disallowed_device", "cannot_access_device", "allowed"),
        ),
    ] = "device_not_supported"
    clone_fixed_devices: Annotated[
        str,
        About(
            "fixed devices of the source of a clone: the clone has the same ones, it has none, or CloneVM is refused",
            choices=("copied", "left_out", "refused"),
        ),
    ] = "copied"
    raw_device_privilege: Annotated[
        str,
        About(
            "privilege that ReconfigVM requires for a passthrough device", choices=("raw_device", "add_remove", "both")
        ),
    ] = "raw_device"
    memory_hot_add_with_passthrough: Annotated[
        str, About("memory hot-add together with a passthrough device", choices=("accepted", "power_on_refused"))
    ] = "accepted"
    numa_node_fault: Annotated[
        str,
        About(
            "what happens to a NUMA node of a device that the VM cannot have: older hardware, or a node beyond its CPUs",
            choices=("reconfigure", "ignored"),
        ),
    ] = "reconfigure"
    latency_needs_memory: Annotated[
        str,
        About(
            "which call refuses a VM with high latency sensitivity that has no full memory reservation",
            choices=("reconfigure", "power_on"),
        ),
    ] = "reconfigure"
    latency_needs_cpu: Annotated[
        str,
        About(
            "which call refuses a VM with high latency sensitivity whose CPUs are not all reserved",
            choices=("power_on", "none"),
        ),
    ] = "power_on"
    reserve_on_reconfigure: Annotated[bool, About("ReconfigVM itself reserves all memory when a device is added")] = (
        False
    )
    sriov_counts_in_limit: Annotated[bool, About("SR-IOV cards count in the maximum of passthrough devices")] = False
    limit_table: Annotated[
        str,
        About(
            "maximum of devices per VM: as captured (16, and 128 from vmx-20) or as KB 309986 lists them by release",
            choices=("captured", "kb309986"),
        ),
    ] = "captured"
    host_device_max: Annotated[
        int,
        About(
            "passthrough devices that one host can provide to running VMs; 0: no limit; -1: the limit of its release, "
            "8 on ESX(i) 4.x and 5.x and none later"
        ),
    ] = -1
    descriptor_hosts: Annotated[
        str,
        About(
            "whether QueryConfigOptionDescriptor of a compute resource lists, for each hardware version, the hosts that offer it",
            choices=("listed", "left_out"),
        ),
    ] = "listed"
    mmio_default_gb: Annotated[
        int, About("32-bit and default 64-bit window for device memory without use64bitMMIO")
    ] = 32

    # vGPUs, DVX devices and vendor device groups of a VM.
    unknown_unit_fault: Annotated[
        str,
        About(
            "when a vGPU profile, DVX class or device group that the host does not offer is noticed",
            choices=("reconfigure", "power_on"),
        ),
    ] = "reconfigure"
    first_sequence_id: Annotated[
        str,
        About(
            "sequence ids of the devices of a new group whose template has none: any first one, from 0 or from 1",
            choices=("any", "zero", "one"),
        ),
    ] = "any"
    device_groups_list: Annotated[
        str,
        About(
            "ConfigSpec.deviceGroups: a group goes with its last device whatever is listed, the list replaces the old one and must be "
            "right, or a group without devices stays in the configuration",
            choices=("with_devices", "replaces", "keeps_empty"),
        ),
    ] = "with_devices"


@dataclass(frozen=True, kw_only=True)
class Field:
    """One knob: its default, its meaning, its choices."""

    default: Value
    meaning: str
    choices: tuple[str, ...]

    @property
    def metadata(self) -> dict[str, Any]:
        """Meaning and choices by name, for those who walk over all knobs."""
        return {"meaning": self.meaning, "choices": self.choices}


def _fields() -> dict[str, Field]:
    hints = get_type_hints(Knobs, include_extras=True)
    found = {}
    for item in dataclasses.fields(Knobs):
        (about,) = hints[item.name].__metadata__
        found[item.name] = Field(default=getattr(Knobs(), item.name), meaning=about.meaning, choices=about.choices)
    return found


FIELDS = _fields()


def coerce(name: str, value: object) -> Value:
    """Return `value` as the knob `name` wants it; ValueError says which values it takes."""
    if name not in FIELDS:
        raise ValueError(f"there is no knob {name!r}; the knobs are {', '.join(sorted(FIELDS))}")
    default, choices = FIELDS[name].default, FIELDS[name].choices
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


def of(obj: ManagedObject, *below: ManagedObject) -> Knobs:
    """Every knob as it stands for one object: its own value, its owner's, that of those it is on, else the simulator's.

    Asked for at every turn, so the last answer is kept with the object for as long as nobody turned anything.
    """
    holders = [*reversed(below)]
    holder: ManagedObject | None = obj
    own = []
    while holder is not None:
        own.append(holder)
        holder = holder.owner
    values: dict[str, object] = dict(obj.sim.knobs.turned)
    for item in [*holders, *reversed(own)]:
        values.update(item.knobs)
    kept: tuple[dict[str, object], Knobs] | None = obj.__dict__.get("_settings")
    if kept is None or kept[0] != values:
        kept = (values, turned(DEFAULTS, {name: value for name, value in values.items() if name in FIELDS}))
        obj.__dict__["_settings"] = kept
    return kept[1]


DEFAULTS = Knobs()

KNOBS: dict[str, Knob] = {
    name: Knob(
        default=list(item.default) if isinstance(item.default, tuple) else item.default,
        doc=item.meaning,
        choices=item.choices,
    )
    for name, item in FIELDS.items()
}
"""The same knobs as the core declares them, so that labs and the control page can turn them."""
