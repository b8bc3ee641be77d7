# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn changelogs/fragments into CHANGELOG.md for the version in galaxy.yml.

antsibull-changelog reads the plugins with ansible-doc, so it needs the collection under its full name. It runs in a tree,
and the files that it writes are copied back.
"""

from __future__ import annotations

import datetime
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from tools.envs import ROOT, clean_environ
from tools.generate import metadata
from tools.tree import collections_path, sync

WRITTEN = ("CHANGELOG.md", "changelogs/changelog.yaml")


def forget(file: Path, version: str) -> None:
    """Remove the notes of a version. antsibull-changelog never reads again a fragment that it has used."""
    known = yaml.safe_load(file.read_text(encoding="utf-8"))
    known["releases"].pop(version, None)
    file.write_text(yaml.safe_dump(known), encoding="utf-8")


def unescape(file: Path, version: str) -> None:
    """antsibull-changelog stores the descriptions of new modules and plugins with the escapes of Markdown (``SR\\-IOV``)."""
    known = yaml.safe_load(file.read_text(encoding="utf-8"))
    release = known["releases"][version]
    for new in [release.get("modules", []), *release.get("plugins", {}).values()]:
        for item in new:
            item["description"] = re.sub(r"\\([-_*.#+!])", r"\1", item["description"])
    file.write_text(yaml.safe_dump(known), encoding="utf-8")


def main() -> int:
    """Exit status of antsibull-changelog. A second run for the same version makes its notes again, from what the fragments say now."""
    folder = sync("release")
    for name in WRITTEN:
        if (ROOT / name).exists():
            shutil.copy2(ROOT / name, folder / name)
    (folder / "changelogs" / ".plugin-cache.yaml").unlink(
        missing_ok=True
    )  # it is kept as long as the version is the same
    version = metadata()["version"]
    forget(folder / "changelogs" / "changelog.yaml", version)
    command = ["antsibull-changelog", "release", "--version", version, "--date", str(datetime.date.today())]
    environ = clean_environ(Path(sys.prefix)) | {"ANSIBLE_COLLECTIONS_PATH": str(collections_path("release"))}
    done = subprocess.run(command, cwd=folder, env=environ, check=False)
    if done.returncode == 0:
        unescape(folder / "changelogs" / "changelog.yaml", version)
        done = subprocess.run(["antsibull-changelog", "generate"], cwd=folder, env=environ, check=False)
    if done.returncode == 0:
        for name in WRITTEN:
            shutil.copy2(folder / name, ROOT / name)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
