# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Advanced settings of a vCenter: only those that decide what it does with devices.

Sources: API reference (OptionManager.QueryOptions: InvalidName for a name that is no option; System.View), vSphere 8.0 guide "Migrating
vGPU virtual machines" (`vgpu.hotmigrate.enabled`). Settings that are not modeled are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyVmomi import vim, vmodl

from ..api import data
from ..api.takes import MARK, takes
from ..core.base import Endpoint, ManagedObject

if TYPE_CHECKING:
    from ..core.call import Call

HOT_MIGRATION = "vgpu.hotmigrate.enabled"


class VpxSettings(ManagedObject):
    """The OptionManager of a vCenter. ``values``: by name; a setting that was never set has no value."""

    vim_type = vim.option.OptionManager

    def __init__(self, sim: Endpoint, moid: str) -> None:
        super().__init__(sim, moid)
        self.values: dict[str, Any] = {}

    @takes(f"name={HOT_MIGRATION}")
    def QueryOptions(self, call: Call, name: str | None = None) -> list[Any]:
        """The setting of this name."""
        if name is None:
            raise vmodl.fault.NotSupported(msg=f"{MARK}QueryOptions without a name is not modeled")
        if name not in self.values:
            raise vim.fault.InvalidName(name=name)
        return [data.new(vim.option.OptionValue, key=name, value=self.values[name])]
