# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of devices that were just added: their index, and so the key of each setting, is known only after that. PRIVATE to the
collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ...errors import DirectPathError
from ...observed.vms import VgpuBacking, Vm
from ...planning.details import Detach, DetachGroup, ExtraConfig, VgpuSpec
from ...planning.plan import Change
from .vgpu import setting_key


def new_settings(before: Vm, now: Vm, made: Sequence[Change]) -> tuple[Change, ...]:
    """The settings of the vGPUs that were added. ``before`` and ``now``: the VM around the reconfigure that ``made`` these changes.

    All vGPUs of a profile in one plan have the same settings (one entry), and the vGPUs that were there before are planned apart. A new
    device may have got the key of one that was detached in the same reconfigure. Raises DirectPathError (not_applied) when the VM has
    fewer of them than were added.
    """
    wanted: dict[str, tuple[tuple[str, str], ...]] = {}
    numbers: Counter[str] = Counter()
    for change in made:
        if isinstance(change.detail, VgpuSpec) and change.detail.advanced:
            wanted[change.detail.profile] = change.detail.advanced
            numbers[change.detail.profile] += 1
    old = {device.key for device in before.devices}
    removed = {change.detail.key for change in made if isinstance(change.detail, Detach)}
    removed |= {key for change in made if isinstance(change.detail, DetachGroup) for key in change.detail.keys}
    changes = []
    for profile, settings in wanted.items():
        new = [
            device.key
            for device in now.devices
            if isinstance(device.backing, VgpuBacking)
            and device.backing.profile == profile
            and device.group_instance is None
            and (device.key not in old or device.key in removed)
        ]
        if len(new) < numbers[profile]:
            raise DirectPathError(
                message=f"{now.name} shows {len(new)} of {numbers[profile]} new vGPUs {profile}", code="not_applied"
            )
        for key in new:
            for name, value in settings:
                full = setting_key(key, name)
                changes.append(
                    Change(subject=full, before=None, after=value, detail=ExtraConfig(key=full, value=value))
                )
    return tuple(changes)


def settings_incomplete(
    vm: Vm, made: Sequence[Change], missing: Sequence[Change], error: DirectPathError
) -> DirectPathError:
    """The error when the devices were added, but their settings were not written."""
    names = [f"{change.subject}={change.after}" for change in missing] or [
        f"{name}={value} of {change.detail.profile}"
        for change in made
        if isinstance(change.detail, VgpuSpec)
        for name, value in change.detail.advanced
    ]
    return DirectPathError(
        message=f"{vm.name} has its devices, but these settings are missing: {', '.join(dict.fromkeys(names))} "
        f"({error.message.rstrip('.')})",
        code="settings_incomplete",
        cure="Run the task again: it keeps the devices and sets what is missing. The VM must be powered off for it (allow_shutdown)",
    )
