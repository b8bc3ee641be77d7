# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from http.client import HTTPException
from typing import Any

import pytest
from pyVmomi import vim, vmodl

from simulator import Simulator
from tests.unit.simulator.inventory import build
from tests.unit.simulator.specs import host

USER = "administrator@vsphere.local"


def test_before_login_only_the_service_content_answers(sim: Simulator) -> None:
    si = sim.stub().instance()
    content = si.RetrieveContent()
    assert content.sessionManager.currentSession is None
    with pytest.raises(vim.fault.NotAuthenticated):
        content.viewManager.CreateContainerView(content.rootFolder, [], True)
    with pytest.raises(vim.fault.NotAuthenticated):
        _unused = content.rootFolder.name


@pytest.mark.parametrize(("user", "password"), [(USER, "wrong"), ("nobody", "VMware1!"), ("", ""), (USER, "")])
def test_a_wrong_name_or_password_is_invalid_login(sim: Simulator, user: str, password: str) -> None:
    manager = sim.stub().instance().content.sessionManager
    with pytest.raises(vim.fault.InvalidLogin) as caught:
        manager.Login(user, password, None)
    assert caught.value.msg == "Cannot complete login due to an incorrect user name or password."
    assert sim.journal.counters.failed_logins == 1


def test_the_password_is_not_in_the_journal(sim: Simulator, si: Any) -> None:
    (entry,) = [entry for entry in sim.journal.calls if entry.method == "Login"]
    assert entry.args == {"userName": USER, "password": "***"}


def test_logging_in_twice_is_refused(si: Any) -> None:
    with pytest.raises(vim.fault.InvalidLogin):
        si.content.sessionManager.Login(USER, "VMware1!", None)


def test_the_current_session_is_the_own_one(sim: Simulator, si: Any) -> None:
    other = sim.stub().connect()
    mine, theirs = (item.content.sessionManager.currentSession for item in (si, other))
    assert mine.userName == theirs.userName == USER
    assert mine.key != theirs.key


def test_logout_ends_the_session_and_its_views(sim: Simulator, si: Any) -> None:
    view = si.content.viewManager.CreateContainerView(si.content.rootFolder, [], True)
    si.content.sessionManager.Logout()
    assert si.content.sessionManager.currentSession is None
    assert sim.registry.find(view._moId) is None
    with pytest.raises(vim.fault.NotAuthenticated):
        si.CurrentTime()


def test_an_idle_session_expires_and_a_used_one_does_not(sim: Simulator, si: Any) -> None:
    sim.clock.advance(7000)
    si.CurrentTime()
    sim.clock.advance(7000)
    si.CurrentTime()
    sim.clock.advance(7201)
    with pytest.raises(vim.fault.NotAuthenticated):
        si.CurrentTime()


def test_waiting_keeps_a_session_alive(sim: Simulator, si: Any) -> None:
    from tests.unit.simulator.specs import PC, object_spec

    collector = si.content.propertyCollector
    collector.CreateFilter(object_spec(host(si), "name"), True)
    version = collector.WaitForUpdatesEx("", PC.WaitOptions(maxWaitSeconds=0)).version
    assert collector.WaitForUpdatesEx(version, PC.WaitOptions(maxWaitSeconds=9000)) is None
    assert si.content.sessionManager.currentSession is not None


def test_too_many_sessions_answer_503_or_a_fault(sim: Simulator, si: Any) -> None:
    sim.knobs.max_session_count = 1
    with pytest.raises(HTTPException, match="503"):
        sim.stub().connect()
    sim.knobs.session_limit_answer = "fault"
    with pytest.raises(vmodl.RuntimeFault, match="maximum number of sessions"):
        sim.stub().connect()
    si.content.sessionManager.Logout()
    assert sim.stub().connect().content.sessionManager.currentSession is not None


def test_session_is_active_needs_its_privilege() -> None:
    lab = {"users": [{"name": "admin", "password": "a"}, {"name": "reader", "password": "r", "role": "ReadOnly"}]}
    sim = build(lab)
    admin, reader = sim.stub().connect("admin"), sim.stub().connect("reader")
    key = reader.content.sessionManager.currentSession.key
    assert admin.content.sessionManager.SessionIsActive(key, "reader") is True
    assert admin.content.sessionManager.SessionIsActive(key, "admin") is False
    with pytest.raises(vim.fault.NoPermission) as caught:
        reader.content.sessionManager.SessionIsActive(key, "reader")
    assert caught.value.privilegeId == "Sessions.ValidateSession"


def test_a_clone_ticket_is_good_once_and_for_a_while(sim: Simulator, si: Any) -> None:
    manager = si.content.sessionManager
    ticket = manager.AcquireCloneTicket()
    clone = sim.stub().instance().content.sessionManager
    assert clone.CloneSession(ticket).userName == USER
    with pytest.raises(vim.fault.InvalidLogin):
        sim.stub().instance().content.sessionManager.CloneSession(ticket)
    late = manager.AcquireCloneTicket()
    sim.clock.advance(31)
    with pytest.raises(vim.fault.InvalidLogin):
        sim.stub().instance().content.sessionManager.CloneSession(late)


def test_an_administrator_may_end_other_sessions(sim: Simulator, si: Any) -> None:
    other = sim.stub().connect()
    keys = [item.key for item in si.content.sessionManager.sessionList]
    own = si.content.sessionManager.currentSession.key
    si.content.sessionManager.TerminateSession([key for key in keys if key != own])
    assert other.content.sessionManager.currentSession is None
    with pytest.raises(vmodl.fault.InvalidArgument):
        si.content.sessionManager.TerminateSession([own])


def test_views_of_another_session_are_not_there(sim: Simulator, si: Any) -> None:
    from tests.unit.simulator.specs import view_spec

    view = si.content.viewManager.CreateContainerView(si.content.rootFolder, [vim.HostSystem], True)
    other = sim.stub().connect()
    stolen = vim.view.ContainerView(view._moId, other._stub)
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        other.content.propertyCollector.RetrieveProperties([view_spec(stolen, vim.HostSystem, "name")])
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        stolen.Destroy()


def test_an_endpoint_that_went_offline_refuses_and_forgets_sessions(sim: Simulator, si: Any) -> None:
    sim.go_offline()
    with pytest.raises(ConnectionRefusedError):
        si.CurrentTime()
    sim.go_online()
    with pytest.raises(vim.fault.NotAuthenticated):
        si.CurrentTime()
