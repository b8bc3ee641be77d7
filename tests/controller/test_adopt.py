# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs whose names look like templates: adopted, planned and compared by their names, in each release of ansible-core."""

from __future__ import annotations

from pathlib import Path

from tests.controller.fleet import Programs, fleet

NAME = "train {{ 7 * 7 }} {% raw %} #1"
HEADER = "#jinja2:variable_start_string:'[[' [[ 7 * 7 ]]"
"""A name that changes the signs of templates: without !unsafe, Ansible evaluates it."""
LAB = {
    "kind": "vcenter",
    "version": "8.0.3",
    "name": "vc.lab",
    "datacenters": [
        {
            "name": "DC1",
            "clusters": [
                {
                    "name": "gpu",
                    "hosts": [
                        {
                            "name": "gpu-01.lab",
                            "cards": [*({"card": "t4", "at": at, "enabled": True} for at in ("3b", "5e")), "nvme-data"],
                        }
                    ],
                    "vms": [
                        {"name": name, "host": "gpu-01", "devices": [{"dynamic": "10de:1eb8"}]}
                        for name in (NAME, HEADER)
                    ],
                }
            ],
        }
    ],
}


def test_the_names_stay_names(tmp_path: Path, programs: Programs) -> None:
    with fleet(tmp_path, programs, a=LAB) as made:
        start = made.source(
            f"all:\n  hosts:\n    vc:\n      vcenter_hostname: localhost\n      vcenter_port: {made.ports['a']}\n"
            f"      vcenter_ca_path: {made.ca_files['a']}\n",
            "start.yml",
        )
        target = tmp_path / "adopted"
        done = made.run("ansible-playbook", "directpath.vsphere.adopt", "-i", str(start), "-e", f"adopt_dest={target}")
        assert done.returncode == 0, done.stdout + done.stderr
        written = "".join(path.read_text(encoding="utf-8") for path in target.rglob("*.yml"))
        assert f'!unsafe "{NAME}"' in written
        assert f'!unsafe "{HEADER}"' in written
        assert f"vcenter_ca_path: {made.ca_files['a']}" in written.replace('"', "")
        planned = made.run("ansible-playbook", "directpath.vsphere.plan", "-i", str(target))
        assert planned.returncode == 0, planned.stdout + planned.stderr
        assert "Nothing blocks the playbook site" in planned.stdout, planned.stdout
        compared = made.run(
            "ansible-playbook", "directpath.vsphere.drift", "-i", str(target), "-e", "drift_report_scope=fleet"
        )
        assert compared.returncode == 0, compared.stdout + compared.stderr
        assert "1 host and 2 VMs compared: in sync" in compared.stdout, compared.stdout
