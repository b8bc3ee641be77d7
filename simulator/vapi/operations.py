# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be asked, by verb, resource, id and action; and what categories and tags answer.

Rights as the vSphere Automation API reference gives them for each operation. Tags are no part of the inventory tree: a
right on a tag is one of the account's own role, which real vCenters have as a global permission.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..core.accounts import User
from ..core.base import ManagedObject
from .dialects import Address
from .tags import Category, Refusal, Tag, Tags, not_found

if TYPE_CHECKING:
    from ..endpoint import SimulatedEndpoint

TAGGING = "InventoryService.Tagging."


@dataclass(kw_only=True)
class Ask:
    """One request of an account, as an operation gets it; ``given`` is the JSON object of its body."""

    sim: SimulatedEndpoint
    user: User
    address: Address
    given: Mapping[str, Any]

    @property
    def tags(self) -> Tags:
        """All tags."""
        return self.sim.tags

    def allows(self, privilege: str, on: ManagedObject | None = None) -> bool:
        """Whether the account holds a privilege on an object, or (None) on tags."""
        return self.sim.authz.allows(self.user, privilege, on)

    def require(self, privilege: str) -> None:
        """Raise Refusal unless the account holds a privilege on tags."""
        if not self.allows(privilege):
            raise Refusal("unauthorized", f"You do not have the privilege {privilege}")

    def category(self, key: object) -> Category:
        """A category by id. Raises Refusal."""
        found = self.tags.categories.get(str(key))
        if found is None:
            raise not_found(str(key))
        self.require("System.Read")
        return found

    def tag(self, key: object) -> Tag:
        """A tag by id. Raises Refusal."""
        found = self.tags.tags.get(str(key))
        if found is None:
            raise not_found(str(key))
        self.require("System.Read")
        return found

    def spec(self, name: str, *required: str) -> Mapping[str, Any]:
        """The specification in the body: the older dialect has it under a name, the newer one bare. Raises Refusal."""
        found = self.given.get(name) if self.address.dialect.wrapped else self.given
        if not isinstance(found, Mapping):
            raise Refusal("invalid_argument", f"The request has no {name}")
        if missing := [key for key in required if found.get(key) is None]:
            raise Refusal("invalid_argument", f"{name} has no {', '.join(missing)}")
        return found


Run = Callable[[Ask], Any]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """``method``: its name in the journal. ``done``: the status of its success in the newer dialect."""

    method: str
    run: Run
    done: int = 200
    dialects: frozenset[str] = field(default=frozenset({"rest", "api"}))


# -- categories -------------------------------------------------------------------------------------------------


def _list_categories(ask: Ask) -> Any:
    return list(ask.tags.categories) if ask.allows("System.Read") else []


def _get_category(ask: Ask) -> Any:
    return ask.category(ask.address.id).describe()


def _create_category(ask: Ask) -> Any:
    spec = ask.spec("create_spec", "name", "description", "cardinality", "associable_types")
    ask.require(f"{TAGGING}CreateCategory")
    return ask.tags.add_category(
        str(spec["name"]),
        description=str(spec["description"]),
        cardinality=str(spec["cardinality"]),
        types=_texts(spec["associable_types"], "associable_types"),
        urn=str(spec.get("category_id") or ""),
    ).id


def _update_category(ask: Ask) -> Any:
    category, spec = ask.category(ask.address.id), ask.spec("update_spec")
    ask.require(f"{TAGGING}EditCategory")
    ask.tags.change_category(
        category,
        name=str(spec.get("name") or category.name),
        description=str(spec.get("description", category.description)),
        cardinality=str(spec.get("cardinality") or category.cardinality),
        types=tuple(_texts(spec.get("associable_types") or list(category.types), "associable_types")),
    )


def _delete_category(ask: Ask) -> Any:
    category = ask.category(ask.address.id)
    ask.require(f"{TAGGING}DeleteCategory")
    ask.tags.remove_category(category)


# -- tags -------------------------------------------------------------------------------------------------------


def _list_tags(ask: Ask) -> Any:
    return list(ask.tags.tags) if ask.allows("System.Read") else []


def _list_tags_for_category(ask: Ask) -> Any:
    key = ask.address.id or ask.given.get("category_id")
    if not key:
        raise Refusal("invalid_argument", "The request has no category_id")
    return [tag.id for tag in ask.tags.within(ask.category(key))]


def _get_tag(ask: Ask) -> Any:
    return ask.tag(ask.address.id).describe()


def _create_tag(ask: Ask) -> Any:
    spec = ask.spec("create_spec", "name", "description", "category_id")
    category = ask.category(spec["category_id"])
    ask.require(f"{TAGGING}CreateTag")
    urn = str(spec.get("tag_id") or "")
    return ask.tags.add_tag(category, str(spec["name"]), description=str(spec["description"]), urn=urn).id


def _update_tag(ask: Ask) -> Any:
    tag, spec = ask.tag(ask.address.id), ask.spec("update_spec")
    ask.require(f"{TAGGING}EditTag")
    text = str(spec.get("description", tag.description))
    ask.tags.change_tag(tag, name=str(spec.get("name") or tag.name), description=text)


def _delete_tag(ask: Ask) -> Any:
    tag = ask.tag(ask.address.id)
    ask.require(f"{TAGGING}DeleteTag")
    del ask.tags.tags[tag.id]


def _texts(value: Any, name: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Refusal("invalid_argument", f"{name} is a list of texts")
    return value


Key = tuple[str, str, bool, str]
"""Verb, resource, whether there is an id in the path, action."""

OPERATIONS: dict[Key, Operation] = {
    ("GET", "category", False, ""): Operation(method="Tagging.ListCategories", run=_list_categories),
    ("POST", "category", False, ""): Operation(method="Tagging.CreateCategory", run=_create_category, done=201),
    ("GET", "category", True, ""): Operation(method="Tagging.GetCategory", run=_get_category),
    ("PATCH", "category", True, ""): Operation(method="Tagging.UpdateCategory", run=_update_category, done=204),
    ("DELETE", "category", True, ""): Operation(method="Tagging.DeleteCategory", run=_delete_category, done=204),
    ("GET", "tag", False, ""): Operation(method="Tagging.ListTags", run=_list_tags),
    ("POST", "tag", False, ""): Operation(method="Tagging.CreateTag", run=_create_tag, done=201),
    ("GET", "tag", True, ""): Operation(method="Tagging.GetTag", run=_get_tag),
    ("PATCH", "tag", True, ""): Operation(method="Tagging.UpdateTag", run=_update_tag, done=204),
    ("DELETE", "tag", True, ""): Operation(method="Tagging.DeleteTag", run=_delete_tag, done=204),
    ("POST", "tag", True, "list-tags-for-category"): Operation(
        method="Tagging.ListTagsForCategory", run=_list_tags_for_category, dialects=frozenset({"rest"})
    ),
    ("POST", "tag", False, "list-tags-for-category"): Operation(
        method="Tagging.ListTagsForCategory", run=_list_tags_for_category
    ),
}
"""Operations on categories and tags; those on what tags are on are in ``associations``."""
