# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""vSphere faults and connection errors as messages for administrators. PRIVATE to the collection."""

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
from ..http.name_lookup import NameTooSlow
from ..sdk import MISSING, vim, vmodl
from .version_guard import NotSent, unknown_to_library

BUSY = frozenset({502, 503, 504})
"""HTTP statuses of a proxy or gateway when the server behind it does not answer."""
CONNECTION_ERRORS = (OSError, http.client.HTTPException)
"""Python errors of a broken connection (TLS errors and timeouts are OSErrors)."""
MISSING_SDK = MISSING
"""The import error if pyVmomi is not installed, else None."""
SERVER_FAULTS = (vmodl.MethodFault,)
"""Faults that the server returns."""
SERVER_ERRORS = (*SERVER_FAULTS, *CONNECTION_ERRORS)
SESSION_LOST = (vim.fault.NotAuthenticated, vim.fault.InvalidLogin)
"""The server ended the session, or refuses a new login."""


# (type, code, fix), most specific first: the first type that matches counts. With "" as the fix, the message has only the text of the
# server.
_KNOWN: tuple[tuple[str, str, str], ...] = (
    # A subtype of NoPermission, so it comes first.
    ("vim.fault.NotAuthenticated", "session_lost", "The session ended and could not be renewed: run the task again"),
    ("vim.fault.NoPermission", "no_permission", ""),
    (
        "vim.fault.InvalidLogin",
        "invalid_login",
        "Check username and password (VMWARE_USER, VMWARE_PASSWORD) and the domain of the account",
    ),
    ("vim.fault.HostNotConnected", "host_unreachable", "Reconnect the host in vCenter, then run the task again"),
    (
        "vim.fault.HostNotReachable",
        "host_unreachable",
        "Check the management network of the host, then run the task again",
    ),
    ("vmodl.fault.HostNotConnected", "host_unreachable", "Reconnect the host in vCenter, then run the task again"),
    (
        "vmodl.fault.HostNotReachable",
        "host_unreachable",
        "Check the management network of the host, then run the task again",
    ),
    (
        "vmodl.fault.HostCommunication",
        "host_unreachable",
        "vCenter could not reach the host: check the management network of the host",
    ),
    (
        "vim.fault.RestrictedVersion",
        "not_licensed",
        "The license of the host makes its API read-only, as the free license of ESXi does: assign another license, or make "
        "the change in the Host Client",
    ),
    ("vim.fault.HostConfigFault", "host_config_refused", "The host refused the setting: see vmkernel.log of the host"),
    (
        "vim.fault.ConcurrentAccess",
        "changed_meanwhile",
        "Another user changed the VM at the same time: run the task again",
    ),
    (
        "vim.fault.TaskInProgress",
        "busy",
        "Another task is in progress on the object: wait for it to end, then run the task again",
    ),
    ("vim.fault.Timedout", "timed_out", "The operation exceeded a time limit of the server"),
    ("vim.fault.RequestCanceled", "cancelled", "A user canceled the task in vCenter"),
    ("vmodl.fault.RequestCanceled", "cancelled", "A user canceled the task in vCenter"),
    (
        "vim.fault.InvalidPowerState",
        "wrong_power_state",
        "The power state changed after it was read: run the task again",
    ),
    ("vim.fault.TooManyDevices", "too_many_devices", "Remove devices from the VM, or request fewer"),
    ("vim.fault.DeviceHotPlugNotSupported", "needs_power_off", "Power the VM off first (power: cycle does it)"),
    (
        "vim.fault.InsufficientMemoryResourcesFault",
        "not_enough_memory",
        "All memory of a VM with a passthrough device is reserved: free memory on the host, or raise the reservation of the resource pool",
    ),
    (
        "vim.fault.InsufficientGraphicsResourcesFault",
        "not_enough_graphics",
        "No GPU of the host can serve the vGPUs of the VM now: power off VMs with vGPUs, or VMs with another profile on the same GPUs",
    ),
    ("vim.fault.NoDiskFound", "no_disk", "Add a virtual disk to the VM: vSphere upgrades no VM without one"),
    (
        "vim.fault.AlreadyUpgraded",
        "changed_meanwhile",
        "Another user upgraded the VM at the same time: run the task again",
    ),
    ("vim.fault.InvalidState", "invalid_state", ""),
    ("vmodl.fault.ManagedObjectNotFound", "vanished", "The object was removed in the meantime: run the task again"),
    ("vmodl.fault.NotSupported", "not_supported", "This release or edition of vSphere does not offer the operation"),
    ("vmodl.fault.MethodNotFound", "not_supported", "This release of vSphere does not offer the operation"),
    ("vmodl.fault.InvalidArgument", "invalid_argument", ""),
)


def _texts(fault: Any) -> Iterator[str]:
    """All texts of a fault: its message, the vendor text, further lines, and the texts of its parts."""
    for name in ("msg", "text", "reason"):
        value = getattr(fault, name, None)
        if isinstance(value, str) and value.strip():
            yield value.strip()
    for line in getattr(fault, "faultMessage", None) or ():
        if getattr(line, "message", None):
            yield line.message.strip()
    for part in getattr(fault, "failure", None) or ():
        yield from _texts(getattr(part, "fault", None) or part)
    # One error for each host that was considered for a VM: the host, and why it does not fit.
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
    """The texts of a fault in one line, each text once."""
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


def describe_action(doing: str, on: str) -> str:
    """The action with its object: ``on`` replaces ``{}`` in ``doing``, or follows it as ``<doing> on <on>``."""
    return doing.format(on) if "{}" in doing else f"{doing} on {on}"


def explain(fault: BaseException, *, doing: str, on: str) -> DirectPathError:
    """Convert any error to a DirectPathError with the message ``Cannot <doing> on <on>: <text of the server>``.

    If ``doing`` contains ``{}``, it is replaced by ``on``. Never raises.
    """
    if isinstance(fault, DirectPathError):
        return fault
    hint = _hint(words(fault)) if isinstance(fault, vmodl.MethodFault) else ""
    for name, code, cure in _KNOWN:
        known = _lookup(name)
        if known is not None and isinstance(fault, known):
            if code == "no_permission":
                cure = f"Grant {getattr(fault, 'privilegeId', None) or 'the privilege'} to this account on the object or a parent of it"
            return DirectPathError(
                message=f"Cannot {describe_action(doing, on)}: {words(fault)}", code=code, cure=hint or cure
            )
    if isinstance(fault, vmodl.MethodFault):
        return DirectPathError(
            message=f"Cannot {describe_action(doing, on)}: {words(fault)} [{type(fault).__name__}]",
            code="vsphere_fault",
            cure=hint,
        )
    return explain_connection(fault, doing=doing, on=on)


def explain_connection(error: BaseException, *, doing: str, on: str) -> DirectPathError:
    """Convert an error below the API to a DirectPathError: proxy, TLS, name resolution, connection, timeout, HTTP, invalid answer."""
    if isinstance(error, ProxyFailed):
        return _explain_proxy(error, f"Cannot {describe_action(doing, on)}")
    if isinstance(error, CertificateTime):
        return error.explained(f"Cannot {describe_action(doing, on)}")
    if isinstance(error, BrokenAnswer):
        return _explain_answer(error, doing, on)
    if isinstance(error, ssl.SSLCertVerificationError):
        return DirectPathError(
            message=f"Cannot {describe_action(doing, on)}: its TLS certificate is not trusted ({error.verify_message})",
            code="certificate_untrusted",
            cure="Set ca_path (VMWARE_CA_PATH) to the CA that signed it, and use a hostname that is in the certificate; "
            "validate_certs: false accepts every certificate, also that of an attacker",
        )
    if isinstance(error, ssl.SSLError):
        return DirectPathError(
            message=f"Cannot {describe_action(doing, on)}: TLS failed{_through(error)} ({error.reason})",
            code="tls_failed",
            cure=(
                "Check that the proxy (proxy_host, proxy_port) passes connections on instead of answering itself, and check hostname and "
                "port: it must be the HTTPS port of vCenter or ESXi"
            )
            if _through(error)
            else "Check hostname and port: it must be the HTTPS port of vCenter or ESXi",
        )
    if isinstance(error, NameTooSlow):
        return DirectPathError(
            message=f"Cannot {describe_action(doing, on)}: the name cannot be resolved, {error.strerror}",
            code="unknown_name",
            cure="Check DNS and the network of this machine. connect_timeout (VMWARE_CONNECT_TIMEOUT) is the limit",
        )
    if isinstance(error, socket.gaierror):
        return DirectPathError(
            message=f"Cannot {describe_action(doing, on)}: the name cannot be resolved",
            code="unknown_name",
            cure="Check hostname and DNS",
        )
    if isinstance(error, ConnectionRefusedError):
        return DirectPathError(
            message=f"Cannot {describe_action(doing, on)}: nothing listens there",
            code="refused",
            cure="Check hostname and port",
        )
    if isinstance(error, TimeoutError):
        what = "the answer was not complete in time" if isinstance(error, TooSlow) else "no answer in time"
        return DirectPathError(
            message=f"Cannot {describe_action(doing, on)}: {what}{_through(error)}",
            code="no_answer",
            cure="Check network and proxy",
        )
    if isinstance(error, http.client.HTTPException) and "503" in str(error):
        return DirectPathError(
            message=f"Cannot {describe_action(doing, on)}: the server is overloaded or starting (HTTP 503)",
            code="unavailable",
            cure="All retries failed: check the number of open sessions on the server, then run the task again",
        )
    if isinstance(error, http.client.HTTPException) and re.match(r"[34]\d\d\b", str(error)):
        return DirectPathError(
            message=f"Cannot {describe_action(doing, on)}: it answers, but it is neither vCenter nor ESXi (HTTP {error})",
            code="not_vsphere",
            cure="Check hostname and port: the API has the address of the vSphere Client, with the path /sdk",
        )
    if isinstance(error, ConnectionError | http.client.HTTPException | OSError):
        return DirectPathError(
            message=f"Cannot {describe_action(doing, on)}: the connection broke{_through(error)} ({_reason(error)})",
            code="connection_lost",
            cure=_after_a_break(doing, through_proxy=bool(_through(error))),
        )
    return DirectPathError(
        message=f"Cannot {describe_action(doing, on)}: {type(error).__name__}: {error}",
        code="unexpected",
        cure="This is a bug in the collection: please report it with this message",
    )


UNKNOWN_CHANGE = "It is unknown whether a change was made: run the task again, it reads the current state first"


def without_write(error: DirectPathError) -> DirectPathError:
    """The error of an action that did not get as far as its first write: only a read failed, so nothing is uncertain."""
    error.cure = error.cure.replace(UNKNOWN_CHANGE, "Nothing was changed: run the task again")
    return error


def _only_reads(doing: str) -> bool:
    """Whether the action cannot have written, so that the message need not mention it."""
    return doing.startswith(("log in", "log out", "read", "watch"))


def _after_a_break(doing: str, *, through_proxy: bool) -> str:
    """What to do after a connection broke. The proxy is named: it may have closed the connection that it agreed to."""
    proxy = "the proxy (proxy_host, proxy_port), " if through_proxy else ""
    if _only_reads(doing):
        return f"Check {proxy}the network and the server, then run the task again"
    return f"Check {proxy.removesuffix(', ')}. {UNKNOWN_CHANGE}" if proxy else UNKNOWN_CHANGE


def _through(error: BaseException) -> str:
    """A clause about the proxy, if the connection broke before the first request through it."""
    proxy = getattr(error, "through", "")
    return f" in the connection through the proxy {proxy}" if proxy else ""


def _explain_proxy(error: ProxyFailed, what: str) -> DirectPathError:
    cure = "Check proxy_host and proxy_port (VMWARE_PROXY_HOST, VMWARE_PROXY_PORT), or remove them"
    if error.status == 407:
        cure = "The proxy requires a login, which is not supported: allow this connection without a login on the proxy"
    elif error.status in BUSY:
        cure = "The proxy cannot reach the server: check hostname and port, and ask the administrator of the proxy"
    elif error.status:
        cure = "The proxy does not allow this connection: ask the administrator of the proxy, or remove proxy_host"
    return DirectPathError(message=f"{what}: {error}", code="proxy_failed", parameter="proxy_host", cure=cure)


def _explain_answer(error: BrokenAnswer, doing: str, on: str) -> DirectPathError:
    method = f" to {error.method}" if error.method else ""
    cure = "Check whether a device in the network changes answers, and check the logs of the server"
    if not _only_reads(doing):
        cure += f". {UNKNOWN_CHANGE}"
    return DirectPathError(
        message=f"Cannot {describe_action(doing, on)}: the answer{method} cannot be read: {error}",
        code="unreadable_answer",
        cure=cure,
    )


# (text of the VMX process, what usually helps). Used for hints in messages only, never for decisions.
_HINTS = (
    ("sched.mem.min", "Reserve all memory of the VM (vm_memory_reservation)"),
    ("systemId does not match", "The fixed device of the VM belongs to another host: attach it again (vm_pci_device)"),
    (
        "is not a passthrough device",
        "Passthrough is not active for the device on this host: see host_pci_device_info, the host may require a reboot",
    ),
    ("already in use", "Another VM holds the device: see vm_pci_device_info"),
    ("hot-plug operation failed", "Power the VM off first (power: cycle does it)"),
    (
        "DevicePowerOn",
        "Devices with large memory need a 64-bit MMIO window (mmio) and EFI firmware; see vmware.log of the VM",
    ),
)


def _hint(text: str) -> str:
    return next((hint for part, hint in _HINTS if part.lower() in text.lower()), "")


UNCERTAIN = frozenset(
    {"connection_lost", "unavailable", "no_answer", "session_lost", "unreadable_answer", "proxy_failed"}
)
"""Codes of errors after which only a new read shows whether the server made the change."""


@contextmanager
def explained(doing: str, on: str) -> Iterator[None]:
    """Convert faults and connection errors in the block to a DirectPathError that names the action and the object. The same for calls
    that pyVmomi cannot express."""
    try:
        yield
    except (vmodl.MethodFault, *CONNECTION_ERRORS) as fault:
        raise explain(fault, doing=doing, on=on) from fault
    except NotSent as error:
        raise error.about(describe_action(doing, on)) from None  # the same error, with the name of the object
    except AttributeError as error:
        unknown = unknown_to_library(error)
        if unknown is None:
            raise
        raise unknown.about(describe_action(doing, on)) from error


def _reason(error: BaseException) -> str:
    """The text of the operating system, without the additions of Python."""
    return getattr(error, "strerror", None) or str(error) or "the server closed the connection"


def is_transient(error: BaseException) -> bool:
    """Whether a retry of the same *read* may succeed."""
    if isinstance(error, ProxyFailed):
        return error.status in BUSY
    if isinstance(error, ssl.SSLCertVerificationError | socket.gaierror | ConnectionRefusedError | TooMuch | TooSlow):
        return False
    if isinstance(error, http.client.HTTPException):
        return any(code in str(error) for code in ("502", "503", "504")) or isinstance(error, http.client.BadStatusLine)
    return isinstance(error, ConnectionError | TimeoutError | ssl.SSLError)


def is_session_ended(error: BaseException) -> bool:
    """Whether the server ended the session."""
    return isinstance(error, vim.fault.NotAuthenticated)


def is_login_refused(error: BaseException) -> bool:
    """Whether the server refused user name and password."""
    return isinstance(error, vim.fault.InvalidLogin)
