# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: one small simulator, clients in process and over TLS, and a lab of three hosts."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pyVim.connect import Disconnect, SmartConnect

from simulator import Simulator
from simulator.transport.http import Server
from tests.unit.simulator.inventory import build
from tests.unit.simulator.world import World

USER = "administrator@vsphere.local"
PASSWORD = "VMware1!"


@pytest.fixture
def sim() -> Simulator:
    return build()


@pytest.fixture
def si(sim: Simulator) -> Any:
    """A logged-in ServiceInstance in process."""
    return sim.stub().connect()


@pytest.fixture
def server(sim: Simulator) -> Iterator[Server]:
    with sim.serve() as running:
        yield running


@pytest.fixture
def smart_connect() -> Iterator[Callable[..., Any]]:
    """SmartConnect with certificate verification on; logs out at the end."""
    made = []

    def connect(server: Server, user: str = USER, password: str = PASSWORD, **options: Any) -> Any:
        context = ssl.create_default_context(cafile=str(server.ca_file))
        made.append(
            SmartConnect(host="localhost", port=server.port, user=user, pwd=password, sslContext=context, **options)
        )
        return made[-1]

    yield connect
    for instance in made:
        Disconnect(instance)


@pytest.fixture
def world() -> World:
    """Three equal hosts, a client, nothing enabled."""
    return World("three_hosts")


@pytest.fixture(autouse=True)
def _nothing_breaks() -> Iterator[None]:
    yield
    World.all_sound()
