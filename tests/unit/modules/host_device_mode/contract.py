# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What host_device_mode promises, as data for the tests of all modules."""

from __future__ import annotations

from typing import Any

from tests.unit.modules.bad_input.cases import Case
from tests.unit.modules.contracts import Contract, Scenario
from tests.unit.modules.harness import Lab


def mixed(**more: Any) -> dict[str, Any]:
    return {"hosts": ["esx9-01.lab"], "devices": [{"match": "10de:20f1", "mode": "vgpu_mixed_size"}], **more}


def _case(title: str, code: str, says: tuple[str, ...], devices: list[Any]) -> Case:
    return Case(
        module="host_device_mode",
        title=title,
        options={"hosts": ["esx-01"], "devices": devices},
        code=code,
        says=says,
        lab=lambda: Lab.load("three_hosts"),
    )


CONTRACT = Contract(
    module="host_device_mode",
    # A lab of vSphere 8 has no device with modes, so this one skips its host.
    call={"hosts": ["esx-01"], "devices": [{"match": "ffff:ffff", "mode": "host"}], "on_missing": "skip"},
    scenarios={
        "device mode": Scenario("host_device_mode", mixed(), 2, lab="v9"),
        "device mode that needs a reboot": Scenario(
            "host_device_mode",
            {"hosts": ["esx9-01.lab"], "devices": [{"match": "0000:3b:00.0", "mode": "directpath"}]},
            1,
            lab="v9",
            knobs={"device_mode_impact": "reboot", "device_mode_pending": "nowhere"},
        ),
    },
    deeds=(),
    bad_input=(
        _case(
            "device mode that does not exist",
            "bad_mode",
            ("devices[0].mode vgpu_mixed is not a device mode", "vgpu_mixed_size"),
            [{"match": "10de:20f1", "mode": "vgpu_mixed"}],
        ),
        _case(
            "device mode that lets the server choose",
            "bad_mode",
            ("system_select", "lets the server choose"),
            [{"match": "10de:20f1", "mode": "system_select"}],
        ),
        _case(
            "two device modes for one device",
            "contradicting_wishes",
            ("10de:20f1", "one has the mode host and one none"),
            [
                {"match": "10de:20f1", "mode": "host"},
                {"match": {"vendor_id": "10de", "device_id": "20f1"}, "mode": "none"},
            ],
        ),
        _case(
            "device mode with a count",
            "bad_devices",
            ("devices[0] has the unknown key count", "every device that matches"),
            [{"match": "10de:20f1", "mode": "host", "count": 1}],
        ),
        _case(
            "device mode on vSphere 8",
            "api_too_old",
            ("esx-01", "a device mode", "9.1"),
            [{"match": "10de:20f1", "mode": "host"}],
        ),
        Case(
            module="host_pci_device_info",
            title="capacity of clusters for single hosts",
            options={"hosts": ["esx-01"], "capacity": "cluster"},
            code="capacity_of_part",
            says=("whole clusters", "hosts selects single hosts"),
            lab=lambda: Lab.load("three_hosts"),
        ),
    ),
)
