# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Device modes of a host over the Automation API: the only way to write them. PRIVATE to the collection.

Sources: vSphere Automation API reference 9.1, vcenter/host/{host}/hardware/direct-path-devices (list: System.Read, pages of 256; configure
as a task: Host.Config.PciPassthru; ConfigureImpact), and cis/tasks (Cis Task Info).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from ..._domain.errors import DirectPathError
from ..._domain.observed.hosts import Host
from ..._domain.planning.details import ModeWrite
from ..session.connect import Session
from ..session.faults import CONNECTION_ERRORS, explain_connection
from ..session.transport import AUTOMATION, RefusedApart
from .tags import Automation, NoAnswer

CONFIGURE = f"{AUTOMATION}.configure"
MOST_PAGES = 64
"""More devices than any host has. A server that repeats itself must not be asked for ever."""
PAUSE = 1.0
_CURE = "Check that vCenter is of release 9.1 or later, and that the vSphere Client shows the modes of the PCI devices of the host"
_ADDRESS = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", re.IGNORECASE)
_IMPACTS: Mapping[str, str] = {
    "NONE": "none",
    "HOST_MAINTENANCE_MODE_REQUIRED": "maintenance_mode",
    "HOST_REBOOT_REQUIRED": "reboot",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedDevice:
    """A device as the Automation API lists it. ``id``: for ``configure``. ``vms``: ids of VMs that use it."""

    id: str
    address: str
    mode: str
    offered: tuple[str, ...]
    vms: tuple[str, ...]


@dataclass(kw_only=True)
class DeviceModes:
    """The device modes of the hosts of a vCenter. ``api``: the caller closes it."""

    session: Session
    api: Automation
    timeout: float

    def devices(self, host: Host) -> Mapping[str, ListedDevice]:
        """Address → device, of all devices that have modes. One request for each 256. Raises DirectPathError."""
        found: dict[str, ListedDevice] = {}
        marker, path = "", f"/api/vcenter/host/{quote(host.moid, safe='')}/hardware/direct-path-devices"
        for _number in range(MOST_PAGES):
            asked = f"{path}?{urlencode({'marker': marker})}" if marker else path
            rows, marker = self.api.read(
                asked, _page, what=f"the device modes of {host.name}", code="device_modes_unreadable", cure=_CURE
            )
            found |= {device.address: device for device in rows}
            if not marker:
                return found
        raise DirectPathError(
            message=f"The list of the device modes of {host.name} does not end",
            code="device_modes_unreadable",
            cure=_CURE,
        )

    def configure(self, host: Host, write: ModeWrite, listed: Mapping[str, ListedDevice]) -> tuple[str, ...]:
        """Configure one device, wait for the task, and return its impacts: ``maintenance_mode``, ``reboot``, or empty.

        Raises DirectPathError. Nothing was changed then, unless the code is in ``faults.UNCERTAIN`` or ``task_timed_out``.
        """
        device = _checked(host, write, listed.get(write.device.address))
        path = (
            f"/api/vcenter/host/{quote(host.moid, safe='')}/hardware/direct-path-devices?action=configure&vmw-task=true"
        )
        doing = f"change the mode of {write.device.address}"
        try:
            body = {"device": device.id, "new_mode": write.mode.upper()}
            task = self.api.send_write(path, body, name=CONFIGURE, moid=host.moid)
        except RefusedApart as refused:
            raise _refused(host, write, str(refused)) from refused
        except NoAnswer as error:
            raise _refused(host, write, str(error)) from error
        except CONNECTION_ERRORS as error:
            raise explain_connection(error, doing=doing, on=host.name) from error
        return self._result(host, write, str(task))

    def _result(self, host: Host, write: ModeWrite, task: str) -> tuple[str, ...]:
        ends = self.session.clock() + self.timeout
        path = f"/api/cis/tasks/{quote(task, safe='')}"
        while True:
            status, impacts, problem = self.api.read(
                path, _task, what=f"the task that changes {write.device.address}", code="no_answer", cure=_CURE
            )
            if status == "SUCCEEDED":
                return impacts
            if status == "FAILED":
                raise _refused(host, write, problem or "vCenter gives no reason")
            if self.session.clock() >= ends:
                raise DirectPathError(
                    message=f"The task that changes the mode of {write.device.address} on {host.name} has not ended after "
                    f"{self.timeout:.0f} seconds ({status.lower()})",
                    code="task_timed_out",
                    cure="Check the recent tasks in the vSphere Client, then run the task again: it reads the current mode first",
                )
            self.session.sleep(PAUSE)


def _checked(host: Host, write: ModeWrite, device: ListedDevice | None) -> ListedDevice:
    """The device as the server lists it now. No other rule guards a write over this API, so what it does not list is not sent."""
    where = f"{write.device.describe()} on {host.name}"
    if device is None:
        raise DirectPathError(
            message=f"{where} is not among the devices that the Automation API lists for this host",
            code="mode_device_unknown",
            cure="Check that the host is of release 9.1 or later. host_pci_device_info lists its devices with modes",
        )
    if device.vms:
        raise DirectPathError(
            message=f"The mode of {where} was not changed: VMs use the device ({', '.join(device.vms)})",
            code="in_use",
            cure="Power off these VMs, then run the task again",
        )
    if write.mode not in device.offered:
        raise DirectPathError(
            message=f"{where} cannot be configured to mode {write.mode}; it offers {', '.join(device.offered) or 'no mode'}",
            code="mode_not_offered",
            cure="Give a mode that the device offers",
        )
    return device


def _refused(host: Host, write: ModeWrite, why: str) -> DirectPathError:
    return DirectPathError(
        message=f"vCenter refused to change the mode of {write.device.describe()} on {host.name} to {write.mode}: {why}",
        code="mode_refused",
        cure="Check that the account has the privilege Host.Config.PciPassthru on the host, and that no VM uses the device",
    )


def _page(body: Any) -> tuple[list[ListedDevice], str]:
    """Raises KeyError and TypeError for another format."""
    rows = body["items"]
    if not isinstance(rows, list):
        raise TypeError
    return [device for row in rows if (device := _device(row)) is not None], str(body.get("marker") or "")


def _device(row: Any) -> ListedDevice | None:
    """None for a device whose id has no PCI address."""
    info, found = row["info"], _ADDRESS.search(str(row["device"]))
    if found is None:
        return None
    return ListedDevice(
        id=str(row["device"]),
        address=found[0].lower(),
        mode=str(info["current_mode"]).lower(),
        offered=_lower(info["configurable_modes"]),
        vms=tuple(sorted(map(str, info.get("vms") or ()))),
    )


def _lower(values: Iterable[Any]) -> tuple[str, ...]:
    return tuple(sorted(str(value).lower() for value in values))


def _task(body: Any) -> tuple[str, tuple[str, ...], str]:
    """Status, impacts, and the text of an error."""
    status = str(body["status"])
    impacts = (body.get("result") or {}).get("configure_impacts") or ()
    said = tuple(_IMPACTS.get(str(impact), str(impact).lower()) for impact in impacts)
    texts = [str(one.get("default_message") or "") for one in (body.get("error") or {}).get("messages") or ()]
    return status, tuple(impact for impact in said if impact != "none"), " ".join(filter(None, texts)).rstrip(".")
