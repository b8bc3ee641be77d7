# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is printed when a signal stops a rolling reboot."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.progress import View
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.stop_lines import (
    Stop,
    abort_lines,
    opening_line,
    stop_lines,
)
from tests.unit.action.records import NOON

VIEW = View(zone=UTC)
BEGUN: dict[str, Any] = {
    "hosts": [{"name": "gpu-01.lab", "cluster": "gpu-a", "phase": "booting", "since": NOON}],
    "vms_off": [
        {"name": "train-02", "host": "gpu-01.lab", "since": NOON - 120, "state": "off"},
        {"name": "train-01", "host": "gpu-01.lab", "since": NOON - 60, "state": "shutting down"},
    ],
    "at_most": 3570.0,
}
NOTHING: dict[str, Any] = {"hosts": [], "vms_off": [], "at_most": 0.0}


def texts(lines: Any) -> list[str]:
    return [line.text for line in lines]


def test_the_first_line_says_where_the_page_is_and_how_to_pause() -> None:
    assert opening_line({"timeline_html": "/r/t.html"}).text == (
        "timeline_html: /r/t.html (updated from now on). To pause: ansible-playbook directpath.vsphere.pause"
    )
    assert opening_line({}).text == "To pause: ansible-playbook directpath.vsphere.pause"


def test_ctrl_c_names_what_is_off_and_how_long_and_what_a_second_one_does() -> None:
    assert texts(stop_lines(BEGUN, Stop(signal="SIGINT", pages=["/r/t.html"]), VIEW, NOON)) == [
        "stopping (SIGINT): no further host is started",
        "VMs off because of this run: train-02 (for gpu-01.lab since 11:58), train-01 (shutting down, for gpu-01.lab since 11:59)",
        "hosts being finished: gpu-a gpu-01.lab (booting since 12:00)",
        "this takes at most 60 min (until 13:00), usually much less",
        "Ctrl-C again stops at once. What is off then stays off until: ansible-playbook directpath.vsphere.restore",
        "timeline, still updated: /r/t.html",
        "what is off or in progress: ansible-playbook directpath.vsphere.status",
        "to continue with the other hosts: run the same playbook again",
    ]


def test_without_a_terminal_the_process_that_goes_on_is_named() -> None:
    lines = texts(stop_lines(NOTHING, Stop(signal="SIGTERM", pid=4711, delay=60), VIEW, NOON))
    assert lines[0] == "stopping (SIGTERM): no further host is started in at most 60 s"
    assert lines[1:3] == [
        "no VM was off because of this run at its last look",
        "no host was in progress at its last look",
    ]
    assert "process 4711 finishes this in the background. To stop it at once: kill 4711" in lines
    assert not [line for line in lines if "Ctrl-C" in line]


def test_a_run_that_ends_at_once_names_what_it_leaves() -> None:
    assert texts(abort_lines(BEGUN, "a second signal", VIEW)) == [
        "stopped at once (a second signal). Nothing is lost: the journal shows what was begun",
        "VMs off because of this run: train-02 (for gpu-01.lab since 11:58), train-01 (shutting down, for gpu-01.lab since 11:59)",
        "hosts left as they are: gpu-a gpu-01.lab (booting since 12:00)",
        "what is off or in progress: ansible-playbook directpath.vsphere.status",
        "to get VMs and hosts back: ansible-playbook directpath.vsphere.restore",
        "to continue: run the same playbook again",
    ]
