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


@pytest.mark.parametrize("size", [-1, RANGES["device_gb"].highest + 1, 100_000_000])
def test_the_memory_of_a_card_is_refused_without_a_call(size: int) -> None:
    """``device_gb`` is a mapping, so the numbers in it are no options."""
    lab = Lab.load("three_hosts")
    for mmio in ({"device_gb": {"10de:20f1": size}}, {"device_gb": {"10DE:20F1": str(size)}, "size_gb": 128}):
        result = lab.run("vm_pci_device", fails=True, **CALLS["vm_pci_device"], mmio=mmio)
        assert result["error_code"] == "bad_mmio_size"
        assert lab.calls() == 0


def test_numbers_in_messages_are_plain() -> None:
    for allowed in RANGES.values():
        assert "e+" not in str(allowed)
    assert str(RANGES["notify.timeout"]) == "0.1 to 300 seconds"
    assert str(RANGES["expected_minutes.drain"]) == "0.1 to 10080 minutes"
    with pytest.raises(InputError, match=r"^size_gb is 134217728, but must be 1 to 1048576 gigabytes"):
        refuse_out_of_range({"size_gb": 134_217_728.0})
    with pytest.raises(InputError, match=r"^port is 0\.5, but"):
        refuse_out_of_range({"port": 0.5})


def test_yes_and_no_are_no_numbers() -> None:
    refuse_out_of_range({"port": True})
