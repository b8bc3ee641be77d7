# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How generated tests look for examples.

CI takes the same ones each time, so that it fails for what was changed and not by luck. A developer's machine looks at new
ones on every run, and `make long` at thousands (see searching.py).
"""

from __future__ import annotations

import functools
import inspect
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pyVmomi import VmomiSupport

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session import file

# The machine's own CAs, which every TLS context would read whole (30 ms), are of no use here. Not so where
# tests install tools: those need them.
os.environ["SSL_CERT_FILE"] = os.devnull

# pyVmomi finds a type inside another (``vim.vm.device.VirtualDevice``) by its tables, under a lock, each time it is named, and puts the
# list of a type's properties together, or looks for one in it and its ancestors, each time one is set: a tenth of what these
# tests would cost.
for _type, _name in (
    (VmomiSupport.LazyType, "__getattr__"),
    (VmomiSupport.DataObject, "_GetPropertyList"),
    (VmomiSupport.DataObject, "_GetPropertyInfo"),
):
    _found = inspect.getattr_static(_type, _name)
    _kept = functools.cache(_found.__func__ if isinstance(_found, classmethod) else _found)
    setattr(_type, _name, classmethod(_kept) if isinstance(_found, classmethod) else _kept)

with suppress(ImportError):  # environments that only show that the collection runs on older tools have no hypothesis
    from hypothesis import HealthCheck, settings

    from tests.unit.searching import SEARCH

    # How fast examples are drawn says something about the machine, and nothing about the code.
    patient: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
    settings.register_profile("ci", derandomize=True, print_blob=True, max_examples=SEARCH, **patient)
    settings.register_profile("dev", print_blob=True, max_examples=SEARCH, **patient)
    settings.load_profile("ci" if os.environ.get("CI") and "DIRECTPATH_SEARCH" not in os.environ else "dev")


@pytest.fixture(scope="session", autouse=True)
def _cheap_proofs() -> Iterator[None]:
    """A kept session's proof is made to cost a tenth of a second, and hundreds are made here; one test makes a real one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file, "_ROUNDS", 1000)
        yield


_numbers = count(1)


@pytest.fixture(scope="session")
def _runtime_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runtime")


@pytest.fixture(autouse=True)
def _runtime_folder(_runtime_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shared sessions and journal files of a test are stored nowhere else. The folders are only named here, because few tests need one."""
    place = _runtime_folders / str(next(_numbers))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(place))
    monkeypatch.setenv("HOME", str(place / "home"))


@pytest.fixture
def usual_signals() -> Iterator[None]:
    """What signals do in a terminal. A process that was started in the background ignores some of them, and so do the tests then."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
