# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ViewManager: container, list and inventory views; each belongs to the session that made it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pyVmomi import vim, vmodl

from ..api.data import Ref
from ..api.takes import takes
from ..core.base import Caller, Endpoint, Entity, ManagedObject

if TYPE_CHECKING:
    from ..core.call import Call

CONTAINERS = (vim.Folder, vim.Datacenter, vim.ComputeResource, vim.ResourcePool, vim.HostSystem)
STRUCTURE = frozenset({"childEntity", "host", "vm", "resourcePool", "datastore", "network", "parent"})
"""Properties by which objects hang together; a change of one may change what a container view holds."""


class View(ManagedObject):
    """What all views share."""

    def DestroyView(self, call: Call) -> None:
        """Remove the view."""
        self.sim.remove(self)

    def removed(self) -> None:
        session = self.sim.sessions.of(self.session_key or "")
        if session is not None:
            session.objects.discard(self.moid)


class ContainerView(View):
    """Everything of some types below a container, kept up to date."""

    vim_type = vim.view.ContainerView
    id_prefix = "session-view-container"

    def __init__(self, sim: Endpoint, container: Entity, types: list[type[Any]], recursive: bool) -> None:
        super().__init__(sim)
        self.container = container
        self.types = tuple(types)
        self.recursive = recursive
        self.props.update(container=container.ref, type=list(types) or None, recursive=recursive, view=[])
        self.stale = True

    def get(self, path: str) -> Any:
        self._bring_up_to_date()
        return super().get(path)

    def walk(self, path: str, parts: tuple[tuple[str, str | None], ...]) -> Any:
        self._bring_up_to_date()
        return super().walk(path, parts)

    def _bring_up_to_date(self) -> None:
        if self.stale:
            self.stale = False
            self.props["view"] = [item.ref for item in self._members()]
            self.drop_fragments("view")

    def _members(self) -> Iterator[Entity]:
        seen: set[str] = {self.container.moid}
        todo = list(reversed(self.container.view_children()))
        while todo:
            item = todo.pop()
            if item.moid in seen:
                continue
            seen.add(item.moid)
            if not self.types or issubclass(item.vim_type, self.types):
                yield item
            if self.recursive:
                todo.extend(reversed(item.view_children()))


class ListView(View):
    """A list the client keeps itself."""

    vim_type = vim.view.ListView
    id_prefix = "session-view-list"

    def _known(self, refs: list[Ref] | None) -> tuple[list[Ref], list[Ref]]:
        """References that exist, and those that do not."""
        good: list[Ref] = []
        bad: list[Ref] = []
        for ref in refs or []:
            (good if self.sim.registry.behind(ref) is not None else bad).append(ref)
        return good, bad

    @takes("add", "remove")
    def ModifyListView(self, call: Call, add: list[Ref] | None, remove: list[Ref] | None) -> list[Ref]:
        """Add and remove; returns what could not be resolved."""
        good, bad = self._known(add)
        gone = {ref._moId for ref in remove or []}
        kept = [ref for ref in self.props["view"] if ref._moId not in gone]
        present = {ref._moId for ref in kept}
        self.set("view", kept + [ref for ref in good if ref._moId not in present])
        return bad

    @takes("obj")
    def ResetListView(self, call: Call, refs: list[Ref] | None) -> list[Ref]:
        """Replace the list; returns what could not be resolved."""
        good, bad = self._known(refs)
        self.set("view", good)
        return bad

    @takes("view")
    def ResetListViewFromView(self, call: Call, view: Ref) -> None:
        """Replace the list with another view's."""
        self.set("view", list(self.sim.obj(view).get("view")))


class InventoryView(View):
    """The tree as a client has unfolded it."""

    vim_type = vim.view.InventoryView
    id_prefix = "session-view-inventory"

    def __init__(self, sim: Endpoint) -> None:
        super().__init__(sim)
        assert sim.root is not None
        self.props["view"] = [sim.root.ref]

    @takes("entity")
    def OpenInventoryViewFolder(self, call: Call, entities: list[Ref]) -> list[Ref]:
        """Show the children of these; returns what could not be resolved."""
        shown = {ref._moId: ref for ref in self.props["view"]}
        lost = []
        for ref in entities:
            entity = self.sim.registry.behind(ref)
            if not isinstance(entity, Entity):
                lost.append(ref)
                continue
            shown[entity.moid] = entity.ref
            shown.update((child.moid, child.ref) for child in entity.view_children())
        self.set("view", list(shown.values()))
        return lost

    @takes("entity")
    def CloseInventoryViewFolder(self, call: Call, entities: list[Ref]) -> list[Ref]:
        """Hide what is below these; returns what could not be resolved."""
        hidden: set[str] = set()
        lost = []
        for ref in entities:
            entity = self.sim.registry.behind(ref)
            if not isinstance(entity, Entity):
                lost.append(ref)
                continue
            todo = entity.view_children()
            while todo:
                child = todo.pop()
                hidden.add(child.moid)
                todo.extend(child.view_children())
        self.set("view", [ref for ref in self.props["view"] if ref._moId not in hidden])
        return lost


class ViewManager(ManagedObject):
    """Makes views and keeps container views fresh."""

    vim_type = vim.view.ViewManager
    personal = frozenset({"viewList"})

    def __init__(self, sim: Endpoint, moid: str) -> None:
        super().__init__(sim, moid)
        self.containers: list[ContainerView] = []

    def personal_value(self, call: Caller, name: str) -> Any:
        key = call.session.key if call.session is not None else ""
        return [item.ref for item in self.sim.registry.all(View) if item.session_key == key]

    def _adopt(self, call: Call, view: View) -> View:
        assert call.session is not None
        view.session_key = call.session.key
        call.session.objects.add(view.moid)
        self.sim.add(view)
        return view

    def structure_changed(self) -> None:
        """The inventory moved: container views must look again."""
        for view in self.containers:
            if not view.stale:
                view.stale = True
                self.sim.note_change(view, "view")

    @takes("container", "type", "recursive")
    def CreateContainerView(self, call: Call, container: Ref, types: list[type[Any]] | None, recursive: bool) -> Any:
        """A live view of what is below a folder, datacenter, compute resource, pool or host."""
        holder = self.sim.obj(container)
        if not issubclass(holder.vim_type, CONTAINERS):
            raise vmodl.fault.InvalidArgument(invalidProperty="container")
        return self._adopt(call, ContainerView(self.sim, holder, list(types or []), bool(recursive)))

    @takes("obj")
    def CreateListView(self, call: Call, refs: list[Ref] | None) -> Any:
        """A view of given objects."""
        view = ListView(self.sim, None, view=[])
        view.ResetListView(call, refs)
        return self._adopt(call, view)

    @takes("view")
    def CreateListViewFromView(self, call: Call, view: Ref) -> Any:
        """A list view that starts with another view's objects."""
        return self.CreateListView(call, list(self.sim.obj(view).get("view")))

    def CreateInventoryView(self, call: Call) -> Any:
        """A view that starts with the root folder."""
        return self._adopt(call, InventoryView(self.sim))
