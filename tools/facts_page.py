# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write docs/facts.md: what the guards have to know, where it is read, and what happens when it is not known.

The facts, their properties and the devices that they protect come from the code; what is said beside them stands here.
``python -m tools.facts_page`` writes the page; tests/docs/test_facts_page.py fails when it is out of date, or when the
code has a fact that is not described.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from tools import collection_path
from tools.envs import ROOT

PAGE = ROOT / "docs" / "facts.md"
HEAD = """# What has to be known

<!-- written by tools/facts_page.py -->

A fact that could not be read is never "none" ([decision 0021](decisions/0021-fail-closed.md)). A property is unknown
when the server says that it may not be read (`missingSet`), when nothing of the object that holds it was given, or when
another property contradicts its absence. Otherwise an optional property that is unset means "none": a host without a
distributed switch, without NVMe, without vSAN, of an older release.

## Hosts

Read before a device is enabled, and before a reboot takes devices from a host. While a fact is not known, the devices in
the third column are protected (`fabric_unread`).
"""

DESCRIBED: Mapping[str, str] = {
    "nics": "network adapters and their links",
    "switches": "virtual switches, their uplinks and what vmkernel adapters serve",
    "adapters": "storage adapters and the disks behind them",
    "disks": "disks and what is on them: ESXi, datastores, core dump, vSAN",
    "vsan_esa": "whether vSAN ESA runs, which may use any NVMe device",
    "graphics": "GPUs in shared use (vGPU)",
}
"""Fact of a host → what it is."""
CLASSES: Mapping[str, str] = {
    "01": "storage controllers",
    "0108": "NVMe devices",
    "02": "network adapters",
    "03": "display devices",
    "0c03": "USB controllers",
    "0c04": "Fibre Channel adapters",
    "12": "accelerators",
}
OVERRIDE = "`allow_protected` with host, address and what is there; none for the last management uplink"
CONNECTION = (
    "the connection state of the host, its PCI devices, their passthrough state",
    "`runtime.connectionState`, `hardware.pciDevice`, `config.pciPassthruInfo`",
    "nothing of the host is changed (`host_unreachable`)",
    "none",
)
VMS: Sequence[tuple[str, str, str, str]] = (
    (
        "which devices a VM holds",
        "`config.hardware.device`, `runtime.connectionState`, the form of the address in a fixed backing",
        "no fixed device of its host is attached, and none is disabled (`holders_unknown`)",
        "`ignore_unreadable_vms` with the VM",
    ),
    (
        "on which host a VM is: the VM and the host both say so",
        "`runtime.host` of the VM, `vm` of the host",
        "the same, on every host that it may be on, if it holds a device",
        "`ignore_unreadable_vms` with the VM",
    ),
    (
        "whether a VM runs that has a dynamic device",
        "`runtime.powerState`, and what the host says that it lends (`binding`)",
        "its device counts as taken",
        "none",
    ),
    (
        "what keeps a VM on a host that is to be rebooted",
        "`config.hardware.device`, `runtime.powerState`, `customValue`",
        "the host is not started, and the VM neither moved nor stopped (`vm_unreadable`)",
        "none: shut the VM down by hand",
    ),
    (
        "whether VMware Tools run in a VM that is to be stopped",
        "`guest.toolsRunningStatus`",
        "the guest is asked to shut down, and powered off only when its time is over",
        "none",
    ),
    (
        "which VMs are never stopped",
        "`name`",
        "a name in `never_stop` that no VM has is refused (`unknown_vm`)",
        "none",
    ),
    (
        "which card a fixed backing with two readings means (`0:66:0.0`)",
        "`backing.id`",
        "both cards count as held by the VM",
        "none: write the address in the form that vCenter returns",
    ),
    (
        "devices and memory of the VM itself",
        "`config.hardware.device`, `config.memoryAllocation`, `config.hardware.memoryMB`",
        "nothing of the VM is changed (`vm_unreadable`)",
        "none",
    ),
    (
        "what else needs all memory reserved",
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
        "what a rolling reboot wrote into its journal",
        "the custom attribute of the object itself, when the server does not show it for 30 seconds",
        "the value is read back from the object, and never forgotten",
        "none",
    ),
)


def page(paths: Mapping[str, Sequence[str]], guarded: Mapping[str, Sequence[str]]) -> str:
    """The whole page. ``paths``: fact → properties; ``guarded``: fact → PCI classes."""
    lines = [HEAD, "| fact | read from | protected while it is not known | override |", "|---|---|---|---|"]
    for fact, properties in paths.items():
        devices = ", ".join(CLASSES[number] for number in guarded[fact])
        lines.append(
            f"| {DESCRIBED[fact]} | {', '.join(f'`{path}`' for path in properties)} | {devices} | {OVERRIDE} |"
        )
    lines.append(_row(CONNECTION))
    lines += ["", "## Virtual machines and runs", "", "| fact | read from | while it is not known | override |"]
    lines += ["|---|---|---|---|", *(_row(row) for row in VMS)]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def current() -> str:
    """The page as the code has it now."""
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
