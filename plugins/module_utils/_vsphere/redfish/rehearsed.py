# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Management controllers in a rehearsal. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import replace

from ..http.rehearsal import current
from .http import BmcAccess


def on_twin_controller(access: BmcAccess) -> BmcAccess:
    """In a rehearsal: the controller that the twin has for this address, with the account of the twin. Otherwise ``access``. Raises
    DirectPathError (not_rehearsed) if no twin has it."""
    found = current()
    if found is None:
        return access
    from ..http.twins import controller_of

    twin, path = controller_of(found, access.address)
    host = f"[{twin.hostname}]" if ":" in twin.hostname else twin.hostname
    return replace(
        access,
        address=f"{host}:{twin.port}{path}",
        username=twin.username,
        password=twin.password,
        validate_certs=True,
        ca_path=twin.ca_file,
        proxy=None,
        system=None,
    )
