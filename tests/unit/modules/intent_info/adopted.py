# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adopting a lab without Ansible: intent_info, the files of an inventory, and what the playbooks read from them."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from ansible.parsing.dataloader import DataLoader

from ansible_collections.directpath.vsphere.plugins.plugin_utils.adoption.layout import AdoptedVcenter, inventory_files
from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.load import load_intent
from tests.unit.modules.harness import Lab

Result = dict[str, Any]
NOTHING = ("off", "no virtual functions", "0 virtual functions")
"""What is wanted of a pending device that no entry is about."""
MODULES = {
    "host_passthrough": "passthrough_targets",
    "host_sriov": "sriov_targets",
    "host_device_mode": "mode_targets",
    "host_graphics": "graphics",
}


def read_yaml(text: str) -> Any:
    return DataLoader().load(text)


def variables(files: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Inventory host → its variables, as Ansible merges them here: groups have different variables, and a host's own come last."""
    hosts: dict[str, dict[str, Any]] = {}
    groups = read_yaml(files["inventory.yml"])["all"]["children"]
    parts: dict[tuple[str, str], dict[str, Any]] = {}
    for name, text in files.items():
        kind, *rest = PurePosixPath(name).with_suffix("").parts
        if kind in ("group_vars", "host_vars"):
            parts.setdefault((kind, rest[0]), {}).update(read_yaml(text))
    for group, content in groups.items():
        for host, own in (content.get("hosts") or {}).items():
            hosts.setdefault(host, {}).update({**parts.get(("group_vars", group), {}), **(own or {})})
    for host, found in hosts.items():
        found.update(parts.get(("host_vars", host), {}))
    return hosts


@dataclass
class Adopted:
    """An adopted lab. ``intent``: as the playbooks hand it to the modules."""

    lab: Lab
    result: Result
    files: dict[str, str]
    intent: Result
    journal: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, lab: Lab, shape: str = "vcenter", **options: Any) -> Adopted:
        lab.sim.journal.clear()
        result = lab.run("intent_info", **options)
        assert lab.writes() == []
        files = inventory_files([AdoptedVcenter(result=result)], shape)
        found = [host for host in variables(files).items() if any(name.startswith("passthrough_") for name in host[1])]
        intent = load_intent(dict(found))[0].record() if found else {}
        return cls(lab=lab, result=result, files=files, intent=intent, journal=options)

    @property
    def left(self) -> set[tuple[str, str]]:
        """(type, name) of the objects that are listed."""
        return {(one["type"], one["object"]) for one in self.result["not_adopted"]}

    def drift(self, intent: Result | None = None, **more: Any) -> Result:
        given = self.intent if intent is None else intent
        options = {key: given.get(key) or [] for key in ("targets", "graphics", "vms")}
        return self.lab.run("drift_info", **{**options, "scope": "fleet", **self.journal, **more})

    def differences(self, intent: Result | None = None) -> Counter[tuple[str, ...]]:
        found = self.drift(intent)["report"]["differences"]
        return Counter((one["type"], one["object"], one["subject"], one["kind"], one["device"]) for one in found)

    def planned(self) -> list[tuple[str, Any]]:
        """What the modules would change or refuse for the intent: (module, change or message)."""
        calls = [(module, {"targets": self.intent.get(key)}) for module, key in MODULES.items()]
        calls.append(("vm_pci_device", {"vms": self.intent.get("vms")}))
        found: list[tuple[str, Any]] = []
        for module, options in calls:
            if all(options.values()):
                result = self.lab._main(
                    module, {**self.lab.credentials(), **options, "_ansible_check_mode": True, "_ansible_diff": True}
                )
                found += [(module, result["msg"])] if result.get("failed") else []
                found += [(module, change) for change in result.get("changes", ())]
        return found

    def without_each(self) -> Iterator[tuple[Result, str, str, int]]:
        """The intent without one entry; the type and the name of its object; and how many devices the entry is about."""
        for key in ("targets", "graphics"):
            for number, target in enumerate(self.intent.get(key) or []):
                for place in range(len(target["devices"]) if "devices" in target else 0):
                    yield from self._without(
                        key, number, ("devices", place), "host", target.get("hosts", target.get("cluster"))
                    )
        for number, graphics in enumerate(self.intent.get("graphics") or []):
            for name in ("default_type", "assignment_policy"):
                if name in graphics:
                    yield from self._without(
                        "graphics", number, (name,), "host", graphics.get("hosts", graphics.get("cluster"))
                    )
        for number, vm in enumerate(self.intent.get("vms") or []):
            yield from self._without("vms", number, (), "vm", [vm.get("name") or vm["moid"]])
            for name in ("devices", "sriov_networks"):
                for place in range(len(vm.get(name, ()))):
                    yield from self._without("vms", number, (name, place), "vm", [vm.get("name") or vm["moid"]])

    def _without(self, key: str, number: int, path: tuple[Any, ...], kind: str, names: Any) -> Iterator[Any]:
        intent = copy.deepcopy(self.intent)
        entry: Any = {}
        if not path:
            del intent[key][number]
        else:
            place = intent[key][number]
            for step in path[:-1]:
                place = place[step]
            entry = place[path[-1]]
            del place[path[-1]]
            target = intent[key][number]
            if (
                key == "graphics"
                and not ({"default_type", "assignment_policy"} & set(target))
                and not target.get("devices")
            ):
                del intent[key][number]
            elif key == "vms":
                if not target.get("devices"):
                    target.pop("devices", None)
                if not target.get("sriov_networks"):
                    target.pop("sriov_networks", None)
                if "devices" not in target and "sriov_networks" not in target:
                    del intent[key][number]
                elif not any("match" in device for device in target.get("devices", ())):
                    target.pop("backing", None)
        count = entry.get("count", 1) if isinstance(entry, dict) else 1
        yield intent, kind, names, count


def check(adopted: Adopted) -> None:
    """What is promised of every adopted lab."""
    listed, differences = adopted.left, adopted.drift()
    found = differences["report"]["differences"]
    strangers = [one for one in found if (one["type"], one["object"]) not in listed and one["kind"] != "unchecked"]
    assert not strangers, f"drift of what was adopted: {strangers}"
    desired = [one for one in found if one["kind"] == "pending_reboot" and one["wanted"] not in NOTHING]
    assert not desired, f"a pending device was adopted: {desired}"
    healthy = {vm.get("name") for vm in adopted.intent.get("vms", ())} - {None}
    named = {name for kind, name in listed if kind == "vm"} - stopped_for_hosts(adopted.result)
    assert not healthy & named, f"both adopted and listed: {healthy & named}"
    if not listed and not found:
        assert differences["status"] == "in_sync"
    planned = adopted.planned()
    assert planned == [], f"the plan changes what was adopted: {planned}"
    assert adopted.lab.run("intent_info", **adopted.journal)["hosts"] == adopted.result["hosts"], "a second time"


def stopped_for_hosts(result: Result) -> set[str]:
    """VMs that are listed because they are off, or because not everything of them was read: they may be adopted."""
    return {one["object"] for one in result["not_adopted"] if one["kind"] in ("stopped_for_host", "unchecked")}


def check_each_entry(adopted: Adopted) -> int:
    """Without any one entry, drift names what the entry stood for, and nothing else. Returns how many entries there are."""
    base, entries = adopted.differences(), 0
    for intent, kind, names, count in adopted.without_each():
        entries += 1
        new = adopted.differences(intent) - base
        assert new, f"nothing is missed of {names} without an entry: {intent}"
        assert {one[0] for one in new} == {kind}, f"{names}: {new}"
        assert {one[3] for one in new} == {"extra"}, f"{names}: {new}"
        objects = {one[1] for one in new}
        if kind == "vm":
            assert len(objects) == 1, f"{names}: {new}"
            assert new.total() >= count, f"{count} of {names}: {new}"
    nothing = adopted.drift({})
    assert nothing["status"] != "in_sync" or not entries, "an empty intent fails"
    return entries
