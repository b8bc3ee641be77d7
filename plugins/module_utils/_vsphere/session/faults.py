# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""vSphere faults as sentences an administrator understands. PRIVATE to the collection."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..._domain.errors import DirectPathError
from ..http.certificates import CertificateTime
from ..http.connections import BrokenAnswer, ProxyFailed, TooMuch, TooSlow
from ..sdk import MISSING, vim, vmodl

BUSY = frozenset({502, 503, 504})
"""What a proxy or a gateway says when the server behind it does not answer."""
CONNECTION_ERRORS = (OSError, http.client.HTTPException)
"""What a broken connection looks like in Python (TLS errors and time-outs are OSErrors)."""
MISSING_SDK = MISSING
"""The import error where pyVmomi is not installed; None where it is."""
SERVER_FAULTS = (vmodl.MethodFault,)
"""What the server itself answers with."""
SERVER_ERRORS = (*SERVER_FAULTS, *CONNECTION_ERRORS)
SESSION_LOST = (vim.fault.NotAuthenticated, vim.fault.InvalidLogin)
"""The server no longer knows the session, or refuses to open a new one."""


# Most specific first: the first type that matches gives code and cure. "" as the cure keeps the server's own words alone.
_KNOWN: tuple[tuple[str, str, str], ...] = (
    # Before NoPermission, of which it is a kind.
    ("vim.fault.NotAuthenticated", "session_lost", "The session ended and could not be renewed: run the task again"),
    ("vim.fault.NoPermission", "no_permission", ""),
    (
        "vim.fault.InvalidLogin",
        "invalid_login",
        "Check username and password (VMWARE_USER, VMWARE_PASSWORD) and the account's domain",
    ),
    ("vim.fault.HostNotConnected", "host_unreachable", "Reconnect the host in vCenter, then run the task again"),
    ("vim.fault.HostNotReachable", "host_unreachable", "Check the host's management network, then run the task again"),
    ("vmodl.fault.HostNotConnected", "host_unreachable", "Reconnect the host in vCenter, then run the task again"),
    (
        "vmodl.fault.HostNotReachable",
        "host_unreachable",
        "Check the host's management network, then run the task again",
    ),
    (
        "vmodl.fault.HostCommunication",
        "host_unreachable",
        "vCenter could not talk to the host: check its management network",
    ),
    (
        "vim.fault.RestrictedVersion",
        "not_licensed",
        "The licence of the host makes its API read-only, as the free one of ESXi does: assign another one, or change it in "
        "the Host Client by hand",
    ),
    ("vim.fault.HostConfigFault", "host_config_refused", "The host refused the setting: its vmkernel.log says more"),
    (
        "vim.fault.ConcurrentAccess",
        "changed_meanwhile",
        "Somebody else changed the VM at the same moment: run the task again",
    ),
    (
        "vim.fault.TaskInProgress",
        "busy",
        "Another task runs on the object: wait for it to end, then run the task again",
    ),
    ("vim.fault.Timedout", "timed_out", "The server gave up waiting"),
    ("vim.fault.RequestCanceled", "cancelled", "Somebody cancelled the task"),
    ("vmodl.fault.RequestCanceled", "cancelled", "Somebody cancelled the task"),
    (
        "vim.fault.InvalidPowerState",
        "wrong_power_state",
        "The power state changed since it was read: run the task again",
    ),
    ("vim.fault.TooManyDevices", "too_many_devices", "Remove devices from the VM, or ask for fewer"),
    ("vim.fault.DeviceHotPlugNotSupported", "needs_power_off", "Power the VM off first (power: cycle does it)"),
    (
        "vim.fault.InsufficientMemoryResourcesFault",
        "not_enough_memory",
        "All memory of a VM with a passthrough device is reserved: free memory on the host, or enlarge the pool's reservation",
    ),
    ("vim.fault.InvalidState", "invalid_state", ""),
    ("vmodl.fault.ManagedObjectNotFound", "vanished", "The object was removed meanwhile: run the task again"),
    ("vmodl.fault.NotSupported", "not_supported", "This release or edition does not offer the operation"),
    ("vmodl.fault.MethodNotFound", "not_supported", "This release does not offer the operation"),
    ("vmodl.fault.InvalidArgument", "invalid_argument", ""),
)


def _texts(fault: Any) -> Iterator[str]:
    """All the words in a fault: its message, the vendor text, the lines behind it, the parts that failed."""
    for name in ("msg", "text", "reason"):
        value = getattr(fault, name, None)
        if isinstance(value, str) and value.strip():
            yield value.strip()
    for line in getattr(fault, "faultMessage", None) or ():
        if getattr(line, "message", None):
            yield line.message.strip()
    for part in getattr(fault, "failure", None) or ():
        yield from _texts(getattr(part, "fault", None) or part)
    # One error a host that was considered for a VM: which host, and why not that one.
    errors = getattr(fault, "error", None) or ()
    if isinstance(errors, list):
        yield from dict.fromkeys(text for error in errors for text in _texts(getattr(error, "fault", None) or error))


def _details(fault: Any) -> str:
    extra = []
    if getattr(fault, "privilegeId", None):
        extra.append(f"missing privilege {fault.privilegeId} on {getattr(fault.object, '_moId', fault.object)}")
    if getattr(fault, "invalidProperty", None):
        extra.append(f"property {fault.invalidProperty}")
    if isinstance(getattr(fault, "unreserved", None), int):
        extra.append(f"unreserved {fault.unreserved // 2**20} MB, requested {fault.requested // 2**20} MB")
    return f" ({'; '.join(extra)})" if extra else ""


def words(fault: BaseException) -> str:
    """The fault in one line, without repeating a text the server says twice."""
    lines: list[str] = []
    for text in _texts(fault):
        if text not in lines:
            lines.append(text)
    name = type(fault).__name__.rpartition(".")[2]
    return (" ".join(lines) or name) + _details(fault)


def _lookup(name: str) -> type | None:
    module: Any = {"vim": vim, "vmodl": vmodl}[name.split(".")[0]]
    for part in name.split(".")[1:]:
        module = getattr(module, part, None)
        if module is None:
            return None
    return module if isinstance(module, type) else None


def deed(doing: str, on: str) -> str:
    """``reconfigure {}`` and ``train-01`` as a clause; without a place for it the object comes last."""
    return doing.format(on) if "{}" in doing else f"{doing} on {on}"


def explain(fault: BaseException, *, doing: str, on: str) -> DirectPathError:
    """A fault of any kind as a DirectPathError: ``Cannot <doing> on <on>: <the server's words>``, or with ``on`` in the place of
    ``{}`` in ``doing``. Never raises."""
    if isinstance(fault, DirectPathError):
        return fault
    hint = _hint(words(fault)) if isinstance(fault, vmodl.MethodFault) else ""
    for name, code, cure in _KNOWN:
        known = _lookup(name)
        if known is not None and isinstance(fault, known):
            if code == "no_permission":
                cure = f"Grant {getattr(fault, 'privilegeId', None) or 'the privilege'} to this account on the object or a parent of it"
            return DirectPathError(message=f"Cannot {deed(doing, on)}: {words(fault)}", code=code, cure=hint or cure)
    if isinstance(fault, vmodl.MethodFault):
        return DirectPathError(
            message=f"Cannot {deed(doing, on)}: {words(fault)} [{type(fault).__name__}]",
            code="vsphere_fault",
            cure=hint,
        )
    return explain_connection(fault, doing=doing, on=on)


def explain_connection(error: BaseException, *, doing: str, on: str) -> DirectPathError:
    """A failure below the API: proxy, TLS, name, refusal, silence, HTTP, nonsense."""
    if isinstance(error, ProxyFailed):
        return _explain_proxy(error, f"Cannot {deed(doing, on)}")
    if isinstance(error, CertificateTime):
        return error.explained(f"Cannot {deed(doing, on)}")
    if isinstance(error, BrokenAnswer):
        return _explain_answer(error, doing, on)
    if isinstance(error, ssl.SSLCertVerificationError):
        return DirectPathError(
            message=f"Cannot {deed(doing, on)}: its TLS certificate is not trusted ({error.verify_message})",
            code="certificate_untrusted",
            cure="Name the CA that signed it in ca_path (VMWARE_CA_PATH), and connect by a name the certificate holds; "
            "validate_certs: false trusts anybody on the way",
        )
    if isinstance(error, ssl.SSLError):
        return DirectPathError(
            message=f"Cannot {deed(doing, on)}: TLS failed{_through(error)} ({error.reason})",
            code="tls_failed",
            cure="Check hostname and port: it has to be the HTTPS port of vCenter or ESXi",
        )
    if isinstance(error, socket.gaierror):
        return DirectPathError(
            message=f"Cannot {deed(doing, on)}: the name is not known",
            code="unknown_name",
            cure="Check hostname and DNS",
        )
    if isinstance(error, ConnectionRefusedError):
        return DirectPathError(
            message=f"Cannot {deed(doing, on)}: nothing listens there", code="refused", cure="Check hostname and port"
        )
    if isinstance(error, TimeoutError):
        what = "the answer was not whole in time" if isinstance(error, TooSlow) else "no answer in time"
        return DirectPathError(
            message=f"Cannot {deed(doing, on)}: {what}{_through(error)}",
            code="no_answer",
            cure="Check network and proxy",
        )
    if isinstance(error, http.client.HTTPException) and "503" in str(error):
        return DirectPathError(
            message=f"Cannot {deed(doing, on)}: the server is overloaded or starting (HTTP 503)",
            code="unavailable",
            cure="It was tried several times; look at the number of open sessions, then run the task again",
        )
    if isinstance(error, http.client.HTTPException) and re.match(r"4\d\d\b", str(error)):
        return DirectPathError(
            message=f"Cannot {deed(doing, on)}: it answers, and is neither vCenter nor ESXi (HTTP {error})",
            code="not_vsphere",
            cure="Check hostname and port: the API is where the vSphere Client is, under /sdk",
        )
    if isinstance(error, ConnectionError | http.client.HTTPException | OSError):
        return DirectPathError(
            message=f"Cannot {deed(doing, on)}: the connection broke{_through(error)} ({_reason(error)})",
            code="connection_lost",
            cure="Check the network and the server, then run the task again"
            if _only_looks(doing)
            else "Whether a write arrived is not known: run the task again, it looks first",
        )
    return DirectPathError(
        message=f"Cannot {deed(doing, on)}: {type(error).__name__}: {error}",
        code="unexpected",
        cure="This is a fault of the collection: please report it with this message",
    )


def _only_looks(doing: str) -> bool:
    """Nothing can have been written by what was being done, so nothing is said of writes."""
    return doing.startswith(("log in", "log out", "read", "watch"))


def _through(error: BaseException) -> str:
    """The proxy, where a connection through it broke before anything was said on it."""
    proxy = getattr(error, "through", "")
    return f" on the way through the proxy {proxy}" if proxy else ""


def _explain_proxy(error: ProxyFailed, what: str) -> DirectPathError:
    cure = "Check proxy_host and proxy_port (VMWARE_PROXY_HOST, VMWARE_PROXY_PORT), or leave them out"
    if error.status == 407:
        cure = "It asks for a login, which is not supported: let it pass this connection without one"
    elif error.status in BUSY:
        cure = "It does not reach the server: check hostname and port, and ask who runs the proxy"
    elif error.status:
        cure = "It does not let this connection pass: ask who runs the proxy, or leave proxy_host out"
    return DirectPathError(message=f"{what}: {error}", code="proxy_failed", parameter="proxy_host", cure=cure)


def _explain_answer(error: BrokenAnswer, doing: str, on: str) -> DirectPathError:
    asked = f" to {error.method}" if error.method else ""
    cure = "Look whether something on the way changes answers, and at the server's own logs"
    if not _only_looks(doing):
        cure += ". Whether a write arrived is not known: run the task again, it looks first"
    return DirectPathError(
        message=f"Cannot {deed(doing, on)}: the answer{asked} cannot be read: {error}",
        code="unreadable_answer",
        cure=cure,
    )


# Texts of the VMX process, in which case they usually appear and what helps then. They give hints only and never steer anything.
_HINTS = (
    ("sched.mem.min", "Reserve all of its memory (vm_memory_reservation)"),
    ("systemId does not match", "Its fixed device belongs to another host: attach it again (vm_pci_device)"),
    (
        "is not a passthrough device",
        "The device is not in force on this host: see host_pci_device_info, a reboot may be owed",
    ),
    ("already in use", "Another VM holds the device: see vm_pci_device_info"),
    ("hot-plug operation failed", "Power the VM off first (power: cycle does it)"),
    (
        "DevicePowerOn",
        "Cards with much memory need a 64-bit MMIO window (mmio) and EFI firmware; the VM's vmware.log says more",
    ),
)


def _hint(text: str) -> str:
    return next((hint for part, hint in _HINTS if part.lower() in text.lower()), "")


UNCERTAIN = frozenset(
    {"connection_lost", "unavailable", "no_answer", "session_lost", "unreadable_answer", "proxy_failed"}
)
"""Codes of failures after which only a fresh look tells whether the write arrived."""


@contextmanager
def explained(doing: str, on: str) -> Iterator[None]:
    """Every fault and connection error inside leaves as a DirectPathError that says what was being done on which object."""
    try:
        yield
    except (vmodl.MethodFault, *CONNECTION_ERRORS) as fault:
        raise explain(fault, doing=doing, on=on) from fault


def _reason(error: BaseException) -> str:
    """The operating system's words for it, without Python's."""
    return getattr(error, "strerror", None) or str(error) or "the server closed it"


def is_transient(error: BaseException) -> bool:
    """May the same *read* succeed when asked again a moment later?"""
    if isinstance(error, ProxyFailed):
        return error.status in BUSY
    if isinstance(error, ssl.SSLCertVerificationError | socket.gaierror | ConnectionRefusedError | TooMuch | TooSlow):
        return False
    if isinstance(error, http.client.HTTPException):
        return any(code in str(error) for code in ("502", "503", "504")) or isinstance(error, http.client.BadStatusLine)
    return isinstance(error, ConnectionError | TimeoutError | ssl.SSLError)


def is_session_ended(error: BaseException) -> bool:
    """Whether the server no longer knows the session."""
    return isinstance(error, vim.fault.NotAuthenticated)


def is_login_refused(error: BaseException) -> bool:
    """Whether the server refused user name and password."""
    return isinstance(error, vim.fault.InvalidLogin)
