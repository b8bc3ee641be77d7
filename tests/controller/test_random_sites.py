# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Some of the random labs of tests/unit/exploring through the playbooks themselves, with the same promises."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.controller.fleet import Fleet, Programs, fleet
from tests.unit.exploring.random_labs import Example, commit_seed, example

SEED, SITES = commit_seed(), 20
OPTIONS = (
    "-e",
    "rolling_reboot_consent=true",
    "-e",
    "rolling_reboot_canary=false",
    "-e",
    "rolling_reboot_drain_timeout=120",
)


def inventory(made: Fleet, found: Example) -> Path:
    """The intent as a user writes it."""
    variables = {
        **made.entry("vc"),
        "enable_devices_on_missing": found.on_missing,
        "rolling_reboot_pinned_vms": found.pinned,
        "rolling_reboot_evacuate_powered_off": found.evacuate_powered_off,
        "rolling_reboot_journal_dir": str(made.folder / "journal"),
    }
    named = {
        "vcenter_hostname": variables.pop("hostname"),
        "vcenter_port": variables.pop("port"),
        "vcenter_ca_path": variables.pop("ca_path"),
        "passthrough_vms": found.vms,
    }
    if found.lab["kind"] == "esxi":
        named |= {"passthrough_host_name": found.lab["name"], "passthrough_devices": found.targets[0]["devices"]}
    else:
        named["passthrough_hosts"] = found.targets
    body = {"all": {"vars": {**variables, **named}, "hosts": {"leader": {}}}}
    return made.source(json.dumps(body), "inventory.yml")


def play(made: Fleet, name: str, source: Path) -> tuple[bool, bool, str]:
    """(whether it succeeded, whether anything was changed in vCenter, what it printed)."""
    sim = made.sims["vc"]
    sim.journal.clear()
    account = next(iter(sim.authz.users.values()))
    env = {"VMWARE_USER": account.name, "VMWARE_PASSWORD": account.password}
    done = made.run("ansible-playbook", "-i", str(source), f"directpath.vsphere.{name}", *OPTIONS, env=env)
    return done.returncode == 0, bool(sim.journal.writes()), done.stdout + done.stderr


@pytest.mark.long
@pytest.mark.parametrize("number", range(SITES), ids=lambda number: f"{SEED}/{number}")
def test_a_random_site(tmp_path: Path, programs: Programs, number: int) -> None:
    found = example(SEED, number)
    with fleet(tmp_path, programs, vc=found.lab) as made:
        source = inventory(made, found)
        planned, wrote, said = play(made, "plan", source)
        assert not wrote, said
        reached, _changed, told = play(made, "site", source)
        where = f"{found.told}\n{said}\n{told}"
        if planned and "is rebooted first: DRS moves it" not in said:
            assert reached, where
        if reached:
            verified, wrote, said = play(made, "verify", source)
            assert (verified, wrote) == (True, False), f"{where}\n{said}"
            again, wrote, said = play(made, "site", source)
            assert (again, wrote) == (True, False), f"{where}\n{said}"
