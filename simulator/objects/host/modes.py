# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modes of the devices of a host: who has a device, and configuring it. The rules are in rules/pci/device_modes."""

from __future__ import annotations

from ...rules.pci import device_modes
from . import cards as host_cards
from . import power as host_power
from .state import HostState


def users(host: HostState, address: str) -> list[str]:
    """Ids of the VMs that have a device now."""
    shared = [ref._moId for ref in host_cards.vgpu_users(host).get(address, [])]
    holder = host.holders.get(address)
    return sorted({*shared, *([holder] if holder else [])})


def configure(host: HostState, address: str, new_mode: str) -> str:
    """Configure a device; the impact. Raises ModeRefused."""
    item, state = host.spec.layout.functions[address], host.pci[address]
    rebinds = host.spec.rebind and state.resettable
    after, impact = device_modes.configure(
        state, new_mode, item.modes, host.settings, rebinds=rebinds, used=bool(users(host, address))
    )
    if after != state:
        host.pci[address] = after
        if host_power.has_boot_bank(host):
            host.saved = dict(host.pci)
        host.changed_devices()
        delay = host.settings.info_delay_seconds
        if delay >= 0 and host.publish_timer is None:
            host.publish_timer = host.sim.clock.call_later(delay, host.publish)
    return impact
