# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the documentation site: every module, plugin, role and guide in one navigation, with search.

``python -m tools.docs_site`` writes .cache/docs-site/html. A warning of a tool is an error.

antsibull-docs writes the pages of modules, plugins and roles. The Markdown pages of docs/ are copied. A link to a file
that is not on the site (an example, a lab, a source file) leads to the repository.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.commands import StepError, must
from tools.envs import CACHE, ROOT, clean_environ
from tools.generate import callbacks, inventories, metadata, modules, roles
from tools.tree import collections_path, sync

SITE = CACHE / "docs-site"
SETTINGS = ROOT / "docs" / "docsite"
SPACE, NAME = "directpath", "vsphere"
COLLECTION = f"{SPACE}.{NAME}"
LINK = re.compile(r"(?<!!)(\[[^\]]*\]\()([^)\s]+)(\))")
PICTURE = re.compile(r"(!\[[^\]]*\]\()([^)\s]+)(\))")
FENCE = re.compile(r"^(```|~~~)")
HOME, START = Path("README.md"), Path("index.md")
ROLE_PAGE = re.compile(r"^roles/([a-z_]+)/README\.md$")
PLUGIN_PAGE = re.compile(r"^docs/reference/([a-z_]+)\.md$")
CHAPTERS: Mapping[str, Sequence[str]] = {
    "Guides": ("docs/README.md", "docs/guides/*.md"),
    "Reference": ("docs/*.md",),
    "Decisions": ("docs/decisions/*.md",),
    "Project": (
        "examples/README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CODE_OF_CONDUCT.md",
        "MAINTAINERS.md",
    ),
}


def chapters(root: Path = ROOT) -> dict[str, list[Path]]:
    """Chapter → its pages, relative to the root. Each page is in the first chapter that names it."""
    taken: set[Path] = set()
    found: dict[str, list[Path]] = {}
    for title, patterns in CHAPTERS.items():
        pages = [path.relative_to(root) for pattern in patterns for path in sorted(root.glob(pattern))]
        found[title] = [page for page in dict.fromkeys(pages) if page not in taken]
        taken.update(found[title])
    return found


def with_links(text: str, page: Path, pages: frozenset[Path], address: str, root: Path = ROOT) -> str:
    """The text of a page for the site: links to other pages stay relative, those to a role, a module or a plugin lead to its
    reference page, and those to other files to the repository. Blocks of code are not touched."""

    def target(url: str) -> str:
        path, mark, anchor = url.partition("#")
        if not path or re.match(r"[a-z]+:", path):
            return url
        file = Path(os.path.normpath(page.parent / path))
        if file in pages:
            return (os.path.relpath(START, page.parent) if file == HOME else path) + mark + anchor
        role = ROLE_PAGE.match(file.as_posix())
        if role:
            return os.path.relpath(f"reference/{role[1]}_role.rst", page.parent)
        if plugin := PLUGIN_PAGE.match(file.as_posix()):
            kinds = ("inventory", "callback")
            kind = next((kind for kind in kinds if (root / "plugins" / kind / f"{plugin[1]}.py").exists()), "module")
            return os.path.relpath(f"reference/{plugin[1]}_{kind}.rst", page.parent)
        kind = "tree" if (root / file).is_dir() else "blob"
        return f"{address}/{kind}/main/{file.as_posix()}{mark}{anchor}"

    lines, inside = [], False
    for line in text.splitlines(keepends=True):
        if FENCE.match(line):
            inside = not inside
        lines.append(line if inside else LINK.sub(lambda found: found[1] + target(found[2]) + found[3], line))
    return "".join(lines)


def pictures(text: str, page: Path) -> set[Path]:
    """The local pictures of a page, relative to the root."""
    urls = (found[2] for found in PICTURE.finditer(text))
    return {Path(os.path.normpath(page.parent / url)) for url in urls if not re.match(r"[a-z]+:", url)}


def navigation(chapters: Mapping[str, Sequence[Path]], reference: Sequence[str]) -> str:
    """The contents of the start page, in MyST: a tree of pages for each chapter, then the modules, plugins and roles."""

    def tree(title: str, pages: Sequence[str]) -> str:
        return "\n".join(["", "```{toctree}", f":caption: {title}", ":hidden:", "", *pages, "```", ""])

    blocks = [tree(title, [page.with_suffix("").as_posix() for page in pages]) for title, pages in chapters.items()]
    return "".join([*blocks[:1], tree("Modules, plugins and roles", reference), *blocks[1:]])


def reference_pages(root: Path = ROOT) -> list[str]:
    """The reference pages with their titles, in the order of the navigation: an overview, modules, plugins, roles."""
    kinds = {
        "module": modules(root),
        "inventory": inventories(root),
        "callback": callbacks(root),
        "role": roles(root),
    }
    entries = [f"{kind} {name} <reference/{name}_{kind}>" for kind, names in kinds.items() for name in sorted(names)]
    return ["Overview <reference/index>", *entries]


def write_sources(source: Path, root: Path = ROOT) -> None:
    """Copy the pages, their pictures and the settings."""
    address, found = str(metadata(root)["repository"]), chapters(root)
    pages = frozenset([HOME, *(page for chapter in found.values() for page in chapter)])
    for page in pages:
        text = (root / page).read_text(encoding="utf-8")
        for picture in pictures(text, page):
            (source / picture).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / picture, source / picture)
        text = with_links(text, page, pages, address, root)
        if page == HOME:
            text += navigation(found, reference_pages(root))
        target = source / (START if page == HOME else page)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    shutil.copy2(SETTINGS / "conf.py", source / "conf.py")


def build() -> Path:
    """Build the site and return its folder. Raises StepError if a tool fails or warns."""
    sync("docs-site")
    environ = clean_environ(Path(sys.prefix)) | {"ANSIBLE_COLLECTIONS_PATH": str(collections_path("docs-site"))}
    shutil.rmtree(SITE, ignore_errors=True)
    source, reference = SITE / "source", SITE / "source" / "reference"
    reference.mkdir(parents=True, mode=0o755)
    options = ["--use-current", "--squash-hierarchy", "--fail-on-error", "--dest-dir", str(reference)]
    must(
        ["antsibull-docs", "--config-file", str(SETTINGS / "antsibull-docs.cfg"), "collection", *options, COLLECTION],
        ROOT,
        environ,
    )
    write_sources(source)
    must(["sphinx-build", "-q", "-W", "--keep-going", "-b", "html", str(source), str(SITE / "html")], ROOT, environ)
    return SITE / "html"


def main() -> int:
    """Exit status 1 if the site cannot be built without a warning."""
    try:
        folder = build()
    except StepError as problem:
        print(problem)
        return 1
    pages = sum(1 for _page in folder.rglob("*.html"))
    print(f"{pages} pages: {folder / 'index.html'}")
    print("1 passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
