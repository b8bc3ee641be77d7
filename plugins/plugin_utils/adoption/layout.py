# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of an inventory for adopted vCenters: path → text. PRIVATE to the collection.

The same input gives the same text: no time, no random name. There are two shapes, as in the folder ``examples``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...module_utils._domain.drift.commands import Commands
from ...module_utils._domain.text import one_line
from .inventory_names import distinct, group_name, host_name
from .not_adopted import FILE, render_not_adopted
from .yaml_text import comment, entries, flow, vm_entry

SHAPES = ("esxi_hosts", "vcenter")
Record = Mapping[str, Any]

_HEAD = """\
# The devices of {place} as they were when this file was written. It was adopted: the playbook plan shows no change for it.
# What was not adopted, with the reasons, is in {report}.
---
"""
_ACCOUNT = """\
# The account: vcenter_username and vcenter_password (from a vault), or VMWARE_USER and VMWARE_PASSWORD in the environment.
"""
_HOSTS = """\
# An entry without count is for every device of the model, also for one that is added to the host later.
"""
_VMS = """\
# No entry has power, so the playbooks leave these VMs on or off as they are. No entry has state: exactly, so no playbook detaches a device
# that is not listed here; drift reports it.
"""
_EMPTY = """\
# Nothing was adopted. The empty list is on purpose: it is an intent, so that the playbooks plan and drift can run.
"""


@dataclass(frozen=True, kw_only=True)
class AdoptedVcenter:
    """The result of intent_info for one vCenter. ``connection``: variables that are no secret, such as ``vcenter_ca_path``."""

    result: Record
    connection: Record = field(default_factory=dict)

    @property
    def place(self) -> str:
        return Commands(vcenter=str(self.result["vcenter"]), port=int(self.result["port"])).place

    @property
    def hosts(self) -> Sequence[Record]:
        """The hosts that have entries."""
        return [host for host in self.result["hosts"] if host["devices"] or host["graphics"]]

    @property
    def head(self) -> str:
        return _HEAD.format(place=one_line(self.place), report=FILE)

    def connection_text(self) -> str:
        variables = {"vcenter_hostname": self.result["vcenter"], "vcenter_port": self.result["port"], **self.connection}
        if variables["vcenter_port"] == 443:
            del variables["vcenter_port"]
        return self.head + _ACCOUNT + "".join(f"{key}: {flow(value)}\n" for key, value in variables.items())

    def vms_text(self) -> str:
        lines = [line for vm in self.result["vms"] for line in vm_entry(vm, "  ")]
        body = [_VMS + "passthrough_vms:", *lines] if lines else [_EMPTY + "passthrough_vms: []"]
        return self.head + "\n".join(body) + "\n"


def inventory_files(vcenters: Sequence[AdoptedVcenter], shape: str) -> dict[str, str]:
    """Path below the folder → text."""
    ordered = sorted(vcenters, key=lambda one: (str(one.result["vcenter"]), int(one.result["port"])))
    addresses = [str(one.result["vcenter"]) for one in ordered]
    labels = distinct(
        (
            number,
            host_name(one.place.replace(":", "_") if addresses.count(addresses[number]) > 1 else addresses[number]),
        )
        for number, one in enumerate(ordered)
    )
    named = [(labels[number], one) for number, one in enumerate(ordered)]
    files = _by_vcenter(named) if shape == "vcenter" else _by_host(named)
    return {**files, **render_not_adopted([(one.place, one.result) for one in ordered])}


# -- inventory hosts are vCenters -------------------------------------------------------------------------------------


def _by_vcenter(vcenters: Sequence[tuple[str, AdoptedVcenter]]) -> dict[str, str]:
    lines = ["---", "all:", "  children:", "    vcenters:", "      hosts:"]
    files: dict[str, str] = {}
    for label, one in vcenters:
        lines.append(f"        {flow(label)}:")
        files[f"host_vars/{label}/connection.yml"] = one.connection_text()
        if one.hosts:
            files[f"host_vars/{label}/hosts.yml"] = (
                one.head + _HOSTS + "passthrough_hosts:\n" + "\n".join(_targets(one)) + "\n"
            )
        if one.result["vms"] or not one.hosts:
            files[f"host_vars/{label}/vms.yml"] = one.vms_text()
    return {"inventory.yml": _with_head(vcenters, lines), **files}


def _with_head(vcenters: Sequence[tuple[str, AdoptedVcenter]], lines: Sequence[str]) -> str:
    places = one_line(", ".join(one.place for _label, one in vcenters))
    head = f"# Inventory of {places}. It was adopted: the playbook plan shows no change for it.\n"
    return head + _HOSTS + "\n".join(lines) + "\n"


def _targets(one: AdoptedVcenter) -> list[str]:
    """The entries of ``passthrough_hosts``: one for hosts that are alike. A cluster is named if all its hosts are, and are healthy."""
    lines: list[str] = []
    for members in _alike(one.hosts).values():
        clusters = _whole_clusters(one, members)
        if clusters:
            note = "all hosts of it are alike. The entry is also for hosts that are added later"
            lines += [f"  - cluster: {flow(clusters if len(clusters) > 1 else clusters[0])}{comment(note)}"]
            lines += _entry_lines(members[0])
        rest = [host["name"] for host in members if host["cluster"] not in clusters]
        if rest:
            line = f"  - hosts: {flow(rest)}"
            lines += [line] if len(line) <= 100 else ["  - hosts:", *(f"      - {flow(name)}" for name in rest)]
            lines += _entry_lines(members[0])
    return lines


def _entry_lines(host: Record) -> list[str]:
    graphics = [f"    graphics: {flow(host['graphics'])}"] if host["graphics"] else []
    return [*entries("devices", host["devices"], "    "), *graphics]


def _whole_clusters(one: AdoptedVcenter, members: Sequence[Record]) -> list[str]:
    """The clusters all of whose hosts are among these, if nothing of them is listed."""
    troubled = {left["moid"] for left in one.result["not_adopted"]}
    healthy = Counter(
        host["cluster"] for host in members if host["moid"] not in troubled and host["cluster"] is not None
    )
    return sorted(name for name, count in healthy.items() if count > 1 and one.result["clusters"].get(name) == count)


def _alike(hosts: Sequence[Record]) -> dict[str, list[Record]]:
    """Entries as text → the hosts that have them."""
    found: dict[str, list[Record]] = {}
    for host in hosts:
        key = json.dumps([[device["entry"] for device in host["devices"]], host["graphics"]], sort_keys=True)
        found.setdefault(key, []).append(host)
    return found


# -- inventory hosts are ESXi hosts -----------------------------------------------------------------------------------


def _by_host(vcenters: Sequence[tuple[str, AdoptedVcenter]]) -> dict[str, str]:
    groups = distinct((label, group_name(f"vcenter_{label}")) for label, _one in vcenters)
    names = _host_names(vcenters, list(groups.values()))
    lines = ["---", "all:", "  children:"]
    files: dict[str, str] = {}
    everything: list[Record] = []
    for label, one in vcenters:
        group = groups[label]
        lines += [f"    {group}:", "      hosts:"]
        if not one.result["hosts"]:
            # Nothing is adopted on a host: the VMs belong to the vCenter itself.
            lines.append(f"        {flow(names.get(label, label))}:")
        for host in one.result["hosts"]:
            name = names[label, host["moid"]]
            own = f"\n          passthrough_host_name: {flow(host['name'])}" if name != host["name"] else ""
            lines.append(f"        {flow(name)}:{own}")
            everything.append({**host, "inventory_name": name})
        files[f"group_vars/{group}/connection.yml"] = one.connection_text()
        if one.result["vms"] or not one.result["hosts"]:
            files[f"group_vars/{group}/vms.yml"] = one.vms_text()
    alike = _alike(everything)
    titles = distinct(
        ((key, _title(members[0])) for key, members in alike.items() if len(members) > 1 or not _settings(members[0])),
        [*groups.values(), *names.values()],
    )
    for key, members in alike.items():
        text = "---\n" + "\n".join(_settings(members[0]) or ["passthrough_devices: []"]) + "\n"
        if key not in titles:
            files[f"host_vars/{members[0]['inventory_name']}.yml"] = text
            continue
        lines += [
            f"    {titles[key]}:",
            "      hosts:",
            *(f"        {flow(host['inventory_name'])}:" for host in members),
        ]
        files[f"group_vars/{titles[key]}.yml"] = f"# {len(members)} hosts that are alike.\n{text}"
    return {"inventory.yml": _with_head(vcenters, lines), **files}


def _host_names(vcenters: Sequence[tuple[str, AdoptedVcenter]], taken: Sequence[str]) -> Mapping[object, str]:
    """(vCenter, id of a host) → its inventory name. A name that several vCenters have gets the vCenter behind it."""
    plain = [host_name(str(host["name"])).casefold() for _label, one in vcenters for host in one.result["hosts"]]
    no_hosts = [(label, label) for label, one in vcenters if not one.result["hosts"]]
    return distinct(
        no_hosts
        + [
            (
                (label, host["moid"]),
                f"{text}.{label}"
                if plain.count((text := host_name(str(host["name"]))).casefold()) > 1 and len(vcenters) > 1
                else text,
            )
            for label, one in vcenters
            for host in one.result["hosts"]
        ],
        taken,
    )


def _settings(host: Record) -> list[str]:
    lines = entries("passthrough_devices", host["devices"], "") if host["devices"] else []
    return [*lines, *([f"passthrough_graphics: {flow(host['graphics'])}"] if host["graphics"] else [])]


def _title(host: Record) -> str:
    """A name for a group of hosts that are alike, from their first devices."""
    named = [
        str(value)
        for device in host["devices"][:2]
        if (value := device["entry"].get("match")) and isinstance(value, str)
    ]
    if not host["devices"] and not host["graphics"]:
        return "without_devices"
    return (
        group_name("with_" + "_and_".join(named)) if named else "with_graphics" if host["graphics"] else "with_devices"
    )
