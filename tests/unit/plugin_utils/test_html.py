# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame of every page: what goes in as data comes out as text, and nothing reaches outside the file."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.text import visible
from ansible_collections.directpath.vsphere.plugins.plugin_utils import html as p

NASTY = "</title><script>alert(1)</script><img src=x onerror=alert(1)>\"'&amp; \x00\u202egnp"


class Seen(HTMLParser):
    """What a browser would see: elements with their attributes, and the text of each kind of element."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, str] = {}
        self._stack: list[str] = []
        self.feed(text)
        self.close()
        assert self._stack == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "br", "col", "input"):
            self._stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._stack.pop() == tag

    def handle_data(self, data: str) -> None:
        where = self._stack[-1] if self._stack else ""
        self.text[where] = self.text.get(where, "") + data


def names(seen: Seen) -> set[str]:
    return {tag for tag, _attributes in seen.elements}


def test_everything_that_is_not_html_is_escaped_wherever_it_goes() -> None:
    body = p.joined(
        p.facts([(NASTY, NASTY, "bad")]),
        p.table([NASTY], [[NASTY]], caption=NASTY),
        p.details(NASTY, NASTY),
        p.badge(NASTY, "warn"),
        p.element("p", NASTY, title=NASTY, aria_label=NASTY),
    )
    seen = Seen(p.page(title=NASTY, lead=NASTY, foot=NASTY, body=body))
    assert not names(seen) & {"script", "img"}
    shown = NASTY.replace("\x00", "\\x00").replace("\u202e", "\\u202e")
    assert seen.text["title"] == shown
    assert [attributes for tag, attributes in seen.elements if tag == "p"][-1] == {"title": shown, "aria-label": shown}
    assert seen.text["summary"] == shown


@given(st.text(alphabet=st.characters(codec=None)))
def test_any_text_survives_or_is_shown_by_the_numbers_of_its_characters(text: str) -> None:
    seen = Seen(p.page(title="x", body=p.element("p", text, title=text)))
    (attributes,) = [attributes for tag, attributes in seen.elements if tag == "p"]
    shown = attributes["title"] or ""
    assert shown == visible(text)
    p.page(title=text, body=p.joined(text)).encode()  # lone surrogates would not go into a file


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)
    )
)
def test_data_arrives_as_it_is_and_cannot_end_its_element(value: object) -> None:
    text = p.page(title="x", body=p.data("d", value), script="void 0")
    found = re.search(r'<script type="application/json" id="d">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    assert "<" not in found[1]
    assert json.loads(found[1]) == value


def test_the_policy_allows_the_pages_own_style_and_script_and_nothing_else() -> None:
    text = p.page(title="x", body=p.joined("y"), style="main{color:red}", script="let a = 1 < 2;")
    seen = Seen(text)
    (policy,) = [a["content"] or "" for t, a in seen.elements if t == "meta" and a.get("http-equiv")]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    for kind in ("style", "script"):
        (inner,) = re.findall(rf"<{kind}>(.*?)</{kind}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()
        assert rules[f"{kind}-src"] == f"'sha256-{digest}'"
    assert "script-src 'none'" in p.page(title="x", body=p.joined("y"))
    assert not re.search(r"(?:src|href)\s*=\s*[\"'](?!#|data:,)|url\(|@import", text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("onclick", "x()"),
        ("href", "https://example.org/"),
        ("src", "//example.org/x.js"),
        ("style", "color:red"),
        ("a b", "1"),
    ],
)
def test_what_a_page_must_not_contain_cannot_be_written(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="page"):
        p.element("a", "x", **{name: value})


@pytest.mark.parametrize("kind", [{"script": "x='</SCRIPT>'"}, {"script": "'<!--'"}, {"style": "</style>"}])
def test_a_script_or_style_that_would_end_its_element_is_refused(kind: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="would end the element"):
        p.page(title="x", body=p.joined("y"), **kind)


def test_attributes_that_are_absent_or_flags() -> None:
    assert (
        p.element("a", "x", href="#y", class_="k", hidden=True, title=None, open=False)
        == '<a href="#y" class="k" hidden>x</a>'
    )


def test_the_first_column_of_a_table_names_the_row() -> None:
    text = p.table(["host", "state"], [["esx-01", "done"]], caption="Hosts")
    assert '<th scope="row">esx-01</th><td>done</td>' in text
    assert '<th scope="col">host</th><th scope="col">state</th>' in text
