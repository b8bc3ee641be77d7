# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of every page of ours."""

from __future__ import annotations

from tools.devtools import Tab

CONTRASTS = """
(selector) => [...document.querySelectorAll(selector)].filter(node => node.checkVisibility()).map(node => {
  const light = text => {
    const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map(v => v / 255)
      .map(v => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let ground = node;  // the nearest ground that is not transparent
  while (ground.parentElement && /, 0\\)$/.test(getComputedStyle(ground).backgroundColor)) ground = ground.parentElement;
  const [one, two] = [getComputedStyle(node).color, getComputedStyle(ground).backgroundColor].map(light).sort((x, y) => y - x);
  return (one + 0.05) / (two + 0.05);
})
"""


def quiet(tab: Tab) -> None:
    """Nothing on the console, and nothing asked for but the file itself."""
    assert tab.problems == []
    assert [address for address in tab.requests if not address.startswith(("file:", "data:"))] == []
    assert len([address for address in tab.requests if address.startswith("file:")]) == 1


def contrasts(tab: Tab, selector: str) -> list[float]:
    """Of the text of each such element that is to be seen, against its ground. WCAG 2 asks for 4.5 to 1."""
    found: list[float] = tab.evaluate(f"({CONTRASTS})({selector!r})")
    return found


def is_wide(tab: Tab) -> bool:
    """Whether the page has to be scrolled sideways."""
    return bool(tab.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
