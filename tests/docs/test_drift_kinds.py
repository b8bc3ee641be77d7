# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on drift explains every kind of difference there is, and none that is not."""

from __future__ import annotations

import re

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.drift.kinds import KINDS
from tools.envs import ROOT

GUIDE = (ROOT / "docs" / "guides" / "drift.md").read_text(encoding="utf-8")


def test_every_kind_is_explained_in_their_order() -> None:
    table = GUIDE.split("## Kinds of differences")[1]
    assert re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE) == list(KINDS)


def test_the_last_ones_are_those_nobody_can_tell() -> None:
    unknown = [name for name, kind in KINDS.items() if kind.certainty == "unknown"]
    assert unknown == list(KINDS)[-len(unknown) :]
    assert "The last five kinds mean unknown" in GUIDE
    assert len(unknown) == 5
