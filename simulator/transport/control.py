# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control page: look at the state and the journal, inject faults, turn knobs, make hardware events happen.

It answers on the loopback address only and asks for no token: whoever reaches it can already log in as administrator.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from ..endpoint import SimulatedEndpoint


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP answer."""

    status: int
    content_type: str
    body: bytes


Values = dict[str, Any]


def _json(value: Any, status: int = 200) -> Answer:
    text = json.dumps(value, indent=1, default=str) + "\n"
    return Answer(status=status, content_type="application/json", body=text.encode())


def answer(sim: SimulatedEndpoint, verb: str, target: str, body: bytes) -> Answer:
    """Serve one request under the simulator lock. Bad input answers 400 with {"error": ...}."""
    url = urlsplit(target)
    parts = [part for part in url.path.split("/") if part]
    if not parts:
        parts = ["control"]
    if parts[0] != "control":
        return _json({"error": f"no {url.path}"}, 404)
    try:
        given = json.loads(body) if body else {}
        if not isinstance(given, dict):
            raise ValueError("send a JSON object")
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        if verb == "GET" and len(parts) == 3 and parts[1] == "holds":  # waits, so it must not have the lock
            return _json(sim.holds.wait(int(parts[2]), float(query.get("wait", "0"))))
        with sim.lock:
            return _route(sim, verb, parts[1:], given, query)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return _json({"error": str(error.args[0]) if error.args else type(error).__name__}, 400)


def _route(sim: SimulatedEndpoint, verb: str, parts: list[str], given: Values, query: dict[str, str]) -> Answer:
    if verb == "GET" and not parts:
        return Answer(status=200, content_type="text/html; charset=utf-8", body=page(sim).encode())
    if verb == "POST" and len(parts) == 2 and parts[0] == "events":
        return _json({"result": run_event(sim, parts[1], given)})
    actions: dict[tuple[str, str], Callable[[], Any]] = {
        ("GET", "state"): lambda: sim.describe(sim),
        ("GET", "counters"): lambda: counters(sim),
        ("GET", "journal"): lambda: journal(sim, query),
        ("DELETE", "journal"): sim.journal.clear,
        ("GET", "faults"): lambda: [asdict(rule) for rule in sim.faults.rules],
        ("POST", "faults"): lambda: asdict(sim.faults.add(**given)),
        ("DELETE", "faults"): sim.faults.clear,
        ("GET", "holds"): sim.holds.show,
        ("POST", "holds"): lambda: sim.holds.add(**given),
        ("DELETE", "holds"): sim.holds.clear,
        ("GET", "knobs"): lambda: {name: {"value": value, "doc": doc} for name, value, doc in sim.knobs},
        ("POST", "knobs"): lambda: set_knobs(sim, given),
        ("GET", "events"): lambda: {name: (call.__doc__ or "").strip() for name, call in sorted(sim.events.items())},
        ("POST", "clock"): lambda: advance(sim, given),
    }
    action = actions.get((verb, parts[0])) if len(parts) == 1 else None
    if action is None:
        return _json({"error": f"no {verb} /control/{'/'.join(parts)}"}, 404)
    result = action()
    return _json({"ok": True} if result is None else result)


def run_event(sim: SimulatedEndpoint, name: str, given: Values) -> Any:
    """Make an event happen, or with ``in_seconds`` let it happen later. Raises KeyError for one that is not known."""
    if name not in sim.events:
        raise KeyError(f"no event {name!r}; known: {', '.join(sorted(sim.events))}")
    arguments = dict(given)
    delay = float(arguments.pop("in_seconds", 0))
    if delay > 0:
        sim.clock.call_later(delay, lambda: sim.events[name](**arguments))
        return None
    return sim.events[name](**arguments)


def set_knobs(sim: SimulatedEndpoint, given: Values) -> Values:
    """{"name": value, ...}, for one object with {"object": "esx-01", ...}."""
    values = dict(given)
    where = values.pop("object", None)
    for name in values:
        sim.knobs.check(name)
    if where is None:
        for name, value in values.items():
            sim.knobs.set(name, value)
    else:
        sim.find_entity(str(where)).knobs.update(values)
    return given


def advance(sim: SimulatedEndpoint, given: Values) -> Values:
    """{"advance": seconds}."""
    jump = getattr(sim.clock, "advance", None)
    if jump is None:
        raise ValueError("this clock cannot be moved")
    jump(float(given["advance"]))
    return {"now": sim.clock.now().isoformat()}


def counters(sim: SimulatedEndpoint) -> Values:
    """Totals, sessions now, objects, simulated time."""
    values = asdict(sim.journal.counters)
    values["methods"] = dict(sorted(sim.journal.counters.methods.items()))
    values["writes"] = len(sim.journal.writes())
    values["sessions"] = len(sim.sessions.by_key)
    values["objects"] = len(sim.registry)
    values["now"] = sim.clock.now().isoformat()
    values["internal_errors"] = [f"{type(error).__name__}: {error}" for error in sim.internal_errors]
    return values


def journal(sim: SimulatedEndpoint, query: dict[str, str]) -> list[Values]:
    """``?writes=1`` only writes, ``?since=N`` after call N, ``?limit=N`` the newest N."""
    calls = sim.journal.since(int(query.get("since", "0")))
    if query.get("writes", "0") not in ("0", ""):
        calls = [entry for entry in calls if entry.write]
    return [entry.as_dict() for entry in calls[-int(query.get("limit", "1000")) :]]


# -- the page ---------------------------------------------------------------------------------------------------

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:75em;margin:1.5em auto;padding:0 1em;color:#222}"
    "h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.2em .7em .2em 0;border-bottom:1px solid #ddd;vertical-align:top}"
    "code,pre{font:13px/1.5 ui-monospace,monospace;background:#f5f5f5}pre{padding:.7em;overflow:auto}"
)


def page(sim: SimulatedEndpoint) -> str:
    """State, counters, the last writes, faults and knobs as one plain page, and how to change them with curl."""
    about = f"{'vCenter' if sim.kind == 'vcenter' else 'ESXi'} {sim.product_version}, {sim.clock.now():%Y-%m-%d %H:%M:%S} UTC"
    sections = [
        f"<h1>{html.escape(sim.name)}</h1><p>A simulated {html.escape(about)}. Reload for the present state.</p>"
    ]
    state = sim.describe(sim)
    for title, rows in state.items() if isinstance(state, dict) else []:
        sections.append(f"<h2>{html.escape(str(title).capitalize())}</h2>{_table(rows)}")
    writes = [
        {
            "#": entry.seq,
            "time": entry.time[11:19],
            "method": entry.method,
            "on": entry.name or entry.moid,
            "ended": entry.outcome,
        }
        for entry in sim.journal.writes()[-30:]
    ]
    sections.append(f"<h2>Last writes</h2>{_table(writes)}")
    shown = {name: value for name, value in counters(sim).items() if name != "methods"}
    sections.append(f"<h2>Counters</h2>{_table(shown)}")
    rules = [
        {key: value for key, value in asdict(rule).items() if value not in (None, "")} for rule in sim.faults.rules
    ]
    sections.append(f"<h2>Fault rules</h2>{_table(rules)}")
    sections.append(
        f"<h2>Hardware events</h2>{_table({n: (f.__doc__ or '').strip() for n, f in sorted(sim.events.items())})}"
    )
    sections.append(f"<h2>Knobs</h2>{_table([{'knob': n, 'value': v, 'meaning': d} for n, v, d in sim.knobs])}")
    sections.append(f"<h2>Change things</h2><pre>{html.escape(HELP)}</pre>")
    head = f"<!doctype html><meta charset=utf-8><title>{html.escape(sim.name)}</title><style>{STYLE}</style>"
    return head + "".join(sections)


HELP = """json='Content-Type: application/json'
curl --cacert CA -H "$json" -d '{"method":"RebootHost_Task","fault":"HostNotReachable","times":1}' URL/faults
curl --cacert CA -X DELETE URL/faults
curl --cacert CA -H "$json" -d '{"page_size":50}' URL/knobs
curl --cacert CA -H "$json" -d '{"advance":600}' URL/clock
curl --cacert CA 'URL/journal?writes=1'"""


def _table(rows: Any) -> str:
    """A list of rows, or a mapping, as an HTML table."""
    if isinstance(rows, dict):
        body = "".join(f"<tr><th>{_cell(name)}<td>{_cell(value)}" for name, value in rows.items())
        return f"<table>{body}</table>" if body else "<p>none</p>"
    if not isinstance(rows, list):
        return f"<p>{_cell(rows)}</p>"
    if not rows:
        return "<p>none</p>"
    if not all(isinstance(row, dict) for row in rows):
        return f"<p>{_cell(', '.join(map(str, rows)))}</p>"
    names = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f"<th>{_cell(name)}" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{_cell(row.get(name, ''))}" for name in names) for row in rows)
    return f"<table><tr>{head}{body}</table>"


def _cell(value: Any) -> str:
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return _table(value)
    if isinstance(value, dict):
        value = ", ".join(f"{name}: {item}" for name, item in value.items())
    elif isinstance(value, list):
        value = ", ".join(map(str, value)) or "none"
    return html.escape(str(value))
