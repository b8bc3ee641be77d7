# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong, as values. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Sequence


class DirectPathError(Exception):
    """One failure a person can act on.

    Every field is keyword-only so that none can be swapped for another. ``message`` says what failed on which object and why,
    ``cure`` what to do about it, ``code`` names the failure for machines (same failure, same code), ``candidates`` lists what would
    have been accepted, ``parameter`` is the option at fault, where one is.
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
        """Everything a person needs, in one paragraph."""
        parts = [self.message.rstrip()]
        if self.candidates:
            parts.append("Candidates: " + "; ".join(self.candidates) + ".")
        if self.cure:
            parts.append(self.cure)
        return " ".join(part if part.endswith((".", "?", "!")) else part + "." for part in parts)


class InputError(DirectPathError):
    """The wish itself is wrong: nothing has been read or written yet, or nothing that was read can satisfy it."""
