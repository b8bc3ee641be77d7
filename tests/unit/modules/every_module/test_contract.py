# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module promises, shown for every module: check mode writes nothing and predicts the run, a second run changes nothing.

The scenarios are here, or in the contract of the module. A module without a scenario fails ``test_every_module_is_here``, so none can be
added without keeping the promises.
"""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.connect import READ_METHODS
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.transport import GUEST_METHODS
from tests.unit.modules.contracts import Scenario, contracts, module_names
from tests.unit.modules.harness import Lab

A100 = {"match": "10de:20f1"}
HOSTS = {"cluster": ["compute"]}
ENABLE = ("host_passthrough", {**HOSTS, "devices": [A100]})
ATTACH = ("vm_pci_device", {"vm": ["train-01"], "devices": [{**A100, "count": 2}], "mmio": {}})
FIXED = ("vm_pci_device", {"vm": ["train-01"], "devices": [A100], "backing": "fixed", "mmio": {}})


OWN = {
    "devices of hosts": Scenario("host_pci_device_info", HOSTS, 0),
    "enable": Scenario(*ENABLE, 6),
    "enable, at the next reboot": Scenario("host_passthrough", {**ENABLE[1], "apply": "reboot"}, 6),
    "enable with a label": Scenario("host_passthrough", {**HOSTS, "devices": [{**A100, "label": "a100"}]}, 6),
    "disable": Scenario("host_passthrough", {**ENABLE[1], "state": "disabled"}, 6, (ENABLE,)),
    "roll through what owes it": Scenario(
        "host_rolling_reboot",
        {**HOSTS, "devices": [A100]},
        3,
        (("host_passthrough", {**ENABLE[1], "apply": "reboot"}),),
    ),
    "park": Scenario("host_maintenance", {"hosts": ["esx-01"]}, 1),
    "park, with a VM that cannot be moved": Scenario(
        "host_maintenance",
        {"hosts": ["esx-03"], "pinned_vms": "shutdown_then_power_off", "never_stop": ["web-01"]},
        2,
        (ENABLE, (ATTACH[0], {**ATTACH[1], "power": "on"})),
    ),
    "take back what was parked": Scenario(
        "host_maintenance",
        {"hosts": ["esx-01"], "state": "absent"},
        2,
        (("host_maintenance", {"hosts": ["esx-01"]}),),
    ),
    "end a session": Scenario("end_session", {}, 0, (("host_pci_device_info", {"session": "shared"}),)),
    "devices of VMs": Scenario("vm_pci_device_info", {"include": "all"}, 0),
    "attach dynamic": Scenario(*ATTACH, 5, (ENABLE,)),
    "attach fixed": Scenario(*FIXED, 4, (ENABLE,)),
    "attach and start": Scenario(ATTACH[0], {**ATTACH[1], "power": "on"}, 6, (ENABLE,)),
    "detach": Scenario(
        "vm_pci_device", {"vm": ["train-01"], "devices": [A100], "state": "absent"}, 2, (ENABLE, ATTACH)
    ),
    "detach all and unlock": Scenario(
        "vm_pci_device",
        {"vm": ["train-01"], "devices": [], "state": "exactly", "unlock_memory": True},
        3,
        (ENABLE, ATTACH),
    ),
    "drift": Scenario(
        "drift_info",
        {"targets": [ENABLE[1]], "vms": [{"name": "train-01", "devices": [{**A100, "count": 2}]}], "scope": "fleet"},
        0,
    ),
}
SCENARIOS = OWN | {title: scenario for contract in contracts() for title, scenario in contract.scenarios.items()}


@pytest.fixture(params=SCENARIOS.values(), ids=list(SCENARIOS))
def scenario(request: pytest.FixtureRequest) -> Scenario:
    found: Scenario = request.param
    return found


def test_every_module_is_here() -> None:
    assert module_names() == {scenario.module for scenario in SCENARIOS.values()}


def test_no_two_scenarios_have_one_title() -> None:
    titles = [title for contract in contracts() for title in contract.scenarios]
    assert len(SCENARIOS) == len(OWN) + len(titles)


def test_check_mode_writes_nothing_and_predicts_every_change(scenario: Scenario) -> None:
    lab = scenario.prepare()
    predicted = lab.run(scenario.module, check=True, **scenario.options)
    assert lab.writes() == []
    assert lab.sim.journal.in_guest() == [], "check mode runs nothing in a guest"
    again = lab.run(scenario.module, check=True, **scenario.options)
    assert again.get("changes") == predicted.get("changes"), "looking must not change what is seen"
    real = lab.run(scenario.module, **scenario.options)
    assert real["changed"] == predicted["changed"]
    assert real.get("changes") == predicted.get("changes")
    assert real.get("diff") == predicted.get("diff")


def test_a_run_changes_and_a_second_one_does_not(scenario: Scenario) -> None:
    """Nor does a run leave a session behind."""
    lab = scenario.prepare()
    first = lab.run(scenario.module, **scenario.options)
    calls = [entry.method for entry in lab.sim.journal.calls]
    assert first.get("logins", 0) == calls.count("Login")
    assert calls.count("Login") == (scenario.module != "end_session")
    assert calls[-1] == "Logout"
    assert len(first.get("changes", ())) == scenario.changes
    assert first["changed"] is bool(scenario.changes)
    assert bool(lab.writes()) is bool(scenario.changes)
    lab.sim.journal.clear()
    second = lab.run(scenario.module, **scenario.options)
    assert second["changed"] is False
    assert second.get("changes", []) == []
    assert lab.writes() == []
    third = lab.run(scenario.module, check=True, **scenario.options)
    assert third["changed"] is False


def test_a_plan_that_writes_in_check_mode_is_stopped_by_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Break the shell on purpose: even an apply that runs in check mode cannot reach the server."""
    from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine import job as job_module

    honest = job_module.execute

    def careless(job: Any, session: Any, request: Any, earlier: Any = None) -> dict[str, Any]:
        return honest(job, session, request)

    monkeypatch.setattr(job_module, "execute", careless)
    lab = Lab.load("three_hosts")
    result = lab.run("host_passthrough", check=True, fails=True, **ENABLE[1])
    assert "read-only" in result["msg"]
    assert lab.writes() == []


def test_the_session_knows_as_few_reads_as_it_needs() -> None:
    """Nothing that changes the inventory may creep onto the list of reads."""
    assert not READ_METHODS & GUEST_METHODS
    assert not [
        name for name in READ_METHODS if name.endswith("_Task") or name.startswith(("Update", "Set", "Reconfig"))
    ]
