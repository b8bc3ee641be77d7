# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an example says that the documentation of a module does not know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

COLLECTION = "directpath.vsphere."
# What ansible-core itself brings; an example may use nothing that a bare ansible-core lacks.
BUILTIN = "ansible.builtin."
TASK_WORDS = frozenset(
    (
        "name become block always rescue changed_when check_mode delegate_to diff environment failed_when ignore_errors"
        " loop loop_control module_defaults no_log notify register retries delay until run_once tags throttle vars when"
    ).split()
)


def task_problems(task: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What is wrong with one example task: no name, an unknown module, an option the module does not have."""
    if not task.get("name"):
        yield "a task has no name"
    for key, value in task.items():
        if key in TASK_WORDS or key.startswith(BUILTIN):
            continue
        module = key.removeprefix(COLLECTION)
        if not key.startswith(COLLECTION) or module not in known:
            yield f"{key} is neither a word of a task nor a module of this collection"
        elif isinstance(value, Mapping):
            yield from (f"{module}: {text}" for text in option_problems(value, known[module]["options"]))


def option_problems(given: Mapping[str, Any], options: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Options that are not documented (suboptions too) and choices that do not exist."""
    names = {alias: name for name, option in options.items() for alias in (name, *(option.get("aliases") or ()))}
    for key, value in given.items():
        if key not in names:
            yield f"no option {prefix}{key}"
            continue
        option = options[names[key]]
        choices = option.get("choices")
        if choices and isinstance(value, str) and "{{" not in value and value not in [str(c) for c in choices]:
            yield f"{prefix}{key}: {value!r} is none of {', '.join(map(str, choices))}"
        if option.get("suboptions"):
            for entry in value if isinstance(value, list) else [value]:
                if isinstance(entry, Mapping):
                    yield from option_problems(entry, option["suboptions"], f"{prefix}{key}.")
