# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""vm_guest_info and a server that leaves something out or answers nonsense: never a guest that seems to be the right one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.endpoint import Endpoint
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.transport import GUEST_METHODS, Guard
from tests.unit.modules.fail_closed.fading import Fade, Way, watched
from tests.unit.modules.fail_closed.left_out import Frugal
from tests.unit.modules.fail_closed.test_unreadable_answers import ALWAYS, KINDS, Garbling, GuardedGarbling
from tests.unit.modules.vm_guest_info.guests import ACCOUNT, files_in, guest_lab, runs_for_real

LINUX: dict[str, Any] = {"vms": ["train-01"], "guest_timeout": 60, **ACCOUNT}
READ = (
    "runtime.powerState",
    "guest.toolsRunningStatus",
    "guest.toolsVersionStatus2",
    "guest.guestOperationsReady",
    "guest.guestFamily",
    "config.guestId",
    "config.uuid",
)


@pytest.mark.parametrize("path", READ)
@pytest.mark.parametrize("way", ["missing", "unset"])
def test_a_property_that_is_not_given_is_never_a_match(path: str, way: Way, tmp_path: Path) -> None:
    lab = guest_lab()
    runs_for_real(lab, "train-01", tmp_path)
    with watched(Fade(kind="VirtualMachine", path=path, way=way)) as seen:
        (vm,) = lab.run("vm_guest_info", on_error="report", **LINUX)["vms"]
    assert ("VirtualMachine", path) in seen.paths
    assert vm["status"] == "read", "the guest itself answers, whatever vSphere shows"
    assert vm["uuid_matches"] is (None if path == "config.uuid" else True)


def test_a_frugal_server_hides_no_guest(tmp_path: Path) -> None:
    lab = guest_lab()
    runs_for_real(lab, "train-01", tmp_path)
    with watched(Frugal()):
        (vm,) = lab.run("vm_guest_info", **LINUX)["vms"]
    assert (vm["status"], vm["uuid_matches"]) == ("read", True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", sorted(GUEST_METHODS - {"TerminateProcessInGuest", "DeleteFileInGuest"}))
def test_nonsense_of_a_guest_operation_is_an_error(method: str, kind: str, tmp_path: Path) -> None:
    lab = guest_lab()
    runs_for_real(lab, "train-01", tmp_path)

    def transport(_endpoint: Endpoint) -> Guard:
        return GuardedGarbling(lab.sim, lab.sim.api_version)

    lab._transport = transport  # type: ignore[method-assign]
    Garbling.method, Garbling.spoil, Garbling.hit = method, staticmethod(KINDS[kind]), False  # type: ignore[assignment]
    result = lab._main("vm_guest_info", {**lab.credentials(), **LINUX, "_ansible_check_mode": False})
    assert Garbling.hit
    assert result.get("error_code") != "unexpected", result
    assert "bug in the collection" not in str(result)
    if kind in ALWAYS or result.get("failed"):
        assert result.get("failed"), result
        assert result["vms"][0]["status"] == "failed"
    if method != "CreateTemporaryFileInGuest":
        assert files_in(lab, "train-01") == []
