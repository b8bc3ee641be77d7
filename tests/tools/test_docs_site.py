# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of the documentation site: which there are, and where their links lead."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.docs_site import chapters, navigation, pictures, reference_pages, with_links
from tools.envs import ROOT
from tools.generate import NAMING_THE_REPOSITORY, metadata, with_repository

PAGES = frozenset(
    {Path("README.md"), Path("docs/README.md"), Path("docs/guides/drift.md"), Path("docs/guides/undo.md")}
)
HERE = Path("docs/guides/drift.md")
ADDRESS = "https://example.org/us/it"


@pytest.mark.parametrize(
    ("link", "leads_to"),
    [
        ("undo.md", "undo.md"),
        ("undo.md#detach", "undo.md#detach"),
        ("#here", "#here"),
        ("../../README.md", "../../index.md"),
        ("../../README.md#install", "../../index.md#install"),
        ("https://example.com/x", "https://example.com/x"),
        ("../../examples", f"{ADDRESS}/tree/main/examples"),
        ("../../simulator/labs/demo.yml", f"{ADDRESS}/blob/main/simulator/labs/demo.yml"),
        ("../../roles/verify/README.md", "../../reference/verify_role.rst"),
        ("../reference/drift_info.md", "../../reference/drift_info_module.rst"),
        ("../reference/pci_hosts.md", "../../reference/pci_hosts_inventory.rst"),
    ],
)
def test_where_a_link_leads(link: str, leads_to: str) -> None:
    assert with_links(f"see [it]({link}).\n", HERE, PAGES, ADDRESS) == f"see [it]({leads_to}).\n"


def test_code_is_not_touched() -> None:
    code = "```yaml\n- [a](../../examples)\n```\n"
    assert with_links(code, HERE, PAGES, ADDRESS) == code


def test_pictures_are_found() -> None:
    assert pictures("![a](../a.svg) ![b](https://example.org/b.svg)", HERE) == {Path("docs/a.svg")}


def test_every_page_is_in_the_navigation_once() -> None:
    found = [page for pages in chapters().values() for page in pages]
    assert len(found) == len(set(found))
    markdown = {path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md") if path.parent.name != "reference"}
    assert markdown <= set(found)
    tree = navigation(chapters(), reference_pages())
    assert all(f"\n{page.with_suffix('').as_posix()}\n" in tree for page in found)
    modules = {path.stem for path in (ROOT / "plugins" / "modules").glob("[a-z]*.py")}
    assert all(f"<reference/{name}_module>" in tree for name in modules)


def test_one_place_names_the_organization() -> None:
    assert with_repository(
        "https://github.com/a/directpath.vsphere/issues", "https://github.com/b/directpath.vsphere"
    ) == ("https://github.com/b/directpath.vsphere/issues")
    address = metadata()["repository"]
    for path in (path for pattern in NAMING_THE_REPOSITORY for path in ROOT.glob(pattern)):
        text = path.read_text(encoding="utf-8")
        assert with_repository(text, address) == text, f"{path.name}: run make generate"
