# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Examples that may change something are run with ``--check`` first, and what that says has to come true."""

from __future__ import annotations

import pytest

from tools.commands import Done
from tools.markdown import Block, blocks
from tools.predict import Predicted, is_predictable, knows_earlier_tasks, mispredictions, with_check, without_check
from tools.run_docs import pages

SITE = "ansible-playbook directpath.vsphere.site -i inventory.yml"
TWO_TASKS = """- hosts: localhost
  tasks:
    - directpath.vsphere.host_passthrough: {devices: ["10de:20f1"]}
    - directpath.vsphere.vm_pci_device: {vm: [a], devices: ["10de:20f1"]}
"""


def block(text: str, language: str = "shell", directive: str = "") -> Block:
    (found,) = blocks(f"<!-- run: {directive} -->\n```{language}\n{text}\n```\n")
    return found


@pytest.mark.parametrize(
    ("example", "expected"),
    [
        (block(SITE), True),
        (block(f"{SITE} \\\n  -e rolling_reboot_consent=true"), True),
        (block("ansible-playbook rolling.yml"), True),
        (block("- hosts: all", "yaml"), True),
        (block(TWO_TASKS, "yaml"), True),
        (block(TWO_TASKS.replace("host_passthrough", "host_pci_device_info"), "yaml"), True),
        (block("- directpath.vsphere.host_pci_device_info: {}", "yaml"), False),
        (block(f"{SITE} --check"), False),
        (block("- hosts: all", "yaml", 'args="--check --diff"'), False),
        (block("ansible-playbook directpath.vsphere.plan -i inventory.yml"), False),
        (block("ansible-playbook directpath.vsphere.reboot -i i.yml --tags rolling_reboot_plan"), False),
        (block(f"{SITE}\nansible-playbook directpath.vsphere.drift -i inventory.yml"), False),
        (block("ansible localhost -m ping && echo changed=1"), False),
        (block(SITE, directive='unpredicted="a person acts in between"'), False),
    ],
)
def test_what_is_run_with_check_first(example: Block, expected: bool) -> None:
    assert is_predictable(example) is expected


def test_most_examples_that_change_something_are_predicted() -> None:
    found = [example for page in pages() for example in blocks(page.read_text(encoding="utf-8")) if example.run]
    assert sum(map(is_predictable, found)) >= 40


def test_only_a_play_with_several_tasks_of_the_collection_knows_earlier_ones() -> None:
    assert knows_earlier_tasks(block(TWO_TASKS, "yaml"))
    assert not knows_earlier_tasks(block("\n".join(TWO_TASKS.splitlines()[:3]), "yaml"))
    assert not knows_earlier_tasks(block(SITE))


@pytest.mark.parametrize("more", [" --check", " --check --diff"])
def test_a_check_run_of_the_page_itself_predicts_the_same_example(more: str) -> None:
    assert without_check(f"{SITE}{more} -e a=b") == f"{SITE} -e a=b"
    assert without_check(SITE) == SITE


def test_the_command_of_a_check_run() -> None:
    shell = block(SITE)
    assert with_check(["bash", "-c", f"{SITE}\n", "page:1"], shell) == ["bash", "-c", f"{SITE} --check\n", "page:1"]
    assert with_check(["ansible-playbook", "p.yml"], block("- hosts: all", "yaml")) == [
        "ansible-playbook",
        "--check",
        "p.yml",
    ]


def done(changed: int, failed: int = 0, code: int = 0) -> Done:
    line = f"vc : ok=3 changed={changed} unreachable=0 failed={failed}"
    return Done(code=code, output=f"PLAY RECAP ****\n{line}\n")


@pytest.mark.parametrize(
    ("predicted", "real", "problem"),
    [
        (Predicted(done=done(2), writes=(4, 4)), done(2), ""),
        (Predicted(done=done(1, 1, 2), writes=(0, 0)), done(1, 1, 2), ""),
        (Predicted(done=done(2), writes=(4, 5)), done(2), "check mode made 1 writes"),
        (
            Predicted(done=done(2), writes=(0, 0)),
            done(3),
            "changed=2 failed=0 with --check, changed=3 failed=0 without it",
        ),
        (Predicted(done=done(0), writes=(0, 0)), done(0, 1, 2), "exit status 0 with --check, 2 without it"),
        (Predicted(done=Done(code=4, output="no"), writes=(0, 0)), done(0), "no recap with --check"),
    ],
)
def test_what_does_not_come_true_is_told(predicted: Predicted, real: Done, problem: str) -> None:
    found = mispredictions(predicted, real)
    assert (problem in " ".join(found)) if problem else found == []
