# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""TaskManager: the recent tasks."""

from __future__ import annotations

from pyVmomi import vim

from ..core.base import Endpoint, Entity, ManagedObject
from ..core.tasks import Task

RECENT_SECONDS = 600.0
"""Ended tasks leave recentTask after ten minutes (API reference, TaskManager.recentTask)."""


class TaskManager(ManagedObject):
    """Tasks queued, running, or ended less than ten minutes ago."""

    vim_type = vim.TaskManager

    def __init__(self, sim: Endpoint, moid: str) -> None:
        super().__init__(sim, moid, recentTask=[], maxCollector=32)
        self.ended: list[Task] = []

    def started(self, task: Task) -> None:
        """A new task."""
        self.set("recentTask", [*self.props["recentTask"], task.ref])
        target = task.target
        if isinstance(target, Entity):
            target.tasks.append(task.ref)
            target.set("recentTask", list(target.tasks))

    def finished(self, task: Task) -> None:
        """A task ended: it stays recent for a while, and known until there are too many."""
        self.ended.append(task)
        self.sim.clock.call_later(RECENT_SECONDS, lambda: self._retire(task))
        while len(self.ended) > int(self.sim.knobs.task_keep):
            oldest = self.ended.pop(0)
            self._retire(oldest)
            self.sim.remove(oldest)

    def _retire(self, task: Task) -> None:
        if task.ref in self.props["recentTask"]:
            self.set("recentTask", [ref for ref in self.props["recentTask"] if ref != task.ref])
        target = task.target
        if isinstance(target, Entity) and task.ref in target.tasks:
            target.tasks.remove(task.ref)
            target.set("recentTask", list(target.tasks))
