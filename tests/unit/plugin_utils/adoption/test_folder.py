# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of an adopted inventory: written whole or not at all, and never written over."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError
from ansible_collections.directpath.vsphere.plugins.plugin_utils.adoption.folder import compare_folder, write_folder
from ansible_collections.directpath.vsphere.plugins.plugin_utils.adoption.results import adopt_results

FILES = {"inventory.yml": "all: {}\n", "group_vars/a/vms.yml": "passthrough_vms: []\n"}
EMPTY: dict[str, Any] = {
    "vcenter": "vc-01",
    "port": 443,
    "hosts": [],
    "vms": [],
    "not_adopted": [],
    "clusters": {},
    "summary": "0 hosts and 0 VMs read",
}


def below(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("mask", [0o022, 0o077])
@pytest.mark.parametrize("exists", [True, False])
def test_it_is_written_once(tmp_path: Path, exists: bool, mask: int) -> None:
    folder = tmp_path / "new" / "inventory"
    if exists:
        folder.mkdir(parents=True)
    assert compare_folder(folder, FILES) is False
    before = os.umask(mask)
    try:
        write_folder(folder, FILES)
    finally:
        os.umask(before)
    assert below(folder) == FILES
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*.yml")} == {0o644}
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o755}, "another user can read all of it"
    assert compare_folder(folder, FILES) is True
    assert [path.name for path in folder.parent.iterdir()] == ["inventory"], "no draft is left"


@pytest.mark.parametrize(
    "change", ["another text", "one more", "one less", "a link", "a file in its place", "a link in its place"]
)
def test_other_content_is_refused_and_stays(tmp_path: Path, change: str) -> None:
    folder = tmp_path / "inventory"
    write_folder(folder, FILES)
    match change:
        case "another text":
            (folder / "inventory.yml").write_text("all: {hosts: {}}\n")
        case "one more":
            (folder / "notes.txt").write_text("mine\n")
        case "one less":
            (folder / "inventory.yml").unlink()
        case "a link":
            (folder / "inventory.yml").unlink()
            (folder / "inventory.yml").symlink_to("/etc/hostname")
        case "a file in its place":
            folder = folder / "inventory.yml"
        case "a link in its place":
            (tmp_path / "link").symlink_to(folder)
            folder = tmp_path / "link"
    before = below(tmp_path)
    with pytest.raises(DirectPathError) as caught:
        compare_folder(folder, FILES)
    assert caught.value.code == "folder_in_use"
    assert below(tmp_path) == before


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "picture").write_bytes(b"\xff\xfe")
    with pytest.raises(DirectPathError) as caught:
        compare_folder(tmp_path, FILES)
    assert caught.value.code == "folder_unreadable"


def test_nothing_is_left_of_a_write_that_fails(tmp_path: Path) -> None:
    folder = tmp_path / "inventory"
    with pytest.raises(DirectPathError) as caught:
        write_folder(folder, {"a": "text", "a/b": "a is a file"})
    assert caught.value.code == "folder_not_written"
    assert list(tmp_path.iterdir()) == []


def test_another_process_that_was_faster_keeps_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "inventory"
    write_folder(folder, {"inventory.yml": "theirs\n"})
    with pytest.raises(DirectPathError):
        write_folder(folder, FILES)
    assert below(folder) == {"inventory.yml": "theirs\n"}


def adopted(dest: Path, *results: dict[str, Any], **more: Any) -> dict[str, Any]:
    names = [f"vc-{number}" for number in range(1, len(results) + 1)]
    return adopt_results(
        results, names, more.pop("connections", []), str(dest), "vcenter", write=more.pop("write", True)
    )


def test_check_mode_predicts_and_writes_nothing(tmp_path: Path) -> None:
    predicted = adopted(tmp_path / "a", EMPTY, write=False)
    assert predicted["changed"]
    assert not (tmp_path / "a").exists()
    assert adopted(tmp_path / "a", EMPTY) == predicted
    assert adopted(tmp_path / "a", EMPTY) == {**predicted, "changed": False}


def test_nothing_is_written_if_one_vcenter_was_not_read(tmp_path: Path) -> None:
    with pytest.raises(DirectPathError) as caught:
        adopted(tmp_path / "a", EMPTY, {"failed": True, "msg": "Cannot log in", "error_code": "invalid_login"})
    assert caught.value.code == "not_read"
    assert "vc-2 was not read: Cannot log in" in caught.value.sentence()
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("names", [[], ["vc-1", "vc-2"]])
def test_each_result_has_a_name(tmp_path: Path, names: list[str]) -> None:
    with pytest.raises(DirectPathError) as caught:
        adopt_results([EMPTY], names, [], str(tmp_path / "a"), "vcenter", write=True)
    assert caught.value.code == "not_read"
    assert f"results has 1 entries, and vcenters has {len(names)}" in caught.value.sentence()
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("dest", ["", "  "])
def test_no_folder(dest: str) -> None:
    with pytest.raises(DirectPathError) as caught:
        adopt_results([EMPTY], ["vc-1"], [], dest, "vcenter", write=True)
    assert caught.value.code == "no_folder"


def test_only_known_connection_variables_are_written(tmp_path: Path) -> None:
    given = {
        "vcenter_ca_path": "/etc/ca.pem",
        "vcenter_password": "secret",
        "vcenter_username": "root",
        "vcenter_proxy_host": "",
    }
    adopted(tmp_path / "a", EMPTY, connections=[given])
    text = (tmp_path / "a/host_vars/vc-01/connection.yml").read_text()
    assert text.endswith('vcenter_hostname: vc-01\nvcenter_ca_path: "/etc/ca.pem"\n')
    assert "secret" not in "".join(below(tmp_path).values())
