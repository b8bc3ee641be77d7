# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m simulator --lab FILE``: a vCenter (or ESXi host) on this machine until you stop it."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from .simulator import Simulator, server_clock
from .transport.http import Server


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulator", description="A simulated vSphere endpoint.")
    parser.add_argument("--lab", required=True, help="inventory to serve, a YAML file (see simulator/labs)")
    parser.add_argument("--port", type=int, default=8989, help="HTTPS port on 127.0.0.1; 0: a free one (default 8989)")
    parser.add_argument("--ca-file", help="where to write the CA certificate (default: a temporary file)")
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds in one real second (default 1)")
    parser.add_argument(
        "--control-port", type=int, help="serve the control page there too, as plain HTTP; 0: a free one"
    )
    parser.add_argument("--ready-file", help="written when connections are accepted: shell lines of the variables")
    parser.add_argument("--quiet", action="store_true", help="print nothing")
    return parser.parse_args(argv)


def variables(sim: Simulator, server: Server) -> dict[str, str]:
    """What clients read from their environment: the names of the VMware collections, then govc's."""
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
    }


def _screen(sim: Simulator, server: Server, exports: str) -> str:
    product = "vCenter Server" if sim.kind == "vcenter" else "ESXi"
    return (
        f"{sim.name}: a simulated {product} {sim.product_version} on https://localhost:{server.port}\n"
        f"Nothing here is real, so go ahead.\n\n{exports}\n"
        f"Look inside and break things: {server.control_url}\n"
        "Stop with Ctrl-C.\n"
    )


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Exit status 2 on a lab or option that makes no sense."""
    options = _arguments(argv)
    try:
        clock = server_clock(options.speed)
        sim = Simulator.from_lab(options.lab, clock)
        server = Server(sim, options.port, options.ca_file, options.control_port)
    except (ValueError, KeyError, OSError) as error:
        print(f"python -m simulator: {error.args[0] if isinstance(error, KeyError) else error}", file=sys.stderr)
        return 2
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server.start()
    exports = "".join(f"export {name}={_quoted(value)}\n" for name, value in variables(sim, server).items())
    if options.ready_file:
        _write_whole(Path(options.ready_file), exports)
    if not options.quiet:
        print(_screen(sim, server, exports), end="", flush=True)
    stop.wait()
    server.stop()
    sim.close()
    if options.ready_file:
        Path(options.ready_file).unlink(missing_ok=True)
    return 0


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _write_whole(path: Path, text: str) -> None:
    """Whoever polls for the file must never see half of it."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


if __name__ == "__main__":
    sys.exit(main())
