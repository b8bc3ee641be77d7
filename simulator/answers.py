# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answer recorded requests from a capture, in this process: what the simulator would have sent in place of the real server.

``python -m simulator.answers capture.json answers.json simulated.json``. The requests are those that the module capture records
(``answers_path``): reads about one host. The output has the same form, with the answers of the simulator.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pyVmomi import vmodl

from .api import versions
from .core.accounts import Peer
from .core.faults import Dropped, HttpStatus
from .simulator import Simulator
from .transport import soap
from .transport.dispatch import invoke
from .transport.handler import decoded_request

FORMAT, VERSION = "directpath.vsphere.answers", 1


def answered(sim: Simulator, requests: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """The same requests with the answers of the simulator."""
    stub = sim.stub()
    stub.connect()
    return [{**request, "answer": _answer(sim, stub.peer, request)} for request in requests]


def _answer(sim: Simulator, peer: Peer, asked: Mapping[str, str]) -> str:
    version = versions.negotiated(asked["action"], sim.api_version)
    try:
        request, declared = decoded_request(asked["request"].encode(), version)
        with sim.lock:
            return soap.encode_result(request.method, invoke(sim, request, peer), declared, version)
    except soap.BadRequest as error:
        return f"refused: {error}"
    except vmodl.MethodFault as fault:
        return f"fault {type(fault)._wsdlName}"
    except (HttpStatus, Dropped) as error:
        return f"no answer: {error}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0, or 1 with a sentence on stderr."""
    parser = argparse.ArgumentParser(prog="python -m simulator.answers", description=__doc__)
    for name in ("capture", "answers", "output"):
        parser.add_argument(name, type=Path)
    given = parser.parse_args(arguments)
    try:
        raw: Any = json.loads(given.answers.read_text(encoding="utf-8"))
        if not isinstance(raw, dict) or (raw.get("format"), raw.get("version")) != (FORMAT, VERSION):
            raise ValueError(f"{given.answers} does not have version {VERSION} of the format {FORMAT}")
        sim = Simulator.from_lab(given.capture)
        text = json.dumps({**raw, "answers": answered(sim, raw["answers"])})
        handle = os.open(given.output, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"The simulator cannot answer for {given.capture}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
