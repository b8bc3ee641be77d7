# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One SOAP request and its answer on a connection of pyVmomi's stub. PRIVATE to the collection.

pyVmomi itself checks neither the size of an answer, nor its size after decompression, nor that it is SOAP.
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
"""Errors that parsing raises for an answer that does not fit the API."""
_MOST_OF_A_FAULT = 4 << 20
_PROLOG = re.compile(
    rb"""\s*(<\?xml\s[^>]*?(encoding=["'](?P<encoding>[\w.-]+)["'][^>]*?)?\?>\s*)?<([A-Za-z_][\w.-]*:)?Envelope[\s>]"""
)


def headers(stub: Any) -> dict[str, str]:
    """The headers of a request."""
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
    """Send one request and let ``read`` read the answer. ``asked``: a connection on which the request was already sent.

    Raises the fault of the server, HTTPException for another HTTP status (as pyVmomi does), and the errors of ``read``. On an error,
    ``give_up`` is called first. A connection that ``is_busy`` with the next request does not go back to the pool.
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
        # The server, or something in between, may be broken: the next request gets a new connection.
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
    """A factory for bounded connections, in place of the one of pyVmomi."""
    if isinstance(scheme, type):
        return partial(BoundedTls if issubclass(scheme, HTTPSConnection) else BoundedPlain, bounds=bounds)

    def through(*arguments: Any, **options: Any) -> BoundedTls:
        """Open a connection through a proxy. Older releases of pyVmomi pass the proxy as the host, and keep the server in ``scheme``."""
        connection = BoundedTls(*arguments, bounds=bounds, **options)
        connection.set_tunnel(scheme.proxyPath, headers=scheme.customHeaders)
        return connection

    return through


class SoapStub(SoapStubAdapter):  # type: ignore[misc]
    """pyVmomi's stub, with bounded connections and checks of the answers."""

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
            raise BrokenAnswer("it is the answer to another method")
        try:
            return SoapResponseDeserializer(self).Deserialize(BytesIO(text), info.result)
        except ExpatError as error:
            raise BrokenAnswer(f"an incomplete answer ({error})") from error
        except NONSENSE as error:
            raise BrokenAnswer(f"an answer that does not fit the API ({type(error).__name__}: {error})") from error


def _fault(stub: Any, response: HTTPResponse) -> BaseException:
    """The fault of the server, parsed by pyVmomi. An HTTP 500 without a fault (the page of a proxy) becomes an HTTPException."""
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
        raise BrokenAnswer(f"a fault that does not fit the API ({type(error).__name__}: {error})") from error
    return found if isinstance(found, BaseException) else HTTPException(f"{response.status} {response.reason}")


def chunks(response: HTTPResponse, arrived: Iterable[bytes] = ()) -> Iterator[bytes]:
    """The decompressed body in chunks of bounded size. ``arrived``: the beginning, if it was already read.

    Raises BrokenAnswer when the body ends early, and TooMuch when it exceeds the limit.
    """
    encoding = (response.getheader("Content-Encoding") or "identity").lower()
    if encoding not in ("gzip", "x-gzip", "deflate", "identity"):
        raise BrokenAnswer(f"an answer in the encoding {encoding}, which was not requested")
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
                    raise TooMuch(f"an answer that decompresses to more than {max(limit >> 20, 1)} MB")
                yield piece
                chunk = unzip.unconsumed_tail
    except zlib.error as error:
        raise BrokenAnswer(f"an answer that cannot be decompressed ({error})") from error
    if response.length or (unzip is not None and not unzip.eof):
        raise BrokenAnswer("an answer that ends early")


def check_prolog(head: bytes) -> None:
    """Raise BrokenAnswer unless the answer begins with an XML declaration at most, and then the SOAP envelope.

    SOAP allows no document type, so there are no entities to expand or to fetch.
    """
    found = _PROLOG.match(head[:LONGEST_PROLOG].removeprefix(b"\xef\xbb\xbf"))
    if found is None or (found["encoding"] or b"utf-8").lower() not in (b"utf-8", b"us-ascii"):
        raise BrokenAnswer("an answer that is not SOAP")
