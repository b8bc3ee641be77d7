# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparing the desired state of one vCenter (the intent in the inventory) with its observed state. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..graphics.desired import DesiredGraphics, DesiredHostGraphics
from ..host.overrides import parse_overrides
from ..host.passthrough import DesiredPassthrough, needs_fabric, passthrough_writes, plan_passthrough, project
from ..host.protection import holds_disks
from ..host.selector import DesiredDevice
from ..host.targets import SEE_HOSTS
from ..observed.device_users import function_users_by_host, users_by_host
from ..observed.hosts import DeviceUser, Host
from ..observed.uncertain_holders import unread_vms
from ..observed.vms import Vm
from ..planning.plan import Plan, TargetPlan
from ..planning.unknown_names import UnknownName
from ..rolling.status import Status
from ..sriov.desired import DesiredSriov
from ..vm.desired.units import DesiredUnit
from ..vm.devices.plan import DesiredVm, ObservedVms, needs_details, needs_offers, plan_vm_devices
from ..writing.api_versions import ApiVersions, no_device_modes, refuse_too_new
from .commands import Commands
from .hosts import away_because_of, host_differences, rolling_difference, without_unread_disk_blockers
from .kinds import Difference, NotFound
from .vms import VmCase, stopped_difference, surplus_differences, vm_differences, words_of


@dataclass(frozen=True, kw_only=True, slots=True)
class ObservedEndpoint:
    """The observed state of one vCenter, together with the desired state resolved to its objects.

    ``vms.hosts``: all known hosts. ``hosts``: desired devices by host id; a host without an entry is not in the intent. ``functions``:
    the same for entries with virtual functions; only hosts that have such entries. ``modes``: the same for entries with a device mode.
    ``passed_over``: ids of VMs in the intent that this run does not check. ``disks_unread``: hosts whose partition tables were not read
    because the limit of calls was reached. ``sees_all``: False when the account cannot read the root folder; then an object that is not
    found may exist. ``journals``: the custom attributes that rolling reboots keep on hosts, by host id (attribute → text). ``rolling``:
    what rolling reboots and maintenances are doing with these hosts and VMs.
    """

    vms: ObservedVms
    hosts: DesiredPassthrough
    functions: DesiredSriov = field(default_factory=DesiredSriov)
    modes: Mapping[str, tuple[DesiredDevice, ...]] = field(default_factory=dict)
    desired_vms: tuple[DesiredVm, ...] = ()
    not_found: tuple[NotFound, ...] = ()
    passed_over: tuple[str, ...] = ()
    disks_unread: frozenset[str] = frozenset()
    whole_fleet: bool = False
    sees_all: bool = True
    journals: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    rolling: Status = field(default_factory=lambda: Status(now=0.0))
    api: ApiVersions | None = None
    graphics: DesiredHostGraphics | None = None
    """The desired graphics settings; None when there are none."""
    is_vcenter: bool = True
    unknown_names: tuple[UnknownName, ...] = ()
    """Entries of options that name nothing."""

    def wanted(self) -> tuple[Host, ...]:
        return tuple(host for host in self.vms.hosts if host.moid in self.hosts.devices)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plans:
    """What the modules would do. ``strict``: the plan when VMs may have the desired devices only (``state: exactly``).

    ``functions``: the plan of virtual functions.
    """

    hosts: Plan
    vms: Plan
    strict: Plan
    functions: Plan = field(default_factory=Plan)
    graphics: Plan = field(default_factory=Plan)
    modes: Plan = field(default_factory=Plan)
    """The plan of host_device_mode; empty if the intent has no device mode."""

    def refusals(self) -> frozenset[str]:
        """Codes of everything that is refused."""
        plans = (self.hosts, self.vms, self.functions, self.graphics, self.modes)
        return frozenset(blocker.code for plan in plans for target in plan.targets for blocker in target.blockers)


def make_plans(observed: ObservedEndpoint) -> Plans:
    """The plans of the playbook ``site`` for the observed state. Raises InputError when the intent itself is wrong."""
    strict = tuple(_strict(desired, observed) for desired in observed.desired_vms if _is_open(desired, observed))
    return Plans(
        hosts=refuse_too_new(plan_passthrough(observed.wanted(), observed.hosts), observed.api),
        functions=refuse_too_new(_plan_functions(observed), observed.api),
        vms=refuse_too_new(plan_vm_devices(observed.vms, observed.desired_vms), observed.api),
        strict=refuse_too_new(plan_vm_devices(observed.vms, strict), observed.api),
        graphics=refuse_too_new(_plan_graphics(observed), observed.api),
        modes=_plan_modes(observed),
    )


def _is_open(desired: DesiredVm, observed: ObservedEndpoint) -> bool:
    """Whether the entry leaves the VM devices that it does not name."""
    return desired.state == "present" or (observed.whole_fleet and desired.state == "exactly" and not desired.all_kinds)


def _strict(desired: DesiredVm, observed: ObservedEndpoint) -> DesiredVm:
    """The entry, so that its plan detaches what it does not name: with the scope of the whole fleet, devices of every kind."""
    return replace(desired, state="exactly", all_kinds=desired.all_kinds or observed.whole_fleet)


def _plan_functions(observed: ObservedEndpoint) -> Plan:
    if not observed.functions.devices:
        return Plan()
    from ..sriov.plan import plan_sriov  # imported here, because most intents have no virtual functions

    vms = tuple(observed.vms.everyone())
    hosts = [host for host in observed.vms.hosts if host.moid in observed.functions.devices]
    return plan_sriov([replace(host, unread_vms=unread_vms(host, vms)) for host in hosts], observed.functions)


def _plan_graphics(observed: ObservedEndpoint) -> Plan:
    if observed.graphics is None:
        return Plan()
    from ..graphics.plan import plan_graphics  # imported here, because most intents have no graphics settings

    hosts = [host for host in observed.vms.hosts if host.moid in observed.graphics.hosts]
    return plan_graphics(hosts, observed.graphics)


def _plan_modes(observed: ObservedEndpoint) -> Plan:
    if not observed.modes:
        return Plan()
    from ..device_modes.plan import DesiredModes, plan_modes  # imported here, because most intents have no device mode

    desired = DesiredModes(
        devices=observed.modes,
        on_missing=observed.hosts.on_missing,
        allow_protected=observed.hosts.allow_protected,
        ignore_unreadable_vms=observed.hosts.ignore_unreadable_vms,
        too_old=no_device_modes(observed.api),
        is_vcenter=observed.is_vcenter,
    )
    hosts = [host for host in observed.vms.hosts if host.moid in observed.modes]
    return refuse_too_new(plan_modes(hosts, desired), observed.api)


def disks_to_read(observed: ObservedEndpoint, plans: Plans) -> tuple[str, ...]:
    """Hosts whose partition tables must be read to decide whether the host depends on a device. Each costs one call."""
    changing = {
        target.moid
        for target in plans.hosts.targets
        for write in passthrough_writes(target.changes)
        if holds_disks(write.device)
    }
    waiting = {
        host.moid
        for host in observed.vms.hosts
        if host.is_reachable and any(d.state == "pending_enable" and holds_disks(d) for d in host.devices)
    }
    return tuple(sorted(changing | waiting))


def hosts_to_read_with_fabric(observed: ObservedEndpoint, plans: Plans) -> tuple[str, ...]:
    """Hosts that must be read with their fabric: a device is to be enabled, or passes to passthrough at the next boot."""
    waiting = (
        h.moid for h in observed.vms.hosts if h.is_reachable and any(d.state == "pending_enable" for d in h.devices)
    )
    return tuple(sorted({*needs_fabric(plans.hosts), *needs_fabric(plans.modes), *waiting}))


def vms_to_read_in_detail(plans: Plans) -> tuple[str, ...]:
    """VMs whose plan needs facts that the server returns for one VM or one host at a time."""
    return tuple(sorted(needs_details(plans.vms) | needs_offers(plans.vms)))


def find_drift(observed: ObservedEndpoint, plans: Plans, commands: Commands) -> tuple[Difference, ...]:
    """Every difference, hosts before VMs, sorted by name."""
    machines = {vm.moid: vm for vm in observed.vms.everyone()} if observed.rolling.runs else {}
    off = {vm.moid: (vm, run) for run in observed.rolling.runs for vm in run.off}
    found = [
        *_hosts(observed, plans, commands),
        *_graphics(observed, plans, commands),
        *_rolling(observed, commands),
        # A VM that a run stopped is no drift to be corrected by a power-on, whatever the intent says.
        *(one for one in _vms(observed, plans, commands) if one.kind != "powered_off" or one.moid not in off),
        *(stopped_difference(machines.get(moid), *pair, commands) for moid, pair in off.items()),
        *(_not_found(observed, entry, commands) for entry in observed.not_found),
        *([_no_host_seen(commands)] if observed.whole_fleet and not observed.vms.hosts else ()),
    ]
    return tuple(sorted(found, key=lambda difference: difference.place))


def with_users(hosts: Iterable[Host], vms: Iterable[Vm]) -> tuple[Host, ...]:
    """The hosts with ``users`` completed from the devices of ``vms``."""
    known = tuple(vms)
    users, functions = users_by_host(known), function_users_by_host(known)
    return tuple(
        replace(_with_users(host, users.get(host.moid, {})), function_users=functions.get(host.moid, ()))
        for host in hosts
    )


def _with_users(host: Host, users: Mapping[str, Sequence[DeviceUser]]) -> Host:
    merged = dict(host.users)
    for device in host.devices:
        named = users.get(device.address, ())
        known = {user.moid for user in named}
        others = [user for user in host.users.get(device.address, ()) if user.moid not in known]
        if named:
            merged[device.address] = (*named, *others)
    return replace(host, users=merged)


def _hosts(observed: ObservedEndpoint, plans: Plans, commands: Commands) -> Iterable[Difference]:
    at_work = {host.moid: (host, run) for run in observed.rolling.runs for host in run.hosts}
    for difference in _host_differences(observed, plans, commands):
        pair = at_work.get(difference.moid) if difference.kind == "unreachable" else None
        yield away_because_of(difference, *pair) if pair is not None else difference


def _graphics(observed: ObservedEndpoint, plans: Plans, commands: Commands) -> Iterable[Difference]:
    if observed.graphics is None:
        return ()
    from .graphics import graphics_differences  # imported here, as above

    compared = {target.moid for target in plans.hosts.targets}
    return graphics_differences(observed.vms.hosts, observed.graphics, plans.graphics, commands, compared=compared)


def _host_differences(observed: ObservedEndpoint, plans: Plans, commands: Commands) -> Iterable[Difference]:
    targets = {target.moid: target for target in plans.hosts.targets}
    functions = {target.moid: target for target in plans.functions.targets}
    modes = {target.moid: target for target in plans.modes.targets}
    allowed = parse_overrides(observed.hosts.allow_protected, observed.wanted())
    for host in observed.vms.hosts:
        if host.moid in targets:
            desired_devices = observed.hosts.devices[host.moid]
            target = targets[host.moid]
            if host.moid in observed.disks_unread:
                target = without_unread_disk_blockers(host, target)
            mode_plan = modes.get(host.moid)
            yield from host_differences(
                host,
                target,
                desired_devices,
                commands,
                allowed=allowed[host.moid],
                functions=_functions(observed, host, functions, commands),
                managed=() if mode_plan is None else mode_plan.host_facts.selected,
            )
            if mode_plan is not None:
                from .modes import mode_differences  # imported here, as above

                yield from mode_differences(host, mode_plan, commands)
        elif observed.whole_fleet:
            nothing = TargetPlan(target=host.name, moid=host.moid)
            yield from host_differences(host, nothing, (), commands, functions=_functions(observed, host, {}, commands))
        if observed.whole_fleet:
            from .settings import setting_differences  # imported here, as above

            yield from setting_differences(
                host, observed.modes.get(host.moid, ()), _desired_graphics(observed, host), commands
            )


def _functions(
    observed: ObservedEndpoint, host: Host, targets: Mapping[str, TargetPlan], commands: Commands
) -> Iterable[Difference]:
    if host.moid not in targets and not observed.whole_fleet:
        return ()
    from .functions import function_differences  # imported here, as above

    nothing = TargetPlan(target=host.name, moid=host.moid)
    return function_differences(host, targets.get(host.moid, nothing), commands)


def _desired_graphics(observed: ObservedEndpoint, host: Host) -> DesiredGraphics | None:
    return observed.graphics.hosts.get(host.moid) if observed.graphics is not None else None


def _rolling(observed: ObservedEndpoint, commands: Commands) -> Iterable[Difference]:
    for host in observed.vms.hosts:
        if host.moid in observed.journals and (observed.whole_fleet or host.moid in observed.hosts.devices):
            runs = [run for run in observed.rolling.runs if run.purpose == "reboot"]
            pairs = [(line, run) for run in runs for line in run.hosts if line.moid == host.moid]
            found = rolling_difference(host, observed.journals[host.moid], commands, *pairs[:1])
            if found is not None:
                yield found


def _named_devices(desired: DesiredVm) -> tuple[DesiredDevice | DesiredUnit, ...] | None:
    """The devices of an entry of the intent. None: it has SR-IOV network adapters only."""
    return (*desired.devices, *desired.units) if desired.names_devices else None


def _vms(observed: ObservedEndpoint, plans: Plans, commands: Commands) -> Iterable[Difference]:
    surplus = {target.moid: _surplus_devices(target) for target in plans.strict.targets}
    unchecked = set(vms_to_read_in_detail(plans))
    entries = {desired.moid: desired for desired in observed.desired_vms}
    stay_blocked = _blocked_after_hosts(observed, plans)
    for target in plans.vms.targets:
        case = VmCase(
            vm=observed.vms.vm(target.moid),
            target=target,
            surplus=_without_detached(surplus.get(target.moid, {}), target),
            entry=_named_devices(entries[target.moid]),
            adapters=entries[target.moid].sriov_networks,
            unchecked=target.moid in unchecked,
            stays_blocked=target.moid in stay_blocked,
        )
        yield from vm_differences(observed.vms, case, commands)
    if observed.whole_fleet:
        named = {*(desired.moid for desired in observed.desired_vms), *observed.passed_over}
        models = observed.vms.models()
        for vm in observed.vms.everyone():
            if vm.moid not in named:
                yield from surplus_differences(observed.vms, vm, models, commands)


def _without_detached(surplus: Mapping[str, Mapping[str, str]], target: TargetPlan) -> Mapping[str, Mapping[str, str]]:
    """Devices that the plan itself detaches have a difference already."""
    gone = {change.subject for change in target.changes if change.kind == "detach"}
    return {subject: words for subject, words in surplus.items() if subject not in gone}


def _blocked_after_hosts(observed: ObservedEndpoint, plans: Plans) -> frozenset[str]:
    """VMs that are refused also after the hosts were changed and rebooted, and although they may be shut down."""
    if not any(target.blockers for target in plans.vms.targets):
        return frozenset()
    hosts = project(observed.vms.hosts, plans.hosts)
    if plans.functions.targets:
        from ..sriov.plan import project_sriov  # imported here, as above

        hosts = project_sriov(hosts, plans.functions)
    before = {host.moid: host for host in observed.vms.hosts}
    assumed = {
        host.moid: frozenset(
            device.address
            for device, old in zip(host.devices, before[host.moid].devices, strict=True)
            if device.active and not old.active
        )
        for host in hosts
    }
    later = plan_vm_devices(
        replace(observed.vms, hosts=hosts, assumed=assumed),
        tuple(replace(desired, allow_shutdown=True) for desired in observed.desired_vms),
    )
    return frozenset(target.moid for target in later.targets if target.blockers)


def _surplus_devices(target: TargetPlan) -> Mapping[str, Mapping[str, str]]:
    """Subject → description, of devices that would be detached only because the intent does not name them."""
    words = {change.subject: words_of(change.before) for change in target.changes if change.kind == "detach"}
    return {
        subject: words.get(subject, {})
        for subject, leaving in target.vm_facts.leaving.items()
        if leaving.why in ("unwanted", "companion")
    }


def _not_found(observed: ObservedEndpoint, entry: NotFound, commands: Commands) -> Difference:
    """The difference for a name that no object has. It is ``invisible`` when the account cannot read the whole inventory."""
    why = "It was removed or renamed, or this account cannot see it"
    cure = "Correct the name, or take it out of the intent"
    if not observed.sees_all:
        why = "This account does not see the whole inventory, so the object may exist"
        cure = "Give the account System.Read on the object, or correct the name"
    show = "vm_pci_device_info" if entry.type == "vm" else "host_pci_device_info"
    return Difference(
        kind="not_found" if observed.sees_all else "invisible",
        type=entry.type,
        object=entry.name,
        wanted="in the inventory of vCenter",
        found="no object of this name",
        cause=f"{entry.cause}. {why}",
        cure=cure,
        command=commands.module(show, {}),
    )


def _no_host_seen(commands: Commands) -> Difference:
    """The difference for a whole vCenter without a host: whether anything on it differs is unknown."""
    return Difference(
        kind="invisible",
        type="vcenter",
        object=commands.place,
        wanted="at least one host",
        found="no host",
        cause=f"This account sees no ESXi host on {commands.place}, so nothing was compared",
        cure=SEE_HOSTS,
        command=commands.module("host_pci_device_info", {}),
    )
