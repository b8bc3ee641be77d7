# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe for Windows guests, and the reader of its output. PRIVATE to the collection.

The output has the form of ``Format-List``: ``Name : value`` lines, and an empty line between two devices. So the output of
``Get-PnpDevice | Format-List *`` can be read as well. Needs PowerShell 3 (Windows Server 2012). Source of the classes: Microsoft's
reference of Win32_PnPEntity, Win32_ComputerSystemProduct, Win32_OperatingSystem, Win32_NetworkAdapter and Win32_DiskDrive.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence

from .problem_codes import PROBLEM_NAMES
from .report import GuestDevice, GuestError, GuestReport, Link, StorageController, gpu_tool_of, plain_uuid, report_lines

LONGEST_PROBE = 2900
"""Characters of a probe without commands. WinRM starts PowerShell through ``cmd.exe``, whose command line has 8191 characters at most
(Microsoft, "Command prompt line string limitation"), and Ansible encodes the text in base64 of UTF-16: 8 characters for 3."""

CLOCK_TOLERANCE = 120
"""Seconds. Windows calculates its boot time from the clock, which may be set meanwhile."""

_HEAD = r"""
$ProgressPreference=$ErrorActionPreference='SilentlyContinue'
function s($k,$v){"$k : "+("$v" -replace '[\r\n]',' ')}
function b{s BootTime ([long]((gcim Win32_OperatingSystem).LastBootUpTime.ToFileTimeUtc()/10000000))}
'directpath-guest 1 windows'
b
s Version (gcim Win32_OperatingSystem).Version
s UUID (gcim Win32_ComputerSystemProduct).UUID
$d=@{}
gcim Win32_DiskDrive|%{$d[$_.PNPDeviceID]=$_.Size}
$n=@{}
gcim Win32_NetworkAdapter|?{$_.PNPDeviceID}|%{$n[$_.PNPDeviceID]=$_.NetConnectionStatus}
$g=0
gcim Win32_PnPEntity|?{$_.PNPDeviceID -like 'PCI\*' -and $_.Present -ne $false}|%{
$i=$_.PNPDeviceID
''
s PNPDeviceID $i
s Name $_.Name
s ConfigManagerErrorCode $_.ConfigManagerErrorCode
s Service $_.Service
s CompatibleID ($_.CompatibleID -join ', ')
if($n.ContainsKey($i)){s NetConnectionStatus $n[$i]}
(Get-PnpDeviceProperty -InstanceId $i -KeyName DEVPKEY_Device_Children).Data|?{$_ -and $d.ContainsKey($_)}|%{s DiskSize $d[$_]}
if($i -like 'PCI\VEN_10DE*'){$g=1}
}
''
if($g){
$x=(Get-Command nvidia-smi,"$env:ProgramFiles\NVIDIA Corporation\NVSMI\nvidia-smi.exe"|Select -First 1).Source
if($x){
$r=& $x --query-gpu=pci.bus_id,pci.device_id,uuid,memory.total,name '--format=csv,noheader,nounits' 2>$null
s SmiStatus $LASTEXITCODE
$r|%{s Smi $_}
}
}
"""
_COMMAND = r"""powershell -NoProfile -NonInteractive -EncodedCommand {command} *>$null
s Command "{number} $LASTEXITCODE"
"""
_TAIL = r"""b
'directpath-guest end'
"""

_FIELD = re.compile(r"(\w+)\s*:(?: (.*))?")
_INSTANCE = re.compile(
    r"PCI\\VEN_([0-9A-F]{4})&DEV_([0-9A-F]{4})(?:&SUBSYS_([0-9A-F]{4})([0-9A-F]{4}))?(?:&.*|\\.*)?", re.IGNORECASE
)
_CLASS = re.compile(r"CC_([0-9A-F]{4,6})", re.IGNORECASE)
_CONNECTED = "2"
"""Win32_NetworkAdapter.NetConnectionStatus of a connected adapter."""

Block = Mapping[str, Sequence[str]]


def windows_probe(commands: Sequence[str] = ()) -> str:
    """The text of the probe, for PowerShell. ``commands``: PowerShell commands of the user; only their exit status is reported."""
    runs = [
        _COMMAND.format(command=base64.b64encode(command.encode("utf-16-le")).decode("ascii"), number=number)
        for number, command in enumerate(commands)
    ]
    return "".join([_HEAD.lstrip("\n"), *runs, _TAIL])


WINDOWS_PROBE = windows_probe()
"""The probe without commands of the user."""


def parse_windows(text: str) -> GuestReport:
    """The report in the output of the probe. Raises GuestError for text that is no report, or not a whole one."""
    blocks = list(_blocks(report_lines(text, "windows")))
    general = [block for block in blocks if "PNPDeviceID" not in block]
    boots = _all(general, "BootTime")
    _check_boot(boots)
    status = next(iter(_all(general, "SmiStatus")), "")
    try:
        commands = {int(number): int(code) for number, code in (line.split() for line in _all(general, "Command"))}
    except ValueError:
        raise _damaged("Command") from None
    return GuestReport(
        os="windows",
        uuid=plain_uuid(
            next(iter(_all(general, "UUID")), ""),
            "could not be read (Win32_ComputerSystemProduct): use another account",
        ),
        kernel=next(iter(_all(general, "Version")), ""),
        boot_id=next(iter(boots), ""),
        devices=tuple(pnp_devices(blocks)),
        gpu_tool=gpu_tool_of(int(status), list(_all(general, "Smi"))) if status.lstrip("-").isdecimal() else None,
        commands=commands,
    )


def pnp_devices(blocks: Iterable[Block]) -> Iterable[GuestDevice]:
    """The PCI devices in the output of ``Get-PnpDevice`` or Win32_PnPEntity. Devices of other buses are left out. Raises GuestError."""
    for block in blocks:
        instance = next(iter(block.get("PNPDeviceID", ())), "")
        found = _INSTANCE.fullmatch(instance)
        if found is None:
            continue
        vendor, device, subdevice, subvendor = (part.lower() if part else "" for part in found.groups())
        problem = _problem(block)
        kind = next(iter(_CLASS.findall(" ".join(block.get("CompatibleID", ())))), "")
        sizes = [int(size) for size in block.get("DiskSize", ()) if size.isdecimal()]
        states = block.get("NetConnectionStatus", ())
        yield GuestDevice(
            address=instance,
            vendor_id=vendor,
            device_id=device,
            subvendor_id=subvendor,
            subdevice_id=subdevice,
            class_id=kind.lower().ljust(6, "0") if kind else "",
            name=next(iter(block.get("Name", ())), ""),
            driver=next(iter(block.get("Service", ())), ""),
            placed=1,  # Windows starts no device whose memory has no address: problem 12
            problem=problem,
            controllers=(StorageController(name="disk", state="live", namespaces=tuple(sizes)),) if sizes else (),
            links=tuple(Link(name="adapter", state=state, is_up=state == _CONNECTED) for state in states),
        )


def read_blocks(text: str) -> list[Block]:
    """Objects that ``Format-List`` printed."""
    return list(_blocks(text.splitlines()))


def _blocks(lines: Iterable[str]) -> Iterable[Block]:
    """Objects in lines. A line that begins with a blank continues the value above it, as PowerShell wraps long values."""
    block: dict[str, list[str]] = {}
    last = ""
    for line in (*lines, ""):
        found = _FIELD.fullmatch(line.rstrip())
        if found:
            last = found[1]
            block.setdefault(last, []).append(found[2] or "")
        elif line.strip() and line[0] in " \t" and last:
            block[last][-1] += line.strip()
        elif not line.strip() and block:
            yield block
            block, last = {}, ""


def _all(blocks: Iterable[Block], name: str) -> list[str]:
    return [value.strip() for block in blocks for value in block.get(name, ())]


def _problem(block: Block) -> int:
    """The problem code: a number in Win32_PnPEntity, a name in ``Get-PnpDevice``."""
    text = next(iter(block.get("ConfigManagerErrorCode", ())), "").strip()
    if text.isdecimal():
        return int(text)
    if text in PROBLEM_NAMES:
        return PROBLEM_NAMES[text]
    raise _damaged(f"ConfigManagerErrorCode {text[:40]!r}")


def _check_boot(boots: Sequence[str]) -> None:
    numbers = [int(boot) for boot in boots if boot.isdecimal()]
    if numbers and max(numbers) - min(numbers) > CLOCK_TOLERANCE:
        raise GuestError(
            message="The guest rebooted while it was read: its boot time at the end differs from the one at the beginning",
            code="guest_rebooted",
            cure="Verify once more when the guest is up",
        )


def _damaged(what: str) -> GuestError:
    return GuestError(
        message=f"The output of the guest cannot be read: {what} is not valid",
        code="guest_output_unreadable",
        cure="Verify once more. If it happens again, report it with the output of the probe",
    )
