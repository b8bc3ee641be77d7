# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host must not lose, each rule with its sentence, and how a protection is overridden."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.facts import Gap, Listing, Unknown
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.overrides import (
    Applied,
    Override,
    apply_overrides,
    check_override,
    full_form,
    parse_overrides,
    protection_blockers,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.protection import (
    GUARDED,
    Protection,
    cautions,
    management_addresses,
    protections,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import (
    Disk,
    Host,
    HostFabric,
    PhysicalNic,
    SharedGpu,
    Sriov,
    StorageAdapter,
    Switch,
    dependency_group,
)
from tests.unit.module_utils._domain.strategies import (
    A100,
    ACTIVE,
    ASPEED,
    AUDIO,
    BRIDGE,
    EMPTY_FABRIC,
    FPGA,
    NVME,
    OFF,
    PENDING_ENABLE,
    USB,
    X710,
    device,
    host,
    hosts,
)
from tests.unit.searching import search

P, Q, R = "0000:3b:00.0", "0000:3b:00.1", "0000:5e:00.0"
BOTH = (PhysicalNic(device="vmnic0", address=P), PhysicalNic(device="vmnic1", address=Q))


def codes(esx: Host) -> dict[str, list[str]]:
    return {address: [reason.code for reason in reasons] for address, reasons in protections(esx).items()}


def reasons(esx: Host, address: str = P) -> list[str]:
    return [reason.reason for reason in protections(esx).get(address, ())]


def nic_host(*switches: Switch, **more: Any) -> Host:
    fabric = replace(EMPTY_FABRIC, nics=Listing(BOTH), switches=Listing(switches))
    return host(device(P, X710, **more), device(Q, X710, **more), fabric=fabric)


def switch(*uplinks: str, name: str = "vSwitch0", in_service: tuple[str, ...] = (), **more: Any) -> Switch:
    return Switch(name=name, uplinks=uplinks, services=frozenset(in_service), **more)


def disk_host(disk: Disk | None, adapter: str = "vmhba2", driver: str = "nvme_pcie", **more: Any) -> Host:
    """A host with one NVMe adapter at P that leads to ``disk`` (of which nothing is known when None)."""
    adapters = (StorageAdapter(device=adapter, address=P, driver=driver, disks=(disk.name if disk else "naa.1",)),)
    fabric = replace(EMPTY_FABRIC, adapters=Listing(adapters), disks=Listing((disk,) if disk else ()), **more)
    return host(device(P, NVME), fabric=fabric)


FREE = Disk(name="naa.1", local=True, partitioned=False)


def test_a_host_that_was_not_read_deeply_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="protections of esx-01 requested, but it was read without its fabric"):
        protections(host(device(P), fabric=None))


def test_a_card_of_no_use_to_the_host_is_free() -> None:
    assert protections(host(device(P), device(Q, X710), device(R, NVME))) == {}


@pytest.mark.parametrize(
    ("made", "code", "reason"),
    [
        (host(device(P, BRIDGE)), "bridge", "it is a PCI bridge"),
        (host(device(P, FPGA)), "memory_controller", "it is a memory controller"),
        (
            host(device(P, X710, sriov=Sriov(capable=True, enabled=True, requested=8))),
            "sriov_in_use",
            "it provides SR-IOV virtual functions (8), which disappear when it is passed through",
        ),
        (
            host(device(P, X710, sriov=Sriov(capable=True, active=True, current=4))),
            "sriov_in_use",
            "it provides SR-IOV virtual functions (4), which disappear when it is passed through",
        ),
        (
            nic_host(switch("vmnic0", name="lan"), switch("vmnic1", name="vSwitch1", in_service=("management",))),
            "uplink",
            "vmnic0 is the only uplink of lan",
        ),
        (
            nic_host(switch("vmnic0", "vmnic1", in_service=("management", "vmotion"))),
            "uplink_in_service",
            "vmnic0 is an uplink of vSwitch0, which carries management, vmotion",
        ),
        (
            nic_host(switch("vmnic0", name="dvs-a", kind="distributed", in_service=("vsan",)), switch("vmnic1")),
            "uplink_in_service",
            "vmnic0 is the only uplink of distributed switch dvs-a, which carries vsan",
        ),
        (
            disk_host(replace(FREE, is_boot=True, uses=("is the disk ESXi boots from", "holds datastore a"))),
            "boot_disk",
            "vmhba2 leads to naa.1, which is the disk ESXi boots from and holds datastore a",
        ),
        (
            disk_host(replace(FREE, is_boot=True)),
            "boot_disk",
            "vmhba2 leads to naa.1, which is the disk ESXi boots from",
        ),
        (
            disk_host(Disk(name="naa.1", local=False, uses=("holds datastore fast01",))),
            "disk_in_use",
            "vmhba2 leads to naa.1, which holds datastore fast01",
        ),
        (
            disk_host(Disk(name="naa.1", local=False), boot_disk_known=False),
            "boot_disk_unknown",
            "vmhba2 leads to naa.1, a network disk that the host may boot from, and the boot disk of this host is unknown",
        ),
        (
            disk_host(replace(FREE, partitioned=True)),
            "disk_partitioned",
            "vmhba2 leads to naa.1, which has partitions: they may hold ESXi or data",
        ),
        (
            disk_host(replace(FREE, partitioned=None)),
            "disk_partitioned",
            "vmhba2 leads to naa.1, whose partitions are unknown: they may hold ESXi or data",
        ),
        (
            disk_host(Disk(name="naa.1", local=None, partitioned=None)),
            "disk_partitioned",
            "vmhba2 leads to naa.1, whose partitions are unknown: they may hold ESXi or data",
        ),
        (
            host(
                device(P, NVME),
                fabric=replace(EMPTY_FABRIC, disks=Listing((replace(FREE, uses=("belongs to vSAN",)),))),
            ),
            "disk_unreached",
            "the host does not report which controller leads to naa.1, which belongs to vSAN",
        ),
        (
            host(device(P, NVME), fabric=replace(EMPTY_FABRIC, disks=Listing((replace(FREE, partitioned=None),)))),
            "disk_unreached",
            "the host does not report which controller leads to naa.1, whose partitions are unknown",
        ),
        (disk_host(None), "disk_unknown", "vmhba2 leads to naa.1, which could not be read"),
        (
            disk_host(FREE, boot_disk_known=False),
            "boot_disk_unknown",
            "vmhba2 leads to naa.1, a local disk, and the boot disk of this host is unknown",
        ),
        (
            host(device(P, NVME), fabric=replace(EMPTY_FABRIC, vsan_esa=True)),
            "vsan_esa",
            "the host runs vSAN ESA, which may use any of its NVMe devices",
        ),
        (
            host(device(P, USB), fabric=replace(EMPTY_FABRIC, boots_from_usb=True)),
            "usb_boot",
            "the host boots from a USB device or an SD card, which may be on any USB controller",
        ),
        (
            host(device(P, USB), fabric=replace(EMPTY_FABRIC, boots_from_usb=None, boot_disk_known=False)),
            "usb_boot",
            "the boot disk of this host is unknown, so it may be on USB",
        ),
        (
            host(
                device(P),
                fabric=replace(EMPTY_FABRIC, graphics=Listing((SharedGpu(address=P, vms=("vdi-2", "vdi-1")),))),
            ),
            "vgpu_in_use",
            "it is shared as vGPU by vdi-1, vdi-2",
        ),
    ],
)
def test_each_rule(made: Host, code: str, reason: str) -> None:
    assert codes(made)[P] == [code]
    assert reasons(made) == [reason]


@pytest.mark.parametrize(
    "made",
    [
        disk_host(FREE),
        disk_host(Disk(name="naa.1", local=False)),
        disk_host(Disk(name="naa.1", local=False, partitioned=True)),
        disk_host(FREE, boot_disk_known=False, boots_from_usb=True),
        nic_host(switch()),
        nic_host(),
        host(device(P, USB)),
        host(device(P, USB), fabric=replace(EMPTY_FABRIC, boots_from_usb=None)),
        host(device(P, NVME), fabric=replace(EMPTY_FABRIC, vsan_esa=False)),
        host(device(P), fabric=replace(EMPTY_FABRIC, graphics=Listing((SharedGpu(address=P),)))),
        host(device(P, X710, sriov=Sriov(capable=True, maximum=64))),
    ],
)
def test_what_no_rule_forbids(made: Host) -> None:
    assert protections(made) == {}


def test_a_used_disk_on_usb_protects_every_usb_controller() -> None:
    """Which controller it hangs on is not said (KB 1021345)."""
    disk = Disk(name="mpx.vmhba32:C0:T0:L0", local=True, uses=("holds the core dump partition",))
    adapter = StorageAdapter(device="vmhba32", address=P, driver="vmkusb", disks=(disk.name,))
    fabric = replace(EMPTY_FABRIC, adapters=Listing((adapter,)), disks=Listing((disk,)))
    esx = host(device(P, USB), device(R, USB), device(Q), fabric=fabric)
    assert codes(esx) == {P: ["disk_in_use", "usb_boot"], R: ["usb_boot"]}
    assert "the USB disk mpx.vmhba32:C0:T0:L0 is in use" in reasons(esx, R)[0]


def test_every_way_to_a_disk_is_protected() -> None:
    disk = Disk(name="naa.1", local=False, uses=("holds datastore san01",))
    adapters = tuple(StorageAdapter(device=f"vmhba{n}", address=a, disks=("naa.1",)) for n, a in enumerate((P, R)))
    esx = host(
        device(P, NVME),
        device(R, NVME),
        fabric=replace(EMPTY_FABRIC, adapters=Listing(adapters), disks=Listing((disk,))),
    )
    assert codes(esx) == {P: ["disk_in_use"], R: ["disk_in_use"]}


def test_reasons_add_up() -> None:
    esx = nic_host(
        switch("vmnic0", name="a"), switch("vmnic0", "vmnic1", name="b", in_service=("vmotion", "management"))
    )
    assert reasons(esx) == [
        "vmnic0 is the only uplink of a",
        "vmnic0 is an uplink of b, which carries management, vmotion",
    ]


# --- the way to manage the host ---------------------------------------------------------------------------------------


def last(esx: Host) -> set[str]:
    """Addresses that are hard to take for the sake of management."""
    return {a for a, found in protections(esx).items() for reason in found if reason.code == "last_management_uplink"}


MANAGEMENT = ("management",)


@pytest.mark.parametrize(
    ("made", "hard"),
    [
        (nic_host(switch("vmnic0", in_service=MANAGEMENT)), {P}),
        (nic_host(switch("vmnic0", "vmnic1", in_service=MANAGEMENT)), set()),
        (nic_host(switch("vmnic0", in_service=MANAGEMENT), switch("vmnic1", name="lan")), {P}),
        (nic_host(switch("vmnic0", in_service=MANAGEMENT), switch("vmnic1", name="b", in_service=MANAGEMENT)), set()),
        (nic_host(switch("vmnic0", "vmnic1", in_service=MANAGEMENT), dependent_device="0000:3b:00.0"), {P, Q}),
        (nic_host(switch("vmnic0")), {P}),
        (nic_host(switch("vmnic0"), switch("vmnic1", name="lan")), set()),
        (nic_host(), set()),
    ],
)
def test_the_last_way_to_reach_the_host_has_no_override(made: Host, hard: set[str]) -> None:
    assert last(made) == hard
    for address in hard:
        first = protections(made)[address][0]
        assert first.hard
        assert first.reason.endswith("is the last management uplink of the host")


def test_an_uplink_that_leaves_at_the_next_boot_does_not_count() -> None:
    fabric = replace(
        EMPTY_FABRIC, nics=Listing(BOTH), switches=Listing((switch("vmnic0", "vmnic1", in_service=MANAGEMENT),))
    )
    esx = host(device(P, X710, PENDING_ENABLE), device(Q, X710), fabric=fabric)
    assert management_addresses(esx) == {Q}
    assert last(esx) == {Q}


def test_two_ports_on_one_function_are_lost_together() -> None:
    nics = (PhysicalNic(device="vmnic0", address=P), PhysicalNic(device="vmnic1", address=P))
    fabric = replace(
        EMPTY_FABRIC, nics=Listing(nics), switches=Listing((switch("vmnic0", "vmnic1", in_service=MANAGEMENT),))
    )
    esx = host(device(P, X710), fabric=fabric)
    assert last(esx) == {P}
    assert reasons(esx)[0].startswith("vmnic0, vmnic1 is the last management uplink")


# --- what goes along --------------------------------------------------------------------------------------------------


def test_a_protected_sibling_protects_the_whole_group() -> None:
    fabric = replace(EMPTY_FABRIC, graphics=Listing((SharedGpu(address=P, vms=("vdi-1",)),)))
    esx = host(device(P, dependent_device=P), device(Q, AUDIO, dependent_device=P), device(R), fabric=fabric)
    assert codes(esx) == {P: ["vgpu_in_use"], Q: ["vgpu_in_use"]}
    assert reasons(esx, Q) == [f"it shares a reset with {P}: it is shared as vGPU by vdi-1"]


def test_a_reset_of_the_shared_bridge_hits_all_behind_it() -> None:
    """The GPU names the bridge; the NIC behind the same bridge has a reset of its own, but is hit by the bridge's."""
    outer, inner = "0000:00:01.0", "0000:3a:00.0"
    fabric = replace(
        EMPTY_FABRIC, nics=Listing(BOTH), switches=Listing((switch("vmnic1", "vmnic9", in_service=("vsan",)),))
    )
    esx = host(
        device(outer, BRIDGE),
        device(inner, BRIDGE, parent_bridge=outer),
        device(P, dependent_device=outer, parent_bridge=inner),
        device(Q, X710, dependent_device=Q, parent_bridge=inner),
        device(R, dependent_device=R, parent_bridge=inner),
        fabric=fabric,
    )
    found = codes(esx)
    assert found[P] == found[Q] == ["last_management_uplink", "uplink_in_service"]
    assert R not in found


@search()
@given(hosts())
def test_a_group_is_protected_as_a_whole(esx: Host) -> None:
    if esx.fabric is None:
        return
    found = protections(esx)
    for each in esx.candidates():
        group = dependency_group(esx.devices, each.address)
        assert len({member.address in found for member in group}) == 1
        assert len({any(r.hard for r in found.get(member.address, ())) for member in group}) == 1


# --- what could not be read -------------------------------------------------------------------------------------------

EVERYTHING = {"nic": X710, "disk": NVME, "usb": USB, "gpu": A100}
GAP = Gap(path="config.some.path")


@pytest.mark.parametrize(
    ("gaps", "kept"),
    [
        ({"nics": Listing(gaps=(GAP,))}, {"nic"}),
        ({"switches": Listing(gaps=(GAP,))}, {"nic"}),
        ({"adapters": Listing(gaps=(GAP,))}, {"disk", "usb"}),
        ({"disks": Listing(gaps=(GAP,))}, {"disk", "usb"}),
        ({"vsan_esa": Unknown(gap=GAP)}, {"disk"}),
        ({"graphics": Listing(gaps=(GAP,))}, {"gpu"}),
        ({"switches": Listing(gaps=(GAP,)), "graphics": Listing(gaps=(GAP,))}, {"nic", "gpu"}),
    ],
)
def test_what_was_not_read_counts_as_in_use(gaps: dict[str, Any], kept: set[str]) -> None:
    places = {kind: f"0000:0{number}:00.0" for number, kind in enumerate(EVERYTHING)}
    devices = [device(places[kind], model) for kind, model in EVERYTHING.items()]
    esx = host(*devices, fabric=replace(EMPTY_FABRIC, **gaps))
    assert codes(esx) == {places[kind]: ["fabric_unread"] for kind in EVERYTHING if kind in kept}
    for kind in kept:
        assert reasons(esx, places[kind]) == ["config.some.path could not be read, so it may be in use"]


def test_every_fact_of_the_fabric_that_may_be_unknown_guards_devices() -> None:
    unknowable = {f.name for f in fields(HostFabric) if "Listing" in str(f.type) or "Fact[" in str(f.type)}
    assert set(GUARDED) == unknowable


def test_an_unknown_fact_cannot_be_mistaken_for_none() -> None:
    with pytest.raises(TypeError, match="unknown is neither true nor false"):
        bool(Unknown(gap=GAP))
    for use in (bool, list):
        with pytest.raises(TypeError, match="handle"):
            use(Listing())  # type: ignore[operator]


class TestDisksThatNoAdapterLeadsTo:
    def test_an_extent_of_a_volume(self) -> None:
        esx = host(device(P, NVME), device(Q, X710), fabric=replace(EMPTY_FABRIC, hidden_disks=("naa.9",)))
        assert codes(esx) == {P: ["disk_unreached"]}
        assert reasons(esx) == ["the host does not report which controller leads to naa.9, which is in use"]

    def test_not_one_that_is_reached(self) -> None:
        disk = Disk(name="naa.9", local=True, partitioned=False)
        assert protections(disk_host(disk, hidden_disks=("naa.9",))) == {}


class TestAControllerWithoutKnownDisks:
    def made(self, *, remote: bool = False, **more: Any) -> Host:
        adapter = StorageAdapter(device="vmhba2", address=P, remote=remote)
        return host(device(P, NVME), fabric=replace(EMPTY_FABRIC, adapters=Listing((adapter,)), **more))

    def test_is_free_where_the_boot_disk_is_known(self) -> None:
        assert protections(self.made()) == {}
        assert protections(self.made(boot_disk_known=False, boots_from_usb=True)) == {}

    def test_may_be_the_one_of_a_boot_disk_that_is_not_known(self) -> None:
        esx = self.made(boot_disk_known=False)
        assert codes(esx) == {P: ["boot_disk_unknown"]}
        assert reasons(esx) == [
            "no disk of vmhba2 is known, and the boot disk of this host is unknown",
        ]

    def test_has_nothing_inside_the_host_where_it_leads_elsewhere(self) -> None:
        assert protections(self.made(remote=True, boot_disk_known=False)) == {}


class TestLinks:
    def made(self, first: bool, second: bool) -> Host:
        nics = (replace(BOTH[0], link=first), replace(BOTH[1], link=second))
        switches = (switch("vmnic0", "vmnic1", in_service=MANAGEMENT),)
        fabric = replace(EMPTY_FABRIC, nics=Listing(nics), switches=Listing(switches))
        return host(device(P, X710), device(Q, X710), fabric=fabric)

    def test_an_uplink_without_link_is_no_way_to_manage_a_host(self) -> None:
        assert last(self.made(True, False)) == {P}
        assert last(self.made(False, True)) == {Q}
        assert last(self.made(True, True)) == set()

    def test_where_none_has_one_any_may_be_the_way(self) -> None:
        esx = self.made(False, False)
        assert last(esx) == {P, Q}
        assert (
            reasons(esx)[0]
            == "one of vmnic0, vmnic1 is the last management uplink of the host; none of them reports a link"
        )


# --- cautions ---------------------------------------------------------------------------------------------------------


def test_the_console_is_worth_a_word() -> None:
    vga = {**A100, "class_id": "0300"}
    assert list(cautions(host(device(P, ASPEED), device(Q, vga), device(R, vga)))) == [P]
    assert cautions(host(device(P, ASPEED)))[P] == (
        "it is an ASPEED management display and probably shows the console, which then seems to hang while ESXi starts",
    )
    assert "the only VGA device of the host" in cautions(host(device(P, vga), device(R)))[P][0]
    assert cautions(host(device(P, vga), device(Q, vga))) == {}
    assert cautions(host(device(P), fabric=None)) == {}


def test_a_card_set_up_for_sharing_is_worth_a_word() -> None:
    fabric = replace(EMPTY_FABRIC, graphics=Listing((SharedGpu(address=P), SharedGpu(address=Q, vms=("vdi-1",)))))
    assert cautions(host(device(P), device(Q), fabric=fabric)) == {
        P: ("it is configured for sharing (vGPU), which ends when it is passed through",)
    }


# --- overrides --------------------------------------------------------------------------------------------------------

ONE, TWO = host(device(P), name="esx-01", moid="host-1"), host(device(P), name="esx-02.lab.example", moid="host-2")


@pytest.mark.parametrize(
    ("entries", "targets", "expected"),
    [
        ([], [ONE, TWO], {"host-1": set(), "host-2": set()}),
        (["3B:00.0"], [ONE], {"host-1": {P}}),
        (["esx-01/3b:00.0"], [ONE, TWO], {"host-1": {P}, "host-2": set()}),
        (["ESX-02.lab.example/0000:3b:00.0", "esx-01/5e:00.0"], [ONE, TWO], {"host-1": {R}, "host-2": {P}}),
        (["host-2/3b:00.0"], [ONE, TWO], {"host-1": set(), "host-2": {P}}),
        (["esx-99/3b:00.0"], [ONE], {"host-1": set()}),
    ],
)
def test_overrides(entries: list[str], targets: list[Host], expected: dict[str, set[str]]) -> None:
    found = parse_overrides(entries, targets)
    assert {moid: {entry.address for entry in given} for moid, given in found.items()} == expected


def test_an_override_without_a_host_for_several_hosts() -> None:
    with pytest.raises(InputError) as caught:
        parse_overrides(["3b:00.0"], [TWO, ONE])
    assert caught.value.code == "override_needs_host"
    assert caught.value.parameter == "allow_protected"
    assert caught.value.candidates == (f"esx-01/{P}", f"esx-02.lab.example/{P}")


@pytest.mark.parametrize("entry", ["all", "esx-01", "esx-01/", "esx-01/*", "esx-01/3b:00"])
def test_an_override_names_an_address(entry: str) -> None:
    with pytest.raises(InputError, match="is not a PCI address"):
        parse_overrides([entry], [ONE])


def under(esx: Host, *entries: str) -> Applied:
    """What these overrides come to."""
    return apply_overrides(esx, parse_overrides(entries, [esx])[esx.moid], protections(esx))


DISKS = replace(
    EMPTY_FABRIC,
    nics=Listing(
        (
            PhysicalNic(device="vmnic0", address=R, mac="00:50:56:aa:bb:cc"),
            PhysicalNic(device="vmnic9", address="0000:af:00.0"),
        )
    ),
    switches=Listing(
        (
            Switch(name="vSwitch0", uplinks=("vmnic9",), services=frozenset(MANAGEMENT)),
            Switch(name="vSwitch1", uplinks=("vmnic0",)),
        )
    ),
    adapters=Listing(
        (
            StorageAdapter(device="vmhba1", address=P, disks=("eui.1",)),
            StorageAdapter(device="vmhba2", address=Q, disks=("naa.b", "naa.a")),
        )
    ),
    disks=Listing(
        (
            Disk(name="eui.1", local=True, is_boot=True),
            Disk(name="naa.a", local=True, uses=("holds datastore a",)),
            Disk(name="naa.b", local=True, partitioned=False),
        )
    ),
    boot_disk_known=True,
)


def equipped() -> Host:
    """A boot disk at P, a controller with two disks at Q, an uplink at R."""
    return host(device(P, NVME), device(Q, NVME), device(R, X710), name="esx-01", fabric=DISKS)


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        (f"esx-01/{P}=eui.1", P),
        (f"ESX-01/{P.removeprefix('0000:').upper()}=EUI.1", P),
        (f"{P} = eui.1".replace(" ", ""), P),
        (f"esx-01/{Q}=naa.a+naa.b", Q),
        (f"esx-01/{R}=00:50:56:AA:BB:CC", R),
        (f"esx-01/{R}=00-50-56-aa-bb-cc", R),
    ],
)
def test_an_override_names_what_is_there(entry: str, address: str) -> None:
    applied = under(equipped(), entry)
    assert set(applied.named) == {address}
    assert (applied.refused, applied.warnings) == ({}, ())
    assert full_form(equipped(), address) == f"esx-01/{address}={applied.named[address]}"


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        (f"esx-01/{P}=eui.2", P),
        (f"esx-01/{P}=144d:a808", P),
        (f"esx-01/{P}=", P),
        (f"esx-01/{P}", P),
        (f"esx-01/{Q}=naa.a", Q),
        (f"esx-01/{Q}=144d:a808", Q),
        (f"esx-01/{R}=8086:1572", R),
        (f"esx-01/{R}=00:50:56:aa:bb:cd", R),
    ],
)
def test_an_override_of_something_else_does_not_apply_and_the_refusal_says_so(entry: str, address: str) -> None:
    esx = equipped()
    applied = under(esx, entry)
    assert applied.named == {}
    (blocker,) = protection_blockers(esx, [address], protections(esx), applied)
    assert re.search("the override (names|expects|gives)", blocker.message)
    assert full_form(esx, address) in blocker.cure


@pytest.mark.parametrize("address", [Q, R])
def test_the_address_alone_is_accepted_with_a_warning_that_quotes_the_full_form(address: str) -> None:
    applied = under(equipped(), f"esx-01/{address}")
    assert set(applied.named) == {address}
    (warning,) = applied.warnings
    assert f'write "{full_form(equipped(), address)}"' in warning
    assert "1.0.0" in warning


@pytest.mark.parametrize("entries", [(f"esx-01/{Q}", f"esx-01/{Q}=naa.x"), (f"esx-01/{Q}=naa.x", f"esx-01/{Q}")])
def test_of_two_overrides_for_one_address_the_one_that_says_more_counts(entries: tuple[str, ...]) -> None:
    applied = under(equipped(), *entries)
    assert (applied.named, applied.warnings) == ({}, ())


@pytest.mark.parametrize("code", ["boot_disk", "boot_disk_unknown", "usb_boot"])
def test_no_address_alone_overrides_what_may_be_booted_from(code: str) -> None:
    why = {Q: (Protection(code=code, reason="it may boot from"),)}
    assert apply_overrides(equipped(), (Override(address=Q),), why).named == {}
    assert apply_overrides(equipped(), (Override(address=Q, what="naa.a+naa.b"),), why).named == {Q: "naa.a+naa.b"}


@pytest.mark.parametrize("what", ["", "00:50:56:aa:bb:cc", "8086:1572"])
def test_nothing_overrides_what_is_hard(what: str) -> None:
    hard = {R: (Protection(code="last_management_uplink", reason="it is the last management uplink", hard=True),)}
    assert apply_overrides(equipped(), (Override(address=R, what=what),), hard).named == {}


def test_right_before_a_write_it_is_asked_again() -> None:
    esx = equipped()
    assert check_override("eui.1", P, esx) is None
    other = replace(DISKS, adapters=Listing((StorageAdapter(device="vmhba1", address=P, disks=("eui.2",)),)))
    assert (
        check_override("eui.1", P, replace(esx, fabric=other))
        == f"the override expects eui.1 at {P}, but the device there is eui.2"
    )
    assert check_override("eui.1", P, replace(esx, devices=())) == f"there is no device at {P}"
    assert check_override("eui.1", P, replace(esx, fabric=None)) is not None, "not read is not the same"
    assert check_override("", P, esx) is not None


def test_a_refusal_says_how_to_override_it() -> None:
    esx = host(device(P, FPGA), name="esx-01")
    (blocker,) = protection_blockers(esx, [P], protections(esx), under(esx))
    assert blocker.sentence() == (
        "0000:3b:00.0 10ee:903f Alveo U250 on esx-01 is protected: it is a memory controller. Select another device, or "
        "end the use of this one first. If you are sure that the host does not need it, set "
        'allow_protected: ["esx-01/0000:3b:00.0=10ee:903f"].'
    )
    assert protection_blockers(esx, [P], protections(esx), under(esx, blocker.cure.split('"')[1])) == ()


def test_refusals_come_sorted() -> None:
    esx = host(device(R, FPGA), device(P, FPGA))
    found = protection_blockers(esx, [R, P], protections(esx), under(esx))
    assert [blocker.message.split()[0] for blocker in found] == [P, R]


def test_a_hard_refusal_has_no_override() -> None:
    esx = nic_host(switch("vmnic0", in_service=MANAGEMENT))
    (blocker,) = protection_blockers(esx, [P], protections(esx), under(esx, P))
    assert blocker.code == "protected"
    assert blocker.cure == "This protection cannot be overridden: select another device"


def test_uplinks_that_are_fine_one_by_one_are_not_fine_together() -> None:
    esx = nic_host(switch("vmnic0", "vmnic1", in_service=MANAGEMENT))
    assert protection_blockers(esx, [P], protections(esx), under(esx, P, Q)) == ()
    (blocker,) = protection_blockers(esx, [P, Q], protections(esx), under(esx, P, Q))
    assert blocker.code == "last_management_uplink"
    assert blocker.message == f"{P}, {Q} are all management uplinks of esx-01, and the host needs one of them"


def test_a_device_in_force_is_shown_as_protected_too() -> None:
    esx = host(device(P, NVME, ACTIVE), device(Q, NVME, OFF), fabric=HostFabric(boot_disk_known=True, vsan_esa=True))
    assert list(protections(esx)) == [P, Q]
