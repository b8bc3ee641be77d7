# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator as tests and tools use it: an endpoint made from a lab, used in process or served over TLS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from .core.clock import Clock, ScaledClock
from .endpoint import Lab, SimulatedEndpoint
from .lab.accounts import ROLES
from .lab.captured.file import as_lab, is_capture
from .lab.captured.file import read as read_capture
from .lab.load import load
from .rules.knobs import KNOBS
from .transport.http import Server
from .transport.inprocess import InProcessStub

_YAML: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times slower where PyYAML lacks libyaml


class Simulator(SimulatedEndpoint):
    """One simulated vCenter or ESXi host, loaded from a lab."""

    @classmethod
    def from_lab(cls, lab: str | Path | Lab, clock: Clock | None = None) -> Simulator:
        """An endpoint with the inventory of a lab (path of a YAML file, or the same as a mapping), or of a capture (path of a `.json` or
        `.json.gz` file, or `capture` in a lab).

        Without a clock it gets a ManualClock. Raises ValueError when the lab is invalid.
        """
        folder = Path()
        if not isinstance(lab, Mapping) and is_capture(Path(lab)):
            folder, lab = Path(lab).parent, {"capture": Path(lab).name}
        elif not isinstance(lab, Mapping):
            folder = Path(lab).parent
            read = yaml.load(Path(lab).read_text(encoding="utf-8"), _YAML)
            if not isinstance(read, Mapping):
                raise ValueError(f"{lab}: a lab is a mapping")
            lab = read
        captured = read_capture(folder / str(lab["capture"])) if "capture" in lab else None
        if captured is not None:
            lab = {**as_lab(captured), **lab}
        sim = cls(lab, clock, KNOBS, ROLES)
        if captured is not None:
            sim.clock.start = captured.time
        sim.folder = folder
        load(sim, lab, captured)
        sim.open(lab)
        return sim

    def stub(self, version: str | None = None) -> InProcessStub:
        """A pyVmomi stub without a socket; ``stub().connect()`` gives a logged-in ServiceInstance."""
        return InProcessStub(self, version or self.api_version)

    @contextmanager
    def serve(self, port: int = 0, **options: Any) -> Iterator[Server]:
        """Serve SOAP over TLS on 127.0.0.1 for the length of a ``with`` block; see transport.http.Server."""
        server = Server(self, port=port, **options)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def server_clock(speed: float) -> ScaledClock:
    """The clock of a served simulator."""
    return ScaledClock(speed)
