# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An anonymized capture with its names again, by its key. PRIVATE to the collection.

What no alias replaced stays as it is: numbers that became 0, and digests in the journal of a rolling reboot.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .document import TYPE, Tree

_WORD = re.compile(r"[\w.-]+")


def with_names(content: Mapping[str, Tree], names: Mapping[str, str]) -> dict[str, Tree]:
    """The content of a capture with the name in the place of each alias. ``names``: alias → what it stands for."""

    def text_of(text: str) -> str:
        whole = names.get(text)
        return whole if whole is not None else _WORD.sub(lambda found: names.get(found[0], found[0]), text)

    def tree_of(tree: Tree) -> Tree:
        if isinstance(tree, str):
            return text_of(tree)
        if isinstance(tree, list):
            return [tree_of(item) for item in tree]
        if isinstance(tree, dict):
            return {text_of(name): item if name == TYPE else tree_of(item) for name, item in tree.items()}
        return tree

    return {**{name: tree_of(item) for name, item in content.items()}, "anonymized": False}
