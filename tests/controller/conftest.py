# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of Ansible that start in forks of a process which has imported all they need (tools/warm.py)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.controller.fleet import Programs
from tools.warm import warm


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    made = Programs.below(tmp_path_factory.mktemp("ansible"))
    with warm(made.environ) as variables:
        yield Programs(environ=made.environ | variables)
