# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the examples of a page: what is understood, and that what is not understood is an error."""

from __future__ import annotations

import pytest

from tools.markdown import MarkdownError, Run, blocks, lacks


def fenced(directive: str, language: str = "yaml", body: str = "a: 1") -> str:
    return f"text\n\n{directive}\n```{language}\n{body}\n```\n\nmore\n"


def test_a_run() -> None:
    text = fenced(
        '<!-- run: lab=labs/x.yml args="--check --diff" expect="changed=0" expect=b refuse="failed=1" rc=2 -->'
    )
    (block,) = blocks(text)
    assert (block.line, block.language, block.text) == (4, "yaml", "a: 1\n")
    assert block.run == Run(
        lab="labs/x.yml",
        args=("--check", "--diff"),
        expect=("changed=0", "b"),
        refuse=("failed=1",),
        rc=2,
    )


def test_further_simulators() -> None:
    (block,) = blocks(fenced('<!-- run: lab=a.yml also="WEST=b.yml" also="NORTH=labs/c.yml" -->'))
    assert block.run is not None
    assert block.run.also == (("WEST", "b.yml"), ("NORTH", "labs/c.yml"))


def test_a_run_without_anything() -> None:
    (block,) = blocks(fenced("<!-- run: -->"))
    assert block.run == Run()
    assert not block.is_bare


def test_a_file_and_an_excuse_and_nothing() -> None:
    text = fenced("<!-- file: group_vars/all.yml -->") + fenced("<!-- not run: needs a GPU -->") + fenced("")
    first, second, third = blocks(text)
    assert first.file == "group_vars/all.yml"
    assert second.not_run == "needs a GPU"
    assert third.is_bare


def test_an_indented_fence_loses_its_indentation() -> None:
    (block,) = blocks("1. step\n\n   <!-- run: -->\n   ```shell\n   echo a\n     echo b\n   ```\n")
    assert block.text == "echo a\n  echo b\n"


def test_blank_lines_may_stand_between() -> None:
    (block,) = blocks("<!-- run: -->\n\n```shell\ntrue\n```\n")
    assert block.run == Run()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<!-- run: -->\nprose\n\n```yaml\na: 1\n```\n", "page:1: the comment stands before no fence"),
        ("<!-- run: -->\n", "page:1: the comment stands before no fence"),
        ("<!-- run: -->\n<!-- file: x -->\n```yaml\n```\n", "page:1: the comment stands before no fence"),
        (fenced("<!-- run: labs=x -->"), "'labs=x' is none of lab="),
        (fenced("<!-- run: check -->"), "'check' is none of"),
        (fenced("<!-- run: rc=1 rc=2 -->"), "rc= stands twice"),
        (fenced("<!-- run: also=b.yml -->"), "also= is written NAME=lab.yml"),
        (fenced("<!-- run: also=west=b.yml -->"), "also= is written NAME=lab.yml"),
        (fenced("<!-- file: -->"), "'file:' needs a text"),
        (fenced("<!-- not run: -->"), "'not run:' needs a text"),
        (fenced("<!-- file: ../../etc/x -->"), "leads out of the page's folder"),
        (fenced("<!-- file: /etc/x -->"), "leads out of the page's folder"),
        ("```yaml\na: 1\n", "page:1: the fence is never closed"),
    ],
)
def test_what_is_not_understood_is_an_error(text: str, message: str) -> None:
    with pytest.raises(MarkdownError) as caught:
        blocks(text)
    assert message in str(caught.value)


OUTPUT = "PLAY [x] ***\n\nTASK [a] ***\nchanged: [localhost]   \n\nTASK [b] ***\nchanged: [localhost]\n"


@pytest.mark.parametrize(
    ("shown", "missing"),
    [
        ("TASK [a] ***\nchanged: [localhost]\n", None),
        ("PLAY [x] ***\n...\nTASK [b] ***\n", None),
        ("PLAY [x] ***\nTASK [a] ***\n", "TASK [a] ***"),
        ("TASK [b] ***\n...\nTASK [a] ***\n", "TASK [a] ***"),
        ("TASK [c] ***\n", "TASK [c] ***"),
        ("TASK [b] ***\nchanged: [localhost]\nmore\n", "more"),
    ],
)
def test_the_output_on_a_page_is_that_of_the_run(shown: str, missing: str | None) -> None:
    assert lacks(OUTPUT, shown) == missing


def test_an_output() -> None:
    (block,) = blocks(fenced("<!-- output: -->", "text"))
    assert block.output
    assert not block.is_bare
