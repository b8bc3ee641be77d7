# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""pyVmomi, or a stand-in where it is not installed. PRIVATE to the collection.

Ansible loads module code on machines without the SDK (documentation, sanity tests); a user without it deserves a sentence, not a
traceback. ``MISSING`` holds the import error then, and the shell refuses to go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyVim import connect
    from pyVmomi import Iso8601, SoapStubAdapter, vim, vmodl
    from pyVmomi.SoapAdapter import Deserialize, SoapDeserializer, SoapResponseDeserializer
    from pyVmomi.VmomiSupport import DataObject, Enum, IsChildVersion, ManagedObject

    MISSING: ImportError | None = None
else:
    try:
        from pyVim import connect
        from pyVmomi import Iso8601, SoapStubAdapter, vim, vmodl
        from pyVmomi.SoapAdapter import Deserialize, SoapDeserializer, SoapResponseDeserializer
        from pyVmomi.VmomiSupport import DataObject, Enum, IsChildVersion, ManagedObject

        MISSING = None
    except ImportError as error:
        MISSING = error

        class _Absent:
            """Every name of the SDK, so that module-level tables of types can be built."""

            def __getattr__(self, name: str) -> Any:
                return self

        vim = vmodl = connect = IsChildVersion = Deserialize = Iso8601 = _Absent()
        SoapStubAdapter = SoapDeserializer = SoapResponseDeserializer = DataObject = Enum = ManagedObject = object

__all__ = [
    "MISSING",
    "DataObject",
    "Deserialize",
    "Enum",
    "IsChildVersion",
    "Iso8601",
    "ManagedObject",
    "SoapDeserializer",
    "SoapResponseDeserializer",
    "SoapStubAdapter",
    "connect",
    "vim",
    "vmodl",
]
