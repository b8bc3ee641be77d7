# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the examples of the documentation against the simulator.

``python -m tools.run_docs`` runs all pages, ``python -m tools.run_docs docs/first_cluster.md`` one. The directives in
pages are described in tools/markdown.py. A page has one working folder. If the result of a run is not the expected one,
the page fails, and the rest of it is not run. With ``--write``, a shown output that is not that of its run is replaced by it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tools.envs import ROOT, clean_environ
from tools.lab import LabError, running
from tools.markdown import Block, MarkdownError, blocks, lacks
from tools.predict import (
    SHELLS,
    Predicted,
    is_predictable,
    knows_earlier_tasks,
    mispredictions,
    predict,
    with_check,
    without_check,
)
from tools.tree import collections_path, sync
from tools.warm import warm

COLLECTION = "ansible_collections/directpath/vsphere"
WARM = ("DIRECTPATH_WARM", "DIRECTPATH_PLAYS", "DIRECTPATH_MODULES")
"""Variables of tools.warm."""


class Broken(Exception):
    """An example did not have the expected result."""


@dataclass(kw_only=True)
class Page:
    """The state that the examples of a page share: working folder and variables of the simulator."""

    name: str
    folder: Path
    environ: dict[str, str]
    lab: ExitStack = field(default_factory=ExitStack)
    runs: int = 0
    predicted: set[str] = field(default_factory=set)
    """Examples that were run. One that is repeated shows that nothing is left to change."""
    checked: dict[str, Predicted] = field(default_factory=dict)
    """What the examples with ``--check`` of the page itself predicted, by the same example without it."""
    output: str = ""
    """The output of the last run."""
    outputs: dict[int, str] = field(default_factory=dict)
    """Line of a shown output → what it has to be. None is kept here without ``--write``."""


def pages(root: Path = ROOT) -> list[Path]:
    """All pages whose examples are run."""
    found = [root / "README.md", *(root / "docs").rglob("*.md"), *(root / "roles").glob("*/README.md")]
    found += (root / "examples").rglob("*.md")
    return sorted(path for path in found if path.exists() and "decisions" not in path.parts)


def run_page(path: Path, environ: dict[str, str], *, write: bool = False) -> int:
    """Run the examples of a page in order. Returns their number. Raises Broken or LabError. ``write``: correct shown outputs."""
    name = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
    parsed = blocks(path.read_text(encoding="utf-8"), name)
    with tempfile.TemporaryDirectory(prefix="directpath-docs-") as folder:
        page = Page(name=name, folder=Path(folder), environ=dict(environ))
        with page.lab:
            for block in parsed:
                if block.file:
                    target = page.folder / block.file
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_text(block.text, encoding="utf-8")
                elif block.run:
                    _run_block(page, block)
                elif block.output and (line := lacks(page.output, block.text)) is not None:
                    if not write:
                        raise Broken(f"{name}:{block.line}: the output lacks {line!r}\n--- output\n{page.output}")
                    page.outputs[block.line] = page.output
        if page.outputs:
            path.write_text(_with_outputs(path.read_text(encoding="utf-8"), page.outputs), encoding="utf-8")
        return page.runs


def _with_outputs(text: str, outputs: Mapping[int, str]) -> str:
    """The page with other text in the fences that begin at these lines."""
    lines = text.splitlines()
    for begin, output in sorted(outputs.items(), reverse=True):
        end = next(number for number in range(begin, len(lines)) if lines[number].strip() == "```")
        lines[begin:end] = [line.rstrip() for line in output.strip("\n").splitlines()]
    return "\n".join([*lines, ""])


def _run_block(page: Page, block: Block) -> None:
    run = block.run
    assert run is not None
    where = f"{page.name}:{block.line}"
    if run.lab:
        page.lab.close()
        page.environ.update(page.lab.enter_context(running(run.lab)))
        page.predicted.clear()
        page.checked.clear()
    for name, lab in run.also:
        variables = page.lab.enter_context(running(lab))
        page.environ.update({f"{name}_{part}": variables[f"VMWARE_{part}"] for part in ("HOST", "PORT", "CA_PATH")})
    page.runs += 1
    command = _command(page, block, where)
    own = page.folder / "ansible.cfg"  # a page may create it
    environ = page.environ | ({"ANSIBLE_CONFIG": str(own)} if own.exists() else {})
    root = Path(environ["ANSIBLE_COLLECTIONS_PATH"]) / COLLECTION if run.in_collection else page.folder
    plain = {name: value for name, value in environ.items() if name not in WARM}
    asked = without_check(block.text)
    predicted = page.checked.get(asked) if is_predictable(block) else None
    if predicted is None and is_predictable(block) and asked not in page.predicted:
        checking = plain if run.plain or knows_earlier_tasks(block) else environ
        predicted = predict(with_check(command, block), root, checking)
    made = predict(command, root, plain if run.plain else environ)
    done = made.done
    if asked == block.text:
        page.predicted.add(asked)
        page.checked.clear()  # it may have changed what they predicted
    else:
        page.checked[asked] = made
    page.output = done.output
    problems = [f"exit status {done.code}, the page says {run.rc}"] if done.code != run.rc else []
    problems += [f"the output lacks {text!r}" for text in run.expect if text not in done.output]
    problems += [f"the output holds {text!r}" for text in run.refuse if text in done.output]
    problems += mispredictions(predicted, done) if predicted is not None else []
    if problems:
        raise Broken(f"{where}: {'; '.join(problems)}\n{block.text}--- output\n{done.output}")


def _command(page: Page, block: Block, where: str) -> list[str]:
    assert block.run is not None
    if block.language in SHELLS:
        return ["bash", "-euo", "pipefail", "-c", block.text, where, *block.run.args]
    if block.language not in ("yaml", "yml"):
        raise Broken(f"{where}: a block in {block.language or 'no language'!r} cannot be run")
    playbook = page.folder / f"example-{block.line}.yml"
    playbook.write_text(block.text, encoding="utf-8")
    inventories = [str(file) for file in sorted(page.folder.glob("inventory*"))]
    options = [word for file in inventories for word in ("--inventory", file)]
    return ["ansible-playbook", *options, *block.run.args, str(playbook)]


def example_environ(tree: str) -> dict[str, str]:
    """The environment of a user: the programs of this environment, and a copy of the working files as the collection."""
    sync(tree)
    return clean_environ(Path(sys.prefix)) | {
        "ANSIBLE_COLLECTIONS_PATH": str(collections_path(tree)),
        "ANSIBLE_PIPELINING": "1",  # no temporary folder and file for each module
        "SSL_CERT_FILE": os.devnull,  # the CAs of the machine, which each task would load, are not needed here
    }


def main() -> int:
    """Exit status 1 when a page fails."""
    parser = argparse.ArgumentParser(prog="python -m tools.run_docs", description=__doc__)
    parser.add_argument("pages", nargs="*", type=Path)
    parser.add_argument("--write", action="store_true", help="replace shown outputs that are not those of their runs")
    options = parser.parse_args()
    chosen = [path.resolve() for path in options.pages] or pages()
    with tempfile.TemporaryDirectory(prefix="directpath-home-") as home:
        passed, failed = _run(chosen, example_environ("docs") | {"HOME": home}, write=options.write)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def _run(chosen: Sequence[Path], environ: Mapping[str, str], *, write: bool) -> tuple[int, int]:
    """The numbers of examples that passed, and of pages that failed. What examples write into a home is not in that of the user."""
    passed = failed = 0
    with warm(environ) as variables:
        for path in chosen:
            try:
                ran = run_page(path, {**environ, **variables}, write=write)
            except (Broken, LabError, MarkdownError) as problem:
                failed += 1
                print(f"FAILED {problem}", flush=True)
            else:
                passed += ran
                print(f"ok     {path.relative_to(ROOT)}: {ran} examples", flush=True)
    return passed, failed


if __name__ == "__main__":
    sys.exit(main())
