# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.device_mode import (
    DesiredDeviceMode,
    plan_device_mode,
)
from tests.unit.module_utils._domain.strategies import host


def test_hosts_are_planned_by_name() -> None:
    hosts = [host(name="esx-02", moid="host-2"), host(name="esx-01", moid="host-1")]
    assert [target.target for target in plan_device_mode(hosts, DesiredDeviceMode()).targets] == ["esx-01", "esx-02"]


def test_a_host_that_does_not_answer_is_refused() -> None:
    lost = replace(host(), connection_state="notResponding")
    (target,) = plan_device_mode([lost], DesiredDeviceMode()).targets
    assert target.blockers
    assert target.effective == ()
