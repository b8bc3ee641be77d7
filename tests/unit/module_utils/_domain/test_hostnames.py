# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Host names as people paste them: what to write instead is said before anything is connected."""

from __future__ import annotations

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.hostnames import refuse_bad_hostname


@pytest.mark.parametrize(
    "text", ["vc.lab", "VC-01", "vc_01.lab.", "10.0.0.1", "::1", "2001:db8::7", "localhost", "vcenter.test", "a" * 63]
)
def test_a_name_or_an_address(text: str) -> None:
    refuse_bad_hostname(text)


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("https://vc.lab/ui", "Write hostname: vc.lab"),
        ("https://vc.lab", "Write hostname: vc.lab"),
        ("https://vc.lab:8443/ui/", "Write hostname: vc.lab, port: 8443"),
        ("https://admin@vc.lab/", "Write hostname: vc.lab"),
        ("vc.lab:443", "Write hostname: vc.lab, port: 443"),
        ("vc.lab/", "Write hostname: vc.lab"),
        ("vc.lab ", "Write hostname: vc.lab"),
        ("\tvc.lab", "Write hostname: vc.lab"),
        ("[::1]", "Write hostname: ::1"),
        ("[::1]:443", "Write hostname: ::1, port: 443"),
        ("fe80::1%eth0", "Use a name or another address"),
        ("https://[fe80::1%eth0]/", "Use a name or another address"),
        ("vc lab", "Write only the name or the address, such as vcenter.example.com"),
        ("-vc.lab", "Write only the name or the address, such as vcenter.example.com"),
        ("", "Write only the name or the address, such as vcenter.example.com"),
        ("a" * 64, "Write only the name or the address, such as vcenter.example.com"),
    ],
)
def test_what_to_write_instead(text: str, cure: str) -> None:
    with pytest.raises(InputError) as caught:
        refuse_bad_hostname(text)
    assert (caught.value.code, caught.value.parameter, caught.value.cure) == ("bad_hostname", "hostname", cure)
    assert repr(text) in str(caught.value.message)


def test_the_port_of_a_proxy_has_its_own_option() -> None:
    with pytest.raises(InputError) as caught:
        refuse_bad_hostname("http://proxy.lab:3128", "proxy_host")
    assert caught.value.cure == "Write proxy_host: proxy.lab, proxy_port: 3128"


@pytest.mark.parametrize(
    "account",
    ["me:Secret", "me:Se:cret", "me:Se/cret", "me:12/cret", "me@vsphere.local:Se@cret", "me:Se cret@", ":cret"],
)
@pytest.mark.parametrize("url", ["http://{}@vc.lab:3128", "{}@vc.lab", "https://{}@vc.lab/ui", " https://{}@vc.lab"])
def test_a_password_in_a_url_is_not_repeated(url: str, account: str) -> None:
    with pytest.raises(InputError) as caught:
        refuse_bad_hostname(url.format(account))
    told = caught.value.sentence()
    assert ("cret" in told, "12" in told.replace("3128", "")) == (False, False)
    assert f"{account.split(':')[0]}:***@vc.lab" in caught.value.message
    assert caught.value.cure.startswith("Write hostname: vc.lab")
