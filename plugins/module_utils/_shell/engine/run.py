# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module runs here: parameters, session, work, result. PRIVATE to the collection."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ..._domain.errors import DirectPathError
from ..._domain.ranges import refuse_out_of_range
from ..._domain.text import all_visible
from ..._vsphere.session.connect import Session, open_session
from ..._vsphere.session.endpoint import Endpoint
from ..._vsphere.session.faults import MISSING_SDK, SERVER_ERRORS, explain
from ..._vsphere.session.sent_writes import SentWrites
from ..._vsphere.session.transport import Guard
from .arguments import CONNECTION, endpoint
from .failure import fail, failure
from .targets import refuse_empty_names

Query = TypeVar("Query")
Observed = TypeVar("Observed")


UNKNOWN = ("unknown_cluster", "unknown_host", "unknown_vm")
"""Codes of errors for a name that the server does not have."""


RECORDS_ANSWERS = "DIRECTPATH_RECORDS_ANSWERS"
"""Set by the callback plugin run_file, for modules that run on the control node."""
UNUSUAL = "unusual_answers"
SENT, WRITTEN = "sent_writes", "written_objects"


class Runnable(Protocol):
    """What ``run`` needs of a module: ``InfoJob``, ``Work``, or ``Job`` (``engine/job.py``) for a module that changes something."""

    @property
    def arguments(self) -> Mapping[str, Any]: ...

    @property
    def constraints(self) -> Mapping[str, Any]: ...

    @property
    def parse(self) -> Callable[[Mapping[str, Any]], Any]:
        """Reads the parameters, before the module connects."""

    @property
    def do(self) -> Callable[[Session, Any, bool], dict[str, Any]]:
        """Gets the session (read-only in check mode), the request, and whether it is check mode. Returns the result."""

    @property
    def patience(self) -> Callable[[Any, Endpoint], float]:
        """How many seconds the module waits at the start for a server that does not answer."""

    @property
    def read_only(self) -> bool:
        """The module never writes, so its session refuses every write."""

    @property
    def in_guest(self) -> bool:
        """The module runs programs in guests. In check mode its session refuses that."""


@dataclass(frozen=True, kw_only=True)
class InfoJob(Generic[Query, Observed]):
    """A module that only reads: ``parse`` its parameters, ``observe`` the state, ``render`` it."""

    arguments: Mapping[str, Any]
    parse: Callable[[Mapping[str, Any]], Query]
    observe: Callable[[Session, Query], Observed]
    render: Callable[[Observed, Query], dict[str, Any]]
    constraints: Mapping[str, Any] = field(default_factory=dict)
    read_only: ClassVar[bool] = True
    in_guest: bool = False

    def patience(self, request: Query, endpoint: Endpoint) -> float:
        return 0.0

    def do(self, session: Session, request: Query, check_mode: bool) -> dict[str, Any]:
        shown = self.render(self.observe(session, request), request)
        return {"changed": False, **shown, "calls": session.calls, "logins": session.own_logins}


@dataclass(frozen=True, kw_only=True)
class Work(Generic[Query]):
    """A module that does not use the loop of ``Job``. Its fields as in ``Runnable``."""

    arguments: Mapping[str, Any]
    parse: Callable[[Mapping[str, Any]], Query]
    do: Callable[[Session, Query, bool], dict[str, Any]]
    patience: Callable[[Query, Endpoint], float] = lambda request, endpoint: 0.0
    constraints: Mapping[str, Any] = field(default_factory=dict)
    read_only: bool = False
    in_guest: ClassVar[bool] = False


def run(job: Runnable) -> None:
    """Run as an Ansible module: read the parameters, open a session, do the work, exit with the result."""
    module = AnsibleModule(argument_spec={**CONNECTION, **job.arguments}, supports_check_mode=True, **job.constraints)
    if MISSING_SDK is not None:
        module.fail_json(msg=missing_required_lib("pyvmomi"), exception=str(MISSING_SDK), error_code="missing_library")
    wrote, off, has_journal = 0, {}, isinstance(job, Work)
    called: dict[str, Any] = {}
    try:
        request = job.parse(module.params)
        refuse_empty_names(module.params)
        refuse_out_of_range(module.params)
        place = endpoint(module.params)
        with open_session(place, **_session_options(job, request, place, check_mode=module.check_mode)) as session:
            if os.environ.get(RECORDS_ANSWERS):
                session.stub.sent = SentWrites()
            try:
                result = job.do(session, request, module.check_mode)
            finally:
                wrote, off, called = session.stub.writes, session.off, _called(session.stub)
    except DirectPathError as error:
        if error.code in UNKNOWN:
            # Names that nothing has are often those of another vCenter.
            error.cure = f"{error.cure.rstrip('.')}, and that {module.params['hostname']} is the right server"
        fail(
            module,
            {**failure(error, wrote=wrote, off=off.values(), has_journal=has_journal), **called},
        )
    except SERVER_ERRORS as fault:
        problem = explain(fault, doing="read", on=str(module.params["hostname"]))
        shown = failure(problem, wrote=wrote, off=off.values(), has_journal=has_journal)
        fail(module, {**shown, **called})
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        line = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
        problem = explain(error, doing="finish", on=str(module.params["hostname"]))
        shown = failure(problem, wrote=wrote, off=off.values(), has_journal=has_journal)
        fail(module, {**shown, "place": line, **called})
    shown = {**all_visible(result), **called}
    for warning in shown.pop("warnings", ()):
        module.warn(warning)
    if shown.pop("failed", False):
        module.fail_json(**shown)
    module.exit_json(**shown)


def _called(stub: Guard) -> dict[str, Any]:
    """For a run file: what the server did not answer as usual, and what was written. Without one, results do not have it."""
    if stub.sent is None:
        return {}
    rows = [{"time": round(time, 3), "method": method, "answer": answer} for time, method, answer in stub.unusual]
    return {SENT: stub.sent.forms(), WRITTEN: stub.sent.objects(), **({UNUSUAL: rows} if rows else {})}


def _session_options(job: Runnable, request: Any, place: Endpoint, *, check_mode: bool) -> dict[str, Any]:
    patience = job.patience(request, place)
    more = {"in_guest": True} if job.in_guest and not check_mode else {}
    return {"read_only": check_mode or job.read_only, **more, **({"patience": patience} if patience else {})}
