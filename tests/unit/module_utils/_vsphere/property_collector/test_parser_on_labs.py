# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two ways of a bulk read give equal results, on every lab and over real connections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyVmomi import vim, vmodl

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.property_collector import kept_values
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.property_collector.retrieve import (
    collect_objects,
    collect_view,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.read.fabric import read_fabric
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.read.hosts import (
    read_hosts,
    read_names,
    read_users,
    reread_hosts,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.read.vms import read_residents, read_vms
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.connect import Session, open_session
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.endpoint import Endpoint
from simulator import Simulator
from simulator.core.clock import ManualClock
from tests.unit.module_utils._vsphere.alike import row_differences

LABS = sorted((Path(__file__).resolve().parents[5] / "simulator" / "labs").glob("*.yml"))


def labs(*repeating: str) -> list[Any]:
    """The labs. Those in which many hosts repeat what a few say take most of the time: they are slow, or left to `make long`."""
    marks = {"roll_12": pytest.mark.slow, **dict.fromkeys(repeating, pytest.mark.long)}
    return [pytest.param(lab, id=lab.stem, marks=marks.get(lab.stem, ())) for lab in LABS]


EVERYTHING: dict[type, tuple[str, ...]] = {
    vim.HostSystem: ("name", "parent", "vm", "recentTask", "summary", "runtime", "config", "hardware", "capability"),
    vim.VirtualMachine: ("name", "parent", "config", "runtime", "guest", "summary", "layoutEx", "capability"),
    vim.ClusterComputeResource: ("name", "configurationEx", "host", "summary", "resourcePool"),
    vim.ResourcePool: ("name", "config", "runtime"),
    vim.Datastore: ("name", "summary", "info", "host"),
    vim.Folder: ("name", "childType", "overallStatus"),
}


KNOWS_9 = hasattr(vim.host.PciPassthruInfo(), "directPathState")


@contextmanager
def connected(lab: Path) -> Iterator[Session]:
    """A session with a lab that is as big as a unit test may wait for."""
    source: dict[str, Any] = yaml.safe_load(lab.read_text(encoding="utf-8"))
    if "fleet" in source:
        source["fleet"].update(hosts=20, vms=30)
    if lab.stem in ("v9", "nvlink") and not KNOWS_9:
        pytest.skip("this pyVmomi is older than 9.1")
    sim = Simulator.from_lab(source if "fleet" in source else lab, clock=ManualClock())
    account, *_unused = sim.authz.users.values()
    with sim.serve() as server:
        endpoint = Endpoint(
            hostname="localhost",
            port=server.port,
            username=account.name,
            password=account.password,
            ca_path=str(server.ca_file),
        )
        with open_session(endpoint, read_only=True) as session:
            yield session


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A session with a lab, what of ``EVERYTHING`` the lab can tell, and what pyVmomi makes of that."""

    session: Session
    paths: dict[type, tuple[str, ...]]
    rows: dict[Any, Any]


@pytest.fixture(scope="module")
def reference() -> Iterator[Callable[[Path], Reference]]:
    """Labs that nothing is written to, each served and read by pyVmomi once."""
    with ExitStack() as stack:

        @cache
        def read(lab: Path) -> Reference:
            session = stack.enter_context(connected(lab))
            paths = readable(session)
            session.stub.has_wire = False
            rows = collect_view(session, paths)
            session.stub.has_wire = True
            return Reference(session=session, paths=paths, rows=rows)

        yield read


def readable(session: Session) -> dict[type, tuple[str, ...]]:
    """What of ``EVERYTHING`` this lab can tell: old ones know fewer properties, and what is not modelled is refused."""
    found: dict[type, tuple[str, ...]] = {}
    for kind, paths in EVERYTHING.items():
        moids = [row.moid for row in collect_view(session, {kind: ("name",)})[kind]]
        known = []
        for path in paths if moids else ():
            try:
                collect_objects(session, kind, moids[:1], (path,))
            except vmodl.MethodFault:
                continue
            known.append(path)
        if known:
            found[kind] = tuple(known)
    return found


def differences(reference: Reference) -> list[str]:
    """Every place where the two ways do not agree on a lab."""
    assert vim.HostSystem in reference.paths
    assert "hardware" in reference.paths[vim.HostSystem]
    fast = collect_view(reference.session, reference.paths)
    slow = reference.rows
    assert {kind: len(rows) for kind, rows in fast.items()} == {kind: len(rows) for kind, rows in slow.items()}
    return [
        text
        for kind, rows in slow.items()
        for mine, row in zip(fast[kind], rows, strict=True)
        for text in row_differences(mine, row)
    ]


@pytest.mark.parametrize("lab", labs("converged_50"))
def test_values_are_alike_down_to_the_last_attribute(lab: Path, reference: Callable[[Path], Reference]) -> None:
    assert differences(reference(lab)) == []


REMEMBERING = {
    "nothing": {"MOST_KNOWN": 0},
    "little": {"MOST_KNOWN": 3},
    "not for long": {"TRIAL": 2},
    "deep objects from the beginning": {"MOST_UNFIT": 0},
    "never giving up": {"MOST_UNFIT": 10**9, "TRIAL": 10**9},
}


@pytest.mark.parametrize("limits", REMEMBERING.values(), ids=REMEMBERING)
@pytest.mark.parametrize("lab", [lab for lab in LABS if lab.stem in ("mixed", "v9")], ids=lambda lab: lab.stem)
def test_what_is_remembered_makes_no_difference(
    lab: Path, limits: dict[str, int], reference: Callable[[Path], Reference], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = reference(lab)
    for name, value in limits.items():
        monkeypatch.setattr(kept_values, name, value)
    assert differences(known) == []


def everything_read(session: Session) -> dict[str, Any]:
    hosts, named = read_hosts(session, numa=True).hosts, read_names(session)
    vms, names = named.vms, named.hosts
    reachable = [host.moid for host in hosts if host.is_reachable]
    return {
        "hosts": hosts,
        "names": (vms, names),
        "again": reread_hosts(session, hosts),
        "users": read_users(session, hosts),
        "fabric": read_fabric(session, hosts, disks_of=reachable[:2]),
        "vms": read_vms(session, vms, pools=True),
        "residents": read_residents(session, reread_hosts(session, hosts, vms=True), vms),
    }


@pytest.mark.parametrize("lab", labs("converged_50", "fleet"))
def test_hosts_and_vms_are_equal(lab: Path) -> None:
    with connected(lab) as session:
        fast = everything_read(session)
        session.stub.has_wire = False
        slow = everything_read(session)
    assert fast["hosts"]
    assert any(host.devices for host in fast["hosts"])
    assert fast == slow
