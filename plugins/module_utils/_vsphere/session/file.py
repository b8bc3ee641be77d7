# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that keeps a session for the next task. PRIVATE to the collection.

The cookie gives access to the session. So file and folder must belong to the user, without access for others, and links are not
followed: all names are opened relative to the open folder, and checked after that. Content that this module did not write is not used.
A file or folder that others can read or replace is an error.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import json
import os
import re
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..._domain.errors import DirectPathError
from ..file_lock import lock as lock_file
from ..http.rehearsal import place_of

FORMAT = 1
PATIENCE = 150.0
"""Seconds to wait for another task that logs in. Longer than such a task waits for an answer."""
_COOKIE = re.compile(r'[\w.-]{1,64}="?[\w+/=.:-]{8,512}"?', re.ASCII)
_BIGGEST = 8192
_FOLDER = "directpath.vsphere"
_ROUNDS = 200_000
"""Rounds of PBKDF2. Guessing the password from its hash costs about a tenth of a second per attempt."""


@dataclass(frozen=True, kw_only=True)
class Key:
    """What a task must have in common with a session to reuse it. The password is checked separately, against a hash in the file."""

    hostname: str
    port: int
    username: str
    proxy: str
    trust: str
    """Whether the certificate of the server is verified, and with which CAs."""

    def name(self) -> str:
        """The file name: a hash, so that it does not show server and account."""
        text = json.dumps([self.hostname.lower(), self.port, self.username, self.proxy, self.trust])
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A kept session: the cookie, and the SHA-256 of the certificate of the only server that may receive it."""

    cookie: str = field(repr=False)
    certificate: str


def default_folder() -> Path:
    """The runtime folder of the user, which a restart empties; without one, the cache folder in the home of the user."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(runtime):
        return Path(runtime) / _FOLDER
    cache = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(cache) if os.path.isabs(cache) else Path.home() / ".cache") / _FOLDER


class SessionFile:
    """The file of one session. Everything except ``path`` needs the lock: ``with file.locked(): ...``."""

    def __init__(self, key: Key, *, folder: Path | None = None, sleep: Callable[[float], None] = time.sleep) -> None:
        self._folder = place_of(folder or default_folder())
        self._name = f"{key.name()}.json"
        self._lock = f"{key.name()}.lock"
        self._sleep = sleep
        self._at = -1

    @property
    def path(self) -> Path:
        return self._folder / self._name

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock: one task at a time, across processes.

        Raises DirectPathError (unsafe_session_file, no_session_folder, session_busy).
        """
        self._at = self._open_folder()
        try:
            lock = self._open(self._lock, os.O_RDWR | os.O_CREAT)
            try:
                self._wait_for(lock)
                yield
            finally:
                os.close(lock)
        finally:
            os.close(self._at)
            self._at = -1

    def read(self, password: str) -> Kept | None:
        """The kept session; None when there is none, it was opened with another password, or the content is invalid."""
        try:
            number = self._open(self._name, os.O_RDONLY)
        except FileNotFoundError:
            return None
        with os.fdopen(number, "rb") as handle:
            text = handle.read(_BIGGEST + 1)
        return _parse(text, password)

    def write(self, kept: Kept, password: str) -> None:
        """Keep a session. The file is replaced atomically. Raises DirectPathError (no_session_folder)."""
        salt = secrets.token_hex(16)
        content = {
            "format": FORMAT,
            "cookie": kept.cookie,
            "certificate": kept.certificate,
            "salt": salt,
            "password": _hash(password, salt),
        }
        part = f"{self._name}.{secrets.token_hex(8)}"
        try:
            self._write(part, json.dumps(content).encode())
        except OSError as error:
            raise _no_folder(self._folder, error) from error

    def _write(self, part: str, content: bytes) -> None:
        number = os.open(
            part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=self._at
        )
        try:
            with os.fdopen(number, "wb") as handle:
                os.fchmod(handle.fileno(), 0o600)
                handle.write(content)
            os.replace(part, self._name, src_dir_fd=self._at, dst_dir_fd=self._at)
        except BaseException:
            with suppress(OSError):
                os.unlink(part, dir_fd=self._at)
            raise

    def remove(self) -> None:
        """Remove the file, if it exists."""
        with suppress(FileNotFoundError):
            os.unlink(self._name, dir_fd=self._at)

    def _open_folder(self) -> int:
        try:
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                self._folder.mkdir(mode=0o700)
            number = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                raise _unsafe(self._folder, "it is a link or not a folder") from error
            raise _no_folder(self._folder, error) from error
        return _check(number, self._folder, stat.S_ISDIR)

    def _open(self, name: str, flags: int) -> int:
        try:
            number = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600, dir_fd=self._at)
        except OSError as error:
            if error.errno == errno.ENOENT:
                raise
            raise _unsafe(self._folder / name, error.strerror or "it cannot be opened") from error
        return _check(number, self._folder / name, stat.S_ISREG)

    def _wait_for(self, lock: int) -> None:
        try:
            lock_file(lock, seconds=PATIENCE, sleep=self._sleep)
        except TimeoutError:
            raise DirectPathError(
                message=f"Another task has been logging in for {PATIENCE:.0f} seconds ({self._folder / self._lock})",
                code="session_busy",
                parameter="session",
                cure="Find and stop the task that hangs, or use session: per_task",
            ) from None


def _check(number: int, path: Path, is_right: Callable[[int], bool]) -> int:
    """Return the open file. Raises DirectPathError (unsafe_session_file) when others could read or replace it."""
    found = os.fstat(number)
    if found.st_uid != os.geteuid():
        reason = "it belongs to another user"
    elif stat.S_IMODE(found.st_mode) & 0o077:
        reason = f"other users have access to it (mode {stat.S_IMODE(found.st_mode):04o})"
    elif not is_right(found.st_mode):
        reason = "it is not a file or folder of the expected type"
    elif stat.S_ISREG(found.st_mode) and found.st_nlink != 1:
        reason = "it has more than one hard link"
    else:
        return number
    os.close(number)
    raise _unsafe(path, reason)


def _no_folder(folder: Path, error: OSError) -> DirectPathError:
    return DirectPathError(
        message=f"Cannot keep a session in {folder}: {error.strerror}",
        code="no_session_folder",
        parameter="session",
        cure="Set XDG_RUNTIME_DIR to a folder that you can write to, or use session: per_task",
    )


def _unsafe(path: Path, reason: str) -> DirectPathError:
    return DirectPathError(
        message=f"A session cannot be kept safely in {path}: {reason}",
        code="unsafe_session_file",
        parameter="session",
        cure="Find out who created it and remove it, or use session: per_task",
    )


def _parse(text: bytes, password: str) -> Kept | None:
    try:
        content: Any = json.loads(text)
        cookie, certificate, salt, expected = (
            str(content[name]) for name in ("cookie", "certificate", "salt", "password")
        )
        if content["format"] != FORMAT or len(text) > _BIGGEST or not _COOKIE.fullmatch(cookie):
            return None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not hmac.compare_digest(_hash(password, salt), expected):
        return None
    return Kept(cookie=cookie, certificate=certificate)


def _hash(password: str, salt: str) -> str:
    """A slow, salted hash of the password. It shows whether a session was opened with this password."""
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), _ROUNDS).hex()
