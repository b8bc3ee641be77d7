# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One page of a bulk read over the wire, parsed as it arrives by the C parser of the standard library. PRIVATE to the collection.

The request goes out on a connection of pyVmomi's own stub: the same login, TLS trust, proxy and time-out, whatever they are.
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
from .page_scalars import NAMESPACE

Take = Callable[[Element], None]

_MOST_AT_ONCE = 8 << 20
"""Bytes of a page, zipped where it is, that are held so that the next one can be asked for. Pages have some hundred thousand."""
MOST_OF_ONE = 32 << 20
"""Bytes of XML one object may have. A host with a thousand LUNs has a tenth of it; it is a bound for the memory of this process."""
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<soapenv:Envelope xmlns:soapenv="{SOAP}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    f'<soapenv:Body><{{method}} xmlns="{NAMESPACE}"><_this type="PropertyCollector">{{collector}}</_this>'
)
_TAIL = "</{method}></soapenv:Body></soapenv:Envelope>"


@dataclass(frozen=True, kw_only=True, slots=True)
class PageStart:
    """Where a read begins: these objects themselves, or what one of their properties (``link``) refers to. ``both``: both of them."""

    kind: Any
    moids: Sequence[str]
    link: str | None = None
    both: bool = False


def first_request(
    collector: str, starts: Sequence[PageStart], paths: Mapping[Any, Sequence[str]], *, page: int, may_be_gone: bool
) -> bytes:
    """RetrievePropertiesEx. pyVmomi's serialiser would take longer for thousands of objects than the server for its answer."""
    wanted = "".join(
        f"<propSet><type>{kind._wsdlName}</type><all>false</all>"
        + "".join(f"<pathSet>{escape(path)}</pathSet>" for path in names)
        + "</propSet>"
        for kind, names in paths.items()
    )
    objects = "".join(
        f'<objectSet><obj type="{start.kind._wsdlName}">{escape(moid)}</obj>{walk}</objectSet>'
        for start in starts
        for walk in (_walk(start),)
        for moid in start.moids
    )
    gone = f"<reportMissingObjectsInResults>{str(may_be_gone).lower()}</reportMissingObjectsInResults>"
    options = f"<options><maxObjects>{page}</maxObjects></options>"
    return _envelope("RetrievePropertiesEx", collector, f"<specSet>{wanted}{objects}{gone}</specSet>{options}")


def _walk(start: PageStart) -> str:
    if start.link is None:
        return "<skip>false</skip>"
    return (
        f'<skip>{str(not start.both).lower()}</skip><selectSet xsi:type="TraversalSpec"><name>{escape(start.link)}</name>'
        f"<type>{start.kind._wsdlName}</type><path>{escape(start.link)}</path><skip>false</skip></selectSet>"
    )


def next_request(collector: str, token: str) -> bytes:
    """ContinueRetrievePropertiesEx."""
    return _envelope("ContinueRetrievePropertiesEx", collector, f"<token>{escape(token)}</token>")


def _envelope(method: str, collector: str, inner: str) -> bytes:
    head = _HEAD.format(method=method, collector=escape(collector))
    return (head + inner + _TAIL.format(method=method)).encode()


class Ahead:
    """Asks for the next page as soon as it is known that there is one, so that the server works on it while this one is read.

    One request at a time all the same: the answer before it has arrived by then. ``ask`` makes the request from a token.
    """

    def __init__(self, stub: Any, ask: Callable[[str], bytes]) -> None:
        self._stub, self._ask = stub, ask
        self._connection: Any = None

    def send(self, connection: Any, token: str) -> None:
        """On the connection that has just brought the answer before."""
        connection.request("POST", self._stub.path, self._ask(token), headers(self._stub))
        self._connection = connection

    def is_on(self, connection: Any) -> bool:
        return self._connection is connection

    def take(self) -> Any:
        """The connection on which an answer will come; None where nothing was asked."""
        connection, self._connection = self._connection, None
        return connection

    def close(self) -> None:
        """Nobody wants the answer any more."""
        connection = self.take()
        if connection is not None:
            connection.close()


def exchange(stub: Any, body: bytes, take: Take, *, more: bool, ahead: Ahead) -> str | None:
    """Send one request, unless ``ahead`` has sent it; every ``objects`` element of the answer goes to ``take`` as soon as it is whole.
    The token of the next page.

    What was taken counts only when this returns. ``more``: the server said there are more objects, so an answer without any is none.
    Raises the server's fault, HTTPException for an HTTP status as pyVmomi does, and BrokenAnswer for an answer that ends early or is
    not what was asked for.
    """

    def read(response: HTTPResponse, connection: Any) -> str | None:
        return _read_page(response, take, more=more, known=lambda token: ahead.send(connection, token))

    return ask(stub, body, read, asked=ahead.take(), give_up=ahead.take, is_busy=ahead.is_on)


@contextmanager
def no_collecting() -> Iterator[None]:
    """Keep Python from looking for cycles among hundreds of thousands of new objects: there are none, and it takes a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


# -- reading ------------------------------------------------------------------------------------------------------


def _arrive(response: HTTPResponse) -> tuple[list[bytes], bool]:
    """The beginning of the body, and whether that is all of it, so that the connection is free for the next request."""
    pieces: list[bytes] = []
    while sum(map(len, pieces)) < _MOST_AT_ONCE:
        piece = response.read(CHUNK)
        if not piece:
            return pieces, response.isclosed() and not response.will_close
        pieces.append(piece)
    return pieces, False


def _read_page(response: HTTPResponse, take: Take, *, more: bool, known: Callable[[str], None]) -> str | None:
    """``known`` is called with the token of the next page, once it is there and the connection is free again."""
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
        # The schema has it before the objects. Where a server does not keep to that, the next page waits for the end of this one.
        if is_free and page.token:
            known(page.token)
        for chunk in pieces:
            page.feed(chunk)
        return page.close()
    except ParseError as error:
        raise BrokenAnswer(f"an answer that is not whole ({error})") from error
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise BrokenAnswer(f"an answer that makes no sense ({type(error).__name__}: {error})") from error


class _Page:
    """Feeds the parser, and takes whole objects out of the tree while it grows, so that memory does not follow the page's size."""

    def __init__(self, take: Take, *, more: bool) -> None:
        builder = TreeBuilder()
        self._top = builder.start("answer", {})
        self._parser = XMLParser(target=builder)
        self._take = take
        self._more = more
        self._holder: Element | None = None
        self.token: str | None = None
        """Of the next page, as far as this one was fed."""
        self._since = 0

    def feed(self, text: bytes) -> None:
        self._parser.feed(text)
        self._since += len(text)
        if self._since > MOST_OF_ONE:
            raise BrokenAnswer(f"an object of more than {MOST_OF_ONE >> 20} MB")
        self._harvest(final=False)

    def close(self) -> str | None:
        """The token of the next page. None at the end, and for an answer without objects."""
        self._parser.close()
        self._harvest(final=True)
        return self.token or None

    def _harvest(self, *, final: bool) -> None:
        holder = self._holder
        if holder is None:
            holder = self._holder = self._find_holder(final=final)
            if holder is None:
                return
        whole = len(holder) - (not final)
        if whole <= 0:
            return
        for child in holder[:whole]:
            if child.tag.endswith("}objects"):
                self._take(child)
            elif child.tag.endswith("}token"):
                self.token = child.text
        del holder[:whole]
        self._since = 0

    def _find_holder(self, *, final: bool) -> Element | None:
        """The ``returnval`` of the answer; None while it has not come, or when there is none."""
        for body in self._top.iterfind(f"{{{SOAP}}}Envelope/{{{SOAP}}}Body"):
            for answer in body:
                if not answer.tag.endswith("PropertiesExResponse"):
                    raise BrokenAnswer(f"{answer.tag} in place of an answer")
                if len(answer):
                    return answer[0]
                if final and not self._more:
                    return None
        if final:
            raise BrokenAnswer("an answer without objects")
        return None
