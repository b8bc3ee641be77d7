# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m simulator --lab FILE``: a vCenter (or ESXi host) on this machine until you stop it."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

from .core.clock import Clock
from .core.waiting_clock import WaitingClock
from .simulator import Simulator, server_clock
from .transport.clock_socket import ClockSocket
from .transport.http import Server

PARENT_AGE = 0.5
"""Real seconds between two looks whether the process that started this one still runs."""


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulator", description="A simulated vSphere endpoint.")
    parser.add_argument("--lab", required=True, help="inventory to serve, a YAML file (see simulator/labs)")
    parser.add_argument("--port", type=int, default=8989, help="HTTPS port on 127.0.0.1; 0: a free one (default 8989)")
    parser.add_argument("--ca-file", help="where to write the CA certificate (default: a temporary file)")
    parser.add_argument("--speed", type=float, help="simulated seconds in one real second (default 1)")
    parser.add_argument(
        "--control-port", type=int, help="serve the control page there too, as plain HTTP; 0: a free one"
    )
    parser.add_argument("--ready-file", help="written when connections are accepted: shell lines of the variables")
    parser.add_argument("--quiet", action="store_true", help="print nothing")
    parser.add_argument(
        "--name", action="append", default=[], help="the certificate is valid for this name or address, too; repeatable"
    )
    parser.add_argument(
        "--clock-socket",
        help="for one rehearsal: time moves only while clients wait, as they say on this Unix socket; there is no control page; "
        "ends with the process that started it",
    )
    options = parser.parse_args(argv)
    if options.clock_socket and (options.speed is not None or options.control_port is not None):
        parser.error("--clock-socket cannot be combined with --speed or --control-port")
    return options


def variables(sim: Simulator, server: Server) -> dict[str, str]:
    """What clients read from their environment: the names of the VMware collections, then govc's; and what the lab arranged to happen."""
    account = next(iter(sim.authz.users.values()))
    return {
        "VMWARE_HOST": "localhost",
        "VMWARE_PORT": str(server.port),
        "VMWARE_USER": account.name,
        "VMWARE_PASSWORD": account.password,
        "VMWARE_VALIDATE_CERTS": "true",
        "VMWARE_CA_PATH": str(server.ca_file),
        "GOVC_URL": f"https://localhost:{server.port}/sdk",
        "GOVC_USERNAME": account.name,
        "GOVC_PASSWORD": account.password,
        "GOVC_TLS_CA_CERTS": str(server.ca_file),
        **({"SIMULATOR_WHAT_IF": json.dumps(sim.what_if)} if sim.what_if else {}),
    }


def _screen(sim: Simulator, server: Server, exports: str) -> str:
    product = "vCenter Server" if sim.kind == "vcenter" else "ESXi"
    return (
        f"{sim.name}: a simulated {product} {sim.product_version} on https://localhost:{server.port}\n"
        f"Nothing here is real, so go ahead.\n\n{exports}\n"
        + (f"Look inside and break things: {server.control_url}\n" if server.control else "")
        + "Stop with Ctrl-C.\n"
    )


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Exit status 2 on a lab or option that makes no sense."""
    options = _arguments(argv)
    parent = os.getppid() if options.clock_socket else None
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as ends:
        try:
            sim, server = _serve(options, ends)
        except (ValueError, KeyError, OSError) as error:
            print(f"python -m simulator: {error.args[0] if isinstance(error, KeyError) else error}", file=sys.stderr)
            return 2
        exports = "".join(f"export {name}={_quoted(value)}\n" for name, value in variables(sim, server).items())
        if options.ready_file:
            _write_whole(Path(options.ready_file), exports)
            ends.callback(Path(options.ready_file).unlink, missing_ok=True)
        if not options.quiet:
            print(_screen(sim, server, exports), end="", flush=True)
        while not stop.wait(None if parent is None else PARENT_AGE):
            if os.getppid() != parent:
                break
    return 0


def _serve(options: argparse.Namespace, ends: ExitStack) -> tuple[Simulator, Server]:
    """Start everything. ``ends`` stops it, the last first. Raises ValueError, KeyError and OSError."""
    rehearses = bool(options.clock_socket)
    clock: Clock = WaitingClock() if rehearses else server_clock(1.0 if options.speed is None else options.speed)
    ends.callback(clock.close)
    sim = Simulator.from_lab(options.lab, clock)
    if rehearses:
        sim.salt = secrets.token_hex(16)
    server = Server(sim, options.port, options.ca_file, options.control_port, control=not rehearses, names=options.name)
    server.start()
    ends.callback(server.stop)
    if isinstance(clock, WaitingClock):
        ends.callback(ClockSocket(clock, options.clock_socket).close)
    return sim, server


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _write_whole(path: Path, text: str) -> None:
    """Whoever polls for the file must never see half of it; it has a password, so only its owner may read it."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(part, path)


if __name__ == "__main__":
    sys.exit(main())
