# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook site over every kind of device without Ansible: the modules in the order and with the parameters of the roles."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine import earlier_tasks
from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.kinds_of_entries import targets_by_module
from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.joined import joined_outcome
from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.reboot_steps import reboot_expectations
from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.text import (
    assumed_enabled,
    differences,
    outcome,
    reboot_outcome,
)
from simulator.rules.vm import devices as device_rules
from tests.unit.exploring.random_mixes import Mix
from tests.unit.exploring.site_run import Result, Run
from tests.unit.modules.harness import Lab

_ONLY_ASKS = {earlier_tasks.ONLY_ASKS: "1"}
_KEYS = {
    "host_passthrough": "passthrough_targets",
    "host_sriov": "sriov_targets",
    "host_device_mode": "mode_targets",
}


@dataclass
class MixedSite:
    """A mix with its simulated vCenter. ``folder``: for the journal of an ESXi host."""

    lab: Lab
    found: Mix
    folder: str

    def _run(self, module: str, *, check: bool, **options: Any) -> Result:
        given = {**self.lab.credentials(), **options}
        return self.lab._main(module, {**given, "_ansible_check_mode": check, "_ansible_diff": True})

    def prepare(self) -> None:
        """What somebody did before."""
        self.lab.sim.clock.sleep(60)
        if self.found.before:
            self._run("host_sriov", check=False, targets=self.found.before)
        self.lab.sim.clock.sleep(60)
        self.lab.sim.journal.clear()

    def _enable(self, *, check: bool) -> list[Result]:
        by_module = targets_by_module(self.found.targets)
        calls = [(module, by_module[key]) for module, key in _KEYS.items()] + [("host_graphics", self.found.graphics)]
        return [
            self._run(module, check=check, targets=targets, on_missing=self.found.on_missing)
            for module, targets in calls
            if targets
        ]

    def _reboot(self, enabled: Result, *, check: bool) -> Result:
        expected = reboot_expectations(enabled)
        return self._run(
            "host_rolling_reboot",
            check=check,
            targets=self.found.targets,
            graphics=self.found.graphics,
            expect_pending=expected["pending"],
            expect_settled=expected["settled"],
            on_missing=self.found.on_missing,
            journal_dir=self.folder,
            pinned_vms="shutdown_then_power_off",
            canary=False,
            drain_timeout=120,
            stop_timeout=60,
        )

    def _attach(self, *, check: bool, **more: Any) -> Result:
        return self._run("vm_pci_device", check=check, vms=self.found.vms, **more)

    def plan(self) -> Run:
        """``site`` with ``--check``: each task knows what the earlier ones would change."""
        with (
            tempfile.TemporaryDirectory() as folder,
            mock.patch.object(earlier_tasks, "controller_folder", return_value=Path(folder)),
        ):
            return self.site(check=True)

    def site(self, *, check: bool = False) -> Run:
        """With ``check`` it goes on where the run would end."""
        run = Run()
        enabled = {"state": "enabled", **joined_outcome(self._enable(check=check))}
        run.phases["enable"] = enabled
        run.trouble = enabled["trouble"]
        if run.trouble and not check:
            return run
        if self.found.targets or self.found.graphics:
            with mock.patch.dict(os.environ, _ONLY_ASKS):
                planned = self._reboot(enabled, check=True)
            owing = reboot_outcome(planned, {}, True, check)["owing"]
            call: Result = self._reboot(enabled, check=check) if owing else {}
            rebooted = run.phases["reboot"] = reboot_outcome(planned, call, True, check)
            run.trouble = run.trouble or rebooted["trouble"]
            if run.trouble and not check:
                return run
        else:
            rebooted = {}
        if self.found.vms:
            passed = targets_by_module(self.found.targets)["passthrough_targets"]
            assumed = assumed_enabled(passed, enabled, rebooted or None) if check else []
            attached = outcome(self._attach(check=check, assume_enabled=assumed), rebooted if check else None)
            run.phases["attach"] = attached
            run.trouble = run.trouble or attached["trouble"]
        return run

    def verify(self) -> list[str]:
        """The differences that the playbook verify names."""
        results = self._enable(check=True)
        if self.found.vms:
            results.append(self._attach(check=True))
        return differences(results)

    def drift(self) -> Result:
        return self._run(
            "drift_info",
            check=False,
            targets=self.found.targets,
            graphics=self.found.graphics,
            vms=self.found.vms,
            journal_dir=self.folder,
            on_missing=self.found.on_missing,
        )

    # -- what the simulator knows ----------------------------------------------------------------------------------------

    def places(self) -> dict[str, str]:
        """VM → host."""
        return {vm["name"]: vm["host"] for vm in self.lab.sim.describe(self.lab.sim)["vms"]}

    def on(self) -> set[str]:
        """The VMs that run."""
        return {entry["name"] for entry in self.lab_vms() if self.lab.sim.find("VirtualMachine", entry["name"]).is_on}

    def held(self) -> dict[str, Counter[str]]:
        """VM → how many devices it has of each kind; ``group`` counts the devices of groups."""
        return {entry["name"]: Counter(self._kinds(entry["name"])) for entry in self.lab_vms()}

    def _kinds(self, name: str) -> Iterator[str]:
        for device in self.lab.sim.find("VirtualMachine", name).devices:
            kind = device_rules.kind(device)
            if kind:
                yield (
                    "group" if device.deviceGroupInfo is not None else "card" if kind in ("fixed", "dynamic") else kind
                )

    def lab_vms(self) -> list[dict[str, Any]]:
        (cluster,) = self.found.lab["datacenters"][0]["clusters"]
        return list(cluster["vms"])


@contextmanager
def opened(found: Mix, lab: Lab) -> Iterator[MixedSite]:
    with tempfile.TemporaryDirectory() as folder:
        site = MixedSite(lab=lab, found=found, folder=folder)
        site.prepare()
        yield site
