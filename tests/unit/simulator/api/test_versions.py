# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from pyVmomi import vim, vmodl

from simulator.api import versions
from tests.unit.simulator.inventory import build
from tests.unit.simulator.specs import host


@pytest.mark.parametrize(
    ("release", "api"),
    [
        ("5.5", "5.5"),
        ("6.7.0", "6.7"),
        ("6.7.3", "6.7.3"),
        ("7.0", "7.0.0.0"),
        ("7.0.3", "7.0.3.0"),
        ("8.0", "8.0.0.1"),
        ("8.0.3", "8.0.3.0"),
    ],
)
def test_a_release_speaks_its_api_version(release: str, api: str) -> None:
    assert versions.version_id(versions.for_product(release)) == api


@pytest.mark.parametrize("release", ["8", "eight", "99.0", "8.0.3.1.2", ""])
def test_a_release_that_cannot_be_is_refused(release: str) -> None:
    with pytest.raises(ValueError, match="version"):
        versions.for_product(release)


def test_the_version_document_lists_the_older_ones_too() -> None:
    root = ElementTree.fromstring(versions.description(versions.for_product("7.0")).encode())
    namespace = root.find("namespace")
    assert namespace is not None
    assert namespace.findtext("version") == "7.0.0.0"
    prior = [item.text for item in namespace.findall("priorVersions/version")]
    assert "6.7" in prior
    assert "5.5" in prior
    assert "8.0.3.0" not in prior


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ('"urn:vim25/6.7"', "6.7"),
        ("urn:vim25/7.0.0.0", "7.0.0.0"),
        ('"urn:vim25/8.0.3.0"', "7.0.3.0"),
        ('"urn:vim25/12.3"', "7.0.3.0"),
        ("", "2.0"),
        ('"urn:vim25"', "2.0"),
    ],
)
def test_negotiation(action: str, expected: str) -> None:
    chosen = versions.negotiated(action, versions.for_product("7.0.3"))
    assert versions.version_id(chosen) == expected


def test_a_method_newer_than_the_endpoint_or_the_client_does_not_exist() -> None:
    sim = build({"version": "8.0.3"})
    old = sim.stub(versions.for_product("5.5")).connect()
    with pytest.raises(vmodl.fault.MethodNotFound):
        old.content.authorizationManager.HasUserPrivilegeOnEntities([old.content.rootFolder], "x", [])


def test_a_property_newer_than_the_client_does_not_exist() -> None:
    sim = build({"version": "8.0.3"})
    sim.find("HostSystem", "esx-01").props["answerFileValidationState"] = None
    assert host(sim.stub().connect()).answerFileValidationState is None
    old = sim.stub(versions.for_product("6.5")).connect()
    with pytest.raises((vmodl.query.InvalidProperty, vmodl.fault.MethodNotFound)):
        _unused = host(old).answerFileValidationState


def test_the_endpoint_speaks_no_version_newer_than_its_own() -> None:
    with pytest.raises(ValueError, match="does not speak"):
        build({"version": "6.7"}).stub(versions.for_product("7.0"))


@pytest.mark.parametrize(
    ("lab", "name", "api_type", "line"),
    [
        ({"version": "8.0.3"}, "VMware vCenter Server", "VirtualCenter", "vpx"),
        ({"kind": "esxi", "version": "6.7"}, "VMware ESXi", "HostAgent", "embeddedEsx"),
    ],
)
def test_about(lab: dict[str, str], name: str, api_type: str, line: str) -> None:
    content = build(lab).stub().instance().content
    assert (content.about.name, content.about.apiType, content.about.productLineId) == (name, api_type, line)
    assert content.about.version == lab["version"]
    assert (content.customFieldsManager is None) is (api_type == "HostAgent")
    assert isinstance(content.rootFolder, vim.Folder)
