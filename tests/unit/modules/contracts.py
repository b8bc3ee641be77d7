# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module promises, as data in ``tests/unit/modules/<module>/contract.py``. The tests of all modules find it there by the name of the
module, so that a new module is in no list of modules."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pyVmomi import vim

from tests.unit.modules.bad_input.cases import Case
from tests.unit.modules.harness import Lab
from tools.generate import is_documentation_only

KNOWS_9 = hasattr(vim.host.PciPassthruInfo(), "directPathState")
HERE = Path(__file__).parent
ROOT = HERE.parents[2]


@dataclass(frozen=True)
class Scenario:
    """A module call, and the calls that prepare the lab for it. ``changes``: how many the first run makes."""

    module: str
    options: dict[str, Any]
    changes: int
    before: tuple[tuple[str, dict[str, Any]], ...] = ()
    lab: str = "three_hosts"
    knobs: dict[str, Any] = field(default_factory=dict)

    def prepare(self) -> Lab:
        if self.lab == "v9" and not KNOWS_9:
            pytest.skip("this pyVmomi knows no 9.1")
        lab = Lab.load(self.lab)
        for name, value in self.knobs.items():
            lab.sim.knobs.set(name, value)
        for module, options in self.before:
            lab.run(module, **options)
        lab.sim.journal.clear()
        return lab


@dataclass(frozen=True, kw_only=True)
class Contract:
    """``call``: the options of a smallest valid call, in a lab with the host esx-01 and the VM web. ``scenarios``: title → a run, its check
    mode and its second run. ``deeds``: options, and the privileges that they need beside Read-only. ``bad_input``: what is rejected."""

    module: str
    call: Mapping[str, Any]
    scenarios: Mapping[str, Scenario]
    deeds: tuple[tuple[dict[str, Any], set[str]], ...] = ()
    bad_input: tuple[Case, ...] = ()


def module_names() -> set[str]:
    """All modules that run on their own: without those that only document an action plugin."""
    paths = (ROOT / "plugins" / "modules").glob("[a-z]*.py")
    return {path.stem for path in paths if not is_documentation_only(path)}


def contracts() -> tuple[Contract, ...]:
    """All contracts, sorted by module."""
    names = sorted(path.parent.name for path in HERE.glob("*/contract.py"))
    return tuple(importlib.import_module(f"tests.unit.modules.{name}.contract").CONTRACT for name in names)
