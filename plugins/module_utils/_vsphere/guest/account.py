# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account in a guest. Its password travels in each call, and must not be shown anywhere. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ..sdk import vim


@dataclass(frozen=True, kw_only=True, slots=True)
class GuestAccount:
    """An account of the guest operating system. repr() does not show the password."""

    username: str
    password: str = field(repr=False)


def authentication(account: GuestAccount) -> Any:
    """What the guest operations take. The SDK prints all fields of an object, also in messages of its own: this one prints no password."""
    return _discreet()(username=account.username, password=account.password, interactiveSession=False)


@cache
def _discreet() -> type[Any]:
    """The type of the SDK, which serializes as before, with a text without the password. Made late: the SDK may not be installed."""
    kind: type[Any] = vim.vm.guest.NamePasswordAuthentication

    def text(self: Any) -> str:
        return f"(NamePasswordAuthentication) {{ username = {self.username!r}, password = *** }}"

    return type("NamePasswordAuthentication", (kind,), {"__repr__": text, "__str__": text})
