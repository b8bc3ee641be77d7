# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which VMs use the virtual functions of a physical function, and which may."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.virtual_functions import Selected
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import (
    DeviceUser,
    FunctionUser,
    Host,
    HostDevice,
    Sriov,
    UnreadVm,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.sriov.users import (
    refuse_shrinking,
    shrinking_note,
    use_of,
)
from tests.unit.module_utils._domain.strategies import X710, device, host

LEFT, RIGHT = "0000:3b:00.0", "0000:3b:00.1"
VF = {**X710, "device_id": "154c"}


def port(address: str, number: int, present: int | None = None) -> HostDevice:
    effect = number if present is None else present
    sriov = Sriov(capable=True, enabled=number > 0, active=effect > 0, requested=number, current=effect, maximum=64)
    return device(address, X710, sriov=sriov)


def of(*users: FunctionUser, left: int = 0, right: int = 4, **more: object) -> Host:
    """Two ports with virtual functions, of which the first is at 0000:3b:02.0."""
    functions = [device(f"0000:3b:02.{number}", VF) for number in range(min(left + right, 8))]
    return host(port(LEFT, left), port(RIGHT, right), *functions, function_users=users, **more)


def adapter(physical: str | None = RIGHT, virtual: str | None = None, vm: str = "nfv-01") -> FunctionUser:
    return FunctionUser(
        vm=vm, moid=f"vm-{vm}", powered_on=virtual is not None, physical_function=physical, virtual_function=virtual
    )


def refusals(where: Host, number: int, ignored: frozenset[str] = frozenset(), address: str = RIGHT) -> list[str]:
    (chosen,) = [one for one in where.devices if one.address == address]
    return [blocker.code for blocker in refuse_shrinking(where, [Selected(device=chosen, number=number)], ignored)]


@pytest.mark.parametrize(
    ("users", "number", "code"),
    [
        ([adapter()], 1, None),
        ([adapter()], 0, "in_use"),
        ([adapter(), adapter()], 1, "in_use"),
        ([adapter(LEFT)], 0, None),
        ([adapter(None, "0000:3b:02.1")], 0, "in_use"),
        ([adapter(RIGHT, "0000:3b:02.1")], 1, None),
        ([adapter(None)], 1, None),
        ([adapter(None)], 0, "holders_unknown"),
        ([adapter(), adapter(None)], 2, None),
        ([adapter(), adapter(None)], 1, "holders_unknown"),
        ([adapter(None)], 4, None),
        ([adapter(None)], 8, None),
    ],
)
def test_a_number_is_lowered_to_those_in_use_at_the_most(
    users: list[FunctionUser], number: int, code: str | None
) -> None:
    assert refusals(of(*users), number) == ([] if code is None else [code])


def test_a_vm_that_the_user_names_counts_no_more_where_its_function_is_unknown() -> None:
    assert refusals(of(adapter(None)), 0, frozenset({"vm-nfv-01"})) == []
    assert refusals(of(adapter()), 0, frozenset({"vm-nfv-01"})) == ["in_use"], "this one is known"


def test_a_vm_whose_devices_are_unknown_may_use_all_of_them() -> None:
    lost = UnreadVm(vm="lost", moid="vm-9", why="is orphaned")
    where = replace(of(), unread_vms=(lost,))
    assert refusals(where, 3) == ["holders_unknown"]
    assert refusals(where, 3, frozenset({"vm-9"})) == []
    assert refusals(where, 4) == []


def whole(address: str = "0000:3b:02.1") -> dict[str, tuple[DeviceUser, ...]]:
    return {address: (DeviceUser(vm="nfv-02", moid="vm-2", powered_on=False, fixed=True),)}


def test_a_virtual_function_as_a_device_keeps_every_number() -> None:
    """Which of them a lower number leaves, the driver decides. A higher one may move them."""
    where = of(users=whole())
    assert refusals(where, 3) == ["in_use"]
    grown = Selected(device=where.devices[1], number=8)
    assert "can change their addresses" in shrinking_note(where, grown, {RIGHT})


def test_of_two_ports_with_virtual_functions_either_may_provide_it() -> None:
    where = of(left=2, right=2, users=whole())
    use = use_of(where, where.devices[1])
    assert (use.certain, [vm.vm for vm in use.possible]) == (0, ["nfv-02"])
    assert refusals(where, 0) == ["holders_unknown"]
    assert refusals(where, 0, address=LEFT) == ["holders_unknown"]
    assert refusals(where, 1) == [], "one is left for it"


def test_a_number_that_somebody_else_lowered_is_named() -> None:
    where = replace(of(adapter(), adapter(vm="nfv-03")), devices=(port(RIGHT, 1, 4),))
    note = shrinking_note(where, Selected(device=where.devices[0], number=1), ())
    assert "has 1 virtual functions after the next reboot, and VMs use 2" in note
    assert shrinking_note(of(adapter()), Selected(device=of().devices[1], number=4), ()) == ""
