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
    """One command. `module` runs as ``python -m`` of the environment `env`; `command` runs as it stands."""

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


def _pytest(*arguments: str) -> tuple[str, ...]:
    return ("pytest", "-q", "-n", "2", "-p", "no:cacheprovider", *arguments)


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
    # The long ones first: whatever runs two at a time ends sooner that way.
    Stage(
        name="unit",
        group="unit",
        about="domain, simulator, modules, layers, documents, tools",
        module=_pytest(),
    ),
    Stage(
        name="endurance",
        group="unit",
        about="rolling reboots killed at every write, and over whole fleets",
        # More at a time than there are processors: playbooks spend most of their time waiting for hosts to come back.
        module=("pytest", "-q", "-n", "6", "-p", "no:cacheprovider", "tests/kill", "tests/scale"),
        timeout=2400,
    ),
    Stage(
        name="conformance",
        group="unit",
        about="the simulator beside vcsim, and driven by govc (skipped where there is no Go)",
        module=("pytest", "-q", "-p", "no:cacheprovider", "tests/conformance"),
        environ={"XDG_CACHE_HOME": str(CACHE)},  # the tools built for it stay in the checkout
    ),
    Stage(
        name="browser",
        group="unit",
        about="our HTML pages in a headless Chromium, fetched into .cache once (skipped where none can be had)",
        module=("pytest", "-q", "-p", "no:cacheprovider", "tests/browser"),
    ),
    Stage(
        name="sanity-main",
        group="sanity",
        about="ansible-test sanity, ansible-core 2.19",
        module=("tools.ansible_test", "sanity-main", "sanity"),
    ),
    Stage(
        name="sanity-newest",
        group="sanity",
        about="ansible-test sanity, the newest ansible-core",
        env="newest",
        module=("tools.ansible_test", "sanity-newest", "sanity"),
    ),
    Stage(
        name="integration",
        group="integration",
        about="every target of tests/integration against the simulator",
        module=("tools.run_targets",),
        timeout=3000,
    ),
    Stage(
        name="ansible-test",
        group="integration",
        about="one of them by ansible-test integration: the layout holds there, too",
        module=("tools.ansible_test", "ansible-test", "integration", "role_verify"),
    ),
    Stage(
        name="unit-newest",
        group="compat",
        about="unit tests but the property tests and the long ones, the newest ansible-core, Python and pyVmomi",
        env="newest",
        module=_pytest("-m", "not hypothesis and not long", "tests/unit", "tests/layers"),
    ),
    Stage(
        name="unit-oldest",
        group="compat",
        about="unit tests but the property tests and the long ones, ansible-core 2.16, pyVmomi 8.0.3",
        env="oldest",
        module=_pytest("-m", "not hypothesis and not long", "tests/unit", "tests/layers"),
    ),
    Stage(
        name="examples",
        group="docs",
        about="the EXAMPLES of every module, in check mode and for real",
        module=("tools.run_examples",),
    ),
    Stage(
        name="pages",
        group="docs",
        about="the examples of README, docs/ and the roles' READMEs",
        module=("tools.run_docs",),
    ),
    Stage(
        name="package",
        group="package",
        about="build, install, run the installed collection from elsewhere",
        module=("tools.package", "installed"),
    ),
    Stage(
        name="galaxy-importer",
        group="package",
        about="what Galaxy says of the tarball",
        module=("tools.package", "importer"),
    ),
    Stage(
        name="site-oldest",
        group="compat",
        about="plan and site with ansible-core 2.16 and pyVmomi 8.0.3",
        env="oldest",
        module=("tools.package", "site"),
    ),
    Stage(
        name="site-newest",
        group="compat",
        about="plan and site with the newest ansible-core",
        env="newest",
        module=("tools.package", "site"),
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
)
