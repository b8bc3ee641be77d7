# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulator in the same process, a session on it, and the scene of a rolling reboot that watches it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyVmomi import vim

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.rolling.inventory import (
    FleetInventory,
    RequestedHost,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.connect import Guard, Session
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.endpoint import Endpoint
from simulator.core.clock import ManualClock
from simulator.simulator import Simulator
from simulator.transport.inprocess import InProcessStub

LABS = Path(__file__).resolve().parents[5] / "simulator" / "labs"


class GuardedInProcess(Guard, InProcessStub):  # type: ignore[misc]
    """The in-process transport behind the guard of the real one."""


def simulator(lab: str | Mapping[str, Any]) -> Simulator:
    source: Any = str(LABS / f"{lab}.yml") if isinstance(lab, str) else lab
    return Simulator.from_lab(source, clock=ManualClock())


def end_sessions(sim: Simulator) -> None:
    """The server forgets everybody."""
    with sim.lock:
        sim.sessions.close_all()


def open_session(
    sim: Simulator, *, user: str | None = None, read_only: bool = False, version: str | None = None
) -> Session:
    """A logged-in session that shares the simulator's clock."""
    accounts = sim.authz.users
    account = accounts[user] if user else next(iter(accounts.values()))
    stub = GuardedInProcess(sim, version or sim.api_version)
    stub.read_only = read_only
    stub.sleep = sim.clock.sleep  # type: ignore[method-assign]
    content = vim.ServiceInstance("ServiceInstance", stub).RetrieveContent()
    endpoint = Endpoint(hostname="vcenter.test", username=account.name, password=account.password)
    session = Session(endpoint=endpoint, stub=stub, content=content, clock=sim.clock.seconds, sleep=sim.clock.sleep)
    session.login()
    stub.renew = session.renew
    return session


def moid(sim: Simulator, name: str, kind: Any = vim.HostSystem) -> str:
    return str(sim.find(kind, name).moid)


def watching(sim: Simulator, *names: str, session: Session | None = None, **options: Any) -> FleetInventory:
    """A scene of the named hosts that has looked once."""
    wanted = [RequestedHost(moid=moid(sim, name)) for name in names]
    fleet = FleetInventory(session or open_session(sim), wanted, **options)
    assert fleet.wait(0)
    return fleet
