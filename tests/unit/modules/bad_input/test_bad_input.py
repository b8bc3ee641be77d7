# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input gets one message that says what to do, an error code, and changes nothing."""

from __future__ import annotations

import re

import pytest

from tests.unit.modules.bad_input import drift_cases, host_cases, rolling_cases, unit_cases, vm_cases
from tests.unit.modules.bad_input.cases import Case
from tests.unit.modules.contracts import contracts, module_names

CASES = [*drift_cases.CASES, *host_cases.CASES, *rolling_cases.CASES, *vm_cases.CASES, *unit_cases.CASES]
CASES += [case for contract in contracts() for case in contract.bad_input]
WARNINGS = [*host_cases.WARNINGS, *rolling_cases.WARNINGS, *vm_cases.WARNINGS]
WITHOUT_CASES = {"end_session", "host_maintenance", "rolling_reboot_info"}
"""``host_maintenance`` has tests of its own. The others have no option that can be wrong, but for those of the connection."""
# What a program says, not a person: names of Python's exceptions and how Python shows its values.
PROGRAM = re.compile(
    r"Traceback|\b[A-Z]\w+(?:Error|Exception)\b|\bNone\b|\[Errno|_ssl\.c|\bint\(\)|<[\w.]+ object|vim\."
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.module}: {case.title}")
def test_bad_input(case: Case) -> None:
    answer = case.run()
    result = answer.result
    assert result["failed"]
    assert result.get("error_code") == case.code
    assert [text for text in case.says if text not in result["msg"]] == []
    assert PROGRAM.search(result["msg"]) is None
    if case.code:
        assert len(re.findall(r"[.?!](?: |$)", answer.message)) >= 2, (
            "one sentence says what is wrong, another what to do"
        )
    assert "exception" not in result
    assert not result.get("changed")
    assert answer.written == []
    assert answer.untouched


@pytest.mark.parametrize("case", WARNINGS, ids=lambda case: f"{case.module}: {case.title}")
def test_warning(case: Case) -> None:
    answer = case.run()
    said = " ".join(answer.warnings)
    assert [text for text in case.says if text not in said] == []
    assert PROGRAM.search(said) is None
    assert answer.written == []


def test_there_are_enough_and_no_two_are_the_same() -> None:
    assert len(CASES) >= 60
    titles = [(case.module, case.title) for case in CASES]
    assert len(set(titles)) == len(titles)
    assert {case.module for case in CASES} == module_names() - WITHOUT_CASES
    assert len({case.code for case in CASES}) >= 50


@pytest.mark.parametrize(
    "text", ["AttributeError: x", "Grant None to", "[Errno 2]", "<foo.Bar object at", "vim.fault.X"]
)
def test_words_of_a_program_are_noticed(text: str) -> None:
    assert PROGRAM.search(f"Cannot read on vc-01: {text}")
