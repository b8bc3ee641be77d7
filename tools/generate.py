# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the generated parts of pages, the pages of the modules, the schema of the intent, and the names of role variables. With
--check, only report files that are out of date.

The table in README.md comes from the short descriptions of modules and roles, the table of variables in the README of a
role from its meta/argument_specs.yml, the tables of blockers and of pinned VMs from the rules that the code applies, the lines that
install the collection from galaxy.yml. They are between ``<!-- generated: NAME -->`` and ``<!-- end generated -->``.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tools import architecture, intent_schema, reference_pages, vocabulary
from tools.collection_path import install
from tools.envs import ROOT
from tools.option_tables import GenerateError, cell, documentation, options_table

ROLE_OPTIONS = Path("plugins/plugin_utils/intent/role_options.py")
CI_GUIDE = Path("docs/guides/continuous_integration.md")
MARKER = re.compile(r"(<!-- generated: (?P<name>\w+) -->\n).*?(<!-- end generated -->)", re.DOTALL)


ADDRESS = re.compile(r"https://[\w.-]+/[\w.-]+/directpath\.vsphere\b")
SHORT_ADDRESS = re.compile(r"(repository: )[\w.-]+/directpath\.vsphere\b")
"""The organization and name alone, as antsibull-docs wants it."""
NAMING_THE_REPOSITORY = (
    "*.md",
    "docs/*.md",
    "docs/guides/*.md",
    "docs/docsite/*.yml",
    ".github/**/*.yml",
    ".github/**/*.md",
    "examples/**/*.yml",
)
"""Files with an address in the repository. A package or a page that is not next to them needs the whole address."""


def modules(root: Path = ROOT) -> dict[str, str]:
    """Module name → short description."""
    paths = sorted((root / "plugins" / "modules").glob("[a-z]*.py"))
    return {path.stem: str(yaml.safe_load(documentation(path))["short_description"]) for path in paths}


def inventories(root: Path = ROOT) -> dict[str, str]:
    """Inventory plugin name → short description."""
    return _plugins(root / "plugins" / "inventory")


def callbacks(root: Path = ROOT) -> dict[str, str]:
    """Callback plugin name → short description."""
    return _plugins(root / "plugins" / "callback")


def _plugins(folder: Path) -> dict[str, str]:
    paths = sorted(folder.glob("[a-z]*.py"))
    return {path.stem: str(yaml.safe_load(documentation(path))["short_description"]) for path in paths}


def is_documentation_only(path: Path) -> bool:
    """Whether the file of a module only documents the action plugin with the same name."""
    action = path.parent.parent / "action" / path.name
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return action.exists() and not any(isinstance(node, ast.FunctionDef) for node in tree.body)


def roles(root: Path = ROOT) -> dict[str, str]:
    """Role name → short description of its main entry point."""
    folders = sorted(path.parent.parent for path in (root / "roles").glob("*/meta/argument_specs.yml"))
    return {folder.name: str(argument_specs(folder)["main"]["short_description"]) for folder in folders}


def playbooks(root: Path = ROOT) -> dict[str, str]:
    """Playbook name → name of its first play. Playbooks that it imports before only prepare it."""
    paths = sorted((root / "playbooks").glob("*.yml"))
    loaded = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in paths}
    return {name: next(str(play["name"]) for play in plays if "hosts" in play) for name, plays in loaded.items()}


def argument_specs(role: Path) -> dict[str, Any]:
    """The entry points of a role."""
    loaded = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    specs: dict[str, Any] = loaded["argument_specs"]
    return specs


def contents_table(root: Path = ROOT) -> str:
    """The table of modules, plugins, roles and playbooks in README.md."""
    lines = ["| | what it does |", "|---|---|"]
    kinds = {"module": modules(root), "inventory plugin": inventories(root), "callback plugin": callbacks(root)}
    for kind, found in kinds.items():
        lines += [f"| {kind} [`{name}`]({reference_pages.link(name)}) | {cell(text)} |" for name, text in found.items()]
    lines += [f"| role [`{name}`](roles/{name}/README.md) | {cell(text)} |" for name, text in roles(root).items()]
    lines += [f"| playbook `directpath.vsphere.{name}` | {cell(text)} |" for name, text in playbooks(root).items()]
    return "\n".join(lines) + "\n"


def requirements_block(root: Path = ROOT) -> str:
    """The requirements.yml that installs the collection."""
    about = metadata(root)
    url, version = about["repository"], about["version"]
    return (
        '<!-- not run: stage "package" installs from it -->\n'
        f"```yaml\ncollections:\n  - name: {url}.git\n    type: git\n    version: v{version}\n```\n"
    )


def install_block(root: Path = ROOT) -> str:
    """The commands that install the collection, one of which is enough."""
    about = metadata(root)
    url, version = about["repository"], about["version"]
    lines = {
        "a repository": f"git+{url}.git,v{version}",
        "a git checkout": "git+file:///path/to/the/checkout",
        "a tarball": f"directpath-vsphere-{version}.tar.gz",
        "Galaxy, once it is published there": "directpath.vsphere",
    }
    width = max(map(len, lines.values())) + 2
    rows = [f"ansible-galaxy collection install {what:<{width}}# from {where}\n" for where, what in lines.items()]
    return f'<!-- not run: stage "package" installs it -->\n```shell\n{"".join(rows)}```\n'


def variables_table(role: Path) -> str:
    """The table of the variables of all entry points, in the README of a role."""
    parts = []
    for entry, spec in argument_specs(role).items():
        heading = "" if entry == "main" else f"\nEntry point `{entry}`: {spec['short_description']}\n\n"
        parts.append(heading + (options_table(spec.get("options") or {}) or "No variables.\n"))
    return "".join(parts)


def role_options(root: Path = ROOT) -> str:
    """The source code of role_options.py."""
    specs = {name: argument_specs(root / "roles" / name) for name in roles(root)}
    lines = []
    for role, entries in specs.items():
        found = sorted({option for entry in entries.values() for option in entry.get("options") or {}})
        names = "".join(f'        "{option}",\n' for option in found)
        lines.append(f'    "{role}_": (\n{names}    ),\n')
    tables = {
        "PLAYBOOK_OPTIONS": (
            "Variables that playbooks and roles read, and that are not options of a role.",
            _read(root)
            - {
                option
                for entries in specs.values()
                for entry in entries.values()
                for option in entry.get("options") or {}
            },
        ),
        "EMERGENCY_OPTIONS": (
            "Variables of the playbooks that work without a desired state.",
            _read_in_emergency(root),
        ),
        "RETURNED": ("Variables that roles and playbooks set.", _returned(root)),
        "INVENTORY_FACTS": ("Variables that the inventory plugin sets.", _inventory_facts(root)),
        "TAGS": ("Tags of the roles.", _tags(root)),
    }
    rest = ""
    for name, (meaning, values) in tables.items():
        listed = "".join(f'    "{value}",\n' for value in sorted(values))
        rest += f'\n{name}: tuple[str, ...] = (\n{listed})\n"""{meaning}"""\n'
    return (
        # In two parts, so that tools do not read it as the license of this file.
        "# SPDX-"
        "FileCopyrightText: 2026 directpath.vsphere contributors\n"
        "# SPDX-"
        "License-Identifier: GPL-3.0-or-later\n"
        '"""Variables of the roles, by prefix, and the other names that this collection uses. Written by tools/generate.py.\n\n'
        'PRIVATE to the collection.\n"""\n\n'
        "from __future__ import annotations\n\n"
        f"ROLE_OPTIONS: dict[str, tuple[str, ...]] = {{\n{''.join(lines)}}}\n{rest}"
    )


READ = re.compile(r"(?<![\w.'])([a-z]\w+)(?:\s*\|\s*default\b|\s+is (?:not )?defined)")
"""A variable that works without being set: the way to read what a user may set."""


def _read(root: Path) -> set[str]:
    paths = [
        *(root / "playbooks").rglob("*.yml"),
        *(root / "roles").glob("*/tasks/*.yml"),
        *(root / "roles").glob("*/vars/*.yml"),
    ]
    found = {name for path in paths for name in READ.findall(path.read_text(encoding="utf-8"))}
    own = tuple(f"{role}_" for role in roles(root))
    return {name for name in found if not name.startswith((*own, "vcenter_", "ansible_"))} - _returned(root)


def _read_in_emergency(root: Path) -> set[str]:
    """Of the connection variables, vcenter_hostname is missed at once if it has a slip, and no others are read by name here."""
    beginning = root / "playbooks" / "common" / "find_vcenters.yml"
    texts = [path.read_text(encoding="utf-8") for path in (root / "playbooks").glob("*.yml")]
    texts = [beginning.read_text(encoding="utf-8"), *(text for text in texts if "common/find_vcenters.yml" in text)]
    return {name for text in texts for name in READ.findall(text) if not name.startswith("vcenter_")}


def _returned(root: Path) -> set[str]:
    """Facts and registered results. Names that begin with underscores are private, and begin with no prefix of a role."""
    found: set[str] = set()
    for task in _tasks(root):
        facts = task.get("ansible.builtin.set_fact") or {}
        added = task.get("ansible.builtin.add_host") or {}
        found |= {*facts, *(name for name in added if name not in ("name", "groups")), str(task.get("register", "_"))}
    return {name for name in found if not name.startswith("_")}


def _tags(root: Path) -> set[str]:
    return {tag for task in _tasks(root) for tag in task.get("tags") or ()} - {"always"}


def _tasks(root: Path) -> list[dict[str, Any]]:
    """The tasks of all roles and playbooks."""
    plays = [
        play
        for path in (root / "playbooks").rglob("*.yml")
        for play in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]
    found = [task for play in plays for part in ("pre_tasks", "tasks", "post_tasks") for task in play.get(part) or ()]
    for path in (root / "roles").glob("*/tasks/*.yml"):
        found += yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def _inventory_facts(root: Path) -> set[str]:
    """The keys of the entries of hosts and VMs, with the prefix of variables."""
    tree = ast.parse((root / "plugins" / "plugin_utils" / "inventory" / "entries.py").read_text(encoding="utf-8"))
    keys = {
        key.value
        for function in tree.body
        if isinstance(function, ast.FunctionDef) and function.name in ("host_entry", "vm_entry")
        for node in ast.walk(function)
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict)
        for key in node.value.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
    if not keys:
        raise GenerateError("the facts of the inventory plugin are not where they were")
    plugin = (root / "plugins" / "inventory" / "pci_hosts.py").read_text(encoding="utf-8")
    return {f"directpath_{key}" for key in keys - {"name", "vcenter"}} | set(re.findall(r"directpath_[a-z]+\b", plugin))


def vocabulary_table(root: Path = ROOT) -> str:
    """The table of docs/vocabulary.yml. For the words to avoid it shows the example sentence."""
    rows = ["| say | not |", "|---|---|"]
    path = root / "docs" / "vocabulary.yml"
    rows += [f"| {cell(word.say)} | {cell(word.example)} |" for word in vocabulary.words(path)]
    return "\n".join(rows) + "\n"


def blockers_table() -> str:
    """The table of what blocks a host, for the rolling reboot and for host_maintenance."""
    install()
    from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.blockers.rules import RULES

    rows = [
        "| `error_code` | what blocks | rolling reboot | maintenance mode | return to service |",
        "|---|---|---|---|---|",
    ]
    for rule in RULES:
        codes = ", ".join(f"`{code}`" for code in rule.codes)
        marks = " | ".join("yes" if goal in rule.goals else "" for goal in ("reboot", "enter", "leave"))
        rows.append(f"| {codes} | {cell(rule.what)} | {marks} |")
    return "\n".join(rows) + "\n"


def pinned_table() -> str:
    """The table of what pins a running VM to its host."""
    install()
    from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.pinned import PINS, STAYS

    rows = ["| a running VM | the rolling reboot and host_maintenance |", "|---|---|"]
    rows += [f"| {cell(what)} | shut it down, if `pinned_vms` allows it |" for what, _unused in PINS]
    rows += [
        f"| {cell(what)} | the rolling reboot skips the host, `host_maintenance` warns and waits |"
        for what, _unused in STAYS
    ]
    return "\n".join(rows) + "\n"


def filled(text: str, tables: Mapping[str, str]) -> str:
    """The text with each marked part replaced. Raises GenerateError for an unknown marker."""

    def replace(match: re.Match[str]) -> str:
        if match["name"] not in tables:
            raise GenerateError(f"no table is called {match['name']!r}; there are: {', '.join(sorted(tables))}")
        return match[1] + tables[match["name"]] + match[3]

    return MARKER.sub(replace, text)


def outputs(root: Path = ROOT) -> dict[Path, str]:
    """Path → content of all generated files."""
    result = {}
    for path, tables in _targets(root):
        text = path.read_text(encoding="utf-8")
        if not all(f"<!-- generated: {name} -->" in text for name in tables):
            raise GenerateError(f"{path.relative_to(root)} lacks the marker of {', '.join(tables)}")
        result[path] = filled(text, tables)
    for source in reference_pages.sources(root):
        result[root / reference_pages.link(source.stem)] = reference_pages.page(source, root)
    result[root / "docs" / "intent.schema.json"] = intent_schema.text()
    result[root / ROLE_OPTIONS] = role_options(root)
    result[root / architecture.PICTURE] = architecture.picture()
    address = metadata(root)["repository"]
    for path in (path for pattern in NAMING_THE_REPOSITORY for path in sorted(root.glob(pattern))):
        text = result.get(path) or path.read_text(encoding="utf-8")
        if (named := with_repository(text, address)) != path.read_text(encoding="utf-8"):
            result[path] = named
    return result


def metadata(root: Path = ROOT) -> dict[str, Any]:
    """The content of galaxy.yml. It is the only place that has the version, and the address of the repository."""
    loaded: dict[str, Any] = yaml.safe_load((root / "galaxy.yml").read_text(encoding="utf-8"))
    return loaded


def with_repository(text: str, address: str) -> str:
    """The text with the repository of galaxy.yml wherever an address of it, or its name in a file of settings, stands."""
    organization, name = address.split("/")[-2:]
    return SHORT_ADDRESS.sub(rf"\g<1>{organization}/{name}", ADDRESS.sub(address, text))


def _present(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _targets(root: Path) -> list[tuple[Path, dict[str, str]]]:
    requirements = requirements_block(root)
    readme = {"contents": contents_table(root), "install": install_block(root), "requirements": requirements}
    targets = [(root / "README.md", readme)]
    if (root / CI_GUIDE).exists():
        targets.append((root / CI_GUIDE, {"requirements": requirements}))
    if (root / "docs" / "vocabulary.md").exists():
        targets.append((root / "docs" / "vocabulary.md", {"vocabulary": vocabulary_table(root)}))
    if (root / "docs" / "guides" / "hardware_maintenance.md").exists():
        tables = {"blockers": blockers_table(), "pinned": pinned_table()}
        targets.append((root / "docs" / "guides" / "hardware_maintenance.md", tables))
    for name in roles(root):
        role = root / "roles" / name
        if not (role / "README.md").exists():
            raise GenerateError(f"role {name} has no README.md")
        targets.append((role / "README.md", {"variables": variables_table(role)}))
    return targets


def action_group_problems(root: Path = ROOT) -> list[str]:
    """Modules that are missing in the action group `all`, and names in it that are not modules.

    The group is for connection options, so modules without a connection (documentation of an action plugin) are not in it.
    """
    runtime = yaml.safe_load((root / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    group = set(runtime["action_groups"]["all"])
    present = {name for name in modules(root) if not is_documentation_only(root / "plugins" / "modules" / f"{name}.py")}
    missing = [f"meta/runtime.yml: action group all lacks {name}" for name in sorted(present - group)]
    return missing + [f"meta/runtime.yml: action group all names {name}, no module" for name in sorted(group - present)]


def main() -> int:
    """Exit status 1 when --check finds a difference, or a source is invalid."""
    parser = argparse.ArgumentParser(prog="python -m tools.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail when something is out of date")
    options = parser.parse_args()
    try:
        stale = {path: text for path, text in outputs().items() if _present(path) != text}
        problems = action_group_problems()
    except GenerateError as problem:
        print(problem, file=sys.stderr)
        return 1
    for path, text in stale.items():
        if options.check:
            problems.append(f"{path.relative_to(ROOT)} is out of date: run `make generate`")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
