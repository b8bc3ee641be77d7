# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ansible-playbook of a rehearsal has what the one that started it had, and secrets only through pipes."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

from ansible_collections.directpath.vsphere.plugins.plugin_utils.rehearsal.child import (
    Invocation,
    command,
    environment,
    forced_variables,
    vault_pipes,
)

SECRET = b"of the vault"
LOADER = SimpleNamespace(
    _vault=SimpleNamespace(secrets=[("default", SimpleNamespace(bytes=SECRET)), ("", SimpleNamespace(bytes=b"other"))])
)
OPTIONS = {
    "inventory": ("hosts.yml", "more/"),
    "extra_vars": ("@vars.yml", "a=1"),
    "subset": "gpu-*",
    "tags": ["all"],
    "skip_tags": ["verify"],
    "forks": 7,
    "ask_vault_pass": True,
}


def test_the_command_repeats_the_options(tmp_path: Path) -> None:
    found = command("site", Invocation.of(OPTIONS, LOADER), tmp_path / "forced.json")
    assert found[1:5] == ["-m", "ansible", "playbook", "directpath.vsphere.site"]
    given = [
        "-i",
        "hosts.yml",
        "-i",
        "more/",
        "-e",
        "@vars.yml",
        "-e",
        "a=1",
        "--limit",
        "gpu-*",
        "--skip-tags",
        "verify",
        "--forks",
        "7",
    ]
    assert found[5:] == [*given, "-e", f"@{tmp_path / 'forced.json'}"]
    assert SECRET.decode() not in " ".join(found)


def test_a_bare_command_has_no_empty_options(tmp_path: Path) -> None:
    found = command("reboot", Invocation.of({}, SimpleNamespace()), tmp_path / "f")
    assert found[4:] == ["directpath.vsphere.reboot", "--forks", "5", "-e", f"@{tmp_path / 'f'}"]


def test_vault_secrets_are_read_once_from_pipes_that_are_closed_after_that() -> None:
    invocation = Invocation.of(OPTIONS, LOADER)
    assert SECRET.decode() not in repr(invocation)
    with vault_pipes(invocation) as (variables, readers):
        first, second = variables["ANSIBLE_VAULT_IDENTITY_LIST"].split(",")
        assert first == f"default@/dev/fd/{readers[0]}"
        assert Path(first.partition("@")[2]).read_bytes() == SECRET
        assert Path(second.partition("@")[2]).read_bytes() == b"other"
    for reader in readers:
        try:
            os.fstat(reader)
        except OSError:
            continue
        raise AssertionError("a pipe is open")
    with vault_pipes(Invocation()) as (variables, readers):
        assert (variables, readers) == ({}, [])


def test_the_environment_is_that_of_the_user_without_what_records_jobs(tmp_path: Path) -> None:
    given = {
        "PATH": "/bin",
        "VMWARE_HOST": "vc",
        "AWX_ISOLATED_DATA_DIR": "/runner/artifacts/1",
        "ANSIBLE_CALLBACK_PLUGINS": "/runner/callback",
        "ANSIBLE_STDOUT_CALLBACK": "awx_display",
        "ANSIBLE_LOG_PATH": "/var/log/ansible.log",
        "ANSIBLE_VAULT_PASSWORD_FILE": "/site/vault",
        "ANSIBLE_CACHE_PLUGIN": "jsonfile",
    }
    found = environment(given, gate=tmp_path / "gate", scratch=tmp_path / "tmp", collections=["/a", "/b"])
    assert (found["PATH"], found["VMWARE_HOST"]) == ("/bin", "vc")
    assert found["DIRECTPATH_REHEARSAL"] == str(tmp_path / "gate")
    assert found["ANSIBLE_COLLECTIONS_PATH"] == "/a:/b"
    assert found["ANSIBLE_STDOUT_CALLBACK"] == "ansible.builtin.default"
    assert found["ANSIBLE_CACHE_PLUGIN"] == "ansible.builtin.memory"
    for name in ("AWX_ISOLATED_DATA_DIR", "ANSIBLE_CALLBACK_PLUGINS", "ANSIBLE_VAULT_PASSWORD_FILE"):
        assert name not in found
    for name in ("ANSIBLE_LOG_PATH", "ANSIBLE_LOCAL_TEMP", "ANSIBLE_REMOTE_TMP", "TMPDIR"):
        assert found[name].startswith(str(tmp_path)), name


def test_consent_is_assumed_only_where_nothing_was_decided() -> None:
    assert '"rolling_reboot_consent": true' in forced_variables(consent=True)
    assert "rolling_reboot_consent" not in forced_variables(consent=False)
    assert '"ansible_become": false' in forced_variables(consent=False)
