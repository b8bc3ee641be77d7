# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A trace of a run for OpenTelemetry: a span for the run, one for each host, and one for each of its phases. PRIVATE to the collection.

The exporter is the one that the environment variables of OpenTelemetry name.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from ...module_utils._domain.errors import InputError
from ...module_utils._domain.rolling.state.phases import RESTING
from ...module_utils._shell.outlets.outlet import NotDelivered, Outlet
from .events import Event

EXPORTER = "OTEL_TRACES_EXPORTER"
KNOWN_AS = {"otlp": ("otlp_proto_http", "otlp_proto_grpc", "otlp")}
"""Value of the environment variable → names of its entry points."""

Key = tuple[str, str]


def spans_outlet() -> Outlet[Event]:
    """The outlet for traces. Raises InputError if a library is missing."""
    try:
        sdk = import_module("opentelemetry.sdk.trace")
        import_module("opentelemetry.sdk.trace.export")
    except ImportError:
        raise _missing("the OpenTelemetry SDK is not installed", "pip install opentelemetry-sdk") from None
    logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
    logging.getLogger("opentelemetry").propagate = False
    return Outlet("traces", Spans(sdk, _exporter()).deliver)


def _missing(problem: str, cure: str) -> InputError:
    return InputError(
        message=f"traces: {problem}",
        code="missing_library",
        parameter="traces",
        cure=f"{cure}, for the Python that runs ansible-playbook, or set traces: false",
    )


def _exporter() -> Any:
    named = os.environ.get(EXPORTER, "").partition(",")[0].strip() or "otlp"
    for name in KNOWN_AS.get(named, (named,)):
        for found in entry_points(group="opentelemetry_traces_exporter", name=name):
            try:
                return found.load()()
            except Exception as error:
                why = f"the exporter {name} cannot be started ({type(error).__name__})"
                raise _missing(why, "Check the environment variables that begin with OTEL_") from None
    cure = "pip install opentelemetry-exporter-otlp-proto-http"
    raise _missing(f"there is no exporter of OpenTelemetry with the name {named} ({EXPORTER})", cure)


class Spans:
    """``sdk``: the module ``opentelemetry.sdk.trace``. ``exporter``: a SpanExporter."""

    def __init__(self, sdk: Any, exporter: Any) -> None:
        self._trace = import_module("opentelemetry.trace")
        results = import_module("opentelemetry.sdk.trace.export").SpanExportResult
        resource = import_module("opentelemetry.sdk.resources").Resource
        name = os.environ.get("OTEL_SERVICE_NAME") or "directpath.vsphere"
        self._ended: list[Any] = []
        provider = sdk.TracerProvider(resource=resource.create({"service.name": name}), shutdown_on_exit=False)
        provider.add_span_processor(_collector(sdk.SpanProcessor, self._ended.append))
        self._tracer = provider.get_tracer("directpath.vsphere")
        self._export, self._good = exporter.export, results.SUCCESS
        self._run: Any = None
        self._hosts: dict[Key, Any] = {}
        self._phases: dict[Key, Any] = {}

    def deliver(self, event: Event) -> None:
        """Raises NotDelivered if spans that ended with this event could not be exported."""
        at = int(event.at * 1e9)
        if event.kind == "run_started":
            self._run = self._start("rolling reboot", None, at, vcenter=event.vcenter, run=event.run)
        elif event.kind in ("host_phase", "host_failed"):
            self._enter(event, at)
        elif event.kind in ("vm_stopping", "vm_off", "vm_on"):
            self._on_host(event, at)
        elif event.kind == "run_ended":
            for open_spans in (self._phases, self._hosts):
                for span in open_spans.values():
                    span.end(at)
                open_spans.clear()
            if self._run is not None:
                self._run.set_attribute("directpath.state", str(event.more.get("state")))
                self._end(self._run, at, failed=bool(event.more.get("failed")), why=str(event.more.get("msg") or ""))
        if self._ended:
            spans = tuple(self._ended)
            self._ended.clear()
            if self._export(spans) is not self._good:
                raise NotDelivered("the exporter could not send the spans", may_pass=False)

    def _start(self, name: str, parent: Any, at: int, **more: str) -> Any:
        context = self._trace.set_span_in_context(parent) if parent is not None else _outer_context()
        attributes = {f"directpath.{key}": value for key, value in more.items()}
        return self._tracer.start_span(name, context=context, start_time=at, attributes=attributes)

    def _end(self, span: Any, at: int, *, failed: bool, why: str) -> None:
        if failed:
            span.set_status(self._trace.Status(self._trace.StatusCode.ERROR, why))
        span.end(at)

    def _enter(self, event: Event, at: int) -> None:
        key, after = (str(event.more["cluster"]), str(event.more["host"])), str(event.more["after"])
        why, is_failed = str(event.more.get("reason") or ""), after == "failed"
        if key in self._phases:
            self._end(self._phases.pop(key), at, failed=is_failed, why=why)
        if after not in RESTING:
            host = self._hosts.get(key)
            if host is None:
                host = self._start(key[1], self._run, at, cluster=key[0], host=key[1])
                self._hosts[key] = host
            self._phases[key] = self._start(after, host, at, cluster=key[0], host=key[1], reason=why)
        elif key in self._hosts:
            self._end(self._hosts.pop(key), at, failed=is_failed, why=why)

    def _on_host(self, event: Event, at: int) -> None:
        for (_cluster, host), span in self._hosts.items():
            if host == event.more.get("host"):
                span.add_event(event.kind, {"directpath.vm": str(event.more.get("vm"))}, timestamp=at)


def _collector(base: Any, add: Callable[[Any], None]) -> Any:
    """A span processor that keeps the spans that ended."""

    class Collector(base):  # type: ignore[misc]
        def on_end(self, span: Any) -> None:
            add(span)

    return Collector()


def _outer_context() -> Any:
    """The span of the pipeline that started this run, if there is one (TRACEPARENT)."""
    parent = os.environ.get("TRACEPARENT")
    if not parent:
        return None
    propagator = import_module("opentelemetry.trace.propagation.tracecontext").TraceContextTextMapPropagator()
    return propagator.extract({"traceparent": parent})
