# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replace everything in a capture that says something about a site: the same name by the same alias, wherever it occurs.

It fails closed: what ``allowed.py`` does not name is replaced, or becomes 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ..names import decoded, shown_name
from ..rolling.scheduling.natural_sort import natural_key
from . import allowed
from .document import LONG, REFERENCE, TYPE, Capture, CapturedObject, Tree, Word, in_order
from .journal import OWN, Names, replaced, short_digest

_KINDS: Mapping[str, str] = {
    "Datacenter": "dc",
    "ClusterComputeResource": "cluster",
    "ComputeResource": "host",
    "HostSystem": "host",
    "VirtualMachine": "vm",
    "Datastore": "datastore",
    "Network": "network",
    "OpaqueNetwork": "network",
    "DistributedVirtualPortgroup": "portgroup",
    "DistributedVirtualSwitch": "dvs",
    "VmwareDistributedVirtualSwitch": "dvs",
    "ResourcePool": "pool",
    "VirtualApp": "vapp",
    "Folder": "folder",
    "StoragePod": "pod",
}
_NOTHING = Capture(kind="vcenter", time="", api="", about=None, root="", paths={}, objects=())
_PATHS_OF_NAMES = {"name": _KINDS, "info.name": {"Alarm": "alarm"}}
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_VOLUME = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_SWITCH = re.compile(r"([0-9a-fA-F]{2} ){7}[0-9a-fA-F]{2}-([0-9a-fA-F]{2} ){7}[0-9a-fA-F]{2}")
_MAC = re.compile(r"([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}")
_IP4 = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")
_MASK = re.compile(r"(0|128|192|224|240|248|252|254|255)(\.(0|128|192|224|240|248|252|254|255)){3}")
_IP6 = re.compile(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*:[0-9a-fA-F.:%]*")
_DISK = re.compile(r"(naa|eui|t10|uuid)\..+")
_QUALIFIED = re.compile(r"(nqn|iqn)\..+")
_KEY = re.compile(r"(?:([A-Za-z]+)\.)?(key-vim\.host\.(?:[A-Z][A-Za-z]+\.)?[A-Z][A-Za-z]+-)(.*)", re.DOTALL)
_FILE = re.compile(r"\[([^\]]*)\] ?(.*)", re.DOTALL)
_FOLDERS = ("/vmfs/devices/disks/", "/vmfs/volumes/", "ds:///vmfs/volumes/")
_SHAPES: tuple[tuple[re.Pattern[str], str, Callable[[int], str]], ...] = (
    (_UUID, "uuid", lambda n: f"00000000-0000-4000-8000-{n:012x}"),
    (_VOLUME, "volume", lambda n: f"00000000-{n:08x}-0000-000000000000"),
    (
        _SWITCH,
        "switch",
        lambda n: "00 00 00 00 00 00 00 00-00 00 00 00 " + " ".join(f"{n:08x}"[i : i + 2] for i in (0, 2, 4, 6)),
    ),
    (_MAC, "mac", lambda n: "02:00:" + ":".join(f"{n:08x}"[i : i + 2] for i in (0, 2, 4, 6))),
    (_IP4, "ip", lambda n: f"198.{18 + (n >> 16 & 1)}.{n >> 8 & 255}.{n & 255}"),
    (_IP6, "ip6", lambda n: f"2001:db8::{n:x}"),
)
_NAMED_TEXTS: Mapping[str, str] = {
    "HostPciDevice.slotDescription": "slot",
    "HostPciPassthruInfo.hardwareLabel": "label",
    "HostSriovInfo.hardwareLabel": "label",
    "VirtualPCIPassthroughDynamicBackingInfo.customLabel": "label",
    "HostHardwareSummary.model": "model",
    "HostSystemInfo.model": "model",
    "HostHardwareSummary.vendor": "vendor",
    "HostSystemInfo.vendor": "vendor",
}


@dataclass(kw_only=True)
class Aliases:
    """Text → alias. The same order of questions gives the same aliases."""

    table: dict[str, str] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)
    _given: set[str] = field(default_factory=set)

    def of(self, text: str, kind: str, make: Callable[[int], str] | None = None) -> str:
        """The alias of a text; a new one where it has none."""
        known = self.table.get(text)
        if known is not None:
            return known
        while True:
            number = self._counts[kind] = self._counts.get(kind, 0) + 1
            alias = make(number) if make is not None else f"{kind}-{number:05d}"
            if alias not in self._given:
                break
        self._given.add(alias)
        self.table[text] = alias
        return alias

    @classmethod
    def of_key(cls, key: Mapping[str, str]) -> Aliases:
        """Those of an earlier key. New texts get aliases that are not in it."""
        made = cls()
        made.table = {text: alias for alias, text in key.items()}
        made._given = set(key)
        return made

    def key(self) -> dict[str, str]:
        """Alias → text, for the file that is kept apart."""
        return {alias: text for text, alias in sorted(self.table.items(), key=lambda item: item[1])}


def anonymize(capture: Capture) -> tuple[Capture, dict[str, str]]:
    """The capture without names, and the key: alias → what it stands for."""
    work = Anonymizer(capture)
    return work.done(capture), work.aliases.key()


def texts_of_key(key: Mapping[str, str]) -> Anonymizer:
    """Replaces texts that are in no capture, such as the options of a run, with the aliases of a capture. ``key``: that of the capture."""
    work = Anonymizer(_NOTHING)
    work.aliases = Aliases.of_key(key)
    return work


class Anonymizer:
    """Replaces what a capture contains, and other texts with the same aliases (``text``)."""

    def __init__(self, capture: Capture) -> None:
        self.aliases = Aliases()
        self._known: dict[int, tuple[Tree, Tree]] = {}
        self._journal = {
            key: str(item["name"])
            for item in _definitions(capture)
            if item.get("name") in OWN and isinstance(key := item.get("key"), int)
        }
        self._stores: dict[str, str] = {}
        classes = [thing.values.get("hardware.dvxClasses") for thing in capture.objects]
        self._parameters = _parameters([*classes, *capture.targets.values()])
        for kind, name in sorted(_names(capture), key=lambda item: (item[0], natural_key([item[1]]))):
            self._name(name, kind)
            # Where no inventory object is named, the same name has its slashes as they are.
            self.aliases.table.setdefault(decoded(name), self.aliases.table[name])
            if kind == "datastore":
                self._stores[short_digest(shown_name(name))] = short_digest(self.aliases.table[name])

    def _name(self, name: str, kind: str) -> None:
        alias = self.aliases.of(name, kind, (lambda n: f"host-{n:05d}.example") if kind == "host" else None)
        short, dot, _domain = name.partition(".")
        if kind == "host" and dot and short and not _IP4.fullmatch(name):
            self.aliases.table.setdefault(short, alias.partition(".")[0])

    def done(self, capture: Capture) -> Capture:
        return replace(
            capture,
            anonymized=True,
            about=self.tree(capture.about, "about"),
            root=self._moid(capture.root),
            objects=in_order(map(self._object, capture.objects)),
            partitions={self._moid(moid): self.tree(tree, "partitions") for moid, tree in capture.partitions.items()},
            targets={
                self._moid(moid): {name: self.tree(rows, f"target.{name}") for name, rows in tree.items()}
                for moid, tree in capture.targets.items()
                if isinstance(tree, dict)
            },
            reboots={self._moid(moid): seconds for moid, seconds in capture.reboots.items()},
            tags=self._tags(capture.tags),
            settings={key: text for key, text in capture.settings.items() if self._is_plain(key, text)},
            notes=tuple(
                f"Note {number} is not in an anonymized capture" for number, _note in enumerate(capture.notes, 1)
            ),
        )

    def _object(self, thing: CapturedObject) -> CapturedObject:
        return replace(
            thing,
            moid=self._moid(thing.moid),
            values={path: self.tree(tree, f"{thing.kind}:{path}") for path, tree in thing.values.items()},
        )

    # -- values -------------------------------------------------------------------------------------------------------

    def tree(self, tree: Tree, where: str) -> Tree:
        """A value. ``where``: its type and field, or its type and path."""
        if isinstance(tree, list):
            return [self.tree(item, where) for item in tree]
        if isinstance(tree, dict):
            return self._data(tree)
        if tree is None or isinstance(tree, bool | Word):
            return tree
        if isinstance(tree, str):
            return self._text(tree, where)
        name = where.partition(":")[2] or where.rpartition(".")[2]
        return tree if name in allowed.NUMBERS else 0

    def _data(self, tree: dict[str, Tree]) -> Tree:
        reference = tree.get(REFERENCE)
        if isinstance(reference, str):
            kind, _colon, moid = reference.partition(":")
            return {REFERENCE: f"{kind}:{self._moid(moid)}"}
        known = self._known.get(id(tree))
        if known is None:
            known = self._known[id(tree)] = tree, self._fields(tree)
        return known[1]

    def _fields(self, tree: dict[str, Tree]) -> Tree:
        kind = str(tree[TYPE])
        if kind == "CustomFieldStringValue":
            return {**tree, "value": self._custom(tree.get("key"), str(tree.get("value", "")))}
        if kind == "CustomFieldDef":
            return {name: item if name in (TYPE, "key") or (name == "name" and tree.get("key") in self._journal)
                    else self._definition(item) for name, item in tree.items()}  # fmt: skip
        if kind == "OptionValue":
            return self._setting(tree)
        return {name: item if name == TYPE else self.tree(item, f"{kind}.{name}") for name, item in tree.items()}

    def _definition(self, item: Tree) -> Tree:
        if isinstance(item, Word) or not isinstance(item, str):
            return item if isinstance(item, Word) else None
        return self.aliases.of(item, "attribute")

    def _setting(self, tree: dict[str, Tree]) -> Tree:
        """A setting of a VM, or a parameter of a DVX device, whose keys are those that its driver offers."""
        key, value = str(tree.get("key", "")), tree.get("value")
        offered = key in self._parameters
        if offered and (isinstance(value, bool | int) or (isinstance(value, dict) and value.get(TYPE) == LONG)):
            return tree
        plain = self._is_plain(key, str(value)) or (offered and allowed.SETTING_VALUE.fullmatch(str(value)))
        shown = key if offered or allowed.SETTING_KEY.fullmatch(key) else self.aliases.of(key, "setting")
        return {**tree, "key": shown, "value": value if plain else self.aliases.of(str(value), "value")}

    def _is_plain(self, key: str, value: str) -> bool:
        return bool(allowed.SETTING_KEY.fullmatch(key) and allowed.SETTING_VALUE.fullmatch(value))

    def _custom(self, key: Tree, value: str) -> str:
        """A value of a custom attribute. The journal of this collection keeps what is no name."""
        names = Names(
            text=lambda text: self.aliases.of(text, "text"), moid=self._moid, name=self.text, store=self._store_digest
        )
        own = replaced(self._journal[key], value, names) if isinstance(key, int) and key in self._journal else None
        if own is not None:
            return own
        return self.aliases.of(value, "value") if value else ""

    def _store_digest(self, found: str) -> str:
        """The journal has digests of names of datastores, which could be compared with guessed names."""
        return self._stores.get(found) or short_digest(self.aliases.of(f"datastore {found}", "lost"))

    def _tags(self, tags: Tree) -> Tree:
        if not isinstance(tags, dict):
            return None
        found: dict[str, Tree] = {"categories": [], "policies": []}
        for name, kind in (("categories", "category"), ("policies", "policy")):
            rows = tags.get(name)
            found[name] = [self._tag(row, kind) for row in rows] if isinstance(rows, list) else []
        return found

    def _tag(self, row: Tree, kind: str) -> Tree:
        if not isinstance(row, dict):
            return None
        made: dict[str, Tree] = {}
        for name, item in row.items():
            if name == "id" and isinstance(item, str):
                made[name] = self._urn(item)
            elif name == "name" and isinstance(item, str):
                made[name] = self.aliases.of(item, kind)
            elif name == "capability" and isinstance(item, str):
                made[name] = item if item.startswith("com.vmware.") else self.aliases.of(item, "capability")
            elif isinstance(item, list):
                made[name] = [
                    self._tag(each, "tag") if isinstance(each, dict) else self._listed(name, each) for each in item
                ]
        return made

    def _listed(self, name: str, item: Tree) -> Tree:
        return self._moid(str(item)) if name == "vms" else self._urn(str(item))

    def _urn(self, text: str) -> str:
        found = re.fullmatch(r"(urn:vmomi:InventoryService[A-Z][a-z]+:)([^:]+)(:GLOBAL)", text)
        return f"{found[1]}{self.text(found[2])}{found[3]}" if found else self.text(text)

    # -- texts --------------------------------------------------------------------------------------------------------

    def _moid(self, moid: str) -> str:
        return moid if allowed.MOID.fullmatch(moid) else self.aliases.of(moid, "object")

    def _text(self, text: str, where: str) -> str:
        if where in allowed.TEXTS or text in allowed.NAMES:
            return text
        if where.endswith(("Description.label", "Description.summary")) and allowed.DEVICE_LABEL.fullmatch(
            text.strip()
        ):
            return text
        if where == "VirtualMachine:config.changeVersion" and allowed.MOMENT.fullmatch(text):
            return text
        if where == "HostDiskPartitionAttributes.guid" and text.lower() in allowed.GPT_TYPES:
            return text
        if where == "AlarmState.key":
            return ".".join(map(self._moid, text.split(".")))
        if where.endswith(".subnetMask") and _MASK.fullmatch(text):
            return text
        if where in allowed.PCI_IDS and allowed.PCI_ID.fullmatch(text):
            return text
        if where.endswith((".portgroupKey", ":key")):
            return self._moid(text)
        if kind := _NAMED_TEXTS.get(where):
            return self.aliases.of(text, kind)
        return self.text(text)

    def text(self, text: str) -> str:
        """A text of which only its own form is known."""
        if text in allowed.NAMES:
            return text
        if text in self.aliases.table:
            return self.aliases.table[text]
        if allowed.PCI_ADDRESS.fullmatch(text) or allowed.KERNEL.fullmatch(text):
            return text
        for shape, kind, make in _SHAPES:
            if shape.fullmatch(text):
                return self.aliases.of(text, kind, make)
        if found := _DISK.fullmatch(text):
            prefix = found[1]
            return self.aliases.of(text, "disk", lambda n: f"{prefix}.{n:032x}")
        if found := _QUALIFIED.fullmatch(text):
            prefix = found[1]
            return self.aliases.of(text, "qualified", lambda n: f"{prefix}.2000-01.example:{n:08d}")
        return self._composite(text)

    def _composite(self, text: str) -> str:
        if (found := _KEY.fullmatch(text)) and (found[1] is None or found[1] in allowed.NIC_TYPES):
            return (f"{found[1]}." if found[1] else "") + found[2] + self._tail(found[2], found[3])
        if found := _FILE.fullmatch(text):
            return f"[{self.text(found[1])}] {self._path(found[2])}"
        for folder in _FOLDERS:
            if text.startswith(folder):
                return folder + self._path(text[len(folder) :])
        if text.startswith("OSDATA-"):
            return "OSDATA-" + self.text(text.removeprefix("OSDATA-"))
        return self.aliases.of(text, "text")

    def _tail(self, kind: str, text: str) -> str:
        """The rest of a key of ESXi. Numbers stay only where ESXi counts: a port group can have a number as its name, too."""
        counted = kind.endswith(".NvmeController-") and text.isdecimal() and len(text) <= 6
        return text if counted else self.text(text)

    def _path(self, path: str) -> str:
        return "/".join(self._component(part) for part in path.split("/"))

    def _component(self, part: str) -> str:
        base, dot, ending = part.rpartition(".")
        return f"{self.text(base)}.{ending}" if dot and ending.lower() in allowed.FILE_TYPES else self.text(part)


def _names(capture: Capture) -> set[tuple[str, str]]:
    """Kind and name of all objects. Their aliases sort as the names do, so that a plan has the same order."""
    found = set()
    for thing in capture.objects:
        for path, kinds in _PATHS_OF_NAMES.items():
            name, kind = thing.values.get(path), kinds.get(thing.kind)
            if kind is not None and isinstance(name, str) and name not in allowed.NAMES:
                found.add((kind, name))
    return found


def _definitions(capture: Capture) -> list[dict[str, Tree]]:
    fields = [thing.values.get("field") for thing in capture.objects if thing.kind == "CustomFieldsManager"]
    return [item for rows in fields if isinstance(rows, list) for item in rows if isinstance(item, dict)]


def _parameters(tree: Tree) -> set[str]:
    """The parameters that DVX classes offer."""
    if isinstance(tree, list):
        return {name for item in tree for name in _parameters(item)}
    if not isinstance(tree, dict):
        return set()
    found = {name for item in tree.values() for name in _parameters(item)}
    return found | ({str(tree.get("key"))} if tree.get(TYPE) == "OptionDef" else set())
