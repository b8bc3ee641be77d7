# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of pyVmomi, or placeholders when it is not installed. PRIVATE to the collection.

Ansible also loads module code on machines without the SDK (documentation, sanity tests), and a user without it must get a clear message
instead of a traceback. ``MISSING`` is the import error then, and every module fails with a message about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyVmomi import Iso8601, SoapStubAdapter, vim, vmodl
    from pyVmomi.SoapAdapter import Deserialize, SoapDeserializer, SoapResponseDeserializer
    from pyVmomi.VmomiSupport import F_OPTIONAL as OPTIONAL
    from pyVmomi.VmomiSupport import DataObject, Enum, GetServiceVersions, IsChildVersion, ManagedObject, versionIdMap
    from pyVmomi.VmomiSupport import long as as_long

    MISSING: ImportError | None = None
else:
    try:
        from pyVmomi import Iso8601, SoapStubAdapter, vim, vmodl
        from pyVmomi.SoapAdapter import Deserialize, SoapDeserializer, SoapResponseDeserializer
        from pyVmomi.VmomiSupport import F_OPTIONAL as OPTIONAL
        from pyVmomi.VmomiSupport import (
            DataObject,
            Enum,
            GetServiceVersions,
            IsChildVersion,
            ManagedObject,
            versionIdMap,
        )
        from pyVmomi.VmomiSupport import long as as_long

        MISSING = None
    except ImportError as error:
        MISSING = error
        OPTIONAL = 4

        class _Absent:
            """Has every attribute, so that module-level tables of SDK types can be built."""

            def __getattr__(self, name: str) -> Any:
                return self

        vim = vmodl = GetServiceVersions = versionIdMap = IsChildVersion = Deserialize = Iso8601 = _Absent()
        as_long = int
        SoapStubAdapter = SoapDeserializer = SoapResponseDeserializer = DataObject = Enum = ManagedObject = object


def service_versions() -> list[tuple[str, str]]:
    """(name in the SDK, id on the wire) of each API version that the SDK knows, newest first."""
    return [(name, versionIdMap[name]) for name in GetServiceVersions("vim25")]


def version_id(name: str) -> str:
    """The id on the wire of an API version, by its name in the SDK: ``7.0.2.0`` for ``vim.version.v7_0_2_0``."""
    number: str = versionIdMap[name]
    return number


__all__ = [
    "MISSING",
    "OPTIONAL",
    "DataObject",
    "Deserialize",
    "Enum",
    "IsChildVersion",
    "Iso8601",
    "ManagedObject",
    "SoapDeserializer",
    "SoapResponseDeserializer",
    "SoapStubAdapter",
    "as_long",
    "service_versions",
    "version_id",
    "vim",
    "vmodl",
]
