# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTML pages from the Jinja2 templates in ``templates/``: one file, no network access, safe for any text. PRIVATE to the collection.

Autoescape is on, and text from servers is only ever a value, never a template. A content security policy names the hashes of the
page's own style and script. The browser runs and loads nothing else, even if markup did get through.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from ..module_utils._domain.text import visible

Tone = Literal["ok", "info", "warn", "bad", "mute", ""]
"""The color of a badge or a figure. Its text says the same."""


def _make_visible(value: object) -> object:
    """Text as it can be shown: control and direction characters become their numbers. Output of macros is HTML already."""
    return value if isinstance(value, Markup) else visible(value)


ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_make_visible,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    auto_reload=False,
)


def render_page(template: str | Template, view: Mapping[str, Any], *, style: str = "", script: str = "") -> str:
    """The HTML file: a template that extends ``page.html.j2``, filled with the values of ``view``.

    ``style`` follows the common ``STYLE`` and may use its variables. ``script`` runs at the end of the page. Both are text of this
    collection and never made from data. Raises ValueError when one of them could end its element, and jinja2.UndefinedError when
    the template uses a name that ``view`` lacks.
    """
    style = STYLE + style
    for text, end in ((style, "</"), (script, "</script"), (script, "<!--")):
        if end in text.lower():
            raise ValueError(f"{end!r} would end the element it is in")
    policy = "; ".join(
        (
            "default-src 'none'",
            "img-src data:",
            f"style-src {_hash(style)}",
            f"script-src {_hash(script) if script else chr(39) + 'none' + chr(39)}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    own = {"policy": policy, "style": Markup(style), "script": Markup(script)}
    return ENVIRONMENT.get_template(template).render({**view, **own})


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
