# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs of one run share the memory that is left in their resource pool."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.modules.harness import Lab
from tests.unit.pains.labs import A100, GPUS, host, lab, vm

SMALL = [{"name": "small", "reservation_mb": 48 * 1024, "expandable": False}]
GPU = {"devices": [{"match": A100}], "backing": "fixed", "mmio": {}, "power": "on"}


def made(*, on: bool) -> Lab:
    """Two VMs of 32 GB in a pool of 48 GB."""
    cards = [{"card": card, "enabled": True} for card in GPUS]
    power = {"power": "on"} if on else {}
    return lab([host(cards=cards)], [vm(pool="small", **power), vm("train-02", pool="small", **power)], pools=SMALL)


@pytest.mark.parametrize(
    ("module", "options", "on"),
    [("vm_memory_reservation", {}, True), ("vm_pci_device", GPU, False)],
    ids=["running VMs", "VMs that this run powers on"],
)
def test_two_vms_that_fit_one_by_one_are_too_much_together(module: str, options: dict[str, Any], on: bool) -> None:
    check = made(on=on).run(module, check=True, fails=True, vm=["train-01", "train-02"], **options)
    run_lab = made(on=on)
    run = run_lab.run(module, fails=True, vm=["train-01", "train-02"], **options)
    for result in (check, run):
        assert result["error_code"] == "pool_memory"
        assert {change["target"] for change in result["changes"]} == {"train-01"}
        assert "train-02 needs 32768 MB more reserved" in result["msg"]
        assert "MB left for VMs when this run has changed train-01 (32768 MB)" in result["msg"]
    assert run_lab.writes().count("ReconfigVM_Task") == 1  # the other one is not even asked for


def test_each_of_them_alone_is_fine() -> None:
    for name in ("train-01", "train-02"):
        assert made(on=True).run("vm_memory_reservation", vm=[name])["changed"]
