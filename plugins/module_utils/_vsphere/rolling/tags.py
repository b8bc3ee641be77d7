# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tags of virtual machines say: in which order they are stopped, and which are not. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..._domain.errors import DirectPathError, InputError
from ..rest.tags import Automation
from ..session.connect import Session

URN = "urn:vmomi:InventoryServiceTag:"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tagged:
    """``orders``: VM id → stop order; ``never_stop``: ids of VMs. ``problem``: a sentence, when the tags could not be read now; the
    rest is then what they said last."""

    orders: Mapping[str, int] = field(default_factory=dict)
    never_stop: frozenset[str] = frozenset()
    problem: str = ""


class RollingTags:
    """Tags by ``category/name`` or id. Their ids are looked up once, who has them as often as it is asked.

    Cheap where no tag is named: nothing is asked then, nobody is logged in.
    """

    def __init__(self, session: Session, *, orders: Mapping[str, int], never_stop: Collection[str]) -> None:
        self._session = session
        self._orders, self._never = dict(orders), tuple(never_stop)
        self._api = Automation(session=session)
        self._keys: Mapping[str, str] | None = None
        self.last = Tagged()
        """What was read last."""

    def begin(self) -> None:
        """Look them up. Raises InputError (no_tags, unknown_tag) for tags that are not there, before anything is touched."""
        named = [("vm_order_tags", name) for name in self._orders] + [("never_stop_tags", name) for name in self._never]
        if named and not self._session.is_vcenter:
            raise InputError(
                message=f"{self._session.endpoint.hostname} is an ESXi host, and only vCenter knows tags",
                code="no_tags",
                parameter=named[0][0],
                cure="Name the virtual machines in vm_order and never_stop",
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
        """Who has these tags now. What cannot be read is told, as the hosts in hand have to be finished all the same."""
        try:
            if self._keys is None:
                self._keys = self._find([("", name) for name in (*self._orders, *self._never)])
            holders = self._api.tagged_vms(set(self._keys.values())) if self._keys else {}
        except DirectPathError as error:
            self.last = replace(self.last, problem=error.message)
            return self.last
        of = {name: holders.get(key, frozenset()) for name, key in self._keys.items()}
        orders: dict[str, int] = {}
        # Of several numbers the highest counts: whatever depends on it is stopped before it, and started after it.
        for name, order in sorted(self._orders.items(), key=lambda item: item[1]):
            orders.update(dict.fromkeys(of[name], order))
        self.last = Tagged(orders=orders, never_stop=frozenset(moid for name in self._never for moid in of[name]))
        return self.last

    def close(self) -> None:
        """End the login."""
        self._api.close()

    # -- names ------------------------------------------------------------------------------------------------------

    def _find(self, named: Collection[tuple[str, str]]) -> Mapping[str, str]:
        """Name as given → id."""
        keys = {name: name for _unused, name in named if name.startswith(URN)}
        wanted = [(option, name) for option, name in named if name not in keys]
        categories = {name: key for key, name in self._api.categories().items()} if wanted else {}
        tags: dict[str, Mapping[str, str]] = {}
        for option, name in wanted:
            # Both names may hold a slash: any category that begins it may be meant.
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
                    message=f"{option}: {name!r} stands for {len(found)} tags, of the categories {' and '.join(whose)}",
                    code="ambiguous_tag",
                    parameter=option,
                    candidates=found,
                    cure="Write the id of the one that is meant",
                )
            keys[name] = found[0]
        return keys


def _unknown(
    option: str, name: str, begin: Sequence[str], categories: Collection[str], tags: Mapping[str, Mapping[str, str]]
) -> InputError:
    near = [f"{each}/{tag}" for each in begin for tag in tags[each]]
    why = f"{begin[0]} has no tag of that name" if begin else "no category begins it"
    return InputError(
        message=f"{option}: there is no tag {name}: {why}",
        code="unknown_tag",
        parameter=option,
        candidates=sorted(near or [f"{each}/..." for each in categories])[:20],
        cure="Write it as category/tag, as the vSphere Client shows both",
    )
