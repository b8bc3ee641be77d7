# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which certificates are trusted, the same for each server and each version of Python. PRIVATE to the collection."""

from __future__ import annotations

import ssl

from ..._domain.errors import DirectPathError


def verifying_context(ca_path: str | None, parameter: str = "ca_path") -> ssl.SSLContext:
    """A context that verifies with the CAs of the system and of ``ca_path`` (a file or a hashed directory).

    Raises DirectPathError (bad_ca_path).
    """
    context = ssl.create_default_context()
    # Equal on each version of Python. PARTIAL_CHAIN: a certificate in ca_path is trusted without the CA that signed it, because the CA of
    # the ESXi installer is not available. Not STRICT: CAs without the extensions that Python 3.13 requires still work.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if ca_path:
        try:
            context.load_verify_locations(ca_path)
        except IsADirectoryError:
            context.load_verify_locations(capath=ca_path)
        except (OSError, ssl.SSLError) as error:
            raise DirectPathError(
                message=f"Cannot read CA certificates from {ca_path}: {_why_not(error)}",
                code="bad_ca_path",
                parameter=parameter,
                cure="Set it to a PEM file with the CA that signed the certificate of the server",
            ) from error
    return context


def _why_not(error: OSError) -> str:
    return "it contains no certificate" if isinstance(error, ssl.SSLError) else (error.strerror or "it cannot be read")
