# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of the host name of a vCenter or an ESXi host. PRIVATE to the collection."""

from __future__ import annotations

import ipaddress
import re

from .errors import InputError

_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?")
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)")
_WITH_PORT = re.compile(r"(?P<name>[^:/\[\]]+|\[[^\]]*\]):(?P<port>\d{1,5})")

_PASSWORD = re.compile(r"^([^:]*(?:://[^:]*)?):(?!//).*@", re.DOTALL)
"""The text up to the password of an account, and the password up to the last ``@``: it can contain every sign."""


def refuse_bad_hostname(text: str, parameter: str = "hostname") -> None:
    """Raise InputError (bad_hostname) unless the text is just a host name or an IP address. The fix says what to write instead."""
    if _is_address(text) or (len(text) <= 253 and _NAME.fullmatch(text)):
        return
    text = _PASSWORD.sub(r"\1:***@", text)
    bare, port = _bare(text)
    if "%" in bare:
        raise _bad(
            text,
            "is an IPv6 address with a zone, which is valid on one machine only",
            parameter,
            "Use a name or another address",
        )
    of_port = "proxy_port" if parameter == "proxy_host" else "port"
    write = f"{parameter}: {bare}" + (f", {of_port}: {port}" if port else "")
    usable = _is_address(bare) or _NAME.fullmatch(bare)
    raise _bad(
        text,
        "is not a host name or an IP address",
        parameter,
        f"Write {write}" if usable else "Write only the name or the address, such as vcenter.example.com",
    )


def _is_address(text: str) -> bool:
    try:
        return not getattr(ipaddress.ip_address(text), "scope_id", None)
    except ValueError:
        return False


def _bare(text: str) -> tuple[str, str]:
    """The host name and the port in a text that may be a URL, or have a port, blanks or brackets."""
    text = text.strip()
    url = _URL.fullmatch(text)
    text = (url["rest"] if url else text).split("/")[0].rpartition("@")[2]
    port = ""
    found = _WITH_PORT.fullmatch(text)
    if found:
        text, port = found["name"], found["port"]
    return text.strip("[]"), port


def _bad(text: str, what: str, parameter: str, cure: str) -> InputError:
    return InputError(message=f"{parameter} {text!r} {what}", code="bad_hostname", parameter=parameter, cure=cure)
