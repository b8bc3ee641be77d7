# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make starting a module cheap. Python imports this file by its name when it starts, where PYTHONPATH leads here.

Ansible makes a zip of a module's sources, starts a Python for it and has it import all there is. That is nearly all a
module of ours costs, and tests start thousands. Four things are spared, each where a variable asks for it:

- DIRECTPATH_BYTECODE names a folder that keeps the byte code of what is imported from zips, which Python itself never
  keeps, and of what Ansible imports from collections, which it compiles anew in every task that needs a filter of ours.
  What is kept belongs to one text and one Python: a changed source is compiled.
- DIRECTPATH_WARM names the socket of a process that has imported the libraries already (tools/warm.py). It runs the
  module, a file or what comes through stdin, in a fork of its own, with the arguments, files, folder and environment of
  this process, which then ends as the module ended. The collection's code and Ansible's still come from the zip.
- DIRECTPATH_MODULES names a folder in which the programs of Ansible keep the zips they have made, which else each
  keeps for itself and removes at its end. It must not outlive a change of the sources.
- DIRECTPATH_PLAYS names the socket of a process that has imported Ansible (tools/warm.py). It runs `ansible-playbook`
  and `ansible-inventory` in a fork, as DIRECTPATH_WARM does with modules; where it has read other settings than this
  process would, it declines.
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
COLLECTIONS = "ansible.utils.collection_loader._collection_finder"  # Ansible's importer of collections
_compile: Any = getattr(zipimport, "_compile_source", None)  # of all Pythons we know; without it, nothing is kept


def keep(name: str, text: bytes, make: Callable[[], CodeType]) -> CodeType:
    """The code that belongs to a text, from the folder if it is there."""
    file = f"{FOLDER}/{name}.{sys.implementation.cache_tag}.{len(text)}.{_imp.source_hash(0, text).hex()}"
    try:
        with open(file, "rb") as kept:
            code: CodeType = marshal.loads(kept.read())
            return code
    except OSError:
        code = make()
    part = f"{file}.{os.getpid()}"
    with contextlib.suppress(OSError):  # a folder that is gone or full costs time, nothing else
        with open(part, "wb") as new:
            new.write(marshal.dumps(code))
        os.replace(part, file)  # never half of it, whoever else is starting
    return code


def compile_once(path: str, source: bytes) -> CodeType:
    """The code of a module at a path inside a zip."""
    name = path.rpartition(".zip" + os.sep)[2].replace(os.sep, ".")
    return keep(name, source, lambda: _compile(path, source))


def compile_collection(source: Any, filename: str, mode: str, **options: Any) -> CodeType:
    """What Ansible's importer of collections compiles with. The code knows its file, so that this belongs to the text."""
    text = source.encode() if isinstance(source, str) else bytes(source)
    where = os.fspath(filename)

    def make() -> CodeType:
        code: CodeType = compile(source, filename, mode, **options)
        return code

    return keep(os.path.basename(where), b"\0".join([repr(options).encode(), where.encode(), text]), make)


class KeepCollections:
    """Lets Ansible's importer of collections keep what it compiles, when that importer is itself imported."""

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
    """Let a warm process run a script, and end as it ended. Returns only where there is none, or where it declines."""
    import _socket  # the module `socket` costs as much as the rest of this start

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
        os._exit(status[0] if status else 70)  # none: it was killed


def share_modules() -> None:
    """Let a program of Ansible find the zips of those before it where it looks for its own: in its temporary folder."""
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
    gc.disable()  # it forks for each task, and looking for garbage there copies all that forks share
