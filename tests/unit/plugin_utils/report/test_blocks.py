# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A thousand hosts in few lines: what is equal once, what differs by name, nothing left out."""

from __future__ import annotations

from typing import Any

from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.blocks import MOST_LINES, Block, in_blocks
from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.plan_page import plan_page
from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.text import lines

CHANGES = ("0000:3b:00.0 off → on (10de:20f1 NVIDIA A100)", "0000:3b:00.0 is enabled and requires a reboot")


def names(first: int, last: int) -> list[str]:
    return [f"gpu-{number:04}.lab" for number in range(first, last + 1)]


def test_few_hosts_have_a_block_each() -> None:
    blocks = [Block(name=name, status="changed", lines=CHANGES) for name in names(1, 2)]
    assert in_blocks(blocks) == [
        "gpu-0001.lab: changed",
        *(f"  {line}" for line in CHANGES),
        "gpu-0002.lab: changed",
        *(f"  {line}" for line in CHANGES),
    ]


def test_a_thousand_equal_hosts_are_written_once_and_those_that_differ_by_name() -> None:
    blocks = [Block(name=name, status="changed", lines=CHANGES) for name in names(1, 1000)]
    blocks[16] = Block(name="gpu-0017.lab", status="refused", lines=("refused: gpu-0017.lab is in maintenance mode.",))
    blocks[500] = Block(name="gpu-0501.lab", status="in sync")
    assert in_blocks(blocks) == [
        "gpu-0017.lab: refused",
        "  refused: gpu-0017.lab is in maintenance mode.",
        "changed (998): gpu-0001.lab to gpu-0016.lab, gpu-0018.lab to gpu-0500.lab, gpu-0502.lab to gpu-1000.lab",
        *(f"  {line}" for line in CHANGES),
        "gpu-0501.lab: in sync",
    ]


def test_the_same_refusal_of_many_hosts_is_one() -> None:
    said = "refused: {} is disconnected. Reconnect {}."
    blocks = [Block(name=name, status="refused", lines=(said.format(name, name),)) for name in names(1, 100)]
    assert in_blocks(blocks) == [
        "refused (100): gpu-0001.lab to gpu-0100.lab",
        "  refused: it is disconnected. Reconnect it.",
    ]


def test_a_name_inside_another_name_is_kept() -> None:
    blocks = [Block(name=f"a{n}", status="x", lines=(f"a{n}-old, a{n}.lab, a{n}.",)) for n in range(20)]
    assert "  a3-old, a3.lab, a3." in in_blocks(blocks)


def test_what_does_not_fit_is_named_without_details_and_refusals_come_first() -> None:
    blocks = [Block(name=name, status="changed", lines=(f"memory: {name[4:8]}",)) for name in names(1, 900)]
    blocks += [Block(name=name, status="refused", lines=(f"refused: {name[4:8]}",)) for name in names(901, 960)]
    found = in_blocks(blocks)
    assert len(found) <= MOST_LINES + 2
    assert sum("  refused: " in line for line in found) == MOST_LINES // 2
    text = " ".join(found)
    assert "to gpu-0900.lab" in text
    assert found[-2] == "refused, details are in the result (35): gpu-0926.lab to gpu-0960.lab"
    assert found[-1] == "changed, details are in the result (900): gpu-0001.lab to gpu-0900.lab"


def result(number: int) -> dict[str, Any]:
    vms = [{"name": f"train-{n:04}", "status": "changed"} for n in range(number)]
    changes = [
        {"target": vm["name"], "kind": kind, "subject": "power", "before": "poweredOn", "after": "poweredOff"}
        for vm in vms
        for kind in ("shutdown", "power_on")
    ]
    return {"vms": vms, "changes": changes}


def test_the_first_line_names_the_running_vms_that_are_shut_down() -> None:
    assert lines(result(1))[0] == "shuts down 1 running VM: train-0000"
    found = lines(result(1000))
    assert found[0] == "shuts down 1000 running VMs: train-0000 to train-0999"
    assert len(found) < 10


def test_the_page_has_every_vm() -> None:
    page = plan_page(
        {"a": {"place": "vc-<a>"}, "b": {"place": "vc-b"}}, {"a": {"attach_devices_result": result(50)}, "b": {}}
    )
    assert all(f"train-{n:04}: changed" in page for n in range(50))
    assert "vc-&lt;a&gt;" in page
    assert "this vCenter stopped before its plan was made" in page
