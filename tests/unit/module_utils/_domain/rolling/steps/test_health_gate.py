# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The health gate: what a host that is back waits for, what it says, and what happens when it does not come."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.gate_record import GateVms
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.health_gate import (
    Check,
    GateAnswer,
    HealthGate,
    filled,
    gate_targets,
    gate_vms,
    unknown_placeholders,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.codec import (
    decode_gate,
    decode_host,
    encode,
    fits,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import (
    GATE,
    Entry,
    VmEntry,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.observed import (
    HostView,
    PoweredOff,
    Refusal,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.phases import Decision
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.pinned import pin_reason
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import Pinned, Policy
from tests.unit.module_utils._domain.rolling.builders import (
    ACTIVE,
    LOCK,
    NOW,
    ask,
    cluster,
    codes,
    deeds,
    entry,
    host,
    pinned,
    standing,
    vm,
    vm_entry,
)

PORT = Check(kind="tcp", port=3260)
GATED = Policy(gate=HealthGate(checks=(PORT,), timeout=600), canary=False)
SOAKED = replace(GATED, gate=replace(GATED.gate, soak=300))
SVM = vm("svm-1")
OWN = GateVms(stopped=("svm-1",))
NEXT = host("esx-2")


def back(
    step: str = "checking", *, ok: bool | None = None, at: float = NOW, text: str = "refused", **more: Any
) -> HostView:
    """esx-1 in its gate; ``ok``: the answer of its only check."""
    found = () if ok is None else (GateAnswer(key=(0, "svm-1"), ok=ok, text=text, at=at),)
    plain: dict[str, Any] = {"asked": NOW - 900, "rebooted": 600.0, "gate": True, "text": "rebooted and verified"}
    made = entry(step, **{**plain, **more.pop("entry", {})})
    return host(devices=(ACTIVE,), entry=made, gate_vms=OWN, gate_answers=found, **more)


def look(view: HostView, policy: Policy = GATED, **more: Any) -> Decision:
    return ask(view, NEXT, policy=policy, **{"vms": (SVM,), **more})


def written(decision: Decision) -> Entry:
    (made,) = [action.entry for action in decision.actions if isinstance(action.entry, Entry)]
    return made


def test_a_host_that_is_back_enters_its_gate_and_keeps_its_place() -> None:
    answer = look(back("leaving"))
    assert (written(answer).step, written(answer).gate, written(answer).ready) == ("checking", True, None)
    waiting = look(back())
    assert deeds(waiting) == []
    assert standing(waiting).phase == "checking"
    assert standing(waiting).reason == "waiting for TCP 3260 of svm-1, 9 min left: no answer yet"
    assert "esx-1 (in its health gate)" in standing(waiting, "esx-2").reason
    assert waiting.outlook.state == "working"


def test_without_a_gate_nothing_changes() -> None:
    made = entry("leaving", asked=NOW - 900, rebooted=600.0)
    for policy in (GATED, Policy(canary=False)):
        answer = look(host(devices=(ACTIVE,), entry=made), policy)
        assert written(answer).step == "done"


@pytest.mark.parametrize(("at", "state", "step"), [(NOW - 61, "old", None), (NOW, "new", "done")])
def test_only_an_answer_of_this_gate_opens_it(at: float, state: str, step: str | None) -> None:
    answer = look(back(ok=True, at=at))
    assert (written(answer).step if answer.actions else None) == step
    if step:
        assert not written(answer).gate
        assert written(answer).text == "rebooted and verified, and its health gate has passed"


def test_it_soaks_after_the_checks_and_is_checked_once_more() -> None:
    ready = look(back(ok=True), SOAKED)
    assert (written(ready).step, written(ready).ready) == ("checking", NOW)
    soaking = {"entry": {"at": NOW - 400, "ready": NOW - 299}}
    answer = look(back(ok=True, at=NOW - 299, **soaking), SOAKED)
    assert deeds(answer) == []
    assert standing(answer).reason == "soaking until 2026-02-02 02:41 UTC"
    assert answer.outlook.wake_at == NOW + 1
    over = {"entry": {"at": NOW - 400, "ready": NOW - 300}}
    assert deeds(look(back(ok=True, at=NOW - 299, **over), SOAKED)) == [], "the old answer does not count"
    assert written(look(back(ok=True, at=NOW, **over), SOAKED)).step == "done"
    lost = look(back(ok=False, at=NOW, **over), SOAKED)
    assert standing(lost).reason == "waiting for TCP 3260 of svm-1, 10 min left: refused"


def test_soak_alone_begins_when_the_host_is_back() -> None:
    policy = Policy(gate=HealthGate(soak=300), canary=False)
    assert written(look(back("leaving"), policy)).ready == NOW
    assert written(look(back(entry={"at": NOW - 300, "ready": NOW - 300}), policy)).step == "done"


def test_a_gate_that_does_not_pass_fails_the_host_and_starts_no_other() -> None:
    late = {"at": NOW - 600}
    answer = look(back(ok=False, entry=late))
    made = written(answer)
    assert (made.step, made.code, made.gate) == ("failed", "gate_failed", True)
    assert made.text == (
        "esx-1 is not ready: TCP 3260 of svm-1: refused. Its health gate (ready_when) did not pass in 10 min. "
        "No VM is off because of this run"
    )
    halted = look(
        host(devices=(ACTIVE,), entry=replace(made, at=NOW - 5), gate_vms=OWN), replace(GATED, max_failures=9)
    )
    assert halted.outlook.state == "halted"
    assert halted.outlook.reasons == ("the health gate after esx-1 did not pass, so no other host is started",)
    assert codes(halted) == ["gate_failed"]
    assert "checks the gate of esx-1 again" in standing(halted).blockers[0].cure


def test_what_is_off_is_named() -> None:
    off = vm("db", on="esx-9", power_state="poweredOff", entry=vm_entry(host="esx-9"))
    answer = look(back(ok=False, entry={"at": NOW - 600}), vms=(SVM, off))
    assert written(answer).text.endswith("Off because of this run: db")


def test_the_next_run_checks_again_before_anything_else() -> None:
    """In the decision in which it does so, no other host takes the place either."""
    failed = {"at": LOCK.since - 60, "code": "gate_failed", "run_id": "old", "text": "esx-1 is not ready"}
    answer = look(back("failed", entry=failed))
    assert deeds(answer) == [("record", "esx-1")]
    assert (written(answer).step, written(answer).code, written(answer).text) == (
        "checking",
        "",
        "rebooted in 600 seconds and verified",
    )


@pytest.mark.parametrize("step", ["done", "blocked"])
def test_a_host_that_a_restore_brought_back_is_checked_when_the_run_is_resumed(step: str) -> None:
    answer = look(back(step))
    assert written(answer).step == "checking"
    again = look(back(step, entry={"gate": False}))
    assert "checking" not in [getattr(action.entry, "step", "") for action in again.actions]


def test_a_restore_waits_for_no_gate() -> None:
    answer = look(back(ok=False, entry={"at": NOW - 900}), replace(GATED, only_restore=True))
    assert [kind for kind, _name in deeds(answer)] == ["release_lock"]


def test_vms_that_were_shut_down_for_a_drain_that_was_given_up_must_be_ready_too() -> None:
    given_up = entry("backing_out", gate=True, code="drain_deadline", text="esx-1 was not evacuated")
    view = host(entry=given_up, gate_vms=OWN)
    made = written(look(view))
    assert (made.step, made.code, made.text) == ("checking", "drain_deadline", "esx-1 was not evacuated")
    assert written(look(replace(view, gate_vms=GateVms()))).step == "blocked"
    passed = look(replace(view, entry=made, gate_answers=(GateAnswer(key=(0, "svm-1"), ok=True, text="", at=NOW),)))
    assert written(passed).step == "blocked"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"connection_state": "notResponding"}, "it is notResponding"),
        ({"in_maintenance_mode": True}, "another user took it out of service"),
    ],
)
def test_a_host_that_leaves_service_does_not_pass(more: dict[str, Any], says: str) -> None:
    assert standing(look(back(ok=True, **more))).reason.endswith(f"left: {says}")
    late = look(back(ok=True, entry={"at": NOW - 600}, **more))
    assert written(late).code == "gate_failed"


# ------------------------------------------------------------------------------------------------------------ which VMs

NAMES = {"vm-1": "svm-01", "vm-2": "web-01", "vm-3": "lb"}


def described(check: Check, recorded: GateVms | None) -> list[str]:
    found = gate_targets(HealthGate(checks=(check,)), recorded, NAMES)
    return [f"{target.describe()}{f': {target.problem}' if target.problem else ''}" for target in found]


@pytest.mark.parametrize(
    ("check", "recorded", "expected"),
    [
        (PORT, GateVms(stopped=("vm-1",), ran=("vm-1", "vm-2")), ["TCP 3260 of svm-01"]),
        (replace(PORT, vms="ran_here"), GateVms(ran=("vm-2", "vm-1")), ["TCP 3260 of svm-01", "TCP 3260 of web-01"]),
        (replace(PORT, vms="ran_here", names=("svm-*",)), GateVms(ran=("vm-1", "vm-2")), ["TCP 3260 of svm-01"]),
        (replace(PORT, vms="named", names=("lb",)), None, ["TCP 3260 of lb"]),
        (replace(PORT, vms="named", names=("x-*",)), None, ["TCP 3260 of x-*: no virtual machine has this name"]),
        (Check(kind="command", vms="none", argv=("/bin/ok",)), None, ["the command /bin/ok"]),
        (PORT, None, ["TCP 3260: the journal does not show which virtual machines ran on the host"]),
        (replace(PORT, vms="ran_here"), GateVms(), ["TCP 3260: the journal does not show which virtual machines ran on the host"]),
        (PORT, GateVms(stopped=("vm-9",)),
         ["TCP 3260 of vm-9: it is not in the inventory any more, or this account cannot see it"]),
    ],
)  # fmt: skip
def test_which_vms_are_checked(check: Check, recorded: GateVms | None, expected: list[str]) -> None:
    assert described(check, recorded) == expected


def test_the_vms_are_recorded_before_the_host_is_started() -> None:
    policy = replace(GATED, pinned=Pinned(action="shutdown"))
    (action,) = ask(host(), policy=policy, vms=(pinned("svm-1"), vm("web"))).actions
    assert action.gate_vms == GateVms(stopped=("svm-1",))
    wide = replace(policy, gate=HealthGate(checks=(replace(PORT, vms="ran_here"),)))
    (action,) = ask(host(), policy=wide, vms=(pinned("svm-1"), vm("web"))).actions
    assert action.gate_vms == GateVms(stopped=("svm-1",), ran=("svm-1", "web"))
    (plain,) = ask(host(), policy=Policy(), vms=(vm("web"),)).actions
    assert plain.gate_vms is None


def test_a_gate_that_can_never_pass_starts_no_host() -> None:
    policy = Policy(gate=HealthGate(checks=(replace(PORT, vms="named", names=("nobody",)),)))
    answer = ask(host(), policy=policy)
    assert codes(answer) == ["gate_without_vm"]
    many = tuple(vm(f"vm-{number}") for number in range(1000, 1060))
    answer = ask(host(), policy=Policy(gate=HealthGate(checks=(replace(PORT, vms="ran_here"),))), vms=many)
    assert codes(answer) == ["too_many_gate_vms"]
    assert "names" in standing(answer).blockers[0].cure


@pytest.mark.parametrize(
    "value",
    [
        GateVms(),
        GateVms(stopped=("vm-1", "5")),
        GateVms(stopped=(), ran=()),
        GateVms(stopped=("vm-2",), ran=("vm-3", "x")),
    ],
)
def test_the_record_is_read_as_it_was_written(value: GateVms) -> None:
    assert decode_gate(encode(value)) == value
    assert fits(value)


def test_a_changed_record_is_no_record() -> None:
    text = encode(GateVms(stopped=("vm-1",)))[GATE]
    assert not isinstance(decode_gate({GATE: text.replace("=1", "=2")}), GateVms)


def test_the_gate_of_an_entry_is_read_as_it_was_written() -> None:
    made = entry("checking", gate=True, ready=NOW - 10, asked=NOW - 900)
    assert decode_host(encode(made))[0] == made


# --------------------------------------------------------------------------------------------------------- small things


def test_placeholders() -> None:
    assert filled("{vm}/{host}/{nobody}/{}", {"vm": "{host}", "host": "h"}) == "{host}/h/{nobody}/{}"
    assert unknown_placeholders(["{vm} {vms} {}", "{host}"]) == ("vms",)


def test_nothing_is_recorded_without_checks() -> None:
    assert gate_vms(HealthGate(soak=5), ["vm-1"], {}) is None


# ------------------------------------------------------------------- VMs that vCenter powers off when a host is evacuated

EVACUATED = vm("vgpu", evacuation_off=True)
SHUTDOWN = Policy(pinned=Pinned(action="shutdown"))


def test_a_vm_that_vcenter_would_power_off_needs_the_same_consent() -> None:
    assert pin_reason(EVACUATED, cluster()).startswith("vCenter would power it off")
    assert not pin_reason(EVACUATED, cluster(drs_moves_vms=False))
    assert codes(ask(host(), vms=(EVACUATED,))) == ["pinned_vms"]
    assert codes(ask(host(), vms=(replace(EVACUATED, never_stop=True),), policy=SHUTDOWN)) == ["never_stop"]


def test_it_is_shut_down_before_the_host_is_evacuated_with_those_in_front_of_it() -> None:
    first, later = pinned("app", order=1), pinned("free", order=9)
    fleet = (first, replace(EVACUATED, order=5), later)
    begun = ask(host(), vms=fleet, policy=SHUTDOWN)
    assert deeds(begun) == [("record", "esx-1")]
    made = replace(written(begun), at=NOW - 5, started=NOW - 5)
    view = host(entry=made)
    assert deeds(ask(view, vms=fleet, policy=SHUTDOWN)) == [("stop_vm", "app")]
    app = replace(first, power_state="poweredOff", entry=vm_entry(at=NOW - 3))
    assert deeds(ask(view, vms=(app, *fleet[1:]), policy=SHUTDOWN)) == [("stop_vm", "vgpu")]
    vgpu = replace(EVACUATED, power_state="poweredOff", entry=vm_entry(at=NOW - 2))
    assert deeds(ask(view, vms=(app, vgpu, later), policy=SHUTDOWN)) == [("enter_maintenance", "esx-1")]


VCENTER = PoweredOff(by="vcenter")


@pytest.mark.parametrize(
    ("powered_off", "marks"),
    [(VCENTER, True), (PoweredOff(by="user", user="carol"), False), (PoweredOff(by="unclear"), False), (None, False)],
)
def test_what_vcenter_powered_off_is_recorded_before_the_host_goes_on(
    powered_off: PoweredOff | None, marks: bool
) -> None:
    off = vm("policy", power_state="poweredOff", powered_off=powered_off, order=3)
    answer = ask(host(entry=entry("draining"), in_maintenance_mode=True), vms=(off,))
    assert (deeds(answer)[0] == ("mark_vm", "policy")) == marks
    if marks:
        made = answer.actions[0].entry
        assert isinstance(made, VmEntry)
        assert (made.step, made.host, made.rank, made.forced) == ("stop", "esx-1", 3, True)
        refused = replace(off, refusal=Refusal(kind="mark_vm", code="x", text="no", at=NOW - 1))
        again = ask(host(entry=entry("draining"), in_maintenance_mode=True), vms=(refused,))
        assert ("mark_vm", "policy") not in deeds(again), "the host does not wait for its journal"
