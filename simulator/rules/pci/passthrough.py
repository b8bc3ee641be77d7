# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What UpdatePassthruConfig accepts, and what happens to a device then and at the next boot.

Sources: vSphere Web Services API reference (HostPciPassthruSystem, HostPciPassthruConfig, HostPciPassthruInfo),
KB 309986 (enable, pending, reboot), KB 312208 (functions that reset together), KB 391460 (ACS check), esxcli
`hardware pci pcipassthru` output for the text about uplinks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from .. import faults
from ..knobs import Knobs


@dataclass(frozen=True, kw_only=True, slots=True)
class Sriov:
    """Virtual functions of a physical function: what is asked for and what is there."""

    enabled: bool = False
    active: bool = False
    requested: int = 0
    present: int = 0
    maximum: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Passthrough:
    """The state of one PCI function as `pciPassthruInfo` shows it, with what decides its future.

    `identity` is vendor:device in hexadecimal; `resettable` says that the host can take the device from its driver
    without a boot.
    """

    address: str
    identity: str
    dependent: str
    capable: bool
    enabled: bool = False
    active: bool = False
    label: str = ""
    resettable: bool = True
    sriov: Sriov | None = None
    physical: str = ""
    """The card that a virtual function belongs to."""
    mode: str = ""
    """The mode that was configured from 9.1 on; empty: none was, so that `enabled` says it. See device_modes."""
    mode_before: str = ""
    mode_waits: str = ""
    """What the configured mode waits for: `maintenance`, `reboot`, or nothing; until then `mode_before` is in effect."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One element of UpdatePassthruConfig, decoded."""

    address: str
    enabled: bool
    apply_now: bool | None = None
    label: str | None = None
    sriov_enabled: bool | None = None
    virtual_functions: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class HostAbility:
    """What the host can do (`HostCapability`), and which of its devices are busy."""

    rebind: bool = False
    labels: bool = False
    uplinks: Mapping[str, tuple[str, str]] = dataclasses.field(default_factory=dict)
    busy_storage: Collection[str] = ()
    held: Collection[str] = ()


def check(devices: Mapping[str, Passthrough], request: Request, ability: HostAbility, knobs: Knobs) -> None:
    """Raise the fault the host gives for one request; the boot disk and busy storage are not refused (field reports).

    An SR-IOV request on an uplink is accepted: a physical function keeps serving its switch. One function is passed through or
    serves virtual functions, never both (vSphere networking guide; the fault is a knob).
    """
    device = devices.get(request.address)
    if device is None:
        raise faults.config_refusal(knobs.unknown_id_fault, f"Device {request.address} does not exist.")
    if device.physical:
        raise faults.config_refusal(
            knobs.not_capable_fault,
            f"Unable to configure the PCI device {request.address}: it is a virtual function of {device.physical}.",
        )
    if request.enabled and not device.capable:
        raise faults.config_refusal(
            knobs.not_capable_fault,
            f"Unable to configure the PCI device {request.address}: Device is not capable of passthru.",
        )
    if request.enabled and (request.sriov_enabled or (request.sriov_enabled is None and _serves_functions(device))):
        raise faults.config_refusal(
            knobs.sriov_conflict_fault,
            f"Unable to configure the PCI device {request.address}: passthru and SR-IOV exclude each other.",
        )
    if request.enabled and not device.enabled and request.address in ability.uplinks:
        switch, nic = ability.uplinks[request.address]
        if knobs.uplink_fault != "accept":
            raise faults.config_refusal(
                knobs.uplink_fault,
                "Unable to configure the PCI device: Device ownership cannot be changed to passthru as it is used by "
                f"vswitch {switch} for uplink {nic}.",
            )
    if request.enabled and knobs.storage_refused and request.address in ability.busy_storage:
        raise faults.config_refusal("host_config_fault", f"Device {request.address} is in use by the storage stack.")
    if request.sriov_enabled is None and knobs.same_value_fault != "succeed" and _same(device, request):
        owner = "passthru" if request.enabled else "vmkernel"
        raise faults.config_refusal(
            knobs.same_value_fault,
            f"Unable to configure the PCI device: Device owner is already configured to {owner}.",
        )
    if request.sriov_enabled:
        _check_virtual_functions(device, request)


def _serves_functions(device: Passthrough) -> bool:
    """Whether its virtual functions are configured. A request that turns them off says so (HostSriovConfig, API reference)."""
    return device.sriov is not None and device.sriov.enabled


def _same(device: Passthrough, request: Request) -> bool:
    return device.enabled == request.enabled and request.label in (None, device.label)


def _check_virtual_functions(device: Passthrough, request: Request) -> None:
    maximum = device.sriov.maximum if device.sriov else 0
    if not 0 < (request.virtual_functions or 0) <= maximum:
        raise faults.invalid_argument("config.numVirtualFunction")


def group_of(devices: Mapping[str, Passthrough], address: str) -> list[str]:
    """Every address with the same dependent device, sorted; the device alone when it depends on itself (KB 312208)."""
    dependent = devices[address].dependent
    return sorted(key for key, item in devices.items() if item.dependent == dependent)


def rebinds_now(request: Request, device: Passthrough, ability: HostAbility) -> bool:
    """Whether the change takes effect without a boot.

    `applyNow` unset leaves it to `capability.deviceRebindWithoutRebootSupported`; set, it still needs that capability
    (API reference). A device that cannot be reset, that holds mounted storage or that a running VM has waits for the
    boot either way: its driver cannot let go.
    """
    busy = device.address in ability.busy_storage or device.address in ability.held
    return ability.rebind and device.resettable and not busy and request.apply_now is not False


def configured(
    devices: Mapping[str, Passthrough], requests: Sequence[Request], ability: HostAbility, knobs: Knobs
) -> dict[str, Passthrough]:
    """Return the devices that change; all requests are checked before one is applied (the call is atomic)."""
    for request in requests:
        check(devices, request, ability, knobs)
    after: dict[str, Passthrough] = {}
    for request in requests:
        for address in _reached(devices, request, knobs):
            device = after.get(address, devices[address])
            after[address] = _applied(device, request, ability, knobs, direct=address == request.address)
    return {address: device for address, device in after.items() if device != devices[address]}


def _reached(devices: Mapping[str, Passthrough], request: Request, knobs: Knobs) -> list[str]:
    if not knobs.group_follows or request.sriov_enabled is not None:
        return [request.address]
    group = group_of(devices, request.address)
    return [item for item in group if item == request.address or devices[item].capable or not request.enabled]


def _applied(device: Passthrough, request: Request, ability: HostAbility, knobs: Knobs, *, direct: bool) -> Passthrough:
    now = rebinds_now(request, device, ability) and not held_for_ever(device, knobs)
    changed = dataclasses.replace(device, enabled=request.enabled)
    if request.enabled != device.enabled:
        changed = dataclasses.replace(changed, mode="", mode_before="", mode_waits="")
    if now or (not request.enabled and not device.active):
        changed = dataclasses.replace(changed, active=request.enabled)
    if direct and request.label is not None and ability.labels:
        changed = dataclasses.replace(changed, label=request.label)
    if device.sriov and request.sriov_enabled is not None:
        changed = dataclasses.replace(
            changed, sriov=_sriov(device.sriov, request, knobs, now=now and (knobs.sriov_at_once or request.enabled))
        )
    return changed


def _sriov(state: Sriov, request: Request, knobs: Knobs, *, now: bool) -> Sriov:
    wanted = (request.virtual_functions or 0) if request.sriov_enabled else 0
    after = dataclasses.replace(state, enabled=bool(request.sriov_enabled), requested=wanted)
    return sriov_at_boot(after, knobs) if now else after


def sriov_at_boot(state: Sriov, knobs: Knobs, parameter: int | None = None) -> Sriov:
    """The requested virtual functions exist after a boot (vendor test suites compare the two after a reboot).

    `parameter` is what the driver's own parameter says for this function. Whether it or the API wins is a knob, and so is how many
    interrupt vectors and driver leave of them (vSphere networking guide).
    """
    number = state.requested if state.enabled else 0
    if parameter is not None and knobs.driver_parameter_wins:
        number = min(parameter, state.maximum)
    if knobs.virtual_functions_at_most:
        number = min(number, knobs.virtual_functions_at_most)
    return dataclasses.replace(state, active=number > 0, present=number)


def named(device: Passthrough, names: Iterable[str]) -> bool:
    """Whether a knob's list names this device: by address, by vendor:device, or by `all`."""
    return any(name in ("all", device.address, device.identity) for name in names)


def held_for_ever(device: Passthrough, knobs: Knobs) -> bool:
    """Whether the knob `never_active` names the device: an ACS or IOMMU problem no boot settles (KB 391460)."""
    return named(device, knobs.never_active)


def at_boot(device: Passthrough, knobs: Knobs, parameter: int | None = None) -> Passthrough:
    """The device after a boot: active follows enabled, unless it is not capable or a knob holds it back. `parameter`: see
    `sriov_at_boot`."""
    held = held_for_ever(device, knobs) or named(device, knobs.pending_again)
    after = dataclasses.replace(device, active=device.enabled and device.capable and not held)
    if after.sriov:
        after = dataclasses.replace(after, sriov=sriov_at_boot(after.sriov, knobs, parameter))
    return after


def is_pending(device: Passthrough) -> bool:
    """Enabled and active differ, or virtual functions do: a reboot is required (KB 309986)."""
    if device.sriov and (device.sriov.enabled != device.sriov.active or device.sriov.requested != device.sriov.present):
        return True
    return device.enabled != device.active


def reboot_required(pending: bool, major: int, knobs: Knobs) -> bool:
    """summary.rebootRequired; whether passthrough sets it from 7.0 on is not published, hence a knob."""
    if knobs.reboot_required_flag == "always":
        return pending
    return pending and knobs.reboot_required_flag == "before_7" and major < 7
