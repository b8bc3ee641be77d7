# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which API version a write needs, who is too old, and what a plan refuses because of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import HostDevice
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.details import (
    Detail,
    DynamicSpec,
    FixedSpec,
    PassthroughWrite,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.plan import (
    Blocker,
    Change,
    Plan,
    TargetPlan,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.writing.api_versions import (
    KINDS,
    ApiVersions,
    kind_blocker,
    parse_version,
    refuse_too_new,
    show_version,
)

DEVICE = HostDevice(address="0000:3b:00.0", vendor_id="10de", device_id="20f1")
FIXED = FixedSpec(address="0000:3b:00.0", vendor_id="10de", device_id="20f1", system_id="x", name="A100")
DYNAMIC = DynamicSpec(allowed=(), custom_label=None, name="A100")


def api(spoken: str, server: str = "", library: str = "9.1.1") -> ApiVersions:
    return ApiVersions(
        spoken=parse_version(spoken), server=parse_version(server or spoken), library=parse_version(library)
    )


@pytest.mark.parametrize(
    ("text", "numbers", "shown"),
    [
        ("5.5", (5, 5, 0, 0), "5.5"),
        ("8.0.0.1", (8, 0, 0, 1), "8.0.0.1"),
        ("8.0.3.0", (8, 0, 3, 0), "8.0.3"),
        ("7.0.0.0", (7, 0, 0, 0), "7.0"),
        ("2.5u2server", (2, 5, 0, 0), "2.5"),
        ("m5CA1EF4D", (0, 0, 0, 0), "0.0"),
        ("", (0, 0, 0, 0), "0.0"),
    ],
)
def test_versions_are_numbers(text: str, numbers: tuple[int, ...], shown: str) -> None:
    assert parse_version(text) == numbers
    assert show_version(numbers) == shown


@given(st.tuples(*[st.integers(0, 99)] * 4))
def test_what_is_shown_can_be_read(version: tuple[int, ...]) -> None:
    assert parse_version(show_version(version)) == version


@pytest.mark.parametrize(
    ("known", "code", "message", "cure"),
    [
        (api("7.0.3"), None, "", ""),
        (
            api("6.7"),
            "api_too_old",
            "db-01 cannot have a dynamic passthrough device: this needs API version 7.0, but vCenter offers 6.7",
            "Upgrade vCenter to 7.0 or later, or use backing: fixed, which ties the VM to its host",
        ),
        (
            api("6.7", server="8.0.3", library="6.7"),
            "library_too_old",
            "db-01 cannot have a dynamic passthrough device: this needs API version 7.0. vCenter has it, but the installed pyVmomi knows "
            "the API only up to 6.7",
            "Install pyvmomi 7.0 or later for the Python that runs the module, or use backing: fixed, which ties the VM to its host",
        ),
    ],
)
def test_the_one_that_is_too_old_is_named(known: ApiVersions, code: str | None, message: str, cure: str) -> None:
    blocker = kind_blocker("dynamic", known, "db-01")
    if blocker is None:
        assert code is None
    else:
        assert (blocker.code, blocker.message, blocker.cure) == (code, message, cure)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_refused_below_its_version_only(kind: str) -> None:
    since = parse_version(KINDS[kind].since)  # type: ignore[index]
    below = (*since[:3], since[3] - 1)
    for spoken, refused in ((since, False), (below, True), ((9, 9, 9, 9), False)):
        known = ApiVersions(spoken=spoken, server=spoken, library=(9, 9, 9, 9))
        assert (kind_blocker(kind, known, "x") is not None) is refused  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("detail", "spoken", "refused"),
    [
        (DYNAMIC, "6.7", True),
        (DYNAMIC, "7.0", False),
        (FIXED, "5.5", False),
        (PassthroughWrite(device=DEVICE, enabled=True), "5.5", False),
        (PassthroughWrite(device=DEVICE, enabled=True, label="ml"), "7.0.1", True),
        (PassthroughWrite(device=DEVICE, enabled=True, label=""), "7.0.1", True),
        (PassthroughWrite(device=DEVICE, enabled=True, label="ml"), "7.0.2", False),
    ],
)
def test_a_plan_is_refused_for_what_it_writes(detail: Detail, spoken: str, refused: bool) -> None:
    change = Change(subject="x", before=None, after=None, detail=detail)
    other = Blocker(code="other", message="other")
    plan = Plan(targets=(TargetPlan(target="a", moid="1", changes=(change, change), blockers=(other,)),))
    (target,) = refuse_too_new(plan, api(spoken)).targets
    assert [blocker.code for blocker in target.blockers] == [*(["api_too_old"] if refused else []), "other"]
    assert refuse_too_new(plan, None) == plan
