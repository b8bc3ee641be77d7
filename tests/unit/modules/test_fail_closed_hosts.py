# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is not known of a host, no device that it needs is taken from it; and nothing is refused where all is known."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from fading import Fade, Seen, watched
from harness import LABS, Lab

RELEASES = ("demo", "home", "legacy_55", "mixed", "standalone_67", "v70", "v80", "v9")
EVERY = tuple(sorted(path.stem for path in LABS.glob("*.yml")))
UNREAD = ("could not be read", "is not known, as", "is empty", "is incomplete")

DECIDES_NOTHING = {
    "name",
    "parent",
    "runtime.powerState",
    "hardware.numaInfo",
    "summary.rebootRequired",
}
"""Properties of a host that no guard of its devices reads."""


def kept(lab: str, fade: Fade | None = None) -> tuple[dict[str, dict[str, list[str]]], Seen]:
    """Host → address → why the host keeps the device; and what was read for it."""
    with watched(fade) as seen:
        result = Lab.load(lab).run("host_pci_device_info", gather_partitions=True)
    return {host["moid"]: protected(host) for host in result["hosts"]}, seen


def protected(host: dict[str, Any]) -> dict[str, list[str]]:
    return {device["address"]: device["protected"] for device in host["devices"] if device["protected"]}


@cache
def known(lab: str) -> tuple[dict[str, dict[str, list[str]]], Seen]:
    return kept(lab)


def fades() -> list[Any]:
    return [
        pytest.param(lab, fade, id=f"{lab}: {fade}")
        for lab in RELEASES
        for fade in known(lab)[1].fades()
        if fade.kind == "HostSystem"
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("lab", "fade"), fades())
def test_what_is_not_known_never_frees_a_device(lab: str, fade: Fade) -> None:
    now, _seen = kept(lab, fade)
    for moid, before in known(lab)[0].items():
        lost = set(before) - set(now[moid])
        assert not lost or is_out_of_reach(lab, moid, fade), f"{fade} frees {sorted(lost)} of {moid}"


def is_out_of_reach(lab: str, moid: str, fade: Fade) -> bool:
    """A host of which the essential is not known is not written to at all."""
    with watched(fade):
        made = Lab.load(lab)
        made.run("host_passthrough", fails=True, hosts=[moid], devices=[{"match": {"class_id": "01"}, "count": "all"}])
    return made.writes() == []


@pytest.mark.parametrize("lab", EVERY)
def test_where_all_can_be_read_nothing_is_kept_for_not_being_read(lab: str) -> None:
    for devices in known(lab)[0].values():
        for why in devices.values():
            assert not [reason for reason in why if any(word in reason for word in UNREAD)]
