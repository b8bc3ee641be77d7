# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of outlets: what is accepted, and that no message contains a URL or a secret."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.outlets.request import (
    BY_DEFAULT,
    OutletRequest,
)

TOKEN = "T0K3N"
LONG = "0123456789abcdef"

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no scheme": ({"url": f"hooks.example.com/{TOKEN}"}, "notify[0].url"),
    "nothing": ({"url": ""}, "notify[0].url"),
    "plain http": ({"url": f"http://hooks.example.com/{TOKEN}"}, "notify[0].url"),
    "plain http in capitals": ({"url": f"HTTP://hooks.example.com/{TOKEN}"}, "notify[0].url"),
    "no host": ({"url": f"https:///{TOKEN}"}, "notify[0].url"),
    "port that is none": ({"url": f"https://hooks.example.com:99999/{TOKEN}"}, "notify[0].url"),
    "port 0": ({"url": f"https://hooks.example.com:0/{TOKEN}"}, "notify[0].url"),
    "a name that is too long": ({"url": f"https://{'a' * 70}.example.com/{TOKEN}"}, "notify[0].url"),
    "a character that no URL has": ({"url": f"https://hooks.example.com/{TOKEN}ü"}, "notify[0].url"),
    "an account": ({"url": f"https://user:{TOKEN}@hooks.example.com/"}, "notify[0].url"),
    "a blank": ({"url": f"https://hooks.example.com/ {TOKEN}"}, "notify[0].url"),
    "a short secret": ({"url": "https://hooks.example.com/", "secret": TOKEN}, "notify[0].secret"),
    "a secret that has no effect": ({"url": f"slack://{TOKEN}/a/b", "secret": LONG}, "notify[0].secret"),
    "a CA that has no effect": ({"url": f"slack://{TOKEN}/a/b", "ca_path": "/ca.pem"}, "notify[0].ca_path"),
    "no verification": ({"url": f"jsons://{TOKEN}/x?verify=no"}, "notify[0].url"),
    "no verification, capitals": ({"url": f"jsons://{TOKEN}/x?a=b&Verify=No"}, "notify[0].url"),
    "redirects": ({"url": f"jsons://{TOKEN}/x?redirect=yes"}, "notify[0].url"),
    "a proxy of another kind": (
        {"url": "https://hooks.example.com/", "proxy": f"socks5://{TOKEN}:1080"},
        "notify[0].proxy",
    ),
    "no events": ({"url": "https://hooks.example.com/", "events": []}, "notify[0].events"),
    "no time": ({"url": "https://hooks.example.com/", "timeout": 0.0}, "notify[0].timeout"),
    "too much time": ({"url": "https://hooks.example.com/", "timeout": 301.0}, "notify[0].timeout"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_names_the_option_and_no_secret(name: str) -> None:
    entry, parameter = REFUSED[name]
    with pytest.raises(InputError) as caught:
        OutletRequest.of({"notify": [entry]})
    assert caught.value.parameter == parameter
    assert caught.value.cure
    assert TOKEN not in caught.value.sentence()
    assert "hooks.example.com/" not in caught.value.message


SHOWN = {
    f"https://hooks.example.com/{TOKEN}?key={TOKEN}": "https://hooks.example.com",
    f"https://hooks.example.com:8443/{TOKEN}": "https://hooks.example.com:8443",
    f"https://[2001:db8::1]:8443/{TOKEN}": "https://[2001:db8::1]:8443",
    f"slack://{TOKEN}/b/c": "slack://...",
    f"mailtos://user:{TOKEN}@example.com": "mailtos://...",
    f"jsons://{TOKEN}/x?verify=yes&redirect=no": "jsons://...",
}


@pytest.mark.parametrize("url", SHOWN)
def test_what_is_shown_of_a_url(url: str) -> None:
    (found,) = OutletRequest.of({"notify": [{"url": url}]}).notify
    assert found.shown == SHOWN[url]
    assert TOKEN not in found.shown
    assert TOKEN not in repr(found)
    assert found.is_webhook is url.startswith("https")
    assert found.events == frozenset(BY_DEFAULT)


def test_a_metrics_file_that_the_exporter_would_not_read_is_refused() -> None:
    with pytest.raises(InputError, match=r"does not end with \.prom"):
        OutletRequest.of({"metrics_file": "/tmp/metrics.txt"})
    assert OutletRequest.of({"metrics_file": "/tmp/m.prom"}).metrics_file == "/tmp/m.prom"


def test_nothing_is_asked_for() -> None:
    assert not OutletRequest.of({})
    assert not OutletRequest.of({"notify": [], "metrics_file": None, "traces": False})
    assert OutletRequest.of({"traces": True})


def test_all_secrets_are_known() -> None:
    entry = {"url": "https://h/x", "secret": LONG, "proxy": "http://proxy:3128"}
    assert OutletRequest.of({"notify": [entry]}).secrets == {"https://h/x", LONG, "http://proxy:3128"}
