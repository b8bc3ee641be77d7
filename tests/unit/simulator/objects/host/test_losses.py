# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host may come back without: links, datastores, the card that was there; and what is slow to come back."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim, vmodl

from simulator.lab.hardware.cards import LabError
from tests.unit.simulator.world import FREE_NIC, GPU, UPLINK, World

PC = vmodl.query.PropertyCollector


def links(host: Any) -> dict[str, bool]:
    return {nic.device: nic.linkSpeed is not None for nic in host.config.network.pnic}


def device_at(nics: Any, address: str) -> str:
    return next(nic.device for nic in nics if nic.pci == address)


def mounts(host: Any) -> dict[str, bool]:
    found = host.config.fileSystemVolume.mountInfo
    return {item.volume.name: item.mountInfo.accessible for item in found if item.volume.type in ("NFS", "VMFS")}


def test_a_link_goes_down_and_comes_up(world: World) -> None:
    host = world.host("esx-01")
    free = device_at(host.config.network.pnic, FREE_NIC)
    collector = world.content.propertyCollector
    spec = PC.FilterSpec(
        objectSet=[PC.ObjectSpec(obj=host)],
        propSet=[PC.PropertySpec(type=vim.HostSystem, pathSet=["config.network.pnic"])],
    )
    collector.CreateFilter(spec, True)
    version = collector.WaitForUpdatesEx("", PC.WaitOptions(maxWaitSeconds=0)).version
    world.sim.events["set_link"](host="esx-01.lab", vmnic=free, up=False)
    assert links(host)[free] is False
    assert collector.WaitForUpdatesEx(version, PC.WaitOptions(maxWaitSeconds=0)) is not None
    world.sim.events["set_link"](host="esx-01.lab", vmnic=free, up=True)
    assert all(links(host).values())


def test_a_host_without_its_last_management_link_is_lost_from_sight(world: World) -> None:
    host = world.host("esx-01")
    uplink = device_at(host.config.network.pnic, UPLINK)
    world.sim.events["set_link"](host="esx-01.lab", vmnic=uplink, up=False)
    assert host.runtime.connectionState == "notResponding"


def test_a_link_that_does_not_come_back_after_a_boot(world: World) -> None:
    host = world.host("esx-01")
    free = device_at(host.config.network.pnic, FREE_NIC)
    world.sim.events["set_link"](host="esx-01.lab", vmnic=free, up=False, at_boot=True)
    assert all(links(host).values())
    world.reboot(host)
    assert host.runtime.connectionState == "connected"
    assert links(host)[free] is False


@pytest.mark.parametrize("at_boot", [False, True])
@pytest.mark.parametrize(("state", "listed"), [("missing", False), ("inaccessible", True)])
def test_a_datastore_is_lost(world: World, state: str, listed: bool, at_boot: bool) -> None:
    host, other = world.host("esx-01"), world.host("esx-02")
    world.enter(host)
    world.sim.events["set_datastore"](host="esx-01.lab", datastore="shared-compute", state=state, at_boot=at_boot)
    if at_boot:
        assert mounts(host)["shared-compute"] is True
        world.wait(host.RebootHost_Task(False))
        world.advance(400)
    assert host.runtime.connectionState == "connected"
    assert ("shared-compute" in mounts(host)) is listed
    assert mounts(host).get("shared-compute", False) is False
    store = next(item for item in other.datastore if item.name == "shared-compute")
    assert ("shared-compute" in [item.name for item in host.datastore]) is listed
    entries = {entry.key.name: entry.mountInfo.accessible for entry in store.host}
    assert entries["esx-02.lab"] is True
    assert entries.get("esx-01.lab") is (False if listed else None)
    assert store.summary.accessible
    world.sim.events["set_datastore"](host="esx-01.lab", datastore="shared-compute", state="ok")
    assert mounts(host)["shared-compute"] is True
    assert "shared-compute" in [item.name for item in host.datastore]


def test_machines_do_not_go_where_their_datastore_cannot_be_read(world: World) -> None:
    for name in ("esx-02.lab", "esx-03.lab"):
        world.sim.events["set_datastore"](host=name, datastore="shared-compute", state="inaccessible")
    host = world.host("esx-01")
    task = host.EnterMaintenanceMode_Task(60, False)
    world.advance(100)
    assert isinstance(task.info.error, vim.fault.Timedout)
    assert world.vm("web-02").runtime.connectionState == "inaccessible"


def test_another_card_at_the_same_address(world: World) -> None:
    host = world.host("esx-01")
    before = next(item for item in host.hardware.pciDevice if item.id == GPU)
    world.configure(host, GPU)
    world.sim.events["swap_card"](host="esx-01.lab", address=GPU, card="t4")
    assert next(item for item in host.hardware.pciDevice if item.id == GPU).deviceId == before.deviceId
    world.reboot(host)
    after = next(item for item in host.hardware.pciDevice if item.id == GPU)
    assert (after.deviceId & 0xFFFF, before.deviceId & 0xFFFF) == (0x1EB8, 0x20F1)
    assert world.states(host)[GPU] == (True, True)  # the setting belongs to the address


def test_a_clock_that_is_corrected_moves_the_boot_time_and_nothing_else(world: World) -> None:
    host = world.host("esx-01")
    before, uptime = host.runtime.bootTime, host.RetrieveHardwareUptime()
    world.sim.events["step_clock"](host="esx-01.lab", seconds=7)
    assert (host.runtime.bootTime - before).total_seconds() == 7
    assert host.RetrieveHardwareUptime() == uptime
    assert host.runtime.connectionState == "connected"


@pytest.mark.parametrize("seconds", [7200.0, -7200.0])
def test_vcenter_s_clock_is_set_and_the_hosts_do_not_follow(world: World, seconds: float) -> None:
    host, instance = world.host("esx-01"), world.si
    before, shown, uptime = instance.CurrentTime(), host.runtime.bootTime, host.RetrieveHardwareUptime()
    world.sim.events["step_vcenter_clock"](seconds=seconds)
    assert (instance.CurrentTime() - before).total_seconds() == seconds
    assert (host.runtime.bootTime, host.RetrieveHardwareUptime()) == (shown, uptime)
    world.reboot(host)
    apart = (instance.CurrentTime() - host.runtime.bootTime).total_seconds() - host.RetrieveHardwareUptime()
    assert apart == pytest.approx(seconds, abs=1)


def test_a_host_boots_by_its_own_clock(world: World) -> None:
    host, instance = world.host("esx-01"), world.si
    world.sim.events["step_clock"](host="esx-01.lab", seconds=-900)
    world.reboot(host)
    apart = (instance.CurrentTime() - host.runtime.bootTime).total_seconds() - host.RetrieveHardwareUptime()
    assert apart == pytest.approx(900, abs=1)


def test_a_host_that_is_removed_takes_its_vms_along(world: World) -> None:
    host, vm = world.host("esx-01"), world.vm("web-01")
    cluster = host.parent
    assert vm.runtime.host == host
    world.sim.events["remove_host"](host="esx-01.lab")
    for gone in (host, vm):
        with pytest.raises(vmodl.fault.ManagedObjectNotFound):
            gone.name  # noqa: B018
    assert host._moId not in [item._moId for item in cluster.host]
    assert all(mount.key._moId != host._moId for store in cluster.datastore for mount in store.host)


def test_another_build_after_the_next_boot(world: World) -> None:
    host = world.host("esx-01")
    before = host.config.product.build
    world.sim.events["upgrade"](host="esx-01.lab", build="29999999")
    assert host.config.product.build == before
    world.reboot(host)
    assert host.config.product.build == host.summary.config.product.build == "29999999"


def test_a_role_that_has_everything_keeps_it(world: World) -> None:
    with pytest.raises(LabError, match="has all privileges"):
        world.sim.events["set_role"](role="Admin", privileges=["Global.SetCustomField"], granted=False)
    with pytest.raises(LabError, match="unknown"):
        world.sim.events["set_role"](role="nobody", privileges=[], granted=True)


def test_services_come_up_later_than_the_connection(world: World) -> None:
    host = world.host("esx-01")
    world.sim.events["set_knob"](name="services_seconds", value=60, host="esx-01.lab")
    world.sim.events["set_knob"](name="exit_refused_seconds", value=90, host="esx-01.lab")
    world.enter(host)
    world.wait(host.RebootHost_Task(False))
    world.advance(340)
    assert host.runtime.connectionState == "connected"
    with pytest.raises(vmodl.fault.HostCommunication):
        host.configManager.pciPassthruSystem.Refresh()
    world.fails(vmodl.fault.HostCommunication, host.ExitMaintenanceMode_Task(0))
    world.advance(40)
    host.configManager.pciPassthruSystem.Refresh()
    world.advance(40)
    world.wait(host.ExitMaintenanceMode_Task(0))


def test_quick_boot_is_quicker_and_told_by_the_capability() -> None:
    host = {"name": "esx-{}", "count": 2}
    content = {
        "datacenters": [{"name": "D", "clusters": [{"name": "c", "hosts": [host, {"name": "q", "quick_boot": True}]}]}]
    }
    world = World(content, quick_boot_seconds=60)
    assert (world.host("q").capability.quickBootSupported, world.host("esx-1").capability.quickBootSupported) == (
        True,
        False,
    )
    for name in ("q", "esx-1"):
        world.enter(world.host(name))
        world.wait(world.host(name).RebootHost_Task(False))
    world.advance(100)
    assert world.host("q").runtime.connectionState == "connected"
    assert world.host("esx-1").runtime.connectionState == "notResponding"
    assert {item["name"]: item["quick_boots"] for item in world.sim.describe(world.sim)["hosts"]}["q"] == 1


def test_the_load_of_a_host_follows_its_machines(world: World) -> None:
    host, other = world.host("esx-01"), world.host("esx-02")
    assert host.summary.quickStats.overallMemoryUsage == 8192
    world.sim.knobs.set("load_follows_vms", True)
    before = host.summary.quickStats.overallMemoryUsage
    world.enter(other)
    assert host.summary.quickStats.overallMemoryUsage >= before
    assert other.summary.quickStats.overallMemoryUsage < before
    total = sum(item.summary.quickStats.overallMemoryUsage for item in host.parent.host)
    assert total == 3 * 8192 + 2 * 16 * 1024


@pytest.mark.parametrize(
    ("event", "values", "said"),
    [
        ("set_link", {"vmnic": "vmnic77", "up": False}, "has no vmnic77"),
        ("set_datastore", {"datastore": "x", "state": "missing"}, "does not mount 'x'"),
        ("set_datastore", {"datastore": "shared-compute", "state": "slow"}, "state is one of"),
        ("swap_card", {"address": GPU, "card": "x"}, "card 'x' is unknown"),
        ("swap_card", {"address": "0000:99:00.0", "card": "t4"}, "no device at"),
    ],
)
def test_events_that_make_no_sense_say_so(world: World, event: str, values: dict[str, Any], said: str) -> None:
    with pytest.raises(LabError, match=said):
        world.sim.events[event](host="esx-01.lab", **values)
