# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom the collection trusts, over a real TLS connection."""

from __future__ import annotations

import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.connect import open_session
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.endpoint import Endpoint
from simulator import Simulator

LAB = str(Path(__file__).resolve().parents[5] / "simulator" / "labs" / "home.yml")


def test_the_certificate_itself_may_be_named_where_its_ca_is_not_to_be_had(tmp_path: Path) -> None:
    """As on a fresh ESXi host, whose certificate was signed by an installer nobody can ask. Others stay untrusted."""
    sim = Simulator.from_lab(LAB)
    account = next(iter(sim.authz.users.values()))
    with sim.serve() as server:
        leaf = tmp_path / "rui.crt"
        leaf.write_text(ssl.get_server_certificate(("localhost", server.port)), encoding="ascii")
        named = Endpoint(
            hostname="localhost",
            port=server.port,
            username=account.name,
            password=account.password,
            ca_path=str(leaf),
        )
        with open_session(named, read_only=True) as session:
            assert session.is_vcenter is False
        with (
            pytest.raises(DirectPathError, match="certificate is not trusted"),
            open_session(replace(named, ca_path=None), read_only=True),
        ):
            pytest.fail("a certificate nobody named was trusted")
