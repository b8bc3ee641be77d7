# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The validity dates of a certificate that was refused because of them. PRIVATE to the collection.

The standard library does not parse a certificate that it does not trust, so this module reads the two dates (RFC 5280, 4.1).
"""

from __future__ import annotations

import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from ..._domain.errors import DirectPathError

_NOT_YET, _EXPIRED = 9, 10
"""X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL."""
_UTC_TIME = 0x17
_EXPLICIT_0 = 0xA0


@dataclass(frozen=True, kw_only=True)
class Validity:
    """From ``begin`` to ``end``. ``server``: the time on the clock of the server, as an HTTP date; empty when unknown."""

    begin: datetime
    end: datetime
    server: str = ""


class CertificateTime(ssl.SSLCertVerificationError):
    """The certificate is not valid yet, or has expired."""

    def __init__(
        self, error: ssl.SSLCertVerificationError, validity: Validity | None, now: float | None = None
    ) -> None:
        super().__init__(*error.args)
        self.verify_code, self.verify_message = error.verify_code, error.verify_message
        self._here = datetime.fromtimestamp(time.time() if now is None else now, UTC)
        self._validity = validity

    def explained(self, what: str) -> DirectPathError:
        """The error for users, with all known times. ``what`` is the beginning of the message: what could not be done."""
        early = self.verify_code == _NOT_YET
        clocks = f"it is {_shown(self._here)} by the clock of this machine{_there(self._validity)}"
        return DirectPathError(
            message=f"{what}: {_dates(early, self._here, self._validity)}; {clocks}",
            code="certificate_not_yet_valid" if early else "certificate_expired",
            cure="Compare the clocks of this machine and of the server (NTP): one of them is probably wrong"
            if early
            else "Renew the certificate of the server; if it should still be valid, compare the clocks (NTP)",
        )

    @staticmethod
    def is_about(error: ssl.SSLCertVerificationError) -> bool:
        """Whether OpenSSL refused the certificate because of its dates."""
        return error.verify_code in (_NOT_YET, _EXPIRED)


def _dates(early: bool, here: datetime, validity: Validity | None) -> str:
    what = "is not valid yet" if early else "has expired"
    if validity is None:
        return f"its TLS certificate, or that of a CA above it, {what}"
    if early and validity.begin > here:
        return f"its TLS certificate is not valid before {_shown(validity.begin)}"
    if not early and validity.end < here:
        return f"its TLS certificate expired on {_shown(validity.end)}"
    return f"the certificate of a CA that signed its TLS certificate {what}"


def _there(validity: Validity | None) -> str:
    with suppress(ValueError, TypeError):
        if validity is not None and validity.server:
            return f", and {_shown(parsedate_to_datetime(validity.server).astimezone(UTC))} by the clock of the server"
    return ""


def _shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def validity_of(certificate: bytes) -> Validity:
    """The dates of a certificate in DER. Raises ValueError when it is not a certificate."""
    try:
        _tag, body, _rest = _element(certificate)
        _tag, body, _rest = _element(body)
        tag, _version, rest = _element(body)
        if tag != _EXPLICIT_0:  # a version 1 certificate has no version field: this element is the serial number
            rest = body
        for _serial_algorithm_issuer in range(3):
            _tag, _unused, rest = _element(rest)
        _tag, dates, _rest = _element(rest)
        begin_tag, begin, rest = _element(dates)
        end_tag, end, _rest = _element(rest)
        return Validity(begin=_moment(begin_tag, begin), end=_moment(end_tag, end))
    except (IndexError, ValueError) as error:
        raise ValueError("not a certificate") from error


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """Tag and content of the first element, and the bytes after it (X.690, 8.1)."""
    tag, length, at = data[0], data[1], 2
    if length & 0x80:
        size = length & 0x7F
        length, at = int.from_bytes(data[2 : 2 + size], "big"), 2 + size
    if at + length > len(data):
        raise ValueError("not a certificate")
    return tag, data[at : at + length], data[at + length :]


def _moment(tag: int, text: bytes) -> datetime:
    """Parse a time. UTCTime has a year of two digits: from 50 on it means 19xx (RFC 5280, 4.1.2.5.1)."""
    digits = text.decode("ascii")
    if tag == _UTC_TIME:
        digits = ("19" if int(digits[:2]) >= 50 else "20") + digits
    return datetime.strptime(digits, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
