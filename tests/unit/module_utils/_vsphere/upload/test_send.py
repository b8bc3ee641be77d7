# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One upload over real sockets: what arrives, and how each failure ends, without the URL."""

from __future__ import annotations

import base64
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError, InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.upload import send
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.upload.send import Destination, upload
from simulator.transport.tls import make_certificates
from tests.unit.module_utils._vsphere import rude
from tests.unit.module_utils._vsphere.upload.store import Store, storing
from tests.unit.patience import PATIENCE

SECRET = "s3cr3t"
PAGE = "<p>Grüße</p>".encode()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with storing(tmp_path) as running:
        yield running


def to(store: Store, **more: Any) -> Destination:
    url = more.pop("url", store.url())
    return Destination.of(url, option="html_url", **{"ca_path": store.ca_path, **more})


def failure(destination: Destination, data: bytes = PAGE, timeout: float = PATIENCE) -> str:
    """The message. Nothing that is shown of the error has the secret."""
    with pytest.raises(DirectPathError) as caught:
        upload(data, "text/html", destination, timeout)
    shown = "".join(traceback.format_exception(caught.value)) + repr(destination)
    assert SECRET not in shown
    assert caught.value.code == "report_not_uploaded"
    return caught.value.message


def test_the_whole_report_arrives_once(store: Store) -> None:
    data = PAGE * 100_000
    upload(data, "text/html", to(store, headers={"X-Token": "t"}))
    (got,) = store.received
    assert (got.method, got.path, got.body == data) == ("PUT", "/reports/drift.html?X-Signature=s3cr3t", True)
    assert (got.headers["content-length"], got.headers["content-type"], got.headers["x-token"]) == (
        str(len(data)), "text/html", "t"
    )  # fmt: skip
    assert "transfer-encoding" not in got.headers  # a presigned URL of an object store refuses chunks


def test_an_empty_report_has_a_length(store: Store) -> None:
    upload(b"", "text/html", to(store))
    assert store.received[0].headers["content-length"] == "0"


def test_the_account_in_the_url_and_the_method(store: Store) -> None:
    url = store.url("/x").replace("https://", "https://me:p%40ss@")
    upload(PAGE, "text/html", to(store, url=url, method="POST"))
    (got,) = store.received
    assert (got.method, got.path) == ("POST", "/x")
    assert base64.b64decode(got.headers["authorization"].removeprefix("Basic ")) == b"me:p@ss"


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (302, "answers HTTP 302 to the report, and redirects are not followed"),
        (403, "answers HTTP 403 to the report, as for a URL that has expired"),
        (404, "answers HTTP 404 to the report"),
        (503, "answers HTTP 503 to the report"),
    ],
)
def test_only_success_counts(store: Store, status: int, says: str) -> None:
    store.status = status
    assert failure(to(store)) == f"localhost:{store.port} {says}"
    assert len(store.received) == 1


def test_a_refusal_before_the_report_was_read_is_a_failure(store: Store) -> None:
    """Whether the answer is still there depends on which packet comes first."""
    store.status, store.early = 403, True
    message = failure(to(store), b"x" * (8 << 20))
    assert any(text in message for text in ("answers HTTP 403", "the connection broke", "TLS failed")), message
    assert len(store.received) == 1


def test_the_certificate_is_verified(store: Store, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(make_certificates().ca)
    assert "certificate is not trusted" in failure(to(store, ca_path=str(other)))
    assert "certificate is not trusted" in failure(to(store, ca_path=None))
    assert store.received == []


@pytest.mark.parametrize("script", [rude.silent, rude.drips_headers, rude.endless_headers, rude.endless_continues])
def test_a_rude_server_is_given_up_in_time(script: rude.Script, tmp_path: Path) -> None:
    certificates = make_certificates()
    ca = tmp_path / "ca.pem"
    ca.write_bytes(certificates.ca)
    with rude.serving(script, certificates) as port:
        place = Destination.of(f"https://localhost:{port}/?{SECRET}", option="url", ca_path=str(ca))
        begun = time.monotonic()
        failure(place, timeout=0.4)
        assert time.monotonic() - begun < rude.LONGEST / 3


def test_a_server_that_reads_nothing_is_given_up_in_time(tmp_path: Path) -> None:
    certificates = make_certificates()
    ca = tmp_path / "ca.pem"
    ca.write_bytes(certificates.ca)
    over = threading.Event()
    with rude.serving(lambda sock: over.wait(rude.LONGEST), certificates) as port:
        place = Destination.of(f"https://127.0.0.1:{port}/?{SECRET}", option="url", ca_path=str(ca))
        begun = time.monotonic()
        assert "in time" in failure(place, b"x" * (32 << 20), timeout=0.4)
        assert time.monotonic() - begun < rude.LONGEST / 3
        over.set()


def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert "nothing listens there" in failure(Destination.of(f"https://localhost:{port}/?{SECRET}", option="url"))
    proxied = Destination.of(f"https://store.example/?{SECRET}", option="url", proxy=f"http://127.0.0.1:{port}")
    assert f"proxy 127.0.0.1:{port}" in failure(proxied)


def test_a_connection_that_is_reset_before_tls() -> None:
    with rude.resetting() as port:
        place = Destination.of(f"https://localhost:{port}/?{SECRET}", option="url")
        assert "the connection broke" in failure(place)


def test_a_ca_that_cannot_be_read_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(DirectPathError) as caught:
        Destination.of(f"https://store.example/{SECRET}", option="url", ca_path=str(tmp_path / "none.pem"))
    assert (caught.value.code, caught.value.parameter) == ("bad_ca_path", "upload_ca_path")


def test_a_report_that_is_too_large_is_not_sent(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send, "MOST", 1 << 20)
    assert "more than 1 MB" in failure(to(store), b"x" * ((1 << 20) + 1))
    assert store.received == []


@pytest.mark.parametrize(
    ("url", "more"),
    [
        (f"http://store.example/{SECRET}", {}),
        (f"https:///{SECRET}", {}),
        (SECRET, {}),
        (f"https://store.example:port/{SECRET}", {}),
        (f"https://[::1/{SECRET}", {}),
        (f"https://store.example/{SECRET} x", {}),
        (f"https://store.example/{SECRET}\r\nX-Evil: 1", {}),
        (f"https://{'a' * 70}.example/{SECRET}", {}),
        (f"https://store.example:0/{SECRET}", {}),
        (f"https://store.example/{SECRET}\N{WHITE SMILING FACE}", {}),
        (f"https://store.example/{SECRET}\N{GRINNING FACE}", {}),
        (f"https://store.example/{SECRET}", {"headers": {"X-A": f"{SECRET}\N{EURO SIGN}"}}),
        (f"https://store.example/{SECRET}", {"headers": {"X-A\r\nB": "1"}}),
        (f"https://store.example/{SECRET}", {"headers": {"X-A": f"{SECRET}\r\nX-Evil: 1"}}),
        (f"https://store.example/{SECRET}", {"headers": {"Content-Length": "1"}}),
        (f"https://store.example/{SECRET}", {"proxy": "socks5://proxy"}),
        (f"https://store.example/{SECRET}", {"proxy": f"http://me:{SECRET}@proxy"}),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_sent(url: str, more: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        Destination.of(url, option="html_url", **more)
    assert (caught.value.code, caught.value.parameter) == ("bad_upload", "html_url")
    assert SECRET not in "".join(traceback.format_exception(caught.value, chain=False))
