# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that are silent, slow or endless, over real sockets."""

from __future__ import annotations

import functools
import re
import socket
import ssl
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from simulator.transport.tls import Certificates

Script = Callable[[socket.socket], None]

LONGEST = 90.0
"""Seconds after which a script ends by itself. A test of something that waits without end must fail earlier."""
OK = b"HTTP/1.1 200 OK\r\n"


def silent(sock: socket.socket) -> None:
    """Hears the request, and says nothing."""
    sock.recv(65536)
    _drip(sock, b"")


@contextmanager
def resetting() -> Iterator[int]:
    """Resets each connection after its first bytes, before TLS is established. Yields the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run() -> None:
            with suppress(OSError):
                while True:
                    sock = server.accept()[0]
                    sock.recv(1)
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    sock.close()

        threading.Thread(target=run, daemon=True).start()
        yield server.getsockname()[1]


def drips_headers(sock: socket.socket) -> None:
    """A byte now and then, which no time-out of a socket minds."""
    sock.recv(65536)
    _drip(sock, OK + b"X-Filler: " + b"a" * 10_000)


def drips_body(sock: socket.socket) -> None:
    sock.recv(65536)
    sock.sendall(OK + b"Content-Length: 100000\r\n\r\n")
    _drip(sock, b"<" * 10_000)


def endless_headers(sock: socket.socket) -> None:
    sock.recv(65536)
    sock.sendall(OK)
    while True:
        sock.sendall(b"X-Filler: a\r\n" * 1000)


def endless_body(sock: socket.socket) -> None:
    sock.recv(65536)
    sock.sendall(OK + b"Connection: close\r\n\r\n")
    while True:
        sock.sendall(b"<" * 65536)


def endless_chunks(sock: socket.socket) -> None:
    sock.recv(65536)
    sock.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        sock.sendall(b"1000\r\n" + b"<" * 4096 + b"\r\n")


def endless_continues(sock: socket.socket) -> None:
    """Interim answers, one after the other."""
    sock.recv(65536)
    while True:
        sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def huge_length(sock: socket.socket) -> None:
    """Promises 10 TB."""
    sock.recv(65536)
    sock.sendall(OK + b"Content-Length: 10000000000000\r\n\r\n<")
    _drip(sock, b"")


def bomb(sock: socket.socket) -> None:
    """100 MB in 100 KB."""
    sock.recv(65536)
    body = _packed()
    sock.sendall(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    _drip(sock, b"")


@functools.cache
def _packed() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return packer.compress(b" " * (100 << 20)) + packer.flush()


RUDE: tuple[Script, ...] = (
    silent,
    drips_headers,
    drips_body,
    endless_headers,
    endless_body,
    endless_chunks,
    endless_continues,
    huge_length,
    bomb,
)


def says(answer: bytes) -> Script:
    """A fixed answer to each request, and the end."""

    def script(sock: socket.socket) -> None:
        _hear(sock)
        sock.sendall(answer)

    return script


def _hear(sock: socket.socket) -> None:
    """Read one request, with its body: a socket that is closed before everything was read resets the connection, and the client may
    lose the answer."""
    head = b""
    while b"\r\n\r\n" not in head:
        part = sock.recv(65536)
        if not part:
            return
        head += part
    head, _blank, body = head.partition(b"\r\n\r\n")
    length = re.search(rb"^content-length: *(\d+)", head, flags=re.IGNORECASE | re.MULTILINE)
    left = int(length[1]) - len(body) if length else 0
    while left > 0 and (part := sock.recv(65536)):
        left -= len(part)


def _drip(sock: socket.socket, text: bytes) -> None:
    """A byte every 20 ms, and then nothing, until the client is gone."""
    sock.settimeout(0.02)
    end = time.monotonic() + LONGEST
    index = 0
    while time.monotonic() < end:
        if index < len(text):
            sock.sendall(text[index : index + 1])
            index += 1
        with suppress(TimeoutError):
            if not sock.recv(1):
                return


@contextmanager
def serving(script: Script, certificates: Certificates | None = None) -> Iterator[int]:
    """A port behind which this happens on every connection: over TLS with ``certificates``."""
    context = certificates.context() if certificates else None
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def handle(sock: socket.socket) -> None:
        with suppress(OSError), sock:
            script(context.wrap_socket(sock, server_side=True) if context else sock)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threads.append(threading.Thread(target=handle, args=(listener.accept()[0],), daemon=True))
                threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in (accepting, *threads):
            thread.join(LONGEST)
            assert not thread.is_alive()


def dated(begin: datetime, end: datetime) -> Certificates:
    """A certificate of localhost that vouches for itself, valid between two moments."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Certificates(ca=pem, server=pem, key=private)


def unverified() -> ssl.SSLContext:
    """Trusts anybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
