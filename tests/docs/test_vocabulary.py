# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One word for one thing: no text of the project uses a word that docs/vocabulary.yml avoids, and each row catches one that does."""

from __future__ import annotations

import pytest

from tools.vocabulary import SCOPES, Word, caught, comments, findings, sources, texts, words


def test_no_text_uses_a_word_to_avoid() -> None:
    assert list(findings(sources())) == []


@pytest.mark.parametrize("word", words(), ids=lambda word: word.say)
def test_each_row_catches_its_sentence(word: Word) -> None:
    for scope in word.scopes:
        assert any(say == word.say for _unused, say in caught(word.example, scope)), scope
    assert all(say != word.say for scope in SCOPES for _unused, say in caught(word.say, scope) if scope in word.scopes)


PLACES = {
    "docs/guides/x.md": ("# Title\n\nesx-03 owes a reboot.\n", 3, "docs"),
    "roles/x/tasks/main.yml": ("---\n- name: See which host owes a reboot\n", 2, "options"),
    "changelogs/fragments/x.yml": ("---\nminor_changes:\n  - x - a host that owes a reboot is named.\n", 3, "docs"),
    "plugins/modules/x.py": ('DOCUMENTATION = r"""\nmodule: x\nnotes: It owes a reboot.\n"""\n', 3, "options"),
    "plugins/module_utils/x.py": ('def x() -> str:\n    return "it owes a reboot"\n', 2, "messages"),
    "plugins/module_utils/y.py": ('def x() -> None:\n    """It owes a reboot."""\n', 2, "docstrings"),
    "plugins/plugin_utils/x.py": ("X = 1  # it owes a reboot\n", 1, "docstrings"),
    "plugins/plugin_utils/y.py": ("class HostWorld:\n    pass\n", 1, "names"),
    "plugins/module_utils/_domain/world.py": ("", 1, "names"),
    "simulator/x.py": ('"""It owes a reboot."""\n', 1, "docstrings"),
}


@pytest.mark.parametrize("path", PLACES)
def test_each_place_is_read(path: str) -> None:
    source, line, scope = PLACES[path]
    found = [(text.line, text.scope) for text in texts(path, source) if caught(text.text, text.scope)]
    assert found == [(line, scope)]


def test_a_comment_is_told_from_a_string() -> None:
    lines = (
        "#!/usr/bin/python",
        'x = "a # b" # one',
        r"""y = 'it\'s # c', "\\" # two""",
        "'''",
        "# no comment '",
        "'''",
        r"""z = r"\"" # three""",
    )
    found = [(1, "#!/usr/bin/python"), (2, "# one"), (3, "# two"), (7, "# three")]
    assert list(comments("\n".join(lines))) == found


def test_what_is_published_keeps_its_name() -> None:
    assert caught("the attribute directpath.roll.lock", "docs") == []
    assert caught("the key `cure` of a blocker", "docs") == []
    assert caught("what a roll does", "docs")
