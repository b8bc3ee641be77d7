# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin as Ansible's inventory manager runs it, in this process, against simulated vCenters without a socket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from ansible import constants
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import inventory_loader

from ansible_collections.directpath.vsphere.plugins.inventory import pci_hosts
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session import connect
from simulator.core.clock import ManualClock
from simulator.simulator import Simulator
from tests.unit.ansible_core import controller
from tests.unit.inventory.labs import NAME
from tests.unit.modules.harness import GuardedInProcess, Lab


def entry(address: str, **more: Any) -> dict[str, Any]:
    """The vCenter as an entry of ``vcenters``."""
    name, _colon, port = address.partition(":")
    return {"hostname": name, **({"port": int(port)} if port else {}), **more}


def plugin() -> Any:
    """The plugin with the options its documentation defines, as Ansible's loader makes it (which wants an installed collection)."""
    inventory_loader._load_config_defs(NAME, pci_hosts, pci_hosts.__file__)
    made = pci_hosts.InventoryModule()
    made._load_name = made.ansible_name = NAME
    made._original_path, made._redirected_names, made.ansible_aliases = pci_hosts.__file__, [NAME], [NAME]
    return made


class Manager(InventoryManager):  # type: ignore[misc]
    """Ansible's inventory manager with this one plugin enabled."""

    def _fetch_inventory_plugins(self) -> list[Any]:
        return [plugin()]


@dataclass(frozen=True)
class Found:
    """An inventory, and what Ansible said when it was read."""

    inventory: Manager
    loader: DataLoader
    warnings: str

    @property
    def groups(self) -> set[str]:
        """All but those that every inventory has."""
        return set(self.inventory.groups) - {"all", "ungrouped"}

    def hosts(self, group: str = "all") -> list[str]:
        """Names of a group, those of its subgroups included."""
        return [host.name for host in self.inventory.groups[group].get_hosts()]

    def variables(self, host: str) -> dict[str, Any]:
        """What the source says of it."""
        known: dict[str, Any] = self.inventory.hosts[host].vars
        return known


@dataclass
class VCenters:
    """Simulated vCenters by address (``name`` or ``name:port``), and a folder for inventory sources."""

    folder: Path
    sims: dict[str, Simulator] = field(default_factory=dict)

    def add(self, address: str, description: Mapping[str, Any]) -> Simulator:
        self.sims[address] = Simulator.from_lab(description, clock=ManualClock())
        return self.sims[address]

    def source(self, text: str, name: str = "pci_hosts.yml") -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def config(self, *addresses: str, **options: Any) -> Path:
        """An inventory source for these vCenters."""
        return self.source(
            json.dumps({"plugin": NAME, "vcenters": [entry(address) for address in addresses], **options})
        )

    def read(
        self, source: Path, *, cache: bool = True, strict: bool = False, loader: DataLoader | None = None
    ) -> Found:
        """What Ansible makes of the source. ``strict``: as with ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED."""
        loader = loader or DataLoader()
        with ExitStack() as stack:
            told = stack.enter_context(controller())
            stack.enter_context(mock.patch.object(connect, "open_transport", self._transport))
            stack.enter_context(mock.patch.object(constants, "INVENTORY_ANY_UNPARSED_IS_FAILED", strict))
            stack.enter_context(mock.patch.object(constants, "INVENTORY_UNPARSED_WARNING", False))
            manager = Manager(loader=loader, sources=[str(source)], cache=cache)
        return Found(inventory=manager, loader=loader, warnings=told.warnings)

    def inventory(self, source: Path, **options: Any) -> Found:
        """``read`` that has to succeed without a warning."""
        found = self.read(source, **options)
        assert found.warnings == "", found.warnings
        return found

    def module(self, address: str, name: str, **options: Any) -> None:
        """Change something through a module, as a user does."""
        Lab(sim=self.sims[address]).run(name, **options)

    def calls(self, address: str) -> dict[str, int]:
        return dict(self.sims[address].journal.counters.methods)

    def _transport(self, endpoint: connect.Endpoint) -> connect.Guard:
        sim = self.sims.get(endpoint.hostname) or self.sims.get(f"{endpoint.hostname}:{endpoint.port}")
        if sim is None:
            raise ConnectionRefusedError(111, "Connection refused")
        return GuardedInProcess(sim, sim.api_version)
