# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTML pages: data comes out as text, and nothing reaches outside the file."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Template, UndefinedError

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.text import visible
from ansible_collections.directpath.vsphere.plugins.plugin_utils import html as p

TEMPLATES = p.ENVIRONMENT.list_templates()
NASTY = "</title><script>alert(1)</script><img src=x onerror=alert(1)>\"'&amp; \x00\u202egnp"


class Seen(HTMLParser):
    """What a browser reads: elements with their attributes, and the text of each kind of element."""

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


@cache
def page_of(body: str) -> Template:
    """A template that extends the frame and knows the macros."""
    imports = '{% from "parts.html.j2" import badge, figures, head, scroll %}'
    return p.ENVIRONMENT.from_string(f'{{% extends "page.html.j2" %}}{imports}{{% block main %}}{body}{{% endblock %}}')


def rendered(
    body: str = "", *, title: object = "x", lead: object = "", style: str = "", script: str = "", **view: Any
) -> str:
    return p.render_page(page_of(body), {"title": title, "lead": lead, **view}, style=style, script=script)


def test_everything_that_is_not_html_is_escaped_wherever_it_goes() -> None:
    body = """
    {{ figures([(nasty, nasty, "bad")]) }}
    {% call scroll() %}<table>{{ head([nasty, (nasty, nasty)]) }}</table>{{ nasty }}{% endcall %}
    <details><summary>{{ nasty }}</summary>{{ badge(nasty, nasty, nasty) }}</details>
    <p title="{{ nasty }}" aria-label="{{ [nasty] | join }}">{{ nasty ~ nasty }}</p>
    """
    seen = Seen(rendered(body, title=NASTY, lead=NASTY, nasty=NASTY))
    assert not names(seen) & {"script", "img"}
    shown = NASTY.replace("\x00", "\\x00").replace("\u202e", "\\u202e")
    assert seen.text["title"] == shown
    assert [attributes for tag, attributes in seen.elements if tag == "p"][-1] == {"title": shown, "aria-label": shown}
    assert seen.text["summary"] == shown
    assert seen.text["span"] == shown
    assert seen.text["p"] == shown * 3
    assert [attributes for tag, attributes in seen.elements if tag == "span"] == [
        {"class": f"badge {shown}", "title": shown}
    ]


@given(st.text(alphabet=st.characters(codec=None)))
def test_any_text_survives_or_is_shown_by_the_numbers_of_its_characters(text: str) -> None:
    page = rendered('<i title="{{ text }}">{{ text }}</i>', title=text, text=text)
    (attributes,) = [attributes for tag, attributes in Seen(page).elements if tag == "i"]
    shown = attributes["title"] or ""
    assert shown == visible(text)
    page.encode()  # lone surrogates would not go into a file


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)
    )
)
def test_data_arrives_as_it_is_and_cannot_end_its_element(value: object) -> None:
    text = rendered(
        '<script type="application/json" id="d">{{ value | tojson }}</script>', value=value, script="void 0"
    )
    found = re.search(r'<script type="application/json" id="d">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    assert "<" not in found[1]
    assert json.loads(found[1]) == value


def policy_of(text: str) -> dict[str, str]:
    (policy,) = [a["content"] or "" for t, a in Seen(text).elements if t == "meta" and a.get("http-equiv")]
    return dict(rule.split(" ", 1) for rule in policy.split("; "))


def test_the_policy_allows_the_pages_own_style_and_script_and_nothing_else() -> None:
    text = rendered("y", style="main{color:red}", script="let a = 1 < 2;")
    rules = policy_of(text)
    assert rules["default-src"] == "'none'"
    for kind in ("style", "script"):
        (inner,) = re.findall(rf"<{kind}>(.*?)</{kind}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()
        assert rules[f"{kind}-src"] == f"'sha256-{digest}'"
    assert policy_of(rendered("y"))["script-src"] == "'none'"
    assert not re.search(r"(?:src|href)\s*=\s*[\"'](?!#|data:,)|url\(|@import", text)


def template_problems(source: str) -> list[str]:
    """What a template must not contain: escaping would not cover it, or the policy of the page would block it."""
    source = re.sub(r"{#.*?#}", "", source, flags=re.DOTALL)
    problems = [f"not escaped: {found}" for found in re.findall(r"\|\s*(?:safe|xmlattr)\b|\bautoescape\b", source)]
    for found in re.findall(r"<(?:script|style)\b[^>]*>(.*?)</", source, re.DOTALL):
        if not re.fullmatch(r"{{ (style|script|\w+ \| tojson) }}", found):
            problems.append(f"script or style from data: {found}")
    bare = re.sub(r"{%.*?%}", "", re.sub(r"{{.*?}}", "\0", source))
    for tag in re.findall(r"<[^<>!](?:[^<>\"]|\"[^\"]*\")*>", bare):
        attributes = re.findall(r"([^\s=\"]+)=(\"[^\"]*\"|)", tag)
        if "\0" in re.sub(r"\"[^\"]*\"", "", tag) or any(not value for _name, value in attributes):
            problems.append(f"data outside of quotes: {tag}")
        for name, value in attributes:
            if name.startswith("on") or name == "style":
                problems.append(f"blocked by the policy: {name}")
            if name in ("href", "src", "action", "data", "poster") and not value.startswith(('"#', '"data:,')):
                problems.append(f"address outside the page: {value}")
    return problems


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
    quote = "" if " " in name else '"'
    assert len(template_problems(f"<a {name}={quote}{value}{quote}>x</a>")) == 1


@pytest.mark.parametrize(
    "source",
    [
        "{{ name | safe }}",
        "{% autoescape false %}{{ name }}",
        "<{{ name }}>",
        "<a {{ name }}>",
        "<a class={{ name }}>",
        "<script>{{ name }}</script>",
        "<script>let a = '{{ name }}'</script>",
        "<style>p{color:{{ name }}}</style>",
    ],
)
def test_a_template_that_lets_markup_through_is_found(source: str) -> None:
    assert len(template_problems(source)) == 1


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_templates_leave_nothing_unescaped(name: str) -> None:
    assert p.ENVIRONMENT.loader is not None
    assert template_problems(p.ENVIRONMENT.loader.get_source(p.ENVIRONMENT, name)[0]) == []


def test_a_name_that_the_view_lacks_is_an_error_and_no_empty_text() -> None:
    with pytest.raises(UndefinedError):
        rendered("{{ nothing }}")
    with pytest.raises(UndefinedError):
        rendered("{{ row.nothing }}", row={})


@pytest.mark.parametrize("kind", [{"script": "x='</SCRIPT>'"}, {"script": "'<!--'"}, {"style": "</style>"}])
def test_a_script_or_style_that_would_end_its_element_is_refused(kind: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="would end the element"):
        rendered("y", **kind)


def test_attributes_that_are_absent_or_flags() -> None:
    assert '<span class="badge">x</span>' in rendered('{{ badge("x") }}')
    assert '<span class="badge ok" title="t">x</span>' in rendered('{{ badge("x", "ok", "t") }}')
    assert '<div class="fact"><dt>hosts</dt><dd>0</dd></div>' in rendered('{{ figures([("hosts", 0, "")]) }}')


def test_the_first_column_of_a_table_names_the_row() -> None:
    assert '<th scope="col">host</th>' in rendered('<table>{{ head(["host"]) }}</table>')
    for name in ("drift.html.j2", "gantt.html.j2"):
        assert p.ENVIRONMENT.loader is not None
        source = p.ENVIRONMENT.loader.get_source(p.ENVIRONMENT, name)[0]
        rows = re.findall(r"(?:<tr>|{{ open_row\([^)]*\) }})\s*(<\w+[^>]*>)", source)
        assert rows
        assert set(rows) == {'<th scope="row">'}
