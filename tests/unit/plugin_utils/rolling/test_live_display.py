# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of ansible-playbook is noticed, however late the thread that looks for it begins."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from unittest import mock

from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling import live_display
from tests.unit.patience import PATIENCE


def test_an_end_before_the_thread_begins_is_noticed() -> None:
    has_ended, noticed = threading.Event(), threading.Event()

    class Late(threading.Thread):
        def run(self) -> None:
            assert has_ended.wait(PATIENCE)
            super().run()

    def parent() -> int:
        return 1 if has_ended.is_set() else 1234

    with (
        mock.patch.object(live_display, "threading", SimpleNamespace(Thread=Late, Event=threading.Event)),
        mock.patch.object(live_display.os, "getppid", parent),
        mock.patch.object(live_display, "LOOKS", 0.01),
        live_display.watching(mock.MagicMock(), None, None, noticed.set),
    ):
        has_ended.set()
        assert noticed.wait(PATIENCE)
