# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person does next. At night a person does what it says, so it must fit the state of the run, and change it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.left_behind import RESTORE, take_lock_command
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.advice import (
    CONTINUE,
    advise,
    next_command,
    repair_then_restore,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.restore import plan_restore
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.status import (
    HostLine,
    RunLine,
    Status,
    VmLine,
)

NOW = 1_800_000_000.0
OWNER = "alice@bastion-7:4711:1:x"


def host(step: Any = "rebooting", name: str = "esx-1", **more: Any) -> HostLine:
    given: dict[str, Any] = {
        "moid": name, "name": name, "cluster": "gpu", "step": step, "since": NOW - 50, "doing": "", "next": "its verification",
        "connection": "connected", "in_maintenance": True, **more,
    }  # fmt: skip
    return HostLine(**given)


def vm(name: str = "train-01", on: str = "esx-1", **more: Any) -> VmLine:
    given: dict[str, Any] = {"power": "off", "forced": False, "host_moid": on, **more}
    return VmLine(moid=name, name=name, host=on, since=NOW - 60, **given)


def run(*lines: HostLine | VmLine, alive: Any = "no", **more: Any) -> RunLine:
    given: dict[str, Any] = {"purpose": "reboot", "owner": OWNER, "heartbeat": NOW - 5, "free_at": NOW + 295, **more}
    return RunLine(
        run_id="5f0d21c7",
        since=NOW - 100,
        alive=alive,
        clusters=("gpu",),
        hosts=tuple(line for line in lines if isinstance(line, HostLine)),
        vms=tuple(line for line in lines if isinstance(line, VmLine)),
        **given,
    )


SERVES: dict[str, Any] = {"in_maintenance": False}
GATED = host("failed", code="gate_failed", **SERVES)
AWAY = host("failed", "edge-02.lab", connection="notResponding")

CASES: dict[str, tuple[RunLine, str, str]] = {
    "interrupted with a VM off": (
        run(host(), vm()),
        "power on train-01 and return the hosts to service (this reboots no host)",
        RESTORE,
    ),
    "interrupted, no VM off": (run(host()), "return the hosts to service (this reboots no host)", RESTORE),
    "its VM runs again, but the host is in maintenance mode": (
        run(host(), vm(power="on")),
        "return the hosts to service (this reboots no host)",
        RESTORE,
    ),
    "a host that does not answer": (
        run(AWAY, vm(on="edge-02.lab")),
        "repair edge-02.lab (console or management controller), then",
        RESTORE,
    ),
    "a host that failed its verification": (run(host("failed")), "resolve why esx-1 failed, then", RESTORE),
    "both": (
        run(AWAY, host("failed")),
        "repair edge-02.lab (console or management controller) and resolve why esx-1 failed, then",
        RESTORE,
    ),
    "in service, but its VM does not start": (
        run(host("failed", **SERVES), vm()),
        "resolve why esx-1 failed, then",
        RESTORE,
    ),
    "a health gate that failed": (
        run(GATED),
        f"resolve why esx-1 failed, then {CONTINUE}: it checks the health gate again before it starts another host. esx-1 is in service, "
        "and no VM is off because of it",
        "",
    ),
    "another user has the host": (
        run(host("withdrawn"), vm()),
        "ask the user who keeps esx-1 in maintenance mode, where train-01 cannot run, to end it, then",
        RESTORE,
    ),
    "another user has ended the maintenance mode": (
        run(host("withdrawn", **SERVES), vm()),
        "power on train-01 and return the hosts to service (this reboots no host)",
        RESTORE,
    ),
    "a VM that is gone": (
        run(host("done", **SERVES), vm(power="unknown", removed=True)),
        "check the events of train-01 in vCenter: not in the inventory any more, or not visible for this account",
        "",
    ),
    "only a lock is left": (
        run(locked=("gpu-b",)),
        f"to continue, {CONTINUE}. The lock that it left on gpu-b stops nothing: that run takes it",
        "",
    ),
    "stopped by Ctrl-C": (run(host("done", **SERVES), owner="", free_at=None), f"to continue, {CONTINUE}", ""),
    "a VM powered on by hand": (
        run(host("done", **SERVES), vm(power="on")),
        f"to continue, {CONTINUE}",
        "",
    ),
    "interrupted in a health gate": (run(host("checking", **SERVES)), f"to continue, {CONTINUE}", ""),
    "only the journal is left": (
        run(host("done", **SERVES), finishing=True),
        "nothing has to be done: the next rolling reboot removes this journal",
        "",
    ),
    "alive with a VM off": (
        run(host(), vm(), alive="yes"),
        "wait: this run powers on train-01 itself (coming: esx-1: its verification)",
        "",
    ),
    "alive": (
        run(host(), alive="yes"),
        "wait, or do something else: the run needs no help. Coming: esx-1: its verification",
        "",
    ),
    "alive, and gave up a host with a VM": (
        run(host("failed", next=""), vm(), alive="yes"),
        "resolve why esx-1 failed, wait until this run has ended, then (it gave up the host, so only a restore powers on train-01)",
        RESTORE,
    ),
    "a lock that cannot be read": (
        run(host(), vm(), alive="unknown"),
        "make sure that no process works on it, and clear the custom attribute directpath.roll.lock that cannot be read (see the lines "
        "that begin with unknown), then",
        RESTORE,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_a_person_does_first(case: str) -> None:
    line, do, command = CASES[case]
    first = advise(line)[0]
    assert (first.do, first.command) == (do, command)


@pytest.mark.parametrize("case", CASES)
def test_a_restore_is_advised_exactly_where_it_has_something_to_do(case: str) -> None:
    """A restore that would change nothing is never advised: the next status would advise it again."""
    line = CASES[case][0]
    plan = plan_restore(Status(now=NOW, runs=(line,)), (), me="me", taken="")
    if any(advice.command == RESTORE for advice in advise(line)):
        assert not plan.is_empty
    elif line.alive == "no":
        assert not plan.hosts
        assert {vm.name for vm in plan.vms} == set()


@pytest.mark.parametrize("case", CASES)
def test_the_status_asks_for_attention_exactly_where_something_is_not_as_before(case: str) -> None:
    line = CASES[case][0]
    verdict = Status(now=NOW, runs=(line,)).verdict
    assert (verdict == "attention") == bool(line.off or line.interrupted or line.failed)
    if verdict == "attention":
        assert not any("nothing" in advice.do for advice in advise(line))


@pytest.mark.parametrize("case", CASES)
def test_no_command_ends_with_a_dot_and_none_is_missing(case: str) -> None:
    for advice in advise(CASES[case][0]):
        assert advice.do == advice.do.strip(" .")
        assert advice.do.endswith(("then", ")")) <= (bool(advice.command) or "coming" in advice.do)
        assert re.fullmatch(r"(ansible\S* .*[^.])?", advice.command)
        assert advice.sentence().endswith(advice.command)


def test_what_can_be_done_now_comes_before_what_must_be_repaired() -> None:
    line = run(host(), vm(), AWAY)
    assert [advice.command for advice in advise(line)] == [RESTORE, RESTORE, ""]
    assert "repair" not in advise(line)[0].do
    assert advise(line)[1] == repair_then_restore(["edge-02.lab"])
    assert CONTINUE in advise(line)[2].do


def test_a_live_run_may_be_given_up_only_when_its_heartbeat_stops() -> None:
    second = advise(run(host(), vm(), alive="yes"))[1]
    assert (second.command, second.after) == (RESTORE, NOW + 295)
    assert RESTORE not in next_command(run(host(), vm(), alive="yes"))


def test_a_maintenance_is_ended_by_who_works_on_the_hardware() -> None:
    (only,) = advise(run(host("maintenance"), purpose="maintenance", owner="bob@lab"))
    assert only.do.startswith("ask bob@lab before anything else")
    assert only.command.endswith("""host_maintenance -a '{"hosts": ["esx-1"], "state": "absent"}'""")


@pytest.mark.parametrize(
    ("owner", "given"),
    [
        (OWNER, f"-e restore_take_lock={OWNER}"),
        ("a b@c", """-e '{"restore_take_lock": "a b@c"}'"""),
        ("x'; rm", """-e '{"restore_take_lock": "x'"'"'; rm"}'"""),
        ("{{ x }}", """-e '{"restore_take_lock": "{{ '"'"'{'"'"' }}{{ '"'"'{'"'"' }} x }}"}'"""),
    ],
)
def test_the_owner_of_a_lock_is_quoted_for_the_shell_and_for_ansible(owner: str, given: str) -> None:
    assert take_lock_command(owner) == f"{RESTORE} {given}"


def test_a_refusal_says_what_the_live_run_does_itself_and_ends_with_the_command() -> None:
    line = run(host(), vm(), alive="yes")
    (refusal,) = plan_restore(Status(now=NOW, runs=(line,)), (), me="me", taken="bob@vm:1:1:x").refusals
    text = refusal.sentence()
    assert "bob@vm:1:1:x is not its owner" in text
    assert "Wait: this run powers on train-01 itself" in text
    assert text.endswith(f"take its lock: {RESTORE} -e restore_take_lock={OWNER}")
