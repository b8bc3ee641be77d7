# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run modules of other collections in one process: starting a Python for each would cost a second a module.

A program of its own, for the environment that has those collections. It reads a JSON list of [module, arguments] and
writes a JSON list of what each module ended with: {"failed": ..., "msg": ..., and the module's own result}.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
import traceback
from collections.abc import Iterator
from typing import Any
from unittest import mock

from ansible.module_utils import basic


class Ended(BaseException):
    """The module is done; no module catches this."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__()
        self.result = result


def _exit(module: Any, **result: Any) -> None:
    raise Ended({"failed": False, **result})


def _fail(module: Any, msg: str = "", **result: Any) -> None:
    raise Ended({**result, "failed": True, "msg": str(msg)})


@contextlib.contextmanager
def _arguments(arguments: dict[str, Any]) -> Iterator[None]:
    payload = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
    with (
        mock.patch.object(basic, "_ANSIBLE_ARGS", payload),
        mock.patch.object(basic, "_ANSIBLE_PROFILE", "legacy", create=True),
        mock.patch.object(basic.AnsibleModule, "exit_json", _exit),
        mock.patch.object(basic.AnsibleModule, "fail_json", _fail),
    ):
        yield


def run(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """What the module of this full name ends with; a crash is a failure with its last line."""
    collection, _unused, short = name.rpartition(".")
    try:
        with _arguments(arguments), contextlib.redirect_stdout(io.StringIO()):
            importlib.import_module(f"ansible_collections.{collection}.plugins.modules.{short}").main()
    except Ended as ended:
        return ended.result
    except BaseException as problem:
        line = traceback.format_exception_only(problem)[-1].strip()
        text = getattr(problem, "msg", None) or line
        return {"failed": True, "msg": str(text), "crashed": type(problem).__name__}
    return {"failed": True, "msg": "the module ended without a result"}


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    json.dump([run(name, arguments) for name, arguments in asked], sys.stdout, default=str)
