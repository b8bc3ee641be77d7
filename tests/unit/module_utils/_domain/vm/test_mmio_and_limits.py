# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.vms import SriovBacking, Vm, VmDevice
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.details import ExtraConfig
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.plan import TargetPlan
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.desired.mmio import (
    DesiredMmio,
    is_power_of_two,
    parse_mmio,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.gpu_memory import MODEL_MEMORY_GB
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.limits import (
    check_hardware,
    check_limit,
    counts_towards_limit,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.mmio import (
    SIZE_KEY,
    USE_KEY,
    MmioDevice,
    bar_gb,
    current_size_gb,
    plan_mmio,
)
from tests.unit.module_utils._domain.vm.builders import (
    A100,
    NIC,
    WINDOW,
    card,
    codes,
    dynamic,
    esx,
    fixed,
    guest,
    locked,
    plan_one,
)

V100 = MmioDevice(ids="10de:1db4", class_id="0302", name="Tesla V100 PCIe 16GB")
BIG = MmioDevice(ids="1002:7408", class_id="1200", name="Instinct 64 GB")
CARD = MmioDevice(ids=A100, class_id="0302", name="A100-PCIE-40GB")
PORT = MmioDevice(ids=NIC, class_id="0200", name="X710")
ODD = MmioDevice(ids="abcd:0001", class_id="0302", name="Mystery")


@pytest.mark.parametrize(
    ("devices", "desired", "size", "arithmetic"),
    [
        ([V100], {}, 32, "1 x 16 (10de:1db4)"),
        ([V100] * 2, {}, 64, "2 x 16 (10de:1db4)"),
        ([V100] * 3, {}, 64, "3 x 16 (10de:1db4)"),
        ([CARD], {}, 128, "1 x 64 (10de:20f1, 40 GB of memory)"),
        ([CARD] * 2, {}, 256, "2 x 64 (10de:20f1, 40 GB of memory)"),
        ([BIG], {}, 128, "1 x 64 (1002:7408)"),
        ([PORT], {}, 32, "1 x 0 (8086:1572)"),
        ([PORT, V100], {}, 32, "1 x 16 (10de:1db4) + 1 x 0 (8086:1572)"),
        ([ODD], {"per_device_gb": {"abcd:0001": 48}}, 128, "1 x 64 (abcd:0001, 48 GB of memory)"),
        ([CARD], {"per_device_gb": {A100: 16}}, 32, "1 x 16 (10de:20f1)"),
        ([ODD], {"size_gb": 512}, 512, ""),
        ([CARD], {"size_gb": 1024}, 1024, "1 x 64 (10de:20f1, 40 GB of memory)"),
    ],
)
def test_window(devices: list[MmioDevice], desired: dict[str, Any], size: int, arithmetic: str) -> None:
    made = plan_mmio(guest(), DesiredMmio(**desired), devices)
    assert made.blockers == ()
    assert [change.detail for change in made.changes] == [
        ExtraConfig(key=USE_KEY, value="TRUE"),
        ExtraConfig(key=SIZE_KEY, value=str(size)),
    ]
    if made.facts is not None:
        assert (made.facts.devices, made.facts.size_gb) == (arithmetic, size)


def test_nothing_without_devices() -> None:
    made = plan_mmio(guest(firmware="bios"), DesiredMmio(), [])
    assert (made.changes, made.blockers) == ((), ())


def test_settings_in_force_are_left_alone_whatever_their_spelling() -> None:
    vm = guest(extra_config={"pcipassthru.use64bitmmio": "true", "pciPassthru.64bitMMIOSizeGB": "512"})
    made = plan_mmio(vm, DesiredMmio(), [CARD])
    assert made.changes == ()
    assert made.facts is not None
    assert made.facts.kept_larger is True
    assert made.facts.size_gb == 512


def test_a_smaller_window_is_raised() -> None:
    vm = guest(extra_config={USE_KEY: "TRUE", SIZE_KEY: "64"})
    (change,) = plan_mmio(vm, DesiredMmio(), [CARD]).changes
    assert (change.kind, change.subject, change.before, change.after) == ("extra_config", SIZE_KEY, "64", "128")


@pytest.mark.parametrize(
    ("vm", "desired", "devices", "code", "words"),
    [
        (guest(firmware="bios"), {}, [CARD], "firmware_not_efi", ["BIOS", "needs EFI"]),
        (guest(), {}, [ODD], "mmio_size_unknown", ["abcd:0001 Mystery"]),
        (guest(), {}, [MmioDevice(ids="abcd:0002")], "mmio_size_unknown", ["abcd:0002"]),
        (guest(), {"size_gb": 64}, [CARD], "mmio_size_too_small", ["64 GB", "= 64 GB"]),
        (
            guest(),
            {"per_device_gb": {A100: 65536}},
            [CARD] * 16,
            "bad_mmio_size",
            ["2097152 GB", "largest is 1048576 GB"],
        ),
        (guest(), {"per_device_gb": {A100: 65536}, "size_gb": 64}, [CARD] * 16, "bad_mmio_size", ["2097152 GB"]),
    ],
)
def test_refused(vm: Any, desired: dict[str, Any], devices: list[MmioDevice], code: str, words: list[str]) -> None:
    (blocker,) = plan_mmio(vm, DesiredMmio(**desired), devices).blockers
    assert blocker.code == code
    assert blocker.cure
    for word in words:
        assert word in blocker.message


def test_the_largest_window_is_the_largest_of_the_option() -> None:
    made = plan_mmio(guest(), DesiredMmio(per_device_gb={A100: 65536}), [CARD] * 15)
    assert not made.blockers
    assert current_size_gb(guest(extra_config={SIZE_KEY: made.changes[-1].detail.value})) == 1 << 20


@pytest.mark.parametrize(
    ("desired", "says"),
    [
        ({"size_gb": 48}, "Use 64"),
        ({"size_gb": 1_000_000}, "Use 1048576"),
        ({"size_gb": 0}, "mmio.size_gb is 0, but must be 1 to 1048576 gigabytes"),
        ({"size_gb": -5}, "mmio.size_gb is -5, but must be 1 to 1048576 gigabytes"),
        ({"size_gb": 100_000_000}, "mmio.size_gb is 100000000, but must be 1 to 1048576 gigabytes"),
        ({"size_gb": 1 << 27}, "mmio.size_gb is 134217728, but must be 1 to 1048576 gigabytes"),
        ({"per_device_gb": {A100: -1}}, "mmio.device_gb of 10de:20f1 is -1, but must be 0 to 65536 gigabytes"),
        ({"per_device_gb": {A100: 65537}}, "mmio.device_gb of 10de:20f1 is 65537, but must be 0 to 65536 gigabytes"),
    ],
)
def test_impossible_sizes_are_input_errors(desired: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as caught:
        DesiredMmio(**desired)
    assert says in caught.value.sentence()
    assert ("power of two" in caught.value.message) is ("Use" in says)
    assert caught.value.code == "bad_mmio_size"
    assert caught.value.parameter == "mmio"


@given(
    st.dictionaries(st.sampled_from(["aaaa:0001", "aaaa:0002", "aaaa:0003"]), st.integers(1, 200), min_size=1),
    st.lists(st.integers(0, 2), min_size=1, max_size=16),
    st.one_of(st.none(), st.integers(0, 20).map(lambda power: 2**power)),
)
def test_window_is_a_power_of_two_above_the_sum_and_never_lowered(
    sizes: dict[str, int], picks: list[int], current: int | None
) -> None:
    models = sorted(sizes)
    devices = [MmioDevice(ids=models[pick % len(models)], class_id="0302", name="card") for pick in picks]
    vm = guest(extra_config={} if current is None else {SIZE_KEY: str(current)})
    made = plan_mmio(vm, DesiredMmio(per_device_gb=sizes), devices)
    after = replace(
        vm, extra_config={**vm.extra_config, **{change.detail.key: change.detail.value for change in made.changes}}
    )
    size = current_size_gb(after)
    assert size is not None
    assert is_power_of_two(size)
    assert size > sum(bar_gb(sizes[device.ids]) for device in devices) >= sum(sizes[device.ids] for device in devices)
    assert size >= (current or 0)
    assert plan_mmio(after, DesiredMmio(per_device_gb=sizes), devices).changes == ()
    assert plan_mmio(vm, DesiredMmio(per_device_gb=sizes), devices[::-1]) == made


@pytest.mark.parametrize(
    ("count", "maximum", "refused"), [(16, 16, False), (17, 16, True), (99, None, False), (0, 0, False)]
)
def test_limit(count: int, maximum: int | None, refused: bool) -> None:
    blocker = check_limit(guest(), count, maximum)
    assert (blocker is not None) is refused
    if blocker is not None:
        assert blocker.code == "too_many_devices"
        assert (
            "train-01 would have 17 passthrough devices, but its host allows 16 with hardware version 19"
            in blocker.message
        )


def test_sriov_adapters_do_not_count() -> None:
    adapter = VmDevice(key=13031, label="NIC", backing=SriovBacking(physical_function="0000:05:00.0"))
    assert counts_towards_limit([fixed("3b:00.0"), dynamic(), adapter]) == 2


@pytest.mark.parametrize(
    ("version", "backing", "cure"),
    [
        (17, "dynamic", None),
        (16, "dynamic", "backing: fixed"),
        (7, "fixed", None),
        (4, "fixed", "hardware version 7"),
        (4, "dynamic", "hardware version 17 or later (it must be off)"),
        (0, "dynamic", None),
    ],
)
def test_hardware_version(version: int, backing: Any, cure: str | None) -> None:
    blocker = check_hardware(guest(hardware_version=version), backing)
    if cure is None:
        assert blocker is None
    else:
        assert blocker is not None
        assert blocker.code == "hardware_version"
        assert f"hardware version {version}" in blocker.message
        assert cure in blocker.cure
        assert ("fixed" in blocker.cure) is (version == 16)


def test_a_card_in_another_spelling_is_the_same_card() -> None:
    """It would match nothing otherwise, and nothing would say so."""
    desired = parse_mmio(None, {"10DE:20F1": "40", "0x10de:1eb8": 16.0})
    assert desired.per_device_gb == {"10de:20f1": 40, "10de:1eb8": 16}


@pytest.mark.parametrize("sizes", [{"a100": 40}, [40], {"10de:20f1": True}])
def test_sizes_for_no_card_are_refused(sizes: object) -> None:
    with pytest.raises(InputError):
        parse_mmio(None, sizes)


class TestACardOfUnknownSize:
    """Home lab: an RTX A6000 whose size was not known; the running VM was shut down, changed, and stayed off."""

    UNKNOWN = card("3b:00.0", "10de:ffff", class_id="0300", name="Mystery")

    def planned(self, vm: Vm, **more: Any) -> TargetPlan:
        return plan_one(vm, [esx("esx-01", self.UNKNOWN)], "10de:ffff", backing="fixed", power="cycle", **more)

    def test_is_refused_before_anything_is_stopped(self) -> None:
        target = self.planned(guest(power_state="poweredOn"))
        assert codes(target) == ["mmio_size_unknown"]
        assert target.effective == ()
        assert 'mmio: {device_gb: {"10de:ffff": 48}}, or 0 if its BARs are small' in target.blockers[0].cure

    def test_also_for_a_vm_that_is_off(self) -> None:
        assert codes(self.planned(guest())) == ["mmio_size_unknown"]

    def test_not_where_the_vm_has_a_window_or_ran_with_that_model(self) -> None:
        assert codes(self.planned(guest(power_state="poweredOn", extra_config=WINDOW))) == []
        other = replace(self.UNKNOWN, address="0000:5e:00.0")
        vm = guest("a", fixed("5e:00.0", "10de:ffff"), power_state="poweredOn")
        target = plan_one(
            vm,
            [esx("esx-01", self.UNKNOWN, other)],
            {"match": "10de:ffff", "count": 2},
            backing="fixed",
            power="cycle",
        )
        assert "mmio_size_unknown" not in codes(target)

    @pytest.mark.parametrize("size", [0, 48])
    def test_a_size_or_zero_overrides(self, size: int) -> None:
        target = self.planned(guest(power_state="poweredOn"), mmio=DesiredMmio(per_device_gb={"10de:ffff": size}))
        assert codes(target) == []
        assert [change.subject for change in target.changes if change.kind == "extra_config"] == (
            [] if size == 0 else [USE_KEY, SIZE_KEY]
        )


def test_a_running_vm_is_not_stopped_for_a_change_after_which_it_would_not_start() -> None:
    host = esx("esx-01", card("3b:00.0"))
    target = plan_one(guest(power_state="poweredOn"), [host], A100, power="cycle")
    assert codes(target) == ["will_not_start"]
    assert target.effective == ()
    assert "it will probably fail to power on" in target.blockers[0].message
    assert codes(plan_one(guest(power_state="poweredOn"), [host], A100, power="off")) == []
    assert codes(plan_one(guest(), [host], A100, power="keep")) == []


class TestAVmThatIsStarted:
    """It has a large card, or gets one, and nothing makes room for it."""

    HOST = esx("esx-01", card("3b:00.0"), card("5e:00.0", NIC))
    OFF = guest("train-01", fixed("3b:00.0"), memory=locked())

    def planned(self, vm: Vm, *devices: Any, power: Any = "on", **more: Any) -> TargetPlan:
        return plan_one(vm, [self.HOST], *devices, backing="fixed", power=power, **more)

    @pytest.mark.parametrize("has", [True, False])
    def test_is_refused_before_anything_is_changed(self, has: bool) -> None:
        target = self.planned(self.OFF if has else guest(memory=locked()), A100)
        assert codes(target) == ["will_not_start"]
        assert target.effective == ()
        assert target.blockers[0].message.startswith("train-01 is not powered on: its cards map 1 x 64")

    def test_also_where_only_another_device_comes_or_goes(self) -> None:
        assert codes(self.planned(self.OFF, NIC)) == ["will_not_start"]
        both = replace(self.OFF, devices=(*self.OFF.devices, fixed("5e:00.0", NIC, key=13001)))
        assert codes(self.planned(both, A100, state="exactly")) == ["will_not_start"]
        assert codes(self.planned(both, A100, state="absent")) == []

    def test_not_where_it_is_only_detached_from_as_that_powers_on_nothing(self) -> None:
        both = replace(self.OFF, devices=(*self.OFF.devices, fixed("5e:00.0", NIC, key=13001)))
        target = self.planned(both, NIC, state="absent", mmio=DesiredMmio())
        assert codes(target) == []
        assert "power_on" not in [change.kind for change in target.changes]

    @pytest.mark.parametrize("extra", [{SIZE_KEY: "128"}, {USE_KEY: "TRUE"}, {USE_KEY: "FALSE", SIZE_KEY: "128"}])
    def test_half_a_setting_is_no_window(self, extra: dict[str, str]) -> None:
        assert codes(self.planned(replace(self.OFF, extra_config=extra), A100)) == ["will_not_start"]

    def test_not_with_a_window_or_a_word_about_its_size(self) -> None:
        assert codes(self.planned(replace(self.OFF, extra_config=WINDOW), A100)) == []
        for said in (DesiredMmio(), DesiredMmio(per_device_gb={A100: 0})):
            assert codes(self.planned(self.OFF, A100, mmio=said)) == []

    @pytest.mark.parametrize("state", ["poweredOn", "suspended"])
    def test_one_that_ran_with_its_card_has_room_for_it(self, state: str) -> None:
        running = replace(self.OFF, power_state=state)
        assert codes(self.planned(running, A100)) == []
        if state == "poweredOn":
            assert codes(self.planned(running, NIC, power="cycle")) == []


def test_the_table_has_current_cards_of_three_makers() -> None:
    for ids, size in {"10de:2230": 48, "10de:2684": 24, "10de:2bb5": 96, "1002:74a1": 192, "8086:56c0": 16}.items():
        assert MODEL_MEMORY_GB[ids] == size
    assert all(
        re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{4}", ids) and 0 < size < 1024 for ids, size in MODEL_MEMORY_GB.items()
    )
