# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A thread whose call reaches the new session before the login of another thread is counted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from pyVmomi import vim, vmodl

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.property_collector import retrieve
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.property_collector.updates import Watch
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.property_collector.wait import wait_until
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.connect import Lane, Session
from simulator.simulator import Simulator
from tests.unit.module_utils._vsphere.rolling.inventory_lab import open_session, simulator
from tests.unit.patience import PATIENCE

_pc = vmodl.query.PropertyCollector


class Renewal:
    """A login by another thread that is not counted before a call of this thread met the new session."""

    def __init__(self, sim: Simulator) -> None:
        self.sim, self.session = sim, open_session(sim)
        session = self.session
        self._in, self._met = threading.Event(), threading.Event()
        self._login, self._note = session.login, session.stub._note_unusual
        session.login, session.stub._note_unusual = self._slow_login, self._see  # type: ignore[method-assign]
        self._thread = threading.Thread(target=session.renew, daemon=True)
        self.faults: list[str] = []

    def _slow_login(self) -> None:
        self._login()
        self._in.set()
        assert self._met.wait(PATIENCE)

    def _see(self, name: str, error: Exception) -> None:
        self._note(name, error)
        self.faults.append(type(error).__name__)
        self._met.set()

    def begin(self) -> None:
        """Returns when the other thread is logged in."""
        self._thread.start()
        assert self._in.wait(PATIENCE)

    def end(self) -> None:
        self._met.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def hosts(self) -> list[Any]:
        """References to all hosts."""
        return [self.session.reference(vim.HostSystem, host.moid) for host in self.sim.registry.all(vim.HostSystem)]


@pytest.fixture
def renewal() -> Iterator[Renewal]:
    made = Renewal(simulator("three_hosts"))
    yield made
    made.end()
    assert made.session.logins == 2


@pytest.mark.parametrize("lane", [nullcontext, None], ids=["main thread", "lane"])
def test_a_wait_goes_on_in_the_new_session(renewal: Renewal, lane: Callable[[], Any] | None) -> None:
    session = renewal.session
    looks: list[int] = []

    def is_done(state: dict[str, dict[str, Any]]) -> bool | None:
        looks.append(len(state))
        if len(looks) == 1:
            renewal.begin()
            return None
        return True

    with session.in_lane(Lane()) if lane is None else lane():
        assert wait_until(session, dict.fromkeys(renewal.hosts(), ("name",)), is_done, timeout=600) is True
    assert looks == [3, 3]
    assert renewal.faults, "the call met the new session"


def test_a_bulk_read_is_made_again(renewal: Renewal) -> None:
    """The view of the old session does not exist in the new one."""
    honest, views = retrieve._retrieve, []

    def late(session: Session, parts: Any, **options: Any) -> Any:
        views.append(parts)
        if len(views) == 1:
            renewal.begin()
        return honest(session, parts, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retrieve, "_retrieve", late)
        rows = retrieve.collect_view(renewal.session, {vim.HostSystem: ("name",)})
    assert len(rows[vim.HostSystem]) == 3
    assert len(views) == 2
    assert renewal.faults


def test_a_watch_is_made_again_and_tells_no_difference(renewal: Renewal) -> None:
    def describe() -> tuple[list[Any], dict[type, list[str]]]:
        return [_pc.ObjectSpec(obj=host, skip=False) for host in renewal.hosts()], {vim.HostSystem: ["name"]}

    watch = Watch(renewal.session, describe)
    assert len(watch.wait(0).changed) == 3
    renewal.begin()
    assert not watch.wait(0)
    assert len(watch.rows) == 3
    assert renewal.faults
