# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host owes a reboot for, and what the reboot would take from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.facts import Listing
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.pending_reboot import (
    pending_reason,
    taken_devices,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import (
    Disk,
    Host,
    StorageAdapter,
)
from tests.unit.module_utils._domain.strategies import (
    ACTIVE,
    EMPTY_FABRIC,
    NVME,
    OFF,
    PENDING_DISABLE,
    PENDING_ENABLE,
    STALE,
    UNAVAILABLE,
    device,
    host,
)

P, Q = "0000:3b:00.0", "0000:5e:00.0"


def esx(state: Mapping[str, bool] = PENDING_ENABLE, **more: Any) -> Host:
    """A host of a cluster with one A100."""
    return host(device(P, state=state), **{"cluster": "gpu-a", **more})


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (OFF, None),
        (ACTIVE, None),
        (UNAVAILABLE, None),
        (STALE, None),
        (PENDING_ENABLE, f"it puts in effect {P} (enabled, not yet active)"),
        (PENDING_DISABLE, f"it puts in effect {P} (disabled, still active)"),
    ],
)
def test_what_is_owed(state: dict[str, bool], reason: str | None) -> None:
    assert pending_reason(esx(state)) == reason


def test_the_hint_of_the_host_is_no_reason() -> None:
    assert pending_reason(esx(ACTIVE, reboot_required_hint=True)) is None


BOOT = replace(
    EMPTY_FABRIC,
    adapters=Listing((StorageAdapter(device="vmhba1", address=Q, disks=("naa.1",)),)),
    disks=Listing((Disk(name="naa.1", local=True, is_boot=True),)),
)


def grabbing(state: Mapping[str, bool] = PENDING_ENABLE) -> Host:
    return replace(esx(), devices=(device(P, state=PENDING_ENABLE), device(Q, NVME, state)), fabric=BOOT)


def test_a_reboot_that_would_take_the_boot_disk_is_refused() -> None:
    (blocker,) = taken_devices(grabbing(), ())
    assert blocker.code == "reboot_takes_protected"
    assert blocker.message == (
        f"esx-01 would lose {Q} 144d:a808 NVMe SSD PM983 to passthrough at the reboot, although vmhba1 leads to naa.1, "
        "which is the disk ESXi boots from"
    )
    assert f'allow_protected: ["esx-01/{Q}=naa.1"]' in blocker.cure


@pytest.mark.parametrize("state", [OFF, ACTIVE, PENDING_DISABLE])
def test_a_reboot_that_takes_nothing_more_is_not(state: dict[str, bool]) -> None:
    assert taken_devices(grabbing(state), ()) == ()


def test_the_loss_may_be_accepted_by_name() -> None:
    assert taken_devices(grabbing(), (f"esx-01/{Q}=naa.1",)) == ()
    assert len(taken_devices(grabbing(), (f"esx-01/{Q}",))) == 1
    assert len(taken_devices(grabbing(), (f"esx-02/{Q}=naa.1",))) == 1


def test_a_host_whose_fabric_was_not_read_is_not_judged() -> None:
    assert taken_devices(replace(grabbing(), fabric=None), ()) == ()
