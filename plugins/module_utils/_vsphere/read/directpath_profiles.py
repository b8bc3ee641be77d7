# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DirectPath profiles of a vCenter (9.0), and the capacity that it reports for them. PRIVATE to the collection.

Source: API reference, DirectPathProfileManager (List: System.View; QueryCapacity: of one host or one cluster).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._domain.errors import DirectPathError
from ..._domain.host.capacity import CapacityPlace, DirectPathProfile, Model, Numbers, describe_models
from ..._domain.text import visible_name
from ..._domain.writing.api_versions import too_old
from ..sdk import vim
from ..session.answer_checks import reader
from ..session.connect import Session
from ..session.faults import SERVER_ERRORS, explain

SINCE = (9, 0, 0, 0)


def why_no_profiles(session: Session) -> str:
    """Why there are no profiles to read, as a clause; empty if there are."""
    if not session.is_vcenter:
        return "an ESXi host has no DirectPath profiles"
    if session.api.lacks(SINCE):
        return too_old("DirectPath profiles cannot be read", SINCE, session.api).message
    return "" if _manager(session) is not None else "this vCenter has no DirectPath profiles"


def _manager(session: Session) -> Any:
    return getattr(session.content, "directPathProfileManager", None)


@reader
def read_profiles(session: Session) -> tuple[DirectPathProfile, ...]:
    """All profiles, by name. One call. Raises DirectPathError."""
    try:
        found = _manager(session).ListDirectPathProfiles(vim.DirectPathProfileManager.FilterSpec())
    except SERVER_ERRORS as fault:
        raise explain(fault, doing="read the DirectPath profiles", on=session.endpoint.hostname) from fault
    return tuple(sorted((_profile(item) for item in found or ()), key=lambda item: (item.name, item.id)))


def _profile(item: Any) -> DirectPathProfile:
    types, config = vim.DirectPathProfileManager, item.deviceConfig
    common: dict[str, Any] = {
        "id": str(item.id),
        "name": visible_name(item.name),
        "description": visible_name(item.description or ""),
        "vendor": visible_name(item.vendorName or ""),
    }
    if isinstance(config, types.VmiopDirectPathConfig):
        return DirectPathProfile(**common, kind="vgpu", value=config.vgpuProfile)
    if isinstance(config, types.DvxDirectPathConfig):
        return DirectPathProfile(**common, kind="dvx", value=config.dvxBacking.deviceClass or "")
    if isinstance(config, types.VirtualDeviceGroupDirectPathConfig):
        return DirectPathProfile(**common, kind="group", value=config.deviceGroupName)
    if isinstance(config, types.DynamicDirectPathConfig):
        backing = config.dynamicDirectPathBacking
        models: tuple[Model, ...] = tuple(
            sorted((_hex4(one.vendorId), _hex4(one.deviceId)) for one in backing.allowedDevice or ())
        )
        label = backing.customLabel or None
        return DirectPathProfile(
            **common, kind="dynamic", value=describe_models(models, label), models=models, label=label
        )
    return DirectPathProfile(**common, kind="unknown", value=type(config).__name__)


def _hex4(number: int) -> str:
    return f"{number & 0xFFFF:04x}"


@reader
def query_capacity(
    session: Session, profiles: Sequence[DirectPathProfile], place: CapacityPlace
) -> Mapping[str, Numbers | str]:
    """Profile id → its capacity at the place, or why vCenter does not know it. One call for all profiles."""
    if not profiles:
        return {}
    types = vim.DirectPathProfileManager
    target = (
        types.TargetHost(host=session.reference(vim.HostSystem, place.moid))
        if place.type == "host"
        else types.TargetCluster(cluster=session.reference(vim.ClusterComputeResource, place.moid))
    )
    queries = [types.CapacityQueryById(id=profile.id) for profile in profiles]
    try:
        answers = _manager(session).QueryDirectPathProfileCapacity(target, queries) or ()
    except SERVER_ERRORS as fault:
        error: DirectPathError = explain(fault, doing="query the capacity of DirectPath profiles", on=place.name)
        return dict.fromkeys((profile.id for profile in profiles), error.message)
    if len(answers) != len(profiles):
        return dict.fromkeys((profile.id for profile in profiles), "vCenter did not answer every query")
    return {profile.id: _numbers(answer) for profile, answer in zip(profiles, answers, strict=True)}


def _numbers(answer: Any) -> Numbers | str:
    if isinstance(answer, vim.DirectPathProfileManager.CapacityInfo):
        return Numbers(
            consumed=answer.consumed,
            remaining=answer.remaining,
            maximum=answer.max,
            unused_reservation=answer.unusedReservation,
        )
    faults = [type(fault).__name__.rpartition(".")[2] for fault in getattr(answer, "faultList", None) or ()]
    return f"vCenter does not know the capacity ({', '.join(faults) or 'no reason given'})"
