# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Past reboots from events: requested, out of contact, connected again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from pyVmomi import vim

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.capture.reboots import reboots

BEGIN = datetime(2026, 1, 5, 8, tzinfo=UTC)
DOWN, LOST, BACK = vim.event.HostShutdownEvent, vim.event.HostConnectionLostEvent, vim.event.HostConnectedEvent
HOUR = 3600


def events(*rows: tuple[Any, int] | tuple[Any, int, str]) -> list[Any]:
    keys = count(1)
    found = []
    for kind, seconds, *host in rows:
        reference = vim.HostSystem(host[0] if host else "host-1")
        argument = vim.event.HostEventArgument(name="esx", host=reference)
        found.append(kind(key=next(keys), createdTime=BEGIN + timedelta(seconds=seconds), host=argument))
    return found


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(DOWN, 0), (LOST, 20), (BACK, 320)], {"host-1": (300,)}),
        ([(BACK, 320), (LOST, 20), (DOWN, 0)], {"host-1": (300,)}),
        ([(DOWN, 0), (LOST, 20), (BACK, 320), (DOWN, HOUR), (LOST, HOUR + 20), (BACK, HOUR + 500)], {"host-1": (300, 480)}),
        ([(LOST, 20), (BACK, 320)], {}),
        ([(DOWN, 0), (LOST, 20)], {}),
        ([(DOWN, 0), (BACK, 320)], {}),
        ([(DOWN, 0), (BACK, 320), (LOST, HOUR), (BACK, HOUR + 60)], {}),
        ([(DOWN, 0), (LOST, 20), (BACK, 20 + 7 * HOUR)], {}),
        ([(DOWN, 0), (LOST, 5, "host-2"), (LOST, 20), (BACK, 90, "host-2"), (BACK, 320)], {"host-1": (300,)}),
        ([(DOWN, 0), (DOWN, 1, "host-2"), (LOST, 20), (LOST, 25, "host-2"), (BACK, 125, "host-2"), (BACK, 320)],
         {"host-1": (300,), "host-2": (100,)}),
        ([], {}),
    ],
)  # fmt: skip
def test_durations(rows: Any, expected: dict[str, tuple[int, ...]]) -> None:
    assert reboots(events(*rows)) == expected
