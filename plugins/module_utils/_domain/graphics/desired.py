# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired graphics settings of hosts, and their checks that need no hardware. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ..errors import InputError
from ..host.selector import Selector, parse_selector
from ..observed.graphics import MODES, POLICIES, SHARED, TYPES
from ..suggest import suggest_word

GRAPHICS_KEYS = ("default_type", "assignment_policy", "devices", "restart_xorg")
GPU_KEYS = ("match", "type", "vgpu_mode")


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredGpu:
    """One entry of ``devices``: all GPUs that match. None: the setting is not changed."""

    selector: Selector
    type: str | None = None
    mode: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredGraphics:
    """The desired graphics settings of one host. None: the setting is not changed.

    ``restart_xorg``: consent to restart Xorg, which puts a graphics type in effect.
    """

    default_type: str | None = None
    assignment_policy: str | None = None
    gpus: tuple[DesiredGpu, ...] = ()
    restart_xorg: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredHostGraphics:
    """Host id → its desired graphics settings. ``on_missing: skip`` skips entries that match no device of a host."""

    hosts: Mapping[str, DesiredGraphics]
    on_missing: Literal["fail", "skip"] = "fail"


def parse_graphics(raw: Mapping[str, object], parameter: str = "") -> DesiredGraphics:
    """The settings of one target of host_graphics, or of one entry of the intent. ``parameter``: where they are.

    Raises InputError (no_graphics, bad_graphics, and the codes of selectors).
    """
    at = f"{parameter}." if parameter else ""
    default_type = _choice(raw.get("default_type"), TYPES, f"{at}default_type")
    policy = _choice(raw.get("assignment_policy"), POLICIES, f"{at}assignment_policy")
    gpus = _gpus(raw.get("devices") or (), f"{at}devices")
    if default_type is None and policy is None and not gpus:
        raise InputError(
            message=f"{parameter or 'The task'} sets no graphics: default_type, assignment_policy and devices are missing",
            code="no_graphics",
            parameter=parameter or "devices",
            cure='Give at least one of them, such as devices: [{match: "10de:20f1", type: shared_direct}]',
        )
    restart = raw.get("restart_xorg")
    if not isinstance(restart, bool | None):
        raise _bad(f"{at}restart_xorg {restart!r} is neither true nor false", f"{at}restart_xorg")
    return DesiredGraphics(default_type=default_type, assignment_policy=policy, gpus=gpus, restart_xorg=bool(restart))


def _gpus(raw: object, parameter: str) -> tuple[DesiredGpu, ...]:
    if isinstance(raw, str | Mapping) or not isinstance(raw, Sequence):
        raise _bad(f"{parameter} is not a list", parameter)
    gpus = tuple(_gpu(entry, f"{parameter}[{number}]") for number, entry in enumerate(raw))
    for number, gpu in enumerate(gpus):
        if any(gpu.selector == other.selector for other in gpus[:number]):
            raise InputError(
                message=f"{parameter} lists {gpu.selector.text} twice",
                code="contradicting_graphics",
                parameter=parameter,
                cure="Write one entry with the type and the vGPU mode",
            )
    return gpus


def _gpu(entry: object, parameter: str) -> DesiredGpu:
    if not isinstance(entry, Mapping):
        raise _bad(f"{parameter} {entry!r} is not a mapping", parameter)
    unknown = sorted(str(key) for key in entry if key not in GPU_KEYS)
    if unknown:
        raise _bad(
            f"{parameter} has the unknown key {unknown[0]}{suggest_word(unknown[0], GPU_KEYS)}", parameter, GPU_KEYS
        )
    if entry.get("match") is None:
        raise _bad(f"{parameter} selects no GPU: match is missing", parameter)
    kind = _choice(entry.get("type"), TYPES, f"{parameter}.type")
    mode = _choice(entry.get("vgpu_mode"), MODES, f"{parameter}.vgpu_mode")
    if kind is None and mode is None:
        raise _bad(f"{parameter} sets nothing: type and vgpu_mode are missing", parameter)
    if kind == SHARED and mode is not None:
        raise InputError(
            message=f"{parameter} sets a vGPU mode, which a GPU of the type shared does not have",
            code="contradicting_graphics",
            parameter=parameter,
            cure="Set type: shared_direct, or take vgpu_mode out",
        )
    return DesiredGpu(selector=parse_selector(entry["match"], f"{parameter}.match"), type=kind, mode=mode)


def _choice(value: object, choices: Sequence[str], parameter: str) -> str | None:
    if value is None:
        return None
    if value not in choices:
        raise _bad(f"{parameter} is {value!r}{suggest_word(str(value), choices)}", parameter, choices)
    return str(value)


def _bad(message: str, parameter: str, candidates: Sequence[str] = ()) -> InputError:
    return InputError(
        message=message,
        code="bad_graphics",
        parameter=parameter,
        candidates=candidates,
        cure='Write default_type, assignment_policy, restart_xorg, and devices such as [{match: "10de:20f1", type: shared_direct, '
        "vgpu_mode: mixed_size}]",
    )


def combine(one: DesiredGraphics, other: DesiredGraphics, host: str) -> DesiredGraphics:
    """The settings of a host that two targets name. Xorg is restarted only if both consent.

    Raises InputError (contradicting_graphics) for two values of one setting.
    """
    for name in ("default_type", "assignment_policy"):
        values = {getattr(one, name), getattr(other, name)} - {None}
        if len(values) > 1:
            raise InputError(
                message=f"Two targets give {host} the {name} {' and '.join(sorted(values))}",
                code="contradicting_graphics",
                parameter="targets",
                cure="Give each host one value",
            )
    return DesiredGraphics(
        default_type=one.default_type or other.default_type,
        assignment_policy=one.assignment_policy or other.assignment_policy,
        gpus=tuple(dict.fromkeys((*one.gpus, *other.gpus))),
        restart_xorg=one.restart_xorg and other.restart_xorg,
    )
