# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs that vCenter itself powers off when their host is evacuated, and those it starts again; see rules.maintenance.evacuation."""

from __future__ import annotations

from functools import partial

from pyVmomi import vmodl

from ...rules import maintenance
from ..host.state import HostState
from . import power as vm_power
from .state import VmState


def way(vm: VmState) -> str:
    """How vCenter gets the VM off an evacuated host: `power_off`, `restart`, or empty: not by stopping it."""
    if vm.cluster is None or not vm.cluster.drs_enabled:
        return ""
    if "config" in vm.props:
        extra = {item.key: str(item.value) for item in vm.props["config"].extraConfig}
    else:
        extra = dict(vm.spec.extra)
    return maintenance.evacuation(extra, vm.spec.evacuation or vm.sim.evacuation_policy(vm.moid), vm.settings)


def leave(host: HostState) -> None:
    """A host is being evacuated: what vCenter powers off is on its way."""
    for vm in host.vms:
        if vm.is_on and not vm.moving and not vm.evacuated and (found := way(vm)):
            vm.evacuated = found
            _stop(vm, host)


def _stop(vm: VmState, host: HostState) -> None:
    """At once for `power_off`; for `restart` the guest is asked first."""
    delay = maintenance.AGENT_SECONDS
    if vm.evacuated == "restart":
        try:
            vm_power.shutdown_guest(vm, None)
        except vmodl.MethodFault:
            pass  # no Tools: it is powered off at once
        else:
            delay = vm.settings.evacuation_shutdown_seconds
    host.sim.clock.call_later(delay, partial(_power_off, vm, host))


def _power_off(vm: VmState, host: HostState) -> None:
    if vm.evacuated and vm.is_on and vm.host is host:
        if host.entering is None:
            vm.evacuated = ""  # nobody evacuates it any more
        else:
            vm_power.switch_off(vm, None, user=vm.settings.evacuation_user)


def stopped(vm: VmState) -> None:
    """A VM is off now. One that vCenter stopped to restart it is started elsewhere, while its host is still in maintenance mode."""
    if vm.evacuated == "restart":
        vm.sim.clock.call_later(0.0, partial(_restart, vm))


def come_back(host: HostState) -> None:
    """A host left maintenance mode: whether vCenter starts what it powered off there is not confirmed (a knob)."""
    for vm in host.vms:
        if vm.evacuated == "power_off" and vm.settings.evacuated_return == "powered_on":
            host.sim.clock.call_later(maintenance.AGENT_SECONDS, partial(_restart, vm))


def _restart(vm: VmState) -> None:
    """Start it where DRS wants it, or try again later."""
    if vm.is_on or not vm.evacuated:
        return
    try:
        vm_power.check_startable(vm)
        vm_power.switch_on(vm, vm.fitting_hosts()[0], None)
    except vmodl.MethodFault:
        vm.sim.clock.call_later(maintenance.RESTART_AGAIN, partial(_restart, vm))
