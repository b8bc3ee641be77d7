# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a fleet for a capture: bulk reads, one call a host for partition tables, and the event log. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..._domain.capture.document import Capture, CapturedObject, Tree, in_order
from ..._domain.errors import DirectPathError
from ..._domain.facts import Unknown
from ..._domain.text import counted
from ..property_collector.retrieve import NAMES_PAGE, Row, collect_objects, collect_view
from ..read.vcenter_settings import read_vcenter_setting
from ..read.vms import OWN_SETTING
from ..rest.compute_policies import may_have_policies
from ..rest.tags import Automation
from ..sdk import vim, vmodl
from ..session.connect import Session
from ..session.faults import SESSION_LOST, words
from .encode import Encoder, moment
from .paths import ALARMS, BINDINGS, COMPUTED, FIELDS, PAGES, SETTINGS, WANTED_SETTINGS, known_paths
from .reboots import History, read_reboots

_OFFERED = ("vendorDeviceGroupInfo", "dvxClassInfo")
_KNOWN_SETTINGS = re.compile("|".join(map(re.escape, WANTED_SETTINGS)), re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """A capture, and what it cost: round trips, and pages of events, calls for partition tables, for what clusters offer and for tags
    among them."""

    capture: Capture
    calls: int
    event_pages: int
    partition_calls: int
    target_calls: int
    tag_calls: int


def is_kept(key: str) -> bool:
    """Whether a setting of a VM (extraConfig) is kept: only those that this collection reads. All others may hold secrets."""
    return bool(OWN_SETTING.fullmatch(key) or _KNOWN_SETTINGS.fullmatch(key))


def read_capture(session: Session, *, tags: bool, reboots: bool) -> Read:
    """Read all hosts, VMs and what is around them. Raises faults of the server and DirectPathError."""
    before = session.calls
    rows: list[Row] = []
    paths: dict[str, tuple[str, ...]] = {}
    for table, page in PAGES:
        wanted = known_paths(session, table)
        paths |= {_name(kind): tuple(names) for kind, names in wanted.items()}
        rows += [row for found in collect_view(session, wanted, page=page).values() for row in found]
    rows += _around(session, rows, paths)
    hosts = [row for row in rows if issubclass(row.kind, vim.HostSystem)]
    encoder = Encoder()
    partitions, refused = _partitions(session, filter(_has_disks, hosts), encoder)
    asked = session.stub.calls["QueryConfigTarget"]
    targets, hidden = _targets(session, rows, encoder)
    asked = session.stub.calls["QueryConfigTarget"] - asked
    history = read_reboots(session) if reboots else History(seconds={})
    already = session.calls
    read_tags, problem = _tags(session) if tags else (None, "")
    tag_calls = session.calls - already
    settings, unread = _settings(session)
    about = session.content.about
    capture = Capture(
        kind="vcenter" if session.is_vcenter else "esxi",
        time=moment(session.instance.CurrentTime()),
        api=str(about.apiVersion),
        about=encoder.tree(about),
        root=session.content.rootFolder._moId,
        paths=paths,
        objects=in_order(_captured(row, encoder) for row in rows),
        partitions=partitions,
        targets=targets,
        reboots=history.seconds,
        tags=read_tags,
        settings=settings,
        computed=COMPUTED,
        notes=tuple(note for note in (refused, hidden, history.problem, problem, *unread) if note),
    )
    return Read(
        capture=capture,
        calls=session.calls - before,
        event_pages=history.pages,
        partition_calls=len(partitions),
        target_calls=asked,
        tag_calls=tag_calls,
    )


def _name(kind: Any) -> str:
    return str(kind._wsdlName)


def _captured(row: Row, encoder: Encoder) -> CapturedObject:
    return CapturedObject(
        kind=_name(row.kind),
        moid=row.moid,
        values={path: encoder.tree(_kept(path, value)) for path, value in row.values.items()},
        missing={path: type(fault)._wsdlName for path, fault in row.missing.items()},
    )


def _kept(path: str, value: Any) -> Any:
    """Without the settings of a VM that this collection does not read."""
    return [item for item in value if is_kept(str(item.key))] if path == "config.extraConfig" else value


def _around(session: Session, rows: Iterable[Row], paths: dict[str, tuple[str, ...]]) -> list[Row]:
    """Objects that are not in the inventory tree: bindings of devices, names of alarms that are triggered, definitions of attributes."""
    bindings = {ref._moId for row in rows if (ref := row.get("configManager.assignableHardwareManager")) is not None}
    alarms = {state.alarm._moId for row in rows for state in row.get("triggeredAlarmState", ())}
    fields = session.content.customFieldsManager
    wanted = ((BINDINGS, bindings), (ALARMS, alarms), (FIELDS, {fields._moId} if fields is not None else set()))
    # A view does not contain the folder that it begins at, which has the lock of a rolling reboot.
    found = collect_objects(session, vim.Folder, [session.content.rootFolder._moId], paths["Folder"])
    for table, moids in wanted:
        for kind, names in known_paths(session, table).items():
            if moids:
                paths[_name(kind)] = tuple(names)
                found += collect_objects(session, kind, moids, names, page=NAMES_PAGE)
    return found


# -- what clusters offer --------------------------------------------------------------------------------------------


def _targets(session: Session, rows: Iterable[Row], encoder: Encoder) -> tuple[dict[str, Tree], str]:
    """Compute resource id → the vendor device groups and DVX classes that it offers: one call each, where the API has them. And a sentence
    where the server refused it."""
    if not session.knows(vim.vm.ConfigTarget, "vendorDeviceGroupInfo"):
        return {}, ""
    found: dict[str, Tree] = {}
    faults: list[str] = []
    for row in rows:
        browser = row.get("environmentBrowser") if issubclass(row.kind, vim.ComputeResource) else None
        if browser is None:
            continue
        try:
            target = session.reference(vim.EnvironmentBrowser, browser._moId).QueryConfigTarget(None)
        except SESSION_LOST:
            raise
        except (vmodl.fault.NotSupported, vmodl.fault.HostNotConnected, vmodl.fault.HostNotReachable):
            continue  # none of its hosts answers
        except vmodl.MethodFault as fault:
            faults.append(words(fault))
            continue
        offered = {name: list(getattr(target, name, None) or ()) for name in _OFFERED}
        if any(offered.values()):
            found[row.moid] = {name: encoder.tree(values) for name, values in offered.items()}
    return found, _refused("What clusters offer (vendor device groups, DVX classes)", "cluster", faults)


def _refused(what: str, noun: str, faults: Sequence[str]) -> str:
    return f"{what} cannot be read from {counted(len(faults), noun)}: {faults[0]}" if faults else ""


# -- partition tables -----------------------------------------------------------------------------------------------


def _has_disks(row: Row) -> bool:
    connected = str(row.get("runtime.connectionState")) == "connected"
    return connected and row.get("configManager.storageSystem") is not None and bool(_disks(row))


def _disks(row: Row) -> list[str]:
    found = row.get("config.storageDevice.scsiLun", ())
    return sorted(path for lun in found if (path := getattr(lun, "devicePath", None)))


def _partitions(session: Session, hosts: Iterable[Row], encoder: Encoder) -> tuple[dict[str, Tree], str]:
    """Host id → the partition tables of its disks, or None and a sentence where the host refused them."""
    found: dict[str, Tree] = {}
    faults: list[str] = []
    for row in hosts:
        system = session.reference(vim.host.StorageSystem, row.get("configManager.storageSystem")._moId)
        try:
            found[row.moid] = encoder.tree(list(system.RetrieveDiskPartitionInfo(_disks(row)) or ()))
        except SESSION_LOST:
            raise
        except vmodl.MethodFault as fault:
            found[row.moid] = None
            faults.append(words(fault))
    return found, _refused("Partition tables", "host", faults)


# -- vCenter --------------------------------------------------------------------------------------------------------


def _settings(session: Session) -> tuple[dict[str, str], list[str]]:
    """The settings that are set, and a sentence for each that cannot be read."""
    read = {name: read_vcenter_setting(session, name) for name in SETTINGS} if session.is_vcenter else {}
    found = {name: fact for name, fact in read.items() if not isinstance(fact, Unknown) and fact}
    return found, [f"The advanced setting {fact.gap}" for fact in read.values() if isinstance(fact, Unknown)]


def _tags(session: Session) -> tuple[Tree, str]:
    """Categories, tags, the VMs that have them, and compute policies; None and a sentence where they cannot be read."""
    if not session.is_vcenter:
        return None, ""
    api = Automation(session=session)
    try:
        categories = api.categories()
        named: list[Tree] = []
        tags = {key: api.tags_of(key) for key in categories}
        holders = api.tagged_vms({tag for found in tags.values() for tag in found}) if any(tags.values()) else {}
        for key in sorted(categories, key=lambda each: (categories[each], each)):
            own: list[Tree] = [
                {"id": tag, "name": tags[key][tag], "vms": [*sorted(holders.get(tag, ()))]}
                for tag in sorted(tags[key], key=lambda each: (tags[key][each], each))
            ]
            named.append({"id": key, "name": categories[key], "tags": own})
        return {"categories": named, "policies": _policies(session, api)}, ""
    except DirectPathError as error:
        return None, f"Tags and compute policies are not in the capture: {error.message}"
    finally:
        api.close()


def _policies(session: Session, api: Automation) -> list[Tree]:
    if not may_have_policies(session):
        return []
    used = api.policy_tags() if (found := api.policies()) else {}
    return [
        {"id": key, "capability": found[key][0], "name": found[key][1], "tags": [*sorted(used.get(key, ()))]}
        for key in sorted(found)
    ]
