# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's full name leads to this checkout, with Ansible's own loader in place or not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IMPORT = "import ansible_collections.directpath.vsphere.plugins.module_utils._domain.pci as m; print(m.__file__)"
EXPECTED = str(ROOT / "plugins" / "module_utils" / "_domain" / "pci.py")


def run_python(source: str) -> str:
    """Run in a new interpreter, away from the checkout and from pytest's own import settings."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "PYTHONPATH"))}
    command = [sys.executable, "-c", source]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", env=environ, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def install_source() -> str:
    return f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tools.collection_path import install; install(); "


def test_full_name_is_this_checkout() -> None:
    assert run_python(install_source() + IMPORT) == EXPECTED


def test_install_twice_adds_one_finder() -> None:
    source = install_source() + "install(); print([type(f).__name__ for f in sys.meta_path].count('CollectionFinder'))"
    assert run_python(source) == "1"


def test_ansible_loader_installed_later_still_works() -> None:
    source = (
        install_source()
        + IMPORT
        + "; from ansible.plugins.loader import init_plugin_loader; init_plugin_loader();"
        + " import ansible_collections.ansible.builtin as b; assert b._collection_meta;"
        + " from ansible.utils.collection_loader import AnsibleCollectionConfig as c; assert c.collection_finder;"
        + " import importlib;"
        + " importlib.import_module('ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.plan')"
    )
    assert run_python(source) == EXPECTED


def test_in_this_process_too() -> None:
    from ansible_collections.directpath.vsphere.plugins.module_utils._domain import pci

    assert Path(pci.__file__ or "").is_relative_to(ROOT)
