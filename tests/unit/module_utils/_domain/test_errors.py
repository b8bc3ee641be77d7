# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failures as sentences."""

from __future__ import annotations

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError, InputError


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"message": "No device"}, "No device."),
        ({"message": "No device.", "cure": "Add one"}, "No device. Add one."),
        ({"message": "Which one?", "candidates": ["a", "b"], "cure": "Say!"}, "Which one? Candidates: a; b. Say!"),
    ],
)
def test_sentence(parts: dict[str, object], sentence: str) -> None:
    error = DirectPathError(code="x", **parts)  # type: ignore[arg-type]
    assert error.sentence() == str(error) == sentence


def test_fields_cannot_be_swapped() -> None:
    with pytest.raises(TypeError):
        raise InputError("message", "code")  # type: ignore[misc]  # pylint: disable=missing-kwoa


def test_an_input_error_is_one_of_ours_and_keeps_its_fields() -> None:
    error = InputError(message="m", code="c", cure="u", parameter="p", candidates=["x"])
    assert isinstance(error, DirectPathError)
    assert (error.message, error.code, error.cure, error.parameter, error.candidates) == ("m", "c", "u", "p", ("x",))
