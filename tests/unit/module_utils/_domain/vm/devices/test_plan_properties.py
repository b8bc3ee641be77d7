# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold of every plan, over generated worlds."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.selector import parse_desired_devices
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import Host, HostDevice
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.vms import (
    DynamicBacking,
    FixedBacking,
    MemoryState,
    Vm,
    VmDevice,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.details import FixedSpec
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.plan import Plan
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.desired.mmio import (
    DesiredMmio,
    is_power_of_two,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.devices.holders import pair_up
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.devices.plan import (
    DesiredVm,
    ObservedVms,
    needs_details,
    plan_vm_devices,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.memory import is_reserved
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.mmio import current_size_gb
from tests.unit.module_utils._domain.vm.builders import (
    A100,
    NIC,
    T4,
    card,
    carry_out_all,
    dynamic,
    esx,
    fixed,
    guest,
    observed,
)
from tests.unit.searching import search

MODELS = [A100, A100, A100, T4, T4, NIC]
SLOTS = ["3b:00.0", "3b:00.1", "5e:00.0", "86:00.0", "87:00.0", "af:00.0", "b0:00.0", "d8:00.0"]
HOSTS = ["esx-01", "esx-02"]
VMS = ["a", "b", "c"]


@st.composite
def cards(draw: st.DrawFn, slot: str) -> HostDevice:
    state = draw(st.sampled_from(["active"] * 8 + ["pending", "off"]))
    root = "0000:3a:00.0" if slot.startswith("3b") else f"0000:{slot}"
    return card(
        slot,
        draw(st.sampled_from(MODELS)),
        numa_node=draw(st.sampled_from([None, 0, 1])),
        label=draw(st.sampled_from([None, None, "gold"])),
        enabled=state != "off",
        active=state == "active",
        dependent_device=root,
    )


@st.composite
def vm_devices(draw: st.DrawFn, host: Host) -> tuple[VmDevice, ...]:
    """Mostly devices that make sense on the host; now and then a fixed one brought from elsewhere."""
    count = draw(st.sampled_from([0, 0, 1, 1, 2, 3]))
    places = draw(st.permutations(list(host.devices)))[:count]
    devices = []
    for number in range(count):
        key = 13000 + number
        if draw(st.integers(0, 2)) or number >= len(places):
            devices.append(dynamic(draw(st.sampled_from(MODELS)), key=key, label=draw(st.sampled_from([None, "gold"]))))
        elif draw(st.integers(0, 7)):
            place = places[number]
            devices.append(fixed(place.address[5:], place.ids, key=key, system_id=f"sys-{host.name}"))
        else:
            stray, system_id = draw(st.sampled_from(SLOTS)), draw(st.sampled_from([None, "sys-esx-09"]))
            devices.append(fixed(stray, draw(st.sampled_from(MODELS)), key=key, system_id=system_id))
    return tuple(devices)


@st.composite
def vms(draw: st.DrawFn, name: str, hosts: list[Host]) -> Vm:
    lock = draw(st.booleans())
    share = draw(st.sampled_from([0, 4096, 8192]))
    host = draw(st.sampled_from(hosts))
    return guest(
        name,
        *draw(vm_devices(host)),
        host=host.name,
        power_state=draw(st.sampled_from(["poweredOff", "poweredOff", "poweredOn"])),
        hardware_version=draw(st.sampled_from([13, 19, 19])),
        firmware=draw(st.sampled_from(["efi", "efi", "efi", "bios"])),
        has_snapshots=draw(st.integers(0, 15)) == 7,
        cpu_hot_add=draw(st.booleans()),
        memory=MemoryState(
            size_mb=8192,
            reservation_mb=8192 if lock else share,
            locked_to_max=lock,
            limit_mb=draw(st.sampled_from([None, None, 9000])),
        ),
    )


ENTRIES: list[Any] = [
    A100,
    T4,
    {"match": A100, "count": 2},
    {"match": NIC, "count": 2},
    {"match": A100, "count": 2, "label": "gold"},
    {"match": {"class_id": "0302"}},
    {"match": {"name": "a100*"}},
    {"match": {"address": "0000:5e:00.0", "vendor_id": "10de", "device_id": "20f1"}},
    {"match": {"vendor_id": "10de", "device_id": "1eb8", "address": "0000:3b:00.1"}},
]


@st.composite
def desired_vms(draw: st.DrawFn, vm: Vm) -> DesiredVm:
    state = draw(st.sampled_from(["present", "exactly", "absent"]))
    entries = draw(st.lists(st.sampled_from(ENTRIES), max_size=2, unique_by=str))
    if A100 in entries:
        entries = [entry for entry in entries if entry != {"match": A100, "count": 2}]
    if state == "absent":
        entries = [entry if isinstance(entry, str) else {**entry, "count": None} for entry in entries] or [A100]
    elif not entries and draw(st.booleans()):
        entries = [{"match": A100, "count": "all"}]
    by_place = any(isinstance(entry, dict) and ("5e" in str(entry) or "3b" in str(entry)) for entry in entries)
    by_place = by_place or any(isinstance(entry, dict) and entry.get("count") == "all" for entry in entries)
    return DesiredVm(
        target=vm.name,
        moid=vm.moid,
        devices=parse_desired_devices(entries),
        state=state,
        backing=draw(st.sampled_from(["auto", "fixed"] if by_place else ["auto", "fixed", "dynamic"])),
        power=draw(st.sampled_from(["keep", "off", "cycle", "cycle", "on"])),
        mmio=draw(st.sampled_from([None, None, DesiredMmio(per_device_gb={A100: 40, T4: 16})])),
        unlock_memory=draw(st.booleans()),
        disable_hot_add=draw(st.booleans()),
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[ObservedVms, tuple[DesiredVm, ...]]:
    hosts: list[Host] = []
    for name in HOSTS:
        slots = draw(st.lists(st.sampled_from(SLOTS), unique=True, min_size=4))
        hosts.append(esx(name, *(draw(cards(slot)) for slot in sorted(slots))))
    machines = [draw(vms(name, hosts)) for name in VMS]
    desired_state = [machine for machine in machines if draw(st.integers(0, 3))]
    others = tuple(machine for machine in machines if machine not in desired_state)
    made = observed(desired_state, hosts, others=others, offered={})
    offered = {host.moid: None for host in hosts}
    return replace(made, offered=offered), tuple(draw(desired_vms(machine)) for machine in desired_state)


every = search(suppress_health_check=[HealthCheck.too_slow])


def fixed_of(vm: Vm) -> list[tuple[str | None, str]]:
    return [
        (vm.host_moid, d.backing.address)
        for d in vm.devices
        if isinstance(d.backing, FixedBacking) and d.backing.address
    ]


@given(cases())
@every
def test_a_plan_carried_out_leaves_nothing_to_do(case: tuple[ObservedVms, tuple[DesiredVm, ...]]) -> None:
    before, desired_state = case
    plan = plan_vm_devices(before, desired_state)
    after = carry_out_all(before, plan)
    again = plan_vm_devices(after, desired_state)
    free_to_act = {target.moid for target in plan.targets if not target.blockers}
    for target in again.targets:
        if target.moid in free_to_act:
            assert (target.target, target.changes, target.blockers) == (target.target, (), ())


@pytest.mark.slow
@given(cases())
@every
def test_no_card_goes_to_two_vms_and_none_is_taken_from_another(
    case: tuple[ObservedVms, tuple[DesiredVm, ...]],
) -> None:
    before, desired_state = case
    plan = plan_vm_devices(before, desired_state)
    held = {}
    for vm in before.everyone():
        for place in fixed_of(vm):
            held.setdefault(place, set()).add(vm.moid)
    given_to: dict[tuple[str | None, str], str] = {}
    for target in plan.targets:
        vm = before.vm(target.moid)
        for change in target.effective:
            if isinstance(change.detail, FixedSpec):
                place = (vm.host_moid, change.detail.address)
                assert place not in given_to
                given_to[place] = vm.moid
                assert held.get(place, set()) <= {vm.moid}
                host = before.host_of(vm)
                hardware = host.device(change.detail.address) if host else None
                assert hardware is not None
                assert hardware.active
                assert hardware.kind == (change.detail.vendor_id, change.detail.device_id)
                assert change.detail.system_id == before.system_ids[vm.host_moid or ""]


@pytest.mark.slow
@given(cases())
@every
def test_a_vm_that_is_changed_has_all_memory_reserved_if_it_has_devices(
    case: tuple[ObservedVms, tuple[DesiredVm, ...]],
) -> None:
    before, desired_state = case
    plan = plan_vm_devices(before, desired_state)
    after = carry_out_all(before, plan)
    attaching = {target.moid for target in plan.targets if any(c.kind == "attach" for c in target.effective)}
    for target in plan.targets:
        vm = after.vm(target.moid)
        touched = any(change.kind in ("attach", "detach", "memory") for change in target.effective)
        if touched and vm.needs_full_reservation:
            assert is_reserved(vm.memory)
            assert vm.memory.limit_mb is None
        if target.moid in attaching:
            assert vm.memory.locked_to_max


@pytest.mark.slow
@given(cases(), st.randoms(use_true_random=False))
@every
def test_the_order_of_what_is_read_and_wished_does_not_matter(
    case: tuple[ObservedVms, tuple[DesiredVm, ...]], shuffle: Any
) -> None:
    before, desired_state = case

    def mixed(items: Any) -> tuple[Any, ...]:
        return tuple(shuffle.sample(list(items), len(items)))

    other = replace(
        before,
        vms=mixed([replace(vm, devices=mixed(vm.devices)) for vm in before.vms]),
        others=mixed([replace(vm, devices=mixed(vm.devices)) for vm in before.others]),
        hosts=mixed([replace(host, devices=mixed(host.devices)) for host in before.hosts]),
    )
    again = mixed([replace(desired, devices=mixed(desired.devices)) for desired in desired_state])
    assert outline(plan_vm_devices(before, desired_state)) == outline(plan_vm_devices(other, again))


def outline(plan: Plan) -> list[Any]:
    return [(t.target, t.changes, t.blockers, t.warnings, t.vm_facts) for t in plan.targets] + [plan.warnings]


@pytest.mark.slow
@given(cases())
@every
def test_wishes_are_granted_in_full_or_refused(case: tuple[ObservedVms, tuple[DesiredVm, ...]]) -> None:
    """Counted by model, apart from the planner: at least (present), none (absent), no stranger (exactly)."""
    before, desired_state = case
    plan = plan_vm_devices(before, desired_state)
    after = carry_out_all(before, plan)
    open_targets = {target.moid for target in plan.targets if not target.blockers}
    for desired in desired_state:
        if desired.moid not in open_targets:
            continue
        has = models_of(after.vm(desired.moid))
        named: Counter[tuple[str | None, str | None]] = Counter()
        for entry in desired.devices:
            if entry.selector.names_kind and isinstance(entry.count, int | None):
                named[(entry.selector.vendor_id, entry.selector.device_id)] += entry.count or 1
        for kind, count in named.items():
            if desired.state == "absent":
                plain = any(set(e.selector.given) == {"vendor_id", "device_id"} and not e.label for e in desired.devices
                            if (e.selector.vendor_id, e.selector.device_id) == kind)  # fmt: skip
                if plain and desired.backing == "auto":
                    assert has[kind] == 0
            else:
                assert has[kind] >= count


def models_of(vm: Vm) -> Counter[tuple[str | None, str | None]]:
    counts: Counter[tuple[str | None, str | None]] = Counter()
    for device in vm.devices:
        backing = device.backing
        if isinstance(backing, FixedBacking):
            counts[(backing.vendor_id, backing.device_id)] += 1
        elif isinstance(backing, DynamicBacking):
            counts[(backing.allowed[0].vendor_id, backing.allowed[0].device_id)] += 1
    return counts


@pytest.mark.slow
@given(cases())
@every
def test_power_is_touched_only_around_a_change_and_ends_as_asked(
    case: tuple[ObservedVms, tuple[DesiredVm, ...]],
) -> None:
    before, desired_state = case
    plan = plan_vm_devices(before, desired_state)
    after = carry_out_all(before, plan)
    powers = {desired.moid: desired.power for desired in desired_state}
    detaching = {desired.moid for desired in desired_state if desired.state == "absent"}
    for target in plan.targets:
        was, now, power = before.vm(target.moid), after.vm(target.moid), powers[target.moid]
        steps = [change.kind for change in target.effective]
        if "shutdown" in steps:
            assert steps[0] == "shutdown"
            assert set(steps) - {"shutdown", "power_on", "memory"}
            assert power in ("off", "cycle", "on")
        if set(steps) & {"attach", "detach", "extra_config", "hot_add"}:
            assert not was.is_powered_on or "shutdown" in steps
        if "power_on" in steps:
            assert steps[-1] == "power_on"
        if target.effective and (power in ("keep", "cycle") or (power == "on" and target.moid in detaching)):
            assert now.is_powered_on == was.is_powered_on
        elif power == "on" and not target.blockers and target.moid not in detaching:
            assert now.is_powered_on


@pytest.mark.slow
@given(cases())
@every
def test_the_window_suffices_and_is_never_lowered(case: tuple[ObservedVms, tuple[DesiredVm, ...]]) -> None:
    before, desired_state = case
    after = carry_out_all(before, plan_vm_devices(before, desired_state))
    for vm in after.vms:
        size = current_size_gb(vm)
        if size is not None:
            models = models_of(vm)
            assert is_power_of_two(size)
            assert size > 64 * models[("10de", "20f1")] + 16 * models[("10de", "1eb8")]


@pytest.mark.slow
@given(cases())
@every
def test_the_first_pass_asks_for_all_it_would_need(case: tuple[ObservedVms, tuple[DesiredVm, ...]]) -> None:
    """A provisional plan for which nothing is to be read is the plan."""
    before, desired_state = case
    provisional = plan_vm_devices(replace(before, limits={}, system_ids={}, offered={}), desired_state)
    asked = needs_details(provisional)
    full = plan_vm_devices(before, desired_state)
    off = {vm.moid for vm in before.vms if not vm.is_powered_on}
    if not asked:
        for first, second in zip(provisional.targets, full.targets, strict=True):
            if first.moid in off:
                assert (first.changes, first.blockers) == (second.changes, second.blockers)


@given(
    st.integers(0, 6).flatmap(
        lambda n: st.tuples(st.just(n), st.lists(st.lists(st.integers(0, 5), unique=True), min_size=n, max_size=n))
    )
)
def test_pairing_is_valid_and_greatest(case: tuple[int, list[list[int]]]) -> None:
    count, edges = case
    pairs = pair_up(range(count), range(6), dict(enumerate(edges)))
    assert len(set(pairs.values())) == len(pairs)
    assert all(right in edges[left] for left, right in pairs.items())
    # Hall/König by brute force: the greatest matching is n minus the worst deficiency over all subsets.
    worst = max(
        (
            bin(mask).count("1") - len({right for left in range(count) if mask >> left & 1 for right in edges[left]})
            for mask in range(1 << count)
        ),
        default=0,
    )
    assert len(pairs) == count - max(worst, 0)
