# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients of other people against the simulator: nothing may be wrong, and no less may work than before."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

from simulator import ManualClock, Simulator
from simulator.selfcheck import problems
from tests.conformance import foreign
from tests.conformance.foreign import Ended
from tests.conformance.govc_reads import READS
from tests.conformance.govc_writes import WRITES

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
                command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
            )
            return Ended(succeeded=done.returncode == 0, text=done.stdout, error=done.stderr)

        rows = [foreign.judge(sim, case, lambda call=case.call: run(call)) for case in [*READS, *WRITES]]  # type: ignore[misc]
    assert (sim.internal_errors, problems(sim)) == ([], [])
    foreign.check("govc", f"govc, {len(rows)} commands", rows)
