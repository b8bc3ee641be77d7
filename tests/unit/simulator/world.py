# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab and a client in process, with the few calls every test of the inventory makes. Plain pyVmomi, no plugins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pyVim.task import WaitForTask
from pyVmomi import vim

from simulator import Simulator
from simulator.selfcheck import problems

LABS = Path(__file__).parents[3] / "simulator" / "labs"
PASSTHROUGH = vim.vm.device.VirtualPCIPassthrough
GPU, GPU2, OPTANE, NVME, DATA, FREE_NIC = (
    "0000:3b:00.0", "0000:5e:00.0", "0000:86:00.0", "0000:af:00.0", "0000:17:00.0", "0000:65:00.0",
)  # fmt: skip
BOOT, UPLINK, VGA, USB = "0000:01:00.0", "0000:04:00.0", "0000:03:00.0", "0000:00:14.0"
WIDE = {"pciPassthru.use64bitMMIO": "TRUE", "pciPassthru.64bitMMIOSizeGB": "512"}


class World:
    """A simulator with a manual clock and a logged-in client."""

    made: ClassVar[list[World]] = []

    def __init__(self, lab: str | Mapping[str, Any], user: str | None = None, **knobs: Any) -> None:
        self.sim = Simulator.from_lab(LABS / f"{lab}.yml" if isinstance(lab, str) else lab)
        for name, value in knobs.items():
            self.sim.events["set_knob"](name=name, value=value)
        self.si = self.sim.stub().connect(user, "VMware1!") if user else self.sim.stub().connect()
        self.content = self.si.RetrieveContent()
        self._is_as_loaded = isinstance(lab, str) and not knobs
        self._loaded = {item.moid for item in self.sim.registry}
        self._since = self.sim.changes.position
        World.made.append(self)

    def find(self, kind: Any, name: str) -> Any:
        """An object of the client by name (or by the first part of it)."""
        view = self.content.viewManager.CreateContainerView(self.content.rootFolder, [kind], True)
        (found,) = [item for item in view.view if name in (item.name, item.name.split(".")[0])]
        view.DestroyView()
        return found

    def host(self, name: str) -> Any:
        """A host."""
        return self.find(vim.HostSystem, name)

    def vm(self, name: str) -> Any:
        """A VM."""
        return self.find(vim.VirtualMachine, name)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.sim.clock.advance(seconds)

    def wait(self, task: Any) -> Any:
        """Wait for a task; its fault is raised."""
        WaitForTask(task)
        return task.info.result

    def fails(self, fault: type[Exception], task: Any) -> Any:
        """The fault a task ends with."""
        with pytest.raises(fault) as caught:
            WaitForTask(task)
        return caught.value

    def configure(self, host: Any, *addresses: str, on: bool = True, **values: Any) -> None:
        """UpdatePassthruConfig and Refresh."""
        system = host.configManager.pciPassthruSystem
        cls = vim.host.PciPassthruConfig
        system.UpdatePassthruConfig([cls(id=item, passthruEnabled=on, **values) for item in addresses])
        system.Refresh()

    def states(self, host: Any) -> dict[str, tuple[bool, bool]]:
        """Address -> (enabled, active) of every device where one of them is set."""
        return {
            info.id: (info.passthruEnabled, info.passthruActive)
            for info in host.config.pciPassthruInfo
            if info.passthruEnabled or info.passthruActive
        }

    def enter(self, host: Any, timeout: int = 0, evacuate: bool = False) -> Any:
        """Into maintenance mode."""
        return self.wait(host.EnterMaintenanceMode_Task(timeout, evacuate))

    def reboot(self, host: Any, *, enter: bool = True) -> None:
        """Maintenance mode, reboot, and wait until it should be back."""
        if enter:
            self.enter(host)
        self.wait(host.RebootHost_Task(False))
        self.advance(400)

    def system_id(self, host: Any) -> str:
        """systemId as QueryConfigTarget gives it."""
        target = host.parent.environmentBrowser.QueryConfigTarget(host)
        return target.pciPassthrough[0].systemId

    def attach(self, vm: Any, *backings: Any, **values: Any) -> Any:
        """One ReconfigVM: devices, memory lock and a wide window."""
        extra = [vim.option.OptionValue(key=key, value=value) for key, value in WIDE.items()]
        usual = {"memoryReservationLockedToMax": True, "extraConfig": extra}
        changes = [
            vim.vm.device.VirtualDeviceSpec(operation="add", device=PASSTHROUGH(key=-1 - number, backing=backing))
            for number, backing in enumerate(backings)
        ]
        return vm.ReconfigVM_Task(vim.vm.ConfigSpec(deviceChange=changes, **{**usual, **values}))

    def fixed(self, host: Any, address: str = GPU, **values: Any) -> Any:
        """A right fixed backing for a device of a host."""
        (device,) = [item for item in host.hardware.pciDevice if item.id == address]
        usual = {
            "deviceName": device.deviceName,
            "id": address,
            "deviceId": format(device.deviceId & 0xFFFF, "x"),
            "vendorId": device.vendorId,
            "systemId": values.pop("systemId", None) or self.system_id(host),
        }
        return PASSTHROUGH.DeviceBackingInfo(**{**usual, **values})

    def dynamic(self, vendor: int = 0x10DE, device: int = 0x20F1, **values: Any) -> Any:
        """A dynamic backing."""
        allowed = [PASSTHROUGH.AllowedDevice(vendorId=vendor, deviceId=device)]
        return PASSTHROUGH.DynamicBackingInfo(deviceName="", allowedDevice=allowed, **values)

    def devices(self, vm: Any) -> list[Any]:
        """Its passthrough devices."""
        return [item for item in vm.config.hardware.device if isinstance(item, PASSTHROUGH)]

    @classmethod
    def all_sound(cls) -> None:
        """Nothing went wrong inside any simulator of this test, and all of it can still be sent."""
        worlds, cls.made = cls.made, []
        for world in worlds:
            assert world.sim.internal_errors == []
            assert problems(world.sim, of=world.touched()) == []

    def touched(self) -> list[Any]:
        """What is new or was changed. A lab's file as it stands is looked at in ``test_labs``; another lab, or knobs: everything."""
        changes = self.sim.changes.since(self._since) if self._is_as_loaded else None
        changed = None if changes is None else {moid for moid, _path in changes}
        return [
            item
            for item in self.sim.registry
            if changed is None or item.moid in changed or item.moid not in self._loaded
        ]
