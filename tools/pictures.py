# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the pictures of README.md from real runs against the simulator: a recording of a rolling reboot, its timeline, and a drift report.

``python -m tools.pictures [FOLDER]`` writes them to docs/pictures, or to the folder. Run it when the output has changed, and look at them.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.commands import run
from tools.devtools import browser
from tools.envs import ROOT
from tools.lab import control, running
from tools.recording import picture, record
from tools.run_docs import example_environ

TARGET = ROOT / "docs" / "pictures"
MOST_BYTES = 300_000
ROLLING = """\
- name: Rolling reboot
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Reboot the hosts that require it
      directpath.vsphere.host_rolling_reboot:
        cluster: [gpu, storage]
        pinned_vms: shutdown
        timeline_html: timeline.html
"""
COMMAND = ("ansible-playbook", "rolling.yml")
SIZES = {"timeline": (900, 820), "drift": (1080, 980)}
"""Width and height of what is shown of a page, in pixels."""
CLOCK = re.compile(r"the clock of \S+ is .* of this machine")
"""The clock of the simulator runs ahead, because it runs faster. Real servers do not."""
SPEED = 45.0


def rolling_reboot(folder: Path, target: Path, environ: Mapping[str, str]) -> None:
    """Record a rolling reboot of six hosts. Its timeline is in the folder afterwards."""
    (folder / "rolling.yml").write_text(ROLLING, encoding="utf-8")
    colored = {name: value for name, value in environ.items() if name not in ("NO_COLOR", "ANSIBLE_NOCOLOR")}
    with running(ROOT / "tools" / "pictures.yml", SPEED) as lab:
        made = record(COMMAND, folder, {**colored, **lab, "TERM": "xterm-256color"}, 600)
    made.lines = [(at, text.replace(f"{folder}/", "")) for at, text in made.lines if not CLOCK.search(text)]
    (target / "rolling_reboot.svg").write_text(picture(made, f"$ {' '.join(COMMAND)}"), encoding="utf-8")


def drift(folder: Path, environ: Mapping[str, str]) -> None:
    """Compare a lab with its inventory after other users changed something. The page is in the folder afterwards."""
    shutil.copy(ROOT / "examples" / "vcenter" / "inventory.yml", folder)
    play = ["ansible-playbook", "--inventory", "inventory.yml", "--extra-vars"]
    with running("simulator/labs/demo.yml") as lab:
        both = {**environ, **lab}
        done = run([*play, "rolling_reboot_consent=true", "directpath.vsphere.site"], folder, both)
        if done.code != 0:
            raise RuntimeError(done.output)
        for name, arguments in CHANGES:
            control(lab, f"/events/{name}", arguments)
        run([*play, "drift_report_html=drift.html", "directpath.vsphere.drift"], folder, both)
    page = folder / "drift.html"
    page.write_text(page.read_text(encoding="utf-8").replace(f"{folder}/", ""), encoding="utf-8")


CHANGES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("set_device_state", {"host": "gpu-02.lab", "address": "0000:3b:00.0", "enabled": False, "active": False}),
    ("set_device_state", {"host": "nvme-02.lab", "address": "0000:3b:00.0", "active": False}),
    ("power_vm", {"vm": "db-01", "on": False}),
    ("disconnect_host", {"host": "gpu-03.lab"}),
)
"""Events of the simulator: what other users did."""


def main() -> int:
    """Exit status 1 when a picture is too large."""
    target = Path(sys.argv[1]) if sys.argv[1:] else TARGET
    target.mkdir(parents=True, exist_ok=True)
    environ = example_environ("pictures")
    with tempfile.TemporaryDirectory(prefix="directpath-pictures-") as name:
        folder = Path(name)
        rolling_reboot(folder, target, environ)
        drift(folder, environ)
        with browser() as chromium:
            for page, (width, height) in SIZES.items():
                tab = chromium.open(folder / f"{page}.html", width=width, height=height)
                tab.picture(target / f"{page}.png", whole=False)
    large = [path.name for path in target.iterdir() if path.stat().st_size > MOST_BYTES]
    print("\n".join(f"{path.name}: {path.stat().st_size} bytes" for path in sorted(target.iterdir())))
    return 1 if large else 0


if __name__ == "__main__":
    sys.exit(main())
