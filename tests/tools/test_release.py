# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must not be published is refused."""

from __future__ import annotations

import pytest

from tools.generate import metadata
from tools.release import PLACEHOLDER, found_objections, objections

ABOUT = {
    "version": "1.2.3",
    **dict.fromkeys(("repository", "documentation", "homepage", "issues"), "https://github.com/us/directpath.vsphere"),
}
RELEASED = {"1.2.3": {}}


def test_a_finished_release_is_accepted() -> None:
    assert objections(ABOUT, RELEASED, "v1.2.3", "") == []


@pytest.mark.parametrize(
    ("about", "released", "tag", "unfinished", "said"),
    [
        (
            {"issues": f"https://github.com/{PLACEHOLDER}/x/issues"},
            RELEASED,
            "v1.2.3",
            "",
            "issues has the placeholder",
        ),
        (
            {"repository": f"https://github.com/{PLACEHOLDER}/x"},
            RELEASED,
            "v1.2.3",
            "",
            "repository has the placeholder",
        ),
        ({}, {"1.2.2": {}}, "v1.2.3", "", "has no release 1.2.3"),
        ({}, RELEASED, "", "", "is missing, and galaxy.yml has version 1.2.3: tag v1.2.3"),
        ({}, RELEASED, "v1.2.2", "", "is v1.2.2, and"),
        ({}, RELEASED, "v1.2.3", " M README.md", "not committed:\n M README.md"),
    ],
)
def test_each_objection(
    about: dict[str, str], released: dict[str, object], tag: str, unfinished: str, said: str
) -> None:
    (problem,) = objections({**ABOUT, **about}, released, tag, unfinished)
    assert said in problem


def test_this_checkout_is_refused_while_the_placeholder_stands() -> None:
    if PLACEHOLDER in metadata()["repository"]:
        assert any("placeholder" in problem for problem in found_objections())
