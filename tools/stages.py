# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of `make test`, as data. A stage stands after what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One command. `module` runs as ``python -m`` of the environment; `command` runs as it stands."""

    name: str
    group: str
    about: str
    env: str | None = "main"
    module: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    folder: str = "."
    needs: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    timeout: int = 900


STAGES: tuple[Stage, ...] = (
    Stage(
        name="unit",
        group="unit",
        about="domain, simulator, modules, layers and documents",
        module=("pytest", "-q", "-n", "2", "-p", "no:cacheprovider"),
    ),
    Stage(name="ruff", group="lint", about="style", command=("ruff", "check", ".")),
)
