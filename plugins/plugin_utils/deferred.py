# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters whose code is imported when they are called. PRIVATE to the collection.

Ansible runs each task in a process of its own. The first filter of a collection in a task makes it import all files with filters, and it
compiles them each time. With the code behind all filters, that took longer than the task.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from ansible.errors import AnsibleFilterError


def deferred(place: str, name: str) -> Callable[..., Any]:
    """The function ``name`` of a module of ``plugin_utils``. It raises InputError as an error of a filter."""

    def call(*arguments: Any, **options: Any) -> Any:
        function = find(place, name)
        try:
            return function(*arguments, **options)
        except Exception as error:
            from ..module_utils._domain.errors import InputError

            if isinstance(error, InputError):
                raise AnsibleFilterError(error.sentence()) from None
            raise

    call.__name__ = name
    return call


def find(place: str, name: str) -> Callable[..., Any]:
    """Import the module ``place`` of ``plugin_utils``, and return its function ``name``."""
    function: Callable[..., Any] = getattr(import_module(f".{place}", __package__), name)
    return function
