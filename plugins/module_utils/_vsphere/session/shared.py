# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One session for many tasks: reuse it, open it, end it. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from ..sdk import vim
from .endpoint import Endpoint
from .faults import explained
from .file import Kept, SessionFile
from .transport import Guard


class Sharing(Protocol):
    """What a session must have so that tasks can share it."""

    @property
    def endpoint(self) -> Endpoint: ...

    @property
    def stub(self) -> Guard: ...

    @property
    def cookie(self) -> str: ...

    def login(self) -> None: ...

    def logout(self) -> None: ...


def use_or_open(file: SessionFile, session: Sharing, *, ended: str) -> bool:
    """Use the session that another task opened, or log in and keep the new session for other tasks.

    ``ended``: the cookie of a session that has ended and must not be used. Returns True if no login was needed. Tasks that start at the
    same time wait for each other, so that only one of them logs in. Raises DirectPathError.
    """
    password = session.endpoint.password
    certificate = session.stub.identity()
    with file.locked():
        kept = file.read(password)
        if kept is not None and kept.certificate == certificate and kept.cookie != ended:
            session.stub.use_cookie(kept.cookie)
            return True
        # The old session is not logged out, because other tasks may still use it.
        session.stub.use_cookie("")
        session.login()
        try:
            file.write(Kept(cookie=session.cookie, certificate=certificate), password)
        except BaseException:
            session.logout()
            raise
    return False


def end_shared_session(endpoint: Endpoint, open_transport: Callable[[Endpoint], Any], *, pretend: bool) -> bool:
    """Log out of the shared session. Returns whether there was one. ``pretend``: do not log out. Raises DirectPathError."""
    file = SessionFile(endpoint.key())
    with file.locked():
        kept = file.read(endpoint.password)
        if kept is None or pretend:
            return kept is not None
        with explained("log out", f"{endpoint.hostname}:{endpoint.port}"):
            stub = open_transport(endpoint)
            content = vim.ServiceInstance("ServiceInstance", stub).RetrieveContent()
            if stub.identity() == kept.certificate:
                stub.use_cookie(kept.cookie)
                with suppress(vim.fault.NotAuthenticated):
                    content.sessionManager.Logout()
        file.remove()
    return True
