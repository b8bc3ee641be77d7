# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find a headless Chromium for the HTML pages, or download one into .cache/browser. Nothing is installed in the system.

In this order: ``DIRECTPATH_BROWSER`` or a Chromium on PATH; the npm package @sparticuz/chromium with the browser and its
libraries (x86-64); Debian's chromium-headless-shell, unpacked together with missing libraries (apt-get, without installation).
``python -m tools.browser`` prints its path. Standard library only.
"""

from __future__ import annotations

import fcntl
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tools.envs import CACHE

HOME = CACHE / "browser"
PACKAGE = "@sparticuz/chromium@153.0.0"
NAMES = (
    "chromium-headless-shell",
    "headless_shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
DEBIAN = "chromium-headless-shell"

UNPACK = """
import {createReadStream, createWriteStream} from 'node:fs';
import {createBrotliDecompress} from 'node:zlib';
import {pipeline} from 'node:stream/promises';
const [from, to] = process.argv.slice(-2);
await pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to));
"""


class NoBrowser(Exception):
    """No browser was found or could be downloaded. The message lists the attempts."""


@dataclass(frozen=True, kw_only=True)
class Chromium:
    """The path of the browser, and its environment variables."""

    path: Path
    environ: Mapping[str, str] = field(default_factory=dict)


def ensure() -> Chromium:
    """Return a browser that starts. Raises NoBrowser. Of two callers at the same time, the second one waits."""
    tried = []
    for about, way in (("on this machine", _found), (PACKAGE, _from_npm), (f"Debian's {DEBIAN}", _from_debian)):
        try:
            chromium = way()
            _start(chromium)
        except (NoBrowser, OSError, subprocess.SubprocessError, tarfile.TarError) as reason:
            tried.append(f"{about}: {_sentence(reason)}")
        else:
            return chromium
    raise NoBrowser("no Chromium is available: " + "; ".join(tried))


def _sentence(reason: Exception) -> str:
    output = getattr(reason, "stderr", None) or b""
    last = (output if isinstance(output, str) else output.decode(errors="replace")).strip().splitlines()[-1:]
    return " ".join([str(reason).splitlines()[0] if str(reason) else type(reason).__name__, *last])


def _start(chromium: Chromium) -> None:
    """Raise an error when the browser lacks a library, or is for another machine."""
    _run([str(chromium.path), "--version"], environ=chromium.environ)


def _run(command: list[str], *, folder: Path | None = None, environ: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return done.stdout


def _found() -> Chromium:
    named = os.environ.get("DIRECTPATH_BROWSER")
    if named:
        return Chromium(path=Path(named))
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return Chromium(path=Path(found))
    raise NoBrowser("none of " + ", ".join(NAMES))


def _from_npm() -> Chromium:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NoBrowser("there is no npm")
    if platform.machine() not in ("x86_64", "AMD64"):
        raise NoBrowser(f"it is built for x86-64, not for {platform.machine()}")
    home = HOME / ("npm-" + re.sub(r"[^0-9a-z.]+", "-", PACKAGE).strip("-"))
    with _made_once(home) as make:
        if make:
            _run([npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", ".", PACKAGE], folder=home)
            packed = home / "node_modules" / PACKAGE.rpartition("@")[0] / "bin"
            for name in ("chromium", "al2023.tar", "fonts.tar"):
                source, target = str(packed / f"{name}.br"), str(home / name)
                _run([node, "--input-type=module", "--eval", UNPACK, "--", source, target])
            for name in ("al2023", "fonts"):
                with tarfile.open(home / f"{name}.tar") as archive:
                    archive.extractall(home / name, filter="data")
                (home / f"{name}.tar").unlink()
            (home / "chromium").chmod(0o755)
            shutil.rmtree(home / "node_modules")
    environ = {"LD_LIBRARY_PATH": str(home / "al2023" / "lib")}
    if shutil.which("fc-list") is None:
        environ["FONTCONFIG_PATH"] = str(home / "fonts")
    return Chromium(path=home / "chromium", environ=environ)


def _from_debian() -> Chromium:
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise NoBrowser("this is no Debian")
    home = HOME / "debian"
    with _made_once(home) as make:
        if make:
            if os.geteuid() == 0:
                _run(["apt-get", "update", "-qq"])
            plan = _run(["apt-get", "install", "--simulate", "--no-install-recommends", DEBIAN])
            missing = re.findall(r"^Inst (\S+)", plan, flags=re.MULTILINE)
            if not missing:
                raise NoBrowser("apt-get offers none")
            _run(["apt-get", "download", *missing], folder=home)
            for package in sorted(home.glob("*.deb")):
                _run(["dpkg-deb", "--extract", str(package), str(home / "root")])
                package.unlink()
    libraries = sorted({str(path.parent) for path in (home / "root").rglob("*.so*")})
    path = home / "root" / "usr" / "lib" / "chromium" / "chromium-headless-shell"
    return Chromium(path=path, environ={"LD_LIBRARY_PATH": ":".join(libraries)})


@contextmanager
def _made_once(home: Path) -> Iterator[bool]:
    """Yield True when the folder must be filled. It counts as filled when the block ends without an error."""
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        ready = home / "ready"
        make = not ready.exists()
        if make:
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir(parents=True)
        yield make
        ready.touch()


if __name__ == "__main__":
    try:
        print(ensure().path)
    except NoBrowser as reason:
        sys.exit(str(reason))
