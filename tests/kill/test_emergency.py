# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The night: a rolling reboot is stopped with VMs shut down. Somebody else, elsewhere, sees it, gets them back, and finishes later."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from tests.kill.playbooks import LAST_BREATH, PATIENCE, PlaybookSite, everything, prepare, vcenter
from tests.kill.processes import until
from tests.kill.stops import STOPS, all_ended, booting, let_it_boot, off

QUICK = 5.0
"""CPU seconds until the status is shown: a multiple of what it takes. How busy the machine is does not matter to them."""
FEW = 12
"""Calls until the status is shown. None of them waits for a change."""


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    prepare()


def quick_status(site: PlaybookSite) -> int:
    """The exit code of the status, which waits for nothing."""
    calls, cpu = list(site.sim.journal.calls), cpu_seconds()
    code = site.play("directpath.vsphere.status", "on-call")
    assert cpu_seconds() - cpu < QUICK
    others = {call.session for call in calls}
    own = [call.method for call in site.sim.journal.calls[len(calls) :] if call.session not in others]
    assert own[-1:] == ["Logout"]
    assert len(own) <= FEW
    assert "WaitForUpdatesEx" not in own
    return code


def cpu_seconds() -> float:
    """Of all processes that have ended, below this one."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_status_names_the_vm_restore_brings_it_back_and_the_run_is_finished_later(tmp_path: Path) -> None:
    with vcenter(tmp_path) as site:
        assert site.kill_at(2, "ShutdownGuest", when="answered", chosen=everything, home="colleague") == -9
        site.sim.clock.advance(30)  # the guests finish their shutdown
        assert until(lambda: off(site) == {"train-01", "train-02"}, LAST_BREATH)

        assert quick_status(site) == 2, site.told
        assert "2 VMs off because of a rolling reboot: train-01, train-02" in site.told
        assert "1 rolling reboot interrupted" in site.told
        assert "run the same playbook again" in site.told

        assert site.play("directpath.vsphere.restore", "on-call", "--check") == 0, site.told
        assert off(site) == {"train-01", "train-02"}
        assert site.play("directpath.vsphere.restore", "on-call") == 0, site.told
        assert off(site) == set()
        assert "RebootHost_Task" not in {call.method for call in site.sim.journal.calls}

        assert site.play("directpath.vsphere.status", "on-call") == 0, site.told
        assert site.play("directpath.vsphere.restore", "on-call") == 0, site.told
        assert "changed=0" in site.told
        assert site.roll("colleague-in-the-morning") == 0, site.told
        # The VMs were stopped and started twice, so their order over all runs says nothing.
        assert site.reboots() == dict.fromkeys(site.state()["connection"], 1), site.told
        assert site.state() == {**site.before, "pending": []}, site.told


@pytest.mark.parametrize("how", ["Ctrl-C", "Ctrl-C twice", "SIGTERM to `ansible-playbook`"])
def test_a_run_that_a_person_stopped(how: str, tmp_path: Path) -> None:
    # The time of this vCenter is so fast that a module that waits seems to be gone.
    with vcenter(tmp_path, lock_ttl=72000) as site:
        with booting(site, "colleague") as terminal:
            STOPS[how](terminal)
            assert quick_status(site) == 2, site.told
            assert "2 VMs off because of a rolling reboot: train-01, train-02" in site.told
            if how == "Ctrl-C twice":
                assert "1 rolling reboot interrupted" in site.told
                assert all_ended(site)
                let_it_boot(site)
                assert off(site) == {"train-01", "train-02"}, "only a person gets them back"
            else:
                assert "1 rolling reboot in progress" in site.told, site.told
                assert site.play("directpath.vsphere.restore", "on-call") == 2
                assert "is in progress on gpu" in site.told, "it is finished already, by its own process"
                let_it_boot(site)
                assert terminal.process.wait(PATIENCE) != 0
                assert all_ended(site)
                assert off(site) == set()
            site.sim.journal.clear()
            assert site.play("directpath.vsphere.restore", "on-call") == 0, site.told
            assert ("changed=1" in site.told) == (how == "Ctrl-C twice"), site.told
            assert off(site) == set()
            assert site.reboots() == {}, "restore reboots no host"
        assert site.play("directpath.vsphere.status", "on-call") == 0, site.told
        assert site.roll("colleague-in-the-morning") == 0, site.told
        assert site.reboots() == {"esx-02.lab": 1, "esx-03.lab": 1}, "esx-01 was rebooted before"
        assert site.state() == {**site.before, "pending": []}, site.told


def test_a_server_that_cannot_be_read_is_not_nothing(tmp_path: Path) -> None:
    with vcenter(tmp_path) as site:
        site.port = 1
        assert site.play("directpath.vsphere.status", "on-call") == 4
        assert "UNREACHABLE" in site.told
