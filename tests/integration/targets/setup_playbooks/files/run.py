# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a playbook of the collection in a process of its own, as a user does, and print as JSON what came of it.

One argument, a JSON object: ``playbook``, ``inventory`` and ``arguments`` of ansible-playbook, ``simulators`` (name →
``control``, the address of its control page, and ``ca``) and ``keep``, whether to keep what the roles say. A single
module does all this, because every task of a target that starts one costs as much as a good part of a play.
"""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

RESULTS = {
    "enable": "{{ (enable_devices_result | default({})).changes | default([]) }}",
    "reboot": "{{ (rolling_reboot_result | default({})).changes | default([]) }}",
    "attach": "{{ (attach_devices_result | default({})).changes | default([]) }}",
    "differences": "{{ (verify_result | default({})).differences | default([]) }}",
}


def wrapper(playbook: str, folder: Path) -> list[dict[str, object]]:
    """A playbook that runs the one under test and writes what the roles say into a file for each leader."""
    write = {
        "name": "Write it to a file",
        "ansible.builtin.copy": {
            "dest": f"{folder}/{{{{ inventory_hostname }}}}.json",
            "content": "{{ kept | to_json }}",
            "mode": "0600",
        },
        "vars": {"kept": RESULTS},
        "check_mode": False,
        "changed_when": False,
        "diff": False,
        "tags": ["always"],
    }
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    keep = {
        "name": "Keep what the roles say",
        "hosts": "directpath_leaders",
        "gather_facts": False,
        "vars": local,
        "tasks": [write],
    }
    return [{"name": "The playbook under test", "ansible.builtin.import_playbook": playbook}, keep]


def ask(simulator: dict[str, str], path: str) -> object:
    """An answer of a control page."""
    trust = ssl.create_default_context(cafile=simulator["ca"])
    with urllib.request.urlopen(simulator["control"] + path, timeout=180, context=trust) as answer:
        return json.loads(answer.read())


def calls_after(simulator: dict[str, str], mark: int) -> list[dict[str, object]]:
    """The calls a simulator has seen since."""
    return ask(simulator, f"/journal?since={mark}&limit=100000")


def newest(simulator: dict[str, str]) -> int:
    """The number of the last call."""
    seen = ask(simulator, "/journal?limit=1")
    return seen[-1]["seq"] if seen else 0


def run(given: dict[str, object], folder: Path) -> dict[str, object]:
    playbook = f"directpath.vsphere.{given['playbook']}"
    if given["keep"]:
        file = folder / "wrapper.yml"
        file.write_text(json.dumps(wrapper(playbook, folder)), encoding="utf-8")
        playbook = str(file)
    marks = {name: newest(simulator) for name, simulator in given["simulators"].items()}
    command = ["ansible-playbook", "-i", given["inventory"], playbook, *given["arguments"]]
    environ = {**os.environ, "ANSIBLE_SHOW_CUSTOM_STATS": "true"}
    done = subprocess.run(command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    output, _title, published = done.stdout.decode().partition("\nCUSTOM STATS:")
    stats = re.search(r"(?m)^\s*RUN: (\{.*\})$", published)
    seen = {name: calls_after(simulator, marks[name]) for name, simulator in given["simulators"].items()}
    recap = re.findall(r"(?m)^(\S+)\s*: ok=\d+\s+changed=(\d+)", output)
    return {
        "rc": done.returncode,
        "output": output,
        "warnings": " ".join(done.stderr.decode().split()),
        "changed": {host: int(number) for host, number in recap},
        "records": [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))],
        "writes": {name: [call["method"] for call in calls if call["write"]] for name, calls in seen.items()},
        "calls": {name: len(calls) for name, calls in seen.items()},
        "stats": json.loads(stats[1]) if stats else {},
    }


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="directpath-run-") as name:
        json.dump(run(json.loads(sys.argv[1]), Path(name)), sys.stdout)


if __name__ == "__main__":
    main()
