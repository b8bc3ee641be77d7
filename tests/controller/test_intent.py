# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mistake in the intent, as ansible-playbook shows it."""

from __future__ import annotations

from pathlib import Path

from tests.controller.fleet import Programs, fleet

PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - debug: {msg: "{{ ansible_play_hosts_all | directpath.vsphere.intent(hostvars) }}"}
      run_once: true
"""


def test_a_mistake_is_shown_with_its_file(tmp_path: Path, programs: Programs) -> None:
    mistake = tmp_path / "group_vars" / "gpu.yml"
    mistake.parent.mkdir()
    mistake.write_text("---\npassthrough_vms:\n  - name: a\n    devcies: []\n", encoding="utf-8")
    with fleet(tmp_path, programs) as made:
        hosts = made.source("gpu:\n  vars: {vcenter_hostname: vc-a}\n  hosts: {esx-01: }\n", "inventory.yml")
        done = made.run("ansible-playbook", "-i", str(hosts), str(made.source(PLAY, "play.yml")))
    said = done.stdout + done.stderr
    assert done.returncode == 2, said
    assert "Inventory host esx-01: passthrough_vms[0] has the unknown key devcies" in said
    assert f"{mistake}:3:" in said
    assert f"{hosts}:" not in said
    assert "Traceback" not in said
