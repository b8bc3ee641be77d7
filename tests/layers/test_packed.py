# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible packs for a module: every file that it imports, anywhere in its code. Each run of it parses and compiles them all."""

from __future__ import annotations

import subprocess
import sys

from tools.architecture import file_graph, files
from tools.envs import ROOT

GRAPH = file_graph(files("plugins"))
MORE_KB = 206
"""How much more drift_info may pack than host_pci_device_info: 60 kB of it plan and compare virtual functions, device modes and
graphics settings, and are imported only if the intent has such entries. Together with the rest of its work, this decides how long a run of
``site`` takes that changes nothing (docs/decisions/0012-site-looks-first.md)."""
LEFT_OUT = ("job.py", "config_spec.py", "observed_fleet.py", "scheduler.py", "observed.py")
"""Files of those who write, and of rolling reboots, that a comparison does not need."""


def packed(module: str) -> set[str]:
    found: set[str] = set()
    todo = [f"plugins/modules/{module}.py"]
    while todo:
        for file in GRAPH.get(todo.pop(), ()):
            if file not in found:
                found.add(file)
                todo.append(file)
    return {file for file in found if (ROOT / file).is_file()}


def size(files: set[str]) -> float:
    return sum((ROOT / file).stat().st_size for file in files) / 1000


def test_the_comparison_packs_little_more_than_a_list_of_devices() -> None:
    compares, lists = packed("drift_info"), packed("host_pci_device_info")
    assert size(compares) - size(lists) <= MORE_KB, sorted(compares - lists)


def test_the_comparison_packs_nothing_that_only_writers_need() -> None:
    compares = packed("drift_info")
    assert len(compares) > 80
    assert [file for file in compares if file.rpartition("/")[2] in LEFT_OUT or "/write/" in file] == []


def test_who_reads_the_intent_imports_no_state_of_hardware() -> None:
    """The first task of each playbook reads the intent, in a process that compiles all that it imports. For the types of the observed state
    and of plans, which are large, ``TYPE_CHECKING`` is enough."""
    package = "ansible_collections.directpath.vsphere.plugins"
    code = f"import sys, conftest, {package}.plugin_utils.intent.from_hostvars; print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    domain = f"{package}.module_utils._domain."
    imported = {name.removeprefix(domain) for name in done.stdout.split() if name.startswith(domain)}
    assert "host.selector" in imported
    assert {"observed.hosts", "observed.vms", "planning.plan", "planning.details"} & imported == set()
