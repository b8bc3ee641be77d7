# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write docs/bad_input.md: all cases of tests/unit/modules/bad_input/test_bad_input.py, with the message of the module.

``python -m tools.bad_input_page`` writes the page; tests/docs/test_bad_input_page.py fails when it is out of date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from tools import collection_path
from tools.envs import ROOT

PAGE = ROOT / "docs" / "bad_input.md"
HEAD = """# Bad input

<!-- written by tools/bad_input_page.py -->

The messages of modules for bad input, case by case, from the tests. In no case is anything changed: the tests check the
journal and the state of the simulator. The hosts are `esx-01` and `esx-02` in the cluster `gpu`, the VM is `train-01`.
[Troubleshooting](guides/troubleshooting.md) says what to do for each `error_code`.

Options that Ansible itself rejects (unknown or missing options, values that are not a choice) have no `error_code`, because
the module does not start then.
"""


WARNED = """## Input with a warning

Here nothing is rejected: the module does its work and adds a warning, also in check mode.

| case | module | options | warning |
|---|---|---|---|"""


def page(cases: Sequence[Any], warnings: Sequence[Any]) -> str:
    """The whole page. Runs every case."""
    modules = sorted({case.module for case in cases})
    parts = [HEAD, f"{len(cases)} cases, {len({case.code for case in cases if case.code})} error codes.\n"]
    for module in modules:
        chosen = [case for case in cases if case.module == module]
        parts.append(f"## {module}\n")
        parts.append("| what is wrong | options | `error_code` | message |\n|---|---|---|---|")
        parts += [*rows(chosen), ""]
    parts += [WARNED, *(warning_row(case) for case in warnings)]
    return "\n".join(parts).rstrip() + "\n"


def rows(cases: Sequence[Any]) -> Iterator[str]:
    """One line per case."""
    for case in cases:
        answer = case.run()
        code = f"`{case.code}`" if case.code else "-"
        # The messages of Ansible itself differ between releases.
        words = plain(answer.message) if case.code else "rejected by Ansible, which names " + ", ".join(case.says)
        yield f"| {case.title} | {asked(case)} | {code} | {cell(words)} |"


def warning_row(case: Any) -> str:
    """The line of a case with a warning."""
    return f"| {case.title} | {case.module} | {asked(case)} | {cell(' '.join(case.run().warnings))} |"


def asked(case: Any) -> str:
    """The options of a case, and the account if it is not the default one."""
    account = [f"username: {case.user}"] if case.user else []
    account += ["password: (a wrong one)"] if case.password else []
    return f"`{', '.join(part for part in (case.asked, *account) if part)}`".replace("|", "\\|")


def plain(text: str) -> str:
    """A message without parts that differ between machines and runs: ports, paths of the checkout."""
    text = re.sub(r"\b((?:localhost|vcenter\.invalid):)\d{4,5}\b", r"\g<1>443", text)
    return re.sub(r"/\S*/(tests/unit/modules/bad_input/host_cases\.py)", "some.txt", text)


def cell(text: str) -> str:
    """Text for a table cell, with special characters escaped."""
    return re.sub(r"([|*<>\\])", r"\\\1", text)


def main() -> int:
    """Write the page."""
    collection_path.install()
    from tests.unit.modules.bad_input.test_bad_input import CASES, WARNINGS

    PAGE.write_text(page(CASES, WARNINGS), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}: {len(CASES)} cases, {len(WARNINGS)} warnings")
    return 0


if __name__ == "__main__":
    sys.exit(main())
