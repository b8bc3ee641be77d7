# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""README.md promises nothing that the tarball lacks, its links work where Galaxy shows it, and its pictures are small and passive."""

from __future__ import annotations

import fnmatch
import re
import struct
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from tools.envs import ROOT
from tools.generate import modules, playbooks, roles
from tools.published_readme import CHECKOUT, LINK, problems, with_absolute_links
from tools.release import PLACEHOLDER
from tools.tree import working_files

README = (ROOT / "README.md").read_text(encoding="utf-8")
METADATA = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
PICTURES = ROOT / "docs" / "pictures"


def in_tarball(files: list[str]) -> list[str]:
    """What `ansible-galaxy collection build` takes: a folder that is ignored is not entered."""
    ignored = METADATA["build_ignore"]
    return [
        file
        for file in files
        if not any(fnmatch.fnmatch(str(part), rule) for part in (Path(file), *Path(file).parents) for rule in ignored)
    ]


FILES = in_tarball(working_files())


def test_the_tarball_has_what_the_readme_names() -> None:
    assert problems(README, FILES) == []


def test_what_needs_a_checkout_says_so() -> None:
    (section,) = CHECKOUT.findall(README)
    assert "make demo" in section
    assert "make test" in section
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^[a-z ]*\b{target}\b[a-z ]*:", makefile, re.MULTILINE), target


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[x](docs/none.md)", "README.md names docs/none.md, which is not in the tarball"),
        ("![x](tests/docs/x.png)", "README.md names tests/docs/x.png, which is not in the tarball"),
        ("`pytest tests/unit`", "README.md names tests/unit, which is not in the tarball"),
        ("```shell\npython tools/ci.py\n```", "README.md names tools/ci.py, which is not in the tarball"),
        ("`make lab`", "README.md names `make lab` outside a section about a git checkout"),
        (
            "`ansible-playbook directpath.vsphere.none`",
            "README.md names playbooks/none.yml, which is not in the tarball",
        ),
        (
            "`ansible-doc directpath.vsphere.none`",
            "README.md names plugins/modules/none.py, which is not in the tarball",
        ),
        (
            "`ansible-doc -t role directpath.vsphere.none`",
            "README.md names roles/none/meta/argument_specs.yml, which is not in the tarball",
        ),
        (
            "`~/x/ansible_collections/directpath/vsphere/none.txt`",
            "README.md names none.txt, which is not in the tarball",
        ),
        (
            "```yaml\n- a:\n    directpath.vsphere.none:\n```",
            "README.md names plugins/modules/none.py, which is not in the tarball",
        ),
    ],
)
def test_what_is_missing_is_noticed(text: str, problem: str) -> None:
    assert problems(f"# x\n\n{text}\n", FILES) == [problem]
    assert problems(f"# x\n\n## In a git checkout\n\n{text}\n", FILES) == []
    assert problems(f"## In a git checkout\n\nx\n\n## Next\n\n{text}\n", FILES) == [problem]


def test_each_module_role_and_playbook_has_its_link_or_its_name() -> None:
    targets = {link["target"] for link in LINK.finditer(README)}
    assert {f"docs/reference/{name}.md" for name in (*modules(), "pci_hosts")} <= targets
    assert {f"roles/{name}/README.md" for name in roles()} <= targets
    assert all(f"`directpath.vsphere.{name}`" in README for name in playbooks())


def test_on_galaxy_every_link_leads_to_the_tag_in_the_repository() -> None:
    published = with_absolute_links(README, "https://git.example.com/a/b", "1.2.3")
    before, after = list(LINK.finditer(README)), list(LINK.finditer(published))
    assert len(before) == len(after) > 40
    for old, new in zip(before, after, strict=True):
        if "://" in old["target"]:
            assert new[0] == old[0]
            continue
        way = "raw" if old["picture"] else "blob"
        assert new["target"] == f"https://git.example.com/a/b/{way}/v1.2.3/{old['target'] or 'README.md'}"
        assert new["anchor"] == old["anchor"]
        assert (ROOT / old["target"]).exists()


def test_links_in_code_are_code() -> None:
    text = "```text\n[x](y.md)\n```\n[x](y.md#z) [here](#z) [w](https://w)\n"
    assert with_absolute_links(text, "https://r", "1") == (
        "```text\n[x](y.md)\n```\n[x](https://r/blob/v1/y.md#z) [here](https://r/blob/v1/README.md#z) [w](https://w)\n"
    )


def test_anchors_lead_to_headings() -> None:
    headings = {
        re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-")
        for line in re.findall(r"^#+ (.*)$", README, re.MULTILINE)
    }
    assert {link["anchor"][1:] for link in LINK.finditer(README) if link["anchor"] and not link["target"]} <= headings


def test_the_readme_says_that_a_placeholder_is_one() -> None:
    assert ("not published yet" in README) is (PLACEHOLDER in METADATA["repository"])


def test_the_versions_are_those_that_are_tested() -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    oldest = runtime["requires_ansible"].removeprefix(">=").removesuffix(".0")
    library = re.search(r"pyvmomi>=(\S+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"))
    pinned = re.search(
        r"ansible-core[<>=~]+(\d+\.\d+)", (ROOT / "tools" / "requirements" / "main.txt").read_text(encoding="utf-8")
    )
    assert library is not None
    assert pinned is not None
    assert f"| ansible-core | {oldest} and later | {oldest}, {pinned[1]}, the newest release |" in README
    assert f"| pyVmomi | {library[1]} and later |" in README


# ------------------------------------------------------------------------------------------------------------ pictures


@pytest.mark.parametrize("name", ["rolling_reboot.svg", "timeline.png", "drift.png"])
def test_a_picture_is_small_and_shown(name: str) -> None:
    path = PICTURES / name
    assert 2_000 < path.stat().st_size < 300_000
    assert f"](docs/pictures/{name})" in README


@pytest.mark.parametrize("name", ["timeline.png", "drift.png"])
def test_a_page_is_shown_as_wide_as_it_can_be_read(name: str) -> None:
    width, height = struct.unpack(">II", (PICTURES / name).read_bytes()[16:24])
    assert width >= 800
    assert 300 < height < 2 * width


def test_the_recording_is_a_whole_rolling_reboot_and_runs_no_code() -> None:
    tree = ElementTree.parse(PICTURES / "rolling_reboot.svg")
    names = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert names <= {"svg", "title", "style", "clipPath", "rect", "g", "text", "tspan"}
    assert not any(
        key.lower().startswith("on") or key.endswith("href") for element in tree.iter() for key in element.attrib
    )
    text = "\n".join("".join(element.itertext()) for element in tree.iter() if element.tag.endswith("}text"))
    for words in ("rebooting → booting", "6 of 6 done", "shutting down train-01", "powering on train-01", "failed=0"):
        assert words in text
