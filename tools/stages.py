# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of `make test` as data, in start order. A stage comes after the stages it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.envs import CACHE, HOME

OWN_HOME = {"HOME": str(HOME)}  # for caches and logs of linters
TREE = ".cache/tree/lint/ansible_collections/directpath/vsphere"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One command. `module` runs with ``python -m`` in the environment `env`; `command` runs unchanged.

    `cost`: about how many CPU seconds the stage takes (1 for few), to make equal parts for several machines. A stage that
    is not `daily` is not in `make test`; it runs only when it or its group is named.
    """

    name: str
    group: str
    about: str
    env: str | None = "main"
    module: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    folder: str = "."
    needs: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    timeout: int = 2400
    cost: int = 1
    daily: bool = True


def _pytest(*arguments: str) -> tuple[str, ...]:
    """One process: each further one would import and collect everything again, and several stages run at a time anyway. The log ends
    with the tests that took longest, for whoever wants to know what a stage costs."""
    return ("pytest", "-q", "-p", "no:cacheprovider", "--durations=25", *arguments)


DAILY = "not slow and not long"
SLOW = "slow and not long"
QUICK = ("tests/unit", "tests/layers", "tests/docs", "tests/tools")
"""What `pytest` runs without arguments (pyproject.toml)."""
MODULES = ("tests/unit/modules",)
OF_VMS = tuple(
    f"tests/unit/modules/{name}"
    for name in (
        *("vm_guest_info", "vm_memory_reservation", "vm_pci_device", "vm_sriov_network"),
        *("bad_input", "every_module", "fail_closed"),
    )
)
"""Tests of modules of VMs, and of what all modules have in common."""
WHOLE_JOBS = tuple(f"tests/unit/{name}" for name in ("exploring", "pains", "recorded"))
"""Tests of several modules together, and of answers of real servers."""
WIRE = tuple(f"tests/unit/{name}" for name in ("simulator", "module_utils/_vsphere"))
"""Tests of the simulator, and of what reads and writes. They wait more than the others."""
UNIT: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "unit-vms": ("modules of VMs, what all modules have in common, whole jobs", (*OF_VMS, *WHOLE_JOBS), ()),
    "unit-modules": ("all other modules", MODULES, OF_VMS),
    "unit-simulator": ("the simulator, what reads and writes", WIRE, ()),
    "unit-others": ("domain, layers, documents, tools, plugins", QUICK, (*MODULES, *WHOLE_JOBS, *WIRE)),
}
"""The four parts of `make unit`: what each is about, its folders, and those of them that are in another part. All take about as long."""
ROLLING = (
    *(
        f"tests/unit/modules/{name}"
        for name in ("host_rolling_reboot", "rolling_reboot_pause", "rolling_reboot_restore")
    ),
    *("tests/unit/module_utils/_domain/rolling", "tests/unit/module_utils/_shell/rolling", "tests/unit/pains"),
)
"""The first half of `make slow`: all about rolling reboots. The other half is all the rest."""
OLD_AND_NEW = (
    # Code that depends on Python: once with each version (see PURE).
    *("tests/unit/module_utils/_domain", "tests/unit/plugin_utils"),
    # Code that uses pyVmomi: with the oldest and the newest release (see NEWEST_PYVMOMI).
    "tests/unit/module_utils/_vsphere",
    # Code that uses ansible-core: each module once in each mode, and rejected input.
    *(
        "tests/layers/test_collection_path.py",
        "tests/unit/module_utils/_shell",
        "tests/unit/action",
        "tests/unit/filter",
        "tests/unit/inventory",
    ),
    "tests/unit/modules/bad_input/test_bad_input.py",
    *(f"tests/unit/modules/every_module/test_{name}.py" for name in ("contract", "sessions", "troubles", "versions")),
)
"""The tests that could have another result with another ansible-core, Python or pyVmomi. The rules of tests/layers read our files."""
PURE = ("tests/unit/module_utils/_domain",)
"""Tests of code that imports neither ansible-core nor pyVmomi (tests/layers): once with each Python. `unit-others` runs them with the
lowest one, which is also that of the environment `oldest`, and `unit-newest` with the newest."""
NEWEST_PYVMOMI = ("tests/unit/module_utils/_vsphere/property_collector/test_parser_on_labs.py",)
"""Every lab read by pyVmomi and by our parser: in the main environment, which has the newest pyVmomi, and with the oldest one."""


def _unit(name: str, about: str, folders: tuple[str, ...], others: tuple[str, ...]) -> Stage:
    return Stage(
        name=name,
        group="unit",
        about=f"unit tests: {about}",
        env="lowest",
        # pytest does not ignore what is an argument.
        module=_pytest("-m", DAILY, *folders, *(f"--ignore={folder}" for folder in others)),
        cost=70,
    )


def _compat(
    env: str,
    about: str,
    cost: int,
    without: tuple[str, ...] = (),
    group: str = "compat",
    daily: bool = True,
) -> Stage:
    chosen = f"(both_ends or ({DAILY})) and not hypothesis"
    return Stage(
        name=f"unit-{env}",
        group=group,
        about=f"{about}: unit tests that may depend on it",
        env=env,
        # pytest does not ignore what is an argument.
        module=_pytest(
            *("-m", chosen, *(file for file in OLD_AND_NEW if file not in without)),
            *(f"--ignore={file}" for file in without if file not in OLD_AND_NEW),
        ),
        cost=cost,
        daily=daily,
    )


def _controller(name: str, env: str, about: str, cost: int, without: tuple[str, ...] = ()) -> Stage:
    return Stage(
        name=name,
        group="controller",
        about=f"the inventory and action plugins in the programs of Ansible, {about}",
        env=env,
        module=_pytest("-m", "not long", "tests/controller", *(f"--ignore={file}" for file in without)),
        cost=cost,
    )


FLEETS = ("tests/controller/test_fleet_runs.py",)
"""Our playbooks over several vCenters: with 2.20 and with 2.16, whose templates are of another kind. The newest release has those of
2.20."""
RUN_FILES = ("tests/controller/test_run_file.py",)
"""Two runs and their replays: with 2.20 and with 2.16, as FLEETS."""
REHEARSALS = ("tests/controller/test_rehearsal.py",)
"""Three runs of a playbook cost 40 CPU seconds, and no release of Ansible changes the gate."""


ONE_RELEASE_IS_ENOUGH = (
    *("pylint", "pep8", "yamllint", "shellcheck", "changelog", "line-endings", "shebang", "symlinks", "empty-init"),
    *("no-assert", "no-get-exception", "no-illegal-filenames", "no-smart-quotes", "replace-urlopen"),
    *("use-argspec-type-path", "use-compat-six", "compile", "import"),
)
"""Sanity tests that read our files and import nothing of ansible-core, and two that the unit tests repeat, as they import all files.
The newest release has the newest rules, so only `sanity-newest` and `pylint` run them every day. `sanity-rest` runs them with 2.20,
before a release."""


def _sanity(name: str, about: str, option: str, tests: tuple[str, ...], **more: Any) -> Stage:
    chosen = [word for test in tests for word in (option, test)]
    return Stage(name=name, about=about, module=("tools.ansible_test", "sanity-main", "sanity", *chosen), **more)


OURS = ("plugins/", "simulator/", "tools/", "benchmarks/", "conftest.py")
"""All Python files that are no tests."""


def _pylint(name: str, about: str, paths: tuple[str, ...], **more: Any) -> Stage:
    """A stage of its own, because it takes longer than all the rest of sanity together."""
    module = ("tools.ansible_test", name, "sanity", "--test", "pylint", *paths)
    return Stage(name=name, about=about, env="newest", module=module, **more)


def _lint(name: str, about: str, *command: str) -> Stage:
    return Stage(name=name, group="lint", about=about, command=command, environ=OWN_HOME)


def _lint_tree(name: str, about: str, *command: str, group: str = "lint", cost: int = 1) -> Stage:
    """A linter that needs the collection under its full name."""
    environ = OWN_HOME | {"ANSIBLE_COLLECTIONS_PATH": "../../.."}
    return Stage(
        name=name,
        group=group,
        about=about,
        command=command,
        folder=TREE,
        needs=("tree",),
        environ=environ,
        cost=cost,
    )


STAGES: tuple[Stage, ...] = (
    Stage(
        name="tree",
        group="lint",
        about="a copy of the working files under the full name of the collection",
        env=None,
        module=("tools.tree", "lint"),
    ),
    # The long ones first: whatever runs several at a time ends sooner that way. Those that wait more than they work come before others.
    Stage(
        name="endurance",
        group="endurance",
        about="rolling reboots that are killed at each write, and rolling reboots of large fleets",
        env="lowest",
        module=_pytest("-m", "not long", "tests/kill", "tests/scale"),
        cost=237,
    ),
    Stage(
        name="slow-others",
        group="slow",
        about="slow unit tests: searches and long scenarios",
        env="lowest",
        module=_pytest("-m", SLOW, *QUICK, *(f"--ignore={folder}" for folder in ROLLING)),
        cost=287,
    ),
    Stage(
        name="slow-rolling",
        group="slow",
        about="slow unit tests: schedulers, and rolling reboots with every kind of trouble",
        env="lowest",
        module=_pytest("-m", SLOW, *ROLLING),
        cost=401,
    ),
    Stage(
        name="integration",
        group="integration",
        about="all targets of tests/integration against the simulator",
        env="lowest",
        module=("tools.run_targets",),
        timeout=3000,
        cost=361,
    ),
    Stage(
        name="pages",
        group="docs",
        about="the examples of README, docs/ and the READMEs of roles",
        env="lowest",
        module=("tools.run_docs",),
        cost=300,
    ),
    _controller("controller-oldest", "oldest", "ansible-core 2.16", 79, REHEARSALS),
    _controller("controller", "main", "ansible-core 2.20", 138),
    _controller("controller-newest", "newest", "the newest ansible-core", 58, (*FLEETS, *REHEARSALS, *RUN_FILES)),
    Stage(
        name="conformance",
        group="conformance",
        about="the simulator compared with vcsim, and used by govc and other collections (govc: skipped without Go); awx.awx",
        module=_pytest("tests/conformance"),
        environ={"XDG_CACHE_HOME": str(CACHE)},  # the tools that are built for it stay in the checkout
        cost=170,
    ),
    _compat("oldest", "ansible-core 2.16, pyVmomi 8.0.3", 78, PURE),
    _compat("newest", "the newest ansible-core and Python", 104, NEWEST_PYVMOMI),
    *(_unit(name, *part) for name, part in UNIT.items()),
    _pylint("pylint", "pylint of the newest ansible-core: all that is not a test", OURS, group="sanity", cost=112),
    Stage(
        name="sanity-newest",
        group="sanity",
        about="ansible-test sanity, the newest ansible-core",
        env="newest",
        module=("tools.ansible_test", "sanity-newest", "sanity", "--skip-test", "pylint"),
        cost=138,
    ),
    _sanity(
        "sanity-main",
        "ansible-test sanity, ansible-core 2.20: what depends on its release",
        "--skip-test",
        ONE_RELEASE_IS_ENOUGH,
        group="sanity",
        cost=26,
    ),
    Stage(
        name="ansible-test",
        group="integration",
        about="one target with ansible-test integration, to check the layout",
        module=("tools.ansible_test", "ansible-test", "integration", "role_verify"),
        cost=58,
    ),
    Stage(
        name="examples",
        group="docs",
        about="the EXAMPLES of all modules, in check mode and without it",
        module=("tools.run_examples",),
        cost=90,
    ),
    _lint_tree("ansible-lint", "profile production, offline", "ansible-lint", "--nocolor", cost=115),
    Stage(
        name="package",
        group="package",
        about="build, install, and run the installed collection from another folder",
        module=("tools.package", "installed"),
        cost=53,
    ),
    Stage(
        name="molecule",
        group="package",
        about="the molecule scenario: the whole job on the simulated vCenter",
        module=("tools.package", "molecule"),
        cost=53,
    ),
    Stage(
        name="release",
        group="package",
        about="the files of a release: tarball, SBOM, licenses, checksums",
        module=("tools.release", "--rehearse"),
        cost=25,
    ),
    Stage(
        name="site-oldest",
        group="compat",
        about="plan and site with ansible-core 2.16 and pyVmomi 8.0.3",
        env="oldest",
        module=("tools.package", "site"),
        cost=18,
    ),
    Stage(
        name="site-newest",
        group="compat",
        about="plan and site with the newest ansible-core",
        env="newest",
        module=("tools.package", "site"),
        cost=23,
    ),
    Stage(
        name="galaxy-importer",
        group="package",
        about="the checks of Galaxy on the tarball",
        module=("tools.package", "importer"),
        cost=35,
    ),
    _lint_tree(
        "docs-lint",
        "documentation of all plugins and roles",
        "antsibull-docs",
        "lint-collection-docs",
        "--plugin-docs",
        "--skip-rstcheck",  # docs-site checks the same pages with Sphinx. rstcheck fails at random: it reads a temporary name as a link
        "--validate-collection-refs=all",
        "--disallow-unknown-collection-refs",
        ".",
        group="docs",
        cost=23,
    ),
    Stage(
        name="browser",
        group="docs",
        about="the HTML pages in a headless Chromium, downloaded into .cache once (skipped if it is not available)",
        module=_pytest("tests/browser"),
        cost=12,
    ),
    _lint_tree("mypy", "types, strict", "mypy", "--cache-dir", "../../../../../mypy", cost=18),
    Stage(
        name="docs-site",
        group="docs",
        about="the documentation site, without a warning",
        module=("tools.docs_site",),
        cost=35,
    ),
    _lint("ruff-check", "code style", "ruff", "check", "--no-cache", "."),
    _lint("ruff-format", "code format", "ruff", "format", "--no-cache", "--check", "."),
    _lint("yamllint", "YAML style", "yamllint", "--strict", "."),
    _lint("reuse", "a license for each file", "reuse", "--no-multiprocessing", "lint"),
    _lint("changelog", "changelog fragments", "antsibull-changelog", "lint"),
    Stage(
        name="generated",
        group="docs",
        about="generated tables are up to date",
        module=("tools.generate", "--check"),
    ),
    _sanity(
        "sanity-rest",
        "before a release: the rest of ansible-test sanity, ansible-core 2.20",
        "--test",
        ONE_RELEASE_IS_ENOUGH,
        group="long",
        cost=120,
        daily=False,
    ),
    _pylint(
        "pylint-tests",
        "before a release: pylint of the tests; every day, ruff checks them",
        ("tests/",),
        group="long",
        cost=70,
        daily=False,
    ),
    Stage(
        name="pages-main",
        group="long",
        about="before a release: the pages with ansible-core 2.20; every day, `pages` runs them with 2.19",
        module=("tools.run_docs",),
        cost=385,
        daily=False,
    ),
    Stage(
        name="galaxy-importer-lint",
        group="long",
        about="before a release: the ansible-lint of Galaxy on the tarball; every day, ansible-lint has the same rules",
        module=("tools.package", "importer-lint"),
        cost=80,
        daily=False,
    ),
    Stage(
        name="shaken",
        group="long",
        about="before a release: unit tests while threads begin late and simulators answer late",
        module=_pytest("-n", "2", "-p", "tests.shaken", "-m", "not long", "tests/unit"),
        timeout=2 * 3600,
        daily=False,
    ),
    _compat("next", "pre-releases of ansible-core and pyVmomi", 120, group="next", daily=False),
    Stage(
        name="site-next",
        group="next",
        about="plan and site with pre-releases",
        env="next",
        module=("tools.package", "site"),
        daily=False,
    ),
    Stage(
        name="long",
        group="long",
        about="before a release: thousands of random examples, and tests that take minutes",
        module=("tools.long_search",),
        timeout=6 * 3600,
        daily=False,
    ),
)
