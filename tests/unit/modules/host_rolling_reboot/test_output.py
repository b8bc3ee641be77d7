# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rolling reboot says of itself as a whole: why it waits and until when, where its journal is, how long it took."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.merge_slices import joined_results, span
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.progress import Shown, View, read, show
from tests.unit.modules.host_rolling_reboot.lab import Roll, fleet

MAY = ["Host.Config.Maintenance", "Host.Config.Power", "Host.Config.PciPassthru", "Resource.HotMigrate"]


def window(roll: Roll, after: float, minutes: float) -> tuple[dict[str, str], datetime]:
    """A window that opens so many seconds from now, at a whole minute."""
    now = roll.lab.sim.clock.now()
    opens = (now + timedelta(seconds=after)).astimezone(UTC).replace(second=0, microsecond=0)
    closes = opens + timedelta(minutes=minutes)
    return {"start": f"{opens:%H:%M}", "end": f"{closes:%H:%M}", "zone": "UTC"}, opens


def sliced(roll: Roll, path: Path, seconds: float) -> tuple[dict[str, Any], list[str]]:
    """A run in slices: the joined result, and the lines a reader gets who does not ask for reasons."""
    joined: dict[str, Any] | None = None
    shown, lines, offset = Shown(), [], 0
    for tick in range(100):
        if joined is not None and joined["ended"]:
            break
        part = roll.lab.run(
            "host_rolling_reboot", **roll.options, slice=seconds, run_id="ops@ctl:1:1:x", progress_file=str(path)
        )
        joined = joined_results(joined, part)
        text = path.read_text()
        shown, told = show(shown, read(text[offset:]), View(zone=UTC, redraws=True), tick)
        lines += [line.text for line in told]
        offset = len(text)
    assert joined is not None
    assert joined["ended"]
    return joined, lines


@pytest.mark.slow
def test_that_the_window_is_closed_and_until_when_is_said_once_in_a_run_of_many_slices(tmp_path: Path) -> None:
    roll = Roll.of(fleet(hosts=2, vms=0), cluster=["c1"])
    hours, opens = window(roll, 3 * 3600, 240)
    roll.options["windows"] = [hours]
    joined, lines = sliced(roll, tmp_path / "progress", 600)
    roll.assert_over()
    held = f"held back: it is outside the maintenance window, until {opens:%Y-%m-%d %H:%M} UTC"
    assert joined["notes"].count(held) == 1
    told = [line[9:] for line in lines if "held back" in line]
    assert told == [f"held back: it is outside the maintenance window, until {opens:%H:%M}"]
    assert lines[0].endswith(told[0]), "before anything else"


def test_a_pause_in_the_middle_is_said_with_its_reason(tmp_path: Path) -> None:
    roll = Roll.of(fleet(hosts=3, vms=0), cluster=["c1"])
    pause = tmp_path / "pause"
    roll.options["pause_file"] = str(pause)
    roll.at(100, lambda: pause.write_text("the night shift says no\n"))
    roll.at(9000, pause.unlink)
    _joined, lines = sliced(roll, tmp_path / "progress", 600)
    roll.assert_over()
    told = [index for index, line in enumerate(lines) if "held back: paused: the night shift says no" in line]
    assert len(told) == 2
    assert lines[told[1]].endswith("this run waits for the end of the pause"), "when nothing else is in progress"
    begun = [index for index, line in enumerate(lines) if "waiting → draining" in line]
    assert begun[0] < told[0] < begun[1], "while the first host is in hand"


@pytest.mark.slow
def test_where_no_window_is_long_enough_it_ends_at_once_and_says_what_would_help() -> None:
    roll = Roll.of(fleet(hosts=2, vms=0), cluster=["c1"])
    hours, _opens = window(roll, 1800, 10)
    began = roll.lab.sim.clock.now()
    result = roll.fail(windows=[hours])
    assert (roll.lab.sim.clock.now() - began).total_seconds() < 120
    assert result["state"] == "stalled"
    assert result["error_code"] == "roll_stalled"
    assert "it takes about 22 min, which is longer than any maintenance window" in result["msg"]
    assert "the longest one lasts 10 min: make it longer" in result["msg"]
    assert result["resume"] == [
        "c1-esx-01.lab, c1-esx-02.lab: not reached: it takes about 22 min, which is longer than any maintenance window. Resolve this, "
        "then run the same again."
    ]
    assert "EnterMaintenanceMode_Task" not in roll.lab.writes()
    assert roll.texts() == {}
    fits = roll.run(windows=[hours], expected_minutes={"drain": 1, "reboot": 3, "settle": 1})
    assert fits["state"] == "finished"


def test_a_run_that_only_looked_says_so_and_why_its_hosts_were_not_reached() -> None:
    roll = Roll.of(fleet(hosts=3, vms=0), cluster=["c1"], reboot_timeout=900, max_failures="3")
    roll.lab.sim.find("HostSystem", "c1-esx-01.lab").knobs["boot_result"] = "never_returns"
    first = roll.fail()
    begun, ended = span(first["timeline"])
    assert ended - begun > 900
    assert "is not back 15 min after its reboot was requested" in first["msg"]
    roll.lab.sim.clock.sleep(7200)
    again = roll.fail()
    begun, ended = span(again["timeline"])
    assert ended - begun < 60, "what the journal tells of the first run is not how long this one took"
    assert (
        "c1-esx-02.lab, c1-esx-03.lab: not reached: at most 1 of 3 hosts of c1 may be down at once: c1-esx-01.lab (notRes"
        in (" ".join(again["resume"]))
    )


@pytest.mark.parametrize("choice", ["auto", "file"])
def test_a_journal_in_a_file_is_told_once_a_run_unless_it_was_asked_for(tmp_path: Path, choice: str) -> None:
    lab = fleet(hosts=2, vms=0)
    lab["roles"] = {"roller": MAY}
    lab["users"].append({"name": "roller@vsphere.local", "password": "VMware1!", "role": "roller"})
    roll = Roll.of(lab, cluster=["c1"], journal_dir=str(tmp_path / "journal"), journal=choice)
    roll.lab.user = "roller@vsphere.local"
    joined, lines = sliced(roll, tmp_path / "progress", 600)
    roll.assert_over()
    assert joined["journal"]["kind"] == "file"
    told = [line for line in lines if "the journal is kept in" in line]
    assert (
        len(told) == len([note for note in joined["notes"] if "the journal is kept in" in note]) == (choice == "auto")
    )
    if told:
        assert told == lines[:1]
        assert f"kept in {joined['journal']['place']}, because the account lacks Global." in told[0]
        assert "Global.SetCustomField" in joined["journal"]["why"], "also after slices that only found the file"


@pytest.mark.parametrize(("source", "hosts"), [("home", ["esx-home.lab"])])
def test_an_esxi_host_has_no_other_place_and_nothing_is_said(tmp_path: Path, source: str, hosts: list[str]) -> None:
    roll = Roll.of(
        source, owing=False, hosts=hosts, journal_dir=str(tmp_path), pinned_vms="shutdown", reboot_if="always"
    )
    result = roll.run()
    assert result["journal"]["kind"] == "file"
    assert not [note for note in result["notes"] if "journal" in note]
