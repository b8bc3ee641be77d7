# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An import finder that maps ``ansible_collections.directpath.vsphere`` to this checkout, if nothing else provides it.

Normally a collection can be imported only from a folder ``.../ansible_collections/directpath/vsphere``. This finder is
the *last* one in ``sys.meta_path``. So a checkout in such a folder, an installed collection, and the collection loader of
Ansible (which is the first one) have priority.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
COLLECTION = "ansible_collections.directpath.vsphere"


class _NamespaceLoader:
    """Creates an empty module for the three package levels, which have no files."""

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        if module.__name__ == COLLECTION:
            # The loader of Ansible stores meta/runtime.yml here, and refuses a collection package without it.
            vars(module)["_collection_meta"] = _runtime_metadata()


class CollectionFinder:
    """Finds the package levels above plugins/. Everything below is an ordinary import from ``__path__``."""

    def __init__(self, root: Path = ROOT) -> None:
        self._paths: dict[str, list[str]] = {"ansible_collections": [], "ansible_collections.directpath": []}
        self._paths[COLLECTION] = [str(root)]

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        locations = self._paths.get(fullname)
        if locations is None:
            return None
        spec = ModuleSpec(fullname, _NamespaceLoader(), is_package=True)  # type: ignore[arg-type]
        spec.submodule_search_locations = list(locations)
        return spec


def install(root: Path = ROOT) -> None:
    """Append the finder, once. It has no effect if the collection can be imported without it."""
    if any(type(finder).__name__ == CollectionFinder.__name__ for finder in sys.meta_path):
        return
    sys.meta_path.append(CollectionFinder(root))  # type: ignore[arg-type]


def _runtime_metadata() -> dict[str, object]:
    try:
        import yaml
    except ImportError:
        return {}
    loaded = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    return loaded if isinstance(loaded, dict) else {}


__all__ = ["COLLECTION", "ROOT", "CollectionFinder", "install"]
