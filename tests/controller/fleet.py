# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated vCenters over TLS in this process, and the real programs of Ansible in others."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.core.clock import ScaledClock
from simulator.simulator import Simulator
from tests.unit.inventory.labs import ACCOUNT, NAME, PASSWORD
from tests.unit.modules.harness import Lab
from tools.envs import ROOT, clean_environ


@dataclass(frozen=True, kw_only=True)
class Programs:
    """How all programs of Ansible are started: their variables. A program with other settings of Ansible starts normally."""

    environ: Mapping[str, str]

    @classmethod
    def below(cls, folder: Path) -> Programs:
        """With the collection of this checkout, and a home for Ansible in a folder."""
        tree = folder / "collections" / "ansible_collections" / "directpath"
        tree.mkdir(parents=True)
        (tree / "vsphere").symlink_to(ROOT)
        own = {
            "ANSIBLE_COLLECTIONS_PATH": str(folder / "collections"),
            "ANSIBLE_HOME": str(folder / "home"),
            "ANSIBLE_PIPELINING": "1",  # no temporary folder and file for each module
        }
        return cls(environ=clean_environ(Path(sys.prefix)) | own)


@dataclass
class Fleet:
    """Running simulators by name, and a folder to run Ansible's programs in."""

    folder: Path
    programs: Programs
    sims: dict[str, Simulator] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    ca_files: dict[str, Path] = field(default_factory=dict)

    def entry(self, name: str, **more: Any) -> dict[str, Any]:
        """The vCenter as an entry of ``vcenters``."""
        return {"hostname": "localhost", "port": self.ports[name], "ca_path": str(self.ca_files[name]), **more}

    def source(self, text: str, name: str = "pci_hosts.yml") -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def config(self, *names: str, **options: Any) -> Path:
        """An inventory source for these vCenters."""
        body = {"plugin": NAME, "vcenters": [self.entry(name) for name in names], **options}
        return self.source(json.dumps(body))

    def run(
        self, program: str, *arguments: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """One of Ansible's programs of this interpreter's environment, as a user runs it."""
        environ = {**self.programs.environ, "VMWARE_USER": ACCOUNT, "VMWARE_PASSWORD": PASSWORD, **(env or {})}
        command = [str(Path(sys.executable).parent / program), *arguments]
        return subprocess.run(command, cwd=self.folder, env=environ, capture_output=True, text=True, check=False)

    def inventory(self, source: Path, *arguments: str, **options: Any) -> dict[str, Any]:
        """``ansible-inventory --list``, which has to succeed without a warning."""
        done = self.run("ansible-inventory", "-i", str(source), "--list", *arguments, **options)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        loaded: dict[str, Any] = untagged(json.loads(done.stdout))
        return loaded

    def module(self, vcenter: str, name: str, **options: Any) -> None:
        """Change something through a module."""
        Lab(sim=self.sims[vcenter]).run(name, **options)

    def calls(self, name: str) -> dict[str, int]:
        return dict(self.sims[name].journal.counters.methods)


def untagged(value: Any) -> Any:
    """JSON of ansible-inventory without the marks by which releases from 2.19 on say "not a template"."""
    if isinstance(value, dict):
        return (
            value["__ansible_unsafe"]
            if set(value) == {"__ansible_unsafe"}
            else {k: untagged(v) for k, v in value.items()}
        )
    return [untagged(entry) for entry in value] if isinstance(value, list) else value


@contextmanager
def fleet(folder: Path, programs: Programs, **labs: Mapping[str, Any] | str) -> Iterator[Fleet]:
    """Simulators that run for the length of the block."""
    made = Fleet(folder=folder, programs=programs)
    with ExitStack() as stack:
        for name, description in labs.items():
            sim = Simulator.from_lab(description, clock=ScaledClock(20))
            stack.callback(sim.close)
            served = stack.enter_context(sim.serve(port=0))
            made.sims[name], made.ports[name], made.ca_files[name] = sim, served.port, Path(served.ca_file)
        yield made
