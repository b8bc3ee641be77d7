# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors of the collection. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Sequence

from .text import full_stop


class DirectPathError(Exception):
    """A failure that the user can act on.

    ``message``: what failed, on which object, and why. ``cure``: what to do next. ``code``: the name of the failure for programs; the
    same failure always has the same code. ``candidates``: values that would be accepted. ``parameter``: the option that is wrong, if
    any. All arguments are keyword-only, so that two texts cannot be swapped by mistake.
    """

    def __init__(
        self,
        *,
        message: str,
        code: str,
        cure: str = "",
        parameter: str = "",
        candidates: Sequence[str] = (),
    ) -> None:
        self.message = message
        self.code = code
        self.cure = cure
        self.parameter = parameter
        self.candidates = tuple(candidates)
        super().__init__(self.sentence())

    def sentence(self) -> str:
        """The message, the candidates and the fix in one paragraph."""
        parts = [self.message.rstrip()]
        if self.candidates:
            parts.append("Candidates: " + "; ".join(self.candidates) + ".")
        if self.cure:
            parts.append(self.cure)
        return " ".join(full_stop(part) for part in parts)


class InputError(DirectPathError):
    """The input of the user is wrong, either in itself or for the inventory that was read. Nothing has been written."""
