# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics in a text file, in the format that the textfile collector of the Prometheus node exporter reads. PRIVATE to the collection.

The file is replaced as a whole. Its first line says whose it is, so that two vCenters do not overwrite each other's metrics: a run that is
dead would look alive.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ...module_utils._domain.drift.kinds import KINDS
from ...module_utils._domain.errors import InputError
from ...module_utils._domain.rolling.state.phases import PHASES
from ...module_utils._domain.text import one_line
from ...module_utils._shell.outlets.outlet import NotDelivered
from ...module_utils._vsphere.http.rehearsal import place_of
from ..report.files import write_whole
from .events import DriftState, RunState

MODE = 0o644
"""The node exporter runs as another user. The file contains names and numbers, and no secret."""

OF_RUNS, OF_DRIFT = "rolling reboot", "drift report"

Sample = tuple[Mapping[str, str], float]

_OWNER = re.compile(r"# written by directpath\.vsphere: (?P<owner>[^\n]*)")
_SUCCESS = "directpath_last_success_timestamp_seconds"

STATES = ("working", "waiting", "finished", "halted", "stalled", "interrupted", "failed")


def owner_of(kind: str, vcenter: str) -> str:
    """The owner of a file, for its first line."""
    return one_line(f"{kind} {vcenter}".strip())


class MetricsFile:
    """One file. ``owner``: see ``owner_of``."""

    def __init__(self, path: str, owner: str) -> None:
        self._path, self._owner = str(place_of(path)), owner

    def refuse_other_owner(self) -> None:
        """Raise InputError if the file has the metrics of another owner, or was not written by this collection."""
        if problem := self._problem():
            raise InputError(
                message=f"metrics_file: {problem}",
                code="metrics_file_in_use",
                parameter="metrics_file",
                cure="Name one file for each vCenter and each kind of report, for example with {{ inventory_hostname }} in its name. "
                "Delete the file if it is not needed any more",
            )

    def last_success(self) -> float | None:
        """What the file of an earlier run says."""
        with suppress(OSError, ValueError, IndexError):
            for line in self._lines():
                if line.startswith(f"{_SUCCESS}{{"):
                    return float(line.rpartition(" ")[2])
        return None

    def write_run(self, state: RunState) -> None:
        """Raises NotDelivered."""
        self._write(run_metrics(state))

    def write_drift(self, states: Sequence[DriftState]) -> None:
        """Raises NotDelivered."""
        self._write(drift_metrics(states))

    def _write(self, text: str) -> None:
        if problem := self._problem():
            raise NotDelivered(problem, may_pass=False)
        try:
            write_whole(self._path, f"# written by directpath.vsphere: {self._owner}\n{text}", mode=MODE, exact=True)
        except OSError as error:
            raise NotDelivered(f"{self._path} could not be written: {error.strerror or error}") from error

    def _problem(self) -> str:
        """A clause; empty if the file may be written."""
        try:
            lines = self._lines()
        except FileNotFoundError:
            return ""
        except (OSError, ValueError):
            return f"{self._path} exists and cannot be read"
        found = _OWNER.fullmatch(lines[0]) if lines else None
        if not lines or (found and found["owner"] == self._owner):
            return ""
        if found is None:
            return f"{self._path} exists and was not written by this collection"
        return f"{self._path} contains the metrics of another task: {found['owner']}"

    def _lines(self) -> list[str]:
        return Path(self._path).read_text(encoding="utf-8").splitlines()


def run_metrics(state: RunState) -> str:
    """The metrics of a run."""
    place = {"vcenter": state.vcenter}
    numbers = Counter(state.phases.values())
    failed = sorted(key for key, phase in state.phases.items() if phase == "failed")
    return _text(
        ("directpath_run_in_progress", "Whether a rolling reboot is in progress.", [(place, state.ended is None)]),
        (
            "directpath_run_state",
            "State of the rolling reboot, 1 for the present one.",
            [({**place, "state": name}, name == state.state) for name in STATES],
        ),
        (
            "directpath_run_started_timestamp_seconds",
            "When the rolling reboot was started.",
            [(place, state.started)],
        ),
        (
            "directpath_last_heartbeat_timestamp_seconds",
            "When the rolling reboot last reported that it is at work.",
            [(place, state.heartbeat)],
        ),
        (
            _SUCCESS,
            "When a rolling reboot last ended without a failure.",
            [] if state.succeeded is None else [(place, state.succeeded)],
        ),
        (
            "directpath_hosts",
            "Hosts of the rolling reboot by phase.",
            [({**place, "phase": phase}, numbers[phase]) for phase in PHASES],
        ),
        (
            "directpath_host_failed",
            "Hosts that failed.",
            [({**place, "cluster": cluster, "host": host}, 1) for cluster, host in failed],
        ),
        (
            "directpath_vms_off",
            "VMs that are off because of the rolling reboot.",
            [(place, len(state.vms_off))],
        ),
        (
            "directpath_vm_off_since_timestamp_seconds",
            "Since when a VM is off because of the rolling reboot.",
            [({**place, "host": vm.host, "vm": vm.name}, vm.since) for vm in state.vms_off],
        ),
    )


def drift_metrics(states: Sequence[DriftState]) -> str:
    """The metrics of a drift report."""
    return _text(
        (
            "directpath_drift_status",
            "Result of the drift report, 1 for the present one.",
            [
                ({"vcenter": one.vcenter, "status": status}, status == one.status)
                for one in states
                for status in ("in_sync", "drift", "unknown")
            ],
        ),
        (
            "directpath_drift",
            "Differences between the inventory and vSphere by kind.",
            [({"vcenter": one.vcenter, "kind": kind}, one.kinds.get(kind, 0)) for one in states for kind in KINDS],
        ),
        (
            "directpath_drift_last_run_timestamp_seconds",
            "When the drift report was made.",
            [({"vcenter": one.vcenter}, one.at) for one in states],
        ),
    )


def _text(*metrics: tuple[str, str, Iterable[Sample]]) -> str:
    """In the text format. A metric without samples is left out."""
    lines = []
    for name, text, samples in metrics:
        found = [f"{name}{_labels(labels)} {_number(value)}" for labels, value in samples]
        if found:
            lines += [f"# HELP {name} {_help(text)}", f"# TYPE {name} gauge", *found]
    return "".join(f"{line}\n" for line in lines)


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_quoted(value)}"' for name, value in labels.items()) + "}"


def _quoted(value: str) -> str:
    """The value of a label: a backslash, a quote and a line end are escaped."""
    return one_line(value).replace("\\", "\\\\").replace('"', '\\"')


def _help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(int(value))
