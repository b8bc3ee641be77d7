# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planner of graphics settings, as tables and as a property: the plan, applied, needs no further write and loses no entry."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.facts import Gap, Listing
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.graphics.desired import (
    DesiredGraphics,
    DesiredHostGraphics,
    combine,
    parse_graphics,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.graphics.plan import (
    graphics_after,
    plan_graphics,
    waiting_graphics,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.graphics import (
    MODES,
    POLICIES,
    TYPES,
    GpuEntry,
    GraphicsConfig,
    GraphicsDevice,
    GraphicsUser,
    HostGraphics,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import Host, HostDevice
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.plan import TargetPlan
from tests.unit.module_utils._domain.strategies import host

ADDRESSES = ("0000:3b:00.0", "0000:5e:00.0", "0000:86:00.0")
STALE = GpuEntry(device_id="0000:F1:00.0", address="0000:f1:00.0", type="futureType", mode="futureMode")


def gpu_host(graphics: HostGraphics, version: str = "8.0.3") -> Host:
    devices = tuple(
        HostDevice(address=at, vendor_id="10de", device_id="20f1", class_id="0302", capable=True) for at in ADDRESSES
    )
    return replace(host(), version=version, devices=devices, graphics=graphics)


def planned(seen: Host, desired: DesiredGraphics, restarted: bool = False, **more: Any) -> TargetPlan:
    moids = frozenset({seen.moid}) if restarted else frozenset[str]()
    (target,) = plan_graphics([seen], DesiredHostGraphics(hosts={seen.moid: desired}, **more), moids).targets
    return target


def entry_of(address: str) -> st.SearchStrategy[GpuEntry]:
    return st.builds(
        GpuEntry,
        device_id=st.just(address.upper()),
        address=st.just(address),
        type=st.sampled_from(TYPES),
        mode=st.sampled_from((None, *MODES)),
    )


configs = st.builds(
    GraphicsConfig,
    default_type=st.sampled_from(TYPES),
    assignment_policy=st.sampled_from(POLICIES),
    entries=st.lists(st.sampled_from(ADDRESSES), unique=True).flatmap(
        lambda chosen: st.tuples(*map(entry_of, chosen)).map(lambda found: (*found, STALE))
    ),
)
gpus = st.tuples(
    *(
        st.builds(
            GraphicsDevice, address=st.just(at), type=st.sampled_from(TYPES), mode=st.sampled_from(("none", *MODES))
        )
        for at in ADDRESSES
    )
)
devices = st.lists(
    st.fixed_dictionaries(
        {"match": st.sampled_from(("10de:20f1", *ADDRESSES)), "type": st.sampled_from((None, *TYPES))},
        optional={"vgpu_mode": st.sampled_from(MODES)},
    ),
    max_size=3,
)


@st.composite
def settings(draw: st.DrawFn) -> DesiredGraphics:
    raw = {
        "default_type": draw(st.sampled_from((None, *TYPES))),
        "assignment_policy": draw(st.sampled_from((None, *POLICIES))),
        "devices": draw(devices),
        "restart_xorg": draw(st.booleans()),
    }
    try:
        return parse_graphics(raw)
    except InputError:
        return DesiredGraphics(default_type="shared", restart_xorg=raw["restart_xorg"])


@given(configs, gpus, settings())
def test_a_plan_once_applied_writes_nothing_more_and_keeps_what_it_was_not_asked(
    config: GraphicsConfig, present: tuple[GraphicsDevice, ...], desired: DesiredGraphics
) -> None:
    seen = gpu_host(HostGraphics(config=config, gpus=present, users=Listing()))
    target = planned(seen, desired)
    after = graphics_after(config, target.effective)
    assert STALE in after.entries
    named = {change.subject for change in target.effective}
    kept = [entry for entry in config.entries if entry.address not in named]
    assert [entry for entry in after.entries if entry.address not in named] == kept
    assert set(kept) <= set(after.entries), "in the words of the host"
    later = replace(seen, graphics=HostGraphics(config=after, gpus=present, users=Listing()))
    again = planned(later, desired, restarted=True)
    assert again.changes == () or target.blockers
    if not target.blockers:
        assert again.blockers == ()
        assert set(again.pending) == {each.address for each in waiting_graphics(later, desired)}


@given(configs, settings())
def test_nothing_waits_where_the_host_shows_what_is_configured(
    config: GraphicsConfig, desired: DesiredGraphics
) -> None:
    present = tuple(
        GraphicsDevice(address=at, type=config.type_of(at), mode=(config.mode_of(at) or "same_size"))
        for at in ADDRESSES
    )
    seen = gpu_host(HostGraphics(config=config, gpus=present, users=Listing()))
    assert planned(seen, desired).pending == ()
    assert waiting_graphics(seen, desired) == ()


@pytest.mark.parametrize(
    ("graphics", "code"),
    [
        (HostGraphics(), "graphics_unsupported"),
        (HostGraphics(config=GraphicsConfig(), gaps=(Gap(path="config.graphicsInfo"),)), "graphics_unreadable"),
        (
            HostGraphics(config=GraphicsConfig(), gpus=(GraphicsDevice(address=ADDRESSES[0], type="basic"),)),
            "no_graphics_driver",
        ),
        (
            HostGraphics(config=GraphicsConfig(), gpus=(GraphicsDevice(address=ADDRESSES[0], type="holographic"),)),
            "unknown_graphics_type",
        ),
        (
            HostGraphics(config=GraphicsConfig(), gpus=(GraphicsDevice(address=ADDRESSES[0], type="direct"),)),
            "graphics_direct",
        ),
        (
            HostGraphics(
                config=GraphicsConfig(), gpus=(GraphicsDevice(address=ADDRESSES[0], type="shared", vms=("v",)),)
            ),
            "graphics_in_use",
        ),
        (
            HostGraphics(
                config=GraphicsConfig(),
                gpus=(GraphicsDevice(address=ADDRESSES[0], type="shared"),),
                users=Listing((GraphicsUser(vm="v", why="has 3D graphics"),)),
            ),
            "xorg_in_use",
        ),
        (
            HostGraphics(
                config=GraphicsConfig(),
                gpus=(GraphicsDevice(address=ADDRESSES[0], type="shared"),),
                users=Listing(gaps=(Gap(path="v", why="is not shown to this account"),)),
            ),
            "xorg_users_unknown",
        ),
    ],
)
def test_what_cannot_be_known_or_done_is_refused(graphics: HostGraphics, code: str) -> None:
    desired = parse_graphics({"devices": [{"match": ADDRESSES[0], "type": "shared_direct"}], "restart_xorg": True})
    target = planned(gpu_host(graphics), desired)
    assert code in [blocker.code for blocker in target.blockers]
    assert target.effective == ()


def test_a_restart_before_the_users_are_known_is_provisional() -> None:
    seen = gpu_host(HostGraphics(config=GraphicsConfig(), gpus=(GraphicsDevice(address=ADDRESSES[0], type="shared"),)))
    desired = parse_graphics({"devices": [{"match": ADDRESSES[0], "type": "shared_direct"}], "restart_xorg": True})
    assert planned(seen, desired).host_facts.provisional
    assert not planned(seen, replace(desired, restart_xorg=False)).host_facts.provisional


def test_a_default_type_is_about_the_gpus_that_follow_it() -> None:
    config = GraphicsConfig(entries=(GpuEntry(device_id=ADDRESSES[0], address=ADDRESSES[0], type="shared"),))
    present = (
        *(GraphicsDevice(address=at, type="shared") for at in ADDRESSES[:2]),
        GraphicsDevice(address=ADDRESSES[2], type="basic"),
    )
    target = planned(
        gpu_host(HostGraphics(config=config, gpus=present)), parse_graphics({"default_type": "shared_direct"})
    )
    assert [change.subject for change in target.changes] == ["default graphics type"]
    assert target.host_facts.pending_after == (ADDRESSES[1],)


def test_hosts_are_planned_by_name() -> None:
    hosts = [host(name="esx-02", moid="host-2"), host(name="esx-01", moid="host-1")]
    targets = plan_graphics(hosts, DesiredHostGraphics(hosts={})).targets
    assert [target.target for target in targets] == ["esx-01", "esx-02"]


def test_a_host_that_does_not_answer_is_refused() -> None:
    lost = replace(gpu_host(HostGraphics()), connection_state="notResponding")
    assert [blocker.code for blocker in planned(lost, DesiredGraphics(default_type="shared")).blockers] == [
        "host_unreachable"
    ]


def test_consent_to_restart_xorg_must_be_given_by_all() -> None:
    yes = DesiredGraphics(default_type="shared", restart_xorg=True)
    no = DesiredGraphics(assignment_policy="performance")
    assert combine(yes, yes, "h").restart_xorg
    both = combine(yes, no, "h")
    assert (both.default_type, both.assignment_policy, both.restart_xorg) == ("shared", "performance", False)
    with pytest.raises(InputError):
        combine(yes, replace(yes, default_type="shared_direct"), "h")
