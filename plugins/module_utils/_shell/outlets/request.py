# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The outlets of a run, as the options name them. PRIVATE to the collection.

A URL and a secret never appear in a message: of a webhook, messages show the scheme and the host. Of an Apprise URL, they show the scheme
only, because its host may be a token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args
from urllib.parse import SplitResult

from ..._domain.errors import InputError
from ..._domain.ranges import refuse_out_of_range
from ..._vsphere.http.single_request import split_https, split_proxy

EventKind = Literal[
    "run_started", "run_ended", "host_phase", "host_failed", "vm_stopping", "vm_off", "vm_on", "heartbeat", "drift"
]
EVENTS: tuple[EventKind, ...] = get_args(EventKind)
BY_DEFAULT: tuple[EventKind, ...] = tuple(kind for kind in EVENTS if kind != "heartbeat")

SHORTEST_SECRET = 16
"""Characters of a secret that signs events. A shorter one can be guessed from one event."""

METRICS_SUFFIX = ".prom"
"""The collector for text files reads no file with another name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Notification:
    """One subscriber. ``url`` and ``secret`` are secrets. ``shown``: what messages show of the URL."""

    url: str = field(repr=False)
    shown: str
    secret: str = field(default="", repr=False)
    events: frozenset[str] = frozenset(BY_DEFAULT)
    timeout: float = 10.0
    ca_path: str | None = None
    proxy: str | None = field(default=None, repr=False)

    @property
    def is_webhook(self) -> bool:
        """Whether it gets JSON over HTTPS. All other schemes are those of Apprise."""
        return self.url.lower().startswith("https:")


@dataclass(frozen=True, kw_only=True, slots=True)
class OutletRequest:
    """All outlets of a run."""

    notify: tuple[Notification, ...] = ()
    metrics_file: str | None = None
    traces: bool = False

    @classmethod
    def of(cls, params: Mapping[str, object]) -> OutletRequest:
        """From the options ``notify``, ``metrics_file`` and ``traces``. Raises InputError for what cannot be used."""
        entries = params.get("notify")
        entries = entries if isinstance(entries, list) else []
        refuse_out_of_range({"notify": entries})
        notify = tuple(_notification(entry, f"notify[{number}]") for number, entry in enumerate(entries))
        path = params.get("metrics_file")
        if path and not str(path).endswith(METRICS_SUFFIX):
            raise InputError(
                message=f"metrics_file: {path} does not end with {METRICS_SUFFIX}, so the node exporter would not read it",
                code="bad_metrics_file",
                parameter="metrics_file",
                cure="Name a file such as /var/lib/node_exporter/textfile/directpath-vc-a.prom",
            )
        return cls(
            notify=notify,
            metrics_file=str(path) if path else None,
            traces=bool(params.get("traces")),
        )

    def __bool__(self) -> bool:
        return bool(self.notify or self.metrics_file or self.traces)

    @property
    def secrets(self) -> frozenset[str]:
        """Words that must not appear in output."""
        return frozenset(word for one in self.notify for word in (one.url, one.secret, one.proxy) if word)


def _notification(entry: Mapping[str, object], place: str) -> Notification:
    url, secret = str(entry.get("url") or "").strip(), str(entry.get("secret") or "")
    for parameter, problem, cure in _problems(url, secret, entry):
        raise InputError(
            message=f"{place}.{parameter}: {problem}", code="bad_notify", parameter=f"{place}.{parameter}", cure=cure
        )
    events, timeout, ca_path, proxy = (entry.get(name) for name in ("events", "timeout", "ca_path", "proxy"))
    seconds = float(timeout) if isinstance(timeout, int | float) else 10.0
    scheme = url.partition(":")[0].lower()
    return Notification(
        url=url,
        shown=shown_url(split_https(url)) if scheme == "https" else f"{scheme}://...",
        secret=secret,
        events=frozenset(str(kind) for kind in events) if isinstance(events, list) else frozenset(BY_DEFAULT),
        timeout=seconds,
        ca_path=str(ca_path) if ca_path else None,
        proxy=str(proxy) if proxy else None,
    )


def shown_url(parts: SplitResult) -> str:
    """Scheme and host, without account, path and query."""
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def _problems(url: str, secret: str, entry: Mapping[str, object]) -> list[tuple[str, str, str]]:
    """(suboption, problem, what to do). None of them repeats a value: it may be a secret."""
    scheme, mark, rest = url.partition("://")
    found = []
    webhook = "Set a URL such as https://hooks.example.com/directpath, or one that Apprise knows"
    if not mark or not rest or not scheme.isascii() or not scheme or any(c.isspace() for c in url):
        found.append(("url", "it is not a URL", webhook))
    elif scheme.lower() == "http":
        found.append(("url", "it is not encrypted (http)", "Set an https:// URL"))
    elif scheme.lower() == "https":
        found += _webhook_problems(url, secret, webhook)
    else:
        found += [
            (name, f"it has no effect on {scheme.lower()}://, which Apprise sends", f"Leave out {name}")
            for name in ("secret", "ca_path", "proxy")
            if entry.get(name)
        ]
        found += _weakened(url)
    try:
        if proxy := str(entry.get("proxy") or ""):
            split_proxy(proxy)
    except ValueError as error:
        found.append(("proxy", f"it {error}", "Set a URL such as http://proxy.example.com:3128"))
    events = entry.get("events")
    if isinstance(events, list) and not events:
        found.append(("events", "it is empty, so nothing would be sent", "Name events, or leave it out"))
    return found


def _webhook_problems(url: str, secret: str, cure: str) -> list[tuple[str, str, str]]:
    try:
        parts = split_https(url)
    except ValueError as error:
        return [("url", f"it {error}", cure)]
    if parts.username is not None or parts.password is not None:
        return [("url", "it contains an account", "Leave the account out. The receiver checks the signature (secret)")]
    if secret and len(secret) < SHORTEST_SECRET:
        why = f"it has fewer than {SHORTEST_SECRET} characters"
        return [("secret", why, "Generate one, for example with: openssl rand -hex 32")]
    return []


def _weakened(url: str) -> list[tuple[str, str, str]]:
    """What an Apprise URL may switch off or on for itself."""
    arguments = url.partition("?")[2].lower().replace("+verify", "verify").split("&")
    pairs = dict(argument.partition("=")[::2] for argument in arguments)
    if "verify" in pairs and pairs["verify"] not in ("yes", "true", "1", "on"):
        return [("url", "it switches off the verification of the certificate (verify)", "Leave out verify=")]
    if "redirect" in pairs and pairs["redirect"] not in ("no", "false", "0", "off"):
        return [("url", "it follows redirects (redirect), which may lead to another server", "Leave out redirect=")]
    return []
