# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Byte code of what is imported from zip files is kept, and never taken for that of another text."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools.envs import ROOT


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    kept = tmp_path / "kept"
    kept.mkdir()
    return {"PYTHONPATH": str(ROOT / "tools" / "bytecode"), "DIRECTPATH_BYTECODE": str(kept)}


def imported(tmp_path: Path, environ: dict[str, str], source: str, archive: str = "some.zip") -> str:
    """What a module of that text, imported from a zip by a new Python, calls its own value and file."""
    with zipfile.ZipFile(tmp_path / archive, "w") as target:
        target.writestr("inside.py", source)
    script = f"import sys; sys.path.insert(0, {str(tmp_path / archive)!r}); import inside; print(inside.value)"
    done = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def kept(environ: dict[str, str]) -> list[Path]:
    return sorted(Path(environ["DIRECTPATH_BYTECODE"]).iterdir())


def test_a_text_is_compiled_once(tmp_path: Path, environ: dict[str, str]) -> None:
    assert imported(tmp_path, environ, "value = 1") == "1"
    (file,) = kept(environ)
    assert file.name.startswith("inside.py.")
    before = file.stat().st_mtime_ns
    assert imported(tmp_path, environ, "value = 1", "other.zip") == "1"
    assert [file.stat().st_mtime_ns for file in kept(environ)] == [before]


def test_what_is_kept_is_what_is_run(tmp_path: Path, environ: dict[str, str]) -> None:
    imported(tmp_path, environ, "value = 1")
    imported(tmp_path, environ, "value = 2")
    one, two = kept(environ)
    content = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(content)
    assert imported(tmp_path, environ, "value = 1") == "2"


def test_a_changed_text_of_the_same_length_is_compiled(tmp_path: Path, environ: dict[str, str]) -> None:
    assert [imported(tmp_path, environ, f"value = {number}") for number in (1, 2, 1)] == ["1", "2", "1"]
    assert len(kept(environ)) == 2


def test_without_a_folder_it_works_all_the_same(tmp_path: Path, environ: dict[str, str]) -> None:
    assert imported(tmp_path, environ | {"DIRECTPATH_BYTECODE": str(tmp_path / "gone")}, "value = 1") == "1"
    assert imported(tmp_path, environ | {"DIRECTPATH_BYTECODE": ""}, "value = 1") == "1"
    assert kept(environ) == []
