# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task is an object with states, driven by the clock: queued, running, then success or error."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from pyVmomi import vim, vmodl

from ..api import data
from .base import Endpoint, ManagedObject
from .faults import with_text

if TYPE_CHECKING:
    from .call import Call
    from .clock import Timer


class _Pending:
    def __repr__(self) -> str:
        return "PENDING"


PENDING: Final = _Pending()
"""A task body returns this to end the task later by ``succeed`` or ``fail``."""

Body = Callable[["Task"], Any]


class Task(ManagedObject):
    """One task; made by ``SimulatedEndpoint.start_task`` only."""

    vim_type = vim.Task
    id_prefix = "task"

    def __init__(
        self,
        sim: Endpoint,
        *,
        target: ManagedObject | None,
        operation: str,
        user: str,
        body: Body,
        duration: float,
        on_cancel: Callable[[Task], None] | None,
        cancelable: bool,
    ) -> None:
        super().__init__(sim)
        self.target = target
        self.user = user
        self.body = body
        self.duration = duration
        self.on_cancel = on_cancel
        self._timers: list[Timer] = []
        reason: Any = data.new(vim.TaskReasonUser, userName=user)
        if user == "system":
            reason = data.new(vim.TaskReasonSystem)
        self.props["info"] = data.new(
            vim.TaskInfo,
            key=self.moid,
            task=self.ref,
            name=self._method(operation),
            descriptionId=operation,
            entity=target.ref if target is not None else None,
            entityName=target.props.get("name") if target is not None else None,
            state="queued",
            cancelled=False,
            cancelable=cancelable,
            reason=reason,
            queueTime=sim.clock.now(),
            eventChainId=sim.next_event_chain(),
        )
        self.props["value"] = None
        self.props["availableField"] = None

    def _method(self, operation: str) -> Any:
        """The managed method that started the task; None when the operation is not named after one."""
        if self.target is None:
            return None
        name = operation.rpartition(".")[2]
        methods = {info.name.lower(): info.name for info in self.target.vim_type._GetMethodList()}
        for candidate in (name, f"{name}VM", f"{name}Host"):
            if candidate.lower() in methods:
                return getattr(self.target.vim_type, methods[candidate.lower()])
        return None

    @property
    def info(self) -> Any:
        """The present vim.TaskInfo; read only."""
        return self.props["info"]

    @property
    def entity_obj(self) -> ManagedObject | None:
        """The simulator object the task works on."""
        return self.target

    @property
    def running(self) -> bool:
        """Whether the task has not ended yet."""
        return self.info.state in ("queued", "running")

    def entity(self) -> ManagedObject | None:
        return self.target.entity() if self.target is not None else None

    # -- life -------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Schedule the start; called once by the simulator."""
        self._later(float(self.sim.knobs.task_queue_seconds), self._run)

    def _later(self, delay: float, call: Callable[[], None]) -> None:
        self._timers.append(self.sim.clock.call_later(delay, call))

    def _run(self) -> None:
        if not self.running:
            return
        self.update({"info.state": "running", "info.startTime": self.sim.clock.now(), "info.progress": 0})
        if self.duration > 0:
            for part in (25, 50, 75):
                self._later(self.duration * part / 100, lambda part=part: self.progress(part))  # type: ignore[misc]
            self._later(self.duration, self._work)
        else:
            self._work()

    def _work(self) -> None:
        if not self.running:
            return
        try:
            result = self.body(self)
        except vmodl.MethodFault as fault:
            self.fail(fault)
        except Exception as error:
            self.fail(vmodl.fault.SystemError(reason=f"simulator: {type(error).__name__}: {error}"))
            raise
        else:
            if result is not PENDING:
                self.succeed(result)

    def progress(self, percent: int) -> None:
        """Say how far the task is; never goes back."""
        if self.running and percent > (self.info.progress or 0):
            self.set("info.progress", percent)

    def succeed(self, result: Any = None) -> None:
        """End the task well; ignored when it ended before."""
        if isinstance(result, ManagedObject):
            result = result.ref
        self._end({"info.state": "success", "info.result": result, "info.progress": 100})

    def fail(self, fault: Any) -> None:
        """End the task with a fault; ignored when it ended before."""
        self._end({"info.state": "error", "info.error": with_text(fault)})

    def _end(self, values: dict[str, Any]) -> None:
        if not self.running:
            return
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        values["info.cancelable"] = False
        values["info.completeTime"] = self.sim.clock.now()
        if self.info.startTime is None:
            values["info.startTime"] = self.sim.clock.now()
        self.update(values)
        self.sim.task_ended(self)

    # -- methods ----------------------------------------------------------------------------------------------

    def CancelTask(self, call: Call) -> None:
        """The owner may cancel; anyone else needs Global.CancelTask."""
        if call.user != self.user:
            call.require("Global.CancelTask", self)
        if not self.running:
            raise vim.fault.InvalidState()
        if not self.info.cancelable:
            raise vmodl.fault.NotSupported()
        if self.on_cancel is not None:
            self.on_cancel(self)
        self.set("info.cancelled", True)
        self.fail(vmodl.fault.RequestCanceled())
