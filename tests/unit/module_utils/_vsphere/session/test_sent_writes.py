# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of a write has what tells two calls apart, and nothing of the site."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pyVmomi import vim

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.sent_writes import (
    MOST_FORMS,
    SentWrites,
    Write,
    form_of,
    objects_of,
    rows_of,
)

NAME = "train-of-site"


def parts(kind: Any, method: str, *arguments: Any) -> dict[str, int]:
    return dict(form_of(kind._GetMethodInfo(method), arguments)[1])


def test_booleans_words_of_the_api_and_what_is_given_are_kept() -> None:
    vsan = vim.vsan.host.DecommissionMode(objectAction="noAction")
    spec = vim.host.MaintenanceSpec(vsanMode=vsan)
    enter = parts(vim.HostSystem, "EnterMaintenanceMode", 1800, True, spec)
    assert {
        "timeout": 1,
        "evacuatePoweredOffVms=true": 1,
        "maintenanceSpec.vsanMode.objectAction=noAction": 1,
    }.items() <= enter.items()
    assert "timeout" not in parts(vim.HostSystem, "EnterMaintenanceMode", None, False, None)
    host = vim.HostSystem("host-99")
    assert parts(vim.VirtualMachine, "PowerOn", host) == {"host": 1}
    assert parts(vim.VirtualMachine, "PowerOn", None) == {}


def test_texts_and_ids_are_not_kept() -> None:
    spec = vim.vm.ConfigSpec(
        name=NAME,
        memoryReservationLockedToMax=True,
        extraConfig=[vim.option.OptionValue(key=NAME, value=NAME), vim.option.OptionValue(key="x", value=True)],
        deviceChange=[
            vim.vm.device.VirtualDeviceSpec(
                operation="add", device=vim.vm.device.VirtualPCIPassthrough(key=-4711, controllerKey=100)
            )
        ],
    )
    found = parts(vim.VirtualMachine, "Reconfigure", spec)
    assert NAME not in str(found)
    assert "4711" not in str(found)
    assert found["spec.name"] == 1
    assert found["spec.extraConfig[].key"] == 2
    assert found["spec.deviceChange[].operation=add"] == 1
    assert found["spec.deviceChange[].device.controllerKey=100"] == 1
    wrong = vim.vsan.host.DecommissionMode(objectAction=NAME)
    assert NAME not in str(
        parts(vim.HostSystem, "EnterMaintenanceMode", 1, True, vim.host.MaintenanceSpec(vsanMode=wrong))
    )


def test_a_method_with_many_forms_is_only_counted() -> None:
    writes: Counter[Write] = Counter({("Many", ((f"a={n}", 1),)): 2 for n in range(MOST_FORMS + 1)})
    writes["Few", (("b", 1),)] = 3
    assert rows_of(writes) == [
        {"method": "Few", "arguments": {"b": 1}, "times": 3},
        {"method": "Many", "arguments": {}, "times": 2 * (MOST_FORMS + 1)},
    ]


def objects(target: Any, method: str, *arguments: Any) -> list[str]:
    return list(objects_of(target, type(target)._GetMethodInfo(method), arguments))


def test_the_objects_that_are_written_to_and_referred_to_are_kept_by_their_ids() -> None:
    vm, host, pool = vim.VirtualMachine("vm-7"), vim.HostSystem("host-12"), vim.ResourcePool("resgroup-8")
    assert objects(vm, "PowerOn", host) == ["vm-7", "host=host-12"]
    assert objects(vm, "PowerOn", None) == ["vm-7"]
    assert objects(vm, "Migrate", pool, host, "defaultPriority", None) == ["vm-7", "pool=resgroup-8", "host=host-12"]
    several = objects(vim.Datacenter("datacenter-2"), "PowerOnVm", [vm, vim.VirtualMachine("vm-9")], None)
    assert several == ["datacenter-2", "vm=vm-7", "vm=vm-9"]


def test_objects_that_a_server_makes_for_a_call_and_ids_of_an_unknown_form_are_not_kept() -> None:
    assert objects(vim.Task("task-4711"), "Cancel") == []
    assert objects(vim.VirtualMachine(NAME), "PowerOn", vim.HostSystem("52 Main Street")) == []


def test_what_was_written_is_counted_by_form_and_by_object() -> None:
    sent, power_on = SentWrites(), vim.VirtualMachine._GetMethodInfo("PowerOn")
    for moid in ("vm-7", "vm-7", "vm-9"):
        sent.note(vim.VirtualMachine(moid), power_on, (None,))
    manager, set_field = (
        vim.CustomFieldsManager("CustomFieldsManager"),
        vim.CustomFieldsManager._GetMethodInfo("SetField"),
    )
    for value in ("noted", "noted again"):
        sent.note(manager, set_field, (vim.HostSystem("host-12"), 101, value))
    sent.note_name("rest.patch")
    assert sent.forms() == [
        {"method": "PowerOnVM_Task", "arguments": {}, "times": 3},
        {"method": "SetField", "arguments": {}, "times": 2},
        {"method": "rest.patch", "arguments": {}, "times": 1},
    ]
    assert sent.objects() == [
        {"method": "PowerOnVM_Task", "object": "vm-7", "times": 2},
        {"method": "PowerOnVM_Task", "object": "vm-9", "times": 1},
        {"method": "SetField", "object": "CustomFieldsManager", "times": 1},
        {"method": "SetField", "object": "entity=host-12", "times": 1},
    ]
