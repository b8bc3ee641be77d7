# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of the working files under .cache/tree/NAME/ansible_collections/directpath/vsphere.

ansible-test, ansible-lint and ansible-playbook want a collection in a folder of that shape, and a checkout has any
name. A copy holds what git would commit (tracked and new files, ignored ones not), so that stray files of the checkout
change no result. It is brought up to date, not made anew, and what a tool leaves in it (tests/output) stays.

``python -m tools.tree NAME ...`` prints the folder to put into ANSIBLE_COLLECTIONS_PATH, one a line.
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
    """What ANSIBLE_COLLECTIONS_PATH must name for the copy."""
    return TREES / name


def collection(name: str) -> Path:
    """The folder of the collection in the copy."""
    return collections_path(name) / "ansible_collections" / "directpath" / "vsphere"


def sync(name: str) -> Path:
    """Bring the copy up to date and return the collection's folder in it."""
    target = collection(name)
    target.mkdir(parents=True, exist_ok=True)
    listing = TREES / f"{name}.files"
    with (TREES / f".{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        files = working_files()
        known = listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []
        listing.write_text("\n".join(files), encoding="utf-8")
        for gone in set(known) - set(files):
            (target / gone).unlink(missing_ok=True)
        for file in files:
            _copy(ROOT / file, target / file)
        if not (target / ".git").exists():
            # ansible-test would otherwise find the checkout's own .git above, which ignores .cache, and see no files.
            subprocess.run(["git", "init", "--quiet", str(target)], check=True, stdin=subprocess.DEVNULL)
    return target


def working_files() -> list[str]:
    """Tracked and new files of the checkout, sorted; those git ignores and those just deleted are left out."""
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
