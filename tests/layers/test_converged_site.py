# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many processes a run of ``site`` starts that changes nothing. Each task is one, also a skipped one, and costs 0.03 to 0.06 s.

The integration target ``playbook_site_vcenter`` counts the tasks that really ran (docs/decisions/0012-site-looks-first.md).
"""

from __future__ import annotations

from typing import Any

import yaml

from tools.envs import ROOT

TASKS = [
    "Read the desired state from the inventory",
    "Add the leader of each vCenter to a group",
    "Compare the desired state with the actual state",
    "Show that nothing is left to do",
]
META = "ansible.builtin.meta"


def loaded(file: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))
    return found


def tasks_until_the_host_ends(play: dict[str, Any]) -> list[dict[str, Any]]:
    """The tasks of a play that a converged vCenter runs: up to the first ``meta: end_host``."""
    found: list[dict[str, Any]] = []
    for task in [*play.get("pre_tasks", ()), *play.get("tasks", ())]:
        if task.get(META) == "end_host":
            break
        role = task.get("ansible.builtin.import_role")
        found += [task] if role is None else tasks_of_role(**role)
    return found


def tasks_of_role(name: str, tasks_from: str = "main") -> list[dict[str, Any]]:
    return loaded(f"roles/{name.rpartition('.')[2]}/tasks/{tasks_from}.yml")


def converged_tasks() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for play in loaded("playbooks/site.yml"):
        playbook = play.get("ansible.builtin.import_playbook")
        plays = [play] if playbook is None else loaded(f"playbooks/{playbook}")
        # The guests that are prepared are in a group that only an earlier task creates.
        found += [
            task for one in plays if "directpath_guests" not in one["hosts"] for task in tasks_until_the_host_ends(one)
        ]
    return found


def test_a_run_that_changes_nothing_has_four_tasks() -> None:
    assert [task["name"] for task in converged_tasks()] == TASKS


def test_the_last_of_them_needs_no_filter_of_the_collection() -> None:
    """The first filter in a task makes Ansible compile all files with filters."""
    assert "directpath.vsphere." not in str(converged_tasks()[-1])
