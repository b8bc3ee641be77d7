# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write docs/facts.md: the facts that guards need, where they are read, and what happens when they are unknown.

Facts, properties and protected devices come from the code; the descriptions are here. ``python -m tools.facts_page`` writes
the page. tests/docs/test_facts_page.py fails when it is out of date, or a fact has no description.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from tools import collection_path
from tools.envs import ROOT

PAGE = ROOT / "docs" / "facts.md"
HEAD = """# What has to be known

<!-- written by tools/facts_page.py -->

A fact that is not readable is never "none" ([decision 0021](decisions/0021-fail-closed.md)). A property is unknown in
three cases: the server did not return it (`missingSet`), the server returned nothing of the object that has it, or
another property contradicts its absence. Otherwise an unset optional property means "none": a host without a distributed
switch, NVMe or vSAN, or an older release.

## Hosts

Read before a device is enabled, and before a reboot that removes devices from a host. While a fact is unknown, the devices
in the third column are protected (`fabric_unread`).
"""

DESCRIBED: Mapping[str, str] = {
    "nics": "network adapters and their links",
    "switches": "virtual switches, their uplinks, and the services of vmkernel adapters",
    "adapters": "storage adapters and the disks behind them",
    "disks": "disks and their contents: ESXi, datastores, core dump, vSAN",
    "vsan_esa": "whether vSAN ESA is enabled, which may use any NVMe device",
    "graphics": "shared GPUs (vGPU)",
}
"""Fact of a host → its description."""
CLASSES: Mapping[str, str] = {
    "01": "storage controllers",
    "0108": "NVMe devices",
    "02": "network adapters",
    "03": "display devices",
    "0c03": "USB controllers",
    "0c04": "Fibre Channel adapters",
    "12": "accelerators",
}
OVERRIDE = "`allow_protected` with host, address and device; none for the last management uplink"
CONNECTION = (
    "the connection state of the host, its PCI devices, their passthrough state",
    "`runtime.connectionState`, `hardware.pciDevice`, `config.pciPassthruInfo`",
    "the host is not changed (`host_unreachable`)",
    "none",
)
VMS: Sequence[tuple[str, str, str, str]] = (
    (
        "the devices of a VM",
        "`config.hardware.device`, `runtime.connectionState`, the form of the address in a fixed backing",
        "no fixed device of its host is attached, and none is disabled (`holders_unknown`)",
        "`ignore_unreadable_vms` with the VM",
    ),
    (
        "the host of a VM, on which VM and host must agree",
        "`runtime.host` of the VM, `vm` of the host",
        "the same, on each host that it may be on, if it has a device",
        "`ignore_unreadable_vms` with the VM",
    ),
    (
        "whether a VM with a dynamic device runs",
        "`runtime.powerState`, and the devices that the host reports as bound (`binding`)",
        "its device counts as in use",
        "none",
    ),
    (
        "the reasons why a VM is pinned to a host that must reboot",
        "`config.hardware.device`, `runtime.powerState`, `customValue`",
        "the host is blocked, and the VM is neither moved nor stopped (`vm_unreadable`)",
        "none: shut down the VM manually",
    ),
    (
        "whether VMware Tools run in a VM that must be shut down",
        "`guest.toolsRunningStatus`",
        "the guest is shut down, with a hard power-off only after the timeout",
        "none",
    ),
    (
        "the VMs that are never stopped",
        "`name`",
        "a name in `never_stop` that no VM has is rejected (`unknown_vm`)",
        "none",
    ),
    (
        "the device of a fixed backing whose address has two readings (`0:66:0.0`)",
        "`backing.id`",
        "both devices count as devices of the VM",
        "none: write the address in the form that vCenter returns",
    ),
    (
        "devices and memory of the VM that is changed",
        "`config.hardware.device`, `config.memoryAllocation`, `config.hardware.memoryMB`",
        "the VM is not changed (`vm_unreadable`)",
        "none",
    ),
    (
        "other features that need all memory reserved",
        "`runtime.faultToleranceState`, `config.latencySensitivity`",
        "the memory stays locked (`feature_needs_reservation`)",
        "none",
    ),
    (
        "the system id of the host",
        "`QueryConfigTarget`",
        "no fixed device is attached (`no_system_id`)",
        "none",
    ),
    (
        "the journal that a rolling reboot wrote",
        "the custom attribute of the object, if the server does not show it within 30 seconds",
        "the value is read again from the object, and never ignored",
        "none",
    ),
)


def page(paths: Mapping[str, Sequence[str]], guarded: Mapping[str, Sequence[str]]) -> str:
    """The whole page. ``paths``: fact → properties; ``guarded``: fact → PCI classes."""
    lines = [HEAD, "| fact | read from | protected while it is unknown | override |", "|---|---|---|---|"]
    for fact, properties in paths.items():
        devices = ", ".join(CLASSES[number] for number in guarded[fact])
        lines.append(
            f"| {DESCRIBED[fact]} | {', '.join(f'`{path}`' for path in properties)} | {devices} | {OVERRIDE} |"
        )
    lines.append(_row(CONNECTION))
    lines += ["", "## Virtual machines and runs", "", "| fact | read from | while it is unknown | override |"]
    lines += ["|---|---|---|---|", *(_row(row) for row in VMS)]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def current() -> str:
    """The page for the current code."""
    collection_path.install()
    from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.protection import GUARDED
    from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.read.gaps import FACT_PATHS

    return page(FACT_PATHS, GUARDED)


def main() -> int:
    """Write the page."""
    PAGE.write_text(current(), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} was written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
