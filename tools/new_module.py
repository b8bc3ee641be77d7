# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the files of a new module, from the templates in tools/templates/new_module.

``python -m tools.new_module host_sriov`` (or ``make new-module NAME=host_sriov``) writes a module for hosts, ``vm_sriov`` one for virtual
machines. The new module passes all checks but one: its scenario expects one change, and fails until the planner plans it.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

from tools.envs import ROOT
from tools.generate import metadata, outputs

TEMPLATES = Path(__file__).parent / "templates" / "new_module"
NAME = re.compile(r"(host|vm)_([a-z][a-z0-9]*(?:_[a-z0-9]+)*)")
OBJECTS: Mapping[str, str] = {"host": "ESXi hosts", "vm": "virtual machines"}
EXAMPLES: Mapping[str, str] = {"host": "hosts: [esx-01]", "vm": "vm: [web-01]"}


class NameRefused(Exception):
    """The module cannot have this name."""


def new_module(name: str, root: Path = ROOT) -> tuple[Path, ...]:
    """Write all files, and the lists that name every module. Returns what was written. Raises NameRefused."""
    files = texts(name, root)
    present = [path for path in files if (root / path).exists()]
    if present:
        raise NameRefused(f"{present[0]} exists")
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    format_sources([path for path in files if path.suffix == ".py"], root)
    runtime = root / "meta" / "runtime.yml"
    runtime.write_text(with_module(runtime.read_text(encoding="utf-8"), name), encoding="utf-8")
    tables = {
        path: text
        for path, text in outputs(root).items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    }
    for path, text in tables.items():
        path.write_text(text, encoding="utf-8")
    return (*files, runtime.relative_to(root), *(path.relative_to(root) for path in tables))


def format_sources(paths: Sequence[Path], root: Path) -> None:
    """Where a line ends and how imports are sorted depends on the name of the module."""
    for command in (("check", "--fix", "--quiet"), ("format", "--quiet")):
        subprocess.run([sys.executable, "-m", "ruff", *command, *map(str, paths)], cwd=root, check=True)


def texts(name: str, root: Path = ROOT) -> dict[Path, str]:
    """Path → text of each new file. Raises NameRefused."""
    found = NAME.fullmatch(name)
    if found is None:
        raise NameRefused(
            f"{name!r} is no name of a module: write host_ or vm_ and what it manages, such as host_sriov"
        )
    capability, topic = found.groups()
    values = {
        "module": name,
        "topic": topic,
        "Topic": "".join(word.capitalize() for word in topic.split("_")),
        "words": topic.replace("_", " "),
        "shebang": "#!/usr/bin/python",
        "objects": OBJECTS[capability],
        "example": EXAMPLES[capability],
        "version": metadata(root)["version"],
    }
    shared, target = "plugins/module_utils", f"tests/integration/targets/{name}"
    places = {
        f"plugins/modules/{name}.py": f"{capability}/module.py",
        f"{shared}/_shell/{name}.py": f"{capability}/shell.py",
        f"{shared}/_domain/{capability}/{topic}.py": f"{capability}/domain.py",
        f"tests/unit/module_utils/_domain/{capability}/test_{topic}.py": f"{capability}/domain_test.py",
        f"tests/unit/modules/{name}/contract.py": f"{capability}/contract.py",
        f"{target}/aliases": "aliases",
        f"{target}/lab": "lab",
        f"{target}/meta/main.yml": "meta.yml",
        f"{target}/tasks/main.yml": "tasks.yml",
        f"changelogs/fragments/{name}.yml": "fragment.yml",
    }
    return {
        Path(path): Template((TEMPLATES / f"{template}.tmpl").read_text(encoding="utf-8")).substitute(values)
        for path, template in places.items()
    }


def with_module(runtime: str, name: str) -> str:
    """The text of meta/runtime.yml with the module in the action group ``all``, in the order of names."""
    head, group, tail = runtime.partition("  all:\n")
    lines = tail.splitlines()
    end = next((number for number, line in enumerate(lines) if not line.startswith("    - ")), len(lines))
    modules = sorted({*lines[:end], f"    - {name}"})
    return head + group + "\n".join([*modules, *lines[end:]]) + "\n"


def main() -> int:
    """Exit status 1 when the module cannot have this name."""
    parser = argparse.ArgumentParser(prog="python -m tools.new_module", description=__doc__)
    parser.add_argument("name", help="host_ or vm_ and what the module manages, such as host_sriov")
    try:
        written = new_module(parser.parse_args().name)
    except NameRefused as problem:
        print(problem, file=sys.stderr)
        return 1
    print("\n".join(f"wrote {path}" for path in written))
    print("Now write what it decides, and follow CONTRIBUTING.md, section Adding a module")
    return 0


if __name__ == "__main__":
    sys.exit(main())
