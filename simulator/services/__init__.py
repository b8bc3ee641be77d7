# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The managers every endpoint has: sessions, property collection, views, search, tasks, events, custom fields."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.base import Endpoint
from . import directpath_profiles
from .alarms import AlarmManager
from .authorization import AuthorizationManager
from .custom_fields import CustomFieldsManager
from .events import EventManager
from .guest import build as build_guest
from .property_collector import PropertyCollector
from .reading import PropertyReader
from .search import SearchIndex
from .service_instance import ServiceInstance
from .sessions import SessionManager, Sessions
from .settings import VpxSettings
from .task_manager import TaskManager
from .views import ViewManager


@dataclass(frozen=True, kw_only=True)
class Services:
    """The managers the simulator itself needs to reach."""

    instance: ServiceInstance
    views: ViewManager
    tasks: TaskManager
    events: EventManager
    custom_fields: CustomFieldsManager | None
    alarms: AlarmManager | None


def build_services(sim: Endpoint, sessions: Sessions, reader: PropertyReader) -> Services:
    """Make the managers and enter them in ``sim.content``; ids are those of a vCenter or of an ESXi host."""
    vcenter = sim.kind == "vcenter"
    instance = ServiceInstance(sim)
    views = ViewManager(sim, "ViewManager")
    tasks = TaskManager(sim, "TaskManager" if vcenter else "ha-taskmgr")
    events = EventManager(sim, "EventManager" if vcenter else "ha-eventmgr")
    fields = CustomFieldsManager(sim, "CustomFieldsManager") if vcenter else None
    alarms = AlarmManager(sim, "AlarmManager") if vcenter else None
    services = Services(instance=instance, views=views, tasks=tasks, events=events, custom_fields=fields, alarms=alarms)
    sim.add(instance)
    managers = {
        "propertyCollector": PropertyCollector(
            sim, reader, "propertyCollector" if vcenter else "ha-property-collector"
        ),
        "viewManager": views,
        "sessionManager": SessionManager(sim, "SessionManager" if vcenter else "ha-sessionmgr", sessions),
        "authorizationManager": AuthorizationManager(sim, "AuthorizationManager" if vcenter else "ha-authmgr"),
        "searchIndex": SearchIndex(sim, "SearchIndex" if vcenter else "ha-searchindex"),
        "taskManager": tasks,
        "eventManager": events,
    }
    if vcenter:
        managers["setting"] = VpxSettings(sim, "VpxSettings")
    if fields is not None:
        managers["customFieldsManager"] = fields
    if alarms is not None:
        managers["alarmManager"] = alarms
    if (profiles := directpath_profiles.build(sim)) is not None:
        managers["directPathProfileManager"] = profiles
    for name, manager in managers.items():
        sim.content[name] = sim.add(manager)
    sim.content["guestOperationsManager"] = build_guest(sim)
    return services
