# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source pci_changes: a thread that watches a server, and its link to the event loop of ansible-rulebook. PRIVATE to the
collection."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import TimeoutError as StillWaiting
from typing import Any

from ...module_utils._domain.changes.connections import ConnectionHistory
from ...module_utils._domain.changes.events import moment
from ...module_utils._domain.errors import DirectPathError
from ...module_utils._domain.plain import Record
from ...module_utils._domain.text import inert
from ...module_utils._vsphere.changes.memory import ChangeMemory
from ...module_utils._vsphere.changes.watch import ChangeWatch
from ...module_utils._vsphere.session.connect import open_session
from ...module_utils._vsphere.session.faults import explain
from .arguments import WatchRequest

_LOG = logging.getLogger("directpath.vsphere.pci_changes")

LAST_WORDS = 5.0
"""Seconds for the logout when the rulebook ends."""
_LOOK = 0.5
"""Seconds after which a thread that waits for a full queue looks whether the rulebook ended."""


class _Stopped(Exception):
    """The rulebook ended."""


class ChangeSource:
    """Watches one server until it is stopped. ``publish`` gets each event, and may wait."""

    def __init__(self, request: WatchRequest, publish: Callable[[Record], None]) -> None:
        self._request = request
        self._publish = publish
        self._stop = threading.Event()
        self._memory = ChangeMemory()
        self._history = ConnectionHistory()
        self._watch: ChangeWatch | None = None

    def run(self) -> None:
        """Watch until ``stop``. Raises DirectPathError when another attempt cannot help."""
        while not self._stop.is_set():
            try:
                self._follow()
            except _Stopped:
                return
            except Exception as error:
                if self._stop.is_set():
                    return
                self._failed(explain(error, doing="watch changes", on=self._request.endpoint.hostname), error)
                self._stop.wait(self._history.pause)

    def stop(self) -> None:
        """End ``run`` as soon as possible. It may wait for the server, so an event loop calls it in a thread."""
        self._stop.set()
        watch = self._watch
        if watch is not None:
            watch.interrupt()

    @property
    def is_stopped(self) -> bool:
        return self._stop.is_set()

    def _follow(self) -> None:
        """One connection, until an error ends it."""
        with open_session(self._request.endpoint, read_only=True) as session:
            self._watch = watch = ChangeWatch(session, self._memory)
            try:
                while not self._stop.is_set():
                    events = watch.wait()
                    self._connected()
                    for event in events:
                        self._send(event)
            finally:
                self._watch = None
                watch.close()

    def _connected(self) -> None:
        history, self._history = self._history, ConnectionHistory(connected=True)
        if history.since is None:
            return
        _LOG.info("%s: connected again", self._request.endpoint.hostname)
        if history.reported:
            self._send({"type": "reachable", "seconds": round(time.monotonic() - history.since)})

    def _failed(self, error: DirectPathError, cause: Exception) -> None:
        now = time.monotonic()
        self._history = self._history.failed(error.code, now)
        if self._history.is_final(error.code):
            raise error from cause
        _LOG.warning("%s", inert(error.sentence()))
        if self._history.is_to_report(self._request.report_outage_after, now):
            self._history = self._history.as_reported()
            since = time.time() - (now - (self._history.since or now))
            self._send(
                {
                    "type": "unreachable",
                    "since": moment(since),
                    "error_code": error.code,
                    "message": inert(error.sentence()),
                }
            )

    def _send(self, event: Record) -> None:
        self._publish({"vcenter": self._request.endpoint.hostname, **event})


async def watch_changes(queue: Any, args: dict[str, Any]) -> None:
    """Put events into the queue until the rulebook ends. Raises DirectPathError: for wrong arguments before anything is connected, and when
    another attempt to connect cannot help."""
    request = WatchRequest.of(args)
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def publish(event: Record) -> None:
        put = asyncio.run_coroutine_threadsafe(queue.put(event), loop)
        while True:
            try:
                return put.result(_LOOK)
            except StillWaiting:
                if source.is_stopped:
                    put.cancel()
                    raise _Stopped from None

    source = ChangeSource(request, publish)

    def work() -> None:
        failure: BaseException | None = None
        try:
            source.run()
        except BaseException as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is closed, so nothing waits for the result
            loop.call_soon_threadsafe(_finish, ended, failure)

    # A daemon: no server that is slow to answer can keep ansible-rulebook from ending.
    thread = threading.Thread(target=work, name=f"pci_changes {request.endpoint.hostname}", daemon=True)
    thread.start()
    try:
        await asyncio.shield(ended)
    finally:
        threading.Thread(target=source.stop, daemon=True).start()
        await asyncio.wait([ended], timeout=LAST_WORDS)


def _finish(ended: asyncio.Future[None], failure: BaseException | None) -> None:
    if ended.done():
        return
    if failure is None:
        ended.set_result(None)
    else:
        ended.set_exception(failure)
