# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One SOAP request and its answer on a connection of pyVmomi's stub. PRIVATE to the collection.

pyVmomi's own reading takes what a server sends for granted: how much it is, what it unpacks to, and that it is SOAP at all.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from io import BytesIO
from itertools import chain
from typing import Any, TypeVar
from xml.parsers.expat import ExpatError

from ..sdk import SoapResponseDeserializer, SoapStubAdapter
from .connections import MOST, BoundedPlain, BoundedTls, Bounds, BrokenAnswer, TooMuch

_Result = TypeVar("_Result")

CHUNK = 1 << 16
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
LONGEST_PROLOG = 1024
NONSENSE = (ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError)
"""What reading an answer raises that is not as the API describes it."""
_MOST_OF_A_FAULT = 4 << 20
_PROLOG = re.compile(
    rb"""\s*(<\?xml\s[^>]*?(encoding=["'](?P<encoding>[\w.-]+)["'][^>]*?)?\?>\s*)?<([A-Za-z_][\w.-]*:)?Envelope[\s>]"""
)


def headers(stub: Any) -> dict[str, str]:
    """Of a request."""
    return {
        "Cookie": stub.cookie,
        "SOAPAction": stub.versionId,
        "Content-Type": "text/xml; charset=UTF-8",
        "Accept-Encoding": "gzip",
        "User-Agent": "directpath.vsphere",
    }


def ask(
    stub: Any,
    body: bytes,
    read: Callable[[HTTPResponse, Any], _Result],
    *,
    asked: Any = None,
    give_up: Callable[[], object] = lambda: None,
    is_busy: Callable[[Any], bool] = lambda connection: False,
) -> _Result:
    """Send one request, unless it was ``asked`` on that connection already, and have the answer ``read``.

    Raises the server's fault, HTTPException for an HTTP status as pyVmomi does, and what ``read`` raises. ``give_up`` is called before
    that; a connection that ``is_busy`` with the next request is not given back.
    """
    connection = asked or stub.GetConnection()
    fault: BaseException | None = None
    response: HTTPResponse | None = None
    try:
        if asked is None:
            connection.request("POST", stub.path, body, headers(stub))
        response = connection.getresponse()
        cookie = response.getheader("Set-Cookie")
        if cookie:
            stub.cookie = cookie
        if response.status == 500:
            fault = _fault(stub, response)
        elif response.status == 200:
            result = read(response, connection)
        else:
            raise HTTPException(f"{response.status} {response.reason}")
    except BaseException:
        # The server, or something on the way, may be sick: begin anew with fresh connections.
        give_up()
        if response is not None:
            response.close()
        connection.close()
        stub.DropConnections()
        raise
    if not is_busy(connection):
        stub.ReturnConnection(connection)
    if fault is not None:
        raise fault
    return result


def _bounded(scheme: Any, bounds: Bounds) -> Any:
    """What makes connections, in place of what pyVmomi would take."""
    if isinstance(scheme, type):
        return partial(BoundedTls if issubclass(scheme, HTTPSConnection) else BoundedPlain, bounds=bounds)

    def through(*arguments: Any, **options: Any) -> BoundedTls:
        """Behind a proxy, older releases keep the way there, and give the proxy for the host."""
        connection = BoundedTls(*arguments, bounds=bounds, **options)
        connection.set_tunnel(scheme.proxyPath, headers=scheme.customHeaders)
        return connection

    return through


class SoapStub(SoapStubAdapter):  # type: ignore[misc]
    """pyVmomi's stub on bounded connections, and with answers that are looked at before they are believed."""

    bounds: Bounds
    scheme: Any

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.scheme = _bounded(self.scheme, self.bounds)

    def InvokeMethod(self, mo: Any, info: Any, args: Any, outerStub: Any = None) -> Any:
        return ask(self, self.SerializeRequest(mo, info, args), lambda response, _on: self._result(info, response))

    def _result(self, info: Any, response: HTTPResponse) -> Any:
        text = b"".join(chunks(response))
        check_prolog(text)
        if f"{info.wsdlName}Response".encode() not in text:
            raise BrokenAnswer("it is the answer to something else")
        try:
            return SoapResponseDeserializer(self).Deserialize(BytesIO(text), info.result)
        except ExpatError as error:
            raise BrokenAnswer(f"an answer that is not whole ({error})") from error
        except NONSENSE as error:
            raise BrokenAnswer(f"an answer that makes no sense ({type(error).__name__}: {error})") from error


def _fault(stub: Any, response: HTTPResponse) -> BaseException:
    """The server's fault as pyVmomi reads it. An HTTP 500 that holds none (a proxy's page) is an HTTP status like any other."""
    text = b""
    for chunk in chunks(response):
        text += chunk
        if len(text) > _MOST_OF_A_FAULT:
            raise TooMuch("a fault of more than 4 MB")
    try:
        check_prolog(text)
    except BrokenAnswer:
        if SOAP.encode() in text:
            raise
        return HTTPException(f"{response.status} {response.reason}")
    try:
        found = SoapResponseDeserializer(stub).Deserialize(BytesIO(text), object)
    except (ExpatError, *NONSENSE) as error:
        raise BrokenAnswer(f"a fault that makes no sense ({type(error).__name__}: {error})") from error
    return found if isinstance(found, BaseException) else HTTPException(f"{response.status} {response.reason}")


def chunks(response: HTTPResponse, arrived: Iterable[bytes] = ()) -> Iterator[bytes]:
    """The body in pieces of bounded size, unpacked: first what has ``arrived``. Raises BrokenAnswer when it ends before it is whole."""
    encoding = (response.getheader("Content-Encoding") or "identity").lower()
    if encoding not in ("gzip", "x-gzip", "deflate", "identity"):
        raise BrokenAnswer(f"an answer in the encoding {encoding}, which was not asked for")
    limit = getattr(response, "limit", MOST)
    unzip = None if encoding == "identity" else zlib.decompressobj(zlib.MAX_WBITS | 32)
    count = 0
    try:
        for chunk in chain(arrived, iter(partial(response.read, CHUNK), b"")):
            if unzip is None:
                yield chunk
                continue
            while chunk:
                piece = unzip.decompress(chunk, CHUNK * 4)
                count += len(piece)
                if count > limit:
                    raise TooMuch(f"an answer that unpacks to more than {max(limit >> 20, 1)} MB")
                yield piece
                chunk = unzip.unconsumed_tail
    except zlib.error as error:
        raise BrokenAnswer(f"an answer that cannot be unzipped ({error})") from error
    if response.length or (unzip is not None and not unzip.eof):
        raise BrokenAnswer("an answer that ends early")


def check_prolog(head: bytes) -> None:
    """Before the envelope SOAP allows nothing but an XML declaration: no document type, so no entities to expand or to fetch."""
    found = _PROLOG.match(head[:LONGEST_PROLOG].removeprefix(b"\xef\xbb\xbf"))
    if found is None or (found["encoding"] or b"utf-8").lower() not in (b"utf-8", b"us-ascii"):
        raise BrokenAnswer("an answer that is not SOAP")
