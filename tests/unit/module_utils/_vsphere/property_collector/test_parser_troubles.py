# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bulk reads while things go wrong, in both ways over real connections: the whole truth or an error, never a part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pyVmomi import vim, vmodl

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.property_collector.retrieve import (
    collect_view,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.read.hosts import read_hosts, read_names
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.connect import Session, open_session
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.endpoint import Endpoint
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.faults import CONNECTION_ERRORS
from simulator import Simulator
from simulator.lab.fleet import fleet_lab

LABS = Path(__file__).resolve().parents[5] / "simulator" / "labs"
HOSTS = 12
MORE = "ContinueRetrievePropertiesEx"


@contextmanager
def served(lab: Any, *, fast: bool, user: int = 0) -> Iterator[tuple[Simulator, Session]]:
    sim = Simulator.from_lab(lab)
    account = list(sim.authz.users.values())[user]
    with sim.serve() as server:
        endpoint = Endpoint(
            hostname="localhost",
            port=server.port,
            username=account.name,
            password=account.password,
            ca_path=str(server.ca_file),
        )
        with open_session(endpoint, read_only=True, sleep=lambda seconds: None) as session:
            session.stub.has_wire = fast
            yield sim, session


@pytest.fixture(params=[True, False], ids=["C parser", "pyVmomi"])
def fast(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


TORN = {
    "session ended before the second page": {"method": MORE, "times": 1, "fault": "NotAuthenticated"},
    "session ended before the last page": {"method": MORE, "after": 4, "times": 1, "fault": "NotAuthenticated"},
    "session ended twice": {"method": MORE, "times": 2, "fault": "NotAuthenticated"},
    "session ended before the read": {"method": "RetrievePropertiesEx", "times": 1, "fault": "NotAuthenticated"},
    "session ended before the view": {"method": "CreateContainerView", "times": 1, "fault": "NotAuthenticated"},
    "503 half way": {"method": MORE, "after": 2, "times": 3, "http": 503},
    "503 at the beginning": {"method": "RetrievePropertiesEx", "times": 2, "http": 503},
    "dropped before the server did it": {"method": MORE, "after": 1, "times": 1, "drop": "before"},
    "dropped after the server did it": {"method": MORE, "after": 1, "times": 1, "drop": "after"},
    "dropped after, twice": {"method": MORE, "times": 2, "drop": "after"},
    "the view was dropped after it was made": {"method": "CreateContainerView", "times": 1, "drop": "after"},
}


@pytest.mark.parametrize("rule", TORN.values(), ids=TORN)
def test_a_torn_read_gives_the_whole_all_the_same(rule: dict[str, Any], fast: bool) -> None:
    with served(fleet_lab(hosts=HOSTS, vms=10), fast=fast) as (sim, session):
        expected = read_hosts(session).hosts
        sim.knobs.set("page_size", 2)
        sim.faults.add(**rule)
        assert read_hosts(session).hosts == expected
        assert len(expected) == HOSTS
        assert sim.faults.rules[0].hits == rule["times"]


ENDLESS = {
    "503": {"method": MORE, "http": 503},
    "dropped before": {"method": MORE, "drop": "before"},
    "dropped after": {"method": MORE, "drop": "after"},
    "refused": {"method": MORE, "fault": "InvalidArgument"},
    "session always ends": {"method": MORE, "fault": "NotAuthenticated"},
}


@pytest.mark.parametrize("rule", ENDLESS.values(), ids=ENDLESS)
def test_what_cannot_be_read_to_the_end_is_an_error(rule: dict[str, Any], fast: bool) -> None:
    with served(fleet_lab(hosts=HOSTS, vms=0), fast=fast) as (sim, session):
        sim.knobs.set("page_size", 2)
        sim.faults.add(**rule)
        with pytest.raises((vmodl.MethodFault, *CONNECTION_ERRORS)):
            read_hosts(session)


def test_sessions_that_end_for_good_between_pages_are_noticed(fast: bool) -> None:
    """Not only the fault: the server really forgets the session, with its view and its token."""
    with served(fleet_lab(hosts=HOSTS, vms=0), fast=fast) as (sim, session):
        expected = read_hosts(session).hosts
        sim.knobs.set("page_size", 2)
        ends = 2

        def end_sessions(*_arguments: Any) -> None:
            nonlocal ends
            if ends and sim.journal.calls[-1].method == MORE:
                ends -= 1
                with sim.lock:
                    sim.sessions.close_all()

        guarded = session.stub._guarded

        def watched(name: str, moid: str, call: Any) -> Any:
            result = guarded(name, moid, call)
            end_sessions()
            return result

        session.stub._guarded = watched  # type: ignore[method-assign]
        assert read_hosts(session).hosts == expected
        assert ends == 0
        # The C parser has asked for the next page before it reads one: an end may come when all was answered.
        assert session.logins >= (2 if fast else 3)


@pytest.mark.parametrize("path", ["config", "hardware", "runtime.bootTime"])
def test_hosts_that_are_away_say_what_they_do_not_say(path: str) -> None:
    """A property may be missing of one host and there for all others, and the reason is told."""
    results = []
    for way in (True, False):
        with served(str(LABS / "mixed.yml"), fast=way) as (sim, session):
            sim.knobs.set("missing_while_away", [path])
            rows = collect_view(session, {vim.HostSystem: ("name", "config.pciPassthruInfo", "hardware.pciDevice")})
            hosts = read_hosts(session).hosts
            missing = {
                row.moid: {name: (type(fault).__name__, fault.msg) for name, fault in row.missing.items()}
                for row in rows[vim.HostSystem]
            }
            results.append((hosts, missing))
    assert results[0] == results[1]
    if path != "runtime.bootTime":
        assert any(host.unreadable for host in results[0][0])
        assert any(missing for missing in results[0][1].values())
        assert any(host.devices for host in results[0][0])


def test_an_account_that_may_see_little_sees_the_same_in_both_ways() -> None:
    lab = fleet_lab(hosts=6, vms=8, per_cluster=3)
    lab["users"] = [
        {"name": "admin@lab", "password": "x", "role": "Admin"},
        {"name": "half@lab", "password": "x", "role": "ReadOnly"},
    ]
    lab["permissions"] = [{"user": "half@lab", "role": "NoAccess", "on": "cluster-02"}]
    results = []
    for way in (True, False):
        with served(lab, fast=way, user=1) as (_sim, session):
            named, hosts = read_names(session), read_hosts(session).hosts
            results.append((named.vms, named.hosts, hosts))
    assert results[0] == results[1]
    assert 0 < len(results[0][2]) < 6
