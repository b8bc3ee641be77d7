# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which VMs use the virtual functions (VFs) of a physical function (PF), so that it must keep as many. PRIVATE to the collection.

A VM counts whether it runs or not: one that is powered off cannot be powered on without its VFs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from ..host.blockers import holders_unknown
from ..host.virtual_functions import Selected
from ..observed.hosts import Host, HostDevice, UnreadVm, cards_of_functions
from ..planning.plan import Blocker

_AUTOMATIC = "has an SR-IOV network adapter, and it is unknown which physical function it uses"
_WHOLE = "has a virtual function as a passthrough device, and it is unknown which physical function provides it"


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionUse:
    """The use of the VFs of one PF. ``adapters`` and ``whole``: a name for each VF, as an SR-IOV network adapter and as a passthrough
    device. ``possible``: a VM for each VF that may be another PF's."""

    adapters: tuple[str, ...]
    whole: tuple[str, ...]
    possible: tuple[UnreadVm, ...]

    @property
    def certain(self) -> int:
        return len(self.adapters) + len(self.whole)


def use_of(host: Host, device: HostDevice) -> FunctionUse:
    """Who uses the VFs of a PF."""
    cards = cards_of_functions(host.devices)
    adapters, whole, possible = [], [], []
    for user in host.function_users:
        known = (user.physical_function,) if user.physical_function else cards.get(user.virtual_function or "", ())
        name = f"{user.vm} ({'powered on' if user.powered_on else 'powered off'})"
        if known == (device.address,):
            adapters.append(name)
        elif not known or device.address in known:
            possible.append(UnreadVm(vm=user.vm, moid=user.moid, why=_AUTOMATIC))
    taken = {user.virtual_function for user in host.function_users}
    for address, places in cards.items():
        if device.address not in places or address in taken:
            continue
        for holder in host.users.get(address, ()):
            if len(places) == 1:
                whole.append(f"{holder.vm} ({address} as a passthrough device)")
            else:
                possible.append(UnreadVm(vm=holder.vm, moid=holder.moid, why=_WHOLE))
    return FunctionUse(adapters=tuple(adapters), whole=tuple(whole), possible=tuple(possible))


def refuse_shrinking(host: Host, written: Iterable[Selected], ignored: Collection[str]) -> list[Blocker]:
    """A blocker for each function that would have fewer VFs than are in use, or may be.

    ``ignored``: ids of VMs that, according to the user, use none of the functions.
    """
    unread = [vm for vm in host.unread_vms if vm.moid not in ignored]
    return [blocker for one in written if (blocker := _refusal(host, one, unread, ignored)) is not None]


def _refusal(host: Host, one: Selected, unread: list[UnreadVm], ignored: Collection[str]) -> Blocker | None:
    if not _is_lowered(one):
        return None
    use = use_of(host, one.device)
    # Which VFs are left is up to the driver, so no VF that is a passthrough device may be among those of a lower number.
    if use.certain > one.number or use.whole:
        return _in_use(host, one, use)
    possible = [vm for vm in use.possible if vm.moid not in ignored]
    uncertain = list(dict.fromkeys((*unread, *(possible if use.certain + len(possible) > one.number else ()))))
    if not uncertain:
        return None
    consequence = (
        f"The number of virtual functions of {one.device.describe()} on {host.name} cannot be lowered to {one.number}"
    )
    return holders_unknown(host.name, uncertain, consequence)


def _is_lowered(one: Selected) -> bool:
    sriov = one.device.sriov
    return sriov is not None and one.number < max(sriov.configured, sriov.in_effect)


def _in_use(host: Host, one: Selected, use: FunctionUse) -> Blocker:
    keep = f", or set virtual_functions to at least {use.certain}" if not use.whole else ""
    return Blocker(
        code="in_use",
        message=f"{one.device.describe()} on {host.name} cannot have {one.number} virtual functions: VMs use {use.certain} of them: "
        f"{_listed(Counter((*use.adapters, *use.whole)))}",
        cure=f"Remove the SR-IOV network adapters or the passthrough devices from these VMs first{keep}",
        subjects=(one.device.address,),
    )


def _listed(names: Mapping[str, int]) -> str:
    return ", ".join(name if number == 1 else f"{number} x {name}" for name, number in sorted(names.items()))


def shrinking_note(host: Host, one: Selected, changing: Collection[str]) -> str:
    """A note about VMs that a number that is already configured leaves without VFs, or whose VF may get another address."""
    use = use_of(host, one.device)
    sriov = one.device.sriov
    if sriov is None or (one.device.address not in changing and not sriov.is_pending):
        return ""
    if one.device.address not in changing and sriov.configured < use.certain:
        return (
            f"{one.device.describe()} on {host.name} has {sriov.configured} virtual functions after the next reboot, and VMs use "
            f"{use.certain}: {_listed(Counter((*use.adapters, *use.whole)))}"
        )
    if use.whole and one.number > sriov.in_effect:
        return (
            f"Another number of virtual functions can change their addresses on {host.name}, and VMs have some of them as passthrough "
            f"devices: {_listed(Counter(use.whole))}"
        )
    return ""
