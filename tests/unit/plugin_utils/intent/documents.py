# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables of inventory hosts, made up: right ones, right ones with a mistake in them, and anything at all."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

SPACE = st.sampled_from(["", " ", "\t", "\n"])
HEX = "0123456789abcdefABCDEF"

ids = st.builds(lambda a, x, b: a + x + b, SPACE, st.text(HEX, min_size=1, max_size=4), SPACE)
pairs = st.builds(
    lambda a, b: f"{a}:{b}", st.sampled_from(["10de", "0x8086", "144D"]), st.text(HEX, min_size=1, max_size=4)
)
addresses = st.builds(
    lambda domain, bus, slot, function: f"{domain}{bus:x}:{slot:02x}.{function}",
    st.sampled_from(["", "0000:", "0:", "10000:"]),
    st.integers(0, 255),
    st.integers(0, 31),
    st.integers(0, 7),
)
classes = st.sampled_from(["03", "0x0108", "0302", "0C03", " 02"])
words = st.sampled_from(["a100", "*P5800X*", "gpu-a", "Slot 6", "esx-01.lab", "é", "\u00a0x"])
counts = st.one_of(st.none(), st.just("all"), st.integers(1, 9), st.sampled_from(["2", " 3 ", "007", 4.0]))
selectors = (
    st.dictionaries(
        st.sampled_from(["vendor_id", "device_id", "subvendor_id", "subdevice_id"]), st.none() | ids, max_size=3
    )
    .flatmap(
        lambda given: st.fixed_dictionaries(
            {},
            optional={
                "class_id": st.none() | classes,
                "address": st.none() | addresses,
                "slot": st.none() | words,
                "name": st.none() | words,
                "label": st.none() | words,
            },
        ).map(lambda more: {**given, **more})
    )
    .map(lambda given: given if any(value is not None for value in given.values()) else {**given, "class_id": "03"})
)
matches = st.one_of(pairs, addresses, selectors)
numbers = st.one_of(st.integers(0, 64), st.sampled_from(["0", " 8 ", "007", 4.0]))
functions = st.fixed_dictionaries({"match": matches, "virtual_functions": numbers}) | st.fixed_dictionaries(
    {"vmnic": st.sampled_from(["vmnic4", " vmnic0 "]), "virtual_functions": numbers}, optional={"match": st.none()}
)
host_devices = (
    pairs
    | addresses
    | functions
    | st.fixed_dictionaries({"match": matches}, optional={"count": counts, "label": st.none() | words | st.just("")})
)
vm_devices = (
    pairs
    | addresses
    | st.fixed_dictionaries(
        {"match": matches}, optional={"count": counts, "virtual_function": st.none() | st.booleans()}
    )
)
sriov_networks = st.fixed_dictionaries(
    {"network": words},
    optional={
        "physical_function": st.sampled_from([None, "auto", " Auto", "vmnic4", "VMNIC10"]) | addresses,
        "mac": st.sampled_from([None, "00:50:56:00:00:01", " 02-00-5E-00-00-FF ", "00:00:00:00:00:01"]),
        "allow_guest_mtu_change": st.none() | st.booleans(),
    },
)
sizes = st.sampled_from([1, 64, 128, "256", 1 << 20, 512.0])
mmio = st.fixed_dictionaries(
    {},
    optional={
        "size_gb": sizes,
        "device_gb": st.dictionaries(pairs, st.integers(1, 99) | st.sampled_from(["40", 65536, " 65536"]), max_size=2),
    },
)
booleans = st.booleans()


names_of_variables = st.sampled_from(["vault_user", "guest_password", "_x"])
expected = st.fixed_dictionaries(
    {"match": pairs | st.sampled_from(["10de", " 0x8086 "])},
    optional={
        "count": st.sampled_from([1, 2, "3"]),
        "driver": words | st.lists(words, min_size=1, max_size=2),
        "works": st.sampled_from(["auto", "none", "nvidia-smi", "nvme", "link"]),
        "min_memory_gb": st.sampled_from([1, 40, "80"]),
        "command": words,
    },
)


@st.composite
def guests(draw: st.DrawFn) -> dict[str, Any]:
    """Well formed: over a connection, or through VMware Tools with an account."""
    entry: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "os": st.sampled_from(["linux", "windows"]),
                "when": st.sampled_from(["never", "after_change", "always"]),
                "expect": st.lists(expected, max_size=2),
                "inventory_host": words,
            },
        )
    )
    if draw(booleans):
        account = {key: draw(names_of_variables) for key in ("username_variable", "password_variable")}
        return {**entry, "via": "tools", **account}
    prepare = {draw(st.sampled_from(["role", "tasks_file"])): draw(words)} if draw(booleans) else None
    return {
        **entry,
        **({"via": "connection"} if draw(booleans) else {}),
        **({"prepare": prepare} if prepare else {}),
        "inventory_host": draw(words),
    }


@st.composite
def vms(draw: st.DrawFn) -> dict[str, Any]:
    entry = draw(
        st.fixed_dictionaries(
            {"devices": st.lists(vm_devices, max_size=3)},
            optional={
                "sriov_networks": st.lists(sriov_networks, max_size=2),
                "state": st.sampled_from(["present", "absent", "exactly"]),
                "backing": st.sampled_from(["auto", "dynamic", "fixed"]),
                "power": st.sampled_from(["keep", "off", "cycle", "on", True, False]),
                "mmio": mmio,
                "shutdown_timeout": st.sampled_from([1, 600, "30", 5.0]),
                "minimum_hardware_version": st.sampled_from([7, 20, " 020 ", 99, 21.0]),
                "allow_power_off": booleans,
                "unlock_memory": booleans,
                "disable_hot_add": booleans,
                "pin_to_host": booleans,
                "latency_sensitivity": st.sampled_from(["high", "normal"]),
                "guest": guests(),
            },
        )
    )
    if entry.get("state") == "absent" and not entry["devices"] and not entry.get("sriov_networks"):
        entry["devices"] = [draw(vm_devices)]
    if "sriov_networks" in entry and not entry["devices"] and draw(booleans):
        del entry["devices"]
    return {draw(st.sampled_from(["name", "moid"])): draw(words), **entry}


gpus = st.fixed_dictionaries(
    {"match": matches}, optional={"type": st.sampled_from(["shared", "shared_direct"])}
).flatmap(
    lambda gpu: st.fixed_dictionaries(
        {"vgpu_mode": st.sampled_from(["same_size", "mixed_size"])} if "type" not in gpu else {},
        optional={"vgpu_mode": st.sampled_from(["same_size", "mixed_size"])} if "type" in gpu else {},
    ).map(lambda more: {**gpu, **more})
)


@st.composite
def graphics(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "default_type": st.sampled_from(["shared", "shared_direct"]),
                "assignment_policy": st.sampled_from(["performance", "consolidation"]),
                "devices": st.lists(gpus, max_size=2),
                "restart_xorg": booleans,
            },
        )
    )
    if not any(found.get(key) for key in ("default_type", "assignment_policy", "devices")):
        found["assignment_policy"] = "performance"
    return found


@st.composite
def cluster_entries(draw: st.DrawFn) -> dict[str, Any]:
    one, other = draw(st.permutations(["cluster", "hosts"]))
    entry: dict[str, Any] = {
        one: draw(words | st.lists(words, min_size=1, max_size=3)),
        "devices": draw(st.lists(host_devices, max_size=3)),
    }
    if draw(booleans):
        entry["graphics"] = draw(graphics())
    if draw(booleans):
        entry[other] = draw(st.sampled_from([None, []]))
    return entry


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Well formed variables of one inventory host. Entries may still contradict one another."""
    found: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "vcenter_hostname": st.none() | words,
                "vcenter_port": st.sampled_from([None, 443, "8989", 65535, " 65535 ", 443.0]),
                "ansible_host": st.text(max_size=3),
                "passthrough_vms": st.lists(vms(), max_size=3),
            },
        )
    )
    shape = draw(st.sampled_from(["vcenter", "esxi", "none"]))
    if shape == "vcenter":
        found["passthrough_hosts"] = draw(st.lists(cluster_entries(), max_size=3))
    if shape == "esxi":
        found["passthrough_devices"] = draw(st.lists(host_devices, max_size=3))
        if draw(booleans):
            found["passthrough_graphics"] = draw(graphics())
            if draw(booleans):
                del found["passthrough_devices"]
        if draw(booleans):
            found["passthrough_host_name"] = draw(words)
    return found


JUNK = (None, True, False, 0, 1, -1, 2, 1.5, 3.0, "", " ", "x", "on", "all", "10de:20f1", "65536", "0", [], ["x"], {})
JUNK += ([[]], {"match": "10de:20f1"}, {"match": None}, {"x": 1}, 1 << 40, "3b:00.0", "48", 48, "0000:3b:20.0")
NAMES = ("match", "count", "label", "name", "moid", "hosts", "cluster", "devices", "device", "power", "x", "size_gb")
NAMES += (
    "passthrough_hosts",
    "passthrough_devices",
    "passthrough_graphics",
    "graphics",
    "restart_xorg",
    "type",
    "vgpu_mode",
    "passthrough_host",
    "passthrough_",
    "vcenter_port",
    "slot",
    "state",
    "guest",
    "via",
    "inventory_host",
    "expect",
    "prepare",
    "role",
    "username_variable",
)


@st.composite
def mistaken(draw: st.DrawFn) -> dict[str, Any]:
    """Well formed variables after one to three edits at any depth. Some are still right."""
    found = copy.deepcopy(draw(documents()))
    for _unused in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(list(_containers(found))))
        junk = copy.deepcopy(draw(st.sampled_from(JUNK)))
        if isinstance(place, list):
            _edit_list(draw, place, junk)
        else:
            _edit_mapping(draw, place, junk)
    return found


def _containers(value: Any) -> Iterator[Any]:
    if isinstance(value, list | dict):
        yield value
        for entry in value.values() if isinstance(value, dict) else value:
            yield from _containers(entry)


def _edit_list(draw: st.DrawFn, place: list[Any], junk: Any) -> None:
    position = draw(st.integers(0, len(place)))
    if position == len(place) or draw(booleans):
        place.insert(position, junk)
    elif draw(booleans):
        place[position] = junk
    else:
        del place[position]


def _edit_mapping(draw: st.DrawFn, place: dict[str, Any], junk: Any) -> None:
    if not place or draw(st.integers(0, 3)) == 0:
        place[draw(st.sampled_from(NAMES))] = junk
        return
    key = draw(st.sampled_from(sorted(place)))
    kind = draw(st.integers(0, 2))
    if kind == 0:
        del place[key]
    elif kind == 1:
        place[key] = junk
    else:
        place[draw(st.sampled_from(NAMES))] = place.pop(key)


keys = st.one_of(st.text(max_size=4), st.sampled_from(NAMES), st.integers(), st.none(), st.booleans(), st.tuples())
anything = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.binary(max_size=3),
        st.dates(),
        st.sampled_from(["{{ x }}", "9" * 40, "٣", "10de:20f1", "\x00"]),
        st.frozensets(st.integers(), max_size=2),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=12,
)
"""What YAML, a lookup or a filter of somebody's can leave in a variable."""
