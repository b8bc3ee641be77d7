# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks plan, site, verify and drift without Ansible: the modules in the order and with the parameters of the roles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.text import (
    assumed_enabled,
    differences,
    outcome,
    reboot_outcome,
)
from tests.unit.exploring.random_labs import Example
from tests.unit.modules.harness import Lab

Result = dict[str, Any]


@dataclass
class Run:
    """What became of a playbook: the phases that ran, by role, and why it ended early."""

    phases: dict[str, Result] = field(default_factory=dict)
    trouble: str = ""

    @property
    def changed(self) -> bool:
        return any(result.get("changed") for result in self.phases.values())

    @property
    def told(self) -> str:
        """In a few words, for a test that fails."""
        return str(
            {
                role: {key: result.get(key) for key in ("trouble", "msg", "changes")}
                for role, result in self.phases.items()
            }
        )

    @property
    def left_open(self) -> bool:
        """Whether a plan says that vCenter moves VMs before they get their devices, so that only the run can tell which."""
        return any("which is rebooted first: " in note for note in self.phases.get("attach", {}).get("notes", ()))

    def trouble_of(self, role: str) -> str:
        return str(self.phases.get(role, {}).get("trouble", ""))

    def changes(self, role: str) -> Any:
        return self.phases.get(role, {}).get("changes", [])


@dataclass
class Site:
    """An example with its simulated vCenter."""

    lab: Lab
    example: Example
    folder: str
    """For the journal of an ESXi host."""

    def _run(self, module: str, *, check: bool, **options: Any) -> Result:
        credentials = self.lab.credentials()
        return self.lab._main(module, {**credentials, **options, "_ansible_check_mode": check, "_ansible_diff": True})

    def _enable(self, *, check: bool) -> Result:
        return self._run(
            "host_passthrough", check=check, targets=self.example.targets, on_missing=self.example.on_missing
        )

    def _attach(self, *, check: bool, **more: Any) -> Result:
        return self._run("vm_pci_device", check=check, vms=self.example.vms, **more)

    def _reboot(self, enabled: Result, *, check: bool) -> Result:
        return self._run(
            "host_rolling_reboot",
            check=check,
            targets=self.example.targets,
            expect_pending=enabled.get("reboot_required") or [],
            expect_settled=[
                host["name"]
                for host in enabled.get("hosts") or ()
                if host["status"] == "changed" and not host["reboot_required"]
            ],
            on_missing=self.example.on_missing,
            journal_dir=self.folder,
            pinned_vms=self.example.pinned,
            evacuate_powered_off=self.example.evacuate_powered_off,
            canary=False,
            drain_timeout=120,
            stop_timeout=60,
        )

    def site(self, *, check: bool = False) -> Run:
        """With ``check`` what the playbook plan does: it goes on where site would end. Without targets, only VMs are changed."""
        run = Run()
        enabled: Result = {}
        rebooted: Result = {}
        if self.example.targets:
            enabled = run.phases["enable"] = {"state": "enabled", **outcome(self._enable(check=check))}
            run.trouble = enabled["trouble"]
            if run.trouble and not check:
                return run
            planned = self._reboot(enabled, check=True)
            call: Result = {}
            if reboot_outcome(planned, {}, True, check)["owing"]:
                call = self._reboot(enabled, check=check)
            rebooted = run.phases["reboot"] = reboot_outcome(planned, call, True, check)
            run.trouble = run.trouble or rebooted["trouble"]
            if run.trouble and not check:
                return run
        if self.example.vms:
            assumed = assumed_enabled(self.example.targets, enabled, rebooted or None) if check else []
            attached = outcome(self._attach(check=check, assume_enabled=assumed), rebooted or None if check else None)
            run.phases["attach"] = attached
            run.trouble = run.trouble or attached["trouble"]
        return run

    def places(self) -> dict[str, str]:
        """VM → host."""
        return {vm["name"]: vm["host"] for vm in self.lab.sim.describe(self.lab.sim)["vms"]}

    def verify(self) -> list[str]:
        """The differences that the playbook verify names."""
        results = [self._enable(check=True)] if self.example.targets else []
        if self.example.vms:
            results.append(self._attach(check=True))
        return differences(results)

    def drift(self) -> Result:
        return self._run(
            "drift_info",
            check=False,
            targets=self.example.targets,
            vms=self.example.vms,
            journal_dir=self.folder,
            on_missing=self.example.on_missing,
        )
