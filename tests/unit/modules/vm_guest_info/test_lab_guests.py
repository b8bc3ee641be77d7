# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab ``guests``: its scripted answers are what the probe really prints in these guests, and vm_guest_info reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.guest.probe import LINUX_PROBE
from tests.unit.modules.harness import LABS, Lab
from tests.unit.modules.vm_guest_info.guests import printed_by

ACCOUNT: dict[str, Any] = {"guest_user": "root", "guest_password": "Guest1!"}


@pytest.mark.parametrize("vm", ["train-01", "infer-01"])
def test_an_answer_of_the_lab_is_what_the_probe_prints(vm: str, tmp_path: Path) -> None:
    guest = Lab.load("guests").sim.find("VirtualMachine", vm).guest_os
    printed = printed_by(guest, tmp_path, LINUX_PROBE).stdout.decode()
    assert printed.replace(guest.uuid, "{uuid}") == (LABS / "guests" / f"{vm}.txt").read_text(encoding="utf-8")


def test_the_guests_are_read() -> None:
    lab = Lab.load("guests")
    linux = lab.run("vm_guest_info", vms=["train-01", "infer-01"], **ACCOUNT)["vms"]
    assert [(vm["name"], vm["uuid_matches"], [item["driver"] for item in vm["report"]["devices"]]) for vm in linux] == [
        ("infer-01", True, ["vfio-pci"]),
        ("train-01", True, ["nvidia", "nvidia"]),
    ]
    assert len(linux[1]["report"]["gpu_tool"]["gpus"]) == 2
    (windows,) = lab.run("vm_guest_info", vms=["render-01"], **{**ACCOUNT, "guest_user": "Administrator"})["vms"]
    assert (windows["os"], windows["report"]["devices"][0]["driver"]) == ("windows", "nvlddmkm")
    bare = lab.run("vm_guest_info", fails=True, vms=["bare-01"], **ACCOUNT)
    assert bare["error_code"] == "guest_tools_missing"
