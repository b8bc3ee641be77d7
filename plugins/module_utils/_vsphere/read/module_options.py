# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the configured parameters of kernel modules (drivers) of hosts. PRIVATE to the collection.

It costs one call for each module of a host, so it is read only for the drivers of NICs that change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..._domain.facts import Fact, Gap, Unknown
from ..._domain.observed.hosts import Host
from ..property_collector.retrieve import collect_objects
from ..sdk import vim, vmodl
from ..session.connect import Session

_MANAGER = "configManager.kernelModuleSystem"


def read_module_options(
    session: Session, hosts: Sequence[Host], modules: Mapping[str, Sequence[str]]
) -> tuple[Host, ...]:
    """The hosts with the parameters of these modules (host id → names).

    Parameters that the host does not return are ``Unknown``: the call needs Host.Config.Settings, and a loaded driver may have another
    name than its module.
    """
    rows = {row.moid: row for row in collect_objects(session, vim.HostSystem, list(modules), (_MANAGER,))}
    filled = []
    for host in hosts:
        names = modules.get(host.moid, ())
        row = rows.get(host.moid)
        manager = row.get(_MANAGER) if row is not None else None
        found = {name: _options(session, manager._moId if manager is not None else None, name) for name in names}
        filled.append(replace(host, module_options={**host.module_options, **found}) if found else host)
    return tuple(filled)


def _options(session: Session, manager: str | None, module: str) -> Fact[str]:
    if manager is None:
        return Unknown(gap=Gap(path=_MANAGER, why="was not returned"))
    system = session.reference(vim.host.KernelModuleSystem, manager)
    try:
        return str(system.QueryConfiguredModuleOptionString(name=module) or "")
    except vmodl.fault.SecurityError:
        return Unknown(
            gap=Gap(path="QueryConfiguredModuleOptionString", why="needs the privilege Host.Config.Settings")
        )
    except vmodl.MethodFault as fault:
        return Unknown(gap=Gap(path="QueryConfiguredModuleOptionString", why=f"was refused ({type(fault).__name__})"))
