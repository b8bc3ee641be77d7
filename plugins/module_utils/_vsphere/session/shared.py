# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One session for many tasks: taken up, opened for all, and ended. PRIVATE to the collection."""

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
    """What a session offers so that tasks can share it."""

    @property
    def endpoint(self) -> Endpoint: ...

    @property
    def stub(self) -> Guard: ...

    @property
    def cookie(self) -> str: ...

    def login(self) -> None: ...

    def logout(self) -> None: ...


def take_up(file: SessionFile, session: Sharing, *, ended: str) -> bool:
    """Go on in the session that another task has opened, unless it is the one that ended; else open one for all.

    True when none had to be opened. Tasks that come at the same moment wait for each other, so that one of them logs in.
    """
    password = session.endpoint.password
    certificate = session.stub.identity()
    with file.locked():
        kept = file.read(password)
        if kept is not None and kept.certificate == certificate and kept.cookie != ended:
            session.stub.use_cookie(kept.cookie)
            return True
        # Not logged out: tasks that are in it would be thrown out with it.
        session.stub.use_cookie("")
        session.login()
        try:
            file.write(Kept(cookie=session.cookie, certificate=certificate), password)
        except BaseException:
            session.logout()
            raise
    return False


def end_shared_session(endpoint: Endpoint, open_transport: Callable[[Endpoint], Any], *, pretend: bool) -> bool:
    """Log out the session that tasks have left open for each other. False when there is none. Raises DirectPathError.

    ``pretend``: only say whether there is one.
    """
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
