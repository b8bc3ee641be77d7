# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Traces, with the OpenTelemetry SDK where it is installed."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.outlets.outlet import NotDelivered
from ansible_collections.directpath.vsphere.plugins.plugin_utils.outlets import spans as outlet
from ansible_collections.directpath.vsphere.plugins.plugin_utils.outlets.events import Event

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def event(kind: str, at: float, **more: Any) -> Event:
    return Event(kind=kind, at=at, run="r1", vcenter="vc-a", number=1, more=more)


def phase(before: str, after: str, at: float) -> Event:
    kind = "host_failed" if after == "failed" else "host_phase"
    return event(kind, at, cluster="gpu-a", host="esx-1", before=before, after=after, reason=f"why {after}")


RUN = [
    event("run_started", 100.0),
    phase("waiting", "draining", 110.0),
    event("vm_off", 115.0, host="esx-1", vm="db-1"),
    phase("draining", "rebooting", 120.0),
    phase("rebooting", "done", 180.0),
    event("run_ended", 200.0, state="finished", failed=False),
]


@pytest.fixture
def sdk() -> Any:
    return pytest.importorskip("opentelemetry.sdk.trace", reason="the OpenTelemetry SDK is not installed")


def exported(sdk: Any, events: list[Event]) -> dict[str, Any]:
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter").InMemorySpanExporter()
    spans = outlet.Spans(sdk, memory)
    for one in events:
        spans.deliver(one)
    return {span.name: span for span in memory.get_finished_spans()}


def test_a_span_for_the_run_each_host_and_each_phase(sdk: Any) -> None:
    found = exported(sdk, RUN)
    assert set(found) == {"rolling reboot", "esx-1", "draining", "rebooting"}
    times = {name: (span.start_time / 1e9, span.end_time / 1e9) for name, span in found.items()}
    assert times == {"rolling reboot": (100, 200), "esx-1": (110, 180), "draining": (110, 120), "rebooting": (120, 180)}
    ids = {span.context.span_id: name for name, span in found.items()}
    parents = {name: ids.get(span.parent.span_id) if span.parent else None for name, span in found.items()}
    assert parents == {"rolling reboot": None, "esx-1": "rolling reboot", "draining": "esx-1", "rebooting": "esx-1"}
    assert len({span.context.trace_id for span in found.values()}) == 1
    assert [one.name for one in found["esx-1"].events] == ["vm_off"]
    assert found["draining"].attributes["directpath.reason"] == "why draining"
    assert found["rolling reboot"].resource.attributes["service.name"] == "directpath.vsphere"


def test_a_failure_is_an_error_of_the_phase_the_host_and_the_run(sdk: Any) -> None:
    end = event("run_ended", 200.0, state="halted", failed=True, msg="esx-1 failed")
    found = exported(sdk, [*RUN[:4], phase("rebooting", "failed", 180.0), end])
    errors = {name for name, span in found.items() if not span.status.is_ok and span.status.description}
    assert errors == {"rolling reboot", "esx-1", "rebooting"}


def test_what_is_open_at_the_end_is_closed(sdk: Any) -> None:
    found = exported(sdk, [*RUN[:2], RUN[-1]])
    assert {span.end_time / 1e9 for span in found.values()} == {200.0}
    assert set(found) == {"rolling reboot", "esx-1", "draining"}


def test_the_run_belongs_to_the_span_of_the_pipeline(sdk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEPARENT", PARENT)
    span = exported(sdk, RUN)["rolling reboot"]
    assert f"{span.context.trace_id:032x}" in PARENT
    assert f"{span.parent.span_id:016x}" in PARENT


def test_spans_that_are_not_exported_are_lost(sdk: Any) -> None:
    results = pytest.importorskip("opentelemetry.sdk.trace.export").SpanExportResult

    class Refuses:
        def export(self, spans: Any) -> Any:
            return results.FAILURE

    spans = outlet.Spans(sdk, Refuses())
    for one in RUN[:3]:
        spans.deliver(one)
    with pytest.raises(NotDelivered):
        spans.deliver(RUN[3])


def test_the_exporter_has_the_name_in_the_environment(sdk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(outlet.EXPORTER, "console")
    assert outlet.spans_outlet().name == "traces"
    monkeypatch.setenv(outlet.EXPORTER, "no-such-exporter")
    with pytest.raises(InputError, match="no exporter of OpenTelemetry with the name no-such-exporter"):
        outlet.spans_outlet()


def test_without_the_sdk_the_option_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(InputError) as caught:
        outlet.spans_outlet()
    assert (caught.value.code, caught.value.parameter) == ("missing_library", "traces")
    assert "pip install opentelemetry-sdk" in caught.value.cure
