# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DirectPath profiles of a simulated vCenter 9.x: who has them, what is refused, and the capacity of a host and of a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pyVmomi import vim, vmodl

from simulator.lab.hardware.cards import LabError
from tests.unit.simulator.world import World

pytestmark = pytest.mark.skipif(not hasattr(vim, "DirectPathProfileManager"), reason="this pyVmomi knows no 9.0")
LAB = yaml.safe_load((Path(__file__).parents[4] / "simulator" / "labs" / "v9.yml").read_text())
PROFILES = [
    {"name": "a100-whole", "description": "a whole card", "dynamic": {"ids": "10de:20f1"}},
    {"name": "a100-slice", "vgpu": "grid_a100-10c"},
    {"name": "pair", "group": "Nvidia:2@grid_a100-40c%NVLink"},
]


def opened(**changes: Any) -> tuple[World, Any, Any]:
    """A world, its manager and the types of it."""
    lab = {**LAB, "directpath_profiles": PROFILES, **changes}
    world = World(lab)
    return world, world.content.directPathProfileManager, vim.DirectPathProfileManager


def listed(manager: Any, **chosen: Any) -> Any:
    return manager.ListDirectPathProfiles(vim.DirectPathProfileManager.FilterSpec(**chosen))


def test_list_shows_the_details_and_can_choose() -> None:
    _world, manager, types = opened()
    found = listed(manager)
    assert [(item.name, item.description, type(item.deviceConfig)) for item in found] == [
        ("a100-slice", None, types.VmiopDirectPathConfig),
        ("a100-whole", "a whole card", types.DynamicDirectPathConfig),
        ("pair", None, types.VirtualDeviceGroupDirectPathConfig),
    ]
    assert [item.name for item in listed(manager, names=["pair"])] == ["pair"]


def test_create_update_and_delete() -> None:
    _world, manager, types = opened()
    config = types.VmiopDirectPathConfig(vgpuProfile="grid_a100-20c")
    made = manager.CreateDirectPathProfile(types.CreateSpec(name="half", deviceConfig=config))
    manager.UpdateDirectPathProfile(made, types.UpdateSpec(name="two halves"))
    (found,) = listed(manager, ids=[made])
    assert (found.name, found.deviceConfig.vgpuProfile) == ("two halves", "grid_a100-20c")
    for name, same in (("two halves", "grid_a100-5c"), ("other", "grid_a100-20c")):
        with pytest.raises(vim.fault.AlreadyExists):
            manager.CreateDirectPathProfile(
                types.CreateSpec(name=name, deviceConfig=types.VmiopDirectPathConfig(vgpuProfile=same))
            )
    with pytest.raises(vmodl.fault.InvalidArgument):
        manager.UpdateDirectPathProfile(made, types.UpdateSpec(name="n" * 81))
    manager.DeleteDirectPathProfile(made)
    with pytest.raises(vim.fault.NotFound):
        manager.DeleteDirectPathProfile(made)


def test_capacity_of_a_host_and_a_cluster() -> None:
    world, manager, types = opened()
    for name in ("esx9-01", "esx9-02"):
        world.configure(world.host(name), "0000:3b:00.0")
    host, cluster = world.host("esx9-01"), world.host("esx9-01").parent
    query = [types.CapacityQueryByName(name="a100-whole"), types.CapacityQueryByName(name="nobody")]
    one, unknown = manager.QueryDirectPathProfileCapacity(types.TargetHost(host=host), query)
    assert (one.profile.name, one.consumed, one.remaining, one.max) == ("a100-whole", 0, 1, 1)
    assert isinstance(unknown, types.CapacityUnknown)
    assert isinstance(unknown.faultList[0], vim.fault.NotFound)
    both = manager.QueryDirectPathProfileCapacity(types.TargetCluster(cluster=cluster), query[:1])[0]
    assert (both.remaining, both.max) == (2, 2)


def test_what_cannot_be_counted_is_unknown_and_not_zero() -> None:
    world, manager, types = opened()
    target = types.TargetHost(host=world.host("esx9-01"))
    (found,) = manager.QueryDirectPathProfileCapacity(target, [types.CapacityQueryByName(name="pair")])
    assert isinstance(found, types.CapacityUnknown)
    world.sim.knobs.profile_capacity = "unknown"
    assert all(isinstance(item, types.CapacityUnknown) for item in manager.QueryDirectPathProfileCapacity(target))


def test_an_older_vcenter_has_no_manager() -> None:
    world, manager, _types = opened(version="8.0.3", directpath_profiles=[], datacenters=[{"name": "DC"}])
    assert manager is None
    with pytest.raises(LabError, match=r"only a vCenter of 9\.0"):
        opened(version="8.0.3", datacenters=[{"name": "DC"}])
    assert world.sim.version == "8.0.3"
