# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input to the modules for virtual machines: names, wishes, what a VM or its host cannot have, memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.unit.modules.bad_input.cases import Case
from tests.unit.modules.harness import Lab
from tests.unit.pains.labs import A100, FIRST, SECOND, desired, host, lab, on, vm

TWO = [on(), on()]
WAITING = {FIRST: {"enabled": True, "active": False}, SECOND: {"enabled": True, "active": False}}
READER = {"users": [{"name": "admin"}, {"name": "reader@vsphere.local", "role": "ReadOnly"}]}


def one(**vm_options: Any) -> Callable[[], Lab]:
    """A host with two active cards and one VM, ``train-01``."""
    return lambda: lab([host(cards=TWO)], [vm(**vm_options)])


def attach(title: str, code: str | None, says: tuple[str, ...], **more: Any) -> Case:
    """One A100 for train-01, off, unless ``options`` says otherwise."""
    options = more.pop("options", {})
    where = {} if "vms" in options else {"vm": ["train-01"]}
    devices = {} if "vms" in options and "devices" not in options else {"devices": desired()}
    return Case(
        title=title,
        module="vm_pci_device",
        options={key: value for key, value in {**where, **devices, **options}.items() if value is not None},
        code=code,
        says=says,
        lab=more.pop("lab", one()),
        **more,
    )


def reserve(title: str, code: str | None, says: tuple[str, ...], **more: Any) -> Case:
    return Case(
        title=title,
        module="vm_memory_reservation",
        options={"vm": ["train-01"], **more.pop("options", {})},
        code=code,
        says=says,
        lab=more.pop("lab", one()),
        **more,
    )


def _set(part: str, name: str, value: Any) -> Callable[[Lab], None]:
    """Change a property of train-01 behind the back of everybody."""

    def change(lab: Lab) -> None:
        with lab.sim.find("VirtualMachine", "train-01").edit(part) as whole:
            setattr(whole, name, value)

    return change


NAMES = [
    attach("a VM that does not exist", "unknown_vm", ("'train-1'", "train-01"), options={"vm": ["train-1"]}),
    attach(
        "a name that two VMs have",
        "ambiguous_vm",
        ("'train-01'", "/DC/vm/a/train-01", "/DC/vm/b/train-01", "inventory path"),
        lab=lambda: lab([host(cards=TWO)], [vm(folder="a"), vm(folder="b")]),
    ),
    attach(
        "a name of one VM that is the managed object id of another one",
        "ambiguous_vm",
        ("'vm-2'", "/DC/vm/train-01 (vm-2)", "/DC/vm/vm-2 (vm-1)", "inventory path"),
        options={"vm": ["vm-2"]},
        lab=lambda: lab([host(cards=TWO)], [vm("vm-2"), vm()]),
    ),
    attach(
        "a managed object id as a name",
        "unknown_vm",
        ("'vm-1'", "train-01"),
        options={"vms": [{"name": "vm-1", "devices": desired()}]},
    ),
    attach(
        "a name and a managed object id",
        "no_vms",
        ("vms[0]", "both", "Give name or moid"),
        options={"vms": [{"name": "train-01", "moid": "vm-1", "devices": desired()}]},
    ),
    attach("an empty list of VMs", "no_vms", ("No VM is named", "Name at least one VM"), options={"vm": []}),
    attach(
        "an entry without a name",
        "no_vms",
        ("vms[0]", "Give name or moid"),
        options={"vms": [{"devices": desired()}]},
    ),
    attach(
        "the same VM twice, by name and by path",
        "vm_twice",
        ("train-01", "one entry"),
        options={"vms": [{"name": "train-01", "devices": desired()}, {"name": "vm/train-01", "devices": desired()}]},
    ),
    attach("neither vm nor vms", None, ("vm, vms",), options={"vm": None}),
    attach("vm and vms together", None, ("vm|vms",), options={"vm": ["train-01"], "vms": [{"name": "train-01"}]}),
    attach("a power that does not exist", None, ("power", "restart"), options={"power": "restart"}),
]

DESIRED = [
    attach(
        "state: absent without a device",
        "nothing_named",
        ("train-01", "state: exactly with an empty list"),
        options={"state": "absent", "devices": []},
    ),
    attach(
        "a dynamic device by address",
        "dynamic_by_place",
        ("train-01", FIRST, "backing: fixed"),
        options={"backing": "dynamic", "devices": desired(FIRST)},
    ),
    attach(
        "one address for VMs of two hosts",
        "address_needs_identity",
        (FIRST, "2 hosts", "Add vendor_id and device_id"),
        options={"vm": ["train-01", "train-02"], "devices": desired(FIRST)},
        lab=lambda: lab([host(cards=TWO), host("esx-02", TWO)], [vm(), vm("train-02", host="esx-02")]),
    ),
    attach(
        "an MMIO window that is no power of two",
        "bad_mmio_size",
        ("100 GB", "Use 128"),
        options={"mmio": {"size_gb": 100}},
    ),
    attach(
        "a card's memory in words",
        "bad_mmio_size",
        ("device_gb", '"10de:20f1"'),
        options={"mmio": {"device_gb": {A100: "forty"}}},
    ),
    attach(
        "an MMIO window that is too large",
        "bad_mmio_size",
        ("mmio.size_gb is 100000000, but must be 1 to 1048576 gigabytes",),
        options={"mmio": {"size_gb": 100_000_000}},
    ),
    attach(
        "a card's memory that no card has",
        "bad_mmio_size",
        (f"mmio.device_gb of {A100} is 100000000, but must be 0 to 65536 gigabytes",),
        options={"mmio": {"device_gb": {A100: 100_000_000}}},
    ),
    attach("an empty name", "no_vms", ("vm[0] is empty", "when"), options={"vm": [""]}),
    attach(
        "an MMIO window that is too small",
        "mmio_size_too_small",
        ("train-01", "2 x 64", "Use 256"),
        options={"devices": desired(count=2), "mmio": {"size_gb": 128}},
    ),
    attach(
        "a card whose memory is not known",
        "mmio_size_unknown",
        ("train-01", "10de:fff0", "device_gb"),
        options={"devices": desired("10de:fff0"), "mmio": {}},
        lab=lambda: lab([host(cards=[on("gpu-of-tomorrow")])], [vm()]),
    ),
    attach(
        "a card whose memory is not known, and no word about it",
        "mmio_size_unknown",
        ("train-01 has no 64-bit MMIO window", "10de:fff0", "or 0 if its BARs are small"),
        options={"devices": desired("10de:fff0"), "power": "cycle"},
        lab=lambda: lab([host(cards=[on("gpu-of-tomorrow")])], [vm(extra={})]),
    ),
    attach(
        "a device described wrongly",
        "bad_id",
        ("'A100'", "vendor:device"),
        options={"devices": desired("A100")},
    ),
    attach(
        "several models in one match",
        "ambiguous",
        ("train-01", "10de:20f1", "10de:2235", "Select one of them"),
        options={"devices": desired({"vendor_id": "10de"})},
        lab=lambda: lab([host(cards=[on(), on("a40")])], [vm()]),
    ),
    attach(
        "a dynamic device by more than it can name",
        "dynamic_too_wide",
        ("train-01", "hardware label", "esx-01"),
        options={"devices": desired({"vendor_id": "10de", "device_id": "20f1", "name": "*special*"})},
        lab=lambda: lab([host(cards=[on(), {"card": "a100", "enabled": True, "name": "A100 special"}])], [vm()]),
    ),
]

STATE = [
    attach(
        "a VM that runs",
        "powered_on",
        ("train-01 is running", "allow_shutdown: true"),
        lab=one(power="on"),
    ),
    attach(
        "a suspended VM",
        "suspended",
        ("train-01 is suspended", "Resume it"),
        options={"power": "cycle"},
        setup=_set("runtime", "powerState", "suspended"),
    ),
    attach(
        "a guest that cannot be shut down",
        "tools_not_running",
        ("VMware Tools is not running in train-01", "allow_power_off"),
        options={"power": "cycle"},
        lab=one(power="on", tools=False),
    ),
    attach("a VM with a snapshot", "snapshots", ("train-01 has snapshots", "Delete"), lab=one(snapshot=True)),
    attach(
        "a VM under Fault Tolerance",
        "fault_tolerance",
        ("train-01", "Turn Fault Tolerance off"),
        setup=_set("runtime", "faultToleranceState", "enabled"),
    ),
    attach(
        "a VM with nested virtualisation",
        "nested_virtualisation",
        ("train-01", "Turn off nested virtualization"),
        lab=one(nested=True),
    ),
    attach(
        "hot-plug together with a dynamic device",
        "hot_plug_conflict",
        ("train-01", "fixedPassthruHotPlugEnabled"),
        setup=_set("config", "fixedPassthruHotPlugEnabled", True),
    ),
    attach(
        "a hardware version that is too old",
        "hardware_version",
        ("train-01 has hardware version 14", "needs 17", "Upgrade the VM", "backing: fixed"),
        options={"backing": "dynamic"},
        lab=one(version=14),
    ),
    attach(
        "BIOS firmware with 64-bit MMIO",
        "firmware_not_efi",
        ("train-01 boots with BIOS", "installed with EFI"),
        options={"mmio": {}},
        lab=one(firmware="bios"),
    ),
    attach("a template", "template", ("train-01 is a template", "Convert it"), lab=one(template=True)),
    attach(
        "several of these at once",
        "snapshots",
        ("has snapshots", "nested virtualization", "boots with BIOS"),
        options={"mmio": {}},
        lab=one(snapshot=True, nested=True, firmware="bios"),
    ),
    attach(
        "a VM on a disconnected host",
        "vm_not_connected",
        ("train-01 is disconnected", "esx-01"),
        lab=lambda: lab([host(cards=TWO, connection="disconnected")], [vm()]),
    ),
]

SUPPLY = [
    attach(
        "more devices than a VM may have",
        "too_many_devices",
        ("train-01", "17 passthrough devices", "allows 16", "Reduce the number of devices"),
        options={"devices": desired("10de:1eb8", count=17)},
        lab=lambda: lab([host(cards=[on("t4")] * 17)], [vm(version=19)]),
    ),
    attach(
        "more devices than the host has",
        "no_free_device",
        ("train-01 needs 3 x 10de:20f1", "esx-01: 2 present", "reduce the count"),
        options={"devices": desired(count=3)},
    ),
    attach(
        "a device that another VM holds",
        "no_free_device",
        ("train-01", "held by train-02 (powered off)", "detach devices from other VMs"),
        options={"backing": "fixed", "devices": desired(count=2)},
        lab=lambda: lab([host(cards=TWO)], [vm(), vm("train-02", devices=[{"fixed": FIRST}])]),
    ),
    attach(
        "starting a VM whose devices running VMs hold",
        "no_free_device",
        ("train-01", "running VMs use them", "Power off VMs"),
        options={"devices": desired(count=2), "power": "on"},
        lab=lambda: lab([host(cards=TWO)], [vm(), vm("train-02", power="on", devices=[{"dynamic": [A100]}])]),
    ),
    attach(
        "a device no host of the VM has",
        "no_such_device",
        ("train-01", "10de:2235", "migrate the VM to a cluster that has them"),
        options={"devices": desired("10de:2235")},
    ),
    attach(
        "a device that is not enabled",
        "no_free_device",
        ("train-01", "esx-01: 2 present, 0 active", "host_passthrough"),
        lab=lambda: lab([host()], [vm()]),
    ),
    attach(
        "a device that waits for a reboot",
        "not_active",
        ("train-01", "esx-01", "enabled and not active", "Reboot esx-01"),
        lab=lambda: lab([host(states=WAITING)], [vm()]),
    ),
    attach(
        "another card at the address than expected",
        "identity_changed",
        ("train-01", FIRST, "10de:20f1", "addresses change"),
        options={"backing": "fixed", "devices": desired({"address": FIRST, "vendor_id": "10de", "device_id": "2235"})},
    ),
    attach(
        "dynamic devices on hosts that do not know them",
        "dynamic_unsupported",
        ("train-01", "backing: fixed"),
        options={"backing": "dynamic"},
        lab=lambda: lab([host(cards=TWO, version="6.7.0")], [vm(version=14)]),
    ),
    attach(
        "starting a VM that was moved away from its fixed device",
        "stale_device",
        ("train-01", "attached on another host", "Add the device to the desired devices"),
        options={"devices": desired("10de:2235"), "backing": "fixed", "power": "on"},
        lab=lambda: lab(
            [host(cards=[on(), on("a40")])], [vm(devices=[{"fixed": FIRST, "system_id": "00000000-1111"}])]
        ),
    ),
    attach(
        "starting a VM with a fixed device of a host in maintenance mode",
        "host_in_maintenance",
        ("train-01", "esx-01", "End maintenance mode of the host"),
        options={"backing": "fixed", "power": "on"},
        lab=lambda: lab([host(cards=TWO, maintenance=True), host("esx-02", [])], [vm()]),
    ),
    attach(
        "starting a VM without devices while no host of its cluster is in service",
        "host_in_maintenance",
        ("train-01", "esx-01: in maintenance mode", "esx-02: in maintenance mode", "Return such a host to service"),
        options={"devices": [], "state": "exactly", "power": "on"},
        lab=lambda: lab([host(maintenance=True), host("esx-02", [], maintenance=True)], [vm()]),
    ),
    attach(
        "starting a VM with nested virtualization and a device that is attached already",
        "nested_virtualisation",
        ("train-01", "Turn off nested virtualization"),
        options={"power": "on", "mmio": {}},
        lab=one(nested=True, devices=[{"dynamic": ["10de:20f1"]}]),
    ),
    attach(
        "a resource pool without the memory",
        "pool_memory",
        ("train-01", "small", "MB"),
        lab=lambda: lab(
            [host(cards=TWO)],
            [vm(pool="small")],
            pools=[{"name": "small", "reservation_mb": 8192, "expandable": False}],
        ),
    ),
]

SERVER = [
    attach(
        "an account that may only read",
        "no_permission",
        ("train-01", "VirtualMachine.Config.", "Grant"),
        user="reader@vsphere.local",
        lab=lambda: lab([host(cards=TWO)], [vm()], **READER),
    ),
    attach(
        "another user changes the VM at the same moment",
        "changed_meanwhile",
        ("train-01", "run the task again"),
        setup=lambda lab: lab.sim.faults.add(method="ReconfigVM_Task", fault="ConcurrentAccess"),
    ),
    attach(
        "another task runs on the VM",
        "busy",
        ("train-01", "wait for it to end"),
        setup=lambda lab: lab.sim.faults.add(method="ReconfigVM_Task", fault="TaskInProgress"),
    ),
]

MEMORY = [
    reserve(
        "a size with state: locked",
        "reservation_with_locked",
        ("reservation_mb", "state: reserved"),
        options={"reservation_mb": 1024},
    ),
    reserve(
        "state: reserved without a size", "reservation_missing", ("reservation_mb",), options={"state": "reserved"}
    ),
    reserve(
        "a size below nothing",
        "bad_reservation",
        ("-1", "0 for no reservation"),
        options={"state": "reserved", "reservation_mb": -1},
    ),
    reserve(
        "more than the VM has",
        "reservation_above_size",
        ("train-01 has 32768 MB", "65536 MB", "at most the memory size"),
        options={"state": "reserved", "reservation_mb": 65536},
    ),
    reserve(
        "above a memory limit",
        "limit_below_reservation",
        ("train-01", "limit of 8192 MB", "Remove the memory limit"),
        options={"state": "reserved", "reservation_mb": 16384},
        lab=one(limit_mb=8192),
    ),
    reserve(
        "unlocking below a passthrough device",
        "device_needs_reservation",
        ("train-01", FIRST, "Detach these devices first"),
        options={"state": "unlocked"},
        lab=one(devices=[{"fixed": FIRST}]),
    ),
    reserve(
        "lowering below a passthrough device",
        "device_needs_reservation",
        ("train-01", "16384 of 32768 MB", "keep the memory locked"),
        options={"state": "reserved", "reservation_mb": 16384},
        lab=one(devices=[{"fixed": FIRST}], locked=False, reservation_mb=32768),
    ),
    reserve(
        "a resource pool without the memory",
        "pool_memory",
        ("train-01", "small", "MB"),
        lab=lambda: lab(
            [host()], [vm(pool="small")], pools=[{"name": "small", "reservation_mb": 8192, "expandable": False}]
        ),
    ),
    reserve(
        "a VM that cannot lock its memory",
        "memory_lock_unsupported",
        ("train-01",),
        setup=_set("capability", "memoryReservationLockSupported", False),
    ),
    reserve("a template", "template", ("train-01 is a template", "Convert it"), lab=one(template=True)),
    reserve("a VM that does not exist", "unknown_vm", ("'train-2'", "train-01"), options={"vm": ["train-2"]}),
    reserve(
        "an account that may only read",
        "no_permission",
        ("train-01", "VirtualMachine.Config.Resource", "Grant"),
        user="reader@vsphere.local",
        lab=lambda: lab([host(cards=TWO)], [vm()], **READER),
    ),
]

LOOKING = [
    Case(
        title="looking at a VM that does not exist",
        module="vm_pci_device_info",
        options={"vms": ["db-01"]},
        code="unknown_vm",
        says=("'db-01'", "train-01"),
        lab=one(),
    ),
    Case(
        title="looking at VMs and at hosts",
        module="vm_pci_device_info",
        options={"vms": ["train-01"], "hosts": ["esx-01"]},
        code=None,
        says=("vms|hosts",),
        lab=one(),
    ),
]

WARNINGS = [
    attach(
        "a fixed device",
        None,
        ("train-01 is tied to esx-01", "no vMotion"),
        options={"backing": "fixed"},
        warns=True,
    ),
    attach(
        "memory hot-add",
        None,
        ("train-01 has memory hot-add enabled", "disable_hot_add"),
        lab=one(memory_hot_add=True),
        warns=True,
    ),
    attach(
        "large cards without an MMIO window",
        None,
        ("train-01", "mmio"),
        lab=one(extra={}),
        warns=True,
    ),
    attach(
        "devices that running VMs hold at this time",
        None,
        ("train-01", "cannot be powered on now"),
        options={"devices": desired(count=2)},
        lab=lambda: lab([host(cards=TWO)], [vm(), vm("train-02", power="on", devices=[{"dynamic": [A100]}])]),
        warns=True,
    ),
    attach(
        "a guest that will be powered off hard",
        None,
        ("VMware Tools is not running in train-01", "without a guest shutdown"),
        options={"power": "cycle", "allow_power_off": True},
        lab=one(power="on", tools=False),
        warns=True,
    ),
]

CASES = [*NAMES, *DESIRED, *STATE, *SUPPLY, *SERVER, *MEMORY, *LOOKING]
