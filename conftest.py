# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make ``ansible_collections.directpath.vsphere`` importable whatever the checkout's folder is called, and keep quick tests quick."""

from __future__ import annotations

import gc
import importlib.util
import mmap
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent
QUICK = tuple(ROOT / "tests" / name for name in ("unit", "layers", "docs", "tools"))
"""Where no test starts a program of Ansible: it takes two seconds of a processor. Those that need one are in tests/controller."""


def _install_collection_path() -> None:
    """Load tools/collection_path.py by file, because nothing of this checkout is importable yet."""
    source = ROOT / "tools" / "collection_path.py"
    spec = importlib.util.spec_from_file_location("_directpath_collection_path", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    module.install()


_install_collection_path()


def _own_ansible_settings() -> None:
    """Ansible reads its settings once, where it is first imported: none of the user's own are to take part in a test."""
    for name in [name for name in os.environ if name.startswith("ANSIBLE_") and name != "ANSIBLE_HOME"]:
        del os.environ[name]
    os.environ["ANSIBLE_CONFIG"] = str(ROOT / "tools" / "ansible.cfg")


_own_ansible_settings()


yaml.SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # type: ignore[misc]  # the same, ten times faster

# Simulated fleets are big and live as long as their test: looking through them for garbage again and again costs a tenth.
gc.set_threshold(200_000, 50, 100)


class AnsibleStarted(AssertionError):
    """A quick test started a program of Ansible."""


def _starts_ansible(command: Iterable[Any], environ: Any) -> bool:
    """Whether the command is a program of Ansible, and no stand-in of that name that a test made for itself."""
    words = [part for word in [*command][:3] for part in os.fsdecode(word).split()]
    path = {os.fsdecode(name): value for name, value in (environ or {}).items()}.get("PATH")
    for word in words:
        if word.startswith("ansible.cli"):
            return True
        if Path(word).name == "ansible" or Path(word).name.startswith("ansible-"):
            place = Path(shutil.which(word, path=path) or word)
            return place.is_relative_to(ROOT) or not place.is_relative_to(tempfile.gettempdir())
    return False


def _command(event: str, details: tuple[Any, ...]) -> tuple[list[Any], Any] | None:
    """What is about to be started, and its variables, where the event (of Python's audit events) starts a program."""
    if event == "subprocess.Popen":
        path, words, _folder, environ = details
    elif event in ("os.exec", "os.posix_spawn"):
        path, words, environ = details
    else:
        return ([details[0]], None) if event == "os.system" else None
    return [path, *words[1:]], environ


_is_quick = False
_tests = os.getpid()
_found = mmap.mmap(-1, 4096)
"""What a fork of a test tried to start: forks share it."""


def _guard(event: str, details: tuple[Any, ...]) -> None:
    if event not in STARTS or not _is_quick:
        return
    started = _command(event, details)
    if started is None or not _starts_ansible(*started):
        return
    message = f"{started[0]!r} belongs into tests/controller"
    if os.getpid() == _tests:
        raise AnsibleStarted(message)
    _found[:] = message.encode()[:4096].ljust(4096, b"\0")
    os._exit(70)  # it would go on as a second run of all tests


STARTS = frozenset({"subprocess.Popen", "os.exec", "os.posix_spawn", "os.system"})
sys.addaudithook(_guard)  # os.spawn*, pty.spawn and all of subprocess come by one of these


def _started_in_a_fork() -> str:
    """What a fork of this test was kept from starting, once."""
    message = bytes(_found).rstrip(b"\0").decode(errors="replace")
    _found[:] = bytes(4096)
    return message


@pytest.fixture
def started_in_a_fork() -> Callable[[], str]:
    """For the tests of this guard."""
    return _started_in_a_fork


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    global _is_quick
    _is_quick = any(item.path.is_relative_to(folder) for folder in QUICK)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    if message := _started_in_a_fork():
        raise AnsibleStarted(message)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say which random labs were looked at, so that they can be looked at again. Their tests are called ``seed/number``."""
    stats = terminalreporter.stats.items()
    names = [
        report.nodeid for kind, found in stats for report in found if kind != "deselected" and hasattr(report, "nodeid")
    ]
    seeds = {
        name.partition("[")[2].partition("/")[0]
        for name in names
        if "exploring" in name and "/" in name.partition("[")[2]
    }
    for seed in sorted(seeds):
        terminalreporter.write_line(f"random labs of seed {seed}; to look at the same ones: DIRECTPATH_SEED={seed}")
