# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever the journal shows, a run never reports success while a VM that it stopped is off."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import VM
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.run_owner import make_owner
from tests.unit.modules.host_rolling_reboot.lab import MODULE, Roll


@pytest.mark.slow
@pytest.mark.parametrize("slices", [1, 2])
def test_a_vm_that_was_stopped_and_is_off_at_the_end_is_named(slices: int) -> None:
    """Its record is taken out of the journal while it is off: nothing is left to say that it is to be started."""
    roll = Roll.pinned(pinned_vms="shutdown")
    sim = roll.lab.sim
    lost: list[str] = []

    def lose(write: Any) -> None:
        if write.method == "ShutdownGuest" and not lost:
            lost.append(write.name)
            sim.clock.call_later(30, lambda: sim.events["set_custom_value"](on=write.name, attribute=VM, value=""))

    sim.on_write(None, lose, when="answered")
    options = dict(roll.options)
    if slices == 2:
        options |= {"slice": 200, "run_id": make_owner()}
    result = roll.lab.run(MODULE, fails=slices == 1, **options)
    while not result.get("ended", True) and not result.get("failed"):
        options |= {"continue_run": True, "stopped_vms": result["stopped_vms"]}
        result = roll.lab._main(MODULE, {**roll.lab.credentials(), **options})
    assert lost
    off = [
        name for name in ("train-01", "train-02") if str(sim.find_entity(name).get("runtime.powerState")) != "poweredOn"
    ]
    assert off == lost
    assert result["failed"]
    assert result["error_code"] == "vms_left_off"
    assert f"which this run stopped, are powered off: {lost[0]}" in result["msg"]
