# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Management controllers of the simulator, as any HTTP client meets them: no plugin is used here."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from simulator import Simulator
from simulator.bmc.accounts import IDLE_SECONDS, MOST_SESSIONS
from simulator.bmc.shapes import SHAPES, offered, written_uuid
from simulator.rules.knobs import FIELDS
from simulator.transport.http import Server
from tests.unit.patience import until
from tests.unit.simulator.world import LABS, World

HOST = "esx-01.lab"


class Client:
    """HTTPS with verification on."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.context = ssl.create_default_context(cafile=str(server.ca_file))
        self.headers: dict[str, str] = {}
        self.basic("admin", "VMware1!")

    def basic(self, user: str, password: str) -> None:
        self.headers = {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}

    def ask(self, path: str, verb: str = "GET", body: Any = None) -> tuple[int, Any, Any]:
        """(status, JSON, headers)."""
        request = urllib.request.Request(
            f"https://localhost:{self.server.port}{path}",
            method=verb,
            headers={"Content-Type": "application/json", **self.headers},
            data=None if body is None else json.dumps(body).encode(),
        )
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=60) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None, answer.headers
        except urllib.error.HTTPError as error:
            text = error.read()
            return error.code, json.loads(text) if text else None, error.headers

    def system(self, host: str = HOST) -> dict[str, Any]:
        """The system of a host, found as a client finds it."""
        _status, root, _headers = self.ask(f"/bmc/{host}/redfish/v1/")
        _status, systems, _headers = self.ask(root["Systems"]["@odata.id"])
        status, system, _headers = self.ask(systems["Members"][-1]["@odata.id"])
        assert status == 200
        return dict(system)

    def reset(self, kind: str, host: str = HOST) -> int:
        """The status of a reset."""
        target = self.system(host)["Actions"]["#ComputerSystem.Reset"]["target"]
        return self.ask(target, "POST", {"ResetType": kind})[0]


@pytest.fixture
def client() -> Iterator[Client]:
    sim = Simulator.from_lab(str(LABS / "three_hosts.yml"))
    with sim.serve() as server:
        yield Client(server)


def turn(client: Client, knob: str, value: Any) -> None:
    client.server.sim.events["set_knob"](name=knob, value=value, host=HOST)


# -- power and vSphere ----------------------------------------------------------------------------------------------


def test_a_host_that_was_shut_down_is_off_and_comes_back_when_told(client: Client) -> None:
    sim = client.server.sim
    host = sim.stub().connect().content.searchIndex.FindByDnsName(None, HOST, False)
    before = host.runtime.bootTime
    host.ShutdownHost_Task(True)
    sim.clock.advance(10)
    assert client.system()["PowerState"] == "On"
    sim.clock.advance(12)
    assert client.system()["PowerState"] == "PoweringOff"
    sim.clock.advance(600)
    assert client.system()["PowerState"] == "Off"
    assert host.runtime.connectionState == "notResponding", "it stays away until somebody powers it on"
    assert client.reset("On") == 204
    assert client.system()["PowerState"] == "PoweringOn"
    sim.clock.advance(10)
    assert client.system()["PowerState"] == "On"
    assert host.runtime.connectionState == "notResponding"
    sim.clock.advance(300)
    assert host.runtime.connectionState == "connected"
    assert host.runtime.bootTime > before


def test_a_reboot_keeps_the_power_on(client: Client) -> None:
    sim = client.server.sim
    sim.stub().connect().content.searchIndex.FindByDnsName(None, HOST, False).RebootHost_Task(True)
    for _unused in range(8):
        sim.clock.advance(45)
        assert client.system()["PowerState"] == "On"
    assert sim.find("HostSystem", HOST).cold_boots == 0


def test_a_host_that_hangs_in_its_boot_has_power(client: Client) -> None:
    """To vCenter it looks like one that is off: only the controller can tell."""
    sim = client.server.sim
    turn(client, "boot_result", "never_returns")
    sim.stub().connect().content.searchIndex.FindByDnsName(None, HOST, False).RebootHost_Task(True)
    sim.clock.advance(3600)
    assert client.system()["PowerState"] == "On"
    assert client.reset("On") == 409
    turn(client, "boot_result", "normal")
    assert client.reset("ForceRestart") == 204
    sim.clock.advance(400)
    assert sim.find("HostSystem", HOST).running


@pytest.mark.parametrize(
    ("kind", "cold", "comes_back"),
    [("ForceRestart", 0, True), ("PowerCycle", 1, True), ("ForceOff", 0, False), ("GracefulShutdown", 0, False)],
)
def test_resets_of_a_running_host(client: Client, kind: str, cold: int, comes_back: bool) -> None:
    sim = client.server.sim
    host = sim.find("HostSystem", HOST)
    before = host.boot_time
    assert client.reset(kind) == 204
    sim.clock.advance(1000)
    assert (host.running, host.powered) == (comes_back, comes_back)
    assert (host.boot_time > before) is comes_back
    assert host.cold_boots == cold


@pytest.mark.parametrize("shape", ["standard", "idrac"])
def test_power_that_is_just_going_off_does_not_come_back_at_once(client: Client, shape: str) -> None:
    turn(client, "bmc_shape", shape)
    host = client.server.sim.find("HostSystem", HOST)
    client.reset("ForceOff")
    assert client.reset("On") == 409
    assert not host.powered
    client.server.sim.clock.advance(10)
    assert client.reset("On") == 204
    assert host.powered


def test_the_button_works_both_ways(client: Client) -> None:
    host = client.server.sim.find("HostSystem", HOST)
    for powered in (False, True):
        assert client.reset("PushPowerButton") == 204
        client.server.sim.clock.advance(1000)
        assert host.powered is powered


def test_the_controller_answers_while_the_host_is_the_endpoint_and_is_down() -> None:
    """A standalone ESXi host takes its API with it; its controller has power of its own."""
    sim = Simulator.from_lab(str(LABS / "standalone_67.yml"))
    (host,) = sim.describe(sim)["hosts"]
    with sim.serve() as server:
        client = Client(server)
        sim.events["host_power_loss"](host=host["name"])
        sim.clock.advance(10)
        assert not sim.online
        assert client.system(host["name"])["PowerState"] == "Off"
        assert client.reset("On", host["name"]) == 204
        sim.clock.advance(1000)
        assert sim.online


def test_power_is_shown_to_people_too() -> None:
    world = World("three_hosts")
    world.sim.events["host_power_loss"](host=HOST)
    shown = next(item for item in world.sim.describe(world.sim)["hosts"] if item["name"] == HOST)
    assert (shown["powered"], shown["cold_boots"]) == (False, 0)


# -- makers ---------------------------------------------------------------------------------------------------------


def test_every_maker_is_a_choice_of_the_knob() -> None:
    assert {*FIELDS["bmc_shape"].choices} == {*SHAPES, "none"}


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_each_maker_says_how_it_can_be_reset(client: Client, shape: str) -> None:
    turn(client, "bmc_shape", shape)
    system = client.system()
    action = system["Actions"]["#ComputerSystem.Reset"]
    listed = action.get("ResetType@Redfish.AllowableValues")
    if "@Redfish.ActionInfo" in action:
        status, info, _headers = client.ask(action["@Redfish.ActionInfo"])
        assert status == 200
        (parameter,) = info["Parameters"]
        assert listed in (None, parameter["AllowableValues"])
        listed = parameter["AllowableValues"]
    assert tuple(listed) == SHAPES[shape].resets
    assert system["Id"] == SHAPES[shape].system
    assert action["target"].rstrip("/").startswith(system["@odata.id"].rstrip("/"))


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_a_reset_that_makes_no_sense_is_answered_as_each_maker_does(client: Client, shape: str) -> None:
    turn(client, "bmc_shape", shape)
    assert client.reset("On") == (SHAPES[shape].refusal or SHAPES[shape].done)
    assert client.server.sim.find("HostSystem", HOST).cold_boots == 0
    assert client.reset("Nmi") == 400


@pytest.mark.parametrize("offers", FIELDS["bmc_offers"].choices)
def test_what_is_not_offered_is_refused(client: Client, offers: str) -> None:
    turn(client, "bmc_offers", offers)
    listed = offered(SHAPES["standard"], offers)
    client.server.sim.events["host_power_loss"](host=HOST)
    client.server.sim.clock.advance(10)
    assert client.reset("ForceOn") == 400
    assert (client.reset("On") == 400) is ("On" not in listed)
    assert client.server.sim.find("HostSystem", HOST).powered is ("On" in listed)


def test_uuids_are_written_in_either_byte_order() -> None:
    plain = "4c4c4544-0042-3510-8056-b4c04f4d3333"
    assert written_uuid(SHAPES["idrac"], plain) == "44454c4c-4200-1035-8056-b4c04f4d3333"
    assert written_uuid(SHAPES["ilo"], plain) == plain.upper()
    assert written_uuid(SHAPES["supermicro"], plain) is None


def test_a_board_of_accelerators_is_a_system_that_is_no_host(client: Client) -> None:
    turn(client, "bmc_shape", "hgx")
    _status, systems, _headers = client.ask(f"/bmc/{HOST}/redfish/v1/Systems")
    assert [item["@odata.id"].rpartition("/")[2] for item in systems["Members"]] == ["HGX_Baseboard_0", "System_0"]
    status, board, _headers = client.ask(systems["Members"][0]["@odata.id"])
    assert (status, board["PowerState"]) == (200, "On")
    assert (
        client.ask(board["Actions"]["#ComputerSystem.Reset"]["target"], "POST", {"ResetType": "ForceRestart"})[0] == 404
    )


def test_one_service_for_all_hosts(client: Client) -> None:
    status, systems, _headers = client.ask("/redfish/v1/Systems")
    assert (status, systems["Members@odata.count"]) == (200, 3)
    names = [client.ask(item["@odata.id"])[1]["HostName"] for item in systems["Members"]]
    assert names == ["esx-01.lab", "esx-02.lab", "esx-03.lab"]


# -- who may do what ------------------------------------------------------------------------------------------------


def test_the_root_is_for_everybody_and_nothing_else_is(client: Client) -> None:
    client.headers = {}
    assert client.ask("/redfish")[1] == {"v1": "/redfish/v1/"}
    assert client.ask(f"/bmc/{HOST}/redfish/v1")[0] == 200, "redirected"
    status, body, headers = client.ask(f"/bmc/{HOST}/redfish/v1/Systems")
    assert (status, headers["WWW-Authenticate"]) == (401, 'Basic realm="Redfish"')
    assert body["error"]["@Message.ExtendedInfo"][0]["MessageId"].endswith("NoValidSession")
    for user, password in (("admin", "wrong"), ("nobody", "VMware1!"), ("", "")):
        client.basic(user, password)
        assert client.ask(f"/bmc/{HOST}/redfish/v1/Systems")[0] == 401
    client.headers = {"Authorization": "Basic not-base64!"}
    assert client.ask(f"/bmc/{HOST}/redfish/v1/Systems")[0] == 401


def test_sessions_begin_and_end(client: Client) -> None:
    sessions = f"/bmc/{HOST}/redfish/v1/SessionService/Sessions"
    client.headers = {}
    assert client.ask(sessions, "POST", {"UserName": "admin", "Password": "wrong"})[0] == 401
    status, body, headers = client.ask(sessions, "POST", {"UserName": "admin", "Password": "VMware1!"})
    assert (status, headers["Location"]) == (201, body["@odata.id"])
    assert "VMware1!" not in json.dumps(body)
    client.headers = {"X-Auth-Token": headers["X-Auth-Token"]}
    assert client.system()["HostName"] == HOST
    assert client.ask("/bmc/esx-02.lab/redfish/v1/Systems")[0] == 401, "each controller has sessions of its own"
    assert client.ask(headers["Location"], "DELETE")[0] == 204
    assert client.ask(f"/bmc/{HOST}/redfish/v1/Systems")[0] == 401


def test_sessions_are_few_and_end_by_themselves(client: Client) -> None:
    sessions = f"/bmc/{HOST}/redfish/v1/SessionService/Sessions"
    right = {"UserName": "admin", "Password": "VMware1!"}
    assert [client.ask(sessions, "POST", right)[0] for _unused in range(MOST_SESSIONS)] == [201] * MOST_SESSIONS
    status, body, _headers = client.ask(sessions, "POST", right)
    assert status == 503
    assert body["error"]["@Message.ExtendedInfo"][0]["MessageId"].endswith("SessionLimitExceeded")
    client.server.sim.clock.advance(IDLE_SECONDS + 1)
    assert client.ask(sessions, "POST", right)[0] == 201


def test_an_account_that_may_only_look(client: Client) -> None:
    client.basic("viewer", "VMware1!")
    assert client.reset("PowerCycle") == 403
    assert client.server.sim.find("HostSystem", HOST).running


@pytest.mark.parametrize(("way", "basic", "session"), [("both", 200, 201), ("basic", 200, 404), ("session", 401, 201)])
def test_ways_to_log_in(client: Client, way: str, basic: int, session: int) -> None:
    turn(client, "bmc_auth", way)
    root = f"/bmc/{HOST}/redfish/v1"
    assert client.ask(f"{root}/Systems")[0] == basic
    right = {"UserName": "admin", "Password": "VMware1!"}
    assert client.ask(f"{root}/SessionService/Sessions", "POST", right)[0] == session
    assert ("SessionService" in client.ask(f"{root}/")[1]) is (way != "basic")


# -- journal, faults, what is not there -----------------------------------------------------------------------------


def test_only_a_reset_is_a_write(client: Client) -> None:
    sim = client.server.sim
    client.system()
    assert sim.journal.writes() == []
    client.reset("PowerCycle")
    (entry,) = sim.journal.writes()
    assert (entry.method, entry.name, entry.user, entry.args["ResetType"]) == (
        "Redfish.Reset",
        HOST,
        "admin",
        "PowerCycle",
    )
    assert (entry.outcome, entry.effect) == ("ok", True)
    client.reset("Nmi")
    assert (sim.journal.writes()[1].outcome, sim.journal.writes()[1].effect) == ("http 400", False)
    assert "VMware1!" not in json.dumps([item.as_dict() for item in sim.journal.calls])


def test_faults_on_purpose(client: Client) -> None:
    sim = client.server.sim
    sim.faults.add(method="Redfish.GET", name=HOST, http=503, times=1)
    assert client.ask("/bmc/esx-02.lab/redfish/v1/Systems")[0] == 200
    assert client.ask(f"/bmc/{HOST}/redfish/v1/Systems")[0] == 503
    sim.faults.add(method="Redfish.Reset", drop="after", times=1)
    with pytest.raises((ConnectionError, urllib.error.URLError)):
        client.reset("PowerCycle")
    sim.clock.advance(1000)
    assert sim.find("HostSystem", HOST).cold_boots == 1, "it arrived"
    sim.faults.add(method="Redfish.Reset", drop="before", times=1)
    with pytest.raises((ConnectionError, urllib.error.URLError)):
        client.reset("PowerCycle")
    sim.clock.advance(1000)
    assert sim.find("HostSystem", HOST).cold_boots == 1, "it did not"


def test_who_stops_at_writes_stops_at_resets(client: Client) -> None:
    sim = client.server.sim
    seen: list[tuple[str, str, bool]] = []
    host = sim.find("HostSystem", HOST)
    for when in ("before", "after", "answered"):
        sim.on_write(1, lambda write: seen.append((write.when, write.method, host.running)), when=when)
    client.system()
    assert seen == []
    client.reset("ForceOff")
    until(lambda: len(seen) == 3)  # the last callback comes after the answer, so the client may be here before it
    assert sorted(seen) == [
        ("after", "Redfish.Reset", False),
        ("answered", "Redfish.Reset", False),
        ("before", "Redfish.Reset", True),
    ]


def test_a_host_without_a_controller_does_not_answer(client: Client) -> None:
    turn(client, "bmc_shape", "none")
    with pytest.raises((ConnectionError, urllib.error.URLError)):
        client.ask(f"/bmc/{HOST}/redfish/v1/")


@pytest.mark.parametrize(
    "path",
    [
        "/bmc/no-such-host/redfish/v1/",
        f"/bmc/{HOST}/other",
        f"/bmc/{HOST}/redfish/v2/",
        f"/bmc/{HOST}/redfish/v1/Chassis",
        f"/bmc/{HOST}/redfish/v1/Systems/2",
        f"/bmc/{HOST}/redfish/v1/Systems/1/Bios",
        f"/bmc/{HOST}/redfish/v1/Systems/1/ResetActionInfo",
        f"/bmc/{HOST}/redfish/v1/AccountService/Accounts/9",
        "/redfish/v1/Managers",
    ],
)
def test_what_is_not_modelled_is_not_there(client: Client, path: str) -> None:
    status, body, _headers = client.ask(path)
    assert status == 404
    assert body["error"]["@Message.ExtendedInfo"][0]["MessageId"].endswith("ResourceMissingAtURI")


def test_passwords_do_not_go_over_the_plain_port() -> None:
    sim = Simulator.from_lab(str(LABS / "three_hosts.yml"))
    with sim.serve(control_port=0) as server:
        address = server.control_url.replace("/control", "/redfish/v1/")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(address, timeout=60)
