# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Categories, tags, and what they are on: the state behind the tagging API, and the way tests set it.

Sources: vSphere Automation API reference, CategoryModel (cardinality, associable types), TagModel (names are unique
within a category only), TagAssociation.attach (what makes a tag eligible).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..core.base import Endpoint, Entity

_NAMESPACE = uuid.UUID("b4a7d9a2-5f0e-4f5c-9d53-51f3a9d0c7e4")
CARDINALITIES = ("SINGLE", "MULTIPLE")
URN = "urn:vmomi:InventoryService{kind}:"


class Refusal(ValueError):
    """What the API refuses: ``kind`` is the name of the standard error, ``message`` the id of its text."""

    def __init__(self, kind: str, text: str, message: str = "") -> None:
        super().__init__(text)
        self.kind = kind
        self.message = message or f"simulator.tagging.{kind}"


def not_found(what: str) -> Refusal:
    """Nothing has this id. The message is the one vCenter gives."""
    return Refusal("not_found", f"Tagging object {what} not found", "cis.tagging.objectNotFound.error")


@dataclass(kw_only=True)
class Category:
    """A group of tags; no ``types`` means that they go on objects of any."""

    id: str
    name: str
    description: str = ""
    cardinality: str = "MULTIPLE"
    types: tuple[str, ...] = ()

    def describe(self) -> dict[str, Any]:
        """As CategoryModel."""
        return {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "cardinality": self.cardinality,
            "associable_types": list(self.types),
            "used_by": [],
        }


@dataclass(kw_only=True)
class Tag:
    """One tag and the ids of what it is on, in order."""

    id: str
    category: Category
    name: str
    description: str = ""
    on: dict[str, None] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Category/name."""
        return f"{self.category.name}/{self.name}"

    def describe(self) -> dict[str, Any]:
        """As TagModel."""
        return {
            "id": self.id,
            "category_id": self.category.id,
            "name": self.name,
            "description": self.description,
            "used_by": [],
        }


class Tags:
    """All of them. A tag is named ``Category/name``; an object by itself, its inventory path, or a name that is unique."""

    def __init__(self, sim: Endpoint) -> None:
        self.sim = sim
        self.categories: dict[str, Category] = {}
        self.tags: dict[str, Tag] = {}
        self._count = 0

    # -- for tests and labs -----------------------------------------------------------------------------------

    def attach(self, path: str, on: Entity | str) -> Tag:
        """Put a tag on an object; category and tag are made when there are none. Raises Refusal (a ValueError)."""
        with self.sim.lock:
            tag = self.made(path)
            self.put(tag, self._entity(on))
            return tag

    def detach(self, path: str, on: Entity | str) -> None:
        """Take a tag off an object; nothing happens when it was not on it. Raises Refusal."""
        with self.sim.lock:
            self.named(path).on.pop(self._entity(on).moid, None)

    def of(self, on: Entity | str) -> list[str]:
        """The tags of an object as ``Category/name``, sorted."""
        with self.sim.lock:
            return sorted(tag.path for tag in self.on(self._entity(on)))

    def named(self, path: str) -> Tag:
        """A tag by ``Category/name``. Raises Refusal."""
        for tag in self.tags.values():
            if tag.path == path:
                return tag
        raise not_found(path)

    def category(self, name: str, cardinality: str = "multiple", types: Iterable[str] = ()) -> Category:
        """The category of this name, made when there is none: ``single`` or ``multiple``, for objects of these types only."""
        with self.sim.lock:
            for item in self.categories.values():
                if item.name == name:
                    return item
            return self.add_category(name, cardinality=cardinality.upper(), types=types)

    def made(self, path: str) -> Tag:
        """The tag ``Category/name``, made when there is none. Raises Refusal."""
        category, slash, name = path.partition("/")
        if not (category and slash and name):
            raise Refusal("invalid_argument", f"a tag is named Category/name, not {path!r}")
        holder = self.category(category)
        return next((tag for tag in self.within(holder) if tag.name == name), None) or self.add_tag(holder, name)

    def _entity(self, on: Entity | str) -> Entity:
        return self.sim.find_entity(on) if isinstance(on, str) else on

    # -- for the service --------------------------------------------------------------------------------------

    def add_category(
        self, name: str, *, description: str = "", cardinality: str, types: Iterable[str] = (), urn: str = ""
    ) -> Category:
        """A new category. Raises Refusal: a name that is taken, an unknown cardinality, an id of another form."""
        self._check_category(name, cardinality)
        key = self._id("Category", urn, self.categories)
        self.categories[key] = Category(
            id=key, name=name, description=description, cardinality=cardinality, types=tuple(dict.fromkeys(types))
        )
        return self.categories[key]

    def add_tag(self, category: Category, name: str, *, description: str = "", urn: str = "") -> Tag:
        """A new tag. Raises Refusal: a name that is taken in its category, an id of another form."""
        self._check_tag(category, name)
        key = self._id("Tag", urn, self.tags)
        self.tags[key] = Tag(id=key, category=category, name=name, description=description)
        return self.tags[key]

    def change_category(
        self, category: Category, *, name: str, description: str, cardinality: str, types: tuple[str, ...]
    ) -> None:
        """Change one. Raises Refusal: cardinality only widens, types are only added (CategoryTypes.UpdateSpec)."""
        self._check_category(name, cardinality, but=category)
        if (category.cardinality, cardinality) == ("MULTIPLE", "SINGLE"):
            raise Refusal("invalid_argument", "The cardinality of a category cannot go from MULTIPLE to SINGLE")
        if not set(category.types) <= set(types) or (types and not category.types):
            raise Refusal("invalid_argument", "Associable types can only be added to a category")
        category.name, category.description, category.cardinality, category.types = (
            name,
            description,
            cardinality,
            types,
        )

    def change_tag(self, tag: Tag, *, name: str, description: str) -> None:
        """Change one. Raises Refusal: a name that is taken."""
        self._check_tag(tag.category, name, but=tag)
        tag.name, tag.description = name, description

    def remove_category(self, category: Category) -> None:
        """Remove one and its tags."""
        for tag in self.within(category):
            del self.tags[tag.id]
        del self.categories[category.id]

    def within(self, category: Category) -> list[Tag]:
        """The tags of a category."""
        return [tag for tag in self.tags.values() if tag.category is category]

    def on(self, entity: Entity) -> list[Tag]:
        """The tags of an object."""
        return [tag for tag in self.tags.values() if entity.moid in tag.on]

    def under(self, tag: Tag) -> Iterator[Entity]:
        """What a tag is on, without what is gone."""
        for moid in tag.on:
            found = self.sim.registry.find(moid)
            if isinstance(found, Entity):
                yield found

    def put(self, tag: Tag, entity: Entity) -> None:
        """Attach. Raises Refusal when the category does not let the tag be on this object."""
        category, kind = tag.category, kind_of(entity)
        if category.types and kind not in category.types:
            raise Refusal("invalid_argument", f"Tags of category {category.name} cannot be on objects of type {kind}")
        others = [item for item in self.on(entity) if item.category is category and item is not tag]
        if category.cardinality == "SINGLE" and others:
            text = f"Category {category.name} allows one tag an object, and {entity.name} has {others[0].name}"
            raise Refusal("invalid_argument", text)
        tag.on[entity.moid] = None

    def _check_category(self, name: str, cardinality: str, but: Category | None = None) -> None:
        if not name or cardinality not in CARDINALITIES:
            raise Refusal("invalid_argument", f"A category has a name, and is {' or '.join(CARDINALITIES)}")
        if any(item.name == name and item is not but for item in self.categories.values()):
            raise Refusal("already_exists", f"There is a category named {name} already")

    def _check_tag(self, category: Category, name: str, but: Tag | None = None) -> None:
        if not name:
            raise Refusal("invalid_argument", "A tag has a name")
        if any(item.name == name and item is not but for item in self.within(category)):
            raise Refusal("already_exists", f"There is a tag named {name} in category {category.name} already")

    def _id(self, kind: str, urn: str, taken: Iterable[str]) -> str:
        """An id of the form the API has, or the one a client wants (since 6.7)."""
        form = URN.format(kind=kind)
        if not urn:
            self._count += 1
            return f"{form}{uuid.uuid5(_NAMESPACE, f'{self.sim.instance_uuid}/{kind}/{self._count}')}:GLOBAL"
        if not urn.startswith(form):
            raise Refusal("invalid_argument", f"{urn} is no id of a {kind.lower()}")
        if urn in taken:
            raise Refusal("already_exists", f"{urn} exists already")
        return urn


def kind_of(entity: Entity) -> str:
    """The type of an object as the API names it."""
    return str(entity.vim_type._wsdlName)
