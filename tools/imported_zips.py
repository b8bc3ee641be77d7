# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that have already imported the zip of one module, and run this module in forks.

With the libraries imported, two thirds of the cost of a module are imports from its zip. The first fork of tools/warm.py
that gets a zip imports it in the same order as a run of the module, and nothing from elsewhere. It runs the module in a
fork, and waits for more runs with the same zip. Each run has its own arguments, environment, files and folder, and executes
the wrapper and the file of the module. A zip that differs in one byte gets another process. A wrapper of another form than
`WRAPPER` runs without all this.
"""

from __future__ import annotations

import array
import base64
import contextlib
import hashlib
import importlib
import marshal
import os
import re
import select
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

WRAPPER = re.compile(
    rb"^module_fqn='(?P<name>[\w.]+)',$.*^extensions=\{\},\nzip_data='(?P<zip>[A-Za-z0-9+/=]+)',$",
    re.MULTILINE | re.DOTALL,
)
"""The wrapper of a module in Ansible 2.19, without extensions (coverage, a debugger)."""
LOADER = "ansible.module_utils._internal._ansiballz._loader"
Work = Callable[["Order", socket.socket], None]
"""What runs a module that was handed over, and never returns. The socket is that of whoever waits for it."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a process is to become: the arguments, the script, and all that it was started with."""

    arguments: list[str]
    folder: str
    umask: int
    environ: dict[str, str]
    source: bytes = b""


def send(line: socket.socket, order: Order, files: list[int]) -> None:
    """Hand an order over, with open files."""
    content = marshal.dumps((order.arguments, order.folder, order.umask, order.environ, order.source))
    line.sendmsg(
        [len(content).to_bytes(8, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files).tobytes())]
    )
    line.sendall(content)


def receive(line: socket.socket) -> tuple[Order, list[int]]:
    """What was handed over. Whoever starts a module (tools/starts) sends no source: it is in a file, or comes through stdin."""
    files = array.array("i")
    head, ancillary, _flags, _address = line.recvmsg(8, socket.CMSG_SPACE(4 * files.itemsize))
    files.frombytes(ancillary[0][2])
    content = b""
    while len(content) < int.from_bytes(head, "big"):
        content += line.recv(1 << 16)
    arguments, folder, umask, environ, *source = marshal.loads(content)
    words = [str(argument) for argument in arguments]
    order = Order(arguments=words, folder=folder, umask=umask, environ=environ, source=source[0] if source else b"")
    return order, list(files)


@dataclass(frozen=True, kw_only=True)
class Zips:
    """The processes below one folder. They end when `life`, the end of a pipe that only their server holds, is closed."""

    folder: Path
    alive: int
    life: int

    @classmethod
    def below(cls, folder: Path) -> Zips:
        folder.mkdir()
        alive, life = os.pipe()
        return cls(folder=folder, alive=alive, life=life)

    def find(self, order: Order, line: socket.socket, work: Work) -> None:
        """Have the module run where its zip is imported already, and end; or import it, for this module and later ones.

        Returns where this very process is to run the module. `work` runs one that came later, and never returns.
        """
        found = WRAPPER.search(order.source)
        if found is None:
            return
        key = hashlib.sha256(found["zip"] + found["name"]).hexdigest()[:24]
        if _passed_on(self.folder / f"{key}.socket", order, line):
            os._exit(0)
        try:
            with (self.folder / f"{key}.pid").open("x", encoding="ascii") as file:
                file.write(str(os.getpid()))
        except FileExistsError:  # another process is importing it just now, or could not
            return
        if not _import(self.folder / f"{key}.zip", base64.b64decode(found["zip"]), found["name"].decode()):
            return
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.folder / f"{key}.new"))
        listener.listen(64)
        if os.fork() == 0:
            listener.close()
            return
        line.close()
        self._stay(listener, key, work)

    def _stay(self, listener: socket.socket, key: str, work: Work) -> None:
        """Run every module that is handed over, until the server ends."""
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1):
            os.dup2(nothing, number)
        os.chdir(self.folder)
        os.rename(self.folder / f"{key}.new", self.folder / f"{key}.socket")
        os.dup2(nothing, 2)
        while listener.fileno() in select.select([listener.fileno(), self.alive], [], [])[0]:
            taken, _peer = listener.accept()
            if os.fork() == 0:
                listener.close()
                order, files = receive(taken)
                taken.close()
                for number in (0, 1, 2):
                    os.dup2(files[number], number)
                    os.close(files[number])
                work(order, socket.socket(fileno=files[3]))
            taken.close()
            _reap()
        _reap()
        os._exit(0)

    def end(self) -> None:
        """End the processes and wait for them, so that their seconds are counted."""
        os.close(self.life)
        for file in self.folder.glob("*.pid"):
            with contextlib.suppress(ChildProcessError):
                os.waitpid(int(file.read_text(encoding="ascii")), 0)


def _passed_on(address: Path, order: Order, line: socket.socket) -> bool:
    with socket.socket(socket.AF_UNIX) as to:
        try:
            to.connect(str(address))
        except OSError:
            return False
        send(to, order, [0, 1, 2, line.fileno()])
        return True


def _import(archive: Path, content: bytes, name: str) -> bool:
    """Import what a run of the module imports, and nothing from elsewhere; the module itself will be executed for each run."""
    archive.write_bytes(content)
    sys.path[0] = str(archive)
    try:
        importlib.import_module(LOADER)
        importlib.import_module(name)
        del sys.modules[name]
    except Exception:  # the run will meet the same, and tell it as a module does
        return False
    return threading.active_count() == 1  # a thread would be lost in a fork


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
