# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tags are on what: the operations of TagAssociation.

An object that is not there answers as one the account may not read (unauthorized), so that nobody learns which it is;
lists leave both out. Source: vSphere Automation API reference, TagAssociation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..core.base import Entity
from ..rules import knobs
from .operations import TAGGING, Ask, Key, Operation
from .tags import Refusal, Tag, kind_of


def _found(ask: Ask, given: object) -> Entity | None:
    """The object of a DynamicID ({"id", "type"}), if the account may read it. Raises Refusal where it is none."""
    if not isinstance(given, Mapping) or not all(isinstance(given.get(key), str) for key in ("id", "type")):
        raise Refusal("invalid_argument", "An object is named by its id and its type")
    entity = ask.sim.registry.find(given["id"])
    right = isinstance(entity, Entity) and kind_of(entity) == given["type"] and ask.allows("System.Read", entity)
    return entity if right and isinstance(entity, Entity) else None


def _object(ask: Ask) -> Entity:
    """The object the request names. Raises Refusal."""
    entity = _found(ask, ask.given.get("object_id"))
    if entity is None:
        raise Refusal("unauthorized", "You do not have the privilege System.Read on the object")
    return entity


def _listed(ask: Ask, name: str) -> list[Any]:
    value = ask.given.get(name)
    if not isinstance(value, list):
        raise Refusal("invalid_argument", f"The request has no {name}")
    return value


def _id_of(entity: Entity) -> dict[str, str]:
    return {"id": entity.moid, "type": kind_of(entity)}


def _objects_of(ask: Ask, tag: Tag) -> list[dict[str, str]]:
    return [_id_of(entity) for entity in ask.tags.under(tag) if ask.allows("System.Read", entity)]


def _tags_of(ask: Ask, entity: Entity) -> list[str]:
    return [tag.id for tag in ask.tags.on(entity)] if ask.allows("System.Read") else []


def _rows(ask: Ask, rows: Iterable[tuple[dict[str, Any], str, list[Any]]]) -> list[dict[str, Any]]:
    """Rows of a bulk answer: what it is about, and what there is of it."""
    empty = ask.sim.root is not None and knobs.of(ask.sim.root).vapi_empty_rows == "listed"
    return [{**about, name: found} for about, name, found in rows if found or empty]


# -- reading ----------------------------------------------------------------------------------------------------


def _list_tags(ask: Ask) -> Any:
    return _tags_of(ask, _object(ask))


def _list_objects(ask: Ask) -> Any:
    return _objects_of(ask, ask.tag(ask.address.id))


def _list_tags_on_objects(ask: Ask) -> Any:
    found = [_found(ask, item) for item in _listed(ask, "object_ids")]
    return _rows(ask, (({"object_id": _id_of(one)}, "tag_ids", _tags_of(ask, one)) for one in found if one is not None))


def _list_objects_on_tags(ask: Ask) -> Any:
    keys = [str(key) for key in _listed(ask, "tag_ids")]
    known = [ask.tags.tags[key] for key in keys if key in ask.tags.tags and ask.allows("System.Read")]
    return _rows(ask, (({"tag_id": tag.id}, "object_ids", _objects_of(ask, tag)) for tag in known))


# -- changing ---------------------------------------------------------------------------------------------------


def _put(ask: Ask, tag: Tag, entity: Entity) -> None:
    ask.require(f"{TAGGING}AttachTag")
    ask.tags.put(tag, entity)


def _take(ask: Ask, tag: Tag, entity: Entity) -> None:
    ask.require(f"{TAGGING}AttachTag")
    tag.on.pop(entity.moid, None)


Change = Callable[[Ask, Tag, Entity], None]


def _one(change: Change) -> Callable[[Ask], None]:
    """One tag and one object."""

    def run(ask: Ask) -> None:
        tag = ask.tag(ask.address.id)
        change(ask, tag, _object(ask))

    return run


def _many_tags(change: Change) -> Callable[[Ask], Any]:
    """Several tags and one object; a tag that fails does not stop the others."""

    def run(ask: Ask) -> Any:
        entity = _object(ask)
        return _batch(_listed(ask, "tag_ids"), lambda key: change(ask, ask.tag(key), entity))

    return run


def _many_objects(change: Change) -> Callable[[Ask], Any]:
    """One tag and several objects; an object that fails does not stop the others."""

    def run(ask: Ask) -> Any:
        tag = ask.tag(ask.address.id)
        ask.require(f"{TAGGING}AttachTag")

        def each(given: object) -> None:
            entity = _found(ask, given)
            if entity is None:
                raise Refusal("unauthorized", "You do not have the privilege System.Read on the object")
            change(ask, tag, entity)

        return _batch(_listed(ask, "object_ids"), each)

    return run


def _batch(items: list[Any], change: Callable[[Any], None]) -> dict[str, Any]:
    """As BatchResult: whether all went well, and what did not."""
    errors = []
    for item in items:
        try:
            change(item)
        except Refusal as refusal:
            errors.append({"id": refusal.message, "default_message": str(refusal), "args": []})
    return {"success": not errors, "error_messages": errors}


def _post(id_in_path: bool, action: str) -> Key:
    return ("POST", "tag-association", id_in_path, action)


ASSOCIATIONS: dict[Key, Operation] = {
    _post(False, "list-attached-tags"): Operation(method="Tagging.ListAttachedTags", run=_list_tags),
    _post(True, "list-attached-objects"): Operation(method="Tagging.ListAttachedObjects", run=_list_objects),
    _post(False, "list-attached-tags-on-objects"): Operation(
        method="Tagging.ListAttachedTagsOnObjects", run=_list_tags_on_objects
    ),
    _post(False, "list-attached-objects-on-tags"): Operation(
        method="Tagging.ListAttachedObjectsOnTags", run=_list_objects_on_tags
    ),
    _post(True, "attach"): Operation(method="Tagging.Attach", run=_one(_put), done=204),
    _post(True, "detach"): Operation(method="Tagging.Detach", run=_one(_take), done=204),
    _post(False, "attach-multiple-tags-to-object"): Operation(
        method="Tagging.AttachMultipleTagsToObject", run=_many_tags(_put)
    ),
    _post(False, "detach-multiple-tags-from-object"): Operation(
        method="Tagging.DetachMultipleTagsFromObject", run=_many_tags(_take)
    ),
    _post(True, "attach-tag-to-multiple-objects"): Operation(
        method="Tagging.AttachTagToMultipleObjects", run=_many_objects(_put)
    ),
    _post(True, "detach-tag-from-multiple-objects"): Operation(
        method="Tagging.DetachTagFromMultipleObjects", run=_many_objects(_take)
    ),
}
