# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journals and maintenance marks of an earlier release are read and resumed: an upgrade in the middle of a run loses nothing.

The texts are literal: the code before the renaming of its words wrote them, in the lab of these tests.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.codec import (
    decode_host,
    decode_lock,
    decode_vm,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import (
    DEVICES,
    ENTRY,
    LINKS,
    LOCK,
    VM,
    Lock,
    VmEntry,
)
from tests.unit.modules.harness import Lab
from tests.unit.modules.host_rolling_reboot.lab import A100, Roll, interrupted

Texts = dict[str, dict[str, str]]

JOURNALS: dict[int, Texts] = {
    # rebooting, a VM shut down
    14: {
        "compute": {
            "directpath.roll.lock": (
                "dp1 lock roll=136c818c scope=9c616d6c since=2026-01-05T08:01:09Z "
                "beat=2026-01-05T08:01:09Z ttl=300 # root@vm:31179:2f0062:e694b8-d74794 ~94d1"
            ),
        },
        "esx-01.lab": {
            "directpath.roll.before": "dp1 devices 3b:00.0=6816+ 5e:00.0=09ee+ 86:00.0=494e+ ~a318",
            "directpath.roll.links": "dp1 links ds=3f1e,f243 up=vmnic0 ~8c5d",
            "directpath.roll": (
                "dp1 rebooting roll=136c818c at=2026-01-05T08:01:42Z started=-30 calls=1 called=+0 "
                "debt=7b36 boot=2025-12-16T08:00:00Z asked=+0 drained=30 ~0a1a"
            ),
        },
        "train-01": {
            "directpath.roll.vm": (
                "dp1 stop roll=136c818c host=host-1 at=2026-01-05T08:01:22Z rank=0 calls=1 called=+0 "
                "# it is started again when its host is back ~3ebe"
            ),
        },
    },
    # restoring, a VM powered on
    26: {
        "compute": {
            "directpath.roll.lock": (
                "dp1 lock roll=050802f6 scope=9c616d6c since=2026-01-05T08:01:09Z "
                "beat=2026-01-05T08:07:09Z ttl=300 # root@vm:31179:2f0062:e694b8-cc5506 ~d863"
            ),
        },
        "esx-01.lab": {
            "directpath.roll.before": "dp1 devices 3b:00.0=6816+ 5e:00.0=09ee+ 86:00.0=494e+ ~a318",
            "directpath.roll.links": "dp1 links ds=3f1e,f243 up=vmnic0 ~8c5d",
            "directpath.roll": (
                "dp1 restoring roll=050802f6 at=2026-01-05T08:07:04Z started=-352 debt=7b36 "
                "boot=2025-12-16T08:00:00Z asked=-322 drained=30 rebooted=320 ~42f4"
            ),
        },
        "train-01": {
            "directpath.roll.vm": (
                "dp1 start roll=050802f6 host=host-1 at=2026-01-05T08:07:04Z rank=0 calls=1 "
                "called=+0 # it is started again when its host is back ~97ed"
            ),
        },
    },
    # one host done, one rebooting
    38: {
        "compute": {
            "directpath.roll.lock": (
                "dp1 lock roll=e8060cd2 scope=9c616d6c since=2026-01-05T08:01:09Z "
                "beat=2026-01-05T08:11:39Z ttl=300 # root@vm:31179:2f0062:e694b8-7fcc93 ~5ef5"
            ),
        },
        "esx-01.lab": {
            "directpath.roll.before": "dp1 devices 3b:00.0=6816+ 5e:00.0=09ee+ 86:00.0=494e+ ~a318",
            "directpath.roll.links": "dp1 links ds=3f1e,f243 up=vmnic0 ~8c5d",
            "directpath.roll": (
                "dp1 done roll=e8060cd2 at=2026-01-05T08:07:27Z started=-375 debt=7b36 "
                "boot=2025-12-16T08:00:00Z asked=-345 drained=30 rebooted=320 # rebooted in 320 "
                "seconds and proven ~10c0"
            ),
        },
        "esx-03.lab": {
            "directpath.roll.before": "dp1 devices 3b:00.0=6816+ 5e:00.0=09ee+ 86:00.0=494e+ ~a318",
            "directpath.roll.links": "dp1 links ds=3f1e,921f up=vmnic0 ~f540",
            "directpath.roll": (
                "dp1 rebooting roll=e8060cd2 at=2026-01-05T08:07:42Z started=-15 calls=1 called=+0 "
                "debt=7b36 boot=2025-12-16T08:00:00Z asked=+0 drained=15 ~b05c"
            ),
        },
    },
    # finishing
    44: {
        "compute": {
            "directpath.roll.lock": (
                "dp1 lock roll=a851b07a scope=9c616d6c since=2026-01-05T08:01:09Z "
                "beat=2026-01-05T08:11:39Z ttl=300 finishing # root@vm:31179:2f0062:e694b8-ae3d2f "
                "~0820"
            ),
        },
        "esx-01.lab": {
            "directpath.roll.before": "dp1 devices 3b:00.0=6816+ 5e:00.0=09ee+ 86:00.0=494e+ ~a318",
            "directpath.roll": (
                "dp1 done roll=a851b07a at=2026-01-05T08:07:27Z started=-375 debt=7b36 "
                "boot=2025-12-16T08:00:00Z asked=-345 drained=30 rebooted=320 # rebooted in 320 "
                "seconds and proven ~1b18"
            ),
        },
        "esx-03.lab": {
            "directpath.roll.before": "dp1 devices 3b:00.0=6816+ 5e:00.0=09ee+ 86:00.0=494e+ ~a318",
            "directpath.roll.links": "dp1 links ds=3f1e,921f up=vmnic0 ~f540",
            "directpath.roll": (
                "dp1 done roll=a851b07a at=2026-01-05T08:13:04Z started=-337 debt=7b36 "
                "boot=2025-12-16T08:00:00Z asked=-322 drained=15 rebooted=320 # rebooted in 320 "
                "seconds and proven ~1efc"
            ),
        },
    },
}
"""After the n-th write: object name → attribute → text."""
RESUMED = (26, 38)
ALSO_WRITTEN = {26: 1, 38: 1}
"""Writes that the earlier release did not make: that a host was seen away."""
FINISHING = 44

JOURNAL_FILE = {
    "domain-c-1": {
        "directpath.roll.lock": (
            "dp1 lock roll=7cf78988 scope=9c616d6c since=2026-01-05T08:01:09Z "
            "beat=2026-01-05T08:01:09Z ttl=300 # root@vm:1516:2f2efc:e694b8-ec97ac ~2e91"
        ),
    },
    "host-1": {
        "directpath.roll": (
            "dp1 rebooting roll=7cf78988 at=2026-01-05T08:01:42Z started=-30 calls=1 called=+0 "
            "debt=7b36 boot=2025-12-16T08:00:00Z asked=+0 drained=30 ~3835"
        ),
        "directpath.roll.before": "dp1 devices 3b:00.0=6816+ 5e:00.0=09ee+ 86:00.0=494e+ ~a318",
        "directpath.roll.links": "dp1 links ds=3f1e,f243 up=vmnic0 ~8c5d",
    },
    "vm-1": {
        "directpath.roll.vm": (
            "dp1 stop roll=7cf78988 host=host-1 at=2026-01-05T08:01:22Z rank=0 calls=1 called=+0 # "
            "it is started again when its host is back ~0aa5"
        ),
    },
}
"""The objects of a journal file after the third write to the server: the reboot of esx-01."""

MARKS = {
    "train-01": "shut down for work on esx-03.lab [host-3]",
    "esx-03.lab": "maintenance mode for work on its hardware, entered by administrator@vsphere.local",
}
MARK_FILE = {
    "host-3": {
        "directpath.parked": "maintenance mode for work on its hardware, entered by administrator@vsphere.local",
    },
    "vm-1": {
        "directpath.parked": "shut down for work on esx-03.lab [host-3]",
    },
}


def assert_resumed(roll: Roll) -> None:
    roll.lab.sim.clock.sleep(400)  # the lock of the earlier run is stale then
    result = roll.run()
    assert result["state"] == "finished", result["reasons"]
    assert any("the lock of root@vm" in note for note in result["notes"])
    roll.assert_over({"esx-01", "esx-03"})


@pytest.mark.parametrize("write", JOURNALS)
def test_every_text_is_read(write: int) -> None:
    for texts in JOURNALS[write].values():
        entry, before, garbage = decode_host(texts)
        assert garbage == ()
        assert (entry is not None) == (ENTRY in texts)
        assert (before is not None) == (DEVICES in texts and LINKS in texts)
        assert isinstance(decode_vm(texts), VmEntry) == (VM in texts)
        lock = decode_lock(texts)
        assert isinstance(lock, Lock) == (LOCK in texts)
        assert not isinstance(lock, Lock) or lock.finishing == (write == FINISHING)


@pytest.mark.slow
@pytest.mark.parametrize("write", RESUMED)
def test_a_journal_in_attributes_is_resumed(write: int) -> None:
    roll = interrupted(write)
    assert {name: set(texts) for name, texts in roll.texts().items()} == {
        name: set(texts) for name, texts in JOURNALS[write].items()
    }
    for name, texts in JOURNALS[write].items():
        for attribute, text in texts.items():
            roll.lab.sim.events["set_custom_value"](on=name, attribute=attribute, value=text)
    assert_resumed(roll)


@pytest.mark.slow
def test_a_journal_file_is_resumed(tmp_path: Path) -> None:
    roll = interrupted(3, journal="file", journal_dir=str(tmp_path))
    (tmp_path / "vcenter.test_443.json").write_text(json.dumps({"version": 1, "objects": JOURNAL_FILE}))
    assert_resumed(roll)
    assert list(tmp_path.iterdir()) == []


def test_a_pause_is_heeded() -> None:
    """Administrators write it, by the documented name."""
    roll = Roll.of(cluster=["compute"])
    sim = roll.lab.sim
    manager = sim.stub().connect().content.customFieldsManager
    manager.AddCustomFieldDef("directpath.roll.pause", None, None, None)
    sim.events["set_custom_value"](on="compute", attribute="directpath.roll.pause", value="audit")
    planned = roll.fail(check=True)
    assert {host["reason"] for host in planned["schedule"]["left"]} == {"its cluster is paused: audit"}


@pytest.fixture
def lab() -> Lab:
    """train-01 runs on esx-03 with two devices."""
    lab = Lab.load("three_hosts")
    lab.run("host_passthrough", cluster=["compute"], devices=[A100])
    lab.run("vm_pci_device", vm=["train-01"], devices=[{**A100, "count": 2}], mmio={}, power="on")
    lab.sim.clock.advance(60)
    return lab


def leave_maintenance(lab: Lab, **options: Any) -> None:
    back = lab.run("host_maintenance", hosts=["esx-03"], state="absent", **options)
    assert back["hosts"][0]["vms_started"] == ["train-01"]
    assert not lab.sim.find("HostSystem", "esx-03.lab").in_maintenance
    assert lab.sim.find("VirtualMachine", "train-01").power == "poweredOn"


def test_maintenance_marks_in_attributes_are_followed(lab: Lab) -> None:
    lab.run("host_maintenance", hosts=["esx-03"], pinned_vms="shutdown")
    manager = lab.sim.stub().connect().content.customFieldsManager
    manager.AddCustomFieldDef("directpath.parked", None, None, None)
    for name, text in MARKS.items():
        lab.sim.events["set_custom_value"](on=name, attribute="directpath.parked", value=text)
    for name, attribute in (("esx-03.lab", "directpath.maintenance"), ("train-01", "directpath.maintenance.vm")):
        lab.sim.events["set_custom_value"](on=name, attribute=attribute, value="")
    leave_maintenance(lab)
    assert not [field.name for field in manager.field if field.name.startswith("directpath.")]


def test_maintenance_marks_in_a_file_are_followed(lab: Lab, tmp_path: Path) -> None:
    where = {"journal": "file", "journal_dir": str(tmp_path)}
    lab.run("host_maintenance", hosts=["esx-03"], pinned_vms="shutdown", **where)
    (file,) = tmp_path.iterdir()
    file.unlink()
    (tmp_path / "vcenter.test_443.parked.json").write_text(json.dumps({"version": 1, "objects": MARK_FILE}))
    leave_maintenance(lab, **where)
    assert list(tmp_path.iterdir()) == []
