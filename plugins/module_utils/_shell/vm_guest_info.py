# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module vm_guest_info, from its parameters to its result. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from .._domain.errors import DirectPathError, InputError
from .._domain.facts import Fact, Unknown
from .._domain.guest.probe import parse_report, probe_of
from .._domain.guest.report import GpuTool, GuestDevice, GuestError, GuestOs, GuestReport, StorageController
from .._domain.guest.verdict import same_machine
from .._domain.names import Reference
from .._domain.observed.vms import VmName
from .._vsphere.guest.account import GuestAccount
from .._vsphere.guest.route import Managers, ToolsRoute, read_managers
from .._vsphere.guest.tools import ToolsState, read_tools
from .._vsphere.read.hosts import read_names
from .._vsphere.session.connect import Session
from .engine.observe import find_vms

Status: TypeAlias = Literal["read", "failed", "not_run"]
NOT_RUN = "Check mode runs nothing in a guest, so its devices are unknown"


@dataclass(frozen=True, kw_only=True)
class GuestQuery:
    """The parameters of vm_guest_info. ``os``: None means what vSphere shows. ``timeout``: seconds for each VM."""

    vms: tuple[str, ...]
    account: GuestAccount
    os: GuestOs | None
    commands: tuple[str, ...]
    only_exit_codes: bool
    timeout: int
    fails: bool

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> GuestQuery:
        """Read the parameters. Raises InputError (no_vms, no_commands)."""
        if not params["vms"]:
            raise InputError(message="No VM is named", code="no_vms", parameter="vms", cure="Name at least one VM")
        commands = tuple(params["commands"] or ())
        only_exit_codes = params["gather"] == "exit_codes"
        if only_exit_codes and not commands:
            raise InputError(
                message="gather: exit_codes reads nothing but the exit codes of commands, and there are none",
                code="no_commands",
                parameter="commands",
                cure="Set commands, or gather: report",
            )
        return cls(
            vms=tuple(dict.fromkeys(params["vms"])),
            account=GuestAccount(username=params["guest_user"], password=params["guest_password"]),
            os=None if params["os"] == "auto" else params["os"],
            commands=commands,
            only_exit_codes=only_exit_codes,
            timeout=params["guest_timeout"],
            fails=params["on_error"] == "fail",
        )


@dataclass(frozen=True, kw_only=True)
class GuestAnswer:
    """What is known of the guest of one VM. ``exit_codes``: of the commands, in their order."""

    name: VmName
    status: Status
    state: ToolsState | None = None
    os: GuestOs | None = None
    report: GuestReport | None = None
    output: str | None = None
    exit_codes: tuple[int, ...] | None = None
    error: DirectPathError | None = None
    warnings: tuple[str, ...] = ()


def observe(session: Session, query: GuestQuery) -> tuple[GuestAnswer, ...]:
    """Ask the guests, one after another. What goes wrong with one is part of its answer. Raises InputError for an unknown name."""
    inventory = read_names(session)
    meant = set(find_vms(inventory, [Reference(name) for name in query.vms]).values())
    names = [vm for vm in inventory.vms if vm.moid in meant]
    states = read_tools(session, names)
    managers = read_managers(session) if session.stub.in_guest else None
    return tuple(_answer(session, managers, query, name, states.get(name.moid)) for name in names)


def _answer(
    session: Session, managers: Managers | None, query: GuestQuery, name: VmName, state: ToolsState | None
) -> GuestAnswer:
    if state is None:
        gone = DirectPathError(
            message=f"{name.name} was removed after it was read", code="vanished", cure="Run the task again"
        )
        return GuestAnswer(name=name, status="failed", error=gone)
    os = query.os or state.os
    if managers is None:
        return GuestAnswer(name=name, status="not_run", state=state, os=os, warnings=(NOT_RUN,))
    try:
        if os is None:
            raise _unknown_os(state)
        route = ToolsRoute(session, managers, state, query.account, timeout=query.timeout)
        route.wait_ready()
        if query.only_exit_codes:
            codes = tuple(route.exit_code(os, command) for command in query.commands)
            return GuestAnswer(name=name, status="read", state=state, os=os, exit_codes=codes)
        return _read_report(route, query, state, os)
    except DirectPathError as error:
        return GuestAnswer(name=name, status="failed", state=state, os=os, error=error)


def _read_report(route: ToolsRoute, query: GuestQuery, state: ToolsState, os: GuestOs) -> GuestAnswer:
    ended = route.output(os, probe_of(os, query.commands))
    text = ended.output.decode("utf-8-sig", errors="replace")
    try:
        report = parse_report(os, text)
    except GuestError as error:
        if ended.exit_code:
            error.message = f"{error.message.rstrip('.')}. The exit code of the probe is {ended.exit_code}"
        raise
    left = (f"The temporary file {ended.left} could not be removed from the guest",) if ended.left else ()
    return GuestAnswer(
        name=state.name,
        status="read",
        state=state,
        os=os,
        report=report,
        output=text,
        exit_codes=tuple(code for _number, code in sorted(report.commands.items())),
        warnings=left,
    )


def _unknown_os(state: ToolsState) -> DirectPathError:
    return DirectPathError(
        message=f"It is unknown whether the guest of {state.name.name} is Linux or Windows "
        f"(guest OS of the VM: {state.guest_id or 'unknown'})",
        code="guest_os_unknown",
        parameter="os",
        cure="Set os: linux or os: windows",
    )


def render(answers: tuple[GuestAnswer, ...], query: GuestQuery) -> dict[str, Any]:
    """The result. It contains ``failed`` when a guest could not be read, unless the query says otherwise."""
    result: dict[str, Any] = {"vms": [_record(answer) for answer in answers]}
    errors = [(answer.name.name, answer.error) for answer in answers if answer.error is not None]
    if errors and query.fails:
        result["failed"] = True
        result["msg"] = " ".join(f"{name}: {error.sentence()}" for name, error in errors)
        result["error_code"] = errors[0][1].code
    return result


def _record(answer: GuestAnswer) -> dict[str, Any]:
    state, report, error = answer.state, answer.report, answer.error
    return {
        "name": answer.name.name,
        "moid": answer.name.moid,
        "path": answer.name.path,
        "power_state": state.power_state if state is not None else "unknown",
        "uuid": (state.uuid or None) if state is not None else None,
        "uuid_matches": _is_same(state, report),
        "tools": _tools(state),
        "os": answer.os,
        "status": answer.status,
        "report": _report(report) if report is not None else None,
        "output": answer.output,
        "exit_codes": list(answer.exit_codes) if answer.exit_codes is not None else None,
        "error": error.sentence() if error is not None else None,
        "error_code": error.code if error is not None else None,
        "warnings": list(answer.warnings),
    }


def _tools(state: ToolsState | None) -> dict[str, Any]:
    if state is None:
        return {"running": None, "version": None, "ready": None}
    return {"running": state.running or None, "version": state.version or None, "ready": state.ready}


def _is_same(state: ToolsState | None, report: GuestReport | None) -> bool | None:
    """Whether the guest shows the UUID of the VM; None when one of them is unknown."""
    if state is None or report is None or isinstance(report.uuid, Unknown):
        return None
    digits = state.uuid.replace("-", "").lower()
    return same_machine(report.uuid, digits) if len(digits) == 32 else None


def _report(report: GuestReport) -> dict[str, Any]:
    """All facts of a report. A fact that is unknown is None, and ``unknown`` has the reason."""
    unknown = [str(fact.gap) for fact in _facts(report) if isinstance(fact, Unknown)]
    return {
        "os": report.os,
        "uuid": _known(report.uuid),
        "kernel": report.kernel,
        "boot_id": report.boot_id,
        "uptime": report.uptime,
        "devices": [_device(device) for device in report.devices],
        "gpu_tool": _gpu_tool(report.gpu_tool),
        "commands": [code for _number, code in sorted(report.commands.items())],
        "unknown": list(dict.fromkeys(unknown)),
    }


def _facts(report: GuestReport) -> list[Fact[Any]]:
    of_devices = [fact for item in report.devices for fact in (item.driver, item.decoding, item.unplaced)]
    return [report.uuid, *of_devices]


def _known(fact: Fact[Any]) -> Any:
    return None if isinstance(fact, Unknown) else fact


def _device(device: GuestDevice) -> dict[str, Any]:
    unplaced = _known(device.unplaced)
    return {
        "address": device.address,
        "ids": device.ids,
        "vendor_id": device.vendor_id,
        "device_id": device.device_id,
        "subvendor_id": device.subvendor_id,
        "subdevice_id": device.subdevice_id,
        "class_id": device.class_id,
        "name": device.name,
        "driver": _known(device.driver),
        "answers": device.answers,
        "decoding": _known(device.decoding),
        "unplaced_bars": None if unplaced is None else list(unplaced),
        "placed_bars": device.placed,
        "problem": device.problem,
        "nvme": [_controller(item) for item in device.controllers],
        "links": [{"name": item.name, "state": item.state, "is_up": item.is_up} for item in device.links],
    }


def _controller(item: StorageController) -> dict[str, Any]:
    return {"name": item.name, "state": item.state, "namespace_bytes": list(item.namespaces)}


def _gpu_tool(tool: GpuTool | None) -> dict[str, Any] | None:
    if tool is None:
        return None
    gpus = [
        {"address": gpu.address, "ids": gpu.ids, "memory_mb": gpu.memory_mb, "uuid": gpu.uuid, "name": gpu.name}
        for gpu in tool.gpus
    ]
    return {"status": tool.status, "gpus": gpus, "message": tool.message}
