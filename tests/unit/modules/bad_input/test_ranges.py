# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every number among the options of every module has a legal range: what is outside is refused before anything is connected."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.ranges import RANGES, refuse_out_of_range
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.arguments import CONNECTION
from tests.unit.modules.contracts import contracts, module_names
from tests.unit.modules.harness import MODULES, Lab

FOLDER = Path(__file__).resolve().parents[4] / "plugins" / "modules"
NEEDED: Mapping[str, Mapping[str, Any]] = {
    "drift_info": {"vms": [{"name": "train-01"}]},
    "host_maintenance": {"hosts": ["esx-01"], "state": "present"},
    "host_passthrough": {"hosts": ["esx-01"], "devices": [{"match": "10de:20f1"}]},
    "host_rolling_reboot": {"cluster": ["compute"]},
    "vm_pci_device": {"vm": ["train-01"], "devices": [{"match": "10de:20f1"}]},
}
"""Module → options without which it does not start; those of other modules are in their contracts."""


def numbers(spec: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all options that are numbers."""
    for name, option in spec.items():
        if option.get("type") in ("int", "float"):
            yield (*path, name)
        if option.get("options") and option.get("type") == "dict":
            yield from numbers(option["options"], (*path, name))


def arguments(module: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = getattr(importlib.import_module(f"{MODULES}.{module}"), "ARGUMENTS", {})
    return found


CALLS = {**NEEDED, **{contract.module: contract.call for contract in contracts()}}
CASES = [
    (module.stem, path)
    for module in sorted(FOLDER.glob("[a-z]*.py"))
    for path in numbers(arguments(module.stem))
    if module.stem in CALLS
]


def range_of(path: tuple[str, ...]) -> Any:
    return RANGES.get(".".join(path)) or RANGES[path[-1]]


def test_every_number_of_every_module_has_a_range() -> None:
    for module in FOLDER.glob("[a-z]*.py"):
        for path in numbers({**CONNECTION, **arguments(module.stem)}):
            assert range_of(path), path
    with_numbers = {module for module in module_names() if list(numbers(arguments(module)))}
    assert {module for module, _path in CASES} == with_numbers


def nested(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    return {path[0]: value if len(path) == 1 else nested(path[1:], value)}


@pytest.mark.parametrize(("module", "path"), CASES, ids=[f"{module} {'.'.join(path)}" for module, path in CASES])
def test_what_is_just_outside_and_text_are_refused_without_a_call(module: str, path: tuple[str, ...]) -> None:
    lab = Lab.load("three_hosts")
    allowed = range_of(path)
    for value in (allowed.lowest - 1, allowed.highest + 1, "soon"):
        result = lab.run(module, fails=True, **{**CALLS[module], **nested(path, value)})
        assert path[0] in result["msg"], result["msg"]
        assert lab.calls() == 0


@pytest.mark.parametrize("name", RANGES)
def test_the_limits_themselves_are_accepted(name: str) -> None:
    allowed = RANGES[name]
    for value in (allowed.lowest, allowed.highest):
        refuse_out_of_range(nested(tuple(name.split(".")), value))
        refuse_out_of_range({"vms": [nested(tuple(name.split(".")), value)]})
    with pytest.raises(InputError, match=rf"vms\[0\]\.{name} is"):
        refuse_out_of_range({"vms": [nested(tuple(name.split(".")), allowed.highest + 1)]})


def test_yes_and_no_are_no_numbers() -> None:
    refuse_out_of_range({"port": True})
