# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which VMs are looked up in the events, how often, and what is reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.fleet_memory import FleetMemory
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.observed import (
    ObservedFleet,
    PoweredOff,
    VmView,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.earlier_slices import EarlierSlices
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.power_offs import PowerOffs
from tests.unit.module_utils._domain.rolling.builders import ask, entry, host, observed, vm, vm_entry

VCENTER = PoweredOff(by="vcenter")
ON = vm("web")
OFF = replace(ON, power_state="poweredOff")


@dataclass
class Events:
    """The event log. ``asked``: VMs of each query."""

    found: dict[str, PoweredOff] = field(default_factory=dict)
    asked: list[list[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    memory: FleetMemory = field(default_factory=FleetMemory)

    def reader(self) -> PowerOffs:
        return PowerOffs(read=self.read, note=self.notes.append, memory=self.memory)

    def read(self, since: Mapping[str, float]) -> Mapping[str, PoweredOff]:
        self.asked.append(sorted(since))
        return {moid: verdict for moid, verdict in self.found.items() if moid in since}


def fleet(*vms: VmView, step: str = "draining", **more: str) -> ObservedFleet:
    return observed(host(entry=entry(step, **more)), vms=vms)


def verdict(found: ObservedFleet) -> PoweredOff | None:
    return found.vms[0].powered_off


def test_a_vm_that_ran_is_looked_up_once() -> None:
    events = Events(found={"web": VCENTER})
    power_offs = events.reader()
    power_offs.look(fleet(ON))
    assert events.asked == []
    assert verdict(power_offs.look(fleet(OFF))) == VCENTER
    assert verdict(power_offs.look(fleet(OFF))) == VCENTER, "until it is recorded"
    assert verdict(power_offs.look(fleet(replace(OFF, entry=vm_entry())))) == VCENTER
    assert verdict(power_offs.look(fleet(ON))) is None
    assert events.asked == [["web"]]
    assert events.notes == ["esx-1: vCenter powered off web to evacuate it; it is powered on again later"]


def test_vms_that_were_off_when_the_host_was_started_cost_nothing() -> None:
    events = Events()
    power_offs = events.reader()
    before = observed(host(), vms=(OFF,))
    power_offs.look(before)
    power_offs.begins(ask(host(), vms=(OFF,)).actions, before)
    power_offs.look(fleet(OFF))
    assert events.asked == []


def test_a_vm_that_goes_off_right_after_the_start_is_not_missed() -> None:
    events = Events(found={"web": PoweredOff(by="user", user="LAB\\carol")})
    power_offs = events.reader()
    before = observed(host(), vms=(ON,))
    power_offs.begins(ask(host(), vms=(ON,)).actions, before)
    power_offs.look(fleet(OFF))
    assert events.notes == ["esx-1: LAB\\carol powered off web; it stays off"]


def test_the_log_may_be_behind() -> None:
    events = Events()
    power_offs = events.reader()
    power_offs.look(fleet(ON))
    assert verdict(power_offs.look(fleet(OFF))) is None
    events.found["web"] = VCENTER
    assert verdict(power_offs.look(fleet(OFF))) == VCENTER


def test_without_an_event_it_is_unclear() -> None:
    events = Events()
    power_offs = events.reader()
    power_offs.look(fleet(ON))
    for _look in range(5):
        found = power_offs.look(fleet(OFF))
    assert verdict(found) == PoweredOff(by="unclear")
    assert len(events.asked) == 3
    assert events.notes == ["esx-1: web is off, and the events do not show who powered it off; it stays off"]


def test_a_process_that_resumes_asks_once_for_all_that_are_off() -> None:
    events = Events(found={"web": VCENTER})
    power_offs = events.reader()
    other = replace(vm("old"), power_state="poweredOff")
    assert verdict(power_offs.look(fleet(OFF, other))) == VCENTER
    power_offs.look(fleet(OFF, other))
    assert events.asked == [["old", "web"]]
    assert len(events.notes) == 1


def test_the_next_slice_knows_what_ran() -> None:
    first = Events()
    power_offs = first.reader()
    seen = fleet(ON)
    power_offs.look(seen)
    passed = replace(FleetMemory().after_look(seen, 0.0), ran=power_offs.ran)
    later = Events(found={"web": VCENTER}, memory=EarlierSlices.of(EarlierSlices(memory=passed).record()).memory)
    old = replace(vm("old"), power_state="poweredOff")
    later.reader().look(fleet(OFF, old))
    assert later.asked == [["web"]], "the other one was off before"


def test_hosts_of_another_run_are_not_its_business() -> None:
    events = Events(found={"web": VCENTER})
    power_offs = events.reader()
    power_offs.look(fleet(ON, run_id="other"))
    power_offs.look(fleet(OFF, run_id="other"))
    assert events.asked == []
