# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specs that modules share. Their documentation is in ``plugins/doc_fragments``. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import env_fallback

from ..._domain.concurrency import MODEST
from ..._domain.errors import InputError
from ..._domain.hostnames import refuse_bad_hostname
from ..._domain.rolling.state.journal import DIRECTORY
from ..._vsphere.http.connections import CONNECT_TIMEOUT
from ..._vsphere.session.endpoint import Endpoint

Spec = dict[str, Any]


def renamed_from(old: str) -> Spec:
    """Makes ``old`` a deprecated alias of an option. It is removed in 2.0.0."""
    return {
        "aliases": [old],
        "deprecated_aliases": [{"name": old, "version": "2.0.0", "collection_name": "directpath.vsphere"}],
    }


def _from_environment(*names: str) -> dict[str, Any]:
    return {"fallback": (env_fallback, list(names))}


CONNECTION: Spec = {
    "hostname": {"type": "str", **_from_environment("VMWARE_HOST")},
    "username": {"type": "str", "aliases": ["user"], **_from_environment("VMWARE_USER")},
    "password": {"type": "str", "aliases": ["pass"], "no_log": True, **_from_environment("VMWARE_PASSWORD")},
    "port": {"type": "int", "default": 443, **_from_environment("VMWARE_PORT")},
    "validate_certs": {"type": "bool", "default": True, **_from_environment("VMWARE_VALIDATE_CERTS")},
    "ca_path": {"type": "path", **_from_environment("VMWARE_CA_PATH")},
    "proxy_host": {"type": "str", **_from_environment("VMWARE_PROXY_HOST")},
    "proxy_port": {"type": "int", **_from_environment("VMWARE_PROXY_PORT")},
    "connect_timeout": {"type": "int", "default": CONNECT_TIMEOUT, **_from_environment("VMWARE_CONNECT_TIMEOUT")},
    "session": {
        "type": "str",
        "choices": ["per_task", "shared"],
        "default": "per_task",
        **_from_environment("DIRECTPATH_SESSION"),
    },
}

DEVICES: Spec = {"devices": {"type": "list", "elements": "raw"}}
"""An entry is a string or a mapping, as in the intent, so the domain checks its keys (``parse_desired_devices``)."""

SRIOV_NETWORKS: Spec = {"sriov_networks": {"type": "list", "elements": "dict"}}
"""The domain checks the keys of an entry (``parse_sriov_networks``), with the same messages as in the intent."""

HOSTS: Spec = {
    "hosts": {"type": "list", "elements": "str", "aliases": ["esxi_hostname"]},
    "cluster": {"type": "list", "elements": "str", "aliases": ["cluster_name"]},
}

TARGETS: Spec = {"targets": {"type": "list", "elements": "dict", "options": {**HOSTS, **DEVICES}}}

GRAPHICS: Spec = {
    "default_type": {"type": "str", "choices": ["shared", "shared_direct"]},
    "assignment_policy": {"type": "str", "choices": ["performance", "consolidation"]},
    **DEVICES,
    "restart_xorg": {"type": "bool", "default": False},
}
GRAPHICS_LIST: Spec = {"graphics": {"type": "list", "elements": "dict", "options": {**HOSTS, **GRAPHICS}}}

UNKNOWN_NAMES: Spec = {"unknown_names": {"type": "str", "choices": ["warn", "only_if_refused"], "default": "warn"}}

JOURNAL_DIR = {"type": "path", "default": DIRECTORY}

PACE: Spec = {"max_concurrent": {"type": "int", "default": MODEST}, "max_failures": {"type": "int"}}

MMIO: Spec = {
    "mmio": {
        "type": "dict",
        "options": {"size_gb": {"type": "int"}, "device_gb": {"type": "dict"}},
    }
}

VM_DEVICES: Spec = {**DEVICES, **SRIOV_NETWORKS, **MMIO}

VM_OPTIONS: Spec = {
    "state": {"type": "str", "choices": ["present", "absent", "exactly"]},
    "kinds": {"type": "str", "choices": ["named", "all"]},
    "backing": {"type": "str", "choices": ["auto", "dynamic", "fixed"]},
    "power": {"type": "str", "choices": ["keep", "off", "cycle", "on"]},
    "shutdown_timeout": {"type": "int"},
    "allow_shutdown": {"type": "bool"},
    "allow_power_off": {"type": "bool"},
    "unlock_memory": {"type": "bool"},
    "disable_hot_add": {"type": "bool"},
    "latency_sensitivity": {"type": "str", "choices": ["high", "normal"]},
    "minimum_hardware_version": {"type": "int"},
    "pin_to_host": {"type": "bool"},
}
_VM_DEFAULTS: Spec = {
    "state": "present",
    "kinds": "named",
    "backing": "auto",
    "power": "keep",
    "shutdown_timeout": 300,
    "allow_shutdown": False,
    "allow_power_off": False,
    "unlock_memory": False,
    "disable_hot_add": False,
}
VM_OPTIONS_WITH_DEFAULTS: Spec = {
    name: {**option, "default": _VM_DEFAULTS[name]} if name in _VM_DEFAULTS else option
    for name, option in VM_OPTIONS.items()
}


def endpoint(params: Mapping[str, Any]) -> Endpoint:
    """The endpoint from the parameters of a module. Raises InputError for a value that neither the options nor the environment give."""
    for name, variable in (("hostname", "VMWARE_HOST"), ("username", "VMWARE_USER"), ("password", "VMWARE_PASSWORD")):
        if not params.get(name):
            raise InputError(
                message=f"{name} is not given",
                code="missing_connection",
                parameter=name,
                cure=f"Set the option {name}, or {variable} in the environment",
            )
    if params.get("proxy_host") and not params.get("proxy_port"):
        raise InputError(
            message="proxy_host is given without proxy_port",
            code="missing_connection",
            parameter="proxy_port",
            cure="Set the option proxy_port, or VMWARE_PROXY_PORT in the environment",
        )
    refuse_bad_hostname(params["hostname"])
    if params.get("proxy_host"):
        refuse_bad_hostname(params["proxy_host"], "proxy_host")
    names = ("hostname", "username", "password", "port", "validate_certs", "ca_path", "proxy_host", "proxy_port")
    timeout = params.get("connect_timeout") or CONNECT_TIMEOUT
    return Endpoint(
        **{name: params[name] for name in names}, connect_timeout=timeout, shared=params.get("session") == "shared"
    )
