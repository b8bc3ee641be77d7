# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks for every page."""

from __future__ import annotations

from tools.devtools import Tab

CONTRASTS = """
(selector) => [...document.querySelectorAll(selector)].filter(node => node.checkVisibility()).map(node => {
  const light = text => {
    const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map(v => v / 255)
      .map(v => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let ground = node;  // the nearest background that is not transparent
  while (ground.parentElement && /, 0\\)$/.test(getComputedStyle(ground).backgroundColor)) ground = ground.parentElement;
  const [one, two] = [getComputedStyle(node).color, getComputedStyle(ground).backgroundColor].map(light).sort((x, y) => y - x);
  return (one + 0.05) / (two + 0.05);
})
"""


def cpu_seconds(tab: Tab, script: str) -> float:
    """What a script, and the layout and all else that follows from it, takes of the page. No other program counts."""
    tab.call("Performance.enable", timeDomain="threadTicks")

    def used() -> float:
        found = {entry["name"]: float(entry["value"]) for entry in tab.call("Performance.getMetrics")["metrics"]}
        return found["TaskDuration"]

    before = used()
    tab.evaluate(script)
    return used() - before


def quiet(tab: Tab) -> None:
    """No message on the console, and no request except for the file itself."""
    assert tab.problems == []
    assert [address for address in tab.requests if not address.startswith(("file:", "data:"))] == []
    assert len([address for address in tab.requests if address.startswith("file:")]) == 1


def contrasts(tab: Tab, selector: str) -> list[float]:
    """The contrast of the text to its background, for each visible element. WCAG 2 requires 4.5 to 1."""
    found: list[float] = tab.evaluate(f"({CONTRASTS})({selector!r})")
    return found


def is_wide(tab: Tab) -> bool:
    """Whether the page needs horizontal scrolling."""
    return bool(tab.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
