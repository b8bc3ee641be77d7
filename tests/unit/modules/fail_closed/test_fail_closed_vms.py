# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is not known of a VM, or of the VMs of a host: no device is given away or taken, no VM is stopped, no memory is given up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.read import vm_hardware
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.read import vms as read_vms
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.rolling import filter
from tests.unit.modules.fail_closed.dangers import Allowed, State, dangers
from tests.unit.modules.fail_closed.fading import WAYS, Fade, Seen, Way, unexplained, watched
from tests.unit.modules.fail_closed.left_out import Frugal
from tests.unit.modules.harness import Lab

T4 = {"match": "10de:1eb8"}
READY = {"enabled": True, "active": True}
CARDS = ("3b", "5e", "86", "af", "d8")
ON = {"host": "esx-1", "power": "on", "memory_gb": 4}
VMS: tuple[dict[str, Any], ...] = (
    {"name": "owner", **ON, "devices": [{"fixed": "0000:3b:00.0"}]},
    {"name": "parked", **ON, "power": "off", "devices": [{"fixed": "0000:86:00.0"}]},
    {"name": "dynamic", **ON, "devices": [{"dynamic": "10de:1eb8"}]},
    {"name": "deaf", **ON, "tools": False, "devices": [{"fixed": "0000:af:00.0"}]},
    {"name": "tolerant", **ON, "fault_tolerance": "running"},
    {"name": "fast", **ON, "latency_sensitivity": "high"},
    {"name": "web", **ON},
    {"name": "local", **ON, "datastore": "local-1"},
    {"name": "burner", **ON, "media": [{"cd": "host"}]},
    {"name": "agent", **ON, "managed_by": "com.vmware.vim.eam"},
    {"name": "plain", **ON, "power": "off"},
    {"name": "mould", "host": "esx-1", "template": True},
)


def vcenter(version: str) -> dict[str, Any]:
    """Two hosts, and on the first one VMs of every kind. Releases before 7.0 have no dynamic devices."""
    old = version < "7"
    cards = [{"card": "t4", "at": bus, **READY} for bus in CARDS]
    host = {
        "name": "esx-{}.lab",
        "count": 2,
        "version": version,
        "cards": [*cards, {"card": "nvme-data", "at": "17", "datastore": "local-{}"}],
    }
    cluster = {
        "name": "c1",
        "drs": "fullyAutomated",
        "hosts": [host],
        "vms": [vm for vm in VMS if not old or vm["name"] != "dynamic"],
    }
    return {
        "kind": "vcenter",
        "version": "8.0.3",
        "name": "vc.lab",
        "knobs": {"latency_needs_memory": "power_on", "boot_seconds": 60},
        "datacenters": [{"name": "DC1", "clusters": [cluster]}],
    }


PINNED = ("owner", "dynamic", "deaf", "local", "burner")
"""Running VMs of esx-1 that cannot be moved."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One task of a module, and what it may do to which VMs.

    ``but``: VMs of which all is known, as a gap of theirs ends the run before it comes to the others. ``every_way``: each property is
    taken away in each way every day, as no other task depends on it for the same VM.
    """

    module: str
    options: dict[str, Any]
    allowed: Allowed = field(default_factory=Allowed)
    but: tuple[str, ...] = ()
    every_way: bool = False
    version: str = "8.0.3"


HOST: dict[str, Any] = {"hosts": ["esx-1"]}
CASES: dict[str, Case] = {
    # One VM each for memory: where several are asked for, the refusal of one hides what would have been done to the others.
    "attach a fixed device": Case(
        module="vm_pci_device",
        options={"vm": ["plain"], "devices": [{**T4, "count": "all"}], "backing": "fixed", "power": "on", "mmio": {}},
        but=("plain",),
    ),
    "attach a fixed device, 6.7": Case(
        module="vm_pci_device",
        options={"vm": ["plain"], "devices": [{**T4, "count": "all"}], "backing": "fixed", "power": "on", "mmio": {}},
        but=("plain",),
        version="6.7.0",
    ),
    "attach a dynamic device": Case(
        module="vm_pci_device",
        options={"vm": ["plain"], "devices": [T4], "backing": "dynamic", "power": "on", "mmio": {}},
        but=("plain",),
    ),
    "detach from a VM that runs": Case(
        module="vm_pci_device",
        options={"vm": ["owner"], "devices": [], "state": "exactly", "unlock_memory": True, "power": "cycle"},
        allowed=Allowed(stops=("owner",)),
    ),
    "detach, VM kept as it runs": Case(
        module="vm_pci_device",
        options={"vm": ["dynamic", "parked"], "devices": [T4], "state": "absent", "unlock_memory": True},
    ),
    **{
        f"unlock memory of {vm}": Case(
            module="vm_memory_reservation", options={"vm": [vm], "state": "unlocked"}, every_way=True
        )
        for vm in ("owner", "parked", "dynamic", "tolerant", "fast")
    },
    **{
        f"reserve less memory of {vm}": Case(
            module="vm_memory_reservation",
            options={"vm": [vm], "state": "reserved", "reservation_mb": 512},
            every_way=True,
        )
        for vm in ("parked", "tolerant", "fast")
    },
    "disable devices": Case(
        module="host_passthrough", options={**HOST, "devices": [{**T4, "count": "all"}], "state": "disabled"}
    ),
    "disable devices, 6.7": Case(
        module="host_passthrough",
        options={**HOST, "devices": [{**T4, "count": "all"}], "state": "disabled"},
        version="6.7.0",
    ),
    "disable one device": Case(
        module="host_passthrough",
        options={
            **HOST,
            "devices": [{"match": {"vendor_id": "10de", "device_id": "1eb8", "address": "0000:3b:00.0"}}],
            "state": "disabled",
        },
    ),
    "maintenance": Case(module="host_maintenance", options={**HOST, "drain_timeout": 60}),
    "maintenance, evacuating": Case(
        module="host_maintenance", options={**HOST, "drain_timeout": 60, "evacuate_powered_off": True}
    ),
    "maintenance, but never stop": Case(
        module="host_maintenance",
        options={**HOST, "drain_timeout": 60, "pinned_vms": "shutdown_then_power_off", "never_stop": ["owner"]},
        allowed=Allowed(stops=PINNED[1:], off=PINNED[1:], pulls=("deaf",)),
    ),
    "maintenance, stopping": Case(
        module="host_maintenance",
        options={**HOST, "drain_timeout": 60, "pinned_vms": "shutdown_then_power_off"},
        allowed=Allowed(stops=PINNED, off=PINNED, pulls=("deaf",)),
    ),
    "rolling reboot": Case(module="host_rolling_reboot", options={**HOST, "reboot_if": "always", "drain_timeout": 60}),
    "rolling reboot, but never stop": Case(
        module="host_rolling_reboot",
        options={
            **HOST,
            "reboot_if": "always",
            "drain_timeout": 60,
            "pinned_vms": "shutdown_then_power_off",
            "never_stop": ["owner"],
        },
        allowed=Allowed(stops=PINNED[1:], pulls=("deaf",)),
    ),
    "rolling reboot, stopping": Case(
        module="host_rolling_reboot",
        options={**HOST, "reboot_if": "always", "drain_timeout": 60, "pinned_vms": "shutdown_then_power_off"},
        allowed=Allowed(stops=PINNED, pulls=("deaf",)),
    ),
}


LONG = (
    "unlock memory of dynamic",
    "reserve less memory of tolerant",
    "reserve less memory of fast",
    "attach a dynamic device",
    "detach, VM kept as it runs",
    "disable one device",
    "maintenance",
    "maintenance, but never stop",
    "rolling reboot, but never stop",
)
"""Those that are like others."""


def attempt(case: Case, fade: Fade | Frugal | None = None) -> tuple[list[str], Seen, dict[str, Any]]:
    """What was done that must not be, which properties were read for it, and the result."""
    lab = Lab.load(vcenter(case.version))
    lab.sim.clock.sleep(60)
    lab.sim.journal.clear()
    before = State.of(lab.sim)
    with watched(fade) as seen:
        result = lab._main(case.module, {**lab.credentials(), **case.options})
    return dangers(lab.sim, before, case.allowed), seen, result


@cache
def known(name: str) -> tuple[list[str], Seen, dict[str, Any]]:
    return attempt(CASES[name])


def fades(name: str, way: Way) -> Iterator[Fade]:
    """Of VMs, and the list that leads from a host to its VMs."""
    case, seen = CASES[name], known(name)[1]
    of = tuple(vm["name"] for vm in VMS if vm["name"] not in case.but) if case.but else ()
    turn = None if case.every_way else [other for other in CASES if other == name or other not in LONG].index(name)
    yield from (replace(fade, of=of) for fade in seen.fades("VirtualMachine", (way,), turn) if not means_none(fade))
    yield from (fade for fade in seen.fades("HostSystem", (way,)) if fade.path == "vm")


def means_none(fade: Fade) -> bool:
    """A VM of which it was never set is not highly sensitive to latency, whatever the simulated one is."""
    return (fade.path, fade.way) == ("config.latencySensitivity", "unset")


def cases() -> list[Any]:
    return [pytest.param(name, marks=pytest.mark.long if name in LONG else ()) for name in CASES]


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", cases())
def test_what_is_not_known_of_a_vm_never_does_harm(name: str, way: Way) -> None:
    """Every property of VMs that is read at all, taken away in this way. Each has a contradiction, or it is said why not."""
    found, seen, _result = known(name)
    assert found == []
    assert unexplained("VirtualMachine", seen) == []
    assert {str(fade): harm for fade in fades(name, way) if (harm := attempt(CASES[name], fade)[0])} == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_what_healthy_servers_leave_out_is_no_reason_to_refuse(name: str) -> None:
    _harm, _seen, usual = known(name)
    _harm, _seen, frugal = attempt(CASES[name], Frugal())
    assert {key: frugal.get(key) for key in SAID} == {key: usual.get(key) for key in SAID}


SAID = ("changed", "failed", "error_code", "msg", "summary", "changes", "not_done")


@pytest.mark.slow
def test_every_property_that_the_code_reads_of_vms_is_among_them() -> None:
    """What the code has in its lists is read in one of the runs."""
    read = {path for name in CASES for kind, path in known(name)[1].paths if kind == "VirtualMachine"}
    written = {
        *read_vms._ALWAYS,
        *read_vms._OF_HOLDERS,
        *read_vms.USER_PATHS,
        *vm_hardware.HARDWARE_PATHS,
        *filter._VM_PATHS,
    }
    assert written - read == set()
