# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the tarball and use it like a user: install it in an empty folder, and run it from another folder.

``python -m tools.package installed``  build, check the tarball, install, run plan, site and the simulator from the installed copy
``python -m tools.package site``       run plan and site from a tree, with the ansible-core of this environment
``python -m tools.package molecule``   run the molecule scenario
``python -m tools.package importer``   build, and check it with galaxy-importer, which Galaxy runs on an upload
``python -m tools.package importer-lint``   the same with its ansible-lint
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import yaml

from tools.commands import StepError, changed, must
from tools.envs import ROOT, clean_environ
from tools.generate import metadata
from tools.lab import LabError, control, running
from tools.markdown import blocks
from tools.published_readme import problems, with_absolute_links
from tools.tree import collection, collections_path, sync
from tools.warm import warm

LAB = "simulator/labs/demo.yml"
INVENTORY = ROOT / "examples" / "vcenter" / "inventory.yml"
FORBIDDEN = re.compile(
    r"^(\.|benchmarks/|tools/|tests/(browser|conformance|controller|docs|integration|kill|layers|output|recorded|scale|tools|unit)/"
    r"|dist/|Makefile|conftest|ansible\.cfg|pyproject"
    r"|importer_result|.*(\.tar\.gz|\.pyc|__pycache__|\.plugin-cache\.yaml)$)"
)
TEMPLATES = sorted((ROOT / "plugins" / "plugin_utils" / "templates").glob("*.j2"))
EXTENSIONS = sorted(
    str(path.relative_to(ROOT))
    for path in (ROOT / "extensions" / "eda").rglob("*")
    if path.is_file() and path.suffix in (".py", ".yml")
)
"""Event sources and rulebooks: ansible-rulebook finds them by the full name of the collection."""
NEEDED = (
    "README.md",
    "COPYING",
    "CHANGELOG.md",
    "meta/runtime.yml",
    "requirements.txt",
    "playbooks/site.yml",
    "examples/mesh/job.sh",
    "examples/monitoring/alerts.yml",
    *EXTENSIONS,
    *(str(path.relative_to(ROOT)) for path in TEMPLATES),
)


def build(folder: Path, environ: Mapping[str, str], tree: str, version: str = "", *, for_galaxy: bool = False) -> Path:
    """Build the tarball of the working files. With `version`, that of a copy which differs in nothing but its version. ``for_galaxy``:
    its README.md has absolute links. ``tree``: that of the stage, because stages run at the same time and this changes files in it."""
    for name in ("galaxy.yml", "README.md"):
        (collection(tree) / name).unlink(missing_ok=True)
    copy = sync(tree)
    if version:
        text = re.sub(r"(?m)^version: .*$", f"version: {version}", (copy / "galaxy.yml").read_text(encoding="utf-8"))
        (copy / "galaxy.yml").write_text(text, encoding="utf-8")
    if for_galaxy:
        about, text = metadata(copy), (copy / "README.md").read_text(encoding="utf-8")
        text = with_absolute_links(text, about["repository"], about["version"])
        (copy / "README.md").write_text(text, encoding="utf-8")
    folder.mkdir(exist_ok=True)
    must(["ansible-galaxy", "collection", "build", "--output-path", str(folder)], collection(tree), environ)
    (tarball,) = folder.glob("directpath-vsphere-*.tar.gz")
    return tarball


def content_problems(names: list[str]) -> list[str]:
    """Files that the tarball must not contain, and missing ones."""
    wrong = [f"the tarball holds {name}" for name in names if FORBIDDEN.match(name) and name != "."]
    return wrong + [f"the tarball lacks {name}" for name in NEEDED if name not in names]


def check_installed(environ: Mapping[str, str], folder: Path) -> int:
    """Build, check, install and run. Returns the number of passed checks. Raises StepError."""
    tarball = build(folder, environ, "package")
    with tarfile.open(tarball) as archive:
        names = [member.name.removeprefix("./") for member in archive.getmembers()]
    wrong = content_problems(names) + problems((ROOT / "README.md").read_text(encoding="utf-8"), names)
    if wrong:
        raise StepError("\n".join(wrong))
    target = folder / "installed"
    must(["ansible-galaxy", "collection", "install", str(tarball), "-p", str(target)], folder, environ)
    start_simulator(target / "ansible_collections" / "directpath" / "vsphere", environ, folder)
    install_from_git(environ, folder)
    return (
        5
        + check_execution_environment(target, folder, environ)
        + run_site({**environ, "ANSIBLE_COLLECTIONS_PATH": str(target)}, folder)
    )


def start_simulator(installed: Path, environ: Mapping[str, str], folder: Path) -> None:
    """Start the simulator of the installed collection as README.md says, and stop it. Raises StepError."""
    ready = folder / "ready"
    command = [sys.executable, "-m", "simulator", "--lab", "simulator/labs/demo.yml", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--ready-file", str(ready)], cwd=installed, env=dict(environ), stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 180
    while not ready.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    started = ready.exists()
    process.send_signal(signal.SIGTERM)
    if (code := process.wait(timeout=120)) != 0 or not started:
        raise StepError(f"the simulator of the installed collection ended with status {code}, started: {started}")


def install_from_git(environ: Mapping[str, str], folder: Path) -> None:
    """Install with the requirements.yml of README.md, from this checkout. Raises StepError."""
    page = blocks((ROOT / "README.md").read_text(encoding="utf-8"), "README.md")
    (wanted,) = [yaml.safe_load(block.text) for block in page if block.text.startswith("collections:")]
    (entry,) = wanted["collections"]
    about = metadata()
    if entry != {"name": f"{about['repository']}.git", "type": "git", "version": f"v{about['version']}"}:
        raise StepError(f"README.md installs {entry}, which is not what galaxy.yml says")
    entry |= {"name": ROOT.as_uri(), "version": "HEAD"}
    requirements = folder / "requirements.yml"
    requirements.write_text(yaml.safe_dump(wanted), encoding="utf-8")
    target = folder / "from-git"
    must(["ansible-galaxy", "collection", "install", "-r", str(requirements), "-p", str(target)], folder, environ)
    if not (target / "ansible_collections" / "directpath" / "vsphere" / "MANIFEST.json").exists():
        raise StepError("requirements.yml of README.md did not install the collection")


def check_execution_environment(installed: Path, folder: Path, environ: Mapping[str, str]) -> int:
    """ansible-builder finds the Python packages that the collection needs, and accepts the example. Returns the number of passed checks."""
    found = yaml.safe_load(must(["ansible-builder", "introspect", "--sanitize", str(installed)], folder, environ))
    packages = {re.split(r"[<>=~! ]", line)[0] for line in found["python"]}
    if packages != {"pyvmomi", "requests"}:
        raise StepError(f"ansible-builder finds {sorted(packages)}, not pyvmomi and requests")
    example = ROOT / "examples" / "execution_environment" / "execution-environment.yml"
    must(["ansible-builder", "create", "-f", str(example), "-c", str(folder / "context")], folder, environ)
    return 2


def check_molecule(environ: dict[str, str]) -> int:
    """Run the scenario of extensions/molecule. Returns the number of passed checks."""
    extensions = sync("molecule") / "extensions"
    variables = {"ANSIBLE_COLLECTIONS_PATH": str(collections_path("molecule"))}
    output = must(["molecule", "test", "--scenario-name", "default"], extensions, {**environ, **variables})
    if "idempotence" not in output:
        raise StepError(f"molecule ran something else:\n{output}")
    return 1


def run_site(environ: dict[str, str], folder: Path) -> int:
    """Run plan (must not write), site, and site again (must not change anything), by their full names from another folder."""
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    with running(LAB) as variables:
        both = {**environ, **variables}
        options = ["--inventory", str(INVENTORY), "--extra-vars", "rolling_reboot_consent=true"]
        must(["ansible-playbook", "directpath.vsphere.plan", *options], elsewhere, both)
        if writes := control(variables, "/journal?writes=1"):
            raise StepError(f"plan wrote: {writes}")
        first = must(["ansible-playbook", "directpath.vsphere.site", *options], elsewhere, both)
        if sum(changed(first).values()) == 0:
            raise StepError(f"site changed nothing:\n{first}")
        second = must(["ansible-playbook", "directpath.vsphere.site", *options], elsewhere, both)
        if sum(changed(second).values()) != 0:
            raise StepError(f"the second site changed something:\n{second}")
    return 4


FIRST_STABLE = "1.0.0"


def check_importer(environ: dict[str, str], folder: Path) -> int:
    """Run galaxy-importer on the tarball as it is built, and on a copy with a stable version. Returns the number of passed checks."""
    imported(build(folder / "built", environ, "importer", for_galaxy=True), environ, folder)
    copy = build(folder / "stable", environ, "importer", FIRST_STABLE)
    imported(copy, environ, folder, REQUIRE_V1_OR_GREATER=True)
    return 2


def check_importer_lint(environ: dict[str, str], folder: Path) -> int:
    """Run galaxy-importer with its ansible-lint. The stage ansible-lint applies the same rules to the same files, and to all others."""
    imported(build(folder / "built", environ, "importer-lint", for_galaxy=True), environ, folder, RUN_ANSIBLE_LINT=True)
    return 1


def imported(tarball: Path, environ: Mapping[str, str], folder: Path, **checks: bool) -> None:
    """Check a tarball with galaxy-importer. ansible-test is a stage of its own. Raises StepError if it complains."""
    options = {
        "RUN_ANSIBLE_TEST": False,
        "RUN_ANSIBLE_LINT": False,
        "CHECK_REQUIRED_TAGS": True,
        "CHECK_CHANGELOG": True,
        "ANSIBLE_LOCAL_TMP": folder / "tmp",
        **checks,
    }
    settings = folder / "importer.cfg"
    lines = [f"{name} = {value}\n" for name, value in options.items()]
    settings.write_text("[galaxy-importer]\n" + "".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "galaxy_importer.main", str(tarball)]
    output = must(command, folder, {**environ, "GALAXY_IMPORTER_CONFIG": str(settings)})
    print(output)
    bad = [line for line in output.splitlines() if re.match(r"(ERROR|CRITICAL|WARNING)", line)]
    if bad or "Importer processing completed successfully" not in output:
        raise StepError(f"galaxy-importer rejects {tarball.name}:\n{output}")


def main() -> int:
    """Exit status 1 when the named check fails."""
    environ = clean_environ(Path(sys.prefix))
    with tempfile.TemporaryDirectory(prefix="directpath-package-") as name:
        folder = Path(name)
        try:
            if sys.argv[1:] == ["installed"]:
                passed = check_installed(environ, folder)
            elif sys.argv[1:] == ["site"]:
                tree = f"site-{Path(sys.prefix).name}"
                sync(tree)
                environ["ANSIBLE_COLLECTIONS_PATH"] = str(collections_path(tree))
                with warm(environ) as variables:
                    passed = run_site(environ | variables, folder)
            elif sys.argv[1:] == ["molecule"]:
                passed = check_molecule(environ)
            elif sys.argv[1:] == ["importer"]:
                passed = check_importer(environ, folder)
            elif sys.argv[1:] == ["importer-lint"]:
                passed = check_importer_lint(environ, folder)
            else:
                print(__doc__)
                return 2
        except (StepError, LabError) as problem:
            print(problem)
            return 1
    print(f"{passed} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
