# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that has imported the libraries of our modules, and runs each module in a fork of its own.

``with warm() as variables:`` starts it; a Python that starts with these variables and a module of Ansible's hands it
over (tools/starts/sitecustomize.py). Only libraries are imported here, nothing of the collection or of Ansible: what
a module lacks in its zip, it lacks. The variables also let all plays share the zips that the first has made, which
holds as long as nobody changes the sources meanwhile.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import fcntl
import gc
import importlib
import marshal
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from tools.envs import ROOT

LIBRARIES = """
argparse ast concurrent.futures.thread ctypes decimal difflib distro email.message gettext heapq http.client
http.cookies inspect ipaddress json locale logging pkgutil platform pyVmomi.SoapAdapter queue requests ssl syslog textwrap
tokenize urllib.request xml.etree.ElementTree xml.sax.saxutils zipfile
""".split()
START_SECONDS = 120.0


@contextmanager
def warm() -> Iterator[dict[str, str]]:
    """The process for the length of the with, and the variables that lead to it."""
    with tempfile.TemporaryDirectory(prefix="directpath-warm-") as folder:
        modules = Path(folder) / "modules"
        modules.mkdir()
        address = Path(folder) / "socket"
        command = [sys.executable, "-m", "tools.warm", str(address)]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)
        try:
            deadline = time.monotonic() + START_SECONDS
            while not address.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{' '.join(command)} did not start")
                time.sleep(0.02)
            yield {"DIRECTPATH_WARM": str(address), "DIRECTPATH_MODULES": str(modules)}
        finally:
            process.communicate()  # closes its stdin, at which it ends


def serve(address: str) -> None:
    """Run what is handed over until stdin is closed."""
    for name in LIBRARIES:
        importlib.import_module(name)
    gc.collect()
    gc.disable()  # a module lives for a second; looking for garbage would copy all that forks share
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{address}.new")
    listener.listen(64)
    os.rename(f"{address}.new", address)
    while listener in select.select([listener, sys.stdin], [], [])[0]:
        line, _peer = listener.accept()
        if os.fork() == 0:
            listener.close()
            run(line)
        line.close()
        with contextlib.suppress(ChildProcessError):  # they tell their status themselves; this counts their seconds
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def run(line: socket.socket) -> None:
    """In the fork: become the process that was handed over. Never returns."""
    script = _take_over(line)
    # Whoever ends the process that waits for us ends us: its end of the line sends SIGIO, which ends whom it meets.
    fcntl.fcntl(line, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(line, fcntl.F_SETFL, fcntl.fcntl(line, fcntl.F_GETFL) | os.O_ASYNC)
    status = _execute(script)
    fcntl.fcntl(line, fcntl.F_SETFL, fcntl.fcntl(line, fcntl.F_GETFL) & ~os.O_ASYNC)
    line.sendall(bytes([status]))
    os._exit(status)


def _take_over(line: socket.socket) -> str:
    """Files, folder, umask and environment of the other process; returns the script it was to run."""
    files = array.array("i")
    head, ancillary, _flags, _address = line.recvmsg(8, socket.CMSG_SPACE(3 * files.itemsize))
    files.frombytes(ancillary[0][2])
    order = b""
    while len(order) < int.from_bytes(head, "big"):
        order += line.recv(1 << 16)
    script, folder, umask, environ = marshal.loads(order)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.umask(umask)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = [script]
    sys.path[0] = os.path.dirname(script)
    return str(script)


def _execute(script: str) -> int:
    """Run the script as Python runs a file, with what Python does at its end; returns the exit status."""
    main = sys.modules["__main__"] = ModuleType("__main__")
    main.__dict__["__file__"] = script
    try:
        exec(compile(Path(script).read_bytes(), script, "exec"), main.__dict__)
        code: object = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return (code or 0) & 0xFF


if __name__ == "__main__":
    serve(sys.argv[1])
