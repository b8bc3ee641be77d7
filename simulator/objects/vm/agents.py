# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs that belong to vCenter itself (vSphere Cluster Services, agents): its agent manager stops and starts them, no administrator has to.

Source: vSphere resource management guide, vSphere Cluster Services: administrators do not operate these VMs; one that is stopped is
started again within a minute.
"""

from __future__ import annotations

from functools import partial

from ...rules import maintenance
from ..host.state import HostState
from . import power as vm_power
from .state import VmState


def is_agent(vm: VmState) -> bool:
    """Whether the agent manager owns it."""
    return vm.spec.managed_by == maintenance.AGENT_MANAGER


def leave(host: HostState) -> None:
    """A host is entering maintenance mode: its agents that are not being moved are powered off."""
    for vm in host.vms:
        if is_agent(vm) and vm.is_on and not vm.moving:
            host.sim.clock.call_later(maintenance.AGENT_SECONDS, partial(_stop, vm, host))


def _stop(vm: VmState, host: HostState) -> None:
    if vm.is_on and vm.host is host and host.entering is not None:
        vm_power.switch_off(vm, None)


def come_back(host: HostState) -> None:
    """A host is in service again: agents that are off run again soon, whoever stopped them."""
    for vm in host.vms:
        if is_agent(vm) and not vm.is_on:
            host.sim.clock.call_later(maintenance.AGENT_SECONDS, partial(_start, vm, host))


def stopped(vm: VmState) -> None:
    """An administrator powered one off whose host is in service: it is started again."""
    host = vm.host
    if is_agent(vm) and host.usable and host.entering is None:
        host.sim.clock.call_later(maintenance.AGENT_SECONDS, partial(_start, vm, host))


def _start(vm: VmState, host: HostState) -> None:
    if not vm.is_on and vm.host is host and host.usable and host.entering is None:
        vm_power.switch_on(vm, host, None)
