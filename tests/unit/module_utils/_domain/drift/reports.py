# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports for tests of what is made of them: small ones by hand, and a fleet of any size."""

from __future__ import annotations

from typing import Any

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.drift.fleet_report import merged, unread_report
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.drift.kinds import Difference, status_of
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.drift.report import SCHEMA, VERSION, summary

GPU, NVME = ("10de:20f1", "GA100 [A100 PCIe 40GB]"), ("8086:2700", "Optane SSD DC P5800X Series")


def difference(kind: str = "disabled", **more: Any) -> Difference:
    given = {
        "type": "host",
        "object": "esx-01",
        "moid": "host-1",
        "cluster": "gpu-a",
        "subject": "0000:3b:00.0",
        "device": "10de:20f1 GA100",
        "wanted": "active",
        "found": "off",
        "cause": "0000:3b:00.0 is not enabled",
        "cure": "Enable it",
        "command": "ansible-playbook directpath.vsphere.enable -i inventory.yml",
    }
    return Difference(kind=kind, **{**given, **more})


def device(
    address: str, model: tuple[str, str] = GPU, *, state: str = "ok", vms: tuple[str, ...] = ()
) -> dict[str, Any]:
    return {
        "address": address,
        "ids": model[0],
        "name": model[1],
        "label": None,
        "wanted": True,
        "setting": "active" if state == "ok" else "off",
        "state": state,
        "ignored": False,
        "vms": list(vms),
    }


def host(
    name: str, *devices: dict[str, Any], cluster: str | None = "gpu-a", found: tuple[Difference, ...] = ()
) -> dict[str, Any]:
    return {
        "name": name,
        "moid": f"host-{name}",
        "cluster": cluster,
        "version": "8.0.3",
        "connection_state": "connected",
        "in_maintenance_mode": False,
        "wanted": True,
        "status": status_of(found),
        "devices": list(devices),
    }


def vm(name: str, on: str | None, *, found: tuple[Difference, ...] = ()) -> dict[str, Any]:
    return {
        "name": name,
        "moid": f"vm-{name}",
        "host": on,
        "cluster": "gpu-a",
        "power_state": "poweredOn",
        "status": status_of(found),
        "memory_mb": 65536,
        "fully_reserved": True,
        "devices": [{"backing": "dynamic", "ids": [GPU[0]], "address": "0000:3b:00.0"}],
        "kinds": sorted({one.kind for one in found if not one.ignored}),
    }


def part(
    vcenter: str = "vc-a",
    hosts: tuple[dict[str, Any], ...] = (),
    vms: tuple[dict[str, Any], ...] = (),
    found: tuple[Difference, ...] = (),
    idle: tuple[str, ...] = (),
) -> dict[str, Any]:
    records = [one.record() for one in found]
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "vcenter": vcenter,
        "status": status_of(found),
        "summary": summary(len(hosts), len(vms), records),
        "differences": records,
        "idle_rules": list(idle),
        "hosts": list(hosts),
        "vms": list(vms),
    }


def one_of_everything() -> dict[str, Any]:
    """Two vCenters: one with a drifted host, an unknown one, an expected difference; and one that did not answer."""
    off = difference(moid="host-esx-02", object="esx-02", subject="0000:5e:00.0")
    away = difference(
        "unreachable", moid="host-esx-03", object="esx-03", subject="", device="", cause="esx-03 is notResponding"
    )
    rebuilt = difference("pending_reboot", moid="host-esx-04", object="esx-04", ignored="being rebuilt")
    stopped = difference(
        "powered_off",
        type="vm",
        moid="vm-train-01",
        object="train-01",
        subject="power",
        device="",
        cause="train-01 is off",
    )
    gone = difference("not_found", type="vm", moid="", object="gone-01", subject="", device="", cause="no VM 'gone-01'")
    return merged(
        [
            part(
                hosts=(
                    host("esx-01", device("0000:3b:00.0"), device("0000:86:00.0", NVME)),
                    host("esx-02", device("0000:3b:00.0"), device("0000:5e:00.0", state="disabled"), found=(off,)),
                    host("esx-03", found=(away,)),
                    host("esx-04", {**device("0000:3b:00.0", state="pending_reboot"), "ignored": True}),
                ),
                vms=(vm("train-01", "esx-02", found=(stopped,)), vm("web-01", None)),
                found=(off, away, rebuilt, stopped, gone),
                idle=("old rule",),
            ),
            unread_report(
                "vc-b:8443", "Cannot log in on vc-b:8443: nothing listens there. Check hostname and port.", "refused"
            ),
        ]
    )


def fleet(hosts: int, vms: int, *, drifted: int = 1) -> dict[str, Any]:
    """A report of many hosts in clusters of fifty, of which the first ``drifted`` of every tenth cluster differ."""
    rows, found = [], []
    for number in range(hosts):
        cluster, name = f"cluster-{number // 50:02d}", f"esx-{number:04d}"
        mine: tuple[Difference, ...] = ()
        if number // 50 % 10 == 3 and number % 50 < drifted:
            mine = (difference(object=name, moid=f"host-{name}", cluster=cluster, subject="0000:5e:00.0"),)
        state = "disabled" if mine else "ok"
        rows.append(
            host(name, device("0000:3b:00.0"), device("0000:5e:00.0", state=state), cluster=cluster, found=mine)
        )
        found += mine
    machines = tuple(vm(f"train-{number:04d}", f"esx-{number % hosts:04d}") for number in range(vms))
    return merged([part(hosts=tuple(rows), vms=machines, found=tuple(found))])
