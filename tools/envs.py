# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual environments for `make`, created once in .cache/venv, with the hash of their requirements in the name.

Standard library only, because it runs on the bare interpreter of a new machine.
``python -m tools.envs main`` prints the folder of the environment, and creates it if it is missing.
"""

from __future__ import annotations

import datetime
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
VENVS = CACHE / "venv"
HOME = CACHE / "home"  # for tools that would write to the home of the user
BYTECODE = CACHE / "bytecode"
REQUIREMENTS = ROOT / "tools" / "requirements"

Version = tuple[int, int]


class NoInterpreter(Exception):
    """No interpreter of the required versions was found. The message names the versions."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Allowed versions of Python (best first), and the requirements file."""

    pythons: tuple[Version, ...]
    requirements: str
    weekly: bool = False  # rebuilt each ISO week, because its requirements are not pinned
    compiled: bool = True  # byte code for all files, now. Not worth it if few of many files are used


ENVIRONMENTS = {
    "run": Environment(pythons=((3, 11), (3, 12), (3, 13), (3, 14)), requirements="run.txt"),
    "main": Environment(pythons=((3, 12), (3, 13), (3, 14)), requirements="main.txt"),
    # For unit tests, slow tests, kills and integration, which test the lowest Python. That is why `main` has another.
    "lowest": Environment(pythons=((3, 11), (3, 12), (3, 13)), requirements="lowest.txt"),
    "peers": Environment(pythons=((3, 11), (3, 12), (3, 13)), requirements="peers.txt"),
    # One collection of the 100 in the package, which needs this older ansible-core: the later packages do not have it.
    "awx": Environment(pythons=((3, 11), (3, 12), (3, 13)), requirements="awx.txt", compiled=False),
    "newest": Environment(pythons=((3, 14), (3, 13), (3, 12)), requirements="newest.txt", weekly=True),
    "next": Environment(pythons=((3, 14), (3, 13), (3, 12)), requirements="next.txt", weekly=True),
    # ansible-core 2.16 supports 3.10 to 3.12. 3.11 comes first: no other environment tests with it.
    "oldest": Environment(pythons=((3, 11), (3, 12)), requirements="oldest.txt"),
}


@cache
def interpreters() -> dict[Version, Path]:
    """Version → Python >= 3.11 on this machine that starts and can create virtual environments; of each version, the first candidate."""
    found: dict[Version, Path] = {}
    # Of a Python in a virtual environment, the one that this was made from.
    probe = "import sys, venv, ensurepip; print(*sys.version_info[:2], sys._base_executable)"
    for candidate in dict.fromkeys(_candidates()):
        try:
            done = subprocess.run([candidate, "-c", probe], capture_output=True, text=True, timeout=120, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        words = done.stdout.strip().split(maxsplit=2)
        if done.returncode == 0 and len(words) == 3:
            found.setdefault((int(words[0]), int(words[1])), Path(words[2]))
    return found


def _candidates() -> list[str]:
    """Best first. Distributions and uv have builds with profile-guided optimization. pyenv compiles without it by default, and Python
    then takes 1.6 times as many CPU seconds for the same tests, so its builds come after those."""
    named = [os.environ["PYTHON"]] if os.environ.get("PYTHON") else []
    names = [*(f"python3.{minor}" for minor in (11, 12, 13, 14)), "python3"]
    folders = [part for part in _without_shims(os.environ.get("PATH", os.defpath)) if "/.pyenv/" not in f"{part}/"]
    installed = [shutil.which(name, path=os.pathsep.join(folders)) for name in names]
    managed = [
        *sorted((Path.home() / ".local" / "share" / "uv" / "python").glob("*/bin/python3")),
        *sorted((Path.home() / ".pyenv" / "versions").glob("3.1[1-9]*/bin/python")),
    ]
    others = [shutil.which(name) for name in names]
    return [*named, *filter(None, installed), *map(str, managed), *filter(None, others), sys.executable]


def _without_shims(path: str) -> list[str]:
    """The folders of PATH without shims of version managers. A shim may exist for a version that is not installed."""
    return [part for part in path.split(os.pathsep) if not part.endswith("/shims")]


def python_for(name: str) -> Path:
    """The interpreter for an environment. Raises NoInterpreter."""
    required = ENVIRONMENTS[name].pythons
    for version in required:
        if version in interpreters():
            return interpreters()[version]
    versions = ", ".join(f"{major}.{minor}" for major, minor in required)
    raise NoInterpreter(f"environment {name!r} needs one of Python {versions}; none was found")


def ensure(name: str) -> Path:
    """The folder of an environment, which is created if necessary. Of two callers at the same time, the second one waits."""
    python = python_for(name)
    target = VENVS / f"{name}-{_key(name, python)}"
    ready = target / "ready"
    with _lock(name):
        if ready.exists():
            return target
        for stale in VENVS.glob(f"{name}-*"):
            shutil.rmtree(stale)
        subprocess.run([python, "-m", "venv", target], check=True, stdin=subprocess.DEVNULL)
        _install(target, REQUIREMENTS / ENVIRONMENTS[name].requirements, compiled=ENVIRONMENTS[name].compiled)
        ready.touch()
    return target


def _key(name: str, python: Path) -> str:
    digest = hashlib.sha256()
    for path in _requirement_files(REQUIREMENTS / ENVIRONMENTS[name].requirements):
        digest.update(path.read_bytes())
    digest.update(subprocess.run([python, "-VV"], capture_output=True, check=True).stdout)
    digest.update(str(ROOT).encode())  # console scripts contain the absolute path of the interpreter
    if ENVIRONMENTS[name].weekly:
        digest.update(_week().encode())
    return digest.hexdigest()[:12]


@cache
def _week() -> str:
    """The week in which this process asked first: stages that use the environment of last week may still run."""
    return repr(datetime.date.today().isocalendar()[:2])


def _requirement_files(path: Path) -> Iterator[Path]:
    yield path
    for included in re.findall(r"^-r\s+(\S+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE):
        yield from _requirement_files((path.parent / included).resolve())


def _install(venv: Path, requirements: Path, *, compiled: bool) -> None:
    """Install with uv if available (seconds), else with pip (a minute). ``compiled``: byte code is compiled now, not at each start."""
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    python = str(venv / "bin" / "python")
    uv = _uv(environ)
    if uv is not None:
        _pass_pip_settings_to_uv(environ)
        options = ["--quiet", *(["--compile-bytecode"] if compiled else [])]
        command = [uv, "pip", "install", *options, "--python", python, "-r", str(requirements)]
        if subprocess.run(command, env=environ, check=False, stdin=subprocess.DEVNULL).returncode == 0:
            return
        print(f"uv could not install {requirements.name}; trying pip", file=sys.stderr)
    options = ["--quiet", "--disable-pip-version-check", *([] if compiled else ["--no-compile"])]
    command = [python, "-m", "pip", "install", *options, "-r", str(requirements)]
    subprocess.run(command, env=environ, check=True, stdin=subprocess.DEVNULL)


def _uv(environ: dict[str, str]) -> str | None:
    found = shutil.which("uv")
    if found:
        return found
    home = VENVS / "uv"
    binary = home / "bin" / "uv"
    with _lock("uv"):
        if not binary.exists():
            make = [sys.executable, "-m", "venv", "--clear", str(home)]
            pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"]
            for command in (make, pip):
                if subprocess.run(command, env=environ, check=False, stdin=subprocess.DEVNULL).returncode != 0:
                    return None
    return str(binary) if binary.exists() else None


def _pass_pip_settings_to_uv(environ: dict[str, str]) -> None:
    """Set the variables of uv from those of pip, because uv does not read the settings of pip (mirror, certificate)."""
    environ.setdefault("UV_PYTHON_DOWNLOADS", "never")
    for pip_name, uv_name in (("PIP_CERT", "SSL_CERT_FILE"), ("PIP_INDEX_URL", "UV_DEFAULT_INDEX")):
        if environ.get(pip_name):
            environ.setdefault(uv_name, environ[pip_name])


def clean_environ(venv: Path | None) -> dict[str, str]:
    """The variables of the caller without those that could change results, and with the environment first in PATH."""
    dropped = ("ANSIBLE_", "VMWARE_", "PYTEST_", "PYTHON", "MYPY", "RUFF_", "GALAXY_", "COVERAGE_", "VIRTUAL_ENV")
    environ = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    path = _without_shims(environ.get("PATH", os.defpath))  # with a shim, ansible-test would fail
    BYTECODE.mkdir(parents=True, exist_ok=True)
    return environ | {
        "PYTHONPATH": str(ROOT / "tools" / "starts"),
        "DIRECTPATH_BYTECODE": str(BYTECODE),
        "PATH": os.pathsep.join([*([str(venv / "bin")] if venv else []), *path]),
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_HOME": str(CACHE / "ansible"),
        "XDG_RUNTIME_DIR": str(CACHE / "runtime"),  # for tasks with `session: shared`
        "ANSIBLE_REMOTE_TMP": str(CACHE / "ansible" / "remote"),
        "ANSIBLE_CONFIG": str(ROOT / "tools" / "ansible.cfg"),
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
    }


@contextmanager
def _lock(name: str) -> Iterator[None]:
    VENVS.mkdir(parents=True, exist_ok=True)
    with (VENVS / f".{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    try:
        print(ensure(sys.argv[1]))
    except NoInterpreter as reason:
        sys.exit(str(reason))
