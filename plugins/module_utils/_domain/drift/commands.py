# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that fix or show a difference, ready to paste. PRIVATE to the collection.

No command overrides a protection, and none contains a password: a module that is run alone reads its account from the environment.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..host.selector import DesiredDevice
from ..plain import Plain, Record
from ..text import literal
from ..vm.desired.sriov_networks import DesiredSriovNetwork
from ..vm.desired.units import DesiredUnit

COLLECTION = "directpath.vsphere"


def run_arguments(sources: Sequence[str], limit: str | None) -> str:
    """The arguments of ``ansible-playbook`` for the same inventories and the same limit as in this run."""
    parts = [part for source in sources for part in ("-i", shlex.quote(source))]
    return " ".join([*parts, *(("--limit", shlex.quote(limit)) if limit is not None else ())])


@dataclass(frozen=True, kw_only=True, slots=True)
class Commands:
    """``vcenter`` and ``port``: where the state was read. ``arguments`` (inventory, limit): what follows the name of a playbook."""

    vcenter: str
    port: int = 443
    arguments: str = ""

    @classmethod
    def to(cls, place: str) -> Commands:
        """Commands for a vCenter by its name in a report: ``vc-01`` or ``vc-01:8443``."""
        name, colon, port = place.rpartition(":")
        return cls(vcenter=name, port=int(port)) if colon and port.isdecimal() else cls(vcenter=place)

    @property
    def place(self) -> str:
        """The name of this vCenter in a report: ``vc-01`` or ``vc-01:8443``."""
        return self.vcenter if self.port == 443 else f"{self.vcenter}:{self.port}"

    def playbook(self, name: str, *extra: str) -> str:
        """A command such as ``ansible-playbook directpath.vsphere.enable -i inventory.yml``."""
        return " ".join(part for part in (f"ansible-playbook {COLLECTION}.{name}", self.arguments, *extra) if part)

    def module(self, name: str, options: Mapping[str, Plain]) -> str:
        """A command that runs one module. The options are JSON, so that Ansible keeps their types."""
        where: Record = {"hostname": self.vcenter, **({} if self.port == 443 else {"port": self.port})}
        return f"ansible localhost -m {COLLECTION}.{name} -a {shlex.quote(json.dumps(_literals({**where, **options})))}"

    def enable(self) -> str:
        return self.playbook("enable")

    def reboot(self) -> str:
        return self.playbook("reboot", "-e rolling_reboot_consent=true")

    def attach(self, *extra: str) -> str:
        return self.playbook("attach", *extra)

    def disable(self, host: str, address: str, ids: str) -> str:
        """Disable passthrough of one device. The command includes the ids, so that another card at the address is rejected."""
        devices: list[Plain] = [{"match": _identity(address, ids)}]
        return self.module("host_passthrough", {"hosts": [host], "devices": devices, "state": "disabled"})

    def without_functions(self, host: str, address: str, ids: str) -> str:
        """Turn SR-IOV of one function off."""
        devices: list[Plain] = [{"match": _identity(address, ids), "virtual_functions": 0}]
        return self.module("host_sriov", {"hosts": [host], "devices": devices})

    def detach(self, moids: Sequence[str], address: str, ids: str) -> str:
        """Detach one fixed device from VMs. Those that run are shut down for it, and powered on again."""
        vms: list[Plain] = [{"moid": moid, "devices": [{"match": _identity(address, ids)}]} for moid in moids]
        return self.module("vm_pci_device", {"vms": vms, "state": "absent", "power": "cycle"})

    def only(
        self,
        moid: str,
        devices: Sequence[DesiredDevice | DesiredUnit] | None,
        adapters: Sequence[DesiredSriovNetwork] | None = None,
    ) -> str:
        """Leave a VM with the desired devices and SR-IOV network adapters and no others. None: leave these as they are."""
        entry: Record = {"moid": moid}
        if devices is not None:
            entry["devices"] = [desired.option() for desired in devices]
        if adapters is not None:
            entry["sriov_networks"] = [adapter.option() for adapter in adapters]
        return self.module("vm_pci_device", {"vms": [entry], "state": "exactly", "power": "cycle"})

    def nothing(self, moid: str) -> str:
        """Detach the devices of every kind from a VM."""
        entry: Record = {"moid": moid, "devices": [], "kinds": "all"}
        return self.module("vm_pci_device", {"vms": [entry], "state": "exactly", "power": "cycle"})

    def show_host(self, host: str) -> str:
        return self.module("host_pci_device_info", {"hosts": [host]})

    def show_vm(self, *moids: str) -> str:
        return self.module("vm_pci_device_info", {"vms": list(moids)})


def _identity(address: str, ids: str) -> dict[str, Plain]:
    vendor_id, device_id = ids.split(":")
    return {"address": address, "vendor_id": vendor_id, "device_id": device_id}


def _literals(value: Plain) -> Plain:
    """Names of objects are data, also in a command that Ansible renders."""
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, Mapping):
        return {key: _literals(one) for key, one in value.items()}
    return [_literals(one) for one in value] if isinstance(value, Sequence) else value
