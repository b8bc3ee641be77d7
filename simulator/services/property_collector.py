# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PropertyCollector: bulk reads with paging, and updates as things change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyVmomi import vmodl

from ..api import data
from ..api.takes import takes
from ..core.base import Caller, Endpoint, ManagedObject
from . import selection
from .updates import Filter, Updates

if TYPE_CHECKING:
    from ..core.call import Call
    from .reading import Path, PropertyReader

PC = vmodl.query.PropertyCollector
Page = list[tuple[ManagedObject, "list[Path]"]]


class PropertyCollector(ManagedObject):
    """The default collector is one object, but pages, filters and versions are each session's own."""

    vim_type = PC
    id_prefix = "session"
    personal = frozenset({"filter"})

    def __init__(self, sim: Endpoint, reader: PropertyReader, moid: str | None = None) -> None:
        super().__init__(sim, moid)
        self.reader = reader
        self._pages: dict[str, tuple[Page, int]] = {}
        self._tokens = 0
        self._updates: dict[str, Updates] = {}

    def _own(self, call: Caller) -> Updates:
        """This session's filters and versions on this collector."""
        key = call.session.key if call.session is not None else ""
        if key not in self._updates:
            self._updates = {old: item for old, item in self._updates.items() if old in self.sim.sessions.by_key}
            self._updates[key] = Updates(self.sim)
        return self._updates[key]

    def personal_value(self, call: Caller, name: str) -> Any:
        return [item.ref for item in self._own(call).filters.values()]

    # -- reading ----------------------------------------------------------------------------------------------

    def _gather(self, call: Call, specs: Any) -> Page:
        reader = self.reader
        found: dict[str, tuple[ManagedObject, list[Path]]] = {}
        for spec in specs:
            selection.check_spec(spec)
            for obj in selection.select(reader, call, spec).objects.values():
                paths = selection.paths_for(reader, obj, spec, call.version)
                if obj.moid in found:
                    known = {path.text for path in found[obj.moid][1]}
                    found[obj.moid][1].extend(path for path in paths if path.text not in known)
                else:
                    found[obj.moid] = (obj, paths)
        return list(found.values())

    def _contents(self, call: Call, page: Page) -> list[Any]:
        reader = self.reader
        alive = self.sim.registry
        return [selection.content(reader, call, obj, paths) for obj, paths in page if alive.find(obj.moid) is obj]

    @takes("specSet.*")
    def RetrieveProperties(self, call: Call, specs: Any) -> list[Any]:
        """Everything in one answer."""
        return self._contents(call, self._gather(call, specs))

    @takes("specSet.*", "options.maxObjects")
    def RetrievePropertiesEx(self, call: Call, specs: Any, options: Any) -> Any:
        """One page; ``maxObjects`` must be above 0, and the server may send fewer (knob page_size)."""
        size = options.maxObjects if options is not None else None
        if size is not None and size <= 0:
            raise vmodl.fault.InvalidArgument(invalidProperty="options.maxObjects")
        cap = int(self.sim.knobs.page_size)
        size = min(item for item in (size, cap or None, 1 << 30) if item)
        found = self._gather(call, specs)
        return self._page(call, found, size) if found else None

    def _page(self, call: Call, found: Page, size: int) -> Any:
        token = None
        if len(found) > size:
            self._tokens += 1
            token = str(self._tokens)
            owner = call.session.key if call.session is not None else ""
            self._pages[f"{owner}/{token}"] = (found[size:], size)
        return data.new(PC.RetrieveResult, token=token, objects=self._contents(call, found[:size]))

    def _take_page(self, call: Call, token: str) -> tuple[Page, int]:
        assert call.session is not None
        try:
            return self._pages.pop(f"{call.session.key}/{token}")
        except KeyError:
            raise vmodl.fault.InvalidArgument(invalidProperty="token") from None

    @takes("token")
    def ContinueRetrievePropertiesEx(self, call: Call, token: str) -> Any:
        """The next page; a token is good once."""
        rest, size = self._take_page(call, token)
        return self._page(call, rest, size)

    @takes("token")
    def CancelRetrievePropertiesEx(self, call: Call, token: str) -> None:
        """Forget the rest of a paged read."""
        self._take_page(call, token)

    # -- updates ----------------------------------------------------------------------------------------------

    @takes("spec.*", "partialUpdates")
    def CreateFilter(self, call: Call, spec: Any, partial: bool) -> Any:
        """A filter on this collector; its spec is checked now."""
        selection.check_spec(spec)
        made = Filter(self.sim, self.reader, spec, bool(partial), call)
        self._adopt(call, made)
        self._own(call).add(made)
        return made

    def _adopt(self, call: Call, obj: ManagedObject) -> None:
        assert call.session is not None
        obj.session_key = call.session.key
        call.session.objects.add(obj.moid)
        self.sim.add(obj)

    @takes("version", "options.maxWaitSeconds", "options.maxObjectUpdates")
    def WaitForUpdatesEx(self, call: Call, version: str | None, options: Any) -> Any:
        """Updates since a version; None after ``maxWaitSeconds`` without any."""
        wait = options.maxWaitSeconds if options is not None else None
        most = options.maxObjectUpdates if options is not None else None
        if wait is not None and wait < 0:
            raise vmodl.fault.InvalidArgument(invalidProperty="options.maxWaitSeconds")
        if most is not None and most <= 0:
            raise vmodl.fault.InvalidArgument(invalidProperty="options.maxObjectUpdates")
        return self._own(call).wait(call, self, version or "", wait, most)

    @takes("version")
    def WaitForUpdates(self, call: Call, version: str | None) -> Any:
        """Like WaitForUpdatesEx without options."""
        return self._own(call).wait(call, self, version or "", None, None)

    @takes("version")
    def CheckForUpdates(self, call: Call, version: str | None) -> Any:
        """Like WaitForUpdatesEx that does not wait."""
        return self._own(call).wait(call, self, version or "", 0, None)

    def CancelWaitForUpdates(self, call: Call) -> None:
        """Make this session's pending wait on this collector end with RequestCanceled."""
        self._own(call).cancel()

    def CreatePropertyCollector(self, call: Call) -> Any:
        """Another collector, for another thread of the same session."""
        made = PropertyCollector(self.sim, self.reader)
        self._adopt(call, made)
        return made

    def DestroyPropertyCollector(self, call: Call) -> None:
        """Remove a collector made by CreatePropertyCollector; the default one stays."""
        if self.session_key is None:
            raise vmodl.fault.NotSupported()
        own = self._own(call)
        own.cancel()
        for item in list(own.filters.values()):
            self.sim.remove(item)
        self.sim.remove(self)
