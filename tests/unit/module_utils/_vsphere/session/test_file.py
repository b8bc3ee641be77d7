# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session in a file: what is kept, and everything somebody else could put in its way."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session import file as session_file
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.file import (
    Kept,
    Key,
    SessionFile,
    default_folder,
)

KEY = Key(hostname="vc.lab", port=443, username="u@lab", proxy="", trust="True")
ROUNDS = session_file._ROUNDS  # before the tests make them few
KEPT = Kept(cookie='vmware_soap_session="52aabbcc-0011-2233-4455-66778899aabb"', certificate="ab" * 32)


@pytest.fixture
def file(tmp_path: Path) -> SessionFile:
    return SessionFile(KEY, folder=tmp_path / "sessions")


def keep(file: SessionFile) -> Path:
    with file.locked():
        file.write(KEPT, "secret")
    return file.path


def read(file: SessionFile, password: str = "secret") -> Kept | None:
    with file.locked():
        return file.read(password)


def test_what_was_kept_is_found_by_the_same_password_only(file: SessionFile) -> None:
    assert read(file) is None
    keep(file)
    assert read(file) == KEPT
    assert read(file, "Secret") is None
    with file.locked():
        file.remove()
        file.remove()
    assert read(file) is None


def test_a_password_is_dear_to_guess(file: SessionFile, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ROUNDS >= 200_000
    monkeypatch.setattr(session_file, "_ROUNDS", ROUNDS)
    kept = json.loads(keep(file).read_bytes())
    assert kept["password"] == hashlib.pbkdf2_hmac("sha256", b"secret", kept["salt"].encode(), ROUNDS).hex()
    assert read(file) == KEPT


@pytest.mark.parametrize(
    "other",
    [
        {"hostname": "vc2.lab"},
        {"port": 444},
        {"username": "v@lab"},
        {"proxy": "p:1"},
        {"trust": "False"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_nothing_else_finds_it(file: SessionFile, other: dict[str, Any]) -> None:
    keep(file)
    changed = SessionFile(Key(**{**vars(KEY), **other}), folder=file.path.parent)
    assert changed.path != file.path
    assert read(changed) is None


def test_it_is_the_users_alone_and_says_nothing_it_need_not(file: SessionFile) -> None:
    before = os.umask(0)
    try:
        path = keep(file)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert sorted(other.name for other in path.parent.iterdir()) == [path.name, path.with_suffix(".lock").name]
    text = path.read_text()
    assert "secret" not in text
    assert "vc.lab" not in text + path.name
    assert "aabbcc" not in repr(KEPT)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"format": 1}',
        b"[" * 100_000,
        b"x" * 10_000,
    ],
    ids=lambda content: content[:12].decode("latin-1"),
)
def test_what_is_not_ours_is_not_used(file: SessionFile, content: bytes) -> None:
    keep(file).write_bytes(content)
    assert read(file) is None
    keep(file)
    assert read(file) == KEPT


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"cookie": 'vmware_soap_session="52aabbcc"\r\nX-Evil: 1'},
        {"cookie": ""},
        {"cookie": None},
        {"password": ""},
        {"salt": "00"},
    ],
    ids=lambda change: str(change)[:30],
)
def test_what_was_tampered_with_is_not_used(file: SessionFile, change: dict[str, Any]) -> None:
    path = keep(file)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert read(file) is None


def elsewhere(path: Path) -> Path:
    """A session somebody else made, where we could be led."""
    stolen = path.parent.parent / "elsewhere"
    stolen.write_bytes(path.read_bytes())
    stolen.chmod(0o600)
    return stolen


def link_file(path: Path) -> None:
    target = elsewhere(path)
    path.unlink()
    path.symlink_to(target)


def hard_link(path: Path) -> None:
    target = elsewhere(path)
    path.unlink()
    path.hardlink_to(target)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir(0o700)


def link_lock(path: Path) -> None:
    path.with_suffix(".lock").unlink()
    path.with_suffix(".lock").symlink_to(elsewhere(path))


def dangling_lock(path: Path) -> None:
    path.with_suffix(".lock").unlink()
    path.with_suffix(".lock").symlink_to(path.parent.parent / "made-by-us")


def link_folder(path: Path) -> None:
    moved = path.parent.rename(path.parent.with_name("moved"))
    path.parent.symlink_to(moved)


def file_for_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("moved"))
    path.parent.write_text("")


ATTACKS: dict[str, Callable[[Path], Any]] = {
    "a link in its place": link_file,
    "a second name": hard_link,
    "a pipe": pipe,
    "a folder in its place": folder,
    "a link for the lock": link_lock,
    "a link to nowhere for the lock": dangling_lock,
    "a link for the folder": link_folder,
    "a file for the folder": file_for_folder,
    "others may read it": lambda path: path.chmod(0o640),
    "others may write it": lambda path: path.chmod(0o602),
    "others may look into the folder": lambda path: path.parent.chmod(0o750),
    "others may write into the folder": lambda path: path.parent.chmod(0o777),
    "others may write the lock": lambda path: path.with_suffix(".lock").chmod(0o666),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_what_somebody_else_could_reach_is_an_error(file: SessionFile, attack: Callable[[Path], Any]) -> None:
    attack(keep(file))
    with pytest.raises(DirectPathError) as caught:
        read(file)
    assert caught.value.code == "unsafe_session_file"
    assert str(file.path.parent) in str(caught.value)
    assert "aabbcc" not in str(caught.value)
    assert not (file.path.parent.parent / "made-by-us").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("what", ["file", "folder", "lock"])
def test_what_belongs_to_somebody_else_is_an_error(file: SessionFile, what: str) -> None:
    path = keep(file)
    os.chown({"file": path, "folder": path.parent, "lock": path.with_suffix(".lock")}[what], 12345, 12345)
    with pytest.raises(DirectPathError, match="belongs to another user"):
        read(file)


def test_a_link_is_replaced_by_writing_and_not_followed(file: SessionFile) -> None:
    path = keep(file)
    target = elsewhere(path)
    before = target.read_bytes()
    path.unlink()
    path.symlink_to(target)
    keep(file)
    assert target.read_bytes() == before
    assert not path.is_symlink()
    assert read(file) == KEPT


def test_where_nothing_can_be_kept_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DirectPathError) as caught:
        read(SessionFile(KEY, folder=tmp_path / "file" / "below"))
    assert caught.value.code == "no_session_folder"


def test_a_write_that_fails_leaves_what_was_there(file: SessionFile, monkeypatch: pytest.MonkeyPatch) -> None:
    path = keep(file)

    def full(*_arguments: Any, **_options: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(session_file.os, "replace", full)
    with file.locked(), pytest.raises(DirectPathError, match="No space left"):
        file.write(Kept(cookie="a=bbbbbbbb", certificate=""), "secret")
    assert len(list(path.parent.iterdir())) == 2
    assert read(file) == KEPT


def test_one_at_a_time(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        for _unused in range(5):
            with SessionFile(KEY, folder=tmp_path / "s").locked():
                inside.append(number)
                most.append(len(inside))
                time.sleep(0.002)
                inside.remove(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 30
    assert max(most) == 1


def test_a_task_that_hangs_in_its_login_is_not_waited_for_forever(tmp_path: Path) -> None:
    slept: list[float] = []
    waiting = SessionFile(KEY, folder=tmp_path / "s", sleep=slept.append)
    with SessionFile(KEY, folder=tmp_path / "s").locked(), pytest.raises(DirectPathError) as caught, waiting.locked():
        pytest.fail("two were in it at once")
    assert caught.value.code == "session_busy"
    assert sum(slept) == pytest.approx(session_file.PATIENCE, abs=1)
    with waiting.locked():
        assert waiting.read("x") is None


def test_a_task_that_dies_leaves_no_lock(file: SessionFile) -> None:
    keep(file)
    lock = file.path.with_suffix(".lock")
    code = "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], os.O_RDWR), fcntl.LOCK_EX); print(1, flush=True); sys.stdin.read()"
    with Popen([sys.executable, "-c", code, str(lock)], stdin=PIPE, stdout=PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        impatient = SessionFile(KEY, folder=file.path.parent, sleep=lambda seconds: None)
        with pytest.raises(DirectPathError, match="logging in"), impatient.locked():
            pytest.fail("the lock was not held")
        holder.kill()
    assert read(file) == KEPT


def test_the_folder_is_that_of_the_login_or_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    assert default_folder() == Path("/run/user/7/directpath.vsphere")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "relative")
    monkeypatch.setenv("XDG_CACHE_HOME", "/c")
    assert default_folder() == Path("/c/directpath.vsphere")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == tmp_path / ".cache" / "directpath.vsphere"
