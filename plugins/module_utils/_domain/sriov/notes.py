# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notes of ``host_sriov`` about a plan: uplinks, parameters of drivers, interrupt vectors. PRIVATE to the collection.

No note prevents a change, so who only compares does not need this file. Sources: API reference (HostKernelModuleSystem), vSphere
networking guide, chapter SR-IOV (an uplink may have virtual functions (VFs); interrupt vectors bound their number).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ..facts import Unknown
from ..host.virtual_functions import Selected
from ..observed.hosts import Host, HostDevice
from ..planning.plan import Plan, TargetPlan
from .checks import uplinks_of
from .plan import sriov_writes

MODULE_PARAMETER = "max_vfs"
"""The parameter with which drivers of NICs set the number of VFs of each port, in the order of the ports, without the API."""
MOST_VECTORS = 3072
"""3 times the VFs of Intel NICs and 2 times those of Emulex NICs must stay below this number (vSphere networking guide)."""
_VECTORS: Mapping[str, int] = {"8086": 3, "10df": 2, "19a2": 2}
"""Vendor id → interrupt vectors of a VF."""


def with_notes(hosts: Sequence[Host], plan: Plan) -> Plan:
    """The plan with its notes as warnings, each once."""
    by_id = {host.moid: host for host in hosts}
    return replace(plan, targets=tuple(_with_notes(by_id[target.moid], target) for target in plan.targets))


def _with_notes(host: Host, target: TargetPlan) -> TargetPlan:
    written = [Selected(device=write.device, number=write.virtual_functions) for write in sriov_writes(target.changes)]
    notes = [*_uplink_notes(host, written), *_driver_notes(host, written), *_vector_notes(host, written)]
    return replace(target, warnings=tuple(dict.fromkeys((*target.warnings, *notes)))) if notes else target


def _uplink_notes(host: Host, written: Iterable[Selected]) -> list[str]:
    """An uplink with VFs stays an uplink (vSphere networking guide), so it is no reason to refuse."""
    if host.fabric is None:
        return []
    uplinks = uplinks_of(host)
    return [
        f"{one.device.describe()} on {host.name} is {uplinks[one.device.address]}. It stays one. The number of its virtual functions "
        "changes at the next reboot only"
        for one in written
        if one.device.address in uplinks
    ]


def _driver_notes(host: Host, written: Iterable[Selected]) -> list[str]:
    """Parameters of drivers that set another number than the API."""
    return [note for one in written if (note := _driver_note(host, one))]


def _driver_note(host: Host, one: Selected) -> str:
    device, driver = one.device, one.device.driver
    options = host.module_options.get(driver)
    if options is None:
        return ""
    if isinstance(options, Unknown):
        return (
            f"The parameters of the driver {driver} on {host.name} are unknown ({options.gap}), so {MODULE_PARAMETER} may set another "
            "number"
        )
    number = _parameter_of(host, device, options)
    configured = device.sriov.configured if device.sriov is not None else 0
    if number is None or number in (one.number, configured):
        return ""
    return (
        f"The driver {driver} on {host.name} has the parameter {MODULE_PARAMETER}, which sets {number} virtual functions for "
        f"{device.describe()}, but {one.number} are desired. Which of the two is used is unknown. Remove the parameter: "
        f'esxcli system module parameters set -m {driver} -p "{_without_parameter(options)}"'
    )


def _parameter_of(host: Host, device: HostDevice, options: str) -> int | None:
    """The number that the driver's parameter sets for a function; None when it sets none."""
    values = [word.partition("=")[2] for word in options.split() if word.startswith(f"{MODULE_PARAMETER}=")]
    ports = sorted(other.address for other in host.devices if other.driver == device.driver)
    numbers = values[-1].split(",") if values else []
    place = ports.index(device.address) if device.address in ports else len(numbers)
    return int(numbers[place]) if place < len(numbers) and numbers[place].strip().isdecimal() else None


def _without_parameter(options: str) -> str:
    return " ".join(word for word in options.split() if not word.startswith(f"{MODULE_PARAMETER}="))


def _vector_notes(host: Host, written: Sequence[Selected]) -> list[str]:
    """A note when more VFs are configured than the host has interrupt vectors for: it then creates fewer."""
    if not written:
        return []
    numbers = {one.device.address: one.number for one in written}
    vectors = sum(
        _VECTORS.get(device.vendor_id, 0) * numbers.get(device.address, device.sriov.configured)
        for device in host.devices
        if device.sriov is not None
    )
    if vectors < MOST_VECTORS:
        return []
    return [
        f"{host.name} would need {vectors} interrupt vectors for the virtual functions of its Intel and Emulex NICs, and must stay below "
        f"{MOST_VECTORS}. It may create fewer virtual functions than configured"
    ]
