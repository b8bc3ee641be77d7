# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments of the event source pci_changes. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ...module_utils._domain.errors import DirectPathError, InputError
from ...module_utils._domain.ranges import refuse_out_of_range
from ...module_utils._domain.suggest import suggest_word
from ...module_utils._shell.engine.arguments import CONNECTION, Spec, endpoint
from ...module_utils._vsphere.session.endpoint import Endpoint
from ...module_utils._vsphere.session.faults import MISSING_SDK

NAME = "directpath.vsphere.pci_changes"
SPEC: Spec = {
    # A session that another task may end is of no use to a source that runs for weeks.
    **{name: option for name, option in CONNECTION.items() if name != "session"},
    "report_outage_after": {"type": "int", "default": 60},
}
_OF_RULEBOOK = frozenset({"eda_feedback_queue"})
"""What ansible-rulebook adds to the arguments of a source."""


@dataclass(frozen=True, kw_only=True)
class WatchRequest:
    """What to watch. ``report_outage_after``: seconds without a connection until there is an event about it."""

    endpoint: Endpoint
    report_outage_after: float

    @classmethod
    def of(cls, args: Mapping[str, Any]) -> WatchRequest:
        """Read the arguments as a rulebook has them. Raises InputError, and DirectPathError (missing_library)."""
        given = {name: value for name, value in args.items() if name not in _OF_RULEBOOK}
        known = [name for option, spec in SPEC.items() for name in (option, *spec.get("aliases", ()))]
        for name in given:
            if name not in known:
                raise InputError(
                    message=f"{NAME} has no argument {name}{suggest_word(str(name), known)}",
                    code="bad_argument",
                    parameter=str(name),
                    candidates=sorted(SPEC),
                )
        result = ArgumentSpecValidator(SPEC).validate(given)
        if result.error_messages:
            raise InputError(message=f"{NAME}: {'; '.join(result.error_messages)}", code="bad_argument")
        params = result.validated_parameters
        refuse_out_of_range(params)
        if MISSING_SDK is not None:
            raise DirectPathError(
                message=f"pyVmomi is not installed for the Python that runs ansible-rulebook ({MISSING_SDK})",
                code="missing_library",
                cure="Run pip install pyvmomi requests for this Python",
            )
        return cls(endpoint=endpoint(params), report_outage_after=params["report_outage_after"])
