# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hardware versions that hosts offer for an upgrade of a VM. PRIVATE to the collection.

One call for each cluster, and only for VMs that are to be upgraded (API reference, QueryConfigOptionDescriptor). A descriptor lists the
hosts that it is for; it is not confirmed that every vCenter fills this in. Without it, each host is asked for the versions from the
minimum on, until it offers one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..._domain.observed.hosts import Host
from ..sdk import vmodl
from ..session.answer_checks import reader
from ..session.connect import Session
from .vm_limits import config_option, find_browsers

_UNKNOWN = (
    vmodl.fault.NotSupported,
    vmodl.fault.HostNotConnected,
    vmodl.fault.HostNotReachable,
    vmodl.fault.MethodNotFound,
)


@reader
def read_hardware_versions(
    session: Session, hosts: Sequence[Host], minimums: Mapping[str, int]
) -> dict[str, frozenset[int] | None]:
    """Host id → versions that it offers for an upgrade; None when unknown.

    Of the hosts in ``minimums`` (id → lowest version of interest), and of other hosts in their clusters if the same answers name them.
    """
    by_id = {host.moid: host for host in hosts}
    asked = [by_id[moid] for moid in minimums if moid in by_id and by_id[moid].is_reachable]
    browsers = find_browsers(session, asked)
    found: dict[str, frozenset[int] | None] = {host.moid: None for host in asked}
    for compute in {host.compute_moid for host in asked}:
        browser = browsers.get(compute)
        if browser is None:
            continue
        try:
            descriptors = [each for each in browser.QueryConfigOptionDescriptor() or () if _upgrades(each)]
        except _UNKNOWN:
            continue
        members = [host for host in hosts if host.compute_moid == compute and host.is_reachable]
        named = any(getattr(each, "host", None) for each in descriptors)
        for host in members if named or len(members) == 1 else [host for host in asked if host.compute_moid == compute]:
            if named:
                versions = _versions(
                    each for each in descriptors if host.moid in {one._moId for one in each.host or ()}
                )
            elif len(members) == 1:
                versions = _versions(descriptors)
            else:
                lowest = minimums[host.moid]
                offered = (version for version in sorted(_versions(descriptors)) if version >= lowest)
                first = next((one for one in offered if config_option(session, browser, host, one) is not None), None)
                versions = frozenset() if first is None else frozenset({first})
            found[host.moid] = versions
    return found


def _upgrades(descriptor: Any) -> bool:
    return getattr(descriptor, "upgradeSupported", None) is not False


def _versions(descriptors: Iterable[Any]) -> frozenset[int]:
    numbers = (each.key.rpartition("-")[2] for each in descriptors)
    return frozenset(int(number) for number in numbers if number.isdigit())
