# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The outlets of a task, from its options. PRIVATE to the collection."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values

from ...module_utils._domain.errors import DirectPathError, InputError
from ...module_utils._shell.outlets.arguments import OF_RUNS
from ...module_utils._shell.outlets.outlet import Outlet, OutletReport
from ...module_utils._shell.outlets.request import EVENTS, Notification, OutletRequest
from ...module_utils._vsphere.http.rehearsal import is_left_out
from ..report.files import refusal
from .events import Event
from .metrics import OF_RUNS as RUNS
from .metrics import MetricsFile, owner_of
from .notify import notify_outlet
from .publisher import Publisher


def parse_outlets(args: Mapping[str, Any]) -> OutletRequest:
    """The outlets that the arguments of a task name. The arguments may contain others. Raises InputError."""
    given = {name: args[name] for name in OF_RUNS if args.get(name) is not None}
    checked = ArgumentSpecValidator(OF_RUNS).validate(given)
    if checked.error_messages:
        # The message of Ansible may repeat a value.
        words = {word for word in _texts(given.get("notify")) if word not in EVENTS and len(word) > 3}
        raise InputError(
            message=str(remove_values("; ".join(checked.error_messages), words)),
            code="bad_notify",
            parameter=next(iter(given)),
            cure="The options of outlets are described in docs/guides/monitoring.md",
        )
    request = OutletRequest.of(checked.validated_parameters)
    if request.metrics_file:
        # Relative to the current directory, as all reports.
        request = replace(request, metrics_file=os.path.abspath(request.metrics_file))
        refused = refusal({"metrics_file": str(request.metrics_file)})
        if refused is not None:
            raise refused
    return _rehearsed(request)


def _rehearsed(request: OutletRequest) -> OutletRequest:
    """In a rehearsal, without the outlets that would send something. The metrics file is in the folder of the rehearsal."""
    notify = tuple(one for one in request.notify if not is_left_out("notify", one.shown))
    traces = request.traces and not is_left_out("traces", "OpenTelemetry")
    return (
        replace(request, notify=notify, traces=traces)
        if (notify, traces) != (request.notify, request.traces)
        else request
    )


def failure_of(error: DirectPathError, prefix: str = "") -> dict[str, Any]:
    """The result of a task whose outlets are refused. ``prefix``: of the options in messages."""
    text = re.sub(r"\b(notify|metrics_file|traces)(?=[\[:])", lambda found: prefix + found[1], error.sentence())
    return {"failed": True, "msg": text, "error_code": error.code, "parameter": error.parameter}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for entry in value.values():
            yield from _texts(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _texts(entry)
    elif value is not None:
        yield str(value)


def subscribers(notify: Iterable[Notification]) -> list[tuple[Outlet[Event], frozenset[str] | None]]:
    """The outlets of ``notify``, and the kinds of events of each. Raises InputError, DirectPathError."""
    return [(notify_outlet(one, f"notify[{number}]"), one.events) for number, one in enumerate(notify)]


def open_publisher(request: OutletRequest, vcenter: str) -> Publisher:
    """The publisher of a run. Nothing is connected. Raises InputError, DirectPathError."""
    events = subscribers(request.notify)
    if request.traces:
        from .spans import spans_outlet

        events.append((spans_outlet(), None))
    states, succeeded = [], None
    if request.metrics_file:
        file = MetricsFile(request.metrics_file, owner_of(RUNS, vcenter))
        file.refuse_other_owner()
        succeeded = file.last_success()
        states.append(Outlet("metrics_file", file.write_run, newest_only=True, retries=()))
    return Publisher(vcenter=vcenter, events=events, states=states, succeeded=succeeded)


def warnings_of(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """A warning for each outlet that lost something. ``records``: of ``OutletReport``."""
    return [
        f"{text}. Nothing else was affected"
        for report in (OutletReport(**record) for record in records)
        if (text := report.warning("updates" if report.name == "metrics_file" else "events"))
    ]
