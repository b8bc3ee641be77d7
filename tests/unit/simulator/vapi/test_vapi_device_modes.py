# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modes of PCI devices over the Automation API of the simulator (9.1): pages, the task, its impact, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator import Simulator
from simulator.core.clock import ManualClock
from simulator.objects.host.host import HostSystem
from tests.unit.simulator.vapi.vapi_client import HEADER, KNOWS_9, Client

pytestmark = pytest.mark.skipif(not KNOWS_9, reason="this pyVmomi knows no 9.1")
LAB = Path(__file__).parents[4] / "simulator" / "labs" / "v9.yml"
GPU = "0000:3b:00.0"


class Modes(Client):
    """The client with the addresses of one host."""

    def __init__(self, host: str = "esx9-01.lab", **changes: Any) -> None:
        super().__init__(Simulator.from_lab({**yaml.safe_load(LAB.read_text()), **changes}, clock=ManualClock()), "api")
        self.host: HostSystem = self.sim.find("HostSystem", host)

    def devices(self, query: str = "") -> Any:
        path = f"/api/vcenter/host/{self.host.moid}/hardware/direct-path-devices{query}"
        return self.send("GET", path, None, {HEADER: self.key})

    def configure(self, device: str, mode: str | None, query: str = "?action=configure&vmw-task=true") -> Any:
        path = f"/api/vcenter/host/{self.host.moid}/hardware/direct-path-devices{query}"
        return self.send("POST", path, {"device": device, "new_mode": mode}, {HEADER: self.key})

    def done(self, device: str, mode: str) -> Any:
        started = self.configure(device, mode)
        assert started.status == 202, started
        self.sim.clock.sleep(5)
        return self.send("GET", f"/api/cis/tasks/{started.body}", None, {HEADER: self.key}).body

    def mode(self, device: str) -> str:
        return str(
            next(item for item in self.devices().body["items"] if item["device"] == device)["info"]["current_mode"]
        )

    def shown(self) -> Any:
        return next(info for info in self.host.get("config").pciPassthruInfo if info.id == GPU)


def test_devices_come_in_pages() -> None:
    client = Modes()
    everything = [item["device"] for item in client.devices().body["items"]]
    first = client.devices("?page_size=2").body
    rest = client.devices(f"?page_size=100&marker={first['marker']}").body
    assert [item["device"] for item in first["items"] + rest["items"]] == everything
    assert "marker" not in rest
    assert client.devices("?page_size=300").status == 400


@pytest.mark.parametrize(
    ("impact", "said"),
    [
        ("none", "NONE"),
        ("maintenance_mode", "HOST_MAINTENANCE_MODE_REQUIRED"),
        ("reboot", "HOST_REBOOT_REQUIRED"),
    ],
)
def test_the_task_says_the_impact(impact: str, said: str) -> None:
    client = Modes(knobs={"device_mode_impact": impact})
    done = client.done(GPU, "VGPU_MIXED_SIZE")
    assert (done["status"], done["result"]) == ("SUCCEEDED", {"configure_impacts": [said]})
    assert client.shown().directPathState.mode == "vGpuMixedSize"
    assert client.mode(GPU) == ("VGPU_MIXED_SIZE" if impact == "none" else "HOST")


@pytest.mark.parametrize(
    ("shows", "flags", "required"),
    [
        ("passthrough_flags", (True, False), False),
        ("reboot_flag", (True, True), True),
        ("nowhere", (True, True), False),
    ],
)
def test_where_a_pending_reboot_is_visible_is_a_knob(shows: str, flags: tuple[bool, bool], required: bool) -> None:
    client = Modes(knobs={"device_mode_impact": "reboot", "device_mode_pending": shows})
    client.done(GPU, "DIRECTPATH")
    info = client.shown()
    assert (info.passthruEnabled, info.passthruActive) == flags
    assert client.host.get("summary").rebootRequired is required


def test_a_mode_that_the_device_lacks_fails_the_task() -> None:
    done = Modes().done(GPU, "ENHANCED_DIRECTPATH")
    assert done["status"] == "FAILED"
    assert "cannot be configured to mode ENHANCED_DIRECTPATH" in done["error"]["messages"][0]["default_message"]


def test_what_is_wrong_is_refused() -> None:
    client = Modes()
    assert client.configure("0000:ff:00.0", "HOST").status == 404
    assert client.configure(GPU, "SIDEWAYS").status == 400
    assert client.configure(GPU, "HOST", "?action=configure").status == 404
    assert client.devices("?vm_class=true").status == 400
    assert client.send("GET", "/api/cis/tasks/task-none", None, {HEADER: client.key}).status == 404


def test_an_older_host_or_vcenter_has_none() -> None:
    assert Modes("esx90-01.lab").devices().body == {"items": []}
    assert Modes(version="9.0.0").devices().status == 404
