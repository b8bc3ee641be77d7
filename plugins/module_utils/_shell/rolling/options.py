# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parameters of a rolling reboot: the request and the policy. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..._domain.errors import InputError
from ..._domain.graphics.desired import DesiredGraphics
from ..._domain.host.targets import Resolved, Target
from ..._domain.host_entries.kinds import parse_host_entries
from ..._domain.planning.unknown_names import Unknown
from ..._domain.ranges import check_timeout
from ..._domain.rolling.scheduling.windows import parse_window
from ..._domain.rolling.state.budget import check_amount
from ..._domain.rolling.state.journal import DIRECTORY
from ..._domain.rolling.state.policy import Amount, Deadlines, Durations, LockRule, Pinned, Policy, Window
from ..._domain.timestamps import parse_moment
from ..._vsphere.redfish.http import BmcAccess
from ..engine.graphics_targets import parse_graphics_list
from ..engine.targets import parse_targets
from ..outlets.request import OutletRequest
from .earlier_slices import EarlierSlices
from .gate_options import parse_gate

SHORTEST_TTL = 60
"""Seconds. A lock must outlast some broken connections of its owner."""


@dataclass(frozen=True, kw_only=True)
class RollingRequest:
    """The parsed parameters. ``bmc``: host name as given → access to its management controller; ``slice``: seconds, 0 = no limit."""

    targets: tuple[Target, ...]
    """The targets, and after them those of ``graphics``."""
    graphics: tuple[DesiredGraphics, ...] = ()
    policy: Policy
    expect_pending: frozenset[str] = frozenset()
    expect_settled: frozenset[str] = frozenset()
    assume_detached: frozenset[str] = frozenset()
    allow_protected: tuple[str, ...] = ()
    unknown_names: Unknown = "warn"
    on_missing: str = "fail"
    bmc: Mapping[str, BmcAccess]
    vm_order: Mapping[str, int]
    never_stop: tuple[str, ...] = ()
    never_stop_missing: tuple[str, ...] = ()
    vm_order_tags: Mapping[str, int] = field(default_factory=dict)
    never_stop_tags: tuple[str, ...] = ()
    pause_file: str | None = None
    stop_reason: str = ""
    shared_dir: str | None = None
    journal: str = "auto"
    journal_dir: str = DIRECTORY
    slice: float = 0.0
    run_id: str | None = None
    continue_run: bool = False
    resolved: Resolved = field(default_factory=Resolved)
    stopped_vms: tuple[str, ...] = ()
    earlier_slices: EarlierSlices = field(default_factory=EarlierSlices)
    progress_file: str | None = None
    vcenter_events: bool = False
    secrets: frozenset[str] = frozenset()
    """Words that must not appear in output."""

    @classmethod
    def of(cls, params: Mapping[str, Any], *, everywhere: bool = False) -> RollingRequest:
        """Raises InputError for invalid parameters, before any connection is made.

        ``everywhere``: without ``hosts`` and ``cluster``, all hosts are meant.
        """
        for name in ("slice", "soak", "canary_soak", "blocked_timeout"):
            if params[name] is not None:
                _at_least(params, name, 0)
        bmc = _bmc(params)
        outlets = OutletRequest.of(params)  # the action plugin opens them; it passes none to the module
        graphics_targets, graphics = parse_graphics_list(params["graphics"] or ())
        listed = parse_targets(
            params,
            devices_required=False,
            everywhere=everywhere,
            may_be_empty=bool(graphics),
            parse=parse_host_entries,
        )
        targets = (*listed, *graphics_targets)
        return cls(
            targets=targets,
            graphics=graphics,
            policy=_policy(params),
            expect_pending=frozenset(params["expect_pending"]),
            expect_settled=frozenset(params["expect_settled"]),
            assume_detached=frozenset(params["assume_detached"]),
            allow_protected=tuple(params["allow_protected"]),
            unknown_names=params["unknown_names"],
            on_missing=params["on_missing"],
            bmc=bmc,
            vm_order={str(vm): _whole(order, f"vm_order.{vm}") for vm, order in params["vm_order"].items()},
            never_stop=tuple(params["never_stop"]),
            never_stop_missing=tuple(params["never_stop_missing"]),
            vm_order_tags={
                str(tag): _whole(order, f"vm_order_tags.{tag}") for tag, order in params["vm_order_tags"].items()
            },
            never_stop_tags=tuple(params["never_stop_tags"]),
            pause_file=params["pause_file"],
            stop_reason=params["stop_reason"],
            shared_dir=params["shared_dir"],
            journal=params["journal"],
            journal_dir=params["journal_dir"],
            slice=params["slice"],
            run_id=_run_id(params["run_id"]),
            continue_run=params["continue_run"],
            resolved=Resolved.of(params["resolved"], len(targets)),
            stopped_vms=tuple(params["stopped_vms"]),
            earlier_slices=_earlier_slices(params["earlier_slices"]),
            progress_file=params["progress_file"],
            vcenter_events=params["vcenter_events"],
            secrets=frozenset(
                str(word) for word in (params["password"], *(access.password for access in bmc.values())) if word
            )
            | outlets.secrets,
        )


def _earlier_slices(record: Mapping[str, Any]) -> EarlierSlices:
    try:
        return EarlierSlices.of(record)
    except (TypeError, ValueError, AttributeError):
        raise InputError(
            message="earlier_slices is not a value that an earlier slice of this run returned",
            code="bad_resolved",
            parameter="earlier_slices",
            cure="Do not set the option earlier_slices",
        ) from None


def _policy(params: Mapping[str, Any]) -> Policy:
    check_timeout("lock_ttl", params["lock_ttl"], SHORTEST_TTL)
    return Policy(
        max_unavailable=_amount(params["max_unavailable"], "max_unavailable"),
        cluster_budgets={
            str(cluster): _amount(amount, f"cluster_max_unavailable.{cluster}")
            for cluster, amount in params["cluster_max_unavailable"].items()
        },
        fleet_max_unavailable=(
            None
            if params["fleet_max_unavailable"] is None
            else _amount(params["fleet_max_unavailable"], "fleet_max_unavailable")
        ),
        canary=params["canary"],
        canary_soak=params["canary_soak"],
        gate=parse_gate(params),
        checkpoints=tuple(_amount(amount, "checkpoints") for amount in params["checkpoints"]),
        max_failures=_amount(params["max_failures"], "max_failures"),
        windows=tuple(_window(entry) for entry in params["windows"]),
        order={str(host): _words(words, f"order.{host}") for host, words in params["order"].items()},
        reason="firmware" if params["reboot_if"] == "always" else "pending",
        booted_before=_booted_before(params),
        method=params["method"],
        full_post=params["full_post"],
        operator_maintenance=params["operator_maintenance"],
        failed_hosts=params["failed_hosts"],
        pinned=Pinned(action=params["pinned_vms"], wait_for_tools=params["wait_for_tools"]),
        allow_build_change=tuple(_build(value) for value in params["allow_build_change"]),
        ignore_alarms=tuple(params["ignore_alarms"]),
        evacuate_powered_off=params["evacuate_powered_off"],
        vsan_mode=params["vsan_mode"],
        expected=_expected(params["expected_minutes"] or {}),
        measured={str(name): _measured(name, took) for name, took in params["measured"].items()},
        deadlines=_deadlines(params),
        lock=LockRule(ttl=params["lock_ttl"], heartbeat=params["lock_ttl"] * 0.3, take=params["take_lock"]),
        patience=params["blocked_timeout"],
    )


def _build(value: Any) -> str:
    text = str(value).strip()
    if not text.isdecimal():
        raise InputError(
            message=f"allow_build_change: {text!r} is not a build number",
            code="bad_build",
            parameter="allow_build_change",
            cure="Set the number after the release, such as 24674464 of ESXi 8.0.3 build-24674464",
        )
    return text


def _booted_before(params: Mapping[str, Any]) -> float | None:
    if params["booted_before"] is None:
        return None
    if params["reboot_if"] != "always":
        raise InputError(
            message="booted_before excludes hosts that have already booted since, but reboot_if: pending does this automatically",
            code="bad_moment",
            parameter="booted_before",
            cure="Set reboot_if: always, or leave booted_before out",
        )
    return parse_moment(params["booted_before"], "booted_before")


def _deadlines(params: Mapping[str, Any]) -> Deadlines:
    names = ("drain", "stop", "reboot", "verify", "leave", "restore")
    for name in names:
        check_timeout(f"{name}_timeout", params[f"{name}_timeout"])
    given = {name: float(params[f"{name}_timeout"]) for name in names}
    stop = given.pop("stop")
    # A guest that was asked to shut down is watched for longer than the drain waits for it.
    return Deadlines(stop_vm=stop, watch_vm=max(Deadlines().watch_vm, 3 * stop), **given)


def _amount(value: Any, parameter: str) -> Amount:
    """Ansible passes numbers as text."""
    text = str(value).strip()
    amount: Amount = int(text) if text.isdecimal() else text
    check_amount(amount, parameter)
    return amount


def _window(entry: Mapping[str, Any]) -> Window:
    return parse_window(entry["days"], entry["start"], entry["end"], entry["zone"])


def _words(value: Any, parameter: str) -> tuple[str, ...]:
    words = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(word, Mapping | list | tuple) or word is None for word in words):
        raise InputError(
            message=f"{parameter}: {value!r} is neither a word nor a list of words",
            code="bad_order",
            parameter=parameter,
            cure="Set what the hosts are sorted by, such as [zone-a, rack-07]",
        )
    return tuple(str(word) for word in words)


def _whole(value: Any, parameter: str) -> int:
    try:
        if isinstance(value, bool) or (isinstance(value, float) and value != int(value)):
            raise ValueError
        return int(value)
    except (TypeError, ValueError):
        raise InputError(
            message=f"{parameter}: {value!r} is not a whole number",
            code="bad_order",
            parameter=parameter,
            cure="Lower numbers are stopped first and started last",
        ) from None


def _at_least(params: Mapping[str, Any], name: str, least: float) -> None:
    if not params[name] >= least:
        raise InputError(
            message=f"{name} {params[name]:g} is negative",
            code="bad_timeout",
            parameter=name,
            cure="Set a number of seconds; 0 for none",
        )


def _expected(minutes: Mapping[str, Any]) -> Durations:
    given = {name: 60 * value for name, value in minutes.items() if value is not None}
    return _durations(given, "expected_minutes")


def _measured(name: str, took: Any) -> Durations:
    """Durations in seconds of one host, or of all hosts of a model, as the result of an earlier run contains them."""
    if not isinstance(took, Mapping):
        took = {"": took}
    return _durations(
        {str(phase): seconds for phase, seconds in took.items() if seconds is not None}, f"measured.{name}"
    )


def _durations(given: Mapping[str, Any], parameter: str) -> Durations:
    try:
        found = {name: float(value) for name, value in given.items()}
        if not set(found) <= {"drain", "reboot", "settle"} or not all(0 <= value < 10**6 for value in found.values()):
            raise ValueError
    except (TypeError, ValueError):
        raise InputError(
            message=f"{parameter}: {dict(given)} are not durations of drain, reboot and settle",
            code="bad_duration",
            parameter=parameter,
            candidates=("drain", "reboot", "settle"),
            cure="Set numbers, each at least 0",
        ) from None
    return Durations(**found)


def _bmc(params: Mapping[str, Any]) -> dict[str, BmcAccess]:
    defaults = _given(params["bmc_defaults"] or {})
    accesses: dict[str, BmcAccess] = {}
    for entry in params["bmc"]:
        access = {**defaults, **_given(entry)}
        host = access.pop("host")
        missing = [name for name in ("username", "password") if not access.get(name)]
        if missing or host in accesses:
            raise InputError(
                message=f"bmc of {host} {'is given twice' if not missing else 'lacks ' + ' and '.join(missing)}",
                code="bad_bmc",
                parameter="bmc",
                cure="Set one management controller for each host; bmc_defaults contains what is the same for all",
            )
        accesses[host] = BmcAccess(**access)
    if params["method"] == "power_cycle" and not accesses:
        raise InputError(
            message="method: power_cycle requires bmc: without it, the hosts could not be powered on again",
            code="no_bmc",
            parameter="bmc",
            cure="Set the management controller of each host in bmc, and what they have in common in bmc_defaults",
        )
    return accesses


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _run_id(value: str | None) -> str | None:
    """The id becomes part of a line of the journal."""
    if value is None:
        return None
    if not value or len(value) > 100 or not value.isascii() or not value.isprintable() or set(value) & set(" ~#"):
        raise InputError(
            message=f"run_id {value!r} is not a word of at most 100 characters",
            code="bad_run_id",
            parameter="run_id",
            cure="Leave it out: each run generates its own",
        )
    return value
