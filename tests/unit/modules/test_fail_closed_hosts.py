# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is not known of a host, no device that it needs is taken from it; and nothing is refused where all is known."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from fading import WAYS, Fade, Seen, Way, watched
from harness import LABS, Lab

DAILY = ("mixed", "standalone_67")
EVERY = tuple(sorted(path.stem for path in LABS.glob("*.yml")))
UNREAD = ("could not be read", "is not known, as", "is empty", "is incomplete")


def look(lab: str, fade: Fade | None = None) -> tuple[dict[str, Any], Seen]:
    """Host id → what is found of the host; and what was read for it."""
    with watched(fade) as seen:
        result = Lab.load(lab).run("host_pci_device_info", gather_partitions=True)
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
    """Every property of a host that is read at all, taken away in this way."""
    found, seen = known(lab)
    freed = []
    tried = [fade for fade in seen.fades() if fade.kind == "HostSystem" and fade.way == way]
    for fade in tried:
        now, _unused = look(lab, fade)
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
        made = Lab.load(lab)
        result = made.run("host_passthrough", fails=True, hosts=[moid], devices=[match])
    return bool(result["failed"]) and made.writes() == []


@pytest.mark.parametrize("lab", [pytest.param(lab, marks=pytest.mark.long) if lab == "fleet" else lab for lab in EVERY])
def test_where_all_can_be_read_nothing_is_kept_for_not_being_read(lab: str) -> None:
    for host in known(lab)[0].values():
        for device in kept(host).values():
            assert not [reason for reason in device["protected"] if any(word in reason for word in UNREAD)]
