# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode: the state of hosts and VMs after the earlier tasks of the same play. PRIVATE to the collection.

Each task of a check run adds what it would have changed; later tasks plan with it. It holds states, not changes, so reading it twice makes
no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..observed.device_users import adapters_of
from ..observed.direct_path import PASSED_MODES, DirectPathState
from ..observed.graphics import GraphicsConfig, HostGraphics
from ..observed.hosts import DeviceUser, FunctionUser, Host, HostDevice, Sriov
from ..observed.vms import (
    Backing,
    DvxBacking,
    DynamicBacking,
    FixedBacking,
    MemoryState,
    SriovBacking,
    VgpuBacking,
    Vm,
    VmDevice,
    held_addresses,
)
from .details import (
    Detach,
    DetachGroup,
    DvxSpec,
    DynamicSpec,
    ExtraConfig,
    FixedSpec,
    GroupSpec,
    HotAdd,
    Latency,
    MemoryWrite,
    ModeWrite,
    NumaEdit,
    PassthroughWrite,
    PinToHost,
    PowerOff,
    PowerOn,
    SriovEdit,
    SriovSpec,
    SriovWrite,
    UpgradeHardware,
    VgpuSpec,
)
from .plan import Change, Plan, TargetPlan

_NEW_KEY = 13_000
"""Keys of passthrough devices start here. The server chooses the key of a new device."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PredictedDevice:
    """The state of one device of a host: passthrough, and SR-IOV and the device mode if it has them."""

    enabled: bool
    active: bool
    label: str | None
    sriov: Sriov | None = None
    direct_path: DirectPathState | None = None

    def settled(self) -> PredictedDevice:
        """After a reboot. A device mode is a setting: it stays as it is."""
        return replace(self, active=self.enabled, sriov=self.sriov and self.sriov.rebooted())


@dataclass(frozen=True, kw_only=True, slots=True)
class PredictedVm:
    """The part of a VM that the modules change. ``host_moid`` and ``name`` are those of the VM as it was read."""

    name: str
    host_moid: str | None
    power_state: str
    devices: tuple[VmDevice, ...]
    memory: MemoryState
    cpu_hot_add: bool
    extra_config: Mapping[str, str]
    device_groups: Mapping[int, str] = field(default_factory=dict)
    hardware_version: int = 0
    pin: str | None = None
    latency: str | None = None
    cpu_reservation_mhz: int | None = None

    @classmethod
    def of(cls, vm: Vm) -> PredictedVm:
        return cls(
            name=vm.name,
            host_moid=vm.host_moid,
            power_state=vm.power_state,
            devices=vm.devices,
            memory=vm.memory,
            cpu_hot_add=vm.cpu_hot_add,
            extra_config=vm.extra_config,
            device_groups=vm.device_groups,
            hardware_version=vm.hardware_version,
            pin=vm.predicted_pin,
            latency=vm.latency_sensitivity if isinstance(vm.latency_sensitivity, str) else None,
            cpu_reservation_mhz=vm.cpu.reservation_mhz,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PredictedGraphics:
    """The graphics configuration of a host. ``in_effect``: addresses of GPUs for which it takes effect; None: for all (a reboot)."""

    config: GraphicsConfig
    in_effect: frozenset[str] | None = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Predicted:
    """``hosts``: host id → address → device. ``vms``: VM id → VM. ``graphics``: host id → its settings. ``rebooted``: ids of hosts.

    What was pending on a rebooted host takes effect, apart from the devices in ``hosts`` and the settings in ``graphics``."""

    hosts: Mapping[str, Mapping[str, PredictedDevice]] = field(default_factory=dict)
    vms: Mapping[str, PredictedVm] = field(default_factory=dict)
    rebooted: frozenset[str] = frozenset()
    graphics: Mapping[str, PredictedGraphics] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.hosts or self.vms or self.rebooted or self.graphics)

    def then(self, later: Predicted) -> Predicted:
        """What is predicted after a later task."""
        settled = {
            moid: {address: device.settled() for address, device in devices.items()}
            if moid in later.rebooted
            else devices
            for moid, devices in self.hosts.items()
        }
        hosts = {moid: {**settled.get(moid, {}), **devices} for moid, devices in later.hosts.items()}
        graphics = {
            moid: replace(found, in_effect=None) if moid in later.rebooted else found
            for moid, found in self.graphics.items()
        }
        return Predicted(
            hosts={**settled, **hosts},
            vms={**self.vms, **later.vms},
            rebooted=self.rebooted | later.rebooted,
            graphics={**graphics, **later.graphics},
        )

    # ------------------------------------------------------------------------------------------------------- reading

    def of_vms(self, vms: Iterable[Vm]) -> tuple[Vm, ...]:
        """The VMs as they will be. A pool has less left for VMs if a VM reserves more while it runs."""
        return tuple(self._vm(vm) for vm in vms)

    def _vm(self, vm: Vm) -> Vm:
        found = self.vms.get(vm.moid)
        if found is None:
            return vm
        pool = vm.pool
        if pool is not None and pool.unreserved_for_vm_mb is not None:
            more = charged_mb(found.power_state, found.memory) - charged_mb(vm.power_state, vm.memory)
            pool = replace(pool, unreserved_for_vm_mb=pool.unreserved_for_vm_mb - more)
        return replace(
            vm,
            power_state=found.power_state,
            devices=found.devices,
            memory=found.memory,
            cpu_hot_add=found.cpu_hot_add,
            extra_config=found.extra_config,
            device_groups=found.device_groups,
            hardware_version=found.hardware_version or vm.hardware_version,
            predicted_pin=found.pin,
            latency_sensitivity=vm.latency_sensitivity if found.latency is None else found.latency,
            cpu=vm.cpu
            if found.cpu_reservation_mhz is None
            else replace(vm.cpu, reservation_mhz=found.cpu_reservation_mhz),
            pool=pool,
        )

    def freed(self, vms: Iterable[Vm]) -> Mapping[str, frozenset[str]]:
        """Host id → addresses of devices that these VMs have now and will not have."""
        found: dict[str, frozenset[str]] = {}
        for vm in vms:
            if vm.moid in self.vms and vm.host_moid is not None:
                kept = _held(self.vms[vm.moid].devices)
                found[vm.host_moid] = found.get(vm.host_moid, frozenset()) | (_held(vm.devices) - kept)
        return found

    def of_hosts(self, hosts: Iterable[Host]) -> tuple[Host, ...]:
        """The hosts as they will be, with the VMs that will use their devices."""
        return tuple(self._host(host) for host in hosts)

    def _host(self, host: Host) -> Host:
        predicted = self.hosts.get(host.moid, {})
        rebooted = host.moid in self.rebooted

        def changed(device: HostDevice) -> HostDevice:
            found = predicted.get(device.address)
            if found is not None:
                return replace(
                    device,
                    enabled=found.enabled,
                    active=found.active,
                    label=found.label,
                    sriov=found.sriov,
                    direct_path=found.direct_path,
                )
            return device.rebooted() if rebooted else device

        return replace(
            host,
            devices=tuple(map(changed, host.devices)),
            users=self._users(host),
            function_users=self._function_users(host),
            graphics=self._graphics(host),
        )

    def _graphics(self, host: Host) -> HostGraphics | None:
        graphics, found = host.graphics, self.graphics.get(host.moid)
        if graphics is None:
            return None
        if host.moid in self.rebooted:
            graphics = graphics.taking_effect()
        return graphics if found is None else replace(graphics, config=found.config).taking_effect(found.in_effect)

    def _function_users(self, host: Host) -> tuple[FunctionUser, ...]:
        kept = [user for user in host.function_users if user.moid not in self.vms]
        for moid, vm in self.vms.items():
            if vm.host_moid == host.moid:
                kept += adapters_of(vm.name, moid, vm.power_state == "poweredOn", vm.devices)
        return tuple(kept)

    def _users(self, host: Host) -> Mapping[str, tuple[DeviceUser, ...]]:
        users = {
            address: [user for user in found if user.moid not in self.vms] for address, found in host.users.items()
        }
        for moid, vm in self.vms.items():
            if vm.host_moid != host.moid:
                continue
            for device in vm.devices:
                for address in _possible(vm, device.backing, host):
                    user = DeviceUser(
                        vm=vm.name,
                        moid=moid,
                        powered_on=vm.power_state == "poweredOn",
                        fixed=isinstance(device.backing, FixedBacking),
                    )
                    users.setdefault(address, []).append(user)
        return {address: tuple(found) for address, found in users.items() if found}


NOTHING_PREDICTED = Predicted()


def predict_vms(vms: Sequence[Vm], plan: Plan) -> Predicted:
    """The VMs after the plan is applied. VMs without a change are left out."""
    by_id = {vm.moid: vm for vm in vms}
    return Predicted(
        vms={
            target.moid: PredictedVm.of(after(by_id[target.moid], target.effective))
            for target in plan.targets
            if target.effective
        }
    )


def predict_hosts(hosts: Sequence[Host], plan: Plan) -> Predicted:
    """The devices of hosts after ``host_passthrough``, ``host_sriov`` or ``host_device_mode`` applied the plan, before any reboot."""
    by_id = {host.moid: host for host in hosts}
    found = {target.moid: _devices_after(by_id[target.moid], target) for target in plan.targets if target.effective}
    return Predicted(hosts=found)


def _devices_after(host: Host, target: TargetPlan) -> dict[str, PredictedDevice]:
    found = {}
    for change in target.effective:
        write = change.detail
        if isinstance(write, PassthroughWrite | SriovWrite | ModeWrite):
            address = write.device.address
            device = host.device(address) or write.device
            takes_effect = address not in target.host_facts.pending_after
            found[address] = _device_after(device, write, takes_effect=takes_effect)
    return found


def _device_after(
    device: HostDevice, write: PassthroughWrite | SriovWrite | ModeWrite, *, takes_effect: bool
) -> PredictedDevice:
    now = PredictedDevice(
        enabled=device.enabled,
        active=device.active,
        label=device.label,
        sriov=device.sriov,
        direct_path=device.direct_path,
    )
    sriov = device.sriov
    if isinstance(write, ModeWrite):
        # As if it took effect at once: what it needs is not known before it is made.
        passed = write.mode in PASSED_MODES
        mode = device.direct_path and replace(device.direct_path, mode=write.mode)
        return replace(now, enabled=passed, active=passed, direct_path=mode)
    if isinstance(write, SriovWrite):
        sriov = sriov and replace(sriov, enabled=write.virtual_functions > 0, requested=write.virtual_functions)
        return replace(now, sriov=sriov and sriov.rebooted() if takes_effect else sriov)
    if write.enabled and sriov is not None and sriov.enabled:
        # Passthrough ends SR-IOV: see ``write.passthrough``.
        sriov = replace(sriov, enabled=False, requested=0)
        sriov = sriov.rebooted() if takes_effect else sriov
    return replace(
        now,
        enabled=write.enabled,
        active=write.enabled if takes_effect else device.active,
        label=write.label_after,
        sriov=sriov,
    )


def after(vm: Vm, changes: Iterable[Change]) -> Vm:
    """The VM after its changes. A new device has a provisional key, and a dynamic device is not assigned yet."""
    for change in changes:
        vm = _after_one(vm, change)
    return vm


def _after_one(vm: Vm, change: Change) -> Vm:
    match change.detail:
        case PowerOff():
            return replace(vm, power_state="poweredOff")
        case PowerOn():
            return replace(vm, power_state="poweredOn")
        case UpgradeHardware(version=version):
            return replace(vm, hardware_version=version)
        case PinToHost(host_moid=host_moid):
            return replace(vm, predicted_pin=host_moid or "")
        case Detach(key=key):
            return replace(vm, devices=tuple(device for device in vm.devices if device.key != key))
        case FixedSpec() as spec:
            fixed = FixedBacking(
                address=spec.address,
                vendor_id=spec.vendor_id,
                device_id=spec.device_id,
                system_id=spec.system_id,
                text=spec.address,
            )
            return _with_device(vm, fixed, spec.numa_node)
        case DynamicSpec() as spec:
            return _with_device(
                vm, DynamicBacking(allowed=spec.allowed, custom_label=spec.custom_label), spec.numa_node
            )
        case VgpuSpec(profile=profile, advanced=advanced, numa_node=node):
            vm = _with_device(vm, VgpuBacking(profile=profile), node)
            index = vm.devices[-1].key - _NEW_KEY
            settings = {f"pciPassthru{index}.cfg.{name}": value for name, value in advanced}
            return replace(vm, extra_config={**vm.extra_config, **settings}) if settings else vm
        case DvxSpec(device_class=name, parameters=parameters, key=None, numa_node=node):
            return _with_device(vm, DvxBacking(device_class=name, parameters=parameters), node)
        case DvxSpec(device_class=name, parameters=parameters, key=int() as key, numa_node=node):
            return _with_edit(vm, key, DvxBacking(device_class=name, parameters=parameters), node)
        case NumaEdit(key=key, backing=backing, numa_node=node):
            return _with_edit(vm, key, backing, node)
        case GroupSpec() as group:
            return _with_group(vm, group)
        case DetachGroup(instance=instance, keys=keys):
            groups = {key: name for key, name in vm.device_groups.items() if key != instance}
            left = tuple(device for device in vm.devices if device.key not in keys)
            return replace(vm, devices=left, device_groups=groups)
        case SriovSpec() as adapter:
            return _with_adapter(vm, adapter)
        case SriovEdit() as edit:
            return replace(vm, devices=tuple(_edited(device, edit) for device in vm.devices))
        case MemoryWrite() as write:
            return replace(vm, memory=_memory_after(vm.memory, write))
        case ExtraConfig(key=key, value=value):
            kept = {name: text for name, text in vm.extra_config.items() if name.lower() != key.lower()}
            return replace(vm, extra_config={**kept, key: value} if value else kept)
        case HotAdd(memory=memory, cpu=cpu):
            if memory is not None:
                vm = replace(vm, memory=replace(vm.memory, hot_add=memory))
            return vm if cpu is None else replace(vm, cpu_hot_add=cpu)
        case Latency(level=level, cpu_reservation_mhz=mhz):
            if level is not None:
                vm = replace(vm, latency_sensitivity=level)
            return vm if mhz is None else replace(vm, cpu=replace(vm.cpu, reservation_mhz=mhz))
    raise ValueError(f"{change.kind} is not a change of a VM")


def _with_adapter(vm: Vm, spec: SriovSpec) -> Vm:
    """The server gives an adapter without a MAC address one that is not known before."""
    backing = SriovBacking(
        physical_function=spec.physical_function,
        automatic=spec.physical_function is None,
        network=spec.network.key,
        network_name=spec.network.name,
        switch=spec.network.switch if spec.network.kind == "distributed" else "",
        mac=spec.mac,
        address_type="manual" if spec.mac else "generated",
        allow_guest_mtu_change=spec.allow_guest_mtu_change,
    )
    return _with_device(vm, backing)


def _edited(device: VmDevice, edit: SriovEdit) -> VmDevice:
    if device.key != edit.key or not isinstance(device.backing, SriovBacking):
        return device
    backing = replace(
        device.backing,
        physical_function=edit.physical_function,
        automatic=edit.automatic,
        mac=edit.mac,
        address_type=edit.address_type,
        allow_guest_mtu_change=edit.allow_guest_mtu_change,
    )
    if edit.network is not None:
        switch = edit.network.switch if edit.network.kind == "distributed" else ""
        backing = replace(backing, network=edit.network.key, network_name=edit.network.name, switch=switch)
    return replace(device, backing=backing)


def _with_device(vm: Vm, backing: Backing, numa_node: int | None = None) -> Vm:
    key = max([_NEW_KEY - 1, *(device.key for device in vm.devices)]) + 1
    label = f"PCI device {key - _NEW_KEY}"
    new = VmDevice(key=key, label=label, backing=backing, numa_node=_node_after(None, numa_node))
    return replace(vm, devices=(*vm.devices, new))


def _with_edit(vm: Vm, key: int, backing: Backing, numa_node: int | None) -> Vm:
    return replace(
        vm,
        devices=tuple(
            replace(device, backing=backing, numa_node=_node_after(device.numa_node, numa_node))
            if device.key == key
            else device
            for device in vm.devices
        ),
    )


def _node_after(before: int | None, written: int | None) -> int | None:
    """A negative number is no affinity, an unset one no change."""
    return before if written is None else None if written < 0 else written


def _with_group(vm: Vm, group: GroupSpec) -> Vm:
    instance = max([-1, *vm.device_groups]) + 1
    for backing, _sequence in group.parts:
        vm = _with_device(vm, backing)
        *before, new = vm.devices
        vm = replace(vm, devices=(*before, replace(new, group_instance=instance)))
    return replace(vm, device_groups={**vm.device_groups, instance: group.name})


def _memory_after(memory: MemoryState, write: MemoryWrite) -> MemoryState:
    limit = memory.limit_mb if write.limit_mb is None else write.limit_mb
    locked = memory.locked_to_max if write.locked is None else write.locked
    reserved = memory.reservation_mb if write.reservation_mb is None else write.reservation_mb
    return replace(
        memory,
        locked_to_max=locked,
        reservation_mb=memory.size_mb if locked else reserved,
        limit_mb=None if write.unlimited else limit,
    )


def _possible(vm: PredictedVm, backing: Backing, host: Host) -> tuple[str, ...]:
    """The addresses of the devices that a backing uses, or may use. A dynamic device that was not assigned yet may be any of its models."""
    held = held_addresses(backing)
    if held or not isinstance(backing, DynamicBacking) or vm.power_state != "poweredOn":
        return held
    models = {(model.vendor_id, model.device_id) for model in backing.allowed}
    return tuple(device.address for device in host.devices if device.active and device.kind in models)


def _held(devices: Iterable[VmDevice]) -> frozenset[str]:
    return frozenset(address for device in devices for address in held_addresses(device.backing))


def charged_mb(power_state: str, memory: MemoryState) -> int:
    """MB that a resource pool counts for a VM: only while it runs."""
    return memory.reservation_mb if power_state == "poweredOn" else 0
