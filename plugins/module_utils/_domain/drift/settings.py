# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Graphics settings and device modes of a host that the intent does not name. PRIVATE to the collection.

Imported only when the whole fleet is compared. What every new host has (the type ``shared``, the policy ``performance``, no mode) is no
difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..graphics.configured import configured_graphics
from ..graphics.desired import DesiredGraphics
from ..host.selector import DesiredDevice
from ..observed.direct_path import is_chosen_mode
from ..observed.hosts import Host
from .commands import Commands
from .hosts import host_difference, unreadable_difference
from .kinds import Difference


def setting_differences(
    host: Host, modes: Sequence[DesiredDevice], graphics: DesiredGraphics | None, commands: Commands
) -> Iterator[Difference]:
    """The settings of one host that neither ``modes`` (entries with a device mode) nor ``graphics`` is about."""
    if not host.is_reachable:
        return
    if graphics is None and host.graphics is not None and host.graphics.gaps:
        yield unreadable_difference(host, [gap.path for gap in host.graphics.gaps], commands, "graphics settings")
    for setting in configured_graphics(host):
        if not setting.is_covered(host, graphics):
            yield host_difference(
                host,
                "extra",
                host.device(setting.subject),
                **({} if host.device(setting.subject) else {"subject": setting.subject}),
                wanted="not in the intent",
                found=setting.text,
                cause=f"{setting.subject} of {host.name} is configured to {setting.text}, and the intent does not name it",
                cure="Add it to the intent (graphics), or change it with host_graphics",
                command=commands.show_host(host.name),
                planned=False,
            )
    for device in host.devices:
        mode = device.direct_path.mode if device.direct_path is not None else ""
        if is_chosen_mode(mode) and not device.active and not any(entry.selector.matches(device) for entry in modes):
            yield host_difference(
                host,
                "extra",
                device,
                wanted="no device mode",
                found=f"mode {mode}",
                cause=f"{device.address} is configured to mode {mode}, and the intent does not name it",
                cure="Add it to the intent (mode), or change it with host_device_mode",
                command=commands.show_host(host.name),
                planned=False,
            )
