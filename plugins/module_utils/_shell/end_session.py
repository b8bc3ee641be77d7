# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module end_session. Unlike the other modules it opens no session. PRIVATE to the collection."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from .._domain.errors import DirectPathError
from .._vsphere.session.connect import end_session
from .._vsphere.session.faults import MISSING_SDK, explain
from .engine.arguments import CONNECTION, endpoint
from .engine.failure import fail, failure


def run() -> None:
    """Run as an Ansible module: log out of the shared session. ``changed`` is always false, because no managed object changes."""
    module = AnsibleModule(argument_spec=CONNECTION, supports_check_mode=True)
    if MISSING_SDK is not None:
        module.fail_json(msg=missing_required_lib("pyvmomi"), exception=str(MISSING_SDK), error_code="missing_library")
    try:
        ended = end_session(endpoint(module.params), pretend=module.check_mode)
    except DirectPathError as error:
        fail(module, failure(error))
    except Exception as error:
        fail(module, failure(explain(error, doing="log out", on=str(module.params["hostname"]))))
    module.exit_json(changed=False, ended=ended)
