# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that a report shows work if they are pasted."""

from __future__ import annotations

import shlex

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.drift.commands import run_arguments


@pytest.mark.parametrize(
    ("sources", "limit", "arguments"),
    [
        (["inventory.yml"], None, ["-i", "inventory.yml"]),
        (["a b.yml", "vc-1,"], "gpu:!old", ["-i", "a b.yml", "-i", "vc-1,", "--limit", "gpu:!old"]),
        ([], "", ["--limit", ""]),
        ([], None, []),
    ],
)
def test_the_shell_reads_the_same_inventories_and_limit(
    sources: list[str], limit: str | None, arguments: list[str]
) -> None:
    assert shlex.split(run_arguments(sources, limit)) == arguments
