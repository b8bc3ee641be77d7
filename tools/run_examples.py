# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Execute every module's EXAMPLES against the simulator: a check run that writes nothing, then the run itself.

tests/docs/examples.yml says which lab a module's examples are written for and gives the variables they use. Where an
example connects (hostname, username ...), its connection options are replaced by the lab's. Each module gets a fresh
simulator, and after the check run its journal must hold no write.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tools.envs import ROOT
from tools.generate import documentation
from tools.lab import LabError, control, running
from tools.run_docs import example_environ

SETTINGS = ROOT / "tests" / "docs" / "examples.yml"
CONNECTION = ("hostname", "username", "password", "port", "validate_certs", "ca_path", "proxy_host", "proxy_port")
STEP_SECONDS = 600


def module_files(root: Path = ROOT) -> list[Path]:
    """Every module, sorted by name."""
    return sorted((root / "plugins" / "modules").glob("[a-z]*.py"))


def playbook(examples: list[dict[str, Any]], variables: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One play of all the examples; connection options come from the environment instead."""
    play: dict[str, Any] = {
        "name": "Examples",
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": dict(variables) | {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "tasks": [without_connection(task) for task in examples],
    }
    return [play]


def without_connection(task: Mapping[str, Any]) -> dict[str, Any]:
    """The task without its connection options; everything else as written."""
    result = dict(task)
    for key, value in task.items():
        if key.startswith("directpath.vsphere.") and isinstance(value, Mapping):
            result[key] = {name: option for name, option in value.items() if name not in CONNECTION}
    return result


def settings_of(module: str) -> dict[str, Any]:
    """`lab`, `vars` and `expect_failed` of a module, with the defaults filled in."""
    loaded = yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))
    own = (loaded.get("modules") or {}).get(module) or {}
    return {"lab": own.get("lab", loaded["lab"]), "vars": {**(loaded.get("vars") or {}), **(own.get("vars") or {})}}


def run_module(path: Path, environ: Mapping[str, str]) -> str | None:
    """None when both runs of the module's examples did what they should; else what went wrong."""
    examples = yaml.safe_load(documentation(path, "EXAMPLES"))
    settings = settings_of(path.stem)
    with tempfile.TemporaryDirectory(prefix="directpath-examples-") as folder, running(settings["lab"]) as variables:
        file = Path(folder) / f"{path.stem}.yml"
        file.write_text(yaml.safe_dump(playbook(examples, settings["vars"]), sort_keys=False), encoding="utf-8")
        for options in (["--check", "--diff"], ["--diff"]):
            done = subprocess.run(
                ["ansible-playbook", *options, str(file)],
                cwd=folder,
                env={**environ, **variables},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=STEP_SECONDS,
                check=False,
            )
            label = " ".join(options)
            if done.returncode != 0:
                return f"{path.stem} ({label}): exit status {done.returncode}\n{done.stdout}"
            if "--check" in options and (writes := control(variables, "/journal?writes=1")):
                return f"{path.stem} ({label}): check mode wrote: {writes}\n{done.stdout}"
    return None


def main() -> int:
    """Exit status 1 when any module's examples fail."""
    parser = argparse.ArgumentParser(prog="python -m tools.run_examples", description=__doc__)
    parser.add_argument("modules", nargs="*", help="module names; all when none is named")
    wanted = parser.parse_args().modules
    chosen = [path for path in module_files() if not wanted or path.stem in wanted]
    environ = example_environ("docs")
    passed = failed = 0
    for path in chosen:
        try:
            problem = run_module(path, environ)
        except (LabError, subprocess.TimeoutExpired) as error:
            problem = f"{path.stem}: {error}"
        failed += problem is not None
        passed += problem is None
        print(f"FAILED {problem}" if problem else f"ok     {path.stem}", flush=True)
    if not chosen:
        print("no module was found")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
