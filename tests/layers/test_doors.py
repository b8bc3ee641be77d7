# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever opens a socket, writes a file or starts a program passes the gate of a rehearsal, or is listed here with the reason why not.

See docs/decisions/0041. A new file that does one of these fails here, so that it is decided what it does in a rehearsal.
"""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tools.architecture import files
from tools.envs import ROOT

PLUGINS = files("plugins")
GATE = re.compile(r"import [^\n]*\b(place_of|is_left_out|twin_of|current)\b")
WRITES = re.compile(
    r"os\.open\([^)]*O_(?:WRONLY|RDWR)|mkdtemp\(|mkstemp\(|TemporaryDirectory\(|NamedTemporaryFile\(|\.write_(?:text|bytes)\(|"
    r"open\([^)\n]*[\"'][wax]b?\+?[\"']|\.open\([\"'][wax]|copyfile\("
)
SOCKETS = re.compile(r"socket\.socket\(|create_connection\(|urlopen\(|open_url\(|open_connection\(")
PROGRAMS = re.compile(r"subprocess\.(?:run|Popen|check_output|call)\(|os\.system\(|os\.exec|os\.spawn|run_command\(")

OF_THE_GATE = "plugins/module_utils/_vsphere/http/twins.py"
REHEARSE = "plugins/plugin_utils/rehearsal/"
"""What starts rehearsals. It does not run in one (error code rehearsal_in_rehearsal)."""
WITHOUT_THE_GATE = {
    OF_THE_GATE: "it is behind the gate",
    "plugins/plugin_utils/kept_results.py": "its folder is that of the rehearsal",
    "plugins/plugin_utils/tasks/live_run.py": "its folder is made by in_slices.py, which passes the gate",
    "plugins/plugin_utils/tasks/terminal.py": "it writes to the terminal",
    "plugins/plugin_utils/adoption/folder.py": "its folder is chosen in results.py, which passes the gate",
    "plugins/module_utils/_vsphere/attributes/file_journal.py": "its path is made in values.py, which passes the gate",
    "plugins/module_utils/_shell/engine/earlier_tasks.py": "its folder is in that of Ansible, which a rehearsal sets (ANSIBLE_LOCAL_TEMP)",
    "plugins/module_utils/_vsphere/rehearsal/watch.py": "it watches a twin, for what starts rehearsals",
    "plugins/module_utils/_shell/rolling/run_owner.py": "ps of this machine shows whether another run is alive",
}


def found(pattern: re.Pattern[str]) -> list[str]:
    return [
        path for path, source in sorted(PLUGINS.items()) if pattern.search(source) and not path.startswith(REHEARSE)
    ]


@pytest.mark.parametrize("door", [WRITES, SOCKETS, PROGRAMS], ids=["files", "sockets", "programs"])
def test_each_door_passes_the_gate(door: re.Pattern[str]) -> None:
    without = [path for path in found(door) if path not in WITHOUT_THE_GATE and not GATE.search(PLUGINS[path])]
    assert without == []


def test_the_list_is_about_files_that_need_it() -> None:
    doors = {path for door in (WRITES, SOCKETS, PROGRAMS) for path in found(door)}
    assert sorted(WITHOUT_THE_GATE.keys() - doors) == []


def test_the_doors_are_seen() -> None:
    assert "plugins/module_utils/_vsphere/http/connections.py" in found(SOCKETS)
    assert "plugins/module_utils/_vsphere/health_gate/checks.py" in found(PROGRAMS)
    assert "plugins/plugin_utils/report/files.py" in found(WRITES)
    for text in (
        'open(path, "w")',
        "Path(x).write_text(y)",
        "os.open(draft, os.O_WRONLY | os.O_CREAT)",
        'path.open("x", encoding="utf-8")',
    ):
        assert WRITES.search(text), text
    assert not WRITES.search('open(path, "rb")')


def test_a_normal_run_imports_nothing_of_the_gate() -> None:
    package = "ansible_collections.directpath.vsphere.plugins.module_utils._vsphere"
    code = (
        f"import sys, conftest; from {package}.session.connect import connect_session; from {package}.session.endpoint import *; "
        f"from {package}.http.rehearsal import current, place_of; on_twin(Endpoint(hostname='a', username='b', password='c')); "
        "place_of('/a'); print(current(), *[name for name in sys.modules if name.endswith('.twins')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None"
