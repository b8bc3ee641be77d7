# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""UpdatePassthruConfig through the API: when it shows, what it takes away, what a boot makes of it."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim, vmodl

from tests.unit.simulator.world import BOOT, DATA, FREE_NIC, GPU, GPU2, OPTANE, UPLINK, USB, World


def config(address: str, on: bool = True, **values: Any) -> Any:
    return vim.host.PciPassthruConfig(id=address, passthruEnabled=on, **values)


def test_a_change_shows_after_refresh_or_after_a_while(world: World) -> None:
    host = world.host("esx-01")
    system = host.configManager.pciPassthruSystem
    system.UpdatePassthruConfig([config(GPU)])
    assert world.states(host) == {}
    system.Refresh()
    assert world.states(host) == {GPU: (True, True)}
    system.UpdatePassthruConfig([config(GPU2)])
    world.advance(1.9)
    assert GPU2 not in world.states(host)
    world.advance(0.2)
    assert world.states(host)[GPU2] == (True, True)


def test_a_site_where_only_refresh_or_only_time_helps() -> None:
    world = World("three_hosts", info_delay_seconds=-1)
    host = world.host("esx-01")
    host.configManager.pciPassthruSystem.UpdatePassthruConfig([config(GPU)])
    world.advance(3600)
    assert world.states(host) == {}
    world = World("three_hosts", refresh_shows_info=False)
    host = world.host("esx-01")
    world.configure(host, GPU)
    assert world.states(host) == {}
    world.advance(5)
    assert world.states(host) == {GPU: (True, True)}


def test_waiting_clients_hear_of_it(world: World) -> None:
    host = world.host("esx-01")
    collector = vim.PropertyCollector
    spec = collector.FilterSpec(
        objectSet=[collector.ObjectSpec(obj=host)],
        propSet=[
            collector.PropertySpec(type=vim.HostSystem, pathSet=["config.pciPassthruInfo", "summary.rebootRequired"])
        ],
    )
    watch = world.content.propertyCollector.CreatePropertyCollector()
    watch.CreateFilter(spec, True)
    version = watch.WaitForUpdatesEx("", None).version
    host.configManager.pciPassthruSystem.UpdatePassthruConfig([config(GPU)])
    update = watch.WaitForUpdatesEx(version, collector.WaitOptions(maxWaitSeconds=30))
    changed = update.filterSet[0].objectSet[0].changeSet
    assert [item.name for item in changed] == ["config.pciPassthruInfo"]


def test_rebinding_and_waiting_for_the_boot() -> None:
    world = World("demo")
    new, old = world.host("nvme-01"), world.host("legacy-01")
    for host in (new, old):
        world.configure(host, "0000:3b:00.0")
    assert world.states(new) == {"0000:3b:00.0": (True, True)}
    assert world.states(old) == {"0000:3b:00.0": (True, False)}
    assert (new.summary.rebootRequired, old.summary.rebootRequired) == (False, True)
    for vm in old.vm:
        if vm.runtime.powerState == "poweredOn":
            world.wait(vm.PowerOffVM_Task())
    world.reboot(old)
    assert world.states(old) == {"0000:3b:00.0": (True, True)}
    assert old.summary.rebootRequired is False


def test_apply_later_waits_although_the_host_could(world: World) -> None:
    host = world.host("esx-01")
    world.configure(host, GPU, applyNow=False)
    assert world.states(host) == {GPU: (True, False)}
    world.configure(host, GPU, applyNow=True)
    assert world.states(host) == {GPU: (True, True)}


def test_labels_are_kept_and_an_old_host_ignores_them() -> None:
    world = World("demo")
    new, old = world.host("gpu-01"), world.host("legacy-01")
    world.configure(new, GPU, hardwareLabel="a100")
    world.configure(old, "0000:3b:00.0", hardwareLabel="fast")
    labels = {item.id: item.hardwareLabel for item in new.config.pciPassthruInfo if item.hardwareLabel}
    assert labels == {GPU: "a100"}
    assert not any(item.hardwareLabel for item in old.config.pciPassthruInfo)
    overrides = new.configManager.assignableHardwareManager.config.attributeOverride
    assert [(item.instanceId, item.value) for item in overrides] == [(f"pci-{GPU}", "a100")]


def test_a_list_is_taken_whole_or_not_at_all(world: World) -> None:
    host = world.host("esx-01")
    with pytest.raises(vim.fault.HostConfigFault, match="vSwitch0 for uplink vmnic0"):
        world.configure(host, GPU, UPLINK)
    world.advance(60)
    assert world.states(host) == {}


def test_virtual_functions_of_a_network_card(world: World) -> None:
    host = world.host("esx-01")
    world.sim.knobs.set("sriov_at_once", True)
    wish = vim.host.SriovConfig(id=FREE_NIC, passthruEnabled=False, sriovEnabled=True, numVirtualFunction=8)
    host.configManager.pciPassthruSystem.UpdatePassthruConfig([wish])
    host.configManager.pciPassthruSystem.Refresh()
    (info,) = [item for item in host.config.pciPassthruInfo if item.id == FREE_NIC]
    assert (info.sriovEnabled, info.sriovActive, info.numVirtualFunction) == (True, True, 8)
    assert FREE_NIC in {item.pci for item in host.config.network.pnic}


def test_a_card_in_passthrough_is_gone_from_network_and_storage(world: World) -> None:
    host = world.host("esx-01")
    assert FREE_NIC in {item.pci for item in host.config.network.pnic}
    assert OPTANE in {item.pci for item in host.config.storageDevice.hostBusAdapter}
    world.configure(host, FREE_NIC, OPTANE)
    assert FREE_NIC not in {item.pci for item in host.config.network.pnic}
    assert OPTANE not in {item.pci for item in host.config.storageDevice.hostBusAdapter}


def test_a_mounted_datastore_is_not_protected_and_goes_at_the_boot(world: World) -> None:
    host = world.host("esx-01")
    names = [store.name for store in host.datastore]
    world.configure(host, DATA)
    assert world.states(host) == {DATA: (True, False)}
    assert [store.name for store in host.datastore] == names
    world.reboot(host)
    assert world.states(host) == {DATA: (True, True)}
    assert [store.name for store in host.datastore] == ["shared-compute"]
    lost = world.find(vim.Datastore, "esx-01-nvme-data-5")
    assert (lost.summary.accessible, lost.host) == (False, [])


def test_a_boot_disk_in_passthrough_leaves_a_host_that_forgets(world: World) -> None:
    host = world.host("esx-01")
    world.configure(host, BOOT)
    world.reboot(host)
    assert host.runtime.connectionState == "connected"
    assert not any(
        item.volume.name.startswith(("BOOTBANK", "OSDATA")) for item in host.config.fileSystemVolume.mountInfo
    )
    world.configure(host, BOOT, on=False)
    world.configure(host, GPU)
    world.reboot(host, enter=False)
    assert world.states(host) == {BOOT: (True, True)}


def test_the_usb_controller_of_a_host_that_boots_from_usb() -> None:
    world = World("mixed")
    host = world.host("usb-boot-01")
    world.configure(host, USB)
    world.reboot(host)
    assert not any(item.volume.name.startswith("BOOTBANK") for item in host.config.fileSystemVolume.mountInfo)


def test_the_management_uplink_once_accepted_takes_the_host_away() -> None:
    world = World("three_hosts", uplink_fault="accept")
    host = world.host("esx-01")
    world.configure(host, UPLINK, applyNow=False)
    world.enter(host)
    world.wait(host.RebootHost_Task(False))
    world.advance(3600)
    assert host.runtime.connectionState == "notResponding"
    world.fails(vim.fault.HostConnectFault, host.ReconnectHost_Task(None, None))


def test_the_management_uplink_taken_at_once_cuts_the_connection_at_once() -> None:
    world = World("three_hosts", uplink_fault="accept")
    host = world.host("esx-01")
    host.configManager.pciPassthruSystem.UpdatePassthruConfig([config(UPLINK)])
    assert host.runtime.connectionState == "notResponding"
    assert world.states(host) == {}


def test_a_device_that_never_becomes_active_and_one_that_has_to_be_toggled() -> None:
    world = World("three_hosts", never_active=["10de:20f1"])
    host = world.host("esx-01")
    world.configure(host, GPU)
    world.reboot(host)
    assert world.states(host) == {GPU: (True, False)}
    world = World("three_hosts", pending_again=["all"])
    host = world.host("esx-01")
    world.configure(host, GPU)
    assert world.states(host) == {GPU: (True, True)}
    for _boot in range(2):
        world.reboot(host, enter=not host.runtime.inMaintenanceMode)
        assert world.states(host) == {GPU: (True, False)}
    world.configure(host, GPU, on=False)
    world.configure(host, GPU)
    assert world.states(host) == {GPU: (True, True)}


def test_a_new_card_moves_the_buses_and_the_setting_hits_another_device(world: World) -> None:
    host = world.host("esx-01")
    world.configure(host, "0000:86:00.0")
    world.sim.events["add_card"](host="esx-01.lab", card="t4", at="80")
    world.reboot(host)
    devices = {item.id: item.deviceName for item in host.hardware.pciDevice}
    assert devices["0000:87:00.0"].startswith("Optane")
    assert "0000:86:00.0" in devices
    assert [item.id for item in host.config.pciPassthruInfo if item.passthruEnabled] == ["0000:86:00.0"]
    assert "Optane" not in devices["0000:86:00.0"]


def test_a_removed_card_is_gone_after_the_boot(world: World) -> None:
    host = world.host("esx-01")
    world.sim.events["remove_card"](host="esx-01.lab", address=GPU, renumber=False)
    assert GPU in {item.id for item in host.hardware.pciDevice}
    world.reboot(host)
    assert GPU not in {item.id for item in host.hardware.pciDevice}
    assert GPU not in {item.id for item in host.config.pciPassthruInfo}


def test_buses_renumbered_by_firmware(world: World) -> None:
    host = world.host("esx-01")
    world.sim.events["set_knob"](name="bus_renumber", value="next_boot", host="esx-01.lab")
    world.reboot(host)
    devices = {item.id: item.deviceName for item in host.hardware.pciDevice}
    assert devices["0000:3c:00.0"].startswith("GA100")
    world.reboot(host, enter=False)
    assert {item.id for item in host.hardware.pciDevice} == set(devices)


def test_an_upgrade_can_take_a_capability(world: World) -> None:
    host = world.host("esx-01")
    world.configure(host, GPU)
    world.sim.events["upgrade"](host="esx-01.lab", version="9.0.0", lost=["10de:20f1"])
    world.reboot(host)
    (info,) = [item for item in host.config.pciPassthruInfo if item.id == GPU]
    assert (info.passthruCapable, info.passthruEnabled, info.passthruActive) == (False, True, False)
    assert host.config.product.version == "9.0.0"


def test_every_row_of_the_state_table_can_be_shown(world: World) -> None:
    rows = [
        (False, False, False),
        (True, False, False),
        (True, True, False),
        (True, True, True),
        (True, False, True),
        (False, True, False),
    ]
    host = world.host("esx-01")
    for capable, enabled, active in rows:
        world.sim.events["set_device_state"](
            host="esx-01.lab", address=GPU, capable=capable, enabled=enabled, active=active
        )
        (info,) = [item for item in host.config.pciPassthruInfo if item.id == GPU]
        assert (info.passthruCapable, info.passthruEnabled, info.passthruActive) == (capable, enabled, active)


@pytest.mark.parametrize(
    ("user", "refresh", "update"),
    [
        ("reader", "Host.Config.Settings", "Host.Config.PciPassthru"),
        ("vmadmin", None, "Host.Config.PciPassthru"),
        ("operator", None, None),
    ],
)
def test_privileges_of_the_passthrough_system(user: str, refresh: str | None, update: str | None) -> None:
    world = World("three_hosts", user=f"{user}@vsphere.local")
    host = world.host("esx-01")
    system = host.configManager.pciPassthruSystem
    assert system.pciPassthruInfo
    for call, privilege in ((system.Refresh, refresh), (lambda: system.UpdatePassthruConfig([config(GPU)]), update)):
        if privilege is None:
            call()
            continue
        with pytest.raises(vim.fault.NoPermission) as caught:
            call()
        assert (caught.value.privilegeId, caught.value.object) == (privilege, host)


def test_an_old_client_sends_no_label_and_nothing_breaks(world: World) -> None:
    stub = world.sim.stub("vim.version.version11")
    si = stub.connect()
    view = si.content.viewManager.CreateContainerView(si.content.rootFolder, [vim.HostSystem], True)
    host = view.view[0]
    host.configManager.pciPassthruSystem.UpdatePassthruConfig([config(GPU, applyNow=False, hardwareLabel="x")])
    host.configManager.pciPassthruSystem.Refresh()
    assert world.states(world.host("esx-01")) == {GPU: (True, True)}


def test_a_disconnected_host_refuses(world: World) -> None:
    host = world.host("esx-01")
    world.wait(host.DisconnectHost_Task())
    with pytest.raises(vmodl.fault.HostNotConnected):
        world.configure(host, GPU)
    world.wait(host.ReconnectHost_Task(None, None))
    world.configure(host, GPU)
    assert world.states(host) == {GPU: (True, True)}


@pytest.mark.skipif(not hasattr(vim.host.Summary(), "rebootRequiredReason"), reason="this pyVmomi is older than 9.1")
@pytest.mark.parametrize(("name", "told"), [("esx9-01", 1), ("esx90-01", 0)])
def test_the_reason_for_a_reboot_is_told_from_91_on(name: str, told: int) -> None:
    world = World("v9", reboot_required_flag="always")
    host = world.host(name)
    world.configure(host, GPU, applyNow=False)
    assert host.summary.rebootRequired
    assert len(host.summary.rebootRequiredReason) == told
    world.reboot(host)
    assert not host.summary.rebootRequired
    assert not host.summary.rebootRequiredReason


@pytest.mark.skipif(not hasattr(vim.host.PciPassthruInfo(), "directPathState"), reason="this pyVmomi is older than 9.1")
def test_directpath_modes() -> None:
    world = World("v9")
    host = world.host("esx9-01")
    world.configure(host, GPU)
    modes = {item.id: item.directPathState.mode for item in host.config.pciPassthruInfo if item.directPathState}
    assert (modes[GPU], modes[GPU2]) == ("directPath", "host")
