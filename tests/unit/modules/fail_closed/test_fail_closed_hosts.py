# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is not known of a host, no device that it needs is taken from it; and nothing is refused where all is known."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from tests.unit.modules.fail_closed.fading import WAYS, Fade, Seen, Way, unexplained, watched
from tests.unit.modules.fail_closed.left_out import Frugal
from tests.unit.modules.harness import LABS, Failed, Lab

DAILY = ("mixed", "recorded", "standalone_67")
RECORDED = {
    "kind": "vcenter",
    "version": "8.0.3",
    "datacenters": [
        {
            "name": "DC1",
            "clusters": [
                {
                    "name": "vsan",
                    "hosts": [
                        {"name": "esx-01.lab", "recorded": str(LABS.parents[1] / "tests/recorded/esxi-8.0.3-host.xml")}
                    ],
                }
            ],
        }
    ],
}
"""A vCenter with a host whose answers were recorded."""
EVERY = (*sorted(path.stem for path in LABS.glob("*.yml")), "recorded")
UNREAD = ("could not be read", "is not known, as", "is empty", "is incomplete")


def load(lab: str) -> Lab:
    return Lab.load(RECORDED if lab == "recorded" else lab)


def look(lab: str, fade: Fade | Frugal | None = None) -> tuple[dict[str, Any], Seen]:
    """Host id → what is found of the host; and what was read for it."""
    with watched(fade) as seen:
        result = load(lab).run("host_pci_device_info", gather_partitions=True)
    return {host["moid"]: host for host in result["hosts"]}, seen


def kept(host: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {device["address"]: device for device in host["devices"] if device["protected"]}


@cache
def known(lab: str) -> tuple[dict[str, Any], Seen]:
    return look(lab)


def labs() -> list[Any]:
    return [pytest.param(lab, marks=() if lab in DAILY else pytest.mark.long) for lab in EVERY]


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("lab", labs())
def test_what_is_not_known_never_frees_a_device(lab: str, way: Way) -> None:
    """Every property of a host that is read at all, taken away in this way. Each has a contradiction, or it is said why not."""
    found, seen = known(lab)
    freed = []
    tried = seen.fades("HostSystem", (way,), (*DAILY, *EVERY).index(lab))
    assert unexplained("HostSystem", seen) == []
    for fade in tried:
        try:
            now, _unused = look(lab, fade)
        except Failed as failed:
            # An object without what it always has is no answer at all, and nothing is done on the strength of it.
            if failed.result["error_code"] != "unreadable_answer":
                raise
            moid, device = next((moid, device) for moid, host in found.items() for device in kept(host).values())
            assert is_refused(lab, moid, device, fade)
            continue
        for moid, before in found.items():
            for address in kept(before).keys() - kept(now[moid]).keys():
                if not is_refused(lab, moid, kept(before)[address], fade):
                    freed.append(f"{fade} frees {address} of {moid}")
    assert len(tried) > 8
    assert freed == []


def is_refused(lab: str, moid: str, device: dict[str, Any], fade: Fade) -> bool:
    """Whether the device, of which it was not seen that the host needs it, is not passed through all the same."""
    match = {
        "match": {"vendor_id": device["vendor_id"], "device_id": device["device_id"], "address": device["address"]}
    }
    with watched(fade):
        made = load(lab)
        result = made.run("host_passthrough", fails=True, hosts=[moid], devices=[match])
    return bool(result["failed"]) and made.writes() == []


@pytest.mark.parametrize("lab", [pytest.param(lab, marks=pytest.mark.long) if lab == "fleet" else lab for lab in EVERY])
def test_where_all_can_be_read_nothing_is_kept_for_not_being_read(lab: str) -> None:
    for host in known(lab)[0].values():
        for device in kept(host).values():
            assert not [reason for reason in device["protected"] if any(word in reason for word in UNREAD)]


@pytest.mark.parametrize("lab", [lab for lab in EVERY if lab not in ("fleet", "converged_50")])
def test_what_healthy_servers_leave_out_protects_nothing(lab: str) -> None:
    """No distributed switch, no NVMe, no vSAN, an older release, a standalone host: left out, as if it were not known."""
    frugal, _seen = look(lab, Frugal())
    found = known(lab)[0]
    assert {moid: kept(host).keys() for moid, host in frugal.items()} == {
        moid: kept(host).keys() for moid, host in found.items()
    }
