# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The differences between the desired and the observed state of one VM. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, assert_never

from ..host.selector import DesiredDevice
from ..observed.hosts import HostDevice
from ..observed.vms import SriovBacking, Vm
from ..planning.details import (
    Detach,
    DetachGroup,
    DvxSpec,
    DynamicSpec,
    ExtraConfig,
    FixedSpec,
    GraphicsWrite,
    GroupSpec,
    HotAdd,
    Latency,
    MaintenanceStep,
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
    XorgRestart,
)
from ..planning.plan import Blocker, Change, Leaving, Shown, TargetPlan
from ..rolling.advice import next_command
from ..rolling.status import RunLine, VmLine, describe_vm
from ..vm.desired.sriov_networks import DesiredSriovNetwork
from ..vm.desired.units import DesiredUnit
from ..vm.devices.matching import Held, survey
from ..vm.devices.shared_cards import cards_by_place, fixed_addresses, shared_cards
from ..vm.kinds.held_units import held_units, subjects
from ..vm.memory import LIMIT, RESERVATION, describe_device, outdated_lock_blockers
from ..vm.observed_vms import ObservedVms
from .commands import Commands
from .kinds import Difference

_UNKNOWN = {
    "vm_not_connected": "unreachable",
    "host_unreachable": "unreachable",
    "vm_unreadable": "unreadable",
    "host_unknown": "unreadable",
    "offer_unknown": "unreadable",
    "group_unknown": "unreadable",
    "networks_unknown": "unreadable",
}
_MISSING = frozenset(
    {
        "no_such_device",
        "no_free_device",
        "not_active",
        "device_in_use",
        "devices_changing_hands",
        "dynamic_unsupported",
        "hardware_version",
        "no_system_id",
        "ambiguous_network",
        "network_unsupported",
        "no_free_virtual_function",
        "no_such_network",
        "no_such_physical_function",
        "sriov_not_active",
        "unknown_profile",
        "profile_in_other_mode",
        "unknown_group",
        "unknown_dvx_class",
    }
)
"""Blocker codes for a desired device that is not available."""
_KIND_OF = {
    **dict.fromkeys(_MISSING, "device_missing"),
    "too_many_devices": "limit_exceeded",
    "host_device_limit": "limit_exceeded",
    "holders_unknown": "device_missing",
    "identity_changed": "identity_changed",
    "ambiguous": "ambiguous",
    "stale_device": "stale_address",
    "firmware_not_efi": "mmio_differs",
    "mmio_size_unknown": "mmio_differs",
    "mmio_size_too_small": "mmio_differs",
    "will_not_start": "mmio_differs",
    "pool_memory": "memory_not_reserved",
    "memory_lock_unsupported": "memory_not_reserved",
    "memory_lock_outdated": "memory_changed",
    "host_in_maintenance": "powered_off",
}
"""Blocker code → kind of difference; any other code is ``refused``."""
_SEPARATE = frozenset({"too_many_devices", "identity_changed", "ambiguous"})
"""Blocker codes that are a difference in addition to the changes that they block."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VmCase:
    """One VM in the intent. ``target``: its plan. ``entry``: its desired devices."""

    vm: Vm
    target: TargetPlan
    surplus: Mapping[str, Mapping[str, str]]
    """Subject → description, of devices that the intent does not name."""
    entry: Sequence[DesiredDevice | DesiredUnit] | None = ()
    """None: the intent does not name its devices."""
    adapters: Sequence[DesiredSriovNetwork] | None = None
    """Its desired SR-IOV network adapters. None: the intent does not name them."""
    unchecked: bool = False
    """True when facts that need one call for each VM or host were not read."""
    stays_blocked: bool = False
    """True when the playbook site refuses the VM, too, after it enabled devices and rebooted hosts."""


def vm_differences(observed: ObservedVms, case: VmCase, commands: Commands) -> tuple[Difference, ...]:
    """The differences of one VM, sorted by subject."""
    unknown = _unknowns(case, commands)
    blockers = tuple(blocker for blocker in case.target.blockers if blocker.code not in _UNKNOWN)
    if unknown and not case.target.changes and not blockers:
        return unknown
    planned = [*_changes(case, commands), *_separate_blockers(case, blockers, commands)]
    if blockers and not planned:
        planned = [_blocked(case, blocker, commands) for blocker in blockers]
    kinds = {difference.kind for difference in planned}
    rest = tuple(b.message for b in blockers if _KIND_OF.get(b.code) not in kinds or b.code in _MISSING)
    command = _command(case, commands)
    planned = [_with_obstacles(difference, rest, command, commands) for difference in planned]
    unplanned = [
        *_surplus(case, commands),
        *_stale(observed, case, planned, commands),
        *_memory_changed(case.vm, commands),
        *_shared(observed, case, commands),
    ]
    found = [*unknown, *planned, *unplanned]
    if case.unchecked and not found:
        found = [_unchecked(case.vm, commands)]
    return tuple(sorted(found, key=lambda difference: difference.place))


def surplus_differences(
    observed: ObservedVms, vm: Vm, models: Mapping[str, HostDevice], commands: Commands
) -> tuple[Difference, ...]:
    """The differences of a VM that has devices of any kind but is not in the intent, or whose devices are unknown."""
    if vm.unread_devices:
        return (_unread(vm, commands),)
    held, _others = survey(observed, vm, models)
    named: list[tuple[str, str, str, str]] = [
        (_subject(one), _device(one), one.kind, describe_device(one.device)) for one in held
    ]
    units = held_units(vm)
    for unit, subject in subjects(units, ()).items():
        named.append((subject, unit.value, unit.kind, subject))
    parts = {key for unit in units for key in unit.keys}
    for device in vm.devices:
        if isinstance(device.backing, SriovBacking) and device.key not in parts:
            network = device.backing.network_name or device.backing.network
            named.append((device.label or f"SR-IOV network adapter {device.key}", network, "sriov", device.label))
    return tuple(
        _difference(
            vm,
            "extra",
            subject=subject,
            device=what,
            wanted="no passthrough device",
            found=kind,
            cause=f"{vm.name} has {described}, but the VM is not in the intent",
            cure="Add the VM to the intent, or detach the device",
            command=commands.nothing(vm.moid),
            planned=False,
        )
        for subject, what, kind, described in named
    )


def _unread(vm: Vm, commands: Commands) -> Difference:
    unreachable = vm.connection_state != "connected"
    return _difference(
        vm,
        "unreachable" if unreachable else "unreadable",
        found=vm.connection_state if unreachable else "devices",
        cause=f"{vm.name} {vm.unread_devices}, so it is unknown whether it has passthrough devices",
        cure="Reconnect or register the VM again, or give the account System.Read on it",
        command=commands.show_vm(vm.moid),
        planned=False,
    )


def stopped_difference(vm: Vm | None, line: VmLine, run: RunLine, commands: Commands) -> Difference:
    """The difference of a VM that is off, or may be, because a rolling reboot or a maintenance stopped it."""
    return Difference(
        kind="stopped_for_host",
        type="vm",
        object=line.name,
        moid=line.moid,
        cluster=vm.cluster if vm is not None else None,
        subject="power",
        wanted="poweredOn",
        found=vm.power_state if vm is not None else line.power,
        cause=f"{line.name} {describe_vm(line, run)}",
        cure=next_command(run),
        command=commands.playbook("restore" if run.purpose == "reboot" and run.alive != "yes" else "status"),
        planned=run.purpose == "reboot",
    )


def _difference(vm: Vm, kind: str, **more: Any) -> Difference:
    return Difference(kind=kind, type="vm", object=vm.name, moid=vm.moid, cluster=vm.cluster, **more)


def _unknowns(case: VmCase, commands: Commands) -> tuple[Difference, ...]:
    unknown = [blocker for blocker in case.target.blockers if blocker.code in _UNKNOWN]
    if case.vm.unreadable and case.vm.connection_state == "unknown":  # the state itself was not readable
        unknown = [blocker for blocker in unknown if blocker.code == "vm_unreadable"]
    return tuple(_unknown(case.vm, blocker, commands) for blocker in unknown)


def _unknown(vm: Vm, blocker: Blocker, commands: Commands) -> Difference:
    return _difference(
        vm,
        _UNKNOWN[blocker.code],
        found=vm.connection_state if blocker.code != "vm_unreadable" else ", ".join(vm.unreadable),
        cause=blocker.message,
        cure=blocker.cure,
        command=commands.show_vm(vm.moid),
    )


def _unchecked(vm: Vm, commands: Commands) -> Difference:
    return _difference(
        vm,
        "unchecked",
        subject="system id",
        cause=f"{vm.name} is off and has fixed devices. Checking whether they belong to its current host takes one call for each host, "
        "and the limit max_host_queries was reached",
        cure="Raise max_host_queries, or check this VM alone",
        command=commands.playbook("verify"),
    )


def _command(case: VmCase, commands: Commands) -> str:
    """The command that makes the changes of a VM despite its blockers. If no playbook does, the one that shows the VM."""
    codes = {blocker.code for blocker in case.target.blockers}
    if case.stays_blocked:
        return commands.show_vm(case.vm.moid)
    extra = ("-e attach_devices_allow_shutdown=true",) if "powered_on" in codes else ()
    return commands.playbook("site" if codes - {"powered_on"} else "attach", *extra)


def _with_obstacles(difference: Difference, messages: Sequence[str], command: str, commands: Commands) -> Difference:
    """Add obstacles. ``command``: the one that works despite all of them."""
    if difference.certainty != "drift":
        return difference
    rest = tuple(text for text in messages if text not in difference.cause)
    return replace(
        difference,
        obstacles=rest,
        command=command if difference.command == commands.attach() else difference.command,
    )


def _changes(case: VmCase, commands: Commands) -> Iterator[Difference]:
    kinds = {change.kind for change in case.target.changes}
    replaced = [
        change
        for change in case.target.changes
        if change.kind == "detach" and _leaving(case, change).why in ("stale", "replaced")
    ]
    left = len(replaced)
    for change in case.target.changes:
        if change.kind == "attach" and left > 0 and _replaces_detached(change, replaced):
            left -= 1
            continue
        difference = _change(case, change, kinds, commands)
        if difference is not None:
            yield difference
    # A shutdown and a power-on around other changes are no differences of their own.


def words_of(shown: Shown) -> Mapping[str, str]:
    """The words that describe a device before or after a change; empty when there is no device."""
    return {key: str(value) for key, value in shown.items()} if isinstance(shown, Mapping) else {}


def _replaces_detached(attach: Change, replaced: Sequence[Change]) -> bool:
    """True when the attach replaces a device that is detached. Both are one difference, which the detach reports."""
    return any(_ids(change.before) == _ids(attach.after) for change in replaced)


def _ids(shown: Shown) -> str:
    return words_of(shown).get("device", "").split(" ", maxsplit=1)[0]


def _leaving(case: VmCase, change: Change) -> Leaving:
    return case.target.vm_facts.leaving.get(change.subject, Leaving(why="unwanted", reason=""))


def _change(case: VmCase, change: Change, kinds: Collection[str], commands: Commands) -> Difference | None:
    """The difference that a change removes; None for a shutdown, and for a power-on around other changes."""
    vm, attach = case.vm, commands.attach()
    match change.detail:
        case Detach() | DetachGroup():
            return _detach(case, change, commands)
        case DvxSpec(key=int()):
            return _edited(vm, change, attach)
        case NumaEdit(numa_node=node):
            return _on_other_node(vm, change, node, attach)
        case SriovEdit():
            return _adapter_differs(vm, change, attach)
        case FixedSpec() | DynamicSpec() | VgpuSpec() | DvxSpec() | GroupSpec() | SriovSpec():
            words = words_of(change.after)
            return _difference(
                vm,
                "device_missing",
                subject=change.subject,
                device=words.get("device", ""),
                wanted=words.get("backing", ""),
                found="not attached",
                cause=f"{vm.name} does not have {words.get('device', change.subject)}",
                cure="Attach it",
                command=attach,
            )
        case MemoryWrite() as write:
            return _memory(vm, change, write, attach)
        case ExtraConfig(key=key, value=value):
            if ".cfg." in key.lower():
                return _setting(vm, change, value, attach)
            return _difference(
                vm,
                "mmio_differs",
                subject=change.subject,
                wanted=value,
                found=str(change.before or "not set"),
                cause=f"{change.subject} of {vm.name} is {change.before or 'not set'}",
                cure=f"Set it to {value}",
                command=attach,
            )
        case HotAdd():
            return _difference(
                vm,
                "hot_add_on",
                subject=change.subject,
                wanted="off",
                found="on",
                cause=f"{change.subject} of {vm.name} is on, so the VM may fail to power on with a passthrough device",
                cure="Turn it off",
                command=attach,
            )
        case Latency():
            return _difference(
                vm,
                "latency_differs",
                subject=change.subject,
                wanted=str(change.after),
                found=str(change.before),
                cause=f"The {change.subject} of {vm.name} is {change.before}",
                cure=f"Set it to {change.after}",
                command=attach,
            )
        case UpgradeHardware(version=version):
            return _difference(
                vm,
                "hardware_old",
                subject=change.subject,
                wanted=str(version),
                found=str(vm.hardware_version),
                cause=f"{vm.name} has hardware version {vm.hardware_version}",
                cure=f"Upgrade it to {version}, which cannot be reverted",
                command=attach,
            )
        case PinToHost(host_moid=host):
            return _difference(
                vm,
                "host_rule",
                subject=change.subject,
                wanted=str(change.after or "no rule"),
                found=str(change.before or "no rule"),
                cause=f"The VM-host rule of {vm.name} is {change.before or 'missing'}",
                cure="Remove it" if host is None else f"Make it for {change.after}",
                command=attach,
            )
        case PowerOn():
            return _off(vm, attach) if "shutdown" not in kinds and not vm.is_powered_on else None
        case PowerOff():
            return None
        case PassthroughWrite() | SriovWrite() | ModeWrite() | GraphicsWrite() | XorgRestart() | MaintenanceStep():
            raise ValueError(f"the plan of VM {vm.name} has a change of a host: {change.kind}")
        case other:
            assert_never(other)


def _edited(vm: Vm, change: Change, command: str) -> Difference:
    before, after = words_of(change.before), words_of(change.after)
    return _difference(
        vm,
        "parameters_differ",
        subject=change.subject,
        device=after.get("device", ""),
        wanted=after.get("parameters", ""),
        found=before.get("parameters", "none"),
        cause=f"{change.subject} of {vm.name} has the parameters {before.get('parameters', 'none')}",
        cure=f"Set {after.get('parameters', '')}",
        command=command,
    )


def _on_other_node(vm: Vm, change: Change, node: int, command: str) -> Difference:
    before, after = words_of(change.before), words_of(change.after)
    found, wanted = before.get("numa_node", ""), after.get("numa_node", "")
    return _difference(
        vm,
        "numa_node_differs",
        subject=change.subject,
        device=after.get("device", ""),
        wanted=wanted,
        found=found,
        cause=f"{change.subject} of {vm.name} has "
        + ("no virtual NUMA node" if found == "none" else f"the virtual NUMA node {found}"),
        cure="Remove the NUMA node" if node < 0 else f"Set it to {wanted}",
        command=command,
    )


def _setting(vm: Vm, change: Change, value: str, command: str) -> Difference | None:
    """A setting of one device. One that leaves with its device is no difference of its own."""
    if not value:
        return None
    return _difference(
        vm,
        "setting_differs",
        subject=change.subject,
        wanted=value,
        found=str(change.before or "not set"),
        cause=f"{change.subject} of {vm.name} is {change.before or 'not set'}",
        cure=f"Set it to {value}",
        command=command,
    )


def _adapter_differs(vm: Vm, change: Change, command: str) -> Difference:
    before, after = words_of(change.before), words_of(change.after)
    keys = [key for key in after if after[key] != before.get(key)]
    wanted, found = (", ".join(f"{key} {words.get(key, '')}" for key in keys) for words in (after, before))
    return _difference(
        vm,
        "adapter_differs",
        subject=change.subject,
        device=after.get("device", ""),
        wanted=wanted,
        found=found,
        cause=f"{change.subject} of {vm.name} has {found}",
        cure=f"Change it to {wanted}",
        command=command,
    )


def _off(vm: Vm, command: str) -> Difference:
    return _difference(
        vm,
        "powered_off",
        subject="power",
        wanted="poweredOn",
        found=vm.power_state,
        cause=f"{vm.name} is {vm.power_state}",
        cure="Power it on",
        command=command,
    )


def _detach(case: VmCase, change: Change, commands: Commands) -> Difference:
    vm, leaving, words = case.vm, _leaving(case, change), words_of(change.before)
    kind = {"stale": "stale_address", "replaced": "wrong_backing"}.get(leaving.why, "extra")
    return _difference(
        vm,
        kind,
        subject=change.subject,
        device=words.get("device", ""),
        wanted="not attached" if kind == "extra" else "attached again",
        found=words.get("backing", ""),
        cause=f"{vm.name} has {change.subject}: {leaving.reason}"
        if leaving.reason
        else f"{vm.name} has {change.subject}",
        cure="Detach it" if kind == "extra" else "Detach it and attach it again",
        command=commands.attach(),
    )


def _memory(vm: Vm, change: Change, write: MemoryWrite, command: str) -> Difference:
    if change.subject == LIMIT:
        return _difference(
            vm,
            "memory_limited",
            subject=LIMIT,
            wanted="unlimited",
            found=f"{change.before} MB",
            cause=f"The memory of {vm.name} is limited to {change.before} MB, so the VM fails to power on with a passthrough device",
            cure="Remove the limit",
            command=command,
        )
    memory = vm.memory
    unlocking = write.locked is False
    return _difference(
        vm,
        "memory_not_reserved",
        subject=RESERVATION,
        wanted="released" if unlocking else "locked to the memory size",
        found=f"{memory.reservation_mb} of {memory.size_mb} MB{', locked' if memory.locked_to_max else ''}",
        cause=f"{vm.name} has {memory.reservation_mb} of {memory.size_mb} MB reserved"
        + ("" if unlocking or memory.locked_to_max else ", not locked"),
        cure="Release the reservation" if unlocking else "Reserve all memory",
        command=command,
    )


def _separate_blockers(case: VmCase, blockers: Sequence[Blocker], commands: Commands) -> Iterator[Difference]:
    for blocker in blockers:
        if blocker.code in _SEPARATE or (
            blocker.code in _MISSING and not any(change.kind == "attach" for change in case.target.changes)
        ):
            yield _blocked(case, blocker, commands)


def _blocked(case: VmCase, blocker: Blocker, commands: Commands) -> Difference:
    cause = blocker.message
    if blocker.candidates:
        cause += f". Candidates: {'; '.join(blocker.candidates)}"
    return _difference(
        case.vm,
        _KIND_OF.get(blocker.code, "refused"),
        cause=cause,
        cure=blocker.cure,
        command=_command(case, commands),
    )


def _surplus(case: VmCase, commands: Commands) -> Iterator[Difference]:
    """Devices that the intent does not name. ``state: present`` keeps them, but the report shows them."""
    for subject, why in sorted(case.surplus.items()):
        yield _difference(
            case.vm,
            "extra",
            subject=subject,
            device=why.get("device", ""),
            wanted="not attached",
            found=why.get("backing", ""),
            cause=f"{case.vm.name} has {subject}, which the intent does not name",
            cure="Add it to the intent, or detach it",
            command=commands.only(case.vm.moid, case.entry, case.adapters),
            planned=False,
        )


def _stale(
    observed: ObservedVms, case: VmCase, planned: Sequence[Difference], commands: Commands
) -> Iterator[Difference]:
    """Fixed devices that cannot work on the current host of the VM and that the intent does not name."""
    shown = {difference.subject for difference in planned} | set(case.surplus)
    held, _others = survey(observed, case.vm, observed.models())
    for one in held:
        if one.problem and _subject(one) not in shown:
            yield _difference(
                case.vm,
                "stale_address",
                subject=_subject(one),
                device=_device(one),
                wanted="not attached",
                found=one.kind,
                cause=f"{describe_device(one.device)} of {case.vm.name} does not work: {one.problem}",
                cure="Add it to the desired devices to attach it again, or detach it",
                command=commands.show_vm(case.vm.moid)
                if case.entry is None
                else commands.only(case.vm.moid, case.entry),
                planned=False,
            )


def _memory_changed(vm: Vm, commands: Commands) -> Iterator[Difference]:
    """Locked memory with a reservation below the size: the size was changed outside of vCenter, and the VM fails to power on."""
    memory = vm.memory
    for blocker in outdated_lock_blockers(vm) if vm.needs_full_reservation else ():
        yield _difference(
            vm,
            "memory_changed",
            subject=RESERVATION,
            wanted=f"{memory.size_mb} MB",
            found=f"{memory.reservation_mb} MB, locked",
            cause=blocker.message,
            cure=blocker.cure,
            command=commands.show_vm(vm.moid),
            planned=False,
        )


def _shared(observed: ObservedVms, case: VmCase, commands: Commands) -> Iterator[Difference]:
    """Fixed devices that another VM of the host has, too: one of the two is probably a clone."""
    detached = {change.detail.key for change in case.target.changes if isinstance(change.detail, Detach)}
    staying = [device for device in case.vm.devices if device.key not in detached]
    addresses = tuple(fixed_addresses(staying))
    places = cards_by_place(observed.everyone()) if addresses else {}
    for card in shared_cards(case.vm, addresses, places):
        yield _difference(
            case.vm,
            "shared_device",
            subject=card.address,
            wanted="one VM",
            found=f"also {card.other.name}",
            cause=card.sentence(),
            cure=card.cure(),
            command=commands.show_vm(*card.to_look_at()),
            planned=False,
        )


def _subject(held: Held) -> str:
    """The subject that the plans use: the address of a fixed device, else the models."""
    backing = held.device.backing
    address = getattr(backing, "address", None)
    return address or "/".join(device.ids for device in held.stands_for) or f"device {held.key}"


def _device(held: Held) -> str:
    return f"{held.ids} {held.stands_for[0].name if held.stands_for else ''}".strip()
