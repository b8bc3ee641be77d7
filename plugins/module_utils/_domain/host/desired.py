# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wishes for host devices, what is wrong with one whatever the hardware, and what is written. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ..errors import InputError
from ..observed.hosts import Host, HostDevice
from .selector import DesiredDevice, refuse_contradictions


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredPassthrough:
    """Devices of hosts (by moid) that are to be enabled or disabled.

    ``apply`` says when a change comes into force: ``now`` without a reboot, at the next ``reboot``, or as the host can.
    ``on_missing: skip`` passes over entries that a host has no device for. ``allow_protected`` names protected devices,
    ``ignore_unreadable_vms`` ids of VMs that are said to hold none of them.
    """

    devices: Mapping[str, tuple[DesiredDevice, ...]]
    state: Literal["enabled", "disabled"] = "enabled"
    apply: Literal["auto", "now", "reboot"] = "auto"
    on_missing: Literal["fail", "skip"] = "fail"
    allow_protected: tuple[str, ...] = ()
    ignore_unreadable_vms: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class PassthroughWrite:
    """What the writer sends for one device. ``apply_now`` None: the host decides; ``label`` None: leave it alone.

    ``override``: what an override of a protection names at the address; it applies only while that is there (``check_override``).
    """

    device: HostDevice
    enabled: bool
    apply_now: bool | None = None
    label: str | None = None
    override: str = ""


def refuse_bad_desired(hosts: Sequence[Host], desired: DesiredPassthrough) -> None:
    """InputErrors that concern the wish, whatever the hardware."""
    places: dict[DesiredDevice, set[str]] = {}
    for host in hosts:
        desired_devices = desired.devices.get(host.moid, ())
        refuse_contradictions(desired_devices, "devices", default_is_all=True)
        if desired.state == "enabled":
            refuse_relabelling(desired_devices)
        for entry in desired_devices:
            if entry.selector.address and not entry.selector.names_kind:
                places.setdefault(entry, set()).add(host.name)
    for entry, names in places.items():
        if len(names) > 1:
            raise InputError(
                message=f"{entry.selector.text} gives an address without saying which device is expected there, for "
                f"{len(names)} hosts ({', '.join(sorted(names)[:4])}{', ...' if len(names) > 4 else ''})",
                code="address_needs_identity",
                parameter="devices",
                cure="The same address is another device on another host: add vendor_id and device_id to it, or leave "
                "the address out",
            )


def refuse_relabelling(desired_devices: Sequence[DesiredDevice]) -> None:
    """Choosing by a label that the same list changes would mean something else on the next run."""
    setting = [entry for entry in desired_devices if entry.label is not None]
    for entry in desired_devices:
        chosen_by = entry.selector.label
        if chosen_by is not None and any(other is not entry or other.label != chosen_by for other in setting):
            raise InputError(
                message=f"{entry.selector.text} chooses devices by the label that this list also sets",
                code="label_chosen_and_set",
                parameter="devices",
                cure="Choose by ids, slot or address where labels are set, or set the labels in a task of its own",
            )
