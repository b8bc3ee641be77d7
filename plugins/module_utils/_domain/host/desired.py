# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired passthrough of hosts, its checks that need no hardware, and the write for one device. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from ..errors import InputError
from .selector import DesiredDevice, Selector, refuse_contradictions

if TYPE_CHECKING:
    # Not imported when it runs: who only reads a desired state does not wait for the state of hardware.
    from ..observed.hosts import Host


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredPassthrough:
    """Devices of hosts (by managed object id) that are to be enabled or disabled.

    ``apply``: when a change takes effect: ``now`` without a reboot, at the next ``reboot``, or ``auto``, as the host supports.
    ``on_missing: skip`` skips entries that match no device of a host. ``allow_protected``: overrides of protected devices.
    ``ignore_unreadable_vms``: ids of VMs that, according to the user, use none of the devices.
    """

    devices: Mapping[str, tuple[DesiredDevice, ...]]
    state: Literal["enabled", "disabled"] = "enabled"
    apply: Literal["auto", "now", "reboot"] = "auto"
    on_missing: Literal["fail", "skip"] = "fail"
    allow_protected: tuple[str, ...] = ()
    ignore_unreadable_vms: frozenset[str] = frozenset()

    def only_passthrough(self) -> DesiredPassthrough:
        """Without entries of other kinds. A list of an intent may have entries with virtual functions or a device mode, too."""
        if all(entry.is_passthrough for entries in self.devices.values() for entry in entries):
            return self
        kept = {moid: tuple(entry for entry in found if entry.is_passthrough) for moid, found in self.devices.items()}
        return replace(self, devices=kept)


def refuse_bad_desired(hosts: Sequence[Host], desired: DesiredPassthrough) -> None:
    """Raise InputError for a desired state that is wrong on any hardware."""
    for host in hosts:
        desired_devices = desired.devices.get(host.moid, ())
        refuse_contradictions(desired_devices, "devices", default_is_all=True)
        if desired.state == "enabled":
            refuse_relabelling(desired_devices)
    refuse_bare_addresses((host.name, entry.selector) for host in hosts for entry in desired.devices.get(host.moid, ()))


def refuse_bare_addresses(selectors: Iterable[tuple[str, Selector]]) -> None:
    """Raise InputError for an address without ids that is for several hosts. ``selectors``: names of hosts, each with a selector."""
    places: dict[Selector, set[str]] = {}
    for host, selector in selectors:
        if selector.address and not selector.names_kind:
            places.setdefault(selector, set()).add(host)
    for selector, names in places.items():
        if len(names) > 1:
            raise InputError(
                message=f"{selector.text} gives an address but not which device is expected there, for "
                f"{len(names)} hosts ({', '.join(sorted(names)[:4])}{', ...' if len(names) > 4 else ''})",
                code="address_needs_identity",
                parameter="devices",
                cure="The same address can be a different device on each host. Add vendor_id and device_id to the address, or "
                "leave the address out",
            )


def refuse_relabelling(desired_devices: Sequence[DesiredDevice]) -> None:
    """Raise InputError for an entry that selects by a label that the list also sets: the next run would select other devices."""
    setting = [entry for entry in desired_devices if entry.label is not None]
    for entry in desired_devices:
        chosen_by = entry.selector.label
        if chosen_by is not None and any(other is not entry or other.label != chosen_by for other in setting):
            raise InputError(
                message=f"{entry.selector.text} selects devices by a label, and this list also sets labels",
                code="label_chosen_and_set",
                parameter="devices",
                cure="Select by ids, slot or address in a list that sets labels, or set the labels in a separate task",
            )


def passthrough_entries(desired_devices: Iterable[DesiredDevice]) -> tuple[DesiredDevice, ...]:
    """The entries for ``host_passthrough``."""
    return tuple(entry for entry in desired_devices if entry.is_passthrough)


def function_entries(desired_devices: Iterable[DesiredDevice]) -> tuple[DesiredDevice, ...]:
    """The entries for ``host_sriov``."""
    return tuple(entry for entry in desired_devices if entry.virtual_functions is not None)
