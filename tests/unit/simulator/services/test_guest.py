# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guest operations: who may, when they work, programs, temporary files, URLs. Plain pyVmomi, no plugins."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Callable
from typing import Any

import pytest
from pyVmomi import vim, vmodl

from simulator.objects.guest import sysfs
from simulator.rules.vm import guest as rules
from simulator.services.guest.transfers import answer
from simulator.web import Request
from tests.unit.simulator.world import World

WIDE = {"pciPassthru.use64bitMMIO": "TRUE", "pciPassthru.64bitMMIOSizeGB": "512"}
SECRET = "Gu3st-Secret"
ACCOUNTS = [{"name": "root", "password": SECRET}, {"name": "nobody", "password": SECRET, "denied": True}]
PROGRAMS = [
    {"command": "echo hi", "output": "hi\n", "exit_code": 3, "seconds": 2},
    {"command": "whoami", "output": "{uuid}"},
    {"command": "forbidden", "fault": "GuestPermissionDenied"},
    {"command": "absent", "fault": "FileNotFound"},
    {"command": r"WriteAllText\('(?P<file>[^']+)'", "output": "from PowerShell"},
]
Process = vim.vm.guest.ProcessManager


def lab(kind: str = "vcenter", **more: Any) -> dict[str, Any]:
    vms = [
        {
            "name": "linux",
            "power": "on",
            "extra": WIDE,
            "devices": [{"fixed": "0000:3b:00.0"}],
            "guest_os": {"accounts": ACCOUNTS, "programs": PROGRAMS, "drivers": {"10de:20f1": "nvidia"}},
        },
        {
            "name": "windows",
            "power": "on",
            "guest": "windows2019srv_64Guest",
            "guest_os": {"accounts": ACCOUNTS, "programs": PROGRAMS},
        },
        {"name": "bare", "power": "on", "tools": False, "guest_os": {"accounts": ACCOUNTS}},
        {"name": "silent", "power": "on"},
        {"name": "off", "guest_os": {"accounts": ACCOUNTS}},
        *(
            {"name": fault, "power": "on", "guest_os": {"accounts": ACCOUNTS, "refuses": fault}}
            for fault in rules.REFUSALS
        ),
    ]
    host = {"name": "esx-01.lab", "cards": [{"card": "a100", "enabled": True}]}
    if kind == "esxi":
        return {"kind": "esxi", "host": host, "vms": vms, **more}
    return {
        "kind": kind,
        "datacenters": [{"name": "D", "clusters": [{"name": "c", "hosts": [host], "vms": vms}]}],
        **more,
    }


class Guest:
    """The managers, for one VM and one account."""

    def __init__(self, world: World, vm: str = "linux", user: str = "root", password: str = SECRET) -> None:
        self.world, self.vm = world, world.vm(vm)
        self.managers = world.content.guestOperationsManager
        self.auth = vim.vm.guest.NamePasswordAuthentication(username=user, password=password, interactiveSession=False)
        self.state = world.sim.find("VirtualMachine", vm).guest_os

    def start(self, program: str, arguments: str = "") -> int:
        spec = Process.ProgramSpec(programPath=program, arguments=arguments)
        return int(self.managers.processManager.StartProgramInGuest(self.vm, self.auth, spec))

    def process(self, pid: int) -> Any:
        found = self.managers.processManager.ListProcessesInGuest(self.vm, self.auth, [pid])
        return found[0] if found else None

    def temporary(self, folder: str | None = None) -> str:
        return str(self.managers.fileManager.CreateTemporaryFileInGuest(self.vm, self.auth, "t-", ".txt", folder))

    def url(self, path: str) -> Any:
        return self.managers.fileManager.InitiateFileTransferFromGuest(self.vm, self.auth, path)

    def check(self) -> None:
        self.managers.authManager.ValidateCredentialsInGuest(self.vm, self.auth)


def fetched(
    world: World, url: str, host: str = "esx-01.lab", verb: str = "GET", body: bytes = b""
) -> tuple[int, bytes]:
    path = url.partition("://")[2].partition("/")[2]
    found = answer(world.sim, Request(verb=verb, path=f"/{path}", headers={"host": host}, body=body))
    return found.status, found.content()


def test_a_program_runs_and_its_output_is_in_the_file() -> None:
    world = World(lab())
    guest = Guest(world)
    file = guest.temporary()
    pid = guest.start("/bin/sh", f"-c 'echo hi' > {file} 2>&1")
    running = guest.process(pid)
    assert (running.exitCode, running.endTime, running.owner, running.name) == (None, None, "root", "sh")
    world.advance(3)
    done = guest.process(pid)
    assert (done.exitCode, done.endTime is not None) == (3, True)
    info = guest.url(file)
    assert info.size == 3
    assert fetched(world, info.url) == (200, b"hi\n")
    assert fetched(world, info.url)[0] == 404, "one GET"
    guest.managers.fileManager.DeleteFileInGuest(guest.vm, guest.auth, file)
    assert guest.state.files == {}
    with pytest.raises(vim.fault.FileNotFound):
        guest.url(file)
    assert world.sim.journal.writes() == []
    assert [entry.method for entry in world.sim.journal.in_guest()][:2] == [
        "CreateTemporaryFileInGuest",
        "StartProgramInGuest",
    ]
    assert SECRET not in json.dumps([entry.as_dict() for entry in world.sim.journal.calls])


@pytest.mark.parametrize(
    ("vm", "user", "password", "fault"),
    [
        ("linux", "root", "wrong", vim.fault.InvalidGuestLogin),
        ("linux", "toor", SECRET, vim.fault.InvalidGuestLogin),
        ("silent", "root", SECRET, vim.fault.InvalidGuestLogin),
        ("linux", "nobody", SECRET, vim.fault.GuestPermissionDenied),
        ("bare", "root", SECRET, vim.fault.GuestOperationsUnavailable),
        ("off", "root", SECRET, vim.fault.InvalidPowerState),
        ("GuestComponentsOutOfDate", "root", SECRET, vim.fault.GuestComponentsOutOfDate),
        ("OperationDisabledByGuest", "root", SECRET, vim.fault.OperationDisabledByGuest),
        ("TooManyGuestLogons", "root", SECRET, vim.fault.TooManyGuestLogons),
    ],
)
def test_what_keeps_out(vm: str, user: str, password: str, fault: type[Exception]) -> None:
    guest = Guest(World(lab()), vm, user, password)
    for action in (
        guest.check,
        guest.temporary,
        lambda: guest.start("/bin/sh", "-c 'echo hi'"),
        lambda: guest.process(1),
    ):
        with pytest.raises(fault):
            action()
    assert guest.state.files == {}


def test_a_host_that_is_away_takes_its_guests_along() -> None:
    world = World(lab())
    guest = Guest(world)
    world.sim.events["lose_contact"](host="esx-01.lab")
    world.advance(120)
    with pytest.raises(vmodl.fault.HostNotReachable):
        guest.check()


@pytest.mark.parametrize(
    ("privilege", "works"),
    [("Query", {"check", "list", "url"}), ("Modify", {"temporary"}), ("Execute", {"start"})],
)
def test_each_operation_needs_its_privilege(privilege: str, works: set[str]) -> None:
    users = [{"name": "administrator@vsphere.local"}, {"name": "worker", "role": "Worker"}]
    privileges = [f"VirtualMachine.GuestOperations.{privilege}"]
    world = World(lab(users=users, roles={"Worker": privileges}), user="worker")
    guest = Guest(world)
    guest.state.files["/tmp/x"] = b""
    deeds: dict[str, Callable[[], Any]] = {
        "check": guest.check,
        "list": lambda: guest.process(1),
        "url": lambda: guest.url("/tmp/x"),
        "temporary": guest.temporary,
        "start": lambda: guest.start("/bin/sh", "-c 'echo hi'"),
    }
    for name, deed in deeds.items():
        if name in works:
            deed()
            continue
        with pytest.raises(vim.fault.NoPermission) as refused:
            deed()
        assert refused.value.privilegeId.startswith("VirtualMachine.GuestOperations.")


def test_tools_run_a_while_before_guest_operations_work() -> None:
    world = World(lab())
    guest = Guest(world)
    world.sim.events["restart_tools"](vm="linux", seconds=10)
    assert guest.vm.guest.toolsRunningStatus == "guestToolsNotRunning"
    world.advance(12)
    assert (guest.vm.guest.toolsRunningStatus, guest.vm.guest.guestOperationsReady) == ("guestToolsRunning", False)
    with pytest.raises(vim.fault.GuestOperationsUnavailable):
        guest.check()
    world.advance(5)
    assert guest.vm.guest.guestOperationsReady
    guest.check()


@pytest.mark.parametrize(
    ("knob", "fault"),
    [("system_error", vmodl.fault.SystemError), ("unavailable", vim.fault.GuestOperationsUnavailable)],
)
@pytest.mark.parametrize("by", ["itself", "api", "reset"])
def test_a_guest_that_restarts_loses_what_runs(knob: str, fault: type[Exception], by: str) -> None:
    world = World(lab(), guest_reboot_fault=knob)
    guest = Guest(world)
    pid = guest.start("/bin/sh", "-c 'echo hi' > /tmp/out")
    if by == "itself":
        world.sim.events["reboot_guest"](vm="linux")
    elif by == "api":
        guest.vm.RebootGuest()
    else:
        guest.vm.ResetVM_Task()
        world.advance(2)
        fault = vim.fault.GuestOperationsUnavailable
    with pytest.raises(fault) as refused:
        guest.process(pid)
    if fault is vmodl.fault.SystemError:
        assert "vix error codes = (3016, 0)" in str(refused.value)
    world.advance(60)
    assert guest.process(pid) is None
    assert guest.state.files == {"/tmp/out": b""}, "the shell had opened it"


def test_the_end_of_a_program_is_known_for_five_minutes() -> None:
    world = World(lab())
    guest = Guest(world)
    pid = guest.start("/bin/sh", "-c 'echo hi'")
    world.advance(300)
    assert guest.process(pid).exitCode == 3
    world.advance(5)
    assert guest.process(pid) is None


def test_restarted_tools_have_forgotten_it() -> None:
    world = World(lab())
    guest = Guest(world)
    ended, running = guest.start("/bin/sh", "-c 'echo hi'"), 0
    world.advance(3)
    running = guest.start("/bin/sh", "-c 'echo hi'")
    world.sim.events["restart_tools"](vm="linux", seconds=0)
    world.advance(0.1)
    world.sim.knobs.set("guest_operations_seconds", 0.0)
    world.advance(6)
    assert (guest.process(ended), guest.process(running)) == (None, None)


def test_a_process_is_killed() -> None:
    world = World(lab())
    guest = Guest(world)
    pid = guest.start("/bin/sh", "-c 'echo hi' > /tmp/out")
    guest.managers.processManager.TerminateProcessInGuest(guest.vm, guest.auth, pid)
    assert (guest.process(pid).exitCode, guest.state.files["/tmp/out"]) == (137, b"")
    with pytest.raises(vim.fault.GuestProcessNotFound):
        guest.managers.processManager.TerminateProcessInGuest(guest.vm, guest.auth, pid)


@pytest.mark.parametrize(
    ("command", "fault"), [("forbidden", vim.fault.GuestPermissionDenied), ("absent", vim.fault.FileNotFound)]
)
def test_a_program_can_have_a_fault(command: str, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        Guest(World(lab())).start("/opt/x", command)


def test_what_the_script_does_not_know_is_refused_and_not_run() -> None:
    guest = Guest(World(lab()))
    with pytest.raises(vmodl.fault.NotSupported) as refused:
        guest.start("/bin/sh", "-c 'rm -rf /'")
    assert refused.value.msg.startswith("simulator: ")
    with pytest.raises(vmodl.fault.NotSupported):
        guest.managers.processManager.StartProgramInGuest(
            guest.vm,
            guest.auth,
            Process.ProgramSpec(programPath="/bin/sh", arguments="echo hi", workingDirectory="/tmp"),
        )
    with pytest.raises(vmodl.fault.MethodNotFound):
        guest.managers.fileManager.ListFilesInGuest(guest.vm, guest.auth, "/tmp", None, None, None)
    interactive = vim.vm.guest.NamePasswordAuthentication(username="root", password=SECRET, interactiveSession=True)
    with pytest.raises(vmodl.fault.NotSupported):
        guest.managers.authManager.ValidateCredentialsInGuest(guest.vm, interactive)


def test_windows_has_no_shell_but_cmd() -> None:
    world = World(lab())
    guest = Guest(world, "windows")
    file = guest.temporary()
    assert file.startswith("C:\\Users\\root\\")
    guest.start("C:\\tools\\x.exe", f"echo hi > {file}")
    world.advance(3)
    assert guest.state.files[file] == b""
    guest.start("C:\\Windows\\System32\\cmd.exe", f'/c "echo hi > "{file}" 2>&1"')
    world.advance(3)
    assert guest.state.files[file] == b"hi\n"


def test_what_an_encoded_script_writes_is_where_the_lab_finds_it() -> None:
    import base64

    world = World(lab())
    guest = Guest(world, "windows")
    script = base64.b64encode("[IO.File]::WriteAllText('C:\\out.txt', $x)".encode("utf-16-le")).decode()
    guest.start(
        "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe", f"-NoProfile -EncodedCommand {script}"
    )
    world.advance(1)
    assert guest.state.files == {"C:\\out.txt": b"from PowerShell"}


@pytest.mark.parametrize("length", [8_000, 9_000])
def test_a_line_that_cmd_does_not_take(length: int) -> None:
    guest = Guest(World(lab()), "windows")
    line = "/c echo hi " + "x" * length
    if length < rules.LONGEST_CMD:
        guest.start("C:\\Windows\\System32\\cmd.exe", line)
        return
    with pytest.raises(vmodl.fault.InvalidArgument):
        guest.start("C:\\Windows\\System32\\cmd.exe", line)


def test_a_url_is_on_the_host_for_ten_minutes() -> None:
    world = World(lab())
    guest = Guest(world)
    file = guest.temporary()
    late, foreign = guest.url(file).url, guest.url(file).url
    assert foreign.startswith("https://esx-01.lab:443/guestFile?")
    assert fetched(world, foreign, host="vc-01.lab")[0] == 404, "the vCenter has no such file"
    assert fetched(world, foreign, verb="PUT")[0] == 405
    assert fetched(world, foreign)[0] == 200
    world.advance(601)
    assert fetched(world, late)[0] == 404


@pytest.mark.parametrize(("kind", "knobs"), [("esxi", {}), ("vcenter", {"guest_file_host": "asterisk"})])
def test_a_url_can_name_the_server_that_was_called(kind: str, knobs: dict[str, str]) -> None:
    world = World(lab(kind), **knobs)
    guest = Guest(world)
    url = guest.url(guest.temporary()).url
    assert url.startswith("https://*:443/")
    assert fetched(world, url, host="anything")[0] == 200


def test_a_file_of_a_vm_that_stopped_is_not_sent() -> None:
    world = World(lab())
    guest = Guest(world)
    url = guest.url(guest.temporary()).url
    world.sim.events["power_vm"](vm="linux", on=False)
    assert fetched(world, url)[0] == 500


def test_a_file_goes_into_the_guest_in_one_piece() -> None:
    world = World(lab())
    guest = Guest(world)
    files, attributes = guest.managers.fileManager, vim.vm.guest.FileManager.PosixFileAttributes()
    url = files.InitiateFileTransferToGuest(guest.vm, guest.auth, "/tmp/in", attributes, 4, False)
    assert fetched(world, url, verb="PUT", body=b"abc")[0] == 400
    assert fetched(world, url, verb="PUT", body=b"abcd")[0] == 200
    assert guest.state.files == {"/tmp/in": b"abcd"}
    with pytest.raises(vim.fault.FileAlreadyExists):
        files.InitiateFileTransferToGuest(guest.vm, guest.auth, "/tmp/in", attributes, 4, False)


@pytest.mark.slow
def test_a_file_comes_over_tls() -> None:
    world = World(lab("esxi"))
    guest = Guest(world)
    file = guest.temporary()
    guest.state.files[file] = bytes(range(256))
    url = guest.url(file).url
    with world.sim.serve() as server:
        context = ssl.create_default_context(cafile=str(server.ca_file))
        connection = http.client.HTTPSConnection("localhost", server.port, context=context)
        connection.request("GET", url.partition(":443")[2])
        assert connection.getresponse().read() == bytes(range(256))
        connection.close()


def test_a_guest_sees_the_devices_of_its_vm_with_addresses_of_its_own(tmp_path: Any) -> None:
    world = World(lab())
    state = world.sim.find("VirtualMachine", "linux").guest_os
    (card,) = state.functions()
    assert (card.vendor, card.device, card.driver) == (0x10DE, 0x20F1, "nvidia")
    assert card.address != "0000:3b:00.0"
    sysfs.write(state, tmp_path)
    folder = tmp_path / "sys/bus/pci/devices" / card.address
    assert (folder / "vendor").read_text() == "0x10de\n"
    assert (folder / "driver").resolve().name == "nvidia"
    assert (folder / "config").read_bytes()[4] & 2
    assert len((folder / "resource").read_text().splitlines()) == 7
    assert (tmp_path / "sys/class/dmi/id/product_uuid").read_text().strip() == state.uuid
    world.sim.events["power_vm"](vm="linux", on=False)
    assert state.functions() == ()


def test_hardware_of_the_lab_can_be_broken(tmp_path: Any) -> None:
    world = World(lab())
    pci = [{"id": "10de:20f1", "bars": ["16M", "64G unplaced"], "decodes": False}]
    world.sim.events["set_guest"](vm="linux", pci=pci, uuid="00000000-0000-0000-0000-000000000001")
    state = world.sim.find("VirtualMachine", "linux").guest_os
    sysfs.write(state, tmp_path)
    folder = tmp_path / "sys/bus/pci/devices/0000:03:00.0"
    assert (folder / "config").read_bytes()[4] & 2 == 0
    assert not (folder / "driver").exists()
    assert (folder / "resource").read_text().splitlines()[2].split()[0] == "0x0000000000000000"
    assert state.uuid == "00000000-0000-0000-0000-000000000001"


def test_a_runner_of_a_test_stands_for_the_script() -> None:
    world = World(lab())
    guest = Guest(world)
    seen: list[rules.Command] = []

    def run(asked: rules.Command) -> rules.Ran:
        seen.append(asked)
        return rules.Ran(exit_code=7, output=b"ran", seconds=1)

    guest.state.runner = run
    pid = guest.start("/bin/sh", "-c 'ls \"a b\" 2>/dev/null' > '/tmp/o u t' 2>&1")
    world.advance(2)
    assert (seen[0].line, seen[0].file) == ('"/bin/sh" -c \'ls "a b" 2>/dev/null\'', "/tmp/o u t")
    assert (guest.process(pid).exitCode, guest.state.files) == (7, {"/tmp/o u t": b"ran"})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"family": "beos"}, "linux or windows"),
        ({"accounts": [{"name": "x"}]}, "a name and a password"),
        ({"programs": [{"output": "x"}]}, "a regular expression"),
        ({"programs": [{"command": "("}]}, "command '('"),
        ({"programs": [{"command": "x", "output_file": "no/such"}]}, "output_file 'no/such'"),
        ({"programs": [{"command": "x", "fault": "NotAuthenticated"}]}, "fault of a program"),
        ({"refuses": "everything"}, "refuses of guest_os"),
        ({"pci": [{"id": "nvidia"}]}, "vendor:device"),
        ({"pci": [{"id": "10de:20f1", "bars": ["big"]}]}, "a size such as 64G"),
        ({"shell": "bash"}, "unknown key 'shell'"),
    ],
)
def test_a_guest_that_makes_no_sense_says_so(given: dict[str, Any], said: str) -> None:
    made = lab()
    made["datacenters"][0]["clusters"][0]["vms"][3]["guest_os"] = given
    with pytest.raises(ValueError, match="VM silent") as refused:
        World(made)
    assert said in str(refused.value)
