# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a name stands for: one object, or a refusal that lists all it could be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.overrides import parse_overrides
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.names import (
    Directory,
    Kind,
    Named,
    Reference,
    decoded,
    relabel,
    resolve_each,
    shown_name,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import Host
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.suggest import matches
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.text import all_visible, visible, visible_name
from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.named_records import clusters_of, directory_of
from tests.unit.searching import search


def named(moid: str, *paths: str) -> Named:
    parts = tuple(tuple(path.split("|")) for path in paths)
    return Named(moid=moid, name=parts[0][-1], paths=parts)


VMS = Directory(
    "vm",
    [
        named("vm-1", "Paris|vm|db", "Paris|db"),
        named("vm-2", "Lyon|vm|db", "Lyon|db"),
        named("vm-3", "EU|Lyon|vm|db", "EU|Lyon|db"),
        named("vm-4", "Paris|vm|vm-5", "Paris|vm-5"),
        named("vm-5", "Paris|vm|web", "Paris|web"),
        named("vm-6", "Paris|vm|Team A/B|a/b", "Paris|Team A/B|a/b"),
        named("vm-7", "Paris|vm|a%2fb", "Paris|a%2fb"),
        named("vm-8", "Paris|vm|b", "Paris|b"),
        named("vm-9", "Paris|vm|100% gpu", "Paris|100% gpu"),
        named("vm-10", "Paris|vm|evil\\x1b[31m\\u202e", "Paris|evil\\x1b[31m\\u202e"),
    ],
)
HOSTS = Directory(
    "host",
    [
        named("host-1", "DC|host|C|esx-01.lab", "DC|C|esx-01.lab"),
        named("host-2", "DC|host|C|esx-02.a.lab"),
        named("host-3", "DC|host|C|esx-02.b.lab"),
        named("host-4", "DC|host|C|10.0.0.5"),
    ],
    {"reached.as": "host-1"},
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("web", "vm-5"),
        ("vm-1", "vm-1"),
        ("/Paris/vm/db", "vm-1"),
        ("Paris/vm/db", "vm-1"),
        ("Paris/db", "vm-1"),
        ("/Paris/db", "vm-1"),
        ("Paris/db/", "vm-1"),
        ("/Lyon/vm/db", "vm-2"),
        ("/EU/Lyon/db", "vm-3"),
        ("/Paris/vm/vm-5", "vm-4"),
        ("/Paris/vm/Team A/B/a/b", "vm-6"),
        ("Team A%2FB/a%2fb", "vm-6"),
        ("a%252fb", "vm-7"),
        ("b", "vm-8"),
        ("100% gpu", "vm-9"),
        ("100%25 gpu", "vm-9"),
        ("evil\x1b[31m\u202e", "vm-10"),
        ("evil\\x1b[31m\\u202e", "vm-10"),
    ],
)
def test_a_string_of_a_plain_list_means_one_vm(written: str, meant: str) -> None:
    assert VMS.find(written, "vm").moid == meant


@pytest.mark.parametrize(
    ("written", "candidates"),
    [
        ("db", ["/EU/Lyon/vm/db (vm-3)", "/Lyon/vm/db (vm-2)", "/Paris/vm/db (vm-1)"]),
        ("Lyon/db", ["/EU/Lyon/vm/db (vm-3)", "/Lyon/vm/db (vm-2)"]),
        ("vm-5", ["/Paris/vm/vm-5 (vm-4)", "/Paris/vm/web (vm-5)"]),
        ("a%2fb", ["/Paris/vm/Team A/B/a/b (vm-6)", "/Paris/vm/a%2fb (vm-7)"]),
    ],
)
def test_one_that_stands_for_several_is_refused_with_all_of_them(written: str, candidates: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        VMS.find(written, "vm")
    assert (caught.value.code, list(caught.value.candidates)) == ("ambiguous_vm", candidates)
    for candidate in candidates:
        path, moid = candidate.rstrip(")").rsplit(" (", 1)
        if path != "/Paris/vm/a%2fb":  # which is also how the server writes a path that nothing has
            assert VMS.find(path, "vm").moid == moid, "what a refusal lists can be written"


def test_what_its_path_cannot_tell_apart_is_told_apart_by_its_id() -> None:
    """The path that the client shows of one VM is the path of the other one as the server writes it."""
    vms = Directory("vm", [named("vm-1", "Paris|vm|a/b"), named("vm-2", "Paris|vm|a%2fb")])
    with pytest.raises(InputError) as caught:
        vms.find("/Paris/vm/a%2fb", "vm")
    assert list(caught.value.candidates) == ["/Paris/vm/a%2fb (vm-2)", "/Paris/vm/a/b (vm-1)"]
    assert "managed object id of the one you mean" in caught.value.cure
    assert vms.find("vm-2", "vm").moid == "vm-2"
    assert vms.find("/Paris/vm/a/b", "vm").moid == "vm-1"


@pytest.mark.parametrize("written", ["nothing", "", "/vm/db", "/db", "vm/d", "Team A", "B/a/bb", "DB", "%2f"])
def test_one_that_nothing_is_called(written: str) -> None:
    with pytest.raises(InputError) as caught:
        VMS.find(written, "never_stop")
    assert (caught.value.code, caught.value.parameter) == ("unknown_vm", "never_stop")


def test_name_is_a_name_and_moid_an_id() -> None:
    assert VMS.find(Reference("vm-5", "name"), "vms").moid == "vm-4"
    assert VMS.find(Reference("vm-5", "moid"), "vms").moid == "vm-5"
    with pytest.raises(InputError, match="no VM with the managed object id 'web'") as caught:
        VMS.find(Reference("web", "moid"), "vms")
    assert caught.value.code == "unknown_vm"
    with pytest.raises(InputError):
        VMS.find(Reference("vm-1", "name"), "vms")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ESX-01.LAB", "host-1"),
        ("esx-01", "host-1"),
        ("reached.as", "host-1"),
        ("/dc/HOST/c/esx-01.lab", "host-1"),
        ("10.0.0.5", "host-4"),
        ("esx-02", None),
        ("10", ""),
    ],
)
def test_hosts_are_found_in_any_case_and_by_a_first_label_of_one(written: str, meant: str | None) -> None:
    if meant:
        assert HOSTS.find(written, "hosts").moid == meant
        return
    with pytest.raises(InputError) as caught:
        HOSTS.find(written, "hosts")
    assert caught.value.code == ("ambiguous_host" if meant is None else "unknown_host")


def test_results_print_the_name_and_a_path_where_several_have_it() -> None:
    assert [VMS.label(f"vm-{n}") for n in (1, 2, 5, 6)] == ["/Paris/vm/db", "/Lyon/vm/db", "web", "a/b"]
    blind = Directory("vm", [named("vm-1", "x"), named("vm-2", "x")])
    assert blind.label("vm-1") == "vm-1", "where no place is known, the id is all that tells them apart"


def test_lists_and_mappings_are_resolved_as_a_whole() -> None:
    found = resolve_each(VMS, {"web": 1, "/Lyon/db": 2, "later": 3, "vm-8": 4}, "vm_order")
    assert found.by_id == {"vm-5": 1, "vm-2": 2, "vm-8": 4}
    assert found.ids == {"web": "vm-5", "/Lyon/db": "vm-2", "vm-8": "vm-8"}
    assert found.of("vm-99", "later") == 3, "a VM that appears while a run lasts"
    assert found.of("vm-99", "vm-8") is None, "an id is no name"
    with pytest.raises(InputError):
        resolve_each(VMS, {"db": 1}, "vm_order")
    assert relabel(VMS, {"Paris/db": 1, "else": 2}, "order") == {"/Paris/vm/db": 1, "else": 2}


WORDS = st.text(alphabet=st.sampled_from("a%2fF5cC /\\"), max_size=8)


@search()
@given(WORDS)
def test_decoding_undoes_what_the_server_does_in_one_pass(name: str) -> None:
    sent = name.replace("%", "%25").replace("/", "%2f").replace("\\", "%5c")
    assert decoded(sent) == name
    assert decoded(sent.replace("%2f", "%2F").replace("%5c", "%5C")) == name


@search()
@given(
    st.lists(st.tuples(st.sampled_from(["p", "q/r", "s%2f"]), WORDS.filter(bool)), min_size=1, unique=True, max_size=8)
)
def test_what_is_found_is_called_so_and_nothing_else_is(places: list[tuple[str, str]]) -> None:
    objects = [
        Named(moid=f"vm-{n}", name=name, paths=(("DC", "vm", folder, name),)) for n, (folder, name) in enumerate(places)
    ]
    directory = Directory("vm", objects)
    for one in objects:
        for text in (one.name, one.path, f"/{one.path}", directory.label(one.moid)):
            others = {other.moid for other in objects if text in (other.name, other.path, f"/{other.path}")}
            found = outcome(directory, text)
            assert found == "ambiguous_vm" or others in ({found}, set()), "never one of two"


def outcome(directory: Directory, text: str) -> str:
    """The id of what is found, or the code of the refusal, which lists several."""
    try:
        return directory.find(text, "vm").moid
    except InputError as error:
        return error.code if len(error.candidates) > 1 else "a refusal without a choice"


@search()
@given(st.text())
def test_nothing_that_steers_a_terminal_gets_through(text: str) -> None:
    unfit = {
        *map(chr, range(0x20)),
        *map(chr, range(0x7F, 0xA0)),
        *"\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    }
    assert not unfit & set(visible_name(text))
    assert not (unfit - {"\t", "\n", "\r"}) & set(visible(text))
    assert "\r" not in visible(text).replace("\r\n", "")
    assert visible(visible(text)) == visible(text)
    assert shown_name(text) == visible_name(decoded(text))


def test_it_is_said_which_character_it_was_and_keys_are_texts_too() -> None:
    assert all_visible({"a\x1b[2J": [("\u202eb", 1, None, True)]}) == {"a\\x1b[2J": [["\\u202eb", 1, None, True]]}
    assert visible_name("vm\nok: [esx-01]") == "vm\\x0aok: [esx-01]"


@pytest.mark.parametrize(
    ("pattern", "name", "is_meant"),
    [
        ("TU104GL [Tesla T4]", "TU104GL [Tesla T4]", True),
        ("*[Tesla T4]*", "TU104GL [Tesla T4]", True),
        ("*[tesla ?4]", "TU104GL [Tesla T4]", True),
        ("*[Tesla T4]*", "USB controller", False),
        ("[!a]*", "b", False),
        ("[!a]*", "[!A] b", True),
        ("(null)", "(null)", True),
        (" TU104GL ", "TU104GL", True),
        ("a.c", "abc", False),
        ("*", "", True),
        ("?", "", False),
        ("a*", "a\nb", True),
    ],
)
def test_only_the_asterisk_and_the_question_mark_stand_for_others(pattern: str, name: str, is_meant: bool) -> None:
    assert matches(pattern, name) is is_meant


RECORDS = [
    {
        "name": "esx-01.lab",
        "moid": "host-1",
        "path": "Paris/host/Cluster1/esx-01.lab",
        "cluster": "/Paris/host/Cluster1",
    },
    {"name": "esx-02.lab", "moid": "host-2", "path": "Lyon/host/Cluster1/esx-02.lab", "cluster": "/Lyon/host/Cluster1"},
    {"name": "esx-03.lab", "moid": "host-3", "path": "Lyon/host/a/b/esx-03.lab", "cluster": "a/b"},
    {"name": "esx-04.lab", "moid": "host-4", "path": "Lyon/host/esx-04.lab", "cluster": None},
]


def test_results_are_searched_as_the_inventory_is() -> None:
    hosts, clusters = directory_of("host", RECORDS), clusters_of(RECORDS)
    assert [hosts.find(name, "hosts").moid for name in ("esx-01", "Lyon/esx-04.lab", "host-3")] == [
        "host-1",
        "host-4",
        "host-3",
    ]
    assert clusters.find("Lyon/Cluster1", "cluster").moid == "/Lyon/host/Cluster1"
    assert clusters.find("a/b", "cluster").moid == clusters.find("a%2fb", "cluster").moid == "a/b"
    with pytest.raises(InputError) as caught:
        clusters.find("Cluster1", "cluster")
    assert caught.value.code == "ambiguous_cluster"


@pytest.mark.parametrize("kind", ["host", "cluster", "vm"])
def test_an_empty_inventory_has_nothing(kind: Kind) -> None:
    with pytest.raises(InputError) as caught:
        Directory(kind, []).find("x", "y")
    assert caught.value.code == f"unknown_{kind}"


def test_a_risk_is_taken_for_one_host_alone() -> None:
    """By what results call it, its whole path or its id: whoever else is called so is not meant, be it in this run or not."""
    esx = Host(moid="host-1", name="/Paris/host/C/esx-01.lab", path="Paris/host/C/esx-01.lab")
    other = Host(moid="host-2", name="esx-02.lab", path="Paris/host/C/esx-02.lab")
    address = "0000:5e:00.0"

    def allowed(name: str) -> set[str]:
        return {moid for moid, addresses in parse_overrides([f"{name}/{address}"], [esx, other]).items() if addresses}

    assert allowed("/Paris/host/C/esx-01.lab") == allowed("paris/host/c/ESX-01.lab") == allowed("host-1") == {"host-1"}
    assert allowed("esx-02.lab") == {"host-2"}
    for name in ("esx-01.lab", "esx-01", "esx-02", "C/esx-02.lab", "/Lyon/host/C/esx-01.lab"):
        assert allowed(name) == set()
