# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``ansible-test`` with the ansible-core and Python of an environment, on its own copy of the tree.

``python -m tools.ansible_test TREE sanity [arguments]``, ``python -m tools.ansible_test TREE integration [arguments]``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.envs import HOME, clean_environ
from tools.tree import sync

# ansible-test creates virtual environments without pip, one for almost every sanity test, and downloads get-pip.py from its
# own host. This replacement uses the pip that comes with the interpreter (the wheel of ensurepip), so it needs only a
# package index. It installs the requested pip once, next to this script; each environment gets hard links to it.
GET_PIP = """\
import ensurepip, os, pathlib, runpy, shutil, sys, sysconfig
drop = ("--no-setuptools", "--no-wheel")
words = [word for word in sys.argv[1:] if word not in drop]
packages = [word for word in words if not word.startswith("-")]
kept = pathlib.Path(__file__).resolve().parent / "-".join(["kept", sys.implementation.cache_tag, *packages])
if not kept.exists():
    bundled = pathlib.Path(ensurepip.__file__).parent / "_bundled"
    shared = getattr(ensurepip, "_WHEEL_PKG_DIR", None) or sysconfig.get_config_var("WHEEL_PKG_DIR")  # Debian, Fedora
    folders = [bundled] + ([pathlib.Path(shared)] if shared else [])
    wheels = [wheel for folder in folders for wheel in sorted(folder.glob("pip-*.whl"))]
    sys.path.insert(0, str(wheels[-1]))
    part = f"{kept}.{os.getpid()}"
    sys.argv = ["pip", "install", "--target", part, *words]
    try:
        runpy.run_module("pip", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code:
            raise
    try:
        os.rename(part, kept)
    except OSError:
        if not kept.exists():  # else another process was faster
            raise
for item in kept.iterdir():
    if item.name != "bin":
        # Hard links: ansible-test uninstalls pip after use, but the copy stays.
        shutil.copytree(item, pathlib.Path(sysconfig.get_path("purelib")) / item.name, copy_function=os.link)
"""


def provide_get_pip() -> None:
    """Write the replacement to the download cache of ansible-test, with the file name of each release."""
    import ansible_test._internal.python_requirements as requirements

    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    source = Path(requirements.__file__).read_text(encoding="utf-8")
    names = {"get_pip_24_2.py", "get_pip_25_2.py"}
    for word in source.replace("'", '"').split('"'):
        if word.startswith("get-pip-") and word.endswith(".py"):
            names.add(word.replace("-", "_").replace(".", "_").removesuffix("_py") + ".py")
    for name in names:
        # Another stage may run the file at this moment.
        fresh = cache / f"{name}.{os.getpid()}"
        fresh.write_text(GET_PIP, encoding="utf-8")
        fresh.replace(cache / name)


def take_one_processor() -> None:
    """Let this process and those it starts run on one processor. pylint starts a process for each that it may use, and each of them
    parses and infers much of the same code: two cost half as much again as one."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def main() -> int:
    """Exit status of ansible-test."""
    tree, command, *arguments = sys.argv[1:]
    provide_get_pip()
    folder = sync(tree)
    environ = clean_environ(Path(sys.prefix))
    pip_settings = Path.home() / ".config" / "pip" / "pip.conf"
    if pip_settings.exists():
        environ.setdefault("PIP_CONFIG_FILE", str(pip_settings))
    environ["HOME"] = str(HOME)  # keeps its virtual environments in .cache and out of the home of the user
    del environ["ANSIBLE_CONFIG"]  # ansible-test has its own
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    tool = str(Path(sys.executable).parent / "ansible-test")
    # Each sanity test has its own environment, so another one around it is not needed.
    where = "--local" if command == "sanity" else "--venv"
    words = [tool, command, where, "--python", version, "--color", "no", *arguments]
    if command == "sanity":
        take_one_processor()
    return subprocess.run(words, cwd=folder, env=environ, stdin=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
