# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the intent's JSON Schema for ``guest`` of a VM. See tools/intent_schema.py."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def guest_schema(name: Schema, number: Schema) -> Schema:
    """``name``, ``number``: the schemas of a name and of a whole number from 1."""
    from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent import guest

    words = {
        "via": "connection: Ansible's connection to inventory_host; tools: VMware Tools, without a network to the guest.",
        "os": "The operating system of the guest.",
        "when": "after_change: in the playbook site, after it changed the VM, and in verify; always: also in drift; never.",
    }
    keys: Schema = {key: {"enum": list(choices), "description": words[key]} for key, choices in guest.CHOICES.items()}
    keys["inventory_host"] = name | {"description": "The inventory host of the guest."}
    keys["expect"] = {
        "type": "array",
        "items": _expected(name, number),
        "description": "What the guest must see. Default: the attached devices.",
    }
    keys["prepare"] = {
        "type": "object",
        "properties": dict.fromkeys(guest.PREPARE_KEYS, name),
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
        "description": "A role or a file with tasks that installs the driver in the guest, before it is verified.",
    }
    for key in guest.CREDENTIALS:
        keys[key] = {
            "type": "string",
            "pattern": f"^{guest.VARIABLE}$",
            "description": "Name of the variable with it, for via: tools.",
        }
    if set(keys) != set(guest.GUEST_KEYS):
        raise ValueError("guest has other keys than this schema knows")
    tools: Schema = {"required": ["via"], "properties": {"via": {"const": "tools"}}}
    return {
        "type": "object",
        "properties": keys,
        "additionalProperties": False,
        "description": "How to verify in the guest that the devices work.",
        "anyOf": [{"required": ["inventory_host"]}, tools | {"not": {"required": ["prepare"]}}],
        "if": tools,
        "then": {"required": list(guest.CREDENTIALS)},
    }


def _expected(name: Schema, number: Schema) -> Schema:
    from ansible_collections.directpath.vsphere.plugins.module_utils._domain.guest.expectation import WORKS
    from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent import guest

    keys: Schema = {
        "match": {
            "type": "string",
            "pattern": f"^\\s*({guest.MODEL})\\s*$",
            "description": 'vendor:device as the guest shows it, such as "10de:20f1", or the vendor alone.',
        },
        "count": number | {"description": "How many at least. Default: 1."},
        "driver": {
            "anyOf": [name, {"type": "array", "items": name, "minItems": 1}],
            "description": "Names of accepted drivers. Default: any that is not a stub.",
        },
        "works": {"enum": list(WORKS), "description": "How to verify that it works. auto: by vendor and class."},
        "min_memory_gb": number | {"description": "Least memory of each GPU that nvidia-smi reports."},
        "command": name | {"description": "A command in the guest that must end with exit status 0."},
    }
    if set(keys) != set(guest.EXPECT_KEYS):
        raise ValueError("expect has other keys than this schema knows")
    return {"type": "object", "properties": keys, "additionalProperties": False, "required": ["match"]}
