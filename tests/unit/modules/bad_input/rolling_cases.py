# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input to host_rolling_reboot: everything that can be wrong before anything is touched."""

from __future__ import annotations

from typing import Any

from tests.unit.modules.bad_input.cases import Case
from tests.unit.modules.harness import Lab
from tests.unit.pains.labs import FIRST, SECOND, host, lab, on, vm

WAITING = {FIRST: {"enabled": True, "active": False}}
STALE = {"enabled": True, "active": False, "capable": False}
BOOT = "0000:01:00.0"
WINDOW = {"start": "22:00", "end": "05:00"}
CYCLE = {"method": "power_cycle"}
BMC = {"host": "esx-01", "address": "bmc-01.test", "username": "root", "password": "calvin"}


def pair() -> Lab:
    """Two equal hosts, of which the first owes a reboot."""
    return lab([host("esx-01", states=WAITING), host("esx-02")])


def roll(title: str, code: str | None, says: tuple[str, ...], **more: Any) -> Case:
    """Rolling through the cluster; ``options`` are those that are wrong."""
    where = more.pop("where", {"cluster": ["gpu"]})
    return Case(
        title=title,
        module="host_rolling_reboot",
        options={**where, **more.pop("options", {})},
        code=code,
        says=says,
        lab=more.pop("lab", pair),
        **more,
    )


def namesakes() -> Lab:
    """Two VMs with one name on the hosts of a cluster."""
    return lab([host("esx-01", states=WAITING), host("esx-02")], [vm("db"), vm("db", host="esx-02", folder="b")])


PACE = [
    roll("no host may be down", "bad_amount", ("max_unavailable", "25%"), options={"max_unavailable": "0"}),
    roll("a share in words", "bad_amount", ("max_unavailable", "half"), options={"max_unavailable": "half"}),
    roll("more than all hosts", "bad_amount", ("fleet_max_unavailable",), options={"fleet_max_unavailable": "120%"}),
    roll(
        "a bad number for one cluster",
        "bad_amount",
        ("cluster_max_unavailable.gpu",),
        options={"cluster_max_unavailable": {"gpu": "some"}},
    ),
    roll("a checkpoint after no host", "bad_amount", ("checkpoints",), options={"checkpoints": ["0%"]}),
    roll("no failure is too many", "bad_amount", ("max_failures",), options={"max_failures": "-1"}),
    roll(
        "a day that is none", "bad_window", ("someday", "sat"), options={"windows": [{**WINDOW, "days": ["someday"]}]}
    ),
    roll("a time that is none", "bad_window", ("25:00", "22:30"), options={"windows": [{**WINDOW, "end": "25:00"}]}),
    roll("a zone that is none", "bad_window", ("Mars/Base",), options={"windows": [{**WINDOW, "zone": "Mars/Base"}]}),
    roll("a window without end", None, ("end",), options={"windows": [{"start": "22:00"}]}),
    roll("a drain without time", "bad_timeout", ("drain_timeout 0",), options={"drain_timeout": 0}),
    roll("guests without time", "bad_timeout", ("stop_timeout -5",), options={"stop_timeout": -5}),
    roll("a soak in the past", "bad_timeout", ("soak",), options={"soak": -60}),
    roll(
        "a check without what it needs",
        "bad_ready_when",
        ("ready_when[0].port", "3260"),
        options={"ready_when": [{"check": "tcp"}]},
    ),
    roll(
        "a program that is searched for",
        "bad_ready_when",
        ("ready_when[0].argv", "absolute path"),
        options={"ready_when": [{"check": "command", "argv": ["storage-ok"]}]},
    ),
    roll(
        "a check with a misspelt placeholder",
        "bad_ready_when",
        ("{vms}", "{vm}"),
        options={"ready_when": [{"check": "http", "url": "https://{vms}.example.com/"}]},
    ),
    roll(
        "a URL that is none",
        "bad_ready_when",
        ("ready_when[0].url", "https://"),
        options={"ready_when": [{"check": "http", "url": "ftp://x"}]},
    ),
    roll(
        "VMs by name, without names",
        "bad_ready_when",
        ("ready_when[0].names",),
        options={"ready_when": [{"check": "tools", "vms": "named"}]},
    ),
    roll(
        "the tools of a host",
        "bad_ready_when",
        ("ready_when[0].vms",),
        options={"ready_when": [{"check": "tools", "vms": "none"}]},
    ),
    roll(
        "a check of a VM that does not exist",
        "gate_without_vm",
        ("absent-*", "ready_when"),
        options={"ready_when": [{"check": "tools", "vms": "named", "names": ["absent-*"]}]},
        check=True,
    ),
    roll("a slice in the past", "bad_timeout", ("slice",), options={"slice": -1}),
    roll("a lock that is stale at once", "bad_timeout", ("lock_ttl 5", "60"), options={"lock_ttl": 5}),
]

WORDS = [
    roll(
        "a build that is no number",
        "bad_build",
        ("allow_build_change", "8.0.3-24674464"),
        options={"allow_build_change": ["8.0.3-24674464"]},
    ),
    roll("an order that is none", "bad_order", ("order.esx-01",), options={"order": {"esx-01": {"zone": "a"}}}),
    roll(
        "an order of VMs in words", "bad_order", ("vm_order.db-01", "first"), options={"vm_order": {"db-01": "first"}}
    ),
    roll(
        "a duration that is none",
        "bad_duration",
        ("measured.esx-01", "drain"),
        options={"measured": {"esx-01": {"boot": 300}}},
    ),
    roll(
        "tags with an order in words",
        "bad_order",
        ("vm_order_tags.Tier/db", "first"),
        options={"vm_order_tags": {"Tier/db": "first"}},
    ),
    roll(
        "a moment without a zone",
        "bad_moment",
        ("booted_before", "time zone"),
        options={"reboot_if": "always", "booted_before": "2026-01-05 08:00:00"},
    ),
    roll(
        "a moment that is none",
        "bad_moment",
        ("booted_before", "yesterday"),
        options={"reboot_if": "always", "booted_before": "yesterday"},
    ),
    roll(
        "a moment together with hosts that have a pending reboot",
        "bad_moment",
        ("booted_before", "reboot_if"),
        options={"booted_before": "2026-01-05T08:00:00Z"},
    ),
    roll(
        "a moment yet to come",
        "bad_moment",
        ("booted_before", "is in the future"),
        options={"reboot_if": "always", "booted_before": "2099-01-01T00:00:00Z"},
    ),
    roll("a negative duration", "bad_duration", ("expected_minutes",), options={"expected_minutes": {"reboot": -3}}),
    roll("a run with a name of two words", "bad_run_id", ("run_id",), options={"run_id": "my run"}),
    roll("a policy that does not exist", None, ("pinned_vms",), options={"pinned_vms": "kill"}),
]

POWER = [
    roll("power off without a way to power on", "no_bmc", ("bmc",), options=CYCLE),
    roll(
        "a controller without an account",
        "bad_bmc",
        ("esx-01", "password"),
        options={**CYCLE, "bmc": [{**BMC, "password": ""}]},
    ),
    roll(
        "two controllers for one host",
        "bad_bmc",
        ("esx-01", "twice"),
        options={**CYCLE, "bmc": [BMC, {**BMC, "address": "bmc-02.test"}]},
    ),
    roll(
        "a controller over plain HTTP",
        "bad_bmc_address",
        ("bmc-01.test", "https"),
        options={**CYCLE, "bmc": [{**BMC, "address": "http://bmc-01.test"}]},
    ),
]

PLACES = [
    roll("a host that is not there", "unknown_host", ("esx-09", "esx-01"), where={"hosts": ["esx-09"]}),
    roll("a cluster that is not there", "unknown_cluster", ("gpus", "gpu"), where={"cluster": ["gpus"]}),
    roll("nothing is named", None, ("hosts", "cluster"), where={}),
    roll(
        "a protected VM by a name that two have",
        "ambiguous_vm",
        ("'db'", "/DC/vm/db", "/DC/vm/b/db", "inventory path"),
        options={"never_stop": ["db"]},
        lab=namesakes,
    ),
    roll(
        "a protected VM that is not there",
        "unknown_vm",
        ("'trian-01'", "another vCenter"),
        options={"never_stop": ["trian-01"]},
    ),
    roll(
        "an override without a host",
        "override_needs_host",
        (FIRST, "esx-01"),
        options={"allow_protected": [FIRST]},
    ),
    roll(
        "a journal folder that is not writable",
        "journal_unwritable",
        ("/dev/null/x", "directory"),
        options={"journal": "file", "journal_dir": "/dev/null/x"},
    ),
    roll(
        "a progress file that is not writable",
        "progress_unwritable",
        ("/dev/null/x",),
        options={"progress_file": "/dev/null/x"},
    ),
]


def _busy(lab: Lab) -> None:
    """Somebody else's task runs on the host."""
    target = lab.sim.find("HostSystem", "esx-01")
    lab.sim.start_task(None, target, "host.patch", lambda task: None, duration=3600)
    lab.sim.clock.sleep(1)


def _unbootable(lab: Lab) -> None:
    with lab.sim.find("HostSystem", "esx-01").edit("capability") as capability:
        capability.rebootSupported = False


def _taken(lab: Lab) -> None:
    lab.sim.events["enter_maintenance"](host="esx-01", user="eve@vsphere.local")
    lab.sim.clock.sleep(60)


def blocked(title: str, code: str, says: tuple[str, ...], **more: Any) -> Case:
    """A host that may not be touched as it is."""
    return roll(title, code, says, where={"hosts": ["esx-01"]}, check=True, **more)


BLOCKED = [
    blocked(
        "a VM that cannot be moved runs there",
        "pinned_vms",
        ("esx-01", "train-01", "Shut them down first", "pinned_vms: shutdown"),
        lab=lambda: lab([host(cards=[on(), on()])], [vm(power="on", devices=[{"fixed": FIRST}])]),
        options={"reboot_if": "always"},
    ),
    roll(
        "VMs run on a host outside of clusters",
        "pinned_vms",
        ("esx-home", "plex", "its host is in no cluster", "Shut them down first"),
        lab=lambda: Lab.load(
            {
                "kind": "esxi",
                "name": "esx-home",
                "host": {"cards": ["a100"]},
                "vms": [{"name": "plex", "power": "on", "memory_gb": 4}],
            }
        ),
        where={"hosts": ["esx-home"]},
        options={"reboot_if": "always"},
        check=True,
    ),
    blocked(
        "an administrator put the host into maintenance mode",
        "maintenance_by_other",
        ("esx-01", "operator_maintenance: use"),
        setup=_taken,
    ),
    blocked("other work is under way", "task_running", ("esx-01", "host.patch", "Cancel the task"), setup=_busy),
    blocked(
        "moving VMs that are off would part them from their devices",
        "evacuation_loses_devices",
        ("esx-01", "train-01", "evacuate_powered_off: false"),
        lab=lambda: lab([host(cards=[on(), on()])], [vm(devices=[{"fixed": FIRST}])]),
        options={"evacuate_powered_off": True, "reboot_if": "always"},
    ),
    blocked(
        "so would stopping and moving them",
        "evacuation_loses_devices",
        ("esx-01", "train-01", "evacuate_powered_off: false"),
        lab=lambda: lab([host(cards=[on(), on()])], [vm(power="on", devices=[{"fixed": FIRST}])]),
        options={"evacuate_powered_off": True, "reboot_if": "always", "pinned_vms": "shutdown_then_power_off"},
    ),
    blocked(
        "the boot would take the boot disk from the host",
        "reboot_takes_protected",
        ("esx-01", BOOT, "Disable passthrough of this device first"),
        lab=lambda: lab([host(states={BOOT: {"enabled": True, "active": False}})]),
    ),
    blocked(
        "a setting that no reboot brings into force, beside one that waits for it",
        "stale_setting",
        ("esx-01", SECOND, "no longer offers", "Disable passthrough"),
        lab=lambda: lab([host(states={**WAITING, SECOND: STALE})]),
    ),
    blocked(
        "an active device that the host no longer offers, beside one that waits for the reboot",
        "stale_setting",
        ("esx-01", SECOND, "still passes through", "IOMMU", "Or disable passthrough"),
        lab=lambda: lab([host(states={**WAITING, SECOND: {**STALE, "active": True}})]),
    ),
    blocked(
        "a desired device that is not enabled, beside one that waits for the reboot",
        "not_as_desired",
        ("esx-01", SECOND, "desired but not enabled", "Enable the devices first"),
        lab=lambda: lab([host(states=WAITING)]),
        options={"devices": ["10de:20f1"]},
    ),
    blocked(
        "a disconnected host",
        "host_unreachable",
        ("esx-01 is disconnected", "Check its power and network"),
        lab=lambda: lab([host(connection="disconnected")]),
    ),
    blocked(
        "a host that says it cannot be rebooted",
        "reboot_unsupported",
        ("esx-01", "Reboot it by hand"),
        setup=_unbootable,
    ),
    roll("vsan_mode that does not exist", None, ("vsan_mode", "evacuate"), options={"vsan_mode": "evacuate"}),
]

WARNINGS = [
    roll(
        "a desired device that is missing, and may be back after the reboot",
        None,
        ("esx-01", "No device of esx-01 matches 10de:2235", "unless the reboot brings back"),
        where={"hosts": ["esx-01"]},
        options={"devices": ["10de:2235"]},
        check=True,
        warns=True,
    ),
    roll(
        "a setting that no reboot brings into force",
        None,
        ("esx-01", "no longer offers it", "No reboot changes that"),
        where={"hosts": ["esx-01"]},
        lab=lambda: lab([host(states={FIRST: STALE})]),
        warns=True,
    ),
    roll(
        "a host that was left in maintenance mode, and requires no reboot",
        None,
        ("esx-01 is in maintenance mode", "end its maintenance mode"),
        where={"hosts": ["esx-01"]},
        lab=lambda: lab([host(maintenance=True)]),
        warns=True,
    ),
]

OUTLETS = [
    roll(
        "a receiver without encryption",
        "bad_notify",
        ("notify[0].url", "https://"),
        options={"notify": [{"url": "http://hooks.example.com/x"}]},
    ),
    roll(
        "a secret that can be guessed",
        "bad_notify",
        ("notify[0].secret", "16"),
        options={"notify": [{"url": "https://hooks.example.com/x", "secret": "short"}]},
    ),
    roll(
        "a metrics file that the node exporter does not read",
        "bad_metrics_file",
        ("metrics_file", ".prom"),
        options={"metrics_file": "/tmp/metrics.txt"},
    ),
]

CASES = [*PACE, *WORDS, *POWER, *PLACES, *BLOCKED, *OUTLETS]
