# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as a request to stop, and what as a second one."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from unittest import mock

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling import stop_request
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.stop_request import StopRequest

pytestmark = pytest.mark.usefixtures("usual_signals")


def test_a_request_comes_from_the_options_or_from_the_file(tmp_path: Path) -> None:
    assert StopRequest().reason() == ""
    assert StopRequest(given="SIGTERM").reason() == "SIGTERM"
    stop = StopRequest(str(tmp_path))
    assert stop.reason() == ""
    (tmp_path / "stop").write_text("SIGINT\n", encoding="utf-8")
    assert stop.reason() == "SIGINT"
    (tmp_path / "stop").write_text("", encoding="utf-8")
    assert stop.reason() != ""
    assert StopRequest(str(tmp_path / "gone")).reason() == ""


@pytest.mark.parametrize(
    ("first", "later", "ends"),
    [
        (signal.SIGINT, 0.5, False),
        (signal.SIGINT, 1.5, True),
        # ansible-playbook passes its SIGTERM on, and may stand still before.
        (signal.SIGTERM, 9.5, False),
        (signal.SIGTERM, 10.5, True),
    ],
)
def test_a_second_signal_ends_the_process_unless_it_is_the_same_request(
    first: signal.Signals, later: float, ends: bool
) -> None:
    stop, now, sent = StopRequest(), [100.0], []
    with stop.catching_signals(), mock.patch.object(stop_request.time, "monotonic", side_effect=lambda: now[-1]):
        signal.raise_signal(first)
        assert stop.reason() == first.name
        now.append(100.0 + later)
        with mock.patch.object(stop_request.os, "kill", side_effect=lambda pid, number: sent.append((pid, number))):
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGHUP)
    assert sent == ([(os.getpid(), signal.SIGTERM)] if ends else [])


def test_what_is_ignored_stays_ignored_and_only_the_main_thread_is_asked() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopRequest().catching_signals():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    seen: list[object] = []

    def other() -> None:
        with StopRequest().catching_signals():
            seen.append(signal.getsignal(signal.SIGTERM))

    was = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert seen == [was]
