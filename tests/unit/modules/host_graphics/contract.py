# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What host_graphics promises, as data for the tests of all modules."""

from __future__ import annotations

from typing import Any

from tests.unit.modules.bad_input.cases import Case
from tests.unit.modules.contracts import Contract, Scenario
from tests.unit.modules.harness import Lab

A100 = "10de:20f1"
VGPU = {"match": A100, "type": "shared_direct", "vgpu_mode": "mixed_size"}
ONE: dict[str, Any] = {"hosts": ["esx-01"]}
SHARE = ("host_graphics", {**ONE, "devices": [VGPU], "restart_xorg": True})


def _gpus(vcenter: str = "8.0.3", **host: Any) -> Lab:
    """A host with two A100 that have the driver of their vendor, unless ``host`` says otherwise."""
    entry = {"name": "esx-01", "cards": ["a100", "a100", "nvme"], "shared_gpus": {"a100": "shared"}, **host}
    return Lab.load(
        {
            "kind": "vcenter",
            "version": vcenter,
            "datacenters": [{"name": "DC", "clusters": [{"name": "c", "hosts": [entry]}]}],
        }
    )


def _bad(title: str, options: dict[str, Any], code: str | None, *says: str, **more: Any) -> Case:
    return Case(
        module="host_graphics",
        title=title,
        options={**ONE, **options},
        code=code,
        says=says,
        lab=lambda: _gpus(**more),
    )


CONTRACT = Contract(
    module="host_graphics",
    call={**ONE, "assignment_policy": "consolidation"},
    scenarios={
        "share GPUs as vGPUs, with a restart of Xorg": Scenario(
            "host_graphics", {**ONE, "devices": [VGPU], "restart_xorg": True}, 3, lab="vgpu"
        ),
        "share GPUs as vGPUs, at the next reboot": Scenario("host_graphics", {**ONE, "devices": [VGPU]}, 2, lab="vgpu"),
        "set the defaults of a host": Scenario(
            "host_graphics",
            {**ONE, "default_type": "shared_direct", "assignment_policy": "consolidation"},
            2,
            lab="vgpu",
        ),
        "use shared GPUs as before": Scenario(
            "host_graphics",
            {**ONE, "devices": [{"match": A100, "type": "shared"}], "restart_xorg": True},
            3,
            (SHARE,),
            lab="vgpu",
        ),
        "change the mode only": Scenario(
            "host_graphics", {**ONE, "devices": [{"match": A100, "vgpu_mode": "same_size"}]}, 2, (SHARE,), lab="vgpu"
        ),
        "put in effect what was written before": Scenario(
            "host_graphics",
            {**ONE, "devices": [VGPU], "restart_xorg": True},
            1,
            (("host_graphics", {**ONE, "devices": [VGPU]}),),
            lab="vgpu",
        ),
    },
    deeds=(
        ({"hosts": ["esx-04"], "assignment_policy": "consolidation"}, {"Host.Config.Settings"}),
        (
            {"hosts": ["esx-04"], "devices": [VGPU], "restart_xorg": True},
            {"Host.Config.Settings", "Host.Config.NetService"},
        ),
    ),
    bad_input=(
        Case(
            module="host_graphics",
            title="a host that does not exist",
            options={"hosts": ["esx-99"], "assignment_policy": "consolidation"},
            code="unknown_host",
            says=("esx-99",),
            lab=lambda: Lab.load("three_hosts"),
        ),
        _bad("no setting", {}, "no_graphics", "default_type, assignment_policy and devices are missing"),
        _bad(
            "a device without a setting",
            {"devices": [{"match": A100}]},
            "bad_graphics",
            "type and vgpu_mode are missing",
        ),
        _bad("a device that is only a match", {"devices": [A100]}, "bad_graphics", "is not a mapping"),
        _bad(
            "a misspelled type",
            {"devices": [{"match": A100, "type": "shared-direct"}]},
            "bad_graphics",
            "shared_direct is meant?",
        ),
        _bad(
            "a misspelled key",
            {"devices": [{"match": A100, "vgpu_mod": "same_size"}]},
            "bad_graphics",
            "vgpu_mode is meant?",
        ),
        _bad(
            "a vGPU mode of a GPU that provides no vGPUs",
            {"devices": [{"match": A100, "type": "shared", "vgpu_mode": "same_size"}]},
            "contradicting_graphics",
            "which a GPU of the type shared does not have",
        ),
        _bad(
            "one GPU in two entries",
            {"devices": [VGPU, {**VGPU, "type": "shared_direct"}]},
            "contradicting_graphics",
            "twice",
        ),
        _bad(
            "two entries that disagree about a GPU",
            {"devices": [VGPU, {"match": {"vendor_id": "10de"}, "type": "shared"}]},
            "contradicting_graphics",
            "0000:3b:00.0",
            "matches entries with different types",
        ),
        _bad(
            "a device that is no GPU",
            {"devices": [{"match": {"class_id": "0108"}, "type": "shared"}]},
            "not_a_gpu",
            "0000:3b:00.0",
        ),
        _bad("a GPU that no host has", {"devices": [{**VGPU, "match": "10de:2235"}]}, "no_match", "10de:2235"),
        _bad(
            "a GPU without the driver of its vendor",
            {"devices": [VGPU]},
            "no_graphics_driver",
            "0000:3b:00.0",
            shared_gpus={},
        ),
        _bad(
            "a GPU that is passed through",
            {"devices": [VGPU]},
            "graphics_direct",
            "0000:3b:00.0",
            "host_passthrough with state: disabled",
            states={"0000:3b:00.0": {"enabled": True, "active": True}},
        ),
        _bad(
            "a vGPU mode of a GPU in MIG mode",
            {"devices": [VGPU]},
            "gpu_in_mig_mode",
            "nvidia-smi",
            shared_gpus={"a100": {"type": "sharedDirect", "mode": "multiInstanceGpu"}},
        ),
        _bad(
            "a vGPU mode without vGPUs",
            {"devices": [{"match": A100, "vgpu_mode": "mixed_size"}]},
            "vgpu_mode_needs_shared_direct",
            "Add type: shared_direct",
        ),
        _bad(
            "a vGPU mode on a host that is too old",
            {"devices": [VGPU]},
            "vgpu_mode_unsupported",
            "runs ESXi 8.0.2",
            version="8.0.2",
        ),
    ),
)
