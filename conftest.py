# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make ``ansible_collections.directpath.vsphere`` importable whatever the checkout's folder is called."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def _install_collection_path() -> None:
    """Load tools/collection_path.py by file, because nothing of this checkout is importable yet."""
    source = Path(__file__).resolve().parent / "tools" / "collection_path.py"
    spec = importlib.util.spec_from_file_location("_directpath_collection_path", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    module.install()


_install_collection_path()
