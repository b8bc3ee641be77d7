# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the start of modules cheap. Python imports this file at its start, because PYTHONPATH contains this folder.

Ansible packs the sources of a module into a zip, starts Python, and imports everything. This is almost the whole cost of
a module of the collection, and the tests start thousands of them. Each of four variables switches on a shortcut:

- DIRECTPATH_BYTECODE: a folder for the byte code of imports from zips, which Python does not keep, and of imports from
  collections, which Ansible compiles in each task that needs a filter. Byte code is kept per source text and version of
  Python, so a changed source is compiled again.
- DIRECTPATH_WARM: the socket of a process that has already imported the libraries (tools/warm.py). It runs the module (a
  file, or stdin) in a fork, with the arguments, files, folder and environment of this process. This process then ends
  with the same status. The code of the collection and of Ansible still comes from the zip.
- DIRECTPATH_MODULES: a folder in which programs of Ansible share their zips. Without it, each program creates its own and
  removes it at its end. The folder must be removed when the sources change.
- DIRECTPATH_PLAYS: the socket of a process that has already imported Ansible (tools/warm.py). It runs `ansible-playbook`
  and `ansible-inventory` in a fork, as DIRECTPATH_WARM does for modules. It declines if its settings of Ansible differ
  from those of this process.
"""

from __future__ import annotations

import _imp
import contextlib
import gc
import marshal
import os
import sys
import zipimport
from collections.abc import Callable
from types import CodeType
from typing import Any

FOLDER = os.environ.get("DIRECTPATH_BYTECODE", "")
WARM = os.environ.get("DIRECTPATH_WARM", "")
MODULES = os.environ.get("DIRECTPATH_MODULES", "")
PLAYS = os.environ.get("DIRECTPATH_PLAYS", "")
COLLECTIONS = "ansible.utils.collection_loader._collection_finder"  # the importer for collections in Ansible
_compile: Any = getattr(
    zipimport, "_compile_source", None
)  # exists in all known versions of Python; without it, nothing is kept


def keep(name: str, text: bytes, make: Callable[[], CodeType]) -> CodeType:
    """The code for a source text: from the folder, or compiled and stored there."""
    file = f"{FOLDER}/{name}.{sys.implementation.cache_tag}.{len(text)}.{_imp.source_hash(0, text).hex()}"
    try:
        with open(file, "rb") as kept:
            code: CodeType = marshal.loads(kept.read())
            return code
    except OSError:
        code = make()
    part = f"{file}.{os.getpid()}"
    with contextlib.suppress(OSError):  # without a usable folder it only takes longer
        with open(part, "wb") as new:
            new.write(marshal.dumps(code))
        os.replace(part, file)  # atomic, because other processes may read it
    return code


def compile_once(path: str, source: bytes) -> CodeType:
    """The code of a module in a zip."""
    name = path.rpartition(".zip" + os.sep)[2].replace(os.sep, ".")
    return keep(name, source, lambda: _compile(path, source))


def compile_collection(source: Any, filename: str, mode: str, **options: Any) -> CodeType:
    """Replaces ``compile`` in the importer for collections. The code contains its file name, so the name is a part of the key."""
    text = source.encode() if isinstance(source, str) else bytes(source)
    where = os.fspath(filename)

    def make() -> CodeType:
        code: CodeType = compile(source, filename, mode, **options)
        return code

    return keep(os.path.basename(where), b"\0".join([repr(options).encode(), where.encode(), text]), make)


class KeepCollections:
    """Import hook: makes the importer for collections in Ansible use ``compile_collection``."""

    @classmethod
    def find_spec(cls, name: str, path: Any = None, target: Any = None) -> Any:
        if name != COLLECTIONS:
            return None
        sys.meta_path.remove(cls)  # type: ignore[arg-type]
        from importlib.util import find_spec

        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                module.compile = compile_collection
                run(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def hand_over(address: str, arguments: list[str]) -> None:
    """Let a warm process run a script, and end with its status. Returns only when there is no such process, or it declines."""
    import _socket  # importing `socket` would cost as much as the rest of this start

    line = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        line.connect(address)
    except OSError:
        return
    umask = os.umask(0)
    os.umask(umask)
    order = marshal.dumps((arguments, os.getcwd(), umask, dict(os.environ)))
    files = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
    line.sendmsg([len(order).to_bytes(8, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
    line.sendall(order)
    status = line.recv(2)
    if status != b"no":
        os._exit(status[0] if status else 70)  # no answer: it was killed


def share_modules() -> None:
    """Link the shared folder of zips into the temporary folder in which a program of Ansible looks for its own zips."""
    import tempfile

    make = tempfile.mkdtemp

    def mkdtemp(suffix: str | None = None, prefix: str | None = None, dir: str | None = None) -> str:
        made = make(suffix, prefix, dir)
        if prefix is not None and prefix.startswith("ansible-local-"):
            os.symlink(MODULES, os.path.join(made, "ansiballz_cache"))
        return made

    tempfile.mkdtemp = mkdtemp  # type: ignore[assignment]


PROGRAM = os.path.basename(sys.orig_argv[1]) if len(sys.orig_argv) > 1 else ""
if FOLDER and _compile is not None:
    zipimport._compile_source = compile_once  # type: ignore[attr-defined]
if WARM and (sys.orig_argv[1:] == [] or (len(sys.orig_argv) == 2 and PROGRAM.startswith("AnsiballZ_"))):
    hand_over(WARM, sys.orig_argv[1:])
if PLAYS and PROGRAM in ("ansible-playbook", "ansible-inventory"):
    hand_over(PLAYS, sys.orig_argv[1:])
if FOLDER and PROGRAM.startswith("ansible"):
    sys.meta_path.insert(0, KeepCollections)  # type: ignore[arg-type]
if MODULES and PROGRAM.startswith("ansible"):
    share_modules()
    gc.disable()  # it forks for each task, and garbage collection would copy the memory that forks share
