# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's half of ansible-core in this process: what it shows is caught, what it keeps for a process's life is put back.

Its configuration is read when it is first imported: ``conftest.py`` beside this sees to it that no user's own takes part.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from unittest import mock

from ansible.inventory.manager import InventoryManager
from ansible.parsing import vault
from ansible.parsing.dataloader import DataLoader
from ansible.utils.display import Display

CONTROLLER = InventoryManager
"""Imported first: it brings the controller in before anything of a module's half."""

try:
    from ansible.template import trust_as_template
except ImportError:  # before 2.19 every text could be a template

    def trust_as_template(text: str) -> str:
        """The text of a playbook, as Ansible reads it from its file."""
        return text


__all__ = ["Told", "controller", "encrypted", "trust_as_template", "vault_password"]

ONCE = ("_warns", "_errors", "_deprecations")
"""What a display keeps so as to say everything once."""


@dataclass
class Told:
    """What Ansible's display wrote meanwhile."""

    output: StringIO = field(default_factory=StringIO)
    errors: StringIO = field(default_factory=StringIO)

    @property
    def warnings(self) -> str:
        """In one line, however wide the terminal is."""
        return " ".join(self.errors.getvalue().split())


@contextmanager
def controller(verbosity: int = 0) -> Iterator[Told]:
    """Ansible's own code runs in the block as in ``ansible-playbook``."""
    told, display = Told(), Display()
    with ExitStack() as stack:
        stack.enter_context(redirect_stdout(told.output))
        stack.enter_context(redirect_stderr(told.errors))
        stack.enter_context(mock.patch.object(display, "columns", 10_000))
        stack.enter_context(mock.patch.object(display, "verbosity", verbosity))
        for name in ONCE:
            if hasattr(display, name):
                nothing = type(getattr(display, name))()
                stack.enter_context(mock.patch.object(display, name, nothing))
        internal = sys.modules.get("ansible.module_utils._internal")  # since 2.19
        if internal is not None:
            # Another test in this process may have run a module, and a module is no controller.
            stack.enter_context(mock.patch.object(internal, "is_controller", True))
        yield told


def encrypted(text: str, password: str) -> str:
    """The text as ``ansible-vault`` writes it."""
    written: str = vault.VaultLib(_secrets(password)).encrypt(text).decode()
    return written


@contextmanager
def vault_password(password: str) -> Iterator[DataLoader]:
    """A loader that knows the password, and since 2.19 everything else of Ansible as well."""
    loader = DataLoader()
    loader.set_vault_secrets(_secrets(password))
    with ExitStack() as stack:
        if hasattr(vault, "VaultSecretsContext"):
            known = vault.VaultSecretsContext(_secrets(password))
            stack.enter_context(mock.patch.object(vault.VaultSecretsContext, "_current", known))
        yield loader


def _secrets(password: str) -> list[tuple[str, vault.VaultSecret]]:
    return [("default", vault.VaultSecret(password.encode()))]
