# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The outlets of a task, from its options: no message repeats a value, and the last success outlives a failed run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.outlets.request import OutletRequest
from ansible_collections.directpath.vsphere.plugins.plugin_utils.outlets.opening import open_publisher, parse_outlets

TOKEN = "T0K3N-in-the-path"
URL = f"https://hooks.example.com/{TOKEN}"


@pytest.mark.parametrize(
    "notify",
    [
        [URL],
        URL,
        [{"url": URL, "timeout": TOKEN}],
        [{"url": URL, "events": [TOKEN]}],
        [{"url": URL, "events": TOKEN}],
        [{"url": URL, "secret": [TOKEN], "timeout": [TOKEN]}],
    ],
)
def test_no_message_repeats_a_value_in_the_wrong_place(notify: Any) -> None:
    with pytest.raises(InputError) as caught:
        parse_outlets({"notify": notify})
    assert (caught.value.code, caught.value.parameter) == ("bad_notify", "notify")
    assert TOKEN not in caught.value.sentence()


def test_the_last_success_outlives_a_failed_run(tmp_path: Path) -> None:
    path = tmp_path / "vc.prom"
    request = OutletRequest.of({"metrics_file": str(path)})

    def successes(result: dict[str, Any]) -> list[str]:
        publisher = open_publisher(request, "vc-a")
        publisher.begin()
        assert [report.lost for report in publisher.end(result)] == [0]
        return [line for line in path.read_text().splitlines() if line.startswith("directpath_last_success")]

    assert successes({"failed": True}) == []
    (success,) = successes({"state": "finished"})
    assert successes({"failed": True}) == [success]
