# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The signs, the style and the script of the drift page. PRIVATE to the collection."""

from __future__ import annotations

SIGNS = {"ok": "✓", "in_sync": "✓", "differs": "≠", "drift": "≠", "unknown": "?", "expected": "≈"}
"""A sign for each status. It says without color what the color says."""

STYLE = """
.soft{color:var(--soft);font-size:.86em;font-weight:400}
.filter{position:sticky;top:0;z-index:3;display:flex;flex-wrap:wrap;gap:.5rem 1.2rem;align-items:center;background:var(--paper);
border-bottom:1px solid var(--line);padding:.55rem 0;margin-bottom:.8rem}
.filter[hidden]{display:none}
.filter input,.filter select{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:6px;
padding:.25rem .5rem}
.filter input{width:min(24rem,70vw)}
.filter output{color:var(--soft);font-size:.9em}
.matrix{border-collapse:separate;border-spacing:0;min-width:100%}
.matrix th,.matrix td{padding:.22rem .8rem .22rem 0;white-space:nowrap}
.matrix tbody th,.matrix thead th:first-child{position:sticky;left:0;background:var(--paper);z-index:1;padding-right:1.2rem}
.matrix tbody tr:hover>*{background:var(--card)}
.matrix td.vms{white-space:normal;min-width:16rem}
.matrix .badge,.vm .badge{margin:0 .25rem .15rem 0}.vm{margin-right:.35rem;white-space:nowrap}
.list td{max-width:34rem}.list th{min-width:9rem}
.command{display:block;margin-top:.2rem;white-space:pre-wrap;overflow-wrap:anywhere;max-width:34rem;background:var(--card);
border:1px solid var(--line);border-radius:4px;padding:.1rem .35rem;user-select:all}
.cluster>summary .badge{font-weight:400}
.legend{margin-left:auto;word-spacing:.12em}
tr[hidden],details[hidden]{display:none!important}
@media (max-width:46rem){.list thead{display:none}.list tr,.list th,.list td{display:block;border:0;padding:.1rem 0;max-width:none}
.list tr{border-bottom:1px solid var(--line);padding:.4rem 0}.command{max-width:none}}
@media print{.filter{display:none}}
"""

SCRIPT = """
(() => {
  'use strict';
  const words = document.getElementById('words');
  const kind = document.getElementById('kind');
  const count = document.getElementById('count');
  const form = document.getElementById('filter');
  if (!form) { return; }
  const parts = [...document.querySelectorAll('details')].map((part) => ({
    part,
    open: part.open,
    name: part.querySelector('summary').textContent.toLowerCase(),
    rows: [...part.querySelectorAll('tbody > tr')].map((row) => ({
      row,
      text: row.textContent.toLowerCase(),
      kinds: (row.dataset.kinds || '').split(' ').filter(Boolean),
    })),
  }));
  const all = parts.reduce((sum, part) => sum + part.rows.length, 0);
  const fits = (entry, name, wanted, chosen) =>
    wanted.every((word) => entry.text.includes(word) || name.includes(word)) &&
    (!chosen || (chosen === '!' ? entry.kinds.length > 0 : entry.kinds.includes(chosen)));
  const apply = () => {
    const wanted = words.value.toLowerCase().split(/\\s+/).filter(Boolean);
    const chosen = kind.value;
    const idle = wanted.length === 0 && !chosen;
    let shown = 0;
    for (const {part, open, name, rows} of parts) {
      let mine = 0;
      for (const entry of rows) {
        const fit = idle || fits(entry, name, wanted, chosen);
        entry.row.hidden = !fit;
        mine += fit ? 1 : 0;
      }
      part.hidden = mine === 0;
      part.open = idle ? open : mine > 0;
      shown += mine;
    }
    count.textContent = idle ? `${all} rows` : `${shown} of ${all} rows`;
    document.documentElement.dataset.shown = String(shown);
  };
  let timer = 0;
  const later = () => { clearTimeout(timer); timer = setTimeout(apply, 80); };
  words.addEventListener('input', later);
  kind.addEventListener('change', apply);
  form.addEventListener('submit', (event) => { event.preventDefault(); apply(); });
  form.hidden = false;
  apply();
})();
"""
