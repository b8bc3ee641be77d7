# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Automation API of a vCenter: tags and compute policies, which cannot be read over SOAP. PRIVATE to the collection.

``Automation`` itself only reads. Its ``send_write`` is for ``device_modes``.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPException
from typing import Any, TypeVar

from ..._domain.errors import DirectPathError
from ..session.connect import Session
from ..session.faults import CONNECTION_ERRORS, explain_connection
from ..session.transport import AUTOMATION, RefusedApart
from . import http as automation_http
from .http import API, REST, Dialect, RestReply, RestRequest, RestTransport

TOKEN = "vmware-api-session-id"
BUSY = frozenset({502, 503, 504})
_VM = "VirtualMachine"
_Answer = TypeVar("_Answer")


class NoAnswer(Exception):
    """There is no usable answer. The text is a clause."""


class _LoginEnded(RefusedApart):
    """The server refused a write because the session has ended."""


@dataclass(kw_only=True)
class Automation:
    """One login: made when it is first needed, renewed when the session has expired, and ended by ``close``.

    Reads raise DirectPathError (``tags_unreadable``) when there is no usable answer.
    """

    session: Session
    _http: RestTransport | None = field(default=None, repr=False)
    _dialect: Dialect = REST
    _token: str = field(default="", repr=False)

    # -- public methods ---------------------------------------------------------------------------------------------

    def categories(self) -> Mapping[str, str]:
        """Id → name of every category."""
        keys = self._ask(lambda dialect: dialect.read("category"), _keys)
        return {key: self._name("category", key) for key in keys}

    def tags_of(self, category: str) -> Mapping[str, str]:
        """Id → name of every tag of a category."""
        keys = self._ask(lambda dialect: dialect.tags_of(category), _keys)
        return {key: self._name("tag", key) for key in keys}

    def tagged_vms(self, tags: Collection[str]) -> Mapping[str, frozenset[str]]:
        """Tag id → ids of the virtual machines that have it. One request for all."""
        return self._ask(lambda dialect: dialect.objects_of(sorted(tags)), _vms)

    def policies(self) -> Mapping[str, tuple[str, str]]:
        """Id → capability and name of every compute policy (Policies.list)."""
        return self._ask(lambda dialect: dialect.policies_of(), _policies, what="compute policies")

    def policy_tags(self) -> Mapping[str, frozenset[str]]:
        """Id of a compute policy → ids of the tags that it uses (TagUsage.list). One request for all."""
        return self._ask(lambda dialect: dialect.policies_of("tag-usage"), _policy_tags, what="compute policies")

    def read(self, path: str, take: Callable[[Any], _Answer], *, what: str, code: str, cure: str) -> _Answer:
        """Read an address that only the newer API has (7.0 U2 and later). Raises DirectPathError with this ``code``."""
        return self._ask(lambda _dialect: RestRequest(verb="GET", path=path), take, what=what, code=code, cure=cure)

    def send_write(self, path: str, body: Any, *, name: str, moid: str) -> Any:
        """Send one write, and return the body of the answer. It is never repeated, apart from a renewed login.

        Raises RefusedApart when the server refused it, NoAnswer without a login, and the errors of connections, after which it is unknown
        whether the server received it.
        """
        for last in (False, True):
            fresh = not self._token
            send = partial(self._login().send, RestRequest(verb="POST", path=path, body=body), {TOKEN: self._token})
            try:
                return self.session.stub.write_apart(name, moid, partial(_accepted, send))
            except _LoginEnded as ended:
                if last or fresh:
                    raise RefusedApart("its Automation API rejects the session") from ended
                self._token = ""
        raise AssertionError("the second attempt returns")

    def close(self) -> None:
        """Log out, if the server can be reached."""
        if self._http is None:
            return
        if self._token:
            with suppress(*CONNECTION_ERRORS):
                self._send(self._http, RestRequest(verb="DELETE", path=self._dialect.session), {TOKEN: self._token})
        self._http.close()
        self._http, self._token = None, ""

    # -- requests ---------------------------------------------------------------------------------------------------

    def _name(self, kind: str, key: str) -> str:
        return self._ask(lambda dialect: dialect.read(kind, key), lambda body: str(body["name"]))

    def _ask(
        self,
        build: Callable[[Dialect], RestRequest],
        take: Callable[[Any], _Answer],
        *,
        what: str = "tags",
        code: str = "tags_unreadable",
        cure: str = "",
    ) -> _Answer:
        """``take`` extracts the result from the body."""
        endpoint = self.session.endpoint
        try:
            reply = self._answer(build)
            return take(reply.body["value"] if self._dialect.wrapped else reply.body)
        except CONNECTION_ERRORS as error:
            explained = explain_connection(error, doing=f"read {what}", on=f"{endpoint.hostname}:{endpoint.port}")
            raise DirectPathError(message=explained.message, code=code, cure=explained.cure) from error
        except (NoAnswer, KeyError, TypeError) as error:
            why = str(error) if isinstance(error, NoAnswer) else "an answer has an unexpected format"
            raise DirectPathError(
                message=f"Cannot read {what} from {endpoint.hostname}:{endpoint.port}: {why}",
                code=code,
                cure=cure
                or f"Check whether the vSphere Client shows {what}. Until it does, list virtual machines instead of tags",
            ) from error

    def _answer(self, build: Callable[[Dialect], RestRequest]) -> RestReply:
        """An expired login is renewed once."""
        for last in (False, True):
            fresh = not self._token
            http = self._login()
            reply = self._send(http, build(self._dialect), {TOKEN: self._token})
            if reply.status == 200:
                return reply
            if reply.status != 401 or last or fresh:
                break
            self._token = ""
        raise _no_answer(reply)

    def _login(self) -> RestTransport:
        """Try the newer API first where the vCenter may have it. An API that does not exist answers 404."""
        endpoint = self.session.endpoint
        if self._http is None:
            self._http = automation_http.open_http(endpoint)
        if self._token:
            return self._http
        account = base64.b64encode(f"{endpoint.username}:{endpoint.password}".encode()).decode()
        for dialect in (API, REST) if _is_recent(self.session) else (REST, API):
            request = RestRequest(verb="POST", path=dialect.session)
            reply = self._send(self._http, request, {"Authorization": f"Basic {account}"})
            if reply.status in (200, 201):
                self._dialect = dialect
                token = reply.body["value"] if dialect.wrapped else reply.body
                if not isinstance(token, str) or not token:
                    raise TypeError
                self._token = token
                return self._http
            if reply.status == 401:
                raise NoAnswer(f"its Automation API rejects the login of {endpoint.username}")
            if reply.status != 404:
                break
        raise _no_answer(reply)

    def _send(self, http: RestTransport, request: RestRequest, headers: Mapping[str, str]) -> RestReply:
        """Each request here only reads, so it is retried like all other reads."""
        return self.session.stub.guarded(AUTOMATION, request.path, lambda: _served(http.send(request, headers)))


def _served(reply: RestReply) -> RestReply:
    """Raises HTTPException, as a broken connection does, where the service is temporarily unavailable."""
    if reply.status in BUSY:
        raise HTTPException(f"{reply.status} from the Automation API")
    return reply


def _accepted(send: Callable[[], RestReply]) -> Any:
    """The body of a success. Raises RefusedApart. A gateway that fails may have passed the request on, so that is no refusal."""
    reply = send()
    if reply.status in (200, 201, 202, 204):
        return reply.body
    if reply.status == 401:
        raise _LoginEnded("the session has ended")
    if reply.status in BUSY:
        raise HTTPException(f"{reply.status} from the Automation API")
    raise RefusedApart(str(_no_answer(reply)))


def _rows(body: Any) -> list[Any]:
    """Raises TypeError for a value that is not a list; None is an empty list."""
    if not isinstance(body, list | None):
        raise TypeError
    return body or []


def _keys(body: Any) -> list[str]:
    return [str(key) for key in _rows(body)]


def _vms(body: Any) -> Mapping[str, frozenset[str]]:
    return {
        str(row["tag_id"]): frozenset(str(one["id"]) for one in _rows(row["object_ids"]) if one["type"] == _VM)
        for row in _rows(body)
    }


def _policies(body: Any) -> Mapping[str, tuple[str, str]]:
    return {str(row["policy"]): (str(row["capability"]), str(row["name"])) for row in _rows(body)}


def _policy_tags(body: Any) -> Mapping[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for row in _rows(body):
        key = str(row["policy"])
        found[key] = found.get(key, frozenset()) | {str(row["tag"])}
    return found


def _is_recent(session: Session) -> bool:
    """7.0 U2 or later, by the API version."""
    numbers = tuple(int(part) for part in str(session.content.about.apiVersion).split(".") if part.isdecimal())
    return numbers >= (7, 0, 2)


def _no_answer(reply: RestReply) -> NoAnswer:
    """With the error message of the server, in either format."""
    body = reply.body if isinstance(reply.body, Mapping) else {}
    inner = body.get("value")
    messages = (inner if isinstance(inner, Mapping) else body).get("messages") or ()
    texts = [str(one["default_message"]) for one in messages if isinstance(one, Mapping) and one.get("default_message")]
    shown = " ".join(texts) or str(body.get("error_type") or body.get("type") or "")
    return NoAnswer(f"its Automation API answers HTTP {reply.status}" + (f" ({shown.rstrip('.')})" if shown else ""))
