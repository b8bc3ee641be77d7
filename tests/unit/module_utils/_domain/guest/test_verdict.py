# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict about a guest: each step, and that nothing but a whole proof is ``verified``."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.facts import Gap, Unknown
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.guest.expectation import Expectation
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.guest.report import (
    Gpu,
    GpuTool,
    GuestDevice,
    GuestError,
    GuestReport,
    Link,
    StorageController,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.guest.verdict import (
    STEPS,
    GuestVerdict,
    judge,
    not_verified,
    same_machine,
    swapped,
    unreadable,
)
from tests.unit.searching import search

VM_UUID = "4231a2c4-5d6e-7f80-91a2-b3c4d5e6f708"
UUID = VM_UUID.replace("-", "")
UNREAD = Unknown(gap=Gap(path="it"))
ADDRESS = "0000:03:00.0"
A100 = GuestDevice(address=ADDRESS, vendor_id="10de", device_id="20f1", class_id="030200", driver="nvidia", placed=2)
GPU = Gpu(address=ADDRESS, ids="10de:20f1", memory_mb=40960)
NVME = replace(A100, vendor_id="8086", device_id="2701", class_id="010802", driver="nvme")
NIC = replace(A100, vendor_id="15b3", device_id="101d", class_id="020000", driver="mlx5_core")
FPGA = replace(A100, vendor_id="10ee", device_id="5000", class_id="120000", driver="xdma")
LIVE = StorageController(name="nvme0", state="live", namespaces=(1 << 40,))
UP = Link(name="eth1", state="up", is_up=True)


def report(*devices: GuestDevice, **more: Any) -> GuestReport:
    return GuestReport(
        **{"os": "linux", "uuid": UUID, "devices": devices, "gpu_tool": GpuTool(status=0, gpus=(GPU,)), **more}
    )


def verdict(device: GuestDevice, *, seen: dict[str, Any] | None = None, **expected: Any) -> tuple[Any, ...]:
    found = judge(report(device, **(seen or {})), [Expectation(**{"ids": (device.ids,), **expected})], VM_UUID).finding
    return found.status, found.step, found.failed_at, found.code


VERIFIED = {
    "a GPU that nvidia-smi lists": ({"device": A100}, "works"),
    "a GPU with enough memory": ({"device": A100, "min_memory_gb": 40}, "works"),
    "only the driver": ({"device": A100, "works": "none", "seen": {"gpu_tool": None}}, "memory"),
    "the right driver of two": ({"device": A100, "drivers": ("nouveau", "NVIDIA")}, "works"),
    "NVMe": ({"device": replace(NVME, controllers=(LIVE,))}, "works"),
    "a link": ({"device": replace(NIC, links=(replace(UP, is_up=False), UP))}, "works"),
    "a class without a function": ({"device": FPGA}, "memory"),
    "a command": ({"device": FPGA, "command": 0, "seen": {"commands": {0: 0}}}, "works"),
    "a stub that is intended": ({"device": replace(FPGA, driver="vfio-pci"), "drivers": ("vfio-pci",)}, "memory"),
    "works although the command register is unknown": ({"device": replace(A100, decoding=UNREAD)}, "works"),
    "works although the driver is unknown": ({"device": replace(A100, driver=UNREAD)}, "works"),
}


@pytest.mark.parametrize("case", VERIFIED)
def test_verified(case: str) -> None:
    given_values, step = VERIFIED[case]
    assert verdict(**given_values)[:2] == ("verified", step)


FAILED = {
    "card missing": ({"device": A100, "count": 2}, "identity", "present", "guest_device_missing"),
    "fell off the bus": ({"device": replace(A100, answers=False)}, "identity", "present", "guest_device_gone"),
    "no driver": ({"device": replace(A100, driver="")}, "present", "driver", "guest_driver_missing"),
    "vfio-pci": ({"device": replace(A100, driver="vfio-pci")}, "present", "driver", "guest_driver_wrong"),
    "Windows' basic driver": (
        {"device": replace(A100, driver="BasicDisplay")},
        "present",
        "driver",
        "guest_driver_wrong",
    ),
    "wrong driver": (
        {"device": replace(A100, driver="nouveau"), "drivers": ("nvidia",)},
        "present",
        "driver",
        "guest_driver_wrong",
    ),
    "BAR not placed": ({"device": replace(A100, unplaced=(1,))}, "driver", "memory", "guest_bar_unplaced"),
    "no memory at all": ({"device": replace(A100, placed=0)}, "driver", "memory", "guest_bar_unplaced"),
    "memory off": ({"device": replace(A100, decoding=False)}, "driver", "memory", "guest_memory_off"),
    "nvidia-smi fails": (
        {"device": A100, "seen": {"gpu_tool": GpuTool(status=9)}},
        "memory",
        "works",
        "guest_not_working",
    ),
    "nvidia-smi hangs": (
        {"device": A100, "seen": {"gpu_tool": GpuTool(status=124)}},
        "memory",
        "works",
        "guest_not_working",
    ),
    "another GPU is listed": (
        {"device": A100, "seen": {"gpu_tool": GpuTool(status=0, gpus=(replace(GPU, address="0000:0b:00.0"),))}},
        "memory",
        "works",
        "guest_not_working",
    ),
    "too little memory": ({"device": A100, "min_memory_gb": 80}, "memory", "works", "guest_not_working"),
    "NVMe without a controller": ({"device": NVME}, "memory", "works", "guest_not_working"),
    "NVMe that is not live": (
        {"device": replace(NVME, controllers=(replace(LIVE, state="dead"),))},
        "memory",
        "works",
        "guest_not_working",
    ),
    "NVMe without a namespace": (
        {"device": replace(NVME, controllers=(replace(LIVE, namespaces=()),))},
        "memory",
        "works",
        "guest_not_working",
    ),
    "no interface": ({"device": NIC}, "memory", "works", "guest_not_working"),
    "no link": ({"device": replace(NIC, links=(replace(UP, is_up=False),))}, "memory", "works", "guest_not_working"),
    "a command fails": (
        {"device": FPGA, "command": 0, "seen": {"commands": {0: 3}}},
        "memory",
        "works",
        "guest_command_failed",
    ),
    "Windows: code 12": ({"device": replace(A100, problem=12)}, "driver", "memory", "guest_device_problem"),
    "Windows: code 43": ({"device": replace(A100, problem=43)}, "memory", "works", "guest_device_problem"),
    "Windows: code 43 with works none": (
        {"device": replace(A100, problem=43), "works": "none"},
        "memory",
        "works",
        "guest_device_problem",
    ),
    "Windows: code 28": ({"device": replace(A100, driver="", problem=28)}, "present", "driver", "guest_device_problem"),
}


@pytest.mark.parametrize("case", FAILED)
def test_failed(case: str) -> None:
    given_values, *expected = FAILED[case]
    assert verdict(**given_values) == ("failed", *expected)


UNKNOWN = {
    "nvidia-smi is not installed": ({"device": A100, "seen": {"gpu_tool": None}}, "memory", "works"),
    "GPU memory is not reported": (
        {
            "device": A100,
            "min_memory_gb": 1,
            "seen": {"gpu_tool": GpuTool(status=0, gpus=(replace(GPU, memory_mb=None),))},
        },
        "memory",
        "works",
    ),
    "the command has no result": ({"device": FPGA, "command": 0}, "memory", "works"),
    "the driver is unknown": ({"device": replace(FPGA, driver=UNREAD)}, "present", "driver"),
    "BARs are unknown": ({"device": replace(FPGA, unplaced=UNREAD)}, "driver", "memory"),
    "the command register is unknown": ({"device": replace(FPGA, decoding=UNREAD)}, "driver", "memory"),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_unknown(case: str) -> None:
    given_values, step, failed_at = UNKNOWN[case]
    assert verdict(**given_values)[:3] == ("unknown", step, failed_at)


def test_every_trouble_says_why_and_what_to_do() -> None:
    for given_values, *_more in [*FAILED.values(), *UNKNOWN.values()]:
        values = dict(given_values)
        device, seen = values.pop("device"), values.pop("seen", {})
        found = judge(report(device, **seen), [Expectation(**{"ids": (device.ids,), **values})], VM_UUID).finding
        assert found.reason
        assert found.cure


# --- identity --------------------------------------------------------------------------------------------------------------


def test_a_guest_proves_itself_in_both_byte_orders() -> None:
    assert swapped(UUID) == "c4a231426e5d807f91a2b3c4d5e6f708"
    for uuid in (UUID, swapped(UUID)):
        assert judge(report(A100, uuid=uuid), [Expectation(ids=("10de:20f1",))], VM_UUID).finding.status == "verified"


@search(2)
@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_two_uuids_are_one_machine_only_in_one_of_the_two_orders(one: bytes, other: bytes) -> None:
    assert swapped(swapped(one.hex())) == one.hex()
    assert same_machine(one.hex(), swapped(one.hex()))
    assert same_machine(one.hex(), other.hex()) == (other.hex() in (one.hex(), swapped(one.hex())))


WRONG = {
    "another machine": ("ff" + UUID[2:], VM_UUID, "guest_wrong_machine"),
    "the guest does not say": (UNREAD, VM_UUID, "guest_uuid_unknown"),
    "vCenter does not say": (UUID, None, "guest_uuid_unknown"),
    "vCenter says nonsense": (UUID, "x", "guest_uuid_unknown"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_guest_that_may_be_another_machine_is_unknown(case: str) -> None:
    guest, vm, code = WRONG[case]
    found = judge(report(A100, uuid=guest), [Expectation(ids=("10de:20f1",))], vm)
    assert (found.finding.status, found.finding.step, found.finding.code) == ("unknown", "", code)
    assert [device.finding.status for device in found.devices] == ["unknown"]


# --- the whole guest -------------------------------------------------------------------------------------------------------


def test_the_worst_device_decides() -> None:
    second = replace(A100, address="0000:04:00.0", driver="")
    found = judge(
        report(A100, second, replace(NVME, controllers=(LIVE,))),
        [Expectation(ids=("10de:20f1",), count=2), Expectation(ids=("8086:2701",))],
        VM_UUID,
    )
    assert [device.finding.status for device in found.devices] == ["failed", "verified"]
    assert (found.finding.status, found.devices[0].found) == ("failed", 2)


def test_nothing_expected_is_unknown() -> None:
    assert judge(report(A100), [], VM_UUID).finding.code == "guest_nothing_expected"


def test_a_guest_that_was_not_asked_is_not_verified() -> None:
    skipped = not_verified("when is never", [Expectation(ids=("10de:20f1",))])
    unread = unreadable(GuestError(message="It ends", code="guest_output_cut"), [Expectation(ids=("10de:20f1",))])
    assert [one.finding.status for one in (skipped, *skipped.devices)] == ["not_verified"] * 2
    assert [one.finding.status for one in (unread, *unread.devices)] == ["unknown"] * 2


facts = st.sampled_from([True, False, UNREAD])
devices = st.builds(
    GuestDevice,
    address=st.sampled_from([ADDRESS, "0000:04:00.0"]),
    vendor_id=st.sampled_from(["10de", "8086"]),
    device_id=st.sampled_from(["20f1", "2701"]),
    class_id=st.sampled_from(["030200", "010802", "020000", "", "120000"]),
    driver=st.sampled_from(["nvidia", "nvme", "", "vfio-pci", UNREAD]),
    answers=st.booleans(),
    decoding=facts,
    unplaced=st.sampled_from([(), (1,), UNREAD]),
    placed=st.sampled_from([0, 2]),
    problem=st.sampled_from([0, 0, 12, 28, 43, 99]),
    controllers=st.sampled_from([(), (LIVE,)]),
    links=st.sampled_from([(), (UP,)]),
)
reports = st.builds(
    GuestReport,
    os=st.sampled_from(["linux", "windows"]),
    uuid=st.sampled_from([UUID, swapped(UUID), "ff" * 8 + "00" * 8, UNREAD]),
    devices=st.lists(devices, max_size=3).map(tuple),
    gpu_tool=st.sampled_from([None, GpuTool(status=0, gpus=(GPU,)), GpuTool(status=9)]),
    commands=st.sampled_from([{}, {0: 0}, {0: 1}]),
)
expectations = st.lists(
    st.builds(
        Expectation,
        ids=st.sampled_from([("10de:20f1",), ("10de",), ("8086:2701", "8086:20f1")]),
        count=st.integers(1, 2),
        drivers=st.sampled_from([(), ("nvidia",)]),
        works=st.sampled_from(["auto", "none", "nvidia-smi", "nvme", "link"]),
        min_memory_gb=st.sampled_from([None, 40, 80]),
        command=st.sampled_from([None, 0]),
    ),
    max_size=2,
)


@search(4)
@given(reports, expectations)
def test_verified_needs_a_proof_of_every_device(seen: GuestReport, expected: list[Expectation]) -> None:
    found: GuestVerdict = judge(seen, expected, VM_UUID)
    statuses = [device.finding.status for device in found.devices]
    if found.finding.status == "verified":
        assert expected
        assert not isinstance(seen.uuid, Unknown)
        assert same_machine(seen.uuid, UUID)
        assert set(statuses) == {"verified"}
        for one in expected:
            matching = [device for device in seen.devices if one.matches(device)]
            assert len(matching) >= one.count
            assert all(device.answers and device.problem == 0 and device.unplaced != (1,) for device in matching)
            assert all(device.driver not in ("", "vfio-pci") and device.decoding is not False for device in matching)
            if one.works == "none" and one.command is None:
                assert UNREAD not in [
                    fact for device in matching for fact in (device.driver, device.unplaced, device.decoding)
                ]
    else:
        assert found.finding.reason
        assert found.finding.cure
    assert "failed" not in statuses or found.finding.status == "failed"
    for device, finding in itertools.chain((("", found.finding),), ((d.device, d.finding) for d in found.devices)):
        assert (finding.status == "verified") == (not finding.failed_at), device
        assert finding.step == "" or not finding.failed_at or STEPS.index(finding.step) < STEPS.index(finding.failed_at)
