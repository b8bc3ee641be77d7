# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make ``ansible_collections.directpath.vsphere`` importable whatever the checkout's folder is called, and keep quick tests quick."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

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


class AnsibleStarted(AssertionError):
    """A quick test started a program of Ansible."""


def _starts_ansible(command: Any, environ: Any) -> bool:
    """Whether the command is a program of Ansible, and no stand-in of that name that a test made for itself."""
    words = (
        [os.fsdecode(word) for word in command] if isinstance(command, list | tuple) else os.fsdecode(command).split()
    )
    path = (os.environ if environ is None else environ).get("PATH")
    for word in words[:3]:
        if word.startswith("ansible.cli"):
            return True
        if Path(word).name == "ansible" or Path(word).name.startswith("ansible-"):
            return not Path(shutil.which(word, path=path) or word).is_relative_to(tempfile.gettempdir())
    return False


_start = subprocess.Popen.__init__
_is_quick = False


def _checked(process: Any, args: Any, *others: Any, **options: Any) -> None:
    if _is_quick and _starts_ansible(args, options.get("env")):
        raise AnsibleStarted(f"{args!r} belongs into tests/controller")
    _start(process, args, *others, **options)


subprocess.Popen.__init__ = _checked  # type: ignore[method-assign]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    global _is_quick
    _is_quick = any(item.path.is_relative_to(folder) for folder in QUICK)
