# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that have already imported what modules and plays need, and run each of these in a fork.

``with warm(environ) as variables:`` starts them. A Python process that starts with these variables to run a module of
Ansible hands the module over (tools/starts/sitecustomize.py). Only libraries are imported for modules, and what is in the
zip of the module itself (tools/imported_zips.py), nothing else of the collection or of Ansible, so that a missing file is noticed.

Plays go to another process. It has imported Ansible with the settings of `environ`, and the filters and actions of the
collection. It declines a play with other settings. Without it, each play would import Ansible, and each task the filters
it needs.

With the variables, all plays also share the zips that the first one made. This is valid only while the sources do not
change.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import gc
import importlib
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
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from tools.envs import ROOT
from tools.imported_zips import Order, Zips, receive

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
"""Kind → names of plugins that almost every play imports, and whose options it reads."""
ALL_OPTIONS = ("become", "callback", "connection", "shell")
"""Kinds of which every play reads the options of all plugins."""
COLLECTION = "ansible_collections.directpath.vsphere"
START_SECONDS = 120.0


@contextmanager
def warm(environ: Mapping[str, str] | None = None) -> Iterator[dict[str, str]]:
    """Run the processes in the block, and yield the variables for using them. Without `environ`, only modules are handed over."""
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
    """Run one of the processes in the block, and yield the address of its socket."""
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
        process.communicate()  # closes its stdin, which ends it


def settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that Ansible reads while it is imported."""
    return {name: value for name, value in environ.items() if name.startswith(("ANSIBLE_", "LC_", "LANG", "HOME"))}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Which scripts are accepted, and what runs before each."""

    takes: Callable[[Mapping[str, str]], bool] = lambda environ: True
    begin: Callable[[], None] = lambda: None
    zips: Zips | None = None


def modules(address: str) -> Kind:
    """Modules, with any environment."""
    _import_all(LIBRARIES)
    return Kind(zips=Zips.below(Path(f"{address}.zips")))


def plays(_address: str) -> Kind:
    """Plays with the settings of this process."""
    starts = importlib.import_module("sitecustomize")
    sys.meta_path.insert(0, starts.KeepCollections)
    starts.share_modules()
    _import_all(PLAYS)
    _import_plugins()
    own = settings(os.environ)
    return Kind(takes=lambda environ: settings(environ) == own, begin=_begin_play)


def _import_plugins() -> None:
    """Import the plugins that run in the process of Ansible. Otherwise each task would import those it needs."""
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
    for kinds in ALL_OPTIONS:
        list(getattr(loader, f"{kinds}_loader").all(class_only=True))
    AnsibleCollectionConfig.on_collection_load -= loader._on_collection_load_handler
    _AnsibleCollectionFinder._remove()  # each play installs its own finder


def _import_all(names: list[str]) -> None:
    """Import what there is. Other releases lack some of these, and then import nothing of this name themselves."""
    for name in names:
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(name)


def _is_there(package: str) -> bool:
    try:
        importlib.import_module(package)
    except ModuleNotFoundError:
        return False
    return True


def _begin_play() -> None:
    """Repeat what Ansible does at import, and each process must do itself."""
    from ansible import constants
    from ansible.utils.display import Display
    from ansible.utils.path import cleanup_tmp_file

    atexit.unregister(cleanup_tmp_file)
    constants.DEFAULT_LOCAL_TMP = constants.config.get_config_value("DEFAULT_LOCAL_TMP", variables=vars(constants))
    Display()._set_column_width()


def serve(kind: Kind, address: str) -> None:
    """Run the scripts that are handed over, until stdin is closed."""
    gc.collect()
    gc.disable()  # a module runs for a second; garbage collection would copy the memory that forks share
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{address}.new")
    listener.listen(64)
    os.rename(f"{address}.new", address)
    while listener in select.select([listener, sys.stdin], [], [])[0]:
        line, _peer = listener.accept()
        if os.fork() == 0:
            listener.close()
            if kind.zips:
                os.close(kind.zips.life)
            run(kind, line)
        line.close()
        with contextlib.suppress(ChildProcessError):  # forks send their status themselves; this adds their CPU seconds
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
    if kind.zips:
        kind.zips.end()


def run(kind: Kind, line: socket.socket) -> None:
    """In the fork: run the script that was handed over. Never returns."""
    order, files = receive(line)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    if not kind.takes(order.environ):
        line.sendall(b"no")
        os._exit(0)
    _become(order)
    script = order.arguments[0] if order.arguments else ""
    source = Path(script).read_bytes() if script else sys.stdin.buffer.read()
    order = replace(order, source=source)
    if kind.zips:
        kind.zips.find(order, line, work)
    kind.begin()
    work(order, line)


def work(order: Order, line: socket.socket) -> None:
    """Run the script, and send its exit status. Never returns."""
    # When the waiting process is killed, its end of the socket closes, which sends SIGIO and ends this process.
    fcntl.fcntl(line, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(line, fcntl.F_SETFL, fcntl.fcntl(line, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([line], [], [], 0)[0]:
        os._exit(70)  # the waiting process has already ended: it never sends anything more
    _become(order)
    sys.argv = order.arguments or [""]
    sys.path[0] = os.path.dirname(sys.argv[0])
    status = _execute(sys.argv[0], order.source)
    fcntl.fcntl(line, fcntl.F_SETFL, fcntl.fcntl(line, fcntl.F_GETFL) & ~os.O_ASYNC)
    line.sendall(bytes([status]))
    os._exit(status)


def _become(order: Order) -> None:
    """Take over folder, umask and environment of the other process."""
    os.chdir(order.folder)
    os.umask(order.umask)
    os.environ.clear()
    os.environ.update(order.environ)


def _execute(script: str, source: bytes) -> int:
    """Run the text of a file, or of stdin, as Python does, including the exit handlers. Returns the exit status."""
    main = sys.modules["__main__"] = ModuleType("__main__")
    main.__dict__["__file__"] = script or "<stdin>"
    try:
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
    serve({"modules": modules, "plays": plays}[sys.argv[1]](sys.argv[2]), sys.argv[2])
