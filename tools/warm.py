# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that have imported what modules and plays need, and run each in a fork of its own.

``with warm(environ) as variables:`` starts them; a Python that starts with these variables and a module of Ansible's
hands it over (tools/starts/sitecustomize.py). Of a module only the libraries are imported, nothing of the collection
or of Ansible: what it lacks in its zip, it lacks.

Plays go to another process, which has imported Ansible with the settings of `environ`, and the collection's filters and
actions from where these settings lead; it declines a play that comes with others. Else every play would import Ansible,
and every task of a play the filters it needs.

The variables also let all plays share the zips that the first has made, which holds as long as nobody changes the
sources meanwhile.
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
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from tools.envs import ROOT

LIBRARIES = """
argparse ast concurrent.futures.thread ctypes decimal difflib distro email.message gettext heapq http.client
http.cookies inspect ipaddress json locale logging pkgutil platform pyVmomi.SoapAdapter queue requests ssl syslog textwrap
tokenize urllib.request xml.etree.ElementTree xml.sax.saxutils zipfile
""".split()
PLAYS = """
ansible.cli.playbook ansible.cli.inventory ansible.executor.module_common ansible.executor.process.worker
ansible.plugins.cache.memory ansible.plugins.filter.core ansible.plugins.filter.encryption
ansible.plugins.filter.mathstuff ansible.plugins.filter.urls ansible.plugins.filter.urlsplit ansible.plugins.test.core
ansible.plugins.test.files ansible.plugins.test.mathstuff ansible.plugins.test.uri ansible.plugins.vars.host_group_vars
concurrent.futures.thread decimal email.message http.client urllib.request
""".split()
OPTIONS = {
    "action": "add_host assert command debug fail include_vars normal set_fact validate_argument_spec",
    "become": "sudo",
    "callback": "default",
    "connection": "local",
    "inventory": "host_list script auto yaml ini toml",
    "lookup": "env url",
    "shell": "sh",
    "strategy": "linear free",
}
"""Kinds and names of the plugins that nearly every play imports, and whose options it reads."""
COLLECTION = "ansible_collections.directpath.vsphere"
START_SECONDS = 120.0


@contextmanager
def warm(environ: Mapping[str, str] | None = None) -> Iterator[dict[str, str]]:
    """The processes for the length of the with, and the variables that lead to them. Without an `environ`, plays run as ever."""
    with tempfile.TemporaryDirectory(prefix="directpath-warm-") as folder, ExitStack() as started:
        modules = Path(folder) / "modules"
        modules.mkdir()
        variables = {"DIRECTPATH_MODULES": str(modules)}
        variables["DIRECTPATH_WARM"] = started.enter_context(_serving("modules", Path(folder), None))
        if environ is not None:
            all_of_them = {**environ, **variables}
            variables["DIRECTPATH_PLAYS"] = started.enter_context(_serving("plays", Path(folder), all_of_them))
        yield variables


@contextmanager
def _serving(what: str, folder: Path, environ: Mapping[str, str] | None) -> Iterator[str]:
    """One of the processes, and the address of its socket."""
    address = folder / f"{what}.socket"
    command = [sys.executable, "-m", "tools.warm", what, str(address)]
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdin=subprocess.PIPE)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not address.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{' '.join(command)} did not start")
            time.sleep(0.02)
        yield str(address)
    finally:
        process.communicate()  # closes its stdin, at which it ends


def settings(environ: Mapping[str, str]) -> dict[str, str]:
    """What Ansible reads while it is imported."""
    return {name: value for name, value in environ.items() if name.startswith(("ANSIBLE_", "LC_", "LANG", "HOME"))}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Which scripts are taken, and what each does first."""

    takes: Callable[[Mapping[str, str]], bool] = lambda environ: True
    begin: Callable[[], None] = lambda: None


def modules() -> Kind:
    """Modules, whatever they come with."""
    for name in LIBRARIES:
        importlib.import_module(name)
    return Kind()


def plays() -> Kind:
    """Plays, when they come with the settings of this process."""
    starts = importlib.import_module("sitecustomize")
    sys.meta_path.insert(0, starts.KeepCollections)
    starts.share_modules()
    for name in PLAYS:
        importlib.import_module(name)
    _import_plugins()
    own = settings(os.environ)
    return Kind(takes=lambda environ: settings(environ) == own, begin=_begin_play)


def _import_plugins() -> None:
    """The plugins of the collection that run in Ansible's own process: every task would import those it needs."""
    from ansible.plugins import loader
    from ansible.utils.collection_loader import AnsibleCollectionConfig
    from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

    loader.init_plugin_loader()
    importlib.import_module("ansible_collections.ansible.builtin")
    for kind in ("filter", "action") if _is_there(COLLECTION) else ():
        for file in sorted((ROOT / "plugins" / kind).glob("[a-z]*.py")):
            importlib.import_module(f"{COLLECTION}.plugins.{kind}.{file.stem}")
    for kinds, names in OPTIONS.items():
        for name in names.split():
            getattr(loader, f"{kinds}_loader").get(name, class_only=True)
    AnsibleCollectionConfig.on_collection_load -= loader._on_collection_load_handler
    _AnsibleCollectionFinder._remove()  # each play installs its own


def _is_there(package: str) -> bool:
    try:
        importlib.import_module(package)
    except ModuleNotFoundError:
        return False
    return True


def _begin_play() -> None:
    """What Ansible does while it is imported, and each of its processes has to do for itself."""
    from ansible import constants
    from ansible.utils.display import Display
    from ansible.utils.path import cleanup_tmp_file

    atexit.unregister(cleanup_tmp_file)
    constants.DEFAULT_LOCAL_TMP = constants.config.get_config_value("DEFAULT_LOCAL_TMP")
    Display()._set_column_width()


def serve(kind: Kind, address: str) -> None:
    """Run what is handed over until stdin is closed."""
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
            run(kind, line)
        line.close()
        with contextlib.suppress(ChildProcessError):  # they tell their status themselves; this counts their seconds
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def run(kind: Kind, line: socket.socket) -> None:
    """In the fork: become the process that was handed over. Never returns."""
    arguments = _take_over(line)
    if not kind.takes(os.environ):
        line.sendall(b"no")
        os._exit(0)
    # Whoever ends the process that waits for us ends us: its end of the line sends SIGIO, which ends whom it meets.
    fcntl.fcntl(line, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(line, fcntl.F_SETFL, fcntl.fcntl(line, fcntl.F_GETFL) | os.O_ASYNC)
    kind.begin()
    sys.argv = arguments or [""]
    sys.path[0] = os.path.dirname(sys.argv[0])
    status = _execute(sys.argv[0])
    fcntl.fcntl(line, fcntl.F_SETFL, fcntl.fcntl(line, fcntl.F_GETFL) & ~os.O_ASYNC)
    line.sendall(bytes([status]))
    os._exit(status)


def _take_over(line: socket.socket) -> list[str]:
    """Files, folder, umask and environment of the other process; returns the script it was to run, with its arguments."""
    files = array.array("i")
    head, ancillary, _flags, _address = line.recvmsg(8, socket.CMSG_SPACE(3 * files.itemsize))
    files.frombytes(ancillary[0][2])
    order = b""
    while len(order) < int.from_bytes(head, "big"):
        order += line.recv(1 << 16)
    arguments, folder, umask, environ = marshal.loads(order)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.umask(umask)
    os.environ.clear()
    os.environ.update(environ)
    return [str(argument) for argument in arguments]


def _execute(script: str) -> int:
    """Run a file, or stdin, as Python does, with what it does at the end; returns the exit status."""
    main = sys.modules["__main__"] = ModuleType("__main__")
    main.__dict__["__file__"] = script or "<stdin>"
    try:
        source = Path(script).read_bytes() if script else sys.stdin.buffer.read()
        exec(compile(source, script or "<stdin>", "exec"), main.__dict__)
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
    serve({"modules": modules, "plays": plays}[sys.argv[1]](), sys.argv[2])
