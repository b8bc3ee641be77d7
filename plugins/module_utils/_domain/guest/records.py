# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict about a guest as results and reports show it. PRIVATE to the collection."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class FindingRecord(TypedDict):
    """What is known about a device or a guest. ``step``: the strongest step that was verified; ``failed_at``: the one that was not."""

    status: str
    step: str | None
    failed_at: str | None
    code: str | None
    reason: str
    cure: str


class DeviceRecord(FindingRecord):
    """The devices of one model. ``found``: None if the number is unknown."""

    device: str
    count: int
    found: int | None


class VerdictRecord(FindingRecord):
    """The verdict about a guest. ``os``, ``kernel``: only of a guest that answered."""

    devices: list[DeviceRecord]
    os: NotRequired[str]
    kernel: NotRequired[str]


class GuestRecord(VerdictRecord):
    """The guest of one VM. ``vm_in_intent``: the VM as the desired state names it."""

    vm: str
    moid: str
    via: str
    inventory_host: str | None
    vm_in_intent: NotRequired[str]
