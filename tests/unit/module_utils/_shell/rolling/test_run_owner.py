# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lock is passed on at once when its owner is certainly gone, and never on a guess."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.run_owner import is_gone, make_owner


def test_this_process_lives_and_every_run_of_it_has_a_token_of_its_own() -> None:
    first, second = make_owner(), make_owner()
    assert first != second
    assert not is_gone(first)
    assert f":{os.getpid()}:" in first
    assert len(first) <= 100
    assert not set(first) & set(" #~\n")


def test_a_process_that_ended_is_gone_also_before_its_parent_looks() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        with open(f"/proc/{child.pid}/stat", encoding="utf-8") as stat:
            start = f"{int(stat.read().rpartition(')')[2].split()[19]):x}"
        token = make_owner().replace(f":{os.getpid()}:", f":{child.pid}:")
        words = token.split(":")
        token = ":".join([words[0], words[1], start, words[3]])
        assert not is_gone(token)
        assert child.stdin is not None
        child.stdin.close()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert is_gone(token), "a zombie does nothing any more"
    assert is_gone(token)


def test_another_process_with_the_same_id_is_not_the_owner() -> None:
    assert is_gone(make_owner(), start_of=lambda pid: "abc")


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.replace("@", "@other-", 1),
        lambda t: t.rpartition(":")[0] + ":000000-abcdef",
        lambda t: "somebody else",
        lambda t: "",
        lambda t: t + " ",
    ],
    ids=["another host", "another boot or container", "free text", "nothing", "not quite a token"],
)
def test_what_cannot_be_known_is_not_gone(change: object) -> None:
    assert callable(change)
    assert not is_gone(change(make_owner()), start_of=lambda pid: "-")


def test_a_machine_that_does_not_tell_start_times_says_nothing() -> None:
    words = make_owner().split(":")
    assert not is_gone(":".join([words[0], words[1], "0", words[3]]), start_of=lambda pid: "-")
