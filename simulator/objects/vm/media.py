# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CD drives, floppies, USB devices and ports of a VM: what they are backed by, and whether that holds it to its host.

A connected device of the host or of a client keeps a running VM from being moved; an image on a datastore does not, as
long as the other host sees that datastore (vCenter Server and host management guide, host configuration for vMotion).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyVmomi import vim

from ...api import data
from .state import VmState

DEVICE = vim.vm.device
CONNECTED = "host", "client"
KINDS: dict[str, tuple[str, int, int, str]] = {
    "cd": ("VirtualCdrom", 3000, 200, "CD/DVD drive 1"),
    "floppy": ("VirtualFloppy", 8000, 400, "Floppy drive 1"),
    "usb": ("VirtualUSB", 20000, 14000, "USB 1"),
    "serial": ("VirtualSerialPort", 9000, 400, "Serial port 1"),
    "parallel": ("VirtualParallelPort", 10000, 400, "Parallel port 1"),
}
"""Word of a lab -> type, key, controller and label (keys as vCenter counts them)."""
BACKINGS: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("cd", "image"): ("IsoBackingInfo", {}),
    ("cd", "host"): ("AtapiBackingInfo", {"deviceName": "/dev/cdrom"}),
    ("cd", "client"): ("RemotePassthroughBackingInfo", {"deviceName": "", "exclusive": False}),
    ("floppy", "image"): ("ImageBackingInfo", {}),
    ("floppy", "host"): ("DeviceBackingInfo", {"deviceName": "/dev/fd0"}),
    ("floppy", "client"): ("RemoteDeviceBackingInfo", {"deviceName": ""}),
    ("usb", "host"): ("USBBackingInfo", {"deviceName": "path:1/0/1 version:2"}),
    ("usb", "client"): ("RemoteClientBackingInfo", {"deviceName": "", "hostname": "desk.lab"}),
    ("serial", "image"): ("FileBackingInfo", {}),
    ("serial", "host"): ("DeviceBackingInfo", {"deviceName": "/dev/char/serial/uart0"}),
    ("parallel", "image"): ("FileBackingInfo", {}),
    ("parallel", "host"): ("DeviceBackingInfo", {"deviceName": "/dev/char/parallel/0"}),
}
MEDIA_KEYS = {*KINDS, "connected", "datastore"}


def problem(entry: Mapping[str, Any]) -> str:
    """What is wrong with an entry of a lab, or nothing."""
    words = [word for word in KINDS if word in entry]
    if len(words) != 1 or not set(entry) <= MEDIA_KEYS:
        return f"a medium is one of {', '.join(KINDS)} with connected and datastore, not {dict(entry)!r}"
    if (words[0], str(entry[words[0]])) not in BACKINGS:
        sources = ", ".join(source for word, source in BACKINGS if word == words[0])
        return f"{words[0]} is backed by {sources}, not {entry[words[0]]!r}"
    return ""


def devices(vm: VmState) -> list[Any]:
    """The devices the lab gives it; USB comes with its controller."""
    found = []
    for entry in vm.spec.media:
        word = next(word for word in KINDS if word in entry)
        name, key, controller, label = KINDS[word]
        backing_name, values = BACKINGS[word, str(entry[word])]
        cls = getattr(DEVICE, name)
        if entry[word] == "image":
            store = str(entry.get("datastore", vm.spec.datastore))
            values = {"fileName": f"[{store}] media/{word}.img"}
        starts = bool(entry.get("connected", True))
        if word == "usb":
            info = data.new(vim.Description, label="USB xHCI controller", summary="USB xHCI controller")
            found.append(data.new(DEVICE.VirtualUSBXHCIController, key=controller, deviceInfo=info, busNumber=0))
        extra = (
            {"yieldOnPoll": True} if word == "serial" else {"connected": starts and vm.is_on} if word == "usb" else {}
        )
        found.append(
            data.new(
                cls,
                key=key,
                deviceInfo=data.new(vim.Description, label=label, summary=backing_name),
                controllerKey=controller,
                unitNumber=0,
                backing=data.new(getattr(cls, backing_name), **values),
                connectable=data.new(
                    DEVICE.VirtualDevice.ConnectInfo,
                    startConnected=starts,
                    allowGuestControl=True,
                    connected=starts and vm.is_on,
                ),
                **extra,
            )
        )
    return found


def holding(vm: VmState) -> str:
    """Label of the first connected device that is the host's or a client's."""
    if not vm.is_on:
        return ""
    for device in vm.get("config").hardware.device:
        linked = getattr(device, "connectable", None)
        if isinstance(device, _HELD) and linked is not None and linked.connected and _is_held(device.backing):
            return str(device.deviceInfo.label)
    return ""


_HELD: tuple[Any, ...] = tuple(getattr(DEVICE, name) for name, *_rest in KINDS.values())
_CONNECTABLE: tuple[Any, ...] = (*_HELD, DEVICE.VirtualEthernetCard)


def _is_held(backing: Any) -> bool:
    """A USB device of a client follows the machine (vSphere virtual machine administration guide, USB)."""
    held = (DEVICE.VirtualDevice.DeviceBackingInfo, DEVICE.VirtualDevice.RemoteDeviceBackingInfo)
    return isinstance(backing, held) and not isinstance(backing, DEVICE.VirtualUSB.RemoteClientBackingInfo)


def connect(vm: VmState, on: bool) -> None:
    """What starts connected is connected while the VM runs, nothing while it is off."""
    if not (vm.spec.media or vm.spec.captured_media) and "config" not in vm.props:
        return  # nobody has looked yet: it is built as the VM is then
    with vm.edit("config") as config:
        for device in config.hardware.device:
            if isinstance(device, _CONNECTABLE) and device.connectable is not None:
                device.connectable.connected = on and device.connectable.startConnected
                if isinstance(device, DEVICE.VirtualUSB):
                    device.connected = device.connectable.connected
