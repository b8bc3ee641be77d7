# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Troubles with automation tools themselves (docs/pains.md): check mode, repetition, cost, sessions, partial failure."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.unit.modules.contracts import KNOWS_9
from tests.unit.modules.harness import Lab
from tests.unit.pains.labs import (
    A100,
    FIRST,
    SECOND,
    active,
    desired,
    device,
    enabled,
    entry,
    host,
    lab,
    on,
    power,
    vm,
    written,
)
from tools.generate import is_documentation_only

MODULES = sorted(
    path.stem
    for path in (Path(__file__).parents[3] / "plugins" / "modules").glob("[a-z]*.py")
    if not is_documentation_only(path)
)

MODE: tuple[str, dict[str, Any]] = (
    "host_device_mode",
    {"hosts": ["esx9-01"], "devices": [{"match": "10de:20f1", "mode": "vgpu_mixed_size"}]},
)
# One call of each kind that has something to do in the lab below.
CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("host_passthrough", {"hosts": ["esx-02"], "devices": desired()}),
    ("host_passthrough", {"hosts": ["esx-01"], "devices": desired("10de:2235"), "state": "disabled"}),
    ("host_sriov", {"hosts": ["esx-04"], "devices": [{"match": "8086:1572", "virtual_functions": 4}]}),
    ("host_graphics", {"hosts": ["esx-02"], "assignment_policy": "consolidation"}),
    *([MODE] if KNOWS_9 else []),
    ("host_rolling_reboot", {"hosts": ["esx-03"]}),
    ("host_maintenance", {"hosts": ["esx-02"]}),
    ("rolling_reboot_pause", {"reason": "storage is being moved"}),
    ("vm_pci_device", {"vm": ["new-01"], "devices": desired(), "power": "on", "mmio": {}}),
    (
        "vm_pci_device",
        {"vm": ["old-01"], "devices": desired(), "state": "absent", "power": "cycle", "unlock_memory": True},
    ),
    ("vm_pci_device", {"vm": ["old-01"], "devices": [], "state": "exactly", "power": "off"}),
    ("vm_sriov_network", {"vm": ["nfv-01"], "sriov_networks": [], "state": "exactly"}),
    ("vm_memory_reservation", {"vm": ["new-01"]}),
    ("vm_memory_reservation", {"vm": ["old-02"], "state": "unlocked"}),
]
LOOKS: list[tuple[str, dict[str, Any]]] = [
    ("capture", {"path": str(Path(tempfile.gettempdir()) / "directpath-pains.json")}),
    ("drift_info", {"targets": [{"cluster": ["gpu"], "devices": desired()}], "scope": "fleet"}),
    ("end_session", {}),
    ("host_pci_device_info", {}),
    ("host_capacity_info", {}),
    ("intent_info", {}),
    ("rolling_reboot_info", {}),
    ("rolling_reboot_restore", {}),
    (
        "vm_guest_info",
        {"vms": ["new-01", "old-01"], "guest_user": "root", "guest_password": "Guest1!", "on_error": "report"},
    ),
    ("vm_pci_device_info", {}),
]


def site(module: str = "") -> Lab:
    """A cluster in which every module has something to do. Device modes are of vSphere 9.1 only."""
    if module == MODE[0]:
        return Lab.load("v9")
    waiting = {FIRST: {"enabled": True, "active": False}}
    return lab(
        [
            host("esx-01", [on(), on(), on("a40")]),
            host("esx-02"),
            host("esx-03", states=waiting, rebind=False),
            host("esx-04", ["x710"]),
        ],
        [
            vm("new-01"),
            vm("old-01", power="on", devices=[{"fixed": FIRST}]),
            vm("old-02", locked=True),
            vm("nfv-01", devices=[{"sriov": "auto", "network": "VM Network"}]),
        ],
    )


@pytest.mark.parametrize(("module", "options"), [*CHANGES, *LOOKS])
def test_a1_check_mode_writes_nothing(module: str, options: dict[str, Any]) -> None:
    checked = site(module)
    before = checked.sim.describe(checked.sim)
    forecast = checked.run(module, check=True, **options)
    assert checked.writes() == []
    assert checked.sim.describe(checked.sim) == before
    real = site(module).run(module, **options)
    assert (forecast["changed"], forecast.get("changes")) == (real["changed"], real.get("changes"))
    assert real["changed"] is ((module, options) in CHANGES)


@pytest.mark.parametrize(("module", "options"), CHANGES)
def test_a2_the_second_run_changes_nothing(module: str, options: dict[str, Any]) -> None:
    twice = site(module)
    assert twice.run(module, **options)["changed"]
    twice.sim.journal.clear()
    for check in (False, True):
        again = twice.run(module, check=check, **options)
        assert (again["changed"], again["changes"], again["diff"]) == (False, [], {"before": "", "after": ""})
    assert twice.writes() == []


def test_a3_every_module_has_check_mode() -> None:
    tried = {module for module, _unused in (*CHANGES, *LOOKS)}
    assert tried | {MODE[0]} == set(MODULES)
    for module, options in (*CHANGES, *LOOKS):
        result = site(module).run(module, check=True, **options)
        # A module without check mode answers "skipped" and nothing else.
        assert not result.get("skipped")


def _fleet(hosts: int) -> Lab:
    return lab([host(f"esx-{number:03d}", [on(), on()]) for number in range(hosts)])


def test_a7_calls_do_not_grow_with_the_fleet() -> None:
    calls = []
    for size in (5, 50):
        fleet = _fleet(size)
        result = fleet.run("host_passthrough", cluster=["gpu"], devices=desired())
        assert not result["changed"]
        fleet.run("host_pci_device_info")
        calls.append((result["calls"], fleet.calls()))
        paths = [
            path
            for call in fleet.sim.journal.calls
            if call.method == "RetrievePropertiesEx"
            for spec in call.args["specSet"]
            for properties in spec["propSet"]
            for path in properties.get("pathSet", ())
        ]
        assert "hardware.pciDevice" in paths
        assert not {"hardware", "config", "summary", "runtime"} & set(paths)
    assert calls[0] == calls[1]
    assert calls[1][0] <= 12


def test_a12_the_guest_is_waited_for() -> None:
    def running(**knobs: Any) -> Lab:
        return lab([host(cards=[on(), on()])], [vm(power="on", knobs=knobs)])

    options: dict[str, Any] = {"vm": ["train-01"], "devices": desired(), "power": "off", "shutdown_timeout": 120}
    slow = running(shutdown_seconds=100)
    slow.run("vm_pci_device", **options)
    assert power(slow) == "poweredOff"
    assert "PowerOffVM_Task" not in slow.writes()
    deaf = running(shutdown_guest_result="ignored")
    result = deaf.run("vm_pci_device", fails=True, **options)
    assert result["error_code"] == "shutdown_timed_out"
    assert power(deaf) == "poweredOn"
    assert "ReconfigVM_Task" not in deaf.writes()
    allowed = running(shutdown_guest_result="ignored")
    allowed.run("vm_pci_device", allow_power_off=True, **options)
    assert allowed.writes().index("PowerOffVM_Task") < allowed.writes().index("ReconfigVM_Task")


def test_2_changed_is_true_on_a_failure_after_changes() -> None:
    pair = lab([host("esx-01"), host("esx-02")])
    pair.sim.faults.add(method="UpdatePassthruConfig", after=1, fault="HostConfigFault", message="No.")
    result = pair.run("host_passthrough", fails=True, cluster=["gpu"], devices=desired(), max_concurrent=1)
    assert (result["changed"], result["error_code"]) == (True, "host_config_refused")
    assert {record["target"] for record in result["not_done"]} == {"esx-02"}
    assert (enabled(pair, "esx-01"), enabled(pair, "esx-02")) == ([FIRST, SECOND], [])


def test_6_what_one_cannot_say_elsewhere() -> None:
    for match in (A100, {"class_id": "0302"}, {"name": "*a100*"}):
        assert lab().run("host_passthrough", hosts=["esx-01"], devices=desired(match))["changed"]
    at_once = lab()
    at_once.run("host_passthrough", hosts=["esx-01"], devices=desired(), apply="now")
    later = lab()
    later.run("host_passthrough", hosts=["esx-01"], devices=desired(), apply="reboot")
    sent = [written(one, "UpdatePassthruConfig")[0]["config"][0]["applyNow"] for one in (at_once, later)]
    assert sent == [True, False]
    assert (active(at_once), active(later)) == ([FIRST, SECOND], [])
    empty = lab().run("host_passthrough", fails=True, hosts=["esx-01"], devices=[{}])
    assert "match" in empty["msg"]


@pytest.mark.parametrize("connection", ["disconnected", "notResponding"])
def test_7_a_host_that_is_down_stops_nobody_else(connection: str) -> None:
    fleet = lab([host("esx-01"), host("esx-02", connection=connection), host("esx-03")])
    result = fleet.run("host_passthrough", fails=True, cluster=["gpu"], devices=desired())
    assert (result["changed"], result["error_code"]) == (True, "host_unreachable")
    assert result["refused"] == ["esx-02"]
    assert device(result, name="esx-01")["active"]
    assert device(result, name="esx-03")["active"]


def test_8_a_busy_vcenter_and_a_lost_session_are_survived() -> None:
    busy = lab()
    busy.sim.faults.add(method="RetrievePropertiesEx", http=503, times=3)
    busy.sim.faults.add(method="RetrievePropertiesEx", after=2, times=1, latency=10)
    busy.sim.clock.call_later(9, busy.sim.sessions.close_all)
    result = busy.run("host_passthrough", hosts=["esx-01"], devices=desired())
    assert entry(result)["status"] == "changed"
    assert active(busy) == [FIRST, SECOND]
    assert busy.sim.journal.counters.logins == 2
    assert len(written(busy, "UpdatePassthruConfig")) == 1


def test_11_one_login_a_run() -> None:
    gpus = site()
    for module, options in CHANGES[:1]:
        gpus.run(module, **options)
    counted = gpus.sim.journal.counters.methods
    assert (counted["Login"], counted["Logout"]) == (1, 1)
