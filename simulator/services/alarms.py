# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""AlarmManager: which alarms are red or yellow on what. Nothing is measured: alarms are raised by labs, events and knobs.

Sources: API reference (AlarmState; ManagedEntity.triggeredAlarmState: alarms of the entity and of everything below it;
ManagedEntity.overallStatus: the worst of the entity's own alarms).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyVmomi import vim, vmodl

from ..api import data
from ..api.takes import takes
from ..core.base import Endpoint, Entity, ManagedObject

if TYPE_CHECKING:
    from ..core.call import Call

CONNECTION = "Host connection and power state"
"""The alarm every vCenter comes with that is red while a host does not respond and was not put into standby."""
WORST = ("green", "gray", "yellow", "red")


class Alarm(ManagedObject):
    """One definition, on the root folder like those a vCenter comes with."""

    vim_type = vim.alarm.Alarm
    id_prefix = "alarm"

    def __init__(self, sim: Endpoint, name: str, *, moid: str | None = None) -> None:
        super().__init__(sim, moid, value=None, availableField=None)
        assert sim.root is not None
        self.props["info"] = data.new(
            vim.alarm.AlarmInfo,
            key=self.moid,
            alarm=self.ref,
            entity=sim.root.ref,
            name=name,
            description=name,
            enabled=True,
            expression=data.new(vim.alarm.OrAlarmExpression, expression=[]),
            lastModifiedTime=sim.clock.start,
            lastModifiedUser="",
            creationEventId=0,
        )

    @property
    def name(self) -> str:
        """What people know it by."""
        return str(self.props["info"].name)


class AlarmManager(ManagedObject):
    """Definitions by name, and the states that are not green."""

    vim_type = vim.alarm.AlarmManager

    def __init__(self, sim: Endpoint, moid: str) -> None:
        super().__init__(sim, moid, defaultExpression=[])
        self.alarms: dict[str, Alarm] = {}
        self._states: dict[str, dict[str, Any]] = {}

    def alarm(self, name: str) -> Alarm:
        """The definition of this name; made when nobody asked for it before."""
        if name not in self.alarms:
            self.alarms[name] = self.sim.add(Alarm(self.sim, name))
        return self.alarms[name]

    def trigger(self, entity: Entity, name: str, status: str = "red", *, acknowledged: bool = False) -> None:
        """An alarm turns red or yellow on an entity, or (green) is over."""
        alarm = self.alarm(name)
        mine = self._states.setdefault(entity.moid, {})
        old = mine.get(alarm.moid)
        before = str(old.overallStatus) if old is not None else "green"
        if status == "green":
            mine.pop(alarm.moid, None)
        elif status != before:
            mine[alarm.moid] = data.new(
                vim.alarm.AlarmState,
                key=f"{alarm.moid}.{entity.moid}",
                entity=entity.ref,
                alarm=alarm.ref,
                overallStatus=status,
                time=self.sim.clock.now(),
                acknowledged=False,
            )
        if status not in ("green", before):
            self._acknowledge(mine[alarm.moid], "" if not acknowledged else "somebody")
        if status != before:
            self._tell(entity, alarm, before, status)
        self._show(entity)

    def _acknowledge(self, state: Any, user: str) -> None:
        if user:
            state.acknowledged, state.acknowledgedByUser, state.acknowledgedTime = True, user, self.sim.clock.now()

    def adopt(self, moid: str, state: Any) -> None:
        """Take over an alarm that is triggered on an object of a captured vCenter."""
        self._states.setdefault(moid, {})[state.alarm._moId] = state

    def acknowledge(self, entity: Entity, name: str, user: str) -> None:
        """An administrator acknowledges it: it stays red. Raises NotFound when it is not triggered here."""
        state = self._states.get(entity.moid, {}).get(self.alarm(name).moid)
        if state is None:
            raise vim.fault.NotFound()
        fresh = data.clone(state)
        self._acknowledge(fresh, user)
        self._states[entity.moid][self.alarm(name).moid] = fresh
        self._show(entity)

    def states(self, entity: Entity) -> list[Any]:
        """The entity's own alarms that are not green."""
        return list(self._states.get(entity.moid, {}).values())

    def forget(self, entity: Entity) -> None:
        """The entity is gone, and its alarms with it."""
        if self._states.pop(entity.moid, None) and entity.up is not None:
            self._show(entity.up)

    def _show(self, entity: Entity) -> None:
        worst = max([*(str(state.overallStatus) for state in self.states(entity)), "green"], key=WORST.index)
        entity.set("overallStatus", worst)
        if entity.vim_type is vim.HostSystem:
            entity.set("summary.overallStatus", worst)
        for node in entity.ancestors():
            found = [
                state
                for moid, states in self._states.items()
                if states and (below := self.sim.registry.find(moid)) is not None and _is_below(below, node)
                for state in states.values()
            ]
            node.set("triggeredAlarmState", [data.clone(state) for state in found] or None)

    def _tell(self, entity: Entity, alarm: Alarm, before: str, status: str) -> None:
        fields: dict[str, Any] = {"from": before}  # a word of the language
        argument = data.new(vim.event.ManagedEntityEventArgument, name=entity.name, entity=entity.ref)
        self.sim.post_event(
            vim.event.AlarmStatusChangedEvent,
            entity,
            message=f"Alarm '{alarm.name}' on {entity.name} changed from {before} to {status}",
            alarm=data.new(vim.event.AlarmEventArgument, name=alarm.name, alarm=alarm.ref),
            source=argument,
            entity=argument,
            to=status,
            **fields,
        )

    # -- methods ----------------------------------------------------------------------------------------------

    @takes("entity")
    def GetAlarm(self, call: Call, entity: Any = None) -> list[Any]:
        """All definitions; each is defined on the root folder, so on any other entity there are none."""
        if entity is not None and self.sim.root is not None and entity._moId != self.sim.root.moid:
            return []
        return [alarm.ref for alarm in self.alarms.values()]

    @takes("entity")
    def GetAlarmState(self, call: Call, entity: Any) -> list[Any]:
        """The entity's own alarms that are not green."""
        return self.states(self.sim.obj(entity))

    @takes("alarm", "entity")
    def AcknowledgeAlarm(self, call: Call, alarm: Any, entity: Any) -> None:
        """Mark a triggered alarm as seen."""
        try:
            self.acknowledge(self.sim.obj(entity), self.sim.obj(alarm).name, call.user)
        except vim.fault.NotFound:
            raise vmodl.fault.InvalidArgument(invalidProperty="alarm") from None


def _is_below(obj: ManagedObject, top: Entity) -> bool:
    return isinstance(obj, Entity) and any(node is top for node in obj.ancestors())
