# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of the working files under .cache/tree/NAME/ansible_collections/directpath/vsphere.

ansible-test, ansible-lint and ansible-playbook need a collection in a folder of this form, but a checkout can have any
name. A copy has the files that git would commit (tracked and new files, without ignored ones), so that other files in the
checkout do not change results. An existing copy is updated, and files of tools in it (tests/output) stay.

``python -m tools.tree NAME ...`` prints the folders for ANSIBLE_COLLECTIONS_PATH, one per line.
"""

from __future__ import annotations

import argparse
import fcntl
import filecmp
import shutil
import subprocess
from pathlib import Path

from tools.envs import CACHE, ROOT

TREES = CACHE / "tree"


def collections_path(name: str) -> Path:
    """The value of ANSIBLE_COLLECTIONS_PATH for the copy."""
    return TREES / name


def collection(name: str) -> Path:
    """The folder of the collection in the copy."""
    return collections_path(name) / "ansible_collections" / "directpath" / "vsphere"


def sync(name: str) -> Path:
    """Update the copy and return the folder of the collection in it."""
    target = collection(name)
    target.mkdir(parents=True, exist_ok=True)
    listing = TREES / f"{name}.files"
    with (TREES / f".{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        files = working_files()
        known = listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []
        listing.write_text("\n".join(files), encoding="utf-8")
        for gone in set(known) - set(files):
            _remove(target / gone, target)
        for file in files:
            _copy(ROOT / file, target / file)
        if not (target / ".git").exists():
            # Otherwise ansible-test would find the .git of the checkout, which ignores .cache, and see no files.
            subprocess.run(["git", "init", "--quiet", str(target)], check=True, stdin=subprocess.DEVNULL)
    return target


def _remove(file: Path, top: Path) -> None:
    """With the folders that are empty then: Ansible would import one as a package, in place of a module of the same name."""
    file.unlink(missing_ok=True)
    for folder in file.parents:
        if folder == top or not folder.is_dir() or any(folder.iterdir()):
            return
        folder.rmdir()


def working_files() -> list[str]:
    """Tracked and new files of the checkout, sorted, without ignored and deleted ones."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, stdin=subprocess.DEVNULL)
    names = {name for name in done.stdout.decode().split("\0") if name}
    return sorted(name for name in names if (ROOT / name).is_file())


def _copy(source: Path, target: Path) -> None:
    if target.is_file() and not target.is_symlink() and filecmp.cmp(source, target, shallow=True):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tools.tree", description=__doc__)
    parser.add_argument("names", nargs="+")
    for tree in parser.parse_args().names:
        sync(tree)
        print(collections_path(tree))
