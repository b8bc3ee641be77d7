# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modes of the PCI devices of a host over the Automation API (9.1), and the task that a change of a mode is.

Sources: vSphere Automation API reference 9.1, vcenter/host/{host}/hardware/direct-path-devices: list (System.Read; IterationSpec: pages of
256, FilterSpec, ListDetails) and configure as a task (Host.Config.PciPassthru; ConfigureSpec, ConfigureResult), both below ``/api`` only;
cis/tasks: get (Cis Task Info, Cis Task Status). The name of ``marker`` in a page and what an id looks like are not confirmed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.base import ManagedObject
from ..objects.host import cards as host_cards
from ..objects.host import power as host_power
from ..objects.host.state import HostState
from ..rules import faults
from ..rules.pci.device_modes import MODES, ModeRefused, configure, in_effect
from .operations import Ask, Key, Operation
from .tags import Refusal

if TYPE_CHECKING:
    from ..core.tasks import Task

SINCE = (9, 1)
PAGE = 256
SERVICE = "com.vmware.vcenter.host.hardware.direct_path_devices"
_STATUS = {"queued": "PENDING", "running": "RUNNING", "success": "SUCCEEDED", "error": "FAILED"}


def _host(ask: Ask) -> HostState:
    """Raises Refusal where there is no such host, or the release has no device modes."""
    release = tuple(int(part) for part in ask.sim.product_version.split("."))
    if release < SINCE:
        raise Refusal("not_found", "There are no DirectPath devices here", "simulator.direct_path_devices.not_found")
    host = ask.sim.registry.find(ask.address.id)
    if not isinstance(host, HostState):
        raise Refusal("not_found", f"There is no host {ask.address.id}")
    return host


def _require(ask: Ask, privilege: str, on: ManagedObject) -> None:
    if not ask.allows(privilege, on):
        raise Refusal("unauthorized", f"You do not have the privilege {privilege}")


def _device_ids(host: HostState) -> dict[str, str]:
    """Id → address of the devices that have modes."""
    prefix = "pci-" if host.settings.device_id_form == "prefixed" else ""
    functions = host.spec.layout.functions.items() if host.release >= SINCE else ()
    return {f"{prefix}{address}": address for address, item in functions if item.modes}


def _list(ask: Ask) -> Any:
    host = _host(ask)
    _require(ask, "System.Read", host)
    query = ask.address.query
    if strange := sorted(set(query) - {"devices", "page_size", "marker"}):
        raise Refusal("invalid_argument", f"not modelled: {', '.join(strange)}", "simulator.not_modelled")
    known = _device_ids(host)
    chosen = [key for key in known if key in query.get("devices", known)]
    try:
        size, first = int(query.get("page_size", [str(PAGE)])[-1]), int(query.get("marker", ["0"])[-1])
    except ValueError:
        raise Refusal("invalid_argument", "page_size or marker is not valid") from None
    if not 0 < size <= PAGE or not 0 <= first <= len(chosen):
        raise Refusal("invalid_argument", "page_size or marker is not valid")
    page: dict[str, Any] = {
        "items": [{"device": key, "info": _info(host, known[key])} for key in chosen[first : first + size]]
    }
    if first + size < len(chosen):
        page["marker"] = str(first + size)
    return page


def _info(host: HostState, address: str) -> dict[str, Any]:
    item, state = host.spec.layout.functions[address], host.pci[address]
    return {
        "name": item.device_name,
        "current_mode": MODES[in_effect(state)],
        "configurable_modes": [MODES[mode] for mode in item.modes],
        "vms": _users(host, address),
        "direct_path_profiles": [],
    }


def _configure(ask: Ask) -> Any:
    host = _host(ask)
    _require(ask, "Host.Config.PciPassthru", host)
    if ask.address.query.get("vmw-task") != ["true"]:
        raise Refusal("not_found", "configure is a task: vmw-task=true is missing")
    device, wanted = ask.given.get("device"), ask.given.get("new_mode")
    address = _device_ids(host).get(str(device))
    if address is None:
        raise Refusal("not_found", f"There is no DirectPath device {device}")
    named = {text: mode for mode, text in MODES.items()}
    if wanted is not None and wanted not in named:
        raise Refusal("invalid_argument", f"new_mode {wanted!r} is not a mode")
    if host.connection != "connected":
        raise Refusal("internal_server_error", f"The host {host.name} is not connected")

    def body(task: Task) -> None:
        try:
            impact = "NONE" if wanted is None else _configured(host, address, named[str(wanted)])
            ask.sim.mode_tasks[task.moid] = {"configure_impacts": [impact]}
        except ModeRefused as refused:
            ask.sim.mode_tasks[task.moid] = {"refused": str(refused)}
            raise faults.config_refusal("host_config_fault", str(refused)) from None

    started = ask.sim.start_task(
        None, host, "com.vmware.vcenter.host.hardware.directPathDevices.configure", body,
        duration=host.settings.device_mode_seconds,
    )  # fmt: skip
    ask.sim.mode_tasks[started.moid] = {}
    return f"{started.moid}:{SERVICE}"


def _task(ask: Ask) -> Any:
    moid = ask.address.id.partition(":")[0]
    found = ask.sim.registry.find(moid)
    if found is None or moid not in ask.sim.mode_tasks:
        raise Refusal("not_found", f"There is no task {ask.address.id}")
    task: Any = found
    _require(ask, "System.Read", task)
    noted = ask.sim.mode_tasks[moid]
    state = str(task.info.state)
    answer: dict[str, Any] = {
        "status": _STATUS[state],
        "service": SERVICE,
        "operation": "configure$task",
        "cancelable": False,
        "description": {"id": f"{SERVICE}.configure", "default_message": "Configure DirectPath device", "args": []},
    }
    if state == "success":
        answer["result"] = noted
    elif state == "error":
        text = noted.get("refused") or str(getattr(task.info.error, "msg", "") or type(task.info.error).__name__)
        answer["error"] = {
            "error_type": "NOT_ALLOWED_IN_CURRENT_STATE",
            "messages": [{"id": f"{SERVICE}.configure.failed", "default_message": text, "args": []}],
        }
    return answer


def _users(host: HostState, address: str) -> list[str]:
    """Ids of the VMs that have a device now."""
    shared = [ref._moId for ref in host_cards.vgpu_users(host).get(address, [])]
    holder = host.holders.get(address)
    return sorted({*shared, *([holder] if holder else [])})


def _configured(host: HostState, address: str, new_mode: str) -> str:
    """Configure a device; the impact. Raises ModeRefused."""
    item, state = host.spec.layout.functions[address], host.pci[address]
    rebinds = host.spec.rebind and state.resettable
    after, impact = configure(
        state, new_mode, item.modes, host.settings, rebinds=rebinds, used=bool(_users(host, address))
    )
    if after != state:
        host.pci[address] = after
        if host_power.has_boot_bank(host):
            host.saved = dict(host.pci)
        host.changed_devices()
        delay = host.settings.info_delay_seconds
        if delay >= 0 and host.publish_timer is None:
            host.publish_timer = host.sim.clock.call_later(delay, host.publish)
    return impact


DEVICE_MODES: dict[Key, Operation] = {
    ("GET", "direct-path-devices", True, ""): Operation(method="DirectPathDevices.List", run=_list),
    ("POST", "direct-path-devices", True, "configure"): Operation(
        method="DirectPathDevices.Configure", run=_configure, done=202
    ),
    ("GET", "tasks", True, ""): Operation(method="Tasks.Get", run=_task),
}
"""Reading, configuring, and the task of it. What VM classes and profiles a device serves is not modeled."""
