# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-playbook with the action plugin as it is, and in the place of its module one that plays a script.

The plugin is what is tried here, with all of Ansible around it: a worker process, a display, a log, a terminal. What it does in
itself is tried in tests/unit/action, the module in tests/unit/modules.
"""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.envs import ROOT, clean_environ

PASSWORD = "s3cr3t-w0rd"

PATIENCE = 600
"""Seconds for a program of Ansible on a busy machine."""

MODULE = r"""#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
import json, os, shutil, stat, sys, time
from ansible.module_utils.basic import AnsibleModule


def main():
    names = "hostname cluster run_id slice continue_run stopped_vms resolved option_prefix option_names"
    names += " progress progress_file timeline_html timeline_json shared_dir stop_reason"
    options = {name: dict(type="raw") for name in names.split()}
    module = AnsibleModule(argument_spec=dict(password=dict(no_log=True), **options), supports_check_mode=True)
    folder = os.environ["ROLL_SCRIPT"]
    with open(os.path.join(folder, "calls.jsonl"), "a+") as calls:
        calls.seek(0)
        number = len(calls.readlines())
        file = module.params["progress_file"]
        mode = oct(stat.S_IMODE(os.stat(file).st_mode)) if file and os.path.exists(file) else None
        told = dict(pid=os.getpid(), check=module.check_mode, mode=mode, params={k: v for k, v in module.params.items() if k != "password"})
        calls.write(json.dumps(told) + "\n")
    def wait_for_gate(name):
        end = time.monotonic() + 900
        while name and not os.path.exists(os.path.join(folder, name)) and time.monotonic() < end:
            time.sleep(0.02)

    with open(os.path.join(folder, "script.json")) as file:
        part = json.load(file)[number]
    for record in part.get("progress", ()):
        wait_for_gate(record.pop("gate", ""))
        if module.params["progress_file"]:
            with open(module.params["progress_file"], "a") as progress:
                progress.write(json.dumps(record) + "\n")
    wait_for_gate(part.get("gate", ""))
    time.sleep(part.get("wait", 0))
    if "remove" in part:
        shutil.rmtree(part["remove"])
    if "crash" in part:
        raise RuntimeError(part["crash"])
    module.exit_json(**part["result"])


if __name__ == "__main__":
    main()
"""

ELSEWHERE = """
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
DOCUMENTATION = '''
name: elsewhere
short_description: a machine that is not the controller
description: [it is, but the plugin may not know]
author: [x]
extends_documentation_fragment: [connection_pipelining]
'''
import os
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection.local import Connection as Local


class Connection(Local):
    transport = "directpath.vsphere.elsewhere"

    def exec_command(self, *args, **kwargs):
        lost, calls = (os.path.join(os.environ["ROLL_SCRIPT"], name) for name in ("lost", "calls.jsonl"))
        if os.path.exists(lost) and open(lost).read() in open(calls).read():
            os.unlink(lost)
            raise AnsibleConnectionFailure("cable cut")
        return super().exec_command(*args, **kwargs)
"""

KEEP = """
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
import json


def keep(value, path):
    with open(path, "w") as file:
        json.dump(value, file, default=str)
    return "kept"


class FilterModule:
    def filters(self):
        return {"keep": keep}
"""


@dataclass
class Stage:
    """A folder with a collection, a script for its module, and a playbook of tasks that all roll.

    ``warm``: the process in whose forks modules run (tools/warm.py). Programs of Ansible are started as users start them.
    """

    folder: Path
    warm: str
    plays: list[dict[str, Any]] = field(default_factory=list)
    parts: list[dict[str, Any]] = field(default_factory=list)

    def task(
        self,
        *parts: dict[str, Any],
        name: str = "Roll",
        host: str = "here",
        options: dict[str, Any] | None = None,
        **words: Any,
    ) -> None:
        """One more task, and what its module does, call by call. Its result is kept under the task's name."""
        roll = {"cluster": ["gpu-a"], "password": PASSWORD, **(options or {})}
        task = {
            "name": name,
            "directpath.vsphere.host_rolling_reboot": roll,
            "register": "rolled",
            "ignore_errors": True,
        }
        kept = f"{{{{ rolled | directpath.vsphere.keep('{self.folder / name}.json') }}}}"
        keep = {"name": "Keep", "ansible.builtin.debug": {"msg": kept}, "no_log": False}
        self.plays.append({"hosts": host, "gather_facts": False, "tasks": [{**task, **words}, keep]})
        self.parts += parts
        self._write()

    def _write(self) -> None:
        made = self.folder / "c" / "ansible_collections" / "directpath" / "vsphere"
        if not made.exists():
            for name in ("plugins/modules", "plugins/connection", "plugins/filter"):
                (made / name).mkdir(parents=True)
            for name in ("plugins/action", "plugins/module_utils", "plugins/plugin_utils"):
                (made / name).symlink_to(ROOT / name)
            (made / "galaxy.yml").write_text("namespace: directpath\nname: vsphere\nversion: 0.0.1\n", encoding="utf-8")
            (made / "plugins" / "modules" / "host_rolling_reboot.py").write_text(MODULE, encoding="utf-8")
            (made / "plugins" / "filter" / "keep.py").write_text(KEEP, encoding="utf-8")
            (made / "plugins" / "connection" / "elsewhere.py").write_text(ELSEWHERE, encoding="utf-8")
        hosts = {
            name: {"ansible_python_interpreter": sys.executable, "ansible_connection": connection}
            for name, connection in {"here": "local", "away": "directpath.vsphere.elsewhere"}.items()
        }
        inventory = {"all": {"hosts": hosts}}
        (self.folder / "script.json").write_text(json.dumps(self.parts), encoding="utf-8")
        (self.folder / "project").mkdir(exist_ok=True)
        (self.folder / "inventory").mkdir(exist_ok=True)
        (self.folder / "project" / "play.json").write_text(json.dumps(self.plays), encoding="utf-8")
        (self.folder / "inventory" / "hosts.json").write_text(json.dumps(inventory), encoding="utf-8")

    def environ(self, **more: str) -> dict[str, str]:
        return {
            **clean_environ(Path(sys.prefix)),
            "ROLL_SCRIPT": str(self.folder),
            "ANSIBLE_COLLECTIONS_PATH": str(self.folder / "c"),
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "tmp"),
            "TZ": "UTC",
            "TERM": "xterm",
            "ANSIBLE_INVENTORY_ENABLED": "ansible.builtin.yaml",
            **more,
        }

    def command(self, *options: str) -> list[str]:
        play, hosts = self.folder / "project" / "play.json", self.folder / "inventory" / "hosts.json"
        return [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(hosts), str(play), *options]

    def play(self, *options: str, **environ: str) -> str:
        """What a log file would hold."""
        done = subprocess.run(
            self.command(*options),
            env=self.environ(DIRECTPATH_WARM=self.warm, **environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return done.stdout

    def open_gate(self, name: str) -> None:
        """Let the module go on. ``gate`` of a record of its progress, or of a part of its script: where it waits for that."""
        (self.folder / name).touch()

    def on_terminal(self, *options: str, gates: Mapping[str, str] | None = None, **environ: str) -> str:
        """What a terminal gets. ``gates``: words → the gate that is opened when they have been shown. A module whose words are not shown
        waits until the test fails.
        """
        outer, inner = pty.openpty()
        process = subprocess.Popen(
            self.command(*options),
            env=self.environ(DIRECTPATH_WARM=self.warm, **environ),
            stdin=inner,
            stdout=inner,
            stderr=inner,
        )
        os.close(inner)
        read, shown, left = b"", "", dict(gates or {})
        while True:
            ready, _unused, _unused = select.select([outer], [], [], PATIENCE)
            try:
                data = os.read(outer, 65536) if ready else b""
            except OSError:
                data = b""
            if not data:
                break
            read += data
            shown = read.decode(errors="replace")
            for words in [words for words in left if words in shown]:
                self.open_gate(left.pop(words))
        if not ready:
            process.kill()
        process.wait(timeout=PATIENCE)
        os.close(outer)
        assert not left, f"{left} were not shown:\n{shown}"
        return shown

    def calls(self) -> list[dict[str, Any]]:
        """What the module was called with, each time."""
        log = self.folder / "calls.jsonl"
        return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []

    def rolled(self, name: str = "Roll") -> dict[str, Any]:
        """The result of a task as the next task of the playbook sees it."""
        found: dict[str, Any] = json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))
        return found
