# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""vm_guest_info: whatever goes wrong in or before a guest has its message and its code, leaves no file, and shows no password."""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ansible.module_utils import basic
from pyVmomi import vim

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.guest import account, download, route, tools
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session import connect
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.endpoint import Endpoint
from simulator.rules.vm.guest import Command, Ran
from tests.unit.modules.harness import Lab
from tests.unit.modules.vm_guest_info.guests import (
    ACCOUNT,
    PASSWORD,
    asked_of_guests,
    files_in,
    guest_lab,
    runs_for_real,
)

MODULE = "vm_guest_info"
LINUX: dict[str, Any] = {"vms": ["train-01"], **ACCOUNT}
VIX: dict[str, Any] = {"fault": "SystemError", "fields": {"reason": "vix error codes = (3016, 0)"}}


def unmasked() -> Any:
    """Ansible masks values of no_log options in a result. Here it does not, so that the module itself is seen; but for its invocation."""
    return mock.patch.object(basic, "remove_values", lambda value, _secrets: value)


def failed(lab: Lab, **options: Any) -> tuple[str, str]:
    """Code and message of a run that has to fail; nothing may be left in the guest, and no password shown."""
    with unmasked():
        result = lab.run(MODULE, fails=True, **{**LINUX, **options})
    result.pop("invocation", None)
    assert PASSWORD not in json.dumps(result)
    assert result["changed"] is False
    assert [name for name in files_in(lab, "train-01") if "directpath" in name] == []
    return result["error_code"], result["msg"]


CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("InvalidGuestLogin", {}, "guest_login_refused", "Check guest_user and guest_password"),
    ("GuestPermissionDenied", {}, "guest_permission_denied", "root, or an administrator"),
    ("OperationDisabledByGuest", {}, "guest_operations_disabled", "tools.conf"),
    ("OperationNotSupportedByGuest", {}, "guest_operations_disabled", "connection of Ansible"),
    ("GuestComponentsOutOfDate", {}, "guest_tools_outdated", "Upgrade VMware Tools"),
    ("GuestOperationsUnavailable", {}, "guest_not_ready", "open-vm-tools"),
    ("TooManyGuestLogons", {}, "guest_too_many_logons", "wait for them to end"),
    ("InvalidPowerState", {}, "guest_vm_off", "Power the VM on"),
    ("TaskInProgress", {}, "busy", "Another task is in progress"),
    ("SystemError", {"reason": "vix error codes = (3016, 0)"}, "guest_restarting", "The guest restarts"),
    ("SystemError", {"reason": "vix error codes = (1, 0)"}, "vsphere_fault", "vix error codes = (1, 0)"),
    (
        "NoPermission",
        {"privilegeId": "VirtualMachine.GuestOperations.Execute"},
        "no_permission",
        "GuestOperations.Execute",
    ),
]


@pytest.mark.parametrize(("fault", "fields", "code", "says"), CASES)
@pytest.mark.parametrize(
    "method",
    ["CreateTemporaryFileInGuest", "StartProgramInGuest", "ListProcessesInGuest", "InitiateFileTransferFromGuest"],
)
def test_each_fault_at_each_step(
    fault: str, fields: dict[str, Any], code: str, says: str, method: str, tmp_path: Path
) -> None:
    lab = guest_lab()
    runs_for_real(lab, "train-01", tmp_path)
    lab.sim.faults.add(method=method, fault=fault, fields=fields)
    found, text = failed(lab, guest_timeout=20)
    assert found == code, text
    assert says in text
    assert "train-01" in text


@pytest.mark.parametrize("trouble", [{"fault": "TooManyGuestLogons"}, VIX, {"fault": "TaskInProgress"}], ids=str)
@pytest.mark.parametrize(
    "method",
    [
        "CreateTemporaryFileInGuest",
        "StartProgramInGuest",
        "ListProcessesInGuest",
        "InitiateFileTransferFromGuest",
        "DeleteFileInGuest",
    ],
)
def test_what_passes_is_waited_for(method: str, trouble: dict[str, Any], tmp_path: Path) -> None:
    lab = guest_lab()
    runs_for_real(lab, "train-01", tmp_path)
    rule = lab.sim.faults.add(method=method, times=3, **trouble)
    assert lab.run(MODULE, **LINUX)["vms"][0]["status"] == "read"
    assert rule.hits == 3
    assert files_in(lab, "train-01") == []


@pytest.mark.parametrize("refusal", ["GuestComponentsOutOfDate", "OperationDisabledByGuest", "TooManyGuestLogons"])
def test_what_the_guest_itself_refuses(refusal: str) -> None:
    lab = guest_lab()
    lab.sim.events["set_guest"](vm="train-01", refuses=refusal)
    code, _text = failed(lab, guest_timeout=20)
    assert (
        code
        == {
            "GuestComponentsOutOfDate": "guest_tools_outdated",
            "OperationDisabledByGuest": "guest_operations_disabled",
            "TooManyGuestLogons": "guest_too_many_logons",
        }[refusal]
    )


def test_a_wrong_password_is_tried_once() -> None:
    lab = guest_lab()
    wrong = "Wr0ng-Secret-77"
    result = lab.run(MODULE, fails=True, **{**LINUX, "guest_password": wrong})
    assert result["error_code"] == "guest_login_refused"
    assert wrong not in json.dumps(result)
    assert asked_of_guests(lab) == ["CreateTemporaryFileInGuest"], "an account may be locked after some failures"


@pytest.mark.parametrize(
    ("vm", "code", "says"),
    [("bare", "guest_tools_missing", "open-vm-tools"), ("off", "guest_vm_off", "is powered off")],
)
def test_no_time_is_lost_where_no_time_helps(vm: str, code: str, says: str) -> None:
    lab = guest_lab()
    began = lab.sim.clock.seconds()
    found, text = failed(lab, vms=[vm])
    assert (found, says in text) == (code, True)
    assert lab.sim.clock.seconds() == began
    assert asked_of_guests(lab) == []


def test_tools_that_do_not_come_are_waited_for_and_no_longer() -> None:
    lab = guest_lab()
    lab.sim.events["restart_tools"](vm="train-01", seconds=-1)
    began = lab.sim.clock.seconds()
    code, text = failed(lab, guest_timeout=45)
    assert (code, "after 45 seconds" in text) == ("guest_not_ready", True)
    assert 45 <= lab.sim.clock.seconds() - began <= 47
    assert asked_of_guests(lab) == []


def test_a_vm_that_is_powered_off_while_it_is_waited_for() -> None:
    lab = guest_lab()
    lab.sim.events["restart_tools"](vm="train-01", seconds=-1)
    lab.sim.clock.call_later(10, lambda: lab.sim.events["power_vm"](vm="train-01", on=False))
    assert failed(lab)[0] == "guest_vm_off"


@pytest.mark.parametrize("event", ["reboot_guest", "restart_tools"])
def test_a_reboot_in_the_middle_is_an_error_and_no_report(event: str) -> None:
    lab = guest_lab()
    guest = lab.sim.find("VirtualMachine", "train-01").guest_os

    def run(asked: Command) -> Ran:
        lab.sim.clock.call_later(1, lambda: lab.sim.events[event](vm="train-01"))
        return Ran(seconds=30)

    guest.runner = run
    code, text = failed(lab)
    assert code == "guest_rebooted"
    assert "restarted while the probe ran" in text


def test_a_probe_that_hangs_is_ended() -> None:
    lab = guest_lab()
    guest = lab.sim.find("VirtualMachine", "train-01").guest_os
    guest.runner = lambda asked: Ran(seconds=10_000)
    code, text = failed(lab, guest_timeout=60)
    assert (code, "it was terminated" in text) == ("guest_timed_out", True)
    assert [process.exit_code for process in guest.processes.values()] == [137]
    assert 60 <= lab.sim.clock.seconds() <= 66


def test_a_probe_that_cannot_be_ended_is_named() -> None:
    lab = guest_lab()
    lab.sim.find("VirtualMachine", "train-01").guest_os.runner = lambda asked: Ran(seconds=10_000)
    lab.sim.faults.add(method="TerminateProcessInGuest", fault="GuestPermissionDenied")
    code, text = failed(lab, guest_timeout=60)
    assert (code, "it may still run (process 2002)" in text) == ("guest_timed_out", True)


def test_a_file_that_cannot_be_removed_is_named(tmp_path: Path) -> None:
    lab = guest_lab()
    runs_for_real(lab, "train-01", tmp_path)
    lab.sim.faults.add(method="DeleteFileInGuest", fault="GuestPermissionDenied")
    (vm,) = lab.run(MODULE, **LINUX)["vms"]
    (left,) = files_in(lab, "train-01")
    assert vm["status"] == "read"
    assert vm["warnings"] == [f"The temporary file {left} could not be removed from the guest"]
    lab.sim.faults.add(method="StartProgramInGuest", fault="GuestPermissionDenied")
    result = lab.run(MODULE, fails=True, **LINUX)
    assert result["error_code"] == "guest_permission_denied"
    assert f"The temporary file {files_in(lab, 'train-01')[-1]} is left in the guest" in result["msg"]


def test_a_removal_whose_answer_is_lost_is_a_removal(tmp_path: Path) -> None:
    lab = guest_lab()
    runs_for_real(lab, "train-01", tmp_path)
    lab.sim.faults.add(method="DeleteFileInGuest", times=1, drop="after")
    (vm,) = lab.run(MODULE, **LINUX)["vms"]
    assert (vm["status"], vm["warnings"], files_in(lab, "train-01")) == ("read", [], [])


@pytest.mark.parametrize("fault", ["FileNotFound", "CannotAccessFile"])
def test_a_guest_without_the_shell(fault: str) -> None:
    lab = guest_lab()
    lab.sim.events["set_guest"](vm="train-01", programs=[{"command": ".", "fault": fault}])
    code, text = failed(lab)
    assert (code, "check os" in text) == ("guest_no_shell", True)


# -- the download ----------------------------------------------------------------------------------------------------------


def test_a_host_that_cannot_be_reached_is_named_with_what_to_do(tmp_path: Path) -> None:
    import socket
    import ssl

    untrusted = ssl.SSLCertVerificationError(1, "unable to get local issuer certificate")
    untrusted.verify_code, untrusted.verify_message = 20, "unable to get local issuer certificate"
    kinds: list[tuple[Exception, str, str]] = [
        (ConnectionRefusedError(111, "Connection refused"), "refused", "port 443 of the ESXi host"),
        (socket.gaierror(-2, "Name or service not known"), "unknown_name", "gather: exit_codes"),
        (TimeoutError("timed out"), "no_answer", "port 443 of the ESXi host"),
        (untrusted, "certificate_untrusted", "ca_path"),
        (ConnectionResetError(104, "Connection reset by peer"), "connection_lost", "port 443 of the ESXi host"),
    ]
    for error, code, says in kinds:
        lab = guest_lab()
        runs_for_real(lab, "train-01", tmp_path)
        with (
            mock.patch.object(download, "get", side_effect=error),
            mock.patch("tests.unit.modules.harness.FilesInProcess.get", side_effect=error),
        ):
            found, text = failed(lab)
        assert (found, says in text, "esx-01.lab:443" in text) == (code, True, True)
        assert "token" not in text


def test_without_the_host_exit_codes_still_come(tmp_path: Path) -> None:
    lab = guest_lab()
    runs_for_real(lab, "train-01", tmp_path)
    with mock.patch("tests.unit.modules.harness.FilesInProcess.get", side_effect=ConnectionRefusedError):
        (vm,) = lab.run(MODULE, **LINUX, gather="exit_codes", commands=["exit 4"])["vms"]
    assert vm["exit_codes"] == [4]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((404, b""), "guest_download_failed"),
        ((302, b""), "guest_download_failed"),
        ((200, b"direct"), "guest_download_failed"),
    ],
)
def test_a_download_that_is_not_the_file(answer: tuple[int, bytes], code: str, tmp_path: Path) -> None:
    lab = guest_lab()
    runs_for_real(lab, "train-01", tmp_path)
    with mock.patch("tests.unit.modules.harness.FilesInProcess.get", return_value=answer):
        assert failed(lab)[0] == code


def test_an_output_that_is_too_large_is_not_read() -> None:
    lab = guest_lab()
    lab.sim.find("VirtualMachine", "train-01").guest_os.runner = lambda asked: Ran(output=b"x" * (download.MOST + 1))
    assert failed(lab)[0] == "guest_output_too_large"
    assert "GuestFile.GET" not in asked_of_guests(lab)


@pytest.mark.parametrize(
    "url", ["http://esx-01.lab/guestFile?token=S3", "ftp://x/y", "https:///guestFile", "https://a:b:c/x?token=S3", ""]
)
def test_a_url_that_is_not_https_gets_no_request(url: str) -> None:
    with mock.patch.object(download, "get") as get, pytest.raises(DirectPathError) as refused:
        download.download(Endpoint(hostname="vc", username="u", password="p"), url, 3)
    assert (refused.value.code, "S3" in str(refused.value)) == ("guest_download_failed", False)
    get.assert_not_called()


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://*/guestFile?id=1&token=2", ("vc.lab", 8443, "/guestFile?id=1&token=2")),
        ("https://*:443/guestFile?id=443&token=52-443", ("vc.lab", 8443, "/guestFile?id=443&token=52-443")),
        ("https://esx-01.lab/guestFile?id=1&token=2", ("esx-01.lab", 443, "/guestFile?id=1&token=2")),
        ("https://10.0.0.1:444/guestFile", ("10.0.0.1", 444, "/guestFile")),
        ("https://[2001:db8::5]:443/guestFile", ("2001:db8::5", 443, "/guestFile")),
    ],
)
def test_where_a_url_leads(url: str, place: tuple[str, int, str]) -> None:
    endpoint = Endpoint(hostname="vc.lab", username="u", password="p", port=8443)
    with mock.patch.object(download, "get", return_value=(200, b"abc")) as get:
        assert download.download(endpoint, url, 3) == b"abc"
    assert get.call_args.args == (endpoint, *place)


# -- the password ----------------------------------------------------------------------------------------------------------


def test_the_sdk_would_print_the_password_and_these_objects_do_not() -> None:
    plain = vim.vm.guest.NamePasswordAuthentication(username="root", password=PASSWORD, interactiveSession=False)
    assert PASSWORD in repr(plain), "otherwise nothing of this is necessary"
    made = account.GuestAccount(username="root", password=PASSWORD)
    discreet = account.authentication(made)
    for shown in (repr(made), str(made), repr(discreet), str(discreet), f"{[discreet]}", f"{(made, discreet)!r}"):
        assert PASSWORD not in shown
        assert "root" in shown


def test_what_is_sent_is_what_the_sdk_sends() -> None:
    from pyVmomi import SoapAdapter

    plain = vim.vm.guest.NamePasswordAuthentication(username="root", password="a<b&c", interactiveSession=False)
    discreet = account.authentication(account.GuestAccount(username="root", password="a<b&c"))
    assert SoapAdapter.SerializeToStr(discreet) == SoapAdapter.SerializeToStr(plain)


@pytest.mark.parametrize(
    "method",
    [
        "CreateTemporaryFileInGuest",
        "StartProgramInGuest",
        "ListProcessesInGuest",
        "InitiateFileTransferFromGuest",
        "DeleteFileInGuest",
    ],
)
@pytest.mark.parametrize("trouble", [{"fault": "InvalidGuestLogin"}, {"drop": "before"}, {"http": 503}], ids=str)
def test_no_exception_shows_the_password(method: str, trouble: dict[str, Any], tmp_path: Path) -> None:
    """Below Ansible, which would hide it: in the exceptions themselves, with all that caused them."""
    lab = guest_lab()
    runs_for_real(lab, "train-01", tmp_path)
    lab.sim.faults.add(method=method, **trouble)
    clock = lab.sim.clock
    endpoint = Endpoint(**{"password": "x", **lab.credentials()})
    with (
        mock.patch.object(connect, "open_transport", lab._transport),
        mock.patch.object(download, "get", return_value=(404, b"")),
        connect.open_session(
            endpoint, read_only=True, in_guest=True, clock=clock.seconds, sleep=clock.sleep
        ) as session,
    ):
        vm = lab.sim.find("VirtualMachine", "train-01")
        name = tools.VmName(moid=vm.moid, name="train-01", path="x", host_moid=None, datacenter_moid=None)
        state = tools.read_tools(session, [name])[vm.moid]
        made = account.GuestAccount(username="root", password=PASSWORD)
        way = route.ToolsRoute(session, route.read_managers(session), state, made, timeout=15)
        with pytest.raises(DirectPathError) as caught:
            way.output("linux", "true")
        assert PASSWORD not in repr(way)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value.__cause__) + repr(vars(caught.value))
    assert PASSWORD not in shown
    assert PASSWORD not in json.dumps([entry.as_dict() for entry in lab.sim.journal.calls], default=str)


def test_the_password_is_in_no_command_line_and_no_file(tmp_path: Path) -> None:
    lab = guest_lab()
    ran = runs_for_real(lab, "train-01", tmp_path)
    with unmasked():
        result = lab.run(MODULE, **LINUX, commands=["env"])
    assert PASSWORD in json.dumps(result.pop("invocation")), "otherwise this looks at what Ansible masked"
    assert PASSWORD not in json.dumps(result)
    assert PASSWORD not in repr(ran)
