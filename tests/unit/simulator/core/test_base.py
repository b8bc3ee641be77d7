# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects: how properties are kept and how changes become known."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from pyVmomi import vim

from simulator import Simulator
from simulator.api import data
from simulator.core.base import ManagedObject
from simulator.core.knobs import Knob, Knobs


class Sample(ManagedObject):
    vim_type = vim.HostSystem
    id_prefix = "sample"
    mirrors: ClassVar[Any] = {"runtime": ("summary.runtime",)}
    lazy: ClassVar[Any] = {
        "config": lambda self: data.new(vim.host.ConfigInfo, vsanHostConfig=None),
        "config.pciPassthruInfo": lambda self: self.build(),
    }
    live: ClassVar[Any] = {"summary.maxEVCModeKey": lambda self: str(self.counter)}
    built = 0
    counter = 1

    def build(self) -> Any:
        self.built += 1
        return [data.new(vim.host.PciPassthruInfo, id="0000:00:00.0")]


@pytest.fixture
def sample(sim: Simulator) -> Sample:
    runtime = data.new(vim.host.RuntimeInfo, connectionState="connected")
    summary = data.new(vim.host.Summary, runtime=runtime)
    made: Sample = sim.add(Sample(sim, name="s", runtime=runtime, summary=summary))
    return made


def changes(sim: Simulator, since: int) -> list[str]:
    return [path for _unused, path in sim.changes.since(since) or []]


def test_set_records_the_exact_paths_and_its_mirrors(sim: Simulator, sample: Sample) -> None:
    mark = sim.changes.position
    sample.set("runtime.inMaintenanceMode", True)
    assert changes(sim, mark) == ["runtime.inMaintenanceMode", "summary.runtime.inMaintenanceMode"]
    assert sample.get("summary.runtime.inMaintenanceMode") is True


def test_setting_an_equal_value_changes_nothing(sim: Simulator, sample: Sample) -> None:
    mark = sim.changes.position
    sample.set("runtime", data.clone(sample.get("runtime")))
    sample.set("name", "s")
    assert changes(sim, mark) == []


def test_edit_stores_a_copy_and_only_on_a_clean_exit(sim: Simulator, sample: Sample) -> None:
    mark = sim.changes.position

    def fail() -> None:
        with sample.edit("runtime") as runtime:
            runtime.inMaintenanceMode = True
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert sample.get("runtime.inMaintenanceMode") is False
    with sample.edit("runtime") as runtime:
        runtime.inMaintenanceMode = True
    assert changes(sim, mark)[0] == "runtime.inMaintenanceMode"


def test_lazy_values_are_built_once_and_only_when_needed(sample: Sample) -> None:
    assert sample.get("name") == "s"
    assert sample.built == 0
    assert sample.get("config.pciPassthruInfo")[0].id == "0000:00:00.0"
    assert sample.get("config").pciPassthruInfo[0].id == "0000:00:00.0"
    assert sample.built == 1


def test_setting_a_lazy_value_before_it_was_built_wins(sample: Sample) -> None:
    sample.set("config.pciPassthruInfo", [])
    assert sample.get("config.pciPassthruInfo") == []
    assert sample.built == 0


def test_live_values_follow_their_inputs(sample: Sample) -> None:
    assert sample.get("summary.maxEVCModeKey") == "1"
    sample.counter = 2
    assert sample.get("summary.maxEVCModeKey") == "2"
    assert sample.get("summary").maxEVCModeKey == "2"


def test_what_is_not_modelled_is_a_key_error(sample: Sample) -> None:
    with pytest.raises(KeyError):
        sample.get("capability")
    assert not sample.has("capability")


def test_a_nested_set_below_something_unset_is_refused(sample: Sample) -> None:
    sample.props["hardware"] = None
    with pytest.raises(ValueError, match="hardware is unset"):
        sample.set("hardware.pciDevice", [])


def test_ids_are_deterministic(sim: Simulator) -> None:
    assert [sim.registry.mint("x") for _unused in range(3)] == ["x-1", "x-2", "x-3"]


def test_removing_an_object_removes_what_it_owns(sim: Simulator, sample: Sample) -> None:
    owned = sim.add(Sample(sim, name="part"), owner=sample)
    sim.remove(sample)
    assert sim.registry.find(owned.moid) is None
    assert sim.registry.find(sample.moid) is None


def test_knobs_are_declared_typed_and_read_up_the_owner_chain(sim: Simulator, sample: Sample) -> None:
    knobs = Knobs({"speed": Knob(1.5, "units"), "mode": Knob("a", "which", ("a", "b"))})
    knobs.speed = 2
    assert knobs.speed == 2.0
    with pytest.raises(KeyError, match="no knob named 'sped'; known: mode, speed"):
        knobs.set("sped", 1)
    with pytest.raises(TypeError, match="speed wants float"):
        knobs.speed = "fast"
    with pytest.raises(ValueError, match="one of a, b"):
        knobs.mode = "c"
    part = sim.add(Sample(sim, name="part"), owner=sample)
    assert part.knob("page_size") == 0
    sample.knobs["page_size"] = 7
    assert part.knob("page_size") == 7
