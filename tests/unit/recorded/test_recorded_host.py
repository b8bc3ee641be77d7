# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A recorded host lives in a lab as any other: it is looked at by the modules, and a file that is no record is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator import Simulator
from simulator.lab.hardware.cards import LabError
from simulator.selfcheck import problems
from tests.unit.modules.harness import Lab
from tests.unit.recorded import labs, recordings

BOOT, VSAN, UPLINK = "0000:03:00.0", "0000:0c:00.0", "0000:0b:00.0"


def test_the_info_module_names_what_the_host_keeps_and_why() -> None:
    lab = Lab.load(labs.recorded_host())
    (host,) = lab.run("host_pci_device_info", hosts=["esx-01"], gather_partitions=True)["hosts"]
    kept = {device["address"]: "; ".join(device["protected"]) for device in host["devices"] if device["protected"]}
    assert set(kept) == {BOOT, UPLINK, VSAN}
    assert "vmhba0 leads to mpx.vmhba0:C0:T0:L0" in kept[BOOT]
    assert "is the disk ESXi boots from" in kept[BOOT]
    assert "belongs to a vSAN disk group" in kept[VSAN]
    assert "is the disk ESXi boots from" not in kept[VSAN]
    assert "vmnic0 is the only uplink of vSwitch0, which carries management, storage, vmotion, vsan" in kept[UPLINK]
    assert problems(lab.sim) == []


def test_nothing_of_a_nested_host_can_be_passed_through() -> None:
    lab = Lab.load(labs.recorded_host())
    result = lab.run("host_passthrough", fails=True, hosts=["esx-01"], devices=[{"match": "15ad:07f0"}])
    assert result["error_code"] == "iommu_off"
    assert lab.writes() == []


def test_states_of_the_lab_come_on_top_of_the_record() -> None:
    lab = Lab.load(labs.recorded_host(states={"0000:13:00.0": {"capable": True, "enabled": True, "label": "lan"}}))
    (host,) = lab.run("host_pci_device_info", hosts=["esx-01"])["hosts"]
    (device,) = [item for item in host["devices"] if item["address"] == "0000:13:00.0"]
    assert (device["state"], device["label"]) == ("pending_enable", "lan")


def test_the_path_begins_at_the_folder_of_the_lab(tmp_path: Path) -> None:
    (tmp_path / "host.xml").write_bytes(recordings.HOST.read_bytes())
    lab = labs.recorded_host(recorded="host.xml")
    (tmp_path / "lab.yml").write_text(yaml.safe_dump(lab), encoding="utf-8")
    sim = Simulator.from_lab(tmp_path / "lab.yml")
    assert len(sim.find("HostSystem", "esx-01.lab").get("hardware").pciDevice) == 48


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read"),
        ("", "holds no element HostSystem"),
        ("<ConfigTarget/>", "holds no element HostSystem"),
        ('<HostSystem xmlns="urn:vim25"><propSet></HostSystem>', "is no answer of a server"),
        (
            '<HostSystem xmlns="urn:vim25" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><propSet><name>config</name>'
            '<val xsi:type="NoSuchType"/></propSet></HostSystem>',
            "is no answer of a server",
        ),
        ('<HostSystem xmlns="urn:vim25"></HostSystem>', "lacks capability, config, hardware"),
    ],
)
def test_what_is_no_record_is_refused(tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "record.xml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(LabError, match=words):
        Simulator.from_lab(labs.recorded_host(recorded=str(path)))


@pytest.mark.parametrize("told", [{"cards": ["a100"]}, {"version": "9.0.0"}, {"vsan": "osa"}])
def test_what_the_record_says_the_lab_cannot_say_too(told: dict[str, Any]) -> None:
    with pytest.raises(LabError, match=f"{next(iter(told))} cannot be given with recorded"):
        Simulator.from_lab(labs.recorded_host(**told))
