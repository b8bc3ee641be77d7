# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""vm_pci_device gives DVX devices: class and typed parameters, edited in place, checked against what the hosts say of the class."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.modules.harness import Lab
from tests.unit.modules.vm_pci_device.unit_labs import DVX, QUARTER, devices, lab, run


def dvx(count: int = 1, **parameters: Any) -> dict[str, Any]:
    return {"dvx": {"class": DVX, "parameters": parameters}, "count": count}


def parameters(made: Lab) -> list[dict[str, Any]]:
    found = made.run("vm_pci_device_info", vms=["vm-1"])["vms"][0]["devices"]
    return [one["parameters"] for one in found if one["backing"] == "dvx"]


def test_the_whole_list_of_parameters_is_written() -> None:
    made = lab()
    checked = run(made, [dvx(2, mode="8")], check=True)
    result = run(made, [dvx(2, mode="8")])
    assert result["changes"] == checked["changes"]
    assert parameters(made) == [{"mode": "8", "size": 10}] * 2
    assert not run(made, [dvx(2, mode=8)])["changed"]
    run(made, [{"dvx": {"class": DVX}}], state="absent")
    assert devices(made) == []
    assert not run(made, [{"dvx": {"class": DVX}}], state="absent")["changed"]


def test_changed_parameters_are_an_edit_in_place() -> None:
    made = lab({"name": "vm-1", "locked": True, "devices": [{"dvx": DVX, "parameters": {"mode": "1", "size": 7}}]})
    result = run(made, [dvx(mode="2")])
    assert [(change["kind"], change["subject"]) for change in result["changes"]] == [("edit", f"{DVX} #1")]
    assert parameters(made) == [{"mode": "2", "size": 7}]
    assert not run(made, [dvx(mode="2")])["changed"]


def test_devices_of_one_class_with_different_parameters() -> None:
    made = lab()
    wanted = [dvx(mode="1"), dvx(mode="2", size=20)]
    run(made, wanted)
    assert not run(made, wanted[::-1])["changed"]
    run(made, [dvx(mode="1"), dvx(mode="2", size=30)])
    assert sorted(one["size"] for one in parameters(made)) == [10, 30]
    run(made, [dvx(mode="1")], state="exactly")
    assert parameters(made) == [{"mode": "1", "size": 10}]


def test_beside_vgpus_in_one_reconfigure() -> None:
    made = lab()
    made.sim.journal.clear()
    wanted = [dvx(mode="1"), {"vgpu": QUARTER}]
    run(made, wanted, power="on")
    assert made.writes() == ["ReconfigVM_Task", "PowerOnMultiVM_Task"]
    assert not run(made, wanted, power="on")["changed"]


@pytest.mark.parametrize(
    ("entry", "code", "says"),
    [
        ({"dvx": {"class": "com.example.dvxx"}}, "unknown_dvx_class", f"{DVX} is meant"),
        ({"dvx": {"class": "com.example.dvx.nic"}}, "dvx_class_for_nic", "network adapters"),
        (dvx(), "dvx_parameter", "needs the parameter mode"),
        (dvx(mode="3"), "dvx_parameter", "none of the choices"),
        (dvx(mode="1", size=101), "dvx_parameter", "greater than 100"),
        (dvx(mode="1", size="big"), "dvx_parameter", "not a whole number"),
        (dvx(mode="1", sise=5), "dvx_parameter", "size is meant"),
    ],
)
def test_what_the_class_does_not_allow_is_refused(entry: dict[str, Any], code: str, says: str) -> None:
    made = lab()
    made.sim.journal.clear()
    result = run(made, [entry], fails=True)
    assert result["error_code"] == code
    assert says in result["msg"]
    assert made.writes() == []


def test_an_edit_that_the_start_does_not_survive_is_undone() -> None:
    made = lab(
        {
            "name": "vm-1",
            "power": "on",
            "locked": True,
            "devices": [{"dvx": DVX, "parameters": {"mode": "1", "size": 7}}],
        }
    )
    vm = made.sim.find("VirtualMachine", "vm-1")

    def fail(_write: Any) -> None:
        with vm.edit("config") as config:
            config.memoryAllocation.reservation = 1

    made.sim.on_write(1, fail, method="PowerOnMultiVM_Task")
    result = run(made, [dvx(mode="2")], power="cycle", fails=True)
    assert "the change was undone" in result["msg"]
    assert parameters(made) == [{"mode": "1", "size": 7}]


def test_too_old() -> None:
    assert run(lab({"name": "vm-1", "version": 19}), [dvx(mode="1")], fails=True)["error_code"] == "hardware_version"
    made = lab()
    made.api_version = "vim.version.v7_0_3_0"
    made.sim.journal.clear()
    assert run(made, [dvx(mode="1")], fails=True)["error_code"] in ("library_too_old", "unknown_dvx_class")
    assert made.writes() == []
