# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A request and its answer, for the services beside the SDK that speak JSON: with a socket or without."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Request:
    """One HTTP request; header names in lower case, ``path`` with its query."""

    verb: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One HTTP answer: JSON (``body``), or plain words (``text``) as proxies have them, or a file (``raw``); without all it is empty.

    ``write``: method, id and name of what was changed; None when nothing was.
    """

    status: int
    body: Any = None
    text: str = ""
    raw: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    write: tuple[str, str, str] | None = None

    @property
    def content_type(self) -> str:
        """What the content is; empty when there is none."""
        if self.raw is not None:
            return "application/octet-stream"
        if self.body is not None:
            return "application/json; charset=utf-8"
        return "text/plain; charset=utf-8" if self.text else ""

    def content(self) -> bytes:
        """The content as it is sent."""
        if self.raw is not None:
            return self.raw
        return self.text.encode() if self.body is None else json.dumps(self.body).encode()
