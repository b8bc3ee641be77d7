# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the byte code of what Python imports from zip files, in the folder DIRECTPATH_BYTECODE names.

Ansible hands every task its module as a zip of sources, and Python compiles those anew each time: with ours that is
half of what starting a module costs. Python imports this file by its name when it starts, where PYTHONPATH leads here
(tools/envs.py). What is kept belongs to one text and one Python: a changed source is compiled.
"""

from __future__ import annotations

import _imp
import marshal
import os
import sys
import zipimport
from types import CodeType
from typing import Any

FOLDER = os.environ.get("DIRECTPATH_BYTECODE", "")
_compile: Any = getattr(zipimport, "_compile_source", None)  # of all Pythons we know; without it, nothing is kept


def compile_once(path: str, source: bytes) -> CodeType:
    """The code of a module at a path inside a zip, from the folder if it is there."""
    name = path.rpartition(".zip" + os.sep)[2].replace(os.sep, ".")
    file = f"{FOLDER}/{name}.{sys.implementation.cache_tag}.{len(source)}.{_imp.source_hash(0, source).hex()}"
    try:
        with open(file, "rb") as kept:
            code: CodeType = marshal.loads(kept.read())
            return code
    except OSError:
        code = _compile(path, source)
    part = f"{file}.{os.getpid()}"
    try:
        with open(part, "wb") as new:
            new.write(marshal.dumps(code))
        os.replace(part, file)  # never half of it, whoever else is starting
    except OSError:
        pass  # a folder that is gone or full costs time, nothing else
    return code


if FOLDER and _compile is not None:
    zipimport._compile_source = compile_once  # type: ignore[attr-defined]
