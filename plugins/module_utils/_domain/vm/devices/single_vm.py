# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory, the MMIO window, blockers and warnings of the plan of one VM. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...observed.hosts import HostDevice
from ...observed.vms import Vm, VmDevice
from ...planning.plan import Blocker, Change
from ..kinds.kind_plan import KindPlan
from ..latency import wants_high
from ..memory import (
    describe_device,
    lock_blockers,
    lock_changes,
    merge_writes,
    outdated_lock_blockers,
    state_blockers,
    unlock_blockers,
    unlock_changes,
)
from ..mmio import MmioDevice, MmioPlan, plan_mmio, unknown_size_blocker, will_not_start, window_problem
from ..observed_vms import ObservedVms
from ..preconditions import (
    PowerSteps,
    attach_blockers,
    group_blockers,
    hot_add_warning,
    nested_blockers,
    start_blockers,
    used_after,
)
from .draft import Draft
from .holders import DeviceHolders

_DETACHED_BY_ALL = ("fixed", "dynamic", "vgpu", "dvx", "sriov")
"""Kinds of backings that ``kinds: all`` detaches."""


def has_devices_after(draft: Draft, kinds: KindPlan) -> bool:
    leaving = {*draft.detached, *kinds.detached}
    staying = (device for device in draft.vm.needs_full_reservation if device.key not in leaving)
    return draft.attaching or bool(kinds.attaching) or any(staying)


def count_after(draft: Draft, kinds: KindPlan) -> int:
    added = max(len(draft.needs), len(draft.fixed) + len(draft.dynamic)) + kinds.added
    return used_after(draft.vm, {*draft.detached, *kinds.detached}, added)


def memory_changes(draft: Draft, kinds: KindPlan) -> tuple[Change, ...]:
    """The memory changes: the lock is set with devices. It stays when the last device is detached, unless ``unlock_memory``."""
    detached = draft.detached or kinds.detached
    if has_devices_after(draft, kinds):
        if draft.desired.state == "absent" and not detached:
            return ()
        return lock_changes(draft.vm)
    if wants_high(draft.desired):
        return lock_changes(draft.vm)
    return unlock_changes(draft.vm) if detached and draft.desired.unlock_memory else ()


def _outdated_lock(draft: Draft, kinds: KindPlan) -> tuple[Blocker, ...]:
    needed = wants_high(draft.desired) or has_devices_after(draft, kinds)
    return outdated_lock_blockers(draft.vm) if needed else ()


def mmio_of(draft: Draft, kinds: KindPlan) -> MmioPlan:
    if draft.desired.mmio is None or draft.desired.state == "absent":
        return MmioPlan()
    return plan_mmio(draft.vm, draft.desired.mmio, [*_mapped(draft), *kinds.mapped])


def _find_window_problem(draft: Draft) -> str:
    """Why the VM is expected to fail to power on with its devices after the plan; empty when the desired state has ``mmio``."""
    if draft.desired.mmio is not None and draft.desired.state != "absent":
        return ""
    return window_problem(draft.vm, _staying(draft), _added(draft))


def _find_vgpu_window_problem(draft: Draft, kinds: KindPlan) -> str:
    """The same for a VM that gets vGPUs. Their memory is not published to be what they map, so this is a warning and no blocker."""
    # Imported only for VMs that get such devices.
    from ..kinds.vgpu import mapped_devices

    return window_problem(draft.vm, _mapped(draft), mapped_devices(kinds.profiles))


def _window_blockers(draft: Draft, power: PowerSteps) -> list[Blocker]:
    """Blockers for changes after which the VM is expected to fail to power on, when the desired state has no ``mmio``."""
    if draft.attaching and draft.desired.mmio is None:
        unknown = unknown_size_blocker(draft.vm, _added(draft), {device.ids for device in _staying(draft)})
        if unknown is not None:
            return [unknown]
    problem = _find_window_problem(draft) if power.must_run else ""
    return [will_not_start(draft.vm, problem)] if problem else []


def _mapped(draft: Draft) -> list[MmioDevice]:
    """The devices that the VM will have, for the calculation of the MMIO window."""
    return [*_staying(draft), *_added(draft)]


def _mmio_device(device: HostDevice) -> MmioDevice:
    return MmioDevice(ids=device.ids, class_id=device.class_id.replace("0000", ""), name=device.name)


def _staying(draft: Draft) -> list[MmioDevice]:
    kept = (min(held.stands_for, key=lambda d: (d.ids, d.name)) for held in draft.staying if held.stands_for)
    return [_mmio_device(device) for device in kept]


def _added(draft: Draft) -> list[MmioDevice]:
    devices = [_mmio_device(allocated.device) for allocated in draft.fixed]
    for planned in draft.dynamic:
        model = planned.item.allowed[0]
        class_id = planned.class_id
        devices.append(MmioDevice(ids=f"{model.vendor_id}:{model.device_id}", class_id=class_id, name=planned.name))
    return devices


def vm_blockers(
    observed: ObservedVms,
    draft: Draft,
    kinds: KindPlan,
    memory: Sequence[Change],
    mmio: MmioPlan,
    power: PowerSteps,
    holders: DeviceHolders,
    changing: bool,
) -> tuple[Blocker, ...]:
    vm = draft.vm
    blockers = [*state_blockers(vm, changing), *power.blockers, *draft.blockers, *kinds.blockers]
    if draft.attaching or kinds.attaching:
        maximum = observed.limits.get(vm.moid)
        vgpus_only = kinds.only_vgpus and not draft.attaching
        blockers += attach_blockers(
            vm, draft.desired, draft.kinds, count_after(draft, kinds), maximum, vgpus_only=vgpus_only
        )
    if merge_writes(memory).locked:
        blockers += lock_blockers(vm)
    if merge_writes(memory).locked is False:
        after = replace(vm, latency_sensitivity="normal") if draft.desired.latency_sensitivity == "normal" else vm
        gone = {*draft.detached, *kinds.detached}
        blockers += unlock_blockers(after, [device for device in vm.devices if device.key not in gone])
    blockers += [*mmio.blockers, *_window_blockers(draft, power)]
    blockers += group_blockers(vm, {*draft.detached, *kinds.detached})
    host_moid = vm.host_moid or ""
    if draft.fixed and observed.system_ids.get(host_moid, "not read") is None and not observed.assumed.get(host_moid):
        blockers.append(
            Blocker(
                code="no_system_id",
                message=f"vCenter returns no system id for {draft.host.name if draft.host else vm.host_name}. Without it, {vm.name} "
                "fails to power on with a fixed device",
                cure="Check that the devices are active for passthrough on this host, and refresh its hardware list in the vSphere Client",
            )
        )
    if power.must_run:
        running_holders = [
            f"{address} is {holder.sentence()}"
            for address in draft.fixed_after
            for holder in holders.others(vm.host_moid or "", address, vm)
            if holder.powered_on
        ]
        blockers += start_blockers(vm, draft.host, draft.fixed_after, running_holders)
        blockers += [_stale_blocker(vm, sentence) for sentence in _stale(draft)]
        blockers += _outdated_lock(draft, kinds)
        if draft.staying and not (draft.attaching or kinds.attaching):
            blockers += nested_blockers(vm)
    return tuple(blockers)


def _stale(draft: Draft) -> tuple[str, ...]:
    """A sentence for each fixed device that stays although it cannot work on the VM's host."""
    return tuple(
        f"{describe_device(held.device)} of {draft.vm.name} does not work: {held.problem}"
        for held in draft.staying
        if held.problem
    )


def _stale_blocker(vm: Vm, sentence: str) -> Blocker:
    return Blocker(
        code="stale_device",
        message=f"{vm.name} cannot be powered on: {sentence}",
        cure="Add the device to the desired devices to attach it again, or detach it (state: absent or state: exactly)",
    )


def vm_warnings(draft: Draft, kinds: KindPlan, power: PowerSteps) -> tuple[str, ...]:
    vm = draft.vm
    warnings = [*draft.warnings, *kinds.warnings, *power.warnings]
    if not power.must_run:
        warnings += [*_stale(draft), *(blocker.message for blocker in _outdated_lock(draft, kinds))]
    if (draft.attaching or kinds.attaching) and not draft.desired.disable_hot_add:
        warnings += hot_add_warning(vm)
    problem = _find_window_problem(draft) if draft.attaching else ""
    if not problem and kinds.adds_units and draft.desired.mmio is None:
        problem = _find_vgpu_window_problem(draft, kinds)
    if problem:
        warnings.append(f"{problem}; set mmio: {{}} to set a window that is large enough")
    if draft.fixed and draft.host is not None:
        warnings.append(
            f"{vm.name} is tied to {draft.host.name} by fixed devices: no vMotion, no HA restart on another host, no snapshots"
        )
    if draft.desired.state == "exactly":
        warnings += _left_alone(draft, kinds)
    if draft.desired.state == "absent":
        warnings += _not_identified(draft)
    return tuple(warnings)


def _not_identified(draft: Draft) -> list[str]:
    """A warning for devices that may be among those that ``absent`` is to detach: their type is of a later release."""
    unknown = [describe_device(device) for device in draft.left_alone if device.backing.kind == "unknown"]
    if not unknown:
        return []
    return [
        f"{draft.vm.name} also has {', '.join(unknown)}, whose type this session does not know. It stays, also if it is one of the "
        "devices to detach"
    ]


def _with_group(vm: Vm, device: VmDevice) -> str:
    """The device for messages. A part of a group is none of the devices of its kind, so the group is named."""
    if device.group_instance is None:
        return describe_device(device)
    name = vm.device_groups.get(device.group_instance) or "a group whose name was not read"
    return f"{device.label or f'device {device.key}'} (part of the group {name})"


def _left_alone(draft: Draft, kinds: KindPlan) -> list[str]:
    """A warning for devices of kinds that the entry does not name, which ``exactly`` keeps."""
    vm, desired = draft.vm, draft.desired
    others = [device for device in draft.left_alone if device.key not in kinds.named]
    if not desired.names_passthrough:
        others = sorted([*others, *(held.device for held in draft.held)], key=lambda device: device.key)
    can_go = [device for device in others if device.backing.kind in _DETACHED_BY_ALL and not desired.all_kinds]
    warnings = []
    if can_go:
        names = ", ".join(_with_group(vm, device) for device in can_go)
        warnings.append(
            f"{vm.name} also has {names}, of kinds that devices does not name. kinds: all detaches them too"
        )
    rest = [device for device in others if device not in can_go]
    if rest:
        names = ", ".join(map(describe_device, rest))
        warnings.append(f"{vm.name} also has {names}, which this module does not change")
    return warnings
