# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings from tags of virtual machines: stop order, and which are never stopped. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..._domain.errors import DirectPathError, InputError
from ..session.connect import Session
from .tags import Automation

URN = "urn:vmomi:InventoryServiceTag:"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tagged:
    """``orders``: VM id → stop order; ``never_stop``: ids of VMs. ``problem``: a sentence, when the tags could not be read now; the other
    values are then from the last reading."""

    orders: Mapping[str, int] = field(default_factory=dict)
    never_stop: frozenset[str] = frozenset()
    problem: str = ""


class RollingTags:
    """Tags by ``category/name`` or id. Their ids are looked up once; the VMs that have them are read at each ``read``.

    Without tags there is no request and no login. ``api``: the caller closes it.
    """

    def __init__(
        self,
        session: Session,
        *,
        orders: Mapping[str, int],
        never_stop: Collection[str],
        api: Automation,
    ) -> None:
        self._session = session
        self._orders, self._never = dict(orders), tuple(never_stop)
        self._api = api
        self._keys: Mapping[str, str] | None = None
        self.last = Tagged()
        """The last reading."""

    def begin(self) -> None:
        """Look up the tags. Raises InputError (no_tags, unknown_tag, ambiguous_tag) before anything is changed."""
        named = [("vm_order_tags", name) for name in self._orders] + [("never_stop_tags", name) for name in self._never]
        if named and not self._session.is_vcenter:
            raise InputError(
                message=f"{self._session.endpoint.hostname} is an ESXi host, and only vCenter has tags",
                code="no_tags",
                parameter=named[0][0],
                cure="List the virtual machines in vm_order and never_stop",
            )
        try:
            self._keys = self._find(named)
        except InputError:
            raise
        except DirectPathError as error:
            self.last = Tagged(problem=error.message)
        else:
            self.read()

    def read(self) -> Tagged:
        """The VMs that have these tags now. If they cannot be read, ``problem`` is set: hosts in progress must be finished anyway."""
        try:
            if self._keys is None:
                self._keys = self._find([("", name) for name in (*self._orders, *self._never)])
            holders = self._api.tagged_vms(set(self._keys.values())) if self._keys else {}
        except DirectPathError as error:
            self.last = replace(self.last, problem=error.message)
            return self.last
        of = {name: holders.get(key, frozenset()) for name, key in self._keys.items()}
        orders: dict[str, int] = {}
        # If a VM has several numbers, the highest one counts: everything that depends on it is stopped before it and started after it.
        for name, order in sorted(self._orders.items(), key=lambda item: item[1]):
            orders.update(dict.fromkeys(of[name], order))
        self.last = Tagged(orders=orders, never_stop=frozenset(moid for name in self._never for moid in of[name]))
        return self.last

    # -- names ------------------------------------------------------------------------------------------------------

    def _find(self, named: Collection[tuple[str, str]]) -> Mapping[str, str]:
        """Tag as given → id."""
        keys = {name: name for _unused, name in named if name.startswith(URN)}
        wanted = [(option, name) for option, name in named if name not in keys]
        categories = {name: key for key, name in self._api.categories().items()} if wanted else {}
        tags: dict[str, Mapping[str, str]] = {}
        for option, name in wanted:
            # Category and tag names may contain a slash, so each category that is a prefix is a candidate.
            begin = sorted((each for each in categories if name.startswith(f"{each}/")), key=len, reverse=True)
            for category in begin:
                if category not in tags:
                    tags[category] = {tag: key for key, tag in self._api.tags_of(categories[category]).items()}
            found = [tags[each][tag] for each in begin if (tag := name.removeprefix(f"{each}/")) in tags[each]]
            if not found:
                raise _unknown(option, name, begin, categories, tags)
            if len(found) > 1:
                whose = [each for each in begin if name.removeprefix(f"{each}/") in tags[each]]
                raise InputError(
                    message=f"{option}: {name!r} matches {len(found)} tags, of the categories {' and '.join(whose)}",
                    code="ambiguous_tag",
                    parameter=option,
                    candidates=found,
                    cure="Write the id of the tag",
                )
            keys[name] = found[0]
        return keys


def _unknown(
    option: str, name: str, begin: Sequence[str], categories: Collection[str], tags: Mapping[str, Mapping[str, str]]
) -> InputError:
    near = [f"{each}/{tag}" for each in begin for tag in tags[each]]
    why = f"{begin[0]} has no tag with this name" if begin else "no category matches its beginning"
    return InputError(
        message=f"{option}: tag {name} does not exist: {why}",
        code="unknown_tag",
        parameter=option,
        candidates=sorted(near or [f"{each}/..." for each in categories])[:20],
        cure="Write it as category/tag, with the names that the vSphere Client shows",
    )
