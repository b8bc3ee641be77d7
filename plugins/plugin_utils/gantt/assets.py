# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the picture of a roll looks: a colour, a pattern, a letter and a word for each phase; the style and the script of its page.

PRIVATE to the collection. No phase is told by its colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..html import Html, element


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """``letter`` stands on bars that have room for it, ``about`` in the legend. ``thin``: a line, for times in which nothing is done."""

    letter: str
    about: str
    pattern: str = ""
    thin: bool = False


PHASES: Mapping[str, Look] = {
    "waiting": Look(letter="", about="waiting for its turn", thin=True),
    "blocked": Look(letter="!", about="blocked", pattern="slant", thin=True),
    "draining": Look(letter="D", about="draining: VMs move away or are stopped"),
    "maintenance": Look(letter="M", about="in maintenance mode", pattern="upright"),
    "rebooting": Look(letter="R", about="rebooting: going down", pattern="slant"),
    "booting": Look(letter="B", about="booting: not back yet"),
    "verifying": Look(letter="V", about="verifying: boot time, devices, storage, network"),
    "leaving": Look(letter="L", about="leaving maintenance mode", pattern="upright"),
    "restoring": Look(letter="S", about="restoring: starting its VMs again"),
    "done": Look(letter="✓", about="done", thin=True),
    "failed": Look(letter="✕", about="failed", pattern="cross", thin=True),
    "unseen": Look(letter="", about="nobody looked", pattern="dots", thin=True),
}

VM_PHASES: Mapping[str, Look] = {
    "stopping": Look(letter="", about="VM stopping", pattern="slant"),
    "down": Look(letter="", about="VM down"),
    "starting": Look(letter="", about="VM starting", pattern="upright"),
}

_STROKES = {
    "slant": "M-2 2l4-4M0 8l8-8M6 10l4-4",
    "upright": "M2 0v8M6 0v8",
    "cross": "M0 0l8 8M8 0l-8 8",
    "dots": "M0 0h4v8h-4z",
}


def patterns() -> Html:
    """What bars are filled with: the colour of the phase, and strokes over it."""
    made = [
        element(
            "pattern",
            element("rect", width=8, height=8, class_=f"ground {name}"),
            element("path", d=_STROKES[look.pattern], class_=f"stroke {look.pattern}"),
            id=f"fill-{name}",
            width=8,
            height=8,
            patternUnits="userSpaceOnUse",
        )
        for name, look in {**PHASES, **VM_PHASES}.items()
        if look.pattern
    ]
    return element(
        "svg", element("defs", *made), width=0, height=0, class_="defs", aria_hidden="true", focusable="false"
    )


def legend() -> Html:
    entries = []
    for looks, tall in ((PHASES, 14), (VM_PHASES, 8)):
        for name, look in looks.items():
            sample = element(
                "svg",
                stripe(name, look, 0, 100, tall=20 if tall == 14 else 14),
                element("text", look.letter, x="50%", y=14, text_anchor="middle") if look.letter else "",
                width=26,
                height=20 if tall == 14 else 14,
                aria_hidden="true",
            )
            entries.append(element("li", sample, look.about))
    return element("ul", *entries, class_="legend", aria_label="Legend")


def stripe(name: str, look: Look, left: float, width: float, *, tall: int, title: str = "") -> Html:
    """One phase of one row, ``left`` and ``width`` in percent."""
    high = 4 if look.thin else tall - 6
    return element(
        "rect",
        element("title", title) if title else "",
        x=f"{left:.2f}%",
        y=(tall - high) // 2,
        width=f"{width:.2f}%",
        height=high,
        class_=f"bar {name}",
    )


def _fills() -> str:
    return "".join(
        f".bar.{name}{{fill:{f'url(#fill-{name})' if look.pattern else f'var(--{name})'}}}.ground.{name}{{fill:var(--{name})}}"
        for name, look in {**PHASES, **VM_PHASES}.items()
    )


_DARK = """--waiting:#4a5563;--blocked:#d9a520;--draining:#3f7fc4;--maintenance:#2d64a8;--rebooting:#d9741e;--booting:#e39a4f;
--verifying:#8f6fd0;--leaving:#2f9488;--restoring:#3fb3a5;--done:#3da35f;--failed:#e0525c;--stopping:#b8607f;--down:#8f3558;--starting:#b8607f;
--busy:#38475a;--unseen:#4a5563;--halo:#fff4;--bar-ink:#0d1117;--stroke:#0d111766"""

STYLE = """
:root{--waiting:#b9c2cd;--blocked:#e0a526;--draining:#7db5ee;--maintenance:#5b93d4;--rebooting:#ee8a3c;--booting:#f7b87c;
--verifying:#b79df0;--leaving:#5bbdb1;--restoring:#7fd3c8;--done:#41a862;--failed:#d9414e;--stopping:#d588a4;--down:#a8476c;--starting:#d588a4;
--busy:#cfd9e6;--unseen:#b9c2cd;--halo:#fffa;--bar-ink:#14202c;--stroke:#14202c66;--names:15rem;--ends:11.5rem}
@media (prefers-color-scheme:dark){:root{DARK}}
@media (max-width:60rem){:root{--names:7.5rem;--ends:5.5rem}.tight{display:none}}
.defs{position:absolute}.stroke{stroke:var(--stroke);stroke-width:1.6;fill:none}.stroke.dots{stroke:none;fill:var(--paper)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;padding:0;margin:.4rem 0 .8rem;color:var(--soft);font-size:.85rem}
.legend li{display:inline-flex;align-items:center;gap:.4rem}.legend text,
.lane text{fill:var(--bar-ink);font:600 11px var(--sans);paint-order:stroke;stroke:var(--halo);stroke-width:3px}
.lane text.mark{font-size:13px;paint-order:stroke;stroke:var(--paper);stroke-width:4px}
.lane text.done{fill:var(--ok)}.lane text.failed{fill:var(--bad)}.lane text.blocked{fill:var(--warn)}
.tools{display:flex;flex-wrap:wrap;gap:.4rem 1.2rem;align-items:center;margin:.6rem 0}.tools[hidden]{display:none}
.tools input[type=search]{font:inherit;padding:.25rem .5rem;border:1px solid var(--line);border-radius:6px;
background:var(--paper);color:var(--ink);width:16rem}
.tools button{font:inherit;padding:.2rem .7rem;border:1px solid var(--line);border-radius:6px;
background:var(--card);color:var(--ink);cursor:pointer}
.group{padding:0 .8rem}.group>summary{display:grid;
grid-template-columns:var(--names) 1fr var(--ends);gap:0 .6rem;align-items:center;list-style:none}
.group>summary::-webkit-details-marker{display:none}.group>summary .name::before{content:"▸ ";color:var(--soft)}
.group[open]>summary .name::before{content:"▾ "}.group>summary .badge{margin:0 .25rem .15rem 0}
.strip{display:block;width:100%;height:26px}.group[open]>summary .strip{visibility:hidden}.strip .busy{
fill:var(--busy);shape-rendering:crispEdges}.strip .base{stroke:var(--line)}
.rows{position:relative;padding-bottom:.3rem}
.grid{position:absolute;top:0;bottom:0;
left:calc(var(--names) + .6rem);width:calc(100% - var(--names) - var(--ends) - 1.2rem);height:100%;pointer-events:none}
.grid line{stroke:var(--line)}.grid .fold{fill:var(--mute-bg);opacity:.7}
.row{display:grid;grid-template-columns:var(--names) 1fr var(--ends);gap:0 .6rem;align-items:center;position:relative;min-height:21px}
.row[hidden],.group[hidden]{display:none}.row:hover{background:var(--card)}
.row .name{white-space:nowrap;overflow:hidden;text-overflow:ellipsis;font-size:.88rem}.row.vm .name{
padding-left:1.1rem;color:var(--soft);font-size:.8rem}
.row .end{white-space:nowrap;overflow:hidden;text-overflow:ellipsis;font-size:.8rem;color:var(--soft);font-variant-numeric:tabular-nums}
.row .end b{font-weight:600}.end .ok{color:var(--ok)}.end .bad{color:var(--bad)}.end .warn{color:var(--warn)}.end .info{color:var(--info)}
.lane,.axis{display:block;width:100%;overflow:visible}.vm{min-height:15px}.axis text{fill:var(--soft);font:11px var(--sans)}
.row.axes:hover{background:none}.row.axes.own{display:none}.top{position:sticky;top:0;z-index:2;background:var(--paper);
border:1px solid transparent;padding:.2rem .8rem;margin-bottom:-.4rem}.row.axes .name,.row.axes .end{font-size:.8rem;color:var(--soft)}
.bar{shape-rendering:crispEdges}.trouble li{margin:.25rem 0}.inner{border:0;padding:0;margin:.2rem 0 .4rem}
.inner th,.inner td{white-space:nowrap;font-size:.85rem}.inner td:last-child{white-space:normal;min-width:14rem}
.inner>summary{font-weight:400;color:var(--soft);font-size:.85rem;padding:.2rem 0}
.cursor{position:absolute;top:0;bottom:0;width:0;border-left:1px dashed var(--soft);pointer-events:none}
.cursor span{position:absolute;top:.2rem;left:.25rem;
background:var(--ink);color:var(--paper);border-radius:3px;padding:0 .35em;font-size:.75rem;white-space:nowrap}
FILLS
@media print{:root{--names:12rem;--ends:8rem}.tools,.inner,.cursor,.top{display:none}.row.axes.own{display:grid}
.group[open]>summary .strip{visibility:hidden}.group{padding:0}.row{break-inside:avoid}
.group>summary .name::before{content:""!important}}
""".replace("DARK", _DARK).replace("FILLS", _fills())

SCRIPT = """
"use strict";
const all = (s, n = document) => [...n.querySelectorAll(s)];
const find = document.getElementById("find"), trouble = document.getElementById("only-trouble"), vms = document.getElementById("show-vms");
document.querySelector(".tools").hidden = false;
const first = new Map(all(".group").map(g => [g, g.open]));
function apply() {
  const text = find.value.trim().toLowerCase(), picked = text !== "" || trouble.checked;
  for (const group of all(".group")) {
    let kept = false;
    const inGroup = group.dataset.find.includes(text);
    for (const host of all(".row.host", group)) {
      const own = all(".row.vm", group).filter(vm => vm.dataset.host === host.dataset.host);
      const hit = inGroup || [host, ...own].some(row => row.dataset.find.includes(text));
      const show = hit && (!trouble.checked || host.dataset.trouble === "1");
      host.hidden = !show;
      for (const vm of own) vm.hidden = !show || !vms.checked;
      kept = kept || show;
    }
    group.hidden = !kept;
    group.open = picked ? kept : first.get(group);
  }
}
for (const input of [find, trouble, vms]) input.addEventListener("input", apply);
for (const [name, open] of [["open-all", true], ["close-all", false]])
  document.getElementById(name).addEventListener("click", () => { for (const g of all(".group")) { g.open = open; first.set(g, open); } });
addEventListener("beforeprint", () => { for (const g of all(".group")) g.open = true; });
const pieces = JSON.parse(document.getElementById("axis").textContent);
const two = n => String(n).padStart(2, "0");
function clock(x) {
  const p = pieces.find(p => x <= p.right) || pieces[pieces.length - 1];
  const t = new Date((p.start + (x - p.left) / (p.right - p.left) * (p.end - p.start) + p.offset) * 1000);
  return two(t.getUTCHours()) + ":" + two(t.getUTCMinutes()) + ":" + two(t.getUTCSeconds());
}
const cursor = document.createElement("div"), label = document.createElement("span");
cursor.className = "cursor"; cursor.append(label); cursor.setAttribute("aria-hidden", "true");
for (const rows of all(".rows")) {
  rows.addEventListener("mousemove", event => {
    const box = rows.querySelector(".grid").getBoundingClientRect(), x = event.clientX - box.left;
    if (x < 0 || x > box.width) { cursor.remove(); return; }
    if (cursor.parentNode !== rows) rows.append(cursor);
    cursor.style.left = (event.clientX - rows.getBoundingClientRect().left) + "px";
    label.textContent = clock(x / box.width * 100);
  });
  rows.addEventListener("mouseleave", () => cursor.remove());
}
"""
