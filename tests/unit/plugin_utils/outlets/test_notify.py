# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events over HTTPS and with Apprise: what arrives, what is refused, and that no message contains a secret."""

from __future__ import annotations

import importlib
import re
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.outlets.outlet import (
    NotDelivered,
    OutletReport,
    end_all,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.outlets.request import OutletRequest
from ansible_collections.directpath.vsphere.plugins.plugin_utils.outlets.events import Event
from ansible_collections.directpath.vsphere.plugins.plugin_utils.outlets.notify import (
    notify_outlet,
    signature_of,
    webhook,
)
from tests.unit.module_utils._vsphere import rude
from tests.unit.patience import PATIENCE
from tests.unit.plugin_utils.outlets.receiver import TOKEN, Receiver, receiving

EVENT = Event(
    kind="host_phase",
    at=1_795_921_920.0,
    run="r1",
    vcenter="vc-a",
    number=7,
    more={"host": "esx-1", "cluster": "gpu-a", "before": "waiting", "after": "draining", "reason": "why"},
)


def sent(option: dict[str, Any], *events: Event, seconds: float = PATIENCE) -> OutletReport:
    (to,) = OutletRequest.of({"notify": [option]}).notify
    outlet = notify_outlet(to, "notify[0]")
    for event in events or (EVENT,):
        outlet.put(event)
    (report,) = end_all([outlet], seconds)
    assert TOKEN not in str(report)
    return report


def test_an_event_arrives_signed(tmp_path: Path) -> None:
    with receiving(tmp_path) as receiver:
        report = sent(receiver.option(), EVENT, EVENT)
    assert (report.name, report.sent, report.lost) == (f"notify https://localhost:{receiver.port}", 2, 0)
    assert receiver.forged == []
    assert receiver.events[0] == {
        "format": 1,
        "event": "host_phase",
        "at": "2026-11-29T03:12:00.000Z",
        "run": "r1",
        "number": 7,
        "vcenter": "vc-a",
        "host": "esx-1",
        "cluster": "gpu-a",
        "before": "waiting",
        "after": "draining",
        "reason": "why",
    }


def test_the_signature_of_the_guide() -> None:
    """printf '1795921920.{"event":"x"}' | openssl dgst -sha256 -hmac 0123456789abcdef"""
    assert signature_of("0123456789abcdef", "1795921920", b'{"event":"x"}') == (
        "63fbcf9735b1c09b56bb6a3ef69f5f8449e3c6194a74c019dafd79e6ec722882"
    )


def _wrong_ca(receiver: Receiver, folder: Path) -> dict[str, Any]:
    return receiver.option(ca_path=None)


LOST: dict[str, tuple[dict[str, Any], Any, str]] = {
    "a redirect is not followed": ({"status": 307}, None, "it answers 307; redirects are not followed"),
    "it refuses": ({"status": 403}, None, "it answers 403"),
    "its certificate is not trusted": ({}, _wrong_ca, "its certificate is not trusted: .*"),
}


@pytest.mark.parametrize("name", LOST)
def test_what_is_lost_has_a_reason(tmp_path: Path, name: str) -> None:
    options, change, why = LOST[name]
    with receiving(tmp_path, **options) as receiver:
        report = sent(change(receiver, tmp_path) if change else receiver.option())
    assert (report.sent, report.lost) == (0, 1)
    assert re.fullmatch(why, report.why)
    assert len(receiver.events) == (0 if "certificate" in name else 1)


def test_nothing_listens(tmp_path: Path) -> None:
    with receiving(tmp_path) as receiver:
        option = receiver.option()
    assert sent(option).why == "Connection refused"


@pytest.mark.parametrize(
    ("status", "may_pass"),
    [(500, True), (503, True), (408, True), (425, True), (429, True), (400, False), (403, False), (307, False)],
)
def test_which_answers_are_worth_another_attempt(tmp_path: Path, status: int, may_pass: bool) -> None:
    with receiving(tmp_path, status=status) as receiver:
        (to,) = OutletRequest.of({"notify": [receiver.option()]}).notify
        with pytest.raises(NotDelivered) as caught:
            webhook(to, "notify[0]")(EVENT)
    assert caught.value.may_pass is may_pass


def test_a_proxy_is_used(tmp_path: Path) -> None:
    with receiving(tmp_path) as receiver, socket.create_server(("127.0.0.1", 0)) as closed:
        proxy = f"127.0.0.1:{closed.getsockname()[1]}"
        closed.close()
        report = sent(receiver.option(proxy=f"http://{proxy}"))
    assert (report.lost, receiver.events) == (1, [])
    assert report.why.startswith(f"the proxy {proxy} refused the connection")


def test_a_connection_that_is_reset_before_tls() -> None:
    with rude.resetting() as port:
        report = sent({"url": f"https://localhost:{port}/{TOKEN}"})
    assert (report.lost, report.why) == (1, "Connection reset by peer")


def test_a_receiver_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    with receiving(tmp_path, hangs=True) as receiver:
        began = time.monotonic()
        report = sent(receiver.option(timeout=0.3, url=f"https://127.0.0.1:{receiver.port}/{TOKEN}"))
        assert time.monotonic() - began < PATIENCE / 2
    assert report.why == "no answer within 0.3 s"


def test_a_ca_that_cannot_be_read_is_refused_at_once(tmp_path: Path) -> None:
    (to,) = OutletRequest.of({"notify": [{"url": "https://h/", "ca_path": str(tmp_path / "none.pem")}]}).notify
    with pytest.raises(DirectPathError) as caught:
        notify_outlet(to, "notify[0]")
    assert (caught.value.code, caught.value.parameter) == ("bad_ca_path", "notify[0].ca_path")


class Asset:
    http_redirects = True

    def __init__(self, **options: Any) -> None:
        self.options = options


def library(*, knows: bool = True, accepts: bool = True, sent: list[dict[str, Any]]) -> SimpleNamespace:
    """The part of Apprise that is used."""

    class Apprise:
        def __init__(self, asset: Asset) -> None:
            assert asset.options["http_redirects"] is False

        def add(self, url: str) -> bool:
            return knows

        def notify(self, **message: Any) -> bool:
            sent.append(message)
            return accepts

    return SimpleNamespace(Apprise=Apprise, AppriseAsset=Asset)


def test_apprise_gets_a_title_and_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[dict[str, Any]] = []
    monkeypatch.setitem(sys.modules, "apprise", library(sent=found))
    report = sent({"url": f"slack://{TOKEN}/a/b"})
    assert (report.name, report.sent) == ("notify slack://...", 1)
    title = "vc-a: esx-1 waiting → draining"
    assert found == [{"title": title, "body": "why", "notify_type": "info", "body_format": "text"}]


def test_apprise_does_not_accept_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", library(accepts=False, sent=[]))
    assert sent({"url": f"slack://{TOKEN}/a/b"}).why == "the service did not accept it"


@pytest.mark.parametrize(
    ("module", "code"),
    [
        (None, "missing_library"),
        (SimpleNamespace(AppriseAsset=object), "missing_library"),
        (library(knows=False, sent=[]), "bad_notify"),
    ],
)
def test_apprise_cannot_be_used(monkeypatch: pytest.MonkeyPatch, module: Any, code: str) -> None:
    monkeypatch.setitem(sys.modules, "apprise", module)
    (to,) = OutletRequest.of({"notify": [{"url": f"slack://{TOKEN}/a/b"}]}).notify
    with pytest.raises(DirectPathError) as caught:
        notify_outlet(to, "notify[0]")
    assert caught.value.code == code
    assert TOKEN not in caught.value.sentence()


def test_with_the_package_itself(tmp_path: Path) -> None:
    """Apprise 2.2 posts to a server whose CA it does not know: refused, and nothing of the URL is printed."""
    pytest.importorskip("apprise", reason="the package apprise is not installed")
    with receiving(tmp_path) as receiver:
        report = sent({"url": f"jsons://localhost:{receiver.port}/{TOKEN}"})
    assert (report.lost, report.why, receiver.events) == (1, "the service did not accept it", [])


@pytest.mark.parametrize(("kind", "markup"), [("html", "<a href="), ("markdown", "](http")])
def test_text_of_a_server_is_not_markup(kind: str, markup: str) -> None:
    """A mail is HTML by default, and many chats read Markdown."""
    pytest.importorskip("apprise", reason="the package apprise is not installed")
    found: list[str] = []
    decorators = importlib.import_module("apprise.decorators")
    decorators.notify(on=f"probe{kind}")(lambda body, *_others, **_more: found.append(body))
    event = replace(EVENT, more={**EVENT.more, "reason": '<a href="http://evil">esx-1</a> [esx-1](http://evil)'})
    assert sent({"url": f"probe{kind}://x?format={kind}"}, event).sent == 1
    assert "esx" in found[0]
    assert markup not in found[0]


@pytest.mark.parametrize("kind", ["run_started", "run_ended", "host_failed", "vm_stopping", "vm_off", "vm_on", "drift"])
def test_each_kind_has_a_title(kind: str) -> None:
    more = {
        "host": "esx-1",
        "vm": "db-1",
        "state": "finished",
        "summary": "1 host differs",
        "before": "a",
        "after": "b",
    }
    title = Event(kind=kind, at=0.0, run="r", vcenter="vc-a", number=1, more=more).title()
    assert title.startswith("vc-a: ")
    assert "None" not in title
