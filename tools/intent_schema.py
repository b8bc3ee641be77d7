# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON Schema of an intent, for files in group_vars and host_vars.

``make generate`` writes it to docs/intent.schema.json. It uses the names of the loader (plugins/plugin_utils/intent), and
tests/unit/plugin_utils/intent/test_load_by_schema.py compares the two: both accept the same values, except that only the
loader rejects conflicts between entries (RELATIONS).

Draft 07, because editors support it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tools import collection_path
from tools.intent_schema_guest import guest_schema

HEX4 = "(0[xX])?[0-9a-fA-F]{1,4}"
PCI_ADDRESS = "([0-9a-fA-F]{1,8}:)?[0-9a-fA-F]{1,2}:(0?[0-9a-fA-F]|1[0-9a-fA-F])\\.[0-7]"
NUMBER_FROM_1 = "^\\s*(?=[0-9]{1,9}\\s*$)0*[1-9][0-9]*\\s*$"
NUMA_NODE = "^\\s*(-1|0{0,8}[0-5]?[0-9]|0{0,7}6[0-3])\\s*$"
NUMBER_FROM_0 = "^\\s*[0-9]{1,9}\\s*$"
PORT = "^\\s*(?=[0-9]{1,9}\\s*$)0*([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])\\s*$"
UP_TO_65536 = PORT.replace("6553[0-5]", "6553[0-6]").replace("0*([1-9]", "0*(0|[1-9]")
"""From 0."""

Schema = dict[str, Any]


def schema() -> Schema:
    """The whole schema."""
    collection_path.install()
    from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent import load

    variables: Schema = {
        load.CLUSTER_VARIABLE: _list(_ref("hosts"), "For a vCenter: the desired devices of its clusters and hosts."),
        load.DEVICE_VARIABLE: _list(
            _ref("host_device"), "For an ESXi host or its group: the desired devices of the host; [] for none."
        ),
        load.VM_VARIABLE: _list(
            _ref("vm"), "For a vCenter, an ESXi host or a group: virtual machines and their desired devices."
        ),
        load.GRAPHICS_VARIABLE: _ref("graphics")
        | {"description": "For an ESXi host or its group: how its GPUs are shared (module host_graphics)."},
        load.NAME_VARIABLE: _ref("name") | {"description": "The name of the ESXi host in vSphere, if it differs."},
        load.VCENTER_VARIABLE: _or_null(_ref("name")) | {"description": "The vCenter, or the standalone ESXi host."},
        load.PORT_VARIABLE: {
            "anyOf": [{"type": "null"}, {"type": "integer", "minimum": 1, "maximum": 65535}, _text(PORT)],
            "description": "The port of the vCenter or the ESXi host.",
        },
    }
    own = "|".join(sorted(name.removeprefix(load.PREFIX) for name in variables if name.startswith(load.PREFIX)))
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "The desired state of PCI devices in vSphere: variables of an inventory host or group",
        "description": "For the playbooks and roles of the Ansible collection directpath.vsphere.",
        "type": "object",
        "properties": variables,
        "propertyNames": {"not": {"pattern": f"^{load.PREFIX}(?!({own})$)"}},
        "not": {"anyOf": [{"required": [load.CLUSTER_VARIABLE, name]} for name in load.OF_A_HOST]},
        "definitions": _definitions(),
    }


def text() -> str:
    """The content of the file."""
    return json.dumps(schema(), indent=2) + "\n"


def _definitions() -> Schema:
    from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host import selector as selectors

    match = {"anyOf": [_text(_whole(f"{HEX4}:{HEX4}")), _text(_whole(PCI_ADDRESS)), _ref("selector")]}
    device: Schema = {
        "match": match | {"description": 'Which device: "10de:20f1" as lspci -n prints it, an address, or conditions.'},
        "count": {
            "anyOf": [{"enum": [None, "all"]}, _whole_number()],
            "description": "How many. Default: all devices of the model on a host, one in a virtual machine.",
        },
    }
    label: Schema = {"type": ["string", "null"], "description": "The hardware label to set on the devices."}
    if set(selectors.DESIRED_KEYS) != {*device, "label"}:
        raise ValueError("a device has other keys than this schema knows")
    function: Schema = {
        "type": ["boolean", "null"],
        "description": "true: a virtual function of an SR-IOV card, as a fixed device.",
    }
    if set(selectors.VM_DESIRED_KEYS) != {*device, "label", "virtual_function", "numa_node"}:
        raise ValueError("a device of a VM has other keys than this schema knows")
    short = [_text(_whole(f"{HEX4}:{HEX4}")), _text(_whole(PCI_ADDRESS))]
    return {
        "name": {"type": "string", "pattern": "\\S"},
        "names": {"anyOf": [{"type": "null"}, _ref("name"), {"type": "array", "items": _ref("name")}]},
        "hosts": _hosts(),
        "graphics": _graphics(match),
        "selector": _selector(),
        "host_device": {
            "anyOf": [*short, _object(device | {"label": label}, ["match"]), _functions(device["match"]), _mode(match)]
        },
        "vm_device": {
            "anyOf": [
                *short,
                _object(device | {"virtual_function": function, "numa_node": _numa_node()}, ["match"]),
                *_units(),
            ]
        },
        "sriov_network": _sriov_network(),
        "vm": _vm(),
        "guest": guest_schema(_ref("name"), _whole_number()),
    }


def _numa_node() -> Schema:
    return {
        "anyOf": [{"type": "null"}, {"type": "integer", "minimum": -1, "maximum": 63}, _text(NUMA_NODE)],
        "description": "The virtual NUMA node of these devices in the VM (hardware version 20); -1: no affinity.",
    }


def _units() -> list[Schema]:
    """Entries of a VM for vGPUs, vendor device groups and DVX devices."""
    from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.desired import units

    count = {"anyOf": [{"type": "null"}, _whole_number()], "description": "How many. Default: one."}
    setting = {"anyOf": [{"type": "integer"}, _text("\\S")]}
    forms: dict[str, Schema] = {
        "vgpu": {
            "vgpu": _ref("name") | {"description": "A vGPU profile, such as grid_a100-40c."},
            "count": count,
            "advanced": _or_null(
                {
                    "type": "object",
                    "propertyNames": {"pattern": "^[A-Za-z][A-Za-z0-9_]*$"},
                    "additionalProperties": setting,
                }
            )
            | {"description": "Settings of each of these vGPUs: what follows pciPassthruN.cfg., and the value."},
            "numa_node": _numa_node(),
        },
        "group": {
            "group": _ref("name") | {"description": "A vendor device group, such as Nvidia:2@grid_a100-40c%NVLink."},
            "count": count,
        },
        "dvx": {
            "dvx": _object(
                {
                    "class": _ref("name"),
                    "parameters": _or_null(
                        {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}
                    ),
                },
                ["class"],
            )
            | {"description": "A DVX device: its class, and the parameters that differ from the defaults."},
            "count": count,
            "numa_node": _numa_node(),
        },
    }
    if {kind: tuple(keys) for kind, keys in forms.items()} != dict(units.KIND_KEYS):
        raise ValueError("a kind of device has other keys than this schema knows")
    return [_object(keys, [kind]) for kind, keys in forms.items()]


def _functions(match: Schema) -> Schema:
    """An entry with virtual functions."""
    from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host_entries import (
        virtual_functions as entries,
    )

    keys: Schema = {
        "match": {"anyOf": [{"type": "null"}, match]},
        "vmnic": {"anyOf": [{"type": "null"}, _ref("name")], "description": "A physical NIC, such as vmnic4."},
        "virtual_functions": {
            "anyOf": [{"type": "integer", "minimum": 0}, _text(NUMBER_FROM_0)],
            "description": "The number of SR-IOV virtual functions of each function; 0 turns SR-IOV off.",
        },
    }
    if list(keys) != list(entries.FUNCTION_KEYS):
        raise ValueError("an entry with virtual functions has other keys than this schema knows")
    one = [{"required": [key], "properties": {key: {"not": {"type": "null"}}}} for key in ("match", "vmnic")]
    return _object(keys, ["virtual_functions"]) | {"oneOf": one}


def _mode(match: Schema) -> Schema:
    """An entry with a device mode."""
    from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host_entries import (
        device_modes as mode_entries,
    )

    keys = {
        "match": match | {"description": "Which devices: each that matches gets the mode."},
        "mode": {"enum": list(mode_entries.MODE_NAMES), "description": "The device mode (vSphere 9.1)."},
    }
    if set(keys) != set(mode_entries.MODE_KEYS):
        raise ValueError("an entry with a mode has other keys than this schema knows")
    return _object(keys, list(keys))


def _hosts() -> Schema:
    """An entry of passthrough_hosts: either clusters or hosts, with at least one name."""
    from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent import load

    named = {"not": {"anyOf": [{"type": "null"}, {"type": "array", "maxItems": 0}]}}
    keys = {
        "cluster": _ref("names") | {"description": "One cluster or several."},
        "hosts": _ref("names") | {"description": "One host or several, by their names in vSphere."},
        "devices": _list(_ref("host_device"), "The desired devices of each of these hosts; [] for none."),
        "graphics": _ref("graphics") | {"description": "How the GPUs of each of these hosts are shared."},
    }
    if set(keys) != set(load.HOST_KEYS):
        raise ValueError("an entry of hosts has other keys than this schema knows")
    one = [{"required": [key], "properties": {key: named}} for key in ("cluster", "hosts")]
    return _object(keys, ["devices"]) | {"oneOf": one}


def _sriov_network() -> Schema:
    """An entry of sriov_networks."""
    from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.desired import sriov_networks

    word = "".join(f"[{letter}{letter.upper()}]" for letter in "auto")
    vmnic = "".join(f"[{letter}{letter.upper()}]" for letter in "vmnic")
    pair, first = "[0-9a-fA-F]{2}", "[0-9a-fA-F][02468aceACE]"
    macs = "|".join(f"(?!00({mark}00){{5}}){first}({mark}{pair}){{5}}" for mark in ":-")
    keys: Schema = {
        "network": _ref("name") | {"description": "Port group, by name or managed object id."},
        "physical_function": _or_null(_text(_whole(f"{word}|{vmnic}[0-9]+|{PCI_ADDRESS}")))
        | {"description": "auto (default): vSphere chooses; or a NIC such as vmnic4; or a PCI address."},
        "mac": _or_null(_text(_whole(macs))) | {"description": "MAC address, in quotes. Default: generated."},
        "allow_guest_mtu_change": {"type": ["boolean", "null"], "description": "Whether the guest may change the MTU."},
    }
    if tuple(keys) != sriov_networks.SRIOV_KEYS:
        raise ValueError("an SR-IOV network adapter has other keys than this schema knows")
    return _object(keys, ["network"])


def _graphics(match: Schema) -> Schema:
    """The graphics settings of hosts, with at least one setting."""
    from ansible_collections.directpath.vsphere.plugins.module_utils._domain.graphics import desired as desired_graphics
    from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent import graphics

    words = {
        "default_type": "Graphics type of GPUs without a type of their own: shared (vSGA) or shared_direct (vGPU).",
        "assignment_policy": "How the host assigns VMs to GPUs: spread them, or fill one GPU after the other.",
        "type": "Graphics type of these GPUs.",
        "vgpu_mode": "Profiles of one size on a GPU at a time, or of several (ESXi 8.0.3).",
    }
    gpu = {key: {"enum": list(choices), "description": words[key]} for key, choices in graphics.GPU_CHOICES.items()}
    some = [{"required": [key]} for key in gpu]
    entry = _object({"match": match, **gpu}, ["match"]) | {"anyOf": some}
    keys: Schema = {
        key: {"enum": list(choices), "description": words[key]} for key, choices in graphics.CHOICES.items()
    }
    keys["devices"] = _list(entry, "GPUs with a type or a mode of their own.")
    keys["restart_xorg"] = {
        "type": "boolean",
        "description": "Whether Xorg may be restarted, so that a type takes effect.",
    }
    if set(keys) != set(desired_graphics.GRAPHICS_KEYS) or {"match", *gpu} != set(desired_graphics.GPU_KEYS):
        raise ValueError("graphics settings have other keys than this schema knows")
    settings: list[Schema] = [{"required": [key]} for key in graphics.CHOICES]
    settings.append({"required": ["devices"], "properties": {"devices": {"minItems": 1}}})
    return _object(keys, []) | {"anyOf": settings}


def _selector() -> Schema:
    from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host import selector as selectors

    patterns = {
        "address": (PCI_ADDRESS, "PCI address, such as 0000:3b:00.0. For one host only, unless ids are given too."),
        "class_id": ("(0[xX])?([0-9a-fA-F]{2}|[0-9a-fA-F]{4})", 'PCI class: "03" displays, "0108" NVMe.'),
        "name": ("", "Shell pattern for the name; case does not matter."),
        "slot": ("", "Number or description of the slot (vSphere 9.0)."),
        "label": ("", "The hardware label of the device."),
    }
    ids = ("vendor_id", "device_id", "subvendor_id", "subdevice_id")
    patterns |= {key: (HEX4, f"{key.removesuffix('_id').capitalize()} id, in quotes.") for key in ids}
    if set(patterns) != set(selectors.SELECTOR_KEYS):
        raise ValueError("a selector has other keys than this schema knows")
    keys = {
        key: _or_null(_text(_whole(patterns[key][0]) if patterns[key][0] else "\\S"))
        | {"description": patterns[key][1]}
        for key in selectors.SELECTOR_KEYS
    }
    some = [{"required": [key], "properties": {key: {"type": "string"}}} for key in selectors.SELECTOR_KEYS]
    return _object(keys, []) | {"anyOf": some}


def _vm() -> Schema:
    from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.desired import vm as desired
    from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent import entries

    words: Schema = {
        "state": "present: at least these devices; exactly: these and no others; absent: none of these.",
        "kinds": "What exactly decides about: named: the kinds of devices in the list; all: every kind.",
        "backing": "dynamic: any such device; fixed: exactly this device; auto: dynamic if the release supports it.",
        "power": "Allowed power operations: keep: none; off: shut down; cycle: shut down and start again; on: also start a VM that is off.",
        "latency_sensitivity": "high: with all memory and CPUs reserved; normal: resets only the level.",
    }
    keys: Schema = {
        "name": _ref("name") | {"description": "Name or inventory path of the VM."},
        "moid": _ref("name") | {"description": "Managed object id, instead of name."},
        "devices": _list(_ref("vm_device"), "The desired devices of the VM."),
        "sriov_networks": _list(_ref("sriov_network"), "The desired SR-IOV network adapters of the VM."),
    }
    for key, choices in entries.VM_CHOICES.items():
        # YAML 1.1 reads on and off without quotes as booleans.
        bare = [True, False] if {"on", "off"} <= set(choices) else []
        keys[key] = {"enum": [*choices, *bare], "description": words[key]}
    powers = [1 << power for power in range(entries.LARGEST_MMIO_GB.bit_length())]
    sizes = {
        "size_gb": {
            "anyOf": [{"enum": powers}, _text(f"^\\s*(?=[0-9]{{1,9}}\\s*$)0*({'|'.join(map(str, powers))})\\s*$")]
        },
        "device_gb": {
            "type": "object",
            "propertyNames": {"pattern": _whole(f"{HEX4}:{HEX4}")},
            "additionalProperties": {
                "anyOf": [{"type": "integer", "minimum": 0, "maximum": entries.LARGEST_DEVICE_GB}, _text(UP_TO_65536)]
            },
        },
    }
    keys["mmio"] = _object({key: sizes[key] for key in entries.MMIO_KEYS}, []) | {
        "description": "The 64-bit MMIO window for devices with large memory; {} computes the size."
    }
    keys["shutdown_timeout"] = _whole_number() | {"description": "Seconds for the guest to shut down."}
    keys["minimum_hardware_version"] = {
        "anyOf": [
            {"type": "integer", "minimum": desired.LOWEST_MINIMUM, "maximum": desired.HIGHEST_MINIMUM},
            _text("^\\s*(?=[0-9]{1,9}\\s*$)0*([7-9]|[1-9][0-9])\\s*$"),
        ],
        "description": "The VM is upgraded to this hardware version if its own is lower. It cannot be reverted.",
    }
    keys |= {key: {"type": "boolean"} for key in entries.VM_FLAGS}
    keys["pin_to_host"] |= {"description": "Whether a VM-host rule ties a VM with fixed devices to its host."}
    keys["guest"] = _ref("guest")
    if list(keys) != list(entries.VM_KEYS):
        raise ValueError("a VM has other keys than this schema knows")
    kinds = ("devices", "sriov_networks")
    nothing_to_take = {
        "if": {"required": ["state"], "properties": {"state": {"const": "absent"}}},
        "then": {"anyOf": [{"required": [key], "properties": {key: {"minItems": 1}}} for key in kinds]},
    }
    named = {"oneOf": [{"required": ["name"]}, {"required": ["moid"]}], "anyOf": [{"required": [key]} for key in kinds]}
    return _object(keys, []) | named | nothing_to_take


def _object(properties: Schema, required: Sequence[str]) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        **({"required": list(required)} if required else {}),
    }


def _list(entries: Schema, description: str) -> Schema:
    return {"type": "array", "items": entries, "description": description}


def _ref(name: str) -> Schema:
    # allOf, because draft 07 ignores other keys next to a $ref.
    return {"allOf": [{"$ref": f"#/definitions/{name}"}]}


def _text(pattern: str) -> Schema:
    return {"type": "string", "pattern": pattern}


def _whole(pattern: str) -> str:
    """A pattern for the whole text, with blanks around it allowed."""
    return f"^\\s*({pattern})\\s*$"


def _or_null(other: Schema) -> Schema:
    return {"anyOf": [{"type": "null"}, other]}


def _whole_number() -> Schema:
    return {"anyOf": [{"type": "integer", "minimum": 1}, _text(NUMBER_FROM_1)]}
