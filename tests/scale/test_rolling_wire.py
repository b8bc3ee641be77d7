# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rolling reboot costs on the wire, for 16, 64 and 512 hosts: calls and bytes for each host that is rebooted.

Over TLS, against a vCenter whose time passes while a client waits, and with each call: one look and its calls take a second or two
of that time in all of them, on every machine. In the twin of a rehearsal they take no time at all.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from unittest import mock

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling import loop
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session import connect as session_module
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.connect import Guard
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.endpoint import Endpoint
from simulator.core.clock import ManualClock
from simulator.core.journal import Counters
from simulator.core.waiting_clock import WaitingClock
from simulator.lab.roll import reboot_times, roll_lab
from simulator.simulator import Simulator
from tests.unit.modules.harness import Lab
from tests.unit.modules.host_rolling_reboot.lab import Roll

LATENCY = 0.5
"""Seconds of vCenter's that a call takes."""

open_transport = session_module.open_transport


@dataclass
class OverTls(Lab):
    """The simulator behind its own socket."""

    port: int = 0
    ca_file: str = ""

    def credentials(self) -> dict[str, Any]:
        place = {"hostname": "localhost", "port": self.port, "ca_path": self.ca_file}
        return {**super().credentials(), **place}

    def _transport(self, endpoint: Endpoint) -> Guard:
        return open_transport(endpoint)


def rolled(clusters: int) -> Counters:
    """All hosts rebooted once; what the server counted."""
    sim = Simulator.from_lab(roll_lab(clusters=clusters, vms=1), clock=ManualClock())
    sim.faults.add(latency=LATENCY)
    names = list(reboot_times(clusters=clusters))
    with (
        sim.serve(port=0) as server,
        # How long it will take is worked out again and again, for a small part of the time. Here, where computing takes none, it would
        # be half of all the work. It costs no call.
        mock.patch.object(loop, "FORECAST_AGE", 3600.0),
    ):
        lab = OverTls(sim=sim, port=server.port, ca_file=str(server.ca_file))
        roll = Roll(lab=lab, options={"cluster": names, "canary": False, "max_unavailable": "4"})
        roll.remember()
        result = roll.run()
    assert result["state"] == "finished"
    assert sorted(result["rebooted"]) == sorted(roll.reboots())
    assert len(result["rebooted"]) == 16 * clusters
    assert set(roll.reboots().values()) == {1}
    return sim.journal.counters


@pytest.mark.parametrize("clusters", [4, pytest.param(32, marks=pytest.mark.long)])
def test_a_host_of_a_large_fleet_costs_no_more_than_a_host_of_16(clusters: int) -> None:
    calls: dict[int, float] = {}
    traffic: dict[int, float] = {}
    for number in (1, clusters):
        hosts, counted = 16 * number, rolled(number)
        calls[hosts] = counted.calls / hosts
        traffic[hosts] = (counted.bytes_in + counted.bytes_out) / hosts
        often = ", ".join(f"{name} {times / hosts:.1f}" for name, times in counted.methods.most_common(6))
        print(
            f"{hosts} hosts: {calls[hosts]:.1f} calls and {traffic[hosts] / 1000:.0f} kB a host ({often})", flush=True
        )
        assert calls[hosts] <= 1.1 * calls[16]
        assert traffic[hosts] <= 1.1 * traffic[16]
        assert calls[hosts] <= 80


@pytest.mark.parametrize(("clusters", "hosts"), [(1, 8), pytest.param(7, 16, marks=pytest.mark.long)])
def test_in_a_twin_it_takes_as_long_as_in_process(clusters: int, hosts: int) -> None:
    """TLS, threads and the load of this machine change nothing: a twin's time moves only while its clients wait."""
    fleet = {"clusters": clusters, "hosts": hosts, "vms": 1}
    took = {}
    for clock in (ManualClock(), WaitingClock()):
        sim = Simulator.from_lab(roll_lab(**fleet), clock=clock)
        with sim.serve(port=0) as server:
            remote = OverTls(sim=sim, port=server.port, ca_file=str(server.ca_file))
            lab = remote if isinstance(clock, WaitingClock) else Lab(sim=sim)
            roll = Roll(
                lab=lab, options={"cluster": list(reboot_times(**fleet)), "canary": False, "max_unavailable": "4"}
            )
            roll.remember()
            began = time.monotonic()
            result = roll.run()
        assert len(result["rebooted"]) == clusters * hosts
        took[type(clock).__name__] = clock.seconds()
        print(
            f"{clusters * hosts} hosts, {type(clock).__name__}: {clock.seconds():.1f} s in {time.monotonic() - began:.1f} s"
        )
        sim.close()
    assert took["WaitingClock"] == took["ManualClock"]
