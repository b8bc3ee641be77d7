# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a module as they are in a run file. PRIVATE to the collection.

Only options that a replay may use: no account, no secret, no path of a file, nothing that reaches another machine or starts a program. The
replay passes the options of a file through the same functions, so a file cannot make it do more.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from ...module_utils._domain.capture import allowed
from ...module_utils._domain.host.selector import SELECTOR_KEYS, VM_DESIRED_KEYS
from ...module_utils._domain.vm.desired.sriov_networks import SRIOV_KEYS
from ...module_utils._domain.vm.desired.units import DVX_KEYS, KIND_KEYS
from ...module_utils._shell.engine.arguments import CONNECTION
from .names import RunNames

REPLAYED = (
    "drift_info",
    "host_capacity_info",
    "host_device_mode",
    "host_graphics",
    "host_maintenance",
    "host_passthrough",
    "host_pci_device_info",
    "host_rolling_reboot",
    "host_sriov",
    "rolling_reboot_info",
    "rolling_reboot_restore",
    "vm_memory_reservation",
    "vm_pci_device",
    "vm_pci_device_info",
    "vm_sriov_network",
)
"""The modules whose answers depend on the server and on their options only."""
OUTSIDE = ("bmc", "bmc_defaults", "ready_when", "notify", "metrics_file", "traces", "vcenter_events")
"""Options that reach other machines, or start programs."""
OF_THE_RUN = (
    "command_arguments",
    "continue_run",
    "earlier_slices",
    "journal_dir",
    "option_names",
    "option_prefix",
    "progress",
    "resolved",
    "run_id",
    "slice",
    "stop_reason",
    "stopped_vms",
)
"""Options that the collection sets itself."""
_CHOICES = ("mode", "type", "vgpu_mode")
"""Keys of entries for devices whose values are words of the collection."""
_KEYS = frozenset(
    (*SELECTOR_KEYS, *VM_DESIRED_KEYS, *SRIOV_KEYS, *DVX_KEYS, *(key for keys in KIND_KEYS.values() for key in keys))
) | {"virtual_functions", "vmnic", *_CHOICES}  # fmt: skip
"""Keys of the entries for devices."""
_IDS = ("vendor_id", "device_id", "subvendor_id", "subdevice_id", "class_id")
_NUMBERS = (bool, int, float)
_PLAIN_TYPES = ("bool", "int", "float")
Spec = Mapping[str, Any]


class _Left(Exception):
    """The value is left out."""


def arguments_of(module: str) -> Spec:
    """The argument spec of a module of ``REPLAYED``. Raises ValueError for any other."""
    if module not in REPLAYED:
        raise ValueError(f"{module} is no module that a replay calls")
    code = importlib.import_module(f"ansible_collections.directpath.vsphere.plugins.modules.{module}")
    spec: Spec = code.ARGUMENTS
    return spec


def kept_options(module: str, given: Mapping[str, Any], names: RunNames) -> tuple[dict[str, Any], list[str]]:
    """The options that stay, and the names of those that are left out although they have an effect. Raises ValueError."""
    spec = arguments_of(module)
    kept, left = _kept_keys(spec, given, names, (*CONNECTION, "user", "pass", *OF_THE_RUN))
    return kept, sorted(left)


def _kept_keys(
    spec: Spec, given: Mapping[str, Any], names: RunNames, silent: Sequence[str] = ()
) -> tuple[dict[str, Any], list[str]]:
    kept: dict[str, Any] = {}
    left: list[str] = []
    canonical = {alias: name for name, option in spec.items() for alias in option.get("aliases", ())}
    for key, value in given.items():
        name = canonical.get(str(key), str(key))
        if value is None or name in silent:
            continue
        try:
            kept[name] = _value(name, spec[name], value, names, left)
        except (_Left, KeyError):
            if value not in ([], {}, "", False):
                left.append(name if name in spec else "an option that the module does not have")
    return kept, left


def _value(name: str, option: Spec, value: Any, names: RunNames, left: list[str]) -> Any:
    kind = option.get("type", "str")
    if option.get("no_log") or kind == "path" or name in OUTSIDE:
        raise _Left
    if name == "windows" and names.anonymized and _has_zone(value):
        raise _Left  # a time zone says where the site is
    if kind == "list":
        element = {**option, "type": option.get("elements", "str")}
        listed = value if isinstance(value, list | tuple) else [value]
        return [_value("", element, item, names, left) for item in listed]
    if kind == "dict" and option.get("options"):
        if not isinstance(value, Mapping):
            raise _Left
        kept, more = _kept_keys(option["options"], value, names)
        left += more
        return kept
    if kind in ("raw", "dict"):
        return _raw("", value, names)
    if isinstance(value, _NUMBERS):
        return value
    if value in option.get("choices", ()):
        return str(value)
    if kind in _PLAIN_TYPES and str(value).lower() in ("yes", "no", "true", "false", "on", "off"):
        return str(value)
    return names.name(str(value))


def _has_zone(value: Any) -> bool:
    windows = value if isinstance(value, list) else [value]
    return any(not isinstance(one, Mapping) or one.get("zone") not in (None, "UTC") for one in windows)


def _raw(key: str, value: Any, names: RunNames) -> Any:
    """An entry for a device, or a mapping from names."""
    if isinstance(value, Mapping):
        return {
            each if each in _KEYS else names.name(str(each)): _raw(str(each), item, names)
            for each, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_raw(key, item, names) for item in value]
    if value is None or isinstance(value, _NUMBERS):
        return value
    text = str(value)
    if key in _CHOICES:
        return names.choice(text)
    return text if key in _IDS and allowed.PCI_ID.fullmatch(text) else names.name(text)
