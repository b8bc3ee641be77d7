# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults become sentences that name the deed, the object, the server's words and what to do."""

from __future__ import annotations

import http.client
import socket
import ssl

import pytest
from pyVmomi import vim, vmodl

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.faults import (
    explain,
    explained,
    is_transient,
    words,
)


def untrusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError("certificate verify failed")
    error.verify_message = "unable to get local issuer certificate"
    return error


CASES = [
    (vim.fault.InvalidLogin(msg="Cannot complete login."), "invalid_login", "Check username and password"),
    (
        vim.fault.NoPermission(
            msg="Permission denied.", privilegeId="Host.Config.PciPassthru", object=vim.HostSystem("host-9")
        ),
        "no_permission",
        "Grant Host.Config.PciPassthru",
    ),
    (vim.fault.RestrictedVersion(msg="Current license prohibits execution."), "not_licensed", "read-only"),
    (vim.fault.HostConfigFault(msg="An error occurred."), "host_config_refused", "vmkernel.log"),
    (vim.fault.PlatformConfigFault(text="Device ownership cannot be changed"), "host_config_refused", "vmkernel.log"),
    (vim.fault.ConcurrentAccess(), "changed_meanwhile", "run the task again"),
    (vim.fault.TaskInProgress(), "busy", "Wait for it to end".lower()),
    (vmodl.fault.HostNotConnected(), "host_unreachable", "Reconnect the host"),
    pytest.param(
        vmodl.fault.ManagedObjectNotFound(),
        "vanished",
        "removed in the meantime",
        id="fault8-vanished-removed meanwhile",
    ),
    (vmodl.fault.NotSupported(), "not_supported", "does not offer"),
    (vmodl.fault.SystemError(reason="Internal error"), "vsphere_fault", "Internal error"),
    (untrusted(), "certificate_untrusted", "ca_path"),
    (socket.gaierror(-2, "Name or service not known"), "unknown_name", "DNS"),
    (ConnectionRefusedError(111, "Connection refused"), "refused", "hostname and port"),
    (TimeoutError("timed out"), "no_answer", "network and proxy"),
    (http.client.HTTPException("503 Service Unavailable"), "unavailable", "open sessions"),
    (ConnectionResetError(104, "Connection reset by peer"), "connection_lost", "run the task again"),
    (KeyError("slot"), "unexpected", "report it"),
]


@pytest.mark.parametrize(("fault", "code", "cure"), CASES, ids=lambda value: value if isinstance(value, str) else None)
def test_every_fault_says_what_where_and_what_to_do(fault: BaseException, code: str, cure: str) -> None:
    error = explain(fault, doing="change PCI passthrough", on="esx-01")
    assert error.code == code
    assert error.message.startswith("Cannot change PCI passthrough on esx-01: ")
    assert cure.lower() in error.sentence().lower()
    assert "Traceback" not in error.sentence()


def test_missing_privilege_is_named_with_its_object() -> None:
    fault = vim.fault.NoPermission(privilegeId="Host.Config.Maintenance", object=vim.HostSystem("host-42"))
    assert "missing privilege Host.Config.Maintenance on host-42" in words(fault)


def test_all_lines_of_a_power_on_fault_are_shown_once() -> None:
    lines = ["Module 'DevicePowerOn' power on failed.", "Device 6:0.0 is not a passthrough device."]
    fault = vim.fault.GenericVmConfigFault(
        msg=lines[0],
        reason=lines[1],
        faultMessage=[vmodl.LocalizableMessage(key="k", message=line) for line in lines],
    )
    assert words(fault) == " ".join(lines)


def test_failures_behind_a_host_config_fault_are_shown() -> None:
    inner = vim.fault.HostConfigFault(msg="vmnic4 is in use")
    fault = vim.fault.HostConfigFailed(msg="Operation failed.", failure=[inner])
    assert words(fault) == "Operation failed. vmnic4 is in use"


def test_memory_is_told_in_megabytes() -> None:
    fault = vim.fault.InsufficientMemoryResourcesFault(unreserved=2**30, requested=2**31)
    assert "unreserved 1024 MB, requested 2048 MB" in words(fault)


def test_an_error_of_ours_passes_through() -> None:
    own = DirectPathError(message="x", code="y")
    assert explain(own, doing="a", on="b") is own


def test_explained_turns_what_leaves_the_block() -> None:
    with pytest.raises(DirectPathError) as caught, explained("reconfigure", "vm-1"):
        raise vim.fault.ConcurrentAccess
    assert caught.value.code == "changed_meanwhile"
    with pytest.raises(ZeroDivisionError), explained("reconfigure", "vm-1"):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (http.client.HTTPException("503 Service Unavailable"), True),
        (http.client.HTTPException("404 Not Found"), False),
        (http.client.RemoteDisconnected("closed"), True),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (ConnectionRefusedError(), False),
        (untrusted(), False),
        (vim.fault.InvalidLogin(), False),
        (ValueError(), False),
    ],
)
def test_only_passing_troubles_are_worth_another_read(error: BaseException, again: bool) -> None:
    assert is_transient(error) is again
