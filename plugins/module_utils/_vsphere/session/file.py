# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file in which a session waits for the next task. PRIVATE to the collection.

Whoever has the cookie has the session, so the file is the user's alone, in a folder that is the user's alone, and never followed to
anywhere else: all of it is looked up relative to the open folder, and checked after it was opened. What was not written by us is not
used, and what anybody else can read or replace is an error, not something to go on with.
"""

from __future__ import annotations

import errno
import fcntl
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

FORMAT = 1
PATIENCE = 150.0
"""Seconds to wait for another task that logs in: longer than it waits for an answer itself."""
_PAUSE = 0.05
_COOKIE = re.compile(r'[\w.-]{1,64}="?[\w+/=.:-]{8,512}"?', re.ASCII)
_BIGGEST = 8192
_FOLDER = "directpath.vsphere"
_ROUNDS = 200_000
"""What makes a password dear to guess from its proof: a tenth of a second for each try."""


@dataclass(frozen=True, kw_only=True)
class Key:
    """What a session is good for. The password is not part of it: a changed one finds the file, and does not get its session."""

    hostname: str
    port: int
    username: str
    proxy: str
    trust: str
    """How the server's certificate is verified: not at all, or against which CAs."""

    def name(self) -> str:
        """A file name that tells nobody where the session is."""
        text = json.dumps([self.hostname.lower(), self.port, self.username, self.proxy, self.trust])
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A session as it is kept: the cookie, and the certificate (its SHA-256) of the only server it may be shown to."""

    cookie: str = field(repr=False)
    certificate: str


def default_folder() -> Path:
    """The runtime folder of the user's login, which is gone after a restart; else the cache in the user's home."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(runtime):
        return Path(runtime) / _FOLDER
    cache = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(cache) if os.path.isabs(cache) else Path.home() / ".cache") / _FOLDER


class SessionFile:
    """One session's place. Everything but ``path`` needs the lock: ``with file.locked(): ...``."""

    def __init__(self, key: Key, *, folder: Path | None = None, sleep: Callable[[float], None] = time.sleep) -> None:
        self._folder = folder or default_folder()
        self._name = f"{key.name()}.json"
        self._lock = f"{key.name()}.lock"
        self._sleep = sleep
        self._at = -1

    @property
    def path(self) -> Path:
        return self._folder / self._name

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One task at a time, in whatever process. Raises DirectPathError (unsafe_session_file, no_session_folder, session_busy)."""
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
        """The session that was left here with this password; None when there is none, or something else is written there."""
        try:
            number = self._open(self._name, os.O_RDONLY)
        except FileNotFoundError:
            return None
        with os.fdopen(number, "rb") as handle:
            text = handle.read(_BIGGEST + 1)
        return _understood(text, password)

    def write(self, kept: Kept, password: str) -> None:
        """Keep a session; half a file is never seen."""
        salt = secrets.token_hex(16)
        content = {
            "format": FORMAT,
            "cookie": kept.cookie,
            "certificate": kept.certificate,
            "salt": salt,
            "password": _proof(password, salt),
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
        """Forget the session."""
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
                raise _unsafe(self._folder, "it is no folder of its own") from error
            raise _no_folder(self._folder, error) from error
        return _checked(number, self._folder, stat.S_ISDIR)

    def _open(self, name: str, flags: int) -> int:
        try:
            number = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600, dir_fd=self._at)
        except OSError as error:
            if error.errno == errno.ENOENT:
                raise
            raise _unsafe(self._folder / name, error.strerror or "it cannot be opened") from error
        return _checked(number, self._folder / name, stat.S_ISREG)

    def _wait_for(self, lock: int) -> None:
        waited = 0.0
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if waited >= PATIENCE:
                    raise DirectPathError(
                        message=f"Another task has been logging in for {PATIENCE:.0f} seconds ({self._folder / self._lock})",
                        code="session_busy",
                        parameter="session",
                        cure="Look for a task that hangs, or use session: per_task",
                    ) from None
                self._sleep(_PAUSE)
                waited += _PAUSE


def _checked(number: int, path: Path, is_right: Callable[[int], bool]) -> int:
    """The open file, once it is certain that it is the user's alone."""
    found = os.fstat(number)
    if found.st_uid != os.geteuid():
        reason = "it belongs to somebody else"
    elif stat.S_IMODE(found.st_mode) & 0o077:
        reason = f"others may get at it (mode {stat.S_IMODE(found.st_mode):04o})"
    elif not is_right(found.st_mode):
        reason = "it is something else"
    elif stat.S_ISREG(found.st_mode) and found.st_nlink != 1:
        reason = "it has a second name"
    else:
        return number
    os.close(number)
    raise _unsafe(path, reason)


def _no_folder(folder: Path, error: OSError) -> DirectPathError:
    return DirectPathError(
        message=f"Cannot keep a session in {folder}: {error.strerror}",
        code="no_session_folder",
        parameter="session",
        cure="Name a folder of yours in XDG_RUNTIME_DIR, or use session: per_task",
    )


def _unsafe(path: Path, reason: str) -> DirectPathError:
    return DirectPathError(
        message=f"Will not keep a session in {path}: {reason}",
        code="unsafe_session_file",
        parameter="session",
        cure="Find out who made it and remove it, or use session: per_task",
    )


def _understood(text: bytes, password: str) -> Kept | None:
    try:
        content: Any = json.loads(text)
        cookie, certificate, salt, proof = (
            str(content[name]) for name in ("cookie", "certificate", "salt", "password")
        )
        if content["format"] != FORMAT or len(text) > _BIGGEST or not _COOKIE.fullmatch(cookie):
            return None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not hmac.compare_digest(_proof(password, salt), proof):
        return None
    return Kept(cookie=cookie, certificate=certificate)


def _proof(password: str, salt: str) -> str:
    """What shows that a session was opened with this password, and costs whoever steals it years to turn back into one."""
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), _ROUNDS).hex()
