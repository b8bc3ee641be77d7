# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients of other people against the simulator: nothing may be wrong, and no less may work than before."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

from simulator import ManualClock, Simulator
from simulator.selfcheck import problems
from tests.conformance import foreign
from tests.conformance.foreign import Case, Ended, Row
from tests.conformance.govc_reads import READS
from tests.conformance.govc_writes import WRITES
from tests.conformance.peer_cases import MODULES, Module

LAB = Path(__file__).parents[2] / "simulator" / "labs" / "three_hosts.yml"


def test_govc(tools: Path) -> None:
    sim = Simulator.from_lab(LAB, ManualClock())
    with sim.serve() as server:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("GOVC_")} | {
            "GOVC_URL": server.url,
            "GOVC_USERNAME": "administrator@vsphere.local",
            "GOVC_PASSWORD": "VMware1!",
            "GOVC_TLS_CA_CERTS": str(server.ca_file),
            "GOVC_PERSIST_SESSION": "false",
            "GOVC_DATACENTER": "DC1",
        }

        def run(call: str) -> Ended:
            command = [str(tools / "govc"), *shlex.split(call)]
            done = subprocess.run(
                command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False
            )
            return Ended(succeeded=done.returncode == 0, text=done.stdout, error=done.stderr)

        rows = [foreign.judge(sim, case, lambda call=case.call: run(call)) for case in [*READS, *WRITES]]  # type: ignore[misc]
    assert (sim.internal_errors, problems(sim)) == ([], [])
    foreign.check("govc", f"govc, {len(rows)} commands", rows)


def test_modules_of_other_collections(peers: Path) -> None:
    """All in one process: they only read, so that one answer for all is as good as one after the other."""
    sim = Simulator.from_lab(LAB, ManualClock())
    with sim.serve() as server:
        account = {"username": "administrator@vsphere.local", "password": "VMware1!"}
        account |= {"hostname": "localhost", "port": server.port, "validate_certs": True}  # type: ignore[dict-item]
        asked = [(module.name, account | module.arguments) for module in MODULES]
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("VMWARE_", "PYTHON"))}
        done = subprocess.run(
            [peers, Path(__file__).parent / "peer_modules.py"],
            env=environ | {"SSL_CERT_FILE": str(server.ca_file)},
            input=json.dumps(asked), capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [_judged(sim, module, found) for module, found in zip(MODULES, json.loads(done.stdout), strict=True)]
    assert (sim.internal_errors, problems(sim), [entry.method for entry in sim.journal.writes() if entry.effect]) == (
        [],
        [],
        [],
    )
    foreign.check("peers", f"modules of community.vmware and vmware.vmware, {len(rows)} calls", rows)


def _judged(sim: Simulator, module: Module, found: dict[str, Any]) -> Row:
    """The same rule as for govc; a module's result is its answer."""

    def shows(sim: Simulator, text: str) -> bool:
        try:
            return module.shows is not None and module.shows(sim, found)
        except (KeyError, IndexError, TypeError, ValueError):
            return False

    failed = bool(found["failed"])
    ended = Ended(succeeded=not failed, text=json.dumps(found), error=str(found.get("msg", "")) if failed else "")
    case = Case(call=module.name, shows=shows if module.shows is not None else None)
    return foreign.judge(sim, case, lambda: ended)
