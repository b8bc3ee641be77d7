# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Powering a server on through its management controller: what is sent, what never is, and whom it believes."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.redfish.client import Bmc, BmcAccess
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.redfish.http import RedfishReply
from simulator.bmc.accounts import MOST_SESSIONS
from tests.unit.module_utils._vsphere.redfish.bmc_lab import HOST, PASSWORD, ObservedFleet, scripted


@pytest.fixture
def observed(monkeypatch: pytest.MonkeyPatch) -> ObservedFleet:
    return ObservedFleet(monkeypatch)


def code_of(call: Any) -> str:
    with pytest.raises(DirectPathError) as caught:
        call()
    assert PASSWORD not in caught.value.sentence()
    return caught.value.code


# -- power ----------------------------------------------------------------------------------------------------------


def test_a_server_that_is_off_is_powered_on_once(observed: ObservedFleet) -> None:
    bmc = observed.bmc()
    assert bmc.power_state() == "on"
    observed.power_off()
    assert bmc.power_state() == "off"
    bmc.power_on()
    assert observed.host.powered
    assert observed.resets() == [("On", "ok")]
    observed.wait(400)
    assert observed.host.running
    assert observed.host.cold_boots == 1


def test_a_server_that_is_on_is_told_nothing(observed: ObservedFleet) -> None:
    observed.bmc().power_on()
    assert observed.resets() == []


def test_a_server_on_its_way_down_is_not_off_yet(observed: ObservedFleet) -> None:
    """Whoever takes PoweringOff for off sends a request that is refused, or lost."""
    bmc = observed.bmc()
    observed.sim.events["host_power_loss"](host=HOST)
    assert bmc.power_state() == "on"
    bmc.power_on()
    assert observed.resets() == []
    observed.wait()
    assert bmc.power_state() == "off"


@pytest.mark.parametrize(
    ("shown", "meant"),
    [
        ("On", "on"),
        ("Off", "off"),
        ("PoweringOn", "on"),
        ("PoweringOff", "on"),
        ("Paused", "on"),
        ("Reset", "on"),
        ("OFF", "off"),
        ("Unknown", None),
        ("", None),
        (None, None),
        (0, None),
    ],
)
def test_what_is_not_off_for_certain_is_not_off(monkeypatch: pytest.MonkeyPatch, shown: Any, meant: str | None) -> None:
    bmc, http = scripted(monkeypatch, service({"PowerState": shown}))
    assert bmc.power_state() == meant
    if meant is None:
        assert code_of(bmc.power_on) == "bmc_not_off"
        assert code_of(bmc.check) == "bmc_not_off"
    assert {verb for verb, *_rest in http.asked} == {"GET"}


@pytest.mark.parametrize(
    ("allowed", "sent"),
    [
        (["ForceOff", "PowerCycle", "On"], "On"),
        (["ForceOn", "PowerCycle"], "ForceOn"),
        (["ForceRestart", "PowerCycle", "PushPowerButton"], "PowerCycle"),
        (["PushPowerButton", "ForceRestart"], "ForceRestart"),
        (["GracefulRestart", "PushPowerButton"], "PushPowerButton"),
        (None, "On"),
        ([], "On"),
    ],
)
def test_the_best_reset_that_is_offered_is_used(
    monkeypatch: pytest.MonkeyPatch, allowed: list[str] | None, sent: str
) -> None:
    action = {} if allowed is None else {"ResetType@Redfish.AllowableValues": allowed}
    system = {"PowerState": "Off", "Actions": {"#ComputerSystem.Reset": action}}
    bmc, http = scripted(monkeypatch, service(system))
    bmc.power_on()
    assert http.asked[-1][:2] == ("POST", "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset")
    assert http.bodies[-1] == {"ResetType": sent}


def test_nothing_that_powers_on_is_known_before_anything_is_shut_down(observed: ObservedFleet) -> None:
    observed.turn("bmc_offers", "force_off")
    assert code_of(observed.bmc().check) == "bmc_cannot_power_on"
    observed.power_off()
    assert code_of(observed.bmc().power_on) == "bmc_cannot_power_on"
    assert observed.resets() == []


def test_a_reset_without_an_answer_is_not_repeated(observed: ObservedFleet) -> None:
    """It may have arrived; a second one could be a button pressed twice."""
    observed.power_off()
    observed.sim.faults.add(method="Redfish.Reset", drop="after", times=1)
    assert code_of(observed.bmc().power_on) == "connection_lost"
    assert observed.resets() == [("On", "dropped")]
    assert observed.host.powered


def test_a_reset_refused_because_somebody_was_faster_is_no_failure(observed: ObservedFleet) -> None:
    """iDRAC refuses it with these words while its PowerState still says Off."""
    observed.turn("bmc_shape", "idrac")
    observed.power_off()
    bmc = observed.bmc()
    assert bmc.power_state() == "off"
    observed.sim.events["host_power_on"](host=HOST)
    assert bmc.power_state() == "off", "it lags"
    bmc.power_on()
    assert observed.resets() == [("On", "http 409")]


def test_a_refused_reset_is_told_in_the_controllers_words(observed: ObservedFleet) -> None:
    observed.power_off()
    with pytest.raises(DirectPathError, match=r"HTTP 403 Forbidden, There are insufficient privileges") as caught:
        observed.bmc(username="viewer").power_on()
    assert caught.value.code == "no_permission"
    assert not observed.host.powered


def test_an_account_that_may_only_look_is_known_before_anything_is_shut_down(observed: ObservedFleet) -> None:
    with pytest.raises(DirectPathError, match=r"viewer on .* has the role ReadOnly") as caught:
        observed.bmc(username="viewer").check()
    assert caught.value.code == "no_permission"


def test_an_account_that_may_not_see_accounts_is_given_the_benefit_of_the_doubt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    actions = {"#ComputerSystem.Reset": {"ResetType@Redfish.AllowableValues": ["On"]}}
    script = service({"PowerState": "On", "Actions": actions}, {"AccountService": {"@odata.id": "/accounts"}})
    bmc, http = scripted(monkeypatch, script)
    bmc.check()
    assert ("GET", "/accounts") in [item[:2] for item in http.asked]


def test_looking_changes_nothing(observed: ObservedFleet) -> None:
    bmc = observed.bmc()
    bmc.check()
    bmc.power_state()
    bmc.close()
    assert observed.sim.journal.writes() == []


# -- which server ---------------------------------------------------------------------------------------------------


def test_the_controller_of_another_server_is_noticed(observed: ObservedFleet) -> None:
    """Two addresses mixed up in the inventory: one host would be shut down, and the other one asked whether it is off."""
    with pytest.raises(DirectPathError, match="controller of another server") as caught:
        observed.bmc("/bmc/esx-02.lab").check()
    assert caught.value.code == "bmc_of_other_server"
    assert observed.sim.find("HostSystem", "esx-02.lab").spec.uuid in caught.value.candidates[0]


def test_a_system_that_was_named_is_taken_unseen(observed: ObservedFleet) -> None:
    assert observed.bmc("/bmc/esx-02.lab", system="1").power_state() == "on"
    with pytest.raises(DirectPathError, match="has no system 'Self'") as caught:
        observed.bmc(system="Self").check()
    assert caught.value.candidates == ("1",)


def test_the_server_is_found_among_several(observed: ObservedFleet) -> None:
    observed.power_off()
    bmc = observed.bmc("")
    assert bmc.power_state() == "off"
    bmc.power_on()
    assert [host.powered for host in map(observed.sim.obj, ("host-1", "host-2", "host-3"))] == [True] * 3
    assert observed.calls("Redfish.Reset")[0].name == HOST


def test_several_systems_and_nothing_to_tell_them_apart(observed: ObservedFleet) -> None:
    with pytest.raises(DirectPathError, match="3 systems") as caught:
        observed.bmc("", identity=False).power_state()
    assert caught.value.code == "bmc_system_unclear"
    assert [item.split()[0] for item in caught.value.candidates] == ["host-1", "host-2", "host-3"]
    assert observed.bmc("", identity=False, system="HOST-2").power_state() == "on"


UUID = "4c4c4544-0042-3510-8056-b4c04f4d3333"


@pytest.mark.parametrize(
    ("system", "uuid", "serial", "verdict"),
    [
        ({"UUID": UUID}, UUID, "", "taken"),
        ({"UUID": UUID.upper()}, UUID, "", "taken"),
        ({"UUID": "44454c4c-4200-1035-8056-b4c04f4d3333"}, UUID, "", "taken"),
        ({"UUID": UUID}, "", "", "taken"),
        ({}, UUID, "B5M3V33", "taken"),
        ({"UUID": "00000000-0000-0000-0000-000000000000"}, UUID, "", "taken"),
        ({"UUID": "ffffffff-ffff-ffff-ffff-ffffffffffff"}, UUID, "", "taken"),
        ({"UUID": "11111111-2222-3333-4444-555555555555"}, UUID, "", "bmc_of_other_server"),
        ({"UUID": "11111111-2222-3333-4444-555555555555", "SerialNumber": "b5m3v33 "}, UUID, "B5M3V33", "taken"),
        ({"SKU": "B5M3V33", "SerialNumber": "CNFCP0088I00AF"}, UUID, "B5M3V33", "taken"),
        ({"SerialNumber": "OTHER"}, UUID, "B5M3V33", "bmc_of_other_server"),
        ({"UUID": UUID, "SerialNumber": "OTHER"}, UUID, "B5M3V33", "taken"),
    ],
)
def test_who_is_who(
    monkeypatch: pytest.MonkeyPatch, system: dict[str, str], uuid: str, serial: str, verdict: str
) -> None:
    """UUIDs are written in either byte order, may be placeholders, and boards that were replaced have another one."""
    scripted(monkeypatch, service({**system, "PowerState": "On"}))
    bmc = Bmc(
        BmcAccess(address="bmc.test", username="admin", password=PASSWORD, auth="basic"), uuid=uuid, serial=serial
    )
    if verdict == "taken":
        assert bmc.power_state() == "on"
    else:
        assert code_of(bmc.power_state) == verdict


def test_a_controller_without_a_system_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def script(verb: str, path: str) -> RedfishReply:
        return RedfishReply(status=200, body={"Systems": {"@odata.id": "/redfish/v1/Systems"}, "Members": []})

    assert code_of(scripted(monkeypatch, script)[0].power_state) == "bmc_system_unclear"


# -- login ----------------------------------------------------------------------------------------------------------


def test_one_login_serves_many_questions_and_is_ended(observed: ObservedFleet) -> None:
    bmc = observed.bmc()
    for _unused in range(5):
        bmc.power_state()
    assert len(observed.calls("Redfish.POST")) == 1
    (service_sessions,) = observed.sim.bmc_sessions.values()
    assert len(service_sessions.open) == 1
    bmc.close()
    assert service_sessions.open == {}


def test_a_wrong_password_is_tried_once(observed: ObservedFleet) -> None:
    """Controllers lock an account after a few: somebody who asks every five seconds would lock it within a minute."""
    bmc = observed.bmc(password="wrong-one")
    for _unused in range(5):
        with pytest.raises(DirectPathError, match="Cannot log in as admin") as caught:
            bmc.power_state()
        assert caught.value.code == "invalid_login"
        assert "wrong-one" not in caught.value.sentence()
    assert len(observed.calls("Redfish.POST")) == 1


def test_a_wrong_password_is_tried_once_with_basic_too(observed: ObservedFleet) -> None:
    bmc = observed.bmc(password="wrong-one", auth="basic")
    for _unused in range(3):
        assert code_of(bmc.power_state) == "invalid_login"
    refused = [entry for entry in observed.calls("Redfish.GET") if entry.outcome == "http 401"]
    assert len(refused) == 1


def test_an_older_ilo_refuses_a_login_with_another_status(monkeypatch: pytest.MonkeyPatch) -> None:
    def script(verb: str, path: str) -> RedfishReply:
        if verb == "POST":
            return RedfishReply(status=400, body={"Messages": [{"MessageID": "iLO.0.10.UnauthorizedLoginAttempt"}]})
        return RedfishReply(
            status=200,
            body={"Links": {"Sessions": {"@odata.id": "/redfish/v1/Sessions"}}, "Systems": {"@odata.id": "/s"}},
        )

    bmc, http = scripted(monkeypatch, script, auth="auto")
    assert code_of(bmc.power_state) == "invalid_login"
    assert code_of(bmc.power_state) == "invalid_login"
    assert [verb for verb, *_rest in http.asked] == ["GET", "POST"]


def test_a_session_that_ended_is_opened_anew(observed: ObservedFleet) -> None:
    bmc = observed.bmc()
    bmc.power_state()
    observed.wait(3600)
    assert bmc.power_state() == "on"
    assert len(observed.calls("Redfish.POST")) == 2


def test_without_a_free_session_it_goes_without(observed: ObservedFleet) -> None:
    """Sessions of runs that were killed stay for half an hour; they must not keep the next run out."""
    others = [observed.bmc() for _unused in range(MOST_SESSIONS)]
    assert {other.power_state() for other in others} == {"on"}
    assert observed.bmc().power_state() == "on"
    assert code_of(observed.bmc(auth="session").power_state) == "unavailable"


@pytest.mark.parametrize(
    ("offered", "wanted", "outcome"),
    [
        ("both", "session", "on"),
        ("both", "basic", "on"),
        ("basic", "auto", "on"),
        ("session", "auto", "on"),
        ("basic", "session", "bmc_refused"),
        ("session", "basic", "invalid_login"),
    ],
)
def test_both_ways_to_log_in(observed: ObservedFleet, offered: str, wanted: str, outcome: str) -> None:
    observed.turn("bmc_auth", offered)
    bmc = observed.bmc(auth=wanted)
    if outcome == "on":
        assert bmc.power_state() == "on"
    else:
        assert code_of(bmc.power_state) == outcome


def test_any_password_can_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    bmc, http = scripted(monkeypatch, service({"PowerState": "On"}), password="pä:ß\u20ac")
    assert bmc.power_state() == "on"
    assert http.asked[-1][2]["Authorization"] == "Basic YWRtaW46cMOkOsOf4oKs"


# -- what goes wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [{"http": 503}, {"http": 502}, {"http": 429}, {"drop": "before"}, {"drop": "after"}])
def test_a_read_is_repeated(observed: ObservedFleet, fault: dict[str, Any]) -> None:
    bmc = observed.bmc()
    observed.sim.faults.add(method="Redfish.GET", times=2, **fault)
    assert bmc.power_state() == "on"
    assert observed.sim.clock.seconds() == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("fault", "code"),
    [({"http": 503}, "unavailable"), ({"drop": "before"}, "connection_lost"), ({"http": 500}, "bmc_refused")],
)
def test_a_controller_that_stays_away_is_given_up(observed: ObservedFleet, fault: dict[str, Any], code: str) -> None:
    observed.sim.faults.add(method="Redfish.GET", **fault)
    assert code_of(observed.bmc().power_state) == code
    assert len(observed.calls("Redfish.GET")) == (1 if code == "bmc_refused" else 3)


def test_it_waits_as_long_as_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    paused: list[float] = []
    replies = [RedfishReply(status=503, headers={"retry-after": seconds}) for seconds in ("5", "900")]

    def script(verb: str, path: str) -> RedfishReply:
        return replies.pop(0) if replies else service({"PowerState": "On"})(verb, path)

    scripted(monkeypatch, script)
    access = BmcAccess(address="bmc.test", username="admin", password=PASSWORD, auth="basic")
    assert Bmc(access, sleep=paused.append).power_state() == "on"
    assert paused == [5.0, 10.0]


def test_nothing_at_all_answers(observed: ObservedFleet) -> None:
    observed.turn("bmc_shape", "none")
    assert code_of(observed.bmc().check) == "connection_lost"


@pytest.mark.parametrize(
    "root",
    [
        RedfishReply(status=404),
        RedfishReply(status=200),
        RedfishReply(status=200, body={}),
        RedfishReply(status=200, body={"Systems": {"@odata.id": "https://elsewhere.test/redfish/v1/Systems"}}),
        RedfishReply(status=200, body={"Systems": {"@odata.id": "//elsewhere.test/redfish/v1/Systems"}}),
        RedfishReply(status=302, headers={"location": "https://elsewhere.test/redfish/v1/"}),
        RedfishReply(status=302),
    ],
)
def test_what_is_no_redfish_service_is_said_and_sent_nothing(
    monkeypatch: pytest.MonkeyPatch, root: RedfishReply
) -> None:
    """Neither a link nor a redirect takes the credentials to another machine."""
    bmc, http = scripted(monkeypatch, lambda verb, path: root)
    assert code_of(bmc.power_state) == "not_redfish"
    assert all("Authorization" not in headers for _verb, _path, headers in http.asked)


def test_a_redirect_on_the_same_machine_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = service({"PowerState": "On"})

    def script(verb: str, path: str) -> RedfishReply:
        if path == "/redfish/v1/Systems/1":
            return RedfishReply(status=308, headers={"location": "/redfish/v1/Systems/1/"})
        return answers(verb, path.removesuffix("/") if "Systems/1/" in path else path)

    assert scripted(monkeypatch, script)[0].power_state() == "on"


def test_all_pages_of_a_collection_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def script(verb: str, path: str) -> RedfishReply:
        if path == "/redfish/v1/":
            return RedfishReply(status=200, body={"Systems": {"@odata.id": "/s"}})
        if path == "/s":
            return RedfishReply(
                status=200, body={"Members": [{"@odata.id": "/s/a"}], "Members@odata.nextLink": "/s?$skip=1"}
            )
        if path == "/s?$skip=1":
            return RedfishReply(status=200, body={"Members": [{"@odata.id": "/s/b"}]})
        return RedfishReply(status=200, body={"PowerState": "Off" if path == "/s/b" else "On"})

    assert scripted(monkeypatch, script, system="b")[0].power_state() == "off"


def test_a_password_that_a_controller_repeats_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    error = {"@Message.ExtendedInfo": [{"MessageId": "X", "Message": f"Value {PASSWORD}\nof Password"}]}
    bmc, _http = scripted(monkeypatch, lambda verb, path: RedfishReply(status=400, body={"error": error}))
    with pytest.raises(DirectPathError, match=r"Value \*\*\* of Password") as caught:
        bmc.power_state()
    assert PASSWORD not in str(caught.value)


def service(system: dict[str, Any], root: dict[str, Any] | None = None) -> Any:
    """A service with one system; everything else is forbidden."""

    def script(verb: str, path: str) -> RedfishReply:
        if verb == "POST":
            return RedfishReply(status=204)
        found: dict[str, Any] = {
            "/redfish/v1/": {"Systems": {"@odata.id": "/redfish/v1/Systems"}, **(root or {})},
            "/redfish/v1/Systems": {"Members": [{"@odata.id": "/redfish/v1/Systems/1"}]},
            "/redfish/v1/Systems/1": system,
        }
        return RedfishReply(status=200, body=found[path]) if path in found else RedfishReply(status=403)

    return script
