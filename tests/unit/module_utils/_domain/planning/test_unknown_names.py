# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exceptions that name nothing: when they are worth a warning, and how it reads."""

from __future__ import annotations

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.overrides import (
    parse_overrides,
    unknown_overrides,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.unknown_names import (
    Unknown,
    UnknownName,
    sentences,
)
from tests.unit.module_utils._domain.strategies import host

SLIP = UnknownName(option="ignore_unreadable_vms", entry="k8s-O1", name="k8s-O1", noun="VM", known=("k8s-01",))
HOSTS = (host(name="esx-01.lab", moid="host-1", path="DC/host/gpu/esx-01.lab"),)


@pytest.mark.parametrize(
    ("mode", "refusals", "is_named"),
    [
        ("warn", (), True),
        ("warn", ("no_match",), True),
        ("only_if_refused", (), False),
        ("only_if_refused", ("no_match",), False),
        ("only_if_refused", ("no_match", "protected"), True),
        ("only_if_refused", ("holders_unknown",), True),
        ("only_if_refused", ("reboot_takes_protected",), True),
    ],
)
def test_it_is_named_unless_it_may_be_of_another_vcenter_and_nothing_is_refused_for_it(
    mode: Unknown, refusals: tuple[str, ...], is_named: bool
) -> None:
    assert len(sentences([SLIP, SLIP], mode, refusals)) == is_named


def test_the_sentence_says_option_entry_and_the_name_that_is_probably_meant() -> None:
    (said,) = sentences([SLIP], "warn", ())
    assert said == (
        "ignore_unreadable_vms contains 'k8s-O1', but no VM that this account can see has the name, path or id 'k8s-O1' "
        "(k8s-01 is meant?): this entry has no effect"
    )


@pytest.mark.parametrize(
    "entry",
    ["0000:5e:00.0", "5e:00.0", "esx-01.lab/5e:00.0=a", "ESX-01.LAB/0000:5e:00.0", "host-1/5e:00.0", "/DC/host/gpu/esx-01.lab/5e:00.0"],
)  # fmt: skip
def test_an_entry_that_means_a_host_or_every_host_is_known(entry: str) -> None:
    assert unknown_overrides([entry], HOSTS) == ()


@pytest.mark.parametrize("name", ["esx-01", "esx-02.lab", "gpu/esx-01.lab", "esx-01.lab ", ""])
def test_an_entry_with_another_name_of_a_host_is_unknown(name: str) -> None:
    """A risk is taken for one host, so a short name or a part of a path is none."""
    (found,) = unknown_overrides([f"{name}/0000:5e:00.0=x"], HOSTS)
    assert (found.name, found.known) == (name, ("esx-01.lab",))


def test_an_entry_that_is_the_name_of_one_host_and_the_id_of_another_one_allows_nothing() -> None:
    """Equal cards have equal ids, so the identity alone does not tell the hosts apart."""
    hosts = (host(name="host-2", moid="host-1", path="DC/host/a"), host(name="esx-02", moid="host-2", path="DC/host/b"))
    with pytest.raises(InputError, match="the name of one and the managed object id of another one") as caught:
        parse_overrides(["host-2/0000:5e:00.0=10de:20f1"], hosts)
    assert caught.value.candidates == ("/DC/host/a (host-1)", "/DC/host/b (host-2)")
    assert parse_overrides(["/DC/host/b/0000:5e:00.0=10de:20f1"], hosts)["host-1"] == ()
