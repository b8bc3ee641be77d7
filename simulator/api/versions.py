# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""API versions: which one a product release speaks, and which older ones it still understands."""

from __future__ import annotations

from pyVmomi import VmomiSupport as vs

from .data import memo

# 8.0 GA speaks 8.0.0.1 (vSphere Web Services API release notes); all others follow from their own number.
_RELEASES = {"8.0.0": "8.0.0.1"}


def _numbers(text: str) -> tuple[int, ...]:
    parts = [int(part) for part in text.split(".")]
    return tuple(parts + [0] * (4 - len(parts)))


@memo
def _public() -> tuple[str, ...]:
    """vim versions with a plain number as id, oldest first."""
    known = [item for item in vs.GetServiceVersions("vim25") if item.startswith("vim.version.")]
    numbered = [item for item in known if all(part.isdigit() for part in vs.versionIdMap[item].split("."))]
    return tuple(sorted(numbered, key=lambda item: _numbers(vs.versionIdMap[item])))


def version_id(version: str) -> str:
    """``vim.version.v8_0_3_0`` -> ``8.0.3.0``."""
    return str(vs.versionIdMap[version])


def for_product(release: str) -> str:
    """The API version of a product release such as 8.0.3. Raises ValueError when this pyVmomi is too old for it."""
    parts = release.split(".")
    if not all(part.isdigit() for part in parts) or not 2 <= len(parts) <= 4:
        raise ValueError(f"version: {release!r} is not a release number such as 8.0.3")
    wanted = _numbers(_RELEASES.get(".".join([*parts, "0"][:3]) if len(parts) < 4 else release, release))
    fitting = [item for item in _public() if _numbers(version_id(item)) <= wanted]
    newest = _numbers(version_id(_public()[-1]))
    if wanted[:2] > newest[:2] or not fitting:
        raise ValueError(
            f"version: the installed pyvmomi knows the API up to {version_id(_public()[-1])}, not {release}"
        )
    return fitting[-1]


@memo
def supported(version: str) -> list[str]:
    """The versions a server of ``version`` understands, newest first."""
    return [item for item in reversed(_public()) if vs.IsChildVersion(version, item)]


def negotiated(action: str, server: str) -> str:
    """The API version of a call, from its SOAPAction header.

    No header, or one without a version, means the oldest API. A version the server does not know gets the server's
    newest one: govmomi announces its own newest version to every server and is understood (only LoginByToken, which is
    not modelled, is known to answer VersionMismatchFaultCode).
    """
    uri = action.strip().strip('"').rpartition(":")[2]
    if uri in ("", "vim25"):
        return _public()[0]
    asked = vs.versionMap.get(uri)
    return asked if asked is not None and asked in supported(server) else server


def description(version: str) -> str:
    """vimServiceVersions.xml: the versions clients may choose from."""
    newest, *older = supported(version)
    prior = "".join(f"   <version>{version_id(item)}</version>\n" for item in older)
    return (
        '<?xml version="1.0" encoding="UTF-8" ?>\n<namespaces version="1.0">\n <namespace>\n  <name>urn:vim25</name>\n'
        f"  <version>{version_id(newest)}</version>\n  <priorVersions>\n{prior}  </priorVersions>\n </namespace>\n"
        "</namespaces>\n"
    )
