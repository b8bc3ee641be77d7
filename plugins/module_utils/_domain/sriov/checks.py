# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host and its NICs allow for virtual functions (VFs): the blockers of ``host_sriov``. PRIVATE to the collection.

Sources: API reference (HostSriovInfo, HostSriovConfig), vSphere networking guide, chapter SR-IOV (a function is
passed through or has VFs).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..host.virtual_functions import Selected
from ..observed.hosts import Host, HostDevice
from ..planning.plan import Blocker


def nics_unread(host: Host) -> Blocker:
    return Blocker(
        code="host_unreachable",
        message=f"{host.name} did not return config.network.pnic, so it is unknown which device a vmnic is",
        cure="Check that the account can read this host (System.Read), or select the device with match",
    )


def capability_blockers(host: Host, functions: Iterable[Selected]) -> list[Blocker]:
    """Functions that cannot have the desired number of VFs."""
    return [blocker for one in functions if (blocker := _capability(host, one)) is not None]


def _capability(host: Host, one: Selected) -> Blocker | None:
    device, sriov = one.device, one.device.sriov
    configured = sriov.configured if sriov is not None else 0
    if not one.number and not configured:
        return None
    if not device.is_network_adapter:
        return Blocker(
            code="not_sriov_capable",
            message=f"{device.describe()} on {host.name} is not a network adapter. The driver of a GPU creates its virtual functions",
            cure="Select network adapters only",
            subjects=(device.address,),
        )
    if device.enabled or device.active:
        return _passed_through(host, device)
    if not one.number:
        return None
    if sriov is None or not sriov.capable or not sriov.maximum:
        return _incapable(host, device)
    if one.number > sriov.maximum:
        return Blocker(
            code="too_many_virtual_functions",
            message=f"{device.describe()} on {host.name} supports at most {sriov.maximum} virtual functions, and {one.number} are desired",
            cure=f"Set virtual_functions to {sriov.maximum} or less",
            subjects=(device.address,),
        )
    return None


def _passed_through(host: Host, device: HostDevice) -> Blocker:
    how = "is configured for passthrough" if device.enabled else "is passed through until the next reboot"
    return Blocker(
        code="passed_through",
        message=f"{device.describe()} on {host.name} {how}. A function is passed through or has virtual functions, never both",
        cure="Disable passthrough of the device first (host_passthrough with state: disabled), and reboot the host if that is pending. Or "
        "remove one of the two entries",
        subjects=(device.address,),
    )


def _incapable(host: Host, device: HostDevice) -> Blocker:
    able = [other for other in host.devices if other.sriov is not None and other.sriov.capable and other.sriov.maximum]
    return Blocker(
        code="not_sriov_capable",
        message=f"{device.describe()} on {host.name} does not support SR-IOV: the host reports no virtual functions for it",
        cure="Enable SR-IOV in the firmware of the server and of the NIC, and Intel VT-d or AMD-Vi. Check that the driver of the NIC "
        "supports SR-IOV on this ESXi release",
        candidates=tuple(other.describe() for other in able),
        subjects=(device.address,),
    )


def timing_blockers(host: Host, written: Sequence[Selected], uplinks: Mapping[str, str]) -> list[Blocker]:
    """Why ``apply: now`` is not possible."""
    if written and host.capabilities.rebind_without_reboot is not True:
        listed = "; ".join(one.device.describe() for one in written)
        return [
            Blocker(
                code="rebind_unsupported",
                message=f"{host.name} cannot change devices without a reboot, but apply: now requires it ({listed})",
                cure="Set apply: auto or apply: reboot, and reboot the host afterwards",
                subjects=tuple(one.device.address for one in written),
            )
        ]
    return [
        Blocker(
            code="uplink_in_service",
            message=f"{one.device.describe()} on {host.name} is {uplinks[one.device.address]}. With apply: now its driver may start again, "
            "which takes the link down",
            cure="Set apply: auto or apply: reboot, and reboot the host afterwards",
            subjects=(one.device.address,),
        )
        for one in written
        if one.device.address in uplinks
    ]


def uplinks_of(host: Host) -> Mapping[str, str]:
    """Address → the switches that the function is an uplink of, as a clause. Without the fabric of the host, and for a NIC or switch
    that could not be read, every NIC counts."""
    fabric = host.fabric
    if fabric is None or fabric.nics.gaps or fabric.switches.gaps:
        return {device.address: "maybe an uplink" for device in host.devices if device.sriov is not None}
    found: dict[str, list[str]] = {}
    for nic in fabric.nics.read:
        for switch in fabric.switches.read:
            if nic.device in switch.uplinks:
                carries = f", which carries {', '.join(sorted(switch.services))}" if switch.services else ""
                found.setdefault(nic.address, []).append(f"{switch.name}{carries}")
    return {address: f"an uplink of {' and '.join(switches)}" for address, switches in found.items()}
