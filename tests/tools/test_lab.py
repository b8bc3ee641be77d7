# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulator for the length of a with: reachable inside, gone afterwards, and a lab that cannot be loaded is said."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.patience import until
from tools.envs import ROOT
from tools.lab import LabError, control, exported, running

pytestmark = pytest.mark.slow

LAB = "simulator/labs/demo.yml"


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(30)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_it_is_there_inside_and_gone_afterwards() -> None:
    with running(LAB) as variables:
        port = int(variables["VMWARE_PORT"])
        assert listens(port)
        assert Path(variables["VMWARE_CA_PATH"]).exists()
        assert control(variables, "/journal?writes=1") == []
        assert control(variables, "/counters")["writes"] == 0
    assert not listens(port)


def test_it_is_ended_when_the_block_raises() -> None:
    port = 0

    def use() -> None:
        nonlocal port
        with running(LAB) as variables:
            port = int(variables["VMWARE_PORT"])
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        use()
    assert port
    assert not listens(port)


def test_it_ends_with_whoever_started_it_however_that_ends() -> None:
    script = "import sys, time\nfrom tools.lab import running\nwith running(sys.argv[1]) as lab:"
    script += "\n    print(lab['VMWARE_PORT'], flush=True)\n    time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", script, LAB], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        assert listens(port)
        process.kill()
    assert until(lambda: not listens(port)), "it runs on"


def test_a_lab_that_is_not_there_is_said() -> None:
    with pytest.raises(LabError, match=r"no-such-lab\.yml"), running("simulator/labs/no-such-lab.yml"):
        pass


def test_exported_values_lose_their_quotes() -> None:
    text = "vc: a simulator\nexport A='b c'\nexport D=e\nexport F='it'\\''s'\n"
    assert exported(text) == {"A": "b c", "D": "e", "F": "it's"}
