# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of a page are really executed: a page that promises something untrue is broken."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools.envs import ROOT, clean_environ
from tools.run_docs import Broken, run_page

pytestmark = pytest.mark.slow

PLAYBOOK = """```yaml
- hosts: all
```
"""
ANSIBLE = """#!/bin/sh
# Says how it was called and what it was given, and fails where that holds the word impossible.
echo "called with: $*, configuration: $ANSIBLE_CONFIG"
for file; do :; done
cat "$file"
! grep -q impossible "$file"
"""
INVENTORY = """<!-- file: inventory.yml -->
```yaml
all: {hosts: {one: {colour: green}}}
```
"""


def run(tmp_path: Path, text: str, *, write: bool = False) -> int:
    """Run a page; ansible-playbook is a stand-in, the real one runs the real pages."""
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    program = tmp_path / "bin" / "ansible-playbook"
    program.parent.mkdir(exist_ok=True)
    program.write_text(ANSIBLE, encoding="utf-8")
    program.chmod(0o755)
    environ = clean_environ(Path(sys.prefix))
    return run_page(page, environ | {"PATH": f"{program.parent}:{environ['PATH']}"}, write=write)


def shell(directive: str, script: str) -> str:
    return f"{directive}\n```shell\n{script}\n```\n"


def test_a_page_shares_one_folder(tmp_path: Path) -> None:
    text = shell("<!-- run: -->", "echo one > file") + "\n" + shell("<!-- run: expect=one -->", "cat file")
    assert run(tmp_path, text) == 2
    assert not (tmp_path / "file").exists()


def test_a_page_may_have_several_simulators(tmp_path: Path) -> None:
    script = 'test "$VMWARE_PORT" != "$WEST_PORT" && test -s "$WEST_CA_PATH" && echo "host=$WEST_HOST"'
    directive = '<!-- run: lab=simulator/labs/home.yml also="WEST=simulator/labs/home.yml" expect="host=localhost" -->'
    assert run(tmp_path, shell(directive, script)) == 1


def test_a_playbook_runs_with_the_inventory_of_its_page(tmp_path: Path) -> None:
    directive = '<!-- run: args="--check --diff" expect="/inventory.yml --check --diff" expect="hosts: all" refuse="failed=1" -->'
    assert run(tmp_path, f"{INVENTORY}\n{directive}\n{PLAYBOOK}") == 1
    assert run(tmp_path, f'<!-- run: refuse="--inventory" -->\n{PLAYBOOK}') == 1


def test_a_page_may_bring_its_own_configuration(tmp_path: Path) -> None:
    assert run(tmp_path, f'<!-- run: expect="configuration: {ROOT}/tools/ansible.cfg" -->\n{PLAYBOOK}') == 1
    own = "<!-- file: ansible.cfg -->\n```ini\n[defaults]\n```\n"
    assert run(tmp_path, f'{own}\n<!-- run: expect="/ansible.cfg" refuse="{ROOT}/tools" -->\n{PLAYBOOK}') == 1


@pytest.mark.parametrize(
    ("directive", "script", "problem"),
    [
        ("<!-- run: -->", "exit 3", "exit status 3, the page says 0"),
        ("<!-- run: rc=1 -->", "exit 0", "exit status 0, the page says 1"),
        ("<!-- run: expect=green -->", "echo red", "the output lacks 'green'"),
        ("<!-- run: refuse=red -->", "echo red", "the output holds 'red'"),
        ("<!-- run: -->", "false\ntrue", "exit status 1"),
        ("<!-- run: -->", 'echo "$NO_SUCH_VARIABLE"', "unbound variable"),
        ("<!-- run: -->", "false | true", "exit status 1"),
        ("<!-- run: -->", "read line", "exit status 1"),
    ],
)
def test_an_untrue_page_is_broken(tmp_path: Path, directive: str, script: str, problem: str) -> None:
    with pytest.raises(Broken, match=r"page\.md:2") as caught:
        run(tmp_path, shell(directive, script))
    assert problem in str(caught.value)


def test_a_failing_playbook_is_broken(tmp_path: Path) -> None:
    with pytest.raises(Broken, match="exit status 1, the page says 0"):
        run(tmp_path, "<!-- run: -->\n" + PLAYBOOK.replace("all", "impossible"))


def test_an_output_that_is_not_that_of_the_run_is_broken(tmp_path: Path) -> None:
    page = shell("<!-- run: -->", "echo one; echo two; echo three") + "\n<!-- output: -->\n```text\none\n...\n{}\n```\n"
    assert run(tmp_path, page.format("three")) == 1
    with pytest.raises(Broken, match=r"page\.md:7: the output lacks 'four'"):
        run(tmp_path, page.format("four"))
    text = page.replace("one\n...\n{}", "zero")
    assert run(tmp_path, text, write=True) == 1
    written = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert written == text.replace("zero", "one\ntwo\nthree")
    assert run(tmp_path, written) == 1


def test_other_languages_cannot_be_run(tmp_path: Path) -> None:
    with pytest.raises(Broken, match="'python' cannot be run"):
        run(tmp_path, "<!-- run: -->\n```python\nprint()\n```\n")
