# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One page of a bulk read, parsed with the C parser of the standard library. PRIVATE to the collection.

The request uses a connection of the stub of pyVmomi, with its login, TLS settings, proxy and timeouts.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser
from xml.sax.saxutils import escape

from ..http.connections import BrokenAnswer
from ..http.soap import CHUNK, LONGEST_PROLOG, SOAP, ask, check_prolog, chunks, headers
from .scalars import NAMESPACE

Take = Callable[[Element], None]

_MOST_AT_ONCE = 8 << 20
"""Bytes of a page, as sent, that are read before parsing, so that the connection is free for the next request. A page has some 100,000."""
MOST_OF_ONE = 32 << 20
"""Bytes of XML that one object may have, to limit memory. A host with 1,000 LUNs has a tenth of it."""
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<soapenv:Envelope xmlns:soapenv="{SOAP}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    f'<soapenv:Body><{{method}} xmlns="{NAMESPACE}"><_this type="PropertyCollector">{{collector}}</_this>'
)
_TAIL = "</{method}></soapenv:Body></soapenv:Envelope>"


@dataclass(frozen=True, kw_only=True, slots=True)
class PageStart:
    """The objects of a read: those with these ids, or those that one of their properties (``link``) refers to. ``both``: both."""

    kind: Any
    moids: Sequence[str]
    link: str | None = None
    both: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadPart:
    """A part of a read: objects, and the property paths by type. Several parts may read different paths of objects of the same type."""

    starts: Sequence[PageStart]
    paths: Mapping[Any, Sequence[str]]


def first_request(collector: str, parts: Sequence[ReadPart], *, page: int, may_be_gone: bool) -> bytes:
    """The request RetrievePropertiesEx. For thousands of objects, the serializer of pyVmomi would take longer than the server."""
    specs = "".join(_spec_set(part, may_be_gone=may_be_gone) for part in parts)
    return _envelope("RetrievePropertiesEx", collector, f"{specs}<options><maxObjects>{page}</maxObjects></options>")


def _spec_set(part: ReadPart, *, may_be_gone: bool) -> str:
    properties = "".join(
        f"<propSet><type>{kind._wsdlName}</type><all>false</all>"
        + "".join(f"<pathSet>{escape(path)}</pathSet>" for path in names)
        + "</propSet>"
        for kind, names in part.paths.items()
    )
    objects = "".join(
        f'<objectSet><obj type="{start.kind._wsdlName}">{escape(moid)}</obj>{walk}</objectSet>'
        for start in part.starts
        for walk in (_walk(start),)
        for moid in start.moids
    )
    gone = f"<reportMissingObjectsInResults>{str(may_be_gone).lower()}</reportMissingObjectsInResults>"
    return f"<specSet>{properties}{objects}{gone}</specSet>"


def _walk(start: PageStart) -> str:
    if start.link is None:
        return "<skip>false</skip>"
    return (
        f'<skip>{str(not start.both).lower()}</skip><selectSet xsi:type="TraversalSpec"><name>{escape(start.link)}</name>'
        f"<type>{start.kind._wsdlName}</type><path>{escape(start.link)}</path><skip>false</skip></selectSet>"
    )


def next_request(collector: str, token: str) -> bytes:
    """The request ContinueRetrievePropertiesEx."""
    return _envelope("ContinueRetrievePropertiesEx", collector, f"<token>{escape(token)}</token>")


def _envelope(method: str, collector: str, inner: str) -> bytes:
    head = _HEAD.format(method=method, collector=escape(collector))
    return (head + inner + _TAIL.format(method=method)).encode()


class Prefetch:
    """Requests the next page before the current one is parsed, so that the server works on it at the same time.

    There is still only one request at a time: the current page has arrived completely by then. ``ask``: makes the request from a token.
    """

    def __init__(self, stub: Any, ask: Callable[[str], bytes]) -> None:
        self._stub, self._ask = stub, ask
        self._connection: Any = None

    def send(self, connection: Any, token: str) -> None:
        """Request the page on the connection that brought the current one."""
        connection.request("POST", self._stub.path, self._ask(token), headers(self._stub))
        self._connection = connection

    def is_on(self, connection: Any) -> bool:
        """Whether an answer is expected on this connection."""
        return self._connection is connection

    def take(self) -> Any:
        """Return the connection on which an answer is expected, once; None if there is none."""
        connection, self._connection = self._connection, None
        return connection

    def close(self) -> None:
        """Drop the expected answer."""
        connection = self.take()
        if connection is not None:
            connection.close()


def request_page(stub: Any, body: bytes, take: Take, *, more: bool, prefetch: Prefetch) -> str | None:
    """Send one request, unless ``prefetch`` already sent it, and parse the answer. Returns the token of the next page; None at the end.

    ``take`` gets each complete ``objects`` element. These count only when this function returns. ``more``: the page before had a token, so
    an answer without objects is invalid. Raises the fault of the server, HTTPException for another HTTP status (as pyVmomi does), and
    BrokenAnswer for an incomplete or invalid answer.
    """

    def read(response: HTTPResponse, connection: Any) -> str | None:
        return _read_page(response, take, more=more, on_token=lambda token: prefetch.send(connection, token))

    return ask(stub, body, read, asked=prefetch.take(), give_up=prefetch.take, is_busy=prefetch.is_on)


@contextmanager
def without_gc() -> Iterator[None]:
    """Switch off the garbage collector in the block. It would take a third of the time to find no cycles among 100,000s of new objects."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


# -- parsing ------------------------------------------------------------------------------------------------------


def _arrive(response: HTTPResponse) -> tuple[list[bytes], bool]:
    """Read the body up to a limit. Returns its chunks, and whether it is complete, so that the connection is free for the next request."""
    pieces: list[bytes] = []
    while sum(map(len, pieces)) < _MOST_AT_ONCE:
        piece = response.read(CHUNK)
        if not piece:
            return pieces, response.isclosed() and not response.will_close
        pieces.append(piece)
    return pieces, False


def _read_page(response: HTTPResponse, take: Take, *, more: bool, on_token: Callable[[str], None]) -> str | None:
    """Parse one page. ``on_token``: called with the token of the next page when the connection is free again."""
    arrived, is_free = _arrive(response)
    page = _Page(take, more=more)
    pieces = chunks(response, arrived)
    try:
        head = b""
        for chunk in pieces:
            head += chunk
            if len(head) >= LONGEST_PROLOG:
                break
        check_prolog(head)
        page.feed(head)
        # In the schema, the token comes before the objects. If a server sends it later, the next page is requested after this one.
        if is_free and page.token:
            on_token(page.token)
        for chunk in pieces:
            page.feed(chunk)
        return page.close()
    except ParseError as error:
        raise BrokenAnswer(f"an incomplete answer ({error})") from error
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise BrokenAnswer(f"an answer that does not fit the API ({type(error).__name__}: {error})") from error


class _Page:
    """Feeds the parser, and removes complete objects from the tree, so that memory does not grow with the size of the page."""

    def __init__(self, take: Take, *, more: bool) -> None:
        builder = TreeBuilder()
        self._top = builder.start("answer", {})
        self._parser = XMLParser(target=builder)
        self._take = take
        self._more = more
        self._holder: Element | None = None
        self.token: str | None = None
        """The token of the next page, if it was already parsed."""
        self._since = 0

    def feed(self, text: bytes) -> None:
        self._parser.feed(text)
        self._since += len(text)
        if self._since > MOST_OF_ONE:
            raise BrokenAnswer(f"an object of more than {MOST_OF_ONE >> 20} MB")
        self._take_complete(final=False)

    def close(self) -> str | None:
        """Finish parsing. Returns the token of the next page; None at the end, and for an answer without objects."""
        self._parser.close()
        self._take_complete(final=True)
        return self.token or None

    def _take_complete(self, *, final: bool) -> None:
        holder = self._holder
        if holder is None:
            holder = self._holder = self._find_holder(final=final)
            if holder is None:
                return
        complete = len(holder) - (not final)
        if complete <= 0:
            return
        for child in holder[:complete]:
            if child.tag.endswith("}objects"):
                self._take(child)
            elif child.tag.endswith("}token"):
                self.token = child.text
        del holder[:complete]
        self._since = 0

    def _find_holder(self, *, final: bool) -> Element | None:
        """The ``returnval`` of the answer; None before it arrives, or if there is none."""
        for body in self._top.iterfind(f"{{{SOAP}}}Envelope/{{{SOAP}}}Body"):
            for answer in body:
                if not answer.tag.endswith("PropertiesExResponse"):
                    raise BrokenAnswer(f"{answer.tag} instead of an answer")
                if len(answer):
                    return answer[0]
                if final and not self._more:
                    return None
        if final:
            raise BrokenAnswer("an answer without objects")
        return None
