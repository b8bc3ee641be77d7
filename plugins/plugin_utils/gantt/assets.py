# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The timeline's style for each phase: color, pattern, letter and text; the style and the script of its page.

PRIVATE to the collection. No phase is shown by its color alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseStyle:
    """``letter`` is on bars with room for it, ``meaning`` in the legend. ``thin``: a line, for times without an action.

    ``pattern``: the name of the strokes over the color.
    """

    letter: str
    meaning: str
    pattern: str = ""
    thin: bool = False


PHASES: Mapping[str, PhaseStyle] = {
    "waiting": PhaseStyle(letter="", meaning="waiting", thin=True),
    "blocked": PhaseStyle(letter="!", meaning="blocked", pattern="slant", thin=True),
    "draining": PhaseStyle(letter="D", meaning="draining: VMs are migrated or shut down"),
    "maintenance": PhaseStyle(letter="M", meaning="in maintenance mode", pattern="upright"),
    "rebooting": PhaseStyle(letter="R", meaning="rebooting: going down", pattern="slant"),
    "booting": PhaseStyle(letter="B", meaning="booting: not connected yet"),
    "verifying": PhaseStyle(letter="V", meaning="verifying: boot time, devices, storage, network"),
    "leaving": PhaseStyle(letter="L", meaning="leaving maintenance mode", pattern="upright"),
    "restoring": PhaseStyle(letter="S", meaning="restoring: powering on its VMs"),
    "checking": PhaseStyle(
        letter="C", meaning="checking: in service, health gate (soak, ready_when)", pattern="dots", thin=True
    ),
    "done": PhaseStyle(letter="✓", meaning="done", thin=True),
    "returned": PhaseStyle(letter="↩", meaning="returned to service without a reboot", thin=True),
    "failed": PhaseStyle(letter="✕", meaning="failed", pattern="cross", thin=True),
    "unseen": PhaseStyle(letter="", meaning="unknown: no run was active", pattern="dots", thin=True),
}

VM_PHASES: Mapping[str, PhaseStyle] = {
    "stopping": PhaseStyle(letter="", meaning="VM stopping", pattern="slant"),
    "down": PhaseStyle(letter="", meaning="VM down"),
    "starting": PhaseStyle(letter="", meaning="VM starting", pattern="upright"),
}

_ALL = {**PHASES, **VM_PHASES}

_STROKES = {
    "slant": "M-2 2l4-4M0 8l8-8M6 10l4-4",
    "upright": "M2 0v8M6 0v8",
    "cross": "M0 0l8 8M8 0l-8 8",
    "dots": "M0 0h4v8h-4z",
}


def pattern_views() -> list[tuple[str, str, str]]:
    """Phase, name of its stroke, and the path of the stroke: drawn over the color of the phase."""
    return [(name, style.pattern, _STROKES[style.pattern]) for name, style in _ALL.items() if style.pattern]


def legend_views() -> list[dict[str, Any]]:
    """A sample bar, its letter and its meaning for each phase."""
    return [
        {
            "bar": bar_view(name, style, 0, 100, row_height=height),
            "height": height,
            "letter": style.letter,
            "meaning": style.meaning,
        }
        for phases, height in ((PHASES, 20), (VM_PHASES, 14))
        for name, style in phases.items()
    ]


def bar_view(
    name: str, style: PhaseStyle, left: float, width: float, *, row_height: int, title: str = ""
) -> dict[str, Any]:
    """The bar of a phase in a row. ``left`` and ``width`` are percent of the row, ``row_height`` is in pixels."""
    height = 4 if style.thin else row_height - 6
    return {
        "phase": name,
        "x": f"{left:.2f}%",
        "width": f"{width:.2f}%",
        "y": (row_height - height) // 2,
        "height": height,
        "title": title,
        "letter": "",
    }


def _fills() -> str:
    return "".join(
        f".bar.{name}{{fill:{f'url(#fill-{name})' if style.pattern else f'var(--{name})'}}}.ground.{name}{{fill:var(--{name})}}"
        for name, style in _ALL.items()
    )


_DARK = """--waiting:#4a5563;--blocked:#d9a520;--draining:#3f7fc4;--maintenance:#2d64a8;--rebooting:#d9741e;--booting:#e39a4f;
--verifying:#8f6fd0;--leaving:#2f9488;--restoring:#3fb3a5;--checking:#3da35f;--done:#3da35f;--returned:#3da35f;--failed:#e0525c;--stopping:#b8607f;--down:#8f3558;--starting:#b8607f;
--busy:#38475a;--unseen:#4a5563;--halo:#fff4;--bar-ink:#0d1117;--stroke:#0d111766"""

STYLE = """
:root{--waiting:#b9c2cd;--blocked:#e0a526;--draining:#7db5ee;--maintenance:#5b93d4;--rebooting:#ee8a3c;--booting:#f7b87c;
--verifying:#b79df0;--leaving:#5bbdb1;--restoring:#7fd3c8;--checking:#41a862;--done:#41a862;--returned:#41a862;--failed:#d9414e;--stopping:#d588a4;--down:#a8476c;--starting:#d588a4;
--busy:#cfd9e6;--unseen:#b9c2cd;--halo:#fffa;--bar-ink:#14202c;--stroke:#14202c66;--names:15rem;--ends:11.5rem}
@media (prefers-color-scheme:dark){:root{DARK}}
@media (max-width:60rem){:root{--names:7.5rem;--ends:5.5rem}.tight{display:none}}
@media (max-width:40rem){.axis .minor{display:none}.group>summary .badge{font-size:.75em}}
.off td{white-space:nowrap}.off tbody th{min-width:9rem}
.defs{position:absolute}.stroke{stroke:var(--stroke);stroke-width:1.6;fill:none}.stroke.dots{stroke:none;fill:var(--paper)}
.now{border-left:4px solid var(--info);background:var(--info-bg);padding:.5rem .9rem;border-radius:4px;margin:0 0 1rem}
.now.bad{border-left-color:var(--bad);background:var(--bad-bg)}.now strong::first-letter{text-transform:uppercase}
.now strong{display:inline-block}#stale{display:block;font-weight:600;color:var(--bad)}#stale[hidden]{display:none}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;padding:0;margin:.4rem 0 .8rem;color:var(--soft);font-size:.85rem}
.legend li{display:inline-flex;align-items:center;gap:.4rem}.legend text,
.lane text{fill:var(--bar-ink);font:600 11px var(--sans);paint-order:stroke;stroke:var(--halo);stroke-width:3px}
.lane text.mark{font-size:13px;paint-order:stroke;stroke:var(--paper);stroke-width:4px}
.lane text.done,.lane text.returned{fill:var(--ok)}.lane text.failed{fill:var(--bad)}.lane text.blocked{fill:var(--warn)}
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
const now = document.getElementById("now"), minutes = now ? Math.floor((Date.now() / 1000 - now.dataset.updated) / 60) : 0;
if (minutes > 4) {  // while a run is in progress, its page is written every minute
  const stale = document.getElementById("stale");
  stale.textContent = `No update for ${minutes} min: the run was probably interrupted. ` +
    "What is off: ansible-playbook directpath.vsphere.status";
  stale.hidden = false;
}
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
