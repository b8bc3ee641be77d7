# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every lab of the simulator, adopted: no change is planned, and each entry stands for something."""

from __future__ import annotations

import pytest

from tests.unit.modules.contracts import KNOWS_9
from tests.unit.modules.harness import LABS, Lab
from tests.unit.modules.intent_info.adopted import Adopted, check, check_each_entry

NAMES = sorted(path.stem for path in LABS.glob("*.yml") if path.stem != "fleet" and (KNOWS_9 or path.stem != "v9"))
ENTRIES = {"converged_50": 1, "guests": 4, "interrupted": 2, "nfv": 8, "nvlink": 1, "roll_12": 2, "v80": 6}
"""Lab → the smallest number of entries. The other labs are as they were installed."""


@pytest.mark.parametrize("shape", ["vcenter", "esxi_hosts"])
@pytest.mark.parametrize("name", NAMES)
def test_each_lab(name: str, shape: str) -> None:
    adopted = Adopted.of(Lab.load(name), shape)
    check(adopted)
    entries = check_each_entry(adopted)
    assert entries >= ENTRIES.get(name, 0), adopted.files
    assert bool(entries) == (name in ENTRIES), adopted.files
