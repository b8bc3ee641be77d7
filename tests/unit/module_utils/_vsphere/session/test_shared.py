# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks that share a session: over real connections, one after another, at once, and while things go wrong."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest
from pyVmomi import vim

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.property_collector.wait import wait_until
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.read.hosts import read_hosts
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.connect import (
    end_session,
    open_session,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.endpoint import Endpoint
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.file import SessionFile
from simulator import Simulator

ROOT = Path(__file__).resolve().parents[5]
LAB = str(ROOT / "simulator" / "labs" / "three_hosts.yml")


@dataclass
class Place:
    """A server, and how to get there."""

    sim: Simulator
    endpoint: Endpoint

    def look(self, **changes: Any) -> int:
        """A task that reads; how many logins it took."""
        with open_session(replace(self.endpoint, **changes), read_only=True) as session:
            assert len(read_hosts(session).hosts) == 3
            return session.own_logins

    def count(self, method: str) -> int:
        return [entry.method for entry in self.sim.journal.calls].count(method)

    @property
    def file(self) -> SessionFile:
        return SessionFile(self.endpoint.key())


def forget(sim: Simulator) -> None:
    """The server ends all sessions."""
    with sim.lock:
        sim.sessions.close_all()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    sim = Simulator.from_lab(LAB)
    account, *_unused = sim.authz.users.values()
    with sim.serve() as server:
        endpoint = Endpoint(
            hostname="localhost",
            port=server.port,
            username=account.name,
            password=account.password,
            ca_path=str(server.ca_file),
            shared=True,
        )
        yield Place(sim=sim, endpoint=endpoint)


def test_the_first_task_logs_in_and_the_last_step_out(place: Place) -> None:
    assert [place.look() for _unused in range(4)] == [1, 0, 0, 0]
    assert (place.count("Login"), place.count("Logout")) == (1, 0)
    assert len(place.sim.sessions.by_key) == 1
    assert end_session(place.endpoint, pretend=True) is True
    assert len(place.sim.sessions.by_key) == 1
    assert end_session(place.endpoint, pretend=False) is True
    assert len(place.sim.sessions.by_key) == 0
    assert not place.file.path.exists()
    assert end_session(place.endpoint, pretend=False) is False
    assert place.look() == 1


def test_a_task_for_itself_neither_takes_part_nor_disturbs(place: Place) -> None:
    assert place.look(shared=False) == 1
    assert not place.file.path.exists()
    place.look()
    assert place.look(shared=False) == 1
    assert place.look() == 0


def test_a_session_that_ended_meanwhile_is_opened_anew_for_all(place: Place) -> None:
    place.look()
    forget(place.sim)
    assert place.look() == 1
    assert place.look() == 0
    assert len(place.sim.sessions.by_key) == 1


def test_a_session_that_ends_under_a_task_is_opened_anew_by_one_of_them(place: Place) -> None:
    with (
        open_session(place.endpoint, read_only=True) as first,
        open_session(place.endpoint, read_only=True) as second,
    ):
        expected = read_hosts(first).hosts
        forget(place.sim)
        assert read_hosts(second).hosts == expected
        assert read_hosts(first).hosts == expected
        assert (first.own_logins, second.own_logins) == (1, 1)
        assert len(place.sim.sessions.by_key) == 1
    assert place.look() == 0


def test_ending_it_does_not_break_who_is_in_it(place: Place) -> None:
    with open_session(place.endpoint, read_only=True) as session:
        assert end_session(place.endpoint, pretend=False) is True
        assert len(read_hosts(session).hosts) == 3
        assert session.own_logins == 2


def test_waits_of_two_tasks_do_not_meet(place: Place) -> None:
    """Updates are numbered by collector: two tasks that waited on the same one would take each other's."""
    with (
        open_session(place.endpoint, read_only=True) as first,
        open_session(place.endpoint, read_only=True) as second,
    ):
        assert first.collector._moId != second.collector._moId
        seen = []
        for session, moid in ((first, "host-1"), (second, "host-2"), (first, "host-1")):
            host = session.reference(vim.HostSystem, moid)
            seen.append(wait_until(session, {host: ("name",)}, sorted, timeout=5))
        assert seen == [["host-1"], ["host-2"], ["host-1"]]
        made = place.count("CreatePropertyCollector")
    assert made == place.count("DestroyPropertyCollector") == 2


def test_tasks_at_the_same_moment_log_in_once(place: Place) -> None:
    with ThreadPoolExecutor(6) as pool:
        logins = list(pool.map(lambda number: place.look(), range(6)))
    assert sorted(logins) == [0, 0, 0, 0, 0, 1]
    assert len(place.sim.sessions.by_key) == 1


BEGIN = """
import json, os, sys
sys.path.insert(0, os.environ["ROOT"])
from tools.collection_path import install; install()
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.read import hosts
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session import connect
endpoint = connect.Endpoint(**json.loads(sys.stdin.read()))
def look():
    with connect.open_session(endpoint, read_only=True) as found:
        return f"{len(hosts.read_hosts(found).hosts)} {found.own_logins}"
"""


def started(place: Place, code: str) -> Popen[str]:
    """A process of its own that can ``look()``."""
    environ = {**os.environ, "ROOT": str(ROOT)}
    task = Popen([sys.executable, "-c", BEGIN + code], stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True, env=environ)
    assert task.stdin is not None
    task.stdin.write(json.dumps({**vars(place.endpoint)}))
    task.stdin.close()
    task.stdin = None
    return task


def test_processes_at_the_same_moment_log_in_once(place: Place) -> None:
    tasks = [started(place, "print(look())") for _unused in range(4)]
    said = [task.communicate(timeout=60) for task in tasks]
    assert sorted(output for output, _errors in said) == ["3 0\n", "3 0\n", "3 0\n", "3 1\n"], said
    assert place.count("Login") == 1


def test_a_fork_goes_on_in_the_session(place: Place) -> None:
    """As the workers of ansible-playbook do: each with connections of its own."""
    task = started(
        place,
        "first = look()\n"
        "children = [os.fork() or os._exit(0 if look() == '3 0' else 1) for _unused in range(3)]\n"
        "print(first, *(os.waitpid(child, 0)[1] for child in children), look())\n",
    )
    output, errors = task.communicate(timeout=60)
    assert output == "3 1 0 0 0 3 0\n", errors
    assert place.count("Login") == 1


def test_a_changed_password_is_not_served_by_an_old_session(place: Place) -> None:
    place.look()
    with pytest.raises(DirectPathError) as caught:
        place.look(password="wrong")
    assert caught.value.code == "invalid_login"
    assert place.look() == 0, "who has the right one may go on"
    accounts = place.sim.authz.users
    accounts.update({name: replace(account, password="new") for name, account in accounts.items()})
    assert place.look(password="new") == 1
    assert place.look(password="new") == 0
    with pytest.raises(DirectPathError):
        place.look()


def test_another_account_has_another_session(place: Place) -> None:
    place.look()
    assert place.look(username="reader@vsphere.local") == 1
    assert place.look(username="reader@vsphere.local") == 0
    assert place.look() == 0
    assert len(place.sim.sessions.by_key) == 2


def test_a_cookie_is_shown_to_no_other_server(place: Place) -> None:
    """The same name and port, and another certificate: somebody in between, or a new machine."""
    place.look()
    cookie = place.file.path.read_text()
    with Simulator.from_lab(LAB).serve() as other:
        impostor = replace(place.endpoint, port=other.port, ca_path=str(other.ca_file))
        file = SessionFile(impostor.key())
        file.path.write_text(cookie)
        file.path.chmod(0o600)
        with open_session(impostor, read_only=True) as session:
            assert session.own_logins == 1
        forget(other.sim)
        assert cookie not in file.path.read_text()
        file.path.write_text(cookie)
        assert end_session(impostor, pretend=False) is True
        assert [entry.method for entry in other.sim.journal.calls].count("Logout") == 0


def test_without_verification_it_is_a_session_of_its_own(place: Place) -> None:
    place.look()
    assert place.look(validate_certs=False, ca_path=None) == 1


def test_a_file_that_cannot_be_trusted_stops_the_task_before_it_logs_in(place: Place) -> None:
    place.look()
    place.file.path.chmod(0o644)
    with pytest.raises(DirectPathError) as caught:
        place.look()
    assert caught.value.code == "unsafe_session_file"
    assert place.count("Login") == 1


def test_a_session_that_cannot_be_kept_is_ended(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: Any, **_options: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(DirectPathError) as caught:
        place.look()
    assert caught.value.code == "no_session_folder"
    assert len(place.sim.sessions.by_key) == 0


def test_no_cookie_is_told(place: Place) -> None:
    place.look()
    cookie = next(iter(place.sim.sessions.by_key))
    with open_session(place.endpoint, read_only=True) as session:
        assert cookie in session.cookie
        assert cookie not in repr(session)
        assert cookie not in repr(place.endpoint) + repr(session.file) + str(session.stub)
