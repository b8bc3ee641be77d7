# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hardware versions, maxima and memory admission."""

from __future__ import annotations

import pytest
from pyVmomi import vim

from simulator.rules import admission, limits
from simulator.rules.admission import MIB, Pool
from simulator.rules.knobs import Knobs


@pytest.mark.parametrize(
    ("release", "newest"),
    [
        ("5.5.0", 10),
        ("6.0.0", 11),
        ("6.7.0", 14),
        ("7.0.0", 17),
        ("7.0.3", 19),
        ("8.0.0", 20),
        ("8.0.3", 21),
        ("9.0.0", 22),
    ],
)
def test_the_newest_version_of_a_release(release: str, newest: int) -> None:
    assert limits.newest_version(release) == newest
    assert limits.known_versions(release)[-1] == newest


@pytest.mark.parametrize(
    ("version", "release", "table", "maximum"),
    [
        (4, "8.0.3", "captured", 0),
        (8, "5.0.0", "captured", 6),
        (10, "5.5.0", "captured", 16),
        (10, "9.0.0", "captured", 16),
        (19, "9.0.0", "captured", 16),
        (20, "9.0.0", "captured", 128),
        (22, "9.0.0", "captured", 128),
        (19, "7.0.3", "kb309986", 16),
        (20, "8.0.0", "kb309986", 32),
        (20, "8.0.1", "kb309986", 64),
        (21, "8.0.2", "kb309986", 128),
    ],
)
def test_passthrough_devices_of_a_vm(version: int, release: str, table: str, maximum: int) -> None:
    assert limits.passthrough_max(version, release, Knobs(limit_table=table)) == maximum


@pytest.mark.parametrize(
    ("release", "knob", "maximum"),
    [("4.1.0", -1, 8), ("5.5.0", -1, 8), ("5.5.0", 0, 0), ("5.5.0", 6, 6), ("6.0.0", -1, 0), ("8.0.3", 16, 16)],
)
def test_passthrough_devices_of_a_host(release: str, knob: int, maximum: int) -> None:
    assert limits.host_device_max(release, Knobs(host_device_max=knob)) == maximum


@pytest.mark.parametrize(("name", "number"), [("vmx-20", 20), ("vmx-07", 7)])
def test_reading_a_hardware_version(name: str, number: int) -> None:
    assert limits.hardware_version(name) == number
    assert limits.vmx(number) == name


@pytest.mark.parametrize("name", ["20", "vmx-", "vmx-x", "esx-20", ""])
def test_what_is_no_hardware_version(name: str) -> None:
    with pytest.raises(ValueError, match="hardware version"):
        limits.hardware_version(name)


def test_dynamic_backings_begin_with_17() -> None:
    assert [limits.allows_dynamic(number) for number in (16, 17, 21)] == [False, True, True]


SMALL = Pool(reservation=8 * 1024 * MIB, used=2 * 1024 * MIB, expandable=False)
GROWING = Pool(reservation=8 * 1024 * MIB, used=2 * 1024 * MIB, expandable=True)
ROOT = Pool(reservation=100 * 1024 * MIB, used=50 * 1024 * MIB, expandable=False)


@pytest.mark.parametrize(
    ("chain", "free_gb"), [((SMALL, ROOT), 6), ((GROWING, ROOT), 56), ((ROOT,), 50), ((GROWING, SMALL, ROOT), 12)]
)
def test_what_a_pool_can_still_reserve(chain: tuple[Pool, ...], free_gb: int) -> None:
    free = free_gb * 1024 * MIB
    assert admission.unreserved_for_vm(chain) == free
    admission.check_pool(chain, free)
    with pytest.raises(vim.fault.InsufficientMemoryResourcesFault) as caught:
        admission.check_pool(chain, free + 1)
    assert (caught.value.unreserved, caught.value.requested) == (free, free + 1)


def test_an_overdrawn_pool_has_nothing_not_less() -> None:
    assert admission.unreserved_for_vm([Pool(reservation=0, used=5, expandable=False)]) == 0


def test_a_host_keeps_memory_for_itself() -> None:
    memory = 512 * 1024 * MIB
    free = admission.host_free(memory, admission.system_memory(memory), 100 * 1024 * MIB)
    assert 350 * 1024 * MIB < free < 412 * 1024 * MIB
    with pytest.raises(vim.fault.InsufficientMemoryResourcesFault):
        admission.check_host(free, free + 1)
