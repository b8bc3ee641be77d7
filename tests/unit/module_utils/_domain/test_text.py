# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many names in few words, without losing one; and names that look like templates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.text import is_template, literal, name_ranges


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ([], []),
        (["b", "a", "b"], ["a", "b"]),
        (["esx-01.lab", "esx-02.lab"], ["esx-01.lab", "esx-02.lab"]),
        (["esx-03.lab", "esx-01.lab", "esx-02.lab"], ["esx-01.lab to esx-03.lab"]),
        (["esx-01.a", "esx-02.b", "esx-03.a"], ["esx-01.a", "esx-03.a", "esx-02.b"]),
        (["vm8", "vm9", "vm10", "vm11", "vm12"], ["vm8", "vm9", "vm10 to vm12"]),
        (["esx-01", "esx-02", "esx-04", "esx-05", "esx-06"], ["esx-01", "esx-02", "esx-04 to esx-06"]),
        (["10.0.0.1", "11.0.0.1", "12.0.0.1"], ["10.0.0.1", "11.0.0.1", "12.0.0.1"]),
        (["gpu01-rack2", "gpu02-rack2", "gpu03-rack2"], ["gpu01-rack2", "gpu02-rack2", "gpu03-rack2"]),
    ],
)
def test_names_that_follow_each_other(names: list[str], shown: list[str]) -> None:
    assert name_ranges(names) == shown


@given(st.lists(st.integers(0, 40).map(lambda number: f"esx-{number:02}.lab"), max_size=40))
def test_no_name_is_lost_or_added(names: list[str]) -> None:
    found: list[str] = []
    for text in name_ranges(names):
        first, to, last = text.partition(" to ")
        begin, end = int(first[4:6]), int((last if to else first)[4:6])
        found += [f"esx-{number:02}.lab" for number in range(begin, end + 1)]
    assert found == sorted(set(names))


@pytest.mark.parametrize(
    "name", ["{{ 7 * 7 }}", "{% raw %} a", "{# b", "#jinja2:variable_start_string:'[['", "#jinja2:{{ x }}"]
)
def test_a_name_that_looks_like_a_template_is_rendered_as_it_is(name: str) -> None:
    assert is_template(name)
    assert not literal(name).startswith("#")
    assert Environment(autoescape=True).from_string(literal(name)).render() == name


@pytest.mark.parametrize("name", ["train-01", "a {b}", "#1", "x #jinja2:y"])
def test_another_name_stays_as_it_is(name: str) -> None:
    assert not is_template(name)
    assert literal(name) == name
