# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame of every HTML page: one file, no network, light and dark, safe against whatever a name contains. PRIVATE to the collection.

::

    body = joined(facts([("hosts", "12"), ("failed", "1", "bad")]), table(["host", "state"], [[name, badge("failed", "bad")]]))
    text = page(title="Drift", lead="lab vCenter, 2026-11-22", body=body)

Whatever is not ``Html`` is escaped, so there is no place where escaping can be forgotten. A content security policy names the hashes
of the page's own style and script: nothing else runs or is loaded, not even if a name did get through.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from ..module_utils._domain.text import visible

Tone = Literal["ok", "info", "warn", "bad", "mute", ""]

_VOID = frozenset({"br", "col", "hr", "meta", "link", "img", "input"})
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9:-]*")


class Html(str):
    """Text that is HTML already. Everything else is escaped where it enters a page."""

    __slots__ = ()


def escaped(value: object) -> Html:
    """Any value as text: markup becomes harmless, characters that cannot be in a page are shown by their numbers."""
    if isinstance(value, Html):
        return value
    text = visible(value)
    for plain, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")):
        text = text.replace(plain, entity)
    return Html(text)


def joined(*parts: object) -> Html:
    """Parts one after another, escaped where they are not HTML."""
    return Html("".join(map(escaped, parts)))


def element(tag: str, /, *children: object, **attributes: object) -> Html:
    """``element("a", name, href="#x", class_="k", aria_label="…")``: ``_`` in names is ``-``, None and False are left out.

    Raises ValueError for what a page must not contain: event handlers, inline styles, and addresses outside the page.
    """
    named = "".join(
        _attribute(key, value) for key, value in attributes.items() if value is not None and value is not False
    )
    if not _NAME.fullmatch(tag):
        raise ValueError(f"{tag!r} is not an element")
    if tag in _VOID:
        return Html(f"<{tag}{named}>")
    return Html(f"<{tag}{named}>{joined(*children)}</{tag}>")


def _attribute(key: str, value: object) -> str:
    name = key.rstrip("_").replace("_", "-")
    text = "" if value is True else str(escaped(value))
    if not _NAME.fullmatch(name) or name.lower().startswith("on") or name == "style":
        raise ValueError(f"a page has no attribute {name!r}: its policy would not let it act")
    if name in ("href", "src", "action", "xlink:href") and not text.startswith("#"):
        raise ValueError(f"{name}={text!r} leaves the page")
    return f" {name}" if value is True else f' {name}="{text}"'


def badge(text: object, tone: Tone = "") -> Html:
    """A word on a coloured ground. The word says what the colour says."""
    return element("span", text, class_=f"badge {tone}".strip())


def facts(entries: Iterable[tuple[object, object] | tuple[object, object, Tone]]) -> Html:
    """Large figures in a row: ``(label, value)`` or ``(label, value, tone)``."""
    tiles = [
        element("div", element("dt", label), element("dd", value), class_=f"fact {''.join(tone)}".strip())
        for label, value, *tone in entries
    ]
    return element("dl", *tiles, class_="facts")


def table(head: Sequence[object], rows: Iterable[Sequence[object]], *, caption: object = "", class_: str = "") -> Html:
    """A table whose first column names the row. It scrolls by itself where the screen is narrow."""
    columns = [element("th", cell, scope="col") for cell in head]
    lines = [
        element(
            "tr", *(element("th", cell, scope="row") if n == 0 else element("td", cell) for n, cell in enumerate(row))
        )
        for row in rows
    ]
    inner = joined(
        element("caption", caption) if caption else "",
        element("thead", element("tr", *columns)),
        element("tbody", *lines),
    )
    return element("div", element("table", inner, class_=class_ or None), class_="scroll", tabindex="0")


def details(summary: object, *children: object, is_open: bool = False, class_: str = "") -> Html:
    """A part that can be folded away. Folded parts are printed, too."""
    return element("details", element("summary", summary), *children, open=is_open, class_=class_ or None)


def data(identity: str, value: Any) -> Html:
    """JSON for the page's script: ``JSON.parse(document.getElementById(identity).textContent)``."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return element("script", Html(text), type="application/json", id=identity)


def page(*, title: str, body: Html, lead: object = "", foot: object = "", style: str = "", script: str = "") -> str:
    """The whole file. ``style`` comes after the common one (``STYLE``: its variables are there to be used); ``script`` runs at the end.

    Both are the program's own text and never made of data: see ``data`` for that. Raises ValueError where one could end its element.
    """
    sheet, code = STYLE + style, script
    for text, end in ((sheet, "</"), (code, "</script"), (code, "<!--")):
        if end in text.lower():
            raise ValueError(f"{end!r} would end the element it is in")
    policy = "; ".join(
        (
            "default-src 'none'",
            "img-src data:",
            f"style-src {_hash(sheet)}",
            f"script-src {_hash(code) if code else chr(39) + 'none' + chr(39)}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    head = joined(
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=Html(policy)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="color-scheme", content="light dark"),
        Html('<link rel="icon" href="data:,">'),  # keeps a browser from asking the server for one
        element("title", title),
        element("style", Html(sheet)),
    )
    header = element("header", element("h1", title), element("p", lead, class_="lead") if lead else "")
    footer = element("footer", foot) if foot else ""
    last = element("script", Html(code)) if code else ""
    whole = element(
        "html", element("head", head), element("body", header, element("main", body), footer, last), lang="en"
    )
    return f"<!DOCTYPE html>\n{whole}\n"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


STYLE = """
:root{--paper:#fff;--card:#f6f8fa;--ink:#1c2530;--soft:#55606e;--line:#d5dbe3;--focus:#0b62c4;
--ok:#16733a;--ok-bg:#dcf3e3;--info:#0b5cad;--info-bg:#dcebfb;--warn:#7d5200;--warn-bg:#fdeec6;--bad:#b01824;--bad-bg:#fde1e1;
--mute:#55606e;--mute-bg:#e8ecf1;--sans:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;
--mono:ui-monospace,"Cascadia Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
@media (prefers-color-scheme:dark){:root{--paper:#12171d;--card:#1b222b;--ink:#e4e9ef;--soft:#a2adba;--line:#343e4b;--focus:#6cb2ff;
--ok:#6fdc95;--ok-bg:#143d25;--info:#86c2ff;--info-bg:#10355b;--warn:#f5c860;--warn-bg:#443208;--bad:#ff9a9a;--bad-bg:#531a1f;
--mute:#a2adba;--mute-bg:#2a333e}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:110rem;padding:1.25rem clamp(.75rem,2.5vw,2.5rem) 3rem;background:var(--paper);color:var(--ink);
font:15px/1.5 var(--sans)}
h1{font-size:1.6rem;line-height:1.2;margin:.2rem 0}h2{font-size:1.15rem;margin:2rem 0 .6rem}h3{font-size:1rem;margin:1.2rem 0 .4rem}
h1,h2,h3,th,td,dd,summary,li,p{overflow-wrap:anywhere;unicode-bidi:isolate}
.lead{color:var(--soft);margin:.1rem 0 1.1rem}
footer{color:var(--soft);font-size:.85rem;margin-top:2.5rem;border-top:1px solid var(--line);padding-top:.7rem}
.facts{display:flex;flex-wrap:wrap;gap:.6rem;margin:0 0 1.2rem}
.fact{background:var(--card);border:1px solid var(--line);border-left:4px solid var(--line);border-radius:6px;
padding:.45rem .9rem;min-width:6.2rem}
.fact dt{color:var(--soft);font-size:.8rem}.fact dd{margin:0;font-size:1.35rem;font-weight:600;font-variant-numeric:tabular-nums}
.fact.ok{border-left-color:var(--ok)}.fact.info{border-left-color:var(--info)}.fact.warn{border-left-color:var(--warn)}
.fact.bad{border-left-color:var(--bad)}.fact.bad dd{color:var(--bad)}.fact.mute{border-left-color:var(--mute)}
.badge{display:inline-block;border-radius:4px;padding:0 .45em;font-size:.86em;white-space:nowrap;
background:var(--mute-bg);color:var(--mute)}
.badge.ok{background:var(--ok-bg);color:var(--ok)}.badge.info{background:var(--info-bg);color:var(--info)}
.badge.warn{background:var(--warn-bg);color:var(--warn)}.badge.bad{background:var(--bad-bg);color:var(--bad)}
.scroll{overflow-x:auto;margin:.6rem 0}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}caption{text-align:left;color:var(--soft);padding:.2rem 0}
th,td{border-bottom:1px solid var(--line);padding:.3rem .9rem .3rem 0;text-align:left;vertical-align:top}
thead th{color:var(--soft);font-weight:600;font-size:.85rem;white-space:nowrap}tbody th{font-weight:600}
details{border:1px solid var(--line);border-radius:6px;margin:.6rem 0;padding:0 .8rem}details[open]{padding-bottom:.6rem}
summary{cursor:pointer;padding:.5rem 0;font-weight:600}
a{color:var(--focus)}:focus-visible{outline:2px solid var(--focus);outline-offset:2px}
code{font-family:var(--mono);font-size:.92em}
@media print{:root{color-scheme:light;--paper:#fff;--card:#fff;--ink:#000;--soft:#333;--line:#999;
--ok:#0d5c2c;--ok-bg:#fff;--info:#084682;--info-bg:#fff;--warn:#5f3e00;--warn-bg:#fff;--bad:#9a0f1b;--bad-bg:#fff;--mute:#333;--mute-bg:#fff}
body{max-width:none;padding:0;font-size:10pt}.badge{border:1px solid}.scroll{overflow:visible}
details{border:0;padding:0}details::details-content{content-visibility:visible;display:block;height:auto}summary{list-style:none}
tr,.fact,li{break-inside:avoid}h2,h3,summary{break-after:avoid}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""
