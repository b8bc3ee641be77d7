# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired numbers of virtual functions of hosts. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..host.selector import DesiredDevice


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredSriov:
    """Numbers of virtual functions on hosts (by managed object id). The other fields are those of ``DesiredPassthrough``."""

    devices: Mapping[str, tuple[DesiredDevice, ...]] = field(default_factory=dict)
    apply: Literal["auto", "now", "reboot"] = "auto"
    on_missing: Literal["fail", "skip"] = "fail"
    ignore_unreadable_vms: frozenset[str] = frozenset()
