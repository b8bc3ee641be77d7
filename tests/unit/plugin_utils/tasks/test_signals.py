# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the end of ansible-playbook means, on a machine that stands still for a moment."""

from __future__ import annotations

import signal
from collections.abc import Callable
from unittest import mock

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.tasks import signals
from ansible_collections.directpath.vsphere.plugins.plugin_utils.tasks.signals import Signals


def orphaned(
    monkeypatch: pytest.MonkeyPatch, in_pauses: dict[int, Callable[[Signals], None]]
) -> tuple[Signals, mock.Mock]:
    """ansible-playbook has ended. ``in_pauses``: number of a pause, from 1, to what happens in it. Returns also what aborts the run."""
    abort = mock.Mock()
    paused: list[float] = []
    taken = Signals(mock.Mock(), abort)

    def pause(seconds: float) -> None:
        paused.append(seconds)
        in_pauses.get(len(paused), lambda _signals: None)(taken)

    monkeypatch.setattr(signals, "time", mock.Mock(sleep=pause, monotonic=lambda: 0.0))
    monkeypatch.setattr(signals, "is_hung_up", lambda: False)
    taken.orphaned()
    assert sum(paused) == pytest.approx(signals.GRACE)
    return taken, abort


def test_a_signal_whose_handler_runs_late_is_no_kill(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine stands still in the first pause, and the handler runs after that."""
    taken, abort = orphaned(monkeypatch, {2: lambda found: found.stop(signal.SIGTERM)})
    assert (taken.first, taken.is_orphaned) == (signal.SIGTERM, True)
    abort.assert_not_called()


def test_without_a_signal_ansible_playbook_was_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, abort = orphaned(monkeypatch, {})
    assert taken.first is None
    abort.assert_called_once_with()


@pytest.mark.parametrize(
    ("first", "second", "later", "ends"),
    [
        (signal.SIGINT, signal.SIGINT, 0.5, False),
        (signal.SIGINT, signal.SIGINT, 1.5, True),
        (signal.SIGTERM, signal.SIGINT, 1.5, True),
        (signal.SIGTERM, signal.SIGTERM, 9.5, False),  # ansible-playbook stood still, and passes the first one on
        (signal.SIGTERM, signal.SIGTERM, 10.5, True),
        (signal.SIGINT, signal.SIGTERM, 60.0, False),  # ansible-playbook ends its workers after Ctrl-C
        (signal.SIGTERM, signal.SIGHUP, 60.0, False),
    ],
)
def test_what_is_a_second_request(
    monkeypatch: pytest.MonkeyPatch, first: signal.Signals, second: signal.Signals, later: float, ends: bool
) -> None:
    now, stop, abort = [100.0], mock.Mock(), mock.Mock()
    monkeypatch.setattr(signals, "time", mock.Mock(monotonic=lambda: now[-1]))
    taken = Signals(stop, abort)
    taken._take(first, None)
    now.append(100.0 + later)
    taken._take(second, None)
    stop.assert_called_once_with(first)
    assert abort.called is ends
