# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-playbook killed over and over, as users run it: what only a whole tree of processes can get wrong.

The action plugin and the processes it leaves behind, who owns the lock, files in the user's home, real time. That every write is a
place to die at is tried on the module's own processes, in test_kill.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kill.playbooks import PlaybookSite, everything, prepare, the_module, the_playbook, the_worker, vcenter


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    prepare()


def test_each_stage_is_gone_on_with_from_elsewhere_by_somebody_who_knows_nothing_but_vcenter(tmp_path: Path) -> None:
    """Another working directory, home and temporary directory each time: what the run before left on the machine is of no use."""
    stages = [
        ("after", 1, "EnterMaintenanceMode_Task"),
        ("answered", 2, "ShutdownGuest"),
        ("after", 1, "RebootHost_Task"),
        ("before", 1, "Refresh"),  # the host has booted
        ("after", 1, "ExitMaintenanceMode_Task"),
        ("after", 2, "PowerOnVM_Task"),
        ("after", 3, "RemoveCustomFieldDef"),
    ]
    with vcenter(tmp_path) as site:
        for place, (when, number, method) in enumerate(stages):
            assert site.kill_at(number, method, when=when, chosen=everything, home=f"home-{place}") == -9, site.told
        assert site.roll("home-at-last") == 0, site.told
        site.proven()


def test_whatever_dies_of_a_playbook_the_rest_of_it_ends_and_the_next_one_goes_on(tmp_path: Path) -> None:
    """All in one home, and in one session that they share."""
    with vcenter(tmp_path, session="shared") as site:
        assert site.kill_at(1, "ShutdownGuest", chosen=the_playbook) == -9
        assert followed(site) == []

        assert site.reboots_host("esx-01.lab", the_playbook) == -9
        assert followed(site) == []

        assert site.kill_at(1, "PowerOnVM_Task", chosen=the_module) == 2
        assert "fatal: [localhost]: FAILED!" in site.told
        assert followed(site) == []

        assert site.reboots_host("esx-02.lab", the_worker) > 0

        assert site.kill_at(1, "EnterMaintenanceMode_Task", chosen=everything) == -9
        site.sim.events["restart_vcenter"](seconds=60, answer="503")
        assert site.roll() == 0, site.told
        site.proven()


def followed(site: PlaybookSite) -> list[str]:
    """Progress files that nobody reads any more."""
    return [path.name for path in site.home("home").rglob("progress-*")]
