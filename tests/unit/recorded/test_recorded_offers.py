# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the recorded 9.x host with four A100 offers: read in full, and a plan against it."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.vms import VgpuBacking
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.details import (
    DvxSpec,
    GroupSpec,
    VgpuSpec,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.devices.plan import plan_vm_devices
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.offers import (
    HostOffer,
    Offer,
    Offers,
    SharingGpu,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.output import offer_result
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.details.offers import offer_from
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.details.vm_limits import _kind_limits
from tests.unit.module_utils._domain.vm.builders import card, desired, esx, guest, locked, observed
from tests.unit.recorded import recordings

pytestmark = pytest.mark.skipif(not hasattr(vim.vm, "DvxClassInfo"), reason="this pyVmomi knows no DVX classes")
GROUP = "Nvidia:2@grid_a100-40c%NVLink"
GPUS = ("8a:00.0", "8c:00.0", "c1:00.0", "c3:00.0")


def offer() -> Offer:
    return offer_from(recordings.config_target("esxi-9-vgpu-config-target"))


def test_profiles_groups_and_classes_are_shown_in_full() -> None:
    shown = offer_result(offer())
    profiles = {one["name"]: one for one in shown["vgpu_profiles"]}
    assert [name for name, one in profiles.items() if one["offered"]] == sorted(
        f"grid_a100-{size}c" for size in (4, 5, 8, 10, 20, 40)
    )
    assert profiles["grid_a100-40c"]["memory_gb"] == 40
    assert profiles["grid_a100-40c"]["gpu"] == "10de:20f1"
    mig = {name for name, one in profiles.items() if one["sharing"] == "mig"}
    assert "grid_a100-3-20c" in mig
    assert not any(profiles[name]["offered"] for name in mig)
    (group,) = shown["device_groups"]
    assert (group["name"], group["can_be_attached"]) == (GROUP, True)
    assert [one["profile"] for one in group["devices"]] == ["grid_a100-40c"] * 2
    classes = {one["name"]: one for one in shown["dvx_classes"]}
    target = recordings.config_target("esxi-9-vgpu-config-target")
    assert set(classes) == {info.deviceClass.key for info in target.dvxClassInfo}
    (mode,) = [one for one in classes["com.vmware.dvxtestconst.mode"]["parameters"] if one["key"] == "mode"]
    assert (mode["type"], mode["choices"], mode["default"]) == ("choice", ["1", "2", "4", "8"], None)
    (size,) = classes["com.mellanox.nmlx5_core.dvx.sr"]["parameters"]
    assert (size["minimum"], size["maximum"], size["default"]) == (100, 16777215, 10240)
    assert classes["com.mellanox.nmlx5_core.dvx.sr"]["for_network_adapters"]


def plan(version: int, *devices: Any) -> Any:
    """The plan of a VM on the recorded host, with the limits of its recorded ConfigOption."""
    option = recordings.config_option(f"vmx-{version}")
    limits = _kind_limits(option.hardwareOptions, list(option.hardwareOptions.virtualDeviceOption))
    vm = guest("train-01", memory=locked(), hardware_version=version)
    host = esx("esx-01", *(card(address) for address in GPUS))
    mine = offer()
    alone = HostOffer(
        profiles=mine.offered,
        migratable=mine.offered,
        gpus=tuple(SharingGpu(address=f"0000:{address}") for address in GPUS),
        classes=frozenset(mine.classes),
    )
    offers = Offers(clusters={host.compute_moid: mine}, hosts={host.moid: alone}, limits={vm.moid: limits})
    made = observed([vm], [host], limits={vm.moid: 128}, offers=offers)
    return plan_vm_devices(made, [desired(vm, *devices)]).targets[0]


def test_a_plan_for_all_kinds_against_it() -> None:
    target = plan(
        22,
        {"vgpu": "grid_a100-10c", "count": 4},
        {"group": GROUP},
        {"dvx": {"class": "com.vmware.dvxtestconst.mode", "parameters": {"mode": 4}}},
    )
    assert target.blockers == ()
    details = [change.detail for change in target.changes if change.kind == "attach"]
    assert details[:4] == [VgpuSpec(profile="grid_a100-10c")] * 4
    assert details[4] == GroupSpec(name=GROUP, parts=((VgpuBacking(profile="grid_a100-40c"), None),) * 2)
    mode = (("bar1size", 16384), ("cptBytes", 0), ("mode", "4"))
    assert details[5] == DvxSpec(device_class="com.vmware.dvxtestconst.mode", parameters=mode)


@pytest.mark.parametrize(("version", "most"), [(13, 1), (14, 1), (15, 4), (19, 4), (20, 8), (21, 16), (22, 16)])
def test_the_recorded_limits_of_vgpus(version: int, most: int) -> None:
    assert plan(version, {"vgpu": "grid_a100-4c", "count": most}).blockers == ()
    (blocker,) = plan(version, {"vgpu": "grid_a100-4c", "count": most + 1}).blockers
    assert f"allows {most} with hardware version {version}" in blocker.message


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"vgpu": "grid_a100-3-20c"}, "profile_in_other_mode"),
        ({"vgpu": "grid_a100-7c"}, "unknown_profile"),
        ({"vgpu": "grid_a100-40c", "count": 5}, "no_free_device"),
        ({"group": "Nvidia:4@grid_a100-40c%NVLink"}, "unknown_group"),
        ({"group": GROUP, "count": 3}, "no_free_device"),
        ({"dvx": {"class": "com.vmware.dvxtestconst.mode"}}, "dvx_parameter"),
        ({"dvx": {"class": "com.vmware.dvxtestconst.net"}}, "dvx_class_for_nic"),
    ],
)
def test_what_the_recorded_host_cannot_give(entry: dict[str, Any], code: str) -> None:
    assert [blocker.code for blocker in plan(22, entry).blockers] == [code]
