# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names in run files: the aliases of the capture, and nothing that is not known to be public."""

from __future__ import annotations

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.runs.names import RunNames

KEY = {
    "host-00001.example": "esx-01.lab",
    "host-00001": "esx-01",
    "vm-00001": "train",
    "vm-00002": "a%2fb",
    "text-00001": "Payroll reboot",
}
PUBLIC = (
    "NVIDIA Corporation",
    "GA100 [A100 PCIe 40GB]",
    "Optane SSD DC P5800X Series",
    "host-00001.example",
    "grid_a100-40c",
)


def names() -> RunNames:
    return RunNames(KEY, PUBLIC)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("esx-01.lab", "host-00001.example"),
        ("a/b", "vm-00002"),
        ("10de:20f1", "10de:20f1"),
        ("10de:*", "10de:*"),
        ("0000:3b:00.0", "0000:3b:00.0"),
        ("*optane*", "*optane*"),
        ("25%", "25%"),
        ("22:30", "22:30"),
        ("grid_a100-40c", "grid_a100-40c"),
        ("esx-01/0000:3b:00.0=10de:20f1", "host-00001/0000:3b:00.0=10de:20f1"),
        ("host-12", "host-12"),
    ],
)
def test_values_of_options(text: str, shown: str) -> None:
    assert names().name(text) == shown


@pytest.mark.parametrize(
    "text", ["esx-99.lab", "*payroll*", "Europe/Berlin", "customer", "10.20.30.40", "naa.600508b1001c"]
)
def test_other_names_get_aliases_that_are_in_the_key(text: str) -> None:
    one = names()
    alias = one.name(text)
    assert alias != text
    assert one.name(text) == alias
    assert set("".join(one.key().values())) >= set(text) - set("/*")
    assert text not in one.shown(f"what {text} is")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("esx-01.lab is not back 45 min after its reboot", "host-00001.example is not back 45 min after its ?"),
        ("(train) was stopped: 0000:3b:00.0", "(vm-00001) was stopped: 0000:3b:00.0"),
        ("10de:20f1 GA100 [A100 PCIe 40GB]", "10de:20f1 GA100 [A100 PCIe 40GB]"),
        ("Login of ACME\\bob failed with Zq7-secret", "Login of ? failed with ?"),
        ("esx-77.lab and 10.1.2.3 and 52:54:00:aa:bb:cc", "? and ? and ?"),
        ("naïve host", "? host"),
    ],
)
def test_sentences(text: str, shown: str) -> None:
    """ "reboot" is a part of a name of this site, so it is hidden as a word, too."""
    assert names().shown(text) == shown


def test_a_text_that_is_public_elsewhere_stays_and_a_name_of_an_object_does_not() -> None:
    one = RunNames(
        {"text-00001": "com.example.nic", "vm-00001": "GA100", "value-00002": "1", "value-00003": "48213"},
        ("com.example.nic", "GA100"),
    )
    assert [one.name(text) for text in ("com.example.nic", "GA100")] == ["com.example.nic", "vm-00001"]
    assert one.shown("1 of 48213 moved") == "1 of value-00003 moved"


def test_without_a_key_all_names_stay() -> None:
    one = RunNames(None)
    assert (one.name("esx-99.lab"), one.shown("bob was here"), one.key()) == ("esx-99.lab", "bob was here", {})
    assert not one.anonymized


def test_the_name_of_the_server_is_replaced_although_it_is_a_word_of_the_code() -> None:
    names = RunNames({})
    assert names.shown("check that localhost is right") == "check that localhost is right"
    names.replace("localhost", "vcenter-00001")
    assert names.shown("check that localhost is right") == "check that vcenter-00001 is right"
