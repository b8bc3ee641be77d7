# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of `make test`, as data, in the order they are started. A stage stands after what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tools.envs import CACHE, HOME

OWN_HOME = {"HOME": str(HOME)}  # linters keep caches and logs in it
TREE = ".cache/tree/lint/ansible_collections/directpath/vsphere"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One command. `module` runs as ``python -m`` of the environment `env`; `command` runs as it stands.

    `cost` is about how many CPU seconds it takes (1 where that is little), so that parts for several machines can be made
    equal. A stage that is not `daily` is no part of `make test` and runs only when it, or its group, is named.
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
    return ("pytest", "-q", "-n", "2", "-p", "no:cacheprovider", *arguments)


DAILY = "not slow and not long"
OLD_AND_NEW = (
    # What runs on an interpreter: once on each.
    *(
        "tests/layers",
        "tests/unit/module_utils/_domain",
        "tests/unit/plugin_utils",
    ),
    # What talks to pyVmomi: with both ends of it.
    "tests/unit/module_utils/_vsphere",
    # What talks to ansible-core: every module once in each way it can run, and refused input.
    *("tests/unit/module_utils/_shell", "tests/unit/action", "tests/unit/filter", "tests/unit/inventory"),
    "tests/unit/modules/bad_input/test_bad_input.py",
    *(f"tests/unit/modules/every_module/test_{name}.py" for name in ("contract", "sessions", "troubles")),
)
"""The tests for which another ansible-core, Python or pyVmomi could make a difference."""


def _compat(env: str, about: str, cost: int) -> Stage:
    return Stage(
        name=f"unit-{env}",
        group="compat",
        about=f"{about}: unit tests for which that may make a difference",
        env=env,
        module=_pytest("-m", f"{DAILY} and not hypothesis", *OLD_AND_NEW),
        cost=cost,
    )


def _controller(name: str, env: str, about: str) -> Stage:
    return Stage(
        name=name,
        group="controller",
        about=f"the inventory and action plugins in Ansible's own programs, {about}",
        env=env,
        module=_pytest("-m", "not long", "tests/controller"),
        cost=60,
    )


def _lint(name: str, about: str, *command: str) -> Stage:
    return Stage(name=name, group="lint", about=about, command=command, environ=OWN_HOME)


def _lint_tree(name: str, about: str, *command: str, group: str = "lint") -> Stage:
    """A linter that must see the collection under its full name."""
    environ = OWN_HOME | {"ANSIBLE_COLLECTIONS_PATH": "../../.."}
    return Stage(name=name, group=group, about=about, command=command, folder=TREE, needs=("tree",), environ=environ)


STAGES: tuple[Stage, ...] = (
    Stage(
        name="tree",
        group="lint",
        about="a copy of the working files under the collection's full name",
        env=None,
        module=("tools.tree", "lint"),
    ),
    # The long ones first: whatever runs several at a time ends sooner that way.
    Stage(
        name="endurance",
        group="endurance",
        about="rolling reboots killed at every write, and over whole fleets",
        # More at a time than there are processors: most of the time is spent waiting for hosts to come back.
        module=("pytest", "-q", "-n", "6", "-p", "no:cacheprovider", "-m", "not long", "tests/kill", "tests/scale"),
        cost=240,
    ),
    Stage(
        name="unit-slow",
        group="slow",
        about="the searches and the long stories among the unit tests",
        module=_pytest("-m", "slow and not long"),
        cost=620,
    ),
    Stage(
        name="unit",
        group="unit",
        about="domain, simulator, modules, layers, documents, tools: what tells within two minutes",
        module=_pytest("-m", DAILY),
        cost=240,
    ),
    Stage(
        name="conformance",
        group="conformance",
        about="the simulator beside vcsim, and what govc and other collections get from it (govc: skipped where there is no Go)",
        module=("pytest", "-q", "-p", "no:cacheprovider", "tests/conformance"),
        environ={"XDG_CACHE_HOME": str(CACHE)},  # the tools built for it stay in the checkout
        cost=175,
    ),
    Stage(
        name="browser",
        group="docs",
        about="our HTML pages in a headless Chromium, fetched into .cache once (skipped where none can be had)",
        module=("pytest", "-q", "-p", "no:cacheprovider", "tests/browser"),
        cost=12,
    ),
    Stage(
        name="sanity-main",
        group="sanity",
        about="ansible-test sanity, ansible-core 2.19, but pylint, which the newest does as well",
        module=("tools.ansible_test", "sanity-main", "sanity", "--skip-test", "pylint"),
        cost=100,
    ),
    Stage(
        name="sanity-newest",
        group="sanity",
        about="ansible-test sanity, the newest ansible-core",
        env="newest",
        module=("tools.ansible_test", "sanity-newest", "sanity"),
        cost=235,
    ),
    Stage(
        name="integration",
        group="integration",
        about="every target of tests/integration against the simulator",
        module=("tools.run_targets",),
        timeout=3000,
        cost=460,
    ),
    Stage(
        name="ansible-test",
        group="integration",
        about="one of them by ansible-test integration: the layout holds there, too",
        module=("tools.ansible_test", "ansible-test", "integration", "role_verify"),
        cost=45,
    ),
    _controller("controller", "main", "ansible-core 2.19"),
    _controller("controller-oldest", "oldest", "ansible-core 2.16"),
    _controller("controller-newest", "newest", "the newest ansible-core"),
    _compat("newest", "the newest ansible-core, Python and pyVmomi", 95),
    _compat("oldest", "ansible-core 2.16, pyVmomi 8.0.3", 95),
    Stage(
        name="examples",
        group="docs",
        about="the EXAMPLES of every module, in check mode and for real",
        module=("tools.run_examples",),
        cost=77,
    ),
    Stage(
        name="pages",
        group="docs",
        about="the examples of README, docs/ and the roles' READMEs",
        module=("tools.run_docs",),
        cost=239,
    ),
    Stage(
        name="package",
        group="package",
        about="build, install, run the installed collection from elsewhere",
        module=("tools.package", "installed"),
        cost=34,
    ),
    Stage(
        name="galaxy-importer",
        group="package",
        about="what Galaxy says of the tarball",
        module=("tools.package", "importer"),
        cost=18,
    ),
    Stage(
        name="site-oldest",
        group="compat",
        about="plan and site with ansible-core 2.16 and pyVmomi 8.0.3",
        env="oldest",
        module=("tools.package", "site"),
        cost=33,
    ),
    Stage(
        name="site-newest",
        group="compat",
        about="plan and site with the newest ansible-core",
        env="newest",
        module=("tools.package", "site"),
        cost=36,
    ),
    _lint_tree("ansible-lint", "profile production, offline", "ansible-lint", "--nocolor"),
    _lint_tree("mypy", "types, strict", "mypy", "--cache-dir", "../../../../../mypy"),
    _lint_tree(
        "docs-lint",
        "documentation of every plugin and role",
        "antsibull-docs",
        "lint-collection-docs",
        "--plugin-docs",
        "--validate-collection-refs=all",
        "--disallow-unknown-collection-refs",
        ".",
        group="docs",
    ),
    _lint("ruff-check", "code style", "ruff", "check", "--no-cache", "."),
    _lint("ruff-format", "code format", "ruff", "format", "--no-cache", "--check", "."),
    _lint("yamllint", "YAML style", "yamllint", "--strict", "."),
    _lint("reuse", "a licence for every file", "reuse", "--no-multiprocessing", "lint"),
    _lint("changelog", "changelog fragments", "antsibull-changelog", "lint"),
    Stage(
        name="generated",
        group="docs",
        about="generated tables are up to date",
        module=("tools.generate", "--check"),
    ),
    Stage(
        name="pylint-main",
        group="long",
        about="before a release: the pylint of ansible-test sanity, ansible-core 2.19",
        module=("tools.ansible_test", "sanity-main", "sanity", "--test", "pylint"),
        cost=80,
        daily=False,
    ),
    Stage(
        name="long",
        group="long",
        about="before a release: thousands of random examples, and what takes minutes",
        module=("tools.long_search",),
        timeout=6 * 3600,
        daily=False,
    ),
)
