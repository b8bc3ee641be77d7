# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example of every page parses, says whether it is executed, and every link inside the checkout leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tools.envs import ROOT
from tools.markdown import Block, blocks
from tools.run_docs import SHELLS, pages

PAGES = [*pages(), *sorted((ROOT / "docs").rglob("decisions/*.md")), ROOT / "CONTRIBUTING.md"]
PAGES = [page for page in PAGES if page.exists()]
EXECUTED = [page for page in pages() if page.is_relative_to(ROOT / "docs")]


class AnsibleLoader(yaml.SafeLoader):
    """Also reads the tags of Ansible."""


for tag in ("!unsafe", "!vault"):
    AnsibleLoader.add_constructor(tag, lambda loader, node: loader.construct_scalar(node))


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def bare_examples(found: list[Block]) -> list[str]:
    """YAML and shell blocks that nobody runs and no comment excuses."""
    languages = (*SHELLS, "yaml", "yml")
    return [f"line {b.line}: {b.language}" for b in found if b.language in languages and b.is_bare]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_yaml_examples_parse(page: Path) -> None:
    for block in blocks(page.read_text(encoding="utf-8"), name_of(page)):
        if block.language in ("yaml", "yml"):
            assert list(yaml.load_all(block.text, AnsibleLoader)) != [None], f"line {block.line}"


@pytest.mark.parametrize("page", EXECUTED, ids=name_of)
def test_every_example_is_executed_or_excused(page: Path) -> None:
    assert bare_examples(blocks(page.read_text(encoding="utf-8"), name_of(page))) == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_inside_the_checkout_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    lost = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert lost == []


def test_a_bare_example_is_noticed() -> None:
    text = "```yaml\na: 1\n```\n\n<!-- file: x.yml -->\n```yaml\nb: 1\n```\n\n```text\nc\n```\n\n```shell\nd\n```\n"
    assert bare_examples(blocks(text)) == ["line 1: yaml", "line 14: shell"]
