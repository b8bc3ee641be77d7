# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The copy of the working files: what is in it, and that it follows the checkout."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools import tree


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "checkout"
    root.mkdir()
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    (root / ".gitignore").write_text("/.cache/\n*.pyc\n")
    (root / "galaxy.yml").write_text("a: 1\n")
    (root / "plugins").mkdir()
    (root / "plugins" / "new.py").write_text("x = 1\n")
    (root / "plugins" / "new.pyc").write_text("stray")
    monkeypatch.setattr(tree, "ROOT", root)
    monkeypatch.setattr(tree, "TREES", root / ".cache" / "tree")
    return root


def copied(folder: Path) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts]
    return sorted(str(path.relative_to(folder)) for path in files)


def test_it_holds_what_git_would_commit(checkout: Path) -> None:
    folder = tree.sync("x")
    assert folder == checkout / ".cache/tree/x/ansible_collections/directpath/vsphere"
    assert copied(folder) == [".gitignore", "galaxy.yml", "plugins/new.py"]


def test_it_follows_changes_and_removals_and_leaves_what_tools_wrote(checkout: Path) -> None:
    folder = tree.sync("x")
    (folder / "tests").mkdir()
    (folder / "tests" / "output").write_text("report")
    (checkout / "galaxy.yml").write_text("a: 20\n")
    (checkout / "plugins" / "new.py").unlink()
    (checkout / "added.md").write_text("new\n")
    tree.sync("x")
    assert (folder / "galaxy.yml").read_text() == "a: 20\n"
    assert copied(folder) == [".gitignore", "added.md", "galaxy.yml", "tests/output"]


def test_it_is_its_own_repository(checkout: Path) -> None:
    folder = tree.sync("x")
    done = subprocess.run(
        ["git", "rev-parse", "--show-toplevel"], cwd=folder, capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()) == folder
