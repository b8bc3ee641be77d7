# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the modules' EXAMPLES become hosts of a play, and that an example that does not hold is noticed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from tools.commands import Tally
from tools.run_examples import SETTINGS, Example, examples, inventory, judged, without_connection

LAB = "tests/docs/labs/plain.yml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "plugins" / "modules"
    folder.mkdir(parents=True)
    text = (
        "- name: One\n  directpath.vsphere.thing: {hostname: vc, a: 1}\n- name: Two\n  directpath.vsphere.thing: {}\n"
    )
    (folder / "thing.py").write_text(f'EXAMPLES = """{text}"""\n', encoding="utf-8")
    return tmp_path


def test_settings_of_a_task_win_over_those_of_its_module(root: Path) -> None:
    settings = {
        "lab": "a.yml",
        "modules": {"thing": {"lab": "b.yml"}},
        "tasks": {"Two": {"lab": "c.yml", "vars": {"x": 1}, "again": "changed"}},
    }
    one, two = examples(settings, root)
    assert (one.module, one.lab, one.vars, one.changes_again) == ("thing", "b.yml", {}, False)
    assert (two.module, two.lab, two.vars, two.changes_again) == ("thing", "c.yml", {"x": 1}, True)


def test_a_setting_for_no_example_is_an_error(root: Path) -> None:
    with pytest.raises(ValueError, match="no module has an example Three"):
        examples({"lab": "a.yml", "tasks": {"Three": {}}}, root)


def test_the_settings_fit_the_modules() -> None:
    found = examples(yaml.safe_load(SETTINGS.read_text(encoding="utf-8")))
    assert len(found) > 10
    assert all((SETTINGS.parents[2] / example.lab).exists() for example in found)


def test_an_example_loses_its_connection_and_nothing_else() -> None:
    task = {
        "name": "x",
        "register": "r",
        "directpath.vsphere.host_passthrough": {"hostname": "vc", "password": "p", "cluster": "a", "port": 1},
        "ansible.builtin.debug": {"port": 1},
    }
    assert without_connection(task) == {
        "name": "x",
        "register": "r",
        "directpath.vsphere.host_passthrough": {"cluster": "a"},
        "ansible.builtin.debug": {"port": 1},
    }


def example(module: str, *, changes_again: bool = False) -> Example:
    return Example(module=module, task={"name": module}, lab=LAB, vars={"colour": module}, changes_again=changes_again)


def test_every_example_is_led_to_its_own_lab(tmp_path: Path) -> None:
    made = inventory([example("a"), example("b")], [{"VMWARE_PORT": "1"}, {"VMWARE_PORT": "2"}], tmp_path)
    first, second = made["all"]["hosts"].values()
    assert (first["example_environment"], first["colour"]) == ({"VMWARE_PORT": "1"}, "a")
    assert (second["example_environment"], second["colour"]) == ({"VMWARE_PORT": "2"}, "b")
    assert first["example_file"] != second["example_file"]


class Runs:
    """Phases that end as they are told: for each run host → (changed, failed)."""

    def __init__(self, *runs: dict[str, tuple[int, int]]) -> None:
        self.left = list(runs)
        self.asked: list[tuple[tuple[str, ...], list[str]]] = []

    def __call__(self, *options: str, hosts: Sequence[str] = ()) -> dict[str, Tally]:
        self.asked.append((options, list(hosts)))
        return {host: Tally(changed=changed, failed=failed) for host, (changed, failed) in self.left.pop(0).items()}


@pytest.mark.parametrize(
    ("runs", "written", "changes_again", "problem"),
    [
        ([(1, 0), (1, 0), (0, 0)], [], False, None),
        ([(0, 0), (0, 0), (0, 0)], [], False, None),
        ([(1, 0), (1, 0), (1, 0)], [], True, None),
        ([(0, 0), (1, 0)], [], False, "check mode said changed=0, the run changed=1"),
        ([(1, 0), (0, 0)], [], False, "check mode said changed=1, the run changed=0"),
        ([(1, 0), (1, 0), (1, 0)], [], False, "a second run changed=1, expected none"),
        ([(1, 0), (1, 0), (0, 0)], [], True, "a second run changed=0, expected a change"),
        ([(0, 1)], [], False, "--check: it failed"),
        ([(1, 0), (1, 1)], [], False, "real run: it failed"),
        ([(1, 0), (1, 0), (0, 1)], [], False, "second run: it failed"),
        ([(1, 0)], [{"method": "RebootHost_Task"}], False, "check mode wrote: [{'method': 'RebootHost_Task'}]"),
    ],
)
def test_what_does_not_hold_is_noticed(
    runs: list[tuple[int, int]], written: list[dict[str, str]], changes_again: bool, problem: str | None
) -> None:
    """Beside one that holds, which is run to the end whatever becomes of the other."""
    good = [(2, 0), (2, 0), (0, 0)]
    phases = Runs(
        *({"01-good": good[number]} | ({"02-bad": runs[number]} if number < len(runs) else {}) for number in range(3))
    )
    chosen = [example("good"), example("bad", changes_again=changes_again)]
    found = judged(chosen, phases, lambda number: written if number == 1 else [])
    assert found == [None, problem]
    assert phases.asked[0] == (("--check",), [])
    taking_part = [["01-good", "02-bad"] if number < len(runs) else ["01-good"] for number in (1, 2)]
    assert phases.asked[1:] == [((), hosts) for hosts in taking_part]


def test_what_ansible_did_not_run_is_noticed() -> None:
    phases = Runs({"01-good": (0, 0)}, {"01-good": (0, 0)}, {"01-good": (0, 0)})
    assert judged([example("good"), example("bad")], phases, lambda number: []) == [None, "--check: it was not run"]


def test_nothing_more_is_run_where_nothing_holds() -> None:
    phases = Runs({"01-bad": (0, 1)})
    assert judged([example("bad")], phases, lambda number: []) == ["--check: it failed"]
    assert len(phases.asked) == 1
