# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole plan of a run as an HTML page: what the terminal shows in groups, host by host. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..html import render_page
from .fleet import RESULTS
from .text import lines

Record = Mapping[str, Any]

_TITLES = {"enable_devices_result": "Hosts", "rolling_reboot_result": "Reboots", "attach_devices_result": "VMs"}


def plan_page(endpoints: Mapping[str, Record], hostvars: Mapping[str, Record]) -> str:
    """The page. ``endpoints``: leader → its part of the intent. The results are facts of the leaders."""
    sections = []
    for leader, endpoint in endpoints.items():
        known = hostvars[leader]
        results = {_TITLES[name]: known[name] for name in RESULTS if name in _TITLES and name in known}
        parts = [(title, lines(result, whole=True)) for title, result in results.items()]
        sections.append((str(endpoint["place"]), parts))
    style = "pre{white-space:pre-wrap;overflow-wrap:anywhere;font:.85rem/1.5 var(--mono)}"
    lead = "What the playbook site would do. Nothing was written."
    return render_page(
        "plan.html.j2", {"title": "Plan for PCI passthrough", "lead": lead, "sections": sections}, style=style
    )
