# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role variables with a new name still work by their old one, and are documented as deprecated."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from jinja2.nativetypes import NativeEnvironment

from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.role_options import ROLE_OPTIONS
from tools.envs import ROOT
from tools.generate import argument_specs

OMIT = "omitted"
RENAMED: dict[str, tuple[str, str, Any]] = {
    "drift_report_most_questions": ("drift_report_max_host_queries", "drift_report/tasks/look.yml", 3),
    "rolling_reboot_patience": ("rolling_reboot_blocked_timeout", "rolling_reboot/vars/main.yml", 90),
    "hardware_maintenance_forget": (
        "hardware_maintenance_allow_device_loss",
        "hardware_maintenance/vars/main.yml",
        ["train-01"],
    ),
}
"""Old variable → new variable, the file that reads both, a value."""


def templates(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for entry in value.values() for text in templates(entry)]
    if isinstance(value, list):
        return [text for entry in value for text in templates(entry)]
    return [value] if isinstance(value, str) else []


def evaluate(old: str, given: dict[str, Any]) -> Any:
    """The template that reads the variable, with the variables of a play and the defaults of the role."""
    new, file, _value = RENAMED[old]
    role = ROOT / "roles" / file.split("/", maxsplit=1)[0]
    defaults = yaml.safe_load((role / "defaults" / "main.yml").read_text(encoding="utf-8"))
    (template,) = [
        text for text in templates(yaml.safe_load((ROOT / "roles" / file).read_text(encoding="utf-8"))) if old in text
    ]
    assert new in template
    return NativeEnvironment().from_string(template).render(omit=OMIT, **{**defaults, **given})


@pytest.mark.parametrize("old", RENAMED)
def test_the_value_of_the_old_variable_is_used(old: str) -> None:
    new, _file, value = RENAMED[old]
    assert evaluate(old, {old: value}) == value
    assert evaluate(old, {new: value}) == value


@pytest.mark.parametrize("old", RENAMED)
def test_without_both_the_default_applies(old: str) -> None:
    new, file, _value = RENAMED[old]
    options = argument_specs(ROOT / "roles" / file.split("/", maxsplit=1)[0])["main"]["options"]
    assert evaluate(old, {}) == options[new].get("default", OMIT)


@pytest.mark.parametrize("old", RENAMED)
def test_the_old_variable_is_known_and_documented_as_deprecated(old: str) -> None:
    new, file, _value = RENAMED[old]
    role = file.split("/", maxsplit=1)[0]
    options = argument_specs(ROOT / "roles" / role)["main"]["options"]
    assert f"Deprecated name of C({new})" in options[old]["description"][0]
    assert "default" not in options[old]
    assert options[old]["type"] == options[new]["type"]
    assert old in ROLE_OPTIONS[f"{role}_"]
