# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The present state of a run in a file, for the timeline page and for the last lines of a run that is stopped. PRIVATE to the collection.

The file holds what the result of the slice would be if it ended now. It is replaced as a whole.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Collection
from typing import Any

from ansible.module_utils.common.parameters import remove_values

from ..._domain.text import all_visible
from ..._vsphere.http.rehearsal import place_of

STATE_FILE = "state.json"
"""Its name, in the folder that module and action plugin share."""

SHARE = 0.03
"""Maximum share of the time that writing may take: the state of some thousand hosts takes a while."""


class StateWriter:
    """``folder``: None if no file is wanted. ``secrets``: words that are masked."""

    def __init__(self, folder: str | None, *, secrets: Collection[str] = ()) -> None:
        self._folder = None if folder is None else place_of(folder)
        self._secrets = frozenset(secrets)
        self._due = 0.0

    def write(self, describe: Callable[[], dict[str, Any]]) -> None:
        """Replace the file, unless it is too early for that: a later round does it. ``describe``: what to write."""
        began = time.monotonic()
        if self._folder is None or began < self._due:
            return
        text = json.dumps(all_visible(remove_values(describe(), self._secrets)), default=str)
        draft = self._folder / f".{STATE_FILE}"
        try:
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            draft.replace(self._folder / STATE_FILE)
        except OSError:
            self._folder = None  # the rolling reboot continues without it
        self._due = began + (time.monotonic() - began) / SHARE
