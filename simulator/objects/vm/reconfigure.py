# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ReconfigVM_Task and UpgradeVM_Task: privileges now, everything else in the task, all or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyVmomi import vim

from ...api import names
from ...core.tasks import Task
from ...rules import admission, faults, limits
from ...rules.pci import encoding
from ...rules.vm import devices as device_rules
from ...rules.vm import privileges, units
from ...rules.vm import reconfigure as rules
from .. import offers
from . import assigned
from . import config as vm_config
from . import devices as vm_devices
from . import power as vm_power
from .state import VmState
from .tasks import check_state, start

if TYPE_CHECKING:
    from ...core.call import Call

HOT_PLUG = "acpiHostBridges"
COPIED = ("name", "annotation", "guestId", "alternateGuestName", "uuid", "firmware", "memoryHotAddEnabled", "cpuHotAddEnabled",
          "cpuHotRemoveEnabled", "nestedHVEnabled", "fixedPassthruHotPlugEnabled", "latencySensitivity")  # fmt: skip
MERGED = ("flags", "bootOptions", "cpuAllocation")
"""Fields whose own fields are kept where the spec leaves them out."""
ALLOCATION = ("reservation", "limit", "shares.*", "expandableReservation=false")
TAKEN = (
    *(f"spec.{name}" for name in COPIED if name != "latencySensitivity"),
    "spec.latencySensitivity.*",
    *(f"spec.{name}" for name in ("changeVersion", "numCPUs", "numCoresPerSocket", "memoryMB", "motherboardLayout")),
    *(f"spec.{name}.{part}" for name in ("memoryAllocation", "cpuAllocation") for part in ALLOCATION),
    "spec.memoryReservationLockedToMax", "spec.extraConfig.*", "spec.flags.*", "spec.bootOptions.*",
    "spec.deviceGroups.*", "spec.deviceChange.operation", "spec.deviceChange.fileOperation", "spec.deviceChange.device.*",
)  # fmt: skip
"""What ReconfigVM_Task honors of its spec; devices are the business of rules/vm/devices.py."""


def reconfigure(vm: VmState, call: Call, spec: Any) -> Task:
    """Start the task. Raises NoPermission at once."""
    for privilege in privileges.needed(spec, vm.settings):
        call.require(privilege, vm)
    for network in vm_devices.networks(vm.sim, spec):
        call.require("Network.Assign", network)

    def body(task: Task) -> None:
        if vm.runtime_connection != "connected":
            raise faults.invalid_state()
        before = vm.get("config")
        rules.check_change_version(spec.changeVersion, before.changeVersion)
        rules.check_power(spec, vm.is_on)
        rules.check_cpus(
            spec.numCPUs,
            before.hardware.numCPU,
            powered_on=vm.is_on,
            hot_add=bool(before.cpuHotAddEnabled),
            hot_remove=bool(before.cpuHotRemoveEnabled),
        )
        try:
            apply(vm, spec)
        except vim.fault.GenericVmConfigFault as fault:
            _leave_trace(vm, fault)
            raise
        vm.sim.post_event(
            vim.event.VmReconfiguredEvent,
            vm,
            message=f"Reconfigured {vm.name}",
            call=call,
            host=vm.host,
            configSpec=spec,
        )

    return start(vm, call, "reconfigure", body, vm.settings.reconfigure_seconds)


def _leave_trace(vm: VmState, fault: Any) -> None:
    """A failed hot-add leaves `pciPassthruN.present = FALSE` in the VMX file (seen on 8.0.3)."""
    if not any(line.key == "msg.devices.hotadd.failed" for line in fault.faultMessage):
        return
    taken = {device.key - limits.FIRST_KEY for device in vm.devices if device_rules.kind(device)}
    index = device_rules.free_index(taken, sriov=False)
    with vm.edit("config") as config:
        extra = {item.key: item.value for item in config.extraConfig}
        config.extraConfig = vm_config.option_values({**extra, f"pciPassthru{index}.present": "FALSE"})


def apply(vm: VmState, spec: Any) -> None:
    """Change a copy of the configuration; it is stored only when nothing was refused."""
    with vm.edit("config") as config:
        vm_devices.check_networks(vm, spec)
        vm_devices.name_disks(vm, spec)
        devices = list(config.hardware.device)
        groups = {item.groupInstanceKey: item.deviceGroupName for item in vm_config.groups(config)}
        offered = offers.offered(vm.sim.obj(vm.host.props["parent"]).hosts)
        units.check_groups(spec, devices, groups, offered, vm.settings)
        units.check_backings(list(spec.deviceChange or []), offered, vm.settings)
        after = device_rules.changed(devices, list(spec.deviceChange or []), setting(vm), vm.settings)
        added = len(device_rules.kinds(after)) > len(device_rules.kinds(devices))
        if vm.is_on:
            vm_power.check_hot_add(vm, after)
        memory = _memory(vm, config, spec, passthrough=bool(device_rules.kinds(after)))
        _check_charge(vm, memory)
        config.hardware.memoryMB = memory.size
        config.memoryAllocation.reservation = memory.reservation
        config.memoryAllocation.limit = memory.limit
        config.memoryReservationLockedToMax = memory.locked
        if added and vm.settings.reserve_on_reconfigure:
            config.memoryAllocation.reservation = memory.size
        _plain_fields(config, spec)
        config.extraConfig = vm_config.option_values(_extra(config, spec, after))
        vm_config.set_groups(config, units.after(spec, after, groups, vm.settings))
        config.hardware.device = vm_config.with_controller(after)
        config.changeVersion = vm.next_change_version()
        config.modified = vm.sim.clock.now()
        vm_devices.show_networks(vm, after)
    if spec.name is not None:
        vm.set("name", spec.name)
    if vm.is_on:
        assigned.rebook(vm)
        vm.charged = memory.reservation * admission.MIB + admission.overhead(memory.size, vm.spec.cpus)
    vm.show_summary()


def setting(vm: VmState) -> device_rules.Setting:
    """What the device rules need to know around the VM."""
    config = vm.get("config")
    host = vm.host
    capability = host.get("capability")
    able = bool(getattr(config, "fixedPassthruHotPlugEnabled", False)) and config.hardware.motherboardLayout == HOT_PLUG
    able = able and bool(getattr(capability, "fptHotplugSupported", False))
    disks = [item.address for item in host.spec.layout.functions.values() if item.role == "nvme"]
    return device_rules.Setting(
        version=vm.version,
        powered_on=vm.is_on,
        maximum=limits.passthrough_max(vm.version, host.spec.release, vm.settings),
        hot_plug=frozenset(disks if able else ()),
        cpus=int(config.hardware.numCPU),
        seed=vm.spec.uuid,
    )


def _memory(vm: VmState, config: Any, spec: Any, *, passthrough: bool) -> rules.Memory:
    now = rules.Memory(
        size=config.hardware.memoryMB,
        reservation=config.memoryAllocation.reservation,
        limit=config.memoryAllocation.limit,
        locked=bool(config.memoryReservationLockedToMax),
    )
    hot_add = bool(config.memoryHotAddEnabled)
    after = rules.memory(now, spec, version=vm.version, powered_on=vm.is_on, hot_add=hot_add, passthrough=passthrough)
    given = getattr(spec, "latencySensitivity", None)
    needs = rules.Needs(
        name=vm.name,
        ref=vm.ref,
        fault_tolerant=vm.props["runtime"].faultToleranceState != "notConfigured",
        latency=str((given or config.latencySensitivity).level),
        becomes_high=given is not None and str(config.latencySensitivity.level) != "high",
    )
    rules.check_needs(now, after, needs, vm.settings)
    return after


def _check_charge(vm: VmState, memory: rules.Memory) -> None:
    """A running VM's larger reservation has to be admitted now."""
    if not vm.is_on:
        return
    more = memory.reservation * admission.MIB + admission.overhead(memory.size, vm.spec.cpus) - vm.charged
    if more > 0:
        admission.check_pool(vm.sim.obj(vm.props["resourcePool"]).chain(), more)
        admission.check_host(vm.host.free_memory, more)


def _plain_fields(config: Any, spec: Any) -> None:
    for name in COPIED:
        value = getattr(spec, name, None)
        if value is not None:
            setattr(config, name, names.escaped(value) if name == "name" else value)
    if spec.numCPUs is not None:
        config.hardware.numCPU = spec.numCPUs
    if spec.numCoresPerSocket is not None:
        config.hardware.numCoresPerSocket = spec.numCoresPerSocket
    if getattr(spec, "motherboardLayout", None) is not None:
        config.hardware.motherboardLayout = spec.motherboardLayout
    if spec.guestId is not None:
        config.guestFullName = vm_config.GUEST_NAMES.get(spec.guestId, spec.guestId)
    for name in MERGED:
        given = getattr(spec, name)
        for part in privileges.given(given) if given is not None else ():
            setattr(getattr(config, name), part, getattr(given, part))
    if spec.memoryAllocation is not None and spec.memoryAllocation.shares is not None:
        config.memoryAllocation.shares = spec.memoryAllocation.shares


def _extra(config: Any, spec: Any, devices: list[Any]) -> dict[str, str]:
    """extraConfig after the spec, with the `pciPassthruN` keys of the VMX file for fixed devices."""
    now = {item.key: str(item.value) for item in config.extraConfig}
    after = rules.extra_config(now, [(item.key, item.value) for item in spec.extraConfig or []])
    if not spec.deviceChange:
        return after
    for device in devices:
        if device_rules.kind(device) == "fixed":
            after |= _vmx_keys(device)
    return after


def _vmx_keys(device: Any) -> dict[str, str]:
    """The VMX file keeps ids in hexadecimal and the address in decimal (seen on 8.0.3)."""
    prefix = f"pciPassthru{device.key - limits.FIRST_KEY}."
    backing = device.backing
    number = encoding.parse_hex_id(backing.deviceId)
    keys = {
        "present": "TRUE",
        "deviceId": encoding.vmx_hex(number) if number is not None else backing.deviceId,
        "vendorId": encoding.vmx_hex(backing.vendorId),
        "systemId": backing.systemId,
    }
    try:
        keys["id"] = encoding.vmx_id(backing.id)
    except ValueError:
        keys["id"] = backing.id
    return {prefix + name: value for name, value in keys.items() if value}


def upgrade(vm: VmState, call: Call, version: str | None) -> Task:
    """UpgradeVM_Task: powered off, never down; with a disk, and on no host in maintenance mode (API reference)."""

    def body(task: Task) -> None:
        check_state(vm, "poweredOff")
        if vm.host.in_maintenance:
            raise faults.invalid_state()
        if not any(isinstance(item, vim.vm.device.VirtualDisk) for item in vm.devices):
            raise vim.fault.NoDiskFound(msg="No virtual disk was found in the virtual machine.")
        newest = limits.newest_version(vm.host.spec.release)
        try:
            target = rules.upgraded(vm.version, version, newest)
        except ValueError:
            raise faults.invalid_argument("version") from None
        with vm.edit("config") as config:
            config.version = limits.vmx(target)
            config.changeVersion = vm.next_change_version()
        vm.show_summary()

    return start(vm, call, "upgradeVirtualHardware", body, vm.settings.reconfigure_seconds)
