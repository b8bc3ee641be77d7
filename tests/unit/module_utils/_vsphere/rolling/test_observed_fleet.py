# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only this process knows of a host is in its view, wherever it comes from."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.codec import encode
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import Entry, Lock
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.observed import (
    HostView,
    Precheck,
    Refusal,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.rolling.observed_fleet import (
    FleetObserver,
    ShownFleet,
)
from tests.unit.module_utils._domain.rolling.builders import NOW, host

PRECHECK = Precheck(at=NOW)
REFUSAL = Refusal(kind="enter_maintenance", code="busy", text="it is busy", at=NOW)
ENTRY = Entry(run_id="run", step="draining", at=NOW, started=NOW)
KEPT = Entry(run_id="run", step="maintenance", at=NOW, started=NOW, purpose="maintenance")
LOCK = Lock(owner="me", run_id="run", scope="", since=NOW, beat=NOW, ttl=300, purpose="maintenance")


def observed(purpose: Any = "reboot", values: Any = None, **known: Any) -> HostView:
    """The view of esx-1. ``known``: what its sources know."""
    calls, own = known.pop("calls", {}), known.pop("own", {})
    power, problems = known.pop("power", {}), known.pop("problems", {})
    probes: Any = SimpleNamespace(
        hosts={*power, *problems},
        proof=lambda view: None,
        power=power.get,
        bmc_problem=lambda moid: problems.get(moid, ""),
    )
    pending: Any = SimpleNamespace(all_under_way=lambda: calls, own=own)
    options = {"refusals": {}, **known}
    observer = FleetObserver(
        me="me", scope="", pending_actions=pending, probes=probes, is_gone=lambda owner: False, **options
    )
    plain = host("esx-1", precheck=None, services_answer=None)
    seen = ShownFleet(hosts=(plain,), vms=(), clusters=(), values=values or {}, now=NOW, purpose=purpose)
    observer.observe(ShownFleet(hosts=(plain,), vms=(), clusters=(), values={}, now=NOW, purpose=purpose), "")
    (view,) = observer.observe(seen, "").hosts
    return view


@pytest.mark.parametrize(
    ("known", "field", "value"),
    [
        ({"prechecks": {"esx-1": PRECHECK}}, "precheck", PRECHECK),
        ({"refusals": {"esx-1": REFUSAL}}, "refusal", REFUSAL),
        ({"calls": {"esx-1": frozenset({"precheck"})}}, "under_way", frozenset({"precheck"})),
        ({"power": {"esx-1": "off"}}, "bmc_power", "off"),
        ({"problems": {"esx-1": "no answer"}}, "bmc_problem", "no answer"),
        ({"values": {"esx-1": encode(ENTRY)}}, "entry", ENTRY),
        ({"values": {"esx-1": encode(KEPT)}}, "other_entry", KEPT),
        ({"values": {"esx-1": encode(ENTRY)}, "own": {"esx-1": False}}, "maintenance_is_own", False),
        ({"values": {"esx-1": encode(ENTRY)}, "began": {"esx-1": True}}, "maintenance_is_own", True),
        ({"values": {"esx-1": encode(KEPT)}, "purpose": "maintenance"}, "entry", KEPT),
        ({"values": {"esx-1": encode(LOCK)}, "purpose": "maintenance"}, "lock", LOCK),
        ({"refusals": {"lock of esx-1": REFUSAL}, "purpose": "maintenance"}, "lock_refusal", REFUSAL),
    ],
)
def test_each_source(known: dict[str, Any], field: str, value: Any) -> None:
    assert getattr(observed(**known), field) == value


def test_nothing_is_known() -> None:
    assert observed() == host("esx-1", precheck=None, services_answer=None)
