# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command and the environment of the ansible-playbook that rehearses. PRIVATE to the collection.

It has the inventory sources, extra variables, limit, tags and vault secrets of the ansible-playbook that runs now. Vault secrets go through
pipes: they are in no file, argument or environment variable.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...module_utils._vsphere.http.rehearsal import VARIABLE

REMOVED = (
    "ANSIBLE_CALLBACK_PLUGINS",
    "ANSIBLE_STDOUT_CALLBACK",
    "ANSIBLE_CALLBACKS_ENABLED",
    "ANSIBLE_CALLBACK_WHITELIST",
    "ANSIBLE_FORCE_COLOR",
    "ANSIBLE_LOG_PATH",
    "ANSIBLE_VAULT_IDENTITY_LIST",
    "ANSIBLE_VAULT_PASSWORD_FILE",
    "ANSIBLE_CACHE_PLUGIN",
    "ANSIBLE_CACHE_PLUGIN_CONNECTION",
    "AWX_ISOLATED_DATA_DIR",
)
"""What a controller or a pipeline sets so that the run is recorded as a job. A rehearsal is none."""
FORCED = {
    "ansible_connection": "local",
    "ansible_become": False,
    "directpath_publish_stats": True,
}
"""Extra variables of each rehearsal. With sudo, or on another machine, a module would lose the environment variable of the gate."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Invocation:
    """The ansible-playbook that runs now. ``secrets``: vault id and password. repr() shows neither them nor extra variables."""

    inventory: tuple[str, ...] = ()
    extra_vars: tuple[str, ...] = field(default=(), repr=False)
    limit: str = ""
    tags: tuple[str, ...] = ()
    skip_tags: tuple[str, ...] = ()
    forks: int = 5
    secrets: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, options: Mapping[str, Any], loader: Any) -> Invocation:
        """``options``: context.CLIARGS; ``loader``: the DataLoader of the run."""
        found = getattr(getattr(loader, "_vault", None), "secrets", None) or ()
        return cls(
            inventory=tuple(_texts(options.get("inventory"))),
            extra_vars=tuple(_texts(options.get("extra_vars"))),
            limit=str(options.get("subset") or ""),
            tags=tuple(tag for tag in _texts(options.get("tags")) if tag != "all"),
            skip_tags=tuple(_texts(options.get("skip_tags"))),
            forks=int(options.get("forks") or 5),
            secrets=tuple((str(name or "default"), bytes(secret.bytes)) for name, secret in found if secret.bytes),
        )

    def arguments(self) -> list[str]:
        """Options of ansible-playbook."""
        found = [text for source in self.inventory for text in ("-i", source)]
        found += [text for given in self.extra_vars for text in ("-e", given)]
        for option, value in (
            ("--limit", self.limit),
            ("--tags", ",".join(self.tags)),
            ("--skip-tags", ",".join(self.skip_tags)),
        ):
            found += [option, value] if value else []
        return [*found, "--forks", str(self.forks)]


def _texts(value: object) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else [str(text) for text in value]  # type: ignore[attr-defined]


@contextmanager
def vault_pipes(invocation: Invocation) -> Iterator[tuple[dict[str, str], list[int]]]:
    """Environment variables and file descriptors with which another ansible-playbook reads the vault secrets, once."""
    with ExitStack() as stack:
        names, readers = [], []
        for name, secret in invocation.secrets:
            reader, writer = os.pipe()
            stack.callback(os.close, reader)
            with os.fdopen(writer, "wb") as pipe:
                pipe.write(secret)
            names.append(f"{name}@/dev/fd/{reader}")
            readers.append(reader)
        yield ({"ANSIBLE_VAULT_IDENTITY_LIST": ",".join(names)} if names else {}), readers


def command(playbook: str, invocation: Invocation, forced: Path) -> list[str]:
    """The command. ``forced``: a file with extra variables that have priority."""
    return [
        sys.executable,
        "-m",
        "ansible",
        "playbook",
        f"directpath.vsphere.{playbook}",
        *invocation.arguments(),
        "-e",
        f"@{forced}",
    ]


def environment(environ: Mapping[str, str], *, gate: Path, scratch: Path, collections: Sequence[str]) -> dict[str, str]:
    """The environment. ``gate``: the file of the gate; ``scratch``: for temporary files; ``collections``: where this collection is."""
    kept = {name: text for name, text in environ.items() if name not in REMOVED}
    return {
        **kept,
        VARIABLE: str(gate),
        "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(collections),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
        "ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.default",
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
        "ANSIBLE_LOG_PATH": str(scratch / "ansible.log"),
        "ANSIBLE_LOCAL_TEMP": str(scratch),
        "ANSIBLE_REMOTE_TEMP": str(scratch),
        "ANSIBLE_REMOTE_TMP": str(scratch),
        "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.memory",
        "ANSIBLE_RETRY_FILES_ENABLED": "false",
        "ANSIBLE_NOCOLOR": "true",
        "ANSIBLE_DEPRECATION_WARNINGS": "false",
        "TMPDIR": str(scratch),
    }


def forced_variables(*, consent: bool) -> str:
    """The file ``forced`` as text. ``consent``: reboots are allowed, because the user has not decided yet."""
    return json.dumps({**FORCED, **({"rolling_reboot_consent": True} if consent else {})})
