# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CustomFieldsManager: custom attributes and their values on entities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyVmomi import vim, vmodl

from ..api import data
from ..api.data import Ref
from ..api.takes import takes
from ..core.base import Endpoint, Entity, ManagedObject

if TYPE_CHECKING:
    from ..core.call import Call

LONGEST = 255
"""Characters in a value (vCenter's column; longer ones are refused)."""
FIRST_KEY = 101


class CustomFieldsManager(ManagedObject):
    """Definitions live here; values on the entities."""

    vim_type = vim.CustomFieldsManager

    def __init__(self, sim: Endpoint, moid: str) -> None:
        super().__init__(sim, moid, field=[])
        self._next = FIRST_KEY

    def _defs(self) -> list[Any]:
        return list(self.props["field"])

    def definition(self, key: int) -> Any:
        """A definition by key. Raises NotFound."""
        for item in self.props["field"]:
            if item.key == key:
                return item
        raise vim.fault.NotFound()

    def available(self, entity: Entity) -> list[Any]:
        """The definitions that apply to an entity."""
        return [
            item
            for item in self.props["field"]
            if item.managedObjectType is None or issubclass(entity.vim_type, item.managedObjectType)
        ]

    def _publish(self) -> None:
        for entity in self.sim.registry.all(Entity):
            entity.set("availableField", self.available(entity))

    def _check_name(self, name: str, kind: Any, but: int | None = None) -> None:
        if not name:
            raise vmodl.fault.InvalidArgument(invalidProperty="name")
        for item in self.props["field"]:
            overlaps = kind is None or item.managedObjectType is None or item.managedObjectType is kind
            if item.key != but and item.name == name and overlaps:
                raise vim.fault.DuplicateName(name=name, object=self.ref)

    @takes("name", "moType", "fieldDefPolicy.*", "fieldPolicy.*")
    def AddCustomFieldDef(self, call: Call, name: str, kind: Any, policy: Any, instance_policy: Any) -> Any:
        """A new attribute, for one object type or (None) for all."""
        return self.define(name, kind, policy, instance_policy)

    def define(self, name: str, kind: Any, policy: Any = None, instance_policy: Any = None) -> Any:
        """Make a definition. Raises DuplicateName, InvalidArgument."""
        self._check_name(name, kind)
        made = data.new(
            vim.CustomFieldsManager.FieldDef,
            key=self._next,
            name=name,
            type=str,
            managedObjectType=kind,
            fieldDefPrivileges=policy,
            fieldInstancePrivileges=instance_policy,
        )
        self._next += 1
        self.set("field", [*self._defs(), made])
        self._publish()
        return made

    @takes("key")
    def RemoveCustomFieldDef(self, call: Call, key: int) -> None:
        """Remove an attribute and all its values."""
        self.definition(key)
        self.set("field", [item for item in self._defs() if item.key != key])
        for entity in self.sim.registry.all(Entity):
            if entity.custom.pop(key, None) is not None:
                _show(entity)
        self._publish()

    @takes("key", "name")
    def RenameCustomFieldDef(self, call: Call, key: int, name: str) -> None:
        """Rename an attribute; its key and values stay."""
        self._check_name(name, self.definition(key).managedObjectType, but=key)
        renamed = []
        for item in self._defs():
            if item.key == key:
                item = data.clone(item)
                item.name = name
            renamed.append(item)
        self.set("field", renamed)
        self._publish()

    @takes("entity", "key", "value")
    def SetField(self, call: Call, entity: Ref, key: int, value: str) -> None:
        """Set a value on an entity."""
        self.store(self.sim.obj(entity), key, value)

    def adopt(self, definitions: list[Any]) -> None:
        """Take over the definitions of a captured vCenter, with their keys."""
        self.props["field"] = definitions
        self._next = max([FIRST_KEY, *(item.key + 1 for item in definitions)])
        self._publish()

    def store_by_name(self, entity: Entity, name: str, value: str) -> None:
        """Set a value by the name of the attribute. Raises InvalidArgument when none of that name applies to the entity."""
        found = [item.key for item in self.available(entity) if item.name == name]
        if not found:
            raise vmodl.fault.InvalidArgument(invalidProperty="key")
        self.store(entity, found[0], value)

    def store(self, entity: Entity, key: int, value: str) -> None:
        """Set a value. Raises NotFound, InvalidArgument for a value too long or an attribute of another type."""
        definition = self.definition(key)
        if definition not in self.available(entity):
            raise vmodl.fault.InvalidArgument(invalidProperty="key")
        if len(value or "") > LONGEST:
            raise vmodl.fault.InvalidArgument(invalidProperty="value")
        entity.custom[key] = value or ""
        _show(entity)


def _show(entity: Entity) -> None:
    values = [
        data.new(vim.CustomFieldsManager.StringValue, key=key, value=value)
        for key, value in sorted(entity.custom.items())
    ]
    entity.set("customValue", values)
    entity.set("value", values)
