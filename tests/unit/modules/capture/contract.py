# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What capture promises, as data for the tests of all modules."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

from tests.unit.modules.bad_input.cases import Case
from tests.unit.modules.contracts import Contract, Scenario
from tests.unit.modules.harness import Lab

FOLDER = Path(tempfile.mkdtemp(prefix="directpath-capture-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)

CONTRACT = Contract(
    module="capture",
    call={"path": str(FOLDER / "call.json")},
    scenarios={"capture of a vCenter": Scenario("capture", {"path": str(FOLDER / "capture.json.gz")}, 0)},
    bad_input=(
        Case(
            module="capture",
            title="a file with another ending",
            options={"path": "/tmp/capture.yml"},
            code="bad_capture_file",
            says=("/tmp/capture.yml", "does not end with .json or .json.gz", "capture.json.gz"),
            lab=lambda: Lab.load("three_hosts"),
        ),
        Case(
            module="capture",
            title="a key for a capture with names",
            options={"path": "/tmp/capture.json", "anonymize": False, "key_path": "/tmp/key.json"},
            code="bad_capture_file",
            says=("anonymize: false", "Leave key_path out"),
            lab=lambda: Lab.load("three_hosts"),
        ),
        Case(
            module="capture",
            title="the key in the file of the capture",
            options={"path": "/tmp/capture.json", "key_path": "/tmp/../tmp/capture.json"},
            code="bad_capture_file",
            says=("key_path is the file of the capture itself", "another file"),
            lab=lambda: Lab.load("three_hosts"),
        ),
        Case(
            module="capture",
            title="answers in the file of the capture",
            options={"path": "/tmp/capture.json", "answers_path": "/tmp/capture.json"},
            code="bad_capture_file",
            says=("answers_path is the file of the capture", "another file"),
            lab=lambda: Lab.load("three_hosts"),
        ),
        Case(
            module="capture",
            title="a directory that does not exist",
            options={"path": "/tmp/no-such-directory/capture.json"},
            code="capture_unwritable",
            says=("/tmp/no-such-directory", "directory that exists"),
            lab=lambda: Lab.load("three_hosts"),
        ),
    ),
)
