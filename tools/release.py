# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the files of a release in dist/: the tarball, an SBOM, the license of each file, and checksums.

``python -m tools.release``            refuses what must not be published
``python -m tools.release --rehearse`` lists the same objections, makes the files all the same, and removes them

The release workflow signs and publishes what is in dist/. MAINTAINERS.md describes a release.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

import yaml

from tools.commands import StepError, must
from tools.envs import ROOT, clean_environ, ensure
from tools.generate import metadata
from tools.package import build

PLACEHOLDER = "your-organization"
DIST = ROOT / "dist"


def objections(about: Mapping[str, str], released: Mapping[str, object], tag: str, unfinished: str) -> list[str]:
    """Why this checkout must not be published: with galaxy.yml, the releases of the changelog, the git tag of this commit, and what git
    reports as changed."""
    version = about["version"]
    problems = []
    for key in ("repository", "documentation", "homepage", "issues"):
        if PLACEHOLDER in about[key]:
            problems.append(
                f"galaxy.yml: {key} has the placeholder {PLACEHOLDER}. Write the organization, and run make generate"
            )
    if version not in released:
        problems.append(f"changelogs/changelog.yaml has no release {version}. Run make changelog")
    if tag != f"v{version}":
        problems.append(
            f"the git tag of this commit is {tag or 'missing'}, and galaxy.yml has version {version}: tag v{version}"
        )
    if unfinished:
        problems.append(f"files are not committed:\n{unfinished}")
    return problems


def found_objections() -> list[str]:
    """The objections against this checkout."""
    changelog = yaml.safe_load((ROOT / "changelogs" / "changelog.yaml").read_text(encoding="utf-8"))
    tags = [tag for tag in _git("tag", "--points-at", "HEAD").split() if tag.startswith("v")]
    return objections(metadata(), changelog["releases"], " ".join(tags), _git("status", "--porcelain").rstrip())


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
    )
    return done.stdout


def write(folder: Path) -> list[Path]:
    """Write the files of the release. Raises StepError."""
    environ = clean_environ(Path(sys.prefix))
    tarball = build(folder, environ, "release-files", for_galaxy=True)
    stem = tarball.name.removesuffix(".tar.gz")
    sbom, licenses = folder / f"{stem}.cdx.json", folder / f"{stem}.spdx"
    # What `pip install -r requirements.txt` installs today, with its versions and licenses.
    must(
        [
            "cyclonedx-py",
            "environment",
            "--output-reproducible",
            "-o",
            str(sbom),
            str(ensure("run") / "bin" / "python"),
        ],
        ROOT,
        environ,
    )
    licenses.write_text(must(["reuse", "--no-multiprocessing", "spdx"], ROOT, environ), encoding="utf-8")
    files = [tarball, sbom, licenses]
    sums = folder / "SHA256SUMS"
    sums.write_text(
        "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files), encoding="utf-8"
    )
    return [*files, sums]


def sizes(tarball: Path) -> dict[str, int]:
    """Top folder or file of the tarball → its bytes, the largest first."""
    found: dict[str, int] = {}
    with tarfile.open(tarball) as archive:
        for member in archive.getmembers():
            top = member.name.removeprefix("./").partition("/")[0]
            found[top] = found.get(top, 0) + member.size
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def main() -> int:
    """Exit status 1 if there is an objection, or a file cannot be made."""
    parser = argparse.ArgumentParser(prog="python -m tools.release", description=__doc__)
    parser.add_argument(
        "--rehearse", action="store_true", help="make the files in spite of objections, and remove them"
    )
    rehearse = parser.parse_args().rehearse
    problems = found_objections()
    for problem in problems:
        print(f"{'would be refused' if rehearse else 'refused'}: {problem}", file=sys.stderr)
    if problems and not rehearse:
        return 1
    with tempfile.TemporaryDirectory(prefix="directpath-release-") as name:
        try:
            files = write(Path(name))
        except StepError as problem:
            print(problem)
            return 1
        print("\n".join(f"{file.name}: {file.stat().st_size / 1024:.0f} kB" for file in files))
        print(
            "in the tarball: "
            + ", ".join(f"{top} {size // 1024} kB" for top, size in sizes(files[0]).items() if size >= 10240)
        )
        if not rehearse:
            shutil.rmtree(DIST, ignore_errors=True)
            shutil.copytree(name, DIST)
    print(f"{len(files)} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
