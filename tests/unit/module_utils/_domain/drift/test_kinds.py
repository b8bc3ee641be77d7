# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of difference has a case, with its cause, its cure and its command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.drift.commands import Commands
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.drift.compare import (
    NotFound,
    ObservedEndpoint,
    find_drift,
    make_plans,
    with_users,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.drift.fleet_report import unread_report
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.drift.kinds import KINDS, Difference
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.facts import Listing
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.graphics.desired import (
    DesiredGraphics,
    DesiredHostGraphics,
    parse_graphics,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.passthrough import DesiredPassthrough
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.selector import parse_desired_devices
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.graphics import (
    GpuEntry,
    GraphicsConfig,
    GraphicsDevice,
    HostGraphics,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import (
    Host,
    PhysicalNic,
    Sriov,
    Switch,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.vms import (
    DvxBacking,
    MemoryState,
    VgpuBacking,
    Vm,
    VmDevice,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.codec import encode
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import ENTRY, Entry
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.desired.mmio import DesiredMmio
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.placement import ClusterPlacement
from tests.unit.module_utils._domain.strategies import (
    A40,
    ACTIVE,
    EMPTY_FABRIC,
    NVME,
    OFF,
    PENDING_DISABLE,
    PENDING_ENABLE,
    STALE,
    UNAVAILABLE,
    X710,
    device,
    host,
)
from tests.unit.module_utils._domain.vm.builders import (
    A100,
    T4,
    card,
    desired,
    dynamic,
    esx,
    fixed,
    guest,
    locked,
    observed,
)

COMMANDS = Commands(vcenter="vc-01", arguments="-i inventory.yml")
WANTED = ({"match": "10de:20f1"},)


def of_host(target: Host, devices: Sequence[Any] = WANTED, **more: Any) -> tuple[Difference, ...]:
    desired_vms = DesiredPassthrough(devices={target.moid: parse_desired_devices(list(devices))}, **more)
    made = ObservedEndpoint(vms=observed([], [target]), hosts=desired_vms)
    return find_drift(made, make_plans(made), COMMANDS)


def of_vm(vm: Vm, *devices: Any, hosts: tuple[Host, ...] = (), read: Any = None, **more: Any) -> tuple[Difference, ...]:
    everything = hosts or (esx("esx-01", card("3b:00.0"), card("5e:00.0"), card("86:00.0", T4)),)
    made = ObservedEndpoint(
        vms=observed([vm], everything, **(read or {})),
        hosts=DesiredPassthrough(devices={}),
        desired_vms=(desired(vm, *devices, **more),),
    )
    return find_drift(made, make_plans(made), COMMANDS)


def unit(backing: Any) -> VmDevice:
    return VmDevice(key=13000, label="PCI device 0", backing=backing)


def of_entry(step: Any, **more: Any) -> str:
    noon = 1779278400.0
    return encode(Entry(run_id="1f3c9a2e", step=step, at=noon, started=noon - 60, **more))[ENTRY]


UPLINK = device("0000:1a:00.0", X710)
ON_UPLINK = replace(
    EMPTY_FABRIC,
    nics=Listing((PhysicalNic(device="vmnic0", address="0000:1a:00.0"),)),
    switches=Listing((Switch(name="vSwitch0", uplinks=("vmnic0",), services=frozenset({"vmotion"})),)),
)
GPU_ON, GPU_OFF = device("0000:3b:00.0", state=ACTIVE), device("0000:3b:00.0", state=OFF)
READY = guest("train-01", dynamic(), memory=locked())

HOST_CASES: dict[str, tuple[Host, dict[str, Any]]] = {
    "missing": (host(device("0000:3b:00.0", A40)), {}),
    "disabled": (host(GPU_OFF), {}),
    "label_differs": (host(GPU_ON), {"devices": [{"match": "10de:20f1", "label": "gold"}]}),
    "pending_reboot": (host(device("0000:3b:00.0", state=PENDING_ENABLE)), {}),
    "stale_address": (host(GPU_ON, device("0000:5e:00.0", A40, STALE)), {}),
    "identity_changed": (
        host(device("0000:3b:00.0", A40, OFF)),
        {"devices": [{"match": {"address": "3b:00.0", "vendor_id": "10de", "device_id": "20f1"}}]},
    ),
    "protected_conflict": (host(UPLINK, fabric=ON_UPLINK), {"devices": [{"match": "8086:1572"}]}),
    "not_capable": (host(device("0000:3b:00.0", state=UNAVAILABLE), device("0000:5e:00.0", A40, OFF)), {}),
    "iommu_off": (host(device("0000:3b:00.0", state=UNAVAILABLE)), {}),
    "ambiguous": (host(GPU_OFF, device("0000:5e:00.0", A40)), {"devices": [{"match": {"class_id": "0302"}}]}),
    "extra": (host(GPU_ON, device("0000:5e:00.0", A40, ACTIVE)), {}),
    "unreachable": (host(GPU_ON, connection_state="notResponding"), {}),
    "unreadable": (host(unreadable=("hardware.pciDevice",)), {}),
    "refused": (
        host(device("0000:00:01.0", {"vendor_id": "8086", "device_id": "2030", "class_id": "0604", "name": "Port"})),
        {"devices": [{"match": "0000:00:01.0"}]},
    ),
}

VM_CASES: dict[str, tuple[Difference, ...]] = {
    "device_missing": of_vm(guest(memory=locked()), A100),
    "wrong_backing": of_vm(READY, A100, backing="fixed"),
    "stale_address": of_vm(guest("train-01", fixed("af:00.0"), memory=locked()), A100, backing="fixed"),
    "extra": of_vm(guest("train-01", dynamic(), dynamic(T4, key=13001), memory=locked()), A100),
    "memory_not_reserved": of_vm(guest("train-01", dynamic()), A100),
    "memory_limited": of_vm(guest("train-01", dynamic(), memory=replace(locked(), limit_mb=4096)), A100),
    "memory_changed": of_vm(
        guest("train-01", dynamic(), memory=MemoryState(size_mb=8192, reservation_mb=4096, locked_to_max=True)), A100
    ),
    "parameters_differ": of_vm(
        guest("train-01", unit(DvxBacking(device_class="x", parameters=(("size", 1),))), memory=locked()),
        {"dvx": {"class": "x", "parameters": {"size": 2}}},
    ),
    "numa_node_differs": of_vm(READY, {"match": "10de:20f1", "numa_node": 1}),
    "setting_differs": of_vm(
        guest("train-01", unit(VgpuBacking(profile="p")), memory=locked()),
        {"vgpu": "p", "advanced": {"enable_uvm": "1"}},
    ),
    "mmio_differs": of_vm(READY, A100, mmio=DesiredMmio(size_gb=128)),
    "hot_add_on": of_vm(
        guest("train-01", dynamic(), memory=replace(locked(), hot_add=True)), A100, disable_hot_add=True
    ),
    "latency_differs": of_vm(replace(READY, latency_sensitivity="high"), A100, latency_sensitivity="normal"),
    "hardware_old": of_vm(READY, A100, minimum_hardware=20),
    "host_rule": of_vm(
        guest("train-01", fixed("3b:00.0"), memory=locked()),
        A100,
        backing="fixed",
        pin_to_host=True,
        read={"placements": {"domain-c1": ClusterPlacement(drs_enabled=True)}},
    ),
    "shared_device": of_vm(
        guest("train-01", fixed("3b:00.0"), memory=locked()),
        A100,
        backing="fixed",
        read={"others": (guest("train-02", fixed("3b:00.0"), memory=locked()),)},
    ),
    "powered_off": of_vm(READY, A100, power="on"),
    "limit_exceeded": of_vm(guest(memory=locked()), A100, read={"limits": {"vm-train-01": 0}}),
    "refused": of_vm(guest(has_snapshots=True, memory=locked()), {"match": T4, "count": 2}),
    "unreachable": of_vm(guest(connection_state="disconnected"), A100),
    "unreadable": of_vm(guest(connection_state="unknown", unreadable=("config.hardware.device",)), A100),
    "unchecked": of_vm(
        guest("train-01", fixed("3b:00.0"), memory=locked()), A100, backing="fixed", read={"system_ids": {}}
    ),
}


SHARED_GPU = replace(
    host(GPU_OFF),
    graphics=HostGraphics(
        config=GraphicsConfig(
            entries=(GpuEntry(device_id="0000:3b:00.0", address="0000:3b:00.0", type="shared_direct"),)
        ),
        gpus=(GraphicsDevice(address="0000:3b:00.0", type="shared"),),
    ),
)
GRAPHICS_CASES = {
    "graphics_differ": DesiredGraphics(default_type="shared_direct", assignment_policy="consolidation"),
    "graphics_pending": parse_graphics({"devices": [{"match": "10de:20f1", "type": "shared_direct"}]}),
}


@pytest.mark.parametrize("kind", GRAPHICS_CASES)
def test_kinds_of_graphics_settings(kind: str) -> None:
    made = ObservedEndpoint(
        vms=observed([], [SHARED_GPU]),
        hosts=DesiredPassthrough(devices={}),
        graphics=DesiredHostGraphics(hosts={SHARED_GPU.moid: GRAPHICS_CASES[kind]}),
    )
    found = find_drift(made, make_plans(made), COMMANDS)
    assert {difference.kind for difference in found} == {kind}
    assert all(difference.cause and difference.cure and difference.command for difference in found)


@pytest.mark.parametrize("kind", HOST_CASES)
def test_kinds_of_hosts(kind: str) -> None:
    target, given = HOST_CASES[kind]
    found = of_host(target, **given)
    assert kind in {difference.kind for difference in found}
    assert {difference.object for difference in found} == {"esx-01"}
    assert all(difference.cause and difference.cure and difference.command for difference in found)


@pytest.mark.parametrize("kind", VM_CASES)
def test_kinds_of_vms(kind: str) -> None:
    kinds = {difference.kind for difference in VM_CASES[kind]}
    if kind == "refused":
        assert kinds == {"device_missing"}, "a refusal stands in the way of the difference, and is told with it"
        assert any("snapshots" in text for difference in VM_CASES[kind] for text in difference.obstacles)
    else:
        assert kind in kinds
        assert kinds <= {kind, "device_missing"}


def test_every_kind_has_a_case() -> None:
    elsewhere = {"not_found", "invisible", "roll_unfinished", "stopped_for_host", "guest_failed", "guest_unknown"}
    elsewhere |= {"adapter_differs"}  # tests/unit/modules/vm_sriov_network/test_adapters.py
    elsewhere |= {"functions_differ", "mode_differs"}  # tests/unit/modules/drift_info/test_mixed_intent.py
    assert {*HOST_CASES, *VM_CASES, *GRAPHICS_CASES, *elsewhere} == set(KINDS)


@pytest.mark.parametrize("whole_fleet", [True, False])
@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize(
    ("text", "found"),
    [
        (of_entry("draining"), "draining"),
        (of_entry("restoring"), "restoring"),
        (of_entry("failed", text="it came back without its cards"), "failed"),
        ("dp1 cut off", "unreadable"),
        (of_entry("done"), None),
        (of_entry("withdrawn"), None),
        (of_entry("blocked"), None),
        ("", None),
    ],
)
def test_a_host_in_the_hands_of_a_rolling_reboot(text: str, found: str | None, wanted: bool, whole_fleet: bool) -> None:
    target = host(GPU_ON)
    made = ObservedEndpoint(
        vms=observed([], [target]),
        hosts=DesiredPassthrough(devices={target.moid: parse_desired_devices(list(WANTED))} if wanted else {}),
        journals={target.moid: {ENTRY: text}},
        whole_fleet=whole_fleet,
    )
    differences = [d for d in find_drift(made, make_plans(made), COMMANDS) if d.kind == "roll_unfinished"]
    if found is None or not (wanted or whole_fleet):
        assert differences == []
        return
    (difference,) = differences
    assert (difference.found, difference.planned, difference.certainty) == (found, True, "drift")
    assert difference.command.startswith("ansible-playbook directpath.vsphere.reboot -i inventory.yml")
    told = {"failed": "came back without its cards", "unreadable": "dp1 cut off"}
    assert told.get(found, f"{found} since 2026-05-20 12:00 UTC") in difference.cause


@pytest.mark.parametrize("sees_all", [True, False])
def test_a_name_that_means_nothing(sees_all: bool) -> None:
    made = ObservedEndpoint(
        vms=observed([], []),
        hosts=DesiredPassthrough(devices={}),
        not_found=(NotFound(type="vm", name="gone-01", cause="There is no VM 'gone-01' here"),),
        sees_all=sees_all,
    )
    (found,) = find_drift(made, make_plans(made), COMMANDS)
    assert (found.kind, found.certainty) == (("not_found", "drift") if sees_all else ("invisible", "unknown"))


def test_a_vm_that_is_as_wanted_has_no_difference() -> None:
    assert of_vm(READY, A100) == ()


def test_a_host_that_is_as_wanted_has_no_difference() -> None:
    assert of_host(host(GPU_ON)) == ()


def test_functions_that_go_together_are_not_extra() -> None:
    functions = [
        device(f"0000:3b:00.{n}", A40 if n else {**GPU_KIND}, ACTIVE, dependent_device="0000:3b:00.0") for n in (0, 1)
    ]
    assert of_host(host(*functions)) == ()


GPU_KIND = {"vendor_id": "10de", "device_id": "20f1", "class_id": "0302", "name": "A100"}


def test_virtual_functions_of_a_card_in_sriov_mode_are_not_extra() -> None:
    card_ = device(
        "0000:1a:00.0", X710, UNAVAILABLE, sriov=Sriov(capable=True, enabled=True, active=True, requested=2, current=2)
    )
    functions = [device(f"0000:1a:02.{n}", {**X710, "device_id": "154c"}, ACTIVE) for n in (0, 1)]
    assert of_host(host(GPU_ON, card_, *functions)) == ()
    other = device("0000:5e:00.0", NVME, ACTIVE)
    assert [found.subject for found in of_host(host(GPU_ON, card_, *functions, other))] == ["0000:5e:00.0"]


@pytest.mark.parametrize("wish_", [(), WANTED], ids=["nothing is desired", "another card is"])
@pytest.mark.parametrize(
    ("before", "behind"),
    [
        # As reported: it asks for virtual functions, has room for none, and there are none.
        ((GPU_KIND, Sriov(capable=True, enabled=True, requested=8)), A40),
        ((GPU_KIND, Sriov(capable=True, enabled=True, requested=8, maximum=16)), A40),
        ((X710, Sriov(capable=True, enabled=True, active=True, requested=2, current=2, maximum=64)), NVME),
        (
            (X710, Sriov(capable=True, enabled=True, active=True, requested=2, current=2, maximum=64)),
            {**X710, "device_id": "1563"},
        ),
    ],
)
def test_a_device_that_waits_behind_a_card_in_sriov_mode_is_not_hidden(
    before: tuple[Any, Sriov], behind: dict[str, str], wish_: tuple[Any, ...]
) -> None:
    kind, mode = before
    waiting = device("0000:af:00.0", behind, PENDING_ENABLE)
    lone = replace(host(GPU_ON, device("0000:5e:00.0", kind, UNAVAILABLE, sriov=mode), waiting), cluster=None)
    (found,) = (one for one in of_host(lone, wish_) if one.subject == "0000:af:00.0")
    assert (found.kind, found.wanted, found.found, found.planned) == ("extra", "off", "pending_enable", True)


def test_a_card_meant_by_a_wish_that_is_refused_is_not_extra() -> None:
    """Which of several models is meant is not clear: that is the one difference, not also that they are enabled."""
    both = host(GPU_ON, device("0000:5e:00.0", A40, ACTIVE))
    assert [found.kind for found in of_host(both, [{"match": {"class_id": "0302"}}])] == ["ambiguous"]


def test_what_the_next_boot_gives_back_is_owed_too() -> None:
    (found,) = of_host(host(GPU_ON, device("0000:5e:00.0", A40, PENDING_DISABLE)))
    assert (found.kind, found.subject, found.wanted) == ("pending_reboot", "0000:5e:00.0", "off")


def test_a_refused_host_tells_what_keeps_its_other_devices_back() -> None:
    target = host(GPU_OFF)
    found = of_host(target, [*WANTED, {"match": "1234:5678"}])
    assert {difference.kind: difference.obstacles for difference in found if difference.kind == "disabled"} == {
        "disabled": ("Nothing on esx-01 is changed until this is fixed: No device of esx-01 matches 1234:5678",)
    }


def test_users_of_a_device_are_told_once() -> None:
    machine = guest("train-01", fixed("3b:00.0"))
    target = esx("esx-01", card("3b:00.0"), card("5e:00.0"))
    (filled,) = with_users(with_users([target], [machine]), [machine])
    assert [user.vm for user in filled.users["0000:3b:00.0"]] == ["train-01"]
    assert "0000:5e:00.0" not in filled.users


@pytest.mark.parametrize(
    ("place", "options"), [("vc-01", '{"hostname": "vc-01"}'), ("vc-01:8443", '{"hostname": "vc-01", "port": 8443}')]
)
def test_a_vcenter_that_did_not_answer(place: str, options: str) -> None:
    report = unread_report(place, "Cannot log in", "refused")
    (record,) = report["differences"]
    assert (report["status"], record["kind"], record["object"]) == ("unknown", "unreachable", place)
    assert record["command"].endswith(f"-a '{options}'")
    assert unread_report(place, "No privilege", "no_permission")["differences"][0]["kind"] == "unreadable"
