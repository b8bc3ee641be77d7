# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send requests to the control page of a simulator, one after the other, and stop at the first that is refused.

Two arguments: ``{"control": address of the page, "ca": file}`` and ``[{"path": ..., "body": ..., "method": ...}, ...]``,
both JSON. Without a method it is POST.
"""

from __future__ import annotations

import json
import ssl
import sys
import urllib.request


def main() -> None:
    simulator, requests = (json.loads(word) for word in sys.argv[1:])
    trust = ssl.create_default_context(cafile=simulator["ca"])
    for asked in requests:
        body = json.dumps(asked["body"]).encode() if "body" in asked else None
        request = urllib.request.Request(
            simulator["control"] + asked["path"],
            data=body,
            headers={"Content-Type": "application/json"},
            method=asked.get("method", "POST"),
        )
        with urllib.request.urlopen(request, timeout=180, context=trust) as answer:
            answer.read()


if __name__ == "__main__":
    main()
