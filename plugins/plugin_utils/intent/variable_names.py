# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of variables and tags that have no effect because of a slip. PRIVATE to the collection.

Ansible ignores a variable that nobody reads. If it was meant to protect a VM, the VM is not protected. So a name that begins with the name
of a role must be an option of the role. Other prefixes are not of this collection alone: there, only a name that is almost an option is
an error. The options come from the roles and playbooks themselves (``role_options.py`` is generated).
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import NoReturn

from ...module_utils._domain.errors import InputError
from ...module_utils._domain.suggest import edits
from .role_options import INVENTORY_FACTS, PLAYBOOK_OPTIONS, RETURNED, ROLE_OPTIONS, TAGS
from .source_location import Place

FOREIGN = "directpath_foreign_variables"
"""The variable with names that begin with a prefix of this collection, or are almost an option, and are not of this collection."""
SHARED = ("verify_", "directpath_")
"""Prefixes that others may use too."""
OF_REHEARSALS = "rehearse_"
"""Prefix of the options of the playbook rehearse."""
DATA = "directpath_stats_"
"""Prefix of data that one job of a workflow passes to the next one."""
PRIVATE = "__"
"""Prefix of variables that roles and playbooks of this collection keep for themselves."""
OF_THE_PLUGIN = "directpath_type"
"""Every host of the inventory plugin has this fact. Without it, a variable with the name of another fact is not from the plugin."""
NEAR = 2
"""Edits."""
SHORT = 8
"""Letters. In a name that is not longer, two edits make another word."""

DESIRED = (
    "passthrough_hosts",
    "passthrough_devices",
    "passthrough_vms",
    "passthrough_graphics",
    "passthrough_host_name",
)
OPTIONS = frozenset(
    [
        *(name for names in ROLE_OPTIONS.values() for name in names),
        *(name for name in PLAYBOOK_OPTIONS if name.startswith((*SHARED, OF_REHEARSALS))),
        *DESIRED,
        FOREIGN,
    ]
)
"""What a name may be almost equal to."""
KNOWN = OPTIONS | frozenset((*PLAYBOOK_OPTIONS, *RETURNED))
STRICT = tuple(prefix for prefix in ROLE_OPTIONS if prefix not in SHARED)


def is_known(name: str, others: Collection[str]) -> bool:
    """Whether this collection reads or sets the variable. ``others``: the variables of the same inventory host."""
    return name in KNOWN or name.startswith(DATA) or (name in INVENTORY_FACTS and OF_THE_PLUGIN in others)


@cache
def is_suspect(name: str) -> bool:
    """Whether a variable that is not known is an error, if it is not listed as foreign. Each name of an inventory is looked at once."""
    if name in KNOWN or name.startswith((DATA, PRIVATE)):
        return False
    return name.startswith(STRICT) or bool(near_options(name))


def suspects(names: Iterable[str], others: Collection[str], foreign: Collection[str]) -> list[str]:
    """The names that are an error."""
    return [name for name in names if is_suspect(name) and not is_known(name, others) and name not in foreign]


def near_options(name: str, options: Collection[str] = OPTIONS) -> list[str]:
    """The options within two edits of a name, the nearest first."""
    letters, size = _letters(name), len(name)
    # Two edits change the length by two at most, and the set of letters by four.
    possible = [
        option
        for option in options
        if -NEAR <= len(option) - size <= NEAR and (_letters(option) ^ letters).bit_count() <= 2 * NEAR
    ]
    found = sorted((edits(name, option, NEAR), option) for option in possible)
    return [option for number, option in found if number <= (NEAR if len(option) > SHORT else 1)]


def fail_for(name: str, host: str = "", options: Collection[str] = OPTIONS) -> NoReturn:
    """Raise InputError for a name of ``suspects``. ``host``: the inventory host; without it, the name is from the play."""
    near = near_options(name, options)
    prefix = next((prefix for prefix in STRICT if name.startswith(prefix)), "")
    if prefix:
        role = prefix.rstrip("_")
        near = near or _similar(name, prefix, ROLE_OPTIONS[prefix])
        problem = f"is not an option of the role {role}" + (f" ({near[0]} is meant?)" if near else "")
        cure = f"Correct the name, or choose one that does not begin with {prefix}"
    else:
        problem = f"is almost {near[0]}, and would have no effect"
        cure = "Correct the name"
    cure += f". If it is a variable of your own, list it in {FOREIGN}"
    candidates = near or sorted(ROLE_OPTIONS[prefix])[:8]
    if host:
        Place(host, name).fail("unknown_variable", problem, cure, candidates)
    raise InputError(
        message=f"{name} {problem}. It is in the variables of the play, or of a role or task in it",
        code="unknown_variable",
        cure=cure,
        parameter=name,
        candidates=candidates,
    )


def _similar(name: str, prefix: str, options: Sequence[str]) -> list[str]:
    """Options that end similarly. The prefix, which all of them have, would make all of them similar."""
    suffixes = {option.removeprefix(prefix): option for option in options}
    return [
        suffixes[suffix] for suffix in difflib.get_close_matches(name.removeprefix(prefix), suffixes, n=3, cutoff=0.6)
    ]


@cache
def _letters(name: str) -> int:
    """The set of the letters of a name, as bits."""
    found = 0
    for letter in name:
        found |= 1 << (ord(letter) & 63)
    return found


def check_play(names: Iterable[str], foreign: Collection[str]) -> None:
    """Check the variables that a task of the play can see. Raises InputError for one that has no effect because of a slip."""
    seen = frozenset(names)
    for name in sorted(suspects(seen, seen, foreign)):
        fail_for(name)


def check_tags(tags: Iterable[str], foreign: Collection[str]) -> None:
    """Raise InputError for a tag that begins with the name of a role, or is almost a tag of a role, and does not exist.

    Ansible runs nothing for such a tag, and with ``--skip-tags`` everything.
    """
    for tag in tags:
        if tag in TAGS or tag in foreign:
            continue
        role = next((prefix.rstrip("_") for prefix in ROLE_OPTIONS if tag.startswith(prefix)), "")
        near = near_options(tag, TAGS) or ([name for name in TAGS if name.startswith(role)] if role else [])
        if near:
            raise InputError(
                message=f"The tag {tag} does not exist ({near[0]} is meant?)",
                code="unknown_tag",
                cure=f"Correct it in --tags or --skip-tags. If it is a tag of a play of your own, list it in {FOREIGN}",
                parameter=tag,
                candidates=near,
            )


def check_read(names: Iterable[str], options: Collection[str], host: str = "") -> None:
    """Raise InputError for a name that is almost one of these options. For playbooks that must work while other variables have errors."""
    for name in sorted(names):
        if name in KNOWN or name in INVENTORY_FACTS or name.startswith(PRIVATE):
            continue
        if near_options(name, options):
            fail_for(name, host, options)
