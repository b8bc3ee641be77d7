# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of inventory objects, as the API sends them and as the vSphere Client shows them.

Source: API reference, ManagedEntity.name (likewise VirtualMachineConfigInfo.name): a slash, a backslash and a percent sign in a name are
sent as ``%2f``, ``%5c`` and ``%25``; a percent sign that begins one of these sequences is kept. What clients send, and what a lab says, is
read by the same rule, so a name may be given in either form.
"""

from __future__ import annotations

import re

_ESCAPES = {"/": "%2f", "\\": "%5c", "%": "%25"}
_CHARACTERS = {escape: character for character, escape in _ESCAPES.items()}
_TO_ESCAPE = re.compile(r"%2f|%5c|%25|[/\\%]", re.IGNORECASE)
_TO_SHOW = re.compile("|".join(_CHARACTERS), re.IGNORECASE)


def escaped(name: str) -> str:
    """A name in the form the API sends; one that is in that form already stays as it is."""
    return _TO_ESCAPE.sub(lambda found: _ESCAPES.get(found[0], found[0].lower()), name)


def shown(name: str) -> str:
    """A name in the form the vSphere Client shows, from the form the API sends."""
    return _TO_SHOW.sub(lambda found: _CHARACTERS[found[0].lower()], name)


def of_file(name: str) -> str:
    """A name as files and guests bear it: without the three characters. How vCenter replaces them is not published."""
    return _TO_SHOW.sub("_", escaped(name))
