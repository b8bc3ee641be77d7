# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options in run files: what a replay may use, and the names of the others."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.runs.names import RunNames
from ansible_collections.directpath.vsphere.plugins.plugin_utils.runs.options import (
    REPLAYED,
    arguments_of,
    kept_options,
)

SITE = RunNames(None)


def aliases() -> RunNames:
    return RunNames({"host-00001.example": "esx-01.lab"}, ("GA100",))


def test_no_option_that_is_kept_is_a_secret_or_a_path() -> None:
    """For every module: each option gets a value, and what is dangerous is left out."""
    given: dict[str, dict[str, Any]] = {name: arguments_of(name) for name in REPLAYED}
    for module, spec in given.items():
        kept, _left = kept_options(module, dict.fromkeys(spec, "/etc/passwd"), SITE)
        bad = [name for name in kept if spec[name].get("no_log") or spec[name].get("type") == "path"]
        assert bad == [], module
        assert not {"hostname", "password", "bmc", "ready_when", "notify", "pause_file"} & set(kept)


def test_secrets_and_what_reaches_other_machines_are_left_out_and_named() -> None:
    given = {
        "hostname": "vc.lab",
        "password": "p4ss",
        "hosts": ["esx-01.lab"],
        "devices": [{"match": {"vendor_id": "10de", "name": "ga*"}, "count": "all", "label": "of payroll"}],
        "bmc": [{"host": "esx-01.lab", "address": "10.0.0.1", "password": "p4ss"}],
        "ready_when": [{"check": "command", "argv": ["curl", "p4ss"]}],
        "windows": [{"start": "22:00", "end": "06:00", "zone": "Europe/Berlin"}],
        "pause_file": "/srv/bob/p4ss",
        "order": {"esx-01.lab": 5},
        "max_unavailable": "25%",
        "canary": "no",
        "slice": 60,
        "misspelled_p4ss": "p4ss",
        "vsan_mode": "p4ss",
    }
    kept, left = kept_options("host_rolling_reboot", given, aliases())
    assert left == ["an option that the module does not have", "bmc", "pause_file", "ready_when", "windows"]
    assert kept["hosts"] == ["host-00001.example"]
    assert kept["devices"][0]["match"] == {"vendor_id": "10de", "name": "ga*"}
    assert kept["devices"][0]["count"] == "all"
    assert kept["order"] == {"host-00001.example": 5}
    assert (kept["max_unavailable"], kept["canary"]) == ("25%", "no")
    assert not any(word in str(kept) for word in ("p4ss", "payroll", "bob", "esx-01", "Berlin"))


def test_windows_without_a_zone_stay() -> None:
    windows = [{"days": ["sat"], "start": "22:00", "end": "06:00"}]
    kept, left = kept_options("host_rolling_reboot", {"windows": windows}, aliases())
    assert (kept, left) == ({"windows": windows}, [])


def test_old_names_of_options_get_their_names_of_today() -> None:
    kept, left = kept_options("host_passthrough", {"esxi_hostname": "esx-01.lab", "max_failures": "3"}, aliases())
    assert (kept, left) == ({"hosts": ["host-00001.example"], "max_failures": "3"}, [])


@pytest.mark.parametrize("module", ["report_upload", "../../x", "os"])
def test_other_modules_are_refused(module: str) -> None:
    with pytest.raises(ValueError, match="is no module that a replay calls"):
        kept_options(module, {}, SITE)
