# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""README.md as a user sees it who has no checkout: its links on Galaxy, and what it names that the tarball lacks.

Galaxy shows README.md of the tarball and no other file of it, so relative links lead nowhere there. In a checkout, on a Git host and in an
installed collection they work, also without a network. So README.md has relative links, and the tarball for Galaxy gets absolute ones.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from tools.envs import ROOT

LINK = re.compile(r"(?P<picture>!?)\[(?P<text>[^\[\]]*)\]\((?P<target>[^)#\s]*)(?P<anchor>#[^)\s]*)?\)")
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
FENCE = re.compile(r"(```.*?```)", re.DOTALL)
CHECKOUT = re.compile(r"^## [^\n]*\bgit checkout\b[^\n]*\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
"""A section about a checkout, as its heading says."""
COMMANDS = {
    "playbooks": re.compile(r"ansible-playbook directpath\.vsphere\.(\w+)"),
    "modules": re.compile(r"(?:ansible \S+ -m |ansible-doc |^\s*)directpath\.vsphere\.(\w+)", re.MULTILINE),
    "roles": re.compile(r"ansible-doc -t role directpath\.vsphere\.(\w+)"),
}
INSTALLED = "ansible_collections/directpath/vsphere/"


def with_absolute_links(text: str, repository: str, version: str) -> str:
    """README.md with links to the repository, at the tag of the version. The form is that of GitHub; GitLab redirects it."""

    def absolute(found: re.Match[str]) -> str:
        target, anchor = found["target"], found["anchor"] or ""
        if "://" in target:
            return found[0]
        target = target or "README.md"  # Galaxy gives headings no anchors
        way = "raw" if found["picture"] else "blob"
        return f"{found['picture']}[{found['text']}]({repository}/{way}/v{version}/{target}{anchor})"

    parts = FENCE.split(text)
    return "".join(part if number % 2 else LINK.sub(absolute, part) for number, part in enumerate(parts))


def problems(text: str, files: Collection[str], root: Path = ROOT) -> list[str]:
    """What README.md names outside the sections about a checkout, and what is not among the files of the tarball."""
    known = {*files, *(str(parent) for file in files for parent in Path(file).parents)}
    found = dict.fromkeys(
        f"README.md names {name}, which is not in the tarball"
        for name in _names(CHECKOUT.sub("", text), root)
        if name not in known
    )
    makes = re.findall(r"\bmake [a-z-]+", "".join(CODE.findall(CHECKOUT.sub("", text))))
    found |= dict.fromkeys(f"README.md names `{command}` outside a section about a git checkout" for command in makes)
    return [*found]


def _names(text: str, root: Path) -> Iterator[str]:
    """Paths in the collection: those of links, those in code that exist in the checkout, and those of commands."""
    yield from (
        link["target"].rstrip("/")
        for link in LINK.finditer(FENCE.sub("", text))
        if link["target"] and "://" not in link["target"]
    )
    for code in CODE.findall(text):
        for word in re.findall(r"[\w./~-]+", code):
            path = word.partition(INSTALLED)[2] if INSTALLED in word else word
            if path and not path.startswith(("/", "~", ".")) and (INSTALLED in word or (root / path).exists()):
                yield path.rstrip("/")
        yield from (f"{name.replace('.', '/')}/__main__.py" for name in re.findall(r"python -m (simulator)\b", code))
        for name in COMMANDS["playbooks"].findall(code):
            yield f"playbooks/{name}.yml"
        for name in COMMANDS["roles"].findall(code):
            yield f"roles/{name}/meta/argument_specs.yml"
        for name in COMMANDS["modules"].findall(code):
            yield f"plugins/modules/{name}.py"
