# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pipelines of the guide run only what the guide itself runs, and install what the collection needs."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tools.envs import ROOT
from tools.markdown import Block, blocks

GUIDE = (ROOT / "docs" / "guides" / "continuous_integration.md").read_text(encoding="utf-8")
BLOCKS = blocks(GUIDE, "continuous_integration.md")
AROUND = (
    "apt-get update -qq && apt-get install -qq git",  # the image has none, and ansible-galaxy needs it
    'cat report/drift.md >> "$GITHUB_STEP_SUMMARY"',
)


def pipeline(key: str) -> dict[str, Any]:
    (block,) = [
        block for block in BLOCKS if block.not_run and block.language == "yaml" and f"\n{key}:" in f"\n{block.text}"
    ]
    loaded: dict[str, Any] = yaml.safe_load(block.text)
    return loaded


def install() -> Block:
    (block,) = [block for block in BLOCKS if block.language == "shell" and "pip install" in block.text]
    return block


def github() -> list[str]:
    (job,) = pipeline("jobs")["jobs"].values()
    return [line for step in job["steps"] for line in step.get("run", "").splitlines()]


def gitlab() -> list[str]:
    loaded = pipeline("default")
    return [
        *loaded["default"]["before_script"],
        *(line for job in ("drift", "plan", "apply") for line in loaded[job]["script"]),
    ]


@pytest.mark.parametrize("commands", [github(), gitlab()], ids=["github", "gitlab"])
def test_a_pipeline_runs_what_the_page_runs(commands: list[str]) -> None:
    run = {line for block in BLOCKS if block.run for line in block.text.splitlines()}
    installing = install().text.splitlines()
    assert [line for line in commands if line not in (*run, *installing, *AROUND)] == []
    assert [line for line in commands if line in installing] == installing
    assert "sh drift.sh" in commands


def test_the_libraries_are_those_of_the_collection() -> None:
    needed = [
        line for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines() if line[:1].isalpha()
    ]
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    core = f"ansible-core{runtime['requires_ansible'].removesuffix('.0')}"
    assert re.findall(r'"([^"]+)"', install().text) == [core, *needed]


def test_both_fail_on_an_inventory_that_cannot_be_read_and_keep_the_reports() -> None:
    (job,) = pipeline("jobs")["jobs"].values()
    gitlab_file = pipeline("default")
    for variables in (job["env"], gitlab_file["variables"]):
        assert variables["ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"] == "true"
        assert "VMWARE_CA_PATH" in variables
    assert job["steps"][-1]["if"] == "always()"
    assert job["steps"][-1]["with"]["path"] == "report"
    assert gitlab_file["drift"]["artifacts"] == {
        "when": "always",
        "paths": ["report"],
        "reports": {"junit": "report/drift.xml"},
    }
    assert gitlab_file["drift"]["allow_failure"] == {"exit_codes": [4]}
