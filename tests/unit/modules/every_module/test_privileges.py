# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of privileges in docs/guides/privileges.md: what it lists is enough, and nothing in it is idle."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.unit.modules.contracts import contracts
from tests.unit.modules.harness import Lab
from tests.unit.pains.labs import FIRST, desired, host, lab, on, power, vm

GUIDE = Path(__file__).parents[4] / "docs" / "guides" / "privileges.md"
RAW, PLAIN = "VirtualMachine.Config.RawDevice", "VirtualMachine.Config.AddRemoveDevice"
BASE = {RAW, PLAIN, "VirtualMachine.Config.Resource"}
EDIT = "VirtualMachine.Config.EditDevice"
HOT_ADD = {"VirtualMachine.Config.Memory", "VirtualMachine.Config.CPUCount"}
POWER = {"VirtualMachine.Interact.PowerOn", "VirtualMachine.Interact.PowerOff"}
DVX = {"name": "d", "parameters": {"n": {}}}
ATTACH: dict[str, Any] = {"vm": ["train-01"], "devices": desired()}

JOURNAL = {"Global.SetCustomField", "Global.ManageCustomFields"}
ROLL: dict[str, Any] = {"hosts": ["esx-03"], "journal": "vcenter"}

# What is done, and with which privileges beside Read-only.
DEEDS: list[tuple[str, dict[str, Any], set[str]]] = [
    ("host_passthrough", {"hosts": ["esx-02"], "devices": desired()}, {"Host.Config.PciPassthru"}),
    ("host_rolling_reboot", {"hosts": ["esx-03"], "journal": "file"}, {"Host.Config.Maintenance"}),
    ("vm_pci_device", ATTACH, BASE),
    ("vm_pci_device", {**ATTACH, "mmio": {}}, BASE | {"VirtualMachine.Config.AdvancedConfig"}),
    ("vm_pci_device", {**ATTACH, "disable_hot_add": True}, BASE | HOT_ADD),
    (
        "vm_pci_device",
        {**ATTACH, "vm": ["old-01"], "minimum_hardware_version": 20},
        BASE | {"VirtualMachine.Config.UpgradeVirtualHardware"},
    ),
    ("vm_pci_device", {**ATTACH, "latency_sensitivity": "high"}, BASE | {"VirtualMachine.Config.Settings"}),
    ("vm_pci_device", {**ATTACH, "backing": "fixed", "pin_to_host": True}, BASE | {"Host.Inventory.EditCluster"}),
    ("vm_pci_device", {**ATTACH, "vm": ["runs-01"], "power": "cycle"}, BASE | POWER),
    ("vm_pci_device", {**ATTACH, "devices": [{"vgpu": "grid_a100-10c"}]}, BASE - {RAW}),
    ("vm_pci_device", {"vm": ["dvx-01"], "devices": [{"dvx": {"class": "d", "parameters": {"n": 2}}}]}, {EDIT}),
    ("vm_pci_device", {"vm": ["dvx-01"], "devices": [{"dvx": {"class": "d"}, "numa_node": 1}]}, {EDIT}),
    ("vm_pci_device", {"vm": ["node-01"], "devices": desired(numa_node=1)}, {EDIT, RAW}),
    *((contract.module, *deed) for contract in contracts() for deed in contract.deeds),
]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal in a file goes to the home directory."""
    monkeypatch.setenv("HOME", str(tmp_path))


def site(privileges: set[str], demanded: str = "both") -> Lab:
    """A lab in which every deed has something to do, and an account with just these privileges."""
    made = lab(
        [
            host(cards=[on(), on(), {"card": "a100", "at": "d8"}], shared_gpus=["0000:d8:00.0"], dvx_classes=[DVX]),
            host("esx-02"),
            host("esx-03", states={FIRST: {"enabled": True, "active": False}}),
            host("esx-04", shared_gpus={"a100": "shared"}),
        ],
        [
            vm(memory_hot_add=True, cpu_hot_add=True, extra={}),
            vm("runs-01", power="on"),
            vm("dvx-01", locked=True, version=20, devices=[{"dvx": "d", "parameters": {"n": 1}}]),
            vm("old-01", version=17),
            vm("node-01", locked=True, version=20, devices=[{"dynamic": ["10de:20f1"]}]),
        ],
        users=[{"name": "admin"}, {"name": "worker", "role": "Worker"}],
        roles={"Worker": sorted(privileges)},
        knobs={"raw_device_privilege": demanded},
    )
    made.user = "worker"
    return made


def listed() -> set[str]:
    """Every privilege the table names, but the two that make Read-only."""
    table = [line for line in GUIDE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return {word for line in table for word in re.findall(r"`((?:Host|VirtualMachine|Global)\.[\w.]+)`", line)}


@pytest.mark.parametrize(("module", "options", "privileges"), DEEDS)
@pytest.mark.parametrize("demanded", ["raw_device", "add_remove", "both"])
def test_what_is_listed_is_enough(module: str, options: dict[str, Any], privileges: set[str], demanded: str) -> None:
    assert site(privileges, demanded).run(module, **options)["changed"]


@pytest.mark.parametrize(("module", "options", "privileges"), DEEDS)
def test_nothing_listed_is_idle(module: str, options: dict[str, Any], privileges: set[str]) -> None:
    for one in sorted(privileges):
        result = site(privileges - {one}).run(module, fails=True, **options)
        assert (result["error_code"], one in result["msg"]) == ("no_permission", True), one


@pytest.mark.parametrize(("module", "options", "privileges"), DEEDS)
def test_a_check_run_needs_read_only(module: str, options: dict[str, Any], privileges: set[str]) -> None:
    assert site(set()).run(module, check=True, **options)["changed"]


def test_a_rolling_reboot_with_its_journal_in_vcenter_needs_these() -> None:
    needed = JOURNAL | {"Host.Config.Maintenance"}
    assert site(needed).run("host_rolling_reboot", **ROLL)["rebooted"] == ["esx-03"]
    for one in sorted(JOURNAL):
        made = site(needed - {one})
        result = made.run("host_rolling_reboot", fails=True, **ROLL)
        assert (result["error_code"], one in result["msg"]) == ("journal_impossible", True), one
        assert made.writes() == []
    refused = site(JOURNAL).run("host_rolling_reboot", fails=True, **ROLL)
    assert (refused["error_code"], "Host.Config.Maintenance" in refused["msg"]) == ("no_permission", True)
    assert site(set()).run("host_rolling_reboot", check=True, hosts=["esx-03"])["changed"]


@pytest.mark.parametrize("lacking", [None, *sorted(POWER)])
def test_a_rolling_reboot_that_stops_and_starts_vms_needs_these(lacking: str | None) -> None:
    made = lab(
        [host(cards=[on(), on()]), host("esx-02")],
        [vm(power="on", devices=[{"fixed": FIRST}])],
        users=[{"name": "admin"}, {"name": "worker", "role": "Worker"}],
        roles={"Worker": sorted((POWER | JOURNAL | {"Host.Config.Maintenance"}) - {lacking})},
    )
    made.user = "worker"
    made.sim.clock.sleep(60)
    options: dict[str, Any] = {"hosts": ["esx-01"], "reboot_if": "always", "pinned_vms": "shutdown"}
    result = made.run("host_rolling_reboot", fails=lacking is not None, **options)
    assert result.get("error_code") == (None if lacking is None else "no_permission")
    assert power(made) == "poweredOn"
    assert ("EnterMaintenanceMode_Task" in made.writes()) == (lacking is None), "nothing is begun that cannot be ended"
    assert (result["rebooted"] == ["esx-01"]) == (lacking is None)
    assert (lacking or "") in result.get("msg", "")


LOG = {"Global.LogEvent"}


@pytest.mark.parametrize("options", [ROLL, {**ROLL, "journal": "file"}])
def test_events_in_vcenter_need_this_and_without_it_the_hosts_are_rebooted_all_the_same(
    options: dict[str, Any],
) -> None:
    needed = JOURNAL | {"Host.Config.Maintenance"}
    (written,) = site(needed | LOG).run("host_rolling_reboot", **options, vcenter_events=True)["outlets"]
    assert (written["lost"], written["sent"] > 3) == (0, True)
    result = site(needed).run("host_rolling_reboot", **options, vcenter_events=True)
    assert result["rebooted"] == ["esx-03"]
    (refused,) = result["outlets"]
    assert refused["sent"] == 0
    assert next(iter(LOG)) in refused["why"]
    assert site(set()).run("host_rolling_reboot", check=True, hosts=["esx-03"], vcenter_events=True)["changed"]


GUEST = {f"VirtualMachine.GuestOperations.{name}" for name in ("Query", "Modify", "Execute")}
GUEST_ACCOUNT: dict[str, Any] = {"vms": ["train-01"], "guest_user": "root", "guest_password": "Guest1!"}
EXIT_CODES: dict[str, Any] = {"gather": "exit_codes", "commands": ["grep -l 0x20f1 /sys"]}
IN_GUESTS = [({}, GUEST), (EXIT_CODES, GUEST - {"VirtualMachine.GuestOperations.Modify"})]


def with_guests(privileges: set[str]) -> Lab:
    made = Lab.load("guests")
    made.sim.authz.add_role("Worker", privileges)
    made.sim.authz.add_user("worker", "VMware1!", "Worker")
    made.user = "worker"
    return made


@pytest.mark.parametrize(("options", "privileges"), IN_GUESTS)
def test_to_read_a_guest_these_are_enough_and_none_of_them_is_idle(
    options: dict[str, Any], privileges: set[str]
) -> None:
    assert with_guests(privileges).run("vm_guest_info", **GUEST_ACCOUNT, **options)["vms"][0]["status"] == "read"
    for one in sorted(privileges):
        result = with_guests(privileges - {one}).run("vm_guest_info", fails=True, **GUEST_ACCOUNT, **options)
        assert (result["error_code"], one in result["msg"]) == ("no_permission", True), one
    assert with_guests(set()).run("vm_guest_info", check=True, **GUEST_ACCOUNT, **options)["vms"][0]["uuid"]


def test_the_table_is_this() -> None:
    done = set().union(*(privileges for _unused, _unused, privileges in DEEDS))
    assert listed() == done | JOURNAL | GUEST | LOG | {"Host.Config.Settings"}
