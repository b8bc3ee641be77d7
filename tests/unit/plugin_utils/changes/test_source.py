# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source against a simulated vCenter over TLS: events, new connections, the end, and arguments."""

from __future__ import annotations

import asyncio
import runpy
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyVmomi import vim, vmodl

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.changes import connections
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.codec import encode
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import (
    LOCK,
    LOCKS,
    VM,
    Lock,
    Purpose,
    VmEntry,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.attributes.values import type_of
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.changes import watch as watching
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session import connect, transport
from ansible_collections.directpath.vsphere.plugins.plugin_utils.changes import source as sources
from ansible_collections.directpath.vsphere.plugins.plugin_utils.changes.arguments import SPEC, WatchRequest
from simulator.simulator import Simulator, server_clock
from simulator.transport.http import Server
from tools.envs import ROOT

PLUGIN = ROOT / "extensions" / "eda" / "plugins" / "event_source" / "pci_changes.py"
A100 = "0000:3b:00.0"
PATIENCE = 60.0
"""Seconds until a test gives up on an event. A busy machine is slow."""
AT_ONCE = watching.LONGEST / 2
"""Seconds in which nothing is over that lasts until the end of a wait for changes."""
LAB = "simulator/labs/demo.yml"

main: Callable[..., Coroutine[Any, Any, None]] = runpy.run_path(str(PLUGIN))["main"]


@dataclass
class Site:
    """A served simulator, a running source, and what came out of it."""

    sim: Simulator
    server: Server
    queue: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    task: asyncio.Task[None] | None = None

    def arguments(self, **changes: Any) -> dict[str, Any]:
        account = next(iter(self.sim.authz.users.values()))
        arguments = {
            "hostname": "localhost",
            "port": str(self.server.port),
            "username": account.name,
            "password": account.password,
            "ca_path": str(self.server.ca_file),
        }
        return {name: value for name, value in {**arguments, **changes}.items() if value is not None}

    async def start(self, **changes: Any) -> dict[str, Any]:
        self.task = asyncio.create_task(main(self.queue, self.arguments(**changes)))
        return await self.event("started")

    async def event(self, kind: str) -> dict[str, Any]:
        """The next event, which must be of this type."""
        found = await asyncio.wait_for(self.queue.get(), PATIENCE)
        assert found["type"] == kind, found
        assert found["vcenter"] == "localhost"
        return found

    async def stop(self) -> None:
        assert self.task is not None
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task

    async def only_changes(self, host: str) -> None:
        """The next events are those of two changes. The first may be read together with what came before it, the second is not."""
        for label in ("first", "second"):
            self.set_device(host, label=label)
            assert (await self.event("device_changed"))["host"] == host

    def set_device(self, host: str = "gpu-01.lab", **changes: Any) -> None:
        self.sim.events["set_device_state"](host=host, address=A100, **changes)

    def define(self, *attributes: str) -> None:
        """Define custom attributes: those of the first rolling reboot, if none is named."""
        manager = self.sim.stub().connect().content.customFieldsManager
        for attribute in attributes or (*LOCKS.values(), VM):
            manager.AddCustomFieldDef(name=attribute, moType=type_of(attribute))

    def is_watched(self) -> bool:
        """Whether the source waits for changes."""
        with self.sim.lock:
            return any(session.waiting for session in self.sim.sessions.by_key.values())

    def calls(self) -> int:
        return int(self.sim.journal.counters.calls)


@asynccontextmanager
async def site(lab: Any = LAB) -> AsyncIterator[Site]:
    sim = Simulator.from_lab(ROOT / lab if isinstance(lab, str) else lab, clock=server_clock(1.0))
    with sim.serve() as server:
        made = Site(sim, server)
        try:
            yield made
        finally:
            if made.task is not None and not made.task.done():
                await made.stop()
            sim.close()
    assert sim.internal_errors == []


async def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test())


def test_a_change_behind_our_back_is_an_event_at_once() -> None:
    async def test() -> None:
        async with site() as lab:
            started = await lab.start()
            assert (started["hosts"], started["hosts_not_readable"], started["reboot_pending"]) == (6, 0, [])
            began = time.monotonic()
            lab.set_device(enabled=True, active=True)
            event = await lab.event("device_changed")
            assert time.monotonic() - began < AT_ONCE
            assert (event["host"], event["cluster"]) == ("gpu-01.lab", "gpu-a")
            (device,) = event["devices"]
            assert (device["address"], device["ids"], device["before"]) == (
                A100, "10de:20f1", {"enabled": False, "active": False})  # fmt: skip
            lab.set_device("gpu-02.lab", enabled=True)
            assert (await lab.event("device_changed"))["host"] == "gpu-02.lab"
            assert (await lab.event("reboot_pending"))["devices"] == [A100]

    run(test)


def test_owners_and_reboots_are_events() -> None:
    async def test() -> None:
        async with site({**_rolling_lab(), "knobs": {"boot_seconds": 0.2, "down_after_seconds": 0.2}}) as lab:
            await lab.start()
            vm = lab.sim.find(vim.VirtualMachine, "train-01")
            lab.sim.events["reboot_host"](host="esx-02.lab", user="root", force=True)
            assert (await lab.event("host_rebooted"))["host"] == "esx-02.lab"
            lab.sim.events["remove_vm"](vm=vm.props["name"])
            event = await lab.event("device_changed")
            assert event["devices"][0]["before"] == {"vms": ["train-01"]}
            assert event["devices"][0]["vms"] == []
            lab.sim.events["remove_host"](host="esx-03.lab")
            assert (await lab.event("host_removed"))["host"] == "esx-03.lab"

    run(test)


def test_a_vm_that_cannot_be_read_has_not_lost_its_devices() -> None:
    async def test() -> None:
        async with site(_rolling_lab()) as lab:
            await lab.start()
            vm = lab.sim.find(vim.VirtualMachine, "train-01")
            for state, devices in {"inaccessible": [], "connected": vm.devices}.items():
                with vm.edit("config") as config:
                    config.hardware.device = devices
                    config.changeVersion = state
                vm.set("runtime.connectionState", state)
                lab.set_device("esx-02.lab", label=state)
                assert (await lab.event("device_changed"))["host"] == "esx-02.lab", "none of train-01 before it"
            lab.sim.events["remove_vm"](vm="train-01")
            assert (await lab.event("device_changed"))["devices"][0]["before"] == {"vms": ["train-01"]}

    run(test)


def _rolling_lab() -> dict[str, Any]:
    card = {"card": "a100", "at": "3b", "enabled": True, "active": True}
    hosts = [{"name": "esx-{:02d}.lab", "count": 3, "hardware": "node"}]
    mmio = {"pciPassthru.use64bitMMIO": "TRUE", "pciPassthru.64bitMMIOSizeGB": "256"}
    vm = {
        "name": "train-01",
        "host": "esx-01",
        "memory_gb": 32,
        "devices": [{"fixed": A100}],
        "extra": mmio,
        "power": "on",
    }
    cluster = {"name": "gpu", "hosts": hosts, "vms": [vm]}
    return {
        "kind": "vcenter",
        "version": "8.0.3",
        "hardware": {"node": {"memory_gb": 512, "cards": [card]}},
        "datacenters": [{"name": "DC", "clusters": [cluster]}],
    }


def _lock(beat: float, ttl: float, purpose: Purpose = "reboot") -> Lock:
    return Lock(
        owner="me@node-1", run_id="1f3c9a2e", scope="0badcafe", since=beat - 60, beat=beat, ttl=ttl, purpose=purpose
    )


def test_a_lost_lock_is_an_event_once_and_again_after_a_new_heartbeat() -> None:
    async def test() -> None:
        async with site(_rolling_lab()) as lab:
            lab.define("note")  # so definitions are read before those of the rolling reboot exist
            lab.sim.set_custom_value(lab.sim.find(vim.ClusterComputeResource, "gpu"), "note", "x")
            await lab.start()
            lab.define()
            now = lab.sim.clock.now().timestamp()
            off = VmEntry(run_id="1f3c9a2e", host="host-1", step="stop", at=now)
            for attribute, text in encode(off).items():
                lab.sim.set_custom_value(lab.sim.find(vim.VirtualMachine, "train-01"), attribute, text)
            lab.sim.find(vim.VirtualMachine, "train-01").set("runtime.powerState", "poweredOff")
            cluster = lab.sim.find(vim.ClusterComputeResource, "gpu")
            lab.sim.set_custom_value(cluster, LOCK, encode(_lock(now, 600))[LOCK])
            await lab.only_changes("esx-02.lab")  # it has a heartbeat
            for age in (6, 5):
                lab.sim.set_custom_value(cluster, LOCK, encode(_lock(int(now) - age, 6))[LOCK])
                event = await lab.event("lock_lost")
                assert (event["place"], event["owner"], event["vms_off"]) == ("gpu", "me@node-1", ["train-01"])
                assert event["silent_seconds"] >= 6
            await lab.only_changes("esx-02.lab")  # it is reported once

    run(test)


def test_two_lost_locks_of_a_standalone_host_are_one_event_each() -> None:
    card = {"card": "a100", "at": "3b"}
    center = {"name": "DC", "hosts": [{"name": "alone.lab", "hardware": "node"}]}
    alone = {**_rolling_lab(), "hardware": {"node": {"memory_gb": 512, "cards": [card]}}, "datacenters": [center]}

    async def test() -> None:
        async with site(alone) as lab:
            lab.define()
            now = lab.sim.clock.now().timestamp()
            host = lab.sim.find(vim.HostSystem, "alone.lab")
            for purpose, attribute in LOCKS.items():
                lab.sim.set_custom_value(host, attribute, encode(_lock(now - 700, 600, purpose))[attribute])
                now -= 5
            await lab.start()
            assert {(await lab.event("lock_lost"))["purpose"] for _ in LOCKS} == set(LOCKS)
            await lab.only_changes("alone.lab")

    run(test)


def test_a_lock_that_is_lost_before_the_start_is_an_event_and_the_clock_of_vcenter_decides() -> None:
    async def test() -> None:
        async with site(_rolling_lab()) as lab:
            lab.define()
            lab.sim.events["step_vcenter_clock"](seconds=7200)
            now = lab.sim.clock.now().timestamp()
            cluster = lab.sim.find(vim.ClusterComputeResource, "gpu")
            lab.sim.set_custom_value(cluster, LOCK, encode(_lock(now - 700, 600))[LOCK])
            await lab.start()
            assert 700 <= (await lab.event("lock_lost"))["silent_seconds"] < 730

    run(test)


def test_the_clock_of_vcenter_is_read_again_before_a_lock_is_reported() -> None:
    async def test() -> None:
        async with site(_rolling_lab()) as lab:
            await lab.start()
            lab.define()
            lab.sim.events["step_vcenter_clock"](seconds=-7200)
            beat = lab.sim.clock.now().timestamp() - 60
            lab.sim.set_custom_value(
                lab.sim.find(vim.ClusterComputeResource, "gpu"), LOCK, encode(_lock(beat, 600))[LOCK]
            )
            await lab.only_changes("esx-02.lab")  # by the clock of vCenter it has a heartbeat

    run(test)


def test_there_is_a_pause_between_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "FIRST_PAUSE", 0.02)
    attempts = []

    def refuse(*_arguments: Any, **_options: Any) -> Any:
        attempts.append(time.monotonic())
        if len(attempts) == 4:
            source.stop()
        raise ConnectionRefusedError(111, "refused")

    monkeypatch.setattr(sources, "open_session", refuse)
    request = WatchRequest.of({"hostname": "localhost", "username": "u", "password": "p"})
    source = sources.ChangeSource(request, lambda event: None)
    source.run()
    assert attempts[3] - attempts[0] >= 0.02 + 0.04 + 0.08


OUTAGE = 600.0
"""Seconds until vCenter is back by itself: longer than any machine takes to notice that it is gone."""


@pytest.mark.parametrize("event", ["end_sessions", "restart_vcenter"])
def test_nothing_is_lost_when_the_session_ends(event: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what changed before, nor what changed while there was no session."""
    for module in (connections, transport, connect):
        monkeypatch.setattr(module, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(connections, "LONGEST_PAUSE", 0.1)

    async def test() -> None:
        async with site() as lab:
            await lab.start(report_outage_after=1)
            logins = lab.sim.journal.counters.logins
            lab.sim.events[event](**({"seconds": OUTAGE} if event == "restart_vcenter" else {}))
            lab.set_device(enabled=True)
            if event == "restart_vcenter":
                assert (await lab.event("unreachable"))["error_code"] in ("connection_lost", "refused", "tls_failed")
                lab.sim.clock.advance(OUTAGE)  # type: ignore[attr-defined]
                assert (await lab.event("reachable"))["seconds"] >= 1
            await lab.event("device_changed")
            await lab.event("reboot_pending")
            assert lab.sim.journal.counters.logins == logins + 1
            lab.set_device("gpu-03.lab", enabled=True)
            assert (await lab.event("device_changed"))["host"] == "gpu-03.lab"

    run(test)


def test_a_change_is_not_lost_when_the_read_after_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "FIRST_PAUSE", 0.05)
    real, failures = watching.host_paths, [vmodl.fault.NotSupported(), ConnectionResetError(104, "reset")]

    def failing(session: Any) -> Any:
        if failures:
            raise failures.pop()
        return real(session)

    async def test() -> None:
        async with site() as lab:
            await lab.start()
            monkeypatch.setattr(watching, "host_paths", failing)
            lab.set_device(enabled=True, active=True)
            assert (await lab.event("device_changed"))["host"] == "gpu-01.lab"
            assert not failures

    run(test)


def test_waiting_costs_no_calls() -> None:
    async def test() -> None:
        async with site() as lab:
            await lab.start()
            await until(lab.is_watched)
            before = lab.calls()
            await asyncio.sleep(1.0)
            assert lab.calls() - before <= 1

    run(test)


def test_it_logs_out_at_once_when_the_rulebook_ends() -> None:
    async def test() -> None:
        async with site() as lab:
            await lab.start()
            assert len(lab.sim.sessions.by_key) == 1
            began = time.monotonic()
            await lab.stop()
            assert time.monotonic() - began < AT_ONCE
            await until(lambda: lab.sim.sessions.by_key == {})

    run(test)


def test_a_full_queue_holds_it_up_and_does_not_keep_it_from_ending() -> None:
    async def test() -> None:
        async with site() as lab:
            lab.queue = asyncio.Queue(maxsize=1)
            lab.queue.put_nowait({"type": "earlier"})
            lab.task = asyncio.create_task(main(lab.queue, lab.arguments()))
            await until(lambda: lab.queue._putters)  # type: ignore[attr-defined]
            assert lab.queue.qsize() == 1
            began = time.monotonic()
            await lab.stop()
            assert time.monotonic() - began < AT_ONCE

    run(test)


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "a misspelled argument": ({"hostnam": "x"}, "bad_argument", "has no argument hostnam (hostname is meant?)"),
    "a port that is no number": ({"port": "many"}, "bad_argument", "port"),
    "a port out of range": ({"port": 99999}, "out_of_range", "port is 99999"),
    "a time out of range": ({"report_outage_after": 0}, "bad_timeout", "report_outage_after is 0"),
    "a URL": ({"hostname": "https://localhost/ui"}, "bad_hostname", "Write hostname: localhost"),
    "no host name": ({"hostname": None}, "missing_connection", "hostname is not given"),
    "a proxy without its port": ({"proxy_host": "proxy"}, "missing_connection", "without proxy_port"),
    "a wrong password": ({"password": "wrong"}, "invalid_login", "Cannot log in as"),
    "an untrusted certificate": ({"ca_path": None}, "certificate_untrusted", "validate_certs"),
    "a file that holds no certificate": ({"ca_path": str(Path(__file__))}, "bad_ca_path", "no certificate"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_mistakes_end_it_at_once_with_a_clear_error(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    changes, code, words = REFUSED[case]
    for name in ("VMWARE_HOST", "VMWARE_CA_PATH"):
        monkeypatch.delenv(name, raising=False)

    async def test() -> None:
        async with site() as lab:
            with pytest.raises(DirectPathError) as error:
                await asyncio.wait_for(main(lab.queue, lab.arguments(**changes)), PATIENCE)
            assert error.value.code == code
            assert words in str(error.value)
            assert "VMware1!" not in str(error.value)
            if code not in ("invalid_login", "certificate_untrusted", "bad_ca_path"):
                assert lab.calls() == 0
            assert lab.queue.empty()

    run(test)


def test_the_connection_may_be_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with site() as lab:
            values = lab.arguments()
            names = {
                "hostname": "HOST",
                "port": "PORT",
                "username": "USER",
                "password": "PASSWORD",
                "ca_path": "CA_PATH",
            }
            for name, variable in names.items():
                monkeypatch.setenv(f"VMWARE_{variable}", values[name])
            feedback: asyncio.Queue[Any] = asyncio.Queue()
            lab.task = asyncio.create_task(main(lab.queue, {"eda_feedback_queue": feedback}))
            await lab.event("started")

    run(test)


def test_a_standalone_host_is_watched_too() -> None:
    async def test() -> None:
        async with site("simulator/labs/standalone_67.yml") as lab:
            assert (await lab.start())["hosts"] == 1
            (host,) = lab.sim.registry.all(vim.HostSystem)
            info = next(item for item in host.get("config.pciPassthruInfo") if item.passthruCapable)
            lab.sim.events["set_device_state"](host=host.props["name"], address=info.id, enabled=True)
            await lab.event("device_changed")

    run(test)


def test_the_arguments_are_documented() -> None:
    """The documentation is the schema that people read: names, types, defaults and aliases are those that are checked."""
    options = yaml.safe_load(runpy.run_path(str(PLUGIN))["DOCUMENTATION"])["options"]
    given = ("hostname", "username", "password")
    assert {
        name: {key: option[key] for key in ("type", "default", "aliases") if key in option}
        for name, option in SPEC.items()
    } == {
        name: {key: option[key] for key in ("type", "default", "aliases") if key in option}
        for name, option in options.items()
    }
    assert [name for name, option in options.items() if option.get("required")] == list(given)
    for name, option in SPEC.items():
        for variable in option.get("fallback", (None, []))[1]:
            assert f"E({variable})" in str(options[name]["description"])


def test_rulebooks_name_events_that_exist() -> None:
    sources = ("_domain/changes/events", "_domain/rolling/lost_locks")
    texts = [(ROOT / "plugins" / "module_utils" / f"{name}.py").read_text(encoding="utf-8") for name in sources]
    source = "".join(texts) + (ROOT / "plugins/plugin_utils/changes/source.py").read_text(encoding="utf-8")
    for path in sorted((ROOT / "extensions/eda/rulebooks").glob("*.yml")):
        (ruleset,) = yaml.safe_load(path.read_text())
        assert list(ruleset["sources"][0])[1] == "directpath.vsphere.pci_changes"
        for rule in ruleset["rules"]:
            kinds = yaml.safe_load(rule["condition"].partition(" in ")[2])
            assert kinds
            assert all(f'"{kind}"' in source for kind in kinds), path
