# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of modules as text for a terminal. PRIVATE to the collection.

The input are the mappings that modules return; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...module_utils._domain.text import counted, name_ranges
from ..intent.kinds_of_entries import passthrough_devices
from ..intent.named_records import clusters_of, directory_of
from ..rolling.result_lines import is_rolling, missing_for_success, owing, rolling_lines
from .blocks import Block, in_blocks
from .files import local_zone

Record = Mapping[str, Any]

_NOISE = ("invocation", "failed", "failed_when_result", "diff", "warnings", "deprecations", "ansible_facts", "skipped")

_WORDS = {
    "ok": "in sync",
    "changed": "changed",
    "pending": "requires a reboot",
    "refused": "refused",
    "skipped": "skipped",
    "unreachable": "not reachable",
    "failed": "failed",
    "not_reached": "not reached, because the run stopped before it",
}


_MOVED = {
    "moves": "{vm} runs on {host}, which is rebooted first: DRS moves it, and only then it is known which cards its host has free. Power "
    "it off first to keep it where it is, or use backing dynamic",
    "moves_powered_off": "{vm} is on {host}, which is rebooted first: vCenter registers it on another host (evacuate_powered_off), and "
    "only then it is known which cards its host has free. Set evacuate_powered_off: false to keep it where it is, or use backing "
    "dynamic",
}
"""Key of a host in a schedule → the note about a VM that is listed there."""


def outcome(call: Record | None, rebooting: Record | None = None) -> dict[str, Any]:
    """The part of a module result that a role keeps. The call may have failed, been skipped (None or ``skipped``) or crashed.

    ``trouble``: empty after success; ``refused`` if single hosts or VMs were refused or failed and the others were processed; ``failed``
    if the whole call failed. ``rebooting``: for a check run, the planned reboots before it. A note is kept for every VM that the real run
    may then find in another state.
    """
    if not call or call.get("skipped"):
        return {"changed": False, "changes": [], "summary": "Nothing is requested here", "trouble": ""}
    kept = {key: value for key, value in call.items() if key not in _NOISE}
    served = bool(_targets(call))
    if "error_code" not in call and ("hosts" in call or "vms" in call):
        trouble = ""
    else:
        trouble = "refused" if served else "failed"
    notes = _moved_notes(call, rebooting or {})
    return {"changes": [], **kept, **({"notes": notes} if notes else {}), "trouble": trouble}


def _moved_notes(call: Record, rebooting: Record) -> list[str]:
    """VMs that vCenter moves before they get a fixed device, or are refused one: only then it is known which host they are on."""
    planned = (rebooting.get("schedule") or {}).get("hosts") or ()
    left = {
        name: text.format(vm=name, host=host["name"])
        for key, text in _MOVED.items()
        for host in planned
        for name in host.get(key) or ()
    }
    fixed = {
        change["target"]
        for change in call.get("changes") or ()
        if change["kind"] == "attach" and (change.get("after") or {}).get("backing") == "fixed"
    }
    return [
        left[vm["name"]]
        for vm in call.get("vms") or ()
        if vm["name"] in left and (vm["name"] in fixed or vm.get("blockers"))
    ]


def reboot_outcome(seen: Record | None, call: Record | None, consent: bool | None, preview: bool) -> dict[str, Any]:
    """The result of the reboot role, from the check run before it and the real run, if there was one.

    ``owing``: names of hosts that required a reboot before. ``owed``: those that still do. Without consent nothing is done, so nothing
    counts as changed or refused; a preview counts what would be done with consent.
    """
    planned = outcome(seen)
    names = owing(planned)
    if call and not call.get("skipped"):
        done = outcome(call)
        return {**done, "owing": names, "owed": owing(done) if "schedule" not in done else [], "notes": []}
    if planned["trouble"] == "failed" or not names:
        return {**planned, "owing": names, "owed": names, "notes": []}
    listed = ", ".join(names)
    if preview and consent is None:
        return {**planned, "owing": names, "owed": [], "notes": missing_for_success(planned)}
    idle = {**planned, "changes": [], "changed": False, "trouble": ""}
    if consent is not None:
        # Consent was refused, so a schedule is of no interest.
        idle |= {"hosts": [], "schedule": None}
    # Without an answer about consent, this is a run of the plan only: the message about consent is in a step that was not selected.
    notes = missing_for_success(planned) if consent is None else [f"these hosts still require a reboot: {listed}"]
    return {**idle, "owing": names, "owed": names, "notes": notes}


def lines(result: Record, *, whole: bool = False) -> list[str]:
    """One line for each host or VM, followed by one for each change, pending device, refusal and warning.

    A result with many hosts or VMs has one block for all that are equal, unless ``whole``. See ``blocks.in_blocks``.
    """
    if is_rolling(result) and _targets(result):
        return [*rolling_lines(result, local_zone().info, whole=whole), *(result.get("notes") or ())]
    blocks = [_block(result, target) for target in _targets(result)]
    written = [*_shutdowns(result), *in_blocks(blocks, whole=whole)]
    written += result.get("notes") or ()
    return written or [str(result.get("msg") or result.get("summary") or "nothing to do")]


def _shutdowns(result: Record) -> list[str]:
    """The line that comes first: the running VMs that are shut down."""
    undone = result.get("not_done") or ()
    changes = [
        change for change in result.get("changes") or () if change["kind"] == "shutdown" and change not in undone
    ]
    names = list(dict.fromkeys(str(change["target"]) for change in changes)) if "vms" in result else []
    return [f"shuts down {counted(len(names), 'running VM')}: {', '.join(name_ranges(names))}"] if names else []


def _block(result: Record, target: Record) -> Block:
    name, status = str(target["name"]), str(target.get("status", ""))
    undone = [record for record in result.get("not_done") or () if record.get("target") == name]
    written = [
        f"{'not done: ' if record in undone else ''}{change_line(record)}" for record in _changes_of(result, name)
    ]
    written += [
        f"{address} {_pending(target, address, _changes_of(result, name))} and requires a reboot"
        for address in target.get("pending") or ()
    ]
    written += [f"next: {target['next']}"] if target.get("next") else []
    written += [f"refused: {blocker_sentence(blocker)}" for blocker in target.get("blockers") or ()]
    written += [f"failed: {target['error']}"] if target.get("error") else []
    written += [f"note: {warning}" for warning in target.get("warnings") or ()]
    return Block(name=name, status=_WORDS.get(status, status), lines=tuple(written))


def _device_at(target: Record, address: str) -> Record:
    found: Record = next((d for d in target.get("devices") or () if d.get("address") == address), {})
    return found


def _is_disabled(target: Record, address: str) -> bool:
    return _device_at(target, address).get("enabled") is False


def _waiting_functions(target: Record, address: str, changes: Sequence[Record]) -> str:
    """The number of virtual functions that a reboot puts in effect; empty if the reboot is for passthrough."""
    device = _device_at(target, address)
    sriov: Record = device.get("sriov") or {}
    numbers = [
        record["after"]["virtual_functions"]
        for record in changes
        if (record.get("kind"), record.get("subject")) == ("sriov", address)
    ]
    if not numbers and sriov.get("pending") and device.get("enabled") == device.get("active"):
        numbers = [sriov["requested"] if sriov["enabled"] else 0]
    return f"is to have {numbers[-1]} virtual functions" if numbers else ""


def _pending(target: Record, address: str, changes: Sequence[Record] = ()) -> str:
    functions = _waiting_functions(target, address, changes)
    return functions or ("is disabled" if _is_disabled(target, address) else "is enabled")


def _until_reboot(target: Record, address: str) -> str:
    """A device that is to be given back is active until the reboot; one that is to be passed through is not."""
    if _waiting_functions(target, address, ()):
        return f"{_pending(target, address)}, which needs a reboot"
    return (
        f"{_pending(target, address)}, but {'still' if _is_disabled(target, address) else 'not'} active until a reboot"
    )


def differences(results: Sequence[Record]) -> list[str]:
    """The differences from the desired state, from check runs of modules over the whole intent; empty if there are none.

    A planned change, a device that requires a reboot, and a refusal are differences. What the caller requested to skip is not.
    """
    found = []
    for result in map(outcome, results):
        for target in _targets(result):
            name = target["name"]
            found += [f"{name}: {change_line(record)} is still to be done" for record in _changes_of(result, name)]
            found += [f"{name}: {address} {_until_reboot(target, address)}" for address in _waiting(target)]
            found += [f"{name}: {text} until Xorg is restarted, or a reboot" for text in target.get("waiting") or ()]
            sentences = [blocker_sentence(blocker) for blocker in target.get("blockers") or ()]
            sentences += [str(target["error"])] if target.get("error") else []
            found += [text if name in text else f"{name}: {text}" for text in sentences]
            if target.get("status") == "unreachable" and not target.get("blockers"):
                found.append(f"{name}: {_WORDS[target['status']]}")
        if result["trouble"] == "failed":
            found.append(str(result.get("msg", "the module failed")))
    return list(dict.fromkeys(found))  # each module reports the same server that cannot be reached


def assumed_enabled(targets: Sequence[Record], enabled: Record | None, rebooted: Record | None) -> list[dict[str, Any]]:
    """The part of ``targets`` that a check run may treat as active: what ``enabled`` would enable and ``rebooted`` would make effective.

    Both are results of the roles that ran before (None: did not run). Refused hosts, and hosts that will still require a reboot, are not
    included; clusters are replaced by their hosts.
    """
    if not enabled or enabled.get("state") == "disabled":
        return []
    owing = enabled.get("reboot_required") if rebooted is None else rebooted.get("owed")
    left_out = {str(name) for name in (*(owing or ()), *(enabled.get("refused") or ()))}
    hosts = enabled.get("hosts") or ()
    host_names, clusters = directory_of("host", hosts), clusters_of(hosts)
    labels = {str(host["moid"]): str(host["name"]) for host in hosts}
    assumed = []
    for target in targets:
        members = []
        for name in target.get("hosts") or ():
            found = host_names.lookup(name, "hosts")
            members.append(str(name) if found is None else labels[found.moid])
        meant = [clusters.lookup(name, "cluster") for name in target.get("cluster") or ()]
        held = {cluster.moid for cluster in meant if cluster is not None}
        members += [str(host["name"]) for host in hosts if host.get("cluster") in held]
        kept = [name for name in dict.fromkeys(members) if name not in left_out]
        devices = passthrough_devices(target.get("devices") or ())
        if kept and devices:
            assumed.append({"hosts": kept, "devices": devices})
    return assumed


def change_line(record: Record) -> str:
    """A change in short form, such as ``0000:3b:00.0 off → on (10de:20f1 NVIDIA A100)``."""
    before, after = record.get("before"), record.get("after")
    if record.get("kind") == "passthrough" and isinstance(before, Mapping) and isinstance(after, Mapping):
        label = ""
        if after.get("label") != before.get("label"):
            label = f", label {_plain(before.get('label'))} → {_plain(after.get('label'))}"
        return f"{record['subject']} {_switch(before)} → {_switch(after)}{label} ({after.get('device', '')})"
    if record.get("kind") == "sriov" and isinstance(before, Mapping) and isinstance(after, Mapping):
        named = " ".join(str(after[key]) for key in ("vmnic", "device") if after.get(key))
        numbers = f"{before.get('virtual_functions')} → {after.get('virtual_functions')} virtual functions"
        again = ", to put it in effect" if "in_effect" in after else ""
        return f"{record['subject']} {numbers}{again} ({named})"
    if record.get("kind") == "graphics" and isinstance(before, Mapping) and isinstance(after, Mapping):
        parts = [
            f"{key.replace('_', ' ')} {_plain(before.get(key))} → {_plain(after.get(key))}"
            for key in ("type", "vgpu_mode")
            if before.get(key) != after.get(key)
        ]
        return f"{record['subject']} {', '.join(parts)} ({after.get('device', '')})"
    if record.get("kind") == "device_mode" and isinstance(before, Mapping) and isinstance(after, Mapping):
        return f"{record['subject']} mode {_plain(before.get('mode'))} → {_plain(after.get('mode'))} ({after.get('device', '')})"
    kind, subject = str(record.get("kind", "")).replace("_", " "), str(record.get("subject", ""))
    if kind in ("attach", "detach", "edit"):
        side = before if kind == "detach" else after
        words = side if isinstance(side, Mapping) else {"device": _plain(side)}
        names = ("device", "backing", "label", "parameters", "advanced")
        shown = ", ".join(str(words[key]) for key in names if words.get(key))
        return f"{kind} {subject} ({shown})"
    if kind in ("enter maintenance", "reboot", "exit maintenance"):
        return kind + (" mode" if "maintenance" in kind else "")
    return f"{subject}: {_plain(before)} → {_plain(after)}"


def blocker_sentence(blocker: Record | str) -> str:
    """Problem, reason, candidates and fix, in one line."""
    if isinstance(blocker, str):
        return blocker
    parts = [str(blocker.get("message", "")).rstrip(".") + "."]
    if blocker.get("candidates"):
        parts.append("Candidates: " + "; ".join(blocker["candidates"]) + ".")
    if blocker.get("cure"):
        parts.append(str(blocker["cure"]).rstrip(".") + ".")
    return " ".join(parts)


def _targets(result: Record) -> list[Record]:
    return [*(result.get("hosts") or ()), *(result.get("vms") or ())]


def _changes_of(result: Record, name: str) -> list[Record]:
    return [record for record in result.get("changes") or () if record.get("target") == name]


def _waiting(target: Record) -> list[str]:
    return [str(entry) for entry in target.get("pending") or ()]


def _switch(side: Record) -> str:
    return "on" if side.get("enabled") else "off"


def _plain(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(value[key])}" for key in sorted(value))
    if isinstance(value, list | tuple):
        return ", ".join(_plain(entry) for entry in value) or "-"
    return str(value)
