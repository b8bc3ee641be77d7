# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.capacity.restart import cluster_failures
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.capacity.stock import count_functions
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.vms import SriovBacking, VgpuBacking
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.observed_vms import ObservedVms
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.placement import (
    ClusterPlacement,
    VmHostRule,
)
from tests.unit.module_utils._domain.capacity.sites import address, card, dynamic, fixed, host, site, vm

ONE, TWO = vm(1, 1, dynamic(address(1))), vm(2, 1, dynamic(address(2)))
BOTH = vm(3, 1, dynamic(address(1)), dynamic(address(2)))


def verdicts(observed: ObservedVms, failed: str = "esx-01") -> dict[str, list[str]]:
    (cluster,) = cluster_failures(observed, count_functions(observed))
    record = next(host.record() for host in cluster.failures if host.host.name == failed)
    return {name: found for name, found in record.items() if isinstance(found, list) and found}


def full(*cards: Any, **more: Any) -> Any:
    return host(1, card(1), card(2)), host(2, *cards, **more)


@pytest.mark.parametrize(
    ("other", "vms", "expected"),
    [
        ((card(1), card(2)), (ONE, TWO), {"restarts": ["vm-01", "vm-02"]}),
        ((card(1),), (ONE, TWO), {"restarts": ["vm-01"], "stuck": ["vm-02"]}),
        ((card(1),), (BOTH,), {"stuck": ["vm-03"]}),
        ((card(1), card(2)), (BOTH,), {"restarts": ["vm-03"]}),
        ((), (ONE,), {"stuck": ["vm-01"]}),
        ((card(1, device_id="1eb8"),), (ONE,), {"stuck": ["vm-01"]}),
        ((card(1),), (vm(4, 1, fixed(address(1))),), {"tied": ["vm-04"]}),
        ((card(1),), (vm(4, 1, VgpuBacking(profile="q")),), {"unknown": ["vm-04"]}),
        ((card(1),), (vm(4, 1, SriovBacking(physical_function=address(9))),), {"tied": ["vm-04"]}),
        ((card(1),), (vm(4, 1, SriovBacking(physical_function=None, dvx_class="c")),), {"unknown": ["vm-04"]}),
        # One of the two cards there is in use.
        ((card(1), card(2)), (ONE, TWO, vm(5, 2, dynamic(address(1)))), {"restarts": ["vm-01"], "stuck": ["vm-02"]}),
        # One is a fixed device of a VM that is off.
        ((card(1),), (ONE, vm(5, 2, fixed(address(1)), power="poweredOff")), {"stuck": ["vm-01"]}),
    ],
)  # fmt: skip
def test_what_a_failure_means(other: Any, vms: Any, expected: dict[str, list[str]]) -> None:
    assert verdicts(site([*full(*other)], *vms)) == expected


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"in_maintenance_mode": True}, {"stuck": ["vm-01"]}),
        ({"connection_state": "notResponding"}, {"unknown": ["vm-01"]}),
        ({"residents": frozenset({"vm-77"})}, {"unknown": ["vm-01"]}),
    ],
)  # fmt: skip
def test_another_host_that_cannot_help(more: Any, expected: Any) -> None:
    assert verdicts(site([*full(card(1), **more)], ONE)) == expected


def test_the_settings_of_the_cluster() -> None:
    rule = VmHostRule(name="r", vms=frozenset({"vm-1"}), hosts=frozenset({"host-1"}), mandatory=True)
    bound = ClusterPlacement(drs_enabled=True, ha_enabled=True, rules=(rule,))
    assert verdicts(site([*full(card(1))], ONE, placement=bound)) == {"stuck": ["vm-01"]}
    # Settings that cannot be read may have a rule: what fits is still said, what does not is unknown.
    assert verdicts(site([*full()], ONE, placement=None)) == {"unknown": ["vm-01"]}


def test_devices_are_given_once() -> None:
    """Each failure is looked at alone, and the larger VM is placed first, where the fewest cards are left over."""
    hosts = [host(1, card(1), card(2), card(3)), host(2, card(1)), host(3, card(1), card(2))]
    big = vm(3, 1, dynamic(address(2)), dynamic(address(3)))
    assert verdicts(site(hosts, ONE, big)) == {"restarts": ["vm-01", "vm-03"]}


def test_hosts_of_no_cluster_are_not_restarted_by_ha() -> None:
    alone = host(1, card(1), cluster=None, compute_moid="domain-s-1")
    observed = site([alone], ONE)
    assert cluster_failures(observed, count_functions(observed)) == ()
